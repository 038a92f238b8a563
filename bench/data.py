"""Made-up records, the same in every run."""

import random
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

from bench.definition import PRIORITIES, SOURCES, STAGES, TAGS

CITIES = ("苏州", "上海", "杭州", "深圳", "青岛", "成都", "武汉", "宁波", "厦门", "西安", "Berlin", "Lyon")
GOODS = ("模具", "轴承", "电机", "阀门", "注塑件", "传感器", "线束", "紧固件", "齿轮", "机柜")
WORK = ("采购", "改造", "续约", "试产", "维修", "年度框架")
RARE = "量子"
"""Stands in one of a thousand names: what search looks for."""

MORNING = datetime(2026, 1, 5, 8, tzinfo=UTC)
Values = dict[str, Any]
Line = TypeVar("Line")


def parcels(
    count: int, people: Sequence[UUID], departments: Sequence[UUID], buyers: Sequence[UUID]
) -> Iterator[Values]:
    """Values by field id, as they are stored."""
    dice = random.Random(20)
    for n in range(count):
        quantity, price = Decimal(dice.randint(1, 900)), Decimal(dice.randint(100, 90_000)) / 100
        special = RARE if n % 1000 == 7 else ""
        yield {
            "name": f"{dice.choice(CITIES)}{special}{dice.choice(GOODS)}{dice.choice(WORK)}{n:06}",
            "code": f"D-{n:07}",
            "city": dice.choice(CITIES),
            "phone": f"138{dice.randint(0, 99_999_999):08}",
            "email": f"buyer{n % 5000}@example.com",
            "note": f"{dice.choice(CITIES)}的买家要求{dice.choice(WORK)}，交期{dice.randint(5, 90)}天。"
            if n % 3
            else None,
            "amount": quantity * price,
            "price": price,
            "quantity": quantity,
            "chance": Decimal(dice.randint(0, 100)) / 100,
            "stage": dice.choice(STAGES),
            "source": dice.choice(SOURCES),
            "priority": dice.choice(PRIORITIES),
            "tags": sorted(dice.sample(TAGS, dice.randint(0, 3))) or None,
            "owner": dice.choice(people),
            "department": dice.choice(departments),
            "buyer": dice.choice(buyers),
            "due": date(2026, 1, 1) + timedelta(days=dice.randint(0, 700)),
            "contacted": MORNING + timedelta(minutes=n % 500_000),
            "active": dice.random() < 0.9,
        }


def as_text(values: Values) -> dict[str, Any]:
    """The same values as a browser sends them or a file holds them."""
    made: dict[str, Any] = {}
    for id, value in values.items():
        if isinstance(value, list):
            made[id] = value
        elif isinstance(value, bool):
            made[id] = "true" if value else "false"
        elif isinstance(value, datetime):
            made[id] = value.strftime("%Y-%m-%dT%H:%M+00:00")
        elif id == "chance" and value is not None:
            made[id] = f"{value * 100:f}"
        else:
            made[id] = "" if value is None else str(value)
    return made


def bookings(count: int, buyers: Sequence[str]) -> Iterator[dict[str, str]]:
    """Lines of a file: texts by heading; the buyer by name."""
    dice = random.Random(7)
    for n in range(count):
        yield {
            "number": f"O-{n:07}", "buyer": dice.choice(buyers), "quantity": str(dice.randint(1, 900)),
            "price": f"{dice.randint(100, 90_000) / 100:.2f}", "rebate": dice.choice(("0", "0.05", "0.1")),
            "day": str(date(2026, 1, 1) + timedelta(days=dice.randint(0, 300))),
        }  # fmt: skip


def batches(lines: Iterable[Line], size: int) -> Iterator[list[Line]]:
    """The same lines, so many at a time."""
    batch: list[Line] = []
    for line in lines:
        batch.append(line)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
