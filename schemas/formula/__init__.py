"""The formula language: one language for conditions and calculations.

`Formula.of(source)` parses, `check(formula, scope)` types, `evaluate(expression, values, world)` computes.
"""

from schemas.formula.parse import RESERVED, Formula, FormulaError
from schemas.formula.tree import names, rename, to_source
from schemas.formula.typed import Expression, Reference, Scope
from schemas.formula.types import Type
from schemas.formula.values import ErrorValue, Need, World

from schemas.formula.evaluate import evaluate  # isort: skip
from schemas.formula.check import check  # isort: skip
from schemas.formula.spreadsheet import evaluate_untyped  # isort: skip

__all__ = [
    "RESERVED",
    "ErrorValue",
    "Expression",
    "Formula",
    "FormulaError",
    "Need",
    "Reference",
    "Scope",
    "Type",
    "World",
    "check",
    "evaluate",
    "evaluate_untyped",
    "names",
    "rename",
    "to_source",
]
