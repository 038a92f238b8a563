"""The whole story of a submission, in the order it happens."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from runtime import entering, files, fills, flows, models, query, records, unsent
from runtime.access import door
from runtime.actors import PublicLink
from runtime.context import Context
from runtime.given import Changes
from runtime.ids import new_id
from runtime.tables import LiveTable
from schemas import filling
from schemas.errors import InvalidInput
from schemas.form import Form
from schemas.rules import settle


@dataclass(frozen=True)
class Sent:
    """What a person sent through a form, or a program without one (`form` is None): raw answers by field id.

    `record` is the one they change, with the `seen` version; `key` recognises the same submission sent twice.
    """

    form: Form | None
    answers: Mapping[str, Any]
    record: UUID | None = None
    seen: int | None = None
    key: str = ""
    fixed: Mapping[str, Any] = field(default_factory=dict)
    """Answers that a signed link fixes."""
    filled: Mapping[str, Any] = field(default_factory=dict)
    """Values that the form's own events have brought while it was sent."""
    id: UUID | None = None
    """Of a new record, where its sender has chosen one."""


def submit(ctx: Context, live: LiveTable, sent: Sent) -> UUID:
    """Gives the record's id. Raises NotFound, Denied, Conflict, or InvalidInput with every problem at once: then the
    transaction is taken back, so that what the person has kept of the form is still there."""
    door(ctx, live).require("update" if sent.record else "create")
    id = sent.record or sent.id or new_id()
    if sent.key and (done := _already_done(ctx, sent.key, id)):
        return done
    values = understand(ctx, live, sent) | _brought(ctx, live, sent)
    personal = sent.form if not isinstance(ctx.actor, PublicLink) else None
    if personal is not None:
        unsent.become(ctx, live.inst, personal.id, sent.record)
    changed: Changes | None = None
    if sent.record is None:
        records.create(ctx, live, values, form=sent.form, key=sent.key or None, id=id)
    else:
        changed = records.change(ctx, live, id, values, seen=sent.seen, form=sent.form, key=sent.key or None)
    files.attach(ctx, live, id, values)
    if personal is not None and personal.remember and sent.record is None:
        unsent.sent(ctx, live.inst, personal.id, id)
    if sent.record is None and sent.form is not None:
        entering.keep(ctx, live, sent.form, id, sent.answers)
    event, form = "created" if sent.record is None else "changed", sent.form.id if sent.form else None
    flows.record_saved(ctx, live, id, event, changed, form=form)
    return id


def understand(ctx: Context, live: LiveTable, sent: Sent) -> filling.Values:
    """The values of the form's fields that the person meant. Raises InvalidInput together with the other problems."""
    form = sent.form
    gate = door(ctx, live)
    answers = {**sent.answers, **{id: v for id, v in sent.fixed.items() if gate.best(id, "create") == "write"}}
    offered = {
        id: raw for id, raw in answers.items() if form is None or (id in form.placed and id not in form.readonly)
    }
    values, errors = filling.parse(live.table, offered, ctx.zone)
    if errors:
        whole = values if sent.record else values | _defaults(ctx, live, form, values)
        problems = filling.table_problems(live.analysis, live.table, whole, _asked(ctx, live), whole)
        unread = set(errors)
        errors = {**{p: m for p, m in problems.items() if p not in unread and p in offered}, **errors}
        raise InvalidInput(errors)
    return values if form is None else _as_locked(ctx, live, sent, form, values)


def _brought(ctx: Context, live: LiveTable, sent: Sent) -> filling.Values:
    """What the form's events fill in, as far as this person may write it."""
    gate, action = door(ctx, live), "update" if sent.record else "create"
    return {id: value for id, value in sent.filled.items() if gate.best(id, action) == "write"}


def _as_locked(ctx: Context, live: LiveTable, sent: Sent, form: Form, values: filling.Values) -> filling.Values:
    """Read-only fields take no answer; what chosen links fill into them is read from the links themselves."""
    locked = set(form.readonly)
    if not locked and not any(rule.readonly for rule in form.rules):
        return values
    gate = door(ctx, live)
    action = "update" if sent.record else "create"
    before = dict(query.fetch(gate, sent.record, action).values) if sent.record else {}
    if any(rule.readonly for rule in form.rules):
        whole = {**before, **values} if sent.record else values | _defaults(ctx, live, form, values)
        locked |= settle(live.analysis, live.table, form, whole, _asked(ctx, live))[1].readonly
    kept = {id: value for id, value in values.items() if id not in locked}
    chosen = [id for id, value in kept.items() if value is not None and value != before.get(id)]
    filled = fills.by_links(ctx, live, kept, chosen)
    return kept | {id: v for id, v in filled.items() if id in locked and gate.best(id, action) == "write"}


def _defaults(ctx: Context, live: LiveTable, form: Form | None, values: filling.Values) -> filling.Values:
    return filling.defaults(live.analysis, live.table, form, values, _asked(ctx, live))


def _asked(ctx: Context, live: LiveTable) -> filling.Answering:
    from runtime.answers import answering

    return answering(ctx, live)


def _already_done(ctx: Context, key: str, record: UUID) -> UUID | None:
    """The record that this very submission has made before; None when it is the first, which it then is for good.

    A copy that runs at the same moment waits here until the first has ended.
    """
    s = models.submission
    own = f"{ctx.actor.id}:{key}"
    first = insert(s).values(key=own, actor_id=ctx.actor.id, record_id=record, at=ctx.now)
    if ctx.conn.scalar(first.on_conflict_do_nothing().returning(s.c.key)) is not None:
        return None
    return ctx.conn.scalar(select(s.c.record_id).where(s.c.key == own))
