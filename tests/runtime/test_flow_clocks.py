"""A library whose flows the clock starts: a report every day, a reminder before a loan is due, what was before a change."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text, update

from runtime import clocks, definitions, flows, jobs, query, records
from runtime.access import door
from runtime.models_flow import flow_clock, flow_instance
from schemas.app import App
from schemas.errors import DefinitionError
from schemas.options import load
from tests.runtime.conftest import Shop

REPORT: dict[str, Any] = {
    "id": "report", "trigger": {"schedule": {"every": "day", "at": "09:00", "missed": "once"}},
    "steps": [
        {"id": "open", "type": "find", "table": "loan", "where": "NOT(back)"},
        {"id": "many", "type": "calculate", "formula": "COUNT(open)"},
        {"id": "line", "type": "create", "table": "report", "set": {"open": "many", "day": "planned"}},
    ],
}  # fmt: skip
REMIND: dict[str, Any] = {
    "id": "remind", "trigger": {"reached": {"table": "loan", "field": "due", "before": "1 days"}, "when": "NOT(back)"},
    "steps": [{"id": "mark", "type": "update", "set": {"reminders": "reminders + 1"}}],
}  # fmt: skip
MOVED: dict[str, Any] = {
    "id": "moved", "trigger": {"changed": {"table": "loan", "fields": ["due", "reader"]}, "when": "before.due < due"},
    "steps": [{"id": "note", "type": "update", "set": {"note": 'before.reader & " " & TEXT(before.due, "MM-DD")'}}],
}  # fmt: skip
LIBRARY: dict[str, Any] = {
    "language": 1, "app": "shop", "roles": [{"id": "clerk"}],
    "tables": [
        {"id": "loan", "fields": [
            {"id": "reader", "type": "text"}, {"id": "due", "type": "date"}, {"id": "back", "type": "switch"},
            {"id": "reminders", "type": "number"}, {"id": "note", "type": "text"}]},
        {"id": "report", "fields": [{"id": "open", "type": "number"}, {"id": "day", "type": "date"}]},
    ],
    "flows": [REPORT, REMIND, MOVED],
    "access": [
        {"id": "loans", "who": {"role": "clerk"}, "table": "loan", "do": ["read", "create", "update"]},
        *({"id": f"loan_{f}", "who": {"flow": f}, "table": "loan", "do": ["read", "update"]}
          for f in ("report", "remind", "moved")),
        {"id": "reports", "who": {"flow": "report"}, "table": "report", "do": ["read", "create"]},
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def library(make_shop: Callable[..., Shop]) -> Iterator[Shop]:
    shop = make_shop(LIBRARY)
    yield shop
    with shop.opened() as ctx:  # nothing is to ring in the tests of others
        definitions.publish(ctx, "shop", {**LIBRARY, "flows": [], "access": LIBRARY["access"][:1]})


def lend(shop: Shop, **values: Any) -> UUID:
    with shop.opened(shop.clerk) as ctx:
        return records.create(ctx, shop.table(ctx, "loan"), {"reader": "Ada", "back": False, "reminders": 0, **values})


def all_of(shop: Shop, table: str, *columns: str) -> list[tuple[Any, ...]]:
    with shop.opened() as ctx:
        page = query.page(door(ctx, shop.table(ctx, table)), query.Listing(columns, sort=("created_at",)))
        return [tuple(r.values[c] for c in columns) for r in page.records]


def clock_of(shop: Shop, flow: str) -> Any:
    with shop.opened() as ctx:
        return ctx.conn.execute(select(flow_clock).where(flow_clock.c.flow == flow)).one()


def strike(shop: Shop, flow: str, now: datetime | None = None) -> None:
    """A worker takes the job of a clock, at the moment for which it waits, or later."""
    row = clock_of(shop, flow)
    with shop.opened(now=now or row.next_at) as ctx:
        clocks.strike(ctx, str(row.installation_id), flow, 0, row.next_at.isoformat())


def rewind(shop: Shop, flow: str, moment: datetime) -> None:
    """As if the clock had been wound up long ago."""
    with shop.opened() as ctx:
        ctx.conn.execute(update(flow_clock).where(flow_clock.c.flow == flow).values(next_at=moment, since=moment))


def test_a_schedule_starts_once_and_makes_up_for_a_week_of_downtime_once(library: Shop, database_url: str) -> None:
    lend(library, due=None)
    planned = datetime(2027, 3, 2, 1, tzinfo=UTC)
    rewind(library, "report", planned)
    row = clock_of(library, "report")
    for _ in range(2):  # a second worker comes too late: the moment has been written on
        with library.opened(now=planned) as ctx:
            clocks.strike(ctx, str(row.installation_id), "report", 0, row.next_at.isoformat())
    strike(library, "report", now=planned + timedelta(days=7))
    assert clock_of(library, "report").next_at == planned + timedelta(days=8)
    assert jobs.drain_jobs(database_url) == []
    days = [day for _, day in all_of(library, "report", "open", "day")]
    assert days == [date(2027, 3, 2), date(2027, 3, 9)]
    with library.opened() as ctx:
        runs = ctx.conn.execute(select(flow_instance).where(flow_instance.c.flow == "report")).all()
    assert {(run.record_id, run.table_id, run.state) for run in runs} == {(None, "", "ended")}


def test_a_date_that_moves_takes_its_reminder_along(library: Shop, database_url: str) -> None:
    moved, kept, back = (lend(library, due=date(2027, 3, 12)) for _ in range(3))
    with library.opened(library.clerk) as ctx:
        live = library.table(ctx, "loan")
        records.change(ctx, live, moved, {"due": date(2027, 3, 20)})
        records.change(ctx, live, back, {"back": True})
    rewind(library, "remind", datetime(2027, 3, 10, 1, tzinfo=UTC))
    reminders = []
    for day in (10, 11, 18, 19, 20):
        strike(library, "remind", now=datetime(2027, 3, day, 1, tzinfo=UTC))
        assert jobs.drain_jobs(database_url) == []
        with library.opened() as ctx:
            gate = door(ctx, library.table(ctx, "loan"))
            reminders.append([query.fetch(gate, id)["reminders"] for id in (moved, kept, back)])
    assert reminders == [[0, 0, 0], [0, 1, 0], [0, 1, 0], [1, 1, 0], [1, 1, 0]]


def test_a_change_knows_what_was_before(library: Shop) -> None:
    loan = lend(library, due=date(2026, 5, 1))
    for values in ({"reader": "Ben"}, {"due": date(2026, 5, 9), "reader": "Cleo"}):
        with library.opened(library.clerk) as ctx:
            live = library.table(ctx, "loan")
            flows.record_saved(ctx, live, loan, "changed", records.change(ctx, live, loan, values))
    with library.opened() as ctx:
        assert query.fetch(door(ctx, library.table(ctx, "loan")), loan)["note"] == "Ben 05-01"


def test_a_clock_whose_job_is_gone_is_wound_up_again(library: Shop, database_url: str) -> None:
    rewind(library, "report", datetime.now(UTC) - timedelta(hours=1))
    gone = text("DELETE FROM procrastinate.procrastinate_jobs WHERE args->'arguments'->>'flow' = 'report'")
    with library.opened() as ctx:
        ctx.conn.execute(gone)
    clocks.wake_all(library.engine, datetime.now(UTC))
    with library.opened() as ctx:
        waiting = text(
            "SELECT count(*) FROM procrastinate.procrastinate_jobs WHERE args->'arguments'->>'flow' = 'report'"
        )
        assert ctx.conn.scalar(waiting) == 1
    strike(library, "report")
    jobs.drain_jobs(database_url)


def test_another_plan_begins_anew_and_a_trigger_that_is_gone_stops(make_shop: Callable[..., Shop]) -> None:
    shop = make_shop(
        {
            **LIBRARY,
            "flows": [REPORT],
            "access": [g for g in LIBRARY["access"] if g["id"] in ("loans", "loan_report", "reports")],
        }
    )
    before = clock_of(shop, "report").next_at
    for plan, count in (({"schedule": {"every": "day", "at": "08:59"}}, 1), ({"created": "loan"}, 0)):
        with shop.opened() as ctx:
            wanted = {"id": "report", "trigger": plan, "steps": REPORT["steps"][:2]}
            package = {**LIBRARY, "flows": [wanted], "access": LIBRARY["access"][:2]}
            definitions.publish(ctx, "shop", package)
            rows = ctx.conn.execute(select(flow_clock)).all()
        assert len(rows) == count
        assert all(row.next_at != before for row in rows)


@pytest.mark.parametrize(
    ("trigger", "steps", "problem"),
    [
        ({"schedule": {"every": "day"}}, [{"id": "ask", "type": "approve", "who": ["starter"]}], "this flow has no record"),
        ({"schedule": {"every": "day"}}, [{"id": "c", "type": "calculate", "formula": "due"}], "no record: 'due' is none"),
        ({"schedule": {"every": "day"}}, [{"id": "f", "type": "find", "table": "loan", "where": "id = this"}], "'this' is none"),
        ([{"schedule": {"every": "day"}}, {"created": "loan"}], [], "make it a flow of its own"),
        ({"reached": {"table": "loan", "field": "note"}}, [], "expected a date"),
        ({"changed": {"table": "loan"}}, [{"id": "before", "type": "calculate", "formula": "1"}], "reserved word"),
        ({"incoming": {"sample": "{}", "once_by": "payload.no"}}, [], "no"),
    ],
)  # fmt: skip
def test_a_flow_that_asks_for_what_its_start_does_not_give_is_not_published(
    trigger: Any, steps: list[Any], problem: str
) -> None:
    app = {**LIBRARY, "flows": [{"id": "report", "trigger": trigger, "steps": steps}], "access": LIBRARY["access"][:2]}
    try:
        found = load(App, app).analysis.problems()
    except DefinitionError as err:
        found = err.problems
    assert problem in str([str(p.message) for p in found])
