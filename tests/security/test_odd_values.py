"""Odd values of every kind of field, by the browser's form, the API, a CSV file and a workbook: each keeps or refuses the same."""

import csv
import io
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, date, datetime
from decimal import Decimal
from time import perf_counter
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
import xlsxwriter

from runtime import importing, query
from runtime.access import door
from runtime.query import Listing
from runtime.sheets import read_sheet
from runtime.submit import Sent, submit
from schemas.formula import ErrorValue, Formula, FormulaError
from schemas.formula.spreadsheet import evaluate_untyped
from tests.runtime.conftest import Shop
from tests.web.conftest import Person

CARD = "110105194912311006"
NOON = datetime(2026, 11, 25, 4, tzinfo=UTC)
THINGS: dict[str, Any] = {
    "language": 1,
    "app": "shop",
    "roles": [{"id": "manager"}],
    "tables": [
        {
            "id": "thing",
            "fields": [
                {"id": "title", "type": "text"},
                {"id": "story", "type": "rich_text"},
                {"id": "card", "type": "text", "format": "id_card"},
                {"id": "plate", "type": "text", "pattern": "(a+)+b"},
                {"id": "code", "type": "barcode"},
                {"id": "square", "type": "qr"},
                {"id": "big", "type": "number", "decimals": 10},
                {"id": "share", "type": "number", "percent": True},
                {"id": "cost", "type": "money"},
                {"id": "stars", "type": "rating"},
                {"id": "opens", "type": "time"},
                {"id": "lasts", "type": "duration"},
                {"id": "day", "type": "date"},
                {"id": "at", "type": "datetime"},
                {"id": "home", "type": "address"},
                {"id": "spot", "type": "location"},
                {"id": "sign", "type": "signature"},
                {"id": "kind", "type": "choice", "options": [{"id": "a", "label": "A"}], "other": True},
                {"id": "tags", "type": "choices", "options": [{"id": "a", "label": "A"}]},
                {"id": "done", "type": "switch"},
                {"id": "owner", "type": "member"},
                {"id": "team", "type": "departments"},
                {"id": "next", "type": "links", "table": "thing"},
            ],
        }
    ],
    "access": [
        {"id": "all", "who": {"role": "manager"}, "table": "thing",
         "do": ["create", "read", "update", "delete", "import", "export"]},
    ],
}  # fmt: skip
DEEP = "<div>" * 20_000 + "deep" + "</div>" * 20_000
BRACKETS = "[" * 20_000
HOSTILE = (
    '<p>a</p><math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">'
    '<svg><script>alert(1)</script></svg><noscript><p title="</noscript><img src=x onerror=alert(1)>">b'
)
REFUSED: list[dict[str, Any]] = [
    {"card": "110105194912310022", "plate": "a" * 30_000 + "c", "code": "x" * 10_000, "big": "1e400", "share": "NaN",
     "cost": "12,34,5", "stars": "11", "opens": "25:00", "lasts": "9" * 400, "day": "2026-02-30", "at": "2026-01-01 24:61",
     "home": "x" * 10_000, "spot": "91, 0", "sign": "data:image/svg+xml;base64,PHN2Zz4=", "kind": "x" * 10_000,
     "tags": BRACKETS, "done": "perhaps", "owner": "nobody at all", "team": BRACKETS, "next": BRACKETS},
    {"card": "11010519491231002", "plate": "\u202e" * 200, "code": "0" * 81, "big": "0x1F", "share": "Infinity",
     "cost": "1" * 300, "stars": "-1", "opens": "9:75", "lasts": "1:99", "day": "10000-01-01", "at": "0000-00-00 00:00",
     "home": BRACKETS, "spot": "{" * 5_000, "sign": BRACKETS, "tags": "never heard of", "owner": str(UUID(int=7)),
     "team": "nobody", "next": str(UUID(int=7))},
]  # fmt: skip
"""By field, what cannot be kept; all of a round is sent at once, and each must be told beside its field."""
TYPED: list[dict[str, tuple[str, Any]]] = [
    {"title": ("007", "007"), "story": (HOSTILE, "<p>a</p>"), "card": (f" {CARD} ", CARD),
     "plate": ("a" * 500 + "b", "a" * 500 + "b"), "code": ("0" * 70 + "12", "0" * 70 + "12"),
     "big": ("9007199254740993", Decimal(9007199254740993)), "share": ("12.5%", Decimal("0.125")),
     "cost": ("￥1,234.50", Decimal("1234.50")), "stars": ("5", Decimal(5)), "opens": ("00:00", Decimal(0)),
     "lasts": ("100:00", Decimal(100)), "day": ("2024/2/29", date(2024, 2, 29)),
     "at": ("2026-03-08T02:30:00-05:00", datetime(2026, 3, 8, 7, 30, tzinfo=UTC)), "kind": ("elsewhere", "elsewhere"),
     "tags": ("A", ["a"]), "done": ("true", True)},
    # Clocks of Shanghai went from 2:00 to 3:00 that morning, and that autumn from 2:00 back to 1:00.
    {"title": ("=1+1", "=1+1"), "at": ("1986-05-04 02:30", datetime(1986, 5, 3, 18, 30, tzinfo=UTC)),
     "card": ("１１０１０５１９４９１２３１００２ｘ", "11010519491231002X"), "big": ("-0.1234567891", Decimal("-0.1234567891")),
     "story": (DEEP, "<p>deep</p>"), "lasts": ("0:30", Decimal("0.5"))},
    {"title": ("\u200b", "\u200b"), "at": ("1986-09-14 01:30", datetime(1986, 9, 13, 16, 30, tzinfo=UTC)), "big": ("００１２", Decimal(12)),
     "code": ("000123", "000123")},
]  # fmt: skip


@pytest.fixture(scope="module")
def shop(make_shop: Callable[..., Shop]) -> Shop:
    return make_shop(THINGS)


@pytest.fixture(scope="module")
def manager(shop: Shop, sign_in: Any) -> Person:
    return sign_in(shop, "manager")  # type: ignore[no-any-return]


def typed(round_: dict[str, tuple[str, Any]]) -> dict[str, str]:
    return {field: raw for field, (raw, _) in round_.items()}


def asked(person: Person, fields: dict[str, str]) -> Any:
    url = "/api/v1/apps/shop/tables/thing/records"
    return person.client.post(url, json={"fields": fields}, headers=person.named("/api/"))


def as_csv(fields: dict[str, str]) -> tuple[bytes, str]:
    out = io.StringIO()
    csv.writer(out).writerows([fields.keys(), fields.values()])
    return out.getvalue().encode(), "things.csv"


def as_workbook(fields: dict[str, str]) -> tuple[bytes, str]:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        sheet = book.add_worksheet()
        for column, (name, text) in enumerate(fields.items()):
            sheet.write_string(0, column, name)
            sheet.write_string(1, column, text[:32_767])
    return out.getvalue(), "things.xlsx"


def imported(shop: Shop, file: tuple[bytes, str], fields: Any) -> importing.Report:
    with shop.opened(shop.manager) as ctx:
        mapping = importing.mappings_of({field: {"column": field} for field in fields})
        return importing.run_now(ctx, shop.table(ctx, "thing"), read_sheet(*file), mapping)


def latest(shop: Shop) -> dict[str, Any]:
    with shop.opened() as ctx:
        gate = door(ctx, shop.table(ctx, "thing"))
        return dict(query.fetch(gate, query.ids(gate, Listing())[-1]).values)


def count(shop: Shop) -> int:
    with shop.opened() as ctx:
        return query.total(door(ctx, shop.table(ctx, "thing")), Listing())[0]


@pytest.mark.parametrize("round_", range(len(REFUSED)))
def test_what_cannot_be_kept_is_told_beside_its_field_on_every_way(shop: Shop, manager: Person, round_: int) -> None:
    bad, before = REFUSED[round_], count(shop)
    page = manager.post("/a/shop/f/thing/new", bad)
    assert page.status_code == 422
    for field, value in bad.items():
        answer = asked(manager, {field: value})
        assert answer.status_code == 422, field
        assert {e["path"].partition("[")[0] for e in answer.get_json()["errors"]} == {field}
    for file in (as_csv(bad), as_workbook(bad)):
        report = imported(shop, file, bad)
        told = {t.path.partition("[")[0] for t in report.sorted()}
        assert report.sound == 0
        # What cannot be read at all is told first; the checks of what can be read come once all is readable.
        assert {"big", "share", "day", "at"} <= told <= set(bad)
    assert count(shop) == before


@pytest.mark.parametrize("round_", range(len(TYPED)))
def test_what_can_be_kept_is_the_same_on_every_way(shop: Shop, manager: Person, round_: int) -> None:
    given = typed(TYPED[round_])
    stored = []
    page = manager.post("/a/shop/f/thing/new", given)
    assert page.status_code == 204, page.text
    stored.append(latest(shop))
    answer = asked(manager, given)
    assert answer.status_code == 201, answer.text
    stored.append(latest(shop))
    for file in (as_csv(given), as_workbook(given)):
        if max(map(len, given.values())) > 32_767:  # no cell of a workbook holds more
            continue
        report = imported(shop, file, given)
        assert report.sound == 1, list(report.sorted())
        stored.append(latest(shop))
    for field, (_, kept) in TYPED[round_].items():
        assert [values.get(field) for values in stored] == [kept] * len(stored), field


def test_a_cell_that_lost_its_last_digits_is_refused_and_never_kept_as_another_number(shop: Shop) -> None:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        book.add_worksheet().write_row(0, 0, ["card"])
        book.worksheets()[0].write_number(1, 0, float(CARD))
    before = count(shop)
    report = imported(shop, (out.getvalue(), "cards.xlsx"), ["card"])
    assert (report.sound, count(shop)) == (0, before)


def test_formulas_that_would_build_a_hundred_megabytes_end_in_an_error_soon() -> None:
    world = (NOON, ZoneInfo("Asia/Shanghai"))
    for source in (
        'REPT("x", 100000000)', 'REPT(REPT("x", 9999), 9999)', 'REPT(REPT(REPT("ab", 999), 999), 999)', "FACT(170)^99",
        'SUBSTITUTE(REPT("a", 9000), "a", REPT("b", 9000))', 'REGEXREPLACE(REPT("a", 9000), "a", REPT("b", 9000))',
        'TEXTJOIN(REPT("x", 9000), FALSE, ' + ",".join(['"a"'] * 200) + ")", "99^99^99^9", 'REGEXTEST(REPT("a", 9000), "(a*)*b")',
        "&".join(['REPT("x", 9000)'] * 100),
    ):  # fmt: skip
        begun = perf_counter()
        found = evaluate_untyped(source, {}, *world, False)
        assert perf_counter() - begun < 2, source
        assert isinstance(found, ErrorValue | Decimal | bool), source


def test_formulas_that_are_nested_too_deep_are_refused_with_words() -> None:
    for source in (
        "(" * 5_000 + "1" + ")" * 5_000,
        "-" * 50_000 + "1",
        "IF(TRUE," * 3_000 + "1" + ")" * 3_000,
        "{" * 9_000,
    ):
        with pytest.raises(FormulaError):
            Formula.of(source).tree  # noqa: B018


def test_a_flow_carries_odd_values_over_as_they_are(make_shop: Callable[..., Shop]) -> None:
    package = deepcopy(THINGS)
    carried = sorted({field for round_ in TYPED for field in round_})
    fields = [f for f in package["tables"][0]["fields"] if f["id"] in carried]
    package["tables"].append({"id": "twin", "fields": fields})
    step = {"id": "made", "type": "create", "table": "twin", "set": {id: id for id in carried}}
    package["flows"] = [{"id": "carry", "trigger": {"created": "thing"}, "steps": [step]}]
    package["access"].append({"id": "carries", "who": {"flow": "carry"}, "table": "twin", "do": ["create", "read"]})
    shop = make_shop(package)
    for round_ in TYPED:
        given = {field: kept for field, (_, kept) in round_.items()}
        with shop.opened(shop.manager) as ctx:
            submit(ctx, shop.table(ctx, "thing"), Sent(None, typed(round_)))
        with shop.opened() as ctx:
            gate = door(ctx, shop.table(ctx, "twin"))
            twin = query.fetch(gate, query.ids(gate, Listing())[-1]).values
        assert {field: twin.get(field) for field in given} == given
