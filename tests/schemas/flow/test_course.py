"""Where a run stands in its flow: what the diagram says of every step."""

from typing import Any

from schemas.engine.course import Lane, course
from schemas.steps import step_types
from tests.schemas.flow.play import Play, approve, flow_of

assert step_types
SPLIT: dict[str, Any] = {
    "id": "size", "type": "choose", "branches": [
        {"id": "big", "when": "big", "steps": [approve("two", "cleo", return_to=["one"])]},
        {"id": "small", "steps": [approve("three", "dan")]},
    ],
}  # fmt: skip


def standings(play: Play) -> dict[str, str]:
    found: dict[str, str] = {}

    def look(lane: Lane) -> None:
        for stop in lane.stops:
            found[stop.step.id] = stop.standing
            for branch in stop.branches:
                look(branch)

    for lane in course(play.flow, play.state, play.log):
        look(lane)
    return found


def test_what_is_behind_where_it_stands_what_may_follow_and_what_was_not_taken() -> None:
    play = Play(flow_of(approve("one", "ben"), SPLIT, approve("last", "eve")), true=("big",))
    assert standings(play) == {"one": "here", "size": "coming", "two": "coming", "three": "coming", "last": "coming"}
    play.do("ben", "approve")
    assert standings(play) == {"one": "passed", "size": "here", "two": "here", "three": "left_out", "last": "coming"}
    play.do("cleo", "return", to="one", comment="no")
    assert standings(play) == {"one": "here", "size": "coming", "two": "coming", "three": "coming", "last": "coming"}
    play.do("ben", "approve")
    play.do("cleo", "approve")
    play.do("eve", "approve")
    assert standings(play) == {
        "one": "passed",
        "size": "passed",
        "two": "passed",
        "three": "left_out",
        "last": "passed",
    }
    said = course(play.flow, play.state, play.log)[0].stops[0].said
    assert [(one.who, one.what) for one in said] == [("ben", "approve")], "of the last round only"


def test_a_rejection_leaves_the_rest_out_and_shows_where_it_ended() -> None:
    play = Play(flow_of(approve("one", "ben"), approve("last", "eve")))
    play.do("ben", "reject", comment="no")
    assert standings(play) == {"one": "stopped", "last": "left_out"}


def test_a_step_that_was_passed_by_says_so() -> None:
    play = Play(flow_of(approve("one", "ben", if_nobody="skip"), approve("last", "eve")), gone=("ben",))
    assert standings(play) == {"one": "left_out", "last": "here"}
