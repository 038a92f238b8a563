"""A workspace that an earlier version made has today's tables after a start, and keeps what is in it."""

from sqlalchemy import Engine, inspect, select, text, update

from runtime import models, people, workspaces


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
