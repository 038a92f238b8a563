"""Texts in PostgreSQL: taken apart, put together, numbers and dates in a format."""

from typing import TYPE_CHECKING, Any

from sqlalchemy import DateTime, Numeric, Text, and_, case, cast, extract, func, literal, or_

from runtime.sql_convert import blank_filled, local, read_as
from runtime.sql_forms import form
from runtime.sql_operations import Column, Piece, any_error, fold, integer, nothing_if_empty, strict
from schemas.formula.functions.formats import CHINESE_DAYS, DAYS, MONTHS
from schemas.formula.values import LONGEST_TEXT

if TYPE_CHECKING:
    from runtime.expressions import Argument, Renderer, Use

CONTROLS = "".join(map(chr, range(1, 32)))


@strict("ends_with", "boolean")
def _ends_with(x: Column, what: Column) -> Column:
    return func.right(fold(x), func.char_length(what)) == fold(what)


@strict("code_point", "number")
def _code_point(x: Column) -> Column:
    return cast(func.ascii(x), Numeric())


@strict("is_empty", "boolean")
def _is_empty(x: Column) -> Column:
    return x == literal("", Text())


@strict("less_than_one", "boolean")
def _less_than_one(x: Column) -> Column:
    return x < 1


@strict("either", "boolean")
def _either(x: Column, y: Column) -> Column:
    return or_(x, y)


@strict("without_controls", "text")
def _without_controls(x: Column) -> Column:
    return nothing_if_empty(func.translate(x, literal(CONTROLS, Text()), literal("", Text()), type_=Text()))


@strict("replace_at", "text")
def _replace_at(x: Column, start: Column, count: Column, new: Column) -> Column:
    first, length = integer(start, 1), integer(count, 0)
    return nothing_if_empty(func.concat(func.left(x, first - 1), new, func.substr(x, first + length)))


@strict("repeated", "text")
def _repeated(x: Column, times: Column) -> Column:
    held = func.char_length(x) * integer(times, 0) <= LONGEST_TEXT
    return nothing_if_empty(case((held, func.repeat(x, integer(times, 0)))))


@strict("not_repeated", "boolean")
def _not_repeated(x: Column, times: Column) -> Column:
    return or_(times < 0, cast(func.char_length(x), Numeric()) * func.trunc(times) > LONGEST_TEXT)


@strict("before", "text")
def _before(x: Column, mark: Column) -> Column:
    return nothing_if_empty(func.left(x, func.greatest(func.strpos(x, mark) - 1, 0)))


@strict("after", "text")
def _after(x: Column, mark: Column) -> Column:
    return nothing_if_empty(func.substr(x, func.strpos(x, mark) + func.char_length(mark)))


@strict("unmarked", "boolean")
def _unmarked(x: Column, mark: Column) -> Column:
    return or_(mark == literal("", Text()), func.strpos(x, mark) == 0)


@form("concat_between")
def concat_between(renderer: "Renderer", use: "Use", separator: Any, skip: bool, *values: "Argument") -> Piece:
    between = renderer.sql(separator, use)
    pieces = [blank_filled(read_as(v.one(), "text", renderer.clock), "text") for v in values]
    texts = [nothing_if_empty(p.value) if skip else p.value for p in pieces]
    joined = func.concat_ws(between.value, *texts, type_=Text())
    return Piece(nothing_if_empty(joined), any_error(between, *pieces), "text")


# -- numbers ---------------------------------------------------------------------------------------


def with_places(number: Column, places: int, grouped: bool) -> Column:
    """A number that is rounded already, written with so many decimals."""
    written = cast(func.round(number, max(places, 0), type_=Numeric()), Text())
    if not grouped:
        return written
    whole = func.regexp_replace(func.split_part(written, ".", 1), r"(\d)(?=(\d{3})+$)", r"\1,", "g", type_=Text())
    return func.concat(whole, ".", func.split_part(written, ".", 2), type_=Text()) if places > 0 else whole


@form("fixed")
def fixed(renderer: "Renderer", use: "Use", value: Any, places: str, grouped: bool) -> Piece:
    piece = renderer.sql(value, use)
    rounded = func.round(piece.value, int(places), type_=Numeric())
    return Piece(with_places(rounded, int(places), grouped), piece.error, "text")


@form("number_text")
def number_text(
    renderer: "Renderer", use: "Use", value: Any, before: str, places: str, grouped: bool, percent: bool
) -> Piece:
    """`¥#,##0.00` and its kind: a sign, what stands before, the digits, perhaps a percent sign."""
    piece = renderer.sql(value, use)
    number = piece.value * 100 if percent else piece.value
    size = func.round(func.abs(number), int(places), type_=Numeric())
    minus = case((and_(number < 0, size > 0), "-"), else_="")
    text = func.concat(minus, before, with_places(size, int(places), grouped), "%" if percent else "", type_=Text())
    return Piece(text, piece.error, "text")


# -- dates -----------------------------------------------------------------------------------------

PICTURES = {
    ("y", 1): "YY", ("y", 2): "YY", ("m", 1): "FMMM", ("m", 2): "MM", ("d", 1): "FMDD", ("d", 2): "DD",
    ("h", 1): "FMHH24", ("h", 2): "HH24", ("n", 1): "FMMI", ("n", 2): "MI", ("s", 1): "FMSS", ("s", 2): "SS",
}  # fmt: skip


@form("date_text")
def date_text(renderer: "Renderer", use: "Use", value: Any, *parts: str) -> Piece:
    """A date in parts: `=` and a text as it stands, or a code of the format; nothing for a blank."""
    piece = renderer.sql(value, use)
    shown: Column = cast(local(piece, renderer.clock), DateTime())
    half = func.make_interval(0, 0, 0, 0, 0, 0, 0.5)
    shown = func.date_trunc("second", shown.op("+")(half), type_=DateTime()) if piece.kind == "datetime" else shown
    texts = [literal(p[1:], Text()) if p[0] == "=" else _coded(p, shown) for p in parts]
    return Piece(case((piece.value.is_not(None), func.concat(*texts, type_=Text()))), piece.error, "text")


def _coded(code: str, moment: Column) -> Column:
    letter, size = code[0], len(code)
    picture = PICTURES.get((letter, size))
    if picture:
        return func.to_char(moment, literal(picture, Text()), type_=Text())
    if letter == "y":
        return func.to_char(moment, literal("YYYY", Text()), type_=Text())
    if letter in "hns":
        return _coded(letter * 2, moment)
    if letter == "m":
        return _named(extract("month", moment), [m[0] if size == 5 else m[:3] if size == 3 else m for m in MONTHS])
    if letter == "d":
        return _named(extract("isodow", moment), [d[:3] if size == 3 else d for d in DAYS])
    return _named(extract("isodow", moment), [("星期" if size == 4 else "") + d for d in CHINESE_DAYS])


def _named(number: Column, names: list[str]) -> Column:
    return case(*((number == n, literal(name, Text())) for n, name in enumerate(names, 1)), else_=literal("", Text()))
