"""Scenarios in one line an event: what happens > what must be true then. Read into the JSON of `mortise flow`.

    start > both: ben cleo          Amy starts; Ben and Cleo hold tasks at the step `both`, and nobody else does
    ben approve > both: cleo        so does Ben, and Cleo's task is left
    cleo reject > rejected          the run has ended so; nobody is asked
    ben transfer dan > ! asked      it is refused, with `asked` in the sentence
    after 2 workdays > remind cleo  the clock moves; Cleo is reminded
    jump 9 days                     the clock jumps: what was due in between happens late
    set total=5

Words after `do` are `to` (for add_signer, copy and choose: people; the first of add_signer the side), then `key=value`.
"""

from collections.abc import Mapping
from typing import Any

STATES = ("running", "failed", "approved", "rejected", "withdrawn", "ended")
PEOPLE = ("amy", "ben", "cleo", "dan", "eve", "fay")
HEADS = {"amy": "ben", "ben": "cleo", "cleo": "dan"}
LISTS = ("people", "files")


def ask(id: str, *people: str, **options: Any) -> dict[str, Any]:
    """A step that asks these people to approve."""
    return {"id": id, "type": "approve", "who": [{"role": person} for person in people], **options}


def fill(id: str, *people: str, **options: Any) -> dict[str, Any]:
    return {**ask(id, *people, **options), "type": "handle"}


def update(id: str, **values: str) -> dict[str, Any]:
    return {"id": id, "type": "update", "set": values or {"status": f'"{id}"'}}


def tell(id: str, *people: str) -> dict[str, Any]:
    return {"id": id, "type": "notify", "to": [{"role": person} for person in people]}


def choose(id: str, *branches: dict[str, Any], **options: Any) -> dict[str, Any]:
    return {"id": id, "type": "choose", "branches": list(branches), **options}


def parallel(id: str, *branches: list[dict[str, Any]], **options: Any) -> dict[str, Any]:
    named = [{"id": f"b{n}", "steps": steps} for n, steps in enumerate(branches)]
    return {"id": id, "type": "parallel", "branches": named, **options}


def when(id: str, condition: str | None, *steps: dict[str, Any]) -> dict[str, Any]:
    return {"id": id, "steps": list(steps), **({"when": condition} if condition else {})}


def scenario(steps: list[dict[str, Any]], *lines: str, flow: Mapping[str, Any] | None = None,
             members: Mapping[str, Mapping[str, Any]] | None = None, **options: Any) -> dict[str, Any]:  # fmt: skip
    """A scenario in JSON. Everybody has a role of their own name; Ben heads Amy, Cleo Ben, and Dan Cleo."""
    facts = {name: {"roles": [name], **({"head": HEADS[name]} if name in HEADS else {})} for name in PEOPLE}
    for name, more in (members or {}).items():
        facts[name] = {**facts.get(name, {}), **more}
    first, *rest = [_event(line) for line in lines]
    return {
        "starter": "amy", "flow": {"steps": steps, **(flow or {})}, "members": facts, "now": "2026-03-02T09:00",
        "expect": first.get("expect", {}), "events": rest, **options,
    }  # fmt: skip


def _event(line: str) -> dict[str, Any]:
    happens, _, holds = line.partition(">")
    event = _happens(happens.split())
    for part in filter(None, (part.strip() for part in holds.split(";"))):
        _holds(event, part)
    return event


def _happens(words: list[str]) -> dict[str, Any]:
    if words[:1] == ["start"]:
        return {}
    if words[0] in ("after", "at", "jump"):
        return {"at": " ".join(words[1:]), "jump": words[0] == "jump"}
    if words[0] == "set":
        return {"set": dict(_pair(word) for word in words[1:])}
    event: dict[str, Any] = {"by": words[0], "do": words[1]}
    plain = [word for word in words[2:] if "=" not in word]
    event |= dict(_pair(word) for word in words[2:] if "=" in word)
    if words[1] == "add_signer":
        event |= {"side": plain[0], "people": plain[1:]}
    elif words[1] in ("choose", "copy"):
        event["people"] = plain
    elif words[1] in ("retry", "skip", "performed", "failed", "subflow_ended", "reactivate"):
        event |= {"step": plain[0]} if plain else {}
    elif plain:
        event["to"] = plain[0]
    return event


def _pair(word: str) -> tuple[str, Any]:
    name, _, value = word.partition("=")
    if name in LISTS:
        return name, value.split("+")
    if value in ("yes", "no"):
        return name, value == "yes"
    if value.endswith("Z") and "T" in value:
        return name, {"datetime": value}
    return name, int(value) if value.isdigit() else value


def _holds(event: dict[str, Any], part: str) -> None:
    expected = event.setdefault("expect", {})
    first, *rest = part.split()
    if first == "!":
        event["refused"] = " ".join(rest)
    elif first in STATES:
        expected["state"] = first
        if first not in ("running", "failed"):
            expected["asked"] = {}
    elif first in ("remind", "told"):
        expected["reminded" if first == "remind" else "told"] = rest
    elif first == "log":
        expected["log"] = rest
    elif first == "waits":
        expected["waits"] = dict(word.split("=") for word in rest)
    else:
        expected["asked"] = _asked(part)


def _asked(part: str) -> dict[str, list[str]]:
    """`one: ben cleo, two: dan`; a dash for nobody."""
    if part == "-":
        return {}
    return {step.strip(): people.split() for step, _, people in (place.partition(":") for place in part.split(","))}
