"""Who administers what here: full administrators, and those with powers over an app or a department."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from runtime import audit, definitions, models, roles
from runtime.actors import Member, unlimited
from runtime.context import Context
from runtime.ids import new_id
from runtime.models_people import duty
from runtime.people import Directory
from schemas import powers
from schemas.errors import Denied, InvalidInput, NotFound
from schemas.messages import say


@dataclass(frozen=True)
class Duty:
    """Powers over one app or department. `gives` are the roles (`app.role`) that may be given."""

    id: UUID
    member: UUID
    kind: str
    target: UUID
    powers: tuple[str, ...]
    gives: tuple[str, ...]


def of_member(ctx: Context, member: UUID) -> list[Duty]:
    kept: dict[UUID, list[Duty]] = ctx.memo.setdefault(Duty, {})
    if member not in kept:
        rows = ctx.conn.execute(_DUTIES.where(duty.c.member_id == member))
        kept[member] = [Duty(r.id, r.member_id, r.kind, r.target_id, tuple(r.powers), tuple(r.gives)) for r in rows]
    return kept[member]


_DUTIES = select(duty).order_by(duty.c.granted_at)


def everybody(ctx: Context, kind: str = "", target: UUID | None = None) -> list[Duty]:
    """All duties, or those over one app or department."""
    query = _DUTIES if target is None else _DUTIES.where(duty.c.kind == kind, duty.c.target_id == target)
    rows = ctx.conn.execute(query)
    return [Duty(r.id, r.member_id, r.kind, r.target_id, tuple(r.powers), tuple(r.gives)) for r in rows]


def mine(ctx: Context) -> list[Duty]:
    """The actor's own. A contact outside administers nothing."""
    actor = ctx.actor
    if not isinstance(actor, Member) or actor.id is None or actor.external:
        return []
    return of_member(ctx, actor.id)


# -- apps ------------------------------------------------------------------------------------------


def may(ctx: Context, power: str, installation: UUID) -> bool:
    """Whether the actor has a power over an app."""
    return unlimited(ctx.actor) or any(
        one.kind == "app" and one.target == installation and power in one.powers for one in mine(ctx)
    )


def require(ctx: Context, power: str, slug: str) -> None:
    """Raises NotFound: for those who may not, there is nothing there."""
    if not unlimited(ctx.actor) and not may(ctx, power, _installation(ctx, slug)):
        raise NotFound


def require_any(ctx: Context, slug: str) -> None:
    """For what everybody with a power over the app may look at. Raises NotFound."""
    if not unlimited(ctx.actor) and _installation(ctx, slug) not in apps(ctx):
        raise NotFound


def _installation(ctx: Context, slug: str) -> UUID:
    i = models.installation
    found: UUID | None = ctx.conn.scalar(select(i.c.id).where(i.c.slug == slug, i.c.removed_at.is_(None)))
    if found is None:
        raise NotFound
    return found


def apps(ctx: Context) -> set[UUID]:
    """The apps over which the actor has some power by a duty."""
    return {one.target for one in mine(ctx) if one.kind == "app"}


def of_app(ctx: Context, slug: str) -> list[str]:
    """The actor's powers over an app."""
    id = _installation(ctx, slug)
    return [power.id for power in powers.of_kind("app") if may(ctx, power.id, id)]


def refuse_rights(ctx: Context, slug: str, after: dict[str, object]) -> None:
    """Raises Denied where a revision would change rights and the actor may only publish."""
    id = _installation(ctx, slug)
    if may(ctx, "rights", id):
        return
    i = models.installation
    number = ctx.conn.scalar(select(i.c.revision).where(i.c.id == id))
    before = definitions.package(ctx, id, number) if number else {}
    if powers.rights_changed(before, after):
        raise Denied(say("The draft changes rights. Somebody who may give rights in this app has to publish it."))


# -- departments -----------------------------------------------------------------------------------


def manages_somebody(ctx: Context) -> bool:
    return unlimited(ctx.actor) or any(one.kind == "department" for one in mine(ctx))


def departments(ctx: Context) -> set[UUID] | None:
    """The departments whose members the actor manages, those below included; None for all."""
    if unlimited(ctx.actor):
        return None
    directory = Directory.of(ctx)
    return {
        unit
        for one in mine(ctx)
        if one.kind == "department" and "members" in one.powers and one.target in directory.units
        for unit in directory.below(one.target)
    }


def gives(ctx: Context) -> set[str] | None:
    """The roles that the actor may give to those whom they manage; None for all."""
    return None if unlimited(ctx.actor) else {role for one in mine(ctx) for role in one.gives}


def manages(ctx: Context, member: UUID) -> bool:
    """Whether a member is one of those whom the actor manages: by their main department, and not themselves an administrator.

    Nor is one who has roles that the actor may not give: whoever lets them sign in could act as them.
    """
    units = departments(ctx)
    if units is None:
        return True
    person = Directory.of(ctx).person(member)
    if person is None or person.admin or person.external or person.department not in units:
        return False
    if member == ctx.actor.id or of_member(ctx, member):
        return False
    return not powers.beyond(roles_of(ctx, member), gives(ctx))


def require_member(ctx: Context, member: UUID) -> None:
    """Raises NotFound for a member whom the actor does not manage."""
    if not manages(ctx, member):
        raise NotFound


def roles_of(ctx: Context, member: UUID) -> list[str]:
    """Everything that a member may by roles: those of apps, and the workspace's own."""
    return [f"{one.app}.{one.key.role}" for one in roles.held(ctx, member)]


def refuse_gained(ctx: Context, member: UUID, before: Iterable[str]) -> None:
    """Raises InvalidInput when a member has got a role, in whatever way, that the actor may not give."""
    had = set(before)
    gained = [role for role in roles_of(ctx, member) if role not in had]
    if wrong := powers.beyond(gained, gives(ctx)):
        name = Directory.of(ctx).names({member}).get(member, "")
        words = say("This would give {name} the role {role}, which is not yours to give.", name=name, role=wrong[0])
        raise InvalidInput({"": [words]})


def refuse_departments(ctx: Context, wanted: Collection[UUID], before: Collection[UUID] = ()) -> None:
    """Raises InvalidInput for a department that the actor does not manage, newly given or taken."""
    units = departments(ctx)
    if units is not None and (set(wanted) ^ set(before)) - units:
        raise InvalidInput({"department": [say("Choose a department that you manage.")]})


# -- giving duties ---------------------------------------------------------------------------------


def give(ctx: Context, member: UUID, kind: str, target: UUID, wanted: Iterable[str], roles: Iterable[str] = ()) -> None:
    """Make a member sub-administrator, or change what they may; without any power they are one no more.

    Raises InvalidInput. Only full administrators come here.
    """
    chosen = powers.known(kind, wanted)
    person = Directory.of(ctx).person(member)
    if person is None or person.left or person.external:
        raise InvalidInput({"member": [say("Choose a member.")]})
    told = {"what": _what(ctx, kind, target), "powers": chosen, "gives": sorted(set(roles))}
    audit.note(ctx, "rights.duty_given" if chosen else "rights.duty_taken", person.name, member, **told)
    own = (duty.c.member_id == member, duty.c.kind == kind, duty.c.target_id == target)
    if not chosen:
        ctx.conn.execute(delete(duty).where(*own))
    else:
        values = {"powers": chosen, "gives": sorted(set(roles)), "granted_by": ctx.actor.id, "granted_at": ctx.now}
        made = insert(duty).values(id=new_id(), member_id=member, kind=kind, target_id=target, **values)
        ctx.conn.execute(made.on_conflict_do_update(index_elements=["member_id", "kind", "target_id"], set_=values))
    ctx.memo.pop(Duty, None)


def _what(ctx: Context, kind: str, target: UUID) -> str:
    """The app's short name, or the department's name."""
    i = models.installation
    if kind == "app":
        return str(ctx.conn.scalar(select(i.c.slug).where(i.c.id == target)) or "")
    return Directory.of(ctx).names({target}).get(target, "")


def take(ctx: Context, member: UUID, kind: str, target: UUID) -> None:
    """A member administers this no more."""
    name = Directory.of(ctx).names({member}).get(member, "")
    audit.note(ctx, "rights.duty_taken", name, member, what=_what(ctx, kind, target))
    ctx.conn.execute(delete(duty).where(duty.c.member_id == member, duty.c.kind == kind, duty.c.target_id == target))
    ctx.memo.pop(Duty, None)


def withdraw(ctx: Context, member: UUID) -> None:
    """A member administers nothing any more."""
    ctx.conn.execute(delete(duty).where(duty.c.member_id == member))
    ctx.memo.pop(Duty, None)
