"""Values of several parts: an address by province, a point by latitude, in formulas, filters, orders and groups."""

from decimal import Decimal

import pytest

from runtime import history, importing, query, records, reports
from runtime.access import door
from runtime.query import Listing
from runtime.sheets import read_sheet
from schemas.formula import Formula

SHOPS = {
    "language": 1,
    "app": "shop",
    "roles": [{"id": "clerk"}, {"id": "manager"}],
    "tables": [
        {
            "id": "store",
            "title_formula": "name",
            "fields": [
                {"id": "name", "type": "text"},
                {"id": "address", "type": "address", "index": True},
                {"id": "site", "type": "location"},
                {"id": "where", "type": "formula", "formula": "name & \" · \" & address.province & \" · \" & address"},
                {"id": "north", "type": "formula", "formula": "site.latitude * 2"},
                {"id": "away", "type": "formula", "formula": "DISTANCE(site, \"31.2304,121.4737\")"},
                {"id": "copy", "type": "address", "default": "=address"},
                {"id": "stops", "type": "rows", "fields": [
                    {"id": "at", "type": "address"}, {"id": "point", "type": "location"},
                    {"id": "town", "type": "formula", "formula": "at.city"}]},
                {"id": "towns", "type": "formula", "formula": "JOIN(stops.at.city, \",\")"},
                {"id": "southmost", "type": "formula", "formula": "MIN(stops.point.latitude)"},
            ],
        },
        {"id": "visit", "fields": [
            {"id": "what", "type": "text"}, {"id": "store", "type": "link", "table": "store"},
            {"id": "town", "type": "formula", "formula": "store.address.city"},
            {"id": "all", "type": "formula", "formula": "store.address"},
            {"id": "east", "type": "formula", "formula": "store.site.longitude"}]},
    ],
    "dashboards": [{"id": "figures", "widgets": [
        {"id": "provinces", "type": "bar", "table": "store", "group": ["address.province"], "measure": "COUNT()"},
        {"id": "north", "type": "number", "table": "store", "measure": "MAX(site.latitude)"}]}],
    "access": [
        {"id": "all", "who": {"role": "manager"}, "table": "store", "do": ["read", "create", "update"]},
        {"id": "less", "who": {"role": "clerk"}, "table": "store", "do": ["read"], "fields": {"name": "read"}},
    ],
}  # fmt: skip
SHENZHEN, BEIJING = "广东省深圳市南山区科技园1号", "北京市朝阳区建国路88号"


@pytest.fixture
def shops(make_shop):
    return make_shop(SHOPS)


@pytest.fixture
def filled(shops):
    with shops.opened(shops.manager) as ctx:
        store = shops.table(ctx, "store")
        field = store.table.by_id
        for name, address, site in (
            ("South", SHENZHEN, "22.54,113.95"),
            ("North", BEIJING, "39.9, 116.46"),
            ("None", None, None),
        ):
            given = {"name": name, "address": field["address"].parse(address), "site": field["site"].parse(site)}
            records.create(ctx, store, given)
    return shops


def names(shop, actor, **listing):
    with shop.opened(actor) as ctx:
        found = query.page(
            door(ctx, shop.table(ctx, "store")), Listing(["name"], sort=listing.pop("sort", ["name"]), **listing)
        )
        return [r["name"] for r in found.records]


def test_formulas_read_the_whole_and_its_parts(filled):
    with filled.opened(filled.manager) as ctx:
        page = query.page(
            door(ctx, filled.table(ctx, "store")), Listing(["where", "north", "away", "copy"], sort=["name"])
        )
        nothing, north, south = page.records
    assert south["where"] == f"South · 广东省 · {SHENZHEN}"
    assert north["north"] == Decimal("79.8")
    assert nothing["where"] == "None ·  · "
    assert nothing["away"] is None
    assert Decimal(1_100_000) < south["away"] < Decimal(1_300_000)
    assert south["copy"]["district"] == "南山区"


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ('address.province = "广东省"', ["South"]),
        ('CONTAINS(address, "建国路")', ["North"]),
        ("ISBLANK(address)", ["None"]),
        ("ISBLANK(address.city)", ["None"]),
        ('address.city IN {"深圳市", "北京市"}', ["North", "South"]),
        ("site.latitude > 30", ["North"]),
        ('site = "22.54,113.95"', ["South"]),
        ('address.text = "x"', []),
    ],
)
def test_filters_ask_for_parts(filled, condition, found):
    assert names(filled, filled.manager, where=[Formula.of(condition)]) == found


def test_the_database_and_the_engine_agree(filled):
    """Every formula of the table, computed by both."""
    from runtime.answers import answering
    from schemas import filling

    with filled.opened() as ctx:
        store = filled.table(ctx, "store")
        for record in query.page(
            door(ctx, store), Listing([f.id for f in store.table.fields if f.storage != "child"])
        ).records:
            again = filling.calculate(
                store.analysis, store.table, dict(record.values), answering(ctx, store, record.id)
            )
            assert {k: again[k] for k in ("where", "north", "away")} == {
                k: record.values[k] for k in ("where", "north", "away")
            }
            where = [
                Formula.of(f'AND(name = "{record["name"]}", name & " · " & address.province & " · " & address = where)')
            ]
            assert query.total(door(ctx, store), Listing(where=where))[0] == 1


def test_addresses_are_put_in_order_and_found(filled):
    assert names(filled, filled.manager, sort=["address"]) == ["North", "South", "None"]
    assert names(filled, filled.manager, sort=["-address"]) == ["South", "North", "None"]
    assert names(filled, filled.manager, search="南山区") == ["South"]


def test_what_is_hidden_cannot_be_asked_for_by_its_parts(filled):
    from schemas.errors import InvalidInput

    assert names(filled, filled.clerk, search="南山区") == []
    with pytest.raises(InvalidInput):
        names(filled, filled.clerk, where=[Formula.of('address.province = "广东省"')])
    with filled.opened(filled.clerk) as ctx:
        inst = filled.table(ctx, "store").inst
        assert reports.figures(ctx, inst, inst.app.dashboard("figures").widgets[0]).hidden


def test_figures_are_grouped_by_a_part(filled):
    with filled.opened(filled.manager) as ctx:
        store = filled.table(ctx, "store")
        provinces, north = store.inst.app.dashboard("figures").widgets
        figures = reports.figures(ctx, store.inst, provinces)
        assert {str(c.label): n for c, n in zip(figures.categories, figures.series[0][1], strict=True)} == {
            "北京市": 1, "广东省": 1, "(blank)": 1,
        }  # fmt: skip
        behind = reports.behind(door(ctx, store), provinces, ["广东省"], ["name"])
        assert [r["name"] for r in behind] == ["South"]
        assert reports.figures(ctx, store.inst, north).value == Decimal("39.9")


def test_rows_and_links_reach_the_parts_too(filled):
    with filled.opened(filled.boss) as ctx:
        store, visit = filled.table(ctx, "store"), filled.table(ctx, "visit")
        south = query.page(door(ctx, store), Listing(["name"], where=[Formula.of('name = "South"')])).records[0].id
        id = records.create(ctx, visit, {"store": south})
        found = query.fetch(door(ctx, visit), id)
        assert (found["town"], found["all"], found["east"]) == ("深圳市", SHENZHEN, Decimal("113.95"))
        at, point = (store.table.by_id["stops"].column(c) for c in ("at", "point"))
        stops = [{"at": at.parse(a), "point": point.parse(p)} for a, p in ((SHENZHEN, "22.5,113"), (BEIJING, "39,116"))]
        records.change(ctx, store, south, {"stops": stops})
        found = query.fetch(door(ctx, store), south)
        assert [row["town"] for row in found["stops"]] == ["深圳市", "北京市"]
        assert found["towns"] == "深圳市,北京市"
        assert found["southmost"] == Decimal("22.5")
        where = [Formula.of('"北京市" IN stops.at.city')]
        assert query.total(door(ctx, store), Listing(where=where))[0] == 1


def test_a_change_of_a_part_is_remembered(filled):
    with filled.opened(filled.manager) as ctx:
        store = filled.table(ctx, "store")
        south = query.page(door(ctx, store), Listing(["name"], where=[Formula.of('name = "South"')])).records[0].id
        moved = store.table.by_id["address"].parse(BEIJING)
        records.change(ctx, store, south, {"address": moved})
        records.change(ctx, store, south, {"address": moved})
        first = history.of_record(ctx, store, south)
        assert len(first) == 2
        before, after = first[0].changes["address"]
        assert (before["city"], after["city"]) == ("深圳市", "北京市")


STORES = """name,地址,province,City,district,Street and number,latitude,longitude
One,广东省深圳市南山区科技园1号,,,,,,
Two,,广东,深圳,南山区,科技园2号,22.5,113.9
Three,,,,,,,
Four,,广东省,杭州市,,,22.5,
"""


def test_a_file_gives_an_address_as_a_text_or_in_parts(shops):
    with shops.opened(shops.boss) as ctx:
        store = shops.table(ctx, "store")
        sheet = read_sheet(STORES.encode(), "stores.csv")
        labels = {p: importing._labels(store, p) for p in importing.importing.importable(store.table)}
        mappings = importing.importing.suggest(store.table, sheet.headings, labels)
        assert {"address.province", "address.city", "address.district", "address.detail", "site.latitude"} <= set(
            mappings
        )
        assert "address.code" not in labels
        mappings["address"] = importing.mappings_of({"address": {"column": "地址"}})["address"]
        report = importing.run_now(ctx, store, sheet, mappings)
        assert (report.total, report.sound) == (4, 3)
        assert {t.path for t in report.sorted()} == {"site"}
        one, three, two = query.page(door(ctx, store), Listing(["address", "site"], sort=["name"])).records
        assert (one["address"]["district"], one["address"]["detail"]) == ("南山区", "科技园1号")
        assert (two["address"]["city"], two["address"]["detail"]) == ("深圳市", "科技园2号")
        assert two["site"]["text"] == "22.5,113.9"
        assert three["address"] is None
        assert three["site"] is None
