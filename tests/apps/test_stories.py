"""The approvals of bundled apps, told in their own words: who is asked, what they do, how it ends."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from builder import bundle
from runtime import definitions, flows, people, query, records, sample, submit, tables
from runtime.access import door
from runtime.context import Context, Workspace
from runtime.definitions import Installed
from runtime.models_flow import flow_task, notice
from runtime.sample import Keys
from runtime.tables import LiveTable
from schemas import filling

Trial = Callable[[str], AbstractContextManager[Context]]


def stories(kind: str) -> Iterator[Any]:
    for app, folder in bundle.bundled().items():
        for path in sorted((folder / "stories").glob("*.json")):
            for story in (s for s in json.loads(path.read_text(encoding="utf-8")) if kind in s):
                yield pytest.param(app, story, id=f"{app}-{path.stem}-{story['title']}")


@pytest.mark.parametrize(("app", "story"), list(stories("form")))
def test_an_approval_goes_as_told(
    app: str, story: dict[str, Any], trial: Trial, companies: dict[str, tuple[Workspace, Keys]]
) -> None:
    keys = companies[app][1]
    with trial(app) as ctx:
        form = definitions.installed(ctx, app).app.all_forms[story["form"]]
        live = tables.live(ctx, definitions.installed(ctx, app), form.table)
        acting = as_member(ctx, keys, story["as"])
        sent = submit.Sent(form, sample.answers_of(ctx, live, story["values"], keys))
        record = submit.submit(acting, live, sent)
        for step in story["steps"]:
            assert sorted(asked(ctx, keys, record)) == step["asked"]
            decide(ctx, live, keys, record, step)
        assert sorted(asked(ctx, keys, record)) == story.get("asked", [])
        assert shown(ctx, live, record, story["then"]) == story["then"]


@pytest.mark.parametrize(("app", "story"), list(stories("flow")))
def test_a_flow_by_the_clock_goes_as_told(
    app: str, story: dict[str, Any], trial: Trial, companies: dict[str, tuple[Workspace, Keys]]
) -> None:
    """Records are `given` other values, the flow starts, and records and the people told are as the story says."""
    keys = companies[app][1]
    with trial(app) as ctx:
        inst = definitions.installed(ctx, app)
        for key, values in story.get("given", {}).items():
            live, record = named(ctx, inst, keys, key)
            records.change(ctx, live, record, filling.parse(live.table, sample.answers_of(ctx, live, values, keys), ctx.zone)[0])
        flow = inst.app.flow(story["flow"])
        assert flow is not None
        flows.start(ctx, tables.of_flow(ctx, inst, ""), flow, None)
        for key, wanted in story["then"].items():
            live, record = named(ctx, inst, keys, key)
            assert shown(ctx, live, record, wanted) == wanted, key
        by_id = {id: key for key, id in keys.members.items()}
        told = select(notice.c.member_id).where(notice.c.at == ctx.now).distinct()
        people_told = {by_id[id] for id in ctx.conn.scalars(told)}
        assert people_told == set(story["told"]) if "told" in story else set(story["told_among_others"]) <= people_told


def named(ctx: Context, inst: Installed, keys: Keys, key: str) -> tuple[LiveTable, UUID]:
    """The record that a story calls `@key`."""
    table = next(table for table, found in keys.records.items() if key.removeprefix("@") in found)
    return tables.live(ctx, inst, table), keys.records[table][key.removeprefix("@")]


def as_member(ctx: Context, keys: Keys, key: str) -> Context:
    return ctx.acting_as(people.member_by_id(ctx, keys.members[key]))


def asked(ctx: Context, keys: Keys, record: UUID) -> dict[str, UUID]:
    """The live tasks about a record by the keys of those who are asked."""
    t = flow_task
    live = select(t.c.member_id, t.c.id).where(t.c.record_id == record, t.c.state == "live")
    by_id = {id: key for key, id in keys.members.items()}
    return {by_id[row.member_id]: row.id for row in ctx.conn.execute(live)}


def decide(ctx: Context, live: LiveTable, keys: Keys, record: UUID, step: dict[str, Any]) -> None:
    values = sample.answers_of(ctx, live, step.get("values", {}), keys)
    task = asked(ctx, keys, record)[step["as"]]
    decision = flows.Decision(task, step["action"], step.get("comment", ""), step.get("to", ""), values)
    flows.decide(as_member(ctx, keys, step["as"]), decision)


def shown(ctx: Context, live: LiveTable, record: UUID, wanted: dict[str, Any]) -> dict[str, Any]:
    """The record's values as JSON, numbers without idle zeros."""
    found = query.fetch(door(ctx, live), record)
    dumped = {id: live.table.by_id[id].dump(found[id]) for id in wanted}
    return {id: plain(value) for id, value in dumped.items()}


def plain(value: Any) -> Any:
    if not isinstance(value, str) or "." not in value:
        return value
    return value.rstrip("0").rstrip(".") or "0"
