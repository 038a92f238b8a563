"""The names that a formula may use in one place of the builder, with the labels that people know them by."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from runtime.wording import translate
from schemas.analysis import Analysis
from schemas.dependencies import Circle
from schemas.fields import field_types
from schemas.fields.rows import Rows
from schemas.formula import Expression, FormulaError
from schemas.formula.tree import Path
from schemas.formula.types import BOOLEAN, DEPARTMENT_FACTS, MEMBER_FACTS, NUMBER, TEXT, WORDS, Type, array_of, link_to
from schemas.messages import Message, say
from schemas.scopes import TableScope
from schemas.table import NOTHING, SYSTEM_FIELDS, SYSTEM_LABELS, Table
from schemas.text import Text

FLOW_STATE = "flow.state"
FACT_LABELS: dict[str, Message] = {
    "name": say("Name"), "email": say("E-mail"), "phone": say("Phone"), "title": say("Job title"),
    "external": say("External contact"), "department": say("Department"),
    "departments": say("All departments"), "head": say("Head"), "roles": say("Roles"), "parent": say("Higher department"),
    "headed_departments": say("Headed departments"),
}  # fmt: skip
GIVEN_LABELS: dict[str, Message] = {
    "before": say("Before the change"), "planned": say("The planned time"), "payload": say("What was sent"),
    "answer": say("The answer"),
}  # fmt: skip
RESULTS = {"boolean": BOOLEAN, "number": NUMBER, "text": TEXT}
FACTS: dict[str, Mapping[str, Type]] = {"member": MEMBER_FACTS, "department": DEPARTMENT_FACTS}


@dataclass(frozen=True)
class Place:
    """Where a formula stands: about a record of which table, a subform's row, and whose record or row `this` is.

    In a `flow` it knows what the steps give, too. A `measure` is a figure over all records of the table.
    """

    table: str
    row: str = ""
    this: str = ""
    this_row: str = ""
    flow: str = ""
    measure: str = ""
    event: str = ""
    """A form and its event, whose answer is known: `order/event_1`."""

    @property
    def key(self) -> str:
        return ":".join((self.table, self.row, self.this, self.this_row, self.flow, self.measure, self.event))

    @classmethod
    def of(cls, key: str) -> "Place":
        return cls(*[*key.split(":"), *[""] * 6][:7])


@dataclass(frozen=True)
class Word:
    """A name and what people call it. `options` are those of a choice: (id, label)."""

    id: str
    label: str
    type: Type
    icon: str = "field-text"
    options: tuple[tuple[str, str], ...] = ()


class Book:
    """Every name that may be used in a place, and what each leads to."""

    def __init__(self, analysis: Analysis, place: Place) -> None:
        self.analysis, self.place = analysis, place
        table = analysis.app.table(place.table) if place.table or not place.flow else NOTHING
        rows = table.by_id.get(place.row) if table else None
        this = analysis.app.table(place.this) if place.this else None
        line = this.by_id.get(place.this_row) if this else None
        own = (part if isinstance(part, Rows) else None for part in (rows, line))
        self.flow = analysis.app.flow(place.flow) if place.flow else None
        self.scope = (
            TableScope(analysis, table, next(own), this, next(own), self._given(), bool(place.measure))
            if table
            else None
        )

    def _given(self) -> dict[str, Type]:
        """What the steps of the flow give, and the record that is looked at where `this` is another one."""
        if self.place.event:
            return self._answered()
        if self.flow is None:
            return {}
        others = self.place.this or (self.place.table and self.flow.without_record(self.analysis.app))
        looked_at = {"id": link_to(self.place.table)} if others else {}
        return {**self.analysis.results(self.flow), **looked_at}

    def _answered(self) -> dict[str, Type]:
        """What an event of a form knows besides: the answer to its request."""
        form, _, id = self.place.event.partition("/")
        found = self.analysis.app.all_forms.get(form)
        event = next((e for e in found.events if e.id == id), None) if found else None
        return event.given(form) if event else {}

    def gives(self, expression: Expression) -> bool:
        """Whether a formula reads what only a run of the flow can tell."""
        paths = expression.paths | {need.path for need in expression.needs if need.kind == "path"}
        return self.scope is not None and any(path[0] in self.scope.extra for path in paths)

    @cached_property
    def first(self) -> list[Word]:
        """What a formula may begin with."""
        if self.scope is None:
            return []
        if not self.scope.table.id:
            return _told_apart(list(self._steps()))
        words = self._words_of(self.scope)
        words.append(Word(FLOW_STATE, translate(SYSTEM_LABELS[FLOW_STATE]), TEXT, "flow"))
        if self.scope.this is not None:
            label = say("This {table}", table=self.scope.this.title or Text.of(self.scope.this.id))
            words.append(Word("this", translate(label), Type("link", target=self.scope.this.id), "form"))
        return _told_apart([*words, *self._steps()])

    def _steps(self) -> Iterator[Word]:
        """What the steps give, by their titles."""
        for id, kind in (self.scope.extra if self.scope else {}).items():
            step = self.flow.step(id) if self.flow else None
            if id in GIVEN_LABELS:
                yield Word(id, translate(GIVEN_LABELS[id]), kind, "play")
            elif step is not None:
                yield Word(id, translate(step.title) or translate(say(step.title_word)), kind, step.icon)
            else:
                yield Word(id, translate(say("The record looked at")), kind, "form")

    def members(self, kind: Type) -> list[Word]:
        """What may follow a value of this type after a dot."""
        inner = kind.of if kind.kind == "array" and kind.of else kind
        key = set_key(inner)
        if key not in self._members:
            self._members[key] = _told_apart(self._members_of(inner))
        return self._members[key]

    @cached_property
    def _members(self) -> dict[str, list[Word]]:
        return {"": []}

    def _members_of(self, kind: Type) -> list[Word]:
        if kind.kind == "link" and (target := self.analysis.app.table(kind.target or "")):
            return self._words_of(TableScope(self.analysis, target))
        if kind.parts is not None:
            return [Word(id, id, part, f"field-{part.kind}") for id, part in kind.parts.items()]
        if kind.kind == "rows" and self.scope is not None:
            rows = self.scope.table.by_id.get(kind.target or "")
            return [self._word(self.scope.table, c, rows) for c in rows.fields] if isinstance(rows, Rows) else []
        facts = FACTS.get(kind.kind, {})
        return [Word(id, translate(FACT_LABELS[id]), type, f"field-{type.kind}") for id, type in facts.items()]

    def _words_of(self, scope: TableScope) -> list[Word]:
        rows = [self._word(scope.table, c, scope.row) for c in scope.row.fields] if scope.row else []
        own = {word.id for word in rows}
        fields = [self._word(scope.table, f, None) for f in scope.table.fields if f.id not in own and f.type != "query"]
        known = own | {word.id for word in fields}
        system = [
            Word(id, translate(SYSTEM_LABELS[id]), kind, "history")
            for id, kind in SYSTEM_FIELDS.items()
            if id not in known
        ]
        return [*rows, *fields, *self._sides(scope.table, known), *system]

    def _sides(self, table: Table, known: set[str]) -> Iterator[Word]:
        """The records that link here, where the other side has a name."""
        for id, (other, link) in self.analysis.reverses(table).items():
            if id not in known:
                reverse = getattr(other.field(link), "reverse", None)
                label = translate(reverse.label if reverse else None) or translate(other.title) or id
                yield Word(id, label, array_of(link_to(other.id)), "field-links")

    def _word(self, table: Table, field: Any, rows: Any) -> Word:
        options = tuple((o.id, translate(o.label) or o.id) for o in getattr(field, "options", ()))
        label = translate(field.label) or field.id
        try:
            kind = self.analysis.type_of(table, field, rows)
        except (FormulaError, Circle):  # its own formula is wrong, which is told where that stands
            kind = Type("any")
        return Word(
            field.id, label, kind, f"field-{field.type}" if field.type in field_types else "field-text", options
        )

    # -- labels of a formula ---------------------------------------------------------------------

    def word(self, path: Path) -> Word | None:
        """The last name of a path."""
        words = self.first
        at = 0
        found: Word | None = None
        while at < len(path):
            joined = ".".join(path[at : at + 2])
            found = next((w for w in words if w.id == path[at]), None)
            at += 1
            if found is None and (found := next((w for w in words if w.id == joined), None)):
                at += 1
            if found is None:
                return None
            words = self.members(found.type)
        return found

    def label(self, path: Path) -> str | None:
        found = self.word(path)
        return found.label if found else None

    def find(self, path: Path, label: str) -> Path | None:
        before = self.word(path)
        words = self.first if not path else self.members(before.type) if before else []
        wanted = label.casefold()
        found = next((w for w in words if w.label.casefold() == wanted), None)
        found = found or next((w for w in words if w.id == label), None)
        return (*path, *found.id.split(".")) if found else None

    def option(self, path: Path, id: str) -> str | None:
        found = self.word(path)
        return next((label for known, label in found.options if known == id), None) if found else None

    def option_named(self, path: Path, label: str) -> str | None:
        found = self.word(path)
        wanted = label.casefold()
        return next((id for id, known in found.options if known.casefold() == wanted), None) if found else None

    # -- for the editor's script -----------------------------------------------------------------

    def dump(self) -> dict[str, Any]:
        """The names as the editor's script wants them: the first ones, and sets of what may follow."""
        sets: dict[str, Any] = {}
        first = [self._dumped(word, sets, 0) for word in self.first]
        return {"first": first, "sets": sets}

    def _dumped(self, word: Word, sets: dict[str, Any], depth: int) -> dict[str, Any]:
        inner = word.type.of if word.type.kind == "array" and word.type.of else word.type
        key = set_key(inner)
        if key and key not in sets and depth < 2:
            sets[key] = []
            sets[key] = [self._dumped(w, sets, depth + 1) for w in self.members(inner)]
        return {
            "id": word.id, "label": word.label, "type": translate(WORDS[word.type.kind]), "kind": word.type.kind,
            "icon": word.icon, "of": key, "options": [label for _, label in word.options],
        }  # fmt: skip


def set_key(kind: Type) -> str:
    """What names the set of names that may follow a value of this type."""
    return f"{kind.kind}:{kind.target or ''}" if kind.parts is not None or kind.kind in ("link", "rows", *FACTS) else ""


def _told_apart(words: list[Word]) -> list[Word]:
    """The words with labels that can stand in brackets, each only once."""
    clean = [_clean(word.label) or word.id for word in words]
    often = Counter(label.casefold() for label in clean)
    return [
        Word(w.id, f"{label} ({w.id})" if often[label.casefold()] > 1 else label, w.type, w.icon, w.options)
        for w, label in zip(words, clean, strict=True)
    ]


def _clean(label: str) -> str:
    return " ".join(label.replace("[", "(").replace("]", ")").split())
