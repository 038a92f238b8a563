"""What publishing would do to the records that are there: counted beforehand, told in words."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Text, and_, cast, func, select, true

from runtime import conversion, query
from runtime.access import door
from runtime.context import Context
from runtime.conversion import Outcome
from runtime.definitions import Installed
from runtime.tables import LiveTable, family
from schemas.app import App
from schemas.converting import conversions, refusal
from schemas.fields import Field
from schemas.fields.choice import Choice
from schemas.messages import Message, say
from schemas.table import Table
from schemas.text import Text as Label

SAMPLES = 5


@dataclass(frozen=True)
class Consequence:
    """Something that happens to data: `severity` is error (cannot be published), warning or info."""

    severity: str
    message: Message
    samples: tuple[str, ...] = ()


def consequences(ctx: Context, inst: Installed, after: App) -> Iterator[Consequence]:
    """Everything that publishing `after` would do to the records of the published app."""
    changing = [c for c in conversions(inst.app, after) if refusal(c) is None]
    for outcome in conversion.rehearse(ctx, inst, changing):
        yield _converted(inst, outcome)
    moved = {(c.table, c.path) for c in changing}
    for live in family(ctx, inst).values():
        new = after.table(live.id)
        if new is None:
            yield from _removed_table(ctx, live)
            continue
        for field in live.table.fields:
            if field.id in live.sql.c and (live.id, field.id) not in moved:
                yield from _of_field(ctx, live, field, new.by_id.get(field.id))
        yield from _keys(ctx, live, new)


def _converted(inst: Installed, outcome: Outcome) -> Consequence:
    change, lost = outcome.change, outcome.filled - outcome.kept
    values = {"field": _name(change.old), "type": say(change.new.title), "kept": outcome.kept, "all": outcome.filled}
    if outcome.unseen:
        return _partly(outcome, values)
    if not lost:
        return Consequence("info", say("“{field}” becomes {type}: all {all} values carry over.", **values))
    message = say(
        "“{field}” becomes {type}: {kept} of {all} values carry over. The others become blank; they are kept, and return when the "
        "type is changed back.", **values,
    )  # fmt: skip
    return Consequence("warning", message, _samples(outcome))


def _partly(outcome: Outcome, values: dict[str, Any]) -> Consequence:
    """Of so many different values only the most frequent were tried."""
    message = say(
        "“{field}” becomes {type}: {kept} of the {all} values looked at carry over; {unseen} more are seen when it is done. Those "
        "that do not carry over become blank; they are kept, and return when the type is changed back.",
        unseen=outcome.unseen, **values,
    )  # fmt: skip
    lost = outcome.filled > outcome.kept
    return Consequence("warning" if lost else "info", message, _samples(outcome))


def _samples(outcome: Outcome) -> tuple[str, ...]:
    return tuple(f"{text} × {count}" if count > 1 else text for text, (count, _) in outcome.lost.items())


def _of_field(ctx: Context, live: LiveTable, old: Field, new: Field | None) -> Iterator[Consequence]:
    column = live.sql.c[old.id]
    if new is None:
        if count := _count(ctx, live, column.is_not(None)):
            yield Consequence(
                "info", say("“{field}” is removed; its values in {n} records are kept.", field=_name(old), n=count)
            )
        return
    if new.required and not old.required and (count := _count(ctx, live, column.is_(None))):
        message = say("“{field}” must be filled in from now on; in {n} records it is blank until somebody changes them.",
                      field=_name(new), n=count)  # fmt: skip
        yield Consequence("warning", message, _titles(ctx, live, column.is_(None)))
    if new.unique and not old.unique:
        yield from _repeated(ctx, live, (old,), _name(new))
    yield from _lost_options(ctx, live, old, new)


def _keys(ctx: Context, live: LiveTable, new: Table) -> Iterator[Consequence]:
    known = {key.fields for key in live.table.keys}
    for key in new.keys:
        fields = [f for id in key.fields if (f := live.table.by_id.get(id)) and f.id in live.sql.c]
        if key.fields not in known and len(fields) == len(key.fields):
            yield from _repeated(ctx, live, tuple(fields), Label.of(" + ".join(str(_name(f)) for f in fields)))


def _repeated(ctx: Context, live: LiveTable, fields: tuple[Field, ...], name: Any) -> Iterator[Consequence]:
    columns = [live.sql.c[f.id] for f in fields]
    keys = [func.lower(cast(c, Text)) for c in columns]
    filled = and_(live.sql.c._deleted_at.is_(None), *(c.is_not(None) for c in columns))
    grouped = (
        select(func.min(cast(columns[0], Text)).label("text"), func.count().label("n")).where(filled).group_by(*keys)
    )
    twice = grouped.having(func.count() > 1).subquery()
    count = ctx.conn.scalar(select(func.count()).select_from(twice)) or 0
    if count:
        rows = ctx.conn.execute(select(twice).order_by(twice.c.n.desc()).limit(SAMPLES))
        samples = tuple(f"{row.text} × {row.n}" for row in rows)
        message = say(
            "“{field}” cannot become unique: {n} values stand in several records. Change those first.",
            field=name,
            n=count,
        )
        yield Consequence("error", message, samples)


def _lost_options(ctx: Context, live: LiveTable, old: Field, new: Field) -> Iterator[Consequence]:
    if not isinstance(old, Choice) or not isinstance(new, Choice):
        return
    column, there = live.sql.c[old.id], {o.id for o in new.options}
    for gone in (o for o in old.options if o.id not in there):
        uses = column.contains([gone.id]) if isinstance(column.type, ARRAY) else column == gone.id
        if count := _count(ctx, live, uses):
            message = say("The option “{option}” of “{field}” is removed, but {n} records have it; hide it instead to keep its name.",
                          option=gone.label or Label.of(gone.id), field=_name(old), n=count)  # fmt: skip
            yield Consequence("warning", message)


def _removed_table(ctx: Context, live: LiveTable) -> Iterator[Consequence]:
    if count := _count(ctx, live, true()):
        yield Consequence(
            "info",
            say(
                "“{table}” is removed; its {n} records are kept.", table=live.table.title or Label.of(live.id), n=count
            ),
        )


def _count(ctx: Context, live: LiveTable, condition: ColumnElement[bool]) -> int:
    t = live.sql
    return ctx.conn.scalar(select(func.count()).select_from(t).where(t.c._deleted_at.is_(None), condition)) or 0


def _titles(ctx: Context, live: LiveTable, condition: ColumnElement[bool]) -> tuple[str, ...]:
    gate = door(ctx, live)
    rows = (
        select(query.title_sql(gate))
        .where(gate.rows(), condition)
        .order_by(live.sql.c.created_at.desc())
        .limit(SAMPLES)
    )
    return tuple(t for t in ctx.conn.scalars(rows) if t)


def _name(field: Field) -> Label:
    return field.label or Label.of(field.id)


def present_texts(ctx: Context, live: LiveTable, field: Field, most: int) -> list[str]:
    """The different texts that a field holds, the most frequent first; none where there are more than `most`."""
    column = live.sql.c.get(field.id)
    if column is None or not isinstance(column.type, Text):
        return []
    rows = select(column).where(live.sql.c._deleted_at.is_(None), column.is_not(None)).group_by(column)
    texts = list(ctx.conn.scalars(rows.order_by(func.count().desc(), column).limit(most + 1)))
    return texts if len(texts) <= most else []
