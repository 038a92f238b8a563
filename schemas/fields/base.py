"""What every field type is: a label, a column, and the rules for one value."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID
from zoneinfo import ZoneInfo

from schemas.errors import BadValue
from schemas.formula import Type
from schemas.formula.types import TEXT
from schemas.messages import Message, say
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
    * gives an example value, and the words by which a record is found (`words`).
    """

    type: ClassVar[str]
    title: ClassVar[str]
    group: ClassVar[str] = "common"
    icon: ClassVar[str] = "text"
    storage: ClassVar[Storage] = Storage.TEXT
    computed: ClassVar[bool] = False
    several: ClassVar[bool] = False
    sortable: ClassVar[bool] = True
    importable: ClassVar[bool] = True
    may_be_unique: ClassVar[bool] = False

    id: str = option(Id(required=True), "Id", section="advanced")
    label: Text = option(Label(), "Label", Text())
    help: Text = option(Label(), "Help text", Text())
    placeholder: Text = option(Label(), "Placeholder", Text())
    required: bool = option(Flag(), "Must be filled in", False, section="checks")
    unique: bool = option(Flag(), "No two records with the same value", False, section="checks")
    index: bool = option(Flag(), "Speed up filters and sorts", False, section="advanced")
    default: Any = option(Literal(allow_none=True), "Default value", None, section="default")

    @property
    def scale(self) -> int | None:
        """Decimals that a numeric column keeps."""
        return None

    def problems(self) -> Iterator[tuple[str, Message]]:
        """Options that do not go together, as (option, message)."""
        if self.unique and not self.may_be_unique:
            yield "unique", say("a field of this type cannot be unique")
        if self.computed and (self.required or self.default is not None):
            yield "", say("a computed field takes neither 'required' nor 'default'")

    def value_type(self) -> Type:
        """The type that formulas see; computed fields are typed by the linker instead."""
        return TEXT

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

    def show(self, value: Any, reader: Reader) -> str:
        """The value as a person reads it, as plain text."""
        return "" if value is None else str(value)

    def dump(self, value: Any) -> Any:
        """The value as JSON, for the API, history and events. `parse(dump(v)) == v`."""
        return value

    def example(self) -> Any:
        """A value that `check` accepts."""
        return "Text"

    def words(self, value: Any) -> str:
        """What search should find this record by; empty when the value is not searched."""
        return ""


field_types: Registry[Field] = Registry("field type")


def clean_text(raw: Any) -> str | None:
    """Text without surrounding white space; blank is no value. Raises BadValue."""
    if raw is None:
        return None
    if isinstance(raw, bool) or not isinstance(raw, str | int | float):
        raise BadValue(say("Enter text."))
    text = str(raw).strip()
    if UNKEEPABLE.search(text):
        raise BadValue(say("Remove the control characters from this text."))
    return text or None


def clean_list(raw: Any) -> list[Any]:
    """One value or several as a list without blanks or repeats."""
    items = raw if isinstance(raw, list | tuple) else [raw]
    return list(
        dict.fromkeys(item.strip() if isinstance(item, str) else item for item in items if item not in (None, ""))
    )


def parse_uuid(raw: Any, refusal: Message) -> UUID | None:
    if raw is None or isinstance(raw, UUID):
        return raw
    if isinstance(raw, str) and not raw.strip():
        return None
    try:
        return UUID(raw.strip())
    except (ValueError, AttributeError):
        raise BadValue(refusal) from None
