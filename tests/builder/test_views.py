"""Views in the builder: a new one is sound at once, and what happens to fields and forms happens to views."""

from copy import deepcopy
from typing import Any

import pytest

from builder import changes, views
from builder.parts import Parts, join, split
from builder.places import told
from schemas.app import App
from schemas.errors import InvalidInput, NotFound, Problem
from schemas.messages import say
from schemas.options import load
from schemas.views import view_types

TITLE = {"en": "New"}
PACKAGE: dict[str, Any] = {
    "language": 1,
    "app": "trips",
    "tables": [
        {
            "id": "trip",
            "fields": [
                {"id": "name", "type": "text"},
                {"id": "state", "type": "choice", "options": [{"id": "open"}]},
                {"id": "leaves", "type": "date"},
                {"id": "comes_back", "type": "datetime"},
                {"id": "photo", "type": "image"},
                {"id": "notes", "type": "long_text"},
            ],
        },
        {"id": "note", "fields": [{"id": "text", "type": "text"}]},
    ],
    "forms": [{"id": "trip_form", "table": "trip"}],
    "views": [{"id": "all_trips", "table": "trip", "columns": ["name"]}],
    "navigation": [{"view": "all_trips"}],
}


@pytest.fixture
def parts() -> Parts:
    return split(deepcopy(PACKAGE))


def problems(parts: Parts) -> list[str]:
    return [str(p) for p in load(App, join(parts)).analysis.problems() if p.severity == "error"]


@pytest.mark.parametrize("kind", list(view_types), ids=lambda kind: kind.type)
def test_a_new_view_of_every_kind_is_sound_at_once(parts: Parts, kind: Any) -> None:
    made, id = views.add(parts, "trip", kind.type, TITLE)
    assert problems(made) == []
    assert made[f"views/{id}"]["type"] == kind.type
    assert views.add(made, "trip", kind.type, TITLE)[1] != id


@pytest.mark.parametrize("type", ["kanban", "calendar", "gantt"])
def test_a_table_without_the_field_for_it_is_told_what_to_add(parts: Parts, type: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        views.add(parts, "note", type, TITLE)
    assert "Add" in str(refused.value.errors[""][0])


def test_nothing_is_made_of_a_strange_kind_or_table(parts: Parts) -> None:
    with pytest.raises(InvalidInput):
        views.add(parts, "trip", "globe", TITLE)
    with pytest.raises(NotFound):
        views.add(parts, "nowhere", "grid", TITLE)
    with pytest.raises(NotFound):
        views.copy(parts, "nowhere")


def test_a_deleted_field_leaves_every_option_that_named_it_and_nothing_else(parts: Parts) -> None:
    made, calendar = views.add(parts, "trip", "calendar", TITLE)
    made, gallery = views.add(made, "trip", "gallery", TITLE)
    made = changes.change_object(made, "views", calendar, {"sort": ["-leaves", "name"], "end": "comes_back"})
    for field in ("comes_back", "photo", "state", "leaves"):
        made = changes.delete_field(made, "trip", field)
    assert made[f"views/{calendar}"]["table"] == "trip"
    assert made[f"views/{calendar}"]["sort"] == ["name"]
    assert not {"start", "end", "color"} & set(made[f"views/{calendar}"])
    assert "cover" not in made[f"views/{gallery}"]


def test_a_field_called_like_its_table_does_not_take_the_table_with_it(parts: Parts) -> None:
    parts["tables/trip"]["fields"].append({"id": "trip", "type": "text"})
    made = changes.delete_field(parts, "trip", "trip")
    assert made["views/all_trips"]["table"] == "trip"


def test_views_are_copied_beside_moved_and_removed_from_the_navigation(parts: Parts) -> None:
    made, board = views.add(parts, "trip", "kanban", TITLE)
    made, again = views.copy(made, "all_trips")
    assert made["order/views"] == ["all_trips", again, board]
    made = views.move(made, board, 0)
    assert made["order/views"] == [board, "all_trips", again]
    made, shown = views.remove(made, "all_trips")
    assert shown == board
    assert made["manifest"]["navigation"] == []
    made, _ = views.remove(made, again)
    with pytest.raises(InvalidInput):
        views.remove(made, board)


def test_a_problem_of_a_view_leads_to_its_designer(parts: Parts) -> None:
    found = told(parts, Problem("views[0].columns", say("gone")))
    assert found.url == "/view/all_trips/?at=columns"
