"""Where the steps of a flow stand: lists of steps, by name, and what is inside a step, as its kind declares it.

A list is known by the name that `Flow.sequences` gives it: `main`, `step.branch`, `after:approved`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from builder.parts import Json
from schemas import parsers
from schemas.errors import InvalidInput
from schemas.flow import MAIN, OUTCOMES
from schemas.messages import say
from schemas.options import Option, options_of
from schemas.steps import step_types

AFTER = (*OUTCOMES, "returned")
"""What may have steps of its own afterwards."""
GONE = say("This step is no longer there.")


@dataclass
class Held:
    """A list of steps inside a step: its name in the sequence, the list itself, and the branch that owns it, if one does."""

    key: str
    steps: list[Json]
    branch: Json | None = None


def held_by(step: Json) -> list[Held]:
    """The lists of steps that a step has in it, as its kind declares them."""
    kind: Any = step_types.get(step.get("type", ""))
    found: list[Held] = []
    for option in options_of(kind) if kind else ():
        if _is_steps(option.parser):
            found.append(Held(option.name, step.setdefault(option.name, [])))
        elif holds_branches(option):
            branches = step.get(option.name) or []
            found += [Held(branch["id"], branch.setdefault("steps", []), branch) for branch in branches]
    return found


def _is_steps(parser: Any) -> bool:
    item = getattr(parser, "item", None)
    return isinstance(parser, parsers.Many) and isinstance(item, parsers.Kinds) and item.registry is step_types


def holds_branches(option: Option) -> bool:
    """Whether an option is a list of objects that have steps."""
    item = getattr(option.parser, "item", None)
    kind: Any = item.kind if isinstance(item, parsers.Object) else None
    return kind is not None and any(_is_steps(o.parser) for o in options_of(kind))


def branch_option(type: str) -> Option | None:
    """The option by which this kind of step has branches."""
    kind: Any = step_types.get(type)
    return next((o for o in options_of(kind) if holds_branches(o)), None) if kind else None


def branch_kind(option: Option) -> Any:
    """The class of the branches that an option holds."""
    parser: Any = option.parser
    return parser.item.kind


def is_conditional(option: Option) -> bool:
    """Whether each branch may have a condition."""
    return "when" in {o.name for o in options_of(branch_kind(option))}


def is_structure(option: Option) -> bool:
    """Whether an option is drawn in the chart and not on the panel."""
    return _is_steps(option.parser) or holds_branches(option)


def sequences_of(flow: Json) -> dict[str, list[Json]]:
    """Every list of steps by its name, in reading order; the lists are the flow's own."""
    found = {MAIN: flow.setdefault("steps", [])}
    _gather(found, MAIN)
    for outcome in AFTER:
        steps = (flow.get("after") or {}).get(outcome)
        if steps:
            found[f"after:{outcome}"] = steps
            _gather(found, f"after:{outcome}")
    return found


def _gather(found: dict[str, list[Json]], name: str) -> None:
    for step in found[name]:
        for held in held_by(step):
            found[f"{step['id']}.{held.key}"] = held.steps
            _gather(found, f"{step['id']}.{held.key}")


def steps_of(flow: Json) -> Iterator[Json]:
    """Every step, in reading order."""
    for steps in sequences_of(flow).values():
        yield from steps


def steps_in_order(flow: Json) -> Iterator[Json]:
    """Every step as it is read from top to bottom, what is in a step behind it."""
    for steps in (flow.get("steps") or [], *((flow.get("after") or {}).values())):
        for step in steps:
            yield from inside(step)


def find_step(flow: Json, id: str) -> Json:
    """The step with this id. Raises InvalidInput."""
    return place_of(flow, id)[1]


def place_of(flow: Json, id: str) -> tuple[str, Json]:
    for name, steps in sequences_of(flow).items():
        for step in steps:
            if step["id"] == id:
                return name, step
    raise InvalidInput({"": [GONE]})


def sequence_of(flow: Json, name: str) -> list[Json]:
    """The list of steps of this name; that of an outcome is made. Raises InvalidInput."""
    kind, _, outcome = name.partition(":")
    if kind == "after" and outcome in AFTER:
        flow["after"] = dict(flow.get("after") or {})
        made: list[Json] = flow["after"].setdefault(outcome, [])
        return made
    found = sequences_of(flow).get(name)
    if found is None:
        raise InvalidInput({"": [say("This branch is no longer there.")]})
    return found


def inside(step: Json) -> Iterator[Json]:
    """A step, and every step in it."""
    yield step
    for held in held_by(step):
        for one in held.steps:
            yield from inside(one)
