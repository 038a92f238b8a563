"""The functions of the formula language: a module here is a registration."""

from schemas.formula.functions.base import FUNCTIONS, OPERATORS, Function, Parameter
from schemas.registry import import_siblings

import_siblings(__name__, __path__)

__all__ = ["FUNCTIONS", "OPERATORS", "Function", "Parameter"]
