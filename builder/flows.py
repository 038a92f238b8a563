"""Edits of flows: steps, branches and triggers made, set, copied, moved and taken away, each sound at once where it can be.

What stands inside a step is read from its kind's own declarations (`builder/flow_tree.py`), so a new kind of step
needs nothing here.
"""

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

from builder.flow_tree import (
    AFTER,
    branch_option,
    held_by,
    holds_branches,
    inside,
    is_conditional,
    place_of,
    sequence_of,
    sequences_of,
    steps_of,
)
from builder.navigation import without_lines
from builder.parts import Json, Parts, fresh, numbered, of_table, put, replaced, take, word_of
from schemas import parsers
from schemas.errors import InvalidInput, NotFound
from schemas.flow import MAIN, Trigger
from schemas.formula import RESERVED
from schemas.messages import say
from schemas.options import Option, options_of
from schemas.steps import step_types
from schemas.steps.people import PREVIOUS, START
from schemas.steps.who import People

DEEPEST = 5
"""Flows that start when another one has ended, one behind the other."""
BESIDE_TRIGGERS = {"when"}
"""Options of a trigger that say something more about it, whatever kind it is."""


def the_flow(parts: Parts, flow: str) -> Json:
    """The flow's JSON. Raises NotFound."""
    found = parts.get(f"flows/{flow}")
    if found is None:
        raise NotFound
    return dict(found)


def table_of(parts: Parts, flow: Mapping[str, Any], depth: int = 0) -> str:
    """The table that a flow is about; empty when its trigger names none that is there."""
    for trigger in triggers_of(flow):
        form = parts.get(f"forms/{trigger.get('submit') or ''}")
        named = [form["table"]] if form else [trigger.get(o.name) for o in trigger_kinds() if _refers(o, "table")]
        named += [part["table"] for part in trigger.values() if isinstance(part, Mapping) and "table" in part]
        other = parts.get(f"flows/{trigger.get('ended') or ''}")
        if other is not None and depth < DEEPEST:
            named.append(table_of(parts, other, depth + 1))
        found = next((t for t in named if f"tables/{t}" in parts), "")
        if found:
            return str(found)
    return ""


def _refers(option: Option, thing: str) -> bool:
    """Whether an option is the id of such a thing."""
    return isinstance(option.parser, parsers.Reference) and option.parser.to == thing


# -- flows -----------------------------------------------------------------------------------------


def add_flow(parts: Parts, table: str, title: str) -> tuple[Parts, str]:
    """A flow that starts when a form of the table is sent, and asks the sender's head. Gives its id.

    Raises NotFound without the table, InvalidInput without a title or a form.
    """
    title = title.strip()[:80]
    if not title:
        raise InvalidInput({"title": [say("Give the flow a name.")]})
    if f"tables/{table}" not in parts:
        raise NotFound
    forms = [f["id"] for f in of_table(parts, "forms", table)]
    if not forms:
        raise InvalidInput({"": [say("The flow needs a form to start with. Add one first.")]})
    made = deepcopy(parts)
    id = fresh(word_of(title, f"{table}_flow"), made["order/flows"])
    step = {"id": "approve", "type": "approve", **beginning(made, table, "approve")}
    put(made, "flows", {"id": id, "title": title, "trigger": {"submit": forms[0]}, "steps": [step]})
    return made, id


def remove_flow(parts: Parts, flow: str) -> Parts:
    """A flow with the grants that were its own."""
    the_flow(parts, flow)
    made = deepcopy(parts)
    for grant in [g for g in made["order/access"] if _only_for(made[f"access/{g}"], flow)]:
        take(made, "access", grant)
    take(made, "flows", flow)
    return without_lines(made, "flow", [flow])


def _only_for(grant: Mapping[str, Any], flow: str) -> bool:
    who = grant.get("who")
    return all(one == {"flow": flow} for one in (who if isinstance(who, list) else [who]))


def change_flow(parts: Parts, flow: str, options: Mapping[str, Any]) -> Parts:
    """Replace options of the flow itself; None takes one away."""
    found = the_flow(parts, flow)
    return Parts({**parts, f"flows/{flow}": replaced(found, options)})


def copy_flow(parts: Parts, flow: str) -> tuple[Parts, str]:
    """The same flow once more. Gives its id."""
    made, found = deepcopy(parts), deepcopy(the_flow(parts, flow))
    id = fresh(flow, made["order/flows"])
    put(made, "flows", {**found, "id": id, "title": numbered(found.get("title") or flow)})
    return made, id


# -- steps -----------------------------------------------------------------------------------------


def add_step(parts: Parts, flow: str, type: str, sequence: str = MAIN, index: int | None = None) -> tuple[Parts, str]:
    """A new step of some kind at a place in a sequence, or at its end. Gives its id. Raises InvalidInput."""
    if type not in step_types:
        raise InvalidInput({"": [step_types.unknown(type)]})
    made, found = _edited(parts, flow)
    steps = sequence_of(found, sequence)
    if sequence.startswith("after:") and step_types[type].for_people:
        raise InvalidInput({"": [say("Afterwards nobody is asked any more: choose another kind of step.")]})
    step = {"id": _fresh_id(type, found), "type": type, **beginning(made, table_of(made, found), type)}
    steps.insert(len(steps) if index is None else max(0, min(index, len(steps))), step)
    return made, step["id"]


def change_step(parts: Parts, flow: str, id: str, options: Mapping[str, Any]) -> Parts:
    """Replace options of a step; None takes one away. Its id and kind stay."""
    made, found = _edited(parts, flow)
    _, step = place_of(found, id)
    _set(step, {k: v for k, v in options.items() if k not in ("id", "type")})
    return made


def _set(item: Json, options: Mapping[str, Any]) -> None:
    changed = replaced(item, options)
    item.clear()
    item.update(changed)


def copy_step(parts: Parts, flow: str, id: str) -> tuple[Parts, str]:
    """The same step behind it, with all that is in it. Gives its id."""
    made, found = _edited(parts, flow)
    name, step = place_of(found, id)
    copy, taken = deepcopy(step), _taken(found)
    for one in inside(copy):
        one["id"] = fresh(one["id"], taken)
        taken.add(one["id"])
    if copy.get("title"):
        copy["title"] = numbered(copy["title"])
    steps = sequences_of(found)[name]
    steps.insert(steps.index(step) + 1, copy)
    return made, copy["id"]


def remove_step(parts: Parts, flow: str, id: str) -> tuple[Parts, str]:
    """Take a step away with all that is in it; nothing returns to it any more. Gives what stands in its place."""
    made, found = _edited(parts, flow)
    name, step = place_of(found, id)
    gone = {one["id"] for one in inside(step)}
    steps = sequences_of(found)[name]
    at = steps.index(step)
    steps.remove(step)
    _forget(found, gone)
    _tidy(found)
    near = steps[at : at + 1] or steps[at - 1 : at]
    return made, near[0]["id"] if near else ""


def _forget(flow: Json, gone: set[str]) -> None:
    """No step returns to steps that are gone."""
    for step in steps_of(flow):
        if "return_to" in step:
            step["return_to"] = [id for id in step["return_to"] if id not in gone]
        for late in (step.get("due") or {}).get("then") or ():
            if isinstance(late, dict) and late.get("back_to") in gone:
                late["back_to"] = PREVIOUS


def _tidy(flow: Json) -> None:
    """No empty list of steps after an outcome."""
    if "after" in flow:
        flow["after"] = {name: steps for name, steps in flow["after"].items() if steps}
        if not flow["after"]:
            del flow["after"]


def move_step(parts: Parts, flow: str, id: str, sequence: str, index: int) -> Parts:
    """Put a step before the one at this index of a sequence, as it now stands. Raises InvalidInput for a place inside itself."""
    made, found = _edited(parts, flow)
    name, step = place_of(found, id)
    target = sequence_of(found, sequence)
    if any(target is held.steps for one in inside(step) for held in held_by(one)):
        raise InvalidInput({"": [say("A step cannot be put into itself.")]})
    if sequence.startswith("after:") and any(step_types[one["type"]].for_people for one in inside(step)):
        raise InvalidInput({"": [say("Afterwards nobody is asked any more: choose another kind of step.")]})
    steps = sequences_of(found)[name]
    at = steps.index(step)
    del steps[at]
    index -= target is steps and at < index
    target.insert(max(0, min(index, len(target))), step)
    _tidy(found)
    return made


def nudge_step(parts: Parts, flow: str, id: str, by: int) -> Parts:
    """Move a step to the next place before (-1) or behind (1) it, into and out of branches on the way."""
    found = deepcopy(the_flow(parts, flow))
    name, step = place_of(found, id)
    own = (name, sequences_of(found)[name].index(step))
    places = [place for place in _places(found, step) if place != (own[0], own[1] + 1)]
    at = places.index(own) + by
    if not 0 <= at < len(places):
        return deepcopy(parts)
    sequence, index = places[at]
    if sequence.startswith("after:") != name.startswith("after:"):
        return deepcopy(parts)
    return move_step(parts, flow, id, sequence, index)


def _places(flow: Json, but: Json) -> list[tuple[str, int]]:
    """Every place for a step, in reading order, those inside one step left out."""
    found: list[tuple[str, int]] = []
    _walk(MAIN, flow["steps"], but, found)
    for outcome in AFTER:
        if steps := (flow.get("after") or {}).get(outcome):
            _walk(f"after:{outcome}", steps, but, found)
    return found


def _walk(name: str, steps: list[Json], but: Json, found: list[tuple[str, int]]) -> None:
    for index, step in enumerate(steps):
        found.append((name, index))
        for held in held_by(step) if step is not but else ():
            _walk(f"{step['id']}.{held.key}", held.steps, but, found)
    found.append((name, len(steps)))


def _edited(parts: Parts, flow: str) -> tuple[Parts, Json]:
    made = deepcopy(parts)
    found = the_flow(made, flow)
    made[f"flows/{flow}"] = found
    return made, found


def _taken(flow: Json) -> set[str]:
    return {START, PREVIOUS, *(step["id"] for step in steps_of(flow))}


def _fresh_id(word: str, flow: Json) -> str:
    return fresh(f"{word}_step" if word in RESERVED or word.upper() in RESERVED else word, _taken(flow))


# -- branches --------------------------------------------------------------------------------------


def add_branch(parts: Parts, flow: str, id: str) -> tuple[Parts, str]:
    """One more branch, before the one that is taken otherwise. Gives `step.branch`."""
    made, found = _edited(parts, flow)
    option, branches = _branches(found, id)
    number = len(branches) + 1
    branch = _branch(fresh("branch", [b["id"] for b in branches]), number, option)
    last = bool(branches) and is_conditional(option) and not branches[-1].get("when")
    branches.insert(len(branches) - last, branch)
    return made, f"{id}.{branch['id']}"


def change_branch(parts: Parts, flow: str, path: str, options: Mapping[str, Any]) -> Parts:
    """Replace options of a branch (`step.branch`); None takes one away."""
    made, found = _edited(parts, flow)
    _set(_branch_at(found, path), {k: v for k, v in options.items() if k not in ("id", "steps")})
    return made


def remove_branch(parts: Parts, flow: str, path: str) -> tuple[Parts, str]:
    """Take a branch with its steps away. Gives the step that had it. Raises InvalidInput for the last one."""
    made, found = _edited(parts, flow)
    branch, id = _branch_at(found, path), path.partition(".")[0]
    _, branches = _branches(found, id)
    if len(branches) < 2:
        raise InvalidInput({"": [say("A step with branches needs one at least. Remove the step instead.")]})
    gone = {one["id"] for step in branch.get("steps") or () for one in inside(step)}
    branches.remove(branch)
    _forget(found, gone)
    return made, id


def move_branch(parts: Parts, flow: str, path: str, by: int) -> Parts:
    """A branch further to the left (-1) or right (1): of several that hold, the first counts."""
    made, found = _edited(parts, flow)
    branch = _branch_at(found, path)
    _, branches = _branches(found, path.partition(".")[0])
    at = branches.index(branch)
    branches.remove(branch)
    branches.insert(max(0, at + by), branch)
    return made


def find_branch(flow: Json, path: str) -> Json:
    """The branch (`step.branch`). Raises InvalidInput."""
    return _branch_at(flow, path)


def _branches(flow: Json, id: str) -> tuple[Option, list[Json]]:
    _, step = place_of(flow, id)
    option = branch_option(step["type"])
    if option is None:
        raise InvalidInput({"": [say("This step has no branches.")]})
    return option, step.setdefault(option.name, [])


def _branch_at(flow: Json, path: str) -> Json:
    id, _, key = path.partition(".")
    _, branches = _branches(flow, id)
    found = next((b for b in branches if b["id"] == key), None)
    if found is None:
        raise InvalidInput({"": [say("This branch is no longer there.")]})
    return found


def _branch(id: str, number: int, option: Option, otherwise: bool = False) -> Json:
    title = {"zh": f"分支 {number}", "en": f"Branch {number}"}
    when = {"when": "TRUE"} if is_conditional(option) and not otherwise else {}
    return {"id": id, "title": {"zh": "其他情况", "en": "Otherwise"} if otherwise else title, **when, "steps": []}


# -- what a new step begins with -------------------------------------------------------------------


def beginning(parts: Parts, table: str, type: str) -> Json:
    """What a new step of this kind needs to be sound at once, as far as that can be known."""
    kind: Any = step_types[type]
    made: Json = dict(kind.starts_with)
    for option in options_of(kind):
        if option.parser.required and option.name != "id":
            value = _first_value(parts, table, option, kind.for_people)
            made |= {option.name: value} if value is not None else {}
    return made


def _first_value(parts: Parts, table: str, option: Option, for_people: bool) -> Any:
    parser: Any = option.parser
    if isinstance(parser, People):
        return [{"head_of": "starter"}] if for_people else ["starter"]
    if holds_branches(option):
        otherwise = is_conditional(option)
        return [_branch("branch_1", 1, option), _branch("otherwise" if otherwise else "branch_2", 2, option, otherwise)]
    if isinstance(parser, parsers.Reference):
        return _first_known(parts, table, parser.to)
    if isinstance(parser, parsers.Words):
        return parser.words[0]
    if isinstance(parser, parsers.FormulaSource):
        return "TRUE" if parser.result == "boolean" else '""'
    if isinstance(parser, parsers.Label):
        return {"zh": "新步骤", "en": "New step"}
    first = FIRST.get(next((k for k in FIRST if isinstance(parser, k)), object))
    return first() if first else None


FIRST: dict[type[Any], Callable[[], Any]] = {
    parsers.Dictionary: dict, parsers.Many: list, parsers.Flag: bool, parsers.Whole: lambda: 1,
}  # fmt: skip


def _first_known(parts: Parts, table: str, to: str) -> str | None:
    if to == "table":
        return table or None
    if to == "field":
        return _first_field(parts, table)
    if to == "form":
        return next((f["id"] for f in of_table(parts, "forms", table)), None)
    return next(iter(parts.get(f"order/{to}s") or ()), None)


def _first_field(parts: Parts, table: str) -> str | None:
    """One that holds a person if there is one, for steps speak of people."""
    fields = parts[f"tables/{table}"].get("fields", []) if table else []
    people = [f["id"] for f in fields if f.get("type") == "member"]
    return next(iter([*people, *(f["id"] for f in fields)]), None)


# -- triggers --------------------------------------------------------------------------------------


def triggers_of(flow: Mapping[str, Any]) -> list[Json]:
    """What starts the flow: any of these."""
    found = flow.get("trigger") or []
    return [dict(t) for t in (found if isinstance(found, list) else [found])]


def trigger_kinds() -> list[Option]:
    """The kinds of triggers there are: the options of which a trigger names one."""
    return [o for o in options_of(Trigger) if o.name not in BESIDE_TRIGGERS]


def kind_of(trigger: Mapping[str, Any]) -> str:
    """Which kind of trigger this is; the first kind where it names none."""
    kinds = [o.name for o in trigger_kinds()]
    return next((name for name in kinds if trigger.get(name) is not None), kinds[0])


def add_trigger(parts: Parts, flow: str) -> tuple[Parts, str]:
    """One more way to start. Gives `trigger:n`."""
    made, found = _edited(parts, flow)
    known = triggers_of(found)
    used = {kind_of(t) for t in known}
    kind = next((o.name for o in trigger_kinds() if o.name not in used), trigger_kinds()[0].name)
    _keep_triggers(found, [*known, _new_trigger(made, table_of(made, found), kind)])
    return made, f"trigger:{len(known)}"


def turn_trigger(parts: Parts, flow: str, number: int, kind: str) -> Parts:
    """Let it start by something else, about the same table; what else is said of it stays."""
    made, found = _edited(parts, flow)
    known = triggers_of(found)
    if not 0 <= number < len(known) or kind not in {o.name for o in trigger_kinds()}:
        raise InvalidInput({"": [say("This trigger is no longer there.")]})
    kept = {k: v for k, v in known[number].items() if k in BESIDE_TRIGGERS}
    table = table_of(made, found) or next(iter(made["order/tables"]), "")
    known[number] = {**_new_trigger(made, table, kind), **kept}
    _keep_triggers(found, known)
    return made


def change_trigger(parts: Parts, flow: str, number: int, options: Mapping[str, Any]) -> Parts:
    """Replace options of a trigger; None takes one away."""
    made, found = _edited(parts, flow)
    known = triggers_of(found)
    if not 0 <= number < len(known):
        raise InvalidInput({"": [say("This trigger is no longer there.")]})
    known[number] = replaced(known[number], options)
    _keep_triggers(found, known)
    return made


def remove_trigger(parts: Parts, flow: str, number: int) -> Parts:
    """One way less to start. Raises InvalidInput for the last one."""
    made, found = _edited(parts, flow)
    known = triggers_of(found)
    if len(known) < 2 or not 0 <= number < len(known):
        raise InvalidInput({"": [say("A flow needs something that starts it.")]})
    _keep_triggers(found, [t for n, t in enumerate(known) if n != number])
    return made


def _keep_triggers(flow: Json, known: list[Json]) -> None:
    flow["trigger"] = known[0] if len(known) == 1 else known


def _new_trigger(parts: Parts, table: str, kind: str) -> Json:
    option = next(o for o in trigger_kinds() if o.name == kind)
    parser: Any = option.parser
    if isinstance(parser, parsers.Object):
        declared: Any = parser.kind
        inner = [o for o in options_of(declared) if o.parser.required]
        return {kind: {o.name: v for o in inner if (v := _first_value(parts, table, o, False)) is not None}}
    return {kind: _first_value(parts, table, option, False) or ""}


# -- people who are named here ---------------------------------------------------------------------


def add_slot(parts: Parts, title: str, type: str) -> tuple[Parts, str]:
    """A member, a department or a secret that is named under "Who is who". Gives its id. Raises InvalidInput without a title."""
    title = title.strip()[:80]
    if not title or type not in ("member", "department", "secret"):
        raise InvalidInput({"title": [say("Say what they are in this app, such as “cashier”.")]})
    made = deepcopy(parts)
    slots = made["manifest"].get("slots") or []
    id = fresh(word_of(title, type), [s["id"] for s in slots])
    made["manifest"]["slots"] = [*slots, {"id": id, "type": type, "title": title}]
    return made, id
