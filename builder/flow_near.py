"""What the inputs of a flow's panel may name: steps to return to, people in fields, fields to set."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from builder import flow_tree, flows
from builder.flow_words import title_of_step
from builder.names import Place
from builder.near import Named, Surroundings, title_in
from builder.parts import Json, Parts
from schemas.app import App
from schemas.fields import field_types
from schemas.messages import say
from schemas.steps import step_types
from schemas.steps.people import PREVIOUS, START
from schemas.table import SYSTEM_LABELS

PEOPLE = ("member", "members", "department", "departments")


class FlowSurroundings(Surroundings):
    """A flow of a draft, with the step that is being edited, if one is."""

    def __init__(self, parts: Parts, app: App | None, flow: Json, step: str = "") -> None:
        super().__init__(parts, app, flows.table_of(parts, flow))
        self.flow, self.step = flow, step

    def known(self, to: str, values: Mapping[str, Any]) -> Any:
        if to == "earlier step":
            return self._earlier()
        if to in FINDERS:
            return FINDERS[to](self, values)
        return super().known(to, values) if self.table or not to.endswith("field") else []

    def _place(self, scope: str, values: Mapping[str, Any]) -> Place:
        if scope == "other":
            return Place(target_of(self.parts, self.table, values), this=self.table, flow=self.flow["id"])
        return replace(super()._place(scope, values), flow=self.flow["id"])

    def _earlier(self) -> Named:
        """The steps that a task may be returned to: those that ask people and stand before this one, whatever the branch."""
        found: Named = [(START, say("The starter")), (PREVIOUS, say("The step before"))]
        for step in flow_tree.steps_in_order(self.flow):
            if step["id"] == self.step:
                break
            kind = step_types.get(step.get("type", ""))
            if kind is not None and kind.for_people:
                found.append((step["id"], title_of_step(step)))
        return found


def target_of(parts: Parts, table: str, values: Mapping[str, Any]) -> str:
    """The table whose fields a step sets: the one it names, that of a link or of another flow, else the flow's own."""
    if values.get("table"):
        return str(values["table"])
    if values.get("flow") and f"flows/{values['flow']}" in parts:
        return flows.table_of(parts, parts[f"flows/{values['flow']}"])
    fields = parts[f"tables/{table}"]["fields"] if table else ()
    link = next((f for f in fields if f["id"] == values.get("record") and f.get("table")), None)
    return str(link["table"]) if link else table


def _people(near: FlowSurroundings, values: Mapping[str, Any]) -> Named:
    own = [(f["id"], title_in(f)) for f in near.fields if f["type"] in PEOPLE] if near.table else []
    return [*own, *((id, SYSTEM_LABELS[id]) for id in ("created_by", "updated_by"))]


def _texts(near: FlowSurroundings, values: Mapping[str, Any]) -> Named:
    return [(f["id"], title_in(f)) for f in near.fields if f["type"] == "text"] if near.table else []


def _settable(near: FlowSurroundings, table: str) -> Named:
    if f"tables/{table}" not in near.parts:
        return []
    fields = near.parts[f"tables/{table}"]["fields"]
    kinds = ((f, field_types.get(f["type"])) for f in fields)
    return [(f["id"], title_in(f)) for f, kind in kinds if kind and not kind.computed and kind.storage != "child"]


FINDERS: dict[str, Callable[[FlowSurroundings, Mapping[str, Any]], Named]] = {
    "people field": _people, "text field": _texts,
    "set field": lambda near, values: _settable(near, target_of(near.parts, near.table, values)),
    "other field": lambda near, values: _settable(near, target_of(near.parts, near.table, values)),
    "result field": lambda near, values: _settable(near, near.table),
}  # fmt: skip
