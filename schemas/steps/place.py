"""Where a step stands in its flow and app, for the linker: what its references mean there."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING

from schemas.access import SEES, WRITES
from schemas.dependencies import Circle, up_to_the_fault
from schemas.errors import Problem
from schemas.fields import Field
from schemas.fields.link import Link
from schemas.fields.rows import Rows
from schemas.formula import Formula, FormulaError, Type, names
from schemas.formula.types import ANY, BOOLEAN, DATETIME, link_to, unify
from schemas.messages import Message, say
from schemas.rights import Opening
from schemas.schedules import Reached
from schemas.scopes import TableScope
from schemas.steps.people import PREVIOUS, START, PeopleStep
from schemas.steps.who import HeadOf, UpToRole, Who
from schemas.table import NOTHING, Table
from schemas.text import Text
from schemas.wording import parts_of

if TYPE_CHECKING:
    from schemas.app import App
    from schemas.flow import Flow, Position

PEOPLE = ("member", "department")
GIVEN = ("before", "planned", "payload")


@dataclass(frozen=True)
class Place:
    """A step's place: the flow, the app, the table that the flow is about, and the step's position."""

    flow: "Flow"
    app: "App"
    table: Table
    position: "Position | None" = None
    known: Mapping[str, Type] | None = None
    """What steps give, by their ids, as far as that is known; None for all of the flow."""

    def scope(self, rows: Rows | None = None) -> TableScope:
        """The names in a formula about the flow's record: its fields, and what steps give."""
        known = self.app.analysis.results(self.flow) if self.known is None else self.known
        return self.app.analysis.scope(self.table, rows, **known)

    def other_scope(self, target: Table) -> TableScope:
        """The names in a condition on other records: `this` is the flow's record, `id` the one that is looked at."""
        own = self.scope()
        return replace(own, table=target, this=self.table, extra={**own.extra, "id": link_to(target.id)})

    def problem(self, path: str, message: Message, severity: str = "error") -> Problem:
        return Problem(path, message, severity)

    def formula(
        self, path: str, formula: Formula, expected: Type | None = None, rows: Rows | None = None
    ) -> Iterator[Problem]:
        """What is wrong with a formula about the flow's record, or about one row of it."""
        yield from self.app.analysis.attempt(path, formula, self.scope(rows), expected)

    def type_of(self, formula: Formula, rows: Rows | None = None) -> Type:
        try:
            return self.app.analysis.expression(formula, self.scope(rows)).type
        except (FormulaError, Circle):
            return ANY

    def moment(self, path: str, formula: Formula) -> Iterator[Problem]:
        """What is wrong with a formula that is to give a date or a moment."""
        found = list(self.formula(path, formula))
        yield from found
        if not found and self.type_of(formula).kind not in ("date", "datetime", "any"):
            yield Problem(path, say("expected a date or a time"))

    def people(self, path: str, whos: tuple[Who, ...]) -> Iterator[Problem]:
        for n, who in enumerate(whos):
            where = f"{path}[{n}]" if len(whos) > 1 else path
            yield from self._who(where, who)
            yield from self.people(f"{where}.among", who.among)

    def _who(self, path: str, who: Who) -> Iterator[Problem]:
        roles, slots = [role.id for role in self.app.roles], [slot.id for slot in self.app.posts]
        yield from self._known(f"{path}.role", "role", who.role, roles)
        yield from self._known(f"{path}.slot", "slot", who.slot, slots)
        if isinstance(who.up_to, UpToRole):
            yield from self._known(f"{path}.up_to.role", "role", who.up_to.role, roles)
        if who.field is not None:
            yield from self._people_formula(f"{path}.field", who.field)
        if isinstance(who.head_of, HeadOf):
            yield from self._known(f"{path}.head_of.slot", "slot", who.head_of.slot, slots)
            if who.head_of.field is not None:
                yield from self._people_formula(f"{path}.head_of.field", who.head_of.field)
        if who.link is not None:
            yield from self.formula(f"{path}.link", who.link)

    def _people_formula(self, path: str, formula: Formula) -> Iterator[Problem]:
        found = list(self.formula(path, formula))
        yield from found
        kind = self.type_of(formula)
        kinds = {kind.kind, kind.of.kind if kind.of else kind.kind}
        if not found and not kinds & {*PEOPLE, "any"}:
            yield Problem(path, say("expected a member or a department"))

    def field(self, path: str, name: str) -> Iterator[Problem]:
        """A field or column of the record."""
        yield from self._known(path, "field", name, self.table.paths)

    def target(self, link: str | None) -> Table | None:
        """The table that an update writes: the flow's own, or that of a link field."""
        if link is None:
            return self.table
        found = self.table.by_id.get(link)
        return self.app.table(found.table) if isinstance(found, Link) else None

    def assignment(
        self, path: str, target: Table, name: str, formula: Formula, rows: Rows | None = None
    ) -> Iterator[Problem]:
        """What is wrong with setting a field to a formula about the record, or about one row of it."""
        found = target.by_id.get(name)
        if found is None:
            yield from self._known(path, "field", name, target.by_id)
            return
        if found.computed or found.storage == "child":
            yield Problem(path, say("'{id}' cannot be set", id=name))
            return
        wrong = list(self.formula(path, formula, None, rows))
        yield from wrong
        if not wrong and not self._fits(found, self.type_of(formula, rows)):
            yield Problem(path, say("the formula does not give a value that '{id}' can hold", id=name))

    def result(self, path: str, name: str, formula: Formula, source: Table, rows: Rows | None) -> Iterator[Problem]:
        """What is wrong with setting a field (or a row's column) to a formula about a record of another table."""
        found = rows.column(name) if rows is not None else self.table.by_id.get(name)
        if found is None:
            yield from self._known(path, "field", name, [c.id for c in rows.fields] if rows else self.table.by_id)
            return
        if found.computed or found.storage == "child":
            yield Problem(path, say("'{id}' cannot be set", id=name))
            return
        there = replace(self, table=source)
        wrong = list(there.formula(path, formula))
        yield from wrong
        if not wrong and not self._fits(found, there.type_of(formula)):
            yield Problem(path, say("the formula does not give a value that '{id}' can hold", id=name))
        yield from self.may_write(path, self.table, rows.id if rows is not None else name)

    def may_add(self, path: str, target: Table) -> Iterator[Problem]:
        """A flow acts within its own rights: without a grant, adding a record would fail every time."""
        if not self._granted(target, "create"):
            message = say("the flow may not add records: add an access rule for the flow with 'create' on '{table}'",
                          table=target.id)  # fmt: skip
            yield Problem(path, message)

    def may_delete(self, path: str, target: Table) -> Iterator[Problem]:
        if not self._granted(target, "delete"):
            message = say("the flow may not delete records: add an access rule for the flow with 'delete' on '{table}'",
                          table=target.id)  # fmt: skip
            yield Problem(path, message)

    def may_read(self, path: str, target: Table) -> Iterator[Problem]:
        if not self._granted(target, "read"):
            message = say("the flow may not read records: add an access rule for the flow with 'read' on '{table}'",
                          table=target.id)  # fmt: skip
            yield Problem(path, message)

    def may_see(self, path: str, target: Table, ids: Iterable[str]) -> Iterator[Problem]:
        """A flow looks only at what its own rights show it: a field that they hide is refused when it runs."""
        granted = self._granted(target, "read")
        for id in dict.fromkeys(ids):
            if granted and id in target.by_id and not any(SEES[opening.right(id)] == 2 for opening in granted):
                message = say(
                    "the flow may not read '{id}': show it in the flow's access rule on '{table}'",
                    id=id,
                    table=target.id,
                )
                yield Problem(path, message)

    def records(self, path: str, formula: Formula) -> Iterator[Problem]:
        """What is wrong with a formula that is to give one record or several."""
        found = list(self.formula(path, formula))
        yield from found
        if not found and self.table_of(formula) is None:
            yield Problem(path, say("expected a record or several: a link, or what an earlier step gives"))

    def table_of(self, formula: Formula) -> Table | None:
        """The table of the record or records that a formula gives."""
        kind = self.type_of(formula).element
        return self.app.table(kind.target or "") if kind.kind == "link" else None

    def table_named(self, path: str, name: str) -> Iterator[Problem]:
        yield from self._known(path, "table", name, [table.id for table in self.app.tables])

    def may_write(self, path: str, target: Table, name: str) -> Iterator[Problem]:
        """A flow acts within its own rights: without a grant, setting the field would fail every time."""
        if not any(opening.right(name) in WRITES for opening in self._granted(target, "update")):
            yield Problem(
                path,
                say("the flow may not write '{id}': add an access rule for the flow with 'update' on '{table}'",
                    id=name, table=target.id),
            )  # fmt: skip

    def _granted(self, target: Table, action: str) -> list[Opening]:
        """What the app opens to this flow."""
        openings = self.app.openings(target.id)
        return [o for o in openings if action in o.actions and any(who.flow == self.flow.id for who in o.grant.who)]

    def _fits(self, found: Field, given: Type) -> bool:
        wanted = found.value_type()
        if wanted.kind == "text":
            return given.kind in ("text", "number", "choice", "blank", "any")
        return (
            given.kind == "any" or unify(wanted, given) == wanted or (given.kind, wanted.kind) == ("datetime", "date")
        )

    def wording(self, path: str, text: Text) -> Iterator[Problem]:
        """What is wrong with the formulas in a text, in each language."""
        for language, line in text.by_language.items():
            where = f"{path}.{language}" if language else path
            try:
                formulas = [part for part in parts_of(line) if isinstance(part, Formula)]
            except FormulaError as err:
                yield Problem(where, err.message)
                continue
            for formula in formulas:
                yield from self.formula(where, formula)

    def fields_in(self, text: Text) -> list[str]:
        """The record's own fields that a text names in its formulas."""
        named: set[str] = set()
        for line in text.by_language.values():
            try:
                formulas = [part for part in parts_of(line) if isinstance(part, Formula)]
                named |= {path[0] for formula in formulas for path in names(formula.tree)}
            except FormulaError:
                continue
        return sorted(named & {*self.table.by_id})

    def earlier(self, path: str, target: str) -> Iterator[Problem]:
        """A step to return to: asks people, and lies before this one on every way here."""
        if target in (START, PREVIOUS):
            return
        found = self.flow.step(target)
        if found is None:
            yield from self._known(path, "step", target, self.flow.positions)
        elif not isinstance(found, PeopleStep):
            yield Problem(path, say("'{id}' asks nobody, so nothing can be returned to it", id=target))
        elif not self._lies_before(target):
            yield Problem(path, say("'{id}' is not an earlier step, or lies in a parallel branch", id=target))

    def _lies_before(self, target: str) -> bool:
        if self.position is None:
            return False
        here, there = self.flow.way(self.position.step.id), self.flow.way(target)
        for (sequence, index), (other, earlier), depth in zip(here, there, range(len(there)), strict=False):
            if sequence != other:
                return False
            if index != earlier:
                return earlier < index and all(self.flow.sequences[s][i].resumable for s, i in there[depth:-1])
        return False

    def _known(self, path: str, thing: str, name: str | None, known: Iterable[str]) -> Iterator[Problem]:
        present = list(known)
        if name is None or name in present:
            return
        near = get_close_matches(name, present, n=1)
        if near:
            yield Problem(
                path,
                say(
                    "there is no {thing} '{name}' (did you mean '{near}'?)",
                    thing=thing,
                    name=name,
                    near=near[0],
                ),
            )
        else:
            yield Problem(path, say("there is no {thing} '{name}'", thing=thing, name=name))


def results_of(flow: "Flow", app: "App") -> dict[str, Type]:
    """What the triggers and each step give, in reading order: later ones may read earlier ones."""
    table = app.table(flow.table(app) or "") or NOTHING
    known: dict[str, Type] = given_by_triggers(flow, app, table)
    for position in flow.all_positions:
        kind = position.step.result(Place(flow, app, table, position, dict(known)))
        if kind is not None:
            known[position.step.id] = kind
    return known


def given_by_triggers(flow: "Flow", app: "App", table: Table) -> dict[str, Type]:
    """What the steps know of what started the flow: the values before a change, the planned moment, what was sent."""
    known: dict[str, Type] = {}
    for trigger in flow.trigger:
        if trigger.changed is not None or trigger.saving is not None:
            kept = (f for f in table.fields if app.analysis.is_stored(table, f) and f.storage != "child")
            parts = {f.id: app.analysis.type_of(table, f) for f in kept}
            known["before"] = Type("any", target=f"{flow.id}.before", parts=parts)
        if trigger.schedule is not None or trigger.reached is not None:
            known["planned"] = DATETIME
        if trigger.incoming is not None:
            known["payload"] = trigger.incoming.type(flow.id)
    return known


def problems_of(flow: "Flow", app: "App") -> Iterator[Problem]:
    """Everything wrong with a flow, by path inside it."""
    yield from _repeated(flow)
    yield from _unreachable(flow)
    about = flow.table(app)
    for number, trigger in enumerate(flow.trigger):
        name = trigger.table(app)
        if trigger.without_record(app):
            if about is not None:
                yield Problem(f"trigger[{number}]", MIXED)
        elif app.table(name or "") is None:
            yield Problem(f"trigger[{number}]", say("there is no such form or table"))
        elif name != about:
            yield Problem(f"trigger[{number}]", say("all triggers of a flow are about the same table"))
    table = NOTHING if flow.without_record(app) else app.table(about or "")
    if table is not None and not list(_repeated(flow)):
        yield from _linked(flow, app, table)


MIXED = say("a schedule or data from another program starts a flow without a record: make it a flow of its own, that "
            "finds or creates records")  # fmt: skip
NOBODY = say("this flow has no record that anybody could be shown: let it create one that starts another flow")


def _linked(flow: "Flow", app: "App", table: Table) -> Iterator[Problem]:
    whole = Place(flow, app, table, known=given_by_triggers(flow, app, table))
    for number, trigger in enumerate(flow.trigger):
        if trigger.ended is not None:
            yield from whole._known(
                f"trigger[{number}].ended", "flow", trigger.ended, [f.id for f in app.flows if f != flow]
            )
        if trigger.when is not None:
            yield from whole.formula(f"trigger[{number}].when", trigger.when, BOOLEAN)
        if trigger.incoming is not None and trigger.incoming.once_by is not None:
            yield from whole.formula(f"trigger[{number}].incoming.once_by", trigger.incoming.once_by)
        for name in trigger.changed.fields if trigger.changed else ():
            yield from whole.field(f"trigger[{number}].changed.fields", name)
        for name in trigger.saving.fields if trigger.saving else ():
            yield from whole.field(f"trigger[{number}].saving.fields", name)
        if trigger.reached is not None:
            yield from _reached(f"trigger[{number}].reached", trigger.reached, whole)
    yield from _before_saving(flow)
    yield from Place(flow, app, table).people("owner", flow.owner)
    for position in flow.all_positions:
        place = Place(flow, app, table, position)
        if position.step.for_people and not table.id:
            yield Problem(position.path, NOBODY)
        if position.step.id in table.by_id and position.step.result(place) is not None:
            message = say("a field has the id '{id}' too: formulas would not know which is meant", id=position.step.id)
            yield Problem(f"{position.path}.id", message)
        for problem in up_to_the_fault(position.step.complaints(place)):
            yield Problem(
                f"{position.path}.{problem.path}" if problem.path else position.path,
                problem.message,
                problem.severity,
            )


def _before_saving(flow: "Flow") -> Iterator[Problem]:
    """What runs before a record is saved does nothing else, and starts by nothing else."""
    from schemas.flow import LOOKING

    if not flow.guards:
        return
    if any(trigger.saving is None for trigger in flow.trigger):
        yield Problem("trigger", say("a flow that runs before a record is saved is started by nothing else"))
    for position in flow.all_positions:
        if position.step.type not in LOOKING:
            yield Problem(position.path, say("before a record is saved a flow only looks, calculates and refuses"))


def _reached(path: str, reached: Reached, place: Place) -> Iterator[Problem]:
    """A date that is reached lies in a field that is stored; a repeated one has a time of day, looked for once a day."""
    found = place.table.by_id.get(reached.field)
    if found is None:
        yield from place.field(f"{path}.field", reached.field)
        return
    kind = place.app.analysis.type_of(place.table, found).kind
    if kind not in ("date", "datetime") or not place.app.analysis.is_stored(place.table, found):
        yield Problem(f"{path}.field", say("expected a date or a time that is stored"))
    elif reached.repeat != "once" and reached.once_a_day(kind) is None:
        yield Problem(f"{path}.at", say("say at what time of day, and count in days"))


def _repeated(flow: "Flow") -> Iterator[Problem]:
    seen: set[str] = set()
    for position in flow.all_positions:
        id = position.step.id
        if id in (START, PREVIOUS, "this", "flow", *GIVEN):
            yield Problem(f"{position.path}.id", say("'{id}' is a reserved word", id=id))
        elif id in seen:
            yield Problem(f"{position.path}.id", say("the id '{id}' is used twice", id=id))
        seen.add(id)


def _unreachable(flow: "Flow") -> Iterator[Problem]:
    """Steps after an `end`, and people asked when everything is over."""
    for position in flow.all_positions:
        before = flow.sequences.get(position.sequence, ())[: position.index]
        if any(step.type == "end" for step in before):
            yield Problem(position.path, say("this step is never reached: the flow ends before it"), "warning")
        if position.path.startswith("after.") and (position.step.for_people or position.step.type == "end"):
            yield Problem(position.path, say("after the outcome only steps without people are possible"))
    if not flow.steps:
        yield Problem("steps", say("add at least one step"), "warning")
