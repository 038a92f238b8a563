"""The tree that a formula's text stands for, and the way back to text."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from schemas.formula.values import ErrorValue

Path = tuple[str, ...]
PRECEDENCE = {
    **dict.fromkeys(("=", "<>", "<", ">", "<=", ">=", "IN"), 1),
    "&": 2,
    **dict.fromkeys("+-", 3),
    **dict.fromkeys("*/", 4),
    "^": 5,
}
UNARY = 6
POSTFIX = 7


@dataclass(frozen=True, kw_only=True)
class Tree:
    """Part of a formula; `start` and `end` are offsets in its source."""

    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Literal(Tree):
    """A value written out; None is an argument left empty."""

    value: Decimal | str | bool | ErrorValue | None


@dataclass(frozen=True)
class Name(Tree):
    """A path of declared names: `order.buyer.name`."""

    path: Path


@dataclass(frozen=True)
class Call(Tree):
    """A function and its arguments; `facts` follow the closing bracket, as in `ME().department`."""

    name: str
    args: tuple[Tree, ...]
    facts: Path = ()


@dataclass(frozen=True)
class Unary(Tree):
    """`-x`, `+x`, or `x%`."""

    operator: str
    operand: Tree


@dataclass(frozen=True)
class Binary(Tree):
    """Two operands with an operator between them."""

    operator: str
    left: Tree
    right: Tree


@dataclass(frozen=True)
class ArrayLiteral(Tree):
    """Rows of values: `{1,2;3,4}`."""

    rows: tuple[tuple[Tree, ...], ...]


def children(tree: Tree) -> tuple[Tree, ...]:
    match tree:
        case Call(args=args):
            return args
        case Unary(operand=operand):
            return (operand,)
        case Binary(left=left, right=right):
            return (left, right)
        case ArrayLiteral(rows=rows):
            return tuple(item for row in rows for item in row)
    return ()


def walk(tree: Tree) -> Iterator[Tree]:
    """Every part of a tree, without recursion: long sums are deep on their left side."""
    waiting = [tree]
    while waiting:
        part = waiting.pop()
        yield part
        waiting.extend(reversed(children(part)))


def names(tree: Tree) -> frozenset[Path]:
    """The paths that a formula reads, as they are written."""
    return frozenset(part.path for part in walk(tree) if isinstance(part, Name))


def left_spine(tree: Tree) -> tuple[Tree, list[Binary]]:
    """The innermost left operand and the operations on it, first applied first."""
    chain: list[Binary] = []
    while isinstance(tree, Binary):
        chain.append(tree)
        tree = tree.left
    return tree, chain[::-1]


def rename(tree: Tree, mapping: Mapping[Path, Path]) -> Tree:
    """The same formula with paths replaced; the longest mapped beginning of a path counts."""
    first, chain = left_spine(tree)
    result = _rename_part(first, mapping)
    for step in chain:
        result = replace(step, left=result, right=rename(step.right, mapping))
    return result


def _rename_part(tree: Tree, mapping: Mapping[Path, Path]) -> Tree:
    match tree:
        case Name(path=path):
            return replace(tree, path=_renamed(path, mapping))
        case Call(args=args):
            return replace(tree, args=tuple(rename(a, mapping) for a in args))
        case Unary(operand=operand):
            return replace(tree, operand=rename(operand, mapping))
        case ArrayLiteral(rows=rows):
            return replace(tree, rows=tuple(tuple(rename(i, mapping) for i in row) for row in rows))
    return tree


def _renamed(path: Path, mapping: Mapping[Path, Path]) -> Path:
    for length in range(len(path), 0, -1):
        if path[:length] in mapping:
            return mapping[path[:length]] + path[length:]
    return path


def to_source(tree: Tree) -> str:
    """A formula's text, with the fewest brackets that keep its meaning."""
    first, chain = left_spine(tree)
    text = _part_source(first)
    outer = _precedence(first)
    for step in chain:
        binding = PRECEDENCE[step.operator]
        left = f"({text})" if outer < binding else text
        text = f"{left}{_spaced(step.operator)}{_bracketed(step.right, binding + 1)}"
        outer = binding
    return text


def _spaced(operator: str) -> str:
    return operator if operator == "^" else f" {operator} "


def _bracketed(tree: Tree, least: int) -> str:
    text = to_source(tree)
    return f"({text})" if _precedence(tree) < least else text


def _precedence(tree: Tree) -> int:
    if isinstance(tree, Binary):
        return PRECEDENCE[tree.operator]
    if isinstance(tree, Unary):
        return POSTFIX if tree.operator == "%" else UNARY
    return POSTFIX + 1


def _part_source(tree: Tree) -> str:
    match tree:
        case Literal(value=value):
            return literal_source(value)
        case Name(path=path):
            return ".".join(path)
        case Call(name=name, args=args, facts=facts):
            return ".".join([f"{name}({', '.join(map(to_source, args))})", *facts])
        case Unary(operator="%", operand=operand):
            return f"{_bracketed(operand, POSTFIX)}%"
        case Unary(operator=operator, operand=operand):
            return f"{operator}{_bracketed(operand, UNARY)}"
        case ArrayLiteral(rows=rows):
            return "{" + ";".join(",".join(map(to_source, row)) for row in rows) + "}"
    raise TypeError(f"not part of a formula: {tree!r}")


def literal_source(value: Decimal | str | bool | ErrorValue | None) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, str):
        return '"' + value.replace('"', '""') + '"'
    return str(value)
