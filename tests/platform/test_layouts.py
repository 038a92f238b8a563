"""A workspace that an earlier version made has today's tables after a start, and keeps what is in it."""

from sqlalchemy import Engine, inspect, select, text, update

from runtime import definitions, models, people, query, records, workspaces
from runtime.access import door
from runtime.query import Listing
from runtime.tables import live

BOOKS = {
    "language": 1, "app": "shop", "title": "Shop",
    "tables": [{"id": "book", "fields": [{"id": "title", "type": "text"}]}],
}  # fmt: skip


def test_what_an_earlier_version_did_not_know_is_added(engine: Engine) -> None:
    workspaces.prepare(engine)
    made = workspaces.create(engine, "older", "Older")
    with workspaces.opened(engine, made) as ctx:
        people.add_member(ctx, "Ada")
    with engine.begin() as conn:
        for statement in (
            "DROP TABLE conversion_run",
            "ALTER TABLE storage DROP COLUMN definition",
            "DROP INDEX storage_path",
        ):
            conn.execute(text(f'SET LOCAL search_path TO "{made.schema}"'))
            conn.execute(text(statement))
        conn.execute(update(models.workspace).where(models.workspace.c.id == made.id).values(layout=1))
    workspaces.prepare(engine)
    looked = inspect(engine)
    assert "conversion_run" in looked.get_table_names(made.schema)
    assert "definition" in {c["name"] for c in looked.get_columns("storage", made.schema)}
    assert "storage_path" in {i["name"] for i in looked.get_indexes("storage", made.schema)}
    with workspaces.opened(engine, made) as ctx:
        assert list(ctx.conn.scalars(select(models.member.c.name))) == ["Ada"]
        assert (
            ctx.conn.scalar(select(models.workspace.c.layout).where(models.workspace.c.id == made.id)) == models.LAYOUT
        )


def test_a_start_changes_nothing_that_is_up_to_date(engine: Engine) -> None:
    workspaces.prepare(engine)
    made = workspaces.create(engine, "current", "Current")
    before = inspect(engine).get_table_names(made.schema)
    workspaces.prepare(engine)
    assert inspect(engine).get_table_names(made.schema) == before


def test_a_record_of_an_earlier_version_is_found_by_its_words_as_before(engine: Engine) -> None:
    workspaces.prepare(engine)
    made = workspaces.create(engine, "searched", "Searched")
    texts = ["出差 😀 Berlin", "量子", ""]
    with workspaces.opened(engine, made) as ctx:
        book = live(ctx, definitions.publish(ctx, "shop", BOOKS), "book")
        drafts = records.create_many(ctx, book, [{"title": text} for text in texts])
        kept = {row[0]: row[1] for row in ctx.conn.execute(select(book.words))}
        name = book.sql.name
        ctx.conn.exec_driver_sql(f"DROP TABLE {book.words.name}")
        ctx.conn.exec_driver_sql(f"ALTER TABLE {name} ADD COLUMN bigrams text[]")
        for draft, text_ in zip(drafts, texts, strict=True):
            pairs = {a + b for a, b in zip(text_, text_[1:], strict=False) if " " not in a + b} | {*text_} - {" "}
            parts = {"id": draft.id, "pairs": [p.casefold() for p in pairs]}
            ctx.conn.execute(text(f"UPDATE {name} SET bigrams = :pairs WHERE id = :id"), parts)
        ctx.conn.execute(update(models.workspace).where(models.workspace.c.id == made.id).values(layout=3))
    workspaces.prepare(engine)
    with workspaces.opened(engine, made) as ctx:
        book = live(ctx, definitions.installed(ctx, "shop"), "book")
        moved = {row[0]: row[1] for row in ctx.conn.execute(select(book.words))}
        assert {id: set(numbers) for id, numbers in moved.items()} == {id: set(n) for id, n in kept.items()}
        assert query.ids(door(ctx, book), Listing(search="差 😀 b")) == [drafts[0].id]
