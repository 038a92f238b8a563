"""Stock by product and place: goods that come and go are filed by their values, added up, and never issued beyond what is there."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from typing import Any
from uuid import UUID

import pytest

from runtime import definitions, jobs, migrate, query, records, upserting, verify
from runtime.access import door
from schemas.errors import DefinitionError, InvalidInput
from tests.runtime.conftest import Shop

LINES = [
    {"id": "item", "type": "link", "table": "item"}, {"id": "count", "type": "number"},
    {"id": "stock", "type": "group", "table": "stock", "by": {"item": "item", "place": "place"}},
]  # fmt: skip
STORE: dict[str, Any] = {
    "language": 1, "app": "shop", "roles": [{"id": "clerk"}, {"id": "manager"}],
    "tables": [
        {"id": "item", "title_formula": "name", "fields": [{"id": "name", "type": "text"}]},
        {"id": "receipt", "fields": [{"id": "place", "type": "text"}, {"id": "day", "type": "date"},
            {"id": "lines", "type": "rows", "fields": LINES},
            {"id": "month", "type": "group", "table": "month", "by": {"month": "TEXT(day, \"yyyy-mm\")"}}]},
        {"id": "issue", "fields": [{"id": "place", "type": "text"}, {"id": "done", "type": "switch"},
            {"id": "lines", "type": "rows", "fields": [*LINES[:2], {**LINES[2], "where": "done"}]}]},
        {"id": "stock", "title_formula": "item.name & \" \" & place", "fields": [
            {"id": "item", "type": "link", "table": "item"}, {"id": "place", "type": "text"},
            {"id": "came", "type": "rollup", "over": "receipt.lines.stock", "aggregate": "sum", "value": "count"},
            {"id": "went", "type": "rollup", "over": "issue.lines.stock", "aggregate": "sum", "value": "count"},
            {"id": "left", "type": "formula", "formula": "came - went"}, {"id": "shelf", "type": "text"}],
         "keys": [{"fields": ["item", "place"]}],
         "checks": [{"id": "enough", "formula": "left >= 0", "message": "There is not enough in stock.", "always": True}]},
        {"id": "month", "title_formula": "month", "fields": [{"id": "month", "type": "text"},
            {"id": "receipts", "type": "rollup", "over": "receipt.month", "aggregate": "count"}]},
    ],
    "access": [
        *({"id": f"c_{t}", "who": {"role": "clerk"}, "table": t, "do": ["read", "create", "update", "delete"]}
          for t in ("item", "receipt", "issue")),
        {"id": "m_stock", "who": {"role": "manager"}, "table": "stock", "do": ["read", "update"]},
        {"id": "m_issue", "who": {"role": "manager"}, "table": "issue", "do": ["read", "create"]},
        {"id": "m_item", "who": {"role": "manager"}, "table": "item", "do": ["read"]},
    ],
}  # fmt: skip


@pytest.fixture
def store(make_shop: Callable[..., Shop]) -> tuple[Shop, UUID, UUID]:
    shop = make_shop(STORE)
    return shop, new(shop, "item", {"name": "Oak"}), new(shop, "item", {"name": "Ash"})


def new(shop: Shop, table: str, values: dict[str, Any], who: Any = None) -> UUID:
    with shop.opened(who or shop.clerk) as ctx:
        return records.create(ctx, shop.table(ctx, table), values)


def change(shop: Shop, table: str, id: UUID, values: dict[str, Any]) -> None:
    with shop.opened(shop.clerk) as ctx:
        records.change(ctx, shop.table(ctx, table), id, values)


def receipt(shop: Shop, place: str, *lines: tuple[UUID, int], **more: Any) -> UUID:
    return new(shop, "receipt", {"place": place, "lines": [{"item": i, "count": n} for i, n in lines], **more})


def stock(shop: Shop) -> dict[tuple[str, str], int]:
    """What is left of each item in each place; and all that is stored is right."""
    with shop.opened(shop.boss) as ctx:
        assert not list(verify.everywhere(ctx))
        gate = door(ctx, shop.table(ctx, "stock"))
        found = [query.fetch(gate, r.id).values for r in query.page(gate, query.Listing()).records]
        names = query.titles(ctx, shop.table(ctx, "item"), [v["item"] for v in found])
        return {(names[v["item"]], v["place"]): int(v["left"]) for v in found}


def test_rows_of_several_forms_are_filed_and_added_up(store: tuple[Shop, UUID, UUID]) -> None:
    shop, oak, ash = store
    receipt(shop, "North", (oak, 5), (ash, 3), (oak, 2))
    receipt(shop, "south", (oak, 1))
    receipt(shop, "South", (oak, 1))
    new(shop, "issue", {"place": "North", "done": True, "lines": [{"item": oak, "count": 4}]})
    assert stock(shop) == {("Oak", "North"): 3, ("Ash", "North"): 3, ("Oak", "south"): 2}, "capitals make no other place"


def test_a_change_moves_them_and_the_trash_takes_them_out(store: tuple[Shop, UUID, UUID]) -> None:
    shop, oak, ash = store
    id = receipt(shop, "North", (oak, 5))
    change(shop, "receipt", id, {"place": "South"})
    assert stock(shop) == {("Oak", "North"): 0, ("Oak", "South"): 5}
    change(shop, "receipt", id, {"lines": [{"item": ash, "count": 2}]})
    assert stock(shop)[("Ash", "South")] == 2
    assert stock(shop)[("Oak", "South")] == 0
    with shop.opened(shop.clerk) as ctx:
        records.trash(ctx, shop.table(ctx, "receipt"), [id])
    assert stock(shop)[("Ash", "South")] == 0
    with shop.opened(shop.clerk) as ctx:
        records.restore(ctx, shop.table(ctx, "receipt"), [id])
    assert stock(shop)[("Ash", "South")] == 2


def test_what_is_blank_or_left_out_belongs_to_no_group(store: tuple[Shop, UUID, UUID]) -> None:
    shop, oak, _ = store
    new(shop, "receipt", {"lines": [{"item": oak, "count": 5}]})
    receipt(shop, "North", (oak, 5))
    id = new(shop, "issue", {"place": "North", "done": False, "lines": [{"item": oak, "count": 4}]})
    assert stock(shop) == {("Oak", "North"): 5}
    change(shop, "issue", id, {"done": True})
    assert stock(shop) == {("Oak", "North"): 1}


def test_nobody_issues_more_than_there_is(store: tuple[Shop, UUID, UUID]) -> None:
    shop, oak, _ = store
    receipt(shop, "North", (oak, 5))
    with pytest.raises(InvalidInput) as refused:
        new(shop, "issue", {"place": "North", "done": True, "lines": [{"item": oak, "count": 6}]})
    assert [str(m) for m in refused.value.errors[""]] == ["There is not enough in stock."]
    with pytest.raises(InvalidInput) as refused:
        new(shop, "issue", {"place": "North", "done": True, "lines": [{"item": oak, "count": 6}]}, shop.manager)
    assert "Oak North" in str(refused.value.errors[""][0]), "who may see the stock is told which"
    id = new(shop, "issue", {"place": "North", "done": True, "lines": [{"item": oak, "count": 5}]})
    with pytest.raises(InvalidInput):
        change(shop, "issue", id, {"lines": [{"item": oak, "count": 7}]})
    assert stock(shop) == {("Oak", "North"): 0}


def test_taking_back_what_has_been_issued_is_refused_too(store: tuple[Shop, UUID, UUID]) -> None:
    shop, oak, _ = store
    id = receipt(shop, "North", (oak, 5))
    new(shop, "issue", {"place": "North", "done": True, "lines": [{"item": oak, "count": 5}]})
    with shop.opened(shop.clerk) as ctx:
        live = shop.table(ctx, "receipt")
        with pytest.raises(InvalidInput), ctx.conn.begin_nested():
            records.trash(ctx, live, [id])
    assert stock(shop) == {("Oak", "North"): 0}


def test_a_stock_that_is_wrong_already_may_be_mended_step_by_step(store: tuple[Shop, UUID, UUID]) -> None:
    shop, oak, _ = store
    unchecked = deepcopy(STORE)
    del unchecked["tables"][3]["checks"]
    with shop.opened(shop.boss) as ctx:
        definitions.publish(ctx, "shop", unchecked)
    new(shop, "issue", {"place": "North", "done": True, "lines": [{"item": oak, "count": 9}]})
    with shop.opened(shop.boss) as ctx:
        definitions.publish(ctx, "shop", STORE)
    receipt(shop, "North", (oak, 5))
    assert stock(shop) == {("Oak", "North"): -4}


def test_two_who_file_the_same_at_once_make_one_record(store: tuple[Shop, UUID, UUID]) -> None:
    shop, oak, ash = store
    with ThreadPoolExecutor(8) as pool:
        done = [pool.submit(receipt, shop, "North", *((oak, 1), (ash, 1))[:: 1 if n % 2 else -1]) for n in range(16)]
        for one in done:
            one.result()
    assert stock(shop) == {("Oak", "North"): 16, ("Ash", "North"): 16}


def test_last_pieces_go_to_one_of_two_who_want_them_at_once(store: tuple[Shop, UUID, UUID]) -> None:
    shop, oak, _ = store
    receipt(shop, "North", (oak, 5))

    def take() -> bool:
        try:
            new(shop, "issue", {"place": "North", "done": True, "lines": [{"item": oak, "count": 3}]})
        except InvalidInput:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        taken = [one.result() for one in [pool.submit(take) for _ in range(6)]]
    assert taken.count(True) == 1
    assert stock(shop) == {("Oak", "North"): 2}


def test_a_group_that_is_added_later_or_found_otherwise_takes_in_what_is_there(
    make_shop: Callable[..., Shop], database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs.load_rooms()
    jobs.drain_jobs(database_url)
    bare = deepcopy(STORE)
    for table in (1, 2):
        rows = next(f for f in bare["tables"][table]["fields"] if f["id"] == "lines")
        rows["fields"] = rows["fields"][:2]
    bare["tables"][3] |= {"fields": [f for f in STORE["tables"][3]["fields"] if f["type"] not in ("rollup", "formula")], "checks": []}
    shop = make_shop(bare)
    oak = new(shop, "item", {"name": "Oak"})
    receipt(shop, "North", (oak, 5))
    receipt(shop, "South", (oak, 1))
    with shop.opened(shop.boss) as ctx:
        definitions.publish(ctx, "shop", STORE)
    assert stock(shop) == {("Oak", "North"): 5, ("Oak", "South"): 1}
    other = deepcopy(STORE)
    other["tables"][1]["fields"][2]["fields"][2]["by"]["place"] = "\"All\""
    monkeypatch.setattr(migrate, "IN_TRANSACTION", 1)
    with shop.opened(shop.boss) as ctx:
        definitions.publish(ctx, "shop", other)
    assert not jobs.drain_jobs(database_url)
    assert stock(shop) == {("Oak", "North"): 0, ("Oak", "South"): 0, ("Oak", "All"): 6}


def test_a_group_by_month_counts_records(store: tuple[Shop, UUID, UUID]) -> None:
    from datetime import date

    shop, oak, _ = store
    for day in (1, 15, 40):
        receipt(shop, "North", (oak, 1), day=date.fromordinal(date(2026, 1, 1).toordinal() + day))
    with shop.opened(shop.boss) as ctx:
        gate = door(ctx, shop.table(ctx, "month"))
        found = [query.fetch(gate, r.id).values for r in query.page(gate, query.Listing(sort=("month",))).records]
    assert [(v["month"], v["receipts"]) for v in found] == [("2026-01", 2), ("2026-02", 1)]


def test_a_record_under_which_something_is_filed_is_not_deleted(store: tuple[Shop, UUID, UUID]) -> None:
    shop, oak, _ = store
    receipt(shop, "North", (oak, 5))
    with shop.opened(shop.boss) as ctx:
        live = shop.table(ctx, "stock")
        ids = [r.id for r in query.page(door(ctx, live), query.Listing()).records]
        with pytest.raises(InvalidInput):
            records.trash(ctx, live, ids)


@pytest.mark.parametrize(
    ("options", "path"),
    [
        ({"by": None}, "by"),
        ({"by": {"gone": "item"}}, "by.gone"),
        ({"by": {"left": "count"}}, "by.left"),
        ({"by": {"item": "item", "place": "item.name"}}, "by.place"),
        ({"by": {"item": "item", "place": "TEXT(NOW(), \"yyyy\")"}}, "by.place"),
        ({"where": "flow.state = \"approved\""}, "where"),
        ({"table": "nowhere"}, "table"),
        ({"required": True}, "fields[2]"),
    ],
)
def test_what_a_group_cannot_be_found_by_is_said(make_shop: Callable[..., Shop], options: dict[str, Any], path: str) -> None:
    package = deepcopy(STORE)
    package["tables"][1]["fields"][2]["fields"][2] |= options
    with pytest.raises(DefinitionError) as refused:
        make_shop(package)
    assert any(p.path.endswith(path) for p in refused.value.problems), refused.value.problems


def test_of_an_import_only_what_there_is_not_enough_of_is_refused(store: tuple[Shop, UUID, UUID]) -> None:
    shop, oak, ash = store
    receipt(shop, "North", (oak, 5), (ash, 5))
    rows = [
        {"place": "North", "done": True, "lines": [{"item": str(item), "count": count}]}
        for item, count in ((oak, 4), (oak, 4), (ash, 5))
    ]
    with shop.opened(shop.clerk) as ctx:
        outcomes = upserting.upsert(ctx, shop.table(ctx, "issue"), rows, None, action="create")
    assert [o.what for o in outcomes] == ["added", "refused", "added"]
    assert "not enough" in str(outcomes[1].errors)
    assert stock(shop) == {("Oak", "North"): 1, ("Ash", "North"): 0}


def test_the_doctor_finds_nothing_wrong_with_a_record_of_no_rows(store: tuple[Shop, UUID, UUID]) -> None:
    shop, _, _ = store
    new(shop, "receipt", {"place": "Barn", "lines": None})
    assert stock(shop) == {}
