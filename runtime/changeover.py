"""Changes of field types on tables in use: new columns are filled beside people's work, then the revision flips.

Columns are added and filled batch by batch while everybody goes on writing to the old ones; a trigger notes the rows
that change meanwhile. The flip converts those again while no writer is inside, which takes a moment.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Column, MetaData, Table, Uuid, insert, select, text, update

from runtime import conversion, definitions, drafts, models
from runtime.context import Context, Opened
from runtime.conversion import Batch, Outcome
from runtime.definitions import Installed
from runtime.ids import new_id
from runtime.jobs import enqueue, job
from runtime.models_conversion import conversion_run as run_table
from runtime.tables import column_kind
from schemas.app import App
from schemas.converting import Conversion
from schemas.errors import DefinitionError, NotFound, Problem
from schemas.messages import Message, say

AT_ONCE = 2_000
"""Rows that are converted inside the publishing request; where there are more, a job does it."""
ACTIVE = ("waiting", "running")
BUSY = say("types of fields are being changed; wait until that is done, or cancel it")


def takes_long(ctx: Context, slug: str, after: App) -> bool:
    """Whether publishing this converts more rows than a request may."""
    try:
        inst = definitions.installed(ctx, slug)
    except NotFound:
        return False
    changes = conversion.checked(inst.app, after)
    return sum(conversion.rows_in(ctx, b) for b in conversion.batches(ctx, inst, changes, {})) > AT_ONCE


def begin(ctx: Context, slug: str, package: Mapping[str, Any], note: str = "") -> UUID:
    """Start changing over to a package; a job goes on from here. Raises DefinitionError."""
    inst = definitions.installed(ctx, slug)
    refuse_while_active(ctx, inst.id)
    changes = conversion.checked(inst.app, definitions.load_app(package))
    total = sum(conversion.rows_in(ctx, b) for b in conversion.batches(ctx, inst, changes, {}))
    id = new_id()
    ctx.conn.execute(
        insert(run_table).values(
            id=id, installation_id=inst.id, base=inst.revision, package=dict(package), note=note, total=total, member_id=ctx.actor.id
        )
    )  # fmt: skip
    enqueue(ctx, "change_over", {"run": str(id)})
    return id


def run_of(ctx: Context, id: UUID) -> Any:
    """Raises NotFound."""
    row = ctx.conn.execute(select(run_table).where(run_table.c.id == id)).one_or_none()
    if row is None:
        raise NotFound
    return row


def recent(ctx: Context, installation: UUID, most: int = 5) -> list[Any]:
    """The latest runs for an app, the newest first."""
    r = run_table
    wanted = select(r.c.id, r.c.state, r.c.done, r.c.total).where(r.c.installation_id == installation)
    return list(ctx.conn.execute(wanted.order_by(r.c.id.desc()).limit(most)))


def active(ctx: Context, installation: UUID) -> UUID | None:
    """The run that is under way for an app."""
    r = run_table
    return ctx.conn.scalar(select(r.c.id).where(r.c.installation_id == installation, r.c.state.in_(ACTIVE)).limit(1))


def refuse_while_active(ctx: Context, installation: UUID, run: UUID | None = None) -> None:
    """Raises DefinitionError when another change of types is under way."""
    if (found := active(ctx, installation)) and found != run:
        raise DefinitionError([Problem("", BUSY)])


def cancel(ctx: Context, id: UUID) -> None:
    """Stop before the flip; what was filled is given up, nothing that people see has changed."""
    ctx.conn.execute(update(run_table).where(run_table.c.id == id, run_table.c.state.in_(ACTIVE)).values(cancel=True))


# -- the job ---------------------------------------------------------------------------------------


def _failed(ctx: Context, error: str, run: str) -> None:
    _give_up(ctx, run_of(ctx, UUID(run)), "failed", say("It failed: {error}", error=error[:300]))


@job("change_over", chunked=True, failed=_failed)
def change_over(opened: Opened, run: str) -> None:
    """Prepare, fill batch by batch, flip; begins again where it stopped."""
    id = UUID(run)
    for step in (_prepare, _fill, _flip):
        while _goes_on(opened, id, step):
            pass


def _goes_on(opened: Opened, id: UUID, step: Callable[[Context, Any], bool]) -> bool:
    """One transaction of a step; whether the step wants another."""
    with opened() as ctx:
        row = ctx.conn.execute(select(run_table).where(run_table.c.id == id).with_for_update()).one_or_none()
        if row is None or row.state not in ACTIVE:
            return False
        if row.cancel:
            _give_up(ctx, row, "cancelled")
            return False
        return step(ctx, row)


def _work(ctx: Context, row: Any) -> tuple[Installed, list[Conversion], list[Batch]]:
    inst = definitions.by_id(ctx, row.installation_id)
    changes = conversion.checked(inst.app, definitions.load_app(row.package))
    return inst, changes, conversion.batches(ctx, inst, changes, row.columns)


def _prepare(ctx: Context, row: Any) -> bool:
    """New columns, and the triggers that note what is written meanwhile. They wait briefly for writers, never long."""
    if row.columns:
        return False
    inst, changes, batches = _work(ctx, row)
    ctx.conn.execute(text(f"SET LOCAL lock_timeout = '{definitions.LOCK_TIMEOUT}'"))
    columns: dict[str, str] = {}
    for batch in batches:
        columns |= add_columns(ctx, inst, batch, row.id)
        _watch(ctx, batch, row.id)
    _keep(ctx, row, columns=columns, state="running")
    return False


def add_columns(ctx: Context, inst: Installed, batch: Batch, run: UUID) -> dict[str, str]:
    """Columns for the new types; they become the fields' own at the flip."""
    from runtime import migrate

    made = {}
    for change in batch.changes:
        path = f"{change.table}.{change.path}"
        kind = column_kind(change.new.storage, change.new.scale)
        made[path] = migrate.add_column(ctx, inst, f"{path}~{run.hex}", kind, batch.source.name)
    return made


def _watch(ctx: Context, batch: Batch, run: UUID) -> None:
    name, source = _noted(batch, run), batch.source.name
    old = ", ".join(batch.old(c).name for c in batch.changes)
    schema = ctx.workspace.schema
    for statement in (
        f"CREATE TABLE {name} (id uuid PRIMARY KEY)",
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f'INSERT INTO "{schema}".{name} VALUES (NEW.id) ON CONFLICT DO NOTHING; RETURN NULL; END $$',
        f"CREATE TRIGGER {name} AFTER INSERT OR UPDATE OF {old} ON {source} FOR EACH ROW EXECUTE FUNCTION {name}()",
    ):
        ctx.conn.exec_driver_sql(statement)


def _noted(batch: Batch, run: UUID) -> str:
    return f"noted_{batch.source.name}_{run.hex[-12:]}"


def _unwatch(ctx: Context, batches: Iterable[Batch], run: UUID) -> None:
    for batch in batches:
        name = _noted(batch, run)
        ctx.conn.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name} ON {batch.source.name}")
        ctx.conn.exec_driver_sql(f"DROP FUNCTION IF EXISTS {name}()")
        ctx.conn.exec_driver_sql(f"DROP TABLE IF EXISTS {name}")


def _fill(ctx: Context, row: Any) -> bool:
    _, _, batches = _work(ctx, row)
    for batch in batches:
        last = row.place.get(batch.source.name)
        if last == "end":
            continue
        rows = conversion.rows_after(ctx, batch, UUID(last) if last else None)
        lost = _convert(ctx, batch, rows)
        place = {**row.place, batch.source.name: str(rows[-1].id) if rows else "end"}
        _keep(ctx, row, place=place, done=row.done + len(rows), lost=row.lost + lost)
        return True
    return False


def _convert(ctx: Context, batch: Batch, rows: Sequence[Any]) -> int:
    outcomes = {c.path: Outcome(c) for c in batch.changes}
    conversion.store(ctx, batch, conversion.convert(ctx, batch, rows, outcomes))
    return sum(o.filled - o.kept for o in outcomes.values())


def _flip(ctx: Context, row: Any) -> bool:
    """With no writer inside: what changed meanwhile once more, then the new revision."""
    inst = definitions.by_id(ctx, row.installation_id)
    definitions.lock_exclusively(ctx, inst.id)
    if inst.revision != row.base:
        _give_up(ctx, row, "failed", say("The app was published anew meanwhile."))
        return False
    _, _, batches = _work(ctx, row)
    for batch in batches:
        noted = Table(_noted(batch, row.id), MetaData(), Column("id", Uuid))
        ids = list(ctx.conn.scalars(select(noted.c.id)))
        for start in range(0, len(ids), conversion.BATCH):
            _convert(ctx, batch, conversion.rows_of(ctx, batch, ids[start : start + conversion.BATCH]))
    _unwatch(ctx, batches, row.id)
    published = definitions.publish(ctx, inst.slug, row.package, row.note, run=row.id, columns=row.columns)
    drafts.rebase(ctx, inst.id, published.revision)
    _keep(ctx, row, state="done", ended_at=ctx.now)
    return False


def _give_up(ctx: Context, row: Any, state: str, problem: Message | None = None) -> None:
    """Leave everything as people see it; the columns that were being filled are retired."""
    _, _, batches = _work(ctx, row)
    _unwatch(ctx, batches, row.id)
    s = models.storage
    retire = update(s).where(
        s.c.installation_id == row.installation_id, s.c.path.endswith(f"~{row.id.hex}", autoescape=True)
    )
    ctx.conn.execute(retire.values(retired_at=ctx.now))
    told = {"text": problem.text, "values": {k: str(v) for k, v in problem.values.items()}} if problem else None
    _keep(ctx, row, state=state, problem=told, ended_at=ctx.now)


def _keep(ctx: Context, row: Any, **values: Any) -> None:
    ctx.conn.execute(update(run_table).where(run_table.c.id == row.id).values(**values))
