"""Only a few modules touch people's tables; everything else goes through the door in runtime/access.py."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAY_TOUCH = {
    "runtime/tables.py": "builds them",
    "runtime/migrate.py": "makes their columns and indexes; reads no record",
    "runtime/access.py": "is the door",
    "runtime/sources.py": "gives formulas their columns, masked where there is a door",
    "runtime/rollups.py": "gathers what formulas aggregate, for runtime/sources.py",
    "runtime/query.py": "reads, always from a door",
    "runtime/matching.py": "finds and adds up what a door shows, for the steps of flows",
    "runtime/ordering.py": "sorts what a door shows, by what it shows",
    "runtime/searching.py": "finds in what a door shows, for runtime/query.py",
    "runtime/records.py": "writes, after the door has said yes",
    "runtime/rows.py": "reads and writes whole records for the writer",
    "runtime/recalculate.py": "keeps calculated fields right, as the system",
    "runtime/groups.py": "finds and keeps the groups that records are filed under, as the system",
    "runtime/conversion.py": "reads and writes the columns of a field that changes its type, as the system",
    "runtime/consequences.py": "counts, for a designer, what publishing would do",
    "runtime/answers.py": "reads what calculations ask beyond a link, as the system",
    "runtime/mentions.py": "counts and finds where records name a member or department, for who hands over or merges",
    "runtime/cascade.py": "finds what a deletion concerns for the writer; the door says what may be deleted",
    "runtime/verify.py": "compares stored calculations with fresh ones for the doctor, as the system",
    "runtime/importing.py": "names the id column in a query whose rows come from a door",
    "runtime/exporting.py": "hands the table to the door's own condition",
}
MODULES = sorted(p for top in ("runtime", "builder") for p in (ROOT / top).rglob("*.py"))


def touches(path: Path) -> bool:
    """Whether a module reaches for the tables of a LiveTable: `.sql.c`, `live.sql`, `.children[...]`."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Attribute) and node.value.attr == "children":
            return True
        if isinstance(node, ast.Attribute) and node.attr == "sql" and not called(node, path):
            return True
    return False


def called(attribute: ast.Attribute, path: Path) -> bool:
    """`source.sql(expression)` is a method of a source, not a table."""
    calls = (n for n in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(n, ast.Call))
    return any(
        isinstance(c.func, ast.Attribute)
        and c.func.attr == "sql"
        and (c.func.lineno, c.func.col_offset) == (attribute.lineno, attribute.col_offset)
        for c in calls
    )


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_people_s_tables_are_touched_only_by_those_that_have_a_reason(path: Path) -> None:
    name = path.relative_to(ROOT).as_posix()
    if name not in MAY_TOUCH:
        assert not touches(path), f"{name} must ask runtime/access.py or runtime/query.py"


@pytest.mark.parametrize("name", sorted(MAY_TOUCH))
def test_nobody_keeps_a_permission_that_is_not_used(name: str) -> None:
    assert touches(ROOT / name)
