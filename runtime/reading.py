"""Formulas about one record as its reader sees it: what is hidden or masked from them is blank, beyond links as well."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from markupsafe import Markup, escape

from runtime import query
from runtime.access import Door, door
from runtime.context import Context
from runtime.files import listed
from runtime.notices import spoken
from runtime.people import Directory
from runtime.query import Listing, Record
from runtime.tables import LiveTable
from schemas import markup
from schemas.errors import NotFound
from schemas.fields import Field, Reader
from schemas.fields.rich_text import RichText
from schemas.fields.rows import Rows
from schemas.formula import ErrorValue, Expression, Formula, Need, Type, World, evaluate
from schemas.formula.tree import Name
from schemas.table import SYSTEM_FIELDS
from schemas.text import Text
from schemas.wording import parts_of

MOST_BEYOND = 500
"""How many records of a reverse side a formula reads."""


@dataclass
class Reading:
    """A record, what formulas about it come to for this reader, and how that is shown in a language."""

    gate: Door
    record: Record
    language: str
    _values: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self._values = {"our_company": self.ctx.workspace.title, **values_of(self.record)}

    @property
    def ctx(self) -> Context:
        return self.gate.ctx

    @property
    def live(self) -> LiveTable:
        return self.gate.live

    def expression(self, formula: Formula, rows: Rows | None = None) -> Expression:
        """The checked formula. Raises FormulaError."""
        analysis, table = self.live.analysis, self.live.table
        return analysis.expression(formula, analysis.printing_scope(table, rows))

    def value(self, formula: Formula, rows: Rows | None = None, row: Mapping[str, Any] | None = None) -> Any:
        """What a formula comes to, in a row of a subform where one is given. Raises FormulaError."""
        expression = self.expression(formula, rows)
        values = {**self._values, **(row or {})}
        answers = {need: self._answer(need, values, rows) for need in expression.needs}
        ctx = self.ctx
        me = ctx.actor.id if ctx.actor.kind == "member" else None
        return evaluate(expression, values, World(now=ctx.now, zone=ctx.zone, me=me, answers=answers))

    def holds(self, formula: Formula | None) -> bool:
        """Whether a condition is met; one that cannot be worked out is not."""
        return formula is None or self.value(formula) is True

    # -- beyond the record -------------------------------------------------------------------------

    def _answer(self, need: Need, values: Mapping[str, Any], rows: Rows | None) -> Any:
        if need.kind == "me":
            me = self.ctx.actor.id if self.ctx.actor.kind == "member" else None
            return Directory.of(self.ctx).follow("member", me, need.path) if need.path else me
        return self._read(self.live, self.record.id, values, need.path, rows)

    def _read(
        self, live: LiveTable, record: UUID, values: Mapping[str, Any], path: Sequence[str], rows: Rows | None = None
    ) -> Any:
        """The value of a path; through lists the list of what each gives."""
        first, *rest = path
        if first in ("this", "id"):
            return self._read(live, record, values, rest) if rest else record
        column = rows.column(first) if rows else None
        found: Field | None = column or live.table.by_id.get(first)
        if found is None and (side := live.analysis.reverses(live.table).get(first)) is not None:
            there = live.sibling(side[0].id)
            return [self._of_record(there, id, rest) for id in self._pointing(there, side[1], record)]
        if isinstance(found, Rows):
            lines = values.get(first) or ()
            return [self._read(live, record, {**values, **line}, rest, found) for line in lines] if rest else lines
        kind = live.analysis.type_of(live.table, found, rows if column else None) if found else SYSTEM_FIELDS.get(first)
        return self._follow(live, kind, values.get(first), rest)

    def _follow(self, live: LiveTable, kind: Type | None, value: Any, rest: Sequence[str]) -> Any:
        if not rest or value is None or kind is None or isinstance(value, ErrorValue):
            return value
        if kind.kind == "array":
            return [self._follow(live, kind.of, item, rest) for item in value]
        if kind.parts is not None:
            return self._follow(live, kind.parts.get(rest[0]), value.get(rest[0]), rest[1:])
        if kind.kind == "link":
            return self._of_record(live.sibling(kind.target or ""), value, rest)
        return Directory.of(self.ctx).follow(kind.kind, value, rest)

    def _of_record(self, live: LiveTable, id: UUID, rest: Sequence[str]) -> Any:
        found = self._fetched(live, id)
        if found is None:
            return None
        return self._read(live, id, values_of(found), rest) if rest else id

    def _fetched(self, live: LiveTable, id: UUID) -> Record | None:
        """Another record, for one who may read it."""
        kept: dict[UUID, Record | None] = self.ctx.memo.setdefault(("read for print", live), {})
        if id not in kept:
            gate = door(self.ctx, live)
            try:
                kept[id] = query.fetch(gate, id) if gate.may("read") else None
            except NotFound:
                kept[id] = None
        return kept[id]

    def _pointing(self, there: LiveTable, link: str, record: UUID) -> list[UUID]:
        gate = door(self.ctx, there)
        if not gate.may("read") or not gate.readable(link):
            return []
        return [r.id for r in query.linked(gate, Listing(size=MOST_BEYOND), link, record)][::-1]

    # -- in words ------------------------------------------------------------------------------------

    def filled(self, text: Text) -> Markup:
        """A text with its formulas filled in, as markup: line breaks stay, formatted text keeps its format."""
        line = text.in_language(self.language)
        parts = (self.marked(p) if isinstance(p, Formula) else lines(p) for p in parts_of(line))
        return Markup("").join(parts)

    def filled_plainly(self, text: Text) -> str:
        """The same as plain text."""
        line = text.in_language(self.language)
        return "".join(self.shown(p) if isinstance(p, Formula) else p for p in parts_of(line))

    def marked(self, formula: Formula) -> Markup:
        """A formula's value as markup."""
        if isinstance(self._field_of(self.expression(formula), None), RichText):
            value = self.value(formula)
            return Markup(markup.safe(value)) if isinstance(value, str) else lines(self.shown(formula))  # noqa: S704 (made safe)
        return lines(self.shown(formula))

    def shown(self, formula: Formula, rows: Rows | None = None, row: Mapping[str, Any] | None = None) -> str:
        """A formula's value as a person reads it: like the field that it names, else plainly."""
        name = formula.source.strip()
        if rows is None and name in self.record.masked:
            return self.record.masked[name]
        if row and f"mask:{name}" in row:
            return str(row[f"mask:{name}"])
        expression = self.expression(formula, rows)
        found = self._field_of(expression, rows)
        value = self._raw(expression, rows, row) if found is not None else self.value(formula, rows, row)
        if isinstance(value, ErrorValue):
            return value.code
        if name == "flow.state":
            return state_words(value, self.language)
        reader = Reader(self.language, self.ctx.zone, self.names(expression.type, value))
        if found is None:
            return plainly(value, reader)
        if isinstance(value, list) and not found.several:
            return ", ".join(text for item in value if (text := found.show(item, reader)))
        return found.show(value, reader)

    def _raw(self, expression: Expression, rows: Rows | None, row: Mapping[str, Any] | None) -> Any:
        """The value at the end of a path as its field holds it: an address with its parts."""
        tree = expression.formula.tree
        assert isinstance(tree, Name)
        return self._read(self.live, self.record.id, {**self._values, **(row or {})}, tree.path, rows)

    def _field_of(self, expression: Expression, rows: Rows | None) -> Field | None:
        """The field that a formula names, as which its value is shown."""
        tree = expression.formula.tree
        return self.live.analysis.end(self.live.table, tree.path, rows) if isinstance(tree, Name) else None

    def names(self, kind: Type, value: Any) -> dict[UUID, str]:
        """Names for the ids in a value, as far as the reader may know them."""
        inner = kind.of if kind.kind == "array" and kind.of else kind
        ids = {item for item in (value if isinstance(value, list) else [value]) if isinstance(item, UUID)}
        if not ids:
            return {}
        if inner.kind == "link":
            return query.titles(self.ctx, self.live.sibling(inner.target or ""), ids)
        if inner.kind == "file":
            return {id: kept.name for id, kept in listed(self.ctx, ids).items()}
        return Directory.of(self.ctx).names(ids)


def state_words(state: str | None, language: str) -> str:
    """How a record's flow stands, in words."""
    from runtime.progress import STATES

    return spoken(STATES[state][0], language) if state in STATES else ""


def values_of(record: Record) -> dict[str, Any]:
    """A record's values by the names that formulas know."""
    state = {"state": record.system.get("flow.state")}
    return {**record.system, **record.values, "flow": state, "this": record.id, "id": record.id}


def lines(text: str) -> Markup:
    """Plain text as markup that keeps its line breaks."""
    return Markup("<br>").join(escape(line) for line in text.replace("\r\n", "\n").split("\n"))


def plainly(value: Any, reader: Reader) -> str:
    """A value that belongs to no field."""
    if isinstance(value, list | tuple):
        return ", ".join(plainly(item, reader) for item in value if item is not None)
    if isinstance(value, UUID):
        return reader.names.get(value, "")
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, bool):
        return ("是" if value else "否") if reader.language == "zh" else ("yes" if value else "no")
    if hasattr(value, "astimezone"):
        return f"{value.astimezone(reader.zone):%Y-%m-%d %H:%M}"
    return "" if value is None else str(value)
