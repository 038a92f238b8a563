"""An app's records as the files of a package, in the form of sample data, so that they come along when it is installed.

People are named by key with their e-mail address; where a package is installed those known there are found again, the
others are added without a sign-in. What is calculated or numbered is worked out anew; attachments do not come along.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from runtime import audit, definitions, query, sample
from runtime.access import door
from runtime.context import Context
from runtime.people import Directory
from runtime.tables import LiveTable, live
from schemas.app import App
from schemas.fields import Field
from schemas.fields.file import File
from schemas.fields.link import Link
from schemas.fields.rows import Rows
from schemas.fields.signature import Signature
from schemas.numbers import plain

Files = dict[str, Any]
BATCH = 500


def export(ctx: Context, slug: str) -> Files:
    """What the files of an app's data hold, by their names: everything that the actor may read."""
    inst = definitions.installed(ctx, slug)
    directory = Directory.of(ctx)
    keys = _Keys(directory)
    tables = _ordered(inst.app)
    lives = [live(ctx, inst, id) for id in tables]
    records = {one.id: list(_records(ctx, one)) for one in lives}
    for table, found in records.items():
        keys.records |= {record.id: f"{table}_{n}" for n, record in enumerate(found, 1)}
    files: Files = {
        f"{one.id}.json": [{"@key": keys.records[r.id], **dict(_entry(one, r.values, keys))} for r in records[one.id]]
        for one in lives
    }
    audit.note(ctx, "data.exported", slug, inst.id, n=len(keys.records))
    return {sample.INDEX: keys.index(ctx, tables), **files}


def _ordered(app: App) -> list[str]:
    """The tables, those that others point to first; in a circle as they stand."""
    ordered: list[str] = []
    left = {
        t.id: {f.table for f in _fields(t.fields) if isinstance(f, Link)} & {o.id for o in app.tables}
        for t in app.tables
    }
    while left:
        free = [id for id, needs in left.items() if not (needs - {id, *ordered})] or [next(iter(left))]
        ordered.append(free[0])
        del left[free[0]]
    return ordered


def _fields(fields: Sequence[Field]) -> Iterator[Field]:
    for field in fields:
        yield field
        if isinstance(field, Rows):
            yield from field.fields


def _records(ctx: Context, table: LiveTable) -> Iterator[query.Record]:
    """Every record, in the order in which they were made."""
    gate = door(ctx, table)
    ids = query.ids(gate, query.Listing(sort=["created_at"], size=1_000_000))
    for start in range(0, len(ids), BATCH):
        some = ids[start : start + BATCH]
        found = query.fetch_many(gate, some)
        yield from (found[id] for id in some if id in found)


def _entry(table: LiveTable, values: Mapping[str, Any], keys: "_Keys") -> Iterator[tuple[str, Any]]:
    for field in table.table.fields:
        value = values.get(field.id)
        if value in (None, []) or not _travels(field):
            continue
        if isinstance(field, Rows):
            yield (
                field.id,
                [
                    {
                        c.id: keys.told(c, row[c.id])
                        for c in field.fields
                        if row.get(c.id) not in (None, []) and _travels(c)
                    }
                    for row in value
                ],
            )
        elif (told := keys.told(field, value)) not in (None, []):
            yield field.id, told


def _travels(field: Field) -> bool:
    return not field.computed and not isinstance(field, File | Signature)


class _Keys:
    """What people, departments and records are called in the package."""

    def __init__(self, directory: Directory) -> None:
        self.directory = directory
        self.members: dict[UUID, str] = {}
        self.units: dict[UUID, str] = {}
        self.records: dict[UUID, str] = {}

    def told(self, field: Field, value: Any) -> Any:
        if isinstance(value, list):
            return [one for v in value if (one := self.told(field, v)) is not None]
        if isinstance(value, UUID):
            return self._key(field, value)
        if isinstance(value, Decimal):
            return plain(value)
        if isinstance(value, datetime | date):
            return field.dump(value) if not isinstance(field.dump(value), date) else value.isoformat()
        return field.dump(value)

    def _key(self, field: Field, id: UUID) -> str | None:
        """`None` for what does not come along: a record that is not read, somebody who is not there any more."""
        kind = field.value_type()
        known = {"member": self.members, "department": self.units}.get((kind.of or kind).kind)
        if known is None:
            return f"@{self.records[id]}" if id in self.records else None
        there = id in self.directory.units if known is self.units else bool(self.directory.names([id]))
        if not there:
            return None
        return "@" + known.setdefault(id, f"{'m' if known is self.members else 'd'}{len(known) + 1}")

    def index(self, ctx: Context, tables: Iterable[str]) -> dict[str, Any]:
        persons = self.directory.persons(self.members)
        return {
            "departments": [*self._chain()],
            "members": [
                {"key": key, "name": persons[id].name, "email": persons[id].email or f"{key}@nowhere.invalid"}
                for id, key in self.members.items()
            ],
            "tables": [*tables],
        }

    def _chain(self) -> Iterator[dict[str, Any]]:
        """The departments with those above them, the highest first: so they are found again where they are known."""
        units, wanted = self.directory.units, list(self.units)
        for id in wanted:
            above = units[id].parent if id in units else None
            if above is not None and above not in self.units:
                self.units[above] = f"d{len(self.units) + 1}"
                wanted.append(above)
        for id in sorted(self.units, key=lambda id: len([*self._above(id)])):
            parent = units[id].parent
            yield {"key": self.units[id], "name": units[id].name, **({"parent": self.units[parent]} if parent else {})}

    def _above(self, id: UUID) -> Iterator[UUID]:
        parent = self.directory.units[id].parent
        if parent is not None:
            yield parent
            yield from self._above(parent)
