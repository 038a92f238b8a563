"""Rows that find records by a key and change them, or become records of their own: for imports and for the API."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from runtime import answers, query, records
from runtime.access import REFUSALS, Door, door
from runtime.context import Context
from runtime.history import Changes
from runtime.ids import new_id
from runtime.records import Draft
from runtime.tables import LiveTable
from schemas import filling, matching
from schemas.errors import Denied, InvalidInput
from schemas.fields.serial import Serial
from schemas.filling import Errors, Values
from schemas.matching import KeyValues, Matching
from schemas.messages import say
from schemas.text import Sentence

AMBIGUOUS = say("Several records have this key. Choose a key that names only one, or tell them apart first.")
REPEATED = say("Another row has the same key.")
MISSING = say("No record has this key.")
UNNAMED = say("The key is empty, so no record can be found.")
UNNUMBERED = say("No record has this number. Leave it empty for a new record: it is given one.")


@dataclass(slots=True)
class Outcome:
    """What became of one row: `added`, `changed`, `unchanged`, or `refused` with what is wrong, by path."""

    what: str = ""
    id: UUID | None = None
    errors: Errors = field(default_factory=dict)
    changes: Changes = field(default_factory=dict)
    ambiguous: bool = False

    def refuse(self, errors: Errors) -> None:
        self.what, self.id, self.errors, self.changes = "refused", None, errors, {}


def upsert(
    ctx: Context, live: LiveTable, rows: Sequence[Mapping[str, Any]], by: Matching | None, *, action: str = "create",
    dry: bool = False, wrong: Mapping[int, Errors] | None = None, key: str | None = None,
) -> list[Outcome]:  # fmt: skip
    """Add or change records by rows of raw answers (by field id); says of each row what became of it.

    Every row stands for itself: what is wrong with one leaves the others alone. Without `by` all are added. A serial
    number among the answers only finds its record. `wrong` holds problems of rows that are known before, by number;
    `dry` only finds out. Flows are the caller's to begin, by what each outcome says.
    Raises Denied, NotFound without the right to do any of it, InvalidInput when the key makes no sense here.
    """
    require(ctx, live, by, action)
    outcomes = [Outcome() for _ in rows]
    for number, errors in (wrong or {}).items():
        outcomes[number].refuse(dict(errors))
    found = _find(ctx, live, rows, by, outcomes) if by else {}
    _change(ctx, live, rows, by, outcomes, found, dry, key)
    _add(ctx, live, rows, outcomes, found, action, dry, key)
    return outcomes


def require(ctx: Context, live: LiveTable, by: Matching | None, action: str = "create") -> None:
    """Raises Denied or NotFound without the rights that this takes, InvalidInput for a key that makes no sense here."""
    gate = door(ctx, live)
    if by is None or by.mode != "update":
        gate.require(action)
    if by is None:
        return
    if by.mode != "add":
        gate.require("update")
    if not gate.may("read"):
        raise Denied(REFUSALS["update"])
    wrong = [p.message for p in matching.problems(by, live.table, by.key)] + _unseen(gate, by.key)
    if wrong:
        raise InvalidInput({"key": wrong})


def _unseen(gate: Door, fields: Iterable[str]) -> list[Any]:
    return [say("records cannot be found by '{name}'", name=id) for id in fields if not gate.readable(id)]


# -- finding ---------------------------------------------------------------------------------------


def _find(
    ctx: Context, live: LiveTable, rows: Sequence[Mapping[str, Any]], by: Matching, outcomes: Sequence[Outcome]
) -> dict[int, UUID]:
    """The record of each row that has one; what cannot be decided is refused, what is only to be added passed over."""
    keys = {n: matching.key_of(live.table, by.key, row, ctx.zone) for n, row in enumerate(rows)}
    keys = {n: key for n, key in keys.items() if not outcomes[n].what}
    there = query.by_key(door(ctx, live), by.key, {key for key in keys.values() if key is not None})
    seen: set[KeyValues] = set()
    found: dict[int, UUID] = {}
    for n, key in keys.items():
        ids = there.get(key, []) if key is not None else []
        problem = _problem(live, by, rows[n], key, ids, seen)
        if problem is not None:
            outcomes[n].refuse({by.key[0]: [problem]})
            outcomes[n].ambiguous = problem in (AMBIGUOUS, REPEATED)
        elif ids and by.mode == "add":
            outcomes[n].what, outcomes[n].id = "unchanged", ids[0]
        elif ids:
            found[n] = ids[0]
        if key is not None:
            seen.add(key)
    return found


def _problem(
    live: LiveTable, by: Matching, row: Mapping[str, Any], key: KeyValues | None, ids: Sequence[UUID],
    seen: set[KeyValues],
) -> Sentence | None:  # fmt: skip
    """Why this row can neither change a record nor become one."""
    if len(ids) > 1:
        return AMBIGUOUS
    if key is not None and key in seen:
        return REPEATED
    if ids:
        return None
    if by.mode == "update":
        return UNNAMED if key is None else MISSING
    numbered = any(isinstance(live.table.by_id[id], Serial) and not matching.is_blank(row.get(id)) for id in by.key)
    return UNNUMBERED if numbered else None


# -- writing ---------------------------------------------------------------------------------------


def _change(
    ctx: Context, live: LiveTable, rows: Sequence[Mapping[str, Any]], by: Matching | None, outcomes: Sequence[Outcome],
    found: Mapping[int, UUID], dry: bool, key: str | None,
) -> None:  # fmt: skip
    if by is None or not found:
        return
    present = query.fetch_many(door(ctx, live), sorted(found.values()))
    given: dict[UUID, Values] = {}
    read: filling.Known = {}
    for n, id in found.items():
        raw = matching.edits(live.table, by, rows[n], present[id].values if id in present else {}, ctx.zone)
        given[id], errors = filling.parse(live.table, raw, ctx.zone, read)
        if errors:
            outcomes[n].refuse(errors)
            del given[id]
    made = _together(
        ctx, live, list(given), lambda ids: records.change_many(ctx, live, {id: given[id] for id in ids}, key=key, dry=dry)
    )
    drafts = dict(zip(given, made, strict=True))
    for n, id in found.items():
        if id in drafts:
            _tell(outcomes[n], drafts[id], "changed" if drafts[id].changes else "unchanged")


def _add(
    ctx: Context, live: LiveTable, rows: Sequence[Mapping[str, Any]], outcomes: Sequence[Outcome],
    found: Mapping[int, UUID], action: str, dry: bool, key: str | None,
) -> None:  # fmt: skip
    new: list[tuple[Outcome, Values]] = []
    fresh = [n for n in range(len(rows)) if n not in found and outcomes[n].what in ("", "refused")]
    for n, (values, errors) in zip(
        fresh, filling.parse_many(live.table, [rows[n] for n in fresh], ctx.zone), strict=True
    ):
        outcome = outcomes[n]
        if errors:
            outcome.refuse({**errors, **outcome.errors})
        elif not outcome.what:
            new.append((outcome, values))
    if not new:
        return
    drafts = _together(
        ctx, live, [v for _, v in new],
        lambda some: records.create_many(ctx, live, some, action=action, dry=dry, apart=True, key=key),
    )  # fmt: skip
    for (outcome, _), draft in zip(new, drafts, strict=True):
        _tell(outcome, draft, "added")


def _together(
    ctx: Context, live: LiveTable, some: Sequence[Any], write: Callable[[Sequence[Any]], list[Draft]]
) -> list[Draft]:
    """Write all of it in one go; where a check of another form refuses that, one after the other, each by itself."""
    try:
        with ctx.conn.begin_nested():
            return write(some)
    except InvalidInput as err:
        for place in live.family.values():
            answers.forget(ctx, place)
        if len(some) == 1:
            return [Draft(new_id(), {}, errors=dict(err.errors))]
        return [draft for one in some for draft in _together(ctx, live, [one], write)]


def _tell(outcome: Outcome, draft: Draft, what: str) -> None:
    if draft.errors:
        outcome.refuse(draft.errors)
    else:
        outcome.what, outcome.id, outcome.changes = what, draft.id, draft.changes
