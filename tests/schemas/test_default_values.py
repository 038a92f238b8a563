"""Defaults of a record that is being filled in."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from schemas import filling
from schemas.app import App
from schemas.formula import World
from schemas.options import load

ORDERS = {
    "language": 1,
    "app": "shop",
    "tables": [
        {
            "id": "order",
            "fields": [
                {"id": "ordered_on", "type": "date", "default": "2026-11-24"},
                {"id": "due_on", "type": "date", "default": "=ordered_on + 30"},
                {
                    "id": "lines",
                    "type": "rows",
                    "fields": [{"id": "count", "type": "number"}, {"id": "price", "type": "money"}],
                },
                {"id": "amount", "type": "money", "default": "=SUM(lines.count * lines.price)"},
                {
                    "id": "paid", "type": "rollup", "over": "payment.order", "aggregate": "sum",
                    "value": "amount",
                },
                {"id": "share", "type": "formula", "formula": "IF(amount > 0, paid / amount, 0)"},
            ],
        },
        {
            "id": "payment",
            "fields": [{"id": "order", "type": "link", "table": "order"}, {"id": "amount", "type": "money"}],
        },
    ],
}  # fmt: skip


def world(values: Any, needs: Any, rows: Any) -> World:
    return World(now=datetime(2026, 11, 24, 4, tzinfo=UTC), zone=ZoneInfo("Asia/Shanghai"))


def defaults(**given: Any) -> dict[str, Any]:
    app = load(App, ORDERS)
    return filling.defaults(app.analysis, app.tables[0], None, given, world)


def test_a_default_may_build_on_another() -> None:
    assert str(defaults()["due_on"]) == "2026-12-24"


def test_a_default_may_build_on_what_was_given() -> None:
    lines = [{"count": Decimal(2), "price": Decimal("9.5")}]
    made = defaults(ordered_on=datetime(2026, 1, 1).date(), lines=lines)
    assert str(made["due_on"]) == "2026-01-31"
    assert made["amount"] == Decimal(19)


def test_what_was_given_is_left_alone_even_when_it_is_nothing() -> None:
    assert "due_on" not in defaults(due_on=None)
    assert "amount" not in defaults(amount=Decimal(1))


def test_a_new_record_has_rollups_that_can_be_calculated_with() -> None:
    app = load(App, ORDERS)
    worked_out = filling.calculate(app.analysis, app.tables[0], {"amount": Decimal(10)}, world)
    assert (worked_out["paid"], worked_out["share"]) == (Decimal(0), Decimal(0))
