"""A form as one person has it before them: the values so far, what they may touch, how the rules stand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from runtime import query
from runtime.access import door
from runtime.answers import answering
from runtime.context import Context
from runtime.render import BoundForm, bind_form
from runtime.tables import LiveTable
from schemas import filling
from schemas.errors import Conflict, InvalidInput, NotFound
from schemas.fields import Field
from schemas.fields.link import Link
from schemas.fields.rows import Rows
from schemas.filling import Errors, Values
from schemas.form import Form
from schemas.messages import say
from schemas.rules import State, settle
from schemas.text import Sentence


@dataclass(frozen=True)
class Filling:
    """A form on somebody's screen.

    `rights` says hidden, read or write by path; `record` and `version` are there when one is being changed.
    """

    live: LiveTable
    form: Form
    values: Values
    rights: Mapping[str, str]
    record: UUID | None = None
    version: int | None = None
    raw: Mapping[str, Any] | None = None
    errors: Mapping[str, Sequence[Sentence]] | None = None
    theirs: Mapping[str, Any] | None = None
    settled: tuple[Values, State] | None = None
    """Kept where it has been worked out already."""

    def bound(self, ctx: Context) -> BoundForm:
        """Dressed for the template, with every calculation and rule as it stands for these values."""
        whole, state = self.settled or self.settle(ctx)
        asked = answering(ctx, self.live, self.record)
        blanks = {
            r.id: filling.row_defaults(self.live.analysis, self.live.table, r, asked, whole)
            for r in self.live.table.subforms
            if r.id in self.form.placed
        }
        return bind_form(
            ctx, self.live, self.form, whole, state=state, rights=self.rights, raw=self.raw, errors=self.errors,
            record=self.record, version=self.version, blanks=blanks, typed=self.values,
        )  # fmt: skip

    def settle(self, ctx: Context) -> tuple[Values, State]:
        """The values as the form's rules leave them, and how it then stands."""
        asked = answering(ctx, self.live, self.record)
        return settle(self.live.analysis, self.live.table, self.form, with_system(ctx, self.values), asked)


def with_system(ctx: Context, values: Values) -> Values:
    known = {"created_at": ctx.now, "created_by": ctx.actor.id, "updated_at": ctx.now, "updated_by": ctx.actor.id}
    return {**known, **values}


def blank(ctx: Context, live: LiveTable, form: Form, prefill: Mapping[str, Any] | None = None) -> Filling:
    """A form for a new record, with its defaults. Raises Denied or NotFound without the right to add one."""
    gate = door(ctx, live)
    gate.require("create")
    given, _ = filling.parse(
        live.table, {k: v for k, v in (prefill or {}).items() if gate.best(k, "create") == "write"}, ctx.zone
    )
    given = {k: v for k, v in given.items() if v is not None}
    given |= _filled(ctx, live, given, set(given))
    values = given | filling.defaults(live.analysis, live.table, form, given, answering(ctx, live))
    for rows in live.table.subforms:
        if rows.min and not values.get(rows.id):
            blank_row = filling.row_defaults(live.analysis, live.table, rows, answering(ctx, live))
            values[rows.id] = [dict(blank_row) for _ in range(rows.min)]
    return Filling(live, form, values, rights_to_create(ctx, live))


def rights_to_create(ctx: Context, live: LiveTable) -> dict[str, str]:
    gate = door(ctx, live)
    return {path: gate.best(path, "create") for path in live.table.paths}


def of_record(ctx: Context, live: LiveTable, form: Form, record: UUID, action: str = "update") -> Filling:
    """A form with a record in it, for one who may change it. Raises NotFound."""
    gate = door(ctx, live)
    gate.require(action)
    found = query.fetch(gate, record, action)
    return Filling(live, form, {**found.system, **found.values}, found.rights, record, found.version)


def as_sent(ctx: Context, start: Filling, answers: Mapping[str, Any], touched: set[str] | None = None) -> Filling:
    """The form with what was typed into it; problems are told for what has been touched (None: for nothing)."""
    offered = {id: raw for id, raw in answers.items() if start.rights.get(id) == "write" and id in start.form.placed}
    values, unread = filling.parse(start.live.table, offered, ctx.zone)
    values = filling.keep_columns(start.live.table, start.values, values)
    changed = {id for id, value in values.items() if value != start.values.get(id)}
    merged = {**start.values, **values}
    if touched is not None:
        merged |= _filled(ctx, start.live, merged, {t for t in touched if t in changed})
        merged = _fill_rows(ctx, start, merged, touched)
    errors: Errors = {p: m for p, m in unread.items() if touched is None or _was_touched(p, touched)}
    for path, problems in _field_problems(start, values).items():
        if path not in unread and touched is not None and _was_touched(path, touched):
            errors.setdefault(path, []).extend(problems)
    shown = replace(start, values=_with_raw(start, merged, offered, unread), raw=offered, errors=errors)
    return shown if touched is None else _without_unoffered(ctx, shown, touched)


def _without_unoffered(ctx: Context, shown: Filling, touched: set[str]) -> Filling:
    """While a form is filled in, an earlier answer that may no longer be chosen is taken back."""
    settled = shown.settle(ctx)
    gone = {id for id in settled[1].offered if id in shown.values and not _is_offered(settled[1], id, shown.values)}
    if not gone:
        return replace(shown, settled=settled)
    return replace(shown, values={**shown.values, **dict.fromkeys(gone)})


def _is_offered(state: State, id: str, values: Values) -> bool:
    value = values[id]
    options = state.options(id)
    return value is None or options is None or set(value if isinstance(value, list) else [value]) <= options


def _was_touched(path: str, touched: set[str]) -> bool:
    return path in touched or path.partition("[")[0] in touched


def _field_problems(start: Filling, values: Values) -> Errors:
    """What is wrong with the values that are there, each alone."""
    problems: Errors = {}
    for id, value in values.items():
        found = start.live.table.by_id[id]
        if value is not None and not isinstance(found, Rows) and (said := list(found.check(value))):
            problems[id] = said
    return problems


def _with_raw(start: Filling, values: Values, offered: Mapping[str, Any], unread: Errors) -> Values:
    """Rows keep the text that could not be read, so that it can be shown again."""
    for path in unread:
        if "[" not in path:
            continue
        rows, _, rest = path.partition("[")
        number, _, column = rest.partition("].")
        found = start.live.table.by_id[rows]
        raw = found.parse(offered[rows])
        values[rows][int(number)][f"raw:{column}"] = raw[int(number)].get(column)
    return values


def _filled(ctx: Context, live: LiveTable, values: Values, changed: set[str]) -> Values:
    """What links that were just chosen fill into other fields."""
    made: Values = {}
    for id in changed:
        found = live.table.by_id.get(id)
        if isinstance(found, Link) and found.fill:
            made |= _from_target(ctx, live, found, values.get(id), live.table.by_id)
    return made


def _fill_rows(ctx: Context, start: Filling, values: Values, touched: set[str]) -> Values:
    """The same for the rows of subforms: a link chosen in a row fills that row's other columns."""
    for rows in start.live.table.subforms:
        links = [c for c in rows.fields if isinstance(c, Link) and c.fill]
        before = {row.get("_id"): row for row in start.values.get(rows.id) or () if row.get("_id")}
        for number, row in enumerate(values.get(rows.id) or ()):
            for link in links:
                old = before.get(row.get("_id"), {})
                fresh = not any(row.get(own) for own in link.fill)
                if (
                    row.get(link.id)
                    and (f"{rows.id}[{number}].{link.id}" in touched or fresh)
                    and row.get(link.id) != old.get(link.id)
                ):
                    wanted = _from_target(ctx, start.live, link, row[link.id], {c.id: c for c in rows.fields})
                    row |= {k: v for k, v in wanted.items() if fresh or f"{rows.id}[{number}].{k}" not in touched}
    return values


def _from_target(ctx: Context, live: LiveTable, link: Link, target: Any, fields: Mapping[str, Field]) -> Values:
    """The target's values as this person may see them, read as the filling fields' own."""
    there = live.sibling(link.table)
    gate = door(ctx, there)
    if not isinstance(target, UUID) or not gate.may("read"):
        return {}
    try:
        chosen = query.fetch(gate, target)
    except NotFound:
        return {}
    made: Values = {}
    for own, theirs in (link.fill or {}).items():
        if theirs in chosen.values and own in fields:
            made[own] = filling.fit(fields[own], chosen.values[theirs])
    return made


def refused(ctx: Context, start: Filling, answers: Mapping[str, Any], err: InvalidInput | Conflict) -> Filling:
    """The form again after a refusal: everything typed is kept, every problem stands beside its field."""
    typed = as_sent(ctx, start, answers)
    if isinstance(err, InvalidInput):
        return replace(typed, errors=err.errors)
    message = say("Somebody else has changed this since you opened it.")
    return replace(typed, errors={id: [message] for id in err.fields}, theirs=err.theirs, version=err.version)
