"""A form as one person has it before them: the values so far, what they may touch, how the rules stand."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from runtime import entering, fills, query, related, unsent
from runtime.access import door
from runtime.actors import PublicLink
from runtime.answers import answering
from runtime.context import Context
from runtime.prefill import Prefill
from runtime.render import BoundField, BoundForm, bind_form
from runtime.tables import LiveTable
from schemas import filling, rules
from schemas.access import WRITES
from schemas.errors import Conflict, InvalidInput
from schemas.fields.base import parse_uuid
from schemas.fields.query import Query
from schemas.fields.rows import Rows
from schemas.filling import Errors, Values
from schemas.form import Form
from schemas.formula import Formula
from schemas.messages import say
from schemas.rules import State, settle
from schemas.text import Sentence


@dataclass(frozen=True)
class Filling:
    """A form on somebody's screen.

    `rights` says what each path may be; `record` and `version` are there when one is being changed.
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
    given: frozenset[str] = frozenset()
    """Fields whose values came with the form: their defaults are not worked out again."""
    token: str = ""
    """A signed link that the form was opened by."""

    masked: Mapping[str, str] = field(default_factory=dict)
    """What is shown of fields of which this person may see no more than a mask."""
    entered: Mapping[str, Sequence[Values]] = field(default_factory=dict)
    """Rows of other records that are entered with it, by the query that will show them."""

    def is_open(self, id: str) -> bool:
        """Whether an answer for this field is taken at all."""
        return self.rights.get(id) in WRITES and id in self.form.placed and id not in self.form.readonly

    def bound(self, ctx: Context) -> BoundForm:
        """Dressed for the template, with every calculation and rule as it stands for these values."""
        whole, state = self.settled or self.settle(ctx)
        whole = {**whole, **related.lookups(ctx, self.live, whole, self.record)}
        asked = answering(ctx, self.live, self.record)
        blanks = {
            r.id: filling.row_defaults(self.live.analysis, self.live.table, r, asked, whole)
            for r in self.live.table.subforms
            if r.id in self.form.placed
        }
        form = bind_form(
            ctx, self.live, self.form, whole, state=state, rights=self.rights, raw=self.raw, errors=self.errors,
            record=self.record, version=self.version, blanks=blanks, typed=self.values, masked=self.masked,
        )  # fmt: skip
        if not any(isinstance(f, Query) for f in self.live.table.fields):
            return form
        into = [r.id for r in self.live.table.subforms if self.rights.get(r.id) == "write" and r.id in self.form.placed]
        shown = related.queries(ctx, self.live, whole, self.record, into)
        entered = {one.rows.id: one for one in entering.of_form(ctx, self.live, self.form)} if self.record is None else {}

        def completed(f: BoundField) -> BoundField:
            if f.field.id in entered:
                one = entered[f.field.id]
                return entering.bound(ctx, one, self.entered.get(f.field.id, ()), self.errors or {})
            return replace(f, related=shown.get(f.field.id)) if isinstance(f.field, Query) else f

        return form.mapped(completed)

    def settle(self, ctx: Context) -> tuple[Values, State]:
        """The values as the form's rules leave them, and how it then stands."""
        asked = answering(ctx, self.live, self.record)
        values = {**with_system(ctx, self.values), **related.rollups(ctx, self.live, self.values, self.record)}
        return settle(self.live.analysis, self.live.table, self.form, values, asked)


def with_system(ctx: Context, values: Values) -> Values:
    known = {"created_at": ctx.now, "created_by": ctx.actor.id, "updated_at": ctx.now, "updated_by": ctx.actor.id}
    return {**known, **values}


def blank(
    ctx: Context, live: LiveTable, form: Form, prefill: Mapping[str, Any] | None = None, *, source: UUID | None = None,
    only: Collection[str] | None = None, given_by: Prefill | None = None,
) -> Filling:  # fmt: skip
    """A form for a new record, with its defaults. Raises Denied or NotFound without the right to add one.

    `prefill` are answers of an address; `source` is a record to take over values from (`only` these fields);
    `given_by` a signed link, whose locked fields can only be read.
    """
    gate = door(ctx, live)
    gate.require("create")
    given_by = given_by or Prefill()
    answers = {k: v for k, v in {**(prefill or {}), **given_by.values}.items() if gate.best(k, "create") == "write"}
    parsed, _ = filling.parse(live.table, answers, ctx.zone)
    parsed = {k: v for k, v in parsed.items() if v is not None}
    taken = fills.copied(ctx, live, source, only)
    if form.remember and source is None and not isinstance(ctx.actor, PublicLink):
        taken = fills.copied(ctx, live, unsent.last(ctx, live.inst, form.id), form.remember)
    given = taken | parsed
    given |= {k: v for k, v in fills.by_links(ctx, live, given, parsed).items() if k not in parsed}
    values = given | filling.defaults(live.analysis, live.table, form, given, answering(ctx, live))
    for rows in live.table.subforms:
        if rows.min and not values.get(rows.id):
            blank_row = filling.row_defaults(live.analysis, live.table, rows, answering(ctx, live), values)
            values[rows.id] = [dict(blank_row) for _ in range(rows.min)]
    rights = rights_to_create(ctx, live) | {id: "read" for id in given_by.locked if id in answers}
    return Filling(live, form, values, rights, given=frozenset(given), token=given_by.token)


def rights_to_create(ctx: Context, live: LiveTable) -> dict[str, str]:
    gate = door(ctx, live)
    return {path: gate.best(path, "create") for path in live.table.paths}


def of_record(ctx: Context, live: LiveTable, form: Form, record: UUID, action: str = "update") -> Filling:
    """A form with a record in it, for one who may change it. Raises NotFound."""
    gate = door(ctx, live)
    gate.require(action)
    found = query.fetch(gate, record, action)
    values = {**found.system, **found.values}
    return Filling(live, form, values, found.rights, record, found.version, masked=found.masked)


def as_sent(ctx: Context, start: Filling, answers: Mapping[str, Any], touched: set[str] | None = None,
            just: Collection[str] = (), typed: Collection[str] | None = None) -> Filling:  # fmt: skip
    """The form with what was typed into it; problems are told for what has been touched (None: for nothing).

    `just` names what was changed since the form was last drawn: links chosen there fill other fields. `typed` names
    the cells of subforms that somebody filled in; the defaults of the others follow what they read.
    """
    offered = {id: raw for id, raw in answers.items() if start.is_open(id)}
    values, unread = filling.parse(start.live.table, offered, ctx.zone)
    values = filling.keep_columns(start.live.table, start.values, values)
    merged = {**start.values, **values}
    if touched is not None:
        merged |= fills.by_links(ctx, start.live, merged, just) | _filled_unasked(ctx, start, merged, answers)
        merged = fills.into_rows(ctx, start.live, merged, start.values, just)
        merged |= _defaults_again(ctx, start, merged, {re.split(r"[.\[]", path)[0] for path in touched})
        merged |= _rows_again(ctx, start, merged, typed) if typed is not None else {}
    errors: Errors = {p: m for p, m in unread.items() if touched is None or _was_touched(p, touched)}
    for path, problems in _field_problems(ctx, start, values, merged).items():
        if path not in unread and touched is not None and _was_touched(path, touched):
            errors.setdefault(path, []).extend(problems)
    merged = _taken(ctx, start, merged, answers)
    entered: Mapping[str, Sequence[Values]] = {}
    if start.record is None and any(isinstance(f, Query) and f.together for f in start.live.table.fields):
        entered, unread_rows = entering.read(ctx, entering.of_form(ctx, start.live, start.form), answers)
        errors |= unread_rows
    shown = replace(start, values=_with_raw(start, merged, offered, unread), raw=offered, errors=errors, entered=entered)
    return shown if touched is None else _as_rules_allow(ctx, start, shown)


def _taken(ctx: Context, start: Filling, values: Values, answers: Mapping[str, Any]) -> Values:
    """The values with the rows that were chosen in a query and are to be taken."""
    found = start.live.table.by_id.get(str(answers.get("_take") or ""))
    if not isinstance(found, Query) or start.rights.get(found.into or "") != "write":
        return values
    chosen = answers.get(f"_take.{found.id}") or []
    ids = [parse_uuid(id, say("Choose a record.")) for id in (chosen if isinstance(chosen, list) else [chosen])]
    return related.take(ctx, start.live, found, values, [id for id in ids if id])


def _filled_unasked(ctx: Context, start: Filling, values: Values, answers: Mapping[str, Any]) -> Values:
    """What chosen links fill into fields that the page only shows, and therefore does not send."""
    shown = {
        id for id in start.form.placed if id not in answers and start.rights.get(id) == "write"
    } & fills.filled_fields(start.live, values)
    if not shown:
        return {}
    chosen = [id for id in answers if values.get(id) is not None and values[id] != start.values.get(id)]
    filled = fills.by_links(ctx, start.live, values, chosen)
    return {id: value for id, value in filled.items() if id in shown}


def _defaults_again(ctx: Context, start: Filling, values: Values, touched: set[str]) -> Values:
    """The defaults that are formulas, worked out anew for fields of a new record that nobody has filled in."""
    if start.record is not None:
        return {}
    live, form = start.live, start.form
    taken = touched | start.given | fills.filled_fields(live, values)
    formulas = [f for f in live.table.fields if isinstance(filling.default_of(form, f), Formula)]
    again = {f.id for f in formulas if not f.computed and f.id not in taken}
    if not again:
        return {}
    known = {id: value for id, value in values.items() if id not in again}
    made = filling.defaults(live.analysis, live.table, form, known, answering(ctx, live), again)
    return {**dict.fromkeys(again), **made}


def _rows_again(ctx: Context, start: Filling, values: Values, typed: Collection[str]) -> Values:
    """New rows, whose defaults that are formulas follow what they read; what was typed, filled or taken stays."""
    live = start.live
    whole = start.given | fills.filled_fields(live, values)
    there = {str(row.get("_id")) for r in live.table.subforms for row in start.values.get(r.id) or () if row.get("_id")}
    taken = {f"{f.into}.{own}" for f in live.table.fields if isinstance(f, Query) and f.into for own in f.take or ()}

    def keeps(path: str) -> bool:
        id, number, column = re.split(r"[.\[\]]+", path)
        rows, row = live.table.by_id[id], values[id][int(number)]
        filled = {own for link in fills.filling_links(rows, row) for own in link.fill}
        stays = path in typed or id in whole or column in filled or f"{id}.{column}" in taken
        return stays or str(row.get("_id")) in there or start.rights.get(f"{id}.{column}") not in WRITES

    return filling.follow_rows(live.analysis, live.table, values, answering(ctx, live, start.record), keeps)


def _as_rules_allow(ctx: Context, start: Filling, shown: Filling) -> Filling:
    """While a form is filled in, an answer that may no longer be chosen, or no longer be given, is taken back."""
    settled = shown.settle(ctx)
    state = settled[1]
    gone = {id for id in state.offered if id in shown.values and not _is_offered(state, id, shown.values)}
    gone |= set(filling.unoffered(shown.live.table, shown.values))
    locked = [id for id in state.readonly if start.is_open(id) and shown.values.get(id) != start.values.get(id)]
    filled = fills.filled_fields(shown.live, shown.values)
    back = {id: start.values.get(id) for id in locked if id not in filled}
    if not gone and not back:
        return replace(shown, settled=settled)
    values = rules.without({**shown.values, **back}, gone)
    while further := set(filling.unoffered(shown.live.table, values)):
        values = rules.without(values, further)
    return replace(shown, values=values)


def _is_offered(state: State, id: str, values: Values) -> bool:
    value = values[id]
    options = state.options(id)
    return value is None or options is None or set(value if isinstance(value, list) else [value]) <= options


def _was_touched(path: str, touched: set[str]) -> bool:
    return path in touched or path.partition("[")[0] in touched


def _field_problems(ctx: Context, start: Filling, values: Values, merged: Values) -> Errors:
    """What is wrong with the values that are there, each alone."""
    asked = answering(ctx, start.live, start.record)
    limits = filling.limit_problems(start.live.analysis, start.live.table, merged, asked, start.values)
    problems: Errors = {}
    for id, value in values.items():
        found = start.live.table.by_id[id]
        if value is not None and not isinstance(found, Rows) and (said := list(found.check(value))):
            problems[id] = said
    for path, said in limits.items():
        problems.setdefault(path, []).extend(said)
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


def refused(ctx: Context, start: Filling, answers: Mapping[str, Any], err: InvalidInput | Conflict) -> Filling:
    """The form again after a refusal: everything typed is kept, every problem stands beside its field."""
    typed = as_sent(ctx, start, answers)
    if isinstance(err, InvalidInput):
        return replace(typed, errors=err.errors)
    message = say("Somebody else has changed this since you opened it.")
    return replace(typed, errors={id: [message] for id in err.fields}, theirs=err.theirs, version=err.version)
