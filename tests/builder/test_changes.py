"""Edits of a definition: whatever is done can be undone, and what is left can be read."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builder import changes, grants, layout
from builder.differences import differences
from builder.parts import Parts, join, split
from runtime.drafts import merged
from schemas.app import App
from schemas.errors import InvalidInput
from schemas.fields import field_types
from schemas.options import load

TYPES = sorted(kind.type for kind in field_types)
NUMBERS = st.integers(0, 6)
EDITS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.sampled_from(TYPES), NUMBERS),
        st.tuples(st.just("copy"), NUMBERS, NUMBERS),
        st.tuples(st.just("delete"), NUMBERS, NUMBERS),
        st.tuples(st.just("restore"), NUMBERS, NUMBERS),
        st.tuples(st.just("rename"), NUMBERS, st.text(st.characters(codec="utf-8", categories=["L"]), min_size=1)),
        st.tuples(st.just("step"), NUMBERS, st.sampled_from([-1, 1])),
        st.tuples(st.just("join"), NUMBERS, NUMBERS),
        st.tuples(st.just("into"), NUMBERS, NUMBERS),
        st.tuples(st.sampled_from(["drop", "block", "into tab"]), NUMBERS, NUMBERS),
        st.tuples(st.sampled_from(["shift", "step block"]), NUMBERS, st.sampled_from([-1, 1])),
        st.tuples(st.just("section"), NUMBERS, NUMBERS),
        st.tuples(st.just("open"), NUMBERS, NUMBERS),
        st.tuples(st.just("preset"), st.sampled_from(changes.PRESETS), NUMBERS),
    ),
    max_size=12,
)


@pytest.fixture
def parts() -> Parts:
    return start()


def start() -> Parts:
    parts, _ = changes.add_form(split(changes.new_app("office", "Office")), "Claim")
    return parts


def nth(items: list[Any], n: int) -> Any:
    return items[n % len(items)] if items else "nothing"


def edited(parts: Parts, kind: str, a: Any, b: Any) -> Parts:
    """One edit, on the nth field or block there is."""
    fields = [f["id"] for f in parts["tables/claim"]["fields"]]
    match kind:
        case "add":
            return changes.add_field(parts, "claim", a, nth(fields, b))[0]
        case "copy":
            return changes.copy_field(parts, "claim", nth(fields, a))[0]
        case "delete":
            return changes.delete_field(parts, "claim", nth(fields, a))
        case "restore":
            return changes.restore_field(
                parts, "claim", nth([f["field"]["id"] for f in parts["bin"].get("claim", [])], a)
            )
        case "rename":
            return changes.change_field(parts, "claim", nth(fields, a), {"label": b})
        case "step":
            return layout.step_field(parts, "claim", nth(fields, a), b)
        case "join":
            return layout.join_line(parts, "claim", nth(fields, a))
        case "into":
            return layout.drop(parts, "claim", f"field:{nth(fields, a)}", f"block:{b}", "into")
        case "drop":
            target = nth([*(f"field:{f}" for f in fields), f"block:{b}", ""], b)
            return layout.drop(parts, "claim", f"field:{nth(fields, a)}", target, nth(list(layout.SIDES), a + b))
        case "block":
            target = nth([*(f"field:{f}" for f in fields), ""], b)
            return layout.drop(parts, "claim", f"block:{a}", target, nth(list(layout.SIDES), a + b))
        case "step block":
            return layout.step_block(parts, "claim", str(a), b)
        case "into tab":
            return layout.drop(parts, "claim", f"field:{nth(fields, a)}", f"block:{b}.t0", "into")
        case "shift":
            return layout.shift_field(parts, "claim", nth(fields, a), b)
        case "section":
            return layout.add_block(parts, "claim", nth(list(layout.NEW_BLOCKS), a), f"field:{nth(fields, b)}")[0]
        case "open":
            stops = layout.stops_of(layout.layout_of(parts, "claim"))
            return layout.remove_block(parts, "claim", nth([s.place for s in stops if s.kind != "line"], a))
        case _:
            return changes.set_preset(parts, "claim", a)


@settings(max_examples=150, deadline=None)
@given(EDITS)
def test_any_edits_leave_what_can_be_read_and_undoing_them_all_gives_the_start(edits: list[Any]) -> None:
    now, steps = start(), []
    for edit in edits:
        before = deepcopy(now)
        try:
            after = edited(now, *edit)
        except InvalidInput:
            assert now == before
            continue
        assert now == before
        touched = [k for k in {**before, **after} if before.get(k) != after.get(k)]
        steps.append({k: before.get(k) for k in touched})
        now = after
        app = load(App, join(now))
        placed = list(app.forms[0].placed)
        there = {f["id"] for f in now["tables/claim"]["fields"]}
        assert len(placed) == len(set(placed))
        assert set(placed) == there or not now["forms/claim"]["layout"]
    for step in reversed(steps):
        now = merged(now, step)
    assert now == start()


def test_a_package_in_parts_is_the_package_again(parts: Parts) -> None:
    package = join(parts)
    assert join(split(package)) == package
    assert differences(package, package) == []


def test_a_grant_is_told_by_who_gains_and_loses_what(parts: Parts) -> None:
    before = changes.set_preset(parts, "claim", "own")
    assert any("every member may now: see, add, change" in str(m) for _, m in differences(None, join(before)))
    limited = grants.change(before, "claim_everyone", {"do": ["read"], "fields": {"*": "read"}, "rows": None})
    told = [(tone, str(m)) for tone, m in differences(join(before), join(limited))]
    assert [tone for tone, _ in told] == ["removed", "changed", "removed"]
    assert "may no longer: add, change, print, comment, see the history" in told[0][1]
    assert "all rows from now on" in told[1][1]
    assert "read only, before read and write" in told[2][1]
    off = grants.change(before, "claim_everyone", {"off": True})
    assert [tone for tone, _ in differences(join(before), join(off))] == ["removed"]


def lines(parts: Parts) -> list[Any]:
    return [b.get("row") or b.get("rows", "block") for b in parts["forms/claim"]["layout"]]


def with_section(parts: Parts) -> Parts:
    for type in ("number", "date", "text"):
        parts, _ = changes.add_field(parts, "claim", type)
    return layout.add_block(parts, "claim", "section")[0]


def dropped(parts: Parts, what: str, target: str, side: str) -> Parts:
    return layout.drop(parts, "claim", what, target, side)


def test_fields_are_dropped_into_sections_and_out_again(parts: Parts) -> None:
    parts = dropped(with_section(parts), "field:field_2", "block:4", "into")
    assert lines(parts) == [["field_1"], ["field_3"], ["field_4"], [["field_2"]]]
    parts = dropped(parts, "field:field_4", "field:field_2", "after")
    assert lines(parts) == [["field_1"], ["field_3"], [["field_2"], ["field_4"]]]
    parts = dropped(parts, "field:field_4", "field:field_2", "before")
    assert lines(parts)[2] == [["field_4"], ["field_2"]]
    assert lines(dropped(parts, "field:field_2", "block:2", "after"))[3] == ["field_2"]
    assert lines(dropped(parts, "field:field_2", "field:field_1", "after"))[1] == ["field_2"]
    assert lines(dropped(parts, "field:field_2", "", ""))[3] == ["field_2"]
    with pytest.raises(InvalidInput):
        dropped(parts, "field:field_2", "block:9", "into")


def test_fields_are_dropped_beside_one_another_up_to_six(parts: Parts) -> None:
    parts = dropped(with_section(parts), "field:field_2", "field:field_1", "right")
    parts = dropped(parts, "field:field_3", "field:field_1", "left")
    assert lines(parts)[0] == ["field_3", "field_1", "field_2"]
    assert lines(layout.shift_field(parts, "claim", "field_3", 1))[0] == ["field_1", "field_3", "field_2"]
    assert lines(layout.shift_field(parts, "claim", "field_3", -1)) == lines(parts)
    for _ in range(3):
        parts, id = changes.add_field(parts, "claim", "text")
        parts = dropped(parts, f"field:{id}", "field:field_1", "right")
    with pytest.raises(InvalidInput):
        dropped(parts, "field:field_4", "field:field_1", "right")


def test_a_field_steps_into_an_empty_section_and_out_at_its_other_end(parts: Parts) -> None:
    parts = with_section(parts)
    inside = layout.step_field(parts, "claim", "field_4", 1)
    assert lines(inside)[-1] == [["field_4"]]
    assert lines(layout.step_field(inside, "claim", "field_4", 1))[-2:] == [[], ["field_4"]]


def test_sections_move_as_a_whole_and_never_into_one_another(parts: Parts) -> None:
    parts = dropped(with_section(parts), "field:field_2", "block:4", "into")
    parts, note = layout.add_block(parts, "claim", "note", "field:field_2")
    assert lines(parts) == [["field_1"], ["field_3"], ["field_4"], [["field_2"]], "block"]
    assert note == "4"
    assert lines(dropped(parts, "block:3", "field:field_1", "before"))[0] == [["field_2"]]
    assert lines(dropped(parts, "block:4", "field:field_2", "before"))[3:] == ["block", [["field_2"]]]
    assert lines(layout.step_block(parts, "claim", "4", -1))[3:] == ["block", [["field_2"]]]
    assert lines(layout.remove_block(parts, "claim", "3"))[3:] == [["field_2"], "block"]


def test_fields_and_sections_stand_on_tabs(parts: Parts) -> None:
    parts, tabs = layout.add_block(with_section(parts), "claim", "tabs")
    parts = dropped(parts, "field:field_2", f"block:{tabs}.t0", "into")
    parts = dropped(parts, "block:3", "block:4", "after")
    block = parts["forms/claim"]["layout"][-2]
    assert block["tabs"][0]["layout"] == [{"row": ["field_2"]}]
    parts = dropped(parts, "block:4", "field:field_2", "before")
    block = parts["forms/claim"]["layout"][-1]
    assert [layout.part_of(b) for b in block["tabs"][0]["layout"]] == ["section", "line"]
    away = layout.step_field(layout.step_field(parts, "claim", "field_2", 1), "claim", "field_2", 1)
    assert lines(away)[-1] == ["field_2"]
    gone = layout.change_block(parts, "claim", "3", {"tabs": [block["tabs"][1]]})
    assert lines(gone)[-1] == ["field_2"]
    assert load(App, join(gone)).analysis.problems() == []


def test_new_fields_are_columns_of_the_list_that_came_with_the_form(parts: Parts) -> None:
    for type in (*["number"] * 3, "long_text", "rows", *["date"] * 9):
        parts, _ = changes.add_field(parts, "claim", type)
    columns = parts["views/claim"]["columns"]
    assert columns[:5] == ["field_1", "field_2", "field_3", "field_4", "field_7"]
    assert columns[10:] == ["created_by", "created_at"]
    assert "field_2" not in changes.delete_field(parts, "claim", "field_2")["views/claim"]["columns"]


def test_a_list_that_somebody_arranged_is_left_alone(parts: Parts) -> None:
    parts = changes.change_object(parts, "views", "claim", {"columns": ["field_1"]})
    parts, _ = changes.add_field(parts, "claim", "number")
    assert parts["views/claim"]["columns"] == ["field_1"]


def test_a_deleted_field_leaves_the_rules_and_default_values_of_forms(parts: Parts) -> None:
    parts, id = changes.add_field(parts, "claim", "number")
    rules = [{"when": "TRUE", "hide": [id]}, {"when": "TRUE", "require": [id, "field_1"]}]
    parts = changes.change_object(parts, "forms", "claim", {"rules": rules, "defaults": {id: 1, "field_1": "A"}})
    form = changes.delete_field(parts, "claim", id)["forms/claim"]
    assert form["rules"] == [{"when": "TRUE", "require": ["field_1"]}]
    assert form["defaults"] == {"field_1": "A"}


def test_the_last_tab_takes_its_tabs_along_and_leaves_its_fields() -> None:
    parts = layout.add_block(start(), "claim", "tabs")[0]
    tabs = next(n for n, block in enumerate(parts["forms/claim"]["layout"]) if "tabs" in block)
    for _ in range(2):
        parts = layout.remove_block(parts, "claim", f"{tabs}.t0")
    assert not [block for block in parts["forms/claim"]["layout"] if "tabs" in block]
    load(App, join(parts))
