"""Which records rows of values mean: a key that finds them, and what becomes of those that are found and those that are not."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any, TypeVar

from schemas.errors import BadValue, Problem
from schemas.fields import Field
from schemas.fields.rows import Rows
from schemas.fields.serial import Serial
from schemas.formula.values import fold
from schemas.messages import say
from schemas.options import option
from schemas.parsers import Id, Many, Words
from schemas.table import Table

Item = TypeVar("Item")
KeyValues = tuple[Any, ...]

MODES = ("both", "update", "add")
BLANKS = ("keep", "clear")


@dataclass(frozen=True, kw_only=True)
class Matching:
    """How rows find records.

    `mode` says whether those found are changed and others added (`both`), those found changed only (`update`), or
    others added only (`add`). `blank` says what an empty value does to a record that is there.
    """

    key: tuple[str, ...] = option(Many(Id(), most=5, required=True), "Found by", ())
    mode: str = option(Words(*MODES), "Records", "both")
    blank: str = option(Words(*BLANKS), "Empty cells", "keep")

    def problems(self) -> Iterator[tuple[str, Any]]:
        if not self.key:
            yield "key", say("choose at least one field by which records are found")


def keyable(table: Table) -> list[str]:
    """The fields by which a record may be found."""
    return [f.id for f in table.fields if f.may_be_unique or f.may_be_key or isinstance(f, Serial)]


def natural(table: Table, given: Sequence[str]) -> tuple[str, ...]:
    """The key that suggests itself, of what is given: a serial number, what is unique alone, or in combination."""
    alone = [f.id for f in table.fields if isinstance(f, Serial)] + [f.id for f in table.fields if f.unique]
    keys = [(id,) for id in alone] + [key.fields for key in table.keys]
    return next((key for key in keys if set(key) <= set(given)), ())


def problems(matching: Matching, table: Table, given: Sequence[str]) -> Iterator[Problem]:
    """What is wrong with it for this table, when these fields are given."""
    known = keyable(table)
    for id in matching.key:
        if id not in known:
            yield Problem("key", say("records cannot be found by '{name}'", name=id))
        elif id not in given:
            yield Problem("key", say("choose a column for '{name}', by which records are found", name=id))


def key_of(table: Table, fields: Sequence[str], raw: Mapping[str, Any], zone: tzinfo) -> KeyValues | None:
    """The key of one row of raw answers, as values compare; None where a part is blank or cannot be read."""
    parts = tuple(_part(table.by_id[id], raw.get(id), zone) for id in fields)
    return None if None in parts else parts


def _part(found: Field, raw: Any, zone: tzinfo) -> Any:
    if isinstance(found, Serial):
        text = "" if raw is None else str(raw).strip()
        return fold(text) or None
    try:
        value = found.parse_in(raw, zone)
    except BadValue:
        return None
    return fold(value) if isinstance(value, str) else value


def grouped(items: Sequence[Item], key: Callable[[Item], KeyValues | None]) -> list[list[Item]]:
    """Items of one key together, in the order of the first; what has no key stands alone."""
    groups: list[list[Item]] = []
    known: dict[KeyValues, list[Item]] = {}
    for item in items:
        found = key(item)
        if found is not None and found in known:
            known[found].append(item)
            continue
        groups.append([item])
        if found is not None:
            known[found] = groups[-1]
    return groups


# -- what a row means for a record that is there ---------------------------------------------------


def is_blank(raw: Any) -> bool:
    return raw is None or raw == "" or raw == []


def edits(
    table: Table, matching: Matching, raw: Mapping[str, Any], before: Mapping[str, Any], zone: tzinfo
) -> dict[str, Any]:
    """The raw answers that change a record of these values: the key only finds it, and blanks do as they are told."""
    made: dict[str, Any] = {}
    for id, value in raw.items():
        found = table.by_id.get(id)
        if found is None or found.computed or id in matching.key:
            continue
        if is_blank(value) and matching.blank == "keep":
            continue
        made[id] = _edited(found, value, before.get(id), matching.blank == "keep", zone)
    return made


def _edited(found: Field, raw: Any, before: Any, keep: bool, zone: tzinfo) -> Any:
    if isinstance(found, Rows) and isinstance(raw, list):
        return _rows(found, raw, before or [], zone)
    if found.facets and isinstance(raw, dict) and isinstance(dumped := found.dump(before), dict):
        given = {name: v for name, v in raw.items() if not (keep and is_blank(v))}
        old = {name: v for name, v in dumped.items() if name in found.facets and found.facets[name].given}
        return {**old, **given}
    return raw


def _rows(
    rows: Rows, raw: Sequence[Mapping[str, Any]], before: Sequence[Mapping[str, Any]], zone: tzinfo
) -> list[dict[str, Any]]:
    """Rows as given, each as the row that is there and says the same: by a key of rows, else in all that is given."""
    left = list(before)
    made = []
    for row in raw:
        same = next((old for old in left if _same(rows, row, old, zone)), None)
        if same is not None:
            left.remove(same)
        made.append({**row, "_id": same["_id"]} if same is not None else dict(row))
    return made


def _same(rows: Rows, row: Mapping[str, Any], old: Mapping[str, Any], zone: tzinfo) -> bool:
    key = next((k.fields for k in rows.keys if all(not is_blank(row.get(c)) for c in k.fields)), tuple(row))
    return all(_says(column, row.get(id), old.get(id), zone) for id in key if (column := rows.column(id)))


def _says(column: Field, raw: Any, value: Any, zone: tzinfo) -> bool:
    try:
        said, held = column.dump(column.parse_in(raw, zone)), column.dump(value)
    except BadValue:
        return False
    return bool(said == held or (isinstance(said, str) and isinstance(held, str) and fold(said) == fold(held)))
