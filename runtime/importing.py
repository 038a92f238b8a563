"""Records from a file, new ones or those that a key finds: try it, see every problem, then import in chunks."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from difflib import get_close_matches
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select, update

from runtime import audit, definitions, models, ordering, upserting, wording
from runtime.access import door
from runtime.context import Context, Opened
from runtime.ids import new_id
from runtime.jobs import enqueue, job
from runtime.models_importing import import_run
from runtime.people import Directory
from runtime.sheets import Sheet, read_sheet
from runtime.tables import LiveTable, live
from runtime.upserting import Outcome
from schemas import filling, importing, matching
from schemas.errors import DefinitionError, InvalidInput, NotFound
from schemas.fields.base import texts_in
from schemas.fields.choice import Choice
from schemas.fields.link import Link
from schemas.fields.member import People
from schemas.importing import Gathered, Mappings, Target, fold_key
from schemas.matching import Matching
from schemas.messages import Message
from schemas.options import load
from schemas.text import Sentence

DAYS_KEPT = 7
CHUNK = 2_000
"""Rows of one transaction: parents' sums are worked out once for all of them."""
CHUNK_WITH_FLOWS = 200
"""Fewer where each starts flows, which take longer than the rows."""
SAMPLES = 5
MOST_KINDS = 200

Group = list[tuple[int, dict[str, Any]]]
"""The lines of a file that are one record, each with its number."""


@dataclass
class Trouble:
    """One kind of problem: the field, what is said of it, the value in the file, and the rows where it stands."""

    path: str
    message: Sentence
    value: str
    count: int = 0
    rows: list[int] = field(default_factory=list)
    nearest: str = ""


@dataclass
class Report:
    """What an import would do, or has done."""

    total: int = 0
    sound: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    """Records `added`, `changed` and `unchanged`; lines whose key is `ambiguous`."""
    blank: dict[str, int] = field(default_factory=dict)
    troubles: dict[tuple[str, str, str], Trouble] = field(default_factory=dict)

    @property
    def refused(self) -> int:
        return self.total - self.sound

    def sorted(self) -> list[Trouble]:
        return sorted(self.troubles.values(), key=lambda t: -t.count)

    def note(self, row: int, path: str, message: Sentence, value: Any) -> None:
        text = "" if value is None else str(value)[:120]
        key = (path, str(message), text)
        if key not in self.troubles and len(self.troubles) >= MOST_KINDS:
            key = (path, str(message), "…")
        found = self.troubles.setdefault(key, Trouble(path, message, text))
        found.count += 1
        if len(found.rows) < SAMPLES:
            found.rows.append(row)


# -- from file to drafts ---------------------------------------------------------------------------


def mappings_of(json: Mapping[str, Any]) -> Mappings:
    """Raises DefinitionError."""
    return {path: load(Target, target, path) for path, target in json.items()}


def matching_of(json: Mapping[str, Any] | None) -> Matching | None:
    """Raises DefinitionError."""
    return load(Matching, json) if json else None


def trial(
    ctx: Context, source: LiveTable, sheet: Sheet, mappings: Mappings, by: Matching | None = None
) -> Report:  # fmt: skip
    """A dry run: every row read and checked by the table's own rules, nothing kept."""
    report = Report()
    upserting.require(ctx, source, by, "import")
    for chunk in _chunks(importing.by_record(source.table, mappings, sheet.rows, by, ctx.zone)):
        _import_chunk(ctx, source, chunk, mappings, by, report, dry=True)
    _suggest(ctx, source, mappings, report)
    return report


def _chunks(groups: Sequence[Group], done: int = 0, size: int = CHUNK) -> Iterator[list[Group]]:
    """Records of the file in parts, beyond the lines that are done."""
    first = 0
    while done > 0:
        done -= len(groups[first])
        first += 1
    for n in range(first, len(groups), size):
        yield list(groups[n : n + size])


def _import_chunk(
    ctx: Context, source: LiveTable, chunk: Sequence[Group], mappings: Mappings, by: Matching | None, report: Report,
    dry: bool, with_flows: bool = False,
) -> None:  # fmt: skip
    lines = [line for group in chunk for line in group]
    rows = [row for _, row in lines]
    found = named(ctx, source, mappings, rows)
    for path, target in mappings.items():
        if blank := [row.get(target.column) for row in rows].count(None):
            report.blank[path] = report.blank.get(path, 0) + blank
    key = by.key if by else ()
    gathered = importing.gather_many(source.table, mappings, [[row for _, row in g] for g in chunk], found, key)
    wrong: dict[int, filling.Errors] = {
        n: {path: [] for path in one.missing} for n, one in enumerate(gathered) if one.missing
    }
    outcomes = upserting.upsert(ctx, source, [g.raw for g in gathered], by, action="import", dry=dry, wrong=wrong)
    if with_flows:
        _tell_flows(ctx, source, outcomes)
    for group, one, outcome in zip(chunk, gathered, outcomes, strict=True):
        _count(report, group, outcome)
        for path, (number, message) in one.missing.items():
            _note(report, group[number], path, message, mappings)
        for path, problems in outcome.errors.items():
            if problems:
                _note(report, group[_line_of(path, one)], _plain(path), problems[0], mappings)


def _tell_flows(ctx: Context, source: LiveTable, outcomes: Iterable[Outcome]) -> None:
    """What was added and changed starts what waits for that, as if somebody had typed it."""
    from runtime import flows

    for one in outcomes:
        if one.id is not None and one.what in ("added", "changed"):
            flows.record_saved(ctx, source, one.id, "created" if one.what == "added" else "changed", one.changes or None)


def sets_off(source: LiveTable) -> bool:
    """Whether any flow waits for records of this table to be added or changed."""
    triggers = (t for flow in source.inst.app.flows for t in flow.trigger)
    return any(t.created == source.id or (t.changed is not None and t.changed.table == source.id) for t in triggers)


def _count(report: Report, group: Group, outcome: Outcome) -> None:
    report.total += len(group)
    if outcome.what == "refused":
        if outcome.ambiguous:
            report.counts["ambiguous"] += len(group)
        return
    report.sound += len(group)
    report.counts[outcome.what] += 1


def _line_of(path: str, gathered: Gathered) -> int:
    """The number of the line, among those of its record, to which a problem belongs."""
    rows, _, rest = path.partition("[")
    lines, number = gathered.lines.get(rows, []), rest.partition("]")[0]
    return lines[int(number)] if number.isdecimal() and int(number) < len(lines) else 0


def _plain(path: str) -> str:
    return re.sub(r"\[\d+\]", "", path)


def _note(
    report: Report, line: tuple[int, dict[str, Any]], path: str, message: Sentence, mappings: Mappings
) -> None:  # fmt: skip
    number, row = line
    report.note(number, path, message, row.get(mappings[path].column) if path in mappings else None)


def named(
    ctx: Context, source: LiveTable, mappings: Mappings, rows: Sequence[Mapping[str, Any]]
) -> dict[str, dict[str, str]]:
    """By path of what is another thing: folded text -> id, for the texts of these lines, as far as the reader may see."""
    paths = [path for path in mappings if importing.matched(source.table, path)]
    return {path: _lookup(ctx, source, path, mappings[path], rows) for path in paths}


def _lookup(
    ctx: Context, source: LiveTable, path: str, target: Target, rows: Sequence[Mapping[str, Any]]
) -> dict[str, str]:
    """Folded text -> id, for the texts of these lines; a text that names several things names none."""
    found = importing.matched(source.table, path)
    if isinstance(found, Link):
        return _records_by(ctx, source.sibling(found.table), target.match, _texts(target, rows, found.several))
    kept: dict[str, dict[str, str]] = ctx.memo.setdefault("people by name", {})
    kind = found.picks if isinstance(found, People) else ""
    if kind not in kept:
        kept[kind] = people_by_name(ctx, kind)
    return kept[kind]


def _texts(target: Target, rows: Sequence[Mapping[str, Any]], several: bool) -> set[str]:
    """What stands in the column, and with `several` also its parts."""
    texts = {
        str(v).strip() for v in map(target.meaning, {row.get(target.column) for row in rows}) if v not in (None, "")
    }
    return texts | {part for text in texts for part in texts_in(text)} if several else texts


def people_by_name(ctx: Context, kind: str) -> dict[str, str]:
    directory = Directory.of(ctx)
    if kind == "department":
        paths = {fold_key(directory.path(id)): str(id) for id in directory.units}
        return paths | {fold_key(directory.title(id)): str(id) for id in directory.units}
    names: dict[str, str] = {}
    m = models.member
    for row in ctx.conn.execute(select(m.c.id, m.c.name, m.c.email).where(m.c.left_at.is_(None))):
        for text in (row.name, row.email):
            if text:
                names[fold_key(text)] = str(row.id)
    return names


def _records_by(ctx: Context, target: LiveTable, match: str | None, texts: set[str]) -> dict[str, str]:
    """Records that the importing person may see, by the text of one field."""
    gate = door(ctx, target)
    field_id = (
        match if match in target.table.by_id else next((f.id for f in target.table.fields if f.type == "text"), None)
    )
    if not texts or field_id is None or not gate.may("read") or not gate.readable(field_id):
        return {}
    column = gate.source().column(field_id)
    # The database makes letters small one by one ("ß" stays), fold_key by words: what either finds is compared again.
    folded = {fold_key(t) for t in texts} | {" ".join(t.split()).lower() for t in texts}
    wanted = select(gate.live.sql.c.id, column).where(gate.rows(), ordering.folded_text(column).in_(folded))
    found: dict[str, str] = {}
    for id, text in ctx.conn.execute(wanted):
        key = fold_key(str(text))
        found[key] = "" if key in found else str(id)
    return {k: v for k, v in found.items() if v}


def _suggest(ctx: Context, source: LiveTable, mappings: Mappings, report: Report) -> None:
    """For each value that was not found, the nearest that there is."""
    for trouble in report.troubles.values():
        if trouble.path in mappings and trouble.value:
            known = offers(ctx, source, trouble.path, mappings[trouble.path])
            near = get_close_matches(fold_key(trouble.value), [fold_key(k) for k in known], n=1, cutoff=0.6)
            trouble.nearest = next((k for k in known if near and fold_key(k) == near[0]), "")


def offers(ctx: Context, source: LiveTable, path: str, target: Target, limit: int = 500) -> list[str]:
    """What a value of this field may be, as texts: options, names, titles."""
    found = source.table.field(path)
    if isinstance(found, Choice):
        return [o.label.in_language(ctx.language) or o.id for o in found.options]
    if isinstance(found, Link):
        there = source.sibling(found.table)
        gate = door(ctx, there)
        id = (
            target.match
            if target.match in there.table.by_id
            else next((f.id for f in there.table.fields if f.type == "text"), None)
        )
        if id is None or not gate.may("read") or not gate.readable(id):
            return []
        column = gate.source().column(id)
        return list(ctx.conn.scalars(select(column).where(gate.rows(), column.is_not(None)).limit(limit)))
    if isinstance(found, People) and found.picks == "member":
        return [p.name for p in Directory.of(ctx).search(limit=limit)]
    if isinstance(found, People):
        directory = Directory.of(ctx)
        return [directory.title(id) for id in directory.units]
    return []


# -- runs ------------------------------------------------------------------------------------------


def begin(ctx: Context, source: LiveTable, name: str, content: bytes, encoding: str = "", sheet: str = "") -> UUID:
    """Keep an uploaded file with the mapping that suggests itself. Raises InvalidInput, Denied."""
    door(ctx, source).require("import")
    read = read_sheet(content, name, encoding, sheet)
    suggested = {
        p: {"column": t.column, **({"match": t.match} if t.match else {})}
        for p, t in suggest(source, read.headings, matching.keyable(source.table)).items()
    }
    return keep(
        ctx, source.inst.id, source.id, name, content, encoding,
        sheet=sheet, headings=read.headings, mapping=suggested, total=len(read.rows),
    )  # fmt: skip


def keep(
    ctx: Context, installation: UUID, table: str, name: str, content: bytes, encoding: str, **known: Any
) -> UUID:  # fmt: skip
    """Keep a file that is to be imported; `known` are more values of its run."""
    id = new_id()
    ctx.conn.execute(
        insert(import_run).values(
            id=id, installation_id=installation, table_id=table, member_id=ctx.actor.id, file_name=name[:200],
            content=content, encoding=encoding, **{"headings": [], "mapping": {}, **known},
        )
    )  # fmt: skip
    return id


def suggest(source: LiveTable, headings: Sequence[str], key: Sequence[str] = ()) -> Mappings:
    """The columns that bear a field's id or label, in any language of it."""
    labels = {p: _labels(source, p) for p in importing.mappable(source.table)}
    return importing.suggest(source.table, headings, labels, key)


def _labels(source: LiveTable, path: str) -> list[str]:
    if facet := source.table.facet(path):
        return [str(facet.label), wording.translate(facet.label)]
    found = source.table.field(path)
    return list(found.label.by_language.values()) if found else []


def run_of(ctx: Context, id: UUID) -> Any:
    """The actor's own run. Raises NotFound."""
    row = ctx.conn.execute(
        select(import_run).where(import_run.c.id == id, import_run.c.member_id.is_not_distinct_from(ctx.actor.id))
    ).one_or_none()
    if row is None:
        raise NotFound
    return row


def table_of(ctx: Context, run: Any) -> LiveTable:
    return live(ctx, definitions.by_id(ctx, run.installation_id), run.table_id)


def sheet_of(run: Any) -> Sheet:
    return read_sheet(bytes(run.content), run.file_name, run.encoding, run.sheet)


def save_mapping(
    ctx: Context, run: Any, mapping: Mapping[str, Any], by: Mapping[str, Any] | None = None
) -> tuple[Mappings, Matching | None]:
    """Raises InvalidInput naming what is wrong with it, Denied."""
    source = table_of(ctx, run)
    try:
        mappings, how = mappings_of(mapping), matching_of(by)
    except DefinitionError as err:
        raise InvalidInput({"mapping": [p.message for p in err.problems]}) from err
    wrong = list(importing.problems(mappings, source.table, run.headings, how))
    if wrong:
        raise InvalidInput({"mapping": [p.message for p in wrong]})
    upserting.require(ctx, source, how, "import")
    kept = {"mapping": dict(mapping), "matching": dict(by) if by else None}
    ctx.conn.execute(update(import_run).where(import_run.c.id == run.id).values(kept))
    return mappings, how


def start(ctx: Context, run: Any, with_flows: bool = False) -> None:
    """Leave the work to a job; `with_flows` lets flows see what it adds and changes."""
    changed = (
        update(import_run)
        .where(import_run.c.id == run.id, import_run.c.state == "mapping")
        .values(state="waiting", report=None, flows=with_flows)
    )
    if ctx.conn.execute(changed).rowcount:
        audit.note(ctx, "data.imported", f"{table_of(ctx, run).inst.slug}.{run.table_id}", run.id, file=run.file_name)
        enqueue(ctx, "import_records", {"run": str(run.id)})


def cancel(ctx: Context, run: Any) -> None:
    """What has been imported stays; no further chunk begins."""
    ctx.conn.execute(update(import_run).where(import_run.c.id == run.id).values(cancel=True))


def discard(ctx: Context, run: Any) -> None:
    ctx.conn.execute(delete(import_run).where(import_run.c.id == run.id, import_run.c.state != "running"))


def forget_unused(ctx: Context, days: int = DAYS_KEPT) -> None:
    """Files that somebody sent and then imported nothing of."""
    old = import_run.c.started_at < ctx.now - timedelta(days=days)
    ctx.conn.execute(delete(import_run).where(import_run.c.state == "mapping", old))




def give_up(ctx: Context, error: Exception, run: str) -> None:
    """What has been imported stays; the run says that it could not go on."""
    end(ctx, UUID(run), "failed")


@job("import_records", chunked=True, failed=give_up)
def import_records(opened: Opened, run: str) -> None:
    """The job: a chunk in a transaction, with the progress written in the same one; begins again where it stopped."""
    groups: list[Group] = []
    with opened() as ctx:
        row = ctx.conn.execute(select(import_run).where(import_run.c.id == UUID(run))).one_or_none()
        if row is not None:
            groups = importing.by_record(
                table_of(ctx, row).table,
                mappings_of(row.mapping),
                sheet_of(row).rows,
                matching_of(row.matching),
                ctx.zone,
            )
    while _next_chunk(opened, UUID(run), groups):
        pass


def _next_chunk(opened: Opened, id: UUID, groups: Sequence[Group]) -> bool:
    progress = select(*(c for c in import_run.c if c is not import_run.c.content)).where(import_run.c.id == id)
    with opened() as ctx:
        row = ctx.conn.execute(progress.with_for_update()).one_or_none()
        if row is None or row.state not in ("waiting", "running"):
            return False
        if row.cancel:
            end(ctx, id, "cancelled")
            return False
        chunk = next(_chunks(groups, row.done + row.refused, CHUNK_WITH_FLOWS if row.flows else CHUNK), None)
        if chunk is None:
            end(ctx, id, "done")
            return False
        report = Report(counts=Counter(row.counts or {}))
        by = matching_of(row.matching)
        _import_chunk(ctx, table_of(ctx, row), chunk, mappings_of(row.mapping), by, report, dry=False, with_flows=row.flows)
        kept = {"done": row.done + report.sound, "refused": row.refused + report.refused, "state": "running"}
        told = {"report": _tell(row.report or [], report), "counts": dict(report.counts)}
        ctx.conn.execute(update(import_run).where(import_run.c.id == id).values({**kept, **told}))
    return True


def end(ctx: Context, id: UUID, state: str) -> None:
    ctx.conn.execute(update(import_run).where(import_run.c.id == id).values(state=state, ended_at=ctx.now))


def _tell(before: list[dict[str, Any]], report: Report) -> list[dict[str, Any]]:
    """The problems so far as JSON, with those of this chunk added."""
    told = {(t["path"], t["text"], t["value"]): dict(t) for t in before}
    for trouble in report.sorted():
        text = trouble.message.text if isinstance(trouble.message, Message) else str(trouble.message)
        values = {k: str(v) for k, v in trouble.message.values.items()} if isinstance(trouble.message, Message) else {}
        kept = told.setdefault(
            (trouble.path, text, trouble.value),
            {"path": trouble.path, "text": text, "values": values, "value": trouble.value, "count": 0, "rows": []},
        )
        kept["count"] += trouble.count
        kept["rows"] = (kept["rows"] + trouble.rows)[:SAMPLES]
    return sorted(told.values(), key=lambda t: -t["count"])[:MOST_KINDS]


def run_now(
    ctx: Context, source: LiveTable, sheet: Sheet, mappings: Mappings, by: Matching | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> Report:  # fmt: skip
    """Import in the transaction at hand: for commands, tests and small files."""
    report = Report()
    upserting.require(ctx, source, by, "import")
    for chunk in _chunks(importing.by_record(source.table, mappings, sheet.rows, by, ctx.zone)):
        _import_chunk(ctx, source, chunk, mappings, by, report, dry=False)
        progress(report.total)
    audit.note(ctx, "data.imported", f"{source.inst.slug}.{source.id}", n=report.sound)
    return report
