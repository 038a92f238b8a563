"""The values of formulas as people read them, for texts with formulas in braces."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from runtime.actors import System
from runtime.context import Context
from runtime.people import Directory
from runtime.query import titles
from runtime.tables import LiveTable
from schemas.fields import Reader
from schemas.fields.link import Link
from schemas.formula import ErrorValue, Formula


def show(ctx: Context, live: LiveTable, formula: Formula, value: Any, language: str) -> str:
    """A formula's value as a person reads it: like the field it names, else plainly."""
    values = value if isinstance(value, list) else [value]
    ids = [one for one in values if isinstance(one, UUID)]
    names = Directory.of(ctx).names(ids) if ids else {}
    found = live.table.by_id.get(formula.source.strip())
    if isinstance(found, Link):
        names = titles(ctx.acting_as(System()), live.sibling(found.table), ids)
    if found is not None and not isinstance(value, ErrorValue):
        return found.show(value, Reader(language, ctx.zone, names))
    return ", ".join(_plain(ctx, one, names) for one in values if one is not None)


def _plain(ctx: Context, value: Any, names: Mapping[UUID, str]) -> str:
    if isinstance(value, UUID):
        return names.get(value, "")
    if isinstance(value, datetime):
        return f"{value.astimezone(ctx.zone):%Y-%m-%d %H:%M}"
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return value.code if isinstance(value, ErrorValue) else str(value)
