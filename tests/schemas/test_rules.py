"""How forms stand: what rules hide, clear, require and offer, for the record and for each row."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from schemas import filling, rules
from schemas.app import App
from schemas.errors import DefinitionError
from schemas.formula import World
from schemas.options import load
from tests.forms_world import SCHOOL


def world(values: Any, needs: Any, rows: Any) -> World:
    return World(now=datetime(2026, 11, 24, 4, tzinfo=UTC), zone=ZoneInfo("Asia/Shanghai"))


def school(**form: Any) -> App:
    package = {**SCHOOL, "forms": [{**f, **form} if f["id"] == "enrol" else f for f in SCHOOL["forms"]]}
    app = load(App, package)
    assert app.analysis.problems() == []
    return app


def settle(values: dict[str, Any], **form: Any) -> tuple[dict[str, Any], rules.State]:
    app = school(**form)
    return rules.settle(app.analysis, app.table("pupil"), app.all_forms["enrol"], values, world)


def problems(values: dict[str, Any], **form: Any) -> dict[str, Any]:
    app = school(**form)
    done, state = rules.settle(app.analysis, app.table("pupil"), app.all_forms["enrol"], values, world)
    return filling.form_problems(app.analysis, app.table("pupil"), app.all_forms["enrol"], done, state, world)


def test_what_a_rule_shows_is_hidden_otherwise() -> None:
    assert "room" in settle({"kind": "day"})[1].hidden
    assert "room" not in settle({"kind": "boarder"})[1].hidden


def test_a_hidden_value_is_cleared_or_kept_as_the_rule_says() -> None:
    assert settle({"kind": "day", "room": "7"})[0]["room"] is None
    kept = [{"when": 'kind = "day"', "hide": ["room"]}]
    assert settle({"kind": "day", "room": "7"}, rules=kept)[0]["room"] == "7"


def test_a_cleared_value_is_blank_for_the_other_rules() -> None:
    done, state = settle({"kind": "day", "room": "7", "fee": Decimal(9)})
    assert (done["room"], done["fee"]) == (None, None)
    assert {"room", "fee"} <= state.hidden


def test_rules_that_go_round_in_a_circle_come_to_an_end() -> None:
    circle = [
        {"when": 'room = "7"', "hide": ["phone"], "when_hidden": "clear"},
        {"when": "ISBLANK(phone)", "hide": ["room"], "when_hidden": "clear"},
    ]
    done, state = settle({"room": "7", "phone": "1"}, rules=circle)
    assert (done["room"], done["phone"]) == (None, None)
    assert state.hidden == {"room"}


def test_rules_see_what_is_calculated() -> None:
    assert "bill" not in settle({"courses": [{"price": Decimal(101), "paid": True}]})[1].hidden
    assert "bill" in settle({"courses": [{"price": Decimal(99), "paid": True}]})[1].hidden


def test_a_rule_about_a_column_holds_for_each_row() -> None:
    rows = [{"what": "Latin", "paid": True}, {"what": "Greek", "paid": False, "price": Decimal(5)}]
    done, state = settle({"courses": rows})
    assert state.is_hidden("courses[1].price")
    assert not state.is_hidden("courses[0].price")
    assert done["courses"][1]["price"] is None
    assert done["courses"][1]["double"] in (None, 0)
    assert set(problems({"courses": rows, "phone": "1"})) == {"courses[0].price"}


def test_a_column_hidden_as_a_whole_is_not_asked_for() -> None:
    never = [{"when": "TRUE", "hide": ["courses.price"]}, {"when": "TRUE", "require": ["courses.price"]}]
    assert problems({"courses": [{"what": "Latin"}], "phone": "1"}, rules=never) == {}


def test_hiding_a_tab_hides_what_lies_in_it() -> None:
    state = settle({"kind": "day"}, rules=[{"when": 'kind = "day"', "hide": ["contact", "quiet"]}])[1]
    assert {"contact", "phone", "quiet"} <= state.hidden
    assert problems({"kind": "day"}, rules=[{"when": 'kind = "day"', "hide": ["contact"]}]) == {}


def test_only_some_options_are_offered() -> None:
    assert settle({"kind": "day"})[1].options("meals") == {"none", "lunch"}
    assert settle({"kind": "boarder"})[1].options("meals") is None
    assert problems({"kind": "day", "meals": "full", "phone": "1"}) == {"meals": [filling.NOT_OFFERED]}
    assert problems({"kind": "day", "meals": "lunch", "phone": "1"}) == {}


def test_of_two_rules_that_limit_a_choice_both_count() -> None:
    both = [{"when": "TRUE", "offer": {"meals": ["none", "lunch"]}}, {"when": "TRUE", "offer": {"meals": ["lunch"]}}]
    assert settle({}, rules=both)[1].options("meals") == {"lunch"}


def test_a_rule_may_not_offer_what_is_not_there() -> None:
    with pytest.raises((DefinitionError, AssertionError), match="brunch"):
        school(rules=[{"when": "TRUE", "offer": {"meals": ["brunch"]}}])


@pytest.mark.parametrize(
    ("check", "where"),
    [
        ({"formula": "fee > 0", "field": "name"}, "name"),
        ({"formula": "fee > 0"}, "fee"),
        ({"formula": "price > 10", "field": "courses.what"}, "courses[1].what"),
    ],
)
def test_a_check_speaks_up_beside_the_right_field(check: dict[str, Any], where: str) -> None:
    values = {"phone": "1", "courses": [{"price": Decimal(11), "paid": True}, {"price": Decimal(1), "paid": True}]}
    found = problems(values, checks=[{"id": "c", "message": "No", **check}])
    assert list(found) == [where]


def test_every_check_that_can_be_asked_is_asked() -> None:
    checks = [
        {"id": "a", "formula": "fee > 0", "message": "A"},
        {"id": "b", "formula": 'remark = "x"', "message": "B"},
        {"id": "c", "formula": 'phone = "x"', "message": "C"},
    ]
    assert set(problems({}, checks=checks)) == {"fee", "remark", "phone"}
    assert len(problems({}, checks=checks)["phone"]) == 1


def test_two_rows_of_a_record_may_not_be_the_same() -> None:
    package = load(App, SCHOOL).tables[0]
    rows = {"id": "r", "type": "rows", "fields": [{"id": "a", "type": "text"}, {"id": "b", "type": "number"}]}
    table = {"id": package.id, "fields": [{**rows, "keys": [{"fields": ["a", "b"], "message": "Twice"}]}]}
    app = load(App, {"language": 1, "app": "x", "tables": [table]})
    values = {"r": [{"a": "X", "b": Decimal(1)}, {"a": "x", "b": Decimal(2)}, {"a": "x", "b": Decimal(1)}, {"a": "x"}]}
    found = filling.table_problems(app.analysis, app.tables[0], values, world)
    assert {path: str(m[0]) for path, m in found.items()} == {"r[2].a": "Twice"}
