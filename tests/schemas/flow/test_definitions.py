"""What a flow's definition may say, and what the linker says of it."""

from copy import deepcopy
from typing import Any

import pytest

from schemas.app import App
from schemas.errors import DefinitionError
from schemas.flow import Flow, problems
from schemas.options import load, options_of
from schemas.steps import step_types
from tests.schemas.flow.play import approve

CLAIMS: dict[str, Any] = {
    "language": 1, "app": "expense", "roles": [{"id": "cfo"}], "slots": [{"id": "director"}],
    "tables": [
        {"id": "order", "fields": [{"id": "name", "type": "text"}, {"id": "paid", "type": "number"}]},
        {"id": "claim", "fields": [
            {"id": "no", "type": "serial", "parts": ["C-", {"count": 3}]},
            {"id": "total", "type": "number"}, {"id": "owner", "type": "member"}, {"id": "unit", "type": "department"},
            {"id": "state", "type": "choice", "options": [{"id": "draft"}, {"id": "paid"}]},
            {"id": "order", "type": "link", "table": "order"},
            {"id": "items", "type": "rows", "fields": [{"id": "price", "type": "number"}]},
        ]},
    ],
    "forms": [{"id": "claim_form", "table": "claim", "layout": [{"row": ["total"]}]}],
    "access": [{"id": "f", "who": {"flow": "f"}, "table": "claim", "do": ["read", "update"]}],
}  # fmt: skip


def said(*steps: dict[str, Any], **options: Any) -> list[str]:
    """What the linker says of a flow with these steps."""
    flow = {"id": "f", "trigger": {"submit": "claim_form"}, "steps": list(steps), **options}
    app = load(App, {**deepcopy(CLAIMS), "flows": [flow]})
    return [str(problem) for problem in problems(app.flows[0], app)]


def cfo(id: str = "one", **options: Any) -> dict[str, Any]:
    return {"id": id, "type": "approve", "who": {"role": "cfo"}, **options}


def test_a_sound_flow_has_no_problems() -> None:
    assert said(
        cfo(fields={"items.price": "write", "*": "read", "owner": "hidden"}, require=["items.price"]),
        {"id": "size", "type": "choose", "branches": [{"id": "big", "when": "total > 5", "steps": [
            {"id": "two", "type": "approve", "who": [{"field": "owner"}, {"head_of": {"field": "unit"}}], "return_to": ["one"]}]},
            {"id": "small", "steps": []}]},
        {"id": "cc", "type": "notify", "to": ["starter", {"slot": "director"}], "text": {"zh": "{no} 共 {total}", "en": "{no}"}},
        after={"approved": [{"id": "done", "type": "update", "set": {"state": "\"paid\""}}]},
        owner={"role": "cfo"},
    ) == []  # fmt: skip


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (cfo(who={"role": "cfq"}), "steps[0].who.role: there is no role 'cfq' (did you mean 'cfo'?)"),
        (cfo(who={"slot": "nobody"}), "steps[0].who.slot: there is no slot 'nobody'"),
        (cfo(who={"field": "total"}), "steps[0].who.field: expected a member or a department"),
        (cfo(if_nobody={"role": "x"}), "steps[0].if_nobody.role: there is no role 'x'"),
        (cfo(fields={"totl": "read"}), "steps[0].fields.totl: there is no field 'totl' (did you mean 'total'?)"),
        (cfo(require=["total"]), "steps[0].require[0]: 'total' is required, so let it be written here"),
        (cfo(return_to=["later"]), "steps[0].return_to[0]: there is no step 'later'"),
        (cfo(actions=["submit", "approve"]), "steps[0].actions[0]: this step does not offer 'submit'"),
        (cfo(actions=["reject"]), "steps[0].actions: a task needs the action 'approve'"),
        (cfo(rename={"refuse": "No"}), "steps[0].rename.refuse: there is no action 'refuse'"),
        ({"id": "c", "type": "choose", "branches": []}, "steps[0].branches: add at least one branch"),
        ({"id": "p", "type": "parallel", "branches": [{"id": "a", "steps": [cfo()]}]}, "add at least two branches"),
        ({"id": "u", "type": "update", "set": {"no": "1"}}, "steps[0].set.no: 'no' cannot be set"),
        ({"id": "u", "type": "update", "set": {"total": "\"x\""}}, "steps[0].set.total: the formula does not give a value"),
        ({"id": "u", "type": "update", "set": {"x": "1"}}, "steps[0].set.x: there is no field 'x'"),
        ({"id": "u", "type": "update", "record": "total", "set": {"x": "1"}}, "'total' is not a link field"),
        ({"id": "u", "type": "update", "record": "order", "set": {"paid": "total"}}, "the flow may not write 'paid'"),
        ({"id": "n", "type": "notify", "to": "starter", "text": "{nobody}"}, "steps[0].text"),
        ({"id": "n", "type": "notify", "to": "starter", "text": "{total"}, "steps[0].text: a brace is opened"),
        (
            {"id": "n", "type": "notify", "to": "starter", "text": "{no}: {total}", "fields": {"total": "hidden"}},
            "steps[0].text: the message tells 'total', which this step hides",
        ),
        ({"id": "start", "type": "end"}, "steps[0].id: 'start' is a reserved word"),
    ],
)  # fmt: skip
def test_what_the_linker_finds(step: dict[str, Any], message: str) -> None:
    assert any(message in line for line in said(step)), said(step)


def test_a_condition_must_be_yes_or_no() -> None:
    found = said({"id": "c", "type": "choose", "branches": [{"id": "a", "when": "total + 1", "steps": [cfo()]}]})
    assert [line.partition(":")[0] for line in found] == ["steps[0].branches[0].when"]


def test_ids_are_unique_across_branches() -> None:
    branches = [{"id": "a", "steps": [cfo("same")]}, {"id": "b", "steps": [cfo("same")]}]
    found = said({"id": "p", "type": "parallel", "branches": branches})
    assert found == ["steps[0].branches[1].steps[0].id: the id 'same' is used twice"]


def test_a_return_leads_back_and_not_into_a_parallel_branch() -> None:
    branches = [{"id": "a", "steps": [cfo("one")]}, {"id": "b", "steps": [cfo("two", return_to=["one"])]}]
    assert any("not an earlier step" in line for line in said({"id": "p", "type": "parallel", "branches": branches}))
    after = said({"id": "p", "type": "parallel", "branches": branches[:1] * 1 + [{"id": "b", "steps": []}]},
                 cfo("late", return_to=["one"]))  # fmt: skip
    assert any("parallel branch" in line for line in after)
    assert any("not an earlier step" in line for line in said(cfo("a", return_to=["b"]), cfo("b")))


def test_after_the_outcome_nobody_is_asked() -> None:
    assert any("without people" in line for line in said(cfo(), after={"approved": [cfo("again")]}))


def test_what_is_never_reached_is_a_warning() -> None:
    found = said({"id": "stop", "type": "end"}, cfo())
    assert found == ["steps[1]: this step is never reached: the flow ends before it"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"trigger": {"submit": "a", "created": "b"}}, "exactly one of"),
        ({"trigger": {}}, "exactly one of"),
        ({"steps": [approve("one", "ben", quorum="some")]}, "steps[0].quorum: 'some' is not known"),
        ({"steps": [approve("one", "ben", quorum={"percent": 0})]}, "quorum.percent"),
        ({"steps": [approve("one", "ben", quorum={"percent": 50, "count": 1})]}, "name one of: percent, count"),
        ({"steps": [{"id": "one", "type": "aprove", "who": "starter"}]}, "did you mean 'approve'"),
        ({"steps": [{"id": "one", "type": "approve", "who": {"role": "a", "slot": "b"}}]}, "exactly one of"),
        ({"steps": [{"id": "one", "type": "approve", "who": {"role": "a", "level": 2}}]}, "go with 'head_of'"),
        ({"steps": [{"id": "one", "type": "approve", "who": "everybody"}]}, "not known"),
        ({"steps": [{"id": "one", "type": "approve", "who": []}]}, "name from 1"),
        ({"withdraw": "always"}, "withdraw"),
        ({"steps": [{"id": "u", "type": "update", "set": {"a": "1 +"}}]}, "set.a: at character"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_path(options: dict[str, Any], message: str) -> None:
    flow = {"id": "f", "trigger": {"submit": "claim_form"}, "steps": [approve("one", "ben")], **options}
    with pytest.raises(DefinitionError) as refused:
        load(Flow, flow)
    assert message in str(refused.value)


def test_triggers_of_one_flow_are_about_one_table() -> None:
    found = said(cfo(), trigger=[{"submit": "claim_form"}, {"created": "order"}])
    assert any("about the same table" in line for line in found)
    assert any("no such form or table" in line for line in said(cfo(), trigger={"submit": "none"}))


@pytest.mark.parametrize("kind", list(step_types), ids=lambda kind: kind.type)
def test_every_kind_of_step_says_what_it_is(kind: Any) -> None:
    assert kind.__doc__
    assert kind.title_word
    assert kind.icon
    assert {"id", "title"} <= {option.name for option in options_of(kind)}
    assert all(option.label for option in options_of(kind))
