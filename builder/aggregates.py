"""A new aggregate table in one step: what is to be counted and added up, by what, over which form or rows of one."""

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from builder.near import title_in
from builder.parts import Json, Parts, fresh, put, word_of
from schemas.errors import InvalidInput
from schemas.fields import field_types
from schemas.messages import Message, say
from schemas.text import Sentence, Text

UNITS: dict[str, tuple[Message, str]] = {
    "day": (say("By day"), "TEXT({0}, \"yyyy-mm-dd\")"),
    "week": (say("By week"), "YEAR({0} + 4 - WEEKDAY({0}, 2)) & \"-W\" & TEXT(ISOWEEKNUM({0}), \"00\")"),
    "month": (say("By month"), "TEXT({0}, \"yyyy-mm\")"),
    "quarter": (say("By quarter"), "YEAR({0}) & \"-Q\" & ROUNDUP(MONTH({0}) / 3, 0)"),
    "year": (say("By year"), "TEXT({0}, \"yyyy\")"),
}  # fmt: skip
"""Stretches of time by which days are put together, and the formula of each."""
DATES = ("date", "datetime")
KEPT = ("type", "options", "table", "decimals", "format", "label")
"""Options of a field that the one of the same kind in the aggregate table takes over."""
NUMBERS = ("number", "money", "duration", "rating", "formula")
MOST_DIMENSIONS, MOST_FIGURES = 30, 100


@dataclass(frozen=True)
class Column:
    """A field of the source, or of its rows, that may be a dimension or a figure."""

    path: str
    label: Sentence
    type: str

    @property
    def dated(self) -> bool:
        return self.type in DATES


def sources(parts: Parts) -> Iterator[tuple[str, Sentence]]:
    """What can be added up: the records of every form, and the rows of every subform, as `table.rows`."""
    for id in parts.get("order/tables") or ():
        table = parts[f"tables/{id}"]
        yield id, title_in(table)
        for field in table["fields"]:
            if field["type"] == "rows":
                yield f"{id}.{field['id']}", say("{rows} · {column}", rows=title_in(table), column=title_in(field))


def _table(parts: Parts, source: str) -> tuple[Json, Json | None]:
    """The table of a source, and its subform. Raises InvalidInput for one that is not there."""
    if source not in dict(sources(parts)):
        raise InvalidInput({"of": [say("Choose what is to be added up.")]})
    id, _, rows = source.partition(".")
    table = parts[f"tables/{id}"]
    return table, next((f for f in table["fields"] if f["id"] == rows), None) if rows else None


def dimensions(parts: Parts, source: str) -> list[Column]:
    """The fields by which the source can be grouped: of its rows first, then of the record."""
    table, rows = _table(parts, source)
    own = [Column(f["id"], title_in(f), f["type"]) for f in (*(rows or {}).get("fields", ()), *table["fields"]) if _groups(f)]
    return list({column.path: column for column in reversed(own)}.values())[::-1]


def _groups(field: Json) -> bool:
    kind = field_types.get(field["type"])
    return kind is not None and not kind.computed and (kind.may_be_unique or kind.may_be_key)


def figures(parts: Parts, source: str) -> list[Column]:
    """The numbers that can be added up: of the rows where it is about rows."""
    table, rows = _table(parts, source)
    return [Column(f["id"], title_in(f), f["type"]) for f in (rows or table)["fields"] if f["type"] in NUMBERS]


def add(
    parts: Parts, title: str, source: str, by: Sequence[tuple[str, str]], sums: Sequence[str], everyone: bool = False
) -> tuple[Parts, str]:
    """The table with its list and form, and the group field in the source. `by` gives fields with their stretch of time.

    Gives the form's id. Raises InvalidInput with what is missing.
    """
    known, numbers = {c.path: c for c in dimensions(parts, source)}, {c.path: c for c in figures(parts, source)}
    chosen, added = [(known[p], unit) for p, unit in by if p in known], [numbers[p] for p in sums if p in numbers]
    _refuse(title, chosen, added)
    made = deepcopy(parts)
    table, rows = _table(made, source)
    id = fresh(word_of(title, "total"), {k.partition("/")[2] for k in parts if k.partition("/")[0] in ("tables", "forms", "views")})
    group = fresh(id, _names(table))
    ways = {f"by_{n}": (column, unit) for n, (column, unit) in enumerate(chosen, 1)}
    _file_under(rows or table, group, title, id, ways)
    over = f"{table['id']}.{rows['id']}.{group}" if rows else f"{table['id']}.{group}"
    fields = [_dimension(made, source, own, *way) for own, way in ways.items()] + list(_rollups(over, added))
    _put(made, id, title, fields, list(ways), everyone)
    return made, id


def _refuse(title: str, chosen: Sequence[Any], added: Sequence[Any]) -> None:
    errors: dict[str, list[Any]] = {}
    if not title.strip():
        errors["title"] = [say("Give the form a name.")]
    if not chosen or len(chosen) > MOST_DIMENSIONS:
        errors["by"] = [say("Choose 1 to {n} fields to group by.", n=MOST_DIMENSIONS)]
    if len(added) > MOST_FIGURES:
        errors["sums"] = [say("At most {n} items", n=MOST_FIGURES)]
    if errors:
        raise InvalidInput(errors)


def _names(table: Json) -> set[str]:
    return {f["id"] for f in table["fields"]} | {c["id"] for f in table["fields"] for c in f.get("fields", ())}


def _file_under(holder: Json, group: str, title: str, table: str, ways: Mapping[str, tuple[Column, str]]) -> None:
    by = {own: UNITS[unit][1].format(column.path) if _timed(column, unit) else column.path for own, (column, unit) in ways.items()}
    holder["fields"] = [*holder["fields"], {"id": group, "type": "group", "label": title, "table": table, "by": by}]


def _timed(column: Column, unit: str) -> bool:
    return column.dated and unit in UNITS


def _dimension(parts: Parts, source: str, own: str, column: Column, unit: str) -> Json:
    """The field of the aggregate table that holds a dimension: of the same kind, or the name of a stretch of time."""
    table, rows = _table(parts, source)
    found = next(f for f in (*(rows or {}).get("fields", ()), *table["fields"]) if f["id"] == column.path)
    label = {"label": found.get("label") or found["id"]}
    if _timed(column, unit):
        return {"id": own, "type": "text", **label}
    return {"id": own, **{k: v for k, v in found.items() if k in KEPT}, **label}


def _rollups(over: str, added: Sequence[Column]) -> Iterator[Json]:
    yield {"id": "count", "type": "rollup", "label": {"zh": "条数", "en": "Count"}, "over": over, "aggregate": "count"}
    for n, column in enumerate(added, 1):
        label = Text.of(column.label) if not isinstance(column.label, Message) else Text.of(str(column.label))
        yield {"id": f"sum_{n}", "type": "rollup", "label": label.dump(), "over": over, "aggregate": "sum", "value": column.path}


def _put(parts: Parts, id: str, title: str, fields: list[Json], keys: list[str], everyone: bool) -> None:
    """The table with a form to look at one record, a list, a line in the navigation, and rights where wanted."""
    names = [f["id"] for f in fields]
    put(parts, "tables", {"id": id, "title": title, "icon": "sigma", "title_formula": _title(parts, fields[: len(keys)]),
                          "fields": fields, "keys": [{"fields": keys}]})  # fmt: skip
    put(parts, "forms", {"id": id, "table": id, "title": title, "layout": [{"row": [name]} for name in names], "readonly": keys})
    put(parts, "views", {"id": id, "table": id, "title": title, "icon": "sigma", "columns": names, "sort": [keys[0]]})
    if everyone:
        put(parts, "access", {"id": f"{id}_everyone", "who": {"everyone": True}, "table": id, "do": ["read", "export"]})
    parts["manifest"].setdefault("navigation", []).append({"view": id})


def _title(parts: Parts, dimensions: Sequence[Json]) -> str:
    """What a record is called: its dimensions one after the other, as far as each has words."""
    words = [word for field in dimensions if (word := _words(parts, field))]
    return " & \" · \" & ".join(words) or f"TEXT({dimensions[0]['id']}, \"0\")"


def _words(parts: Parts, field: Json) -> str:
    id, type = field["id"], field["type"]
    if type == "link":
        title = str(parts.get(f"tables/{field['table']}", {}).get("title_formula") or "")
        return f"{id}.{title}" if title.isidentifier() else ""
    if type in ("member", "department"):
        return f"{id}.name"
    if type in DATES:
        return f"TEXT({id}, \"yyyy-mm-dd\")"
    return id if type in ("text", "choice") else ""
