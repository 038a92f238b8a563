"""Dashboards in the builder: widgets are sound at once and never lie over one another."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder import boards
from builder.parts import Parts, join, split
from builder.places import told
from schemas.app import App
from schemas.errors import InvalidInput, NotFound, Problem
from schemas.messages import say
from schemas.options import load
from schemas.widgets import widget_types
from tests.builder.test_views import PACKAGE

PLACES = st.tuples(st.integers(-3, 14), st.integers(-3, 30), st.integers(-2, 15), st.integers(-2, 9))


@pytest.fixture
def parts() -> Parts:
    return boards.add_board(split(deepcopy(PACKAGE)), "Figures")[0]


def over_one_another(places: dict[str, boards.At]) -> bool:
    cells = [(x + i, y + j) for x, y, w, h in places.values() for i in range(w) for j in range(h)]
    return len(cells) != len(set(cells))


@pytest.mark.parametrize("kind", list(widget_types), ids=lambda kind: kind.type)
def test_a_new_widget_of_every_kind_is_sound_at_once(parts: Parts, kind: Any) -> None:
    for table in ("trip", "note"):
        made, id = boards.add_widget(parts, "figures", kind.type, table, {"en": "New"})
        problems = load(App, join(made)).analysis.problems()
        assert [str(p) for p in problems if p.severity == "error"] == []
        assert boards.the_widget(made, "figures", id)["type"] == kind.type


@given(st.lists(st.tuples(st.integers(0, 5), PLACES), max_size=8))
def test_wherever_widgets_are_put_none_lies_over_another(moves: list[tuple[int, boards.At]]) -> None:
    made, _ = boards.add_board(split(deepcopy(PACKAGE)), "Figures")
    ids = []
    for _ in range(6):
        made, id = boards.add_widget(made, "figures", "number", "trip", "N")
        ids.append(id)
    for number, at in moves:
        made = boards.place_widget(made, "figures", ids[number], at)
        places = boards.places_of(boards.the_board(made, "figures"))
        assert places[ids[number]] == boards.bounded(at)
        assert not over_one_another(places)
        assert all(x >= 0 and y >= 0 and x + w <= 12 for x, y, w, _ in places.values())
    assert load(App, join(made)).dashboards[0].widgets


def test_a_copy_stands_below_and_a_removed_widget_is_gone(parts: Parts) -> None:
    made, id = boards.add_widget(parts, "figures", "number", "trip", "N")
    made, again = boards.copy_widget(made, "figures", id)
    places = boards.places_of(boards.the_board(made, "figures"))
    assert places[again][1] == places[id][1] + places[id][3]
    made = boards.remove_widget(made, "figures", id)
    with pytest.raises(NotFound):
        boards.the_widget(made, "figures", id)


def test_a_removed_dashboard_takes_its_grants_and_its_line_in_the_navigation(parts: Parts) -> None:
    parts["access/seen"] = {"id": "seen", "who": {"everyone": True}, "dashboard": "figures"}
    parts["order/access"] = ["seen"]
    made = boards.remove_board(parts, "figures")
    assert join(made)["navigation"] == PACKAGE["navigation"]
    assert "access/seen" not in made
    with pytest.raises(InvalidInput):
        boards.add_board(made, "  ")


def test_a_problem_of_a_widget_leads_to_it(parts: Parts) -> None:
    made, _ = boards.add_widget(parts, "figures", "number", "trip", "N")
    made, id = boards.add_widget(made, "figures", "bar", "trip", "N")
    assert (
        told(made, Problem("dashboards[0].widgets[1].measure", say("gone"))).url == f"/dashboard/figures/?widget={id}"
    )
