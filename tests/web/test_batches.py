"""Acting on many records: each by itself, at most what its doer may do; few at once, many as one job."""

from copy import deepcopy
from decimal import Decimal

import pytest

from runtime import batches, jobs, people, query, records
from runtime.access import door
from runtime.query import Listing
from tests.runtime.conftest import SHOP


@pytest.fixture
def busy(make_shop):
    """Clerks see everything, and act on their own books; of prices they see only a mask."""
    made = deepcopy(SHOP)
    for grant in made["access"]:
        if grant["id"] == "own":
            grant |= {
                "do": ["read", "update", "delete", "batch"],
                "fields": {"*": "write", "price": "replace", "due": "read"},
            }
    made["access"].append(
        {
            "id": "look",
            "who": {"role": "clerk"},
            "table": "book",
            "do": ["read"],
            "fields": {"*": "read", "price": "mask"},
        }
    )
    return make_shop(made)


def book(shop, title, owner, **values):
    with shop.opened(shop.boss) as ctx:
        return records.create(
            ctx, shop.table(ctx, "book"), {"title": title, "owner": owner.id, "kind": "essay", **values}
        )


def kinds(shop):
    with shop.opened(shop.boss) as ctx:
        listing = Listing(["title", "kind", "price", "owner"], sort=["title"], size=200)
        return {r["title"]: r for r in query.page(door(ctx, shop.table(ctx, "book")), listing).records}


def test_each_record_is_changed_by_itself_and_it_is_told_what_became_of_it(busy, sign_in):
    own = [book(busy, f"Own {n}", busy.clerk, price=Decimal(n), cost=Decimal(n)) for n in (1, 5)]
    foreign = book(busy, "Foreign", busy.manager)
    clerk = sign_in(busy, "clerk")
    ids = [str(id) for id in (*own, foreign)]
    asked = clerk.post("/a/shop/t/book/batch", {"ids": ids, "field": "kind", "view": "book"}).get_data(as_text=True)
    assert "3 records chosen" in asked
    assert 'name="kind"' in asked
    for closed in ("due", "title", "copies", "no", "total"):
        assert f'<option value="{closed}"' not in asked or closed == "title"
    told = clerk.post("/a/shop/t/book/batch/change", {"ids": ids, "field": "kind", "kind": "novel"}).get_data(
        as_text=True
    )
    assert "2 of 3 records done" in told
    assert "1 refused" in told
    assert "you may not change it" in told
    assert [kinds(busy)[t]["kind"] for t in ("Own 1", "Own 5", "Foreign")] == ["novel", "novel", "essay"]
    told = clerk.post("/a/shop/t/book/batch/change", {"ids": ids[:2], "field": "price", "price": "3"}).get_data(
        as_text=True
    )
    assert "1 of 2 records done" in told
    assert "Too cheap" in told
    assert [kinds(busy)[t]["price"] for t in ("Own 1", "Own 5")] == [Decimal(3), Decimal(5)]
    clerk.post("/a/shop/t/book/batch/change", {"ids": ids[:2], "field": "price", "price": ""})
    assert kinds(busy)["Own 1"]["price"] == Decimal(3)
    handed = {"ids": ids[:1], "field": "owner", "owner": str(busy.manager.id)}
    assert "outside what you may change" in clerk.post("/a/shop/t/book/batch/change", handed).get_data(as_text=True)
    assert (
        clerk.post("/a/shop/t/book/batch/change", {"ids": ids, "field": "due", "due": "2026-01-01"}).status_code == 422
    )
    assert clerk.post("/a/shop/t/book/batch/trash", {"ids": ids[:2]}).status_code == 204
    assert list(kinds(busy)) == ["Foreign"]


def test_without_the_right_nothing_is_done_to_more_than_one(busy, sign_in):
    ids = [str(book(busy, f"Book {n}", busy.manager)) for n in range(2)]
    manager = sign_in(busy, "manager")
    for url, data in (
        ("batch", {}),
        ("batch/change", {"field": "kind", "kind": "novel"}),
        ("batch/trash", {}),
        ("trash", {}),
    ):
        assert manager.post(f"/a/shop/t/book/{url}", {"ids": ids, **data}).status_code == 403, url
    assert len(kinds(busy)) == 2
    assert manager.post("/a/shop/t/book/trash", {"ids": ids[:1]}).status_code == 204
    assert sign_in(busy, "outsider").post("/a/shop/t/book/batch/trash", {"ids": ids}).status_code == 404
    assert sign_in(busy, "clerk").post("/a/shop/t/book/batch/burn", {"ids": ids}).status_code == 404


def test_many_are_left_to_a_job_that_ends_when_the_right_is_taken_away(busy, sign_in, database_url, monkeypatch):
    monkeypatch.setattr(batches, "AT_ONCE", 2)
    monkeypatch.setattr(batches, "CHUNK", 3)
    for n in range(7):
        book(busy, f"Book {n}", busy.clerk)
    clerk = sign_in(busy, "clerk")
    sent = {"whole": "1", "view": "book", "list": "q=Book", "field": "kind", "kind": "novel"}
    url = clerk.post("/a/shop/t/book/batch/change", sent).headers["HX-Redirect"]
    assert "Waiting to begin" in clerk.get(url).get_data(as_text=True)
    assert sign_in(busy, "manager").get(url).status_code == 404
    run = url.rpartition("/")[2]
    with busy.opened(busy.clerk) as ctx:
        run = batches.run_of(ctx, batches.UUID(run)).id

    def opened():
        return busy.opened(busy.clerk)

    assert batches._next_chunk(opened, run)
    with busy.opened() as ctx:
        people.set_role(ctx, busy.table(ctx, "book").inst.id, "clerk", [])
    jobs.drain_jobs(database_url)
    assert sorted(r["kind"] for r in kinds(busy).values()) == ["essay"] * 4 + ["novel"] * 3
    with busy.opened(busy.clerk) as ctx:
        row = batches.run_of(ctx, run)
        assert (row.state, row.done, row.refused) == ("done", 3, 4)
