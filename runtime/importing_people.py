"""Members and departments from a file: made where they are new, matched by name or e-mail where they are not."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import select, update

from runtime import models, people
from runtime.context import Context
from runtime.people import Directory
from runtime.sheets import Sheet
from schemas.errors import InvalidInput
from schemas.importing import fold_key
from schemas.messages import say

COLUMNS = ("name", "email", "phone", "title", "department", "head")
"""What a file may say of a member; `head` is the name of their department's head."""


@dataclass
class Arrivals:
    """What the file brings."""

    members: list[str] = field(default_factory=list)
    departments: list[str] = field(default_factory=list)
    known: int = 0
    skipped: list[int] = field(default_factory=list)


def import_people(ctx: Context, sheet: Sheet, columns: Mapping[str, str], dry: bool = False) -> Arrivals:
    """Make the members and departments of a file; `columns` names the heading of each of COLUMNS that it has.

    A department that a head is named for gets them as its head where it has none. Raises InvalidInput.
    """
    _refuse(sheet, columns)
    found = Arrivals()
    members = _members(ctx)
    units = {fold_key(u.name): u.id for u in Directory.of(ctx).units.values()}
    for number, row in enumerate(sheet.rows, 2):
        said = {c: str(row[h]).strip() for c, h in columns.items() if row.get(h) is not None}
        if not said.get("name"):
            found.skipped.append(number)
            continue
        unit = _unit(ctx, said.get("department", ""), units, found, dry)
        _member(ctx, said, unit, members, found, dry)
        head = said.get("head", "")
        if head:
            id = _member(ctx, {"name": head}, unit, members, found, dry)
            _lead(ctx, unit, id, dry)
    return found


def _refuse(sheet: Sheet, columns: Mapping[str, str]) -> None:
    if "name" not in columns:
        raise InvalidInput({"": [say("Choose the column with the members' names.")]})
    for column, heading in columns.items():
        if column not in COLUMNS or heading not in sheet.headings:
            raise InvalidInput({"": [say("the file has no column '{name}'", name=heading)]})


def _members(ctx: Context) -> dict[str, UUID]:
    m = models.member
    rows = ctx.conn.execute(select(m.c.id, m.c.name, m.c.email).where(m.c.left_at.is_(None)))
    return {fold_key(text): row.id for row in rows for text in (row.name, row.email) if text}


def _unit(ctx: Context, name: str, units: dict[str, UUID], found: Arrivals, dry: bool) -> UUID | None:
    key = fold_key(name)
    if not key:
        return None
    if key not in units:
        found.departments.append(name)
        units[key] = UUID(int=0) if dry else people.add_department(ctx, name)
    return units[key]


def _member(
    ctx: Context, said: Mapping[str, str], unit: UUID | None, members: dict[str, UUID], found: Arrivals, dry: bool
) -> UUID:
    known = members.get(fold_key(said.get("email", ""))) or members.get(fold_key(said["name"]))
    if known is not None:
        found.known += 1
        return known
    found.members.append(said["name"])
    facts = {k: v for k, v in said.items() if k in ("email", "phone", "title")}
    id = UUID(int=0) if dry else people.add_member(ctx, said["name"], department_id=unit, **facts)
    members[fold_key(said["name"])] = id
    return id


def _lead(ctx: Context, unit: UUID | None, head: UUID, dry: bool) -> None:
    d = models.department
    if unit is None or dry:
        return
    ctx.conn.execute(update(d).where(d.c.id == unit, d.c.head_id.is_(None)).values(head_id=head))
    Directory.of(ctx).forget()
