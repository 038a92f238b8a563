"""Packages on disk: there and back without loss, and nothing from outside that bites."""

import io
import json
import zipfile
from pathlib import Path

import pytest

from builder import bundle
from schemas.errors import DefinitionError, Problem
from schemas.messages import say

LIBRARY = {
    "language": 1,
    "app": "library",
    "version": "1.0.0",
    "title": {"zh": "图书馆", "en": "Library"},
    "roles": [{"id": "librarian", "title": {"zh": "馆员", "en": "Librarian"}}],
    "tables": [
        {"id": "loan", "title": {"zh": "借阅", "en": "Loan"}, "fields": [{"id": "due", "type": "date"}]},
        {"id": "book", "title": {"zh": "书", "en": "Book"}, "fields": [{"id": "title", "type": "text"}]},
    ],
    "views": [{"id": "all", "table": "book", "columns": ["title"]}],
    "flows": [],
}


def problems_of(data: bytes) -> dict[str, str]:
    with pytest.raises(DefinitionError) as caught:
        bundle.read_zip(data)
    return {problem.path: str(problem.message) for problem in caught.value.problems}


def zip_of(files: dict[str, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def test_a_folder_gives_back_the_package_with_its_order(tmp_path: Path) -> None:
    bundle.write(LIBRARY, tmp_path / "library")
    assert bundle.read(tmp_path / "library") == LIBRARY
    assert (tmp_path / "library/tables/loan.json").exists()


def test_a_zip_gives_back_the_package_and_is_the_same_every_time(tmp_path: Path) -> None:
    data = bundle.zipped(LIBRARY)
    (tmp_path / "library.zip").write_bytes(data)
    assert bundle.read(tmp_path / "library.zip") == LIBRARY
    assert bundle.zipped(json.loads(json.dumps(LIBRARY))) == data


def test_files_read_like_prose() -> None:
    text = bundle.files_of(LIBRARY)["tables/book.json"]
    assert text == (
        '{\n  "id": "book",\n  "title": {"zh": "书", "en": "Book"},\n  "fields": [{"id": "title", "type": "text"}]\n}\n'
    )


def test_a_file_that_the_manifest_does_not_list_comes_last(tmp_path: Path) -> None:
    bundle.write(LIBRARY, tmp_path)
    (tmp_path / "tables/author.json").write_text('{"id": "author", "fields": []}')
    assert [table["id"] for table in bundle.read(tmp_path)["tables"]] == ["loan", "book", "author"]


def test_writing_again_removes_the_files_of_objects_that_are_gone(tmp_path: Path) -> None:
    bundle.write(LIBRARY, tmp_path)
    smaller = LIBRARY | {"tables": LIBRARY["tables"][:1]}
    bundle.write(smaller, tmp_path)
    assert bundle.read(tmp_path) == smaller


def test_sample_data_and_readme_may_lie_beside(tmp_path: Path) -> None:
    bundle.write(LIBRARY, tmp_path)
    (tmp_path / "sample").mkdir()
    (tmp_path / "sample/people.json").write_text("not even JSON")
    (tmp_path / "README.md").write_text("Hello")
    (tmp_path / ".DS_Store").write_bytes(b"\x00")
    assert bundle.read(tmp_path) == LIBRARY


def test_every_bad_file_is_named_at_once(tmp_path: Path) -> None:
    bundle.write(LIBRARY, tmp_path)
    (tmp_path / "tables/book.json").write_text('{"id": "book", "id": "book"}')
    (tmp_path / "views/all.json").write_text("[]")
    with pytest.raises(DefinitionError) as caught:
        bundle.read(tmp_path)
    assert [problem.path for problem in caught.value.problems] == ["tables/book.json", "views/all.json"]


def test_names_ids_and_manifest_must_agree(tmp_path: Path) -> None:
    bundle.write(LIBRARY, tmp_path)
    (tmp_path / "tables/loan.json").unlink()
    (tmp_path / "tables/book.json").write_text('{"id": "novel"}')
    with pytest.raises(DefinitionError) as caught:
        bundle.read(tmp_path)
    assert [problem.path for problem in caught.value.problems] == ["tables/loan.json", "tables/book.json"]


def test_a_folder_that_is_no_app_says_so(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match=r"manifest\.json: the file is missing"):
        bundle.read(tmp_path)
    with pytest.raises(DefinitionError, match="no such folder or file"):
        bundle.read(tmp_path / "nowhere")


@pytest.mark.parametrize(
    "name", ["../manifest.json", "/etc/manifest.json", "tables/../../x.json", "C:/x.json", "tables\\x.json"]
)
def test_a_path_that_leads_out_is_refused(name: str) -> None:
    assert "lead out" in problems_of(zip_of({name: "{}"}))[name]


def test_a_link_in_a_zip_is_refused() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        entry = zipfile.ZipInfo("tables/secret.json")
        entry.external_attr = 0o120777 << 16
        archive.writestr(entry, "/etc/passwd")
    assert "links are not followed" in problems_of(buffer.getvalue())["tables/secret.json"]


def test_a_link_in_a_folder_is_refused(tmp_path: Path) -> None:
    bundle.write(LIBRARY, tmp_path)
    (tmp_path / "tables/secret.json").symlink_to("/etc/passwd")
    with pytest.raises(DefinitionError, match="links are not followed"):
        bundle.read(tmp_path)


def test_a_zip_bomb_stops_at_the_limit() -> None:
    bomb = zip_of({"manifest.json": b" " * (bundle.LARGEST_FILE + 1)})
    assert len(bomb) < 10_000
    assert "too large" in problems_of(bomb)["manifest.json"]


def test_many_files_below_the_limit_are_bounded_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle, "LARGEST_PACKAGE", 1_000)
    files = {"manifest.json": "{}"} | {f"tables/t{n}.json": " " * 300 for n in range(5)}
    assert "too large" in problems_of(zip_of(files))["tables/t3.json"]


def test_too_many_files_are_refused() -> None:
    data = zip_of({f"tables/t{n}.json": "{}" for n in range(bundle.MOST_FILES + 1)})
    assert "at most" in problems_of(data)[""]


def test_a_file_that_an_app_does_not_have_is_refused() -> None:
    for name in ("run.py", "tables/deep/x.json", "plugins/x.json"):
        assert "no such file" in problems_of(zip_of({"manifest.json": "{}", name: "1"}))[name]


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 nonsense", b"<html>", bundle.zipped(LIBRARY)[:-40]])
def test_what_is_not_a_zip_is_refused(data: bytes) -> None:
    assert "not a zip file" in problems_of(data)[""]


def test_a_damaged_zip_is_refused() -> None:
    data = bytearray(zip_of({"manifest.json": json.dumps({"title": "x" * 500})}))
    data[45:50] = b"\xff\xff\xff\xff\xff"
    assert "not a zip file" in problems_of(bytes(data))[""]


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a": NaN}', '{"a": 1e999}', '{"a": 1} x', b"\xff\xfe"])
def test_json_that_bites_is_refused(text: str | bytes) -> None:
    assert "not JSON" in problems_of(zip_of({"manifest.json": text}))["manifest.json"]


def test_an_id_never_becomes_a_path(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError) as caught:
        bundle.write(LIBRARY | {"tables": [{"id": "../../outside"}]}, tmp_path / "app")
    assert caught.value.problems[0].path == "tables[0]"
    assert not list(tmp_path.rglob("*.json"))


def test_a_problem_is_shown_with_its_file() -> None:
    problems = [Problem("tables[1].fields[0].longest", say("too much")), Problem("version", say("missing"))]
    found = [problem.path for problem in bundle.in_files(LIBRARY, problems)]
    assert found == ["tables/book.json: fields[0].longest", "manifest.json: version"]
