"""Webhooks: who is told of what, sending it signed, again when it fails, and the log of it.

A delivery may come twice after a crash, with the same id. Those of one webhook go out one after the other, in order.
Signatures are those of Standard Webhooks: HMAC-SHA256 over `id.timestamp.body`.
"""

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import Engine, and_, delete, func, insert, or_, select, update

from runtime import api, audit, definitions, egress, history, models, notices, outbox, people, query, tables, workspaces
from runtime.access import door
from runtime.actors import Actor, Token
from runtime.context import Context, Opened
from runtime.definitions import Installed
from runtime.ids import new_id
from runtime.jobs import enqueue, job, periodic
from runtime.models_api import webhook as w
from runtime.models_api import webhook_delivery as d
from runtime.outgoing import Refused
from runtime.query import Record
from runtime.tables import LiveTable
from schemas.errors import InvalidInput, NotFound
from schemas.messages import Message, say
from schemas.text import Text

WAITS = (10, 60, 300, 1_800, 7_200, 21_600, 43_200, 86_400)
"""Seconds until a delivery is tried again; after the last it has failed."""
LONG = timedelta(hours=24)
"""How long nothing may have got through before a webhook is paused."""
TAKEN_BACK = timedelta(minutes=2)
KEPT = timedelta(days=30)
LONGEST_ANSWER = 10_000
TIMEOUT = 10.0
MOST_AT_ONCE = 200
MOST_OF_AN_APP = 50
SIGNED = "whsec_"



@dataclass(frozen=True)
class Webhook:
    """Where an app's events go. Its payload holds what its owner, or whoever has its roles, may see."""

    id: UUID
    title: str
    url: str
    secret: str
    tables: tuple[str, ...]
    events: tuple[str, ...]
    fields: tuple[str, ...]
    roles: tuple[str, ...]
    owner: UUID
    paused_at: datetime | None
    paused_why: Any
    failing_since: datetime | None
    next_at: datetime | None
    failures: int

    @property
    def why(self) -> Message | Text | None:
        return notices.read(self.paused_why) if self.paused_why else None


COLUMNS = (
    w.c.id, w.c.title, w.c.url, w.c.secret, w.c.tables, w.c.events, w.c.fields, w.c.roles, w.c.owner_id, w.c.paused_at,
    w.c.paused_why, w.c.failing_since, w.c.next_at, w.c.failures,
)  # fmt: skip


def _webhook(row: Any) -> Webhook:
    return Webhook(*row[:4], *(tuple(part) for part in row[4:8]), *row[8:])


# -- keeping ---------------------------------------------------------------------------------------


def listed(ctx: Context, inst: Installed) -> list[Webhook]:
    query = select(*COLUMNS).where(w.c.installation_id == inst.id).order_by(w.c.made_at)
    return [_webhook(row) for row in ctx.conn.execute(query)]


def one(ctx: Context, inst: Installed, id: UUID) -> Webhook:
    """Raises NotFound."""
    row = ctx.conn.execute(select(*COLUMNS).where(w.c.id == id, w.c.installation_id == inst.id)).one_or_none()
    if row is None:
        raise NotFound
    return _webhook(row)


@dataclass(frozen=True)
class Wanted:
    """What a webhook is to be, as somebody filled it in."""

    title: str
    url: str
    tables: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()


def save(ctx: Context, inst: Installed, wanted: Wanted, id: UUID | None = None) -> UUID:
    """A new webhook, or another one changed. A new server gets a new secret: the old one was not meant for it.

    Raises InvalidInput with every problem, NotFound.
    """
    before = one(ctx, inst, id) if id else None
    _check(ctx, inst, wanted, before)
    values: dict[str, Any] = {
        "title": wanted.title.strip(), "url": wanted.url, "tables": list(wanted.tables), "events": list(wanted.events),
        "fields": list(wanted.fields), "roles": list(wanted.roles), "owner_id": ctx.actor.id,
    }  # fmt: skip
    if before is None or _server(before.url) != _server(wanted.url):
        values["secret"] = SIGNED + base64.b64encode(secrets.token_bytes(24)).decode()
    if before is None:
        id = new_id()
        ctx.conn.execute(insert(w).values(id=id, installation_id=inst.id, made_at=ctx.now, failures=0, **values))
    else:
        ctx.conn.execute(update(w).where(w.c.id == id).values(**values))
    _count(ctx, inst)
    assert id is not None
    audit.note(ctx, "token.hook_changed" if before else "token.hook_made", values["title"], id, url=wanted.url)
    return id


def _server(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port


def _check(ctx: Context, inst: Installed, wanted: Wanted, before: Webhook | None) -> None:
    errors: dict[str, list[Any]] = {}
    if not wanted.title.strip() or len(wanted.title) > 80 or not wanted.title.isprintable():
        errors["title"] = [say("Give the webhook a name.")]
    if not wanted.events or set(wanted.events) - set(outbox.EVENTS):
        errors["events"] = [say("Choose what is to be told.")]
    if strange := [t for t in wanted.tables if inst.app.table(t) is None]:
        errors["tables"] = [say("There is no table '{id}'.", id=strange[0][:60])]
    if set(wanted.roles) - {r.id for r in inst.app.roles}:
        errors["roles"] = [say("There is no such role.")]
    known = {f.id for t in inst.app.tables if not wanted.tables or t.id in wanted.tables for f in t.fields}
    if strange := [f for f in wanted.fields if f not in known]:
        errors["fields"] = [say("There is no field '{id}'.", id=strange[0][:60])]
    if before is None and len(listed(ctx, inst)) >= MOST_OF_AN_APP:
        errors[""] = [say("An app has at most {n} webhooks.", n=MOST_OF_AN_APP)]
    try:
        egress.check(wanted.url)
    except Refused as err:
        errors["url"] = [err.reason]
    if errors:
        raise InvalidInput(errors)


def _count(ctx: Context, inst: Installed) -> None:
    """Write beside the app whether anybody listens, where every writer of its records looks anyway."""
    listening = select(func.count()).where(w.c.installation_id == inst.id, w.c.paused_at.is_(None)).scalar_subquery()
    i = models.installation
    ctx.conn.execute(update(i).where(i.c.id == inst.id).values(webhooks=listening))


def remove(ctx: Context, inst: Installed, id: UUID) -> None:
    """Its log goes with it. Raises NotFound."""
    audit.note(ctx, "token.hook_removed", one(ctx, inst, id).title, id)
    ctx.conn.execute(delete(w).where(w.c.id == id))
    _count(ctx, inst)


def pause(ctx: Context, inst: Installed, id: UUID, why: Message | None = None) -> None:
    """Nothing is noted or sent until it is resumed. Raises NotFound."""
    one(ctx, inst, id)
    said = notices.dump(why) if why else None
    ctx.conn.execute(update(w).where(w.c.id == id).values(paused_at=ctx.now, paused_why=said))
    _count(ctx, inst)


def resume(ctx: Context, inst: Installed, id: UUID) -> None:
    """What waits is sent. Raises NotFound."""
    one(ctx, inst, id)
    cleared = {"paused_at": None, "paused_why": None, "failing_since": None, "next_at": None, "failures": 0}
    ctx.conn.execute(update(w).where(w.c.id == id).values(**cleared))
    _count(ctx, inst)
    enqueue(ctx, "webhooks.send", {"webhook": str(id)}, key=str(id))


# -- the log ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Delivery:
    """One event for one webhook, and how telling it went the last time."""

    id: UUID
    event: str
    table: str
    record: UUID | None
    state: str
    attempts: int
    at: datetime
    sent_at: datetime | None
    request: str | None
    status: int | None
    response: str | None
    problem: Any
    took_ms: int | None

    @property
    def said(self) -> Message | Text | None:
        return notices.read(self.problem) if self.problem else None


LOGGED = (
    d.c.id, d.c.event, d.c.table_id, d.c.record_id, d.c.state, d.c.attempts, d.c.at, d.c.sent_at, d.c.request, d.c.status,
    d.c.response, d.c.problem, d.c.took_ms,
)  # fmt: skip
SHOWN = 50


def log(ctx: Context, id: UUID, state: str = "", page: int = 1) -> tuple[list[Delivery], bool]:
    """Deliveries, the newest first, and whether there are more."""
    asked = select(*LOGGED).where(d.c.webhook_id == id, d.c.state == state if state else d.c.state.is_not(None))
    rows = ctx.conn.execute(
        asked.order_by(d.c.at.desc(), d.c.id.desc()).offset((page - 1) * SHOWN).limit(SHOWN + 1)
    ).all()
    return [_delivery(row) for row in rows[:SHOWN]], len(rows) > SHOWN


def delivery(ctx: Context, hook: UUID, id: UUID) -> Delivery:
    """Raises NotFound."""
    row = ctx.conn.execute(select(*LOGGED).where(d.c.webhook_id == hook, d.c.id == id)).one_or_none()
    if row is None:
        raise NotFound
    return _delivery(row)


def _delivery(row: Any) -> Delivery:
    return Delivery(*row)


def replay(ctx: Context, inst: Installed, hook: UUID, id: UUID) -> None:
    """Send a delivery again, now, whatever became of it. Raises NotFound."""
    one(ctx, inst, hook)
    again = update(d).where(d.c.webhook_id == hook, d.c.id == id).values(state="waiting", attempts=0, replay=True)
    if not ctx.conn.execute(again).rowcount:
        raise NotFound
    enqueue(ctx, "webhooks.send", {"webhook": str(hook), "only": str(id)}, key=f"{hook}:{id}")


def test(ctx: Context, inst: Installed, hook: UUID) -> UUID:
    """Send an event that tells nothing, to see whether it arrives. Raises NotFound."""
    one(ctx, inst, hook)
    id = new_id()
    row = {"id": id, "webhook_id": hook, "event": "test", "table_id": "", "about": {}, "at": ctx.now, "replay": True}
    ctx.conn.execute(insert(d).values(row))
    enqueue(ctx, "webhooks.send", {"webhook": str(hook), "only": str(id)}, key=f"{hook}:{id}")
    return id


# -- sending ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Parcel:
    """What is sent: everything about it was read in one transaction that has ended."""

    delivery: UUID
    hook: Webhook
    body: str
    attempts: int


@job("webhooks.send", queue="webhooks", chunked=True)
def send_waiting(opened: Opened, webhook: str, only: str = "") -> None:
    """Send what waits for a webhook, in order, until one fails or nothing is left."""
    for _ in range(MOST_AT_ONCE):
        with opened() as ctx:
            parcel = _next(ctx, UUID(webhook), UUID(only) if only else None)
        if parcel is None:
            return
        if parcel.body:
            outcome = _post(parcel)
            with opened() as ctx:
                if not _settle(ctx, parcel, outcome) and not only:
                    return
        if only:
            return
    with opened() as ctx:
        enqueue(ctx, "webhooks.send", {"webhook": webhook}, key=webhook)


def _next(ctx: Context, id: UUID, only: UUID | None) -> Parcel | None:
    """The delivery to send now, claimed; None when there is none, or it is not time yet. Without body: nothing to tell."""
    row = ctx.conn.execute(select(*COLUMNS, w.c.installation_id).where(w.c.id == id).with_for_update()).one_or_none()
    if row is None or (only is None and (row.paused_at or (row.next_at and row.next_at > ctx.now))):
        return None
    open_ones = select(d).where(d.c.webhook_id == id, d.c.state.in_(("waiting", "sending")))
    open_ones = open_ones.where(d.c.id == only) if only else open_ones
    found = ctx.conn.execute(open_ones.order_by(d.c.id).limit(1)).one_or_none()
    if found is None or (found.state == "sending" and found.sent_at > ctx.now - TAKEN_BACK):
        return None
    hook = _webhook(row[: len(COLUMNS)])
    told = _payload(ctx, row.installation_id, hook, found)
    body = json.dumps(told, ensure_ascii=False) if told is not None else ""
    state = "sending" if body else "skipped"
    values = {"state": state, "sent_at": ctx.now, "request": body or None, "attempts": found.attempts + 1}
    ctx.conn.execute(update(d).where(d.c.id == found.id).values(**values))
    return Parcel(found.id, hook, body, found.attempts + 1)


def _payload(ctx: Context, installation: UUID, hook: Webhook, row: Any) -> dict[str, Any] | None:
    """What is told, with the sight of the webhook's actor as it is now; None for what they may not know of."""
    told: dict[str, Any] = {
        "id": str(row.id), "event": row.event, "at": api.plain_json(row.at), "workspace": ctx.workspace.slug,
    }  # fmt: skip
    if row.event == "test":
        return told
    try:
        seeing = ctx.acting_as(actor_of(ctx, installation, hook))
        inst = definitions.by_id(seeing, installation)
        source = tables.live(seeing, inst, row.table_id)
        found = _seen(seeing, source, row.record_id)
    except NotFound:
        return None
    record = api.record_json(source, found, [f for f in source.table.by_id if f in found.values])
    told |= {"app": inst.slug, "table": row.table_id, "record": record}
    about = dict(row.about)
    if (version := about.pop("version", None)) is not None:
        entry = next(
            (e for e in history.of_record(ctx, source, row.record_id, version - 1) if e.version == version), None
        )
        told["changes"] = list(api.shown_changes(source, found.rights, entry.changes)) if entry else []
    return {**told, **about}


def _seen(ctx: Context, source: LiveTable, id: UUID) -> Record:
    """The record as it is now, wherever it is. Raises NotFound for one that the actor may not see."""
    try:
        return query.fetch(door(ctx, source), id)
    except NotFound:
        return query.fetch(door(ctx, source), id, "read", trash=True)


def actor_of(ctx: Context, installation: UUID, hook: Webhook) -> Actor:
    """With whose sight it reads. Raises NotFound when its owner has left."""
    if not hook.roles:
        return people.member_by_id(ctx, hook.owner)
    slug = definitions.by_id(ctx, installation).slug
    return Token(id=hook.id, name=hook.title, roles=tuple(f"{slug}.{role}" for role in hook.roles))


def signature(secret: str, id: str, moment: int, body: str) -> str:
    """As Standard Webhooks has it."""
    key = base64.b64decode(secret.removeprefix(SIGNED))
    made = hmac.new(key, f"{id}.{moment}.{body}".encode(), hashlib.sha256)
    return "v1," + base64.b64encode(made.digest()).decode()


@dataclass(frozen=True)
class Outcome:
    """How it went."""

    ok: bool
    status: int | None = None
    response: str | None = None
    problem: Message | None = None
    final: bool = False
    took_ms: int = 0


def _post(parcel: Parcel) -> Outcome:
    began, moment, id = time.monotonic(), int(time.time()), str(parcel.delivery)
    headers = {
        "Content-Type": "application/json", "webhook-id": id, "webhook-timestamp": str(moment),
        "webhook-signature": signature(parcel.hook.secret, id, moment, parcel.body),
    }  # fmt: skip

    def took() -> int:
        return round((time.monotonic() - began) * 1000)

    try:
        found = egress.send(
            "POST", parcel.hook.url, headers=headers, body=parcel.body.encode(), timeout=TIMEOUT, most=LONGEST_ANSWER,
            redirects=0,
        )  # fmt: skip
    except Refused as err:
        return Outcome(False, problem=err.reason, took_ms=took())
    except egress.Unreachable as err:
        return Outcome(False, problem=err.reason, took_ms=took())
    refused = None if found.ok else say("The server answered {status}.", status=found.status)
    return Outcome(found.ok, found.status, found.text, refused, found.status == 410, took())


def _settle(ctx: Context, parcel: Parcel, outcome: Outcome) -> bool:
    """Write down how it went; whether to go on with the next one."""
    last = parcel.attempts > len(WAITS)
    state = "done" if outcome.ok else "failed" if last else "waiting"
    problem = notices.dump(outcome.problem) if outcome.problem else None
    values = {
        "state": state,
        "status": outcome.status,
        "response": outcome.response,
        "problem": problem,
        "took_ms": outcome.took_ms,
    }
    ctx.conn.execute(update(d).where(d.c.id == parcel.delivery).values(**values, replay=False))
    if outcome.ok:
        well = {"failing_since": None, "next_at": None, "failures": 0}
        ctx.conn.execute(update(w).where(w.c.id == parcel.hook.id, w.c.failures > 0).values(**well))
        return True
    _failed(ctx, parcel, outcome)
    return False


def _failed(ctx: Context, parcel: Parcel, outcome: Outcome) -> None:
    """Wait, or give up for a while and say so."""
    since = func.coalesce(w.c.failing_since, ctx.now)
    later = ctx.now + timedelta(seconds=WAITS[min(parcel.attempts, len(WAITS)) - 1])
    changed = (
        update(w).where(w.c.id == parcel.hook.id).values(failing_since=since, next_at=later, failures=w.c.failures + 1)
    )
    row = ctx.conn.execute(changed.returning(w.c.failing_since, w.c.installation_id, w.c.paused_at)).one_or_none()
    if row is None or row.paused_at is not None:
        return
    if outcome.final or ctx.now - row.failing_since > LONG:
        inst = definitions.by_id(ctx, row.installation_id)
        why = outcome.problem or egress.SILENT
        pause(ctx, inst, parcel.hook.id, why)
        _tell(ctx, inst, parcel.hook)
        return
    enqueue(ctx, "webhooks.send", {"webhook": str(parcel.hook.id)}, at=later, key=f"{parcel.hook.id}:later")


def _tell(ctx: Context, inst: Installed, hook: Webhook) -> None:
    """The owner and the administrators learn that nothing arrives any more."""
    m = models.member
    admins = ctx.conn.scalars(select(m.c.id).where(m.c.left_at.is_(None), or_(m.c.admin, m.c.id == hook.owner)))
    sentence = say("The webhook '{name}' was paused: nothing has arrived for a long time.", name=hook.title)
    told = list(admins)
    notices.tell(ctx, told, "failed", sentence, {"installation_id": inst.id})
    notices.send_mail(ctx, told, "failed", sentence, {})


@periodic("webhooks.forget", "29 3 * * *")
def forget(engine: Engine, moment: datetime) -> None:
    """Every night: the log of more than thirty days ago."""
    _everywhere(engine, moment, lambda ctx: ctx.conn.execute(
        delete(d).where(d.c.at < moment - KEPT, d.c.state.not_in(("waiting", "sending")))
    ))  # fmt: skip


@periodic("webhooks.awaken", "*/5 * * * *")
def awaken(engine: Engine, moment: datetime) -> None:
    """What waits although its time has come, because a worker died over it, is sent."""

    def wake(ctx: Context) -> None:
        due = and_(w.c.paused_at.is_(None), or_(w.c.next_at.is_(None), w.c.next_at <= moment))
        waiting = select(d.c.webhook_id).where(d.c.state.in_(("waiting", "sending")), d.c.at < moment - TAKEN_BACK)
        for id in ctx.conn.scalars(select(w.c.id).where(due, w.c.id.in_(waiting))):
            enqueue(ctx, "webhooks.send", {"webhook": str(id)}, key=str(id))

    _everywhere(engine, moment, wake)


def _everywhere(engine: Engine, moment: datetime, act: Callable[[Context], Any]) -> None:
    with engine.connect() as conn:
        found = workspaces.all_workspaces(conn)
    for workspace in found:
        with workspaces.opened(engine, workspace, now=moment) as ctx:
            act(ctx)


def counts(ctx: Context, hooks: Sequence[Webhook]) -> Mapping[UUID, Mapping[str, int]]:
    """How many deliveries of each state each webhook has."""
    asked = select(d.c.webhook_id, d.c.state, func.count()).where(d.c.webhook_id.in_([h.id for h in hooks]))
    found: dict[UUID, dict[str, int]] = {}
    for hook, state, number in ctx.conn.execute(asked.group_by(d.c.webhook_id, d.c.state)):
        found.setdefault(hook, {})[state] = number
    return found
