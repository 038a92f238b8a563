"""The designer of flows: a chart of cards drawn from the blocks, and the options of the chosen step, branch or trigger."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, make_response, render_template, request

from builder import drafts, flow_words, flows, panel
from builder.drafts import Draft
from builder.flow_inputs import ACTION_WORDS
from builder.flow_near import FlowSurroundings
from builder.names import Book
from builder.parts import Json, Parts
from builder.places import Told, told
from builder.web import edits
from builder.web.apps import about, designer
from builder.web.studio import condition_places, modes_sent
from runtime.context import Context
from runtime.web.edge import go, is_fragment, work
from runtime.web.frame import frame
from schemas.errors import InvalidInput
from schemas.flow import MAIN, Flow, Trigger
from schemas.messages import Message, say
from schemas.numbers import read_whole
from schemas.options import options_of
from schemas.steps import step_types
from schemas.text import Text

bp = Blueprint("build_flows", __name__)
FLOW_OPTIONS = {"trigger", "steps", "after"}
IN_THE_GRID = {"actions": {"rename", "comment", "sign"}, "fields": {"require"}}
"""Options that are ticked in the grid of another one."""
TONES = {True: "teal", False: "blue"}
AFTERWARDS = {
    "approved": say("When approved"), "rejected": say("When rejected"), "withdrawn": say("When withdrawn"),
    "ended": say("When ended"), "returned": say("When returned to the starter"),
}  # fmt: skip


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
        **about(ctx, draft), "flow_id": flow, "flow": found, "table_id": table, "table": parts.get(f"tables/{table}") or {},
        "chosen": subject.chosen, "subject": subject, "chart": Chart(draft, found, subject.chosen, problems).draw(),
        "sections": _sections(subject, panel.inputs(subject.kind, values, around.near(modes_sent()), wrong)),
        "kinds": list(step_types), "kind_of": step_types, "trigger_kinds": flows.trigger_kinds(), "action_words": ACTION_WORDS,
        "problems": problems, "counter": draft.kept.counter, "here": f"/build/{draft.slug}/flow/{flow}/", "tab": "step",
        "wide": "", "Text": Text, "own_errors": wrong.get("", []), "values": values,
    }  # fmt: skip
    shown["condition_places"] = known = condition_places(around)
    shown["condition_fields_of"] = lambda place: known.get(place, [])
    if is_fragment():
        return make_response(render_template("builder/_flow_studio.html", **shown), status)
    frame(ctx)
    return make_response(render_template("builder/flow_studio.html", **shown), status)


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
            raise InvalidInput({"": [flows.GONE]})
        own = flows.kind_of(known[number])
        others = {o.name for o in flows.trigger_kinds()} - {own}
        return cls(flow, f"trigger:{number}", Trigger, known[number], "trigger", others)

    @classmethod
    def _branch(cls, flow: Json, chosen: str) -> "Subject":
        branch, step = flows.find_branch(flow, chosen), flows.find_step(flow, chosen.partition(".")[0])
        option = flows.branch_option(step["type"])
        kind = option.parser.item.kind if option else None  # type: ignore[attr-defined]
        return cls(flow, chosen, kind, branch, "branch", {"steps"})

    @classmethod
    def _step(cls, flow: Json, chosen: str) -> "Subject":
        step = flows.find_step(flow, chosen)
        kind: Any = step_types.get(step["type"])
        if kind is None:
            raise InvalidInput({"": [flows.GONE]})
        return cls(flow, chosen, kind, step, "step", {o.name for o in options_of(kind) if flows.is_structure(o)})

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
        if own := [i for i in flat if i.name.partition(".")[0] not in but]:
            kept.append((title, own))
    return kept


def _errors(problems: list[Told], flow: str, chosen: str) -> dict[str, list[Message]]:
    found: dict[str, list[Message]] = {}
    for one in problems:
        if (one.place.kind, one.place.id, one.place.chosen) == ("flows", flow, chosen):
            found.setdefault(one.place.option, []).append(one.problem.message)
    return found


# -- the chart -------------------------------------------------------------------------------------


class Chart:
    """The cards of a flow, as they are drawn."""

    def __init__(self, draft: Draft, flow: Json, chosen: str, problems: list[Told]) -> None:
        self.parts, self.flow, self.chosen = draft.parts, flow, chosen
        table = flows.table_of(draft.parts, flow)
        around = FlowSurroundings(draft.parts, draft.app, flow)
        self.book: Book | None = around.book("record", {}) if table else None
        self.wrong: dict[str, list[Told]] = {}
        for one in problems:
            if (one.place.kind, one.place.id) == ("flows", flow["id"]):
                self.wrong.setdefault(one.place.chosen, []).append(one)

    def draw(self) -> Json:
        after = self.flow.get("after") or {}
        return {
            "triggers": [self._trigger(n, t) for n, t in enumerate(flows.triggers_of(self.flow))],
            "main": self._steps(MAIN, self.flow.get("steps") or []),
            "after": [
                {"outcome": outcome, "title": AFTERWARDS[outcome], **self._steps(f"after:{outcome}", after.get(outcome) or [])}
                for outcome in flows.AFTER
            ],
            "count": sum(1 for _ in flows.steps_in_order(self.flow)),
        }  # fmt: skip

    def _card(self, key: str, title: Any, icon: str, lines: Any) -> Json:
        found = self.wrong.get(key, [])
        return {
            "key": key, "title": title, "icon": icon, "lines": lines, "chosen": key == self.chosen,
            "wrong": [t.problem.message for t in found], "grave": any(t.problem.severity == "error" for t in found),
        }  # fmt: skip

    def _trigger(self, number: int, trigger: Json) -> Json:
        name = flows.kind_of(trigger)
        kind = next(o for o in flows.trigger_kinds() if o.name == name)
        lines = flow_words.trigger_lines(trigger, kind, self.parts, self.book)
        return self._card(f"trigger:{number}", say("Starts when") if number == 0 else say("Or when"), "play", lines)

    def _steps(self, name: str, steps: list[Json]) -> Json:
        return {"sequence": name, "steps": [self._step(step) for step in steps]}

    def _step(self, step: Json) -> Json:
        kind = step_types.get(step.get("type", ""))
        lines = flow_words.step_lines(step, self.parts, self.book)
        card = self._card(step["id"], flow_words.title_of_step(step), kind.icon if kind else "circle", lines)
        held = flows.held_by(step)
        return {
            **card, "type": say(kind.title_word) if kind else step.get("type", ""), "people": bool(kind and kind.for_people),
            "may_branch": any(h.branch is not None for h in held), "branches": list(self._branches(step, held)),
        }  # fmt: skip

    def _branches(self, step: Json, held: list[flows.Held]) -> Iterator[Json]:
        option = flows.branch_option(step["type"])
        conditional = option is not None and "when" in {o.name for o in options_of(option.parser.item.kind)}  # type: ignore[attr-defined]
        for one in held:
            branch = one.branch or {}
            key, lines = f"{step['id']}.{one.key}", list[Any]()
            if conditional:
                lines = (
                    flow_words.condition_words(branch["when"], self.book)
                    if branch.get("when")
                    else [say("if no other holds")]
                )
            title = Text.of(branch.get("title") or "") or (say("For each") if one.branch is None else Message(one.key))
            yield {**self._card(key, title, "", lines), "own": one.branch is not None, **self._steps(key, one.steps)}


# -- edits -----------------------------------------------------------------------------------------


def making(app: str, flow: str, message: Message, edit: Callable[[Parts], tuple[Parts, str]]) -> Any:
    return edits.making(app, message, edit, lambda ctx, draft, chosen: answered(ctx, draft, flow, chosen))


def answered(ctx: Context, draft: Draft, flow: str, chosen: str) -> Any:
    url = f"/build/{draft.slug}/flow/{flow}/" + (f"?{urlencode({'step': chosen})}" if chosen else "")
    if not is_fragment():
        return go(url)
    answer = page(ctx, draft, flow, chosen)
    answer.headers["HX-Replace-Url"] = url
    return answer


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
            raise InvalidInput({"": [flows.GONE]})
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
