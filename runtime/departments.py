"""The tree of departments: made, named, moved, merged, removed; and everything that stands in the way of removing one."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, func, select, update

from runtime import audit, definitions, handover, mentions, models, people, roles
from runtime.context import Context
from runtime.handover import Plan
from runtime.models_people import duty, role_part
from runtime.people import Directory, Unit
from schemas.errors import InvalidInput, NotFound
from schemas.messages import Message, say

LONGEST = 120
DEEPEST = 30


@dataclass(frozen=True)
class Branch:
    """A department with how deep it lies, how many belong to it, and to it and those below."""

    unit: Unit
    depth: int
    own: int
    whole: int


def one(ctx: Context, id: UUID) -> Unit:
    """Raises NotFound."""
    found = Directory.of(ctx).units.get(id)
    if found is None:
        raise NotFound
    return found


def tree(ctx: Context, only: set[UUID] | None = None) -> list[Branch]:
    """Every department with its depth, parents before those under them; of `only` those."""
    directory = Directory.of(ctx)
    own, whole = _counts(ctx)
    found: list[Branch] = []

    def walk(parent: UUID | None, depth: int) -> None:
        for id in directory.children.get(parent, ()):
            inside = only is None or id in only
            if inside:
                found.append(Branch(directory.units[id], depth, own[id], whole[id]))
            walk(id, depth + inside)

    walk(None, 0)
    return found


def _counts(ctx: Context) -> tuple[Counter[UUID], Counter[UUID]]:
    """How many belong to each department, and to each with those below; nobody twice."""
    m, d = models.member, models.member_department
    here = m.c.left_at.is_(None)
    mains = (
        select(m.c.department_id, func.count()).where(here, m.c.department_id.is_not(None)).group_by(m.c.department_id)
    )
    beside = select(m.c.id, m.c.department_id, d.c.department_id).join(d, d.c.member_id == m.c.id).where(here)
    directory = Directory.of(ctx)
    own, whole, more = Counter[UUID](), Counter[UUID](), dict[UUID, set[UUID]]()
    for unit, count in ctx.conn.execute(mains):
        own[unit] += count
        whole.update(dict.fromkeys(directory.above([unit]), count))
    for member, main, unit in ctx.conn.execute(beside):
        own[unit] += unit != main
        more.setdefault(member, set()).update(directory.above([unit]) - directory.above([main]))
    for units in more.values():
        whole.update(units)
    return own, whole


def add(ctx: Context, name: str, parent: str) -> UUID:
    """Raises InvalidInput."""
    known = {str(u): u for u in Directory.of(ctx).units}
    if parent and parent not in known:
        raise InvalidInput({"parent": [say("There is no such department.")]})
    id = people.add_department(ctx, _named(ctx, name, known.get(parent)), known.get(parent))
    audit.note(ctx, "member.department_added", name.strip(), id)
    return id


def _named(ctx: Context, name: str, parent: UUID | None, but: UUID | None = None) -> str:
    name = " ".join(name.split())
    if not name or len(name) > LONGEST:
        raise InvalidInput({"name": [say("Give the department a name.")]})
    directory = Directory.of(ctx)
    beside = (directory.units[id] for id in directory.children.get(parent, ()) if id != but)
    if any(unit.name.casefold() == name.casefold() for unit in beside):
        raise InvalidInput({"name": [say("There is a department {name} beside it already.", name=name)]})
    return name


def change(ctx: Context, id: UUID, name: str, head: UUID | None) -> None:
    """Its name and its head. Raises NotFound, InvalidInput."""
    unit, d = one(ctx, id), models.department
    values = {"name": _named(ctx, name, unit.parent, id), "head_id": head}
    ctx.conn.execute(update(d).where(d.c.id == id).values(values))
    audit.note(ctx, "member.department_changed", unit.name, id, name=values["name"], head=head)
    Directory.of(ctx).forget()


def move(ctx: Context, id: UUID, parent: UUID | None, position: int) -> None:
    """Put a department under another one (None: at the top), as the n-th there, with all below it.

    Raises NotFound, and InvalidInput for a place below itself or one where its name is taken.
    """
    directory = Directory.of(ctx)
    unit = one(ctx, id)
    if parent is not None:
        one(ctx, parent)
        if parent in directory.below(id):
            raise InvalidInput({"parent": [say("A department cannot be part of itself.")]})
        if len(directory.above([parent])) >= DEEPEST:
            raise InvalidInput({"parent": [say("Departments can lie {n} deep at most.", n=DEEPEST)]})
    _named(ctx, unit.name, parent, id)
    beside = [other for other in directory.children.get(parent, ()) if other != id]
    beside.insert(max(0, min(position, len(beside))), id)
    d = models.department
    ctx.conn.execute(update(d).where(d.c.id == id).values(parent_id=parent))
    audit.note(ctx, "member.department_changed", unit.name, id, under=parent)
    for place, other in enumerate(beside):
        ctx.conn.execute(update(d).where(d.c.id == other).values(position=place))
    directory.forget()


# -- taking one away -------------------------------------------------------------------------------


def uses(ctx: Context, id: UUID) -> list[Message]:
    """Everything for which a department is needed, in words."""
    return list(_uses(ctx, id))


def _uses(ctx: Context, id: UUID) -> Iterator[Message]:
    directory = Directory.of(ctx)
    for child in directory.children.get(id, ()):
        yield say("The department {name} lies below it.", name=directory.units[child].name)
    if count := _members(ctx, id):
        yield say("{n} members belong to it.", n=count)
    for inst in definitions.all_installed(ctx):
        targets = definitions.slots(ctx, inst)
        for slot in inst.app.slots:
            if targets.get(slot.id) == id:
                app = inst.app.title or inst.slug
                yield say("It is the post {slot} in the app {app}.", slot=slot.title or slot.id, app=app)
    for app, role in roles.used_roles(ctx, id):
        yield say("It gives the role {role}.", role=f"{app}: {role}" if app else role)
    if ctx.conn.scalar(select(duty.c.id).where(duty.c.kind == "department", duty.c.target_id == id).limit(1)):
        yield say("It has administrators of its own.")
    for mention in mentions.all_fields(ctx, "department"):
        if count := mentions.count(ctx, mention, id):
            app, table, label = mention.titles
            yield say("{n} records of {table} ({app}) name it as {field}.", n=count, table=table, app=app, field=label)


def _members(ctx: Context, id: UUID) -> int:
    m = models.member
    everybody = roles.in_departments([id])
    return ctx.conn.scalar(select(func.count()).select_from(m).where(everybody, m.c.left_at.is_(None))) or 0


def remove(ctx: Context, id: UUID) -> None:
    """Raises NotFound, and InvalidInput with every use while it is in use."""
    name = one(ctx, id).name
    if found := uses(ctx, id):
        raise InvalidInput({"": [say("This department is in use and cannot be removed."), *found]})
    _drop(ctx, id)
    audit.note(ctx, "member.department_removed", name, id)


def _drop(ctx: Context, id: UUID) -> None:
    m, d, md = models.member, models.department, models.member_department
    ctx.conn.execute(update(m).where(m.c.department_id == id).values(department_id=None))
    ctx.conn.execute(delete(md).where(md.c.department_id == id))
    ctx.conn.execute(delete(d).where(d.c.id == id))
    Directory.of(ctx).forget()


def merge(ctx: Context, id: UUID, into: UUID) -> UUID:
    """All that belongs to a department belongs to another one from now on; gives the run that takes the records along.

    Members, those below, posts, roles and administrators move at once; the records as in a hand-over. Raises NotFound,
    InvalidInput.
    """
    directory = Directory.of(ctx)
    name, other = one(ctx, id).name, one(ctx, into).name
    if into in directory.below(id):
        raise InvalidInput({"into": [say("Choose a department that does not lie below it.")]})
    for child in list(directory.children.get(id, ())):
        _named(ctx, directory.units[child].name, into)
    _take_over(ctx, id, into)
    fields = {f"records:{m.key}": into for m in mentions.all_fields(ctx, "department") if mentions.count(ctx, m, id)}
    run = handover.begin(ctx, id, Plan(fields), kind="department")
    _drop(ctx, id)
    audit.note(ctx, "member.department_merged", name, id, into=other, into_id=into)
    return run


def _take_over(ctx: Context, id: UUID, into: UUID) -> None:
    m, d, md, s = models.member, models.department, models.member_department, models.slot
    ctx.conn.execute(update(d).where(d.c.parent_id == id).values(parent_id=into))
    ctx.conn.execute(update(m).where(m.c.department_id == id).values(department_id=into))
    there = select(md.c.member_id).where(md.c.department_id == into)
    main = select(m.c.id).where(m.c.department_id == into)
    ctx.conn.execute(delete(md).where(md.c.department_id == id, md.c.member_id.in_(there.union(main))))
    ctx.conn.execute(update(md).where(md.c.department_id == id).values(department_id=into))
    ctx.conn.execute(delete(md).where(md.c.department_id == into, md.c.member_id.in_(main)))
    ctx.conn.execute(update(s).where(s.c.target_id == id).values(target_id=into))
    ctx.conn.execute(update(role_part).where(role_part.c.target_id == id).values(target_id=into))
    had = select(duty.c.member_id).where(duty.c.kind == "department", duty.c.target_id == into)
    own = (duty.c.kind == "department", duty.c.target_id == id)
    ctx.conn.execute(delete(duty).where(*own, duty.c.member_id.in_(had)))
    ctx.conn.execute(update(duty).where(*own).values(target_id=into))
    Directory.of(ctx).forget()
