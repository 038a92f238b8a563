"""Search: which records hold some words where the actor may read them."""

from sqlalchemy import ColumnElement, and_, cast, false, func, literal, or_, select
from sqlalchemy import Text as SqlText
from sqlalchemy.dialects.postgresql import array

from runtime.access import Door
from runtime.bigrams import bigrams, like
from schemas.fields import Storage
from schemas.fields.choice import Choice
from schemas.fields.rows import Rows

LONGEST_SEARCH = 200


def found_by(gate: Door, text: str) -> ColumnElement[bool]:
    """Candidates by their bigrams, then a second look at the columns that the actor may read."""
    t, source = gate.live.sql, gate.source()
    pattern = like(text)
    hits: list[ColumnElement[bool]] = []
    for found in gate.live.table.fields:
        if not gate.readable(found.id) or found.id not in t.c:
            continue
        if isinstance(found, Choice):
            matching = [
                o.id for o in found.options if text.casefold() in " ".join(o.label.by_language.values()).casefold()
            ]
            column = source.column(found.id)
            if found.other:
                listed = func.array_to_string(column, ", ") if found.several else column
                hits.append(listed.ilike(pattern))
            if matching:
                hits.append(column.op("&&")(array(matching, type_=SqlText)) if found.several else column.in_(matching))
        elif found.facets:
            hits.append(source.column(f"{found.id}.{found.searched}").ilike(pattern))
        elif gate.live.analysis.storage_of(gate.live.table, found) is Storage.TEXT:
            hits.append(source.column(found.id).ilike(pattern))
    hits.extend(_search_rows(gate, rows, pattern) for rows in gate.live.table.subforms if gate.readable(rows.id))
    words = gate.live.words
    holding = words.c.bigrams.contains(cast(array(sorted(bigrams(text))), words.c.bigrams.type))
    return and_(t.c.id.in_(select(words.c.record_id).where(holding)), or_(false(), *hits))


def _search_rows(gate: Door, rows: Rows, pattern: str) -> ColumnElement[bool]:
    child = gate.live.children[rows.id]
    texts = [
        c.id
        for c in rows.fields
        if c.storage is Storage.TEXT and gate.readable(f"{rows.id}.{c.id}") and c.id in child.c
    ]
    if not texts:
        return false()
    hit = or_(*(gate.mask(f"{rows.id}.{c}", child.c[c], gate.live.sql).ilike(pattern) for c in texts))
    return select(literal(1)).where(child.c._record_id == gate.live.sql.c.id, hit).exists()
