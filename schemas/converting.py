"""A field whose type changes: which of its values carry over, and as what."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from schemas.app import App
from schemas.errors import BadValue
from schemas.fields import Field, Reader, Storage
from schemas.fields.rows import Rows
from schemas.importing import fold_key
from schemas.messages import say
from schemas.table import Table

ALIKE = (
    ("member", "members"), ("department", "departments"), ("link", "links"), ("date", "datetime"), ("file", "image", "signature"),
    ("number", "money", "rating", "duration"),
)  # fmt: skip
"""Types whose values mean the same kind of thing: they need not go through text."""
NAMED = ("member", "members", "department", "departments", "link", "links")
"""Types whose values are found by name."""
FILES = ("file", "image", "signature")


@dataclass(frozen=True)
class Conversion:
    """A field, or a column of a subform, that gets another type."""

    table: str
    path: str
    old: Field
    new: Field


def conversions(before: App | None, after: App) -> Iterator[Conversion]:
    """Every stored field whose values must be read anew to be of its new type."""
    for table in after.tables:
        earlier = before.table(table.id) if before else None
        for path in table.paths if earlier else ():
            old, new = earlier.field(path), table.field(path)  # type: ignore[union-attr]
            if old is not None and new is not None and _changes(before, earlier, after, table, path, old, new):
                yield Conversion(table.id, path, old, new)


def _changes(before: Any, earlier: Any, after: App, table: Table, path: str, old: Field, new: Field) -> bool:
    if (
        new.computed
        or isinstance(new, Rows)
        or _nowhere(before, earlier, path, old)
        or _nowhere(after, table, path, new)
    ):
        return False
    return old.type != new.type or _target(old) != _target(new)


def _nowhere(app: App, table: Table, path: str, field: Field) -> bool:
    """Whether a field keeps no values of its own."""
    rows = table.by_id.get(path.partition(".")[0]) if "." in path else None
    kept = app.analysis.storage_of(table, field, rows if isinstance(rows, Rows) else None)
    return kept in (Storage.NONE, Storage.CHILD)


def _target(field: Field) -> str:
    return getattr(field, "table", "")


def refusal(change: Conversion) -> Any:
    """Why a type cannot become the other, as a message; None where it can."""
    old, new = change.old, change.new
    elsewhere = _target(new) and _target(old) not in ("", _target(new))
    if elsewhere or isinstance(old, Rows) or (new.type in FILES and old.type not in FILES):
        return say(
            "a field of type {old} cannot become {new}; make a new field", old=say(old.title), new=say(new.title)
        )
    return None


def converted(old: Field, new: Field, value: Any, reader: Reader, found: Mapping[str, Any] | None = None) -> Any:
    """The value as one of the new type. `found` gives the id of what a folded name stands for. Raises BadValue."""
    if value is None:
        return None
    problem: Any = say("'{text}' cannot be converted.", text=old.show(value, reader)[:60])
    for raw in _readings(old, new, value, reader, found or {}):
        try:
            read = new.parse_in(raw, reader.zone)
        except BadValue as err:
            problem = err.message
            continue
        problems = list(new.check(read)) if read is not None else [problem]
        if not problems:
            return read
        problem = problems[0]
    raise BadValue(problem)


def _readings(old: Field, new: Field, value: Any, reader: Reader, found: Mapping[str, Any]) -> Iterator[Any]:
    """What the new type may read, the closest first."""
    if any(old.type in group and new.type in group for group in ALIKE):
        yield from _alike(new, value, reader)
    elif new.type in NAMED:
        yield from _by_name(new, old.show(value, reader), found)
    else:
        yield old.show(value, reader)
        yield old.typed(value) if not isinstance(value, list) else old.show(value, reader)


def _alike(new: Field, value: Any, reader: Reader) -> Iterator[Any]:
    items = value if isinstance(value, list) else [value]
    if new.several:
        yield items
    elif len(items) == 1:
        item = items[0]
        yield item.astimezone(reader.zone).date() if new.type == "date" and isinstance(item, datetime) else item


def _by_name(new: Field, text: str, found: Mapping[str, Any]) -> Iterator[Any]:
    whole = found.get(fold_key(text))
    parts = [whole] if whole else [found.get(fold_key(part)) for part in names_in(text)]
    if parts and all(parts) and (new.several or len(parts) == 1):
        yield parts if new.several else parts[0]


def names_in(text: str) -> list[str]:
    """The names that a text lists."""
    for mark in "，、;；\n":
        text = text.replace(mark, ",")
    return [part.strip() for part in text.split(",") if part.strip()]
