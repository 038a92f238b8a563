"""Who has which role: by list, by department (with those below), through a role of the workspace, or by formula.

Nothing is worked out beforehand: one member's roles are judged from their facts when they are asked for, and the
members of a role are found by one condition in the database. So a change of people or of a role holds at once.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    FromClause,
    bindparam,
    delete,
    false,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    true,
    update,
)

from runtime import audit, models, people
from runtime.context import Context
from runtime.ids import new_id
from runtime.models_people import role_part, workspace_role
from runtime.people import Directory
from schemas.errors import InvalidInput, NotFound
from schemas.formula import FormulaError, Need, World, evaluate
from schemas.messages import Message, say
from schemas.roles import rule
from schemas.text import Sentence, Text

KINDS = ("member", "department", "role", "formula")
PART = (role_part.c.id, role_part.c.kind, role_part.c.target_id, role_part.c.below, role_part.c.formula)
LONGEST_TITLE = 80


@dataclass(frozen=True)
class Key:
    """A role: of an app by its installation, or of the workspace."""

    installation: UUID | None
    role: str


@dataclass(frozen=True)
class Part:
    """One thing that gives a role. `id` is None for a place on an app's list."""

    id: UUID | None
    kind: str
    target: UUID | None = None
    below: bool = False
    formula: str | None = None


@dataclass(frozen=True)
class Held:
    """A role that a member has, by its app's short name ("" for the workspace's), and all that gives it."""

    key: Key
    app: str
    why: tuple[Part, ...]


# -- one member ------------------------------------------------------------------------------------

_i, _r = models.installation, models.role_member
LISTED = (
    select(_i.c.id.label("installation_id"), _i.c.slug, _r.c.role, literal("member").label("kind"),
           _r.c.member_id.label("target_id"), literal(False).label("below"), null().label("formula"), null().label("id"))
    .join(_r, _i.c.id == _r.c.installation_id)
    .where(_r.c.member_id == bindparam("member"), _i.c.removed_at.is_(None))
)  # fmt: skip
PARTS = (
    select(role_part.c.installation_id, _i.c.slug, role_part.c.role, role_part.c.kind, role_part.c.target_id,
           role_part.c.below, role_part.c.formula, role_part.c.id)
    .join(_i, _i.c.id == role_part.c.installation_id, isouter=True)
    .where(_i.c.removed_at.is_(None))
)  # fmt: skip
ASKED = LISTED.union_all(PARTS)
"""A member's places on lists, and everything that may give a role to anybody: read once in a transaction."""


def held(ctx: Context, member: UUID) -> list[Held]:
    """Every role that a member has, with the reasons."""
    kept: dict[UUID, list[Held]] = ctx.memo.setdefault("roles held", {})
    if member not in kept:
        kept[member] = _held(ctx, member)
    return kept[member]


def _held(ctx: Context, member: UUID) -> list[Held]:
    own: dict[Key, list[Part]] = {}
    through: dict[Key, list[Part]] = {}
    slugs: dict[Key, str] = {}
    for row in _asked(ctx, member):
        key, part = Key(row.installation_id, row.role), Part(row.id, row.kind, row.target_id, row.below, row.formula)
        slugs[key] = row.slug or ""
        if row.kind == "role":
            through.setdefault(key, []).append(part)
        elif _gives(ctx, part, member):
            own.setdefault(key, []).append(part)
    for key, parts in through.items():
        if given := [part for part in parts if Key(None, str(part.target)) in own]:
            own.setdefault(key, []).extend(given)
    return [Held(key, slugs[key], tuple(parts)) for key, parts in own.items()]


def _asked(ctx: Context, member: UUID) -> list[Any]:
    facts, key = ctx.known.facts, ("roles asked", member)
    if key not in facts:
        facts[key] = list(ctx.conn.execute(ASKED, {"member": member}))
    return facts[key]  # type: ignore[no-any-return]


def _gives(ctx: Context, part: Part, member: UUID) -> bool:
    directory = Directory.of(ctx)
    if part.kind == "member":
        return part.target == member
    person = directory.person(member)
    if person is None or person.left:
        return False
    if part.kind == "department":
        return part.target in (directory.above(person.departments) if part.below else person.departments)
    return holds(ctx, part.formula or "", member)


def holds(ctx: Context, formula: str, member: UUID) -> bool:
    """Whether a role's condition is true of a member. A contact outside is meant only where it asks `external`."""
    try:
        expression = rule(formula)
    except FormulaError:
        return False
    directory = Directory.of(ctx)
    if directory.fact(member, "external") and not _asks_external(formula):
        return False
    paths = {*expression.paths, *(need.path for need in expression.needs)}
    values = {path[0]: directory.fact(member, path[0]) for path in paths}
    answers = {Need("path", path): directory.follow("member", member, path) for path in paths if len(path) > 1}
    answers |= {need: directory.follow("member", member, need.path) for need in expression.needs}
    return evaluate(expression, values, World(now=ctx.now, zone=ctx.zone, answers=answers)) is True


def _asks_external(formula: str) -> bool:
    expression = rule(formula)
    return any(path[0] == "external" for path in {*expression.paths, *(need.path for need in expression.needs)})


def names_of(ctx: Context, member: UUID) -> list[str]:
    """A member's roles in apps, as `app.role`."""
    return [f"{one.app}.{one.key.role}" for one in held(ctx, member) if one.app]


# -- everybody with a role -------------------------------------------------------------------------


def condition(ctx: Context, key: Key, table: FromClause = models.member) -> ColumnElement[bool]:
    """Whether a row of the member table has the role."""
    r = models.role_member
    found: list[ColumnElement[bool]] = [false()]
    if key.installation is not None:
        listed = select(r.c.member_id).where(r.c.installation_id == key.installation, r.c.role == key.role)
        found.append(table.c.id.in_(listed))
    found.extend(_part_condition(ctx, part, table) for part in parts_of(ctx, key))
    return or_(*found)


def _part_condition(ctx: Context, part: Part, table: FromClause) -> ColumnElement[bool]:
    from runtime.sources import PersonSource

    if part.kind == "member":
        return table.c.id == part.target
    if part.kind == "department" and part.target is not None:
        return in_departments(Directory.of(ctx).below(part.target) if part.below else [part.target], table)
    if part.kind == "role":
        return condition(ctx, Key(None, str(part.target)), table)
    try:
        true_of_them = PersonSource(ctx, table, "member").sql(rule(part.formula or ""))
        insiders = true() if _asks_external(part.formula or "") else table.c.external.is_(False)
    except FormulaError:
        return false()
    return func.coalesce(true_of_them, false()) & insiders


def in_departments(units: Iterable[UUID], table: FromClause = models.member) -> ColumnElement[bool]:
    """Whether a row of the member table belongs to one of these departments."""
    d, ids = models.member_department, list(units)
    also = select(d.c.member_id).where(d.c.department_id.in_(ids))
    return or_(table.c.department_id.in_(ids), table.c.id.in_(also))


def all_keys(ctx: Context) -> list[tuple[Key, str]]:
    """Every role of an app that somebody may have, with its name `app.role`."""
    listed = select(_i.c.id, _i.c.slug, _r.c.role).join(_r, _i.c.id == _r.c.installation_id)
    given = select(_i.c.id, _i.c.slug, role_part.c.role).join(role_part, _i.c.id == role_part.c.installation_id)
    alive = _i.c.removed_at.is_(None)
    rows = ctx.conn.execute(listed.where(alive).union(given.where(alive)))
    return sorted(((Key(row.id, row.role), f"{row.slug}.{row.role}") for row in rows), key=lambda pair: pair[1])


def members(ctx: Context, key: Key) -> list[UUID]:
    """Everybody who is here and has the role, by name."""
    m = models.member
    query = select(m.c.id).where(m.c.left_at.is_(None), condition(ctx, key))
    return list(ctx.conn.scalars(query.order_by(m.c.name, m.c.id)))


def count(ctx: Context, key: Key) -> int:
    m = models.member
    return ctx.conn.scalar(select(func.count()).where(m.c.left_at.is_(None), condition(ctx, key))) or 0


# -- what gives a role -----------------------------------------------------------------------------


def parts_of(ctx: Context, key: Key) -> list[Part]:
    """What gives a role, without the list of an app's role."""
    return _all_parts(ctx).get(key, [])


def _all_parts(ctx: Context) -> dict[Key, list[Part]]:
    kept: dict[Key, list[Part]] | None = ctx.known.facts.get("role parts")
    if kept is None:
        kept, p = {}, role_part
        for row in ctx.conn.execute(select(p.c.installation_id, p.c.role, *PART).order_by(p.c.id)):
            part = Part(row.id, row.kind, row.target_id, row.below, row.formula)
            kept.setdefault(Key(row.installation_id, row.role), []).append(part)
        ctx.known.facts["role parts"] = kept
    return kept


def set_parts(ctx: Context, key: Key, parts: Iterable[Part]) -> None:
    """From now on these give the role, and nothing else does but an app's list. Raises InvalidInput."""
    wanted = list(dict.fromkeys(Part(None, p.kind, p.target, p.below, p.formula) for p in parts))
    for part in wanted:
        _refuse(part, key)
    before = [Part(None, p.kind, p.target, p.below, p.formula) for p in parts_of(ctx, key)]
    if key.installation is not None and set(before) != set(wanted):
        told = [[_noted(part) for part in side] for side in (before, wanted)]
        audit.note(ctx, "rights.role_changed", key.role, key.installation, before=told[0], after=told[1])
    p = role_part
    ctx.conn.execute(delete(p).where(p.c.installation_id.is_not_distinct_from(key.installation), p.c.role == key.role))
    for part in wanted:
        ctx.conn.execute(
            insert(p).values(
                id=new_id(), installation_id=key.installation, role=key.role, kind=part.kind, target_id=part.target,
                below=part.below, formula=part.formula,
            )
        )  # fmt: skip
    Directory.of(ctx).forget()


def _noted(part: Part) -> str:
    below = " and below" if part.below else ""
    return f"{part.kind}: {part.formula or part.target}{below}"


def put_on_list(ctx: Context, key: Key, member: UUID) -> None:
    """Name a member for a role."""
    audit.note(ctx, "rights.role_changed", key.role, key.installation, given=member)
    if key.installation is not None:
        people.give_role(ctx, key.installation, key.role, member)
    elif member not in (part.target for part in parts_of(ctx, key) if part.kind == "member"):
        values = {"installation_id": None, "role": key.role, "kind": "member", "target_id": member}
        ctx.conn.execute(insert(role_part).values(id=new_id(), **values))
        Directory.of(ctx).forget()


def off_list(ctx: Context, key: Key, member: UUID) -> None:
    """A member is named for a role no more; what else gives it to them stays."""
    audit.note(ctx, "rights.role_changed", key.role, key.installation, taken=member)
    r, p = models.role_member, role_part
    own = (r.c.installation_id == key.installation, r.c.role == key.role, r.c.member_id == member)
    ctx.conn.execute(delete(r).where(*own))
    same = (p.c.installation_id.is_not_distinct_from(key.installation), p.c.role == key.role)
    ctx.conn.execute(delete(p).where(*same, p.c.kind == "member", p.c.target_id == member))
    Directory.of(ctx).forget()


def _refuse(part: Part, key: Key) -> None:
    if part.kind not in KINDS or (part.kind == "role" and key.installation is None):
        raise InvalidInput({"": [say("This cannot give a role.")]})
    if part.kind == "formula":
        problem(part.formula or "")


def problem(formula: str) -> None:
    """Raises InvalidInput, naming the character, for a condition that cannot be used."""
    try:
        rule(formula)
    except FormulaError as err:
        words = say("{problem} (at character {n})", problem=err.message, n=err.position + 1)
        raise InvalidInput({"formula": [words]}) from err


def title_of(ctx: Context, key: Key) -> Sentence | None:
    """What a role is called, with its app; None when it is not there any more."""
    from runtime import definitions

    try:
        if key.installation is None:
            return Text.of(of_workspace(ctx, UUID(key.role)).title)
        inst = definitions.by_id(ctx, key.installation)
    except NotFound:
        return None
    role = next((r for r in inst.app.roles if r.id == key.role), None)
    title = role.title if role and role.title else key.role
    return say("{app}: {role}", app=inst.app.title or inst.slug, role=title)


def tried(ctx: Context, formula: str, most: int = 8) -> tuple[int, list[str]]:
    """Of how many a condition is true, and the first of their names. Raises InvalidInput."""
    problem(formula)
    m = models.member
    wanted = (m.c.left_at.is_(None), _part_condition(ctx, Part(None, "formula", formula=formula), m))
    count = ctx.conn.scalar(select(func.count()).select_from(m).where(*wanted)) or 0
    names = list(ctx.conn.scalars(select(m.c.name).where(*wanted).order_by(m.c.name).limit(most)))
    return count, [*names, "…"] if count > len(names) else names


def explain(ctx: Context, part: Part) -> Message:
    """In words what gives a role."""
    if part.kind == "member":
        return say("on the list")
    if part.kind == "formula":
        return say("because {formula}", formula=part.formula or "")
    if part.kind == "role":
        title = ctx.conn.scalar(select(workspace_role.c.title).where(workspace_role.c.id == part.target))
        return say("through the role {name} of the workspace", name=title or "?")
    unit = Directory.of(ctx).units.get(part.target) if part.target else None
    name = unit.name if unit else "?"
    return (
        say("by the department {name} and below", name=name)
        if part.below
        else say("by the department {name}", name=name)
    )


# -- roles of the workspace ------------------------------------------------------------------------


def all_of_workspace(ctx: Context) -> list[Any]:
    """The workspace's own roles: `id`, `title`, `section`."""
    w = workspace_role
    return list(ctx.conn.execute(select(w).order_by(w.c.section, w.c.position, w.c.title)))


def of_workspace(ctx: Context, id: UUID) -> Any:
    """Raises NotFound."""
    row = ctx.conn.execute(select(workspace_role).where(workspace_role.c.id == id)).one_or_none()
    if row is None:
        raise NotFound
    return row


def save(ctx: Context, id: UUID | None, title: str, section: str, parts: Iterable[Part]) -> UUID:
    """Make or change a role of the workspace. Raises InvalidInput."""
    w, title, section = workspace_role, " ".join(title.split()), " ".join(section.split())[:LONGEST_TITLE]
    if not title or len(title) > LONGEST_TITLE:
        raise InvalidInput({"title": [say("Give the role a name.")]})
    same = select(w.c.id).where(func.lower(w.c.title) == title.lower(), w.c.id.is_distinct_from(id))
    if ctx.conn.scalar(same):
        raise InvalidInput({"title": [say("There is a role of this name already.")]})
    if id is None:
        id = new_id()
        ctx.conn.execute(insert(w).values(id=id, title=title, section=section))
    else:
        ctx.conn.execute(update(w).where(w.c.id == id).values(title=title, section=section))
    set_parts(ctx, Key(None, str(id)), parts)
    audit.note(ctx, "rights.workspace_role_changed", title, id)
    return id


def remove(ctx: Context, id: UUID) -> None:
    """Take a role of the workspace away. Raises InvalidInput while roles of apps are given through it."""
    p = role_part
    using = ctx.conn.execute(
        select(_i.c.slug, p.c.role).join(_i, _i.c.id == p.c.installation_id).where(p.c.kind == "role", p.c.target_id == id)
    ).all()  # fmt: skip
    if using:
        names = ", ".join(f"{row.slug}: {row.role}" for row in using)
        raise InvalidInput(
            {"": [say("Roles of apps are given through it: {names}. Take it out there first.", names=names)]}
        )
    ctx.conn.execute(delete(p).where(p.c.installation_id.is_(None), p.c.role == str(id)))
    title = ctx.conn.scalar(delete(workspace_role).where(workspace_role.c.id == id).returning(workspace_role.c.title))
    audit.note(ctx, "rights.workspace_role_removed", title or "", id)
    Directory.of(ctx).forget()


def drop_targets(ctx: Context, target: UUID) -> None:
    """A department or member is gone for good: nothing is given through it any more."""
    ctx.conn.execute(delete(role_part).where(role_part.c.target_id == target))
    Directory.of(ctx).forget()


def used_roles(ctx: Context, target: UUID) -> Iterator[tuple[str, str]]:
    """(app or "", role) that are given through a department or by naming a member."""
    p, w = role_part, workspace_role
    query = select(_i.c.slug, p.c.role).join(_i, _i.c.id == p.c.installation_id, isouter=True)
    titles = {str(row.id): row.title for row in ctx.conn.execute(select(w.c.id, w.c.title))}
    for row in ctx.conn.execute(query.where(p.c.target_id == target)):
        yield row.slug or "", titles.get(row.role, row.role)
