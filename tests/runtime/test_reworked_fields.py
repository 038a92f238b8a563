"""A calculation that is published otherwise is worked out again for the records that are there."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from runtime import definitions, jobs, migrate, query, recalculate, records, verify
from runtime.access import door
from schemas.formula import FormulaError
from schemas.messages import say
from tests.runtime.conftest import Shop

STOCK: dict[str, Any] = {
    "language": 1, "app": "shop", "roles": [{"id": "clerk"}, {"id": "manager"}],
    "tables": [
        {"id": "kind", "fields": [{"id": "low", "type": "number"}, {"id": "high", "type": "number"},
            {"id": "count", "type": "rollup", "over": "thing.kind", "aggregate": "count"},
            {"id": "sum", "type": "rollup", "over": "thing.kind", "aggregate": "sum", "value": "double", "where": "price > 1"}]},
        {"id": "thing", "fields": [
            {"id": "price", "type": "number"}, {"id": "kind", "type": "link", "table": "kind"},
            {"id": "double", "type": "formula", "formula": "price * 2"},
            {"id": "more", "type": "formula", "formula": "double + 1"},
            {"id": "limit", "type": "lookup", "path": "kind.low"},
            {"id": "over", "type": "formula", "formula": "limit + price"},
            {"id": "lines", "type": "rows", "fields": [{"id": "n", "type": "number"},
                {"id": "twice", "type": "formula", "formula": "n * 2"}]}]},
    ],
    "access": [],
}  # fmt: skip


@pytest.fixture
def shop(make_shop: Callable[..., Shop]) -> Shop:
    made = make_shop(STOCK)
    with made.opened(made.boss) as ctx:
        kind = records.create(ctx, made.table(ctx, "kind"), {"low": 10, "high": 20})
        for price in (1, 2, 3):
            records.create(ctx, made.table(ctx, "thing"), {"price": price, "kind": kind, "lines": [{"n": price}]})
    return made


def publish(shop: Shop, *changes: tuple[int, int, dict[str, Any]]) -> None:
    package = deepcopy(STOCK)
    for table, field, options in changes:
        package["tables"][table]["fields"][field] |= options
    with shop.opened(shop.boss) as ctx:
        definitions.publish(ctx, "shop", package)


def all_of(shop: Shop, table: str) -> list[dict[str, Any]]:
    with shop.opened(shop.boss) as ctx:
        gate = door(ctx, shop.table(ctx, table))
        found = query.page(gate, query.Listing(sort=("created_at",))).records
        assert not list(verify.everywhere(ctx)), "what is stored is what a calculation from scratch gives"
        return [dict(query.fetch(gate, r.id).values) for r in found]


def test_another_formula_is_worked_out_and_all_that_reads_it(shop: Shop) -> None:
    publish(shop, (1, 2, {"formula": "price * 5"}))
    assert [t["double"] for t in all_of(shop, "thing")] == [5, 10, 15]
    assert [t["more"] for t in all_of(shop, "thing")] == [6, 11, 16]
    assert all_of(shop, "kind")[0]["sum"] == 25


def test_another_rollup_is_worked_out(shop: Shop) -> None:
    publish(shop, (0, 3, {"where": "price > 2"}), (0, 2, {"where": "price < 3"}))
    assert all_of(shop, "kind")[0]["sum"] == 6
    assert all_of(shop, "kind")[0]["count"] == 2


def test_what_reads_a_lookup_follows_where_it_leads(shop: Shop) -> None:
    publish(shop, (1, 4, {"path": "kind.high"}))
    assert [t["over"] for t in all_of(shop, "thing")] == [21, 22, 23]


def test_columns_of_rows_are_worked_out(shop: Shop) -> None:
    rows = deepcopy(STOCK["tables"][1]["fields"][6]["fields"])
    rows[1]["formula"] = "n * 3"
    publish(shop, (1, 6, {"fields": rows}))
    assert [t["lines"][0]["twice"] for t in all_of(shop, "thing")] == [3, 6, 9]


def test_of_many_records_a_job_does_it(shop: Shop, monkeypatch: pytest.MonkeyPatch, database_url: str) -> None:
    jobs.load_rooms()
    jobs.drain_jobs(database_url)
    monkeypatch.setattr(migrate, "IN_TRANSACTION", 1)
    publish(shop, (1, 2, {"formula": "price * 5"}))
    with shop.opened(shop.boss) as ctx:
        assert recalculate.pending(ctx, shop.table(ctx, "thing"))
    assert not jobs.drain_jobs(database_url)
    assert [t["double"] for t in all_of(shop, "thing")] == [5, 10, 15]


def test_a_new_name_works_nothing_out(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*given: Any) -> None:
        raise AssertionError("nothing is to be worked out")

    monkeypatch.setattr(recalculate, "everything", refuse)
    publish(shop, (1, 2, {"label": "Doubled", "unit": "kg"}))


def test_a_revision_that_cannot_be_understood_any_more_is_no_obstacle(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = migrate._recipes
    calls = iter([True])

    def once(app: Any) -> Any:
        if next(calls, False):
            raise FormulaError(say("unknown"), 0)
        return honest(app)

    monkeypatch.setattr(migrate, "_recipes", once)
    publish(shop, (1, 2, {"formula": "price * 5"}))
    assert [t["double"] for t in all_of(shop, "thing")] == [5, 10, 15]
