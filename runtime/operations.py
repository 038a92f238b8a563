"""What runs in a workspace, for its administrators: flows, the jobs behind them, schedules, and what is slow or has failed."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, desc, func, select, text, tuple_

from runtime import definitions, flows, query, running, tables
from runtime.context import Context
from runtime.definitions import Installed
from runtime.models_flow import flow_clock, flow_instance, flow_log
from runtime.people import Directory
from runtime.progress import STATES, duration, step_words
from runtime.running import Running
from schemas.engine.state import Entry
from schemas.engine.timeline import stuck
from schemas.errors import Denied, InvalidInput, NotFound
from schemas.messages import Message, say
from schemas.results import read
from schemas.text import Sentence, Text

PAGE = 50
MOST_JOBS = 100
DAYS = 30
MOST_HELPED = 200
LONGEST_SHOWN = 600
i, log = flow_instance.c, flow_log.c

JOBS: dict[str, Sentence] = {
    "flow_due": say("A flow wakes up"), "flow_clock": say("A schedule is due"), "flow_begin": say("A flow begins by the clock"),
    "flow_arrived": say("Data from another program"), "flow_request": say("A flow asks another program"),
    "flow_ai": say("A flow asks a language model"), "robots.send": say("A message to a group chat"), "mail.send": say("A mail"),
    "webhooks.send": say("A webhook"), "recalculate": say("Values are worked out again"), "import_records": say("An import"),
    "export_records": say("An export"), "import_people": say("An import of members"), "print_records": say("Printing"),
    "act_on_records": say("A change of many records"), "hand_over": say("A hand-over"), "change_over": say("A change of type"),
    "build_indexes": say("Indexes are built"), "remove_released_files": say("Files are removed"),
}  # fmt: skip
STATUSES = {
    "todo": (say("Waiting"), "gray"), "doing": (say("At work"), "blue"), "failed": (say("Given up"), "red"),
}  # fmt: skip


# -- runs ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Asked:
    """Which runs are wanted: of an app, of a flow (`app.flow`), in a state, before the last one shown."""

    flow: str = ""
    state: str = ""
    before: tuple[datetime, UUID] | None = None


@dataclass(frozen=True)
class Run:
    id: UUID
    app: Sentence
    flow: Sentence
    about: str
    starter: str
    words: Sentence
    tone: str
    started_at: datetime
    took: Sentence | None
    step: Sentence
    problem: Sentence | None


def runs(ctx: Context, asked: Asked) -> tuple[list[Run], tuple[datetime, UUID] | None]:
    """The newest runs first, and where the next page begins."""
    apps = {inst.id: inst for inst in definitions.all_installed(ctx)}
    found = select(flow_instance).where(i.installation_id.in_(apps)).order_by(desc(i.started_at), desc(i.id)).limit(PAGE + 1)
    for condition in _conditions(apps, asked):
        found = found.where(condition)
    rows = ctx.conn.execute(found).all()
    shown = rows[:PAGE]
    more = (shown[-1].started_at, shown[-1].id) if len(rows) > PAGE else None
    names = Directory.of(ctx).names([row.starter_id for row in shown if row.starter_id])
    titles, problems = _titles(ctx, apps, shown), _problems(ctx, [row.id for row in shown if row.state == "failed"])
    return [_run(apps[row.installation_id], row, names, titles, problems) for row in shown], more


def _conditions(apps: Mapping[UUID, Installed], asked: Asked) -> Iterable[Any]:
    if asked.flow:
        slug, _, flow = asked.flow.partition(".")
        yield i.installation_id.in_([inst.id for inst in apps.values() if inst.slug == slug])
        if flow:
            yield i.flow == flow
    if asked.state:
        yield i.state == asked.state
    if asked.before:
        yield tuple_(i.started_at, i.id) < tuple_(*asked.before)


def _run(inst: Installed, row: Row[Any], names: Mapping[UUID, str], titles: Mapping[UUID, str], problems: Mapping[UUID, Entry]) -> Run:
    flow, failed = inst.app.flow(row.flow), problems.get(row.id)
    words, tone = STATES[row.state]
    step = failed["step"] if failed and flow else ""
    return Run(
        row.id, inst.app.title or Text.of(inst.slug), (flow.title if flow else None) or Text.of(row.flow),
        titles.get(row.record_id, ""), names.get(row.starter_id, ""), words, tone, row.started_at,
        duration(row.ended_at - row.started_at) if row.ended_at else None, step_words(flow, step) if flow and step else Text(),
        _problem(failed) if failed else None,
    )  # fmt: skip


def _titles(ctx: Context, apps: Mapping[UUID, Installed], rows: Sequence[Row[Any]]) -> dict[UUID, str]:
    """What the runs are about, for one who may see that."""
    wanted: dict[tuple[UUID, str], list[UUID]] = {}
    for row in rows:
        if row.record_id and row.table_id and apps[row.installation_id].app.table(row.table_id):
            wanted.setdefault((row.installation_id, row.table_id), []).append(row.record_id)
    found: dict[UUID, str] = {}
    for (installation, table), ids in wanted.items():
        found |= query.titles(ctx, tables.live(ctx, apps[installation], table), ids)
    return found


def _problems(ctx: Context, ids: Sequence[UUID]) -> dict[UUID, Entry]:
    """The last failure in the log of each of these runs."""
    if not ids:
        return {}
    failed = select(log.instance_id, log.entry).where(log.instance_id.in_(ids), log.entry["what"].astext == "failed")
    return {row.instance_id: row.entry for row in ctx.conn.execute(failed.order_by(log.instance_id, log.number))}


def _problem(entry: Entry) -> Message:
    return Message(str(entry.get("problem", "")), dict(entry.get("values") or {}))


def flows_of(ctx: Context) -> list[tuple[str, Sentence, list[tuple[str, Sentence]]]]:
    """Every app that has flows, with them: what the list may be narrowed to."""
    found: list[tuple[str, Sentence, list[tuple[str, Sentence]]]] = []
    for inst in definitions.all_installed(ctx):
        shown = [flow for flow in inst.app.flows if not flow.guards]
        named: list[tuple[str, Sentence]] = [(f"{inst.slug}.{flow.id}", flow.title or Text.of(flow.id)) for flow in shown]
        if named:
            found.append((inst.slug, inst.app.title or Text.of(inst.slug), named))
    return found


def help_all(ctx: Context, flow: str) -> int:
    """Try again what has failed, of one flow or of all; gives how many runs go on. At most 200 at a time."""
    apps = {inst.id: inst for inst in definitions.all_installed(ctx)}
    failed = select(i.id).where(i.installation_id.in_(apps), i.state == "failed").order_by(i.started_at).limit(MOST_HELPED)
    for condition in _conditions(apps, Asked(flow)):
        failed = failed.where(condition)
    return sum(_help(ctx, id) for id in list(ctx.conn.scalars(failed)))


def _help(ctx: Context, id: UUID) -> bool:
    try:
        with ctx.conn.begin_nested():
            run = running.load(ctx, id)
            for token in stuck(run.state):
                flows.help_on(ctx, id, token.id, "retry")
            return running.load(ctx, id).state.state != "failed"
    except (Denied, InvalidInput, NotFound):
        return False


# -- the log of one run ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """A machine step in the log of a run: what was given in, what came out, how long it took, what was wrong."""

    at: datetime
    step: Sentence
    given: Sequence[tuple[str, str]]
    result: str
    took: int | None
    problem: Sentence | None


def lines(ctx: Context, run: Running) -> list[Line]:
    entries = [e for e in running.log_of(ctx, run.id) if e["what"] in ("performed", "failed")]
    made = [_line(run, entry) for entry in entries]
    ids = {UUID(id) for line in made for _, value in (*line.given, ("", line.result)) for id in IDS.findall(value)}
    names = {str(id): name for id, name in Directory.of(ctx).names(ids).items()}

    def named(text: str) -> str:
        return IDS.sub(lambda found: names.get(found[0]) or found[0], text)

    return [replace(line, given=[(s, named(value)) for s, value in line.given], result=named(line.result)) for line in made]


IDS = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def _line(run: Running, entry: Entry) -> Line:
    given = [(source, value) for source, value in (entry.get("given") or {}).items()]
    if entry.get("sent"):
        given.append(("→", str(entry["sent"])))
    result = read(entry.get("result"))
    result = "" if result is None else ", ".join(map(str, result)) if isinstance(result, list | tuple) else str(result)
    return Line(
        datetime.fromisoformat(entry["at"]), step_words(run.flow, entry.get("step", "")),
        [(source, value[:LONGEST_SHOWN]) for source, value in given], result[:LONGEST_SHOWN], entry.get("took"),
        _problem(entry) if entry["what"] == "failed" else None,
    )  # fmt: skip


# -- jobs ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class QueuedJob:
    id: int
    name: Sentence
    queue: str
    words: Sentence
    tone: str
    at: datetime | None
    attempts: int
    error: str
    failed: bool


COUNTS = text(
    "SELECT queue_name AS queue, status::text AS status, count(*) AS jobs, min(scheduled_at) AS first "
    "FROM procrastinate.procrastinate_jobs WHERE args -> 'who' ->> 'workspace' = :workspace "
    "AND status IN ('todo', 'doing', 'failed') GROUP BY 1, 2"
)
LISTED = text(
    "SELECT j.id, j.task_name, j.queue_name, j.status::text AS status, j.scheduled_at, j.attempts, f.error, f.at "
    "FROM procrastinate.procrastinate_jobs j LEFT JOIN procrastinate.failure f ON f.job_id = j.id "
    "WHERE args -> 'who' ->> 'workspace' = :workspace AND status IN ('todo', 'doing', 'failed') "
    "ORDER BY status = 'failed' DESC, status = 'doing' DESC, j.id DESC LIMIT :most"
)
AGAIN = text(
    "SELECT procrastinate.procrastinate_retry_job_v2(id, NULL, NULL, NULL, NULL) FROM procrastinate.procrastinate_jobs "
    "WHERE id = :id AND status = 'failed' AND args -> 'who' ->> 'workspace' = :workspace"
)
AFRESH = text("UPDATE procrastinate.procrastinate_jobs SET attempts = 0 WHERE id = :id")
AWAY = text(
    "DELETE FROM procrastinate.procrastinate_jobs "
    "WHERE id = :id AND status = 'failed' AND args -> 'who' ->> 'workspace' = :workspace"
)


def queues(ctx: Context) -> list[tuple[str, dict[str, int]]]:
    """How many jobs of this workspace wait, run and were given up, by queue."""
    found: dict[str, dict[str, int]] = {}
    for row in ctx.conn.execute(COUNTS, {"workspace": str(ctx.workspace.id)}):
        found.setdefault(row.queue, dict.fromkeys(STATUSES, 0))[row.status] = row.jobs
    return sorted(found.items())


def queued(ctx: Context) -> list[QueuedJob]:
    """The jobs of this workspace, those given up first; at most 100."""
    rows = ctx.conn.execute(LISTED, {"workspace": str(ctx.workspace.id), "most": MOST_JOBS})
    return [
        QueuedJob(
            row.id, JOBS.get(row.task_name, Text.of(row.task_name)), row.queue_name, *STATUSES[row.status],
            row.at or row.scheduled_at, row.attempts, row.error or "", row.status == "failed",
        )
        for row in rows
    ]  # fmt: skip


def try_again(ctx: Context, id: int) -> None:
    """A job that was given up waits again. Raises NotFound."""
    ctx.conn.execute(text("SET LOCAL search_path TO procrastinate, public"))
    if ctx.conn.execute(AGAIN, {"id": id, "workspace": str(ctx.workspace.id)}).first() is None:
        raise NotFound
    ctx.conn.execute(AFRESH, {"id": id})


def forget(ctx: Context, id: int) -> None:
    """A job that was given up is not wanted any more. Raises NotFound."""
    if not ctx.conn.execute(AWAY, {"id": id, "workspace": str(ctx.workspace.id)}).rowcount:
        raise NotFound


# -- schedules, and what is slow -------------------------------------------------------------------


@dataclass(frozen=True)
class Planned:
    """A flow that starts by the clock: when it will next, and when it did last."""

    app: Sentence
    flow: Sentence
    next_at: datetime | None
    ran_at: datetime | None


def planned(ctx: Context) -> list[Planned]:
    apps = {inst.id: inst for inst in definitions.all_installed(ctx)}
    c = flow_clock.c
    rows = ctx.conn.execute(select(flow_clock).where(c.installation_id.in_(apps)).order_by(c.next_at.nulls_last()))
    made = []
    for row in rows:
        inst = apps[row.installation_id]
        if (flow := inst.app.flow(row.flow)) is not None:
            made.append(Planned(inst.app.title or Text.of(inst.slug), flow.title or Text.of(flow.id), row.next_at, row.ran_at))
    return made


@dataclass(frozen=True)
class Figures:
    """The last 30 days of a flow: runs, those that failed, the usual and the longest time, and its slowest step."""

    app: Sentence
    flow: Sentence
    runs: int
    failed: int
    usual: Sentence | None
    longest: Sentence | None
    slowest: Sentence
    took: int | None


def figures(ctx: Context) -> list[Figures]:
    apps = {inst.id: inst for inst in definitions.all_installed(ctx)}
    since = ctx.now - timedelta(days=DAYS)
    took = i.ended_at - i.started_at
    asked = (
        select(
            i.installation_id, i.flow, func.count().label("runs"), func.count().filter(i.state == "failed").label("failed"),
            func.percentile_cont(0.5).within_group(took).label("usual"), func.max(took).label("longest"),
        )
        .where(i.installation_id.in_(apps), i.started_at > since)
        .group_by(i.installation_id, i.flow)
    )  # fmt: skip
    slow = {(row.installation_id, row.flow): row for row in ctx.conn.execute(_slow(apps, since))}
    made = [_figures(apps[row.installation_id], row, slow.get((row.installation_id, row.flow))) for row in ctx.conn.execute(asked)]
    return sorted(made, key=lambda one: (-one.failed, -(one.took or 0), -one.runs))


def _slow(apps: Mapping[UUID, Installed], since: datetime) -> Select[Any]:
    """How long machine steps have taken on average, the slowest last."""
    ms = func.avg(log.entry["took"].as_float()).label("ms")
    return (
        select(i.installation_id, i.flow, log.entry["step"].astext.label("step"), ms)
        .join(flow_instance, i.id == log.instance_id)
        .where(i.installation_id.in_(apps), i.started_at > since, log.entry["what"].astext == "performed", log.entry.has_key("took"))
        .group_by(i.installation_id, i.flow, text("step"))
        .order_by(ms)
    )


def _figures(inst: Installed, row: Row[Any], slow: Row[Any] | None) -> Figures:
    flow = inst.app.flow(row.flow)
    usual, longest = (duration(span) if span else None for span in (row.usual, row.longest))
    slowest = step_words(flow, slow.step) if flow and slow else Text()
    return Figures(
        inst.app.title or Text.of(inst.slug), (flow.title if flow else None) or Text.of(row.flow), row.runs, row.failed,
        usual, longest, slowest, round(slow.ms) if slow else None,
    )  # fmt: skip
