"""What a calculated field tells readers of the fields it is calculated from: stored values are the same for everybody.

A right that names the field says that this is meant; `*`, or no list of fields at all, does not.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from schemas.access import SEES, Who
from schemas.errors import Problem
from schemas.fields import Field
from schemas.fields.formula import Computed
from schemas.fields.lookup import Lookup
from schemas.fields.query import Query
from schemas.fields.rollup import Rollup
from schemas.fields.rows import Rows
from schemas.messages import Message, say
from schemas.rights import Opening
from schemas.table import Table

if TYPE_CHECKING:
    from schemas.analysis import Analysis

MOST_NAMED = 3


def disclosures(analysis: "Analysis") -> Iterator[Problem]:
    """A warning for each reader of a calculated field who may not see all that it is calculated from."""
    given = [(g, w) for g in analysis.app.access for w in g.who if not g.off and "read" in g.do]
    readers = list(dict.fromkeys(w for _, w in given if not w.flow))
    for n, table in enumerate(analysis.app.tables):
        for m, field in enumerate(table.fields):
            for path, computed, row in _computed(field, f"tables[{n}].fields[{m}]"):
                for who in readers:
                    yield from _told(analysis, table, computed, row, who, path)


def _computed(field: Field, path: str) -> Iterator[tuple[str, Computed, Rows | None]]:
    """Calculations that are the same for everybody: no lookup, and no rollup that each reader has for themselves."""
    if isinstance(field, Rows):
        for k, column in enumerate(field.fields):
            yield from ((f"{path}.fields[{k}]", found, field) for _, found, _ in _computed(column, ""))
    elif isinstance(field, Computed) and not isinstance(field, Lookup | Query) and not _per_reader(field):
        yield path, field, None


def _per_reader(field: Field) -> bool:
    return isinstance(field, Rollup) and field.per_reader


def _told(
    analysis: "Analysis", table: Table, field: Computed, row: Rows | None, who: Who, path: str
) -> Iterator[Problem]:
    own = f"{row.id}.{field.id}" if row else field.id
    if not _reads(analysis, who, table.id, own) or _meant(analysis, who, table.id, own):
        return
    hidden = {
        (i.table, i.field)
        for i in analysis.inputs(table, field, row)
        if _field_of(analysis, i.table, i.field) and not _reads(analysis, who, i.table, i.field)
    }
    if hidden:
        yield Problem(path, _sentence(analysis, who, [_named(analysis, *place) for place in sorted(hidden)]), "warning")


def _sentence(analysis: "Analysis", who: Who, fields: list[str]) -> Message:
    listed = ", ".join(fields[:MOST_NAMED]) + (" …" if len(fields) > MOST_NAMED else "")
    if who.everyone or who.external:
        return say(
            "Everyone may see this field, but not what it is calculated from ({fields}). Hide it from them, or name it in "
            "their rights if that is meant.",
            fields=listed,
        )
    titles = {r.id: r.title for r in analysis.app.roles} | {s.id: s.title for s in analysis.app.slots}
    id = who.role or who.slot or who.link or who.token or ""
    return say(
        "{who} may see this field, but not what it is calculated from ({fields}). Hide it from them, or name it in their "
        "rights if that is meant.",
        who=str(titles.get(id) or "") or id,
        fields=listed,
    )


def _field_of(analysis: "Analysis", table_id: str, path: str) -> object:
    table = analysis.app.table(table_id)
    return table.field(path) if table else None


def _openings(analysis: "Analysis", who: Who, table: str) -> Iterator[Opening]:
    """Where a reader may read of a table: by their own rights, and if they are members by everybody's."""
    member = not (who.external or who.link or who.token)
    for opening in analysis.app.openings(table):
        if "read" in opening.actions and any(w == who or (w.everyone and member) for w in opening.grant.who):
            yield opening


def _reads(analysis: "Analysis", who: Who, table: str, path: str) -> bool:
    return any(SEES[o.right(path)] == SEES["read"] for o in _openings(analysis, who, table))


def _meant(analysis: "Analysis", who: Who, table: str, path: str) -> bool:
    """Whether a right gives this very field to the reader."""
    named = ((o.grant.fields or {}).get(path, "hidden") for o in _openings(analysis, who, table))
    return any(SEES[right] == SEES["read"] for right in named)


def _named(analysis: "Analysis", table_id: str, path: str) -> str:
    table = analysis.app.table(table_id)
    field = table.field(path) if table else None
    return f"{table.title or table.id} › {field.label or path}" if table and field else path
