"""What becomes of the records that link to one that is deleted: kept, in its way, cleared, or gone with it."""

from decimal import Decimal
from typing import Any

import pytest

from runtime import history, query, records, verify
from runtime.access import door
from schemas.errors import InvalidInput, NotFound
from tests.runtime.conftest import Shop


def house(**rules: str) -> dict[str, Any]:
    """A house has rooms, a room has lamps and a neighbour; a list names several rooms, a bill a house."""
    do = ["read", "create", "update", "delete", "history"]
    tables = ("house", "room", "lamp", "list", "bill")
    return {
        "language": 1, "app": "shop", "roles": [{"id": "clerk"}, {"id": "manager"}],
        "tables": [
            {"id": "house", "fields": [{"id": "name", "type": "text"},
                {"id": "rooms", "type": "rollup", "over": "room.house", "aggregate": "count"},
                {"id": "watts", "type": "rollup", "over": "room.house", "aggregate": "sum", "value": "watts"}]},
            {"id": "room", "fields": [{"id": "name", "type": "text"},
                {"id": "house", "type": "link", "table": "house", "on_delete": rules.get("room", "trash")},
                {"id": "next", "type": "link", "table": "room", "on_delete": rules.get("next", "keep")},
                {"id": "has_next", "type": "formula", "formula": "NOT(ISBLANK(next))"},
                {"id": "watts", "type": "rollup", "over": "lamp.room", "aggregate": "sum", "value": "watt"}]},
            {"id": "lamp", "fields": [{"id": "watt", "type": "number"},
                {"id": "room", "type": "link", "table": "room", "on_delete": rules.get("lamp", "trash")}]},
            {"id": "list", "fields": [{"id": "name", "type": "text"},
                {"id": "rooms", "type": "links", "table": "room", "on_delete": rules.get("list", "clear")},
                {"id": "count", "type": "formula", "formula": "COUNT(rooms)"}]},
            {"id": "bill", "fields": [{"id": "lines", "type": "rows", "fields": [
                {"id": "house", "type": "link", "table": "house", "on_delete": rules.get("bill", "keep")}]}]},
        ],
        "access": [
            *({"id": f"m_{t}", "who": {"role": "manager"}, "table": t, "do": do} for t in tables),
            {"id": "c_house", "who": {"role": "clerk"}, "table": "house", "do": do},
            {"id": "c_lamp", "who": {"role": "clerk"}, "table": "lamp", "do": do},
        ],
    }  # fmt: skip


@pytest.fixture
def build(make_shop):
    def made(**rules: str) -> tuple[Shop, dict[str, Any]]:
        shop = make_shop(house(**rules))
        with shop.opened(shop.manager) as ctx:
            ids: dict[str, Any] = {"house": new(ctx, shop, "house", {"name": "H"})}
            ids["room"] = new(ctx, shop, "room", {"name": "R", "house": ids["house"]})
            ids["attic"] = new(ctx, shop, "room", {"name": "A", "house": ids["house"], "next": ids["room"]})
            ids["lamp"] = new(ctx, shop, "lamp", {"watt": Decimal(60), "room": ids["room"]})
            ids["list"] = new(ctx, shop, "list", {"name": "L", "rooms": [ids["room"], ids["attic"]]})
            ids["bill"] = new(ctx, shop, "bill", {"lines": [{"house": ids["house"]}, {"house": None}]})
        return shop, ids

    return made


def new(ctx: Any, shop: Shop, table: str, values: dict[str, Any]) -> Any:
    return records.create(ctx, shop.table(ctx, table), values)


def found(shop: Shop, table: str, id: Any) -> query.Record:
    with shop.opened(shop.manager) as ctx:
        return query.fetch(door(ctx, shop.table(ctx, table)), id)


def gone(shop: Shop, table: str, id: Any) -> bool:
    try:
        found(shop, table, id)
    except NotFound:
        return True
    return False


def trash(shop: Shop, table: str, id: Any, who: Any = None) -> None:
    with shop.opened(who or shop.manager) as ctx:
        records.trash(ctx, shop.table(ctx, table), [id])


def restore(shop: Shop, table: str, id: Any) -> None:
    with shop.opened(shop.manager) as ctx:
        records.restore(ctx, shop.table(ctx, table), [id])


def sound(shop: Shop) -> bool:
    with shop.opened() as ctx:
        return not [d for t in ("house", "room", "lamp", "list") for d in verify.differences(ctx, shop.table(ctx, t))]


def test_a_chain_goes_into_the_trash_together_and_returns_together(build):
    shop, ids = build()
    assert found(shop, "house", ids["house"])["watts"] == 60
    trash(shop, "house", ids["house"])
    assert all(
        gone(shop, t, ids[n]) for t, n in (("house", "house"), ("room", "room"), ("room", "attic"), ("lamp", "lamp"))
    )
    assert (found(shop, "list", ids["list"])["rooms"], found(shop, "list", ids["list"])["count"]) == (None, 0)
    assert sound(shop)
    restore(shop, "house", ids["house"])
    assert (found(shop, "house", ids["house"])["rooms"], found(shop, "house", ids["house"])["watts"]) == (2, 60)
    assert not gone(shop, "lamp", ids["lamp"])
    with shop.opened(shop.manager) as ctx:
        actions = [e.action for e in history.of_record(ctx, shop.table(ctx, "lamp"), ids["lamp"])]
    assert sorted(actions) == ["create", "delete", "restore"]
    assert sound(shop)


def test_what_was_in_the_trash_before_stays_there(build):
    shop, ids = build()
    trash(shop, "lamp", ids["lamp"])
    trash(shop, "house", ids["house"])
    restore(shop, "house", ids["house"])
    assert gone(shop, "lamp", ids["lamp"])
    assert not gone(shop, "room", ids["room"])


def test_a_record_does_not_return_without_what_it_belongs_to(build):
    shop, ids = build()
    trash(shop, "house", ids["house"])
    with pytest.raises(InvalidInput, match="belongs to"):
        restore(shop, "room", ids["room"])
    assert gone(shop, "room", ids["room"])


def test_a_circle_of_records_goes_and_returns(build):
    shop, ids = build(next="trash")
    with shop.opened(shop.manager) as ctx:
        records.change(ctx, shop.table(ctx, "room"), ids["room"], {"next": ids["attic"]})
    trash(shop, "room", ids["room"])
    assert gone(shop, "room", ids["attic"])
    assert gone(shop, "lamp", ids["lamp"])
    restore(shop, "room", ids["attic"])
    assert not gone(shop, "room", ids["room"])
    assert not gone(shop, "lamp", ids["lamp"])
    assert sound(shop)


def test_nothing_is_deleted_while_a_record_that_stays_needs_it(build):
    shop, ids = build(lamp="restrict")
    with pytest.raises(InvalidInput, match="still point here"):
        trash(shop, "house", ids["house"])
    assert not gone(shop, "house", ids["house"])
    trash(shop, "lamp", ids["lamp"])
    trash(shop, "house", ids["house"])
    assert gone(shop, "room", ids["room"])


def test_a_row_of_a_subform_can_be_in_the_way_or_be_cleared(build):
    shop, ids = build(bill="restrict")
    with pytest.raises(InvalidInput):
        trash(shop, "house", ids["house"])
    shop, ids = build(bill="clear")
    trash(shop, "house", ids["house"])
    assert [row["house"] for row in found(shop, "bill", ids["bill"])["lines"]] == [None, None]


def test_a_cleared_link_is_a_change_with_a_history(build):
    shop, ids = build(next="clear")
    assert found(shop, "room", ids["attic"])["has_next"] is True
    trash(shop, "room", ids["room"])
    attic = found(shop, "room", ids["attic"])
    assert (attic["next"], attic["has_next"], attic.version) == (None, False, 2)
    assert found(shop, "list", ids["list"])["rooms"] == [ids["attic"]]
    with shop.opened(shop.manager) as ctx:
        changes = history.of_record(ctx, shop.table(ctx, "room"), ids["attic"])[0].changes
    assert changes["next"] == [str(ids["room"]), None]
    assert sound(shop)


def test_a_list_of_links_goes_only_with_its_last_record(build):
    shop, ids = build(list="trash")
    trash(shop, "room", ids["room"])
    assert not gone(shop, "list", ids["list"])
    trash(shop, "room", ids["attic"])
    assert gone(shop, "list", ids["list"])


def test_one_who_may_not_delete_what_goes_along_deletes_nothing(build):
    shop, ids = build()
    with pytest.raises(InvalidInput, match="Other records still need this one"):
        trash(shop, "house", ids["house"], shop.clerk)
    assert not gone(shop, "house", ids["house"])
    assert not gone(shop, "room", ids["room"])
