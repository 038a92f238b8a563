"""Texts with formulas in braces: `{no} was paid on {paid_on}`, with a format after a bar: `{total|#,##0.00}`."""

from collections.abc import Callable
from functools import cache

from schemas.formula import Formula, FormulaError
from schemas.messages import say


@cache
def parts_of(line: str) -> tuple[str | Formula, ...]:
    """The text as plain parts and formulas; `{{` and `}}` stand for braces. Raises FormulaError."""
    parts: list[str | Formula] = []
    plain, at = "", 0
    while at < len(line):
        if line[at : at + 2] in ("{{", "}}"):
            plain, at = plain + line[at], at + 2
        elif line[at] == "{":
            end = _closing(line, at)
            parts += [plain, formatted(line[at + 1 : end])]
            plain, at = "", end + 1
        else:
            plain, at = plain + line[at], at + 1
    return tuple(part for part in (*parts, plain) if part != "")


def formatted(inner: str) -> Formula:
    """What stands between braces: a formula, or one with a format, which becomes a text. Raises FormulaError."""
    source, format = _parted(inner)
    if format is None:
        return Formula.of(source)
    if format == CAPITALS:
        return Formula.of(f"RMBCAP({source})")
    quoted = format.replace('"', '""')
    return Formula.of(f'TEXT({source}, "{quoted}")')


CAPITALS = "capitals"
"""The format of an amount in Chinese capitals."""


def _parted(inner: str) -> tuple[str, str | None]:
    """A formula and its format, if there is one: what stands after the last bar that is in no quotes."""
    bars = [at for at, sign in enumerate(inner) if sign == "|" and inner[:at].count('"') % 2 == 0]
    return (inner[: bars[-1]].strip(), inner[bars[-1] + 1 :].strip()) if bars else (inner, None)


def _closing(line: str, start: int) -> int:
    """Where the brace opened at `start` closes; inside are array literals, and text in quotes."""
    depth, quoted = 0, False
    for at in range(start, len(line)):
        if line[at] == '"':
            quoted = not quoted
        elif not quoted and line[at] in "{}":
            depth += 1 if line[at] == "{" else -1
            if depth == 0:
                return at
    raise FormulaError(say("a brace is opened but not closed"), start)


def fill_in(line: str, shown: Callable[[Formula], str]) -> str:
    """The text with every formula replaced by what `shown` says of it."""
    return "".join(part if isinstance(part, str) else shown(part) for part in parts_of(line))
