"""Choices whose options are the values of another table's field: what is offered, and whether an answer is among it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement

from runtime import query
from runtime.access import door
from runtime.context import Context
from runtime.tables import LiveTable
from schemas.fields.choice import Choice
from schemas.fields.rows import Rows
from schemas.filling import NOT_OFFERED, Errors, Values
from schemas.formula import names
from schemas.formula.types import BOOLEAN


def fed(live: LiveTable) -> list[tuple[Rows | None, Choice]]:
    """The choices that another table feeds, each with the subform that it is a column of."""
    alone = [(None, f) for f in live.table.fields if isinstance(f, Choice) and f.source]
    inner = [(r, c) for r in live.table.subforms for c in r.fields if isinstance(c, Choice) and c.source]
    return [*alone, *inner]


def depends(found: Choice) -> list[str]:
    """The fields of the form that decide what is offered."""
    if found.source is None or found.source.where is None:
        return []
    return sorted({path[1] for path in names(found.source.where.tree) if path[0] == "this" and len(path) > 1})


def offered(ctx: Context, live: LiveTable, found: Choice, values: Mapping[str, Any], text: str = "") -> list[str]:
    """What may be chosen in a record of these values, by one who may read where it comes from."""
    return _among(ctx, live, found, values, None, text)


def _among(
    ctx: Context, live: LiveTable, found: Choice, values: Mapping[str, Any], among: Sequence[str] | None, text: str = ""
) -> list[str]:
    assert found.source is not None
    there = live.sibling(found.source.table)
    gate = door(ctx, there)
    if not gate.may("read") or not gate.readable(found.source.field):
        return []
    where = _where(ctx, live, there, found, values)
    return query.values_of(gate, found.source.field, where, text, among, None if among is not None else 50)


def _where(
    ctx: Context, live: LiveTable, there: LiveTable, found: Choice, values: Mapping[str, Any]
) -> list[ColumnElement[bool]]:
    source = found.source
    if source is None or source.where is None:
        return []
    expression = live.analysis.expression(source.where, live.analysis.pick_scope(source, live.table), BOOLEAN)
    return [query.pickable(live, there, expression, ctx, values)]


def refuse(ctx: Context, live: LiveTable, drafts: Sequence[Any]) -> None:
    """Put an error beside every answer that is new in its draft and not among what is offered for it."""
    for rows, found in fed(live):
        given = [(draft, list(_answers(rows, found, draft.values, draft.before))) for draft in drafts]
        alike = not depends(found)
        known = set(_among(ctx, live, found, {}, _texts(p for _, part in given for p in part))) if alike else set()
        for draft, answers in given:
            allowed = known if alike or not answers else set(_among(ctx, live, found, draft.values, _texts(answers)))
            _complain(draft.errors, [path for path, texts in answers if not texts <= allowed])


def _texts(answers: Any) -> list[str]:
    return sorted({text for _, texts in answers for text in texts})


def _complain(errors: Errors, paths: Sequence[str]) -> None:
    for path in paths:
        errors.setdefault(path, []).append(NOT_OFFERED)


def _answers(rows: Rows | None, found: Choice, values: Values, before: Values) -> Iterator[tuple[str, set[str]]]:
    """Where something was chosen that was not there before."""
    if rows is None:
        new = _chosen(values.get(found.id)) - _chosen(before.get(found.id))
        if new:
            yield found.id, new
        return
    old = {text for row in before.get(rows.id) or () for text in _chosen(row.get(found.id))}
    for number, row in enumerate(values.get(rows.id) or ()):
        if new := _chosen(row.get(found.id)) - old:
            yield f"{rows.id}[{number}].{found.id}", new


def _chosen(value: Any) -> set[str]:
    return set(value) if isinstance(value, list) else set() if value is None else {value}
