"""What programs write: one record or a thousand, through the same story as a form, with a result for each."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text

from runtime import api, files, flows, query, records, upserting
from runtime.access import door, may_use_form
from runtime.answers import forget
from runtime.context import Context
from runtime.submit import Sent, submit
from runtime.tables import LiveTable
from schemas import filling
from schemas.api import Operation, Upsert, Write
from schemas.api_fields import writable
from schemas.errors import Conflict, Denied, InvalidInput, NotFound
from schemas.fields.base import MISSING
from schemas.form import Form
from schemas.matching import Matching, is_blank, key_of
from schemas.messages import say

Json = dict[str, Any]
REFUSALS = (InvalidInput, Denied, NotFound, Conflict)


# -- one record ------------------------------------------------------------------------------------


def create(ctx: Context, source: LiveTable, sent: Write) -> UUID:
    """Raises InvalidInput, Denied, NotFound."""
    return submit(
        ctx, source, Sent(_form(ctx, source, sent.form, "create"), checked(ctx, source, sent.fields, "create"))
    )


def change(ctx: Context, source: LiveTable, id: UUID, sent: Write, match: int | None = None) -> UUID:
    """Change the fields that were sent. `match` is the only version to be changed (If-Match).

    Raises Stale for another one, Conflict where a field that was sent has changed since `sent.version`.
    """
    door(ctx, source).require("update")
    answers = checked(ctx, source, sent.fields, "update")
    if match is not None:
        present = query.fetch(door(ctx, source), id, "update", lock=True)
        if present.version != match:
            raise Stale(present.version)
    seen = sent.version if match is None else match
    return submit(ctx, source, Sent(_form(ctx, source, sent.form, "update"), answers, id, seen))


class Stale(Exception):
    """The record has another version than the one that was to be changed."""

    def __init__(self, version: int) -> None:
        super().__init__(f"the version is {version}")
        self.version = version


def checked(
    ctx: Context, source: LiveTable, fields: Mapping[str, Any], action: str, key: Sequence[str] = ()
) -> Mapping[str, Any]:
    """The answers, where every name is a field that can be given, or is in the key. Raises InvalidInput."""
    gate = door(ctx, source)
    errors: dict[str, list[Any]] = {}
    for id in fields:
        found = source.table.by_id.get(id)
        if found is None or not api.known(gate, id):
            errors[id] = [say("There is no field '{id}'.", id=id[:60])]
        elif not writable(found) and id not in key:
            errors[id] = [say("This field is calculated; it cannot be given.")]
    if errors:
        raise InvalidInput(errors)
    return fields


def _form(ctx: Context, source: LiveTable, id: str | None, action: str) -> Form | None:
    if id is None:
        return None
    form = source.inst.app.all_forms.get(id)
    if form is None or form.table != source.id or not may_use_form(ctx, source.inst, id, (action,)):
        raise InvalidInput({"form": [say("There is no such form.")]})
    return form


def remove(ctx: Context, source: LiveTable, id: UUID) -> UUID:
    """Into the trash. Raises NotFound, InvalidInput when others need it."""
    door(ctx, source).require("delete")
    if not records.trash(ctx, source, [id]):
        raise NotFound
    return id


def restore(ctx: Context, source: LiveTable, id: UUID) -> UUID:
    """Out of the trash. Raises NotFound, InvalidInput when its place has been taken."""
    door(ctx, source).require("delete")
    if not records.restore(ctx, source, [id]):
        raise NotFound
    return id


# -- update or add ---------------------------------------------------------------------------------

ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 11))")


def upsert(ctx: Context, source: LiveTable, sent: Upsert) -> tuple[UUID, bool]:
    """The record with this key changed, or a new one; and whether it is new. Raises InvalidInput and the others."""
    gate = door(ctx, source)
    by = Matching(key=sent.key, mode="both", blank="clear")
    answers = checked(ctx, source, sent.fields, "update" if gate.may("update") else "create", sent.key)
    if strange := [id for id in sent.key if id not in source.table.by_id or not api.known(gate, id)]:
        raise InvalidInput({"key": [say("There is no field '{id}'.", id=strange[0])]})
    if missing := {id: [MISSING] for id in sent.key if is_blank(answers.get(id))}:
        raise InvalidInput(missing)
    key = key_of(source.table, sent.key, answers, ctx.zone)
    ctx.conn.execute(ONE_AT_A_TIME, {"key": f"{ctx.workspace.id}:{source.inst.id}:{source.id}:{sent.key!r}:{key!r}"})
    outcome = upserting.upsert(ctx, source, [answers], by)[0]
    if outcome.id is None:
        raise InvalidInput(outcome.errors)
    return _settled(ctx, source, outcome, answers), outcome.what == "added"


def _settled(ctx: Context, source: LiveTable, outcome: upserting.Outcome, answers: Mapping[str, Any]) -> UUID:
    """Give the record its files, and begin what its flows wait for."""
    assert outcome.id is not None
    values, _ = filling.parse(source.table, answers, ctx.zone)
    files.attach(ctx, source, outcome.id, values)
    if outcome.what == "added":
        flows.record_saved(ctx, source, outcome.id, "created", None)
    elif outcome.what == "changed":
        flows.record_saved(ctx, source, outcome.id, "changed", outcome.changes)
    return outcome.id


# -- many ------------------------------------------------------------------------------------------


class Undone(Exception):
    """One of a batch that is all or nothing was refused: none of it is kept. `results` tell of each."""

    def __init__(self, results: list[Json]) -> None:
        super().__init__("the batch was refused")
        self.results = results


def batch(
    ctx: Context, source: LiveTable, operations: Sequence[Operation], atomic: bool, told: Callable[[Exception], Json]
) -> list[Json]:
    """Every operation in order, each kept or refused by itself; `told` makes a problem of a refusal.

    Raises Undone when all must succeed and one does not.
    """
    results: list[Json] = []
    for first, run in _runs(operations):
        done = _create_run(ctx, source, run, told) if len(run) > 1 else None
        for number, operation in enumerate(run):
            outcome = done[number] if done is not None else _one(ctx, source, operation, told)
            results.append({"index": first + number, "op": operation.op, **outcome})
    if atomic and any(r["status"] >= 400 for r in results):
        raise Undone(results)
    _add_versions(ctx, source, results)
    return results


def _runs(operations: Sequence[Operation]) -> Iterator[tuple[int, list[Operation]]]:
    """The operations, with creations that follow one another together: they are written together."""
    run: list[Operation] = []
    for number, operation in enumerate(operations):
        plain = operation.op == "create" and operation.form is None
        if run and not (plain and run[-1].op == "create" and run[-1].form is None):
            yield number - len(run), run
            run = []
        run.append(operation)
    if run:
        yield len(operations) - len(run), run


def _create_run(
    ctx: Context, source: LiveTable, run: Sequence[Operation], told: Callable[[Exception], Json]
) -> list[Json] | None:
    """All of these records with a few statements; None when that cannot be, and each has to be tried alone."""
    outcomes: list[Json] = [{}] * len(run)
    sound: list[tuple[int, Mapping[str, Any]]] = []
    for number, operation in enumerate(run):
        try:
            sound.append((number, checked(ctx, source, operation.fields or {}, "create")))
        except InvalidInput as err:
            outcomes[number] = told(err)
    nested = ctx.conn.begin_nested()
    try:
        made = upserting.upsert(ctx, source, [answers for _, answers in sound], None)
        for (number, answers), outcome in zip(sound, made, strict=True):
            if outcome.id is None:
                outcomes[number] = told(InvalidInput(outcome.errors))
            else:
                outcomes[number] = {"status": 201, "id": str(_settled(ctx, source, outcome, answers))}
    except REFUSALS:
        nested.rollback()
        forget(ctx, source)
        return None
    nested.commit()
    return outcomes


def _one(ctx: Context, source: LiveTable, operation: Operation, told: Callable[[Exception], Json]) -> Json:
    """One operation in a savepoint: what is refused leaves nothing behind."""
    nested = ctx.conn.begin_nested()
    try:
        outcome = _perform(ctx, source, operation)
    except REFUSALS as err:
        nested.rollback()
        forget(ctx, source)
        return told(err)
    nested.commit()
    return outcome


def _perform(ctx: Context, source: LiveTable, operation: Operation) -> Json:
    fields = operation.fields or {}
    write = Write(fields=fields, version=operation.version, form=operation.form)
    if operation.op == "create":
        return {"status": 201, "id": str(create(ctx, source, write))}
    if operation.op == "upsert":
        id, new = upsert(ctx, source, Upsert(key=operation.key, fields=fields))
        return {"status": 201 if new else 200, "id": str(id)}
    id = record_id(operation.id or "")
    if operation.op == "update":
        change(ctx, source, id, write)
    elif operation.op == "delete":
        remove(ctx, source, id)
    else:
        restore(ctx, source, id)
    return {"status": 200, "id": str(id)}


def record_id(text: str) -> UUID:
    """Raises NotFound for what is no id."""
    try:
        return UUID(text)
    except ValueError:
        raise NotFound from None


def _add_versions(ctx: Context, source: LiveTable, results: Sequence[Json]) -> None:
    """Each record's version now, for those that the actor may read."""
    kept = [UUID(r["id"]) for r in results if "id" in r and r["op"] != "delete"]
    found = query.versions(door(ctx, source), kept) if kept else {}
    for result in results:
        if (version := found.get(result.get("id", ""))) is not None:
            result["version"] = version
