"""The runtime is general: what bundled apps are about is written in their packages and nowhere else."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from builder import bundle

ROOT = Path(__file__).parents[2]
# Words of every trade, or of ours: a contract test, a quoted text, the product of two numbers.
TRADE = {"contract", "contact", "director", "finance", "lead", "payment", "product", "quote"}
# The small app is what docstrings and tests take their examples from.
EXAMPLES = {"auditor", "cashier", "cfo", "claim", "department_head", "expense", "purchase_order"}
CHINESE = {"报销", "报销单", "采购订单", "出纳", "财务总监", "财务", "产品", "合同", "联系人", "部门主管"}
CHINESE |= {"审计员", "总经理", "法务"}
GENERAL = TRADE | EXAMPLES | CHINESE
OURS = (
    "*.py", "schemas/**/*.py", "runtime/**/*.py", "builder/**/*.py", "tests/**/*.py", "bench/**/*.py",
    "templates/**/*.html", "static/**/*.js", "static/**/*.css", "Makefile",
)  # fmt: skip
LOOKED_FOR = ("crm", "expense")
"""The other apps are about tasks, orders and days, of which every program speaks."""
NAMED_BY_COMMANDS = {"Makefile", "cli.py"}
"""These may say which app to install; what is inside it is no business of theirs either."""


def words_of(package: dict[str, Any]) -> set[str]:
    """An app's id, and the ids and Chinese titles of its tables, roles and slots, without general words."""
    things = [thing for kind in ("tables", "roles", "slots") for thing in package.get(kind, ())]
    titles = {thing["title"]["zh"] for thing in things if isinstance(thing.get("title"), dict)}
    return {package["app"], *(thing["id"] for thing in things), *titles} - GENERAL


def pattern_of(word: str) -> str:
    """The word alone or in the plural; Chinese has no spaces between words."""
    if not word.isascii():
        return re.escape(word)
    stem = f"{word[:-1]}(?:y|ies)" if word.endswith("y") else f"{word}s?"
    return rf"(?<![A-Za-z]){stem}(?![A-Za-z])"


def files() -> Iterator[Path]:
    found = {path for pattern in OURS for path in ROOT.glob(pattern)}
    # A story in the browser is told of a bundled app, as its users would tell it.
    apart = {ROOT / "tests" / "stories", ROOT / "tests" / "vendor", ROOT / "static" / "vendor"}
    return (path for path in sorted(found) if not apart & {*path.parents} and path.name != Path(__file__).name)


def pattern() -> re.Pattern[str]:
    words = {word for app in LOOKED_FOR for word in words_of(bundle.read(bundle.bundled()[app]))}
    return re.compile("|".join(pattern_of(word) for word in sorted(words)), re.IGNORECASE)


FORBIDDEN = pattern()


@pytest.mark.parametrize("path", list(files()), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_app_is_spoken_of(path: Path) -> None:
    named = {*LOOKED_FOR} if path.name in NAMED_BY_COMMANDS else set()
    found = {match.group().casefold() for match in FORBIDDEN.finditer(path.read_text(encoding="utf-8"))}
    assert not found - named, f"words of an app: {', '.join(sorted(found - named))}"


def test_there_are_words_to_look_for() -> None:
    package = bundle.read(bundle.bundled()["expense"]) | {"tables": [{"id": "spaceship"}, {"id": "galaxy"}]}
    patterns = [pattern_of(word) for word in sorted(words_of(package))]
    assert [bool(re.search(p, "two galaxies, one spaceship")) for p in patterns] == [True, True]
    assert not any(re.search(p, "a spaceshipment") for p in patterns)
    assert FORBIDDEN.pattern.count("|") > 10
