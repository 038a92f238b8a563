"""The field types against a real database: kept, calculated, filtered, exported, imported again."""

import html
import io
import zipfile
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from runtime import exporting, importing, listing, query, records
from runtime.access import door
from runtime.query import Listing
from runtime.sheets import read_sheet
from runtime.tables import LiveTable
from schemas import filling
from schemas.errors import InvalidInput
from schemas.fields import Reader
from schemas.formula import Formula
from tests.runtime.conftest import Shop

DESK: dict[str, Any] = {
    "language": 1,
    "app": "shop",
    "roles": [{"id": "clerk"}, {"id": "manager"}],
    "tables": [
        {
            "id": "visit",
            "title_formula": "what",
            "fields": [
                {"id": "what", "type": "text"},
                {"id": "card", "type": "text", "format": "id_card", "unique": True},
                {"id": "day", "type": "date", "earliest": "=TODAY()", "latest": "=until",
                 "weekdays": ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]},
                {"id": "until", "type": "date", "precision": "month"},
                {"id": "start", "type": "time"},
                {"id": "finish", "type": "time", "default": "=TIME(18, 0, 0)"},
                {"id": "pause", "type": "duration", "unit": "minutes"},
                {"id": "worked", "type": "formula", "formula": "(finish - start) * 24 - pause / 60", "decimals": 2},
                {"id": "early", "type": "formula", "formula": "start < TIME(9, 0, 0)"},
                {"id": "stars", "type": "rating", "halves": True},
                {"id": "share", "type": "number", "percent": True, "decimals": 1},
                {"id": "cost", "type": "money"},
                {"id": "age", "type": "number", "total": "average"},
                {"id": "heard", "type": "choice", "options": [{"id": "web", "label": "Web"}, {"id": "ad"}], "other": True},
            ],
        }
    ],
    "access": [{"id": "all", "who": {"role": "manager"}, "table": "visit", "do": ["read", "create", "update", "import", "export"]}],
}  # fmt: skip


@pytest.fixture
def desk(make_shop: Callable[..., Shop]) -> Shop:
    return make_shop(DESK)


def typed(ctx: Any, live: LiveTable, **answers: Any) -> Any:
    values, unread = filling.parse(live.table, answers, ctx.zone)
    assert not unread
    return records.create(ctx, live, values)


def found(ctx: Any, live: LiveTable, condition: str) -> list[str]:
    listing = Listing(["what"], [Formula.of(condition)], ["what"])
    return [r["what"] for r in query.page(door(ctx, live), listing).records]


def test_times_and_durations_are_calculated_and_compared_as_numbers(desk):
    with desk.opened(desk.manager) as ctx:
        live = desk.table(ctx, "visit")
        id = typed(ctx, live, what="a", start="8:30", pause="45分钟")
        typed(ctx, live, what="b", start="9:00", finish="17:15", pause="1:00")
        kept = query.fetch(door(ctx, live), id)
        assert kept["worked"] == Decimal("8.75")
        assert kept["early"] is True
        assert found(ctx, live, "start = TIME(8,30,0)") == ["a"]
        assert found(ctx, live, "finish < TIME(18,0,0)") == ["b"]
        assert found(ctx, live, "pause >= 60") == ["b"]
        assert found(ctx, live, "NOT(early)") == ["b"]


def test_a_day_outside_the_limits_is_refused_and_an_old_one_may_stay(desk):
    with desk.opened(desk.manager) as ctx:
        live = desk.table(ctx, "visit")
        with pytest.raises(InvalidInput) as refused:
            typed(ctx, live, what="late", day=str(ctx.today - timedelta(days=1)))
        assert "Not before" in str(refused.value)
        with pytest.raises(InvalidInput) as refused:
            typed(ctx, live, what="far", day="2999-02-02", until="2999-01")
        assert "Not after 2999-01-01" in str(refused.value)
        id = typed(ctx, live, what="soon", day=str(ctx.today))
    with desk.opened(desk.manager, now=ctx.now + timedelta(days=9)) as ctx:
        live = desk.table(ctx, "visit")
        records.change(
            ctx, live, id, {"what": "renamed", "day": date.fromisoformat(str(ctx.today - timedelta(days=9)))}
        )
        with pytest.raises(InvalidInput):
            records.change(ctx, live, id, {"day": ctx.today - timedelta(days=1)})


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_what_was_exported_is_imported_as_the_same_values(desk, kind):
    columns = ["what", "card", "until", "start", "pause", "stars", "share", "cost"]
    with desk.opened(desk.manager) as ctx:
        live = desk.table(ctx, "visit")
        first = typed(
            ctx,
            live,
            what="007",
            card="11010519491231002x",
            until="2026-11",
            start="8:30",
            pause="1:15",
            stars="3.5",
            share="12.5%",
            cost="(1,234.5)",
        )
        gate = door(ctx, live)
        body, _ = exporting.of_view(ctx, gate, Listing(columns), kind)
        before = query.fetch(gate, first).values
        records.change(ctx, live, first, {"card": None})
        sheet = read_sheet(body.read(), f"visits.{kind}")
        suggested = importing.importing.suggest(live.table, sheet.headings, {})
        report = importing.run_now(ctx, live, sheet, suggested)
        assert (report.total, report.sound) == (1, 1), report.sorted()
        again = query.page(gate, Listing(columns, sort=["-created_at"])).records[0]
        assert {c: again[c] for c in columns} == {c: before[c] for c in columns}


def test_a_spreadsheet_shows_values_as_the_fields_do(desk):
    with desk.opened(desk.manager) as ctx:
        live = desk.table(ctx, "visit")
        typed(ctx, live, what="x", share="12.5%", cost="1234.5", start="8:30", until="2026-11")
        body, _ = exporting.of_view(ctx, door(ctx, live), Listing(["share", "cost", "start", "until"]), "xlsx")
        content = body.read()
        styles = html.unescape(zipfile.ZipFile(io.BytesIO(content)).read("xl/styles.xml").decode())
        assert all(f'formatCode="{words}"' in styles for words in ("#,##0.0%", '"¥"#,##0.00', "hh:mm", "yyyy-mm"))
        assert next(iter(read_sheet(content, "a.xlsx").rows[0].values())) == Decimal("0.125")


def test_lists_add_up_money_and_durations_but_neither_stars_nor_clocks(desk):
    with desk.opened(desk.manager) as ctx:
        live = desk.table(ctx, "visit")
        for _ in range(2):
            typed(ctx, live, what="x", start="8:00", pause="30", stars="4", share="10%", cost="5", age="7")
        found = query.summary(door(ctx, live), Listing(), ["start", "pause", "stars", "share", "cost", "age"]).sums
        assert found == {"pause": 60, "cost": 10, "age": 7}
        assert listing.shown_below(live.table.by_id["age"], found["age"], Reader()) == "⌀ 7"


def test_another_answer_is_found_filtered_counted_and_exported_as_written(desk):
    with desk.opened(desk.manager) as ctx:
        live = desk.table(ctx, "visit")
        typed(ctx, live, what="a", heard="web")
        typed(ctx, live, what="b", heard="At the fair")
        gate = door(ctx, live)
        assert found(ctx, live, 'heard = "At the fair"') == ["b"]
        assert found(ctx, live, 'heard = "web"') == ["a"]
        counted = {value: found.count for value, found in query.groups(gate, Listing(), "heard").items()}
        assert counted == {"web": 1, "At the fair": 1}
        assert [r["what"] for r in query.page(gate, Listing(["what"], search="fair")).records] == ["b"]
        body, _ = exporting.of_view(ctx, gate, Listing(["heard"], sort=["what"]), "csv")
        assert body.read().decode("utf-8-sig").split()[1:] == ["Web", "At", "the", "fair"]
