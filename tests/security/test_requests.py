"""Bad requests: tokens, origins, methods, addresses, questions and JSON that make no sense get words and change nothing."""

import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
from sqlalchemy import delete

from runtime import records
from tests.runtime.conftest import Shop
from tests.web.conftest import Person

NUL, EMOJI, RTL = "a\x00b", "📚", "\u202eexe.gpj"
INJECTIONS = [
    "'; DROP TABLE book; --",
    'x"; DROP TABLE t;--',
    "%s",
    "%(p)s",
    ":bind",
    "{0}",
    "{{7*7}}",
    "${7*7}",
    "\\",
    "\r\nX-Evil: 1",
]


@pytest.fixture(scope="module")
def shop(make_shop: Any) -> Shop:
    return make_shop()  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def manager(shop: Shop, sign_in: Any) -> Person:
    return sign_in(shop, "manager")  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def boss(shop: Shop, sign_in: Any) -> Person:
    return sign_in(shop, "boss")  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def clerk(shop: Shop, sign_in: Any) -> Person:
    return sign_in(shop, "clerk")  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def book(shop: Shop, manager: Person) -> UUID:
    with shop.opened(shop.manager) as ctx:
        return records.create(ctx, shop.table(ctx, "book"), {"title": "Emma", "owner": shop.manager.id})


@pytest.fixture
def many(shop: Shop) -> Iterator[None]:
    """A second page: 25 more books, some with a price, a day and an author; taken away again."""
    with shop.opened() as ctx:
        live = shop.table(ctx, "book")
        made = [{"title": f"Volume {n}", "owner": shop.manager.id, **({"price": Decimal(n), "due": date(2026, 1, n)} if n % 2 else {})}
                for n in range(1, 26)]  # fmt: skip
        ids = [draft.id for draft in records.create_many(ctx, live, made)]
    yield
    with shop.opened() as ctx:
        ctx.conn.execute(delete(shop.table(ctx, "book").sql).where(shop.table(ctx, "book").sql.c.id.in_(ids)))


def titles(shop: Shop) -> list[str]:
    with shop.opened() as ctx:
        return list(
            ctx.conn.scalars(
                shop.table(ctx, "book").sql.select().with_only_columns(shop.table(ctx, "book").sql.c.title)
            )
        )


# -- who sends it ----------------------------------------------------------------------------------

STRANGERS = {
    "no token": {"X-CSRF-Token": ""},
    "a wrong token": {"X-CSRF-Token": "guess"},
    "a token that is not ASCII": {"X-CSRF-Token": "tök€n".encode().decode("latin-1")},
    "a token that looks masked": {"X-CSRF-Token": "zz.zz"},
    "a masked token of odd length": {"X-CSRF-Token": "00.0000"},
    "another site's origin": {"Origin": "https://evil.example"},
    "an origin that is null": {"Origin": "null"},
    "an origin that is no address": {"Origin": "http://[::1"},
    "our name as another port": {"Origin": "http://localhost:81"},
    "a cross-site fetch": {"Sec-Fetch-Site": "cross-site"},
}


@pytest.mark.parametrize("headers", STRANGERS.values(), ids=STRANGERS.keys())
def test_what_our_own_pages_did_not_send_is_refused(
    shop: Shop, manager: Person, book: UUID, headers: dict[str, str]
) -> None:
    token = {"X-CSRF-Token": manager.token_now()}
    answer = manager.client.post(f"/a/shop/f/book/{book}", data={"title": "Seized"}, headers={**token, **headers})
    assert answer.status_code == 403
    assert titles(shop) == ["Emma"]


@pytest.mark.parametrize("token", ["", ".", "zz.zz", "00.0000", "x"])
def test_a_session_without_a_token_takes_none(shop: Shop, manager: Person, book: UUID, token: str) -> None:
    stranger = manager.client.application.test_client()
    stranger.set_cookie("mortise_session", manager.client.get_cookie("mortise_session").value)  # type: ignore[union-attr]
    answer = stranger.post(f"/a/shop/f/book/{book}", data={"title": "Seized"}, headers={"X-CSRF-Token": token})
    assert answer.status_code == 403
    assert titles(shop) == ["Emma"]


def test_a_page_without_an_origin_needs_only_its_token(shop: Shop, manager: Person, book: UUID) -> None:
    token = {"X-CSRF-Token": manager.token_now()}
    assert manager.client.post(f"/a/shop/f/book/{book}", data={"title": "Sent"}, headers=token).status_code == 303
    assert titles(shop) == ["Sent"]
    assert manager.client.post(f"/a/shop/f/book/{book}", data={"title": "Emma"}, headers=token).status_code == 303


def test_signing_in_gives_a_new_session_and_forgets_the_one_before(app: Any, shop: Shop, clerk: Person) -> None:
    client = app.test_client()
    client.set_cookie("mortise_session", "fixed-by-a-stranger")
    with client.session_transaction() as session:
        session["csrf"] = session["planted"] = "by a stranger"
    email = f"clerk-{shop.clerk.id}@example.com"
    answer = client.post(
        "/sign-in", data={"email": email, "password": "correct horse"}, headers={"X-CSRF-Token": "by a stranger"}
    )
    assert answer.status_code == 303
    cookie = client.get_cookie("mortise_session")
    assert cookie is not None
    assert cookie.value != "fixed-by-a-stranger"
    assert cookie.http_only
    with client.session_transaction() as session:
        assert "planted" not in session
        assert session.get("csrf") != "by a stranger"
    client.set_cookie("mortise_session", "fixed-by-a-stranger")
    assert client.get("/").status_code == 302


def test_signing_out_ends_the_session_for_every_copy_of_its_cookie(shop: Shop, sign_in: Any) -> None:
    person = sign_in(shop, "outsider")
    kept = person.client.get_cookie("mortise_session")
    person.post("/sign-out")
    person.client.set_cookie("mortise_session", kept.value)
    assert person.get("/").status_code == 302


@pytest.mark.parametrize("email", [NUL, "x" * 100_000, EMOJI, RTL, "", *INJECTIONS])
def test_signing_in_as_nobody_is_refused_with_words(app: Any, email: str) -> None:
    client = app.test_client()
    with client.session_transaction() as session:
        session["csrf"] = "t"
    answer = client.post("/sign-in", data={"email": email, "password": "wrong"}, headers={"X-CSRF-Token": "t"})
    assert answer.status_code in (400, 422)
    assert "mortise_session" not in answer.headers.get("Set-Cookie", "")


@pytest.mark.parametrize("password", ["", "x" * 1_000_000, EMOJI * 50, "correct horse\x00tail"])
def test_a_password_that_only_begins_right_does_not_open(app: Any, shop: Shop, clerk: Person, password: str) -> None:
    client = app.test_client()
    with client.session_transaction() as session:
        session["csrf"] = "t"
    sent = {"email": f"clerk-{shop.clerk.id}@example.com", "password": password}
    assert client.post("/sign-in", data=sent, headers={"X-CSRF-Token": "t"}).status_code in (400, 422)


# -- where it leads --------------------------------------------------------------------------------

ELSEWHERE = [
    "https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil.example", "///evil.example", "/\t/evil.example",
    "/\n/evil.example", "javascript:alert(1)", "data:text/html,x", "https:evil.example", "http://localhost@evil.example",
    "/a/\r\nSet-Cookie: x=1",
]  # fmt: skip


@pytest.mark.parametrize("target", ELSEWHERE)
def test_nothing_leads_away_from_our_own_pages(shop: Shop, manager: Person, book: UUID, target: str) -> None:
    page = manager.get(f"/a/shop/f/book/{book}?back={quote(target)}")
    assert not re.search(r'(?:href|action|hx-[a-z]+)="(?!/(?![/\\]))[^"]*evil', page.text)
    for name, url, data in (
        ("HX-Redirect", f"/a/shop/f/book/{book}", {"title": "Emma", "_back": target}),
        ("Location", "/language", {"language": "en", "next": target}),
    ):
        answer = manager.post(url, data)
        assert answer.headers[name].startswith("/")
        assert "evil.example" not in answer.headers[name]
        assert "Set-Cookie: x" not in str(answer.headers)


def test_a_way_back_with_chinese_in_it_arrives_encoded(manager: Person, book: UUID) -> None:
    answer = manager.post(f"/a/shop/f/book/{book}", {"title": "Emma", "_back": "/a/shop/v/book/?q=书目"})
    assert answer.headers["HX-Redirect"] == "/a/shop/v/book/?q=%E4%B9%A6%E7%9B%AE"


def test_whoever_must_sign_in_first_comes_back_to_the_whole_address(app: Any) -> None:
    answer = app.test_client().get("/a/shop/v/book/?q=a&sort=-title")
    assert answer.headers["Location"] == "/sign-in?next=%2Fa%2Fshop%2Fv%2Fbook%2F%3Fq%3Da%26sort%3D-title"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "localhost.evil.example"])
def test_a_forged_host_is_in_no_answer(app: Any, host: str) -> None:
    answer = app.test_client().get("/a/shop/", headers={"Host": host, "X-Forwarded-Host": host})
    assert answer.status_code == 302
    assert "evil" not in answer.text + str(answer.headers)


METHODS = [
    ("TRACE", "/"),
    ("PUT", "/a/shop/f/book/new"),
    ("DELETE", "/a/shop/v/book/"),
    ("PATCH", "/sign-in"),
    ("BREW", "/tasks/"),
]


@pytest.mark.parametrize(("method", "url"), METHODS)
def test_a_method_that_a_page_does_not_take_is_told(manager: Person, method: str, url: str) -> None:
    answer = manager.send(method, url)
    assert answer.status_code == 405
    assert "data-error" in answer.text


@pytest.mark.parametrize("extra", [{"_method": "DELETE"}, {"X-HTTP-Method-Override": "DELETE"}])
def test_a_method_cannot_be_disguised(shop: Shop, manager: Person, book: UUID, extra: dict[str, str]) -> None:
    manager.client.get(f"/a/shop/t/book/{book}", query_string=extra, headers=extra)
    manager.client.head(f"/a/shop/t/book/{book}", headers=extra)
    assert titles(shop) == ["Emma"]


SECURE = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@pytest.mark.parametrize(
    "url", ["/", "/sign-in", "/nothing-here", "/a/shop/v/book/", "/a/none/", "/a/shop/export/book?as=csv"]
)
def test_every_answer_has_the_headers_that_protect_it(manager: Person, url: str) -> None:
    answer = manager.get(url)
    for name, value in SECURE.items():
        assert answer.headers[name] == value
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert "Access-Control-Allow-Origin" not in manager.get(url, headers={"Origin": "https://evil.example"}).headers


# -- addresses and questions -----------------------------------------------------------------------

NOWHERE = [
    "/a/%00/", "/a/shop%00/", "/a/shop/v/%00/", "/a/shop/t/book/%00", "/a/shop/t/%F0%9F%93%9A/x", "/a/../../etc/passwd", "/a/%2e%2e/",
    "/a/..%2f..%2fetc%2fpasswd", "/static/..%2f..%2fwsgi.py", "/static/%00", "/static/../wsgi.py", "/a/'%3B%20DROP%20TABLE%20x/",
    "/a/%ff%fe/",
    "/tasks/%00", "/tasks/run/x", "/a/shop/f/book/" + "9" * 5_000, "/files/shop/book/new/papers/..%2f..", "/a/" + "x" * 5_000 + "/",
    "/a/__class__/", "/a/shop/t/__proto__/x", "/a/shop/d/%25s/", "/build/%00/", "/a/shop/pick/book/%00", "/a/shop/import/%00/",
]  # fmt: skip


@pytest.mark.parametrize("url", NOWHERE)
def test_an_address_of_nothing_is_not_found(boss: Person, url: str) -> None:
    answer = boss.get(url)
    assert answer.status_code == 404
    assert "data-error" in answer.text


QUESTIONS = [
    *(f"q={quote(text)}" for text in ("%", "_", "%%", "\\", EMOJI, RTL, "x" * 60_000, *INJECTIONS)),
    "sort=none", "sort=secret", "sort=-cost,,,", "sort=" + "title," * 500, "sort=copies", "sort=created_at;drop", "group=none",
    "group=%27",
    "filter=", "filter=none+%3D+1", "filter=(((", "filter=title", "filter=%27%3B+DROP+TABLE+x", "filter=" + "1%2B" * 3_000 + "1",
    "filter=1%2F0+%3D+1", "filter=" + quote("NOT(" * 200 + "TRUE" + ")" * 200), "filter=title+%3D+" + quote('"' + "x" * 3_900 + '"'),
    "filter=price+%3E+1e308", "filter=price+%3E+" + "9" * 300, 'filter=title+%3D+"' + quote(EMOJI) + '"',
    "filter=REPT(title,1e9)%3D%22x%22",
    "size=-1", "size=1000000000", "size=" + "9" * 5_000, "first=-5", "first=²", "first=1e9", "total=exact", "trash=2", "page=0",
    "tab=none",
    "key=none", "key=1&key=2&key=3", "field=none&operator=none&value=x", "field=title&operator=none&value=x",
    "field=price&operator=is&value=NaN",
    "field=price&operator=is&value=1e999", "field=due&operator=is&value=0000-99-99", "operator=is", "as=exe",
]  # fmt: skip
LISTS = ["/a/shop/v/book/", "/a/shop/export/book", "/a/shop/v/book/filter", "/tasks/", "/pick/member", "/a/shop/pick/book/author",
         "/a/shop/d/figures/kinds/records", "/a/shop/f/book/new"]  # fmt: skip


@pytest.mark.parametrize("url", LISTS)
def test_no_question_breaks_a_list(shop: Shop, manager: Person, book: UUID, url: str) -> None:
    answers = {question: manager.get(f"{url}?{question}") for question in QUESTIONS}
    assert {q[:80] for q, answer in answers.items() if answer.status_code >= 500} == set()
    assert titles(shop) == ["Emma"]


@pytest.mark.parametrize("question", ["q=a%00b", "filter=%00", "sort=%00", "%00=1", "after=%00"])
def test_a_question_with_a_nul_is_refused_with_words(manager: Person, question: str) -> None:
    answer = manager.get(f"/a/shop/v/book/?{question}", headers={"Accept-Language": "en"})
    assert answer.status_code == 400
    assert "cannot be kept" in answer.text


@pytest.mark.parametrize("question", ["sort=none", "sort=none,title", "filter=none+%3D+1", "filter=(((", "filter=1"])
def test_a_senseless_order_or_condition_is_told_and_left_out(manager: Person, book: UUID, question: str) -> None:
    page = manager.get(f"/a/shop/v/book/?{question}")
    assert page.status_code == 200
    assert "Emma" in page.text
    assert 'class="note warn' in page.text


def cursor(values: Any) -> str:
    text = values if isinstance(values, str) else json.dumps(values)
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


CURSORS = [
    "x", "====", "é", "%00", "A" * 100_000, cursor("not json"), cursor({}), cursor([]), cursor("xy"), cursor(["x", "y"]), cursor([None,
    None]),
    cursor([1, 2]), cursor([True, False]), cursor([["u", "x"], ["u", "y"]]), cursor([["n", "NaN"], ["u", str(UUID(int=7))]]),
    cursor([["t", "2026-01-01"], ["u", str(UUID(int=7))]]), cursor([["t", "9999-12-31T23:59:59+00:00"], ["n", "1"]]), cursor([["z", "1"],
    ["u", "1"]]),
    cursor([["d", "2026-01-01"], ["d", "2026-01-01"]]), cursor([{"a": 1}, [1]]), cursor(["\ud800", "x"]), cursor(["a\u0000", "x"]),
    cursor([["u", str(UUID(int=7))], ["t", "2026-01-01T00:00:00+00:00"]]), cursor("[" * 5_000), cursor([[], []]), cursor([10**400, "x"]),
]  # fmt: skip


@pytest.mark.parametrize(
    "sort",
    ["", "title", "-price", "kind", "owner", "author", "due", "late", "-no", "flow.state", "updated_by", "total"],
)
def test_a_senseless_place_in_a_list_begins_again(manager: Person, book: UUID, sort: str) -> None:
    for name in ("after", "before"):
        for text in CURSORS:
            page = manager.get(f"/a/shop/v/book/?sort={sort}&{name}={text}")
            assert page.status_code in (200, 400), (name, text[:60])


SORTS = [
    "",
    "title",
    "-price",
    "kind",
    "owner",
    "author",
    "due",
    "late",
    "-no",
    "flow.state",
    "updated_by",
    "total",
    "-updated_at",
]


@pytest.mark.parametrize("sort", SORTS)
def test_a_place_in_a_list_that_it_gave_itself_leads_on(
    shop: Shop, manager: Person, book: UUID, many: None, sort: str
) -> None:
    first = manager.get(f"/a/shop/v/book/?sort={sort}&size=20").text
    onwards = re.search(r'href="([^"]*after=[^"]*)"', first)
    assert onwards is not None
    second = manager.get(onwards[1].replace("&amp;", "&"))
    assert second.status_code == 200
    assert "no longer exists" not in second.text
    assert len(set(re.findall(r"Volume \d+|Emma", first + second.text))) == 26


# -- JSON ------------------------------------------------------------------------------------------

JSONS: dict[str, bytes] = {
    "nothing": b"", "no JSON": b"{", "a list": b"[]", "a text": b'"x"', "a number": b"7", "null": b"null",
    "5,000 levels": b"[" * 5_000 + b"]" * 5_000,
    "5,000 levels of objects": b'{"a":' * 5_000 + b"1" + b"}" * 5_000, "NaN": b'{"key": NaN}',
    "Infinity": b'{"widths": {"title": Infinity}}',
    "1e999": b'{"widths": {"title": 1e999}}', "a repeated key": b'{"key": "a", "key": "b"}', "bad UTF-8": b'{"key": "\xff\xfe"}',
    "a NUL": b'{"order": ["a\\u0000"], "key": "a\\u0000"}', "half a character": b'{"order": ["\\ud800"], "key": "\\ud800"}',
    "5,000 digits": b'{"key": ' + b"9" * 5_000 + b"}",
}  # fmt: skip


@pytest.mark.parametrize("body", JSONS.values(), ids=JSONS.keys())
@pytest.mark.parametrize("url", ["/a/shop/v/book/columns", "/a/shop/v/book/move"])
def test_json_that_cannot_be_meant_is_refused_with_words(
    shop: Shop, manager: Person, book: UUID, url: str, body: bytes
) -> None:
    answer = manager.send("POST", url, body, content_type="application/json")
    assert answer.status_code == 422
    assert "data-error" in answer.text


WISHES: list[Any] = [
    {"order": 7}, {"order": {"a": 1}}, {"hidden": 7, "order": ["title"]}, {"order": [None, {}, [], 1.5]}, {"order": ["none",
    "'; DROP TABLE"]},
    {"widths": 7}, {"widths": {"title": "x"}}, {"widths": {"title": 1e300, "x" * 1000: -5}}, {"order": ["title"] * 10_000},
    {EMOJI: EMOJI},
]  # fmt: skip


@pytest.mark.parametrize("wish", WISHES)
def test_odd_wishes_for_columns_leave_a_list_that_shows(manager: Person, book: UUID, wish: Any) -> None:
    assert (
        manager.send("POST", "/a/shop/v/book/columns", json.dumps(wish), content_type="application/json").status_code
        < 500
    )
    page = manager.get("/a/shop/v/book/")
    assert page.status_code == 200
    assert "Emma" in page.text


MOVES = [{"key": "x", "to": "novel"}, {"key": None}, {"key": {}, "to": []}, {"key": str(UUID(int=7)), "to": "novel"}]


@pytest.mark.parametrize("wish", MOVES)
def test_a_card_that_is_not_there_cannot_be_moved(manager: Person, wish: Any) -> None:
    assert (
        manager.send("POST", "/a/shop/v/book/move", json.dumps(wish), content_type="application/json").status_code
        == 404
    )


@pytest.mark.parametrize("body", [b"<xml/>", b'{"ids": []}', b"\xff\xfe\x00", b"--x--"])
@pytest.mark.parametrize(
    "kind", ["text/plain", "application/xml", "multipart/form-data", "multipart/form-data; boundary=x", ""]
)
def test_a_body_of_another_kind_changes_nothing(
    shop: Shop, manager: Person, book: UUID, kind: str, body: bytes
) -> None:
    for url in (f"/a/shop/f/book/{book}", "/a/shop/t/book/trash", "/a/shop/v/book/move", "/tasks/x"):
        assert 400 <= manager.send("POST", url, body, content_type=kind).status_code < 500 or url.startswith(
            "/a/shop/f"
        )
    assert titles(shop) == ["Emma"]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_refusals_are_in_the_readers_language(app: Any, language: str) -> None:
    client = app.test_client()
    client.set_cookie("language", language)
    texts = [
        client.get("/a/x%00/").text,
        client.get("/sign-in?next=%00").text,
        client.post("/sign-in").text,
        client.open("/sign-in", method="BREW").text,
    ]
    chinese = [
        any("\u4e00" <= c <= "\u9fff" for c in text.partition("data-error>")[2].partition("<")[0]) for text in texts
    ]
    assert chinese == [language == "zh"] * 4
