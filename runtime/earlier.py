"""Records in the form that they were made with: the revision of their last submission, and fields that are gone since."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import cast, func, select
from sqlalchemy.dialects.postgresql import JSONB, JSONPATH

from runtime import definitions, models
from runtime.access import door
from runtime.context import Context
from runtime.definitions import Installed
from runtime.query import Record, fetch
from runtime.tables import LiveTable, live
from schemas import table as definition
from schemas.access import SEES
from schemas.errors import DefinitionError, NotFound
from schemas.fields import Field, Reader
from schemas.fields.rows import Rows
from schemas.fields.text import TextField
from schemas.form import Form
from schemas.options import load

SUBMITTING = ("member", "token", "link", "import")
"""By whom a record is submitted; what flows and the system write later changes no form."""


def definition_of(ctx: Context, table: LiveTable, record: UUID) -> Installed:
    """The app as it was published when the record was last submitted; as it is now where that cannot be told."""
    number = revision_of(ctx, table, record)
    try:
        return definitions.at_revision(ctx, table.inst, number) if number else table.inst
    except (NotFound, DefinitionError):
        return table.inst


def revision_of(ctx: Context, table: LiveTable, record: UUID) -> int | None:
    """The revision under which a record was last submitted, else the one under which it came to be."""
    h, r = models.history.c, models.revision.c
    newest = select(func.max(r.number)).where(r.installation_id == table.inst.id, r.published_at <= h.at)
    query = (
        select(func.coalesce(h.revision, newest.scalar_subquery()))
        .where(h.record_id == record, h.table_id == table.id, h.action.in_(("create", "update")))
        .order_by(h.actor_kind.in_(SUBMITTING).desc(), h.version.desc(), h.at.desc())
    )
    number: int | None = ctx.conn.scalar(query.limit(1))
    return number


def offered(ctx: Context, table: LiveTable, record: UUID) -> bool:
    """Whether the record was last submitted with another form, or other fields, than there are now."""
    number = revision_of(ctx, table, record)
    return number is not None and differs(ctx, table, number)


_alike: dict[tuple[UUID, int, int, str], bool] = {}


def differs(ctx: Context, table: LiveTable, number: int) -> bool:
    """Whether a revision has this table, or a form of it, otherwise than it is now."""
    key = (table.inst.id, number, table.inst.revision, table.id)
    if key not in _alike:
        if len(_alike) > 10_000:
            _alike.clear()
        _alike[key] = number == table.inst.revision or len(set(_definitions(ctx, table, key[1:3]))) < 2
    return not _alike[key]


def _definitions(ctx: Context, table: LiveTable, numbers: Collection[int]) -> list[tuple[str, str]]:
    """The table and its forms as these revisions have them."""
    r = models.revision.c
    parts = (_found(path, t=table.id) for path in ("$.tables[*] ? (@.id == $t)", "$.forms[*] ? (@.table == $t)"))
    query = select(*parts).where(r.installation_id == table.inst.id, r.number.in_(numbers))
    return [(str(row[0]), str(row[1])) for row in ctx.conn.execute(query)]


def _found(path: str, **named: str) -> Any:
    """The parts of a package that a path leads to, as an array."""
    package, asked = cast(models.revision.c.package, JSONB), cast(path, JSONPATH)
    return func.jsonb_path_query_array(package, asked, cast(named, JSONB))


_tables: dict[tuple[UUID, int, str], definition.Table | None] = {}


def tables_at(ctx: Context, table: LiveTable, numbers: Iterable[int]) -> dict[int, definition.Table]:
    """The table as each of these revisions has it; a table that stays the same is read once."""
    wanted = set(numbers) - {table.inst.revision}
    if missing := [n for n in wanted if (table.inst.id, n, table.id) not in _tables]:
        if len(_tables) > 5_000:
            _tables.clear()
        r = models.revision.c
        query = select(r.number, _found("$.tables[*] ? (@.id == $t)", t=table.id))
        query = query.where(r.installation_id == table.inst.id, r.number.in_(missing))
        read: dict[str, definition.Table | None] = {}
        for number, found in ctx.conn.execute(query):
            said = str(found)
            if said not in read:
                read[said] = _read_table(found)
            _tables[table.inst.id, number, table.id] = read[said]
    found = {n: _tables.get((table.inst.id, n, table.id)) for n in wanted}
    return {table.inst.revision: table.table} | {n: made for n, made in found.items() if made is not None}


def _read_table(found: list[Any]) -> definition.Table | None:
    try:
        return load(definition.Table, found[0]) if found else None
    except DefinitionError:
        return None


# -- fields that are gone --------------------------------------------------------------------------


@dataclass(frozen=True)
class Gone:
    """A field, or a column of a subform, that is not there any more, as one sees it who may."""

    field: Field
    value: Any
    shown: str

    @property
    def plain(self) -> Field:
        """The field as it can be shown without its table: what was calculated is text."""
        computed = self.field.computed
        return TextField(id=self.field.id, label=self.field.label) if computed else self.field


def gone(ctx: Context, table: LiveTable, record: UUID, paths: Iterable[str]) -> dict[str, Gone]:
    """Those of the fields that the reader could see when they were there last, by the rights of that time."""
    found: dict[str, Gone] = {}
    by_revision: dict[int, list[str]] = {}
    for path in paths:
        if number := _last_with(ctx, table, path):
            by_revision.setdefault(number, []).append(path)
    for number, some in by_revision.items():
        found |= _seen_then(ctx.acting_as(ctx.actor), table, record, number, some)
    return found


def _seen_then(then: Context, table: LiveTable, record: UUID, number: int, paths: Iterable[str]) -> dict[str, Gone]:
    """`then` is a context of its own: it holds the rights of that revision, not of today."""
    try:
        old = live(then, definitions.at_revision(then, table.inst, number), table.id)
        shown = fetch(door(then, old), record)
    except (NotFound, DefinitionError):
        return {}
    reader = Reader(then.language, then.zone)
    found = {}
    for path in paths:
        field, whole = old.table.field(path), path.partition(".")[0]
        if field is not None and all(SEES[shown.rights.get(p, "hidden")] == 2 for p in {path, whole}):
            value = shown.values.get(path)
            found[path] = Gone(
                field, value, old.analysis.show(old.table, field, value, reader) if path == whole else ""
            )
    return found


_last: dict[tuple[UUID, int, str, str], int] = {}


def _last_with(ctx: Context, table: LiveTable, path: str) -> int:
    """The newest revision that has this field of the table; 0 when none has."""
    key = (table.inst.id, table.inst.revision, table.id, path)
    if key not in _last:
        if len(_last) > 10_000:
            _last.clear()
        r = models.revision.c
        whole, _, column = path.partition(".")
        steps = "$.tables[*] ? (@.id == $t).fields[*] ? (@.id == $f)" + (".fields[*] ? (@.id == $c)" if column else "")
        has = func.jsonb_array_length(_found(steps, t=table.id, f=whole, c=column)) > 0
        query = select(func.max(r.number)).where(r.installation_id == table.inst.id, has)
        _last[key] = ctx.conn.scalar(query) or 0
    return _last[key]


# -- a record as it was made -----------------------------------------------------------------------


@dataclass(frozen=True)
class AsMade:
    """A record with the labels, options and layout of the revision it was last submitted with.

    Values and rights are today's: a field that the reader may not see now is not in it. What came since stands last.
    """

    inst: Installed
    table: LiveTable
    record: Record
    form: Form


def as_made(ctx: Context, table: LiveTable, found: Record) -> AsMade:
    """For a record that its reader was allowed to fetch."""
    made = definition_of(ctx, table, found.id)
    then = made.app.table(table.id)
    if then is None or made.revision == table.inst.revision:
        return AsMade(table.inst, table, found, table.inst.app.form_of(table.id))
    now = table.table.by_id
    lost = gone(ctx, table, found.id, [f.id for f in then.fields if f.id not in now])
    old = [as_then(f, now[f.id]) if f.id in now else lost[f.id].plain for f in then.fields if f.id in {*now, *lost}]
    placed = {f.id for f in old}
    mixed = replace(table.table, fields=(*old, *(f for f in table.table.fields if f.id not in placed)))
    record = replace(
        found, values={**found.values, **{id: _value(one) for id, one in lost.items()}},
        rights={**found.rights, **dict.fromkeys(lost, "read")},
    )  # fmt: skip
    return AsMade(made, replace(table, table=mixed), record, made.app.form_of(table.id))


def as_then(old: Field | None, now: Field) -> Field:
    """Today's field with the words of then; one that has become another kind of field stays as it is, but for its name."""
    if old is None:
        return now
    words: dict[str, Any] = {"label": old.label, "help": old.help}
    if type(old) is not type(now):
        return replace(now, label=old.label)
    if isinstance(now, Rows) and isinstance(old, Rows):
        columns = {c.id: c for c in now.fields}
        kept = [as_then(c, columns.pop(c.id)) for c in old.fields if c.id in columns]
        words["fields"] = (*kept, *columns.values())
    elif hasattr(now, "options") and hasattr(old, "options"):
        known = {o.id for o in old.options}
        words["options"] = (*old.options, *(o for o in now.options if o.id not in known))
    return replace(now, **words)


def _value(one: Gone) -> Any:
    return one.shown if one.field.computed else one.value
