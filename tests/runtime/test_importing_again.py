"""Rows of a file find the records that they change."""

from runtime import importing_again, query, records
from runtime.access import door


def test_a_clerk_finds_only_own_books_and_a_dry_change_keeps_nothing(shop):
    with shop.opened(shop.boss) as ctx:
        book = shop.table(ctx, "book")
        own = records.create(ctx, book, {"title": "Emma  One", "owner": shop.clerk.id, "price": 1})
        records.create(ctx, book, {"title": "Other", "owner": shop.manager.id})
    keys = {("emma one",), ("other",)}
    with shop.opened(shop.clerk) as ctx:
        book = shop.table(ctx, "book")
        assert importing_again.find(ctx, book, ["title"], keys) == {("emma one",): [own]}
        assert importing_again.change(ctx, book, own, {"title": "New"}, dry=True) == (True, {})
        assert query.fetch(door(ctx, book), own)["title"] == "Emma  One"
        assert importing_again.change(ctx, book, own, {"title": "New"}, dry=False) == (True, {})
        assert importing_again.change(ctx, book, own, {"title": "New"}, dry=False) == (False, {})


def test_a_blank_part_makes_no_key():
    assert importing_again.key_of(["a", "b"], {"a": " X  y ", "b": 2}) == ("x y", 2)
    assert importing_again.key_of(["a"], {"a": ""}) is None
