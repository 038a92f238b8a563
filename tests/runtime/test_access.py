"""Rights at the door: masks, views and forms as grants, departments with those below them, the whole app."""

from copy import deepcopy
from decimal import Decimal

import pytest

from runtime import definitions, exporting, models, people, query, records
from runtime.access import (
    door,
    form_for,
    granted_to,
    may_flow,
    may_see_dashboard,
    may_see_view,
    may_use_form,
    views_for,
)
from runtime.query import Listing
from schemas.errors import Denied, InvalidInput, NotFound
from schemas.formula import Formula
from tests.runtime.conftest import SHOP

CLERK = {"who": {"role": "clerk"}}
PHONE = "13812341234"


def shop_with(make_shop, *grants, **more):
    made = deepcopy(SHOP)
    made["tables"][1]["fields"].append({"id": "phone", "type": "text", "format": "phone"})
    made["access"] = [g for g in made["access"] if g["who"].get("role") != "clerk"]
    made["access"] += [{"id": f"g{n}", **g} for n, g in enumerate(grants)]
    return make_shop({**made, **more})


def give(shop, **values):
    with shop.opened(shop.boss) as ctx:
        return records.create(ctx, shop.table(ctx, "book"), values)


@pytest.fixture
def masked(make_shop):
    """A clerk who sees masks of phones and costs of all books, and everything of their own."""
    return shop_with(
        make_shop,
        {**CLERK, "table": "book", "do": ["read", "update", "export", "history"],
         "fields": {"*": "write", "phone": "replace", "cost": "mask", "copies.place": "replace", "copies.count": "mask"}},
        {**CLERK, "table": "book", "do": ["read"], "rows": "owner = ME()"},
    )  # fmt: skip


def test_a_masked_value_is_shown_as_its_mask_and_used_for_nothing(masked):
    """As a list, as a record, in an export; and it is no name of a filter, an order, a search or a group."""
    rows = [{"place": "cellar", "count": Decimal(2)}]
    foreign = give(masked, title="Emma", phone=PHONE, cost=Decimal(3), copies=rows, owner=masked.manager.id)
    own = give(masked, title="Persuasion", phone=PHONE, cost=Decimal(4), copies=rows, owner=masked.clerk.id)
    with masked.opened(masked.clerk) as ctx:
        gate = door(ctx, masked.table(ctx, "book"))
        page = query.page(gate, Listing(["title", "phone", "cost"], sort=["title"])).records
        assert [(r["title"], r["phone"], r["cost"], dict(r.masked)) for r in page] == [
            ("Emma", None, None, {"phone": "138****1234", "cost": "****"}),
            ("Persuasion", PHONE, Decimal(4), {}),
        ]
        alone = query.fetch(gate, foreign)
        assert (alone.rights["phone"], alone.rights["cost"], alone.rights["copies"]) == ("replace", "mask", "write")
        assert "phone" not in alone.values
        assert alone.values["copies"][0]["mask:place"] == "c*****"
        assert {"place", "count"} & alone.values["copies"][0].keys() == set()
        assert query.fetch(gate, own).rights["phone"] == "write"
        cells = [[c.shown for c in row] for row in exporting.rows(gate, Listing(["title", "phone"], sort=["title"]))]
        assert cells == [["Emma", "138****1234"], ["Persuasion", PHONE]]
        for asked in (f'phone = "{PHONE}"', "cost > 1", 'CONTAINS(phone, "1381")'):
            found = query.page(gate, Listing(["title"], [Formula.of(asked)])).records
            assert [r["title"] for r in found] == ["Persuasion"]
        assert [r["title"] for r in query.page(gate, Listing(["title"], search="13812341234")).records] == [
            "Persuasion"
        ]
        counted = {value: found.count for value, found in query.groups(gate, Listing(), "cost").items()}
        assert counted == {None: 1, Decimal(4): 1}
        assert query.summary(gate, Listing(), ["cost"]).sums == {"cost": Decimal(4)}


def test_where_no_row_shows_more_than_a_mask_a_field_is_no_name_at_all(make_shop):
    shop = shop_with(
        make_shop, {**CLERK, "table": "book", "do": ["read"], "fields": {"title": "read", "phone": "mask"}}
    )
    give(shop, title="Emma", phone=PHONE)
    with shop.opened(shop.clerk) as ctx:
        gate = door(ctx, shop.table(ctx, "book"))
        assert (gate.visible("phone"), gate.readable("phone"), gate.visible("cost")) == (True, False, False)
        for listing in (Listing(["title"], [Formula.of('phone = "1"')]), Listing(["title"], sort=["phone"])):
            with pytest.raises(InvalidInput):
                query.page(gate, listing)
        with pytest.raises(NotFound):
            query.groups(gate, Listing(), "phone")
        assert query.page(gate, Listing(["title", "phone"])).records[0].masked == {"phone": "138****1234"}


def stored(shop, id):
    with shop.opened(shop.boss) as ctx:
        return query.fetch(door(ctx, shop.table(ctx, "book")), id).values


def test_a_writer_who_sees_only_a_mask_replaces_the_value_but_cannot_wipe_it(masked):
    rows = [{"place": "cellar", "count": Decimal(2)}]
    id = give(
        masked, title="Emma", phone=PHONE, cost=Decimal(3), price=Decimal(9), copies=rows, owner=masked.manager.id
    )
    line = str(stored(masked, id)["copies"][0]["_id"])
    for phone, place in ((None, None), ("138****1234", "c*****"), ("", "")):
        with masked.opened(masked.clerk) as ctx:
            back = [{"_id": line, "place": place or None}]
            records.change(ctx, masked.table(ctx, "book"), id, {"phone": phone or None, "cost": None, "copies": back})
        now = stored(masked, id)
        assert (now["phone"], now["cost"]) == (PHONE, Decimal(3))
        assert (now["copies"][0]["place"], now["copies"][0]["count"]) == ("cellar", Decimal(2))
    with masked.opened(masked.clerk) as ctx:
        records.change(
            ctx, masked.table(ctx, "book"), id, {"phone": "13900001111", "copies": [{"_id": line, "place": "attic"}]}
        )
    assert (stored(masked, id)["phone"], stored(masked, id)["copies"][0]["place"]) == ("13900001111", "attic")
    with masked.opened(masked.clerk) as ctx, pytest.raises(InvalidInput) as refused:
        records.change(ctx, masked.table(ctx, "book"), id, {"cost": Decimal(1)})
    assert list(refused.value.errors) == ["cost"]


def test_a_right_to_write_without_a_right_to_see_does_not_wipe_either(make_shop):
    shop = shop_with(
        make_shop,
        {**CLERK, "table": "book", "do": ["read"], "fields": {"title": "read"}},
        {**CLERK, "table": "book", "do": ["update"], "fields": {"title": "write", "phone": "write"}},
    )
    id = give(shop, title="Emma", phone=PHONE)
    with shop.opened(shop.clerk) as ctx:
        assert query.fetch(door(ctx, shop.table(ctx, "book")), id, "update").rights["phone"] == "replace"
        records.change(ctx, shop.table(ctx, "book"), id, {"title": "Emma 2", "phone": None})
    assert stored(shop, id)["phone"] == PHONE


def test_one_filtered_view_and_nothing_else(make_shop):
    views = [
        {"id": "novels", "table": "book", "columns": ["title"], "filter": 'kind = "novel"'},
        {"id": "all", "table": "book"},
    ]
    shop = shop_with(make_shop, {**CLERK, "view": "novels", "do": ["read"]}, views=views)
    give(shop, title="Emma", phone=PHONE, kind="novel")
    essay = give(shop, title="Ideas", kind="essay")
    with shop.opened(shop.clerk) as ctx:
        table = shop.table(ctx, "book")
        gate = door(ctx, table)
        found = query.page(gate, Listing(["title", "phone", "kind"])).records
        assert [dict(r.values) for r in found] == [{"title": "Emma"}]
        with pytest.raises(NotFound):
            query.fetch(gate, essay)
        assert [v.id for v in views_for(ctx, table.inst, "book")] == ["novels"]
    with shop.opened(shop.manager) as ctx:
        inst = shop.table(ctx, "book").inst
        assert [may_see_view(ctx, inst, v) for v in ("novels", "all")] == [False, True]


def test_one_form_and_only_its_fields(make_shop):
    forms = [
        {"id": "short", "table": "book", "layout": [{"row": ["title"]}]},
        {"id": "long", "table": "book", "layout": [{"row": ["title", "phone"]}]},
    ]
    shop = shop_with(make_shop, {**CLERK, "form": "short", "do": ["create"]}, forms=forms)
    with shop.opened(shop.clerk) as ctx:
        table = shop.table(ctx, "book")
        assert [may_use_form(ctx, table.inst, f) for f in ("short", "long")] == [True, False]
        assert form_for(ctx, table.inst, "book", form="long").id == "short"
        with pytest.raises(InvalidInput):
            records.create(ctx, table, {"title": "Emma", "phone": PHONE})
    with shop.opened(shop.clerk) as ctx:
        records.create(ctx, shop.table(ctx, "book"), {"title": "Emma"})
    with shop.opened(shop.outsider) as ctx:
        assert form_for(ctx, shop.table(ctx, "book").inst, "book") is None


def test_a_department_with_those_below_it(make_shop):
    slots = [{"id": "sales", "type": "department"}]
    grants = ({"who": {"slot": "sales", "below": True}, "table": "author", "do": ["read"]},
              {"who": {"slot": "sales"}, "table": "book", "do": ["read"]})  # fmt: skip
    shop = shop_with(make_shop, *grants, slots=slots)
    with shop.opened() as ctx:
        inst = definitions.installed(ctx, "shop")
        top = people.add_department(ctx, "Everything")
        ctx.conn.execute(models.department.update().where(models.department.c.id != top).values(parent_id=top))
        people.assign_slot(ctx, inst.id, "sales", top)
    with shop.opened(shop.clerk) as ctx:
        may = [door(ctx, shop.table(ctx, table)).may("read") for table in ("author", "book")]
    assert may == [True, False]


def test_the_whole_app_a_flow_and_a_grant_that_is_switched_off(make_shop):
    flow = {"id": "check", "trigger": {"button": {"table": "book", "label": "Check"}},
            "steps": [{"id": "look", "type": "approve", "who": {"role": "manager"}}]}  # fmt: skip
    grants = ({**CLERK, "app": True, "do": ["read"]}, {**CLERK, "flow": "check", "do": ["start", "read"]},
              {"who": {"everyone": True}, "table": "book", "do": ["delete"], "off": True})  # fmt: skip
    shop = shop_with(make_shop, *grants, flows=[flow])
    for person, verbs in ((shop.clerk, [True, True, False]), (shop.outsider, [False] * 3), (shop.boss, [True] * 3)):
        with shop.opened(person) as ctx:
            inst = shop.table(ctx, "book").inst
            assert [may_flow(ctx, inst, "check", verb) for verb in ("start", "read", "manage")] == verbs
    with shop.opened(shop.clerk) as ctx:
        inst = shop.table(ctx, "book").inst
        assert all(door(ctx, shop.table(ctx, t)).may("read") for t in ("book", "author"))
        assert may_see_dashboard(ctx, inst, "figures")
        with pytest.raises(Denied):
            door(ctx, shop.table(ctx, "book")).require("delete")
    with shop.opened(shop.outsider) as ctx:
        assert granted_to(ctx, shop.table(ctx, "book").inst) == []


def test_grants_that_change_hold_with_the_next_request(make_shop):
    """Also where statements of the earlier revision are kept, and rows and fields change, not the storage."""
    base = {**CLERK, "table": "book", "do": ["read"], "fields": {"title": "read", "phone": "read"}}
    shop = shop_with(make_shop, base)
    give(shop, title="Emma", phone=PHONE)

    def seen():
        with shop.opened(shop.clerk) as ctx:
            gate = door(ctx, shop.table(ctx, "book"))
            return [(r["phone"], dict(r.masked)) for r in query.page(gate, Listing(["title", "phone"])).records]

    def publish(grant):
        with shop.opened() as ctx:
            package = deepcopy(SHOP)
            package["tables"][1]["fields"].append({"id": "phone", "type": "text", "format": "phone"})
            package["access"] = [{"id": "g0", **grant}]
            definitions.publish(ctx, "shop", package)

    assert seen() == [(PHONE, {})]
    publish({**base, "fields": {"title": "read", "phone": "mask"}})
    assert seen() == [(None, {"phone": "138****1234"})]
    publish({**base, "rows": 'title = "Persuasion"'})
    assert seen() == []


def test_rows_that_only_some_records_open_are_neither_counted_nor_found_in_others(make_shop):
    shop = shop_with(
        make_shop,
        {**CLERK, "table": "book", "do": ["read"], "fields": {"title": "read"}},
        {**CLERK, "table": "book", "do": ["read"], "rows": "owner = ME()"},
    )
    rows = [{"place": "cellar", "count": Decimal(2)}]
    give(shop, title="Emma", copies=rows, owner=shop.manager.id)
    give(shop, title="Persuasion", copies=rows, owner=shop.clerk.id)
    with shop.opened(shop.clerk) as ctx:
        gate = door(ctx, shop.table(ctx, "book"))
        counted = query.page(gate, Listing(["title", "copies"], sort=["title"])).records
        assert [r["copies"] for r in counted] == [None, 1]
        for listing in (
            Listing(["title"], search="cellar"),
            Listing(["title"], [Formula.of("COUNT(copies.count) = 1")]),
        ):
            assert [r["title"] for r in query.page(gate, listing).records] == ["Persuasion"]
