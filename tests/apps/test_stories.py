"""The approvals of bundled apps, told in their own words: who is asked, what they do, how it ends."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from builder import bundle
from runtime import definitions, flows, people, query, sample, submit, tables
from runtime.access import door
from runtime.context import Context, Workspace
from runtime.models_flow import flow_task
from runtime.sample import Keys
from runtime.tables import LiveTable

Trial = Callable[[str], AbstractContextManager[Context]]


def stories() -> Iterator[Any]:
    for app, folder in bundle.bundled().items():
        for path in sorted((folder / "stories").glob("*.json")):
            for story in json.loads(path.read_text(encoding="utf-8")):
                yield pytest.param(app, story, id=f"{app}-{path.stem}-{story['title']}")


@pytest.mark.parametrize(("app", "story"), list(stories()))
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
