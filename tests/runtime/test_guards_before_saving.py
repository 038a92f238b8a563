"""A loan that may not be: what looks before a record is saved refuses it, whoever writes, and leaves nothing behind."""

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select

from runtime import flows, query, records, upserting
from runtime.access import door
from runtime.models_flow import flow_instance
from schemas.app import App
from schemas.errors import DefinitionError, InvalidInput
from schemas.matching import Matching
from schemas.options import load
from tests.runtime.conftest import Shop

GUARD: dict[str, Any] = {
    "id": "lending", "title": "Lending", "trigger": {"saving": {"table": "loan"}, "when": "NOT(ISBLANK(book))"},
    "steps": [
        {"id": "out", "type": "find", "table": "loan", "take": "count", "where": "AND(book = this.book, NOT(back), id <> this)"},
        {"id": "most", "type": "calculate", "formula": "book.copies"},
        {"id": "which", "type": "choose", "branches": [
            {"id": "shut", "when": "book.shut", "steps": [
                {"id": "no", "type": "guard", "message": "{book.name} is not lent.", "field": "book"}]},
            {"id": "reader", "when": "who = \"friend\"", "steps": [{"id": "fine", "type": "end"}]},
            {"id": "rest", "steps": [
                {"id": "gone", "type": "guard", "when": "out >= most", "message": "All {most} are out ({out})."}]}]},
        {"id": "longer", "type": "guard", "when": "AND(NOT(ISBLANK(before.until)), until > before.until + 7)", "field": "until",
         "message": "At most a week longer than {before.until}."},
    ],
}  # fmt: skip
GONE: dict[str, Any] = {
    "id": "keeping", "trigger": {"saving": {"table": "book", "on": ["deleted"]}},
    "steps": [{"id": "kept", "type": "guard", "when": "copies > 5", "message": "{name} stays."}],
}  # fmt: skip
SHOP: dict[str, Any] = {
    "language": 1, "app": "shop", "roles": [{"id": "clerk"}, {"id": "manager"}],
    "tables": [
        {"id": "book", "title_formula": "name", "fields": [
            {"id": "name", "type": "text"}, {"id": "copies", "type": "number"}, {"id": "shut", "type": "switch"}]},
        {"id": "loan", "fields": [
            {"id": "no", "type": "text"}, {"id": "book", "type": "link", "table": "book"}, {"id": "who", "type": "text"},
            {"id": "back", "type": "switch"}, {"id": "until", "type": "date"}]}],
    "flows": [GUARD, GONE],
    "access": [
        {"id": "loans", "who": [{"role": "clerk"}], "table": "loan", "do": ["read", "create", "update", "delete", "import"]},
        {"id": "books", "who": [{"role": "clerk"}], "table": "book", "do": ["read", "delete"]},
        {"id": "seen", "who": {"flow": "lending"}, "table": "loan", "do": ["read"]},
    ],
}  # fmt: skip


@pytest.fixture
def shop(make_shop: Callable[..., Shop]) -> Shop:
    return make_shop(SHOP)


def book(shop: Shop, **values: Any) -> UUID:
    with shop.opened(shop.boss) as ctx:
        return records.create(ctx, shop.table(ctx, "book"), {"name": "Emma", "copies": 1, **values})


def lend(shop: Shop, id: UUID, **values: Any) -> UUID:
    with shop.opened(shop.clerk) as ctx:
        return records.create(ctx, shop.table(ctx, "loan"), {"book": id, "who": "reader", **values})


def told(err: Any) -> dict[str, list[str]]:
    return {path: [m.in_language("en") for m in messages] for path, messages in err.value.errors.items()}


def loans(shop: Shop) -> int:
    with shop.opened(shop.boss) as ctx:
        return ctx.conn.scalar(select(func.count()).select_from(shop.table(ctx, "loan").sql)) or 0


def test_who_wants_the_last_copy_twice_is_refused_and_nothing_is_kept(shop: Shop) -> None:
    emma = book(shop)
    lend(shop, emma)
    with pytest.raises(InvalidInput) as err:
        lend(shop, emma)
    assert told(err) == {"": ["All 1 are out (1)."]}
    assert loans(shop) == 1
    lend(shop, emma, who="friend")
    with shop.opened() as ctx:
        assert ctx.conn.scalar(select(func.count()).select_from(flow_instance)) == 0, "a look is no run"


def test_a_branch_refuses_beside_its_field(shop: Shop) -> None:
    with pytest.raises(InvalidInput) as err:
        lend(shop, book(shop, shut=True))
    assert told(err) == {"book": ["Emma is not lent."]}


def test_a_change_is_compared_with_what_was(shop: Shop) -> None:
    loan = lend(shop, book(shop), until=date(2026, 11, 1))
    with shop.opened(shop.clerk) as ctx:
        records.change(ctx, shop.table(ctx, "loan"), loan, {"until": date(2026, 11, 8)})
    with pytest.raises(InvalidInput) as err, shop.opened(shop.clerk) as ctx:
        records.change(ctx, shop.table(ctx, "loan"), loan, {"until": date(2026, 11, 20)})
    assert list(told(err)) == ["until"]
    with shop.opened(shop.clerk) as ctx:
        assert query.fetch(door(ctx, shop.table(ctx, "loan")), loan).values["until"] == date(2026, 11, 8)


def test_of_an_import_only_what_is_refused_is_left_out(shop: Shop) -> None:
    emma, plum = book(shop, copies=2), book(shop, name="Plum", shut=True)
    rows = [{"no": str(n), "book": str(id), "who": "reader"} for n, id in enumerate((emma, plum, emma, emma))]
    with shop.opened(shop.clerk) as ctx:
        found = upserting.upsert(ctx, shop.table(ctx, "loan"), rows, None, action="import")
    assert [one.what for one in found] == ["added", "refused", "added", "refused"]
    with shop.opened(shop.clerk) as ctx:
        by = load(Matching, {"key": ["no"]})
        changes = [{"no": "0", "who": "friend"}, {"no": "2", "book": str(plum)}]
        again = upserting.upsert(ctx, shop.table(ctx, "loan"), changes, by, action="import")
    assert [one.what for one in again] == ["changed", "refused"]
    assert loans(shop) == 2


def test_what_must_stay_is_not_deleted(shop: Shop) -> None:
    few, many = book(shop), book(shop, copies=9)
    with shop.opened(shop.clerk) as ctx:
        records.trash(ctx, shop.table(ctx, "book"), [few])
    with pytest.raises(InvalidInput) as err, shop.opened(shop.clerk) as ctx:
        records.trash(ctx, shop.table(ctx, "book"), [many])
    assert told(err) == {"": ["Emma stays."]}


def test_another_flow_is_refused_like_anybody(make_shop: Callable[..., Shop]) -> None:
    again = {"id": "again", "trigger": {"created": "loan"}, "steps": [
        {"id": "copy", "type": "create", "table": "loan", "set": {"book": "book", "who": "\"reader\""}}]}  # fmt: skip
    grant = {"id": "more", "who": {"flow": "again"}, "table": "loan", "do": ["create", "read"]}
    shop = make_shop({**SHOP, "flows": [*SHOP["flows"], again], "access": [*SHOP["access"], grant]})
    emma = book(shop)
    loan = lend(shop, emma)
    with shop.opened(shop.clerk) as ctx:
        flows.record_saved(ctx, shop.table(ctx, "loan"), loan, "created", None)
    with shop.opened() as ctx:
        assert list(ctx.conn.scalars(select(flow_instance.c.state))) == ["failed"]
    assert loans(shop) == 1


@pytest.mark.parametrize(
    ("flow", "problem"),
    [
        ({**GUARD, "steps": [{"id": "x", "type": "update", "set": {"who": "\"y\""}}]}, "only looks, calculates and refuses"),
        ({**GUARD, "trigger": [GUARD["trigger"], {"created": "loan"}]}, "is started by nothing else"),
        ({**GUARD, "trigger": {"created": "loan"}, "steps": [{"id": "x", "type": "guard", "message": "No"}]}, "refused only by a flow"),
        ({**GUARD, "steps": [{"id": "x", "type": "guard", "message": "No", "field": "nothing"}]}, "nothing"),
        ({**GUARD, "trigger": {"saving": {"table": "loan", "fields": ["nothing"]}}}, "nothing"),
    ],
)  # fmt: skip
def test_a_guard_that_cannot_work_is_not_published(flow: dict[str, Any], problem: str) -> None:
    try:
        found = [str(p.message.text).format(**{k: str(v) for k, v in p.message.values.items()})
                 for p in load(App, {**SHOP, "flows": [flow]}).analysis.problems()]  # fmt: skip
    except DefinitionError as err:
        found = [str(p.message) for p in err.problems]
    assert any(problem in one for one in found), found
