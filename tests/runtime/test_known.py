"""What is remembered between transactions holds as long as nobody changes it, and not a moment longer."""

from sqlalchemy import event, insert, text, update

from runtime import models, people
from runtime.access import granted_to
from runtime.definitions import installed
from runtime.ids import new_id
from runtime.people import Directory
from tests.runtime.conftest import Shop


def statements(shop: Shop, story) -> list[str]:
    heard: list[str] = []
    listener = lambda conn, cursor, sql, *rest: heard.append(sql)  # noqa: E731
    event.listen(shop.engine, "before_cursor_execute", listener)
    try:
        with shop.opened(shop.clerk) as ctx:
            story(ctx)
    finally:
        event.remove(shop.engine, "before_cursor_execute", listener)
    return heard


def rights(ctx) -> list[str]:
    return [grant.id for grant in granted_to(ctx, installed(ctx, "shop"))]


def test_a_clerk_who_comes_again_is_known_with_the_first_statement(shop: Shop) -> None:
    statements(shop, rights)
    assert len(statements(shop, rights)) == 1


def test_a_role_taken_away_by_any_statement_holds_in_the_next_transaction(shop: Shop) -> None:
    with shop.opened(shop.clerk) as ctx:
        assert rights(ctx)
    with shop.opened() as ctx:
        ctx.conn.execute(text("DELETE FROM role_member WHERE member_id = :id"), {"id": shop.clerk.id})
    with shop.opened(shop.clerk) as ctx:
        assert not rights(ctx)


def test_what_was_not_committed_is_remembered_by_nobody(shop: Shop) -> None:
    with shop.opened() as ctx:
        before = Directory.of(ctx).names([shop.clerk.id])
        id = new_id()
        ctx.conn.execute(insert(models.department).values(id=id, name="Ghosts", position=9))
        assert id in Directory.of(ctx).units
        ctx.conn.execute(update(models.member).where(models.member.c.id == shop.clerk.id).values(name="Nobody"))
        assert Directory.of(ctx).names([shop.clerk.id]) == {shop.clerk.id: "Nobody"}
        assert ctx.acting_as(shop.clerk).known is ctx.known
        ctx.conn.rollback()
    with shop.opened() as ctx:
        assert id not in Directory.of(ctx).units
        assert Directory.of(ctx).names([shop.clerk.id]) == before


def test_a_new_name_is_read_by_those_who_begin_after_the_change(shop: Shop) -> None:
    with shop.opened() as long_running:
        assert people.Directory.of(long_running).names([shop.clerk.id])
        with shop.opened() as ctx:
            ctx.conn.execute(update(models.member).where(models.member.c.id == shop.clerk.id).values(name="Anna Li"))
        with shop.opened() as ctx:
            assert Directory.of(ctx).names([shop.clerk.id]) == {shop.clerk.id: "Anna Li"}
