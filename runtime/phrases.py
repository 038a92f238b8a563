"""The values of formulas as people read them, for texts with formulas in braces."""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from runtime.actors import System
from runtime.context import Context
from runtime.people import Directory
from runtime.query import titles
from runtime.running import Running, values_of
from runtime.tables import LiveTable
from schemas.fields import Reader
from schemas.fields.link import Link
from schemas.formula import ErrorValue, Formula
from schemas.text import Text
from schemas.wording import fill_in


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


def worded(ctx: Context, running: Running, text: Text) -> Text | None:
    """A definition's text with its formulas filled in, in every language that it has."""
    if not text:
        return None
    return Text(
        {language: fill_in(line, _shown(ctx, running, language)) for language, line in text.by_language.items()}
    )


def _shown(ctx: Context, running: Running, language: str) -> Callable[[Formula], str]:
    value = values_of(ctx, running)
    return lambda formula: show(ctx, running.live, formula, value(formula), language)
