"""Many records at once are stored as they would be one by one."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from runtime import history, query, records
from runtime.access import door
from runtime.bulk import insert_rows
from runtime.query import Listing
from tests.runtime.conftest import Shop

HARD = ["a\tb", 'say "no"', "back\\slash", "\\N", "{}", "a,b", "😀 出差", "NULL", "%_", "é'x'", "line\\nbreak", "\\."]


def test_a_manager_s_many_books_read_as_written(shop: Shop) -> None:
    given: list[dict[str, Any]] = [{"title": text, "copies": [{"place": text, "count": 2}]} for text in HARD]
    with shop.opened(shop.manager) as ctx:
        book = shop.table(ctx, "book")
        drafts = records.create_many(ctx, book, given)
        assert [d.errors for d in drafts] == [{}] * len(HARD)
        gate = door(ctx, book)
        for text, draft in zip(HARD, drafts, strict=True):
            found = query.fetch(gate, draft.id)
            assert found["title"] == text
            assert [row["place"] for row in found["copies"]] == [text]
            assert history.of_record(ctx, book, draft.id)[0].changes["title"] == [None, text]


def test_each_of_many_books_is_found_by_the_pairs_of_its_title(shop: Shop) -> None:
    with shop.opened(shop.manager) as ctx:
        book = shop.table(ctx, "book")
        drafts = records.create_many(ctx, book, [{"title": text} for text in HARD])
        for text, draft in zip(HARD, drafts, strict=True):
            assert draft.id in query.ids(door(ctx, book), Listing(search=text))


def test_a_repeated_value_among_many_is_the_database_s_refusal_like_any_other(shop: Shop) -> None:
    with shop.opened(shop.manager) as ctx:
        author = shop.table(ctx, "author")
        made = records.create_many(ctx, author, [{"name": f"Author {n}"} for n in range(6)])
        row = {"version": 1, "created_at": ctx.now, "updated_at": ctx.now, "name": "Author 1"}
        again = [{"id": d.id, **row} for d in made]
        with pytest.raises(IntegrityError):
            insert_rows(ctx.conn, author.sql, again)
        ctx.conn.rollback()


def test_of_many_records_those_without_a_word_are_stored_too(shop: Shop) -> None:
    with shop.opened(shop.manager) as ctx:
        book = shop.table(ctx, "book")
        ids = [UUID(int=n + 1) for n in range(8)]
        insert_rows(ctx.conn, book.words, [{"record_id": id, "bigrams": list(range(n))} for n, id in enumerate(ids)])
        kept = ctx.conn.execute(select(book.words).where(book.words.c.record_id.in_(ids))).all()
        assert sorted(map(tuple, kept)) == [(id, list(range(n))) for n, id in enumerate(ids)]
        ctx.conn.rollback()
