"""Reading the audit trail: searching it, proving that it is whole, and letting its oldest part go."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, Select, Text, and_, cast, delete, func, null, or_, select, text, union_all

from runtime import audit, models, workspaces
from runtime.actors import System
from runtime.context import Context, Workspace
from runtime.jobs import periodic
from runtime.models_audit import KEPT_AT_LEAST, SEALED, control_audit, workspace_audit
from runtime.settings import Settings
from schemas.errors import InvalidInput
from schemas.messages import Message, say
from schemas.text import Text as Label

PAGE = 50
MOST_EXPORTED = 100_000
LONGEST_KEPT = 36_500
ANCHORS = "audit-anchors.jsonl"


@dataclass(frozen=True)
class Event:
    """Something that was done, as it is read."""

    id: UUID
    at: datetime
    kind: str
    actor_kind: str
    actor_id: UUID | None
    actor_name: str
    address: str
    agent: str
    origin: str
    about: str
    details: dict[str, Any]
    number: int | None
    hash: str

    @property
    def sentence(self) -> Message:
        """What was done; of a kind that is no longer known its name."""
        known = audit.KINDS.get(self.kind)
        values = {name: _shown(value) for name, value in self.details.items()}
        return Message(known.sentence.text if known else self.kind, {**values, "about": self.about})


def _shown(value: Any) -> Any:
    if isinstance(value, dict):
        return Label.of(value)
    return ", ".join(str(one) for one in value) if isinstance(value, list) else value


@dataclass(frozen=True)
class Asked:
    """Which events are wanted. Days are those of the workspace's clock."""

    text: str = ""
    group: str = ""
    since: datetime | None = None
    until: datetime | None = None
    before: tuple[datetime, UUID] | None = None


def listed(ctx: Context, asked: Asked, limit: int = PAGE) -> list[Event]:
    """The newest events that match: the workspace's own, and those of its members' accounts."""
    own = select(*_columns(workspace_audit)).where(*_matching(workspace_audit, asked))
    theirs = select(*_columns(control_audit)).where(
        control_audit.c.workspaces.contains([ctx.workspace.id]), *_matching(control_audit, asked)
    )
    both = union_all(_latest(own, limit), _latest(theirs, limit)).subquery()
    query = select(both).order_by(both.c.at.desc(), both.c.id.desc()).limit(limit)
    return [_event(row) for row in ctx.conn.execute(query)]


def _columns(table: Any) -> list[Any]:
    names = (
        "id", "at", "kind", "actor_kind", "actor_id", "actor_name", "address", "agent", "origin", "about", "details",
        "number", "hash",
    )  # fmt: skip
    return [table.c[name] for name in names]


def _latest(query: Select[Any], limit: int) -> Any:
    columns = query.selected_columns
    return select(query.order_by(columns.at.desc(), columns.id.desc()).limit(limit).subquery())


def _matching(table: Any, asked: Asked) -> Iterator[Any]:
    if asked.group:
        yield table.c.kind.startswith(f"{asked.group}.", autoescape=True)
    if asked.since:
        yield table.c.at >= asked.since
    if asked.until:
        yield table.c.at < asked.until
    if asked.before:
        at, id = asked.before
        yield or_(table.c.at < at, and_(table.c.at == at, table.c.id < id))
    if asked.text:
        told = (table.c.actor_name, table.c.about, table.c.address, table.c.kind, cast(table.c.details, Text))
        yield or_(*(column.icontains(asked.text, autoescape=True) for column in told))


def _event(row: Any) -> Event:
    return Event(
        row.id, row.at, row.kind, row.actor_kind, row.actor_id, row.actor_name, row.address or "", row.agent or "",
        row.origin or "", row.about, row.details, row.number, row.hash.hex() if row.hash else "",
    )  # fmt: skip


def everything(ctx: Context, asked: Asked) -> Iterator[Event]:
    """All events that match, newest first, in pages. Raises InvalidInput when there are too many."""
    count, page = 0, listed(ctx, asked, 1_000)
    while page:
        count += len(page)
        if count > MOST_EXPORTED:
            raise InvalidInput({"": [say("More than {n} events. Narrow the time.", n=f"{MOST_EXPORTED:,}")]})
        yield from page
        asked = Asked(asked.text, asked.group, asked.since, asked.until, (page[-1].at, page[-1].id))
        page = listed(ctx, asked, 1_000)


# -- the chain -------------------------------------------------------------------------------------

FIRST_BROKEN = """
SELECT a.number, a.fault FROM (
  SELECT a.number, CASE
    WHEN a.hash IS DISTINCT FROM sha256(convert_to({sealed}, 'UTF8')) THEN 'changed'
    WHEN a.number <> lag(a.number, 1, a.number - 1) OVER chain + 1 THEN 'missing'
    WHEN a.previous IS DISTINCT FROM lag(a.hash, 1, a.previous) OVER chain THEN 'unlinked' END AS fault
  FROM "{schema}".audit a WINDOW chain AS (ORDER BY a.number)) a
WHERE a.fault IS NOT NULL ORDER BY a.number LIMIT 1
"""


@dataclass(frozen=True)
class Chain:
    """What a look at a whole chain found; `fault` is empty where every event is as it was sealed."""

    events: int
    last: int
    hash: str
    fault: str = ""
    number: int = 0


def verify(conn: Connection, schema: str, anchors: dict[int, str] | None = None) -> Chain:
    """Take every hash of a schema's trail anew. `anchors` are places whose hash was written down elsewhere."""
    table = text(f'SELECT count(*) AS events, max(number) AS last, min(number) AS first FROM "{schema}".audit')
    counted = conn.execute(table).one()
    last = conn.scalar(text(f"SELECT encode(hash, 'hex') FROM \"{schema}\".audit ORDER BY number DESC LIMIT 1")) or ""
    found = Chain(counted.events, counted.last or 0, last)
    sealed = SEALED.format(number="a.number", previous="a.previous")
    broken = conn.exec_driver_sql(
        FIRST_BROKEN.format(sealed=sealed, schema=schema), execution_options={"no_parameters": True}
    ).one_or_none()
    if broken:
        return Chain(found.events, found.last, last, broken.fault, broken.number)
    return _begun_rightly(conn, schema, found, counted.first or 0) or _anchored(conn, schema, found, anchors or {})


def _begun_rightly(conn: Connection, schema: str, found: Chain, first: int) -> Chain | None:
    """A trail begins with number 1, or where its own record says that the part before was let go."""
    if first <= 1:
        return None
    said = text(
        f'SELECT 1 FROM "{schema}".audit a, "{schema}".audit b WHERE a.kind = \'audit.trimmed\''
        " AND (a.details->>'number')::bigint = :n AND b.number = :first AND a.details->>'hash' = encode(b.previous, 'hex')"
    )
    if conn.execute(said, {"n": first - 1, "first": first}).first():
        return None
    return Chain(found.events, found.last, found.hash, "begun", first)


def _anchored(conn: Connection, schema: str, found: Chain, anchors: dict[int, str]) -> Chain:
    kept = {
        row.number: row.hash.hex()
        for row in conn.execute(text(f'SELECT number, hash FROM "{schema}".audit WHERE number = ANY(:n)'), {"n": list(anchors)})
    }  # fmt: skip
    first = conn.scalar(text(f'SELECT min(number) FROM "{schema}".audit')) or 0
    for number, hash in sorted(anchors.items()):
        if number >= first and kept.get(number) != hash:
            return Chain(found.events, found.last, found.hash, "replaced" if number in kept else "shortened", number)
    return found


# -- anchors: what was written down outside of the database -----------------------------------------


def anchors_of(settings: Settings) -> dict[str, dict[int, str]]:
    """For each schema the places of its trail that were written down, with their hashes."""
    found: dict[str, dict[int, str]] = {}
    path = _anchor_file(settings)
    for line in path.read_text("utf-8").splitlines() if path.exists() else ():
        try:
            said = json.loads(line)
            found.setdefault(said["schema"], {})[int(said["number"])] = said["hash"]
        except (ValueError, KeyError, TypeError):
            continue
    return found


def write_anchor(settings: Settings, schema: str, chain: Chain, at: datetime) -> None:
    said = {"schema": schema, "number": chain.last, "hash": chain.hash, "at": at.isoformat(timespec="seconds")}
    with _anchor_file(settings).open("a", encoding="utf-8") as file:
        file.write(json.dumps(said) + "\n")


def forget_anchors(settings: Settings, schemas: set[str]) -> None:
    """After a restore, which takes trails back to an earlier day."""
    path = _anchor_file(settings)
    if path.exists():
        kept = [line for line in path.read_text("utf-8").splitlines() if json.loads(line).get("schema") not in schemas]
        path.write_text("".join(f"{line}\n" for line in kept), "utf-8")


def _anchor_file(settings: Settings) -> Path:
    return settings.data / ANCHORS


@periodic("audit.anchor", "43 2 * * *")
def anchor_all(engine: Engine, moment: datetime) -> None:
    """Every night: write down where each sound trail stands."""
    settings = Settings.read()
    with engine.connect() as conn:
        known = anchors_of(settings)
        for schema in ["control", *(w.schema for w in workspaces.all_workspaces(conn))]:
            chain = verify(conn, schema, known.get(schema))
            if chain.last and not chain.fault and chain.last not in known.get(schema, {}):
                write_anchor(settings, schema, chain, moment)


# -- retention -------------------------------------------------------------------------------------


def set_retention(ctx: Context, days: int | None) -> None:
    """How long this workspace keeps its trail; None is for ever. Raises InvalidInput."""
    if days is not None and not KEPT_AT_LEAST <= days <= LONGEST_KEPT:
        message = say("Keep it for {low} to {high} days, or for ever.", low=KEPT_AT_LEAST, high=f"{LONGEST_KEPT:,}")
        raise InvalidInput({"days": [message]})
    w = models.workspace
    ctx.conn.execute(w.update().where(w.c.id == ctx.workspace.id).values(audit_days=days))
    audit.note(ctx, "audit.retention", days=days) if days else audit.note(ctx, "audit.kept_for_ever")


def retention(conn: Connection, workspace: Workspace) -> int | None:
    w = models.workspace
    return conn.scalar(select(w.c.audit_days).where(w.c.id == workspace.id))


def trim(ctx: Context, days: int) -> int:
    """Let go what is older; the trail itself says what went, and with which hash it goes on."""
    a = workspace_audit
    edge = ctx.now - timedelta(days=max(days, KEPT_AT_LEAST))
    # The oldest event that is young enough ends the part that goes, so that what stays is one piece.
    stays = ctx.conn.scalar(select(func.min(a.c.number)).where(a.c.at >= edge))
    old = a.c.number < stays if stays is not None else a.c.number.is_not(null())
    last = ctx.conn.execute(select(a.c.number, a.c.hash).where(old).order_by(a.c.number.desc()).limit(1)).one_or_none()
    if last is None:
        return 0
    ctx.conn.exec_driver_sql("SET LOCAL mortise.audit_retention = 'on'")
    gone = ctx.conn.execute(delete(a).where(old)).rowcount
    audit.note(ctx, "audit.trimmed", n=gone, days=days, number=last.number, hash=last.hash.hex())
    return gone


@periodic("audit.trim", "13 3 * * *")
def trim_all(engine: Engine, moment: datetime) -> None:
    """Every night: what a workspace no longer keeps."""
    with engine.connect() as conn:
        known = [(w, retention(conn, w)) for w in workspaces.all_workspaces(conn)]
    for workspace, days in known:
        if days:
            with workspaces.opened(engine, workspace, System(), now=moment) as ctx:
                trim(ctx, days)


def day_of(ctx: Context, text: str) -> datetime | None:
    """The beginning of a day of the workspace's clock, from what a date input sends."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=ctx.zone).astimezone(UTC)
    except ValueError:
        return None
