"""What every field type is: a label, a column, and the rules for one value."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, tzinfo
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Any, ClassVar
from uuid import UUID
from zoneinfo import ZoneInfo

from schemas.errors import BadValue
from schemas.fields.totals import below
from schemas.formula import Type
from schemas.formula.types import TEXT
from schemas.messages import Message, say
from schemas.numbers import plain
from schemas.options import option
from schemas.parsers import Flag, Id, Label, Literal
from schemas.registry import Registry
from schemas.text import UNKEEPABLE, Sentence, Text


class Storage(StrEnum):
    """The closed set of columns a value can live in; runtime/tables.py maps each to SQL."""

    TEXT = "text"
    NUMERIC = "numeric"
    BOOLEAN = "boolean"
    DATE = "date"
    TIMESTAMP = "timestamp"
    UUID = "uuid"
    UUIDS = "uuids"
    TEXTS = "texts"
    JSON = "json"
    CHILD = "child"
    NONE = "none"


@dataclass(frozen=True)
class Facet:
    """A part of a value that formulas, filters and groups may ask for by name: the city of an address."""

    label: Message
    type: Type = TEXT
    given: bool = True
    """Whether a file may give it by itself; otherwise it follows from the others."""


@dataclass(frozen=True)
class Reader:
    """Who reads a value: their language, the zone for moments, and names for ids they may see."""

    language: str = "en"
    zone: tzinfo = field(default_factory=lambda: ZoneInfo("UTC"))
    names: Mapping[UUID, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field of a table.

    A field type
    * names itself in `type` and its column in `storage` (`scale` for the decimals of a numeric one),
    * says the type of its value in formulas (`value_type`),
    * turns what a browser, a file or the API sent into a value (`parse`),
    * yields what is wrong with a value that is there (`check`),
    * shows a value to a person (`show`), and dumps it as JSON (`dump`), which `parse` reads again,
    * gives an example value, and the words by which a record is found (`words`),
    * says where the builder offers it (`group`, `place`, and `icon`, a name in static/icons.svg) and how pages lay it
      out (`wide`, `numeric`, `grouping`).

    It may say what a file's cell holds (`exported`, `number_format`), where a value leads (`address`), and how a
    filter's value is typed and written in a formula (`entry`, `literal`) where its `value_type` does not say it all.
    Its template `templates/fields/<type>.html` has the macros `input` and `cell`.

    A value of several parts is a dictionary in a column of JSON: its parts by name, numbers as text, and under `text`
    what it is as a whole. `facets` are those that formulas reach with a point; `searched` is the one that `words` gives.
    """

    type: ClassVar[str]
    title: ClassVar[str]
    about: ClassVar[str]
    """What the field is for, in a sentence or two, shown where it is designed."""
    group: ClassVar[str] = "common"
    icon: ClassVar[str] = "text"
    place: ClassVar[int] = 1_000
    """Its place in the palette, among those of its group."""
    storage: ClassVar[Storage] = Storage.TEXT
    computed: ClassVar[bool] = False
    several: ClassVar[bool] = False
    sortable: ClassVar[bool] = True
    importable: ClassVar[bool] = True
    may_be_unique: ClassVar[bool] = False
    may_be_key: ClassVar[bool] = False
    """Whether a key of several fields may name it, though it cannot be unique alone."""
    in_subform: ClassVar[bool] = True
    names_itself: ClassVar[bool] = False
    """Whether what is shown carries the label, so that none stands above it."""
    wide: ClassVar[bool] = False
    """Whether a value takes the whole width of a page."""
    numeric: ClassVar[bool] = False
    """Whether values stand at the right, under one another."""
    facets: ClassVar[Mapping[str, Facet]] = MappingProxyType({})
    searched: ClassVar[str] = "text"

    id: str = option(Id(required=True), "Id", section="advanced")
    label: Text = option(Label(), "Label", Text())
    help: Text = option(Label(), "Help text", Text(), help="**bold**, *italic*, ~~struck out~~, [a link](https://…), lists with -")
    placeholder: Text = option(Label(), "Placeholder", Text())
    required: bool = option(Flag(), "Must be filled in", False, section="checks")
    unique: bool = option(Flag(), "No two records with the same value", False, section="checks")
    required_message: Text = option(Label(), "Message when it is empty", Text(), section="advanced")
    unique_message: Text = option(Label(), "Message when another record has the value", Text(), section="advanced")
    index: bool = option(Flag(), "Speed up filters and sorts", False, section="advanced")
    default: Any = option(
        Literal(allow_none=True), "Default value", None, section="default",
        help="A value, or after = a formula, such as =TODAY() or =ME().",
    )  # fmt: skip

    @property
    def missing(self) -> Sentence:
        """What is said where it must be filled in and is not."""
        return self.required_message or MISSING

    @property
    def scale(self) -> int | None:
        """Decimals that a numeric column keeps."""
        return None

    @property
    def adds_up(self) -> bool:
        """Whether the sum of its numbers, if it holds numbers, means something."""
        return True

    @property
    def below(self) -> str:
        """How a list sums up its column, if it holds numbers: sum, average, min, max or none."""
        return below(self)

    @property
    def grouping(self) -> str:
        """How the label belongs to the input: it names one input (""), a "group" or "radiogroup" of several, or a
        part that says so itself ("own")."""
        return ""

    def problems(self) -> Iterator[tuple[str, Message]]:
        """Options that do not go together, as (option, message)."""
        if self.unique and not self.may_be_unique:
            yield "unique", say("a field of this type cannot be unique")
        if self.computed and (self.required or self.default is not None):
            yield "", say("a computed field takes neither 'required' nor 'default'")

    def value_type(self) -> Type:
        """The type that formulas see; computed fields are typed by the linker instead."""
        return Type("text", parts={name: part.type for name, part in self.facets.items()}) if self.facets else TEXT

    def parse(self, raw: Any) -> Any:
        """The value that a browser's text or a JSON value means; None for nothing. Raises BadValue."""
        return clean_text(raw)

    def parse_in(self, raw: Any, zone: tzinfo) -> Any:
        """As `parse`, with moments that name no offset read in this zone."""
        return self.parse(raw)

    def typed(self, value: Any) -> str:
        """What a person would type for this value: the text of an input."""
        return "" if value is None else str(value)

    def check(self, value: Any) -> Iterator[Sentence]:
        """Yield what is wrong with a value that is there. Absence is `required`'s business."""
        yield from ()

    def limits(self) -> Mapping[str, Any]:
        """Options, by name, that bound a newly given value and may be formulas about the record."""
        return {}

    @property
    def bounded(self) -> bool:
        """Whether there is anything that `outside` could find."""
        return bool(self.limits())

    def outside(self, value: Any, limits: Mapping[str, Any], zone: tzinfo) -> Iterator[Sentence]:
        """What is wrong with a new value, now that it is known what `limits` come to."""
        yield from ()

    def show(self, value: Any, reader: Reader) -> str:
        """The value as a person reads it, as plain text."""
        return "" if value is None else str(value)

    def dump(self, value: Any) -> Any:
        """The value as JSON, for the API, history and events. `parse(dump(v)) == v`."""
        return value

    def exported(self, value: Any, reader: Reader) -> Any:
        """What a file's cell holds: a number, a date, a moment, or text."""
        return value if isinstance(value, Decimal | date) else self.show(value, reader)

    def written(self, value: Decimal) -> str:
        """An exported number as a file of text holds it, so that `parse` reads the same value."""
        return f"{value:f}"

    @property
    def number_format(self) -> str:
        """How a spreadsheet shows an exported number or date, in Excel's words; empty for its own way."""
        return ""

    @property
    def leads(self) -> bool:
        """Whether there are values that `address` leads somewhere from."""
        return type(self).address is not Field.address

    def address(self, value: Any) -> str:
        """Where a click on a value leads: a web address, `mailto:` or `tel:`; empty for nowhere."""
        return ""

    @property
    def entry(self) -> str:
        """How a filter's value is typed: "text", "number", "date", "time", "choice", "member", "department"."""
        kind = self.value_type()
        return (kind.of or kind).kind

    def literal(self, text: str) -> str | None:
        """A filter's typed value as it stands in a formula; None where the kind of value says it."""
        return None

    def example(self) -> Any:
        """A value that `check` accepts."""
        return "Text"

    def words(self, value: Any) -> str:
        """What search should find this record by; empty when the value is not searched."""
        return ""


MISSING = say("Please fill this in.")
SEPARATORS = re.compile(r"[,，、;；|\n]")
"""What stands between several names in one cell."""

field_types: Registry[Field] = Registry("field type")


def clean_text(raw: Any) -> str | None:
    """Text without surrounding white space; blank is no value. Numbers and days of a file as they read. Raises BadValue."""
    if raw is None:
        return None
    if isinstance(raw, bool) or not isinstance(raw, str | int | float | Decimal | date):
        raise BadValue(say("Enter text."))
    text = plain(raw) if isinstance(raw, Decimal) and raw.is_finite() else str(raw).strip()
    if UNKEEPABLE.search(text):
        raise BadValue(say("Remove the control characters from this text."))
    return text or None


def texts_in(text: str) -> list[str]:
    """The names in a text that may hold several."""
    return [part.strip() for part in SEPARATORS.split(text) if part.strip()]


def clean_list(raw: Any) -> list[Any]:
    """One value or several as a list without blanks or repeats. Raises BadValue for lists in it."""
    items = raw if isinstance(raw, list | tuple) else [raw]
    if any(isinstance(item, list | tuple | dict) for item in items):
        raise BadValue(say("Give a list of single values."))
    stripped = (item.strip() if isinstance(item, str) else item for item in items)
    return list(dict.fromkeys(item for item in stripped if item not in (None, "")))


def parse_uuid(raw: Any, refusal: Message) -> UUID | None:
    if raw is None or isinstance(raw, UUID):
        return raw
    if isinstance(raw, str) and not raw.strip():
        return None
    try:
        return UUID(raw.strip())
    except (ValueError, AttributeError):
        raise BadValue(refusal) from None
