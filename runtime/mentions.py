"""Where records name a member or a department: found and counted, as the system sees them, for those who replace one."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Select, Uuid, func, select
from sqlalchemy.dialects.postgresql import array

from runtime import definitions, tables
from runtime.context import Context
from runtime.tables import LiveTable
from schemas.fields import Field
from schemas.fields.member import People
from schemas.fields.rows import Rows
from schemas.text import Text


@dataclass(frozen=True)
class Mention:
    """A field (`owner`, or a column `items.owner`) in which records name somebody."""

    live: LiveTable
    path: str
    field: Field

    @property
    def key(self) -> str:
        return f"{self.live.inst.slug}/{self.live.id}/{self.path}"

    @property
    def titles(self) -> tuple[Text, Text, Text]:
        """App, table and field, as people call them."""
        app, table = self.live.inst.app, self.live.table
        return (
            app.title or Text.of(app.app),
            table.title or Text.of(table.id),
            self.field.label or Text.of(self.field.id),
        )


def all_fields(ctx: Context, picks: str) -> Iterator[Mention]:
    """Every stored field of members (or of departments) in every app."""
    for inst in definitions.all_installed(ctx):
        for table in inst.app.tables:
            live = tables.live(ctx, inst, table.id)
            yield from (Mention(live, path, field) for path, field in _fields(table.fields, picks))


def _fields(fields: Iterable[Field], picks: str, prefix: str = "") -> Iterator[tuple[str, Field]]:
    for field in fields:
        if isinstance(field, People) and field.picks == picks:
            yield f"{prefix}{field.id}", field
        elif isinstance(field, Rows):
            yield from _fields(field.fields, picks, f"{field.id}.")


def count(ctx: Context, mention: Mention, id: UUID) -> int:
    """How many records name this member or department there."""
    found = _naming(mention, id).subquery()
    return ctx.conn.scalar(select(func.count()).select_from(found)) or 0


def some(ctx: Context, mention: Mention, id: UUID, limit: int, after: UUID | None = None) -> list[UUID]:
    """The first of the records that name it, oldest first, those after one."""
    t = mention.live.sql
    query = _naming(mention, id) if after is None else _naming(mention, id).where(t.c.id > after)
    return list(ctx.conn.scalars(query.order_by(t.c.id).limit(limit).with_for_update(of=t)))


def _naming(mention: Mention, id: UUID) -> Select[tuple[UUID]]:
    t = mention.live.sql
    rows, _, column = mention.path.partition(".")
    if not column:
        hit = _holds(t.c[mention.path], id)
    else:
        child = mention.live.children[rows]
        hit = t.c.id.in_(select(child.c._record_id).where(_holds(child.c[column], id)))
    return select(t.c.id).where(hit, t.c._deleted_at.is_(None))


def _holds(column: ColumnElement[UUID], id: UUID) -> ColumnElement[bool]:
    if isinstance(column.type, ARRAY):
        return column.contains(array([id], type_=Uuid()))
    return column == id
