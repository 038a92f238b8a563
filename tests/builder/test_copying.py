"""Copies in the builder: of a table with all that is its own, of a dashboard."""

from typing import Any

import pytest

from builder import bundle, check, copying
from builder.parts import Parts, join, split
from schemas.errors import NotFound

PACKAGE: dict[str, Any] = {
    "language": 1,
    "app": "library",
    "tables": [
        {"id": "book", "title": {"en": "Book", "zh": "图书"}, "title_formula": "name", "fields": [
            {"id": "name", "type": "text"},
            {"id": "follows", "type": "link", "table": "book", "reverse": {"id": "followed_by"}},
            {"id": "followers", "type": "rollup", "over": "book.follows", "aggregate": "count"},
            {"id": "loans", "type": "rollup", "over": "loan.book", "aggregate": "count"},
            {"id": "words", "type": "formula", "formula": "LEN(name) + loans"},
        ]},
        {"id": "loan", "fields": [
            {"id": "book", "type": "link", "table": "book", "reverse": {"id": "lent"}}, {"id": "day", "type": "date"},
        ]},
    ],
    "forms": [
        {"id": "book", "table": "book", "title": "Book", "layout": [{"row": ["name", "follows"]}, {"row": ["loans"]}]},
        {"id": "book_short", "table": "book", "title": "Short", "layout": [{"row": ["name"]}]},
        {"id": "loan", "table": "loan", "layout": [{"row": ["book"]}]},
    ],
    "views": [
        {"id": "book", "table": "book", "title": "Books", "form": "book_short", "columns": ["name", "loans"]},
        {"id": "hidden", "table": "book", "columns": ["name"]},
    ],
    "dashboards": [{"id": "sums", "title": "Sums", "widgets": [{"id": "all", "type": "number", "table": "book", "measure": "COUNT()"}]}],
    "access": [
        {"id": "book_everyone", "who": {"everyone": True}, "table": "book", "do": ["read"]},
        {"id": "short", "who": {"everyone": True}, "form": "book_short", "do": ["create"]},
        {"id": "loans", "who": {"everyone": True}, "table": "loan", "do": ["read"]},
        {"id": "boards", "who": {"everyone": True}, "dashboard": "sums", "do": ["read"]},
    ],
    "navigation": [{"dashboard": "sums"}, {"view": "book"}],
}  # fmt: skip


@pytest.fixture
def copied() -> Parts:
    return copying.copy_table(split(PACKAGE), "book")[0]


def test_a_copied_table_is_sound_with_its_forms_views_and_rights(copied: Parts) -> None:
    app, problems = check.understand(join(copied))
    assert not problems
    assert app is not None
    assert [t.id for t in app.tables] == ["book", "loan", "book_2"]
    assert [(f.id, f.table) for f in app.forms if f.table == "book_2"] == [("book_2", "book_2"), ("book_short_2", "book_2")]
    assert [(v.id, v.form) for v in app.views if v.table == "book_2"] == [("book_2", "book_short_2"), ("hidden_2", None)]
    assert [copied[f"access/{id}"] for id in copied["order/access"][4:]] == [
        {"id": "book_2_everyone", "who": {"everyone": True}, "table": "book_2", "do": ["read"]},
        {"id": "short_2", "who": {"everyone": True}, "form": "book_short_2", "do": ["create"]},
    ]
    assert copied["tables/book_2"]["title"] == {"en": "Book 2", "zh": "图书 2"}


def test_its_links_to_itself_lead_to_itself_and_rollups_over_others_are_filled_in_by_hand(copied: Parts) -> None:
    fields = {f["id"]: f for f in copied["tables/book_2"]["fields"]}
    assert fields["follows"]["table"] == "book_2"
    assert fields["followers"]["over"] == "book_2.follows"
    assert fields["loans"] == {"id": "loans", "type": "number"}
    assert copied["tables/book"]["fields"][3]["type"] == "rollup"
    assert copied["views/book_2"]["columns"] == ["name", "loans"]


@pytest.mark.parametrize("app", bundle.bundled())
def test_every_table_of_every_app_can_be_copied(app: str) -> None:
    package = bundle.read(bundle.bundled()[app])
    for table in package["tables"]:
        made, _ = copying.copy_table(split(package), table["id"])
        assert [str(p) for p in check.understand(join(made))[1] if p.severity == "error"] == []


def test_what_was_listed_is_listed_behind_the_first(copied: Parts) -> None:
    assert copied["manifest"]["navigation"] == [{"dashboard": "sums"}, {"view": "book"}, {"view": "book_2"}]


def test_a_copy_of_a_copy_is_a_third(copied: Parts) -> None:
    assert "tables/book_3" in copying.copy_table(copied, "book")[0]


def test_a_copied_dashboard_has_its_widgets_and_rights_and_stands_behind_it() -> None:
    made, id = copying.copy_board(split(PACKAGE), "sums")
    copy = made[f"dashboards/{id}"]
    assert (id, copy["title"], copy["widgets"]) == ("sums_2", "Sums 2", PACKAGE["dashboards"][0]["widgets"])
    assert made["manifest"]["navigation"][1] == {"dashboard": "sums_2"}
    assert made["access/boards_2"]["dashboard"] == "sums_2"
    assert not check.understand(join(made))[1]


def test_nothing_is_copied_of_what_is_not_there() -> None:
    parts = split(PACKAGE)
    for copy in (copying.copy_table, copying.copy_board):
        with pytest.raises(NotFound):
            copy(parts, "nothing")
