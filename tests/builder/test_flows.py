"""Flows in the builder: a new step is sound at once, and steps go where they are put."""

from contextvars import ContextVar
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder import flow_tree, flow_words, flows, panel
from builder.flow_near import FlowSurroundings
from builder.parts import Json, Parts, join, split
from builder.places import place_of, told
from runtime import wording
from schemas.app import App
from schemas.errors import InvalidInput, NotFound, Problem
from schemas.flow import WITHOUT_RECORD
from schemas.messages import Message, say
from schemas.options import load, options_of
from schemas.steps import step_types
from schemas.text import Text

PACKAGE: dict[str, Any] = {
    "language": 1,
    "app": "leave",
    "roles": [{"id": "hr", "title": {"en": "HR"}}],
    "tables": [
        {
            "id": "request",
            "fields": [
                {"id": "reason", "type": "text", "label": {"en": "Reason"}},
                {"id": "days", "type": "number", "label": {"en": "Days"}},
                {"id": "until", "type": "date"},
                {"id": "stand_in", "type": "member"},
            ],
        }
    ],
    "forms": [{"id": "request_form", "table": "request"}],
}
FORK: list[Json] = [
    {"id": "ask", "type": "approve", "who": [{"head_of": "starter"}]},
    {
        "id": "long",
        "type": "choose",
        "branches": [
            {"id": "yes", "when": "days > 3", "steps": [{"id": "hr", "type": "approve", "who": [{"role": "hr"}]}]},
            {"id": "no", "steps": []},
        ],
    },
    {"id": "tell", "type": "notify", "to": ["starter"], "text": {"en": "Done"}},
]


@pytest.fixture(autouse=True)
def _in_english(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever an application in the same process has set."""
    monkeypatch.setattr(wording, "_translator", ContextVar("translator", default=str))


@pytest.fixture
def parts() -> Parts:
    made, _ = flows.add_flow(split(deepcopy(PACKAGE)), "request", "Leave")
    return flows.change_flow(made, "leave", {"steps": deepcopy(FORK)})


def problems(parts: Parts) -> list[str]:
    return [str(p) for p in load(App, join(parts)).analysis.problems() if p.severity == "error"]


def order(parts: Parts) -> list[str]:
    """Every step, in reading order, those in branches in brackets behind their step."""

    def told(steps: list[Json]) -> list[str]:
        found = []
        for step in steps:
            inner = "/".join(",".join(told(held.steps)) for held in flow_tree.held_by(step))
            found.append(step["id"] + (f"({inner})" if inner else ""))
        return found

    return told(parts["flows/leave"]["steps"])


def said(lines: Any) -> list[str]:
    def one(value: Any) -> str:
        if isinstance(value, Text):
            return value.in_language("en")
        if isinstance(value, Message):
            return value.text.format(**{k: one(v) for k, v in value.values.items()})
        return str(value)

    return [one(line) for line in lines]


def test_a_new_flow_asks_the_head_of_whoever_sends_the_form(parts: Parts) -> None:
    made, id = flows.add_flow(parts, "request", "Second")
    assert problems(made) == []
    assert made[f"flows/{id}"]["trigger"] == {"submit": "request_form"}
    with pytest.raises(InvalidInput):
        flows.add_flow(parts, "request", " ")
    with pytest.raises(NotFound):
        flows.add_flow(parts, "nowhere", "x")


@pytest.mark.parametrize("kind", list(step_types), ids=lambda kind: kind.type)
def test_every_kind_of_step_can_be_read_at_once_and_has_words(parts: Parts, kind: Any) -> None:
    made, id = flows.add_step(parts, "leave", kind.type, "long.yes", 0)
    app = load(App, join(made))
    step = flow_tree.find_step(made["flows/leave"], id)
    assert step["type"] == kind.type
    around = FlowSurroundings(made, app, made["flows/leave"], id)
    assert isinstance(said(flow_words.step_lines(step, made, around.book("record", {}))), list)
    again, other = flows.add_step(made, "leave", kind.type, "long.yes", 0)
    assert other != id
    assert load(App, join(again)).flow("leave") is not None


@pytest.mark.parametrize("kind", list(step_types), ids=lambda kind: kind.type)
def test_no_option_of_a_step_is_edited_as_json(parts: Parts, kind: Any) -> None:
    made, id = flows.add_step(parts, "leave", kind.type)
    flow = made["flows/leave"]
    near = FlowSurroundings(made, load(App, join(made)), flow, id).near()
    hidden = {o.name for o in options_of(kind) if flow_tree.is_structure(o)}
    found = [
        i
        for _, inputs in panel.inputs(kind, flow_tree.find_step(flow, id), near)
        for i in inputs
        if i.name not in hidden
    ]
    assert [i.name for i in found if i.widget in ("json", "pair_lines")] == []


def test_steps_are_moved_into_branches_and_out_again_by_one_key(parts: Parts) -> None:
    seen = [order(parts)]
    for _ in range(5):
        parts = flows.nudge_step(parts, "leave", "ask", 1)
        seen.append(order(parts))
    assert seen == [
        ["ask", "long(hr/)", "tell"],
        ["long(ask,hr/)", "tell"],
        ["long(hr,ask/)", "tell"],
        ["long(hr/ask)", "tell"],
        ["long(hr/)", "ask", "tell"],
        ["long(hr/)", "tell", "ask"],
    ]
    for wanted in reversed(seen[:-1]):
        parts = flows.nudge_step(parts, "leave", "ask", -1)
        assert order(parts) == wanted


def test_a_step_is_dropped_where_the_plus_was(parts: Parts) -> None:
    assert order(flows.move_step(parts, "leave", "ask", "main", 2)) == ["long(hr/)", "ask", "tell"]
    assert order(flows.move_step(parts, "leave", "tell", "long.no", 0)) == ["ask", "long(hr/tell)"]
    assert order(flows.move_step(parts, "leave", "hr", "main", 0)) == ["hr", "ask", "long(/)", "tell"]


def test_a_step_does_not_go_into_itself_nor_people_behind_the_end(parts: Parts) -> None:
    with pytest.raises(InvalidInput):
        flows.move_step(parts, "leave", "long", "long.no", 0)
    for change in (
        lambda: flows.move_step(parts, "leave", "long", "after:approved", 0),
        lambda: flows.add_step(parts, "leave", "approve", "after:approved"),
    ):
        with pytest.raises(InvalidInput):
            change()
    made = flows.move_step(parts, "leave", "tell", "after:approved", 0)
    assert made["flows/leave"]["after"] == {"approved": [FORK[2]]}
    assert "after" not in flows.remove_step(made, "leave", "tell")[0]["flows/leave"]


def test_nothing_returns_to_a_step_that_is_gone(parts: Parts) -> None:
    parts = flows.change_step(parts, "leave", "hr", {"return_to": ["start", "ask"]})
    made, near = flows.remove_step(parts, "leave", "ask")
    assert near == "long"
    assert flow_tree.find_step(made["flows/leave"], "hr")["return_to"] == ["start"]
    assert problems(made) == []


def test_a_copy_has_ids_of_its_own_all_through(parts: Parts) -> None:
    made, id = flows.copy_step(parts, "leave", "long")
    assert order(made) == ["ask", "long(hr/)", "long_2(hr_2/)", "tell"]
    assert id == "long_2"
    assert problems(made) == []


def test_branches_come_before_the_one_otherwise_and_the_last_stays(parts: Parts) -> None:
    made, key = flows.add_branch(parts, "leave", "long")
    ids = [b["id"] for b in flow_tree.find_step(made["flows/leave"], "long")["branches"]]
    assert ids == ["yes", key.partition(".")[2], "no"]
    made = flows.move_branch(made, "leave", key, -1)
    assert flow_tree.find_step(made["flows/leave"], "long")["branches"][0]["id"] == "branch"
    made, _ = flows.remove_branch(made, "leave", key)
    made, _ = flows.remove_branch(made, "leave", "long.yes")
    with pytest.raises(InvalidInput):
        flows.remove_branch(made, "leave", "long.no")


@pytest.mark.parametrize("kind", flows.trigger_kinds(), ids=lambda kind: kind.name)
def test_a_flow_starts_by_any_kind_of_trigger(parts: Parts, kind: Any) -> None:
    made = flows.turn_trigger(parts, "leave", 0, kind.name)
    trigger = flows.triggers_of(made["flows/leave"])[0]
    if kind.name in WITHOUT_RECORD:
        assert flows.table_of(made, made["flows/leave"]) == ""
        back = flows.turn_trigger(made, "leave", 0, "created")
        assert flows.table_of(back, back["flows/leave"]) == "request", "and one about records is sound at once"
    elif kind.name != "ended":
        assert flows.table_of(made, made["flows/leave"]) == "request"
    assert flows.kind_of(trigger) == kind.name
    assert said(flow_words.trigger_lines(trigger, kind, made, None))
    made, key = flows.add_trigger(made, "leave")
    assert key == "trigger:1"
    assert len(flows.triggers_of(flows.remove_trigger(made, "leave", 0)["flows/leave"])) == 1
    with pytest.raises(InvalidInput):
        flows.remove_trigger(parts, "leave", 0)


def test_a_flow_is_removed_with_its_own_grants(parts: Parts) -> None:
    parts["order/access"] = ["own", "both"]
    parts["access/own"] = {"id": "own", "who": {"flow": "leave"}, "table": "request", "do": ["update"]}
    parts["access/both"] = {
        "id": "both",
        "who": [{"flow": "leave"}, {"role": "hr"}],
        "table": "request",
        "do": ["read"],
    }
    made = flows.remove_flow(parts, "leave")
    assert made["order/flows"] == []
    assert made["order/access"] == ["both"]


def test_a_problem_leads_to_the_card_it_is_about(parts: Parts) -> None:
    for path, chosen, option in (
        ("flows[0].steps[0].who.role", "ask", "who.role"),
        ("flows[0].steps[1].branches[0].when", "long.yes", "when"),
        ("flows[0].steps[1].branches[0].steps[0].due.then[0]", "hr", "due.then.0"),
        ("flows[0].trigger[0].when", "trigger:0", "when"),
        ("flows[0].steps[1].branches", "long", "branches"),
        ("flows[0].owner", "", "owner"),
    ):
        place = place_of(parts, path)
        assert (place.kind, place.id, place.chosen, place.option) == ("flows", "leave", chosen, option), path
    assert told(parts, Problem("flows[0].steps[0].who", say("x"))).url == "/flow/leave/?step=ask&at=who"


def sent(parts: Parts, step: str, values: Json) -> tuple[Json, Any]:
    flow = parts["flows/leave"]
    near = FlowSurroundings(parts, load(App, join(parts)), flow, step).near()
    found = flow_tree.find_step(flow, step)
    return panel.read(step_types[found["type"]], values, found, near)


@pytest.mark.parametrize(
    ("row", "wanted", "words"),
    [
        ({"kind": "starter"}, "starter", "the starter"),
        ({"kind": "previous"}, "previous", "whoever decided the step before"),
        ({"kind": "role", "role": "hr"}, {"role": "hr"}, "HR"),
        ({"kind": "role"}, {"role": "hr"}, "HR"),
        ({"kind": "field", "field": "stand_in"}, {"field": "stand_in"}, "the people in stand_in"),
        ({"kind": "head"}, {"head_of": "starter"}, "the head of the starter"),
        ({"kind": "head", "of": "field:stand_in", "level": "2"}, {"head_of": {"field": "stand_in"}, "level": 2},
         "the head of stand_in, level 2"),
        ({"kind": "head", "up": "level", "up_level": "3"}, {"head_of": "starter", "up_to": 3},
         "the heads of the starter, levels 1 to 3"),
        ({"kind": "head", "up": "role", "up_role": "hr"}, {"head_of": "starter", "up_to": {"role": "hr"}},
         "the heads of the starter up to HR"),
        ({"kind": "chosen", "among": ["", "role:hr"]}, {"chosen_by": "starter", "among": [{"role": "hr"}]},
         "chosen by the starter"),
        ({"kind": "link", "link": "reason"}, {"link": "reason"}, "outside: Reason"),
    ],
)  # fmt: skip
def test_people_are_said_in_sentences(parts: Parts, row: Json, wanted: Any, words: str) -> None:
    made, errors = sent(parts, "ask", {f"who.0.{k}": v for k, v in row.items()})
    assert errors == {}
    assert made["who"] == [wanted]
    around = FlowSurroundings(parts, load(App, join(parts)), parts["flows/leave"])
    book = around.book("record", {})
    shown = said(flow_words.people_words(made["who"], flow_words.names_in(parts), book))[0]
    assert shown == words or shown.replace("[", "").replace("]", "") == words
    kept, _ = sent(parts, "ask", _again(panel_row(parts, made["who"])))
    assert kept["who"] == [wanted]


def panel_row(parts: Parts, who: Any) -> Any:
    made = flows.change_step(parts, "leave", "ask", {"who": who})
    near = FlowSurroundings(made, load(App, join(made)), made["flows/leave"], "ask").near()
    inputs = dict(panel.inputs(step_types["approve"], flow_tree.find_step(made["flows/leave"], "ask"), near))
    return next(i for items in inputs.values() for i in items if i.name == "who").value[0]


def _again(row: Any) -> Json:
    return {f"who.0.{k}": v for k, v in row.items() if k != "strange"}


def test_what_was_put_in_wrongly_is_told_beside_it(parts: Parts) -> None:
    made, errors = sent(parts, "ask", {"quorum.mode": "percent", "quorum.number": "200"})
    assert "quorum.percent" in errors
    _, errors = sent(parts, "ask", {"due.mode": "in", "due.count": "soon", "due.unit": "days"})
    assert any(name.startswith("due") for name in errors)
    _, errors = sent(parts, "ask", {"who.0.kind": "slot"})
    assert errors["who.0"]


def test_a_deadline_with_its_consequences(parts: Parts) -> None:
    made, errors = sent(parts, "hr", {
        "due.mode": "in", "due.count": "2", "due.unit": "workdays", "due.then.": "",
        "due.then.0.do": "remind", "due.then.0.side": "before", "due.then.0.count": "4", "due.then.0.unit": "hours",
        "due.then.1.do": "escalate", "due.then.1.side": "at",
        "due.then.2.do": "return", "due.then.2.side": "after", "due.then.2.count": "1", "due.then.2.unit": "days",
        "due.then.2.back_to": "ask",
    })  # fmt: skip
    assert errors == {}
    assert made["due"] == {
        "in": "2 workdays",
        "then": [
            {"do": "remind", "before": "4 hours"},
            {"do": "escalate", "to": [{"head_of": "assignee"}]},
            {"do": "return", "after": "1 days", "back_to": "ask"},
        ],
    }
    assert problems(flows.change_step(parts, "leave", "hr", made)) == []


def test_the_grid_of_fields_says_who_reads_writes_and_must(parts: Parts) -> None:
    made, errors = sent(parts, "ask", {
        "fields.rest": "hidden", "fields.path": ["reason", "days", "until"], "fields.right": ["read", "write", ""],
        "require": ["", "days"],
    })  # fmt: skip
    assert errors == {}
    assert made == {"fields": {"*": "hidden", "reason": "read", "days": "write"}, "require": ["days"]}


@given(
    st.lists(
        st.tuples(st.sampled_from(["nudge", "move", "copy", "remove", "add"]), st.integers(0, 30), st.integers(0, 30)),
        max_size=12,
    )
)
def test_no_edit_loses_or_doubles_a_step(edits: list[tuple[str, int, int]]) -> None:
    made, _ = flows.add_flow(split(deepcopy(PACKAGE)), "request", "Leave")
    made = flows.change_flow(made, "leave", {"steps": deepcopy(FORK)})
    for edit, a, b in edits:
        flow = made["flows/leave"]
        ids = [s["id"] for s in flow_tree.steps_in_order(flow)]
        names = list(flow_tree.sequences_of(flow))
        count = len(ids)
        if not ids and edit != "add":
            continue
        step, name = ids[a % count] if ids else "", names[b % len(names)]
        if edit == "nudge":
            made = flows.nudge_step(made, "leave", step, 1 if b % 2 else -1)
        elif edit == "copy":
            made, _ = flows.copy_step(made, "leave", step)
        elif edit == "remove":
            made, _ = flows.remove_step(made, "leave", step)
        elif edit == "add":
            made, _ = flows.add_step(made, "leave", "approve", name, a)
        else:
            try:
                made = flows.move_step(made, "leave", step, name, b)
            except InvalidInput:
                continue
        after = [s["id"] for s in flow_tree.steps_in_order(made["flows/leave"])]
        assert len(after) == len(set(after))
        if edit in ("nudge", "move"):
            assert sorted(after) == sorted(ids)
