"""Records, apps and people as the API tells them: the same doors as the browser's, drawn as JSON.

Everything here starts from `runtime.access.door`; what the actor may not see is not there.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from runtime import definitions, history, query, tokens
from runtime.access import Door, door, may_enter, may_use_form
from runtime.context import Context
from runtime.definitions import Installed
from runtime.people import Directory
from runtime.query import Listing, Page, Record
from runtime.render import Names
from runtime.tables import LiveTable, live
from schemas.access import WRITES
from schemas.api import LARGEST_PAGE
from schemas.api_fields import schema_of_value, writable
from schemas.errors import InvalidInput, NotFound
from schemas.fields import Field
from schemas.fields.choice import Choice
from schemas.fields.formula import dump_any
from schemas.fields.link import Link
from schemas.fields.links import Links
from schemas.fields.rows import Rows
from schemas.formula import ErrorValue, Formula, FormulaError
from schemas.formula.types import BOOLEAN
from schemas.messages import Message, say
from schemas.numbers import plain, read_whole
from schemas.scope import ACTIONS, DEFINITIONS
from schemas.text import Text

Json = dict[str, Any]
PAGE = 100


class BadFormula(Exception):
    """A filter that cannot be understood, and where."""

    def __init__(self, character: int, problem: Message) -> None:
        super().__init__(str(problem))
        self.character, self.problem = character, problem


@dataclass(frozen=True)
class Wanted:
    """What a list is asked for."""

    filter: str = ""
    sort: tuple[str, ...] = ()
    fields: tuple[str, ...] | None = None
    search: str = ""
    after: str = ""
    size: int = PAGE
    total: bool = False
    trash: bool = False
    names: bool = False

    @classmethod
    def read(cls, args: Mapping[str, str]) -> "Wanted":
        """From the address. Raises InvalidInput for names and values that mean nothing."""
        errors: dict[str, list[Any]] = {}
        for name in args.keys() - set(LISTED):
            errors[name[:60]] = [say("This parameter is not known. There are: {known}.", known=", ".join(LISTED))]
        size = read_whole(args.get("limit", str(PAGE)))
        if size is None or not 1 <= size <= LARGEST_PAGE:
            errors["limit"] = [say("expected a whole number from {a} to {b}", a=1, b=LARGEST_PAGE)]
        for name in ("total", "trash"):
            if args.get(name, "false") not in ("true", "false"):
                errors[name] = [say("expected true or false")]
        if args.get("expand", "names") != "names":
            errors["expand"] = [
                say("'{word}' is not known here (one of: {known})", word=args["expand"][:60], known="names")
            ]
        if errors:
            raise InvalidInput(errors)
        return cls(
            args.get("filter", "")[:4_000], _listed(args.get("sort", "")),
            _listed(args["fields"]) if "fields" in args else None, args.get("q", "")[:200], args.get("after", ""),
            size or PAGE, args.get("total") == "true", args.get("trash") == "true", "expand" in args,
        )  # fmt: skip


LISTED = ("filter", "sort", "fields", "q", "limit", "after", "total", "trash", "expand")
ONE = ("fields", "expand")


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip()[:200] for part in text.split(",")[:500] if part.strip())


# -- apps and tables -------------------------------------------------------------------------------


def enter(ctx: Context, app: str) -> Installed:
    """The app, for one to whom it shows anything. Raises NotFound."""
    inst = definitions.installed(ctx, app)
    if not may_enter(ctx, inst):
        raise NotFound
    return inst


def table_of(ctx: Context, app: str, table: str) -> LiveTable:
    """A table in which the actor may do anything at all. Raises NotFound."""
    found = live(ctx, enter(ctx, app), table)
    if not may_do(door(ctx, found)):
        raise NotFound
    return found


def may_do(gate: Door) -> list[str]:
    """The actions that the actor may take with some record of a table."""
    return [action for action in ACTIONS if gate.may(action)]


def apps(ctx: Context) -> Json:
    seen = [inst for inst in definitions.all_installed(ctx) if may_enter(ctx, inst) or _reads_definition(ctx, inst)]
    return {"apps": [app_facts(ctx, inst) for inst in seen]}


def _reads_definition(ctx: Context, inst: Installed) -> bool:
    scope = ctx.actor.scope
    return scope is not None and scope.may(DEFINITIONS) and tokens.builds(ctx)


def app_facts(ctx: Context, inst: Installed) -> Json:
    base = f"/api/v1/apps/{inst.slug}"
    tables = []
    for table in inst.app.tables:
        if may := may_do(door(ctx, live(ctx, inst, table.id))):
            title = label(ctx, table.title or Text.of(table.id))
            tables.append({"id": table.id, "title": title, "may": may, "url": f"{base}/tables/{table.id}"})
    return {
        "id": inst.slug, "title": label(ctx, inst.app.title or Text.of(inst.slug)), "revision": inst.revision,
        "tables": tables, "openapi": f"{base}/openapi.json",
    }  # fmt: skip


def label(ctx: Context, text: Text) -> str:
    return text.in_language(ctx.language)


def table_facts(ctx: Context, source: LiveTable) -> Json:
    """The table with the fields that the actor may see or fill in."""
    gate, app = door(ctx, source), source.inst.app
    return {
        "id": source.id, "app": source.inst.slug, "title": label(ctx, source.table.title or Text.of(source.id)),
        "may": may_do(gate), "fields": [field_facts(ctx, gate, f, f.id) for f in source.table.fields if known(gate, f.id)],
        "forms": [f.id for f in app.all_forms.values() if f.table == source.id and _usable(ctx, source, f.id)],
    }  # fmt: skip


def _usable(ctx: Context, source: LiveTable, form: str) -> bool:
    return may_use_form(ctx, source.inst, form, ("create", "update"))


def known(gate: Door, path: str) -> bool:
    """Whether the actor may know that there is such a field: may see it somewhere, or fill it in."""
    return any(gate.may(a) and gate.best(path, a) != "hidden" for a in ("read", "create", "update"))


def may_fill(gate: Door, path: str) -> bool:
    return any(gate.may(a) and gate.best(path, a) in WRITES for a in ("create", "update"))


def field_facts(ctx: Context, gate: Door, found: Field, path: str) -> Json:
    rows = gate.live.table.by_id[path.partition(".")[0]] if "." in path else None
    kind = gate.live.analysis.type_of(gate.live.table, found, rows if isinstance(rows, Rows) else None)
    facts: Json = {
        "id": found.id, "label": label(ctx, found.label or Text.of(found.id)), "type": found.type,
        "value": schema_of_value(found, kind), "required": found.required, "unique": found.unique,
        "writable": writable(found) and may_fill(gate, path), "computed": found.computed, "sortable": found.sortable,
    }  # fmt: skip
    if found.help:
        facts["help"] = label(ctx, found.help)
    if isinstance(found, Choice):
        facts["options"] = [{"id": o.id, "label": label(ctx, o.label or Text.of(o.id))} for o in found.options]
    if isinstance(found, Link | Links):
        facts["table"] = found.table
    if isinstance(found, Rows):
        inner = [c for c in found.fields if known(gate, f"{path}.{c.id}")]
        facts["fields"] = [field_facts(ctx, gate, c, f"{path}.{c.id}") for c in inner]
    elif writable(found):
        facts["example"] = found.dump(found.example())
    return facts


# -- reading ---------------------------------------------------------------------------------------


def page(ctx: Context, source: LiveTable, wanted: Wanted) -> Json:
    """One page of records. Raises InvalidInput, BadFormula, NotFound."""
    gate = door(ctx, source)
    gate.require("read")
    columns = _columns(gate, wanted.fields)
    where = [asked_filter(gate, wanted.filter)] if wanted.filter.strip() else []
    chosen = Listing(columns, where, wanted.sort, wanted.search, wanted.after, "", wanted.size, wanted.trash)
    found = query.page(gate, chosen)
    _fill_rows(gate, found, columns)
    answer: Json = {
        "records": [record_json(source, r, columns) for r in found.records],
        "next": found.after or None,
    }
    if wanted.total:
        answer["total"] = query.total(gate, chosen, exact=True)[0]
    if wanted.names:
        answer["names"] = names_of(ctx, source, found.records, columns)
    return answer


def _columns(gate: Door, asked: Sequence[str] | None) -> list[str]:
    """The fields that are shown: those asked for, or all that may be seen."""
    shown = [f.id for f in gate.live.table.fields if f.type != "query" and f.id in gate.shown([f.id])]
    if asked is None:
        return shown
    if strange := [path for path in asked if path not in shown]:
        raise InvalidInput({"fields": [say("There is no field '{id}'.", id=strange[0][:60])]})
    return list(asked)


def asked_filter(gate: Door, text: str) -> Formula:
    """Raises BadFormula."""
    analysis = gate.live.analysis
    try:
        formula = Formula.of(text)
        analysis.expression(formula, analysis.scope(gate.live.table), BOOLEAN)
    except FormulaError as err:
        raise BadFormula(err.position + 1, err.message) from err
    return formula


def _fill_rows(gate: Door, found: Page, columns: Sequence[str]) -> None:
    """Put the rows of subforms where a list has only their number."""
    for rows in gate.live.table.subforms:
        if rows.id in columns:
            lines = query.rows_of_many(gate, rows, [r.id for r in found.records])
            for record in found.records:
                record.values[rows.id] = lines.get(record.id)  # type: ignore[index]


def read(ctx: Context, source: LiveTable, id: UUID, args: Mapping[str, str] | None = None, trash: bool = False) -> Json:
    """One record with all that the actor may see of it. Raises NotFound, InvalidInput."""
    args = args or {}
    if strange := sorted(args.keys() - set(ONE)):
        known = ", ".join(ONE)
        raise InvalidInput({strange[0][:60]: [say("This parameter is not known. There are: {known}.", known=known)]})
    wanted = Wanted.read({name: args.get(name, "") for name in ONE if name in args})
    gate = door(ctx, source)
    columns = _columns(gate, wanted.fields)
    found = query.fetch(gate, id, "delete" if trash else "read", trash=trash)
    answer = record_json(source, found, [c for c in columns if c in found.values or c in found.masked])
    if wanted.names:
        answer["names"] = names_of(ctx, source, [found], columns)
    return answer


def record_json(source: LiveTable, record: Record, columns: Iterable[str]) -> Json:
    """A record as JSON: what is about it, and its fields."""
    about = record.system
    columns = list(columns)
    masked = {c: record.masked[c] for c in columns if c in record.masked}
    return {
        "id": str(record.id), "version": record.version, "title": record.title,
        **{name: plain_json(about[name]) for name in ("created_at", "created_by", "updated_at", "updated_by")},
        "flow_state": about["flow.state"],
        "fields": {c: dump(source.table.by_id[c], record.values.get(c)) for c in columns if c not in masked},
        **({"masked": masked} if masked else {}),
    }  # fmt: skip


def dump(found: Field, value: Any) -> Any:
    """A value as JSON that the field reads again: numbers exact, as text."""
    if value is None or isinstance(value, ErrorValue):
        return dump_any(value)
    if isinstance(found, Rows):
        return [dump_row(found, row) for row in value]
    if found.computed:
        return plain_json(value)
    return found.dump(value)


def dump_row(rows: Rows, row: Mapping[str, Any]) -> Json:
    """A row with its own id, by which a change knows it again; without the columns that are hidden."""
    made = {c.id: dump(c, row[c.id]) for c in rows.fields if c.id in row}
    return {"_id": str(row["_id"]), **made} if row.get("_id") else made


def plain_json(value: Any) -> Any:
    """A computed or system value as JSON."""
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, UUID | date):
        return str(value)
    if isinstance(value, list | tuple):
        return [plain_json(item) for item in value]
    if isinstance(value, Mapping):
        return dict(value)
    return dump_any(value)


def names_of(ctx: Context, source: LiveTable, records: Sequence[Record], columns: Iterable[str]) -> dict[str, str]:
    """What members, departments, linked records and files are called that these records point at."""
    names = Names(ctx, source)
    fields = [source.table.by_id[c] for c in columns]
    for record in records:
        names.note(fields, record.values)
        names.people |= {p for p in (record.system["created_by"], record.system["updated_by"]) if p}
    return {str(id): name for id, name in names.found().items()}


def past(ctx: Context, source: LiveTable, id: UUID) -> Json:
    """Who changed what and when; fields that the actor may not see are left out. Raises NotFound, Denied."""
    gate = door(ctx, source)
    gate.require("history")
    found = query.fetch(gate, id)
    entries = history.of_record(ctx, source, found.id)
    people = Directory.of(ctx).names(e.actor_id for e in entries if e.actor_kind == "member")
    people |= tokens.names(ctx, {e.actor_id for e in entries if e.actor_kind == "token" and e.actor_id})
    return {"entries": [_entry(source, found, e, people) for e in entries]}


def _entry(source: LiveTable, found: Record, entry: history.Entry, people: Mapping[UUID, str]) -> Json:
    return {
        "version": entry.version, "action": entry.action, "at": plain_json(entry.at), "actor_kind": entry.actor_kind,
        "actor": plain_json(entry.actor_id), "actor_name": people.get(entry.actor_id, "") if entry.actor_id else "",
        "origin": entry.origin, "changes": list(shown_changes(source, found.rights, entry.changes)),
    }  # fmt: skip


def shown_changes(source: LiveTable, rights: Mapping[str, str], changes: Mapping[str, list[Any]]) -> Iterable[Json]:
    """The changes of a history entry that may be seen with these rights."""
    for id, (before, after) in changes.items():
        found = source.table.by_id.get(id)
        if found is None or rights.get(id) not in ("read", "write"):
            continue
        sides = [_open_columns(found, side, rights) for side in (before, after)]
        if sides[0] != sides[1]:
            yield {"field": id, "before": sides[0], "after": sides[1]}


def _open_columns(found: Field, dumped: Any, rights: Mapping[str, str]) -> Any:
    if not isinstance(found, Rows) or not isinstance(dumped, list):
        return dumped
    open_ones = {c.id for c in found.fields if rights.get(f"{found.id}.{c.id}") in ("read", "write")}
    return [{k: v for k, v in row.items() if k in open_ones} for row in dumped]


def names_of_people(ctx: Context, ids: Iterable[UUID | None]) -> dict[UUID, str]:
    return Directory.of(ctx).names(ids)


# -- people ----------------------------------------------------------------------------------------


def members(ctx: Context, text: str, after: str, size: int) -> Json:
    """Members by name, page by page."""
    first = read_whole(after or "0")
    if first is None:
        raise InvalidInput({"after": [say("This page of the list no longer exists. Begin again from the first.")]})
    found = Directory.of(ctx).search(text, first + size + 1)[first:]
    listed = [
        {"id": str(p.id), "name": p.name, "email": p.email, "phone": p.phone, "title": p.title,
         "department": plain_json(p.department), "departments": plain_json(p.departments)}
        for p in found[:size]
    ]  # fmt: skip
    return {"members": listed, "next": str(first + size) if len(found) > size else None}


def departments(ctx: Context) -> Json:
    return {
        "departments": [
            {"id": str(u.id), "name": u.name, "parent": plain_json(u.parent), "head": plain_json(u.head)}
            for u in Directory.of(ctx).units.values()
        ]
    }
