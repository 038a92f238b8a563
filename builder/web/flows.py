"""The designer of flows: a chart of cards drawn from the blocks, and the options of the chosen step, branch or trigger."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, request

from builder import drafts, flow_tree, flows, panel
from builder.drafts import Draft
from builder.flow_chart import Chart
from builder.flow_inputs import ACTION_WORDS
from builder.flow_near import FlowSurroundings
from builder.parts import Json, Parts
from builder.places import Told, told
from builder.web import edits
from builder.web.apps import designer
from runtime import definitions, incoming
from runtime.context import Context
from runtime.web.edge import go, work
from schemas.errors import InvalidInput, NotFound
from schemas.flow import MAIN, Flow, Trigger
from schemas.messages import Message, say
from schemas.numbers import read_whole
from schemas.options import options_of
from schemas.steps import step_types

bp = Blueprint("build_flows", __name__)
FLOW_OPTIONS = {"trigger", "steps", "after"}
IN_THE_GRID = {"actions": {"rename", "comment", "sign"}, "fields": {"require"}}
"""Options that are ticked in the grid of another one."""
MATTERS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "schedule.on": ("every", ("week",)), "schedule.day": ("every", ("month", "year")), "schedule.month": ("every", ("year",)),
    "schedule.off": ("every", ("day", "week", "month", "year")), "reached.times": ("repeat", ("day", "week", "month", "year")),
}  # fmt: skip
"""Options of a trigger that say something only where another one has one of these values."""


@bp.get("/build/<app>/flow/<flow>/")
def show(app: str, flow: str) -> Any:
    with work() as ctx:
        designer(ctx)
        return page(ctx, drafts.open_draft(ctx, app), flow, request.args.get("step", ""))


def page(
    ctx: Context,
    draft: Draft,
    flow: str,
    chosen: str = "",
    *,
    errors: Any = None,
    typed: Json | None = None,
    status: int = 200,
) -> Any:
    """The designer as a page, or its fragment after an edit. `typed` is what was sent and refused."""
    parts, found = draft.parts, flows.the_flow(draft.parts, flow)
    problems = [told(parts, p) for p in draft.problems]
    around = FlowSurroundings(parts, draft.app, found, chosen.partition(".")[0])
    subject = Subject.of(found, chosen)
    wrong = errors if errors is not None else _errors(problems, flow, subject.chosen)
    values = {**subject.values, **{k: v for k, v in (typed or {}).items() if v is not None}}
    table = flows.table_of(parts, found)
    shown = {
        "flow_id": flow, "flow": found, "table_id": table, "table": parts.get(f"tables/{table}") or {},
        "chosen": subject.chosen, "subject": subject, "chart": Chart(draft, found, subject.chosen, problems).draw(),
        "sections": _sections(subject, panel.inputs(subject.kind, values, around.near(edits.modes_sent()), wrong)),
        "kinds": list(step_types), "kind_of": step_types, "trigger_kinds": flows.trigger_kinds(), "action_words": ACTION_WORDS,
        "address": _address(ctx, draft, flow) if subject.what == "trigger" else None,
        "here": f"/build/{draft.slug}/flow/{flow}/", "tab": "step", "own_errors": wrong.get("", []), "values": values,
    }  # fmt: skip
    return edits.drawn(ctx, draft, around, problems, "flow_studio", shown, status)


def _address(ctx: Context, draft: Draft, flow: str) -> incoming.Address | None:
    """Where other programs send data for the flow, once it is published."""
    try:
        return incoming.address(ctx, definitions.installed(ctx, draft.slug), flow)
    except NotFound:
        return None


class Subject:
    """What the panel is about: the flow, a trigger (`trigger:0`), a step, or a branch (`step.branch`)."""

    def __init__(self, flow: Json, chosen: str, kind: Any, values: Json, what: str, but: set[str]) -> None:
        self.flow, self.chosen, self.kind, self.values, self.what, self.but = flow, chosen, kind, values, what, but

    @classmethod
    def of(cls, flow: Json, chosen: str) -> "Subject":
        """The flow itself where what was chosen is no longer there."""
        try:
            if chosen.startswith("trigger:"):
                return cls._trigger(flow, chosen)
            if "." in chosen:
                return cls._branch(flow, chosen)
            if chosen:
                return cls._step(flow, chosen)
        except InvalidInput:
            pass
        return cls(flow, "", Flow, flow, "flow", FLOW_OPTIONS)

    @classmethod
    def _trigger(cls, flow: Json, chosen: str) -> "Subject":
        number, known = read_whole(chosen.partition(":")[2]) or 0, flows.triggers_of(flow)
        if number >= len(known):
            raise InvalidInput({"": [flow_tree.GONE]})
        own = flows.kind_of(known[number])
        others = {o.name for o in flows.trigger_kinds()} - {own}
        return cls(flow, f"trigger:{number}", Trigger, known[number], "trigger", others)

    @classmethod
    def _branch(cls, flow: Json, chosen: str) -> "Subject":
        branch, step = flows.find_branch(flow, chosen), flow_tree.find_step(flow, chosen.partition(".")[0])
        option = flow_tree.branch_option(step["type"])
        return cls(flow, chosen, flow_tree.branch_kind(option) if option else None, branch, "branch", {"steps"})

    @classmethod
    def _step(cls, flow: Json, chosen: str) -> "Subject":
        step = flow_tree.find_step(flow, chosen)
        kind: Any = step_types.get(step["type"])
        if kind is None:
            raise InvalidInput({"": [flow_tree.GONE]})
        return cls(flow, chosen, kind, step, "step", {o.name for o in options_of(kind) if flow_tree.is_structure(o)})

    @property
    def in_grids(self) -> set[str]:
        names = {o.name for o in options_of(self.kind)}
        return {name for grid, held in IN_THE_GRID.items() if grid in names for name in held}

    @property
    def offered(self) -> tuple[str, ...]:
        return getattr(self.kind, "offered", ())

    def read(self, around: FlowSurroundings) -> tuple[Json, Any]:
        """What the panel sent, and what is wrong with it."""
        sent = edits.sent()
        if self.what == "trigger":  # what kind of trigger it is, is chosen elsewhere
            sent[f"{flows.kind_of(self.values)}.on"] = "1"
        made, errors = panel.read(self.kind, sent, self.values, around.near())
        actions = made.get("actions")
        if actions is not None and set(actions) == set(self.offered):
            made["actions"] = None
        return made, {name: found for name, found in errors.items() if name.partition(".")[0] not in self.but}


def _sections(
    subject: Subject, found: list[tuple[Message, list[panel.Input]]]
) -> list[tuple[Message, list[panel.Input]]]:
    """The panel's sections without what is drawn elsewhere; a nested object of a trigger is that trigger's own."""
    but, kept = subject.but | subject.in_grids, []
    for title, inputs in found:
        flat = [
            i
            for one in inputs
            for i in (one.inner if subject.what == "trigger" and one.widget == "switchable" else [one])
        ]
        if own := [i for i in flat if i.name.partition(".")[0] not in but and _matters(subject, i.name)]:
            kept.append((title, own))
    return kept


def _matters(subject: Subject, name: str) -> bool:
    """Whether an option of a trigger says anything beside what is set there."""
    if subject.what != "trigger" or name not in MATTERS:
        return True
    other, values = MATTERS[name]
    held = subject.values.get(name.partition(".")[0])
    default = {"every": "day", "repeat": "once"}[other]
    return (held.get(other, default) if isinstance(held, Mapping) else default) in values


def _errors(problems: list[Told], flow: str, chosen: str) -> dict[str, list[Message]]:
    found: dict[str, list[Message]] = {}
    for one in problems:
        if (one.place.kind, one.place.id, one.place.chosen) == ("flows", flow, chosen):
            found.setdefault(one.place.option, []).append(one.problem.message)
    return found


# -- edits -----------------------------------------------------------------------------------------


def making(app: str, flow: str, message: Message, edit: Callable[[Parts], tuple[Parts, str]]) -> Any:
    return edits.making(app, message, edit, lambda ctx, draft, chosen: answered(ctx, draft, flow, chosen))


def answered(ctx: Context, draft: Draft, flow: str, chosen: str) -> Any:
    url = f"/build/{draft.slug}/flow/{flow}/" + (f"?{urlencode({'step': chosen})}" if chosen else "")
    return edits.leading_to(url, lambda: page(ctx, draft, flow, chosen))


def sent_id() -> str:
    return request.form.get("id", "")[:100]


@bp.post("/build/<app>/flows")
def create(app: str) -> Any:
    """A new flow (`title`) about the records of a table (`table`)."""
    title, table = request.form.get("title", ""), request.form.get("table", "")
    return edits.making(
        app, say("New flow"), lambda parts: flows.add_flow(parts, table, title),
        lambda ctx, draft, flow: go(f"/build/{app}/flow/{flow}/"),
    )  # fmt: skip


@bp.post("/build/<app>/flow/<flow>/copy-flow")
def copy_flow(app: str, flow: str) -> Any:
    return edits.making(
        app, say("Flow copied"), lambda parts: flows.copy_flow(parts, flow),
        lambda ctx, draft, made: go(f"/build/{app}/flow/{made}/"),
    )  # fmt: skip


@bp.post("/build/<app>/flow/<flow>/remove")
def remove_flow(app: str, flow: str) -> Any:
    return edits.making(
        app, say("Flow removed"), lambda parts: (flows.remove_flow(parts, flow), ""),
        lambda ctx, draft, _: go(f"/build/{app}/"),
    )  # fmt: skip


@bp.post("/build/<app>/flow/<flow>/add")
def add(app: str, flow: str) -> Any:
    """A new step (`type`) in a sequence (`at`: its name and an index), or at the end."""
    type, (sequence, index) = request.form.get("type", ""), _spot()
    return making(app, flow, say("New step"), lambda parts: flows.add_step(parts, flow, type, sequence, index))


def _spot() -> tuple[str, int | None]:
    """A place in a sequence, as `main@2`."""
    name, _, index = request.form.get("at", "")[:100].rpartition("@")
    return (name or MAIN), read_whole(index)


@bp.post("/build/<app>/flow/<flow>/copy")
def copy(app: str, flow: str) -> Any:
    id = sent_id()
    return making(app, flow, say("Step copied"), lambda parts: flows.copy_step(parts, flow, id))


@bp.post("/build/<app>/flow/<flow>/delete")
def delete(app: str, flow: str) -> Any:
    """A step, a branch (`step.branch`) or a trigger (`trigger:1`) goes."""
    id = sent_id()
    if id.startswith("trigger:"):
        number = read_whole(id.partition(":")[2])
        return making(app, flow, say("Trigger removed"),
                      lambda parts: (flows.remove_trigger(parts, flow, -1 if number is None else number), "trigger:0"))  # fmt: skip
    if "." in id:
        return making(app, flow, say("Branch removed"), lambda parts: flows.remove_branch(parts, flow, id))
    return making(app, flow, say("Step removed"), lambda parts: flows.remove_step(parts, flow, id))


@bp.post("/build/<app>/flow/<flow>/move")
def move(app: str, flow: str) -> Any:
    """A step dropped at a place (`at`), or moved past its neighbour (`by`); a branch moved to the left or right."""
    id, by = sent_id(), -1 if request.form.get("by") == "up" else 1
    if "." in id:
        return making(app, flow, say("Branch moved"), lambda parts: (flows.move_branch(parts, flow, id, by), id))
    sequence, index = _spot()
    if index is None:
        return making(app, flow, say("Step moved"), lambda parts: (flows.nudge_step(parts, flow, id, by), id))
    return making(app, flow, say("Step moved"), lambda parts: (flows.move_step(parts, flow, id, sequence, index), id))


@bp.post("/build/<app>/flow/<flow>/branch")
def branch(app: str, flow: str) -> Any:
    id = sent_id()
    return making(app, flow, say("New branch"), lambda parts: flows.add_branch(parts, flow, id))


@bp.post("/build/<app>/flow/<flow>/trigger")
def trigger(app: str, flow: str) -> Any:
    """One more trigger; with `kind`, the trigger `id` becomes one of that kind."""
    kind, number = request.form.get("kind", ""), read_whole(sent_id().partition(":")[2]) or 0
    if kind:
        return making(app, flow, say("Options changed"),
                      lambda parts: (flows.turn_trigger(parts, flow, number, kind), f"trigger:{number}"))  # fmt: skip
    return making(app, flow, say("New trigger"), lambda parts: flows.add_trigger(parts, flow))


@bp.post("/build/<app>/flow/<flow>/address")
def new_address(app: str, flow: str) -> Any:
    """Another secret address for data from outside; the old one leads nowhere from now on."""
    with work() as ctx:
        designer(ctx)
        incoming.renew(ctx, definitions.installed(ctx, app), flow)
        return page(ctx, drafts.open_draft(ctx, app), flow, sent_id())


@bp.post("/build/<app>/flow/<flow>/slot")
def slot(app: str, flow: str) -> Any:
    """A person or department who is named under "Who is who", for the steps to ask."""
    title, type, chosen = (
        request.form.get("title", ""),
        request.form.get("type", "member"),
        request.form.get("chosen", ""),
    )
    return making(app, flow, say("Options changed"), lambda parts: (flows.add_slot(parts, title, type)[0], chosen))


@bp.post("/build/<app>/flow/<flow>/undo")
@bp.post("/build/<app>/flow/<flow>/redo")
def step(app: str, flow: str) -> Any:
    """Undo or redo, and stay on this flow if it is still there."""
    chosen = request.form.get("chosen", "")

    def answer(ctx: Context, draft: Draft) -> Any:
        return answered(ctx, draft, flow, chosen) if f"flows/{flow}" in draft.parts else go(f"/build/{app}/")

    return edits.stepping(app, answer)


@bp.post("/build/<app>/flow/<flow>/options")
def set_options(app: str, flow: str) -> Any:
    """What was put into the panel of the flow, a trigger, a step or a branch (`path`)."""
    chosen = request.form.get("path", "")[:100]
    with work() as ctx:
        designer(ctx)
        draft = drafts.open_draft(ctx, app)
        subject = Subject.of(flows.the_flow(draft.parts, flow), chosen)
        if subject.chosen != chosen:
            raise InvalidInput({"": [flow_tree.GONE]})
        made, errors = subject.read(FlowSurroundings(draft.parts, draft.app, subject.flow, chosen.partition(".")[0]))
        if errors:
            return page(ctx, draft, flow, chosen, errors=errors, typed=made, status=422)
    return making(
        app, flow, say("Options changed"), lambda parts: (_changed(parts, flow, subject.what, chosen, made), chosen)
    )


def _changed(parts: Parts, flow: str, what: str, chosen: str, made: Mapping[str, Any]) -> Parts:
    if what == "trigger":
        return flows.change_trigger(parts, flow, read_whole(chosen.partition(":")[2]) or 0, made)
    if what == "branch":
        return flows.change_branch(parts, flow, chosen, made)
    return flows.change_step(parts, flow, chosen, made) if what == "step" else flows.change_flow(parts, flow, made)
