from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from schemas import places
from schemas.fields.base import Facet, Field, Reader, Storage, clean_text, field_types
from schemas.messages import Message, say
from schemas.options import option
from schemas.parsers import Flag, Words
from schemas.source import read_json
from schemas.text import Sentence

FORMATS = ("province", "city", "district", "detail")
LONGEST = 300


@field_types.register
@dataclass(frozen=True, kw_only=True)
class Address(Field):
    """A place in China by province, city and district, with the street; an address abroad is written freely."""

    type = "address"
    title = "Address"
    about = "A place by province, city and district, with the street in words. Lists can be filtered and counted by each part."
    group = "advanced"
    icon = "field-address"
    place = 40
    storage = Storage.JSON
    wide = True
    facets = MappingProxyType(
        {
            "province": Facet(say("Province")),
            "city": Facet(say("City")),
            "district": Facet(say("District")),
            "detail": Facet(say("Street and number")),
            "code": Facet(say("Division code"), given=False),
        }
    )

    format: str = option(
        Words(*FORMATS), "Asks for", "detail", help="Everything down to this: the province alone, or the street too."
    )
    abroad: bool = option(Flag(), "Addresses outside China may be written", True, section="checks")

    @property
    def grouping(self) -> str:
        return "group"

    @property
    def asked(self) -> tuple[str, ...]:
        """The parts that are asked for, from the largest."""
        return FORMATS[: FORMATS.index(self.format) + 1]

    @property
    def provinces(self) -> list[str]:
        return places.provinces()

    def cities(self, value: Any) -> list[str]:
        return places.cities((value or {}).get("province"))

    def districts(self, value: Any) -> list[str]:
        return places.districts((value or {}).get("province"), (value or {}).get("city"))

    def parse(self, raw: Any) -> Any:
        """The parts of what was sent: an object of parts, or one text that is taken apart."""
        given = raw
        if isinstance(raw, str) and raw.lstrip().startswith("{"):
            given = read_json(raw, say("The address could not be read. Please choose it again."))
        if isinstance(given, Mapping):
            found = {name: text for name in FORMATS if (text := clean_text(given.get(name)))}
        else:
            text = clean_text(given)
            found = places.taken_apart(" ".join(text.split())) if text else {}
        return _finished(_repaired(found)) if found else None

    def check(self, value: Any) -> Iterator[Sentence]:
        if len(value.get("detail", "")) > LONGEST:
            yield say("Keep it to {n} characters.", n=LONGEST)
        if not any(value.get(level) for level in places.LEVELS):
            if not self.abroad or "detail" not in self.asked:
                yield say("Choose the province.")
            return
        yield from self._strangers(value)

    def _strangers(self, value: Mapping[str, str]) -> Iterator[Sentence]:
        """Divisions that are not there, or not in one another."""
        offered = (self.provinces, self.cities(value), self.districts(value))
        for level, known in zip(places.LEVELS, offered, strict=True):
            name = value.get(level)
            if name and name not in known:
                yield say("There is no '{name}' there.", name=name[:40])
                return
            if not name and known and level in self.asked:
                yield MISSING[level]
                return

    def show(self, value: Any, reader: Reader) -> str:
        return value["text"] if value else ""

    def typed(self, value: Any) -> str:
        return value["text"] if value else ""

    def example(self) -> Any:
        whole = {"province": "广东省", "city": "深圳市", "district": "南山区", "detail": "科技园1号"}
        return _finished({name: whole[name] for name in self.asked})

    def words(self, value: Any) -> str:
        return value["text"] if value else ""


MISSING: dict[str, Message] = {
    "province": say("Choose the province."),
    "city": say("Choose the city."),
    "district": say("Choose the district."),
}


def _repaired(parts: dict[str, str]) -> dict[str, str]:
    """Parts of a file, where names are short or the city of a municipality is left out."""
    province = parts.get("province", "")
    if not province or all(parts.get(level, "") in known for level, known in _known(parts)):
        return parts
    spoken = " ".join(parts[level] for level in places.LEVELS if level in parts)
    found = places.taken_apart(spoken)
    if "detail" in found or any(level not in found for level in places.LEVELS if level in parts):
        return parts
    return {**found, **({"detail": parts["detail"]} if "detail" in parts else {})}


def _known(parts: Mapping[str, str]) -> list[tuple[str, list[str]]]:
    province, city = parts.get("province"), parts.get("city")
    known = (places.provinces(), places.cities(province), places.districts(province, city))
    return [(level, names) for level, names in zip(places.LEVELS, known, strict=True) if level in parts]


def _finished(parts: dict[str, str]) -> dict[str, str]:
    """The parts in order, with the code of the division and the whole as a text."""
    made = {name: parts[name] for name in FORMATS if name in parts}
    code = places.code_of(*(made.get(level, "") for level in places.LEVELS))
    return {**made, **({"code": code} if code else {}), "text": places.joined(made)}
