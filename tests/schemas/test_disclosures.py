"""Publishing warns when a calculated field tells a reader what they may not see."""

import copy
from typing import Any

from schemas.app import App
from schemas.options import load

SHOP: dict[str, Any] = {
    "language": 1,
    "app": "shop",
    "roles": [{"id": "clerk", "title": "Clerk"}, {"id": "buyer"}],
    "tables": [
        {"id": "vendor", "title": "Vendors", "fields": [
            {"id": "name", "type": "text"},
            {"id": "spent", "type": "rollup", "over": "order.vendor", "aggregate": "sum", "value": "cost"},
        ]},
        {"id": "order", "title": "Orders", "fields": [
            {"id": "vendor", "type": "link", "table": "vendor"},
            {"id": "cost", "type": "number", "label": "Cost"},
            {"id": "price", "type": "number"},
            {"id": "margin", "type": "formula", "formula": "price - cost"},
            {"id": "from", "type": "lookup", "path": "vendor.name"},
            {"id": "lines", "type": "rows", "fields": [
                {"id": "share", "type": "formula", "formula": "cost / 2"}]},
        ]},
    ],
    "access": [
        {"id": "clerk", "who": {"role": "clerk"}, "table": "order", "do": ["read"], "fields": {"*": "read", "cost": "hidden"}},
        {"id": "buyer", "who": {"role": "buyer"}, "table": "order", "do": ["read"]},
        {"id": "names", "who": {"everyone": True}, "table": "vendor", "do": ["read"], "fields": {"name": "read"}},
    ],
}  # fmt: skip


def warnings(**changes: Any) -> list[str]:
    package = copy.deepcopy(SHOP)
    for grant in package["access"]:
        grant.update(changes.get(grant["id"], {}))
    problems = load(App, package).analysis.problems()
    assert all(p.severity == "warning" for p in problems)
    return [f"{p.path}: {str(p.message).partition('. Hide')[0]}" for p in problems]


def test_the_reader_and_the_hidden_field_are_named():
    told = "Clerk may see this field, but not what it is calculated from (Orders › Cost)"
    assert warnings() == [f"tables[1].fields[3]: {told}", f"tables[1].fields[5].fields[0]: {told}"]


def test_no_warning_for_who_sees_everything_nor_for_what_is_hidden_from_the_reader():
    assert warnings(clerk={"fields": {"*": "hidden", "price": "read"}}) == []
    assert warnings(clerk={"fields": {"*": "read"}}) == []


def test_a_right_that_names_the_field_says_that_it_is_meant():
    named = {"*": "read", "cost": "hidden", "margin": "read", "lines.share": "read"}
    assert warnings(clerk={"fields": named}) == []


def test_a_table_that_a_reader_may_not_read_at_all_is_hidden_too():
    found = warnings(names={"fields": None}, clerk={"fields": {"price": "read"}})
    assert found == [
        f"tables[0].fields[1]: {who} may see this field, but not what it is calculated from (Orders › Cost, Orders › vendor)"
        for who in ("Clerk", "Everyone")
    ]
