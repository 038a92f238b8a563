"""The same done to many records: each by itself, at most what its doer may do to it, with what became of every one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update

from runtime import answers, definitions, flows, query, records
from runtime.access import Door, door
from runtime.context import Context, Opened
from runtime.ids import new_id
from runtime.jobs import enqueue, job
from runtime.models_batch import batch_run
from runtime.notices import dump
from runtime.tables import LiveTable, live
from schemas import filling
from schemas.errors import Denied, InvalidInput, NotFound
from schemas.fields import Field
from schemas.fields.file import File
from schemas.messages import say
from schemas.text import Sentence

ACTIONS = {"change": "update", "trash": "delete"}
AT_ONCE = 50
"""As many are done while their doer waits; more are left to a job."""
CHUNK = 100
MOST = 10_000
MOST_TOLD = 500
GONE = say("It is not there any more, or you may not change it.")


@dataclass
class Outcome:
    """What became of the records: how many were done, and why the others were not."""

    done: int = 0
    refused: list[tuple[UUID, Sentence]] = field(default_factory=list)


def changeable(gate: Door) -> list[Field]:
    """The fields that may be given one value in many records."""
    return [f for f in gate.live.table.fields if _gives_one_value(f) and gate.writable(f.id)]


def _gives_one_value(found: Field) -> bool:
    return not (found.computed or found.unique or found.storage == "child" or isinstance(found, File))


def require(gate: Door, action: str) -> None:
    """Raises NotFound, or Denied without the right to act on many at once."""
    gate.require("read")
    gate.require("batch")
    gate.require(ACTIONS[action])


def meant(ctx: Context, source: LiveTable, typed: Mapping[str, Any]) -> filling.Values:
    """The values that a change gives. Raises InvalidInput."""
    known = {f.id for f in changeable(door(ctx, source))}
    values, errors = filling.parse(source.table, {id: raw for id, raw in typed.items() if id in known}, ctx.zone)
    if errors:
        raise InvalidInput(errors)
    if not values:
        raise InvalidInput({"": [say("Choose a field to change.")]})
    return values


def act(ctx: Context, source: LiveTable, action: str, ids: Sequence[UUID], typed: Mapping[str, Any]) -> Outcome:
    """Do it now, each record in a savepoint of its own. Raises NotFound, Denied, InvalidInput."""
    gate = door(ctx, source)
    require(gate, action)
    values = meant(ctx, source, typed) if action == "change" else {}
    may = query.allowed_among(gate, ids, ("read", "batch", ACTIONS[action]))
    outcome = Outcome()
    for id in dict.fromkeys(ids):
        reason = _one(ctx, source, action, id, values) if id in may else GONE
        if reason is None:
            outcome.done += 1
        else:
            outcome.refused.append((id, reason))
    return outcome


def _one(ctx: Context, source: LiveTable, action: str, id: UUID, values: filling.Values) -> Sentence | None:
    """Why it was not done; None when it was."""
    try:
        with ctx.conn.begin_nested():
            if action == "change":
                changed = records.change(ctx, source, id, dict(values))
                flows.record_saved(ctx, source, id, "changed", changed)
            elif not records.trash(ctx, source, [id]):
                raise NotFound
        return None
    except InvalidInput as err:
        reason: Sentence = next(iter(err.errors.values()))[0]
    except Denied as err:
        reason = err.reason
    except NotFound:
        reason = GONE
    answers.forget(ctx, source)  # what was read of it in the savepoint is not so
    return reason


# -- as a job --------------------------------------------------------------------------------------


def begin(ctx: Context, source: LiveTable, action: str, ids: Sequence[UUID], typed: Mapping[str, Any]) -> UUID:
    """Leave it to a job. Raises NotFound, Denied, InvalidInput."""
    require(door(ctx, source), action)
    if action == "change":
        meant(ctx, source, typed)
    if len(ids) > MOST:
        raise InvalidInput({"": [say("More than {n} records. Narrow the list with a filter.", n=f"{MOST:,}")]})
    id = new_id()
    ctx.conn.execute(
        insert(batch_run).values(
            id=id, installation_id=source.inst.id, table_id=source.id, member_id=ctx.actor.id, action=action,
            answers=dict(typed), records=list(dict.fromkeys(ids)), started_at=ctx.now,
        )
    )  # fmt: skip
    enqueue(ctx, "act_on_records", {"run": str(id)})
    return id


def run_of(ctx: Context, id: UUID) -> Any:
    """The actor's own run. Raises NotFound."""
    asked = select(batch_run).where(batch_run.c.id == id, batch_run.c.member_id == ctx.actor.id)
    row = ctx.conn.execute(asked).one_or_none()
    if row is None:
        raise NotFound
    return row


def cancel(ctx: Context, id: UUID) -> None:
    """What has been done stays; no further chunk begins. Raises NotFound."""
    run_of(ctx, id)
    ctx.conn.execute(update(batch_run).where(batch_run.c.id == id).values(cancel=True))




def give_up(ctx: Context, error: Exception, run: str) -> None:
    """What has been done stays; the run says that it could not go on."""
    _end(ctx, UUID(run), "failed")


@job("act_on_records", chunked=True, failed=give_up)
def act_on_records(opened: Opened, run: str) -> None:
    """The job: a chunk in a transaction, by the rights of that moment; begins again where it stopped."""
    while _next_chunk(opened, UUID(run)):
        pass


def _next_chunk(opened: Opened, id: UUID) -> bool:
    with opened() as ctx:
        row = ctx.conn.execute(select(batch_run).where(batch_run.c.id == id).with_for_update()).one_or_none()
        if row is None or row.state not in ("waiting", "running"):
            return False
        chunk = row.records[row.done + row.refused :][:CHUNK]
        if row.cancel or not chunk:
            _end(ctx, id, "cancelled" if row.cancel and chunk else "done")
            return False
        outcome = _chunk(ctx, row, chunk)
        report = [*(row.report or []), *([str(r), dump(why)] for r, why in outcome.refused)][:MOST_TOLD]
        counts = {"done": row.done + outcome.done, "refused": row.refused + len(outcome.refused), "state": "running"}
        ctx.conn.execute(update(batch_run).where(batch_run.c.id == id).values(**counts, report=report))
    return True


def _chunk(ctx: Context, row: Any, chunk: Sequence[UUID]) -> Outcome:
    """A right that was taken away meanwhile refuses what is left."""
    try:
        source = live(ctx, definitions.by_id(ctx, row.installation_id), row.table_id)
        return act(ctx, source, row.action, chunk, row.answers)
    except (NotFound, Denied):
        return Outcome(0, [(id, GONE) for id in chunk])


def _end(ctx: Context, id: UUID, state: str) -> None:
    ctx.conn.execute(update(batch_run).where(batch_run.c.id == id).values(state=state, ended_at=ctx.now))
