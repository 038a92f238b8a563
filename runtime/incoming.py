"""Data that other programs send to a flow: its secret address, signatures, how often, and each message once."""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, case, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from runtime import audit, definitions, running, sealing, tables, webhooks
from runtime.context import Context, Workspace
from runtime.definitions import Installed
from runtime.ids import new_id
from runtime.jobs import enqueue, job, periodic
from runtime.models_flow import flow_address, flow_arrival
from runtime.running import Running
from runtime.workspaces import all_workspaces, bind, opened
from schemas.errors import BadValue, Denied, NotFound
from schemas.flow import Flow, Trigger
from schemas.formula import ErrorValue
from schemas.messages import say
from schemas.payloads import Incoming
from schemas.results import dump

LARGEST = 256_000
KEPT = timedelta(days=7)
"""How long a message that comes again is known."""
SKEW = 300
"""Seconds by which a signed message's time may be off."""
PURPOSE = "address of a flow"
UNSIGNED = say("The signature is missing, wrong or too old.")
a = flow_address.c


@dataclass(frozen=True)
class Address:
    """Where other programs send data for a flow, and the secret they sign with."""

    path: str
    signing: str
    made_at: datetime


@dataclass(frozen=True)
class Door:
    """A flow that was found by its address, and how often it was used in this minute."""

    workspace: Workspace
    installation: UUID
    flow: str
    signing: str
    used: int


@dataclass(frozen=True)
class Message:
    """What came: the body as it was sent, what it says, and the headers that matter."""

    body: bytes
    payload: Any
    headers: Mapping[str, str]


# -- addresses -------------------------------------------------------------------------------------


def incoming_of(flow: Flow | None) -> Incoming | None:
    return next((t.incoming for t in flow.trigger if t.incoming is not None), None) if flow else None


def provide(ctx: Context, inst: Installed) -> None:
    """Every flow that takes data has an address; one that does so no longer has none."""
    wanted = {flow.id for flow in inst.app.flows if incoming_of(flow)}
    known = set(ctx.conn.scalars(select(a.flow).where(a.installation_id == inst.id)))
    if known - wanted:
        ctx.conn.execute(delete(flow_address).where(a.installation_id == inst.id, a.flow.in_(known - wanted)))
    for flow in sorted(wanted - known):
        _renew(ctx, inst, flow)


def renew(ctx: Context, inst: Installed, flow: str) -> None:
    """A new address and a new secret; the old ones lead nowhere any more. Raises NotFound."""
    if incoming_of(inst.app.flow(flow)) is None:
        raise NotFound
    _renew(ctx, inst, flow)
    audit.note(ctx, "token.hook_changed", flow, inst.id)


def _renew(ctx: Context, inst: Installed, flow: str) -> None:
    token, signing = secrets.token_urlsafe(24), webhooks.SIGNED + base64.b64encode(secrets.token_bytes(24)).decode()
    values = {"digest": _digest(token), "sealed": sealing.seal(token, PURPOSE), "signing": sealing.seal(signing, PURPOSE),
              "made_at": ctx.now}  # fmt: skip
    made = insert(flow_address).values(installation_id=inst.id, flow=flow, **values)
    ctx.conn.execute(made.on_conflict_do_update(index_elements=["installation_id", "flow"], set_=values))


def address(ctx: Context, inst: Installed, flow: str) -> Address | None:
    row = ctx.conn.execute(select(flow_address).where(a.installation_id == inst.id, a.flow == flow)).one_or_none()
    token = sealing.opened(row.sealed, PURPOSE) if row else None
    signing = sealing.opened(row.signing, PURPOSE) if row else None
    if row is None or token is None or signing is None:
        return None
    return Address(f"/in/{ctx.workspace.slug}/{token}", signing, row.made_at)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


# -- taking in -------------------------------------------------------------------------------------


def knock(engine: Engine, workspace: Workspace, token: str) -> Door:
    """The flow behind an address, its use counted for all processes alike. Raises NotFound."""
    minute = int(datetime.now(UTC).timestamp()) // 60
    used = case((a.minute == minute, a.used + 1), else_=1)
    counted = update(flow_address).where(a.digest == _digest(token)).values(minute=minute, used=used)
    with engine.begin() as conn:
        bind(conn, workspace.schema)
        row = conn.execute(counted.returning(a.installation_id, a.flow, a.signing, a.used)).one_or_none()
    if row is None:
        raise NotFound
    return Door(workspace, row.installation_id, row.flow, sealing.opened(row.signing, PURPOSE) or "", row.used)


@dataclass(frozen=True)
class Taken:
    """What became of a message: the run that it starts; none where the flow does not want it."""

    run: UUID | None
    repeated: bool = False


def take(ctx: Context, at: Door, message: Message) -> Taken:
    """Keep a message for its flow, which begins after this transaction. Raises NotFound, Denied."""
    inst = definitions.by_id(ctx, at.installation)
    flow = inst.app.flow(at.flow)
    trigger = next((t for t in flow.trigger if t.incoming is not None), None) if flow else None
    if flow is None or trigger is None or trigger.incoming is None:
        raise NotFound
    if trigger.incoming.signed and not _is_signed(at.signing, message, ctx.now):
        raise Denied(UNSIGNED)
    told = {"payload": dump(trigger.incoming.fit(flow.id, message.payload, ctx.zone))}
    run, key = new_id(), _key(ctx, inst, flow, trigger, told, message)
    if key and (before := _before(ctx, at, key, run)) is not None:
        return Taken(before, repeated=True)
    if not _wanted(ctx, inst, flow, trigger, told):
        return Taken(None)
    about = {"installation": str(inst.id), "flow": flow.id, "run": str(run), "given": told}
    enqueue(ctx, "flow_arrived", about)
    return Taken(run)


def limit_of(ctx: Context, at: Door) -> int:
    found = incoming_of(definitions.by_id(ctx, at.installation).app.flow(at.flow))
    return found.most if found else 1


def _is_signed(secret: str, message: Message, now: datetime) -> bool:
    id, moment = message.headers.get("webhook-id", ""), message.headers.get("webhook-timestamp", "")
    if not id or not moment.isdigit() or abs(int(moment) - now.timestamp()) > SKEW:
        return False
    try:
        wanted = webhooks.signature(secret, id, int(moment), message.body.decode())
    except UnicodeDecodeError:
        return False
    given = message.headers.get("webhook-signature", "").split()
    return any(hmac.compare_digest(one.encode(), wanted.encode()) for one in given)


def _key(
    ctx: Context, inst: Installed, flow: Flow, trigger: Trigger, told: Mapping[str, Any], message: Message
) -> str:  # fmt: skip
    """What this message is to happen once for: as the flow says, else as the sender does; empty for none."""
    assert trigger.incoming is not None
    if trigger.incoming.once_by is not None:
        value = _value(ctx, inst, flow, told, trigger.incoming.once_by)
        text = "" if value is None or isinstance(value, ErrorValue) else json.dumps(dump(value), sort_keys=True)
    else:
        text = message.headers.get("idempotency-key") or message.headers.get("webhook-id") or ""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest() if text else ""


def _before(ctx: Context, at: Door, key: str, run: UUID) -> UUID | None:
    """The run that this message started when it came first; None when this is the first time."""
    line = {"installation_id": at.installation, "flow": at.flow, "key": key}
    r = flow_arrival.c
    made = insert(flow_arrival).values(**line, run_id=run, at=ctx.now).on_conflict_do_nothing()
    if ctx.conn.scalar(made.returning(r.run_id)) is not None:
        return None
    return ctx.conn.scalar(select(r.run_id).where(*(r[name] == value for name, value in line.items())))


def _value(ctx: Context, inst: Installed, flow: Flow, told: Mapping[str, Any], formula: Any) -> Any:
    about = Running(new_id(), inst, flow, tables.of_flow(ctx, inst, ""), None, None, ctx.now)
    about.state.results |= told
    return running.values_of(ctx, about)(formula)


def _wanted(ctx: Context, inst: Installed, flow: Flow, trigger: Trigger, told: Mapping[str, Any]) -> bool:
    return trigger.when is None or _value(ctx, inst, flow, told, trigger.when) is True


@job("flow_arrived", queue="flows")
def arrived(ctx: Context, installation: str, flow: str, run: str, given: dict[str, Any]) -> None:
    """Start the flow with what was sent, as the run that its sender was told of."""
    from runtime import flows

    try:
        inst = definitions.by_id(ctx, UUID(installation))
    except NotFound:
        return
    found = inst.app.flow(flow)
    if found is not None and incoming_of(found) is not None:
        flows.start(ctx, tables.of_flow(ctx, inst, ""), found, None, given=given, id=UUID(run))


@periodic("forget_arrivals", "41 3 * * *")
def forget(engine: Engine, moment: datetime) -> None:
    """Every night: messages that came so long ago that they will not come again."""
    with engine.connect() as conn:
        found = all_workspaces(conn)
    for workspace in found:
        with opened(engine, workspace) as ctx:
            ctx.conn.execute(delete(flow_arrival).where(flow_arrival.c.at < ctx.now - KEPT))


def read_body(body: bytes) -> Any:
    """The JSON that was sent. Raises BadValue."""
    from schemas.payloads import read_json

    try:
        return read_json(body.decode())
    except (ValueError, UnicodeDecodeError):
        raise BadValue(say("The body must be JSON.")) from None
