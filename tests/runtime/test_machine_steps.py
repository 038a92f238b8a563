"""A shop that restocks by itself: steps that find, create, change and delete records, and read what the others gave."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from runtime import flows, jobs, query, records
from runtime.access import door
from runtime.models_flow import flow_instance, flow_log
from schemas.app import App
from schemas.engine import State, replay
from schemas.errors import DefinitionError
from schemas.options import load
from schemas.results import read
from tests.runtime.conftest import Shop

RESTOCK: dict[str, Any] = {
    "id": "restock", "title": "Restock", "trigger": {"created": "order"},
    "steps": [
        {"id": "cheap", "type": "find", "table": "book", "where": "AND(price <= this.budget, shelf = this.shelf)",
         "sort": ["-price"], "limit": 2},
        {"id": "worth", "type": "find", "table": "book", "take": "sum", "value": "price", "where": "id IN cheap"},
        {"id": "best", "type": "find", "table": "book", "take": "one", "where": "id IN cheap", "sort": ["-price"]},
        {"id": "rest", "type": "calculate", "formula": "budget - worth"},
        {"id": "bought", "type": "each", "of": "cheap", "steps": [
            {"id": "line", "type": "create", "table": "line",
             "set": {"order": "this", "book": "bought", "price": "bought.price", "note": "bought.name & \" / \" & best.name"}},
            {"id": "mark", "type": "update", "of": "bought", "set": {"sold": "bought.sold + 1"}}]},
        {"id": "rows", "type": "each", "of": "extras", "steps": [
            {"id": "counter", "type": "upsert", "table": "counter", "key": ["name"],
             "set": {"name": "rows.thing", "total": "rows.count"}}]},
        {"id": "done", "type": "update", "set": {"left": "rest", "newest": "line.note"}},
        {"id": "later", "type": "wait", "span": "2 days"},
        {"id": "void", "type": "find", "table": "line", "where": "order = this"},
        {"id": "clear", "type": "delete", "of": "void"},
        {"id": "gone", "type": "delete", "of": "this"},
    ],
}  # fmt: skip
STOCK: dict[str, Any] = {
    "language": 1, "app": "shop", "roles": [{"id": "clerk"}, {"id": "manager"}],
    "tables": [
        {"id": "book", "title_formula": "name", "fields": [
            {"id": "name", "type": "text"}, {"id": "shelf", "type": "text"}, {"id": "price", "type": "number"},
            {"id": "sold", "type": "number"}]},
        {"id": "order", "fields": [
            {"id": "budget", "type": "number"}, {"id": "shelf", "type": "text"}, {"id": "left", "type": "number"},
            {"id": "newest", "type": "text"},
            {"id": "extras", "type": "rows", "fields": [{"id": "thing", "type": "text"}, {"id": "count", "type": "number"}]}]},
        {"id": "line", "fields": [
            {"id": "order", "type": "link", "table": "order"}, {"id": "book", "type": "link", "table": "book"},
            {"id": "price", "type": "number"}, {"id": "note", "type": "text"}]},
        {"id": "counter", "fields": [{"id": "name", "type": "text"}, {"id": "total", "type": "number"}]},
    ],
    "flows": [RESTOCK],
    "access": [
        {"id": "orders", "who": {"role": "clerk"}, "table": "order", "do": ["read", "create"]},
        {"id": "books", "who": {"flow": "restock"}, "table": "book", "do": ["read", "update"], "rows": "name <> \"Secret\""},
        *({"id": f"own_{t}", "who": {"flow": "restock"}, "table": t, "do": ["read", "create", "update", "delete"]}
          for t in ("order", "line", "counter")),
    ],
}  # fmt: skip
BOOKS = [
    ("Ants", "A", 10),
    ("Bees", "A", 30),
    ("Cats", "A", 20),
    ("Dogs", "B", 5),
    ("Secret", "A", 1),
    ("Elks", "A", 99),
]


@pytest.fixture
def stock(make_shop: Callable[..., Shop]) -> Shop:
    shop = make_shop(STOCK)
    with shop.opened() as ctx:
        for name, shelf, price in BOOKS:
            records.create(ctx, shop.table(ctx, "book"), {"name": name, "shelf": shelf, "price": price})
        records.create(ctx, shop.table(ctx, "counter"), {"name": "Tape", "total": 1})
    return shop


def order(shop: Shop) -> UUID:
    with shop.opened(shop.clerk) as ctx:
        live = shop.table(ctx, "order")
        extras = [{"thing": "tape", "count": 7}, {"thing": "Glue", "count": 3}]
        record = records.create(ctx, live, {"budget": 60, "shelf": "A", "extras": extras})
        flows.record_saved(ctx, live, record, "created", None)
    return record


def all_of(shop: Shop, table: str, *columns: str) -> list[tuple[Any, ...]]:
    with shop.opened() as ctx:
        page = query.page(door(ctx, shop.table(ctx, table)), query.Listing(columns, sort=("created_at",)))
        return [tuple(r.values[c] for c in columns) for r in page.records]


def test_what_a_step_gives_is_read_by_those_after_it(stock: Shop, database_url: str) -> None:
    order(stock)
    assert all_of(stock, "line", "note", "price") == [("Bees / Bees", 30), ("Cats / Bees", 20)]
    assert [row for row in all_of(stock, "book", "name", "sold") if row[1]] == [("Bees", 1), ("Cats", 1)]
    assert all_of(stock, "counter", "name", "total") == [("tape", 7), ("Glue", 3)], (
        "found by its key, whatever the case"
    )
    assert all_of(stock, "order", "left", "newest") == [(10, "Cats / Bees")]
    with stock.opened() as ctx:
        run = ctx.conn.execute(select(flow_instance)).one()
        log = list(ctx.conn.scalars(select(flow_log.c.entry).order_by(flow_log.c.number)))
    assert run.state == "running"
    assert replay(log) == State.from_json(run.body)
    assert [read(e["result"]) for e in log if e["what"] == "performed" and e["step"] == "worth"] == [50]
    assert all(e["took"] >= 0 for e in log if e["what"] == "performed" and e["step"] == "cheap")


def test_after_the_wait_it_deletes_and_ends_once(stock: Shop, database_url: str) -> None:
    order(stock)
    assert jobs.drain_jobs(database_url, until=datetime.now(UTC) + timedelta(days=3)) == []
    assert all_of(stock, "line", "note") == []
    assert all_of(stock, "order", "left") == []
    with stock.opened() as ctx:
        assert ctx.conn.scalars(select(flow_instance.c.state)).all() == ["ended"]


def test_a_flow_that_may_not_write_stops_visibly_and_writes_nothing(make_shop: Callable[..., Shop]) -> None:
    rows = [grant for grant in STOCK["access"] if grant["id"] != "own_line"]
    limited = {
        "id": "own_line",
        "who": {"flow": "restock"},
        "table": "line",
        "do": ["read", "create", "delete"],
        "rows": "price < 25",
    }
    shop = make_shop({**STOCK, "access": [*rows, limited]})
    with shop.opened() as ctx:
        records.create(ctx, shop.table(ctx, "book"), {"name": "Bees", "shelf": "A", "price": 30})
    order(shop)
    assert all_of(shop, "line", "note") == []
    with shop.opened() as ctx:
        assert ctx.conn.scalars(select(flow_instance.c.state)).all() == ["failed"]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"where": "shelf = this.nothing"}, "there is no field 'nothing'"),
        ({"table": "nothing"}, "there is no table 'nothing'"),
        ({"take": "sum"}, "name the field for a sum"),
        ({"take": "sum", "value": "name"}, "holds numbers"),
        ({"sort": ["-prize"]}, "there is no field 'prize'"),
        ({"id": "budget"}, "a field has the id 'budget' too"),
    ],
)
def test_a_step_that_cannot_work_is_not_published(change: dict[str, Any], problem: str) -> None:
    flow = {**RESTOCK, "steps": [{**RESTOCK["steps"][0], **change}]}
    assert problem in str([str(p.message) for p in problems_of({**STOCK, "flows": [flow]})])


def problems_of(app: dict[str, Any]) -> Any:
    try:
        return load(App, app).analysis.problems()
    except DefinitionError as err:
        return err.problems


def test_a_run_that_ends_with_its_record_sets_no_other_off(make_shop: Callable[..., Shop]) -> None:
    ask = {"type": "approve", "who": ["starter"]}
    first = {"id": "first", "trigger": {"created": "order"}, "steps": [{"id": "ask", **ask}]}
    then = {"id": "then", "trigger": {"ended": "first"}, "steps": [{"id": "again", **ask}]}
    shop = make_shop({**STOCK, "flows": [first, then], "access": STOCK["access"][:1]})
    record = order(shop)
    with shop.opened() as ctx:
        live = shop.table(ctx, "order")
        records.trash(ctx, live, [record])
    with shop.opened() as ctx:
        runs = ctx.conn.execute(select(flow_instance.c.flow, flow_instance.c.state)).all()
    assert runs == [("first", "ended")], "nobody is asked about a record in the trash"


@pytest.mark.parametrize("way", ["alone", "along with its parent"])
def test_what_runs_for_a_record_is_over_whichever_way_it_went(make_shop: Callable[..., Shop], way: str) -> None:
    tree = {"id": "part", "fields": [{"id": "of", "type": "link", "table": "part", "on_delete": "trash"}]}
    ask = {"id": "ask", "trigger": {"created": "part"}, "steps": [{"id": "ask", "type": "approve", "who": ["starter"]}]}
    grant = {"id": "parts", "who": {"role": "clerk"}, "table": "part", "do": ["read", "create"]}
    shop = make_shop({**LEADS, "tables": [tree], "flows": [ask], "access": [grant]})
    with shop.opened(shop.clerk) as ctx:
        live = shop.table(ctx, "part")
        parent = records.create(ctx, live, {})
        child = records.create(ctx, live, {"of": parent})
        flows.record_saved(ctx, live, child, "created", None)
    with shop.opened() as ctx:
        records.trash(ctx, shop.table(ctx, "part"), [child if way == "alone" else parent])
    with shop.opened() as ctx:
        assert ctx.conn.scalars(select(flow_instance.c.state)).all() == ["ended"]


LEADS: dict[str, Any] = {
    "language": 1, "app": "shop", "roles": [{"id": "clerk"}, {"id": "manager"}],
    "tables": [{"id": "lead", "fields": [
        {"id": "name", "type": "text"}, {"id": "owner", "type": "member"}, {"id": "open", "type": "switch"}]}],
    "flows": [{"id": "share", "trigger": {"created": "lead"}, "steps": [
        {"id": "taker", "type": "assign", "field": "owner", "among": [{"role": "clerk"}, {"role": "manager"}], "most": 5,
         "where": "open"}]}],
    "access": [{"id": "leads", "who": {"flow": "share"}, "table": "lead", "do": ["read", "update"]}],
}  # fmt: skip


def test_leads_that_come_at_once_go_round_and_nobody_gets_too_many(make_shop: Callable[..., Shop]) -> None:
    shop = make_shop(LEADS)

    def come(number: int) -> None:
        with shop.opened() as ctx:
            live = shop.table(ctx, "lead")
            record = records.create(ctx, live, {"name": str(number), "open": True})
            flows.record_saved(ctx, live, record, "created", None)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(come, range(11)))
    owners = [owner for (owner,) in all_of(shop, "lead", "owner")]
    assert (owners.count(shop.clerk.id), owners.count(shop.manager.id), owners.count(None)) == (5, 5, 1)
    with shop.opened() as ctx:
        assert sorted(ctx.conn.scalars(select(flow_instance.c.state))) == ["ended"] * 10 + ["failed"]


def test_what_nobody_can_take_goes_on_without_anybody_where_it_may(make_shop: Callable[..., Shop]) -> None:
    step = {**LEADS["flows"][0]["steps"][0], "among": [{"role": "clerk"}], "most": 1, "if_nobody": "go_on"}
    told = {"id": "left", "type": "update", "set": {"name": "IF(ISBLANK(taker), \"nobody\", \"somebody\")"}}
    shop = make_shop({**LEADS, "flows": [{**LEADS["flows"][0], "steps": [step, told]}]})
    for _ in range(2):
        with shop.opened() as ctx:
            live = shop.table(ctx, "lead")
            flows.record_saved(ctx, live, records.create(ctx, live, {"name": "x", "open": True}), "created", None)
    assert sorted(all_of(shop, "lead", "name")) == [("nobody",), ("somebody",)]
    with shop.opened() as ctx:
        assert set(ctx.conn.scalars(select(flow_instance.c.state))) == {"ended"}


def test_turns_by_weight_give_one_thrice_as_many_as_another(make_shop: Callable[..., Shop]) -> None:
    weighed = [{"role": "clerk", "weight": 3}, {"role": "manager"}]
    step = {"id": "taker", "type": "assign", "field": "owner", "among": weighed, "by": "weights"}
    shop = make_shop({**LEADS, "flows": [{**LEADS["flows"][0], "steps": [step]}]})

    def come(number: int) -> None:
        with shop.opened() as ctx:
            live = shop.table(ctx, "lead")
            flows.record_saved(ctx, live, records.create(ctx, live, {"name": str(number)}), "created", None)

    for number in range(4):
        come(number)
    assert [owner for (owner,) in all_of(shop, "lead", "owner")].count(shop.manager.id) == 1, "they do not bunch"
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(come, range(8)))
    owners = [owner for (owner,) in all_of(shop, "lead", "owner")]
    assert (owners.count(shop.clerk.id), owners.count(shop.manager.id)) == (9, 3)


def test_deleting_restoring_and_the_end_of_a_flow_set_others_off(make_shop: Callable[..., Shop]) -> None:
    def note(id: str, trigger: dict[str, Any]) -> dict[str, Any]:
        steps = [{"id": f"note_{id}", "type": "create", "table": "line", "set": {"note": f'"{id}: " & name'}}]
        return {"id": id, "trigger": trigger, "steps": steps}

    kinds = {"trashed": {"deleted": "lead"}, "back": {"restored": "lead", "when": "open"}, "follower": {"ended": "back"},
             "ping": {"ended": "trashed"}, "pong": {"ended": "ping"}}  # fmt: skip
    grants = [{"id": f"g_{id}", "who": {"flow": id}, "table": "line", "do": ["create"]} for id in kinds]
    line = {"id": "line", "fields": [{"id": "note", "type": "text"}]}
    made = [note(id, trigger) for id, trigger in kinds.items()]
    made[3]["trigger"] = [kinds["ping"], {"ended": "pong"}]
    shop = make_shop({**LEADS, "tables": [*LEADS["tables"], line], "flows": made, "access": grants})
    with shop.opened() as ctx:
        live = shop.table(ctx, "lead")
        record = records.create(ctx, live, {"name": "Wu", "open": True})
        records.trash(ctx, live, [record])
    notes = [note for (note,) in all_of(shop, "line", "note")]
    assert notes[0] == "trashed: Wu"
    assert 4 < notes.count("ping: Wu") + notes.count("pong: Wu") < 10, "two that chase each other are stopped"
    with shop.opened() as ctx:
        records.restore(ctx, shop.table(ctx, "lead"), [record])
    assert [note for (note,) in all_of(shop, "line", "note")][len(notes) :] == ["back: Wu", "follower: Wu"]


ORDER: dict[str, Any] = {
    "language": 1, "app": "shop", "roles": [{"id": "clerk"}, {"id": "manager"}],
    "tables": [
        {"id": "order", "fields": [{"id": "paid", "type": "switch"}, {"id": "state", "type": "text"},
            {"id": "sum", "type": "rollup", "over": "line.order", "aggregate": "sum", "value": "price"}]},
        {"id": "line", "fields": [{"id": "order", "type": "link", "table": "order"}, {"id": "price", "type": "number"}]}],
    "flows": [{"id": "patient", "trigger": {"created": "order"}, "steps": [
        {"id": "money", "type": "wait", "holds": "OR(paid, sum > 10)", "span": "2 days"},
        {"id": "done", "type": "update", "set": {"state": "IF(money, \"paid\", \"given up\")"}}]}],
    "access": [{"id": "orders", "who": {"role": "clerk"}, "table": "order", "do": ["read", "create", "update"]},
               {"id": "lines", "who": {"role": "clerk"}, "table": "line", "do": ["read", "create"]},
               {"id": "its", "who": {"flow": "patient"}, "table": "order", "do": ["read", "update"]}],
}  # fmt: skip


def test_a_flow_waits_until_its_record_is_so_or_the_time_is_over(make_shop: Callable[..., Shop], database_url: str) -> None:
    shop = make_shop(ORDER)

    def placed() -> UUID:
        with shop.opened(shop.clerk) as ctx:
            live = shop.table(ctx, "order")
            id = records.create(ctx, live, {})
            flows.record_saved(ctx, live, id, "created", None)
            return id

    def saved(id: UUID, **values: Any) -> None:
        with shop.opened(shop.clerk) as ctx:
            live = shop.table(ctx, "order")
            flows.record_saved(ctx, live, id, "changed", records.change(ctx, live, id, values))

    def states() -> dict[UUID, str | None]:
        with shop.opened(shop.clerk) as ctx:
            found = query.page(door(ctx, shop.table(ctx, "order")), query.Listing(columns=("state",))).records
            return {r.id: r["state"] for r in found}

    paid, summed, never = placed(), placed(), placed()
    saved(paid, state="asked")
    assert states()[paid] == "asked", "another change is not it"
    saved(paid, paid=True)
    assert states()[paid] == "paid"
    with shop.opened(shop.clerk) as ctx:
        records.create(ctx, shop.table(ctx, "line"), {"order": summed, "price": 11})
    assert states()[summed] is None, "its own record was not written"
    jobs.drain_jobs(database_url, until=datetime.now(UTC) + timedelta(hours=1, minutes=5))
    assert states()[summed] == "paid", "looked for once an hour"
    jobs.drain_jobs(database_url, until=datetime.now(UTC) + timedelta(days=3))
    assert states() == {paid: "paid", summed: "paid", never: "given up"}
    with shop.opened() as ctx:
        assert set(ctx.conn.scalars(select(flow_instance.c.state))) == {"ended"}
