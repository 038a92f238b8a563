"""The only writer of people's rows: what holds always is checked here, and history, search and calculations kept."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select, tuple_, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.elements import True_

from runtime import (
    answers,
    cascade,
    closed,
    definitions,
    groups,
    history,
    inserted,
    linking,
    offers,
    ranges,
    recalculate,
    serials,
)
from runtime.access import Door, door
from runtime.actors import Member, PublicLink
from runtime.bulk import insert_rows
from runtime.context import Context
from runtime.ids import new_ids
from runtime.migrate import unique_name
from runtime.query import Record, fetch_many, fetch_to_change
from runtime.rows import change_words, child_values, keep_words, replace_rows, search_words, with_rows
from runtime.sources import folded_column
from runtime.tables import LiveTable
from schemas import filling
from schemas.access import SEES, WRITES
from schemas.errors import Conflict, Denied, InvalidInput
from schemas.fields import Field
from schemas.fields.links import Links
from schemas.fields.rows import Rows
from schemas.fields.serial import Serial
from schemas.filling import Errors, Values
from schemas.form import Form
from schemas.formula import ErrorValue
from schemas.formula.values import fold
from schemas.masking import mask_of
from schemas.messages import say
from schemas.rules import settle
from schemas.text import Sentence

TAKEN = say("Another record already has this value.")
SAME = say("Another record already has the same {fields}.")
OUTSIDE = say("You may not leave the record like this: it would be outside what you may change.")
UNCHANGEABLE = say("You may not change this record.")


@dataclass(slots=True)
class Draft:
    """A record on its way into the table: its values so far, and what is wrong with them."""

    id: UUID
    values: Values
    before: Values = field(default_factory=dict)
    version: int = 1
    errors: Errors = field(default_factory=dict)
    changes: history.Changes = field(default_factory=dict)
    pictures: list[inserted.Taken] = field(default_factory=list)
    """In its texts, to be taken over when it is written."""


# -- creating --------------------------------------------------------------------------------------


def create(ctx: Context, live: LiveTable, given: Mapping[str, Any], *, form: Form | None = None, key: str | None = None,
           id: UUID | None = None) -> UUID:  # fmt: skip
    """A new record from parsed values. Raises InvalidInput with every problem, Denied, NotFound."""
    draft = create_many(ctx, live, [given], form=form, key=key, ids=[id] if id else None)[0]
    if draft.errors:
        raise InvalidInput(draft.errors)
    return draft.id


def create_many(
    ctx: Context, live: LiveTable, many: Sequence[Mapping[str, Any]], *, form: Form | None = None, key: str | None = None,
    ids: Sequence[UUID] | None = None, action: str = "create", dry: bool = False, apart: bool = False,
) -> list[Draft]:  # fmt: skip
    """New records, those without problems written; the others come back with `errors`. `dry` only checks.

    Raises Denied when the actor may not add such a record; with `apart` it comes back with that as its problem.
    """
    gate = door(ctx, live)
    gate.require(action)
    definitions.lock_shared(ctx, live.inst)
    drafts = [Draft(id, dict(given)) for id, given in zip(ids or new_ids(len(many)), many, strict=True)]
    if not dry:
        recalculate.lock_targets(ctx, live, many)
    _refuse_closed_fields(gate, drafts, action)
    _prepare(ctx, live, drafts, form, dry)
    sound = [d for d in drafts if not d.errors]
    if apart:
        sound = _write_apart(gate, action, sound, lambda some: _insert(ctx, live, some, key), dry)
    elif sound and not dry:
        _insert(ctx, live, sound, key)
        _hold_after(gate, action, [d.id for d in sound])
    if sound and not dry:
        recalculate.after_create(ctx, live, [(d.id, d.values) for d in sound])
        _ask_guards(ctx, live, "created", [(d.id, None) for d in sound])
    return drafts


def _refuse_closed_fields(gate: Door, drafts: Sequence[Draft], action: str) -> None:
    """What a person may not write, they may not give a value on creating either."""
    if gate.free:
        return
    unwritable = {id for id in gate.live.table.by_id if gate.best(id, action) != "write"}
    for draft in drafts if unwritable else ():
        for id in unwritable & draft.values.keys():
            if draft.values[id] is not None:
                draft.errors.setdefault(id, []).append(say("You may not fill in this field."))
    for draft in drafts:
        for path in closed.changed_columns(gate.live, draft.values, {}, lambda path: gate.best(path, action)):
            draft.errors.setdefault(path, []).append(say("You may not fill in this field."))
    closed.refuse_unknown_people(gate.ctx, gate.live, [(draft.errors, draft.values, {}) for draft in drafts])


def _prepare(ctx: Context, live: LiveTable, drafts: list[Draft], form: Form | None, dry: bool) -> None:
    """Defaults, rules, calculations and checks of new records."""
    asked = answers.answering(ctx, live)
    for draft in drafts:
        draft.values |= filling.defaults(live.analysis, live.table, form, draft.values, asked)
        draft.values = filling.give_rows(live.analysis, live.table, draft.values, asked)
    answers.preload(ctx, live, [d.values for d in drafts], live.analysis.needs(live.table))
    _judge(ctx, live, drafts, form, dry)


def _judge(ctx: Context, live: LiveTable, drafts: Sequence[Draft], form: Form | None, dry: bool = False) -> None:
    """The drafts as they will be stored, and every problem with them. `dry` makes no groups."""
    for draft in drafts:
        _decide(ctx, live, draft, form)
    for draft in drafts if live.inserting else ():
        draft.values, draft.pictures, lost = inserted.settle(ctx, live, draft.id, draft.before, draft.values)
        draft.errors |= {path: [*draft.errors.get(path, ()), *problems] for path, problems in lost.items()}
    _refuse_strangers(ctx, live, drafts)
    offers.refuse(ctx, live, drafts)
    _refuse_repeats(ctx, live, [d for d in drafts if not d.errors])
    if live.table.groups and not dry:
        _group(ctx, live, [d for d in drafts if not d.errors])


def _group(ctx: Context, live: LiveTable, drafts: Sequence[Draft]) -> None:
    """Give the drafts their groups, and work out again what may read those."""
    groups.assign(ctx, live, [(d.id, d.values) for d in drafts])
    for draft in drafts:
        whole = filling.calculate(live.analysis, live.table, draft.values, answers.answering(ctx, live, draft.id))
        draft.values = filling.stored(live.analysis, live.table, whole)


def _decide(ctx: Context, live: LiveTable, draft: Draft, form: Form | None) -> None:
    """The draft's values as they will be stored, and every problem with them."""
    asked = answers.answering(ctx, live, draft.id)
    values = _system(ctx, draft.values)
    errors: Errors = {}
    if form is None:
        whole = filling.calculate(live.analysis, live.table, values, asked, volatile=True)
    else:
        whole, state = settle(live.analysis, live.table, form, values, asked)
        errors = filling.form_problems(live.analysis, live.table, form, whole, state, asked)
    for path, problems in filling.table_problems(live.analysis, live.table, whole, asked, draft.before).items():
        errors.setdefault(path, []).extend(p for p in problems if p not in errors.get(path, []))
    for path, problems in ranges.problems(ctx, live, whole, draft.before).items():
        errors.setdefault(path, []).extend(problems)
    draft.values = filling.stored(live.analysis, live.table, whole)
    for path, problems in errors.items():
        draft.errors.setdefault(path, []).extend(problems)


def _refuse_strangers(ctx: Context, live: LiveTable, drafts: Sequence[Draft]) -> None:
    """Links to what may not be chosen, told beside their fields."""
    for draft, errors in zip(drafts, linking.strangers(ctx, live, [(d.before, d.values) for d in drafts]), strict=True):
        for path, problems in errors.items():
            draft.errors.setdefault(path, []).extend(problems)


def _system(ctx: Context, values: Values) -> Values:
    """The values with what formulas may ask of a record that is not there yet."""
    known = {"created_at": ctx.now, "created_by": ctx.actor.id, "updated_at": ctx.now, "updated_by": ctx.actor.id}
    return {**known, **values}


def _insert(ctx: Context, live: LiveTable, drafts: list[Draft], key: str | None) -> None:
    _number(ctx, live, drafts)
    stamp = {
        "version": 1,
        "created_at": ctx.now,
        "created_by": _person(ctx),
        "updated_at": ctx.now,
        "updated_by": _person(ctx),
    }
    rows = ({"id": d.id, **stamp, **_columns(live, d.values)} for d in drafts)
    entries: list[tuple[UUID, int, history.Changes]] = []

    def told() -> Iterator[tuple[UUID, Values]]:
        """What search is to know; the history is made ready beside it, as the words keep the database busy longest."""
        for draft in drafts:
            entries.append((draft.id, 1, history.dump_new(live, draft.values)))
            yield draft.id, draft.values

    with _unique(live):
        if len(drafts) == 1:
            words = {"_record": drafts[0].id, "_bigrams": search_words(live, drafts[0].values)}
            entry = history.beside(ctx, live, "create", drafts[0].id, 1, history.dump_new(live, drafts[0].values), key)
            ctx.conn.execute(live.adding, {**next(rows), **words, **entry})
        else:
            insert_rows(ctx.conn, live.sql, rows)
            keep_words(ctx, live, told())
            history.write(ctx, live, "create", entries, key)
    for subform in live.table.subforms:
        replace_rows(ctx, live, subform, {d.id: d.values.get(subform.id) or [] for d in drafts}, new=True)
    _take_pictures(ctx, live, drafts)
    answers.forget(ctx, live)


def _take_pictures(ctx: Context, live: LiveTable, drafts: Iterable[Draft]) -> None:
    for draft in drafts if live.inserting else ():
        inserted.take(ctx, live, draft.id, draft.pictures)


def _number(ctx: Context, live: LiveTable, drafts: list[Draft]) -> None:
    """Give new records their serial numbers, and work out again what may read them."""
    numbered = [f for f in live.table.fields if isinstance(f, Serial)]
    for serial in numbered:
        for draft, number in zip(drafts, serials.draw(ctx, live, serial, len(drafts)), strict=True):
            draft.values[serial.id] = number
    for draft in drafts if numbered else ():
        draft.values = filling.calculate(
            live.analysis, live.table, draft.values, answers.answering(ctx, live, draft.id)
        )


def _person(ctx: Context) -> UUID | None:
    return ctx.actor.id if isinstance(ctx.actor, Member | PublicLink) else None


def _columns(live: LiveTable, values: Values) -> Values:
    """What the table's own row holds: stored fields and error codes."""
    stored: Values = {}
    errors: dict[str, str] = {}
    for found in live.columns:
        value = values.get(found.id)
        if value.__class__ is ErrorValue:
            errors[found.id], value = value.code, None
        stored[found.id] = value
    stored["_errors"] = errors or None
    return stored


# -- changing --------------------------------------------------------------------------------------


def change(
    ctx: Context, live: LiveTable, id: UUID, given: Mapping[str, Any], *, seen: int | None = None, form: Form | None = None,
    key: str | None = None, gate: Door | None = None,
) -> dict[str, list[Any]]:  # fmt: skip
    """Change a record; gives the changes made, field by field, as JSON.

    `seen` is the version that the person read: fields changed since are kept unless the person edited them too,
    which raises Conflict. Raises InvalidInput, Denied, NotFound.
    """
    gate = gate or door(ctx, live)
    gate.require("update")
    definitions.lock_shared(ctx, live.inst)
    present, stored = fetch_to_change(gate, id, "update")
    before = with_rows(ctx, live, [stored], [id])[id]
    draft = Draft(id, dict(before), before)
    given = _merge(ctx, live, present, filling.keep_columns(live.table, draft.before, given), seen)
    _edit(gate, present, draft, given)
    if not draft.errors:
        recalculate.lock_targets(ctx, live, [draft.values])
        _judge(ctx, live, [draft], form)
    if draft.errors:
        raise InvalidInput(draft.errors)
    draft.changes = history.dump_changes(live, draft.before, draft.values)
    if draft.changes:
        _store(ctx, live, [draft], key)
        _hold_after(gate, "update", [id])
        recalculate.after_change(ctx, live, [(id, draft.before, draft.values)], set(draft.changes))
        _ask_guards(ctx, live, "changed", [(id, draft.changes)])
    return draft.changes


def change_many(
    ctx: Context, live: LiveTable, many: Mapping[UUID, Mapping[str, Any]], *, key: str | None = None, dry: bool = False
) -> list[Draft]:
    """Change each of these records by itself; gives them with their `changes`, or with `errors` and unchanged.

    `dry` only finds out. Raises Denied, NotFound when the actor may change none here.
    """
    gate = door(ctx, live)
    gate.require("update")
    definitions.lock_shared(ctx, live.inst)
    drafts = _edits(gate, many, lock=not dry)
    sound = [d for d in drafts if not d.errors]
    if not dry:
        recalculate.lock_targets(ctx, live, [d.values for d in sound])
    answers.preload(ctx, live, [d.values for d in sound], live.analysis.needs(live.table))
    _judge(ctx, live, sound, None, dry)
    for draft in (d for d in sound if not d.errors):
        draft.changes = history.dump_changes(live, draft.before, draft.values)
    changed = [d for d in sound if d.changes]
    written = _write_apart(gate, "update", changed, lambda some: _store(ctx, live, some, key), dry)
    if written and not dry:
        fields = {id for d in written for id in d.changes}
        recalculate.after_change(ctx, live, [(d.id, d.before, d.values) for d in written], fields)
        _ask_guards(ctx, live, "changed", [(d.id, d.changes) for d in written])
    return drafts


def _edits(gate: Door, many: Mapping[UUID, Mapping[str, Any]], lock: bool) -> list[Draft]:
    """Drafts of the records with what is given for them, those that may not be changed with that as their problem."""
    ctx, live = gate.ctx, gate.live
    present = fetch_many(gate, sorted(many), "update", lock)
    whole = child_values(ctx, live, list(present))
    drafts = []
    for id, given in many.items():
        draft = Draft(id, {}, whole.get(id, {}))
        if id in present:
            _edit(gate, present[id], draft, filling.keep_columns(live.table, draft.before, given))
        else:
            draft.errors[""] = [UNCHANGEABLE]
        drafts.append(draft)
    return drafts


def _edit(gate: Door, present: Record, draft: Draft, given: Mapping[str, Any]) -> None:
    """Put into a draft what somebody gives for the record, and what they may not give as problems."""
    ctx, live = gate.ctx, gate.live
    given = _keep_masked(live, present, dict(given), draft.before)
    draft.errors = _unwritable(gate, present, given, draft.before)
    given = linking.keep_unseen(live, present, draft.before, given)
    draft.version = present.version + 1
    draft.values = {**draft.before, **given, "updated_at": ctx.now, "updated_by": _person(ctx)}
    asked = answers.answering(ctx, live, draft.id)
    draft.values = filling.give_rows(live.analysis, live.table, draft.values, asked, draft.before)


def _merge(ctx: Context, live: LiveTable, present: Record, given: Mapping[str, Any], seen: int | None) -> Values:
    """What the person really edited. Raises Conflict where somebody else has edited the same since."""
    if seen is None or seen >= present.version:
        return dict(given)
    originals: dict[str, Any] = {}
    for entry in history.of_record(ctx, live, present.id, since=seen):
        originals |= {id: old for id, (old, _) in entry.changes.items()}
    edited, clashes = {}, []
    for id, value in given.items():
        found = live.table.by_id.get(id)
        dumped = found.dump(_plain_rows(found, value)) if found else value
        if isinstance(found, Links) and id in originals:
            value = linking.merged(originals[id], value, present.values.get(id))
        elif found and id in originals:
            if dumped in (originals[id], found.dump(present.values.get(id))):
                continue
            clashes.append(id)
        edited[id] = value
    if clashes:
        theirs = {id: present.values.get(id) for id in clashes}
        raise Conflict(clashes, theirs, present.version)
    return edited


def _plain_rows(found: Field, value: Any) -> Any:
    return value if not isinstance(found, Rows) else value or None


def _keep_masked(live: LiveTable, present: Record, given: Values, before: Mapping[str, Any]) -> Values:
    """What was given, without what only sends a mask, or nothing, back for a value that its writer has not seen."""
    kept: Values = {}
    for id, value in given.items():
        found = live.table.by_id.get(id)
        if isinstance(found, Rows):
            kept[id] = _keep_masked_columns(found, present.rights, value, before.get(id))
        elif found is None or not _unseen(found, present.rights.get(id), value, before.get(id)):
            kept[id] = value
    return kept


def _keep_masked_columns(rows: Rows, rights: Mapping[str, str], value: Any, before: Any) -> Any:
    masked = [c for c in rows.fields if SEES[rights.get(f"{rows.id}.{c.id}", "read")] == 1]
    if not masked or not value:
        return value
    known = {str(row.get("_id")): row for row in before or ()}
    lines = [dict(row) for row in value]
    for line in lines:
        old = known.get(str(line.get("_id")), {})
        line |= {
            c.id: old[c.id]
            for c in masked
            if c.id in old and _unseen(c, rights.get(f"{rows.id}.{c.id}"), line.get(c.id), old[c.id])
        }
    return lines


def _unseen(found: Field, right: str | None, value: Any, before: Any) -> bool:
    """Whether a value says nothing new of a field that its writer knows by its mask alone."""
    return SEES[right or "write"] == 1 and (value in (None, []) or value == mask_of(found, before))


def _unwritable(gate: Door, present: Record, given: Mapping[str, Any], before: Mapping[str, Any]) -> Errors:
    """A problem for each field that changes though it may not be written; unchanged ones may be sent along."""
    errors: Errors = {}
    live = gate.live
    for id, value in given.items():
        found = live.table.by_id.get(id)
        right = present.rights.get(id, "hidden")
        if found is None or right in WRITES:
            continue
        if SEES[right] < 2 or found.dump(value) != found.dump(present.values.get(id)):
            errors[id] = [say("You may not change this field.")]
    if not gate.free:
        for path in closed.changed_columns(live, given, before, lambda path: present.rights.get(path, "hidden")):
            errors.setdefault(path, []).append(say("You may not change this field."))
        closed.refuse_unknown_people(gate.ctx, live, [(errors, given, before)])
    return errors


def _store(ctx: Context, live: LiveTable, drafts: Sequence[Draft], key: str | None) -> None:
    """Write what has changed, and the history of it."""
    with _unique(live):
        if len(drafts) == 1:
            _store_one(ctx, live, drafts[0], key)
        else:
            _store_many(ctx, live, drafts, key)
    for subform in live.table.subforms:
        lines = {d.id: d.values.get(subform.id) or [] for d in drafts if subform.id in d.changes}
        if lines:
            replace_rows(ctx, live, subform, lines)
    _take_pictures(ctx, live, drafts)
    answers.forget(ctx, live)


def _store_one(ctx: Context, live: LiveTable, draft: Draft, key: str | None) -> None:
    """The record, its words and its history as one statement."""
    row, statement = _changed_columns(ctx, live, draft), live.changing
    entry = history.beside(ctx, live, "update", draft.id, draft.version, draft.changes, key)
    if _is_found_otherwise(live, draft):
        statement, row["_bigrams"] = live.changing_words, search_words(live, draft.values)
    ctx.conn.execute(statement, {**row, **entry})


def _store_many(ctx: Context, live: LiveTable, drafts: Sequence[Draft], key: str | None) -> None:
    """Records that change in the same columns together."""
    alike: dict[tuple[str, ...], list[Values]] = {}
    for draft in drafts:
        row = _changed_columns(ctx, live, draft)
        alike.setdefault(tuple(row), []).append(row)
    changed = update(live.sql).where(live.sql.c.id == bindparam("_changed"))
    for rows in alike.values():
        ctx.conn.execute(changed, rows)
    change_words(ctx, live, {d.id: search_words(live, d.values) for d in drafts if _is_found_otherwise(live, d)})
    history.write(ctx, live, "update", [(d.id, d.version, d.changes) for d in drafts], key)


def _changed_columns(ctx: Context, live: LiveTable, draft: Draft) -> Values:
    """The columns of a changed record that are to be written."""
    stamp = {"version": draft.version, "updated_at": ctx.now, "updated_by": _person(ctx)}
    columns = _columns(live, draft.values)
    return {"_changed": draft.id, **{c: columns[c] for c in columns if c in draft.changes or c == "_errors"}, **stamp}


def _is_found_otherwise(live: LiveTable, draft: Draft) -> bool:
    return any(f.id in draft.changes for f in live.analysis.plan(live.table).searched)


def set_flow_state(ctx: Context, live: LiveTable, id: UUID, state: str) -> None:
    """What becomes of a record's flow; only the engine says so. It is no change of the record itself."""
    ctx.conn.execute(update(live.sql).where(live.sql.c.id == id).values(_flow_state=state))
    answers.forget(ctx, live)
    recalculate.after_flow(ctx, live, id)


def _hold_after(gate: Door, action: str, ids: Sequence[UUID]) -> None:
    """The written rows must still be ones that the actor may write. Raises Denied."""
    if _outside(gate, action, ids):
        raise Denied(OUTSIDE)


def _outside(gate: Door, action: str, ids: Sequence[UUID]) -> set[UUID]:
    """Those of the written rows that the actor may no longer write."""
    t = gate.live.sql
    permitted = gate.permitted_after(action, t)
    if isinstance(permitted, True_):
        return set()
    return set(ids) - set(gate.ctx.conn.scalars(select(t.c.id).where(t.c.id.in_(ids), permitted)))


def _write_apart(
    gate: Door, action: str, drafts: Sequence[Draft], write: Callable[[list[Draft]], None], dry: bool
) -> list[Draft]:
    """Write those that the actor may still write afterwards and give them; the others have that as their problem.

    What a row would be outside of is a condition on stored rows, so a dry run writes too, and takes it back.
    """
    left, ctx = list(drafts), gate.ctx
    if isinstance(gate.permitted_after(action, gate.live.sql), True_):
        if left and not dry:
            write(left)
        return left
    while left:
        nested = ctx.conn.begin_nested()
        write(left)
        outside = _outside(gate, action, [d.id for d in left])
        if not outside and not dry:
            nested.commit()
            return left
        nested.rollback()
        answers.forget(ctx, gate.live)
        for draft in (d for d in left if d.id in outside):
            draft.errors[""], draft.changes = [OUTSIDE], {}
        left = [d for d in left if d.id not in outside]
        if dry:
            return left
    return left


# -- trash -----------------------------------------------------------------------------------------


def trash(ctx: Context, live: LiveTable, ids: Sequence[UUID], but: UUID | None = None) -> list[UUID]:
    """Put records into the trash, and what goes with them; gives those that were asked for and found.

    What runs for them is over, `but` the run that does this. Raises InvalidInput when other records need them, or
    when what goes with them may not be deleted.
    """
    gate = door(ctx, live)
    gate.require("delete")
    definitions.lock_shared(ctx, live.inst)
    t = live.sql
    found = list(
        ctx.conn.scalars(select(t.c.id).where(t.c.id.in_(ids), gate.rows("delete")).order_by(t.c.id).with_for_update())
    )
    going = cascade.along(ctx, live, found)
    cascade.refuse_needed(ctx, going)
    for other, path, some, gone in cascade.cleared(ctx, going):
        _clear(ctx, other, path, some, gone)
    for other, some in going.items():
        _mark(ctx, other, some, {"_deleted_at": ctx.now, "_deleted_by": _person(ctx)}, "delete")
        _ask_guards(ctx, other, "deleted", [(id, None) for id in some])
    _end_flows(ctx, going, but)
    return found


def _ask_guards(ctx: Context, live: LiveTable, event: str, saved: Iterable[tuple[UUID, history.Changes | None]]) -> None:
    """Flows that run before this is saved may refuse it."""
    from runtime import saving

    saving.refuse(ctx, live, event, saved)


def _end_flows(ctx: Context, gone: Mapping[LiveTable, Sequence[UUID]], but: UUID | None) -> None:
    """Flows see what went along as they see what was deleted by itself."""
    from runtime import flows

    for live, ids in gone.items():
        for id in ids:
            flows.record_deleted(ctx, live, id, but)


def _clear(ctx: Context, live: LiveTable, path: str, ids: Sequence[UUID], gone: set[UUID]) -> None:
    """Empty a link of records that are deleted, as a change of those that held it."""
    for id, before in child_values(ctx, live, ids).items():
        draft = Draft(id, cascade.without(before, path, gone), before, before["version"] + 1)
        draft.values |= {"updated_at": ctx.now, "updated_by": _person(ctx)}
        draft.values = filling.calculate(live.analysis, live.table, draft.values, answers.answering(ctx, live, id))
        groups.assign(ctx, live, [(id, draft.values)])
        draft.changes = history.dump_changes(live, before, draft.values)
        _store(ctx, live, [draft], None)
        recalculate.after_change(ctx, live, [(id, before, draft.values)], set(draft.changes))


def replace_people(
    ctx: Context, live: LiveTable, ids: Sequence[UUID], paths: Collection[str], old: UUID, new: UUID
) -> list[UUID]:
    """Put one member or department in the place of another in these fields; gives the records that could not be changed.

    What holds of the records otherwise is not asked: somebody must answer for them. Only where a value must be unique
    and is taken, the record stays as it is.
    """
    definitions.lock_shared(ctx, live.inst)
    whole = child_values(ctx, live, ids)
    recalculate.lock_targets(ctx, live, list(whole.values()))
    kept = []
    for id, before in sorted(whole.items()):
        values = before
        for path in paths:
            values = cascade.instead(values, path, old, new)
        try:
            with ctx.conn.begin_nested():
                _replace(ctx, live, id, before, values)
        except InvalidInput:
            kept.append(id)
    return kept


def _replace(ctx: Context, live: LiveTable, id: UUID, before: Values, values: Values) -> None:
    draft = Draft(id, dict(values), before, before["version"] + 1)
    draft.values |= {"updated_at": ctx.now, "updated_by": _person(ctx)}
    draft.values = filling.calculate(live.analysis, live.table, draft.values, answers.answering(ctx, live, id))
    groups.assign(ctx, live, [(id, draft.values)])
    draft.changes = history.dump_changes(live, before, draft.values)
    if draft.changes:
        _store(ctx, live, [draft], None)
        recalculate.after_change(ctx, live, [(id, before, draft.values)], set(draft.changes))


def restore(ctx: Context, live: LiveTable, ids: Sequence[UUID]) -> list[UUID]:
    """Take records out of the trash, and what went with them.

    Raises InvalidInput when a unique value has been given to another since, or when their owner stays in the trash.
    """
    gate = door(ctx, live)
    gate.require("delete")
    definitions.lock_shared(ctx, live.inst)
    t = live.sql
    chosen = select(t.c.id, t.c._deleted_at).where(t.c.id.in_(ids), gate.rows("delete", deleted=True))
    found = {row[0]: row[1] for row in ctx.conn.execute(chosen.order_by(t.c.id).with_for_update())}
    for other, some in cascade.back(ctx, live, found).items():
        _mark(ctx, other, some, {"_deleted_at": None, "_deleted_by": None}, "restore")
        _start_flows(ctx, other, some)
    return list(found)


def _start_flows(ctx: Context, live: LiveTable, ids: Sequence[UUID]) -> None:
    """Flows see what was restored, alone or along with something else."""
    from runtime import flows

    for id in ids:
        flows.record_saved(ctx, live, id, "restored", None)


def _mark(ctx: Context, live: LiveTable, ids: Sequence[UUID], values: Mapping[str, Any], action: str) -> list[UUID]:
    if not ids:
        return []
    t = live.sql
    by_key = {getattr(t.c, name): value for name, value in values.items()}
    with _unique(live):
        marked = (
            update(t)
            .where(t.c.id.in_(ids))
            .values({**by_key, t.c.version: t.c.version + 1})
            .returning(t.c.id, t.c.version)
        )
        versions = {row.id: row.version for row in ctx.conn.execute(marked)}
    answers.forget(ctx, live)
    history.write(ctx, live, action, [(id, version, {}) for id, version in versions.items()])
    whole = child_values(ctx, live, list(versions))
    recalculate.after_change(ctx, live, [(id, v, v) for id, v in whole.items()], None)
    return list(versions)


# -- unique values ---------------------------------------------------------------------------------


def _refuse_repeats(ctx: Context, live: LiveTable, drafts: list[Draft]) -> None:
    """Values that must be unique, compared among the drafts and with the records that are there."""
    sets: list[tuple[tuple[str, ...], Sentence]] = [
        ((f.id,), f.unique_message or TAKEN) for f in live.table.fields if f.unique
    ]
    sets += [(k.fields, k.refusal(SAME, live.table.fields)) for k in live.table.keys]
    for fields, message in sets:
        keyed = {d.id: k for d in drafts if None not in (k := tuple(_fold(d.values.get(f)) for f in fields))}
        taken = _taken(ctx, live, fields, keyed)
        seen: set[tuple[Any, ...]] = set()
        for draft in drafts:
            key = keyed.get(draft.id)
            if key is not None and (key in seen or taken.get(key, draft.id) != draft.id):
                draft.errors.setdefault(fields[0], []).append(message)
            elif key is not None:
                seen.add(key)


def _fold(value: Any) -> Any:
    return fold(value) if isinstance(value, str) else value


def _taken(
    ctx: Context, live: LiveTable, fields: Sequence[str], keyed: Mapping[UUID, tuple[Any, ...]]
) -> dict[tuple[Any, ...], UUID]:
    """Which of these values live records hold, and which record each."""
    if not keyed:
        return {}
    t = live.sql
    columns = [folded_column(t.c[f]) for f in fields]
    same = (
        tuple_(*columns).in_(list(set(keyed.values())))
        if len(fields) > 1
        else columns[0].in_({k[0] for k in keyed.values()})
    )
    return {
        tuple(row[1:]): row[0]
        for row in ctx.conn.execute(select(t.c.id, *columns).where(same, t.c._deleted_at.is_(None)))
    }


class _unique:
    """Turns the database's refusal of a repeated value into the field's own message."""

    def __init__(self, live: LiveTable) -> None:
        self.live = live

    def __enter__(self) -> None: ...

    def __exit__(self, kind: Any, err: Any, trace: Any) -> None:
        if not isinstance(err, IntegrityError):
            return
        name = getattr(getattr(err.orig, "diag", None), "constraint_name", "") or ""
        for found in self.live.table.fields:
            if found.id in self.live.sql.c and name == unique_name(self.live.sql.c[found.id].name):
                raise InvalidInput({found.id: [found.unique_message or TAKEN]}) from err
        t = self.live.sql
        for key in self.live.table.keys:
            if name == unique_name("_".join([t.name, *(t.c[f].name for f in key.fields)]))[:63]:
                raise InvalidInput({key.fields[0]: [key.refusal(SAME, self.live.table.fields)]}) from err
        raise InvalidInput({"": [TAKEN]}) from err
