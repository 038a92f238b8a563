from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from schemas.errors import BadValue
from schemas.fields.base import Reader, Storage, clean_list, field_types, parse_uuid
from schemas.fields.link import Link
from schemas.formula import Type
from schemas.formula.types import array_of, link_to
from schemas.messages import Message, say
from schemas.options import option
from schemas.parsers import Whole
from schemas.text import Sentence

MOST = 1_000


@field_types.register
@dataclass(frozen=True, kw_only=True)
class Links(Link):
    """Several records of another table, in the order in which they were chosen."""

    type = "links"
    title = "Links"
    about = "Points at several records of a form."
    group = "relation"
    icon = "field-links"
    place = 20
    storage = Storage.UUIDS
    several = True
    sortable = False

    min: int = option(Whole(0, MOST), "Fewest records", 0, section="checks")
    max: int = option(Whole(1, MOST), "Most records", 200, section="checks")

    def problems(self) -> Iterator[tuple[str, Message]]:
        yield from super().problems()
        if self.min > self.max:
            yield "min", say("the fewest may not be more than the most")
        if self.fill:
            yield "fill", say("several records cannot fill one field; use a lookup or a rollup")

    def value_type(self) -> Type:
        return array_of(link_to(self.table))

    def parse(self, raw: Any) -> Any:
        if isinstance(raw, str) and "," in raw:
            raw = raw.split(",")
        refusal = say("Choose records from the list.")
        found = [parse_uuid(item, refusal) for item in clean_list(raw)]
        if len(found) > MOST:
            raise BadValue(say("Choose at most {n}.", n=MOST))
        return list(dict.fromkeys(id for id in found if id is not None)) or None

    def check(self, value: Any) -> Iterator[Sentence]:
        if len(value) < self.min:
            yield say("Choose at least {n}.", n=self.min)
        if len(value) > self.max:
            yield say("Choose at most {n}.", n=self.max)

    def show(self, value: Any, reader: Reader) -> str:
        return ", ".join(name for id in value or () if (name := reader.names.get(id, "")))

    def dump(self, value: Any) -> Any:
        return [str(id) for id in value] if value else None

    def example(self) -> Any:
        return [UUID(int=n) for n in range(1, max(1, self.min) + 1)]
