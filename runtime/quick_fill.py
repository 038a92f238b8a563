"""A form filled in from a text or a picture (an e-mail, a business card, a delivery note) that a language model reads.

The model is told what the form asks for, never a record. What it says is read as the cells of an imported file are,
goes only where this person may write, and is looked through by a person before anything is sent.
"""

import base64
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from runtime import fills, importing, pictures
from runtime.ai import OFF, Endpoint, complete, endpoint, json_in
from runtime.answers import answering
from runtime.context import Context
from runtime.egress import Unreachable
from runtime.filling import Filling
from runtime.outgoing import Refused
from schemas import filling
from schemas.access import WRITES
from schemas.errors import InvalidInput
from schemas.fields import Field
from schemas.fields.choice import Choice
from schemas.fields.rows import Rows
from schemas.filling import Values
from schemas.importing import Mappings, Target, answers, importable, matched
from schemas.messages import Message, say
from schemas.text import Sentence, Text

LONGEST = 20_000
SIDE = 1_600
"""Pixels on the longer side of a picture as it is sent on: letters of a business card stay readable."""
PICTURES = ("jpg", "jpeg", "png", "webp", "gif")
MOST_ASKED = 60
"""Questions of one person in a quarter of an hour."""
MOST_ROWS = 200
MOST_OPTIONS = 200
BLANK: tuple[Any, ...] = (None, "", [])
UNREAD = say("The language model answered in a way that cannot be read.")

RULES = """You fill in a form from what you are given: a text, a picture, or both. Answer with one JSON object and nothing
besides: the id of each field that it says something of, and the value. Leave out what it does not say; never guess.
Of a field with options give one of them exactly (a list where it is "several"). Dates are YYYY-MM-DD, times HH:MM, numbers without
units or separators. A field with "columns" is a list of objects, one for each line. The fields:
"""


@dataclass(frozen=True)
class Asked:
    """What the model is to be asked: who answers, and the messages."""

    endpoint: Endpoint
    messages: tuple[Mapping[str, Any], ...]


def offered(ctx: Context, current: Filling) -> bool:
    """Whether the button stands on this form."""
    return current.form.quick_fill and endpoint(ctx) is not None and any(True for _ in _paths(current))


def question(ctx: Context, current: Filling, text: str, picture: bytes) -> Asked:
    """Raises InvalidInput where there is nothing to read, the picture is none, or no model is set up."""
    text, found = text.strip(), endpoint(ctx)
    if found is None or not current.form.quick_fill:
        raise InvalidInput({"": [OFF]})
    if not text and not picture:
        raise InvalidInput({"": [say("Paste a text or choose a picture first.")]})
    if len(text) > LONGEST:
        raise InvalidInput({"": [say("The text is too long: at most {n} characters.", n=LONGEST)]})
    parts: list[dict[str, Any]] = [{"type": "text", "text": text or "(a picture)"}]
    if picture:
        parts.append({"type": "image_url", "image_url": {"url": _as_data(picture)}})
    told = json.dumps(list(_told(ctx, current)), ensure_ascii=False)
    about = f"{RULES}{told}\nToday is {ctx.now.astimezone(ctx.zone):%Y-%m-%d, %A}."
    content: Any = parts if picture else text
    return Asked(found, ({"role": "system", "content": about}, {"role": "user", "content": content}))


def ask(asked: Asked) -> Mapping[str, Any]:
    """What the model reads, by field. Holds no transaction. Raises InvalidInput."""
    try:
        said = json_in(complete(asked.endpoint, asked.messages, as_json=True))
    except (Refused, Unreachable) as err:
        raise InvalidInput({"": [say("It did not answer: {problem}", problem=err.reason)]}) from err
    except ValueError:
        raise InvalidInput({"": [UNREAD]}) from None
    if not isinstance(said, Mapping):
        raise InvalidInput({"": [UNREAD]})
    return said


def _as_data(picture: bytes) -> str:
    try:
        small = pictures.redrawn(pictures.examine(picture, PICTURES), SIDE, ())
    except pictures.BadPicture as err:
        raise InvalidInput({"": [err.reason]}) from err
    return f"data:{small.media_type};base64,{base64.b64encode(small.body).decode('ascii')}"


# -- what the form asks for ------------------------------------------------------------------------


def _paths(current: Filling) -> Iterator[str]:
    """The fields and columns that this person may fill in and that a text can give."""
    table = current.live.table
    for path in importable(table):
        own, field = path.partition(".")[0], table.field(path)
        if field is None or table.facet(path) is not None or not current.is_open(own):
            continue
        if "." not in path or current.rights.get(path) in WRITES:
            yield path


def _told(ctx: Context, current: Filling) -> Iterator[dict[str, Any]]:
    columns: dict[str, dict[str, Any]] = {}
    for path in _paths(current):
        own, _, column = path.partition(".")
        field = current.live.table.field(path)
        assert field is not None
        if not column:
            yield _of_field(ctx, own, field)
            continue
        if own not in columns:
            rows = current.live.table.by_id[own]
            columns[own] = {"id": own, "label": rows.label.in_language(ctx.language), "columns": []}
        columns[own]["columns"].append(_of_field(ctx, column, field))
    yield from columns.values()


def _of_field(ctx: Context, id: str, field: Field) -> dict[str, Any]:
    told: dict[str, Any] = {"id": id, "type": field.type, "label": field.label.in_language(ctx.language) or id}
    if help := field.help.in_language(ctx.language):
        told["help"] = help
    if isinstance(field, Choice) and field.options:
        told["options"] = [o.label.in_language(ctx.language) or o.id for o in field.options[:MOST_OPTIONS]]
    kind = field.value_type()
    return {**told, "several": True} if kind is not None and kind.of is not None else told


# -- what comes back -------------------------------------------------------------------------------


def filled(ctx: Context, current: Filling, said: Mapping[str, Any], touched: Collection[str]) -> tuple[Filling, list[Sentence]]:
    """The form with what was read, and the names of what it filled in. What a person typed (`touched`) stays; rows are added."""
    typed = {id for id in touched if current.values.get(id) not in BLANK}
    raw, problems = _raw(ctx, current, said)
    raw = {id: value for id, value in raw.items() if id not in typed or isinstance(current.live.table.by_id[id], Rows)}
    values, unread = filling.parse(current.live.table, raw, ctx.zone)
    values = {id: value for id, value in values.items() if value not in BLANK}
    for rows in current.live.table.subforms:
        if rows.id in values:
            values[rows.id] = _rows(ctx, current, rows, values[rows.id])
    merged = {**current.values, **values}
    merged |= {k: v for k, v in fills.by_links(ctx, current.live, merged, list(values)).items() if k not in values}
    errors = {**(current.errors or {}), **unread, **problems}
    errors = {path: told for path, told in errors.items() if path not in values}
    shown = {id: text for id, text in (current.raw or {}).items() if id not in values}
    shown |= {id: raw[id] for id in raw if id in unread}
    names: list[Sentence] = [current.live.table.by_id[id].label or Text.of(id) for id in values]
    return replace(current, values=merged, raw=shown, errors=errors, settled=None, given=current.given | set(values)), names


def _raw(ctx: Context, current: Filling, said: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, list[Message]]]:
    """The model's words as raw answers; what names a record or a person is looked up like a cell of a file."""
    paths = list(_paths(current))
    plain: Mappings = {p: _target(current, p) for p in paths if "." not in p}
    raw, missing = _line(ctx, current, plain, {p: _text(current, p, said.get(p)) for p in plain})
    problems = {path: [message] for path, message in missing.items()}
    for rows in current.live.table.subforms:
        lines = said.get(rows.id)
        columns: Mappings = {p: _target(current, p) for p in paths if p.startswith(f"{rows.id}.")}
        if columns and isinstance(lines, list):
            given = [line for line in lines[:MOST_ROWS] if isinstance(line, Mapping)]
            raw[rows.id] = [_row(ctx, current, rows, columns, line) for line in given]
    return {id: value for id, value in raw.items() if value not in BLANK}, problems


def _row(ctx: Context, current: Filling, rows: Rows, columns: Mappings, line: Mapping[str, Any]) -> Any:
    cells = {p: _text(current, p, line.get(p.partition(".")[2])) for p in columns}
    return (_line(ctx, current, columns, cells)[0].get(rows.id) or [{}])[0]


def _line(ctx: Context, current: Filling, mappings: Mappings, cells: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Message]]:
    found = importing.named(ctx, current.live, mappings, [cells])
    return answers(current.live.table, mappings, cells, found)


def _target(current: Filling, path: str) -> Target:
    return Target(column=path, match="name" if matched(current.live.table, path) else None)


def _text(current: Filling, path: str, value: Any) -> Any:
    """A value as a cell holds it; what is looked up by name is one text, of several names or one."""
    if matched(current.live.table, path):
        names = value if isinstance(value, list) else [value]
        return ", ".join(str(one) for one in names if isinstance(one, str | int | float))
    if isinstance(value, bool | list | Mapping) or value is None:
        return value
    return str(value)


def _rows(ctx: Context, current: Filling, rows: Rows, lines: list[Values]) -> list[Values]:
    """The rows there are, and after them the new ones with the defaults of what was not said."""
    live = current.live
    blank = filling.row_defaults(live.analysis, live.table, rows, answering(ctx, live, current.record), current.values)
    there = [line for line in current.values.get(rows.id) or [] if not _is_blank(line, blank)]
    made = [{**blank, **{k: v for k, v in line.items() if v is not None}} for line in lines if _says(line)]
    return [*there, *made]


def _is_blank(line: Values, blank: Values) -> bool:
    return all(v in BLANK or v == blank.get(k) for k, v in line.items() if k != "_id")


def _says(line: Values) -> bool:
    return any(v not in BLANK for v in line.values())
