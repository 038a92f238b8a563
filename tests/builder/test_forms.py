"""Several forms over one table: made, filled with fields, and removed, while the table keeps everything."""

from copy import deepcopy
from typing import Any

import pytest

from builder import forms, layout
from builder.parts import Parts, join, split
from schemas.app import App
from schemas.errors import InvalidInput
from schemas.options import load

PACKAGE: dict[str, Any] = {
    "language": 1,
    "app": "trips",
    "tables": [
        {
            "id": "trip",
            "fields": [
                {"id": "name", "type": "text", "required": True},
                {"id": "cost", "type": "number"},
                {"id": "note", "type": "long_text"},
            ],
        }
    ],
    "forms": [{"id": "trip", "table": "trip", "layout": [{"row": ["name", "cost"]}], "readonly": ["cost"]}],
    "views": [{"id": "all", "table": "trip", "columns": ["name"], "form": "trip"}],
    "access": [{"id": "open", "who": {"everyone": True}, "form": "trip", "do": ["create"]}],
    "navigation": [{"view": "all"}, {"form": "trip"}],
}


@pytest.fixture
def parts() -> Parts:
    return split(deepcopy(PACKAGE))


def placed(parts: Parts, form: str) -> list[str]:
    return [f for stop in layout.stops_of(layout.layout_of(parts, form)) for f in stop.fields]


def wrong(parts: Parts) -> list[str]:
    return [str(p) for p in load(App, join(parts)).analysis.problems() if p.severity == "error"]


def test_a_copy_has_the_fields_and_rules_of_its_form_and_is_edited_by_itself(parts: Parts) -> None:
    made, id = forms.add(parts, "trip", "On the phone")
    assert (placed(made, id), made[f"forms/{id}"]["readonly"]) == (["name", "cost"], ["cost"])
    made = forms.take_off(made, id, "cost")
    assert (placed(made, id), placed(made, "trip")) == (["name"], ["name", "cost"])
    assert not made[f"forms/{id}"]["readonly"]
    assert wrong(made) == []


def test_a_short_form_begins_with_what_must_be_filled_in(parts: Parts) -> None:
    made, id = forms.add(parts, "trip", "Short", "required")
    assert placed(made, id) == ["name"]
    assert [f["id"] for f in forms.unplaced(made, id)] == ["cost", "note"]
    with pytest.raises(InvalidInput, match="begins"):
        forms.add(parts, "trip", "Short", "empty")


def test_a_field_of_the_table_is_dragged_onto_the_form_and_a_strange_one_is_not(parts: Parts) -> None:
    made = layout.drop(parts, "trip", "field:note", "field:name", "left")
    assert placed(made, "trip") == ["note", "name", "cost"]
    assert placed(layout.drop(parts, "trip", "field:note", "", "after"), "trip") == ["name", "cost", "note"]
    with pytest.raises(InvalidInput):
        layout.drop(parts, "trip", "field:stranger", "", "after")


def test_a_form_keeps_a_field_and_a_table_keeps_a_form(parts: Parts) -> None:
    short, id = forms.add(parts, "trip", "Short", "required")
    with pytest.raises(InvalidInput, match="at least one"):
        forms.take_off(short, id, "name")
    with pytest.raises(InvalidInput, match="keeps one form"):
        forms.remove(parts, "trip")


def test_a_form_goes_with_its_rights_and_lines_and_the_list_opens_the_other(parts: Parts) -> None:
    made, id = forms.add(parts, "trip", "Short", "required")
    made, left = forms.remove(made, "trip")
    assert left == id
    assert made["order/access"] == []
    assert made["manifest"]["navigation"] == [{"view": "all"}]
    assert "form" not in made["views/all"]
    assert "trip" in made["order/tables"]
    assert wrong(made) == []
