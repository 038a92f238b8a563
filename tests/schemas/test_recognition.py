"""What a column of a sheet is taken for: as a business user would say looking at it."""

from datetime import UTC, datetime
from decimal import Decimal as D

import pytest

from schemas import recognition
from schemas.fields import field_types
from schemas.options import load
from schemas.recognition import KINDS, Names

STAFF = Names({"ada", "ben li"}, {"sales"})


def taken_for(heading, *cells):
    return recognition.column(heading, cells, UTC, STAFF).kind


@pytest.mark.parametrize(("heading", "cells", "kind"), [
    ("名称", ["甲公司", "乙公司", "丙公司"], "text"),
    ("手机", [D("13800138000"), "13900139000"], "mobile"),
    ("联系电话", ["010-62770000", "13800138000"], "phone"),
    ("邮箱", ["a@example.com", "b@example.org"], "email"),
    ("网址", ["https://example.com", "http://example.org/a"], "url"),
    ("身份证", ["11010519491231002X"], "id_card"),
    ("邮编", ["100084", "200000"], "postcode"),
    ("订单号", [D(1001), D(1002)], "code"),
    ("SKU", ["007", "012"], "code"),
    ("备注号", ["123456789012345678"], "code"),
    ("数量", [D(3), D("2.5"), "1,200"], "number"),
    ("year", ["2024", "2025"], "number"),
    ("折扣", ["12%", "7.5%"], "percent"),
    ("合同金额", [D("1200.50"), D(3)], "money"),
    ("cell", ["¥12.00", "￥1,300"], "money"),
    ("日期", ["2026-01-05", "2026/1/6"], "date"),
    ("下单", [datetime(2026, 1, 5), datetime(2026, 2, 1)], "date"),
    ("签到", [datetime(2026, 1, 5, 9, 30)], "datetime"),
    ("签到", ["2026-01-05 09:30"], "datetime"),
    ("上班", ["09:30", "9:05:00"], "time"),
    ("是否付款", ["是", "否", "是"], "switch"),
    ("paid", [True, False], "switch"),
    ("负责人", ["Ada", "Ben  Li"], "member"),
    ("部门", ["Sales"], "department"),
    ("状态", ["新", "旧", "新", "旧"], "choice"),
    ("标签", ["红,绿", "绿", "红", "红；绿"], "choices"),
    ("说明", ["很" * 130], "long_text"),
    ("空", [None, None], "text"),
    ("混", ["12", "about ten"], "text"),
])  # fmt: skip
def test_a_column_is_taken_for(heading, cells, kind):
    assert taken_for(heading, *cells) == kind


@pytest.mark.parametrize("kind", KINDS)
def test_what_any_kind_defines_of_any_values_is_a_sound_field(kind):
    for cells in ([], ["x"], [D("1.123456789")], ["a,b", "b"], [None, True]):
        definition = recognition.column("h", cells, UTC, STAFF, kind).definition
        found = load(field_types[definition["type"]], {"id": "a", "label": "h", **{k: v for k, v in definition.items() if k != "type"}})
        assert not list(found.problems())


def test_what_a_chosen_kind_does_not_read_is_counted_with_examples():
    column = recognition.column("when", ["2026-01-05", "soon", "soon", "later", None], UTC, STAFF, "date")
    assert (column.unread_count, column.unread, column.filled) == (3, ("soon", "later"), 4)


def test_options_are_the_answers_with_the_most_frequent_first():
    column = recognition.column("状态", ["旧", "新", "新", "新", "旧"], UTC, STAFF)
    assert [(o["id"], o["label"]) for o in column.definition["options"]] == [("option_1", "新"), ("option_2", "旧")]


def test_numbers_keep_as_many_decimals_as_they_have():
    assert recognition.column("数量", [D(1), D("2.125")], UTC, STAFF).definition == {"type": "number", "decimals": 3}


def test_a_currency_is_known_by_its_sign():
    assert recognition.column("cell", ["$5", "$6.10"], UTC, STAFF).definition == {"type": "money", "currency": "USD"}
