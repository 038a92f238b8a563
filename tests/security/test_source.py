"""What no module of ours does, whatever it is for: read from the source itself, without running it."""

import ast
from functools import cache
from pathlib import Path

import pytest

from runtime.resources import SOURCE

ROOMS = ("schemas", "runtime", "builder")
OWN_PIPE = {"runtime/sheets.py", "runtime/workbook.py"}
"""A process of our own writes what another of ours reads, and nobody else can."""
MARKED = {
    "runtime/web/edge.py", "runtime/cells.py", "runtime/listing.py", "runtime/related.py", "runtime/codes.py", "builder/web/studio.py",
}  # fmt: skip
"""Where text is said to be markup: each of these escapes what it is given, or renders a template that does."""


@cache
def sources() -> dict[str, ast.Module]:
    files = [
        SOURCE / "cli.py",
        SOURCE / "wsgi.py",
        *(f for room in ROOMS for f in sorted((SOURCE / room).rglob("*.py"))),
    ]
    return {str(f.relative_to(SOURCE)): ast.parse(f.read_text("utf-8")) for f in files}


def called(name: str) -> list[tuple[str, ast.Call]]:
    """What a module calls, by the name that it is called by."""
    nodes = (node for node in ast.walk(sources()[name]) if isinstance(node, ast.Call))
    return [(_name(node.func), node) for node in nodes]


def _name(found: ast.expr) -> str:
    if isinstance(found, ast.Attribute):
        return f"{_name(found.value)}.{found.attr}"
    return found.id if isinstance(found, ast.Name) else ""


def test_nothing_that_people_say_is_run() -> None:
    """No eval, no exec, no shell, no template out of a text; what is read is data."""
    refused = {
        "eval",
        "exec",
        "os.system",
        "os.popen",
        "render_template_string",
        "from_string",
        "subprocess.getoutput",
        "__import__",
    }
    found = [
        f"{name}:{call.lineno} {what}" for name in sources() for what, call in called(name)
        if what in refused or what.endswith(".from_string") or any(k.arg == "shell" for k in call.keywords)
    ]  # fmt: skip
    assert found == []


def test_nothing_is_read_that_could_build_objects() -> None:
    refused = {"pickle", "marshal", "shelve", "yaml", "dill", "jsonpickle"}
    found = {
        name for name, tree in sources().items() for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        and {alias.name for alias in node.names} | {getattr(node, "module", "") or ""} & refused
        and refused & ({alias.name for alias in node.names} | {getattr(node, "module", "") or ""})
    }  # fmt: skip
    assert found == OWN_PIPE


def test_markup_is_made_in_few_places() -> None:
    found = {
        name for name, tree in sources().items() for what, _ in called(name) if what in ("Markup", "markupsafe.Markup")
    }
    assert found <= MARKED


def test_no_statement_is_put_together_from_what_people_say() -> None:
    """A statement of text holds, besides words of ours, only names that we have made: of schemas, tables and locks."""
    ours = {"schema", "records", "BATCH", "kind", "LOCK_TIMEOUT", "definitions.LOCK_TIMEOUT"}
    strange = []
    for name in sources():
        for what, call in called(name):
            if what not in ("text", "sql.text", "sqlalchemy.text", "literal_column") or not call.args:
                continue
            parts = [p for p in ast.walk(call.args[0]) if isinstance(p, ast.FormattedValue)]
            strange += [
                f"{name}:{call.lineno} {ast.unparse(p.value)}" for p in parts if ast.unparse(p.value) not in ours
            ]
    assert strange == []


PAYLOADS = [
    "{{7*7}}", "${7*7}", "<%= 7*7 %>", "#{7*7}", "{% for x in y %}", "{0.__class__}", "%(x)s", "{{''.__class__.__mro__}}",
    "{{lipsum.__globals__}}", "{__import__('os')}", "{x.__init__}", "{'a'.format(x)}", "{lambda: 1}", "{[x for x in y]}", "{a := 1}",
]  # fmt: skip


@pytest.mark.parametrize("line", PAYLOADS)
def test_a_text_with_formulas_is_no_template(line: str) -> None:
    """A brace opens one of our formulas, or the text is refused; nothing else is worked out, and no result once more."""
    from schemas.formula import FormulaError
    from schemas.wording import fill_in

    try:
        said = fill_in(line, lambda formula: "{other}{{7*7}}")
    except FormulaError:
        return
    assert "49" not in said
    assert said.count("{other}{{7*7}}") == line.count("{") - line.count("{{") * 2


def test_every_line_of_the_catalogue_has_its_test() -> None:
    """README.md says for each threat which test holds it, or why none does; the tests that it names are there."""
    import re

    told = (Path(__file__).parent / "README.md").read_text("utf-8")
    lines = {
        "AUTHN": 20, "CSRF": 5, "REDIR": 1, "CORS": 1, "HDR": 2, "DOOR": 40, "FLOW": 6, "PUB": 8, "SQL": 9, "SSTI": 3, "FX": 2,
        "XSS": 10, "CSV": 3, "MAIL": 1, "LOG": 2, "CMD": 1, "RX": 1, "XML": 1, "DES": 1, "LDAP": 1, "UNI": 1, "PROTO": 1, "PATH": 1,
        "TYPE": 1, "SSRF": 16, "UP": 17, "DOS": 22, "DEF": 14,
    }  # fmt: skip
    wanted = {f"{group}-{n:02}" for group, most in lines.items() for n in range(1, most + 1)}
    first = [
        row.split("|")[1].strip()
        for row in told.splitlines()
        if row.startswith("| ") and re.match(r"\| [A-Z]+-\d\d ", row)
    ]
    assert wanted - {id for cell in first for id in cell.split(" ")[:1]} == set()
    assert len(first) == len(set(first))
    tests = {p: p.read_text("utf-8") for p in (SOURCE / "tests").rglob("test_*.py")}
    names = {n for text in tests.values() for n in re.findall(r"def (test_\w+)", text)}
    named = set(re.findall(r"`(test_\w+)`", told))
    assert sorted(named - names) == []
    known = {p.name for p in tests}
    files = set(re.findall(r"`((?:tests/)?[\w/]*test_\w+\.py)`", told))
    assert sorted(f for f in files if not (SOURCE / f).exists() and f not in known) == []
