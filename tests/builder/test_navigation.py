"""The navigation in the builder: lines are added, put into folders, moved, named and taken out."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from builder import boards, changes, navigation, views
from builder.differences import differences
from builder.parts import Parts, join, split
from builder.places import told
from schemas.app import App
from schemas.errors import DefinitionError, InvalidInput
from schemas.icons import ICONS
from schemas.navigation import Entry
from schemas.options import load

PACKAGE: dict[str, Any] = {
    "language": 1,
    "app": "trips",
    "roles": [{"id": "guide", "title": "Guide"}],
    "tables": [{"id": "trip", "fields": [{"id": "name", "type": "text"}]}],
    "forms": [{"id": "trip_form", "table": "trip"}, {"id": "short", "table": "trip"}],
    "views": [
        {"id": "all", "table": "trip", "columns": ["name"]},
        {"id": "mine", "table": "trip", "columns": ["name"]},
    ],
    "dashboards": [{"id": "board"}],
}


@pytest.fixture
def parts() -> Parts:
    return split(deepcopy(PACKAGE))


def lines(parts: Parts) -> list[Any]:
    """The navigation in short: ids, and folders as lists."""

    def short(entry: Any) -> Any:
        return [short(e) for e in entry["items"]] if "items" in entry else next(iter(entry.values()))

    return [short(e) for e in navigation.entries_of(parts)]


def problems(parts: Parts) -> list[str]:
    return [str(p) for p in load(App, join(parts)).analysis.problems() if p.severity == "error"]


def test_what_was_never_arranged_is_written_out_by_the_first_edit(parts: Parts) -> None:
    assert lines(parts) == ["board", "all", "mine"]
    assert navigation.unlisted(parts) == {"view": [], "form": ["trip_form", "short"], "dashboard": [], "flow": []}
    made, place = navigation.add(parts, "form", "short")
    assert (lines(made), place) == (["board", "all", "mine", "short"], "3")
    assert parts == split(PACKAGE), "what was given is left as it was"
    assert problems(made) == []


def test_lines_go_into_folders_and_folders_into_folders_to_a_depth(parts: Parts) -> None:
    made, folder = navigation.add(parts, "folder", {"en": "Trips"}, "0")
    assert (lines(made), folder) == (["board", [], "all", "mine"], "1")
    made, place = navigation.move(made, "3", folder, 0)
    assert (lines(made), place) == (["board", ["mine"], "all"], "1.0")
    made, place = navigation.add(made, "form", "short", folder)
    assert (lines(made), place) == (["board", ["mine", "short"], "all"], "1.1")
    made, _ = navigation.insert(made, "form", "trip_form", folder, 1)
    made, place = navigation.move(made, "0", "", 2)
    assert (lines(made), place) == ([["mine", "trip_form", "short"], "all", "board"], "2")
    made, inner = navigation.add(made, "folder", "Inner", "0")
    made, innermost = navigation.add(made, "folder", "Innermost", inner)
    assert innermost == "0.3.0"
    with pytest.raises(InvalidInput, match="itself"):
        navigation.move(made, "0", "0.3", 0)
    made, fourth = navigation.add(made, "folder", "Fourth", "")
    with pytest.raises(InvalidInput, match="deep"):
        navigation.move(made, fourth, innermost, 0)
    assert problems(made) == []


def test_what_lies_in_a_folder_comes_out_of_it_when_it_is_taken_away(parts: Parts) -> None:
    made, folder = navigation.add(parts, "folder", "Trips", "0")
    made, _ = navigation.move(made, "2", folder, 0)
    assert lines(navigation.remove(made, folder)) == ["board", "all", "mine"]
    assert lines(navigation.remove(parts, "1")) == ["board", "mine"]
    for place in ("7", "", "0.0", "x"):
        with pytest.raises(InvalidInput):
            navigation.remove(parts, place)


def test_only_one_line_is_where_the_app_begins(parts: Parts) -> None:
    made = navigation.change(parts, "0", {"home": True, "color": "red", "icon": "chart"})
    made = navigation.change(made, "2", {"home": True, "roles": ["guide"], "devices": "phone"})
    assert made["manifest"]["navigation"][0] == {"dashboard": "board", "color": "red", "icon": "chart"}
    assert [e.get("home") for e in made["manifest"]["navigation"]] == [None, None, True]
    assert problems(made) == []
    assert [str(m) for _, m in differences(join(parts), join(made))] == ["The navigation"]


def test_removed_things_take_their_lines_along_and_leave_the_rest(parts: Parts) -> None:
    made, folder = navigation.add(parts, "folder", "Empty as yet")
    made, _ = navigation.add(made, "form", "short")
    without_board = boards.remove_board(made, "board")
    assert lines(without_board) == ["all", "mine", [], "short"]
    assert lines(views.remove(without_board, "mine")[0]) == ["all", [], "short"]
    assert [e["group"] for e in changes.delete_form(made, "trip")["manifest"]["navigation"] if "group" in e] == [
        "Empty as yet"
    ]


def test_a_line_to_what_is_not_there_is_told_with_its_place_and_address(parts: Parts) -> None:
    parts["manifest"]["navigation"] = [
        {"view": "all"},
        {"group": "Trips", "items": [{"form": "gone", "roles": ["boss"]}]},
    ]
    found = [told(parts, p) for p in load(App, join(parts)).analysis.problems() if p.severity == "error"]
    assert [(t.place.chosen, t.url) for t in found] == [
        ("1.0", "/navigation/?line=1.0&at=form"),
        ("1.0", "/navigation/?line=1.0&at=roles"),
    ]


@pytest.mark.parametrize("link", ["javascript:alert(1)", "//evil.example", "data:text/html,x", "https://", "/\\evil"])
def test_a_link_leads_to_the_web_or_to_a_page_of_this_site(link: str) -> None:
    with pytest.raises(DefinitionError, match="address"):
        load(Entry, {"link": link})
    load(Entry, {"link": "https://example.org/a?b=c"})
    load(Entry, {"link": "/tasks/"})


def test_every_icon_that_is_offered_is_drawn() -> None:
    drawn = json.loads(Path("static/vendor/packages.json").read_text())["icons"]
    assert [name for name in ICONS if name not in drawn] == []
