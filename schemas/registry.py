"""A registry holds every kind of one thing: field types, steps, widgets, functions."""

from collections.abc import Iterator
from difflib import get_close_matches
from importlib import import_module
from pkgutil import iter_modules
from typing import Generic, TypeVar

from schemas.messages import Message, say

Kind = TypeVar("Kind")


class Registry(Generic[Kind]):
    """Kinds by the name in their `type` attribute."""

    def __init__(self, thing: str) -> None:
        self.thing = thing
        self._kinds: dict[str, type[Kind]] = {}

    def register(self, kind: type[Kind]) -> type[Kind]:
        name: str = kind.type  # type: ignore[attr-defined]
        if name in self._kinds:
            raise TypeError(f"{self.thing} {name!r} is already {self._kinds[name]!r}")
        self._kinds[name] = kind
        return kind

    def get(self, name: str) -> type[Kind] | None:
        return self._kinds.get(name)

    def __getitem__(self, name: str) -> type[Kind]:
        return self._kinds[name]

    def __contains__(self, name: object) -> bool:
        return name in self._kinds

    def __iter__(self) -> Iterator[type[Kind]]:
        return iter(self._kinds.values())

    def unknown(self, name: object) -> Message:
        """The refusal of a name that is not registered, with the nearest ones that are."""
        near = get_close_matches(str(name), self._kinds, n=1)
        if near:
            return say("unknown {thing} '{name}' (did you mean '{near}'?)", thing=self.thing, name=name, near=near[0])
        known = ", ".join(sorted(self._kinds))
        return say("unknown {thing} '{name}' (known: {known})", thing=self.thing, name=name, known=known)


def import_siblings(package: str, path: list[str]) -> None:
    """Import every module of a package, so that a file there is a registration."""
    for module in iter_modules(path):
        import_module(f"{package}.{module.name}")
