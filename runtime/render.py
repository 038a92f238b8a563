"""Definitions dressed for templates: a field, its value, what was typed and what was wrong with that."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any
from uuid import UUID

from runtime import files, offers, public_links, ranges
from runtime.actors import PublicLink
from runtime.context import Context
from runtime.input_names import off_page, on_page
from runtime.people import Directory
from runtime.query import titles
from runtime.tables import LiveTable
from schemas.access import WRITES
from schemas.analysis import Analysis
from schemas.events import Event
from schemas.fields import Field, Reader
from schemas.fields.button import Button
from schemas.fields.choice import Choice
from schemas.fields.file import File, viewed_as
from schemas.fields.link import Link
from schemas.fields.member import People
from schemas.fields.number import footer
from schemas.fields.rich_text import RichText
from schemas.fields.rows import Rows
from schemas.filling import Values
from schemas.form import Block, Form, Tab
from schemas.markup import PICTURE
from schemas.public_link import offers_records
from schemas.rules import State
from schemas.text import Sentence, Text

PEOPLE = ("member", "department")


@dataclass(frozen=True)
class Picked:
    """What a picker or a file list shows of one chosen thing."""

    id: str
    text: str
    note: str = ""
    url: str = ""
    size: int = 0
    thumbnail: str = ""
    view: str = ""
    """Where a browser shows it, if it may."""


_dashed = re.compile(r"\W", re.ASCII).sub


@dataclass
class BoundField:
    """A field on a page. Not frozen, as a form makes hundreds and setting each attribute past a guard takes long."""

    field: Field
    name: str
    value: Any = None
    raw: Any = None
    shown: str = ""
    errors: Sequence[Sentence] = ()
    required: bool = False
    readonly: bool = False
    picked: Sequence[Picked] = ()
    origin: Field | None = None
    related: Any = None
    """What a query shows."""
    source: str = ""
    depends: Sequence[str] = ()
    upload: str = ""
    all_url: str = ""
    """Where all its files are had together."""
    record_url: str = ""
    press_url: str = ""
    """Where a button is pressed; empty before the record, or the row, is saved."""
    columns: Sequence[Field] = ()
    footers: Sequence[str] = ()
    """What stands below each column; empty where nothing does."""
    rows: Sequence["BoundRow"] = ()
    blank_row: "BoundRow | None" = None
    offered: Collection[str] | None = None
    """The options that may be chosen; None for all of them."""
    hidden: bool = False
    """A cell of a subform that a rule hides in this row."""
    span: int = 0
    """Of twelve columns; 0 shares the line evenly."""
    masked: str = ""
    """What is shown instead of a value of which the reader may see no more than its mask."""
    replaces: bool = False
    """What is entered takes the place of a value that is not shown; left empty, that one stays."""
    pictures: str = ""
    """Where a reader finds the pictures of its text who is no member."""
    asks: Sequence[Event] = ()
    """Events of the form whose buttons stand beside it."""
    fixed: bool = False
    """Rows can be neither added nor taken away."""

    @cached_property
    def id(self) -> str:
        return "f-" + _dashed("-", off_page(self.name))

    @property
    def text(self) -> str:
        """What stands in a text input: what was typed if it could not be read, else the value."""
        if isinstance(self.raw, str):
            return self.raw
        return self.field.typed(self.value)

    @property
    def html(self) -> str:
        """A formatted text as safe markup, its pictures where this reader finds them."""
        made = str(self.field.html(self.value))  # type: ignore[attr-defined]
        return PICTURE.sub(rf"{self.pictures}/\1?view=1", made) if self.pictures else made

    @property
    def chips(self) -> list[tuple[str, Text, str]]:
        """The options that a computed value names, where it comes from a choice."""
        options = {o.id: o for o in getattr(self.origin, "options", ())}
        items = self.value if isinstance(self.value, list) else [self.value]
        return [(o.id, o.label, o.color) for item in items if isinstance(item, str) and (o := options.get(item))]

    @cached_property
    def choices(self) -> list[tuple[str, Text, str]]:
        if not isinstance(self.field, Choice):
            return []
        kept = self.value if isinstance(self.value, list) else [self.value]
        return [
            (o.id, o.label, o.color)
            for o in self.field.options
            if (not o.hidden and (self.offered is None or o.id in self.offered)) or o.id in kept
        ]

    @property
    def carried(self) -> list[str]:
        """What is sent for a field out of sight, so that nothing typed is lost while a rule hides it."""
        value = self.value if isinstance(self.value, list) else [self.value]
        return [self.field.typed(v) for v in value if v is not None]


@dataclass(frozen=True)
class BoundRow:
    """A row of a subform on a page."""

    fields: Sequence[BoundField]
    id: str = ""
    carried: Sequence[BoundField] = ()
    """Columns out of sight, whose values are sent along."""


class Names:
    """The names of everything that a page's values point at, read at once."""

    def __init__(self, ctx: Context, live: LiveTable) -> None:
        self.ctx, self.live, self.analysis = ctx, live, live.analysis
        self.people: set[UUID] = set()
        self.records: dict[str, set[UUID]] = {}
        self.files: set[UUID] = set()

    def note(self, fields: Iterable[Field], values: Mapping[str, Any], row: Rows | None = None) -> None:
        """Remember what these values point at."""
        for found in fields:
            value = values.get(found.id)
            if isinstance(found, Rows):
                for line in value or ():
                    self.note(found.fields, line, found)
            elif value is not None:
                self._note(found, value, row)

    def note_all(self, fields: Iterable[Field], many: Sequence[Mapping[str, Any]]) -> None:
        """The same for many records, field by field; those that can point at nothing are passed over."""
        for found in fields:
            kind = self.analysis.type_of(self.live.table, found)
            inner = kind.of if kind.kind == "array" and kind.of else kind
            if inner.kind in (*PEOPLE, "link", "file", "rows"):
                for values in many:
                    self.note((found,), values)

    def _note(self, found: Field, value: Any, row: Rows | None) -> None:
        kind = self.analysis.type_of(self.live.table, found, row)
        items = value if isinstance(value, list) else [value]
        inner = kind.of if kind.kind == "array" and kind.of else kind
        ids = {i for i in items if isinstance(i, UUID)}
        if inner.kind in PEOPLE:
            self.people |= ids
        elif inner.kind == "link":
            self.records.setdefault(inner.target or "", set()).update(ids)
        elif inner.kind == "file":
            self.files |= ids

    def reader(self) -> Reader:
        """Reads values with these names."""
        return Reader(self.ctx.language, self.ctx.zone, self.found())

    def found(self) -> dict[UUID, str]:
        names = Directory.of(self.ctx).names(self.people) if self.people else {}
        if strangers := self.people - names.keys():
            names |= public_links.names(self.ctx, strangers)
        for table, ids in self.records.items():
            names |= titles(self.ctx, self.live.sibling(table), ids)
        if self.files:
            names |= {id: kept.name for id, kept in self.kept_files().items()}
        return names

    def kept_files(self) -> dict[UUID, files.Kept]:
        return files.listed(self.ctx, self.files)


@dataclass
class Binder:
    """Makes bound fields for one table in one app."""

    ctx: Context
    live: LiveTable
    reader: Reader
    record: UUID | None = None
    form: Form | None = None
    kept: Mapping[UUID, files.Kept] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)
    """The record's, for columns that depend on them."""

    @property
    def analysis(self) -> Analysis:
        return self.live.analysis

    @property
    def base(self) -> str:
        return f"/a/{self.live.inst.slug}"

    @property
    def public(self) -> str:
        """Where the pages of the public link are, when it is one that looks."""
        return self.ctx.actor.base if isinstance(self.ctx.actor, PublicLink) else ""

    def bind(self, found: Field, value: Any, *, row: Rows | None = None, number: str = "", raw: Any = None,
             errors: Sequence[Sentence] = (), required: bool = False, readonly: bool = False,
             offered: Collection[str] | None = None, hidden: bool = False, masked: str = "",
             replaces: bool = False, line: str = "") -> BoundField:  # fmt: skip
        path = f"{row.id}.{found.id}" if row else found.id
        name = f"{row.id}[{number}].{found.id}" if row else on_page(found.id)
        editable = not readonly and not found.computed
        return BoundField(
            field=found, name=name, value=value, raw=raw if errors else None,
            shown=self.analysis.show(self.live.table, found, value, self.reader, row), errors=errors,
            origin=self.analysis.origin(self.live.table, found, row) if found.computed else None,
            required=(required or found.required) and not replaces, readonly=readonly or found.computed,
            offered=offered, hidden=hidden, masked=masked, replaces=replaces and editable,
            picked=self._picked(found, value, row),
            source=self._source(found, path) if editable else "", depends=self._depends(found, row) if editable else (),
            upload=self._upload(path) if editable and self._takes_files(found) else "",
            pictures=self._files(path) if self.public and isinstance(found, RichText) else "",
            all_url=f"{self._files(path)}/all.zip"
            if isinstance(found, File) and self.record and not row and not self.public
            else "",
            record_url=self.record_url, press_url=self._press(found, path, row, line),
            asks=() if row or readonly or not self.form else [e for e in self.form.events if e.beside == found.id],
        )  # fmt: skip

    @property
    def record_url(self) -> str:
        return f"{self.base}/t/{self.live.id}/{self.record}" if self.record and not self.public else ""

    def _press(self, found: Field, path: str, row: Rows | None, line: str) -> str:
        if not isinstance(found, Button) or not self.record_url or (row and not line):
            return ""
        return f"{self.record_url}/press/{path}" + (f"?row={line}" if row else "")

    def _depends(self, found: Field, row: Rows | None) -> list[str]:
        """The fields of this form that decide which records a link may point at."""
        if isinstance(found, People):
            return ranges.depends(self.live, found)
        if isinstance(found, Choice):
            return offers.depends(found, row)
        if not isinstance(found, Link) or found.pick is None:
            return []
        return offers.read_of_form(found.pick, row)

    def _source(self, found: Field, path: str) -> str:
        if self.public:
            return "" if isinstance(found, People) or not offers_records(found) else f"{self.public}/pick/{path}"
        if isinstance(found, People) and not found.ranged:
            return f"/pick/{found.picks}"
        if not isinstance(found, People | Link) and not (isinstance(found, Choice) and found.source):
            return ""
        form = f"?form={self.form.id}" if self.form else ""
        return f"{self.base}/pick/{self.live.id}/{path}{form}"

    def _picked(self, found: Field, value: Any, row: Rows | None) -> list[Picked]:
        if isinstance(found, Choice):
            texts = value if isinstance(value, list) else [value]
            return [Picked(text, text) for text in texts if text] if found.source else []
        items = [i for i in (value if isinstance(value, list) else [value]) if isinstance(i, UUID)]
        if not items:
            return []
        kind = self.analysis.type_of(self.live.table, found, row)
        inner = kind.of if kind.kind == "array" and kind.of else kind
        path = f"{row.id}.{found.id}" if row else found.id
        return [self._one(inner.kind, inner.target or "", found, path, item) for item in items]

    def _takes_files(self, found: Field) -> bool:
        """Strangers add files, but no pictures to texts: those are shown to members alone while they are written."""
        return isinstance(found, File) or (isinstance(found, RichText) and found.pictures and not self.public)

    def _upload(self, path: str) -> str:
        return f"{self.public}/upload/{path}" if self.public else f"{self.base}/upload/{self.live.id}/{path}"

    def _files(self, path: str) -> str:
        if self.public:
            return f"{self.public}/file/{self.record or 'new'}/{path}"
        return f"/files/{self.live.inst.slug}/{self.live.id}/{self.record or 'new'}/{path}"

    def _one(self, kind: str, target: str, found: Field, path: str, id: UUID) -> Picked:
        name = self.reader.names.get(id, "")
        if kind == "link":
            return Picked(str(id), name, url=f"{self.base}/t/{target}/{id}" if name and not self.public else "")
        if kind == "file":
            return self._file(found, f"{self._files(path)}/{id}", self.kept.get(id) or files.Kept(id, name, 0, "", ""))
        return Picked(str(id), name)

    @staticmethod
    def _file(found: Field, url: str, kept: files.Kept) -> Picked:
        small = f"{url}?size=small" if isinstance(found, File) and found.pictures else ""
        view = f"{url}?view=1" if viewed_as(kept.name) else ""
        return Picked(str(kept.id), kept.name, url=url, size=kept.size, thumbnail=small, view=view)

    def bind_rows(self, found: Rows, value: Any, state: State | None = None, errors: Mapping[str, Any] | None = None,
                  readonly: bool = False, rights: Mapping[str, str] | None = None, blank: Values | None = None,
                  typed: Any = None) -> BoundField:  # fmt: skip
        """A subform with its rows. `typed` are its rows with what rules have cleared; columns out of sight are left out."""
        errors, rights, state = errors or {}, rights or {}, state or State()
        columns = [c for c in found.fields if rights.get(f"{found.id}.{c.id}") != "hidden"]
        shown = [c for c in columns if f"{found.id}.{c.id}" not in state.hidden]
        unseen = [c for c in columns if c not in shown and not c.computed and not readonly]

        def cell(column: Field, number: str, values: Mapping[str, Any], kept: Mapping[str, Any]) -> BoundField:
            path = f"{found.id}[{number}].{column.id}"
            whole = f"{found.id}.{column.id}"
            hidden = state.is_hidden(path)
            return self.bind(
                column, (kept if hidden else values).get(column.id), row=found, number=number,
                raw=values.get(f"raw:{column.id}"), errors=errors.get(path, ()),
                required=bool({path, whole} & state.required),
                readonly=readonly or rights.get(whole, "write") not in WRITES or bool({path, whole} & state.readonly),
                offered=_both(state.options(path), _offered(column, {**self.values, **values})), hidden=hidden,
                masked=values.get(f"mask:{column.id}", ""),
                replaces=rights.get(whole) == "replace" and bool(values.get("_id")), line=str(values.get("_id") or ""),
            )  # fmt: skip

        def line(values: Mapping[str, Any], number: str, kept: Mapping[str, Any]) -> BoundRow:
            cells, carried = ([cell(c, number, values, kept) for c in some] for some in (shown, unseen))
            return BoundRow(cells, str(values.get("_id") or ""), carried)

        lines = list(value or ())
        kept = list(typed or ()) if len(typed or ()) == len(lines) else lines
        footers = [footer(c, [values.get(c.id) for values in lines], self.reader) for c in shown]
        return BoundField(
            field=found, name=found.id, value=value, errors=errors.get(found.id, ()), readonly=readonly, columns=shown,
            footers=footers if any(footers) else (),
            rows=[line(v, str(n), k) for n, (v, k) in enumerate(zip(lines, kept, strict=True))],
            blank_row=line(blank or {}, "new", {}), required=found.required or found.id in state.required,
        )  # fmt: skip


@dataclass(frozen=True)
class BoundTab:
    """A tab on a page, with how many problems stand in it."""

    tab: Tab
    blocks: Sequence["BoundBlock"]

    @property
    def problems(self) -> int:
        cells = (cell for f in _fields_in(self.blocks) for cell in (f, *(c for row in f.rows for c in row.fields)))
        return sum(len(cell.errors) for cell in cells)


@dataclass(frozen=True)
class BoundBlock:
    """A row, section, tabs, divider or note on a page, with the fields that are visible now."""

    block: Block
    lines: Sequence[Sequence[BoundField]] = ()
    tabs: Sequence[BoundTab] = ()
    place: str = ""
    """Where it stands in the layout, for the ids of its elements."""

    @property
    def wrong(self) -> bool:
        """Whether something in it needs attention, so that it must not stay folded."""
        return any(f.errors or any(c.errors for row in f.rows for c in row.fields) for f in _fields_in([self]))


def _fields_in(blocks: Iterable[BoundBlock]) -> Iterator[BoundField]:
    for block in blocks:
        for line in block.lines:
            yield from line
        for tab in block.tabs:
            yield from _fields_in(tab.blocks)


def lay_out(form: Form, bound: Callable[[str], BoundField | None], hidden: Collection[str] = ()) -> list[BoundBlock]:
    """The form's blocks with what `bound` gives for each field; what is hidden or has become empty is left out."""

    def blocks(layout: Iterable[Block], place: str) -> list[BoundBlock]:
        made = [block(one, f"{place}{n}") for n, one in enumerate(layout) if one.id not in hidden]
        return [b for b in made if b.lines or b.tabs or b.block.divider or b.block.note]

    def block(one: Block, place: str) -> BoundBlock:
        lines = [line for ids in one.lines if (line := row(ids))]
        tabs = [BoundTab(t, blocks(t.layout, f"{place}-{t.id}-")) for t in one.tabs if t.id not in hidden]
        return BoundBlock(one, lines, [t for t in tabs if t.blocks], place)

    def row(ids: Sequence[str]) -> list[BoundField]:
        spans = form.spans(ids) or [0] * len(ids)
        found = ((bound(id), span) for id, span in zip(ids, spans, strict=True))
        return [replace(f, span=span) for f, span in found if f]

    return blocks(form.layout, "")


@dataclass(frozen=True)
class BoundForm:
    """A form on a page."""

    form: Form
    live: LiveTable
    blocks: Sequence[BoundBlock]
    errors: Mapping[str, Sequence[Sentence]] = field(default_factory=dict)
    record: UUID | None = None
    version: int | None = None
    carried: Mapping[str, Any] = field(default_factory=dict)
    """What was filled in where a rule now hides it, as JSON; sent along, so that nothing is lost by a change of mind."""

    def __iter__(self) -> Iterator[BoundField]:
        yield from _fields_in(self.blocks)

    def mapped(self, change: Callable[[BoundField], BoundField]) -> "BoundForm":
        """The same form with every field changed."""

        def blocks(given: Sequence[BoundBlock]) -> list[BoundBlock]:
            return [
                replace(
                    b, lines=[[change(f) for f in line] for line in b.lines],
                    tabs=[replace(t, blocks=blocks(t.blocks)) for t in b.tabs],
                )
                for b in given
            ]  # fmt: skip

        return replace(self, blocks=blocks(self.blocks))

    @property
    def general(self) -> list[Sentence]:
        """Problems of the whole record, or of fields that the form does not show."""
        shown = {off_page(f.name) for f in self}
        return [
            m for path, messages in self.errors.items() if re.split(r"[.\[]", path)[0] not in shown for m in messages
        ]

    @property
    def summary(self) -> list[tuple[str, Text, Sentence]]:
        """(DOM id, label, message) for each problem beside a field."""
        listed: list[tuple[str, Text, Sentence]] = []
        for bound in self:
            cells = [cell for row in bound.rows for cell in row.fields]
            for one in (bound, *cells):
                listed.extend((one.id, one.field.label or Text.of(one.field.id), m) for m in one.errors)
        return listed


def bind_form(
    ctx: Context, live: LiveTable, form: Form, values: Values, *, state: State, rights: Mapping[str, str],
    raw: Mapping[str, Any] | None = None, errors: Mapping[str, Sequence[Sentence]] | None = None,
    record: UUID | None = None, version: int | None = None, blanks: Mapping[str, Values] | None = None,
    typed: Values | None = None, masked: Mapping[str, str] | None = None,
) -> BoundForm:  # fmt: skip
    """The form as this person sees it for these values. `rights` says what each path may be.

    `typed` are the values with those that rules have cleared: they are sent along, in case the rules change their mind.
    """
    errors, raw, typed = errors or {}, raw or {}, typed or values
    names = Names(ctx, live)
    names.note(live.table.fields, values)
    binder = Binder(ctx, live, names.reader(), record, form, names.kept_files() if names.files else {}, values)

    def bound(id: str) -> BoundField | None:
        found = live.table.by_id[id]
        right = rights.get(id, "hidden")
        if right == "hidden" or id in state.hidden:
            return None
        if isinstance(found, Button) and (values.get(id) is not True or "form" not in found.show_in):
            return None
        readonly = right not in WRITES or id in state.readonly or found.computed
        if isinstance(found, Rows):
            return binder.bind_rows(
                found, values.get(id), state, errors, readonly, rights, (blanks or {}).get(id), typed.get(id)
            )
        return binder.bind(
            found,
            values.get(id),
            raw=raw.get(id),
            errors=errors.get(id, ()),
            required=id in state.required,
            readonly=readonly,
            offered=_both(state.options(id), _offered(found, values)),
            masked=(masked or {}).get(id, ""),
            replaces=right == "replace" and record is not None,
        )

    unseen = [id for id in form.placed if id in state.hidden and rights.get(id) == "write"]
    carried = {id: _sent_along(live.table.by_id[id], typed[id]) for id in unseen if typed.get(id) is not None}
    return BoundForm(form, live, lay_out(form, bound, state.hidden), errors, record, version, carried)


def _offered(found: Field, values: Mapping[str, Any]) -> frozenset[str] | None:
    """The options that go with the answer which a choice depends on."""
    return found.offered_for(values.get(found.depends_on or "")) if isinstance(found, Choice) else None


def _both(some: frozenset[str] | None, others: frozenset[str] | None) -> frozenset[str] | None:
    return others if some is None else some if others is None else some & others


def _sent_along(found: Field, value: Any) -> Any:
    """A value as JSON that reads back as itself; rows keep who they are."""
    if not isinstance(found, Rows):
        return found.dump(value)
    ids = [{"_id": str(row["_id"])} if row.get("_id") else {} for row in value]
    return [{**id, **row} for id, row in zip(ids, found.dump(value), strict=True)]
