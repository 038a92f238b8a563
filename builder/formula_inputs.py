"""The inputs of the panel for formulas, conditions as rows, and values that may be literal or a formula."""

import json
from collections.abc import Mapping
from typing import Any

from builder.inputs import PARTED, Choices, Json, Near, Sent, Widget
from builder.names import Book
from schemas import conditions
from schemas.errors import BadValue
from schemas.formula import Formula, FormulaError
from schemas.formula.labels import labelled, plain
from schemas.messages import say
from schemas.options import Option
from schemas.source import read_json
from schemas.text import Text


def shown_formula(value: Any, book: Book | None) -> str:
    return labelled(str(value or ""), book) if book else str(value or "")


def read_formula(text: str, name: str, sent: Sent, book: Book | None) -> str:
    """The formula by ids. What cannot be read is kept as it was typed, with its problem."""
    try:
        return plain(text, book).source if book else text
    except FormulaError as err:
        sent.refuse(name, say("at character {n}: {problem}", n=err.position + 1, problem=err.message))
        return text


class FormulaText(Widget):
    """A formula in the formula editor."""

    name = "formula"

    def show(self, option: Option, name: str, value: Any, near: Near) -> Any:
        parser: Any = option.parser
        book = near.book(parser.scope, near.values)
        return {"text": shown_formula(value, book), "place": book.place.key if book else "", "result": parser.result}

    def read(self, option: Option, name: str, sent: Sent, before: Any, near: Near) -> Any:
        text = sent.text(name)
        return read_formula(text, name, sent, near.book(option.parser.scope, near.values)) if text else None  # type: ignore[attr-defined]


class ConditionRows(FormulaText):
    """A yes/no formula as rows of field, comparison and value; one that does not fit stays a formula."""

    name = "condition"

    def show(self, option: Option, name: str, value: Any, near: Near) -> Any:
        shown = super().show(option, name, value, near)
        book = near.book(option.parser.scope, near.values)  # type: ignore[attr-defined]
        drawn = _drawn(str(value or "TRUE"), book) if book else None
        rows = drawn is not None and near.modes.get(f"{name}.mode") != "formula"
        return {**shown, "mode": "rows" if rows else "formula", "fits": drawn is not None, "drawn": drawn}

    def read(self, option: Option, name: str, sent: Sent, before: Any, near: Near) -> Any:
        otherwise = "TRUE" if option.parser.required else None
        if (sent.text(f"{name}.mode"), sent.text(f"{name}.was")) != ("rows", "rows"):
            return super().read(option, name, sent, before, near) or otherwise
        book = near.book(option.parser.scope, near.values)  # type: ignore[attr-defined]
        fields, operators, values = (sent.all(f"{name}.{part}") for part in ("field", "operator", "value"))
        rows = [
            conditions.Condition(f, o, tuple(v.split(PARTED)) if v else ())
            for f, o, v in zip(fields, operators, values, strict=False)
            if f
        ]
        joined = "OR" if sent.text(f"{name}.joined") == "OR" else "AND"
        made = conditions.to_formula(rows, kinds_in(book), joined) if book else ""
        return made or otherwise


def kinds_in(book: Book) -> dict[str, Any]:
    return {word.id: word.type for word in book.first}


def _drawn(source: str, book: Book) -> conditions.Drawn | None:
    try:
        found = conditions.drawn(Formula.of(source), kinds_in(book))
    except FormulaError:
        return None
    words = {word.id: word for word in book.first}
    offered = found is not None and all(
        row.operator in {o.id for o in _offered(words[row.field])} for row in found.rows
    )
    return found if offered else None


def condition_fields(book: Book) -> list[dict[str, Any]]:
    """The fields that conditions in this place may be about, with operators and options."""
    return [
        {"id": w.id, "label": w.label, "kind": w.type.kind, "operators": _offered(w), "options": w.options}
        for w in book.first
        if _comparable(w.type) and w.id != "version"
    ]


def _offered(word: Any) -> list[conditions.Operator]:
    """People and records of one installation have no place in a definition; only what needs none is offered of them."""
    inner = word.type.of if word.type.kind == "array" else word.type
    found = conditions.operators_for(word.type)
    return [o for o in found if o.values == 0] if inner.kind in ("member", "department", "link") else found


def _comparable(kind: Any) -> bool:
    if kind.kind == "array":
        return bool(kind.of and kind.of.kind in ("choice", "text", "member", "department", "link"))
    return kind.kind not in ("rows", "any", "file")


# -- values that may be literal or a formula -------------------------------------------------------

QUICK: dict[str, Choices] = {
    "member": [("=ME()", say("The current user"))], "members": [("={ME()}", say("The current user"))],
    "department": [("=ME().department", say("The current user's department"))],
    "departments": [("=ME().departments", say("The current user's departments"))],
    "date": [("=TODAY()", say("Today"))], "datetime": [("=NOW()", say("Now"))],
}  # fmt: skip
LITERALS = {
    "text": "text", "long_text": "text", "rich_text": "text", "number": "number", "money": "number", "rating": "number",
    "duration": "text", "date": "date", "datetime": "datetime", "time": "time", "choice": "choice", "choices": "choices",
    "switch": "switch", "barcode": "text", "address": "text",
}  # fmt: skip


def literal_shown(value: Any, kind: Mapping[str, Any] | None, near: Near) -> Json:
    """A default value: none, a fixed one in an input of the field's type, one of a few usual formulas, or a formula."""
    type = (kind or {}).get("type", "")
    quick = QUICK.get(type, ())
    book = near.book("record", near.values)
    formula = isinstance(value, str) and value.startswith("=")
    mode = "none" if value is None else value if formula and value in dict(quick) else "formula" if formula else "value"
    return {
        "mode": mode, "input": LITERALS.get(type, "text" if mode == "value" else ""), "quick": quick,
        "options": [(o["id"], Text.of(o.get("label") or o["id"])) for o in (kind or {}).get("options", ())],
        "text": literal_text(value) if mode == "value" else "",
        "chosen": [str(v) for v in value] if isinstance(value, list) else [literal_text(value)],
        "formula": {
            "text": shown_formula(value[1:], book) if mode == "formula" else "", "result": "any",
            "place": book.place.key if book else "",
        },
    }  # fmt: skip


def literal_text(value: Any) -> str:
    if isinstance(value, list | dict | bool):
        return json.dumps(value, ensure_ascii=False)
    return "" if value is None else str(value)


def literal_read(name: str, sent: Sent, kind: Mapping[str, Any] | None, near: Near) -> Any:
    mode = sent.text(f"{name}.mode")
    if mode in ("", "none"):
        return None
    if mode.startswith("="):
        return mode
    if mode == "formula":
        text = sent.text(f"{name}.formula")
        book = near.book("record", near.values)
        return f"={read_formula(text, f'{name}.formula', sent, book)}" if text else '=""'
    return _literal(name, sent, (kind or {}).get("type", ""), kind or {})


def _literal(name: str, sent: Sent, type: str, kind: Mapping[str, Any]) -> Any:
    """What was typed as the field's type keeps it; a first, empty value where nothing was yet."""
    if type in ("choices",):
        return [v for v in sent.all(name) if v] or [o["id"] for o in kind.get("options", ())][:1]
    text = sent.text(name)
    if type == "switch":
        return text == "true"
    if not text:
        return next((o["id"] for o in kind.get("options", ())), FIRST_LITERALS.get(LITERALS.get(type, ""), ""))
    if text[0] in "[{":
        try:
            return read_json(text, say("This is not JSON that can be read."))
        except BadValue:
            return text
    return text


FIRST_LITERALS = {"number": "0", "date": "2026-01-01", "datetime": "2026-01-01 09:00", "time": "09:00"}


class Literal(Widget):
    """The default of a field."""

    name = "literal"

    def show(self, option: Option, name: str, value: Any, near: Near) -> Any:
        return literal_shown(value, near.values, near)

    def read(self, option: Option, name: str, sent: Sent, before: Any, near: Near) -> Any:
        return literal_read(name, sent, near.values, near)


class Defaults(Widget):
    """Values by field, each literal or a formula."""

    name = "defaults"

    def show(self, option: Option, name: str, value: Any, near: Near) -> Any:
        return [
            {"field": id, "value": literal_shown(literal, near.field_at(id), near)}
            for id, literal in (value or {}).items()
        ]

    def choices(self, option: Option, near: Near) -> Choices:
        return near.known(option.parser.keys, near.values)  # type: ignore[attr-defined]

    def read(self, option: Option, name: str, sent: Sent, before: Any, near: Near) -> Any:
        made = {}
        for number in sent.numbers(name):
            if id := sent.text(f"{name}.{number}.field"):
                made[id] = literal_read(f"{name}.{number}.value", sent, near.field_at(id), near)
        return made or None
