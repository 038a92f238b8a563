"""What the names in a formula mean, seen from a record of a table."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING

from schemas.fields.rollup import Rollup
from schemas.fields.rows import Rows
from schemas.formula import Reference, Type
from schemas.formula.types import DEPARTMENT_FACTS, MEMBER_FACTS, TEXT, array_of, link_to
from schemas.messages import Message, say
from schemas.table import FLOW_FACTS, SYSTEM_FIELDS, Table

if TYPE_CHECKING:
    from schemas.analysis import Analysis
    from schemas.fields import Field


ASKED = ("lookup",)
"""Field types that are not among a record's own values: their value is an answer of the world."""


WHOLE = {"text": TEXT}
"""What every value of several parts offers besides its own: itself as a text."""


@dataclass(frozen=True)
class _Place:
    """Where a path has come to: the type there, and what was met on the way."""

    type: Type
    volatile: bool = False
    hops: int = 0


@dataclass(frozen=True)
class TableScope:
    """Names in a formula about a record of `table`.

    `row` is the subform whose row the formula is about (its columns come first), `this` the table that
    the name `this` stands for, with the columns of `this_row` first where it is a row of that, `extra` further names
    with their types. `reading` is for what a reader asks: only there is something calculated for each reader.
    """

    analysis: "Analysis"
    table: Table
    row: Rows | None = None
    this: Table | None = None
    this_row: Rows | None = None
    extra: Mapping[str, Type] = field(default_factory=dict)
    reading: bool = False

    def resolve(self, path: tuple[str, ...]) -> Reference | Message:
        place = self._first(path[0], path[1:])
        if isinstance(place, Message):
            return place
        rest = path[2:] if path[0] == "flow" and path[0] not in self.extra else path[1:]
        if (column := self._of_this_row(path)) is not None:
            place, rest = column, path[2:]
            if isinstance(place, Message):
                return place
        for name in rest:
            place = self._step(place, name)
            if isinstance(place, Message):
                return place
        return Reference(path=path, type=place.type, volatile=place.volatile, hops=place.hops)

    def _of_this_row(self, path: tuple[str, ...]) -> _Place | Message | None:
        """A column of the row that is being filled in, by `this.column`."""
        if path[0] != "this" or self.this_row is None or self.this is None or len(path) < 2:
            return None
        column = self.this_row.column(path[1])
        return TableScope(self.analysis, self.this, self.this_row)._field(column, self.this_row) if column else None

    def names(self) -> dict[str, Type]:
        """Every name that a formula may begin with here."""
        if not self.table.id:
            return dict(self.extra)
        names = {**SYSTEM_FIELDS, **{f.id: self.analysis.type_of(self.table, f) for f in self.table.fields}}
        if self.row:
            names |= {c.id: self.analysis.type_of(self.table, c, self.row) for c in self.row.fields}
        sides = {id: array_of(link_to(other.id)) for id, (other, _) in self.analysis.reverses(self.table).items()}
        return {**sides, **names, **self.extra}

    def _first(self, name: str, rest: tuple[str, ...]) -> _Place | Message:
        if name in self.extra:
            return _Place(self.extra[name])
        if not self.table.id:
            return self._of_no_record(name)
        if self.row and (column := self.row.column(name)):
            return self._field(column, self.row)
        if found := self.table.by_id.get(name):
            return self._field(found, None)
        if (side := self.analysis.reverses(self.table).get(name)) is not None:
            return _Place(array_of(link_to(side[0].id)), hops=1)
        if name == "this" and self.this is not None and not self.this.id:
            return self._of_no_record(name)
        if name == "this":
            return _Place(link_to((self.this or self.table).id))
        if name == "flow":
            return _Place(FLOW_FACTS[rest[0]]) if rest and rest[0] in FLOW_FACTS else say("'flow' offers: state")
        if name in SYSTEM_FIELDS:
            return _Place(SYSTEM_FIELDS[name])
        return _stranger(
            name,
            [
                *self.table.by_id,
                *self.analysis.reverses(self.table),
                *((c.id for c in self.row.fields) if self.row else ()),
                *SYSTEM_FIELDS,
            ],
        )

    def _of_no_record(self, name: str) -> Message:
        if self.extra:
            known = ", ".join(sorted(self.extra))
            return say(
                "this flow has no record: '{name}' is none of what its steps know ({known})", name=name, known=known
            )
        return say("this flow has no record, and no step gives '{name}'", name=name)

    def _field(self, found: "Field", row: Rows | None) -> _Place | Message:
        if found.type == "query":
            return say("'{name}' shows records and has no value; use a rollup for a figure over them", name=found.id)
        if isinstance(found, Rollup) and found.per_reader and not self.reading:
            return say(
                "'{name}' differs from reader to reader: views, filters and dashboards may use it, but nothing is calculated from it",
                name=found.id,
            )
        kind = self.analysis.type_of(self.table, found, row)
        asked = found.type in ASKED or (kind.kind == "array" and kind.of is not None and kind.of.kind == "link")
        return _Place(kind, self.analysis.is_volatile(self.table, found, row), int(asked))

    def _step(self, place: _Place, name: str) -> _Place | Message:
        kind, lifted = place.type, False
        if kind.kind == "array" and kind.of is not None:
            kind, lifted = kind.of, True
        reached = self._member_of(kind, name, place)
        if isinstance(reached, Message) or not (lifted or place.type.kind == "rows"):
            return reached
        return _Place(array_of(reached.type), reached.volatile, reached.hops)

    def _member_of(self, kind: Type, name: str, place: _Place) -> _Place | Message:
        """What `.name` is, of one value of this type. Facts of people change without a write, so they are volatile."""
        if kind.kind == "link":
            return self._across_link(kind, name, place)
        if kind.kind == "rows":
            return self._column(kind, name, place)
        if kind.parts is not None:
            found = WHOLE.get(name) or kind.parts.get(name)
            return _Place(found, place.volatile, place.hops) if found else _stranger(name, list(kind.parts))
        facts = {"member": MEMBER_FACTS, "department": DEPARTMENT_FACTS}.get(kind.kind)
        if facts is None:
            return say("'{name}' cannot be asked of {kind}", name=name, kind=kind.kind)
        if name not in facts:
            return _stranger(name, list(facts))
        return _Place(facts[name], True, place.hops + 1)

    def _across_link(self, kind: Type, name: str, place: _Place) -> _Place | Message:
        target = self.analysis.app.table(kind.target or "")
        if target is None:
            return say("there is no table '{table}'", table=kind.target)
        scope = TableScope(self.analysis, target, reading=self.reading)
        reached = scope._first(name, ("state",))
        if isinstance(reached, Message) or name == "flow":
            return _stranger(name, [*target.by_id, *SYSTEM_FIELDS])
        return _Place(reached.type, place.volatile or reached.volatile, place.hops + 1)

    def _column(self, kind: Type, name: str, place: _Place) -> _Place | Message:
        rows = self.table.by_id.get(kind.target or "")
        if not isinstance(rows, Rows) or (column := rows.column(name)) is None:
            return _stranger(name, [c.id for c in rows.fields] if isinstance(rows, Rows) else [])
        reached = self._field(column, rows)
        if isinstance(reached, Message):
            return reached
        return _Place(reached.type, place.volatile or reached.volatile, max(place.hops, reached.hops))


def _stranger(name: str, known: list[str]) -> Message:
    near = get_close_matches(name, known, n=1)
    if near:
        return say("there is no field '{name}' (did you mean '{near}'?)", name=name, near=near[0])
    return say("there is no field '{name}'", name=name)
