"""Whatever the definition and whatever happens: no stuck token, no live task of an ended run, one ending.

`tests/schemas/flow/play.py` checks every state on the way. Set FLOW_EXAMPLES for a long run.
"""

import os
import random
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.engine import (
    Decided,
    Delegated,
    Performed,
    Reactivated,
    SignerAdded,
    SubflowEnded,
    TakenBack,
    Transferred,
    replay,
    return_targets,
)
from schemas.errors import Denied, InvalidInput
from schemas.steps.people import SIDES, START
from tests.schemas.flow.play import Play, flow_of

EXAMPLES = int(os.environ.get("FLOW_EXAMPLES", "100"))
PEOPLE = ["amy", "ben", "cleo", "dan", "eve"]
QUORUMS = ["any", "all", "in_order", {"percent": 60}, {"count": 2}]
HEADS = {"amy": "ben", "ben": "cleo", "cleo": "dan"}
LATE = [
    "remind",
    {"do": "remind", "every": "1 hour", "times": 3},
    {"escalate": {"head_of": "assignee"}},
    "return",
    "approve",
]


def build(rnd: random.Random, depth: int = 0, count: list[int] | None = None) -> list[dict[str, Any]]:
    """Random steps; ids are unique in the flow."""
    count = count if count is not None else [0]
    return [one_step(rnd, depth, count) for _ in range(rnd.randint(1 if depth else 2, 4))]


def one_step(rnd: random.Random, depth: int, count: list[int]) -> dict[str, Any]:
    count[0] += 1
    id = f"s{count[0]}"
    draw = rnd.random()
    if draw < 0.5 or depth >= 2:
        return people_step(rnd, id, count[0])
    if draw < 0.6:
        return {"id": id, "type": "update", "set": {"status": '"x"'}}
    if draw < 0.62 and depth < 2:
        return {"id": id, "type": "each", "of": "rows", "steps": build(rnd, depth + 1, count)}
    if draw < 0.625:
        return {"id": id, "type": "wait", "span": "2 hours"}
    if draw < 0.63:
        return {"id": id, "type": "wait", "span": "5 hours", "holds": "status = \"x\""}
    if draw < 0.66:
        return {"id": id, "type": "notify", "to": ["starter", "deciders", "assignees"]}
    if draw < 0.7:
        return {"id": id, "type": "subflow", "flow": "other", "of": "rows", "wait": rnd.random() < 0.8,
                "if_rejected": rnd.choice(["go_on", "reject"])}  # fmt: skip
    if draw < 0.72:
        return {"id": id, "type": "end", "outcome": rnd.choice(["approved", "rejected", "ended"])}
    return block(rnd, id, depth, count)


def people_step(rnd: random.Random, id: str, number: int) -> dict[str, Any]:
    who: list[Any] = [{"role": person} for person in rnd.sample(PEOPLE, rnd.randint(1, 4))]
    step: dict[str, Any] = {
        "id": id, "type": "approve", "who": rnd.choice([
            who, who, [{**one, "weight": rnd.randint(1, 9)} for one in who], "starter", "previous", {"head_of": "starter"},
            {"head_of": "starter", "up_to": 3}, {"head_of": "starter", "up_to": {"role": "cleo"}}, {"chosen_by": "starter"},
            {"chosen_by": "previous", "among": who}]),
        "quorum": rnd.choice(QUORUMS), "reject": rnd.choice(["veto", "counts"]),
        "if_self": rnd.choice(["ask", "skip", "head"]), "if_repeated": rnd.choice(["ask", "approve", "approve_next"]),
        "if_nobody": rnd.choice(["skip", "stop", {"role": "dan"}]), "after_return": rnd.choice(["replay", "back", "ask"]),
        "return_to": [START, "previous", *(f"s{n}" for n in range(max(1, number - 20), number))],
    }  # fmt: skip
    if rnd.random() < 0.3:
        step["due"] = {"in": rnd.choice(["1 hour", "1 workday"]), "then": rnd.sample(LATE, rnd.randint(0, 3))}
    if rnd.random() < 0.2:
        step["type"] = "handle"
        del step["reject"]
    return step


def block(rnd: random.Random, id: str, depth: int, count: list[int]) -> dict[str, Any]:
    branches: list[dict[str, Any]] = [
        {"id": f"b{n}", "steps": build(rnd, depth + 1, count) if rnd.random() < 0.85 else []}
        for n in range(rnd.randint(2, 3))
    ]
    if rnd.random() < 0.5:
        return {"id": id, "type": "parallel", "branches": branches, "join": rnd.choice(["all", "first", {"count": 2}])}
    for branch in branches[: -1 if rnd.random() < 0.7 else None]:
        branch["when"] = rnd.choice(["a", "b", "c"])
    return {"id": id, "type": "choose", "mode": rnd.choice(["first", "every"]), "branches": branches}


def random_flow(rnd: random.Random) -> Any:
    after = {name: [{"id": f"x_{name}", "type": "update", "set": {"status": '"x"'}}]
             for name in ("approved", "rejected", "withdrawn", "returned") if rnd.random() < 0.4}  # fmt: skip
    return flow_of(
        *build(rnd), after=after, on_reject=rnd.choice(["end", START]),
        withdraw=rnd.choice(["never", "until_first_decision", "until_end"]),
    )  # fmt: skip


def act(rnd: random.Random, play: Play) -> None:
    """Something that somebody might do now."""
    live, draw = play.state.live_tasks(), rnd.random()
    tokens = play.state.live_tokens()
    machine = [token for token in tokens if token.waits == "machine"]
    subflows = [token for token in tokens if token.waits == "subflow"]
    if machine and (draw < 0.6 or not live):
        token = rnd.choice(machine)
        play.happen(Performed(token.id, token.round))
    elif subflows and (draw < 0.6 or not live):
        token = rnd.choice(subflows)
        outcome = rnd.choice(["approved", "approved", "rejected"])
        play.happen(SubflowEnded(token.id, token.round, rnd.randint(0, token.needed), outcome))
    elif any(token.waits == "problem" for token in tokens) and (draw < 0.3 or not live):
        play.help("skip")
    else:
        govern(rnd, play, draw) if draw < 0.14 or not live else decide(rnd, play, rnd.choice(live).id, rnd.random())


def govern(rnd: random.Random, play: Play, draw: float) -> None:
    """What is done by the clock, by the starter, and by administrators."""
    steps = [position.step.id for position in play.flow.all_positions if position.sequence == "main"]
    if draw < 0.005:
        play.withdraw()
    elif draw < 0.06:
        play.wait(timedelta(minutes=rnd.choice([5, 70, 3000])), jump=rnd.random() < 0.5)
    elif draw < 0.075:
        play.happen(Reactivated("admin", rnd.choice(steps)))
    elif draw < 0.09:
        play.away = {rnd.choice(PEOPLE): (rnd.choice(PEOPLE),)}
    elif draw < 0.12 and (task := play.state.tasks.get(play.state.last)):
        play.happen(TakenBack(task.id, task.by))
    elif play.state.live_tasks():
        task = rnd.choice(play.state.live_tasks())
        play.happen(Transferred(task.id, "admin", rnd.choice(PEOPLE), by_admin=True))


def decide(rnd: random.Random, play: Play, id: int, draw: float) -> None:
    task = play.state.tasks[id]
    step, member, to = play.flow.people_step(task.step), task.member, rnd.choice(PEOPLE)
    targets = return_targets(play.flow, play.state, task)
    if draw < 0.12 and targets:
        play.happen(Decided(id, member, "return", to=rnd.choice(targets), back=rnd.random() < 0.5))
    elif draw < 0.2:
        play.happen(Transferred(id, member, to))
    elif draw < 0.26 and "reject" in step.allowed:
        play.happen(Decided(id, member, "reject"))
    elif draw < 0.36:
        play.happen(Delegated(id, member, to))
    elif draw < 0.5:
        play.happen(SignerAdded(id, member, tuple(rnd.sample(PEOPLE, rnd.randint(1, 2))), rnd.choice(SIDES)))
    else:
        agree(play, id, rnd.sample(PEOPLE, 2))


def agree(play: Play, id: int, people: list[str]) -> None:
    """Say yes to whatever is asked."""
    task = play.state.tasks[id]
    usual = play.flow.people_step(task.step).agrees
    action = {"delegated": "answer", "choose": "choose"}.get(task.kind, usual)
    play.happen(Decided(id, task.member, action, people=tuple(people)))


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**32))
def test_every_run_is_sound_and_comes_to_an_end(seed: int) -> None:
    rnd = random.Random(seed)
    flow = random_flow(rnd)
    play = Play(flow, true=tuple(rnd.sample("abc", rnd.randint(0, 3))), heads=HEADS,
                gone=tuple(rnd.sample(PEOPLE[1:], rnd.randint(0, 2))), values={"rows": list("xyz")[: rnd.randint(0, 3)]})  # fmt: skip
    for _ in range(60):
        if not play.state.open:
            break
        try:
            act(rnd, play)
        except (Denied, InvalidInput):
            continue
    finish(play)
    assert replay(play.log) == play.state
    assert not play.state.live_tasks()
    assert play.state.state in ("approved", "rejected", "withdrawn", "ended")


def finish(play: Play) -> None:
    """From any state, agreeing everywhere leads to the end."""
    for _ in range(600):
        if not play.state.open:
            return
        tokens = play.state.live_tokens()
        machine = next((token for token in tokens if token.waits == "machine"), None)
        subflow = next((token for token in tokens if token.waits == "subflow"), None)
        if machine:
            play.happen(Performed(machine.id, machine.round))
        elif subflow:
            left = next(item for item in range(subflow.needed) if item not in subflow.ended)
            play.happen(SubflowEnded(subflow.id, subflow.round, left, "approved"))
        elif any(token.waits in ("time", "change") for token in tokens):
            play.wait(timedelta(hours=3))
        elif play.state.live_tasks():
            try:
                agree(play, play.state.live_tasks()[0].id, [*PEOPLE])
            except InvalidInput:
                play.end()
        else:
            play.help("skip")
    pytest.fail("the run does not come to an end")
