"""Views in time as one person looks at them: the records of a stretch of days, and moving one of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from runtime import listing, query, records
from runtime.access import Door, door
from runtime.context import Context
from runtime.definitions import Installed
from runtime.listing import Wishes
from runtime.query import Listing, Record
from runtime.tables import LiveTable, live
from schemas.conditions import Condition
from schemas.errors import InvalidInput, NotFound
from schemas.fields import Field
from schemas.fields.choice import Choice
from schemas.formula import Formula
from schemas.messages import say
from schemas.stretches import DAY, Stretch
from schemas.text import Sentence
from schemas.views.base import TimeView

MOST = 500
"""Records in one stretch; those beyond are in the list."""
PLAIN = "teal"
FARTHEST = 36_525
"""Days by which a record may be moved at once: a century."""


@dataclass(frozen=True)
class Entry:
    """A record in time: its first and last day, the time of day at which it begins if it has one, and its card."""

    first: date
    last: date
    time: str
    tone: str
    card: Mapping[str, Any]
    part: float | None = None

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1


@dataclass(frozen=True)
class Span:
    """The records of a stretch, in order of time; `more` when there are too many to show."""

    gate: Door
    stretch: Stretch
    entries: Sequence[Entry]
    more: bool
    movable: bool
    conditions: Sequence[Condition] | None
    filter_fields: listing.FilterFields
    problem: Sentence | None = None

    def on(self, day: date) -> list[Entry]:
        """What falls on a day: what goes on for several days first, then by the time of day."""
        return sorted(
            (e for e in self.entries if e.first <= day <= e.last), key=lambda e: (e.days == 1, e.first, e.time)
        )


def span(ctx: Context, inst: Installed, view: TimeView, wishes: Wishes, stretch: Stretch, part: str = "") -> Span:
    """What a view has to show of a stretch of days. Raises NotFound for one who may not see when records are.

    `part` is the field that says how far each is done.
    """
    table = live(ctx, inst, view.table)
    gate = door(ctx, table)
    gate.require("read")
    when = [name for name in (view.start, view.end) if name]
    if not all(name in listing.names_of(table) and gate.readable(name) for name in when):
        raise NotFound
    columns = gate.shown(c for c in view.card if c in listing.names_of(table))
    also = [name for name in (view.color or "", part) if name and gate.readable(name)]
    asked, problem = listing.listing_of(gate, view, wishes, [*dict.fromkeys([*columns, *when, *also])])
    where = [*asked.where, Formula.of(_within(view, stretch))]
    found = query.page(gate, Listing(asked.columns, where, [view.start], asked.search, size=MOST))
    reader = listing.reader_of(ctx, table, found.records, columns)
    entries = [
        entry
        for record in found.records
        if (entry := _entry(ctx, view, record, listing.card_of(table, record, columns, reader), table, part))
    ]
    conditions = listing.conditions_of(wishes)
    fields = listing.FilterFields(listing.filter_fields(gate, conditions or ()))
    return Span(gate, stretch, entries, bool(found.after), movable(gate, view), conditions, fields, problem)


def _within(view: TimeView, stretch: Stretch) -> str:
    """The condition that a record touches the stretch. Without an end it is on one day."""
    first, after = (f'DATEVALUE("{day}")' for day in (stretch.first, stretch.last + DAY))
    begins = f"{view.start} >= {first}"
    if not view.end:
        return f"AND({begins}, {view.start} < {after})"
    return f"AND({view.start} < {after}, OR({begins}, {view.end} >= {first}))"


def _entry(
    ctx: Context, view: TimeView, record: Record, card: Mapping[str, Any], table: LiveTable, part: str
) -> Entry | None:
    begins = record[view.start]
    ends = record[view.end] if view.end else None
    if not isinstance(begins, date):
        return None
    first = day_of(begins, ctx)
    last = max(first, day_of(ends, ctx)) if isinstance(ends, date) else first
    time = begins.astimezone(ctx.zone).strftime("%H:%M") if isinstance(begins, datetime) else ""
    return Entry(first, last, time, _tone(table, view, record), card, _done(record[part] if part else None))


def day_of(value: date, ctx: Context) -> date:
    """The day of a date, or in the workspace's zone of a moment."""
    return value.astimezone(ctx.zone).date() if isinstance(value, datetime) else value


def _tone(table: LiveTable, view: TimeView, record: Record) -> str:
    field = table.table.by_id.get(view.color or "")
    option = field.named(str(record[field.id])) if isinstance(field, Choice) else None
    return option.color if option else PLAIN


def _done(value: Any) -> float | None:
    """A percentage, or a part of one, as a part of one."""
    try:
        part = float(value)
    except (TypeError, ValueError):
        return None
    return max(0.0, min(1.0, part / 100 if part > 1 else part))


# -- moving ----------------------------------------------------------------------------------------


def movable(gate: Door, view: TimeView) -> bool:
    """Whether this person can change the dates here at all."""
    names = [name for name in (view.start, view.end) if name]
    return gate.may("update") and all(
        name in gate.live.table.by_id and gate.best(name, "update") == "write" for name in names
    )


def move(ctx: Context, table: LiveTable, view: TimeView, id: UUID, days: int, edge: str = "") -> dict[str, Any]:
    """Move a record by days; `edge` is `start` or `end` for one end of it alone. Gives the changes.

    Raises NotFound, Denied, and InvalidInput where it would end before it begins.
    """
    if abs(days) > FARTHEST:
        raise InvalidInput({"": [say("That is too far away.")]})
    record = query.fetch(door(ctx, table), id, "update")
    names = [n for n, which in ((view.start, "start"), (view.end, "end")) if n and edge in ("", which)]
    values = {name: _shifted(ctx, table.table.by_id.get(name), record[name], days) for name in names}
    found = {name: value for name, value in values.items() if value is not None}
    _in_order(ctx, view, record, found)
    return records.change(ctx, table, id, found) if found else {}


def _shifted(ctx: Context, field: Field | None, value: Any, days: int) -> Any:
    """The same time of day so many days later: a day with a change of clocks has other than 24 hours."""
    if field is None or not isinstance(value, date):
        return None
    try:
        return (value.astimezone(ctx.zone) if isinstance(value, datetime) else value) + timedelta(days=days)
    except OverflowError:
        raise InvalidInput({field.id: [say("That is too far away.")]}) from None


def _in_order(ctx: Context, view: TimeView, record: Record, found: Mapping[str, Any]) -> None:
    if not view.end:
        return
    begins, ends = (found.get(name, record[name]) for name in (view.start, view.end))
    if isinstance(begins, date) and isinstance(ends, date) and day_of(ends, ctx) < day_of(begins, ctx):
        raise InvalidInput({view.end: [say("It would end before it begins.")]})
