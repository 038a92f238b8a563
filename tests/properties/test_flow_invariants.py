"""Whatever the definition and whatever happens: no stuck token, no live task of an ended run, one ending.

`tests/schemas/flow/play.py` checks every state on the way. Set FLOW_EXAMPLES for a long run.
"""

import os
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.engine import Performed, replay
from schemas.errors import Denied, InvalidInput
from schemas.steps.people import START
from tests.schemas.flow.play import Play, flow_of

EXAMPLES = int(os.environ.get("FLOW_EXAMPLES", "100"))
PEOPLE = ["amy", "ben", "cleo", "dan", "eve"]
QUORUMS = ["any", "all", "in_order", {"percent": 60}, {"count": 2}]


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
    if draw < 0.66:
        return {"id": id, "type": "notify", "to": ["starter", "deciders", "assignees"]}
    if draw < 0.68:
        return {"id": id, "type": "end", "outcome": rnd.choice(["approved", "rejected", "ended"])}
    return block(rnd, id, depth, count)


def people_step(rnd: random.Random, id: str, number: int) -> dict[str, Any]:
    who: list[Any] = [{"role": person} for person in rnd.sample(PEOPLE, rnd.randint(1, 4))]
    step: dict[str, Any] = {
        "id": id, "type": "approve", "who": rnd.choice([who, "starter", "previous", {"head_of": "starter"}]),
        "quorum": rnd.choice(QUORUMS), "reject": rnd.choice(["veto", "counts"]),
        "if_self": rnd.choice(["ask", "skip", "head"]), "if_repeated": rnd.choice(["ask", "approve"]),
        "if_nobody": rnd.choice(["skip", "stop", {"role": "dan"}]), "after_return": rnd.choice(["replay", "back"]),
        "return_to": [START, "previous", *(f"s{n}" for n in range(max(1, number - 20), number))],
    }  # fmt: skip
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
    if machine and (draw < 0.6 or not live):
        token = rnd.choice(machine)
        play.happen(Performed(token.id, token.round))
    elif any(token.waits == "problem" for token in tokens) and (draw < 0.3 or not live):
        play.help("skip")
    elif draw < 0.01:
        play.withdraw()
    elif live:
        decide(rnd, play, rnd.choice(live).member, rnd.random())


def decide(rnd: random.Random, play: Play, member: str, draw: float) -> None:
    step = play.flow.people_step(play.task(member).step)
    targets = play.targets(member)
    if draw < 0.12 and targets:
        play.send_back(member, rnd.choice(targets))
    elif draw < 0.2:
        play.transfer(member, rnd.choice(PEOPLE))
    elif draw < 0.26 and "reject" in step.allowed:
        play.reject(member)
    else:
        play.do(member, step.agrees)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**32))
def test_every_run_is_sound_and_comes_to_an_end(seed: int) -> None:
    rnd = random.Random(seed)
    flow = random_flow(rnd)
    play = Play(flow, true=tuple(rnd.sample("abc", rnd.randint(0, 3))), heads={"amy": "ben", "ben": "cleo"},
                gone=tuple(rnd.sample(PEOPLE[1:], rnd.randint(0, 2))))  # fmt: skip
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
    for _ in range(400):
        if not play.state.open:
            return
        tokens = play.state.live_tokens()
        machine = next((token for token in tokens if token.waits == "machine"), None)
        if machine:
            play.happen(Performed(machine.id, machine.round))
        elif play.state.live_tasks():
            task = play.state.live_tasks()[0]
            play.do(task.member, play.flow.people_step(task.step).agrees)
        else:
            play.help("skip")
    pytest.fail("the run does not come to an end")
