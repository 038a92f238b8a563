"""Texts."""

from typing import Any

from schemas.formula.coerce import flat
from schemas.formula.values import Run
from schemas.formula.functions.base import function
from schemas.formula.functions.operators import equal
from schemas.formula.sql import Sql
from schemas.formula.values import ErrorValue, fold


@function("CONTAINS", "each, any -> boolean", world=True, sql=lambda x, y: Sql("contains", (x, y)),
          zh="文本包含某段文字，或列表包含某个值", en="Whether a text contains another, or a list a value.",
          example='CONTAINS(title, "urgent")')  # fmt: skip
def contains(run: Run, where: Any, what: Any) -> bool:
    if isinstance(where, list):
        return any(equal(run, item, what) for item in flat(where) if not isinstance(item, ErrorValue))
    from schemas.formula.coerce import as_text

    return fold(as_text(what, run.world)) in fold(as_text(where, run.world))
