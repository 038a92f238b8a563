"""Upsert: the record that has a key is changed; where there is none, one is added."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.errors import Problem
from schemas.messages import say
from schemas.options import option
from schemas.parsers import Many, Reference
from schemas.steps.base import step_types
from schemas.steps.create import Create

if TYPE_CHECKING:
    from schemas.steps.place import Place


@step_types.register
@dataclass(frozen=True, kw_only=True)
class Upsert(Create):
    """Changes the record whose key fields hold what is set, or adds it. Several with the same key are refused."""

    type = "upsert"
    title_word = "Change or create"
    icon = "refresh"

    key: tuple[str, ...] = option(Many(Reference("field"), most=5, required=True), "Found by", ())

    def complaints(self, place: "Place") -> Iterator[Problem]:
        yield from super().complaints(place)
        target = place.app.table(self.table)
        if target is None:
            return
        if not self.key:
            yield place.problem("key", say("name the fields by which the record is found"))
        for index, name in enumerate(self.key):
            if name not in (self.set or {}):
                yield place.problem(f"key[{index}]", say("set '{id}' too: the record is found by it", id=name))
        yield from place.may_read("table", target)
        for name in self.set or {}:
            yield from place.may_write(f"set.{name}", target, name)
