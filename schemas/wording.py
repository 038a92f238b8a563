"""Texts with formulas in braces: `{no} was paid on {paid_on}`."""

from collections.abc import Callable, Iterator
from functools import cache

from schemas.formula import Formula, FormulaError
from schemas.messages import say
from schemas.text import Text


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
            parts += [plain, Formula.of(line[at + 1 : end])]
            plain, at = "", end + 1
        else:
            plain, at = plain + line[at], at + 1
    return tuple(part for part in (*parts, plain) if part != "")


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


def formulas_in(text: Text) -> Iterator[Formula]:
    """Every formula in a text, whatever the language; none of a line that cannot be read."""
    for line in text.by_language.values():
        try:
            yield from (part for part in parts_of(line) if isinstance(part, Formula))
        except FormulaError:
            continue
