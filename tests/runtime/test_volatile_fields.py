"""Formulas of formulas that depend on the time: right in lists, and written once."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.dialects import postgresql

from runtime import query, records
from runtime.access import door
from runtime.query import Listing
from schemas.formula import Formula

AGES: dict[str, Any] = {
    "language": 1,
    "app": "shop",
    "tables": [
        {
            "id": "branch",
            "fields": [
                {"id": "name", "type": "text"},
                {"id": "oldest", "type": "rollup", "over": "claim.branch", "aggregate": "max", "value": "age"},
                {"id": "score", "type": "formula", "formula": "oldest * 2 + oldest"},
            ],
        },
        {
            "id": "claim",
            "title_formula": "no",
            "fields": [
                {"id": "no", "type": "text"},
                {"id": "branch", "type": "link", "table": "branch", "reverse": {}},
                {"id": "due", "type": "date"},
                {"id": "divisor", "type": "number"},
                {"id": "branch_name", "type": "lookup", "path": "branch.name"},
                {"id": "age", "type": "formula", "formula": "DAYS(TODAY(), due)"},
                {"id": "band", "type": "formula", "formula": 'IFS(age > 30, "red", age > 10, "amber", TRUE, "green")'},
                {
                    "id": "fine",
                    "type": "formula",
                    "formula": 'IF(band = "red", age * 3, IF(band = "amber", age * 2, MAX(age, 0) / divisor))',
                },
                {
                    "id": "note",
                    "type": "formula",
                    "formula": 'IFERROR(IF(fine > 100, band & branch_name, band & " " & fine & branch_name), "no divisor")',
                },
                {
                    "id": "lines",
                    "type": "rows",
                    "fields": [
                        {"id": "on", "type": "date"},
                        {"id": "days", "type": "formula", "formula": "DAYS(TODAY(), on)"},
                        {"id": "worse", "type": "formula", "formula": "IF(days > age, days, IF(days < 0, age, fine))"},
                    ],
                },
                {"id": "worst", "type": "formula", "formula": "MAX(lines.worse)"},
            ],
        },
    ],
}  # fmt: skip
LISTED = ("no", "age", "band", "fine", "note", "worst")
CLAIMS = {"A": (40, 2), "B": (20, 5), "C": (-3, 0), "D": (5, 4), "E": (5, 0)}


@pytest.fixture(scope="module")
def office(make_shop):
    """A branch with claims of some days ago, each with a line of ten days before and one of next week."""
    shop = make_shop(AGES)
    with shop.opened(shop.boss) as ctx:
        claim, branch = shop.table(ctx, "claim"), shop.table(ctx, "branch")
        north = records.create(ctx, branch, {"name": "North"})
        for no, (days, divisor) in CLAIMS.items():
            lines = [{"on": ctx.today - timedelta(days=days + 10)}, {"on": ctx.today + timedelta(days=7)}]
            due = ctx.today - timedelta(days=days)
            records.create(
                ctx, claim, {"no": no, "branch": north, "due": due, "divisor": Decimal(divisor), "lines": lines}
            )
    return shop


def fine_of(days: int, divisor: int) -> Decimal | None:
    """By hand: three times the days when red, twice when amber, else divided; nothing where that is an error."""
    if days > 10:
        return Decimal(days * (3 if days > 30 else 2))
    return Decimal(max(days, 0)) / divisor if divisor else None


def note_of(days: int, divisor: int) -> str:
    band = "red" if days > 30 else "amber" if days > 10 else "green"
    fine = fine_of(days, divisor)
    if fine is None:
        return "no divisor"
    return f"{band}North" if fine > 100 else f"{band} {fine:f}North"


def listed(office, **options: Any) -> dict[str, query.Record]:
    with office.opened(office.boss) as ctx:
        page = query.page(door(ctx, office.table(ctx, "claim")), Listing(LISTED, sort=("no",), **options))
        return {r["no"]: r for r in page.records}


def test_a_list_shows_what_the_form_shows_also_where_one_of_them_is_an_error(office):
    found = listed(office)
    for no, (days, divisor) in CLAIMS.items():
        record = found[no]
        assert (record["age"], record["fine"], record["note"]) == (
            days, fine_of(days, divisor), note_of(days, divisor)
        )  # fmt: skip
        # The later line lies in the future: the claim's own age; the earlier one is older than the claim.
        assert record["worst"] == days + 10


def test_they_filter_and_sort(office):
    assert list(listed(office, where=[Formula.of('AND(fine > 20, band <> "red")')])) == ["B"]
    assert list(listed(office, where=[Formula.of('note = "no divisor"')])) == ["C", "E"]
    with office.opened(office.boss) as ctx:
        gate = door(ctx, office.table(ctx, "claim"))
        page = query.page(gate, Listing(("no",), sort=("-fine",)))
        assert [r["no"] for r in page.records][:3] == ["A", "B", "D"]
        counted = {value: found.count for value, found in query.groups(gate, Listing(), "band").items()}
        assert counted == {"red": 1, "amber": 1, "green": 3}


def test_a_rollup_of_them_and_a_formula_of_that(office):
    with office.opened(office.boss) as ctx:
        (record,) = query.page(door(ctx, office.table(ctx, "branch")), Listing(("oldest", "score"))).records
        assert (record["oldest"], record["score"]) == (40, 120)


def test_each_is_written_once_however_often_it_is_read(office):
    with office.opened(office.boss) as ctx:
        claim = office.table(ctx, "claim")
        query_of_note = select(door(ctx, claim).source().column("note"))
        written = str(query_of_note.compile(dialect=postgresql.dialect()))
        assert len(written) < 6_000
        assert written.count(f".{claim.sql.c.due.name}") == 1
