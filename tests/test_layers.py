"""Imports point one way: builder -> runtime -> schemas; flask stays at the doors, schemas has no hands."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = {"schemas", "runtime", "builder", "cli", "wsgi", "apps", "bench", "tests"}
DATABASE = {"sqlalchemy", "psycopg", "psycopg_pool", "procrastinate"}
DOORS = {"flask", "flask_babel", "werkzeug"}
WATCHED = ROOMS | DATABASE | DOORS | {"marshmallow"}
MAY_IMPORT = {
    "schemas": {"schemas", "marshmallow"},
    "runtime": {"runtime", "schemas"} | DATABASE,
    "runtime/web": {"runtime", "schemas", "marshmallow"} | DOORS,
    "builder": {"builder", "runtime", "schemas"},
    "builder/web": {"builder", "runtime", "schemas"} | DOORS,
}
DECIDING_NEEDS = {"chinese_calendar", "marshmallow", "nh3", "re2", "schemas"}
HANDS = {
    "asyncio", "fcntl", "glob", "http", "importlib.resources", "io", "logging", "multiprocessing", "os",
    "pathlib", "platform", "queue", "random", "secrets", "shutil", "smtplib", "socket", "sqlite3", "ssl",
    "subprocess", "tempfile", "threading", "time", "urllib.request",
}  # fmt: skip
CHANCE = {
    ("datetime", "now"), ("datetime", "today"), ("datetime", "utcnow"), ("date", "today"),
    ("uuid", "uuid1"), ("uuid", "uuid4"), ("uuid", "uuid7"),
}  # fmt: skip

modules = [path for room in ("schemas", "runtime", "builder") for path in sorted((ROOT / room).rglob("*.py"))]


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def room_of(path: Path) -> str:
    folder = path.relative_to(ROOT).parent.as_posix()
    return max((room for room in MAY_IMPORT if f"{folder}/".startswith(f"{room}/")), key=len)


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{named(path)} imports relatively; name the module in full"
            yield node.module or ""
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize("path", modules, ids=named)
def test_imports_point_one_way(path: Path) -> None:
    packages = {module.split(".")[0] for module in imported(path)}
    strays = packages & WATCHED - MAY_IMPORT[room_of(path)]
    assert not strays, f"{room_of(path)} may not import {', '.join(sorted(strays))}"


@pytest.mark.parametrize("path", [path for path in modules if room_of(path) == "schemas"], ids=named)
def test_deciding_is_pure(path: Path) -> None:
    modules = set(imported(path))
    packages = {module.split(".")[0] for module in modules}
    foreign = packages - DECIDING_NEEDS - sys.stdlib_module_names
    assert not foreign, f"schemas decides without {', '.join(sorted(foreign))}"
    hands = (modules | packages) & HANDS - only_in_memory(path)
    assert not hands, f"schemas has no hands: {', '.join(sorted(hands))}"
    chance = list(taken_by_chance(path))
    assert not chance, f"{named(path)} uses {', '.join(chance)}; take it as an argument"


def only_in_memory(path: Path) -> set[str]:
    """`io`, where nothing but BytesIO is taken from it: bytes that are read as if they were a file."""
    tree = ast.walk(ast.parse(path.read_text()))
    taken = [[a.name for a in node.names] for node in tree if isinstance(node, ast.ImportFrom) and node.module == "io"]
    return (
        {"io"}
        if taken and all(names == ["BytesIO"] for names in taken) and "import io\n" not in path.read_text()
        else set()
    )


def taken_by_chance(path: Path) -> Iterator[str]:
    """Moments and random ids that the module makes up itself."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{a.name}" for a in node.names if (node.module, a.name) in CHANCE)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name | ast.Attribute):
            owner = node.value.id if isinstance(node.value, ast.Name) else node.value.attr
            if (owner, node.attr) in CHANCE:
                yield f"{owner}.{node.attr}"
