"""The page of an app's rights: a designer says who may do what, publishes, and it holds."""

from decimal import Decimal

import pytest
from sqlalchemy import text
from sqlalchemy.exc import InternalError

from builder import drafts
from runtime import query, records, viewing
from runtime.access import door
from tests.runtime.conftest import Shop


def grant(shop: Shop, id):
    with shop.opened(shop.boss) as ctx:
        return drafts.open_draft(ctx, "shop").parts.get(f"access/{id}")


def test_a_grant_is_made_limited_masked_given_to_people_by_name_and_published(shop, sign_in):
    boss = sign_in(shop, "boss")
    page = boss.get("/build/shop/rights/?of=table:book").get_data(as_text=True)
    assert "Rights" in page
    assert "own_delete" not in page
    boss.post("/build/shop/rights/add", {"of": "table:book", "preset": "look"})
    assert grant(shop, "book_look")["do"] == ["read", "print", "comment"]
    asked = {
        "who": ["role:clerk"], "member": [str(shop.outsider.id)], "do": ["read", "export"], "limited": "1", "title.en": "Looking on",
        "f.*": "hidden", "f.title": "read", "f.price": "mask", "f.copies": "read", "f.copies.place": "hidden", "f.due": "nonsense",
        "rows": "", "rows.was": "rows", "rows.mode": "rows", "rows.joined": "AND",
        "rows.field": "kind", "rows.operator": "is", "rows.value": "novel",
    }  # fmt: skip
    answer = boss.post("/build/shop/rights/book_look", asked)
    assert answer.status_code == 200, answer.get_data(as_text=True)[:500]
    made = grant(shop, "book_look")
    assert made["who"] == [{"role": "clerk"}, {"slot": "member"}]
    assert (made["do"], made["rows"]) == (["read", "export"], 'kind = "novel"')
    assert made["fields"]["price"] == "mask"
    assert made["fields"]["copies.place"] == "hidden"
    assert made["fields"]["*"] == "hidden"
    bulk = boss.post("/build/shop/rights/book_look", {**asked, "bulk": "hidden", "chosen": ["price", "title"]})
    assert bulk.status_code == 200
    assert "price" not in grant(shop, "book_look")["fields"]
    boss.post("/build/shop/rights/undo", {"of": "table:book", "grant": "book_look"})
    assert grant(shop, "book_look")["fields"]["price"] == "mask"
    words = boss.get("/build/shop/publish").get_data(as_text=True)
    assert "Outsider may now: see, export (book)" in words
    boss.post("/build/shop/publish", {})
    outsider = sign_in(shop, "outsider")
    boss.post("/a/shop/f/book/new", {"title": "Emma", "kind": "novel", "price": "12", "owner": str(shop.manager.id)})
    seen = outsider.get("/a/shop/v/book/").get_data(as_text=True)
    assert "Emma" in seen
    assert '<span class="masked">****</span>' in seen
    assert "12.00" not in seen


def test_a_grant_for_nobody_is_refused_and_nothing_is_lost(shop, sign_in):
    boss = sign_in(shop, "boss")
    boss.post("/build/shop/rights/add", {"of": "app:", "preset": "look"})
    answer = boss.post("/build/shop/rights/app_look", {"do": ["read", "export"]})
    assert answer.status_code == 422
    assert "who is this for?" in answer.get_data(as_text=True)
    assert grant(shop, "app_look")["who"] == {"everyone": True}
    for wrong in ("/build/shop/rights/?of=table:none", "/build/shop/rights/nothing"):
        assert (boss.get(wrong) if "?" in wrong else boss.post(wrong, {})).status_code == 404
    boss.post("/build/shop/rights/app_look/copy", {})
    assert grant(shop, "app_look_2")
    boss.post("/build/shop/rights/app_look/remove", {"of": "app:"})
    assert grant(shop, "app_look") is None
    assert sign_in(shop, "manager").get("/build/shop/rights/").status_code == 404


def book(shop: Shop, **values):
    with shop.opened(shop.boss) as ctx:
        return records.create(ctx, shop.table(ctx, "book"), values)


def test_an_administrator_looks_as_a_clerk_and_can_change_nothing(shop, sign_in):
    own = book(shop, title="Emma", owner=shop.clerk.id, cost=Decimal(7331), kind="essay")
    foreign = book(shop, title="Ideas", owner=shop.manager.id, kind="essay")
    boss, manager = sign_in(shop, "boss"), sign_in(shop, "manager")
    assert manager.post("/a/shop/view-as", {"member": str(shop.clerk.id)}).status_code == 404
    assert boss.post("/a/shop/view-as", {"member": "nobody"}).status_code == 422
    assert boss.post("/a/shop/view-as", {"member": str(shop.clerk.id)}).status_code == 204
    page = boss.get("/a/shop/v/book/").get_data(as_text=True)
    assert "looking as Clerk" in page
    assert "Emma" in page
    assert "Ideas" not in page
    assert "7331" not in page
    assert boss.get(f"/a/shop/t/book/{own}").status_code == 200
    assert boss.get(f"/a/shop/t/book/{foreign}").status_code == 404
    assert boss.get(f"/a/shop/f/book/{own}").status_code == 200
    assert boss.post(f"/a/shop/f/book/live?record={own}", {"title": "Emma 2"}).status_code == 200
    for url, data in (
        (f"/a/shop/f/book/{own}", {"title": "Emma 2"}), ("/a/shop/f/book/new", {"title": "New"}),
        ("/a/shop/t/book/trash", {"ids": str(own)}), ("/build/", {"title": "Mine"}), ("/a/shop/v/book/columns", {}),
    ):  # fmt: skip
        assert boss.post(url, data).status_code == 403, url
    assert boss.send("PUT", "/a/shop/f/book/draft", "{}").status_code == 403
    for url in ("/tasks/", "/notices/", "/members/", "/build/", "/build/shop/rights/", "/password"):
        assert boss.get(url).status_code == 403, url
    with shop.opened(shop.boss) as ctx:
        assert query.fetch(door(ctx, shop.table(ctx, "book")), own)["title"] == "Emma"
    assert boss.post("/view-as/stop", {}).status_code == 204
    assert "Viewed the workspace as Clerk" in boss.get("/audit/").get_data(as_text=True)
    assert "Ideas" in boss.get("/a/shop/v/book/").get_data(as_text=True)


def test_looking_as_a_role_shows_what_the_role_alone_opens(shop, sign_in):
    book(shop, title="Emma", owner=shop.clerk.id, kind="essay")
    book(shop, title="Persuasion", owner=shop.clerk.id, kind="novel")
    boss = sign_in(shop, "boss")
    boss.post("/a/shop/view-as", {"role": "clerk"})
    page = boss.get("/a/shop/v/book/").get_data(as_text=True)
    assert "Persuasion" in page
    assert "Emma" not in page


def test_the_database_itself_refuses_to_write_for_one_who_only_looks(shop, sign_in):
    """Also where a page would write although it is only asked for."""
    with shop.opened() as ctx:
        looking = viewing.as_wished(ctx, shop.boss, viewing.wish(ctx, "shop", str(shop.clerk.id)))
        assert (looking.admin, looking.viewed_by) == (False, shop.boss.id)
        with pytest.raises(InternalError, match="read-only"):
            ctx.conn.execute(text("UPDATE member SET name = 'Seized'"))
    with shop.opened() as ctx:
        assert viewing.as_wished(ctx, shop.manager, viewing.wish(ctx, "shop", str(shop.boss.id))) == shop.manager


def test_why_somebody_can_or_cannot_see_a_field_of_a_record(shop, sign_in):
    id = book(shop, title="Emma", owner=shop.manager.id, kind="novel")
    boss = sign_in(shop, "boss")

    def told(**asked):
        page = boss.get(
            "/build/shop/rights/why", query_string={"table": "book", "record": f"/a/shop/t/book/{id}", **asked}
        )
        return " ".join(page.get_data(as_text=True).split())

    clerk = told(member=str(shop.clerk.id), field="cost")
    assert "✓ see" in clerk
    assert "✗ change" in clerk
    assert "The field: <strong>hidden</strong>" in clerk
    assert "The record is not among its rows: owner is me" in clerk
    assert "Not for this member: it is for manager." in clerk
    assert "No grant" not in told(member=str(shop.outsider.id))
    assert "✗ see" in told(member=str(shop.outsider.id))
    assert "everything is open to administrators" in told(member=str(shop.boss.id))
    assert "This is not the address of a record." in told(member=str(shop.clerk.id), record="nonsense")
    assert sign_in(shop, "manager").get("/build/shop/rights/why").status_code == 404
