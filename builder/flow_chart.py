"""The chart of a flow: its cards as they are drawn, each with what it does in words and what is wrong with it."""

from collections.abc import Iterator
from typing import Any

from builder import flow_tree, flow_words, flows
from builder.drafts import Draft
from builder.flow_near import FlowSurroundings
from builder.names import Book
from builder.parts import Json
from builder.places import Told
from schemas.flow import MAIN
from schemas.messages import Message, say
from schemas.steps import step_types
from schemas.text import Text

AFTERWARDS = {
    "approved": say("When approved"), "rejected": say("When rejected"), "withdrawn": say("When withdrawn"),
    "ended": say("When ended"), "returned": say("When returned to the starter"),
}  # fmt: skip


class Chart:
    """The cards of a flow, as they are drawn."""

    def __init__(self, draft: Draft, flow: Json, chosen: str, problems: list[Told]) -> None:
        self.parts, self.flow, self.chosen = draft.parts, flow, chosen
        around = FlowSurroundings(draft.parts, draft.app, flow)
        self.book: Book | None = around.book("record", {})
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
                for outcome in flow_tree.AFTER
            ],
            "count": sum(1 for _ in flow_tree.steps_in_order(self.flow)),
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
        held = flow_tree.held_by(step)
        return {
            **card, "type": say(kind.title_word) if kind else step.get("type", ""), "people": bool(kind and kind.for_people),
            "may_branch": any(h.branch is not None for h in held), "branches": list(self._branches(step, held)),
        }  # fmt: skip

    def _branches(self, step: Json, held: list[flow_tree.Held]) -> Iterator[Json]:
        option = flow_tree.branch_option(step["type"])
        conditional = option is not None and flow_tree.is_conditional(option)
        for one in held:
            branch, key = one.branch or {}, f"{step['id']}.{one.key}"
            title = Text.of(branch.get("title") or "") or (say("For each") if one.branch is None else Message(one.key))
            card = self._card(key, title, "", self._when(branch) if conditional else [])
            yield {**card, "own": one.branch is not None, **self._steps(key, one.steps)}

    def _when(self, branch: Json) -> Any:
        if branch.get("when"):
            return flow_words.condition_words(branch["when"], self.book)
        return [say("if no other holds")]
