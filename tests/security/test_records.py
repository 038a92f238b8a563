"""Bad values: odd texts, numbers, rows, files, imports and exports keep what can be kept, and tell what cannot."""

import csv
import gc
import io
import json
import zipfile
from collections.abc import Callable
from copy import deepcopy
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from runtime import records
from runtime.files import safe_name
from runtime.mail import compose
from runtime.sheets import read_sheet
from schemas.errors import InvalidInput
from tests.runtime.conftest import SHOP, Shop
from tests.web.conftest import Person

TEXTS = [
    "'; DROP TABLE book; --", "%", "_", "100%_", "\\", "📚", "👩‍👩‍👧‍👦", "\u202eexe.gpj", "a\u200bb", "{{7*7}}", "{title}",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>', "=cmd|' /C calc'!A0", "NULL", "true", "0012", "110105194912310021", "Ǆ", "İ", "ﷺ",
]  # fmt: skip


def package() -> dict[str, Any]:
    made = deepcopy(SHOP)
    book = made["tables"][1]
    book["fields"] += [
        {"id": "papers", "type": "file", "max_megabytes": 1},
        {"id": "big", "type": "number"},
        {"id": "at", "type": "datetime"},
    ]
    own = next(g for g in made["access"] if g["id"] == "own")
    own["fields"]["copies.place"] = "hidden"
    for grant in made["access"]:
        if grant["id"] in ("all_books", "own"):
            grant["do"] = [*grant["do"], "import", "export"]
    return made


@pytest.fixture(scope="module")
def shop(make_shop: Callable[..., Shop]) -> Shop:
    return make_shop(package())


@pytest.fixture(scope="module")
def manager(shop: Shop, sign_in: Any) -> Person:
    return sign_in(shop, "manager")  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def clerk(shop: Shop, sign_in: Any) -> Person:
    return sign_in(shop, "clerk")  # type: ignore[no-any-return]


def add(person: Person, **answers: Any) -> Any:
    return person.post("/a/shop/f/book/new", {"title": "Emma", **answers})


def made_by(answer: Any) -> UUID:
    assert answer.status_code == 204, answer.text
    return UUID(answer.headers["HX-Redirect"].rpartition("/")[2])


def values_of(shop: Shop, id: UUID) -> dict[str, Any]:
    from runtime.access import door
    from runtime.query import fetch

    with shop.opened() as ctx:
        return dict(fetch(door(ctx, shop.table(ctx, "book")), id).values)


def count(shop: Shop) -> int:
    with shop.opened() as ctx:
        return len(list(ctx.conn.scalars(shop.table(ctx, "book").sql.select())))


# -- texts -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", TEXTS)
def test_an_odd_text_is_kept_found_and_shown_as_it_is(shop: Shop, manager: Person, text: str) -> None:
    id = made_by(add(manager, title=text))
    assert values_of(shop, id)["title"] == text
    found = manager.get("/a/shop/v/book/", query_string={"q": text})
    assert found.status_code == 200
    assert str(id) in found.text
    page = manager.get(f"/a/shop/t/book/{id}").text
    assert "<script>alert" not in page
    assert "<img src=x" not in page


@pytest.mark.parametrize(("wanted", "others"), [("%", "Z"), ("_", "Z"), ("\\", "Z"), ("100%", "1000")])
def test_a_search_takes_signs_for_themselves(shop: Shop, manager: Person, wanted: str, others: str) -> None:
    without = made_by(add(manager, title=f"plain {others}"))
    assert str(without) not in manager.get("/a/shop/v/book/", query_string={"q": wanted}).text


TOO_LONG = {"title": "x" * 1_001, "price": "9" * 40, "big": "1e19", "due": "2026-02-30", "at": "2026-01-01 25:00", "kind": "none",
    "owner": str(UUID(int=7)),
            "author": str(UUID(int=7)), "copies": "[" * 5_000, "papers": str(UUID(int=7))}  # fmt: skip


@pytest.mark.parametrize(("field", "value"), TOO_LONG.items())
def test_a_value_that_cannot_be_is_told_beside_its_field(shop: Shop, manager: Person, field: str, value: str) -> None:
    before = count(shop)
    answer = add(manager, **{field: value})
    assert answer.status_code == 422
    assert count(shop) == before


NUMBERS = {"9007199254740993": "9007199254740993", "-0.1234567891": "-0.1234567891", "999999999999999999": "999999999999999999",
           "1e17": "100000000000000000", "１２，３４５．５": "12345.5", "0.1": "0.1"}  # fmt: skip


@pytest.mark.parametrize(("typed", "kept"), NUMBERS.items())
def test_a_number_keeps_all_its_digits_on_every_way(shop: Shop, manager: Person, typed: str, kept: str) -> None:
    id = made_by(add(manager, title=f"Number {typed}", big=typed))
    assert values_of(shop, id)["big"] == Decimal(kept)
    exported = manager.get("/a/shop/export/book", query_string={"as": "csv", "q": f"Number {typed}"})
    assert exported.status_code == 200
    assert Decimal(kept) in {
        Decimal(cell)
        for row in csv.reader(io.StringIO(exported.data.decode("utf-8-sig")))
        for cell in row
        if _is_number(cell)
    }


def _is_number(cell: str) -> bool:
    return cell.replace(".", "").replace("-", "").isdigit()


@pytest.mark.parametrize(
    "typed", ["NaN", "Infinity", "-inf", "1e999", "1e999999999", "--1", "1,2,3", "9" * 5_000, "0x10", "²"]
)
def test_what_is_no_number_is_refused(shop: Shop, manager: Person, typed: str) -> None:
    assert add(manager, big=typed).status_code == 422


@pytest.mark.parametrize(
    "typed", ["9999-12-31T23:59:59Z", "9999-12-31 23:59", "0001-01-01 00:00", "0001-01-01T00:00:00+14:00"]
)
def test_the_ends_of_time_are_kept_or_refused_and_never_break_a_page(manager: Person, typed: str) -> None:
    answer = add(manager, at=typed)
    assert answer.status_code in (204, 422)
    if answer.status_code == 204:
        for url in (
            f"/a/shop/t/book/{made_by(answer)}",
            "/a/shop/v/book/?sort=-created_at",
            f"/a/shop/f/book/{made_by(answer)}",
        ):
            assert manager.get(url).status_code == 200


@pytest.mark.parametrize("version", ["9" * 5_000, "-1", "x", "1e5", "²", "\u0661"])
def test_a_version_that_is_none_is_no_version(shop: Shop, manager: Person, version: str) -> None:
    id = made_by(add(manager))
    assert manager.post(f"/a/shop/f/book/{id}", {"title": "Emma", "_version": version}).status_code < 500


@pytest.mark.parametrize("key", ["x" * 10_000, "'; DROP TABLE", "📚"])
def test_an_odd_key_of_a_submission_still_counts_once(shop: Shop, manager: Person, key: str) -> None:
    before = count(shop)
    assert {made_by(add(manager, _once=key)), made_by(add(manager, _once=key))}
    assert count(shop) == before + 1


@pytest.mark.parametrize("record", ["nonsense", "", str(UUID(int=7)), "x" * 5_000])
def test_live_values_of_a_record_that_is_not_there_are_not_found(manager: Person, record: str) -> None:
    assert manager.post("/a/shop/f/book/live", {"title": "x"}, query_string={"record": record}).status_code in (
        404,
        200 if not record else 404,
    )


def test_live_values_tell_the_clerk_nothing_of_a_record_that_is_not_theirs(
    shop: Shop, manager: Person, clerk: Person
) -> None:
    id = made_by(add(manager, title="Secret plan", kind="essay", cost="5"))
    assert clerk.post("/a/shop/f/book/live", {"title": "x"}, query_string={"record": str(id)}).status_code == 404


SYSTEM = [
    "id",
    "version",
    "created_at",
    "created_by",
    "updated_at",
    "_deleted_at",
    "_flow_state",
    "flow.state",
    "no",
    "total",
    "__class__",
    "toString",
    "none",
]


@pytest.mark.parametrize("name", SYSTEM)
def test_nobody_fills_in_what_the_system_keeps(shop: Shop, manager: Person, name: str) -> None:
    id = made_by(add(manager, title="System", **{name: "1"}))
    kept = values_of(shop, id)
    assert kept["title"] == "System"
    assert kept["no"] != "1"
    assert kept["total"] in (None, 0)


def test_a_hidden_field_or_column_takes_nothing_from_the_clerk(shop: Shop, clerk: Person) -> None:
    before = count(shop)
    for sent in ({"cost": "1"}, {"due": "2026-01-01"}, {"copies": json.dumps([{"place": "mine", "count": 1}])}):
        answer = clerk.post("/a/shop/f/book/new", {"title": "Clerk's", "owner": str(shop.clerk.id), **sent})
        assert answer.status_code == 422, sent
    assert count(shop) == before


def test_a_hidden_column_stays_as_it_is_when_the_clerk_changes_the_row(shop: Shop, clerk: Person) -> None:
    with shop.opened() as ctx:
        rows = [{"place": "vault", "count": Decimal(1)}]
        id = records.create(ctx, shop.table(ctx, "book"), {"title": "Vaulted", "owner": shop.clerk.id, "copies": rows})
    row = values_of(shop, id)["copies"][0]
    for place in ("mine", None, ""):
        clerk.post(
            f"/a/shop/f/book/{id}",
            {"title": "Vaulted", "copies": json.dumps([{"_id": str(row["_id"]), "count": 2, "place": place}])},
        )
        assert values_of(shop, id)["copies"][0]["place"] == "vault"


ROWS: dict[str, str] = {
    "10,000 rows": json.dumps([{"place": "x", "count": 1}] * 10_000), "no list": '{"place": "x"}', "rows that are none": "[1, 2]",
    "deep": "[" * 5_000,
    "NaN": '[{"count": NaN}]', "a key twice": '[{"count": 1, "count": 2}]', "a NUL": '[{"place": "a\\u0000"}]',
    "half a character": '[{"place": "\\ud83d"}]',
    "a column that is a list": '[{"count": [1]}]', "a text for a number": '[{"count": "many"}]',
}  # fmt: skip


@pytest.mark.parametrize("rows", ROWS.values(), ids=ROWS.keys())
def test_rows_that_cannot_be_meant_are_told_and_kept_on_the_page(shop: Shop, manager: Person, rows: str) -> None:
    before = count(shop)
    answer = add(manager, copies=rows)
    assert answer.status_code == 422
    assert count(shop) == before


# -- files -----------------------------------------------------------------------------------------

NAMES = {"../../x": "x", "书目.pdf": "书目.pdf", "x" * 300 + ".pdf": None, "CON": "CON", ".": "file", "..\\..\\y.txt": "y.txt",
         "\u202egpj.exe": "gpj.exe", "📚.png": "📚.png", 'a"b.txt': None, "-rf": "-rf"}  # fmt: skip


def upload(person: Person, name: str, content: bytes = b"<svg onload=alert(1)>") -> Any:
    return person.post("/a/shop/upload/book/papers", {"file": (io.BytesIO(content), name)})


@pytest.mark.parametrize(("name", "kept"), NAMES.items())
def test_a_file_keeps_a_harmless_form_of_its_name(manager: Person, name: str, kept: str | None) -> None:
    answer = upload(manager, name)
    assert answer.status_code == 200
    shown = answer.json["text"]
    assert len(shown) <= 180
    assert not set(shown) & set("/\\\r\n\x00\u202e")
    with manager.get(answer.json["url"]) as served:
        assert served.data
    assert served.status_code == 200
    assert served.headers["Content-Disposition"].startswith("attachment")
    assert "X-Evil" not in served.headers


@pytest.mark.parametrize("name", ["x.svg", "x.html", "x.xhtml", "x.xml", "x.html.jpg", "x.pdf", "x.js"])
def test_nothing_that_people_upload_is_shown_as_a_page_of_ours(manager: Person, name: str) -> None:
    with manager.get(upload(manager, name).json["url"]) as served:
        assert served.data
    assert served.mimetype == "application/octet-stream"
    assert served.headers["Content-Disposition"].startswith("attachment")
    assert served.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in served.headers["Content-Security-Policy"]


@pytest.mark.parametrize("name", ["a\r\nX-Evil: 1.txt", "a\x00b", "\ud800.txt", "a\tb"])
def test_a_files_name_holds_no_control_characters(name: str) -> None:
    assert safe_name(name).isprintable()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_file_of_50_megabytes_is_refused_and_leaves_nothing(shop: Shop, manager: Person) -> None:
    storage = manager.client.application.extensions["storage"]
    before = set(storage.all_keys(shop.workspace.id))
    answer = upload(manager, "large.bin", b"x" * 50_000_000)
    assert answer.status_code in (413, 422)
    assert "data-error" in answer.text
    assert upload(manager, "empty.bin", b"").status_code == 422
    assert set(storage.all_keys(shop.workspace.id)) == before
    del answer
    gc.collect()


def test_another_persons_upload_is_nobody_elses_to_attach(shop: Shop, manager: Person, clerk: Person) -> None:
    theirs = upload(manager, "theirs.txt").json["id"]
    assert (
        clerk.post("/a/shop/f/book/new", {"title": "Taken", "owner": str(shop.clerk.id), "papers": theirs}).status_code
        == 422
    )


# -- exports, imports, mail ------------------------------------------------------------------------

FORMULAS = ["=cmd|' /C calc'!A0", "+1", "-1+1", "@SUM(A1)", "＝1+1"]


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_of_an_export_is_taken_for_a_formula_and_it_comes_back_as_it_was(manager: Person, text: str) -> None:
    id = made_by(add(manager, title=text))
    assert id
    body = manager.get("/a/shop/export/book", query_string={"as": "csv", "q": text}).data
    cells = [cell for row in csv.reader(io.StringIO(body.decode("utf-8-sig"))) for cell in row]
    assert f"'{text}" in cells
    assert text not in cells
    assert any(text in row.values() for row in read_sheet(body, "again.csv").rows)
    with zipfile.ZipFile(io.BytesIO(manager.get("/a/shop/export/book", query_string={"q": text}).data)) as book:
        assert b"<f>" not in b"".join(book.read(n) for n in book.namelist() if "sheet" in n)


SHEETS = {"no file": b"", "no zip": b"PK\x03\x04nonsense", "a text": b"Title"}


@pytest.mark.parametrize("content", SHEETS.values(), ids=SHEETS.keys())
def test_what_is_no_workbook_is_refused_with_words(content: bytes) -> None:
    with pytest.raises(InvalidInput, match=r"Save it again as \.xlsx"):
        read_sheet(content, "x.xlsx")


CSVS: dict[str, tuple[str, bytes]] = {
    "another kind": ("x.exe", b"MZ"), "no characters of ours": ("x.csv", b"\xff\xfe\x00\x01\x81"), "a NUL": ("x.csv", b"Title\na\x00"),
    "a cell of 100,000": ("x.csv", b"Title\n" + b"x" * 100_000), "100,000 columns": ("x.csv", b"a," * 100_000 + b"\n1"),
    "empty": ("x.csv", b""),
    "a quote never closed": ("x.csv", b'Title\n"' + b"x\n" * 50_000),
}  # fmt: skip


@pytest.mark.parametrize(("name", "content"), CSVS.values(), ids=CSVS.keys())
def test_a_file_that_is_no_list_is_refused_with_words(shop: Shop, manager: Person, name: str, content: bytes) -> None:
    answer = manager.post("/a/shop/import/book/", {"file": (io.BytesIO(content), name)})
    assert answer.status_code == 422


def test_an_odd_mapping_is_refused_with_words(shop: Shop, manager: Person) -> None:
    begun = manager.post("/a/shop/import/book/", {"file": (io.BytesIO(b"Title,Kind\nEmma,novel\n"), "x.csv")})
    url = begun.headers["Location"]
    odd = [
        {"column:title": "none"},
        {"column:author": "Title", "match:author": "'; DROP"},
        {"column:kind": "x" * 500},
        {},
    ]
    assert [manager.post(url, {"act": "try", **sent}).status_code for sent in odd] == [422] * 4


@pytest.mark.parametrize("subject", ["a\r\nBcc: z@evil.example", "a\nX: y", "x" * 5_000, "📚 书目", "\u202e"])
def test_a_mails_subject_is_one_header(subject: str) -> None:
    message = compose("Mortise <m@example.com>", "ada@example.com", subject, "Text", "<1@mortise>")
    sent = message.as_bytes()
    assert "Bcc" not in message
    assert "X" not in message
    assert sent.count(b"\nSubject:") == 1


@pytest.mark.parametrize("to", ["a@x.example,b@y.example", "a@x.example\nBcc: z@z.example", "a", "", "<a@x.example>"])
def test_a_mail_goes_to_one_address_or_nowhere(to: str) -> None:
    with pytest.raises(ValueError, match="not a mail address"):
        compose("m@example.com", to, "Subject", "Text", "<1@mortise>")
