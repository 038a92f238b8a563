"""Members and departments: their names, and the facts that formulas may ask of them."""

from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Uuid,
    any_,
    bindparam,
    delete,
    exists,
    false,
    func,
    insert,
    literal,
    or_,
    select,
    true,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert

from runtime import audit, models
from runtime.actors import Member
from runtime.context import Context
from runtime.ids import new_id
from schemas.errors import InvalidInput, NotFound
from schemas.formats import FORMATS

MOST_SUGGESTED = 30


_other = models.department.alias()
_namesake = exists().where(
    func.lower(_other.c.name) == func.lower(models.department.c.name), _other.c.id != models.department.c.id
)
NAMES = union_all(
    *(
        select(people.c.id, people.c.name, namesake.label("namesake")).where(
            people.c.id.in_(bindparam("ids", expanding=True))
        )
        for people, namesake in ((models.department, _namesake), (models.member, false()))
    )
)
"""Names of members and departments, and whether another department is called the same."""


@dataclass(frozen=True)
class Person:
    """A member as others see them."""

    id: UUID
    name: str
    email: str | None
    phone: str | None
    title: str | None
    department: UUID | None
    departments: tuple[UUID, ...]
    admin: bool
    external: bool = False
    company: str | None = None
    avatar: UUID | None = None
    left: bool = False


@dataclass(frozen=True)
class Unit:
    """A department."""

    id: UUID
    name: str
    parent: UUID | None
    head: UUID | None


class Directory:
    """The people of a workspace, read when first asked for in a transaction."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx

    @classmethod
    def of(cls, ctx: Context) -> "Directory":
        return cls(ctx)

    @property
    def units(self) -> dict[UUID, Unit]:
        facts = self._ctx.known.facts
        if Unit not in facts:
            d = models.department
            rows = self._ctx.conn.execute(
                select(d.c.id, d.c.name, d.c.parent_id, d.c.head_id).order_by(d.c.position, d.c.name)
            )
            facts[Unit] = {row.id: Unit(row.id, row.name, row.parent_id, row.head_id) for row in rows}
        return facts[Unit]  # type: ignore[no-any-return]

    @property
    def children(self) -> dict[UUID | None, list[UUID]]:
        """The departments directly below each."""
        facts, key = self._ctx.known.facts, (Unit, "below")
        if key not in facts:
            found: dict[UUID | None, list[UUID]] = {}
            for unit in self.units.values():
                found.setdefault(unit.parent, []).append(unit.id)
            facts[key] = found
        return facts[key]  # type: ignore[no-any-return]

    def roles_of(self, id: UUID) -> list[str]:
        """A member's roles as `app.role`, whatever gives them."""
        from runtime import roles

        return roles.names_of(self._ctx, id)

    def person(self, id: UUID | None) -> Person | None:
        return self.persons([id]).get(id) if id else None

    def persons(self, ids: Iterable[UUID | None]) -> dict[UUID, Person]:
        known: dict[UUID, Person] = self._ctx.known.facts.setdefault(Person, {})
        ids = [id for id in ids if id]
        missing = set(ids) - set(known)
        if missing:
            m, d = models.member, models.member_department
            more: dict[UUID, list[UUID]] = {}
            for row in self._ctx.conn.execute(select(d).where(d.c.member_id.in_(missing))):
                more.setdefault(row.member_id, []).append(row.department_id)
            for row in self._ctx.conn.execute(select(m).where(m.c.id.in_(missing))):
                departments = dict.fromkeys(
                    [*([row.department_id] if row.department_id else []), *more.get(row.id, [])]
                )
                known[row.id] = Person(
                    row.id, row.name, row.email, row.phone, row.title, row.department_id, tuple(departments), row.admin,
                    row.external, row.company, row.avatar, row.left_at is not None,
                )  # fmt: skip
        return {id: known[id] for id in ids if id in known}

    def head_of(self, id: UUID | None) -> UUID | None:
        """The member's superior: the head of their department, or of the nearest one above if that is themselves."""
        person = self.person(id)
        return self.head_above(person.department, id) if person else None

    def head_above(self, department: UUID | None, below: UUID | None = None) -> UUID | None:
        seen: set[UUID] = set()
        while department and department not in seen:
            seen.add(department)
            unit = self.units.get(department)
            if unit is None:
                return None
            if unit.head and unit.head != below:
                return unit.head
            department = unit.parent
        return None

    def below(self, department: UUID) -> list[UUID]:
        """A department and all those under it."""
        found = {department: None}
        waiting = [department]
        while waiting:
            more = [id for id in self.children.get(waiting.pop(), ()) if id not in found]
            found.update(dict.fromkeys(more))
            waiting.extend(more)
        return list(found)

    def above(self, departments: Iterable[UUID | None]) -> set[UUID]:
        """These departments and all those over them."""
        found: set[UUID] = set()
        for id in departments:
            while id and id not in found:
                found.add(id)
                id = self.units[id].parent if id in self.units else None
        return found

    def headed_by(self, id: UUID | None) -> list[UUID]:
        """The departments that a member heads, with all those under them."""
        own = [u.id for u in self.units.values() if u.head == id]
        return list(dict.fromkeys(d for unit in own for d in self.below(unit)))

    def fact(self, id: UUID | None, name: str) -> Any:
        """What a formula gets for `member.name`, `member.department` and so on."""
        if name == "roles" and id:
            return self.roles_of(id)
        person = self.person(id)
        if person is None:
            return [] if name in ("departments", "roles", "headed_departments") else None
        if name == "head":
            return self.head_of(id)
        if name == "headed_departments":
            return self.headed_by(id)
        value = getattr(person, name)
        return list(value) if isinstance(value, tuple) else value

    def follow(self, kind: str, value: Any, path: Iterable[str]) -> Any:
        """A fact of a member or department, and facts of that; of a list what each gives."""
        for name in path:
            if isinstance(value, list):
                return [self.follow("department", item, (name,)) for item in value]
            value = self.fact(value, name) if kind == "member" else self.department_fact(value, name)
            kind = "member" if name == "head" else "department"
        return value

    def department_fact(self, id: UUID | None, name: str) -> Any:
        unit = self.units.get(id) if id else None
        return getattr(unit, name) if unit else None

    def names(self, ids: Iterable[UUID | None]) -> dict[UUID, str]:
        """Names of members and departments; a department of which there are namesakes by its whole path."""
        known: dict[UUID, str] = self._ctx.known.facts.setdefault("names", {})
        wanted = {id for id in ids if id}
        if missing := wanted - known.keys():
            found = self._ctx.conn.execute(NAMES, {"ids": list(missing)})
            known.update({row.id: self.title(row.id) if row.namesake else row.name for row in found})
        return {id: known[id] for id in wanted if id in known}

    def _has_namesakes(self, unit: Unit) -> bool:
        facts, key = self._ctx.known.facts, (Unit, "names")
        if key not in facts:
            facts[key] = Counter(one.name.lower() for one in self.units.values())
        return bool(facts[key][unit.name.lower()] > 1)

    def title(self, department: UUID) -> str:
        """What tells a department from all others: its name, or its whole path where others are called the same."""
        unit = self.units.get(department)
        if unit is None:
            return ""
        return self.path(department) if self._has_namesakes(unit) else unit.name

    def path(self, department: UUID) -> str:
        """The names from the top down to a department."""
        names: list[str] = []
        id: UUID | None = department
        while id and (unit := self.units.get(id)) and len(names) < len(self.units):
            names.insert(0, unit.name)
            id = unit.parent
        return " / ".join(names)

    def offered_units(self) -> list[Unit]:
        """The departments that the actor may choose from: none for a contact outside."""
        actor = self._ctx.actor
        return [] if isinstance(actor, Member) and actor.external else list(self.units.values())

    def seen(self) -> ColumnElement[bool]:
        """Which rows of the member table the actor may choose from: a contact outside meets nobody but themselves."""
        m, actor = models.member, self._ctx.actor
        return m.c.id == actor.id if isinstance(actor, Member) and actor.external else true()

    def known(self, ids: Iterable[UUID]) -> set[UUID]:
        """Those of these members whom the actor may choose."""
        actor, there = self._ctx.actor, set(self.persons(ids))
        return there & {actor.id} if isinstance(actor, Member) and actor.external else there

    def search(self, text: str = "", limit: int = MOST_SUGGESTED, among: Iterable[UUID] | None = None) -> list[Person]:
        """Members whose name or e-mail contains the text, of `among` if given, whom the actor may choose."""
        m = models.member
        query = select(m.c.id).where(m.c.left_at.is_(None), self.seen()).order_by(m.c.name, m.c.id).limit(limit)
        if among is not None:
            query = query.where(m.c.id == any_(literal(list(among), ARRAY(Uuid()))))
        if text:
            query = query.where(
                or_(m.c.name.icontains(text, autoescape=True), m.c.email.icontains(text, autoescape=True))
            )
        ids = list(self._ctx.conn.scalars(query))
        people = self.persons(ids)
        return [people[id] for id in ids]

    def members_of(self, department: UUID) -> list[UUID]:
        m, d = models.member, models.member_department
        also = select(d.c.member_id).where(d.c.department_id == department)
        query = select(m.c.id).where(m.c.left_at.is_(None), or_(m.c.department_id == department, m.c.id.in_(also)))
        return list(self._ctx.conn.scalars(query.order_by(m.c.name)))

    def with_role(self, installation: UUID, role: str) -> list[UUID]:
        """Everybody who has the role, whatever gives it to them."""
        from runtime import roles

        return roles.members(self._ctx, roles.Key(installation, role))

    def on_list(self, installation: UUID, role: str) -> list[UUID]:
        """The members whom the role's list names."""
        r, m = models.role_member, models.member
        query = select(r.c.member_id).join(m, m.c.id == r.c.member_id)
        query = query.where(r.c.installation_id == installation, r.c.role == role, m.c.left_at.is_(None))
        return list(self._ctx.conn.scalars(query.order_by(m.c.name)))

    def forget(self) -> None:
        """After a change of people in this transaction."""
        self._ctx.known.leave()
        self._ctx.memo.pop("roles held", None)


def here(ctx: Context, ids: Iterable[str]) -> list[UUID]:
    """Those ids that are of members who are here, in their order."""
    m = models.member
    wanted: dict[UUID, None] = {}
    for text in ids:
        with suppress(ValueError):
            wanted[UUID(text)] = None
    query = select(m.c.id).where(m.c.id == any_(literal(list(wanted), ARRAY(Uuid()))), m.c.left_at.is_(None))
    found = set(ctx.conn.scalars(query)) if wanted else set()
    return [id for id in wanted if id in found]


def member_of(ctx: Context, account_id: UUID) -> Member:
    """The actor that an account is in this workspace. Raises NotFound."""
    facts, key, m = ctx.known.facts, ("account", account_id), models.member
    if key not in facts:
        row = ctx.conn.execute(select(m).where(m.c.account_id == account_id, m.c.left_at.is_(None))).one_or_none()
        if row is None:
            raise NotFound
        facts[key] = _actor(row)
    return facts[key]  # type: ignore[no-any-return]


def member_by_id(ctx: Context, id: UUID) -> Member:
    m = models.member
    row = ctx.conn.execute(select(m).where(m.c.id == id, m.c.left_at.is_(None))).one_or_none()
    if row is None:
        raise NotFound
    return _actor(row)


def _actor(row: Any) -> Member:
    return Member(id=row.id, name=row.name, account_id=row.account_id, admin=row.admin, external=row.external)


def add_member(ctx: Context, name: str, **facts: Any) -> UUID:
    """A new member; `facts` are columns of the member table."""
    id = new_id()
    ctx.conn.execute(insert(models.member).values(id=id, name=name, **facts))
    Directory.of(ctx).forget()
    return id


def add_department(ctx: Context, name: str, parent: UUID | None = None, **facts: Any) -> UUID:
    id = new_id()
    position = ctx.conn.scalar(select(func.count()).select_from(models.department))
    ctx.conn.execute(insert(models.department).values(id=id, name=name, parent_id=parent, position=position, **facts))
    Directory.of(ctx).forget()
    return id


def set_head(ctx: Context, department: UUID, head: UUID | None) -> None:
    d = models.department
    ctx.conn.execute(update(d).where(d.c.id == department).values(head_id=head))
    Directory.of(ctx).forget()


def give_role(ctx: Context, installation: UUID, role: str, member: UUID) -> None:
    values = {"installation_id": installation, "role": role, "member_id": member}
    ctx.conn.execute(upsert(models.role_member).values(values).on_conflict_do_nothing())
    Directory.of(ctx).forget()


def set_role(ctx: Context, installation: UUID, role: str, members: Iterable[UUID]) -> None:
    """These members have the role, and nobody else."""
    r = models.role_member
    members, before = list(members), Directory.of(ctx).on_list(installation, role)
    if set(members) != set(before):
        audit.note(ctx, "rights.role_changed", role, installation, before=before, after=members)
    ctx.conn.execute(delete(r).where(r.c.installation_id == installation, r.c.role == role))
    for member in members:
        give_role(ctx, installation, role, member)
    Directory.of(ctx).forget()


def clear_slot(ctx: Context, installation: UUID, slot: str) -> None:
    s = models.slot
    ctx.conn.execute(delete(s).where(s.c.installation_id == installation, s.c.slot == slot))


def assign_slot(ctx: Context, installation: UUID, slot: str, target: UUID) -> None:
    s = models.slot
    values = {"installation_id": installation, "slot": slot, "target_id": target}
    statement = upsert(s).values(values)
    ctx.conn.execute(
        statement.on_conflict_do_update(index_elements=[s.c.installation_id, s.c.slot], set_={"target_id": target})
    )


def describe_self(ctx: Context, name: str, phone: str) -> None:
    """What a member says of themselves here: their name and phone. Raises InvalidInput."""
    name, phone = " ".join(name.split()), " ".join(phone.split())
    if phone and (wrong := FORMATS["phone"].problem(phone)):
        raise InvalidInput({"phone": [wrong]})
    m = models.member
    ctx.conn.execute(update(m).where(m.c.id == ctx.actor.id).values(name=name[:120], phone=phone[:120] or None))
    Directory.of(ctx).forget()
