"""A flow: what starts it, and the steps that follow. `schemas.engine` runs it, `problems` links it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from marshmallow import fields as ma

from schemas.errors import Problem
from schemas.formula import Formula
from schemas.messages import Message, say
from schemas.options import option
from schemas.parsers import Flag, FormulaSource, Id, Kinds, Label, Many, Object, Reference, Words
from schemas.payloads import Incoming
from schemas.schedules import Reached, Schedule
from schemas.steps import Step, step_types
from schemas.steps.handle import Handle
from schemas.steps.people import START, PeopleStep
from schemas.steps.who import People, Who
from schemas.text import Text

if TYPE_CHECKING:
    from schemas.app import App

KINDS = ("submit", "created", "changed", "deleted", "restored", "saving", "button", "ended", "reached", "schedule", "incoming")
WITHOUT_RECORD = ("schedule", "incoming")
MAIN = "main"
OUTCOMES = ("approved", "rejected", "withdrawn", "ended")
WITHDRAW = ("never", "until_first_decision", "until_end")


@dataclass(frozen=True, kw_only=True)
class Changed:
    """A record was changed; with `fields`, one of these."""

    table: str = option(Reference("table", required=True), "Table", "")
    fields: tuple[str, ...] = option(Many(Reference("field")), "Fields", ())


SAVING = ("created", "changed", "deleted")
LOOKING = ("find", "calculate", "choose", "guard", "end")
"""Kinds of steps that only look and work out, and may refuse: what may happen before a record is saved."""


@dataclass(frozen=True, kw_only=True)
class Saving:
    """A record is about to be created, changed or deleted, by whatever writes; with `fields`, when one of these is."""

    table: str = option(Reference("table", required=True), "Table", "")
    on: tuple[str, ...] = option(Many(Words(*SAVING), most=3), "When it is", ("created", "changed"))
    fields: tuple[str, ...] = option(Many(Reference("field")), "Fields", (), help="Of a change: only where one of these changes.")


@dataclass(frozen=True, kw_only=True)
class Button:
    """Somebody pressed a button on a record's page."""

    table: str = option(Reference("table", required=True), "Table", "")
    label: Text = option(Label(required=True), "Label", Text())


@dataclass(frozen=True, kw_only=True)
class Trigger:
    """What starts a flow: one of `KINDS`, and only `when` the condition holds."""

    submit: str | None = option(Reference("form", allow_none=True), "Form submitted")
    created: str | None = option(Reference("table", allow_none=True), "Record created in")
    changed: Changed | None = option(Object(Changed, allow_none=True), "Record changed")
    saving: Saving | None = option(Object(Saving, allow_none=True), "Before a record is saved")
    button: Button | None = option(Object(Button, allow_none=True), "Button pressed")
    deleted: str | None = option(Reference("table", allow_none=True), "Record moved to the trash in")
    restored: str | None = option(Reference("table", allow_none=True), "Record restored in")
    ended: str | None = option(Reference("flow", allow_none=True), "Another flow has ended")
    reached: Reached | None = option(Object(Reached, allow_none=True), "A date is reached")
    schedule: Schedule | None = option(Object(Schedule, allow_none=True), "On a schedule")
    incoming: Incoming | None = option(Object(Incoming, allow_none=True), "Another program sends data")
    when: Formula | None = option(FormulaSource("boolean", allow_none=True), "Only when")

    def problems(self) -> Iterator[tuple[str, Message]]:
        if sum(getattr(self, kind) is not None for kind in KINDS) != 1:
            yield "", say("name exactly one of: {names}", names=", ".join(KINDS))

    def table(self, app: "App", asked: frozenset[str] = frozenset()) -> str | None:
        """The id of the table whose records start the flow; `asked` are the flows that were gone through for it."""
        if self.submit is not None:
            form = app.all_forms.get(self.submit)
            return form.table if form else None
        if self.ended is not None:
            other = app.flow(self.ended)
            others = other.trigger if other is not None and self.ended not in asked else ()
            tables = (t.table(app, asked | {self.ended}) for t in others)
            return next((table for table in tables if table is not None), None)
        named = self.changed or self.saving or self.button or self.reached
        return named.table if named else self.created or self.deleted or self.restored

    def without_record(self, app: "App", asked: frozenset[str] = frozenset()) -> bool:
        """Whether what it starts is about no record."""
        if self.ended is not None and self.ended not in asked:
            other = app.flow(self.ended)
            others = other.trigger if other is not None else ()
            return bool(others) and all(t.without_record(app, asked | {self.ended}) for t in others)
        return any(getattr(self, kind) is not None for kind in WITHOUT_RECORD)

    def guards(self, table: str, event: str, changed: frozenset[str]) -> bool:
        """Whether it is asked before this is saved, `when` aside."""
        if self.saving is None or self.saving.table != table or event not in self.saving.on:
            return False
        return event != "changed" or not self.saving.fields or bool(changed.intersection(self.saving.fields))

    def matches(self, table: str, form: str | None, event: str, changed: frozenset[str]) -> bool:
        """Whether what happened (created or changed, by `form` if any, deleted, restored) starts the flow, `when` aside."""
        if self.submit is not None:
            return form == self.submit
        if self.changed is not None:
            wanted = frozenset(self.changed.fields)
            return event == "changed" and table == self.changed.table and (not wanted or bool(wanted & changed))
        return (table, event) in ((self.created, "created"), (self.deleted, "deleted"), (self.restored, "restored"))


class Triggers(ma.Field[tuple[Trigger, ...]]):
    """One trigger, or a list of which any starts the flow."""

    item = Object(Trigger)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> tuple[Trigger, ...]:
        if isinstance(value, list):
            return Many(self.item, most=10).deserialize(value)
        return (self.item.deserialize(value),)


@dataclass(frozen=True, kw_only=True)
class After:
    """Machine steps that follow an outcome, or a return to the starter."""

    approved: tuple[Step, ...] = option(Many(Kinds(step_types)), "When approved", ())
    rejected: tuple[Step, ...] = option(Many(Kinds(step_types)), "When rejected", ())
    withdrawn: tuple[Step, ...] = option(Many(Kinds(step_types)), "When withdrawn", ())
    ended: tuple[Step, ...] = option(Many(Kinds(step_types)), "When ended", ())
    returned: tuple[Step, ...] = option(Many(Kinds(step_types)), "When returned to the starter", ())

    def sequences(self) -> dict[str, tuple[Step, ...]]:
        named = {name: getattr(self, name) for name in (*OUTCOMES, "returned")}
        return {f"after:{name}": steps for name, steps in named.items() if steps}


@dataclass(frozen=True)
class Position:
    """Where a step stands: sequence (`main`, `step.branch`, `after:outcome`), index, and path in the JSON."""

    sequence: str
    index: int
    step: Step
    owner: str
    path: str


@dataclass(frozen=True, kw_only=True)
class Flow:
    """A trigger and the steps that follow it."""

    id: str = option(Id(required=True), "Id", section="advanced")
    title: Text = option(Label(), "Title", Text())
    trigger: tuple[Trigger, ...] = option(Triggers(required=True), "Starts when", ())
    steps: tuple[Step, ...] = option(Many(Kinds(step_types)), "Steps", ())
    withdraw: str = option(Words(*WITHDRAW), "The starter may withdraw", "until_first_decision", section="rules")
    take_back: bool = option(
        Flag(), "A decision may be taken back", True, section="rules", help="As long as nothing has come of it."
    )
    on_reject: str = option(Words("end", START), "A rejection", "end", section="rules", help="Ends it, or returns it.")
    after: After = option(Object(After), "Afterwards", After(), section="rules")
    owner: tuple[Who, ...] = option(People(), "Who is told when it cannot go on", (), section="rules")

    # -- structure -------------------------------------------------------------------------------

    @cached_property
    def start(self) -> Handle:
        """What the starter is asked after a return: change the record, by their own rights, and send it."""
        return Handle(
            id=START, who=(Who(word="starter"),), actions=("submit", "save", "comment"), fields={"*": "write"}
        )

    @cached_property
    def sequences(self) -> Mapping[str, tuple[Step, ...]]:
        """Every list of steps: `main`, `step.branch` for branches, `after:approved` and the like."""
        found = {MAIN: self.steps, **self.after.sequences()}
        waiting = [step for steps in found.values() for step in steps]
        while waiting:
            step = waiting.pop()
            for branch, steps in step.inner.items():
                found[f"{step.id}.{branch}"] = steps
                waiting.extend(steps)
        return found

    @cached_property
    def all_positions(self) -> tuple[Position, ...]:
        """Every step in reading order, also such as share an id by mistake."""
        after = [(name, steps, "", f"after.{name.partition(':')[2]}") for name, steps in self.after.sequences().items()]
        return tuple(p for part in ((MAIN, self.steps, "", "steps"), *after) for p in _positions(*part))

    @cached_property
    def positions(self) -> Mapping[str, Position]:
        """Where each step stands, by its id."""
        return {position.step.id: position for position in self.all_positions}

    @property
    def guards(self) -> bool:
        """Whether it runs before a record is saved, and may refuse that."""
        return any(trigger.saving is not None for trigger in self.trigger)

    @cached_property
    def watches(self) -> bool:
        """Whether a run may wait until its record is so."""
        return any(getattr(position.step, "holds", None) is not None for position in self.all_positions)

    @cached_property
    def asks_approval(self) -> bool:
        return any(position.step.type == "approve" for position in self.all_positions)

    def step(self, id: str) -> Step | None:
        """The step with this id; `start` is what the starter does after a return."""
        if id == START:
            return self.start
        position = self.positions.get(id)
        return position.step if position else None

    def people_step(self, id: str) -> PeopleStep:
        """The step with this id, which asks people. Raises KeyError."""
        step = self.step(id)
        if not isinstance(step, PeopleStep):
            raise KeyError(id)
        return step

    def index(self, id: str) -> int:
        """The step's index in its sequence; the start lies before the first."""
        return -1 if id == START else self.positions[id].index

    def way(self, id: str) -> list[tuple[str, int]]:
        """(sequence, index) of every step that contains this one, outermost first, and of itself."""
        if id == START:
            return [(MAIN, -1)]
        position = self.positions[id]
        above = self.way(position.owner) if position.owner else []
        return [*above, (position.sequence, position.index)]

    def table(self, app: "App") -> str | None:
        """The id of the table whose records the flow is about."""
        return next((table for t in self.trigger if (table := t.table(app)) is not None), None)

    def without_record(self, app: "App") -> bool:
        """Whether its runs are about no record: all that it knows is what its trigger and its steps give."""
        return bool(self.trigger) and all(trigger.without_record(app) for trigger in self.trigger)

    def formulas(self) -> Iterator[Formula]:
        """Every formula that a run may evaluate about its record."""
        yield from (t.when for t in self.trigger if t.when is not None)
        for position in self.all_positions:
            yield from position.step.formulas()
        yield from (formula for who in self.owner for formula in who.formulas)


def _positions(sequence: str, steps: tuple[Step, ...], owner: str, path: str) -> Iterator[Position]:
    for index, step in enumerate(steps):
        at = f"{path}[{index}]"
        yield Position(sequence, index, step, owner, at)
        for number, (branch, inner) in enumerate(step.inner.items()):
            inside = f"{at}.branches[{number}].steps" if hasattr(step, "branches") else f"{at}.{branch}"
            yield from _positions(f"{step.id}.{branch}", inner, step.id, inside)


def problems(flow: Flow, app: "App") -> Iterator[Problem]:
    """What the linker complains of in a flow, with paths such as `steps[2].who.role`."""
    from schemas.steps.place import problems_of

    yield from problems_of(flow, app)
