"""Checked formulas as SQL, with the meaning that schemas/formula/evaluate.py gives them.

Every part is rendered as a pair: its value, and the condition under which it is an error. An error
is NULL outside, or FALSE in a condition.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    FromClause,
    Select,
    Text,
    and_,
    false,
    func,
    not_,
    null,
    select,
    true,
)
from sqlalchemy import column as bare_column
from sqlalchemy.sql.visitors import iterate
from sqlalchemy.types import ARRAY, Boolean

from runtime import sql_calendar, sql_steps, sql_texts  # noqa: F401 - they register their operations
from runtime import sql_operations as ops
from runtime.plans import Individual
from runtime.sql_aggregates import FORMS
from runtime.sql_convert import blank_filled, read_as, settled
from runtime.sql_operations import ARITHMETIC, STRICT, Beyond, Piece, Turned, any_error
from schemas.formula import Expression
from schemas.formula.database import independent
from schemas.formula.evaluate import compile_node
from schemas.formula.functions.base import Function, Parameter
from schemas.formula.sql import Given, Made, Sql, givens
from schemas.formula.tree import Path
from schemas.formula.typed import Apply, Chain, Constant, Items, Me, Node, Read, below
from schemas.formula.types import HOPS, Type
from schemas.formula.values import ErrorValue, Fault, Need, Run, World
from schemas.messages import Message, say

Column = ColumnElement[Any]
Aggregate = Callable[[Column], Column]
DEEPEST = 160


class NoSqlForm(Exception):
    """A formula that the database cannot compute; `message` says why."""

    def __init__(self, message: Message) -> None:
        super().__init__(str(message))
        self.message = message


class Clock(Protocol):
    """What SQL knows of the world: the actor's facts and the time, as bind parameters. `zone` is a name."""

    @property
    def zone(self) -> str: ...

    def me(self, path: Path) -> Column: ...
    def now(self) -> Column: ...
    def today(self) -> Column: ...


WorldBinds = Clock


class Source(Clock, Protocol):
    """The names of a record in SQL.

    - `column` is a field (`flow.state` with its point); NULL where it is masked.
    - `failure` is the condition under which it is an error, where that is known beside it.
    - `rows` are the rows of a subform, `linked` what a link, member or department (or several) point at.
    """

    def column(self, name: str) -> Column: ...
    def failure(self, name: str) -> Column | None: ...
    def rows(self, name: str) -> "RowsSource": ...
    def linked(self, name: str) -> "RowsSource": ...


@dataclass(frozen=True, eq=False)
class RowsSource:
    """What lies behind a name: where it is read from, how it hangs on the record, its own names, its order.

    Every call must give a FROM clause of its own (an alias), since one formula may read it several times.
    """

    from_clause: FromClause
    on: ColumnElement[bool]
    source: Source
    order: Column | None = None
    link: Column | None = None
    """Of one link its value, where `on` is that it holds a record's id, and that `seen` is true of the record."""
    seen: ColumnElement[bool] = true()


def to_sql(expression: Expression, source: Source, world_binds: WorldBinds | None = None) -> Column:
    """A formula's value over the records of `source`. A condition is never NULL; errors are NULL or FALSE.

    Raises NoSqlForm, with the reason that the expression carries.
    """
    return outside(piece_of(expression, source, world_binds))


def piece_of(expression: Expression, source: Source, world_binds: WorldBinds | None = None) -> Piece:
    """As `to_sql`, the value and the condition of its being an error apart."""
    if expression.no_sql:
        raise NoSqlForm(expression.no_sql)
    return Renderer(source, world_binds or source).whole(expression.root)


def shallow(value: Column) -> Column:
    """The same, unless it is nested too deep to be written out."""
    level: list[Any] = [value]
    for _ in range(DEEPEST):
        level = [child for part in level for child in part.get_children()]
        if not level:
            return value
    raise NoSqlForm(say("This formula is nested too deep for the database."))


def outside(piece: Piece) -> Column:
    """A value as those see it who ask for it: NULL where it is an error, a condition FALSE."""
    if piece.kind == "boolean":
        value = blank_filled(piece, "boolean").value
        return shallow(value if piece.error is None else and_(not_(piece.error), value))
    return shallow(settled(piece))


@dataclass(frozen=True, eq=False)
class Series:
    """The values of a list, in a subquery: what is read, and from where."""

    element: Piece
    froms: tuple[FromClause, ...] = ()
    on: tuple[ColumnElement[bool], ...] = ()
    order: Column | None = None

    def aggregate(self, name: Aggregate, value: Column | None = None) -> Column:
        """An aggregate of a value, of the elements if none is given."""
        value = self.element.value if value is None else value
        if not self._reads_rows(value):
            # PostgreSQL takes an aggregate over nothing but outer columns for one of the outer query.
            inner = self._from_rows(select(value.label("value"))).subquery()
            return select(name(inner.c.value)).select_from(inner).scalar_subquery()
        return self._from_rows(select(name(value))).scalar_subquery()

    def count(self) -> Column:
        """How many elements there are, blank ones too."""
        return self._from_rows(select(func.count())).scalar_subquery()

    def _from_rows(self, query: Select[Any]) -> Select[Any]:
        query = query.select_from(*self.froms)
        return (query.where(*self.on) if self.on else query).correlate_except(*self.froms)

    def _reads_rows(self, value: Column) -> bool:
        return any(getattr(part, "table", None) in self.froms for part in iterate(value))

    def failed(self) -> ColumnElement[bool] | None:
        """Whether any element is an error."""
        if self.element.error is None:
            return None
        return func.coalesce(self.aggregate(func.bool_or, self.element.error), false(), type_=Boolean())


@dataclass(frozen=True, eq=False)
class Place:
    """Where parts are computed: at the record, or at the row of a list."""

    rows: Path = ()
    source: Source | None = None
    element: Piece | None = None


@dataclass(frozen=True, eq=False)
class Argument:
    """An argument of a function, in whatever way its form wants it."""

    renderer: "Renderer"
    parameter: Parameter
    type: Type
    node: Node | None = None
    place: Place = Place()
    piece: Piece | None = None

    def one(self) -> Piece:
        if self.piece is not None:
            return self.piece
        assert self.node is not None
        return self.renderer.one(self.node, self.place)

    def raw(self) -> Piece:
        return read_as(self.one(), self.parameter.element, self.renderer.clock)

    def filled(self) -> Piece:
        return blank_filled(self.raw(), self.parameter.element)

    def spread(self) -> tuple[list[Piece], list[Series]]:
        """Its single values and its lists."""
        if self.node is None:
            return [self.one()], []
        return self.renderer.spread(self.node, self.place)


@dataclass(frozen=True, eq=False)
class Use:
    """A function with its arguments, and the kind of its result."""

    arguments: Sequence[Argument]
    kind: str


class Renderer:
    """Goes down a typed tree."""

    def __init__(self, source: Source, clock: Clock) -> None:
        self.source = source
        self.clock = clock

    def whole(self, root: Node) -> Piece:
        if root.rows:
            if isinstance(root, Read) and root.rows == root.path:
                return Piece(self.value(self.source, root.path, root.kinds), kind="array")
            raise NoSqlForm(say("A list cannot be computed by the database."))
        return self.one(root, Place())

    # -- one value -----------------------------------------------------------------------------

    def one(self, node: Node, place: Place) -> Piece:
        """A part as a single value: at the row of `place` if it has one for each row, else at the record."""
        if not node.rows:
            place = Place()
        match node:
            case Constant(value=ErrorValue()):
                return Piece(null(), true(), "blank")
            case Constant(value=value):
                return ops.constant(value, node.type.kind)
            case Me(facts=facts):
                return Piece(self.clock.me(facts), kind=node.type.kind)
            case Read():
                return self.read(node, place)
            case Apply() | Chain() if _formless(node) and independent(node):
                return self.computed(node)
            case Chain():
                return self.chain(node, place)
            case Apply():
                arguments = [self.argument(p, a, place) for p, a in zip(node.parameters, node.args, strict=True)]
                return self.use(node.function, givens(node), Use(arguments, node.type.kind))
        raise NoSqlForm(say("A list cannot be computed by the database."))

    def computed(self, node: Node) -> Piece:
        """A part that is the same for all records, computed beforehand."""
        facts = {part.need: _bound(self.clock.me(part.facts)) for part in below(node) if isinstance(part, Me)}
        now, zone = _bound(self.clock.now()), ZoneInfo(str(self.clock.zone))
        try:
            value = compile_node(node)(Run({}, World(now, zone, facts.get(Need("me", ())), facts)))
        except Fault:
            return Piece(null(), true(), "blank")
        return ops.constant(str(value) if isinstance(value, UUID) else value, node.type.kind)

    def argument(self, parameter: Parameter, node: Node, place: Place) -> Argument:
        return Argument(self, parameter, node.type, node, place)

    def read(self, node: Read, place: Place) -> Piece:
        if not node.rows:
            whole = self.typed(self.value(self.source, node.path, node.kinds), node.type)
            return replace(whole, error=self.source.failure(node.path[0]), beyond=self.beyond(node, whole.value))
        if place.element is not None and not node.steps:
            return place.element
        assert place.source is not None
        kinds = tuple(k.of if k.kind == "array" and k.of else k for k in node.kinds[len(node.rows) :])
        return self.typed(self.value(place.source, node.steps or ("id",), kinds), node.type)

    def beyond(self, node: Read, value: Column) -> Beyond | None:
        """The way back from a value that lies behind one link."""
        n = next((n for n, kind in enumerate(node.kinds[: len(node.path) - 1], 1) if kind.kind in HOPS), 0)
        if not n:
            return None

        def turned() -> Turned | None:
            there = self.source.linked(".".join(node.path[:n]))
            if there.link is None:
                return None
            inner = self.typed(self.value(there.source, node.path[n:], node.kinds[n:]), node.type)
            query = select(there.source.column("id")).select_from(there.from_clause).where(there.seen)
            return Turned(there.link, inner, query.where)

        return Beyond(value, turned)

    def typed(self, value: Column, type: Type) -> Piece:
        return Piece(ops.numeric(value) if type.kind == "number" else value, kind=type.kind)

    def value(self, source: Source, path: Path, kinds: Sequence[Type]) -> Column:
        """A value of a record, or of what its links lead to."""
        for n, kind in enumerate(kinds[: len(path) - 1], 1):
            if kind.kind in HOPS:
                there = source.linked(".".join(path[:n]))
                value = self.value(there.source, path[n:], kinds[n:])
                return select(value).select_from(there.from_clause).where(there.on).correlate_except(
                    there.from_clause).scalar_subquery()  # fmt: skip
        whole = kinds[: len(path)][-1:]
        return source.column(".".join((*path, "text") if whole and whole[0].parts is not None else path))

    # -- several values ------------------------------------------------------------------------

    def spread(self, node: Node, place: Place) -> tuple[list[Piece], list[Series]]:
        if node.rows:
            if node.rows == place.rows:
                return [self.one(node, place)], []
            return [], [self.series(node)]
        if isinstance(node, Items):
            found = [self.spread(item, Place()) for row in node.table for item in row]
            return [p for one, _ in found for p in one], [s for _, many in found for s in many]
        if node.type.kind == "rows" and isinstance(node, Read):
            return [], [self.opened(node.path, node.kinds, True, lambda place: Piece(true(), kind="rows"))]
        if node.type.kind == "array":
            return [], [self.unnested(self.one(node, Place()).value, node.type)]
        return [self.one(node, Place())], []

    def series(self, node: Node) -> Series:
        """The values of a part for all its rows."""
        reads = [n for n in below(node) if isinstance(n, Read) and n.rows == node.rows]
        deep = any(read.steps for read in reads)
        return self.opened(node.rows, reads[0].kinds, deep, lambda place: self.one(node, place))

    def opened(self, path: Path, kinds: Sequence[Type], deep: bool, element: Callable[[Place], Piece]) -> Series:
        source, froms, on, order = self.source, [], [], None
        name: list[str] = []
        for part, kind in zip(path, kinds, strict=False):
            name.append(part)
            opens = kind.kind in HOPS or kind.kind == "rows" or (deep and kind.kind == "array")
            if opens:
                there = (source.rows if kind.kind == "rows" else source.linked)(".".join(name))
                froms.append(there.from_clause)
                on.append(there.on)
                order = there.order
                source, name = there.source, []
        if not name:
            return Series(element(Place(path, source)), tuple(froms), tuple(on), order)
        inner = self.unnested(source.column(".".join(name)), kinds[len(path) - 1])
        return Series(element(Place(path, source, inner.element)), (*froms, *inner.froms), tuple(on))

    def unnested(self, value: Column, type: Type) -> Series:
        """The elements of an array column."""
        item = value.type.item_type if isinstance(value.type, ARRAY) else Text()
        listed = func.unnest(value).table_valued(bare_column("element", item)).render_derived()
        return Series(self.typed(listed.c.element, type.of or type), (listed,))

    # -- operators in a row ----------------------------------------------------------------------

    def chain(self, node: Chain, place: Place) -> Piece:
        first = node.steps[0]
        signs = {step.function.name for step in node.steps}
        left = self.one(node.first, place if node.first.rows else Place())
        operands = [Argument(self, first.parameters[0], node.first.type, piece=left)]
        operands += [self.argument(s.parameters[1], s.args[1], place) for s in node.steps]
        if signs <= {"+", "-"}:
            return _balanced(ops.add, _signed(operands, node.steps))
        if signs == {"*"}:
            return _balanced(ops.multiply, [o.filled() for o in operands])
        if signs == {"&"}:
            return self.sql(Sql("concat", tuple(o.filled() for o in operands)), Use((), "text"))
        for step, right in zip(node.steps, operands[1:], strict=True):
            chosen = Argument(self, step.parameters[0], step.args[0].type, piece=left)
            left = self.use(step.function, givens(step), Use([chosen, right], step.type.kind))
        return left

    # -- forms -----------------------------------------------------------------------------------

    def use(self, function: Function, given: list[Given], use: Use) -> Piece:
        form = function.form(*given) if function.form else None
        if form is None:
            raise NoSqlForm(say("{function} cannot be computed by the database.", function=function.name))
        if isinstance(form, Made):
            value = self.sql(form.value, use)
            return value if form.error is None else ops.failing(value, self.sql(form.error, use).value)
        return self.sql(form, use)

    def sql(self, piece: Any, use: Use) -> Piece:
        """A node of a form."""
        if isinstance(piece, Piece):
            return piece
        if not isinstance(piece, Sql):
            given = _given(piece, use)
            if isinstance(given, Argument):
                return given.one()
            assert isinstance(given, Piece)
            return given
        if piece.op in ("filled", "raw"):
            argument = use.arguments[piece.args[0]]
            chosen: Piece = argument.filled() if piece.op == "filled" else argument.raw()
            return chosen
        if piece.op in FORMS:
            made: Piece = FORMS[piece.op](self, use, *[_given(a, use) for a in piece.args])
            return made
        args = [None if a is None else self.sql(a, use) for a in piece.args]
        if piece.op in ARITHMETIC:
            done: Piece = ARITHMETIC[piece.op](*(a for a in args if a is not None))
            return done
        if piece.op not in STRICT:
            raise NoSqlForm(say("'{operation}' cannot be computed by the database.", operation=piece.op))
        return _strict(piece.op, args)


def _given(value: Any, use: Use) -> Any:
    """A whole argument, a constant's piece, or what a form says for itself (a kind, a flag)."""
    if isinstance(value, Given):
        return use.arguments[value.index]
    if isinstance(value, bool | str) or value is None or isinstance(value, Sql | Piece):
        return value
    return ops.constant(Decimal(value), "number")


def _strict(name: str, args: Sequence[Piece | None]) -> Piece:
    kind, operation = STRICT[name]
    given = [a for a in args if a is not None]
    value = operation(*[None if a is None else a.value for a in args])
    sizes = [a.digits for a in given if a.kind == "number"]
    scales = [a.scale for a in given if a.kind == "number"]
    total = kind == "boolean"
    return Piece(value, any_error(*given), kind, max(sizes, default=60) + 1, max(scales, default=20), total=total)


def _signed(operands: Sequence[Argument], steps: Sequence[Apply]) -> list[Piece]:
    terms = [operands[0].filled()]
    for step, operand in zip(steps, operands[1:], strict=True):
        term = operand.filled()
        terms.append(replace(term, value=-term.value, is_constant=False) if step.function.name == "-" else term)
    return terms


def _balanced(join: Callable[[Piece, Piece], Piece], terms: list[Piece]) -> Piece:
    """The terms two by two, so that a long chain does not nest deep."""
    while len(terms) > 1:
        pairs = [join(one, other) for one, other in zip(terms[::2], terms[1::2], strict=False)]
        terms = pairs + terms[len(terms) - len(terms) % 2 :]
    return terms[0]


def _formless(node: Apply | Chain) -> bool:
    uses = node.steps if isinstance(node, Chain) else (node,)
    return any(use.function.form is None or use.function.form(*givens(use)) is None for use in uses)


def _bound(value: Column) -> Any:
    """The value of a bind parameter."""
    if isinstance(value, BindParameter):
        if value.required:
            raise Individual
        return value.effective_value
    raise NoSqlForm(say("This formula needs the time or the member beforehand."))


__all__ = ["Clock", "NoSqlForm", "RowsSource", "Source", "WorldBinds", "to_sql"]
