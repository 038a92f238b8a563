"""Where the fields of a form stand: rows, sections, tabs, widths."""

from typing import Any

import pytest

from schemas.errors import DefinitionError
from schemas.form import Form
from schemas.options import load

TABS: dict[str, Any] = {
    "id": "f",
    "table": "t",
    "layout": [
        {"row": ["a", "b"]},
        {
            "tabs": [
                {"id": "one", "tab": "One", "layout": [{"section": "S", "id": "s", "rows": [["c"], ["d"]]}]},
                {"id": "two", "tab": "Two", "layout": [{"row": ["e"]}, {"note": "Mind this", "id": "n"}]},
            ]
        },
    ],
    "widths": {"a": "1/4", "c": "2/3"},
}


def form(**options: Any) -> Form:
    return load(Form, {**TABS, **options})


def test_fields_are_known_in_reading_order_also_those_in_tabs() -> None:
    assert form().placed == ("a", "b", "c", "d", "e")


def test_a_rule_may_name_sections_tabs_and_notes() -> None:
    assert form().parts == {"one": ("c", "d"), "s": ("c", "d"), "two": ("e",), "n": ()}


def test_a_field_of_its_own_width_leaves_the_rest_of_the_line_to_the_others() -> None:
    assert form().spans(["a", "b"]) == [3, 9]
    assert form().spans(["c"]) == [8]
    assert form().spans(["d", "e"]) == []


@pytest.mark.parametrize(
    ("layout", "said"),
    [
        ([{"row": ["a"], "divider": True}], "a block is one of"),
        ([{"tabs": [{"id": "x", "tab": "X", "layout": [TABS["layout"][1]]}]}], "tabs cannot stand inside tabs"),
        ([{"row": ["a"]}, {"tabs": [{"id": "x", "tab": "X", "layout": [{"row": ["a"]}]}]}], "placed twice"),
        ([{"note": "1", "id": "n"}, {"note": "2", "id": "n"}], "used twice"),
    ],
)
def test_a_layout_that_makes_no_sense_is_refused(layout: Any, said: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        form(layout=layout)
    assert said in str(refused.value)
