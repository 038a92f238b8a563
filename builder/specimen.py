"""Records to show an app with before it is installed: those of its sample data, or made up from its definition."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from runtime import sample
from runtime.sample import Files, Keys
from schemas import filling
from schemas.app import App
from schemas.errors import DefinitionError
from schemas.fields import Field, Reader
from schemas.fields.link import Link
from schemas.fields.rows import Rows
from schemas.formula import Expression, World, evaluate
from schemas.table import Table

SPACE = UUID("6f1f7a1e-6f0b-4a57-9d5e-0d2b1d6c0f11")
MADE_UP = 8
"""Records of each table where the package brings none."""
MOST = 200
PEOPLE = {"zh": ("王芳", "李明", "陈晨", "刘洋"), "en": ("Ada Park", "Ben Reyes", "Chen Li", "Dora Novak")}
UNITS = {"zh": ("运营部", "财务部"), "en": ("Operations", "Finance")}
Values = dict[str, Any]


@dataclass(frozen=True)
class Entry:
    """A record of the specimen."""

    id: UUID
    values: Values


class Specimen:
    """The records of an app that is not installed, with the names of whatever they point at."""

    def __init__(self, app: App, files: Files | None, language: str, zone: ZoneInfo, now: datetime) -> None:
        self.app, self.language, self.zone, self.now = app, language, zone, now
        self.files = files
        self._entries: dict[str, list[Entry]] = {}

    @cached_property
    def _sample(self) -> Any:
        try:
            return sample.index_of(self.files) if self.files is not None else None
        except DefinitionError:
            return None

    @cached_property
    def people(self) -> dict[UUID, str]:
        """The members by id; the first of them is who looks."""
        names = [(m.key, m.name) for m in self._sample.members] if self._sample else []
        return {_id("member", key): name for key, name in names} or {
            _id("member", name): name for name in PEOPLE.get(self.language, PEOPLE["en"])
        }

    @cached_property
    def units(self) -> dict[UUID, str]:
        names = [(d.key, d.name) for d in self._sample.departments] if self._sample else []
        return {_id("department", key): name for key, name in names} or {
            _id("department", name): name for name in UNITS.get(self.language, UNITS["en"])
        }

    def entries(self, table: Table) -> list[Entry]:
        """The records of a table with their formulas worked out."""
        if table.id not in self._entries:
            self._entries[table.id] = []  # a link that leads back here finds none yet
            self._entries[table.id] = self._given(table) or self._made_up(table)
        return self._entries[table.id]

    def _given(self, table: Table) -> list[Entry]:
        if not self._sample or table.id not in self._sample.tables:
            return []
        try:
            raw = sample.entries_of(self.files, table.id)[:MOST]  # type: ignore[arg-type]
            return [self._read(table, n, entry) for n, entry in enumerate(raw)]
        except DefinitionError:
            return []

    def _read(self, table: Table, number: int, entry: Mapping[str, Any]) -> Entry:
        today = self.now.astimezone(self.zone).date()
        values, _ = filling.parse(table, sample.resolved(today, table, entry, self._keys), self.zone)
        return Entry(_id(table.id, str(entry.get("@key", number))), self._calculated(table, values))

    @cached_property
    def _keys(self) -> Keys:
        """What each `@key` stands for here."""
        keys = Keys(
            members={m.key: _id("member", m.key) for m in self._sample.members},
            departments={d.key: _id("department", d.key) for d in self._sample.departments},
        )
        for table in self._sample.tables:
            raw = sample.entries_of(self.files, table)  # type: ignore[arg-type]
            keys.records[table] = {key: _id(table, key) for e in raw if (key := e.get("@key"))}
        return keys

    # -- made up -----------------------------------------------------------------------------------

    def _made_up(self, table: Table) -> list[Entry]:
        return [
            Entry(_id(table.id, str(n)), self._calculated(table, self._values(table.fields, n))) for n in range(MADE_UP)
        ]

    def _values(self, fields: Sequence[Field], number: int) -> Values:
        return {f.id: self._value(f, number) for f in fields if not f.computed}

    def _value(self, field: Field, number: int) -> Any:
        if isinstance(field, Rows):
            return [self._values(field.fields, number + n) for n in range(1 + number % 3)]
        kind = field.value_type()
        inner = (kind.of or kind).kind
        one = self._one(field, inner, number)
        return [one] if field.several and one is not None else one

    def _one(self, field: Field, kind: str, number: int) -> Any:
        made: dict[str, Callable[[], Any]] = {
            "member": lambda: [*self.people][number % len(self.people)],
            "department": lambda: [*self.units][number % len(self.units)],
            "number": lambda: filling.fit(field, Decimal((number * 7) % 9 + 1)),
            "date": lambda: (self.now + timedelta(days=number * 3 - 8)).date(),
            "datetime": lambda: self.now + timedelta(days=number * 3 - 8),
            "boolean": lambda: number % 3 != 0,
        }
        if options := getattr(field, "options", ()):
            return options[number % len(options)].id
        if isinstance(field, Link):
            return _id(field.table, str((number * 5) % MADE_UP))
        if kind in made:
            return made[kind]()
        if kind == "text" and field.type in ("text", "long_text"):
            return f"{field.label.in_language(self.language) or field.id} {number + 1}"
        return None

    # -- worked out --------------------------------------------------------------------------------

    def world(self) -> World:
        return World(self.now, self.zone, me=next(iter(self.people), None))

    def _calculated(self, table: Table, values: Values) -> Values:
        answers = self.world()
        try:
            return filling.calculate(self.app.analysis, table, values, lambda *_: answers, volatile=True)
        except Exception:  # what needs the world's answers cannot be told from a definition
            return values

    def holds(self, expression: Expression, values: Values) -> Any:
        """What a formula gives for a record; None where it needs more than the record."""
        try:
            return evaluate(expression, values, self.world())
        except Exception:
            return None

    def title(self, table: Table, entry: Entry) -> str:
        """The title of a record."""
        analysis = self.app.analysis
        if table.title_formula is not None:
            found = self.holds(analysis.expression(table.title_formula, analysis.scope(table)), entry.values)
            if isinstance(found, str):
                return found
        first = next((f.id for f in table.fields if f.type in ("text", "serial") and entry.values.get(f.id)), None)
        return str(entry.values[first]) if first else ""

    def reader(self, tables: Sequence[Table]) -> Reader:
        """Who reads values, with names for everything that the records of these tables point at."""
        names = {**self.people, **self.units}
        linked = {f.table for t in tables for f in _all_fields(t) if isinstance(f, Link)}
        for id in linked:
            target = self.app.table(id)
            if target is not None:
                names |= {e.id: self.title(target, e) for e in self.entries(target)}
        return Reader(self.language, self.zone, names)


def _all_fields(table: Table) -> list[Field]:
    return [f for field in table.fields for f in (field, *(field.fields if isinstance(field, Rows) else ()))]


def _id(kind: str, key: str) -> UUID:
    return uuid5(SPACE, f"{kind}/{key}")
