"""A view as one person looks at it now: the definition, their wishes from the address, and the rows drawn."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from markupsafe import Markup, escape

from runtime import cells, query
from runtime.access import Door, door, rights_key
from runtime.actors import PublicLink
from runtime.context import Context
from runtime.definitions import Installed
from runtime.people import Directory
from runtime.query import Listing, Record
from runtime.recalculate import pending
from runtime.render import PEOPLE, Names
from runtime.tables import LiveTable, live
from schemas.conditions import Condition, from_formula, operators_for
from schemas.errors import InvalidInput, NotFound
from schemas.fields import Field, Reader
from schemas.fields.button import Button
from schemas.fields.choice import Choice
from schemas.fields.totals import MARKS
from schemas.formula import Formula, FormulaError, Type
from schemas.formula.tree import literal_source
from schemas.messages import say
from schemas.numbers import read_whole, round_to
from schemas.table import SYSTEM_FIELDS, SYSTEM_LABELS
from schemas.text import Sentence, Text
from schemas.views import View
from schemas.views.gallery import Gallery
from schemas.views.kanban import Kanban

SIZES = (20, 50, 100, 200)


@dataclass(frozen=True)
class Wishes:
    """What the address of a list asks for."""

    search: str = ""
    filter: str = ""
    sort: str = ""
    after: str = ""
    before: str = ""
    first: int = 1
    size: int = 0
    exact: bool = False
    trash: bool = False
    day: str = ""
    span: str = ""
    own: str = ""
    """The view of somebody's own that this is, or was before it was changed."""

    @classmethod
    def read(cls, args: Mapping[str, str]) -> "Wishes":
        def whole(name: str, otherwise: int) -> int:
            found = read_whole(args.get(name, ""))
            return otherwise if found is None else found

        size = whole("size", 0)
        return cls(
            search=args.get("q", "").replace("\x00", "")[:200], filter=args.get("filter", "")[:4000], sort=args.get("sort", "")[:200],
            after=args.get("after", ""), before=args.get("before", ""), first=max(1, whole("first", 1)),
            size=size if size in SIZES else 0, exact=args.get("total") == "exact", trash=args.get("trash") == "1",
            day=args.get("day", "")[:10], span=args.get("span", "")[:10], own=args.get("own", "")[:36],
        )  # fmt: skip

    def url(self, base: str, **changes: Any) -> str:
        """The address of the list with some wishes changed."""
        wanted = {
            "q": self.search, "filter": self.filter, "sort": self.sort, "size": self.size or "",
            "trash": "1" if self.trash else "", "span": self.span, "day": self.day, "own": self.own, **changes,
        }  # fmt: skip
        return base + (
            "?" + urlencode({k: v for k, v in wanted.items() if v not in ("", None)}) if any(wanted.values()) else ""
        )


@dataclass(frozen=True)
class Column:
    """A column of the grid."""

    path: str
    label: Sentence
    numeric: bool
    sort_url: str
    sorted: str
    width: int = 0
    sum: str = ""


class FilterFields(list[dict[str, Any]]):
    """The fields of a filter panel, and how its script is told of them, by language."""

    def __init__(self, fields: Iterable[dict[str, Any]] = ()) -> None:
        super().__init__(fields)
        self.drawn: dict[str, Markup] = {}


@dataclass
class Shown:
    """Everything that the templates of a view need."""

    view: View
    live: LiveTable
    gate: Door
    wishes: Wishes
    listing: Listing
    base: str
    columns: list[Column]
    body: Markup
    page: query.Page
    total: int
    exact: bool
    pager: dict[str, Any]
    conditions: list[Condition] | None
    filter_fields: FilterFields
    problem: Sentence | None = None
    count: int = 0
    recalculating: bool = False
    """Whether a job still has to bring its calculations up to date."""


def show(
    ctx: Context, inst: Installed, view: View, wishes: Wishes, chosen: Sequence[str] = (), *, base: str = "",
    checks: bool = True,
) -> Shown:  # fmt: skip
    """The grid of a view. A filter or order from the address that makes no sense is told, and left out.

    `base` is its address where it is not its own; `checks` says whether rows can be chosen.
    """
    table = live(ctx, inst, view.table)
    gate = door(ctx, table)
    gate.require("read")
    columns = gate.shown([c for c in (chosen or view.columns or default_columns(table)) if c in names_of(table)])
    listing, problem = listing_of(gate, view, wishes, columns)
    try:
        page = query.page(gate, listing)
    except InvalidInput as err:
        problem = next(iter(err.errors.values()))[0]
        wishes = Wishes(size=wishes.size, trash=wishes.trash, own=wishes.own)
        listing, _ = listing_of(gate, view, wishes, columns)
        page = query.page(gate, listing)
    whole = query.summary(gate, listing, columns, wishes.exact)
    base = base or f"/a/{inst.slug}/v/{view.id}/"
    reader = reader_of(ctx, table, page.records, columns)
    heads = [_column(gate, c, wishes, base, listing.sort, whole.sums if page.records else {}, reader) for c in columns]
    body = draw_rows(gate, page.records, columns, reader, checks=checks)
    shown = Shown(
        view,
        table,
        gate,
        wishes,
        listing,
        base,
        heads,
        body,
        page,
        whole.total,
        whole.exact,
        {},
        None,
        FilterFields(),
        problem,
        len(page.records),
    )
    shown.pager = _pager(shown)
    shown.conditions = conditions_of(wishes)
    shown.recalculating = pending(ctx, table)
    shown.filter_fields = _filter_fields(gate, shown.conditions or ())
    return shown


def names_of(table: LiveTable) -> set[str]:
    return {*(f.id for f in table.table.fields if f.type != "query"), *SYSTEM_FIELDS, "flow.state"}


def default_columns(table: LiveTable) -> list[str]:
    return [f.id for f in table.table.fields if f.storage != "child" and f.type != "query"][:12]


def listing_of(gate: Door, view: View, wishes: Wishes, columns: Sequence[str]) -> tuple[Listing, Sentence | None]:
    where = [view.filter] if view.filter else []
    problem: Sentence | None = None
    if wishes.filter:
        try:
            asked = Formula.of(wishes.filter)
            query.condition(gate, asked)
            where.append(asked)
        except FormulaError as err:
            problem = err.message
        except InvalidInput as err:
            problem = err.errors["filter"][0]
    own = [s for s in view.sort if gate.readable(s.removeprefix("-").partition(".")[0])]
    sort = wishes.sort.split(",") if wishes.sort else own
    size = wishes.size or view.page_size
    listing = Listing(columns, where, sort, wishes.search, wishes.after, wishes.before, size, wishes.trash)
    return listing, problem


def asked_of(gate: Door, view: View, wishes: Wishes) -> Listing:
    """Which records a view shows with these wishes; a filter that makes no sense shows none."""
    found, problem = listing_of(gate, view, wishes, ())
    return found if problem is None else replace(found, where=[*found.where, Formula.of("FALSE")])


def reader_of(ctx: Context, table: LiveTable, records: Sequence[Record], columns: Sequence[str]) -> Reader:
    """Reads the values of these columns, with the names that they point at."""
    names = Names(ctx, table)
    fields = [f for c in columns if (f := table.table.by_id.get(c)) and f.storage != "child"]
    names.note_all(fields, [record.values for record in records])
    for record in records:
        names.people |= {record.system[c] for c in ("created_by", "updated_by") if c in columns and record.system[c]}
    return names.reader()


def _column(
    gate: Door, path: str, wishes: Wishes, base: str, sort: Sequence[str], sums: Mapping[str, Decimal], reader: Reader
) -> Column:
    found = gate.live.table.by_id.get(path)
    kind = gate.live.analysis.type_of(gate.live.table, found) if found else SYSTEM_FIELDS.get(path)
    sortable = found.sortable and gate.readable(path) if found else True
    first = sort[0] if sort else ""
    state = {path: "ascending", f"-{path}": "descending"}.get(first, "")
    turned = f"-{path}" if first == path else path
    total = shown_below(found, sums[path], reader) if found and path in sums else ""
    return Column(
        path, label_of(gate.live, path), bool(kind and kind.kind == "number"),
        wishes.url(base, sort=turned) if sortable else "", state, sum=total,
    )  # fmt: skip


def shown_below(column: Field, figure: Decimal, reader: Reader) -> str:
    """The figure below a column, marked unless it is a sum."""
    rounded = figure if column.below == "sum" else round_to(figure, 10 if column.scale is None else column.scale)
    return MARKS[column.below].format(column.show(rounded, reader))


def label_of(table: LiveTable, path: str) -> Sentence:
    if facet := table.table.facet(path):
        return say("{field} · {part}", field=label_of(table, path.partition(".")[0]), part=facet.label)
    found = table.table.field(path)
    if found is None:
        return SYSTEM_LABELS.get(path) or Text.of(path)
    return found.label or Text.of(found.id)


def path_label(table: LiveTable, path: str) -> Sentence:
    """The label of a field, or of a subform's column behind that of its subform."""
    rows, _, column = path.partition(".")
    if not column or table.table.facet(path):
        return label_of(table, path)
    return say("{rows} · {column}", rows=label_of(table, rows), column=label_of(table, path))


def _pager(shown: Shown) -> dict[str, Any]:
    w, page = shown.wishes, shown.page
    size = shown.listing.size
    total = f"{shown.total:,}" + ("" if shown.exact else "+")
    return {
        "first": w.first, "last": w.first + shown.count - 1 if shown.count else 0, "total": total, "size": size, "sizes": SIZES,
        "size_url": w.url(shown.base, size=""), "exact_url": "" if shown.exact else w.url(shown.base, total="exact"),
        "previous": w.url(shown.base, before=page.before, first=max(1, w.first - size)) if page.before else None,
        "next": w.url(shown.base, after=page.after, first=w.first + shown.count) if page.after else None,
    }  # fmt: skip


# -- drawing ---------------------------------------------------------------------------------------


def draw_rows(
    gate: Door, records: Sequence[Record], columns: Sequence[str], reader: Reader, checks: bool = False, take: str = ""
) -> Markup:
    """The body of a grid: one function per column, called for every row. `checks` puts a box before each row, `take`
    one by which a query's row is chosen.
    """
    table, public = gate.live, _public(gate)
    base = f"/a/{table.inst.slug}/t"

    def url(target: str, id: UUID) -> str:
        return "" if public else f"{base}/{target}/{id}"

    draws = [_drawn(*_cell(table, c, reader, url, public)) for c in columns[1:]]
    first = _cell(table, columns[0], reader, url, public) if columns else None
    own = (f"{public}/record" if _leads_on(gate) else "") if public else f"{base}/{table.id}"
    lines = [_row(record, first, draws, f"{own}/{record.id}" if own else "", checks, take) for record in records]
    return Markup("".join(lines))


def _public(gate: Door) -> str:
    """Where the pages of the public link are, when it is one that looks: it is led to nothing else."""
    return gate.ctx.actor.base if isinstance(gate.ctx.actor, PublicLink) else ""


def _leads_on(gate: Door) -> bool:
    """Whether a public link opens the records of its list: a view's does, a dashboard's does not."""
    return bool(gate.ctx.actor.what.kind == "view")  # type: ignore[attr-defined]


def _drawn(path: str, css: str, draw: cells.Draw) -> tuple[str, str, cells.Draw]:
    return path, f'<td class="{css.strip()}">' if css else "<td>", draw


def _row(
    record: Record,
    first: tuple[str, str, cells.Draw] | None,
    draws: list[tuple[str, str, cells.Draw]],
    url: str,
    checks: bool,
    take: str = "",
) -> str:
    """A line of the grid; its first cell opens the record."""
    title = escape(record.title)
    parts = [f'<tr data-key="{record.id}">']
    if checks or take:
        named = f'name="_take.{take}" data-taken' if take else 'name="ids" form="batch"'
        parts.append(f'<td class="check"><input type="checkbox" {named} value="{record.id}" aria-label="{title}"></td>')
    if first:
        path, css, draw = first
        inner = cells.mask(record.masked[path]) if path in record.masked else draw(record[path])
        text = inner if inner and "<a " not in inner else title or "–"
        opens = f'<a class="open" href="{url}" data-drawer>{text}</a>' if url else text
        parts.append(f'<td class="first{css}">{opens}</td>')
    values, system, masked = record.values, record.system, record.masked
    for path, opened, draw in draws:
        value = values[path] if path in values else system.get(path)
        if path in masked:
            parts += (opened, cells.mask(masked[path]), "</td>")
            continue
        parts += (opened, "</td>") if value is None else (opened, draw(value), "</td>")
    parts.append("</tr>")
    line = "".join(parts)
    return line.replace(cells.RECORD, url) if cells.RECORD in line else line


def _cell(table: LiveTable, path: str, reader: Reader, url: Any, public: str = "") -> tuple[str, str, cells.Draw]:
    found = table.table.by_id.get(path)
    if found is None:
        return path, "", _system_cell(path, reader)
    kind = table.analysis.type_of(table.table, found)
    if found.storage == "child":
        return path, " number", lambda value: "" if not value else str(value if isinstance(value, int) else len(value))
    origin = table.analysis.origin(table.table, found)
    files = f"{public}/file/-/{path}" if public else f"/files/{table.inst.slug}/{table.id}/-/{path}"
    if isinstance(found, Button):
        return path, "", cells.button(found, reader)
    address = (lambda id: f"{files}/{id}") if origin is found else None
    draw = cells.drawer(origin, kind, reader, url, address)
    return path, " number" if kind.kind == "number" else "", draw


STATES = {
    "running": ("blue", say("in approval")),
    "approved": ("green", say("approved")),
    "rejected": ("red", say("rejected")),
    "withdrawn": ("gray", say("withdrawn")),
    "ended": ("gray", say("ended")),
    "failed": ("red", say("failed")),
}


def _system_cell(path: str, reader: Reader) -> cells.Draw:
    if path in ("created_by", "updated_by"):
        return lambda id: cells.person(reader.names.get(id, "")) if id else ""
    if path == "flow.state":
        return state_chip
    if path in ("created_at", "updated_at"):
        return lambda at: at.astimezone(reader.zone).strftime("%Y-%m-%d %H:%M") if at else ""
    return lambda value: str(escape(value)) if value is not None else ""


def state_chip(state: str | None) -> str:
    """How a record's flow stands, as a chip. Its words come translated from the door."""
    from runtime.wording import translate

    if not state:
        return ""
    tone, message = STATES.get(state, ("gray", say("in approval")))
    return f'<span class="chip tone-{tone}"><span>{escape(translate(message))}</span></span>'


# -- filters ---------------------------------------------------------------------------------------


def conditions_of(wishes: Wishes) -> list[Condition] | None:
    if not wishes.filter:
        return []
    try:
        return from_formula(Formula.of(wishes.filter))
    except FormulaError:
        return None


def _filter_fields(gate: Door, conditions: Sequence[Condition]) -> FilterFields:
    """As below; the same for everybody with the same rights as long as there are no conditions."""
    rights = None if conditions else rights_key(gate)
    if rights is None:
        return FilterFields(filter_fields(gate, conditions))
    key, kept = ("filter fields", rights), gate.live.plans
    if key not in kept:
        kept[key] = FilterFields(filter_fields(gate))
    return kept[key]  # type: ignore[no-any-return]


def filter_fields(gate: Door, conditions: Sequence[Condition] = ()) -> list[dict[str, Any]]:
    """The fields that a person may set conditions on, with the operators and options of each.

    For members and departments the options are those that the conditions already name.
    """
    table = gate.live
    chosen = _chosen_people(gate.ctx, conditions)
    listed = []
    for found in table.table.fields:
        kind = table.analysis.type_of(table.table, found)
        if (
            found.storage == "child"
            or found.type == "query"
            or kind.kind in ("rows", "any", "file")
            or not gate.readable(found.id)
        ):
            continue
        if kind.kind == "array" and kind.of and kind.of.kind not in ("choice", "text", "member", "department", "link"):
            continue
        listed.append(
            {
                "id": found.id,
                "label": label_of(table, found.id),
                "kind": found.entry if not found.computed else (kind.of or kind).kind,
                "operators": operators_for(kind),
                "options": _known_values(gate, found, kind.of or kind, conditions, chosen),
                "source": _source(table, found, kind.of or kind),
            }
        )
        listed.extend(_facet_entry(table, f"{found.id}.{name}", facet.type) for name, facet in found.facets.items())
    moments = [(id, kind) for id, kind in SYSTEM_FIELDS.items() if kind.kind == "datetime"]
    for id, kind in moments:
        listed.append(
            {"id": id, "label": SYSTEM_LABELS[id], "kind": kind.kind, "operators": operators_for(kind), "options": []}
        )
    return listed


def _source(table: LiveTable, found: Field, kind: Type) -> str:
    """Where the picker of a condition's value asks."""
    if kind.kind in PEOPLE:
        return f"/pick/{kind.kind}"
    return f"/a/{table.inst.slug}/pick/{table.id}/{found.id}?filter=1" if kind.kind == "link" else ""


def _known_values(
    gate: Door, found: Field, kind: Type, conditions: Sequence[Condition], people: list[tuple[str, Text]]
) -> list[tuple[str, Text]]:
    """The values that may be chosen, or for what is looked up those that the conditions name."""
    if kind.kind in PEOPLE:
        return people
    if kind.kind != "link":
        return _options(found)
    ids = [id for c in conditions if c.field == found.id for v in c.values if (id := _uuid(v))]
    named = query.titles(gate.ctx, gate.live.sibling(kind.target or ""), ids) if ids else {}
    return [(str(id), Text.of(title)) for id, title in named.items()]


def _facet_entry(table: LiveTable, path: str, kind: Type) -> dict[str, Any]:
    """A part of a value as something to set conditions on: the city of an address."""
    label = label_of(table, path)
    return {"id": path, "label": label, "kind": kind.kind, "operators": operators_for(kind), "options": []}


def _chosen_people(ctx: Context, conditions: Sequence[Condition]) -> list[tuple[str, Text]]:
    ids = [id for c in conditions for v in c.values if (id := _uuid(v))]
    return [(str(id), Text.of(name)) for id, name in Directory.of(ctx).names(ids).items()] if ids else []


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _options(found: Field) -> list[tuple[str, Text]]:
    return [(o.id, o.label or Text.of(o.id)) for o in getattr(found, "options", ())]


def writers_of(table: LiveTable) -> dict[str, Callable[[str], str | None]]:
    """How each field's typed value stands in a filter's formula."""
    return {f.id: f.literal for f in table.table.fields}


def kinds_of(table: LiveTable) -> dict[str, Type]:
    kinds = {f.id: table.analysis.type_of(table.table, f) for f in table.table.fields}
    parts = {f"{f.id}.{name}": facet.type for f in table.table.fields for name, facet in f.facets.items()}
    return {**SYSTEM_FIELDS, **kinds, **parts}


# -- pickers ---------------------------------------------------------------------------------------


def notes(gate: Door, ids: Sequence[UUID], columns: Sequence[str]) -> dict[UUID, str]:
    """What is told of records beside their titles while one of them is chosen."""
    shown = gate.shown(columns)
    found = query.some(gate, ids, shown) if shown else []
    reader = reader_of(gate.ctx, gate.live, found, shown)
    return {record.id: " · ".join(_facts(gate.live, record, shown, reader)) for record in found}


def _facts(live: LiveTable, record: Record, columns: Sequence[str], reader: Reader) -> Iterator[str]:
    for path in columns:
        found = live.table.by_id.get(path)
        value = record[path]
        text = record.masked.get(path) or (live.analysis.show(live.table, found, value, reader) if found else "")
        if text and text != record.title:
            yield text


# -- boards ----------------------------------------------------------------------------------------

CARDS = 50


@dataclass
class Lane:
    """A column of a board: a value of the grouping field and its records.

    What is none of the field's options comes together in one lane, into which no card can be put.
    """

    value: str
    label: Sentence
    tone: str
    where: str
    counted: query.Counted
    others: bool = False
    folded: bool = False
    cards: list[dict[str, Any]] = field(default_factory=list)
    sums: Sequence[tuple[Sentence, str]] = ()

    @property
    def count(self) -> int:
        return self.counted.count


@dataclass
class Board:
    """The lanes of a board, and what its filter is drawn from."""

    gate: Door
    lanes: list[Lane]
    conditions: list[Condition] | None
    filter_fields: FilterFields
    problem: Sentence | None


def board(ctx: Context, inst: Installed, view: Kanban, wishes: Wishes) -> Board:
    """The lanes of a board by a choice field or the flow's state."""
    table = live(ctx, inst, view.table)
    gate = door(ctx, table)
    gate.require("read")
    by = view.group
    if by not in {*names_of(table), *table.table.facet_paths} or not gate.readable(by.partition(".")[0]):
        raise NotFound
    columns = gate.shown([c for c in view.card if c in names_of(table)])
    listing, problem = listing_of(gate, view, wishes, columns)
    lanes = _lanes(table, by, query.groups(gate, listing, by, view.sums))
    for lane in lanes:
        told = list(dict.fromkeys([*columns, by])) if lane.others else columns
        where = [*listing.where, Formula.of(lane.where)]
        found = query.page(gate, Listing(told, where, listing.sort, listing.search, size=CARDS)).records
        reader = reader_of(ctx, table, found, told)
        lane.cards = [card_of(table, r, told, reader) for r in found]
        lane.sums = [(label_of(table, p), table.table.by_id[p].show(n, reader)) for p, n in lane.counted.sums.items()]
        lane.folded = lane.value in view.folded and not lane.others
    conditions = conditions_of(wishes)
    return Board(gate, lanes, conditions, _filter_fields(gate, conditions or ()), problem)


def _lanes(table: LiveTable, by: str, counts: Mapping[Any, query.Counted]) -> list[Lane]:
    """A lane for each value there may be, before them one for what has none, after them one for all others."""
    found = table.table.by_id.get(by)
    known: list[tuple[str, Sentence, str]]
    if isinstance(found, Choice) and not found.source:
        known = [(o.id, o.label or Text.of(o.id), o.color) for o in found.options if not o.hidden or counts.get(o.id)]
    elif by == "flow.state":
        known = [(state, message, tone) for state, (tone, message) in STATES.items()]
    else:
        known = [(str(v), Text.of(str(v)), "gray") for v in sorted(v for v in counts if v)]
    lanes = [
        Lane(v, label, tone, f"{by} = {literal_source(v)}", counts.get(v) or query.Counted())
        for v, label, tone in known
    ]
    blank = [Lane("", say("(blank)"), "gray", f"ISBLANK({by})", counts[None])] if counts.get(None) else []
    ids = {v for v, _, _ in known}
    rest = [counted for v, counted in counts.items() if v and v not in ids]
    among = ", ".join(literal_source(v) for v in sorted(ids)) or '""'
    others = f"AND(NOT(ISBLANK({by})), NOT({by} IN {{{among}}}))"
    return [*blank, *lanes, *([Lane("", say("Other"), "gray", others, _together(rest), others=True)] if rest else [])]


def _together(counted: Sequence[query.Counted]) -> query.Counted:
    sums: dict[str, Decimal] = {}
    for one in counted:
        for path, total in one.sums.items():
            sums[path] = sums.get(path, Decimal(0)) + total
    return query.Counted(sum(one.count for one in counted), sums)


def card_of(table: LiveTable, record: Record, columns: Sequence[str], reader: Reader) -> dict[str, Any]:
    def url(target: str, id: UUID) -> str:
        return f"/a/{table.inst.slug}/t/{target}/{id}"

    facts = []
    for path in columns:
        _, _, draw = _cell(table, path, reader, url)
        if inner := cells.mask(record.masked[path]) if path in record.masked else draw(record[path]):
            facts.append((label_of(table, path), Markup(inner.replace("<a ", "<span ").replace("</a>", "</span>"))))
    return {
        "id": str(record.id),
        "title": record.title,
        "facts": facts,
        "url": f"/a/{table.inst.slug}/t/{table.id}/{record.id}",
    }


def gallery(ctx: Context, shown: Shown, view: Gallery) -> list[dict[str, Any]]:
    """The records of a page as cards, each with the address of its first picture."""
    table, records = shown.live, shown.page.records
    columns = [c for c in view.card if shown.gate.visible(c) and c in names_of(table)]
    reader = reader_of(ctx, table, records, columns)
    base = f"/files/{table.inst.slug}/{table.id}/-/{view.cover}"
    made = []
    for record in records:
        pictures = record[view.cover] if view.cover else None
        cover = f"{base}/{pictures[0]}" if isinstance(pictures, list) and pictures else ""
        made.append({**card_of(table, record, columns, reader), "cover": cover})
    return made
