"""What a function of the formula language declares, and the registry of them all."""

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, TypeVar

from schemas.formula.sql import Form
from schemas.formula.types import (
    ANY,
    BOOLEAN,
    DATE,
    DATETIME,
    DEPARTMENT,
    MEMBER,
    NUMBER,
    TEXT,
    Type,
    array_of,
    unify,
)
from schemas.formula.values import Need
from schemas.messages import Message, say
from schemas.text import Text

RESULTS = {
    "number": NUMBER,
    "text": TEXT,
    "boolean": BOOLEAN,
    "date": DATE,
    "datetime": DATETIME,
    "member": MEMBER,
    "department": DEPARTMENT,
    "any": ANY,
    "array": array_of(ANY),
    "texts": array_of(TEXT),
    "numbers": array_of(NUMBER),
}
LISTS = {
    "numbers": "number",
    "texts": "text",
    "booleans": "boolean",
    "moments": "moment",
    "each": "any",
    "array": "any",
}

SIGN = re.compile(r"[^\w\s]+|\w+")

Compute = TypeVar("Compute", bound=Callable[..., Any])
ResultOf = Callable[[list[Type]], Type | Message]


@dataclass(frozen=True)
class Parameter:
    """What a function takes at one place.

    Kinds: `number text boolean date moment any` take one value (a list there repeats the whole call for its
    elements); `numbers texts booleans moments each` take one value or a list, `array` a list. A lazy one is
    passed as a closure, and evaluated only if it is called for.
    """

    kind: str
    optional: bool = False
    lazy: bool = False

    @property
    def takes_lists(self) -> bool:
        return self.kind in LISTS

    @property
    def element(self) -> str:
        """The kind of one value."""
        return LISTS.get(self.kind, self.kind)


@dataclass(frozen=True, eq=False)
class Function:
    """A function: what it takes and gives, how Python and the database compute it, and its help.

    `world` functions are given the Run first. One that `blends` gives one of its arguments.
    `module` is where it is registered.
    """

    name: str
    module: str
    parameters: tuple[Parameter, ...]
    repeated: int
    result: ResultOf
    compute: Callable[..., Any]
    form: Form | None
    summary: Text
    example: str
    usage: str
    volatile: bool = False
    world: bool = False
    blends: bool = False
    need: Need | None = None

    @property
    def group(self) -> str:
        """Under which heading the builder lists it; none for operators."""
        return GROUPS.get(self.module, self.module)

    @property
    def shown(self) -> str:
        """Its name as people know it: some operators have several forms."""
        return self.name if self.group else SIGN.match(self.name)[0]  # type: ignore[index]

    @property
    def least(self) -> int:
        return sum(not p.optional for p in self.parameters)

    @property
    def most(self) -> int | None:
        return None if self.repeated else len(self.parameters)

    def places(self, count: int) -> tuple[Parameter, ...] | None:
        """The parameters that so many arguments stand for; None if that many cannot be."""
        if count < self.least or (self.most is not None and count > self.most):
            return None
        places = list(self.parameters)
        while self.repeated and len(places) < count:
            places += [Parameter(p.kind, True, p.lazy) for p in self.parameters[-self.repeated :]]
        return tuple(places[:count])


GROUPS = {
    "angles": "math",
    "statistics": "math",
    "conditions": "math",
    "rounding": "math",
    "calendar": "date",
    "conversion": "text",
    "patterns": "text",
    "financial": "math",
    "information": "logic",
}
FUNCTIONS: dict[str, Function] = {}
OPERATORS: dict[str, Function] = {}


def function(
    name: str,
    signature: str,
    *,
    zh: str = "",
    en: str = "",
    example: str = "",
    sql: Form | None = None,
    result: ResultOf | None = None,
    volatile: bool = False,
    world: bool = False,
    operator: bool = False,
    blends: bool = False,
    need: Need | None = None,
    aliases: tuple[str, ...] = (),
) -> Callable[[Compute], Compute]:
    """Register a function.

    The signature reads `text, number? -> text`; `boolean...` and `(boolean, ~any)...` repeat, `~` marks an
    argument that is evaluated only when needed. `blends`: it gives one of its arguments as it is.
    """

    def register(compute: Compute) -> Compute:
        places, given = signature.split("->")
        parameters, repeated = _parameters(places.strip())
        made = Function(
            name,
            "" if operator else inspect.getmodule(compute).__name__.rpartition(".")[2],  # type: ignore[union-attr]
            parameters,
            repeated,
            result or _always(RESULTS[given.strip()]),
            compute,
            sql,
            Text({"zh": zh, "en": en}),
            example,
            f"{name}({places.strip().replace('~', '')})",
            volatile,
            world,
            blends,
            need,
        )
        known = OPERATORS if operator else FUNCTIONS
        for word in (name, *aliases):
            if word in known:
                raise TypeError(f"{word} is registered twice")
            known[word] = made
        return compute

    return register


def _parameters(places: str) -> tuple[tuple[Parameter, ...], int]:
    repeated = 0
    if places.endswith("..."):
        places = places[:-3]
        repeated = 1
        if places.endswith(")"):
            head, _, group = places[:-1].rpartition("(")
            repeated = group.count(",") + 1
            places = head + ",".join(f"{word}?" for word in group.split(","))
    words = [word.strip(" ()") for word in places.split(",") if word.strip(" ()")]
    return tuple(Parameter(w.strip("~?"), w.endswith("?"), w.startswith("~")) for w in words), repeated


def _always(kind: Type) -> ResultOf:
    return lambda types: kind


def common(*places: int, start: int | None = None, step: int = 1) -> ResultOf:
    """The type that the arguments at these places have in common."""

    def result(types: list[Type]) -> Type | Message:
        chosen = [types[p] for p in places if p < len(types)]
        if start is not None:
            chosen += types[start::step]
        found = chosen[0]
        for other in chosen[1:]:
            both = unify(found, other)
            if both is None:
                return say(
                    "The results must be of one kind, but they are {one} and {other}.",
                    one=found.kind,
                    other=other.kind,
                )
            found = both
        return found

    return result


def unknown(name: str) -> Message:
    near = get_close_matches(name, FUNCTIONS, n=1)
    if near:
        return say("There is no function {name} (did you mean {near}?).", name=name, near=near[0])
    return say("There is no function {name}.", name=name)
