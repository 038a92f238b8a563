"""The page of an app's rights: a designer says who may do what, publishes, and it holds."""

from builder import drafts
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
