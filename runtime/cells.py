"""Cells of a grid as HTML, by one function per column made once and called for every row."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache, partial
from typing import Any
from uuid import UUID

from markupsafe import Markup, escape

from schemas.fields import Field, Reader
from schemas.fields.button import Button
from schemas.fields.file import File, viewed_as
from schemas.formula import ErrorValue, Type

Draw = Callable[[Any], str]
NOTHING = '<span class="nothing">–</span>'
RECORD = "\0record\0"
"""What no stored text can hold: no text keeps a NUL."""
TONES = ("teal", "blue", "purple", "orange", "green", "indigo", "pink", "amber")


def drawer(
    field: Field,
    kind: Type,
    reader: Reader,
    url: Callable[[str, UUID], str],
    file_url: Callable[[UUID], str] | None = None,
) -> Draw:
    """The function that draws this column's values; `url` gives the address of a record of a table, `file_url` of a file."""
    if getattr(field, "options", ()):
        return _choice(field, reader)
    inner = kind.of if kind.kind == "array" and kind.of else kind
    if inner.kind == "member":
        return _several(lambda id: person(reader.names.get(id, "")))
    if inner.kind == "link":
        target = inner.target or ""
        return _several(lambda id: _link(reader.names.get(id, ""), url(target, id)))
    if isinstance(field, File) and file_url is not None:
        return _several(partial(_picture if field.pictures else _file, reader.names, file_url))
    return _shown(field, reader)


def _shown(field: Field, reader: Reader) -> Draw:
    """What the field says of a value, as a link where it is an address."""
    show, address, several, leads_somewhere = field.show, field.address, field.several, field.leads

    def draw(value: Any) -> str:
        if value is None or value == []:
            return ""
        if isinstance(value, ErrorValue):
            return f'<span class="danger-text">{escape(value.code)}</span>'
        if isinstance(value, list) and not several:
            return str(escape(", ".join(show(item, reader) for item in value if item is not None)))
        shown = escape(show(value, reader))
        if leads_somewhere and (leads := address(value)):
            return f'<a href="{escape(leads)}"{_away(leads)}>{shown}</a>'
        return str(shown)

    return draw


def button(field: Button, reader: Reader) -> Draw:
    """A button in a grid, where it is offered; `RECORD` stands for the address of the row's record."""
    look = "" if field.tone == "plain" else f" {field.tone}"
    address, label = f"{RECORD}/press/{field.id}", escape(field.show(True, reader))
    ask = f' hx-confirm="{escape(words)}"' if (words := field.confirm.in_language(reader.language)) else ""
    drawn = (
        f'<a class="button small{look}" href="{address}">{label}</a>'
        if field.action == "form"
        else f'<button type="button" class="button small{look}" hx-post="{address}" hx-swap="none"{ask}>{label}</button>'
    )
    return lambda value: drawn if value is True and "list" in field.show_in else ""


def _away(url: str) -> str:
    return ' target="_blank" rel="noopener noreferrer nofollow"' if url.lower().startswith("http") else ""


def numeric(field: Field, kind: Type) -> bool:
    return kind.kind == "number"


def _choice(field: Any, reader: Reader) -> Draw:
    chips = {
        o.id: f'<span class="chip tone-{o.color}"><span>{escape(o.label.in_language(reader.language) or o.id)}</span></span>'
        for o in field.options
    }

    def draw(value: Any) -> str:
        if value is None:
            return ""
        if isinstance(value, list):
            return f'<span class="chips">{"".join(chips.get(v) or str(escape(v)) for v in value)}</span>'
        return chips.get(value) or str(escape(field.show(value, reader)))

    return draw


def _several(one: Callable[[UUID], str]) -> Draw:
    one = cache(one)  # one page names the same few people and records many times

    def draw(value: Any) -> str:
        if value is None:
            return ""
        return " ".join(one(v) for v in value) if isinstance(value, list) else one(value)

    return draw


def _link(name: str, url: str) -> str:
    if not name or not url:
        return str(escape(name))
    return f'<a class="record-link" href="{escape(url)}" data-drawer>{escape(name)}</a>'


def _picture(names: Mapping[UUID, str], url: Callable[[UUID], str], id: UUID) -> str:
    """A thumbnail that opens the picture over the page."""
    name, whole = escape(names.get(id, "")), escape(url(id))
    return (
        f'<a class="thumb" href="{whole}?view=1" data-lightbox data-download="{whole}" title="{name}">'
        f'<img src="{whole}?size=small" alt="{name}" loading="lazy" width="28" height="28"></a>'
    )


def _file(names: Mapping[UUID, str], url: Callable[[UUID], str], id: UUID) -> str:
    name = names.get(id, "")
    view = "?view=1" if viewed_as(name) else ""
    return (
        f'<a class="file-link" href="{escape(url(id))}{view}" target="_blank" rel="noopener">{escape(name)}</a>'
        if name
        else ""
    )


def person(name: str) -> str:
    """A member as a small mark and a name."""
    if not name:
        return ""
    safe = escape(name)
    return (
        f'<span class="person"><span class="avatar small tone-{tone_of(name)}" aria-hidden="true">{escape(initials(name))}</span>'
        f'<span class="ellipsis">{safe}</span></span>'
    )


def initials(name: str) -> str:
    """The last two characters of a Chinese name, the initials of another."""
    text = name.strip()
    if text and text[0] > "⺀":
        return text[-2:]
    words = text.split()
    return (words[0][:1] + (words[-1][:1] if len(words) > 1 else "")).upper() if words else "?"


def tone_of(name: str | None) -> str:
    """The same name always gets the same colour."""
    return TONES[sum((name or "").encode()) % len(TONES)]


def mask(text: str) -> str:
    """What is shown of a value of which no more than its mask may be seen."""
    return f'<span class="masked">{escape(text)}</span>'


def sum_text(value: Decimal, field: Field, reader: Reader) -> Markup:
    return Markup(escape(field.show(value, reader)))
