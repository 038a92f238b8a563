"""Importing again: rows of a file that change the records which they name by a key."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select, tuple_

from runtime import answers, query, records
from runtime.access import door
from runtime.context import Context
from runtime.tables import LiveTable
from schemas.errors import Conflict, Denied, InvalidInput, NotFound
from schemas.importing import fold_key
from schemas.messages import say

Key = tuple[Any, ...]


def key_of(fields: Sequence[str], values: Mapping[str, Any]) -> Key | None:
    """The key of one row, texts folded; None where a part is blank."""
    parts = tuple(fold_key(v) if isinstance(v := values.get(f), str) else v for f in fields)
    return None if any(p in (None, "") for p in parts) else parts


def find(ctx: Context, source: LiveTable, fields: Sequence[str], keys: set[Key]) -> dict[Key, list[UUID]]:
    """The records with these keys that the actor may both read and change."""
    gate = door(ctx, source)
    if not keys or not gate.may("update") or not all(gate.readable(f) for f in fields):
        return {}
    columns = [gate.source().column(f) for f in fields]
    texts = [all(isinstance(k[n], str) for k in keys) for n in range(len(fields))]
    compared = [query.folded_text(c) if text else c for c, text in zip(columns, texts, strict=True)]
    wanted = select(gate.live.sql.c.id, *compared).where(
        gate.rows("read"), gate.rows("update"), tuple_(*compared).in_(list(keys))
    )
    found: dict[Key, list[UUID]] = {}
    for id, *parts in ctx.conn.execute(wanted):
        found.setdefault(tuple(parts), []).append(id)
    return found


def change(ctx: Context, source: LiveTable, id: UUID, given: Mapping[str, Any], dry: bool) -> tuple[bool, dict[str, Any]]:
    """Whether the record really changes, and what is wrong. Nothing is kept of a refused row or of a dry run."""
    nested = ctx.conn.begin_nested()
    try:
        changes, errors = records.change(ctx, source, id, given), {}
    except InvalidInput as err:
        changes, errors = {}, dict(err.errors)
    except (Denied, NotFound, Conflict):
        changes, errors = {}, {"": [say("You may not change this record.")]}
    if dry or errors:
        nested.rollback()
        answers.forget(ctx, source)
    else:
        nested.commit()
    return bool(changes), errors
