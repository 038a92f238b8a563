"""The language of formulas alone: no database."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from bench.definition import PACKAGE
from bench.measure import Pair
from bench.registry import benchmark
from bench.world import World
from runtime.definitions import load_app
from schemas.formula import Formula, check, evaluate
from schemas.formula import World as Answers
from schemas.formula.parse import _parsed

FORMULAS = {
    "short": "quantity * price",
    "middle": 'IF(amount >= 100000, "large", IF(amount >= 10000, "middle", "small"))',
    "long": 'ROUND(IF(AND(stage = "won", NOT(ISBLANK(due))), amount * (1 - chance) + quantity * price * 0.13, '
    "MAX(amount, price, 0)) / 3, 2)",
}
VALUES: dict[str, Any] = {
    "quantity": Decimal(12), "price": Decimal("99.50"), "amount": Decimal("12000.00"), "chance": Decimal("0.25"), "stage": "won",
    "due": datetime(2026, 5, 1, tzinfo=UTC).date(),
}  # fmt: skip
ANSWERS = Answers(now=datetime(2026, 1, 5, tzinfo=UTC), zone=ZoneInfo("Asia/Shanghai"), me=None, answers={})
CALLS = 500
parse_anew = _parsed.__wrapped__  # what has been parsed once is kept otherwise


@benchmark
def parse(world: World) -> Iterator[Pair]:
    """From a formula's text to its tree."""
    for name, source in FORMULAS.items():
        yield Pair(f"parse, {name}", lambda source=source: parse_anew(source), times=CALLS)  # type: ignore[misc]


@benchmark
def checked(world: World) -> Iterator[Pair]:
    """From its tree to the typed expression, once for each published formula."""
    app = load_app(PACKAGE)
    table = app.table("parcel")
    assert table is not None
    for name, source in FORMULAS.items():
        formula, scope = Formula.of(source), app.analysis.scope(table)
        yield Pair(f"check, {name}", lambda formula=formula, scope=scope: check(formula, scope, None), times=CALLS)  # type: ignore[misc]


@benchmark
def evaluated(world: World) -> Iterator[Pair]:
    """A checked formula over the values of a record."""
    app = load_app(PACKAGE)
    table = app.table("parcel")
    assert table is not None
    for name, source in FORMULAS.items():
        expression = app.analysis.expression(Formula.of(source), app.analysis.scope(table))
        yield Pair(f"evaluate, {name}", lambda e=expression: evaluate(e, VALUES, ANSWERS), times=CALLS)  # type: ignore[misc]
