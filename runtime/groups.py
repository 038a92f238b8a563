"""Groups: which record of another table has a record's (or a row's) values, made where there is none yet.

Those who look for the same values at once wait for one another before the second would make it again.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, text, update

from runtime import answers, query
from runtime.access import door
from runtime.actors import System
from runtime.context import Context
from runtime.rows import child_values
from runtime.tables import LiveTable
from schemas import filling
from schemas.errors import InvalidInput
from schemas.fields.group import Group
from schemas.fields.rows import Rows
from schemas.filling import Values
from schemas.formula import ErrorValue, evaluate
from schemas.formula.types import BOOLEAN
from schemas.formula.values import fold

ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 13))")
Key = tuple[Any, ...]


@dataclass(frozen=True)
class Grouping:
    """A group field of a table, or of a subform of it."""

    group: Group
    rows: Rows | None

    @property
    def path(self) -> str:
        return f"{self.rows.id}.{self.group.id}" if self.rows else self.group.id


def of_table(live: LiveTable) -> list[Grouping]:
    return [Grouping(group, rows) for group, rows in live.table.groups]


def assign(ctx: Context, live: LiveTable, many: Sequence[tuple[UUID | None, Values]], make: bool = True) -> None:
    """Set the groups of these records in their values, as these now are; `many` gives each record's id with them.

    Without `make` a group that is not there stays blank.
    """
    for grouping in of_table(live):
        lines = [(id, values, line) for id, values in many for line in _lines(grouping, values)]
        keys = [_key(ctx, live, grouping, id, values, line) for id, values, line in lines]
        found = _records(ctx, live.sibling(grouping.group.table), list(grouping.group.by), {k for k in keys if k}, make)
        for (_, _, line), key in zip(lines, keys, strict=True):
            line[grouping.group.id] = found.get(_folded(key)) if key else None


def _lines(grouping: Grouping, values: Values) -> Iterable[Values]:
    return values.get(grouping.rows.id) or () if grouping.rows else (values,)


def _key(ctx: Context, live: LiveTable, grouping: Grouping, id: UUID | None, values: Values, line: Values) -> Key | None:
    """The values by which the group is found; None where one is blank or the condition does not hold."""
    target, rows, group = live.sibling(grouping.group.table).table, grouping.rows, grouping.group
    scope, whole = live.analysis.scope(live.table, rows), {**values, **line} if rows else values
    asked = answers.answering(ctx, live, id)
    if group.where is not None:
        condition = live.analysis.expression(group.where, scope, BOOLEAN)
        if evaluate(condition, whole, asked(whole, condition.needs, rows)) is not True:
            return None
    key = []
    for own, formula in (group.by or {}).items():
        expression = live.analysis.expression(formula, scope)
        value = evaluate(expression, whole, asked(whole, expression.needs, rows))
        value = None if isinstance(value, ErrorValue) else filling.fit(target.by_id[own], value)
        if value is None or value == "":
            return None
        key.append(value)
    return tuple(key)


def _folded(key: Key) -> Key:
    return tuple(fold(v) if isinstance(v, str) else v for v in key)


def _records(ctx: Context, target: LiveTable, fields: Sequence[str], keys: set[Key], make: bool) -> Mapping[Key, UUID]:
    """The record of each of these values; those that are missing are made, in an order that all keep."""
    system = ctx.acting_as(System())
    wanted = {_folded(key): key for key in sorted(keys, key=repr, reverse=True)}
    found = _there(system, target, fields, set(wanted))
    missing = sorted(wanted.keys() - found.keys(), key=repr) if make else []
    for key in missing:
        ctx.conn.execute(ONE_AT_A_TIME, {"key": f"{target.inst.id}.{target.id}:{fields!r}:{key!r}"})
    if missing:
        found |= _there(system, target, fields, set(missing))
        found |= _make(system, target, fields, {key: wanted[key] for key in missing if key not in found})
    return found


def _there(ctx: Context, target: LiveTable, fields: Sequence[str], keys: set[Key]) -> dict[Key, UUID]:
    found = query.by_key(door(ctx, target), fields, keys) if keys else {}
    return {key: ids[0] for key, ids in found.items()}


def _make(ctx: Context, target: LiveTable, fields: Sequence[str], keys: Mapping[Key, Key]) -> dict[Key, UUID]:
    from runtime import records

    many = [dict(zip(fields, key, strict=True)) for key in keys.values()]
    drafts = records.create_many(ctx, target, many) if many else []
    for draft in drafts:
        if draft.errors:
            raise InvalidInput({"": next(iter(draft.errors.values()))})
    return {key: draft.id for key, draft in zip(keys, drafts, strict=True)}


# -- records that are there ------------------------------------------------------------------------


def regroup(ctx: Context, live: LiveTable, path: str, ids: Sequence[UUID]) -> list[tuple[UUID, Values, Values]]:
    """Find the groups of records that are there; gives those that have changed, with what they held and hold."""
    first, _, column = path.partition(".")
    changed = found_anew(ctx, live, path, ids)
    table = live.children[first] if column else live.sql
    kept, own = table.c[column or path], table.c._id if column else table.c.id
    stored = [{"_own": line["_id"] if column else id, "_value": line.get(column or path)} for id, _, values in changed
              for line in (values[first] or () if column else (values,))]  # fmt: skip
    if stored:
        ctx.conn.execute(update(table).where(own == bindparam("_own")).values({kept: bindparam("_value")}), stored)
    return changed


def found_anew(
    ctx: Context, live: LiveTable, path: str, ids: Sequence[UUID], make: bool = True
) -> list[tuple[UUID, Values, Values]]:
    """The records whose groups are others than those kept, with what they hold and would hold."""
    first, _, column = path.partition(".")
    before = child_values(ctx, live, ids)
    after = {id: _copied(values, first, column) for id, values in before.items()}
    assign(ctx, live, list(after.items()), make)
    pairs = ((id, values.get(first), after[id].get(first)) for id, values in before.items())
    return [(id, {first: old}, {first: new}) for id, old, new in pairs if (old or None) != (new or None)]


def _copied(values: Values, first: str, column: str) -> Values:
    """The values, with rows of their own where those will be changed."""
    return {**values, first: [dict(row) for row in values.get(first) or ()]} if column else dict(values)
