"""Rendered values read as another kind, as schemas/formula/coerce.py does it."""

from dataclasses import replace
from typing import Any

from sqlalchemy import (
    BindParameter,
    Boolean,
    ColumnElement,
    Date,
    DateTime,
    Numeric,
    Text,
    and_,
    case,
    cast,
    func,
    literal,
    not_,
    or_,
    type_coerce,
)

from runtime.sql_operations import SQL_TYPES, Piece, Turned, fold, numeric
from schemas.formula.values import ONE, ZERO

Column = ColumnElement[Any]


def settled(piece: Piece) -> Column:
    """The value, NULL where it is an error."""
    return piece.value if piece.error is None else case((not_(piece.error), piece.value))


def zone_of(clock: Any) -> Column:
    zone = clock.zone
    return zone if isinstance(zone, ColumnElement) else literal(str(zone), Text())


def local(piece: Piece, clock: Any) -> Column:
    """What the workspace's clock shows at a moment; a date stays."""
    if piece.kind == "datetime":
        return func.timezone(zone_of(clock), piece.value, type_=DateTime())
    return piece.value


def day(piece: Piece, clock: Any) -> Piece:
    if piece.kind != "datetime":
        return piece
    return replace(piece, value=cast(local(piece, clock), Date()), kind="date", is_constant=False)


def moment(piece: Piece, clock: Any) -> Piece:
    """A date as its first moment in the workspace's zone."""
    if piece.kind != "date":
        return piece
    value = func.timezone(zone_of(clock), cast(piece.value, DateTime()), type_=DateTime(timezone=True))
    return replace(piece, value=value, kind="datetime", is_constant=False)


def read_as(piece: Piece, kind: str, clock: Any) -> Piece:
    """The piece as a parameter of this kind takes it; a blank stays NULL."""
    if piece.kind in (kind, "blank", "any"):
        return piece
    match kind:
        case "number" if piece.kind == "boolean":
            value = case((piece.value, literal(ONE, Numeric())), (not_(piece.value), literal(ZERO, Numeric())))
            return Piece(value, piece.error, "number", 1, 0)
        case "text":
            return replace(
                piece,
                value=text_of(piece, clock),
                kind="text",
                is_constant=piece.is_constant and piece.kind == "choice",
            )
        case "boolean" if piece.kind == "number":
            return Piece(piece.value != 0, piece.error, "boolean")
        case "date":
            return day(piece, clock)
        case "datetime":
            return moment(piece, clock)
    return piece


def text_of(piece: Piece, clock: Any) -> Column:
    match piece.kind:
        case "number":
            return cast(func.trim_scale(numeric(piece.value)), Text())
        case "boolean":
            return case((piece.value, literal("TRUE", Text())), (not_(piece.value), literal("FALSE", Text())))
        case "date":
            return func.to_char(piece.value, literal("YYYY-MM-DD", Text()), type_=Text())
        case "datetime":
            return func.to_char(local(piece, clock), literal("YYYY-MM-DD HH24:MI:SS", Text()), type_=Text())
        case "text" | "choice":
            return piece.value
    return cast(piece.value, Text())


def blank_filled(piece: Piece, kind: str) -> Piece:
    """0, the empty text or FALSE instead of NULL."""
    if piece.kind != "blank" and (piece.is_constant or piece.total):
        return piece
    match kind:
        case "number":
            zero = literal(ZERO, Numeric())
            return replace(
                piece,
                value=zero if piece.kind == "blank" else func.coalesce(piece.value, zero, type_=Numeric()),
                kind=kind,
                total=True,
            )
        case "text":
            empty = literal("", Text())
            return replace(
                piece,
                value=empty if piece.kind == "blank" else func.coalesce(piece.value, empty, type_=Text()),
                kind=kind,
            )
        case "boolean":
            return replace(piece, value=type_coerce(piece.value, Boolean()).is_(True), kind=kind, total=True)
    return piece


def blank(piece: Piece) -> Column:
    """Whether there is no value. A failed value is not blank, but an error."""
    if piece.kind == "blank":
        return literal(True, Boolean()).is_(True)
    return piece.value.is_(None)


def alike(one: Piece, other: Piece, clock: Any, folded: bool) -> tuple[Piece, Piece]:
    """Two pieces in a form in which SQL compares them as formulas do."""
    if {one.kind, other.kind} == {"date", "datetime"}:
        return moment(one, clock), moment(other, clock)
    if not folded or not {one.kind, other.kind} & {"text", "choice"}:
        return one, other
    return replace(one, value=fold(one.value)), replace(other, value=fold(other.value))


def same(one: Piece, other: Piece, clock: Any, folded: bool) -> Column:
    """Equality as formulas mean it; never NULL. With a constant it is plain, so that an index serves."""
    if one.kind == "blank":
        one, other = other, one
    if other.kind == "blank":
        return blank(one) if one.kind != "boolean" else not_(blank_filled(one, "boolean").value)
    if "boolean" in (one.kind, other.kind):
        return blank_filled(one, "boolean").value.is_not_distinct_from(blank_filled(other, "boolean").value)
    for piece, given in ((one, other), (other, one)):
        whole = piece.beyond if piece.beyond and piece.beyond.value is piece.value and _given(given) else None
        if whole and (turned := whole.turned()):
            return _turned(piece, turned, given, clock, folded)
    letters = not any(p.is_constant and not _has_letters(p.constant) for p in (one, other))
    one, other = alike(one, other, clock, folded and letters)
    if one.is_constant and other.is_constant:
        return one.value == other.value
    if one.is_constant:
        one, other = other, one
    if other.is_constant:
        return and_(one.value == other.value, one.value.is_not(None))
    if isinstance(other.value, BindParameter):
        one, other = other, one
    if isinstance(one.value, BindParameter):
        return or_(and_(other.value == one.value, other.value.is_not(None)), _neither(one, other))
    return one.value.is_not_distinct_from(other.value)


def _given(piece: Piece) -> bool:
    """Whether a piece is the same for every record."""
    return piece.is_constant or isinstance(piece.value, BindParameter)


def _turned(piece: Piece, turned: Turned, given: Piece, clock: Any, folded: bool) -> Column:
    """Equality of a value behind a link: the records that have it are found once, not asked for every link."""
    found = and_(turned.link.is_not(None), turned.link.in_(turned.ids(same(turned.value, given, clock, folded))))
    return found if given.is_constant else or_(found, _neither(given, piece))


def _neither(given: Piece, piece: Piece) -> Column:
    """Nothing equals nothing."""
    return and_(given.value.is_(None), piece.value.is_(None))


def _has_letters(value: Any) -> bool:
    return isinstance(value, str) and any(c.isascii() and c.isalpha() for c in value)


def ordered(sign: str, one: Piece, other: Piece, clock: Any) -> Column:
    """A comparison of size; FALSE where a side is blank."""
    if "blank" in (one.kind, other.kind):
        return literal(False, Boolean()).is_(True)
    one, other = alike(one, other, clock, True)
    compared = one.value.bool_op(sign)(other.value)
    return and_(compared, *(p.value.is_not(None) for p in (one, other) if not p.is_constant))


def as_kind(piece: Piece, kind: str, clock: Any) -> Piece:
    """A branch's value as the whole expression's kind."""
    if piece.kind == "blank":
        typed = SQL_TYPES.get(kind)
        return piece if typed is None else replace(piece, value=cast(piece.value, typed))
    if kind == "datetime":
        return moment(piece, clock)
    if kind == "text" and piece.kind != "choice":
        return read_as(piece, "text", clock)
    return piece
