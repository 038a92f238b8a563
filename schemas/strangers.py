"""Names that stand for nothing, and what was probably meant."""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Any

from schemas.errors import Problem
from schemas.messages import Message, say


def stranger(thing: str, name: Any, known: Iterable[str]) -> Message:
    """That there is no such thing, with the nearest name that there is."""
    near = get_close_matches(str(name), list(known), n=1)
    if near:
        return say("there is no {thing} '{name}' (did you mean '{near}'?)", thing=thing, name=name, near=near[0])
    return say("there is no {thing} '{name}'", thing=thing, name=name)


def strangers(path: str, thing: str, names: Iterable[str], known: Iterable[str]) -> Iterator[Problem]:
    """A problem for each name that is not among the known."""
    present = list(known)
    for name in names:
        if name not in present:
            yield Problem(path, stranger(thing, name, present))
