"""Calendars, time lines, galleries and boards: what people see of them, and what dragging does."""

from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from runtime import query, records
from runtime.access import door
from tests.runtime.conftest import SHOP, Shop
from tests.web.conftest import Person

MADE = [
    {"id": "lent", "type": "datetime"},
    {"id": "back", "type": "date"},
    {"id": "read", "type": "number", "decimals": 2},
    {"id": "cover", "type": "image"},
]
VIEWS = [
    {
        "id": "due_days",
        "table": "book",
        "type": "calendar",
        "start": "due",
        "color": "kind",
        "card": ["author", "cost"],
    },
    {"id": "loans", "table": "book", "type": "gantt", "start": "lent", "end": "back", "progress": "read"},
    {"id": "costs", "table": "book", "type": "calendar", "start": "secret_day"},
    {"id": "covers", "table": "book", "type": "gallery", "cover": "cover", "card": ["kind", "cost"]},
    {"id": "kinds", "table": "book", "type": "kanban", "group": "kind", "sums": ["price", "cost"], "folded": ["essay"]},
]


def package() -> dict[str, Any]:
    made = deepcopy(SHOP)
    made["tables"][1]["fields"] += [*MADE, {"id": "secret_day", "type": "date"}]
    made["views"] = VIEWS
    for grant in made["access"]:
        if grant["id"] == "own":
            grant["fields"] |= {"secret_day": "hidden", "due": "write"}
    return made


@pytest.fixture(scope="module")
def library(make_shop: Callable[..., Shop]) -> Shop:
    return make_shop(package())


@pytest.fixture(scope="module")
def people(library: Shop, sign_in: Callable[..., Person]) -> dict[str, Person]:
    return {name: sign_in(library, name) for name in ("clerk", "manager", "outsider")}


def put(library: Shop, **values: Any) -> UUID:
    with library.opened(library.clerk) as ctx:
        return records.create(ctx, library.table(ctx, "book"), values)


def read(library: Shop, id: UUID) -> Any:
    with library.opened(library.manager) as ctx:
        return query.fetch(door(ctx, library.table(ctx, "book")), id)


def test_a_calendar_shows_each_record_on_its_day(library: Shop, people: dict[str, Person]) -> None:
    put(library, title="Emma", due=date(2026, 11, 5))
    put(library, title="Sanditon", due=date(2026, 12, 24))
    page = people["clerk"].get("/a/shop/v/due_days/?day=2026-11-20").text
    assert "Emma" in page.partition('data-list="2026-11-05"')[2].partition("</section>")[0]
    assert "Sanditon" not in page
    assert "Sanditon" in people["clerk"].get("/a/shop/v/due_days/?span=week&day=2026-12-22").text
    assert "/a/shop/f/book/new?due=2026-11-09" in page


def test_a_moment_falls_on_its_day_in_the_workspace_s_zone(library: Shop, people: dict[str, Person]) -> None:
    put(library, title="Late at night", lent=datetime(2026, 5, 4, 17, 30, tzinfo=UTC))
    page = people["clerk"].get("/a/shop/v/loans/?span=day&day=2026-05-05").text
    assert 'data-first="2026-05-05"' in page.partition("Late at night")[2]


def test_dragging_to_another_day_changes_the_date_and_the_history_says_who(
    library: Shop, people: dict[str, Person]
) -> None:
    id = put(library, title="Moved", due=date(2026, 3, 3))
    sent = {"key": str(id), "from": "2026-03-03", "to": "2026-03-10"}
    assert people["clerk"].post("/a/shop/v/due_days/move", json=sent).status_code == 204
    assert read(library, id)["due"] == date(2026, 3, 10)
    assert "2026-03-10" in people["manager"].get(f"/a/shop/t/book/{id}/history").text


def test_a_bar_moves_as_a_whole_or_by_an_end_and_never_ends_before_it_begins(
    library: Shop, people: dict[str, Person]
) -> None:
    began = datetime(2026, 6, 1, 2, 0, tzinfo=UTC)
    id = put(library, title="Lent", lent=began, back=date(2026, 6, 5))
    move = "/a/shop/v/loans/move"
    assert people["clerk"].post(move, json={"key": str(id), "days": 3, "edge": ""}).status_code == 204
    assert (read(library, id)["lent"], read(library, id)["back"]) == (began + timedelta(days=3), date(2026, 6, 8))
    assert people["clerk"].post(move, json={"key": str(id), "days": 2, "edge": "end"}).status_code == 204
    assert (read(library, id)["lent"], read(library, id)["back"]) == (began + timedelta(days=3), date(2026, 6, 10))
    refused = people["clerk"].post(move, json={"key": str(id), "days": 30, "edge": "start"})
    assert refused.status_code == 422
    assert "end before it begins" in refused.text
    assert read(library, id)["lent"] == began + timedelta(days=3)


@pytest.mark.parametrize(
    "sent", [{"from": "x", "to": "y"}, {"days": 10**9}, {"days": "3"}, {"days": 2.5}, {}, {"days": 10**30}]
)
def test_a_senseless_move_is_refused_and_changes_nothing(
    library: Shop, people: dict[str, Person], sent: dict[str, Any]
) -> None:
    id = put(library, title="Still", due=date(2026, 3, 3))
    assert people["clerk"].post("/a/shop/v/due_days/move", json={"key": str(id), **sent}).status_code == 422
    assert read(library, id)["due"] == date(2026, 3, 3)


def test_the_address_of_a_calendar_may_say_anything(people: dict[str, Person]) -> None:
    for asked in (
        "day=2026-13-40",
        "day=0001-01-01",
        "day=9999-12-31",
        "span=year",
        "filter=nothing+%3D",
        "span=day&day=9999-12-31",
    ):
        for view in ("due_days", "loans"):
            assert people["clerk"].get(f"/a/shop/v/{view}/?{asked}").status_code == 200, (view, asked)


def test_others_records_and_hidden_fields_stay_out(library: Shop, people: dict[str, Person]) -> None:
    id = put(library, title="Hers", due=date(2026, 9, 1), kind="essay", price=9)
    with library.opened(library.manager) as ctx:
        records.change(ctx, library.table(ctx, "book"), id, {"owner": library.manager.id, "cost": 7})
    assert "Hers" not in people["clerk"].get("/a/shop/v/due_days/?day=2026-09-01").text
    assert "Hers" in people["manager"].get("/a/shop/v/due_days/?day=2026-09-01").text
    assert people["clerk"].get("/a/shop/v/costs/").status_code == 404
    sent = {"key": str(id), "days": 1}
    assert people["clerk"].post("/a/shop/v/due_days/move", json=sent).status_code == 404
    assert people["outsider"].get("/a/shop/v/due_days/").status_code == 404
    assert 'title="Cost"' not in people["clerk"].get("/a/shop/v/kinds/").text


def test_a_board_adds_up_its_lanes_and_folds_what_is_over(library: Shop, people: dict[str, Person]) -> None:
    put(library, title="Dear", kind="essay", price=1200)
    put(library, title="Cheap", kind="essay", price=34)
    page = people["clerk"].get("/a/shop/v/kinds/").text
    lane = page.partition("<details")[2].partition("</details>")[0]
    assert "Dear" in lane
    assert "1,234.00" in lane


def test_a_gallery_shows_cards_that_can_be_searched(library: Shop, people: dict[str, Person]) -> None:
    put(library, title="Pictured")
    put(library, title="Another")
    page = people["clerk"].get("/a/shop/v/covers/?q=Pictured").text
    assert page.count('class="board-card"') == 1
    assert "novel" in page.partition('class="gallery"')[2].partition("</div>")[0]
