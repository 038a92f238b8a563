"""A checked formula: its tree with a type on every part, and what it needs."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from schemas.formula.parse import Formula
from schemas.formula.tree import Path
from schemas.formula.types import Type
from schemas.formula.values import Need
from schemas.messages import Message

if TYPE_CHECKING:
    from schemas.formula.evaluate import Step
    from schemas.formula.functions.base import Function, Parameter


@dataclass(frozen=True)
class Reference:
    """What a path means: its type, whether it changes with time, how many links and people it crosses."""

    path: Path
    type: Type
    volatile: bool = False
    hops: int = 0


class Scope(Protocol):
    """The names that a formula may use."""

    def resolve(self, path: Path) -> Reference | Message: ...


@dataclass(frozen=True, kw_only=True)
class Node:
    """Part of a checked formula.

    `rows` is the path of the list that this part has one value for each element of; empty for a single value.
    `start` is the part's offset in the source.
    """

    type: Type
    rows: Path = ()
    start: int = field(default=0, compare=False)


@dataclass(frozen=True, kw_only=True)
class Constant(Node):
    value: Any


@dataclass(frozen=True, kw_only=True)
class Read(Node):
    """A value of the record, or the answer to a need.

    `kinds` are the types that the path passes, its own the last. Of a list of rows, `steps` is the path
    inside one of its elements.
    """

    path: Path
    kinds: tuple[Type, ...] = ()
    need: Need | None = None

    @property
    def steps(self) -> Path:
        return self.path[len(self.rows) :]


@dataclass(frozen=True, kw_only=True)
class Me(Node):
    """The member who asks, or a fact about them."""

    facts: Path

    @property
    def need(self) -> Need:
        return Need("me", self.facts)


@dataclass(frozen=True, kw_only=True)
class Items(Node):
    """A list written out, by rows."""

    table: tuple[tuple[Node, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Apply(Node):
    """A function or operator applied to arguments; `parameters` are those that the arguments stand for."""

    function: "Function"
    args: tuple[Node, ...]
    parameters: "tuple[Parameter, ...]"
    lifts: bool = False


@dataclass(frozen=True, kw_only=True)
class Chain(Node):
    """Operators of equal rank from left to right, kept flat because sums can be thousands of terms long."""

    first: Node
    steps: tuple[Apply, ...]


@dataclass(frozen=True, eq=False)
class Expression:
    """A formula that is known to make sense.

    - `paths`: every path it reads, as written; `needs`: those that the world must answer, and facts of ME().
    - `volatile`: whether its value changes without anything being written.
    - `no_sql`: why it cannot be computed by the database, or None.
    """

    formula: Formula
    root: Node
    type: Type
    paths: frozenset[Path]
    volatile: bool
    no_sql: Message | None
    needs: frozenset[Need]

    @cached_property
    def run(self) -> "Step":
        from schemas.formula.evaluate import compile_node

        return compile_node(self.root)


def parts(node: Node) -> tuple[Node, ...]:
    """The nodes directly below a node; the steps of a chain without its first."""
    match node:
        case Apply(args=args):
            return args
        case Chain(first=first, steps=steps):
            return (first, *(part for step in steps for part in step.args[1:]))
        case Items(table=table):
            return tuple(item for row in table for item in row)
    return ()


def below(node: Node) -> Iterator[Node]:
    """A node and all nodes under it."""
    waiting = [node]
    while waiting:
        found = waiting.pop()
        yield found
        waiting.extend(parts(found))
