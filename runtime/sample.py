"""Sample data: written through the ordinary writer, so that every rule holds, and taken away again in one go.

A folder holds `sample.json` (people, and the order of the tables) and one file of records per table. In a
record `"@key"` names another record, a member or a department of the sample, and days are counted from today.
A record's own `@key` is what others call it; `@form` and `@as` send it through that form as that member.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from runtime import accounts, definitions, models, people, records, tables
from runtime.context import Context
from runtime.definitions import Installed
from runtime.ids import new_id
from runtime.tables import LiveTable
from schemas import filling
from schemas.errors import BadValue, DefinitionError, InvalidInput, Problem
from schemas.fields import Field
from schemas.fields.link import Link
from schemas.fields.rows import Rows
from schemas.messages import Message, say
from schemas.options import load
from schemas.sample import Sample, SampleDepartment, SampleMember, day_of
from schemas.source import read_json
from schemas.table import Table

ORIGIN = "sample"
"""What history says these records were made through."""

INDEX = "sample.json"
BATCH = 200


@dataclass(frozen=True)
class Login:
    """A sample member who can sign in."""

    name: str
    title: str
    email: str
    password: str


@dataclass
class Keys:
    """What each `@key` stands for, and how many records were made of each table."""

    members: dict[str, UUID] = field(default_factory=dict)
    departments: dict[str, UUID] = field(default_factory=dict)
    records: dict[str, dict[str, UUID]] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)


Files = Path | Mapping[str, Any]
"""A folder of sample data, or what its files hold by their names."""


def logins(folder: Files) -> list[Login]:
    """Who of the sample can sign in. Raises DefinitionError when the folder holds no sample."""
    found = index_of(folder).members
    return [Login(m.name, m.title or "", m.email, m.password) for m in found if m.password]


def install_sample(ctx: Context, slug: str, folder: Files, guests: bool = False) -> Keys | None:
    """Write the sample of an app. When it is there already, nothing is done and None given.

    As `guests` its people cannot sign in, administer nothing, and take no post that somebody has already.
    Raises NotFound, DefinitionError when the files cannot be read, InvalidInput when a record breaks a rule.
    """
    inst = definitions.installed(ctx, slug)
    if written(ctx, inst.id):
        return None
    ctx = replace(ctx, origin=ORIGIN)
    sample = _tamed(ctx, inst, index_of(folder)) if guests else index_of(folder)
    keys = _settle(ctx, inst, sample)
    files = {table: entries_of(folder, table) for table in sample.tables}
    for table, entries in files.items():
        keys.records[table] = {entry["@key"]: new_id() for entry in entries if "@key" in entry}
    for table, entries in files.items():
        _write(ctx, tables.live(ctx, inst, table), entries, keys)
    keys.numbers = {table: len(entries) for table, entries in files.items()}
    return keys


def remove_sample(ctx: Context, slug: str) -> dict[str, int]:
    """Put the sample's records into the trash; gives their number by table.

    Sample members leave, except administrators. Records that other people's records still point to are kept.
    """
    inst = definitions.installed(ctx, slug)
    ctx = replace(ctx, origin=ORIGIN)
    found = written(ctx, inst.id)
    removed: dict[str, int] = {}
    for table, ids in reversed(found.items()):
        removed[table] = _trash(ctx, tables.live(ctx, inst, table), ids)
    if not any(written(ctx, other.id) for other in definitions.all_installed(ctx) if other.id != inst.id):
        _dismiss(ctx)
    return removed


def written(ctx: Context, installation: UUID) -> dict[str, list[UUID]]:
    """The records that the sample has made and not taken away since, by table in the order of writing."""
    h = models.history
    query = select(h.c.table_id, h.c.record_id, h.c.action).where(h.c.installation_id == installation)
    found: dict[str, dict[UUID, None]] = {}
    for row in ctx.conn.execute(query.where(h.c.origin == ORIGIN).order_by(h.c.id)):
        if row.action == "create":
            found.setdefault(row.table_id, {})[row.record_id] = None
        elif row.action == "delete":
            found.get(row.table_id, {}).pop(row.record_id, None)
    return {table: list(ids) for table, ids in found.items() if ids}


def _tamed(ctx: Context, inst: Installed, sample: Sample) -> Sample:
    """The sample with people who bring no rights of their own into a workspace that is in use."""
    taken = definitions.slots(ctx, inst)
    members = (
        replace(m, password=None, admin=False, slots=tuple(s for s in m.slots if s not in taken))
        for m in sample.members
    )
    return replace(sample, members=tuple(members))


# -- files -----------------------------------------------------------------------------------------


def index_of(folder: Files) -> Sample:
    """Who there is in a sample, and its tables. Raises DefinitionError."""
    return load(Sample, _read(folder, INDEX), INDEX)


def entries_of(folder: Files, table: str) -> list[dict[str, Any]]:
    """The records of a table in a sample. Raises DefinitionError."""
    name = f"{table}.json"
    entries = _read(folder, name)
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise DefinitionError([Problem(name, say("expected a list of records"))])
    return entries


def _read(folder: Files, name: str) -> Any:
    try:
        if not isinstance(folder, Path):
            return folder[name]
        return read_json((folder / name).read_bytes(), say("this is not JSON that can be read"))
    except (OSError, KeyError):
        raise DefinitionError([Problem(name, say("the file is missing"))]) from None
    except BadValue as err:
        raise DefinitionError([Problem(name, err.message)]) from None


# -- people ----------------------------------------------------------------------------------------


def _settle(ctx: Context, inst: Installed, sample: Sample) -> Keys:
    """The sample's departments and members, made or found again, with their roles and slots."""
    keys = Keys()
    for unit in sample.departments:
        keys.departments[unit.key] = _department(ctx, unit, keys)
    for member in sample.members:
        id = _member(ctx, member, keys)
        keys.members[member.key] = id
        for role in member.roles:
            people.give_role(ctx, inst.id, role, id)
        for slot in member.slots:
            people.assign_slot(ctx, inst.id, slot, id)
    for unit in sample.departments:
        if unit.head:
            head = _known(keys.members, unit.head, INDEX)
            people.set_head(ctx, keys.departments[unit.key], head)
    return keys


def _department(ctx: Context, unit: SampleDepartment, keys: Keys) -> UUID:
    parent = _known(keys.departments, unit.parent, INDEX) if unit.parent else None
    d = models.department
    same = (d.c.name == unit.name, d.c.parent_id.is_not_distinct_from(parent))
    found = ctx.conn.scalar(select(d.c.id).where(*same).limit(1))
    return found or people.add_department(ctx, unit.name, parent, sample=True)


def _member(ctx: Context, member: SampleMember, keys: Keys) -> UUID:
    """The member with this e-mail address, who comes back if they had left."""
    department = _known(keys.departments, member.department, INDEX) if member.department else None
    m = models.member
    facts = {"phone": member.phone, "title": member.title, "department_id": department}
    found = ctx.conn.execute(select(m.c.id, m.c.sample).where(m.c.email == member.email)).first()
    if found and found.sample:
        ctx.conn.execute(update(m).where(m.c.id == found.id).values(left_at=None, **facts))
    id = found.id if found else people.add_member(
        ctx, member.name, email=member.email, admin=member.admin, sample=True, **facts
    )  # fmt: skip
    if member.password:
        _open_account(ctx, id, member, member.password)
    return id


def _open_account(ctx: Context, id: UUID, member: SampleMember, password: str) -> None:
    """An account already known by this address keeps its password."""
    m, a, joined = models.member, models.account, models.membership
    account = accounts.find_account(ctx.conn, member.email)
    if account is None:
        account = accounts.add_account(ctx.conn, member.email, member.name, password)
    ctx.conn.execute(update(a).where(a.c.id == account).values(disabled_at=None))
    here = (joined.c.account_id == account, joined.c.workspace_id == ctx.workspace.id)
    if ctx.conn.scalar(select(joined.c.account_id).where(*here)) is None:
        accounts.join(ctx.conn, account, ctx.workspace.id)
    ctx.conn.execute(update(m).where(m.c.id == id, m.c.account_id.is_(None)).values(account_id=account))


def _dismiss(ctx: Context) -> None:
    """Sample members leave, and can no longer sign in; whoever administers the workspace stays."""
    m = models.member
    leaving = (m.c.sample, m.c.admin.is_(False), m.c.left_at.is_(None))
    left = update(m).where(*leaving).values(left_at=ctx.now).returning(m.c.account_id)
    gone = [id for id in ctx.conn.scalars(left) if id]
    j = models.membership
    ctx.conn.execute(j.delete().where(j.c.account_id.in_(gone), j.c.workspace_id == ctx.workspace.id))


# -- records ---------------------------------------------------------------------------------------


def _write(ctx: Context, live: LiveTable, entries: Sequence[Mapping[str, Any]], keys: Keys) -> None:
    """The records of one table in the order of the file; those with `@form` are sent through it."""
    for form, group in groupby(entries, key=lambda e: e.get("@form")):
        batch = list(group)
        if form is not None:
            for entry in batch:
                _submit(ctx, live, str(form), entry, keys)
            continue
        for start in range(0, len(batch), BATCH):
            _create(ctx, live, batch[start : start + BATCH], keys)


def _create(ctx: Context, live: LiveTable, entries: Sequence[Mapping[str, Any]], keys: Keys) -> None:
    own = keys.records[live.id]
    ids = [own.get(entry.get("@key", "")) or new_id() for entry in entries]
    values = [_parsed(ctx, live, entry, keys) for entry in entries]
    drafts = records.create_many(ctx, live, values, ids=ids)
    for entry, draft in zip(entries, drafts, strict=True):
        _refuse(live, entry, draft.errors)


def _submit(ctx: Context, live: LiveTable, form: str, entry: Mapping[str, Any], keys: Keys) -> None:
    """Send a record through a form in a member's name, so that flows begin as they would for them."""
    from runtime import submit

    member = people.member_by_id(ctx, _known(keys.members, str(entry.get("@as", "")), live.id))
    found = live.inst.app.all_forms.get(form)
    if found is None:
        raise _broken(live.id, entry, say("there is no form '{form}'", form=form))
    answers = _plain(answers_of(ctx, live, entry, keys))
    acting = ctx.acting_as(member, ORIGIN)
    try:
        id = submit.submit(acting, live, submit.Sent(found, answers))
    except InvalidInput as err:
        _refuse(live, entry, err.errors)
    keys.records[live.id][entry.get("@key", "")] = id


def _parsed(ctx: Context, live: LiveTable, entry: Mapping[str, Any], keys: Keys) -> filling.Values:
    values, errors = filling.parse(live.table, answers_of(ctx, live, entry, keys), ctx.zone)
    _refuse(live, entry, errors)
    return values


def answers_of(ctx: Context, live: LiveTable, entry: Mapping[str, Any], keys: Keys) -> dict[str, Any]:
    """An entry's values with keys and relative days resolved. Raises DefinitionError for an unknown one."""
    return resolved(ctx.today, live.table, entry, keys)


def resolved(today: date, table: Table, entry: Mapping[str, Any], keys: Keys) -> dict[str, Any]:
    """An entry's values with keys and relative days resolved. Raises DefinitionError for an unknown one."""
    answers: dict[str, Any] = {}
    for id, given in entry.items():
        found = table.by_id.get(id)
        if id.startswith("@"):
            continue
        if found is None or found.computed:
            raise _broken(table.id, entry, say("'{id}' is not a field that can be filled in", id=id))
        if isinstance(found, Rows):
            answers[id] = [dict(_cells(today, found, row, keys, table.id)) for row in given]
        else:
            answers[id] = _resolved(today, found, given, keys, table.id)
    return answers


def _cells(today: date, rows: Rows, row: Mapping[str, Any], keys: Keys, where: str) -> Iterator[tuple[str, Any]]:
    for id, given in row.items():
        column = rows.column(id)
        if column is None or column.computed:
            path = f"{rows.id}.{id}"
            raise _broken(where, row, say("'{id}' is not a field that can be filled in", id=path))
        yield id, _resolved(today, column, given, keys, where)


def _resolved(today: date, found: Field, given: Any, keys: Keys, where: str) -> Any:
    if isinstance(given, list) and found.several:
        return [_resolved(today, found, one, keys, where) for one in given]
    if isinstance(given, Mapping):
        try:
            return day_of(given, today)
        except BadValue as err:
            raise DefinitionError([Problem(f"{where}.json", err.message)]) from None
    if isinstance(given, str) and given.startswith("@"):
        kind = found.value_type()
        known = {"member": keys.members, "department": keys.departments}.get((kind.of or kind).kind)
        if known is None and isinstance(found, Link):
            known = keys.records.get(found.table, {})
        return given if known is None else _known(known, given[1:], where)
    return given


def _plain(value: Any) -> Any:
    """A value as a browser would send it."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {id: _plain(cell) for id, cell in value.items()}
    return str(value) if isinstance(value, UUID) else value


def _known(known: Mapping[str, UUID], key: str, where: str) -> UUID:
    if key.removeprefix("@") not in known:
        raise DefinitionError([Problem(where, say("there is no '{key}' in the sample", key=key[:60]))])
    return known[key.removeprefix("@")]


def _broken(table: str, entry: Mapping[str, Any], message: Message) -> DefinitionError:
    return DefinitionError([Problem(f"{table}.json: {entry.get('@key', '')}".rstrip(": "), message)])


def _refuse(live: LiveTable, entry: Mapping[str, Any], errors: Mapping[str, Iterable[Any]]) -> None:
    """Raises InvalidInput whose paths name the record too."""
    if errors:
        key = f"{live.id}/{entry.get('@key', '')}"
        raise InvalidInput({f"{key}.{path}": list(messages) for path, messages in errors.items()})


def _trash(ctx: Context, live: LiveTable, ids: Sequence[UUID]) -> int:
    """Trash records at once, or one by one where some are still needed; gives how many went."""
    try:
        with ctx.conn.begin_nested():
            return len(records.trash(ctx, live, ids))
    except InvalidInput:
        if len(ids) == 1:
            return 0
        return sum(_trash(ctx, live, [id]) for id in ids)
