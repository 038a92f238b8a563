"""Evaluating checked formulas: every part is compiled once to a closure over the record's values."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any

from schemas.formula.coerce import BLANKS, COERCIONS, KEPT
from schemas.formula.functions.base import Parameter
from schemas.formula.tree import Path
from schemas.formula.typed import Apply, Chain, Constant, Expression, Items, Me, Node, Read, below
from schemas.formula.types import Type
from schemas.formula.values import FUEL, NA, NUM, ErrorValue, Fault, Need, Run, World

Step = Callable[[Run], Any]


def evaluate(expression: Expression, values: Mapping[str, Any], world: World) -> Any:
    """The value of a formula for a record's values; an ErrorValue if it has none."""
    try:
        value = kept(expression.run(Run(values, world)))
        return False if value is None and expression.type.kind == "boolean" else value
    except Fault as fault:
        return fault.error
    except OverflowError:
        return NUM


def kept(value: Any) -> Any:
    """A value as it is kept: the empty text is nothing."""
    if isinstance(value, list):
        return [kept(item) for item in value]
    return None if value == "" else value


def compile_node(node: Node) -> Step:
    """The closure that computes a part; a part with rows gives the list of its elements."""
    if node.rows:
        return _each_row(node)
    return _one(node)


def _one(node: Node) -> Step:
    """The closure for a single value, or for the element of the row at hand."""
    match node:
        case Constant(value=value):
            return (lambda run: value) if not isinstance(value, ErrorValue) else _failing(value)
        case Read():
            return _reading(node)
        case Me():
            return _asking(node.need)
        case Items():
            return _listing(node)
        case Chain(first=first, steps=steps):
            return _chained(_part(node, first), [_step_of(node, step) for step in steps])
        case Apply():
            return _applied(node)
    raise TypeError(f"not part of a checked formula: {node!r}")


def _part(parent: Node, node: Node) -> Step:
    """A part as its parent uses it: element by element where the parent goes through rows."""
    return _one(node) if parent.rows and node.rows == parent.rows else compile_node(node)


def _failing(error: ErrorValue) -> Step:
    def fail(run: Run) -> Any:
        raise Fault(error)

    return fail


def _asking(need: Need) -> Step:
    if need == Need("me", ()):
        return lambda run: run.world.me

    def ask(run: Run) -> Any:
        answer = run.world.answers.get(need)
        if isinstance(answer, ErrorValue):
            raise Fault(answer)
        return answer

    return ask


def _reading(node: Read) -> Step:
    if any(kind.element.parts is not None for kind in node.kinds):
        return _of_parts(_reading(replace(node, kinds=())), node.type.kind)
    if node.rows:
        return _reading_row(node)
    if node.need:
        return _asking(node.need)
    if len(node.path) > 1:
        return _reading_inside(node.path)
    name = node.path[0]

    def read(run: Run) -> Any:
        value = run.values.get(name)
        if value.__class__ is ErrorValue:
            raise Fault(value)
        return value

    return read


def _of_parts(read: Step, kind: str) -> Step:
    """A text of several parts as the text that it is as a whole; a part that is a number as one."""

    def whole(run: Run) -> Any:
        value = read(run)
        if value.__class__ is dict and kind == "text":
            value = value.get("text")
        return Decimal(value) if kind == "number" and value.__class__ is str else value

    return whole


def _reading_inside(path: Path) -> Step:
    dotted = ".".join(path)

    def read(run: Run) -> Any:
        value: Any = run.values
        if dotted in value:
            return value[dotted]
        for name in path:
            value = value.get(name) if isinstance(value, Mapping) else None
        return value

    return read


def _reading_row(node: Read) -> Step:
    """An element of a column of rows, or of the aligned answers to a need."""
    elements, steps = _elements(node), node.steps if node.need is None else ()

    def read(run: Run) -> Any:
        found = elements(run)
        value = found[run.row] if run.row < len(found) else None
        for name in steps:
            value = value.get(name) if isinstance(value, Mapping) else None
        if isinstance(value, ErrorValue):
            raise Fault(value)
        return value

    return read


def _elements(node: Read) -> Callable[[Run], list[Any]]:
    """The list that a part of a row is taken from."""
    whole = _asking(node.need) if node.need else _reading(Read(type=node.type, path=node.rows))
    return lambda run: whole(run) or []


def _each_row(node: Node) -> Step:
    """All elements of a part with rows; an element that fails is its error."""
    element = _one(node)
    lists = [_elements(read) for read in reads(node)]
    cost = 1 + sum(1 for _ in below(node))

    def each(run: Run) -> list[Any]:
        count, outer = max(len(found(run)) for found in lists), run.row
        run.burn(count * cost)
        values = []
        for run.row in range(count):
            try:
                values.append(element(run))
            except Fault as fault:
                if fault.error == FUEL:
                    raise
                values.append(fault.error)
        run.row = outer
        return values

    return each


def reads(node: Node) -> list[Read]:
    return [n for n in below(node) if isinstance(n, Read) and n.rows == node.rows]


def _listing(node: Items) -> Step:
    rows = [[_catching(compile_node(item)) for item in row] for row in node.table]
    if len(rows) == 1:
        return lambda run: [item(run) for item in rows[0]]
    return lambda run: [[item(run) for item in row] for row in rows]


def _catching(step: Step) -> Step:
    def catch(run: Run) -> Any:
        try:
            return step(run)
        except Fault as fault:
            return fault.error

    return catch


def _chained(first: Step, steps: list[Callable[[Run, Any], Any]]) -> Step:
    def chain(run: Run) -> Any:
        value = first(run)
        for step in steps:
            value = step(run, value)
        return value

    return chain


def _step_of(chain: Chain, apply: Apply) -> Callable[[Run, Any], Any]:
    """A step of a chain: the operator over the value so far and one more operand."""
    left_of = _coercing(apply.args[0].type, apply.parameters[0])
    right = _argument(chain, apply.args[1], apply.parameters[1])
    if apply.lifts:
        lifted = _lifting(apply)
        return lambda run, left: lifted(run, left_of(left, run), right(run))
    compute = apply.function.compute
    if apply.function.world:
        return lambda run, left: compute(run, left_of(left, run), right(run))
    if left_of is _as_it_is:
        return lambda run, left: compute(left, right(run))
    return lambda run, left: compute(left_of(left, run), right(run))


def _applied(node: Apply) -> Step:
    arguments = [_argument(node, arg, place) for arg, place in zip(node.args, node.parameters, strict=True)]
    compute = node.function.compute
    if node.lifts:
        compute = _lifting(node)
    if node.lifts or node.function.world:
        return lambda run: compute(run, *[argument(run) for argument in arguments])
    match arguments:
        case []:
            return lambda run: compute()
        case [one]:
            return lambda run: compute(one(run))
        case [one, other]:
            return lambda run: compute(one(run), other(run))
    return lambda run: compute(*[argument(run) for argument in arguments])


def _argument(parent: Apply | Chain, node: Node, place: Parameter) -> Step:
    """An argument as the function takes it: lazily, as a list, or coerced."""
    if place.takes_lists:
        part = compile_node(node) if not (parent.rows and node.rows == parent.rows) else _one(node)
        if place.kind == "array":
            return lambda run: _as_list(part(run))
        empty = isinstance(node, Constant) and node.value is None
        return (lambda run: BLANKS.get(place.element)) if empty else part
    part = _part(parent, node)
    coerce = _coercing(node.type, place)
    if place.lazy:
        return lambda run: lambda: coerce(part(run), run)
    if coerce is _as_it_is:
        return part
    if node.type.kind in KEPT.get(place.kind, ()):
        return _filled(part, BLANKS.get(place.kind)) if place.kind in BLANKS else part
    return lambda run: coerce(part(run), run)


def _filled(part: Step, blank: Any) -> Step:
    def fill(run: Run) -> Any:
        value = part(run)
        return blank if value is None else value

    return fill


def _as_it_is(value: Any, run: Run) -> Any:
    return value


def _coercing(given: Type, place: Parameter) -> Callable[[Any, Run], Any]:
    """How a value of this type is made one that the parameter takes."""
    if place.kind == "any" or place.takes_lists:
        return _as_it_is
    coercion = COERCIONS[place.kind]

    def coerce(value: Any, run: Run) -> Any:
        if value.__class__ is list:
            return value
        return coercion(value, run.world)

    return coerce


def _as_list(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def _lifting(node: Apply) -> Callable[..., Any]:
    """A function repeated for the elements of lists that stand where it takes one value."""
    compute, world = node.function.compute, node.function.world
    kinds = {n: place.kind for n, place in enumerate(node.parameters) if not place.takes_lists and not place.lazy}

    def lifted(run: Run, *args: Any) -> Any:
        lists = [n for n in kinds if args[n].__class__ is list]
        if not lists:
            return compute(run, *args) if world else compute(*args)
        tables = {n: _table(args[n]) for n in lists}
        once = partial(compute, run) if world else compute
        return _broadcast(once, list(args), tables, kinds, run)

    return lifted


def _broadcast(
    compute: Callable[..., Any],
    args: list[Any],
    tables: dict[int, list[list[Any]]],
    kinds: dict[int, str],
    run: Run,
) -> list[Any]:
    height, width = max(len(t) for t in tables.values()), max(len(t[0]) if t else 0 for t in tables.values())
    run.burn(height * width)
    result = []
    for y in range(height):
        row: list[Any] = []
        for x in range(width):
            try:
                for n, cells in tables.items():
                    args[n] = COERCIONS[kinds[n]](_cell(cells, y, x), run.world)
                row.append(compute(*args))
            except Fault as fault:
                row.append(fault.error)
        result.append(row)
    return result[0] if height == 1 else result


def _cell(cells: list[list[Any]], y: int, x: int) -> Any:
    """An element; a single row or column stands for as many as there are."""
    row = cells[0] if len(cells) == 1 else cells[y] if y < len(cells) else []
    if len(row) == 1:
        return row[0]
    if x >= len(row):
        raise Fault(NA)
    return row[x]


def _table(value: list[Any]) -> list[list[Any]]:
    return value if value and isinstance(value[0], list) else [value]
