"""Who may be chosen in a field of members or departments: those with a role, in a slot, or given by a formula."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select

from runtime import models
from runtime.answers import answering
from runtime.context import Context
from runtime.people import Directory, Person
from runtime.tables import LiveTable
from schemas.fields.member import AnyMember, People
from schemas.fields.rows import Rows
from schemas.filling import Errors
from schemas.formula import Formula, evaluate, names
from schemas.messages import say


def candidates(
    ctx: Context, live: LiveTable, found: People, values: Mapping[str, Any], rows: Rows | None = None
) -> set[UUID] | None:  # fmt: skip
    """The members or departments that may be chosen for these values of the record; None for all."""
    if not found.ranged:
        return None
    directory = Directory.of(ctx)
    chosen: set[UUID] = set()
    for role in found.roles if isinstance(found, AnyMember) else ():
        chosen |= set(directory.with_role(live.inst.id, role))
    named = [*_slots(ctx, live, found.slots), *_among(ctx, live, found.among, values, rows)]
    return chosen | set(_spread(directory, found, named))


def _slots(ctx: Context, live: LiveTable, slots: Iterable[str]) -> list[UUID]:
    s = models.slot
    return list(
        ctx.conn.scalars(select(s.c.target_id).where(s.c.installation_id == live.inst.id, s.c.slot.in_(list(slots))))
    )


def _among(
    ctx: Context, live: LiveTable, formula: Formula | None, values: Mapping[str, Any], rows: Rows | None
) -> list[UUID]:  # fmt: skip
    if formula is None:
        return []
    expression = live.analysis.expression(formula, live.analysis.scope(live.table, rows))
    given = dict(values)
    result = evaluate(expression, given, answering(ctx, live)(given, expression.needs, rows))
    return [id for id in (result if isinstance(result, list) else [result]) if isinstance(id, UUID)]


def _spread(directory: Directory, found: People, ids: Iterable[UUID]) -> Iterator[UUID]:
    """A department stands for those below it, and in a field of members for their people."""
    for id in ids:
        if id not in directory.units:
            yield id
            continue
        for unit in directory.below(id):
            yield from directory.members_of(unit) if found.picks == "member" else (unit,)


def problems(ctx: Context, live: LiveTable, values: Mapping[str, Any], before: Mapping[str, Any]) -> Errors:
    """Who has newly been chosen and may not be."""
    errors: Errors = {}
    for found, columns in live.analysis.plan(live.table).limited:
        if isinstance(found, People):
            _judge(ctx, live, found, None, found.id, values, values.get(found.id), before.get(found.id), errors)
        elif isinstance(found, Rows):
            was = {str(row.get("_id")): row for row in before.get(found.id) or () if row.get("_id")}
            for number, row in enumerate(values.get(found.id) or ()):
                old = was.get(str(row.get("_id")), {})
                for column in columns:
                    if isinstance(column, People):
                        path = f"{found.id}[{number}].{column.id}"
                        known = {**values, **row}
                        _judge(ctx, live, column, found, path, known, row.get(column.id), old.get(column.id), errors)
    return errors


def _judge(
    ctx: Context, live: LiveTable, found: People, rows: Rows | None, path: str, values: Mapping[str, Any], value: Any,
    before: Any, errors: Errors,
) -> None:  # fmt: skip
    new = _ids(value) - _ids(before)
    allowed = candidates(ctx, live, found, values, rows) if new else None
    if allowed is not None and (strangers := new - allowed):
        named = ", ".join(sorted(Directory.of(ctx).names(strangers).values()))
        errors[path] = [say("{names} cannot be chosen here.", names=named or "?")]


def _ids(value: Any) -> set[UUID]:
    return set(value) if isinstance(value, list) else {value} - {None}


def depends(live: LiveTable, found: People) -> list[str]:
    """The fields of the record that decide who may be chosen."""
    if found.among is None:
        return []
    return sorted({path[0] for path in names(found.among.tree) if path[0] in live.table.by_id})


def offered(directory: Directory, kind: str, text: str, allowed: set[UUID] | None) -> list[dict[str, str]]:
    """Members or departments for a picker, as `{id, text, note}`, at most fifty."""
    if kind == "department":
        folded = text.casefold()
        titles = {
            u: directory.title(u.id) for u in directory.offered_units() if folded in directory.path(u.id).casefold()
        }
        above = {u: directory.units[u.parent].name for u in titles if u.parent in directory.units}
        found = [(u.id, title, above.get(u, "") if title == u.name else "") for u, title in titles.items()]
    else:
        found = [(p.id, p.name, note_of(directory, p)) for p in directory.search(text, 50, allowed)]
    kept = [one for one in found if allowed is None or one[0] in allowed][:50]
    return [{"id": str(id), "text": name, "note": note} for id, name, note in kept]


def note_of(directory: Directory, person: Person) -> str:
    """What tells people of one name apart: their department, or the company of a contact outside."""
    unit = directory.units.get(person.department) if person.department else None
    return directory.title(unit.id) if unit else person.company or ""
