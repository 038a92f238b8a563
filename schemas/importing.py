"""How the columns of a file become fields: a mapping, and one line of a file as raw answers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from difflib import get_close_matches
from typing import Any

from marshmallow import ValidationError
from marshmallow import fields as ma

from schemas.errors import Problem
from schemas.fields import Field
from schemas.fields.base import texts_in
from schemas.fields.rows import Rows
from schemas.fields.serial import Serial
from schemas.matching import Matching, grouped, is_blank, key_of
from schemas.matching import problems as matching_problems
from schemas.messages import Message, say
from schemas.options import option
from schemas.parsers import Id, Line, refuse
from schemas.table import Table

MATCHED = ("link", "member", "department")
"""Kinds of values that are another thing, found by one of its texts."""
OTHERWISE = say("Another line with the same key says something else.")


class Replacements(ma.Field[dict[str, str]]):
    """What a file says -> what is meant; blank for nothing."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> dict[str, str]:
        if not isinstance(value, Mapping) or not all(
            isinstance(k, str) and isinstance(v, str) for k, v in value.items()
        ):
            raise refuse(say("expected texts by text"))
        if len(value) > 2_000:
            raise ValidationError([say("at most {n} items", n=2_000)])
        return dict(value)


@dataclass(frozen=True, kw_only=True)
class Target:
    """Where one field's values come from.

    `column` is a heading of the file, `match` the field of the linked table by which records are found,
    `values` replaces what the file says before it is read.
    """

    column: str = option(Line(200, required=True), "Column", "")
    match: str | None = option(Id(allow_none=True), "Found by")
    values: dict[str, str] = option(Replacements(), "Replacements", None)

    def meaning(self, text: Any) -> Any:
        """What a cell means once replacements are made."""
        if not self.values:
            return text
        key = str(text).strip() if text is not None else ""
        return self.values.get(key, text)


Mappings = dict[str, Target]
"""Field path (`amount`, `items.product`) -> where it comes from."""


def suggest(
    table: Table, headings: Sequence[str], labels: Mapping[str, Sequence[str]], key: Sequence[str] = ()
) -> Mappings:
    """The columns that obviously belong to a field, by id or label. `labels` gives each path's names.

    Serial numbers have one only where they are of the `key`.
    """
    made: Mappings = {}
    folded = {_fold(h): h for h in headings}
    known = set(importable(table)).union(key)
    for path in (p for p in mappable(table) if p in known):
        names = [_fold(name) for name in (path, path.rpartition(".")[2], *labels.get(path, ()))]
        found = next((folded[n] for n in names if n in folded), None)
        if found is None:
            near = [m for n in names[:1] for m in get_close_matches(n, folded, n=1, cutoff=0.88)]
            found = folded[near[0]] if near else None
        if found is not None and found not in {t.column for t in made.values()}:
            made[path] = Target(column=found, match="name" if matched(table, path) else None)
    return made


def _fold(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())


def importable(table: Table) -> list[str]:
    """The paths that a file may fill: a record's own fields, parts of their values, and one row of each subform."""
    return [path for path in mappable(table) if not isinstance(table.field(path), Serial)]


def mappable(table: Table) -> list[str]:
    """The paths that may have a column: what a file may fill, and serial numbers, by which it finds records."""
    paths: list[str] = []
    for field in table.fields:
        if isinstance(field, Rows):
            paths.extend(f"{field.id}.{c.id}" for c in field.fields if c.importable)
        elif field.importable or isinstance(field, Serial):
            paths.append(field.id)
            paths.extend(f"{field.id}.{name}" for name, facet in field.facets.items() if facet.given)
    return paths


def problems(
    mappings: Mappings, table: Table, headings: Sequence[str], by: Matching | None = None
) -> Iterator[Problem]:
    """What is wrong with a mapping, and how it finds records, for this table and this file."""
    known = [*importable(table), *(by.key if by else ())]
    for path, target in mappings.items():
        if path not in known and isinstance(table.field(path), Serial):
            yield Problem(path, say("'{name}' is a serial number: it can only find records", name=path))
        elif path not in known:
            yield Problem(path, say("there is no field '{name}' to import into", name=path))
        if target.column not in headings:
            yield Problem(path, say("the file has no column '{name}'", name=target.column))
    if not mappings:
        yield Problem("", say("choose a field for at least one column"))
    if by is not None:
        yield from matching_problems(by, table, list(mappings))


@dataclass(slots=True)
class Gathered:
    """The lines of a file that are one record: its raw answers, what could not be matched, and where each row stands."""

    raw: dict[str, Any]
    missing: dict[str, tuple[int, Message]]
    lines: dict[str, list[int]]
    """By subform: for each of its rows the number of the line that gives it."""


def gather(
    table: Table, mappings: Mappings, rows: Sequence[Mapping[str, Any]], found: Mapping[str, Mapping[str, Any]],
    key: Sequence[str] = (),
) -> Gathered:  # fmt: skip
    """Lines with one key as one record: each gives a row of every subform that it says something of."""
    whole = Gathered({}, {}, {})
    for number, row in enumerate(rows):
        raw, missing = answers(table, mappings, row, found)
        whole.missing |= {path: (number, message) for path, message in missing.items() if path not in whole.missing}
        for id, value in without_blank_rows(raw).items():
            if number == 0 or id not in key:
                _join(whole, table, id, value, number)
    return whole


def gather_many(
    table: Table, mappings: Mappings, groups: Sequence[Sequence[Mapping[str, Any]]],
    found: Mapping[str, Mapping[str, Any]], key: Sequence[str] = (),
) -> list[Gathered]:  # fmt: skip
    """Every group of lines as one record. Where each is one line of plain fields, a column is read at a time."""
    if any(len(rows) != 1 for rows in groups) or any("." in path for path in mappings):
        return [gather(table, mappings, rows, found, key) for rows in groups]
    missing: list[dict[str, tuple[int, Message]]] = [{} for _ in groups]
    columns = []
    for path, target in mappings.items():
        cells = [row.get(target.column) for (row,) in groups]
        if target.values:
            cells = list(map(target.meaning, cells))
        if path in found:
            cells = _matched_column(path, cells, found[path], missing)
        columns.append([None if cell == "" else cell for cell in cells])
    raws = (dict(zip(mappings, cells, strict=True)) for cells in zip(*columns, strict=True))
    return [Gathered(raw, wrong, {}) for raw, wrong in zip(raws, missing, strict=True)]


def _matched_column(
    path: str, cells: Sequence[Any], found: Mapping[str, Any], missing: Sequence[dict[str, tuple[int, Message]]]
) -> list[Any]:
    """What the texts of a column name; those that name nothing are told as missing."""
    meant = {cell: match(cell, found) for cell in set(cells) if cell not in (None, "")}
    for number, cell in enumerate(cells):
        if isinstance(stranger := meant.get(cell), Message):
            missing[number][path] = (0, stranger)
    return [None if isinstance(value := meant.get(cell), Message) else value for cell in cells]


def match(cell: Any, found: Mapping[str, Any]) -> Any:
    """What a cell names by one text or by several: an id, a list of them, or what is to be said of a stranger."""
    text = str(cell).strip()
    if whole := found.get(fold_key(text)):
        return whole
    ids = {part: found.get(fold_key(part)) for part in texts_in(text)}
    stranger = next((part for part, id in ids.items() if id is None), None)
    return [*ids.values()] if stranger is None else say("'{text}' was not found.", text=stranger[:80])


def _join(whole: Gathered, table: Table, id: str, value: Any, number: int) -> None:
    before = whole.raw.get(id)
    if isinstance(table.by_id.get(id), Rows):
        whole.raw[id] = [*(before or ()), *(value or ())] or None
        whole.lines.setdefault(id, []).extend([number] * len(value or ()))
    elif is_blank(before):
        whole.raw[id] = value
    elif not is_blank(value) and _as_text(value) != _as_text(before):
        whole.missing.setdefault(id, (number, OTHERWISE))


def _as_text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else str(value)


def answers(
    table: Table, mappings: Mappings, row: Mapping[str, Any], found: Mapping[str, Mapping[str, Any]]
) -> tuple[dict[str, Any], dict[str, Message]]:
    """One line of the file as raw answers by field id, and what could not be matched.

    `found` holds, by path, folded text -> the id of the linked record, member or department.
    """
    raw: dict[str, Any] = {}
    missing: dict[str, Message] = {}
    for path, target in mappings.items():
        value = target.meaning(row.get(target.column))
        if path in found and value not in (None, ""):
            value = match(value, found[path])
            if isinstance(value, Message):
                missing[path], value = value, None
        _put(raw, path, value, "." in path and table.facet(path) is not None)
    return raw, missing


def fold_key(text: str) -> str:
    return " ".join(text.split()).casefold()


def by_record(
    table: Table, mappings: Mappings, rows: Sequence[dict[str, Any]], by: Matching | None, zone: tzinfo
) -> list[list[tuple[int, dict[str, Any]]]]:
    """(line, row) of the file, those with one key together; the headings are line 1.

    What names another record is compared as it is written, since nobody has looked it up yet.
    """
    lines = list(enumerate(rows, 2))
    if by is None:
        return [[line] for line in lines]

    def key(line: tuple[int, dict[str, Any]]) -> tuple[Any, ...] | None:
        given = {id: mappings[id].meaning(line[1].get(mappings[id].column)) for id in by.key}
        named = {id: fold_key(str(v)) for id, v in given.items() if matched(table, id) and not is_blank(v)}
        rest = [id for id in by.key if id not in named]
        parts = key_of(table, rest, given, zone)
        return None if parts is None else (*parts, *named.values())

    return grouped(lines, key)


def _put(raw: dict[str, Any], path: str, value: Any, is_part: bool) -> None:
    """Parts of a value come together as an object, unless the file gives it as a whole too."""
    rows, _, column = path.partition(".")
    if not column:
        raw[path] = raw.get(path) if value in (None, "") else value
        return
    if is_part:
        parts = raw.get(rows) or {}
        raw[rows] = {**parts, column: value} if isinstance(parts, dict) else parts
        return
    line = raw.setdefault(rows, [{}])[0]
    line[column] = value


def without_blank_rows(raw: dict[str, Any]) -> dict[str, Any]:
    """A subform whose one row has nothing in it is no row."""
    return {
        k: (
            None
            if isinstance(v, list)
            and v
            and isinstance(v[0], dict)
            and not any(x not in (None, "") for x in v[0].values())
            else v
        )
        for k, v in raw.items()
    }


def matched(table: Table, path: str) -> Field | None:
    """The field of a path when its values must be found among other things."""
    field = table.field(path)
    kind = None if field is None or field.computed else field.value_type()
    return field if kind is not None and (kind.of or kind).kind in MATCHED else None
