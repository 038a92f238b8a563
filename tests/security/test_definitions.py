"""Hostile definitions: on every way in each gets a problem with its path, changes nothing, and is never a failure of ours."""

import io
import json
import re
import stat
import zipfile
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from builder import bundle
from builder.check import problems_of
from runtime import definitions
from schemas.fields import field_types
from tests.runtime.conftest import Shop
from tests.web.conftest import Person

SMALL: dict[str, Any] = {
    "language": 1,
    "app": "evil",
    "title": "Evil",
    "slots": [{"id": "cashier"}],
    "roles": [{"id": "clerk"}],
    "tables": [
        {
            "id": "book",
            "fields": [
                {"id": "title", "type": "text", "required": True},
                {"id": "price", "type": "number", "minimum": 0},
                {"id": "twice", "type": "formula", "formula": "price * 2"},
                {"id": "kind", "type": "choice", "options": [{"id": "novel"}]},
                {"id": "copies", "type": "rows", "fields": [{"id": "place", "type": "text"}]},
            ],
        }
    ],
    "forms": [{"id": "book", "table": "book"}],
    "views": [{"id": "all", "table": "book", "columns": ["title"]}],
    "dashboards": [
        {"id": "all", "widgets": [{"id": "n", "type": "number", "table": "book", "measure": "COUNT()"}]},
    ],
    "access": [{"id": "read", "who": {"role": "clerk"}, "table": "book", "do": ["read"]}],
}  # fmt: skip

Edit = Callable[[dict[str, Any]], Any]
HUGE = json.loads("1e300")


def book(made: dict[str, Any]) -> dict[str, Any]:
    return made["tables"][0]  # type: ignore[no-any-return]


def with_field(**options: Any) -> Edit:
    return lambda made: book(made)["fields"].append({"id": "odd", "type": "text", **options})


def option(n: int, **options: Any) -> Edit:
    return lambda made: book(made)["fields"][n].update(options)


def at_top(**parts: Any) -> Edit:
    return lambda made: made.update(parts)


def formula(text: str) -> Edit:
    return option(2, formula=text)


def nested(levels: int) -> Any:
    made: Any = "x"
    for _ in range(levels):
        made = {"group": made}
    return made


WRONG_TYPES = {"a list": [], "a number": 7, "a text": "x", "null": None, "true": True, "a list of null": [None],
               "an object": {"a": 1}, "a list of lists": [[[]]], "a list of numbers": [7]}  # fmt: skip
INJECTION = "'; DROP TABLE x; --"

HOSTILE: dict[str, tuple[Edit, str, str]] = {
    "a formula that reads itself": (formula("twice + 1"), "tables[0].fields[2].formula", "twice"),
    "a circle of two": (
        lambda made: book(made)["fields"].__setitem__(slice(2, 3), [
            {"id": "twice", "type": "formula", "formula": "thrice + 1"}, {"id": "thrice", "type": "formula", "formula": "twice + 1"}]),
        "tables[0].fields[2].formula", "book › thrice → book › twice"),
    "10,000 terms": (formula("+".join(["price"] * 10_000)), "tables[0].fields[2].formula", "at most"),
    "6,000 short terms": (formula("+".join(["1"] * 6_000)), "tables[0].fields[2].formula", "at most"),
    "5,000 parentheses": (formula("(" * 5_000 + "1" + ")" * 5_000), "tables[0].fields[2].formula", "at character"),
    "a formula of nothing": (formula(""), "tables[0].fields[2].formula", "at character"),
    "a formula of an injection": (formula(INJECTION), "tables[0].fields[2].formula", "at character"),
    "a formula of Python": (formula("__import__('os').system('x')"), "tables[0].fields[2].formula", "at character"),
    "a formula over nothing": (formula("nothing + 1"), "tables[0].fields[2].formula", "nothing"),
    "an unknown option": (option(1, minimun=1), "tables[0].fields[1]", "unknown option 'minimun' (did you mean 'minimum'?)"),
    "an unknown option of the app": (at_top(tabels=[]), "", "unknown option 'tabels' (did you mean 'tables'?)"),
    "an unknown type": (option(1, type="numbr"), "tables[0].fields[1]", "number"),
    "a type that is a list": (option(1, type=["number"]), "tables[0].fields[1]", ""),
    "an id of SQL": (option(1, id=INJECTION), "tables[0].fields[1].id", "is not an id"),
    "an app of SQL": (at_top(app=INJECTION), "app", "is not an id"),
    "a table of SQL": (lambda made: book(made).update(id='x"; DROP TABLE t;--'), "tables[0].id", "is not an id"),
    "an id in Chinese": (option(1, id="价格"), "tables[0].fields[1].id", "is not an id"),
    "a path as an id": (lambda made: book(made).update(id="../../etc"), "tables[0].id", "is not an id"),
    "an id of 10,000 letters": (option(1, id="x" * 10_000), "tables[0].fields[1].id", "is not an id"),
    "a reserved id": (option(1, id="true"), "tables[0].fields[1].id", "reserved"),
    "an id of ours": (option(1, id="created_at"), "tables[0].fields", "'created_at' is a reserved word"),
    "the id of every record": (option(1, id="id"), "tables[0].fields", "'id' is a reserved word"),
    "a field twice": (option(1, id="title"), "tables[0].fields[1]", "twice"),
    "a table twice": (lambda made: made["tables"].append(deepcopy(book(made))), "tables[1]", "twice"),
    "a form of nothing": (lambda made: made["forms"][0].update(table="nothing"), "forms[0].table", "nothing"),
    "a view of nothing": (lambda made: made["views"][0].update(columns=["nothing"]), "views[0].columns", "nothing"),
    "a link to nothing": (with_field(type="link", table="nothing"), "tables[0].fields[5].table", "nothing"),
    "a right of nobody": (lambda made: made["access"][0].update(who={"role": "nobody"}), "access[0].who", "nobody"),
    "a right on nothing": (lambda made: made["access"][0].update(table="nothing"), "access[0].table", "nothing"),
    "a minimum of 1e300": (option(1, minimum=HUGE), "tables[0].fields[1].minimum", "number"),
    "a minimum of 1e999999999": (option(1, minimum="1e999999999"), "tables[0].fields[1].minimum", "number"),
    "a minimum of 1e-999999999": (option(1, minimum="1e-999999999"), "tables[0].fields[1].minimum", "number"),
    "a minimum of NaN": (option(1, minimum="NaN"), "tables[0].fields[1].minimum", "number"),
    "a minimum without end": (option(1, minimum="-Infinity"), "tables[0].fields[1].minimum", "number"),
    "a minimum of 400 digits": (option(1, minimum=10**400), "tables[0].fields[1].minimum", "number"),
    "a minimum that is true": (option(1, minimum=True), "tables[0].fields[1].minimum", "number"),
    "10,000 fields": (lambda made: book(made).update(fields=[{"id": f"f{n}", "type": "text"} for n in range(10_000)]), "tables[0].fields",
                      "at most"),
    "10,000 options": (option(3, options=[{"id": f"o{n}"} for n in range(10_000)]), "tables[0].fields[3].options", "at most"),
    "a label of 100,000 characters": (option(1, label="x" * 100_000), "tables[0].fields[1].label", "at most"),
    "a label in no language": (option(1, label={"<script>": "x"}), "tables[0].fields[1].label", "is not a language code"),
    "navigation 100 levels deep": (at_top(navigation=nested(100)), "", ""),
    "a catastrophic pattern that cannot be read": (with_field(pattern="(a+"), "tables[0].fields[5].pattern", ""),
    "a slot without an id": (at_top(slots=[{}]), "slots[0].id", ""),
    "a slot whose id is a list": (at_top(slots=[{"id": []}]), "slots[0].id", "is not an id"),
    "a slot of another kind": (at_top(slots=[{"id": "x", "type": {}}]), "slots[0].type", ""),
    "another version of the language": (at_top(language=99), "language", "whole number"),
}  # fmt: skip
for part in (
    "slots",
    "roles",
    "tables",
    "forms",
    "views",
    "flows",
    "dashboards",
    "access",
    "navigation",
    "requires",
    "title",
    "app",
):
    for name, value in WRONG_TYPES.items():
        fine = (
            (value == [] and part not in ("app", "title", "requires"))
            or (part == "title" and value == "x")
            or (part == "app" and value == "x")
            or (part == "requires" and value == {"a": 1})
        )
        if not fine:
            HOSTILE[f"{part} is {name}"] = (at_top(**{part: value}), part, "")
THROUGH_THE_BROWSER = [
    name for name in HOSTILE if " is " not in name or name.startswith(("slots", "title", "roles", "tables"))
]


def hostile(name: str) -> dict[str, Any]:
    made = deepcopy(SMALL)
    HOSTILE[name][0](made)
    return made


def zip_of(files: dict[str, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def packed(package: dict[str, Any]) -> bytes:
    """The package as its zip file, where its parts let themselves be put into files at all."""
    manifest, files = dict(package), {}
    for kind in bundle.KINDS:
        parts = package.get(kind)
        if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
            continue
        ids = [str(part.get("id", n)) for n, part in enumerate(parts)]
        names = [id if re.fullmatch(r"[a-z_]{1,40}", id) else f"n{n}" for n, id in enumerate(ids)]
        files |= {f"{kind}/{name}.json": json.dumps(part) for name, part in zip(names, parts, strict=True)}
        manifest[kind] = names
    return zip_of({"manifest.json": json.dumps(manifest), **files})


# -- by the command --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", HOSTILE)
def test_the_check_names_the_place_of_what_is_wrong(name: str, tmp_path: Path) -> None:
    file = tmp_path / "app.json"
    file.write_text(json.dumps(hostile(name)))
    _, path, words = HOSTILE[name]
    found = [(p.path, str(p.message)) for p in problems_of(file) if p.severity == "error"]
    assert any(at.startswith(path) and words in text for at, text in found), found[:5]


def test_what_the_hostile_ones_were_made_from_is_sound(tmp_path: Path) -> None:
    (tmp_path / "app.json").write_text(json.dumps(SMALL))
    assert problems_of(tmp_path / "app.json") == []


RAW: dict[str, bytes] = {
    "nothing": b"", "a list": b"[]", "a text": b'"x"', "null": b"null",
    "not UTF-8": b'{"app": "\xff\xfe"}', "UTF-16": '{"app": "x"}'.encode("utf-16"),
    "100,000 levels": b"[" * 100_000, "a NUL": b'{"app": "a\\u0000"}', "half a character": b'{"app": "\\ud800"}',
    "NaN": b'{"language": NaN}',
    "1e999999999": b'{"language": 1e999999999}', "5,000 digits": b'{"language": ' + b"9" * 5_000 + b"}",
    "a key twice": b'{"app": "a", "app": "b"}',
    "a comment": b"{} // x", "a picture": b"\x89PNG\r\n\x1a\n", "Python": b"{'app': 1}",
}  # fmt: skip


@pytest.mark.parametrize("content", RAW.values(), ids=RAW.keys())
def test_what_is_no_definition_is_told(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "app.json").write_bytes(content)
    assert [p.severity for p in problems_of(tmp_path / "app.json")][:1] == ["error"]


def test_a_link_or_a_strange_file_in_a_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").symlink_to("/etc/passwd")
    assert "links are not followed" in str(problems_of(tmp_path)[0].message)
    assert "no such folder" in str(problems_of(tmp_path / "gone")[0].message)


# -- by a zip file ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shop(make_shop: Callable[..., Shop]) -> Shop:
    return make_shop()


@pytest.fixture(scope="module")
def boss(shop: Shop, sign_in: Any) -> Person:
    return sign_in(shop, "boss")  # type: ignore[no-any-return]


def apps(shop: Shop) -> list[tuple[str, int]]:
    with shop.opened() as ctx:
        return sorted((inst.slug, inst.revision) for inst in definitions.all_installed(ctx))


def install(boss: Person, content: bytes, name: str = "x.zip") -> Any:
    return boss.post("/build/install", {"file": (io.BytesIO(content), name)})


def told(answer: Any) -> str:
    """The first problem on the page."""
    return "".join(re.findall(r'class="note error"[^>]*>(.*?)</div>', answer.text, re.DOTALL)[:1])


@pytest.mark.parametrize("name", THROUGH_THE_BROWSER)
def test_a_hostile_package_is_not_installed(shop: Shop, boss: Person, name: str) -> None:
    before = apps(shop)
    answer = install(boss, packed(hostile(name)))
    assert answer.status_code == 422, answer.text[:500]
    assert "note error" in answer.text
    assert apps(shop) == before


def linked() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        entry = zipfile.ZipInfo("manifest.json")
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(entry, "/etc/passwd")
    return buffer.getvalue()


def twice() -> bytes:
    return zip_of({"manifest.json": "{}", "manifest.jsox": "{}"}).replace(b"jsox", b"json")


ZIPS: dict[str, tuple[Callable[[], bytes], str, str]] = {
    "a path upwards": (lambda: zip_of({"../x.json": "{}"}), "may not lead out", "路径"),
    "an absolute path": (lambda: zip_of({"/etc/x.json": "{}"}), "may not lead out", "路径"),
    "a path of another system": (lambda: zip_of({"C:\\x.json": "{}"}), "may not lead out", "路径"),
    "a link": (linked, "links are not followed", "链接"),
    "a name twice": (twice, "the file is there twice", "重复"),
    "a bomb": (lambda: zip_of({"manifest.json": b"0" * 60_000_000}), "too large", "过大"),
    "a program": (lambda: zip_of({"manifest.json": "{}", "x.py": "import os"}), "no such file", ""),
    "not UTF-8": (lambda: zip_of({"manifest.json": b'{"app": "\xff"}'}), "not JSON", "JSON"),
    "no zip": (lambda: b"MZ", "not a zip file", "zip"),
    "nothing": (lambda: b"", "not a zip file", "zip"),
    "no app": (lambda: zip_of({}), "not the folder of an app", ""),
    "a workbook": (lambda: zip_of({"[Content_Types].xml": "<Types/>", "xl/workbook.xml": "<x/>"}), "no such file", ""),
}  # fmt: skip


@pytest.mark.parametrize("name", ZIPS)
def test_a_hostile_zip_file_is_refused_in_the_readers_language(shop: Shop, boss: Person, name: str) -> None:
    before, (content, english, chinese) = apps(shop), ZIPS[name]
    answer = install(boss, content())
    assert answer.status_code == 422
    assert english in answer.text
    boss.post("/language", {"language": "zh", "next": "/"})
    answer = install(boss, content())
    boss.post("/language", {"language": "en", "next": "/"})
    assert answer.status_code == 422
    assert chinese in told(answer)
    assert re.search("[\u4e00-\u9fff]", told(answer))
    assert apps(shop) == before


def test_odd_labels_are_installed_and_shown_as_what_they_are(shop: Shop, boss: Person) -> None:
    made = deepcopy(SMALL)
    labels = [INJECTION, "📚👩‍👩‍👧", "\u202eexe.gpj", "<script>alert(1)</script>", "{{7*7}}%s{0}"]
    made["app"] = "odd"
    for field, label in zip(book(made)["fields"], labels, strict=True):
        field["label"] = label
    made["slots"] = []
    assert install(boss, packed(made)).status_code in (204, 303)
    answer = boss.get("/build/odd/form/book/")
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text
    assert "DROP TABLE x" in answer.text
    assert "49%s" not in answer.text
    assert boss.post("/build/odd/remove").status_code in (204, 303)


# -- in the builder --------------------------------------------------------------------------------

PUT = ["a\x00b", "1e999999999", INJECTION, "[" * 500, "(a+)+$"]


@pytest.fixture(scope="module")
def studio(boss: Person) -> str:
    home = boss.post("/build/", {"title": "Odd"}).headers["HX-Redirect"]
    return boss.post(f"{home}forms", {"title": "Request", "preset": "own"}).headers["HX-Redirect"]  # type: ignore[no-any-return]


@pytest.mark.parametrize("type", sorted(kind.type for kind in field_types))
def test_no_option_put_into_the_panel_breaks_the_designer(shop: Shop, boss: Person, studio: str, type: str) -> None:
    home = studio.partition("/form/")[0]
    page = boss.post(f"{studio}add", {"type": type})
    if page.status_code == 422:  # needs something that is not there yet
        return
    path = re.search(r'name="path" value="([^"]*)"', page.text)[1]  # type: ignore[index]
    panel = page.text.partition('name="path"')[2]
    names = set(re.findall(r'name="([a-z_.A-Z0-9-]+)"', panel)) - {"path", "tab", "counter", "csrf"}
    assert len(names) > 3
    sent = [dict.fromkeys(names, value) for value in PUT]
    for one in sent:
        answer = boss.post(f"{studio}options", {**one, "path": path, "tab": "field"})
        assert answer.status_code < 500, str(one)[:200]
    assert boss.get(f"{studio}?field={path}").status_code == 200
    assert boss.post(f"{home}/publish", {}).status_code < 500
    assert boss.post(f"{studio}delete", {"id": path}).status_code == 200


def test_a_circle_made_in_the_builder_is_told_and_not_published(shop: Shop, boss: Person) -> None:
    assert install(boss, packed({**SMALL, "app": "circle", "slots": []})).status_code in (204, 303)
    before = apps(shop)
    answer = boss.post("/build/circle/form/book/options", {"path": "twice", "tab": "field", "formula": "twice + 1"})
    assert answer.status_code == 200
    assert "needs itself" in answer.text
    assert boss.post("/build/circle/publish", {}).status_code == 422
    assert apps(shop) == before
    assert boss.post("/build/circle/remove").status_code in (204, 303)
