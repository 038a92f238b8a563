"""Public links: a sales rep shares, visitors answer and look, an outsider guesses."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from io import BytesIO
from typing import Any

import pytest
from sqlalchemy import select

from runtime import definitions, proofs, query, records
from runtime.access import door
from runtime.models_audit import workspace_audit
from runtime.models_links import public_link
from runtime.web import public
from tests.runtime.conftest import SHOP, Shop
from tests.web.conftest import Person

BASE = {"_captcha": "1"}
SEA = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
"""A picture of one point."""


def package() -> dict[str, Any]:
    made = deepcopy(SHOP)
    book = made["tables"][1]
    book["fields"] += [
        {"id": "phone", "type": "text", "label": "Phone"},
        {"id": "scan", "type": "file", "max_megabytes": 1},
        {"id": "secret", "type": "text", "default": "inner"},
    ]
    made["forms"] = [
        {
            "id": "tell",
            "table": "book",
            "title": "Tell us of a book",
            "color": "indigo",
            "cover": {"name": "sea.png", "content": SEA},
            "layout": [
                {"row": [f]}
                for f in ("title", "author", "kind", "owner", "price", "total", "copies", "phone", "scan", "secret")
            ],
        },
    ]
    made["views"] = [
        {
            "id": "novels",
            "table": "book",
            "title": "Our novels",
            "columns": ["title", "author", "price", "owner"],
            "filter": 'kind = "novel"',
            "sort": ["-cost"],
        },
    ]
    made["access"] = [
        {
            "id": "rep",
            "who": {"role": "clerk"},
            "table": "book",
            "do": ["read", "create", "update", "share"],
            "rows": 'title <> "Hidden"',
            "fields": {"*": "write", "cost": "hidden", "secret": "hidden"},
        },
        {"id": "authors", "who": {"role": "clerk"}, "table": "author", "do": ["read"], "fields": {"name": "read"}},
        {"id": "see", "who": {"role": "clerk"}, "dashboard": "figures", "do": ["share"]},
        {"id": "reader", "who": {"role": "manager"}, "table": "book", "do": ["read", "create"]},
    ]
    return made


@pytest.fixture(scope="module")
def shop(make_shop: Callable[..., Shop]) -> Shop:
    return make_shop(package())


@pytest.fixture(scope="module")
def rep(sign_in: Any, shop: Shop) -> Person:
    return sign_in(shop, "clerk")


@pytest.fixture(scope="module")
def books(shop: Shop) -> dict[str, Any]:
    made = {}
    with shop.opened() as ctx:
        author = records.create(ctx, shop.table(ctx, "author"), {"name": "Austen"})
        for title, kind, price in (("Emma", "novel", 12), ("Hidden", "novel", 13), ("Walden", "essay", 14)):
            values = {"title": title, "kind": kind, "price": price, "cost": 9, "author": author, "phone": f"13{price}",
                      "owner": shop.manager.id, "secret": "canary"}  # fmt: skip
            made[title] = records.create(ctx, shop.table(ctx, "book"), values)
        made["author"] = author
    return made


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Proofs are tried by themselves; here they cost nothing."""
    monkeypatch.setattr(proofs, "BITS", 4)
    monkeypatch.setattr(proofs.proves, "__defaults__", (4,))


class Visitor:
    """Somebody with a browser and nothing else."""

    def __init__(self, app: Any, url: str) -> None:
        self.client, self.url = app.test_client(), url
        self.client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"

    def get(self, path: str = "", **options: Any) -> Any:
        return self.client.get(self.url + path, **options)

    def ticket(self, path: str = "") -> str:
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.get(path).text)
        assert found
        return found[1]

    def send(self, data: Any, path: str = "", page: str = "", ticket: str = "", **options: Any) -> Any:
        ticket = ticket or self.ticket(page)
        proof = proofs.solved(ticket, 4)
        return self.client.post(self.url + path, data={**data, "csrf_token": ticket, "_proof": proof}, **options)


def uses(**fields: str) -> dict[str, str]:
    return {f"_use.{id}": use for id, use in fields.items()}


def share(rep: Person, what: str = "fill", target: str = "tell", record: Any = "", **sent: Any) -> str:
    """The path of a new link."""
    page = f"/a/shop/links/new?kind={what}&target={target}" + (f"&record={record}" if record else "")
    answer = rep.post(page, {"_name": "Fair", **BASE, **sent})
    assert answer.status_code == 204, answer.text
    shown = rep.get(answer.headers["HX-Redirect"]).text
    assert "code-picture" in shown
    return re.search(r'value="https?://[^/]+(/p/[^"]+)"', shown)[1]


ASKED = uses(title="ask", phone="prefill", price="ask", kind="set", total="show", copies="ask", scan="ask") | {
    "kind": "essay"
}


def stored(shop: Shop, title: str) -> list[Any]:
    with shop.opened() as ctx:
        gate = door(ctx, shop.table(ctx, "book"))
        page = query.page(gate, query.Listing(["title"], size=200))
        return [query.fetch(gate, r.id) for r in page.records if r.values["title"] == title]


def test_a_visitor_fills_in_what_the_link_asks_and_nothing_else(app: Any, shop: Shop, rep: Person, books: Any) -> None:
    visitor = Visitor(app, share(rep, **ASKED, _thanks="Bye <b>now</b>", _intro="Hello"))
    page = visitor.get("?phone=555&title=Sneaked&kind=novel")
    assert page.status_code == 200
    assert "Set-Cookie" not in page.headers
    assert page.headers["X-Robots-Tag"].startswith("noindex")
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    assert page.headers["X-Frame-Options"] == "DENY"
    for inner in (
        "Sneaked",
        "canary",
        'name="secret"',
        'name="owner"',
        'name="kind"',
        'name="author"',
        "Manager",
        "/a/shop",
    ):
        assert inner not in page.text, inner
    assert 'value="555"' in page.text
    sent = visitor.send({"title": "Persuasion", "phone": "555", "kind": "novel"})
    assert sent.status_code == 303, sent.text
    thanks = visitor.client.get(sent.headers["Location"])
    assert "Bye &lt;b&gt;now&lt;/b&gt;" in thanks.text
    (made,) = stored(shop, "Persuasion")
    assert (made.values["kind"], made.values["phone"], made.values["secret"]) == ("essay", "555", "inner")
    for field, value in (
        ("secret", "x"),
        ("cost", "1"),
        ("owner", str(shop.clerk.id)),
        ("author", str(books["author"])),
    ):
        assert (
            visitor.send({"title": "Forged", field: value}).status_code == 422
            or not stored(shop, "Forged")[0].values[field]
        )
    told = rep.get(f"/a/shop/t/book/{made.id}").text
    assert "Public link: Fair" in told


def test_the_same_checks_hold_and_what_was_typed_is_kept(app: Any, shop: Shop, rep: Person) -> None:
    visitor = Visitor(app, share(rep, **ASKED))
    refused = visitor.send({"title": "", "phone": "777"})
    assert refused.status_code == 422
    assert 'value="777"' in refused.text
    live = visitor.send({"title": "Emma", "copies": "[]"}, "live", headers={"HX-Request": "true"})
    assert live.status_code == 200
    assert "canary" not in live.text


def test_a_link_opens_nothing_without_its_ticket_its_proof_or_from_another_site(
    app: Any, rep: Person, shop: Shop
) -> None:
    url = share(rep, **ASKED)
    visitor = Visitor(app, url)
    ticket = visitor.ticket()
    client = visitor.client
    assert client.post(url, data={"title": "Bot"}).status_code == 403
    assert client.post(url, data={"title": "Bot", "csrf_token": ticket}).status_code == 422
    data = {"title": "Bot", "csrf_token": ticket, "_proof": proofs.solved(ticket, 4)}
    assert client.post(url, data=data, headers={"Origin": "https://evil.example"}).status_code == 403
    assert client.post(url, data=data, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    other = Visitor(app, share(rep, **ASKED)).ticket()
    assert visitor.send({"title": "Bot"}, ticket=other).status_code == 403
    assert stored(shop, "Bot") == []
    answers = [client.post(url, data=data).status_code for _ in range(2)]
    assert answers == [303, 303]
    assert len(stored(shop, "Bot")) == 1


def test_an_outsider_guesses_nothing(app: Any, rep: Person, sign_in: Any, shop: Shop, books: Any) -> None:
    url = share(rep, **ASKED)
    slug = url.split("/")[2].split(".")[0]
    client = app.test_client()
    for path in ("/p/x/", f"/p/{slug}./", f"/p/{slug}.guess/", f"/p/nobody.{'a' * 32}/", url[:-2] + "/", f"{url}record/{books['Emma']}",
                 f"{url}pick/author", f"{url}pick/owner", f"{url}file/-/scan/{books['Emma']}", f"{url}e/forged/"):  # fmt: skip
        assert client.get(path).status_code == 404, path
    outsider, reader = sign_in(shop, "outsider"), sign_in(shop, "manager")
    new = "/a/shop/links/new?kind=fill&target=tell"
    for person in (outsider, reader):
        assert person.get(new).status_code == 404
        assert person.post(new, {"_name": "Mine", **ASKED}).status_code == 404
        assert person.get("/a/shop/links/").status_code == 404
    id = re.search(r"/a/shop/links/([0-9a-f-]{36})/switch", rep.get("/a/shop/links/").text)[1]
    assert reader.get(f"/a/shop/links/{id}").status_code == 404
    assert reader.post(f"/a/shop/links/{id}/switch", {"on": ""}).status_code == 404
    with shop.opened() as ctx:
        assert url.split(".")[1].strip("/") not in str(ctx.conn.execute(select(public_link)).all())


def test_a_closed_link_is_closed_at_the_next_request_and_the_trail_knows(app: Any, rep: Person, shop: Shop) -> None:
    visitor = Visitor(app, share(rep, **ASKED, _name="Trail"))
    assert visitor.get().status_code == 200
    listed = rep.get("/a/shop/links/").text
    id = re.search(r'/links/([0-9a-f-]{36})">Trail', listed)[1]
    rep.post(f"/a/shop/links/{id}/switch", {"on": ""})
    assert visitor.get().status_code == 410
    rep.post(f"/a/shop/links/{id}/switch", {"on": "1"})
    assert visitor.get().status_code == 200
    past = {"_ends_at": "2020-01-01T00:00"}
    assert rep.post(f"/a/shop/links/{id}", {"_name": "Trail", **ASKED, **past}).status_code == 204
    assert "no longer open" in visitor.get().text
    rep.post(f"/a/shop/links/{id}/remove")
    assert visitor.get().status_code == 404
    with shop.opened() as ctx:
        kinds = ctx.conn.scalars(select(workspace_audit.c.kind).where(workspace_audit.c.about == "Trail")).all()
    assert {"link.made", "link.closed", "link.opened", "link.changed", "link.removed"} <= set(kinds)


def test_a_link_shows_no_more_than_its_maker_may_share(
    app: Any, make_shop: Any, sign_in: Any, shop: Shop, rep: Person, books: Any
) -> None:
    shown = {"_columns": ["title", "author", "price", "owner"]}
    view = Visitor(app, share(rep, "view", "novels", **shown))
    page = view.get().text
    assert "Emma" in page
    assert "Austen" in page
    assert "Manager" in page
    for hidden in ("Hidden", "Walden", "canary", "/a/shop"):
        assert hidden not in page, hidden
    assert view.get(f"record/{books['Emma']}").status_code == 200
    for title in ("Hidden", "Walden"):
        assert view.get(f"record/{books[title]}").status_code == 404
    for question in ("?sort=cost", "?sort=-secret", "?filter=cost%20%3E%201", "?q=canary", "?trash=1"):
        assert "canary" not in view.get(question).text.replace('value="canary"', "")
    refused = rep.post("/a/shop/links/new?kind=view&target=novels", {"_name": "x", "_columns": ["cost"]})
    assert refused.status_code == 422
    record = Visitor(app, share(rep, "record", "book", books["Walden"], _columns=["title", "phone"]))
    assert "1314" in record.get().text
    assert rep.get(f"/a/shop/links/new?kind=record&target=book&record={books['Hidden']}").status_code == 404
    board = Visitor(app, share(rep, "dashboard", "figures"))
    assert board.get().status_code == 200
    assert "Hidden" not in board.get().text
    assert "/records" not in board.get().text
    made = package()
    made["access"] = [g for g in made["access"] if g["id"] != "see"]
    made["access"][0]["do"].remove("share")
    with shop.opened() as ctx:
        definitions.publish(ctx, "shop", made)
    assert [v.get().status_code for v in (view, record, board)] == [410, 410, 410]
    with shop.opened() as ctx:
        definitions.publish(ctx, "shop", package())
    assert view.get().status_code == 200


def test_a_visitor_looks_up_only_what_they_know_exactly(app: Any, rep: Person, books: Any) -> None:
    visitor = Visitor(app, share(rep, "lookup", "novels", _columns=["title"], _keys=["title", "phone"]))
    found = visitor.send({"title": "Emma", "phone": "1312"}, "find")
    assert ">Emma<" in found.text
    assert "1312" not in found.text.replace('value="1312"', "")
    for sent in ({"title": "Emma"}, {"title": "Emma", "phone": ""}):
        assert visitor.send(sent, "find").status_code == 422
    for sent in (
        {"title": "Emma", "phone": "131"},
        {"title": "Hidden", "phone": "1313"},
        {"title": '" = "', "phone": "%"},
    ):
        assert "Nothing was found" in visitor.send(sent, "find").text, sent
    assert visitor.get(f"record/{books['Emma']}").status_code == 404


def test_a_password_is_asked_first_and_cannot_be_guessed_for_long(app: Any, rep: Person, monkeypatch: Any) -> None:
    visitor = Visitor(app, share(rep, **ASKED, _password="swordfish"))
    assert visitor.get().status_code == 401
    assert "Tell us" not in visitor.get().text
    ticket = visitor.ticket()
    assert visitor.send({"title": "In"}, ticket=ticket).status_code == 401
    assert visitor.send({"password": "wrong"}, "enter", ticket=ticket).status_code == 422
    assert visitor.get("cover").status_code == 401
    assert visitor.send({"password": "swordfish"}, "enter", ticket=ticket).status_code == 303
    assert visitor.get().status_code == 200
    assert visitor.get("cover").headers["Content-Type"] == "image/png"
    assert 'class="form-cover"' in visitor.get().text
    stranger = Visitor(app, visitor.url)
    tries = [stranger.send({"password": "x"}, "enter", ticket=ticket).status_code for _ in range(12)]
    assert tries[-1] == 429


def test_answers_are_counted_and_the_last_place_is_given_once(app: Any, rep: Person, shop: Shop) -> None:
    url = share(rep, **ASKED, _most="2")
    first = Visitor(app, url)
    late = [(v := Visitor(app, url), v.ticket()) for _ in range(4)]
    assert first.send({"title": "Race"}).status_code == 303

    def run(pair: Any) -> int:
        return int(pair[0].send({"title": "Race"}, ticket=pair[1]).status_code)

    with ThreadPoolExecutor(4) as pool:
        codes = sorted(pool.map(run, late))
    assert codes == [303, 410, 410, 410]
    assert len(stored(shop, "Race")) == 2
    assert first.get().status_code == 410


def test_one_answer_from_each_browser_or_for_each_telephone(app: Any, rep: Person, shop: Shop) -> None:
    url = share(rep, **ASKED, _once_by="device")
    visitor = Visitor(app, url)
    assert visitor.client.post(url, data={"csrf_token": Visitor(app, url).ticket()}).status_code == 422
    visitor.get()
    assert visitor.send({"title": "Once"}).status_code == 303
    assert visitor.send({"title": "Once"}).status_code == 422
    assert Visitor(app, url).send({"title": "Once"}).status_code == 303
    assert len(stored(shop, "Once")) == 2
    url = share(rep, **ASKED, _once_by="phone")
    assert Visitor(app, url).send({"title": "Call", "phone": "abc 1"}).status_code == 303
    again = Visitor(app, url).send({"title": "Call", "phone": "ABC1"})
    assert "An answer with this value" in again.text
    assert len(stored(shop, "Call")) == 1


def test_an_answer_is_changed_by_its_private_address_alone(app: Any, rep: Person, shop: Shop) -> None:
    visitor = Visitor(app, share(rep, **ASKED, _edit="1"))
    sent = visitor.send({"title": "Draft", "phone": "1"})
    thanks = visitor.client.get(sent.headers["Location"]).text
    private = re.search(r'value="https?://[^/]+(/p/[^"]+)"', thanks)[1].removeprefix(visitor.url)
    assert 'value="Draft"' in visitor.get(private).text
    done = visitor.send({"title": "Final", "kind": "novel", "_version": "1"}, private, page=private)
    assert done.status_code == 303, done.text
    (made,) = stored(shop, "Final")
    assert made.values["kind"] == "essay"
    other = Visitor(app, share(rep, **ASKED, _edit="1"))
    assert other.get(private).status_code == 404


def test_files_are_taken_within_bounds_and_shown_to_nobody_else(
    app: Any, rep: Person, shop: Shop, monkeypatch: Any
) -> None:
    visitor = Visitor(app, share(rep, **ASKED))
    ticket = visitor.ticket()

    def upload(field: str, body: bytes) -> Any:
        data = {"file": (BytesIO(body), "a.txt"), "csrf_token": ticket}
        return visitor.client.post(f"{visitor.url}upload/{field}", data=data)

    kept = upload("scan", b"hello")
    assert kept.status_code == 200, kept.text
    assert upload("secret", b"x").status_code == 404
    shown = visitor.client.get(kept.json["url"])
    assert shown.data == b"hello"
    shown.close()
    other = Visitor(app, share(rep, **ASKED))
    assert other.get(kept.json["url"].removeprefix(visitor.url)).status_code == 404
    monkeypatch.setattr(public, "LARGEST_UPLOAD", 4_000)
    assert upload("scan", b"x" * 5_000).status_code == 422
    assert visitor.send({"title": "Scanned", "scan": kept.json["id"]}).status_code == 303
    assert visitor.client.get(kept.json["url"]).status_code == 404


def test_records_may_be_chosen_only_where_the_link_says_so(app: Any, rep: Person, shop: Shop, books: Any) -> None:
    visitor = Visitor(app, share(rep, **(ASKED | uses(author="ask"))))
    assert [one["text"] for one in visitor.get("pick/author").json] == ["Austen"]
    assert visitor.send({"title": "Linked", "author": str(books["author"])}).status_code == 303
    assert stored(shop, "Linked")[0].values["author"] == books["author"]
    assert visitor.send({"title": "Linked", "author": str(books["Emma"])}).status_code == 422


def test_only_named_sites_embed_a_link(app: Any, rep: Person) -> None:
    page = Visitor(app, share(rep, **ASKED, _sites="https://www.Example.com/path\nshop.example.org")).get()
    policy = page.headers["Content-Security-Policy"]
    assert "frame-ancestors 'self' https://www.example.com https://shop.example.org" in policy
    assert "X-Frame-Options" not in page.headers
    refused = rep.post(
        "/a/shop/links/new?kind=fill&target=tell", {"_name": "x", **ASKED, "_sites": "https://x.com;script-src *"}
    )
    assert refused.status_code == 422


def test_after_the_thanks_a_visitor_is_led_on_unless_there_is_an_address_to_keep(app: Any, rep: Person) -> None:
    page = "https://example.org/after?a=1&b=2"
    visitor = Visitor(app, share(rep, **ASKED, _onward=page))
    thanks = visitor.client.get(visitor.send({"title": "Onward", "phone": "1"}).headers["Location"]).text
    assert '<meta http-equiv="refresh" content="3;url=https://example.org/after?a=1&amp;b=2">' in thanks
    assert 'href="https://example.org/after?a=1&amp;b=2"' in thanks
    keeps = Visitor(app, share(rep, **ASKED, _onward=page, _edit="1"))
    thanks = keeps.client.get(keeps.send({"title": "Kept", "phone": "1"}).headers["Location"]).text
    assert "private-link" in thanks
    assert 'href="https://example.org/after' in thanks
    assert "http-equiv" not in thanks


def test_settings_that_cannot_work_are_refused_with_words(rep: Person) -> None:
    new = "/a/shop/links/new?kind=fill&target=tell"
    for sent, words in (
        ({"_name": ""}, "Give the link a name"), ({"_password": "abc"}, "at least 4"), ({"_most": "0"}, "Choose from 1"),
        ({"_most": "x"}, "whole number"), ({"_opens_at": "tomorrow"}, "a date and a time"), ({"_word": "erp"}, "Only administrators"),
        ({"_use.title": ""}, "must be filled in"), ({"_use.owner": "ask"}, "cannot be done"), ({"_once_by": "author"}, "Choose a field"),
        ({"_onward": "javascript:alert(1)"}, "the address of a page"), ({"_onward": "/inside"}, "the address of a page"),
    ):  # fmt: skip
        answer = rep.post(new, {"_name": "Odd", **ASKED, **sent})
        assert answer.status_code == 422, sent
        assert words in answer.text, sent


def test_too_many_answers_from_one_network_wait(app: Any, rep: Person, monkeypatch: Any) -> None:
    monkeypatch.setattr(public, "MOST_ANSWERS", 2)
    visitor = Visitor(app, share(rep, **ASKED))
    assert [visitor.send({"title": "Flood"}).status_code for _ in range(4)] == [303, 303, 429, 429]


def test_a_signed_in_member_is_nobody_on_a_public_page(app: Any, rep: Person) -> None:
    url = share(rep, **ASKED)
    page = rep.get(url).text
    assert "Clerk" not in page
    assert 'name="workspace"' not in page


def test_a_visitor_on_a_phone_answers_in_a_browser_that_does_the_work(
    app: Any, rep: Person, shop: Shop, browser: Any, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proofs, "BITS", 12)
    monkeypatch.setattr(proofs.proves, "__defaults__", (12,))
    url = share(rep, **ASKED)
    context = browser.new_context(base_url=address, viewport={"width": 390, "height": 844}, locale="zh-CN")
    page, wrong = context.new_page(), []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if "Security Policy" in said.text else None)
    page.goto(url)
    page.get_by_label("title").fill("By phone")
    page.get_by_role("button", name="提交").click()
    page.wait_for_url("**/thanks")
    assert page.get_by_role("heading", name="谢谢").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert context.cookies() == []
    assert len(stored(shop, "By phone")) == 1
    assert wrong == []
    context.close()
