"""What a public link lets a visitor do: its settings, and what is wrong with them for the table that it is about."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from dataclasses import fields as parts_of
from typing import Any
from urllib.parse import urlsplit

from marshmallow import fields as ma

from schemas.fields import Field
from schemas.fields.choice import Choice
from schemas.fields.file import File
from schemas.fields.formula import Computed
from schemas.fields.link import Link
from schemas.fields.lookup import Lookup
from schemas.fields.member import People
from schemas.fields.rows import Rows
from schemas.form import Form
from schemas.messages import Message, say
from schemas.options import load, option
from schemas.parsers import Dictionary, Flag, Id, Line, Many, Words
from schemas.table import Table

KINDS = ("fill", "lookup", "record", "view", "dashboard")
"""Fill in a form, look up records, see one record, see a view, see a dashboard."""
USES = ("ask", "prefill", "locked", "set", "show")
"""What a form's field is to a visitor: asked; asked, where the address may bring an answer; shown with the link's own
answer; given the link's own answer unseen; shown as it is calculated. A field that is none of these is left out."""
ASKED = frozenset({"ask", "prefill"})
FIXED = frozenset({"locked", "set"})
DEVICE = "device"
MOST_SITES = 20
UNSHOWN = ("query", "button")
"""Kinds of fields that lead to other records, or do something."""
KEYS = ("text", "number", "date", "choice", "serial", "money", "barcode")
"""Kinds of fields whose value somebody outside can know and enter exactly."""
SITE = re.compile(r"https?://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?\Z")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """`uses` is for filling in, `columns` for what shows records, `keys` for what must be known to look one up."""

    uses: Mapping[str, str] = option(Dictionary(Words(*USES)), "Fields of the form", None)
    values: Mapping[str, Any] = option(Dictionary(ma.Raw(allow_none=True)), "The link's own answers", None)
    columns: tuple[str, ...] = option(Many(Id(), most=200), "Fields that are shown", ())
    keys: tuple[str, ...] = option(Many(Id(), most=10), "What a visitor must enter", ())
    once: str = option(Line(40), "One answer", "")
    captcha: bool = option(Flag(), "Proof against programs", True)
    again: bool = option(Flag(), "Another answer", False)
    edit: bool = option(Flag(), "May be changed later", False)
    intro: str = option(Line(2_000), "Words at the top", "")
    thanks: str = option(Line(2_000), "Words of thanks", "")
    onward: str = option(Line(500), "Where visitors are led after the thanks", "")
    sites: tuple[str, ...] = option(Many(Line(200), most=MOST_SITES), "Sites that may embed it", ())
    word: str = option(Line(40), "Name in rights", "")

    @classmethod
    def of(cls, json: Any) -> "Settings":
        """Raises DefinitionError."""
        return load(cls, json)

    def dump(self) -> dict[str, Any]:
        """As JSON; `Settings.of` reads it again."""
        whole = {part.name: getattr(self, part.name) for part in parts_of(self)}
        plain = {name: list(value) if isinstance(value, tuple) else value for name, value in whole.items()}
        return {name: value for name, value in plain.items() if value is not None}

    def use(self, path: str) -> str:
        """What a field is to a visitor; a column of a subform is what its subform is."""
        return (self.uses or {}).get(path.partition(".")[0], "")

    def with_use(self, *uses: str) -> list[str]:
        return [id for id, use in (self.uses or {}).items() if use in uses]

    @property
    def own(self) -> dict[str, Any]:
        """The link's own answers, of those fields that it still has."""
        return {id: value for id, value in (self.values or {}).items() if self.use(id) in ASKED | FIXED}


# -- what fields are good for --------------------------------------------------------------------------


def uses_for(found: Field) -> tuple[str, ...]:
    """What a field of a form can be to a visitor. Nobody outside is shown members or departments to choose from."""
    if isinstance(found, People) or found.type in UNSHOWN:
        return ()
    if isinstance(found, Computed) or found.computed:
        return ("show",)
    if isinstance(found, File | Rows):
        return ("ask",)
    return ("ask", "prefill", "locked", "set")


def first_use(found: Field) -> str:
    """How a link begins: asked, where that shows nothing of other records."""
    return "ask" if "ask" in uses_for(found) and not offers_records(found) else ""


def offers_records(found: Field) -> bool:
    """Whether filling a field in means choosing among what other records hold."""
    return isinstance(found, Link) or (isinstance(found, Choice) and found.source is not None)


def is_open(column: Field) -> bool:
    """Whether a column of a subform is there for a visitor who fills the subform in."""
    if column.type in UNSHOWN or isinstance(column, Lookup):
        return False
    return column.computed or ("ask" in uses_for(column) and not offers_records(column))


def showable(table: Table) -> list[str]:
    return [f.id for f in table.fields if f.type not in UNSHOWN]


def knowable(table: Table) -> list[str]:
    """The fields by which a visitor can look up a record."""
    return [f.id for f in table.fields if f.type in KEYS and not (isinstance(f, Choice) and f.source)]


def site_of(text: str) -> str:
    """The origin of a site's address: `https://example.org`; empty for what is none."""
    try:
        parts = urlsplit(text.strip() if "//" in text else f"https://{text.strip()}")
        origin = f"{parts.scheme}://{parts.netloc}".lower()
    except ValueError:
        return ""
    return origin if SITE.match(origin) else ""


# -- what is wrong ---------------------------------------------------------------------------------------


def problems(kind: str, settings: Settings, table: Table, form: Form | None) -> Iterator[tuple[str, Message]]:
    """Each with the setting that it is about."""
    if kind == "fill" and form is not None:
        yield from _of_form(settings, table, form)
    if kind in ("lookup", "record", "view"):
        yield from _of_columns(settings.columns, showable(table))
    if kind == "lookup":
        yield from _of_keys(settings.keys, knowable(table))
    if settings.onward and not is_web(settings.onward):
        yield "onward", say("Give the address of a page, as https://example.org/page.")
    yield from site_problems(settings)


def is_web(address: str) -> bool:
    """Whether this is the address of a page somewhere in the web, and nothing that a browser would run."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc) and not re.search(r"[\x00-\x20]", address)


def site_problems(settings: Settings) -> Iterator[tuple[str, Message]]:
    if any(not site_of(site) for site in settings.sites):
        yield "sites", say("Give sites as https://example.org, one a line.")


def _of_form(settings: Settings, table: Table, form: Form) -> Iterator[tuple[str, Message]]:
    if not settings.with_use(*ASKED):
        yield "uses", say("Leave at least one field to be filled in.")
    for id, use in (settings.uses or {}).items():
        found = table.by_id.get(id)
        if found is None or id not in form.placed or use not in uses_for(found):
            yield "uses", say("This cannot be done with the field {field}.", field=id)
    for id in _wanted(table, form):
        found = table.by_id[id]
        asked, own = settings.use(id) in ASKED, settings.own.get(id) not in (None, "", [])
        if not asked and not (settings.use(id) in FIXED and own) and found.default is None:
            yield "uses", say("{field} must be filled in: ask for it, or give it a value.", field=found.label or id)
    if settings.once not in ("", DEVICE) and settings.use(settings.once) not in ASKED:
        yield "once", say("Choose a field that visitors fill in.")


def _wanted(table: Table, form: Form) -> Iterable[str]:
    """The fields without which no answer is taken, whatever else is answered."""
    return [f.id for f in table.fields if (f.required or f.id in form.require) and not f.computed]


def _of_columns(columns: Iterable[str], known: Iterable[str]) -> Iterator[tuple[str, Message]]:
    if not columns:
        yield "columns", say("Choose at least one field to show.")
    if set(columns) - set(known):
        yield "columns", say("Choose from the fields that are listed.")


def _of_keys(keys: Iterable[str], known: Iterable[str]) -> Iterator[tuple[str, Message]]:
    if not keys:
        yield "keys", say("Choose what a visitor must enter to find a record.")
    if set(keys) - set(known):
        yield "keys", say("Choose from the fields that are listed.")
