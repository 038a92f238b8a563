import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from schemas.errors import BadValue
from schemas.fields.base import Facet, Field, Reader, Storage, clean_text, field_types
from schemas.formula.functions.lookup import distance
from schemas.formula.types import NUMBER
from schemas.messages import Message, say
from schemas.numbers import plain, read_number, round_to
from schemas.options import option
from schemas.parsers import Flag, Line, Whole, Words
from schemas.source import read_json
from schemas.text import Sentence

DEGREES = 6
"""Decimals of a degree that are kept: a tenth of a metre."""
LONGEST = 200
POINT = re.compile(
    r"(?:(?P<place>.*?)\s*[(（]\s*)?(?P<lat>-?\d{1,2}(?:\.\d+)?)\s*[,，]\s*(?P<lng>-?\d{1,3}(?:\.\d+)?)\s*[)）]?"
)
MAPS = {
    "openstreetmap": "https://www.openstreetmap.org/?mlat={lat}&mlon={lng}#map=16/{lat}/{lng}",
    "amap": "https://uri.amap.com/marker?position={lng},{lat}&name={name}&coordinate=wgs84",
}
UNREADABLE = say("Enter a latitude and a longitude, such as 31.2304, 121.4737.")


@field_types.register
@dataclass(frozen=True, kw_only=True)
class Location(Field):
    """A point on the map: where somebody is, or a place by latitude and longitude."""

    type = "location"
    title = "Location"
    about = "Where somebody is, from the device or a map, and how far that may be from a given place."
    group = "advanced"
    icon = "field-location"
    place = 50
    storage = Storage.JSON
    searched = "place"
    facets = MappingProxyType(
        {
            "latitude": Facet(say("Latitude"), NUMBER),
            "longitude": Facet(say("Longitude"), NUMBER),
            "place": Facet(say("Name of the place")),
            "accuracy": Facet(say("Accuracy in metres"), NUMBER),
        }
    )

    by_hand: bool = option(
        Flag(), "May be typed by hand", True, help="Otherwise only the device says where it is, when the button is pressed."
    )  # fmt: skip
    map: str = option(Words("openstreetmap", "amap", "none"), "Map that a link opens", "openstreetmap")
    center: str = option(
        Line(60),
        "Only near this point",
        "",
        section="checks",
        help="Latitude and longitude, such as 31.2304, 121.4737.",
    )
    radius: int = option(Whole(1, 20_000_000), "How near, in metres", 500, section="checks")
    accuracy: int | None = option(
        Whole(1, 100_000, allow_none=True), "Least exact position allowed, in metres", None, section="checks"
    )

    @property
    def grouping(self) -> str:
        return "group"

    def problems(self) -> Iterator[tuple[str, Message]]:
        yield from super().problems()
        if self.center:
            try:
                self.parse(self.center)
            except BadValue as err:
                yield "center", err.message

    def parse(self, raw: Any) -> Any:
        """A point from an object of parts, or from text: `31.2304, 121.4737`, also in brackets behind a name."""
        given = raw
        if isinstance(raw, str) and raw.lstrip().startswith("{"):
            given = read_json(raw, UNREADABLE)
        if not isinstance(given, Mapping):
            text = clean_text(given)
            found = POINT.fullmatch(text) if text else None
            if text and not found:
                raise BadValue(UNREADABLE)
            given = {"latitude": found["lat"], "longitude": found["lng"], "place": found["place"]} if found else {}
        return _point(given)

    def check(self, value: Any) -> Iterator[Sentence]:
        if len(value.get("place", "")) > LONGEST:
            yield say("Keep it to {n} characters.", n=LONGEST)
        accuracy = Decimal(value["accuracy"]) if "accuracy" in value else None
        if self.accuracy is not None and accuracy is not None and accuracy > self.accuracy:
            yield say(
                "The position is only exact to {n} metres. Try again in the open.", n=plain(round_to(accuracy, 0))
            )
        if self.center:
            away = distance(value["text"], self.parse(self.center)["text"])
            if away is not None and away > self.radius:
                yield say("This is {n} metres away from where it should be.", n=f"{int(away):,}")

    def show(self, value: Any, reader: Reader) -> str:
        return value.get("place") or self.degrees(value) if value else ""

    def degrees(self, value: Any) -> str:
        """Latitude and longitude alone."""
        return f"{value['latitude']}, {value['longitude']}" if value else ""

    def typed(self, value: Any) -> str:
        """The name with the point behind it, which `parse` reads again."""
        return f"{value['place']} ({self.degrees(value)})" if value and value.get("place") else self.degrees(value)

    def exported(self, value: Any, reader: Reader) -> Any:
        return self.typed(value)

    def address(self, value: Any) -> str:
        """The map's page about this point; nothing is asked of it before somebody clicks."""
        if not value or self.map not in MAPS:
            return ""
        name = quote(value.get("place", ""), safe="")
        return MAPS[self.map].format(lat=value["latitude"], lng=value["longitude"], name=name)

    def example(self) -> Any:
        return self.parse(self.center or "人民广场 (31.230391, 121.473701)")

    def words(self, value: Any) -> str:
        return value.get("place", "") if value else ""


def _point(given: Mapping[str, Any]) -> dict[str, str] | None:
    lat = read_number(given.get("latitude", given.get("lat")), UNREADABLE)
    lng = read_number(given.get("longitude", given.get("lng")), UNREADABLE)
    place = clean_text(given.get("place"))
    if lat is None and lng is None and not place:
        return None
    if lat is None or lng is None or abs(lat) > 90 or abs(lng) > 180:
        raise BadValue(UNREADABLE)
    north, east = (plain(round_to(degrees, DEGREES) + 0) for degrees in (lat, lng))
    accuracy = read_number(given.get("accuracy"), UNREADABLE)
    return {
        "latitude": north, "longitude": east, **({"place": place} if place else {}),
        **({"accuracy": plain(round_to(accuracy, 1))} if accuracy is not None and accuracy >= 0 else {}),
        "text": f"{north},{east}",
    }  # fmt: skip
