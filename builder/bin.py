"""What has been deleted from an app and can be brought back: found in its revisions, which keep every definition.

A table's records and a field's values stay in storage, so that what is restored comes back with its data.
"""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from builder import changes, drafts, grants
from builder.differences import THINGS
from builder.drafts import Draft
from builder.parts import KINDS, Json, Parts, put, split
from runtime import definitions, purging
from runtime.context import Context
from runtime.people import Directory
from schemas.errors import NotFound
from schemas.messages import Message, say
from schemas.text import Text

FIELD = "field"
LOOKED_AT = 100
"""Revisions that are looked through, the newest first."""


@dataclass(frozen=True)
class Deleted:
    """Something that is in the bin: an object by its kind and id, or a field as `table.field`.

    `number` is the revision that had it last (0 where only the draft had it), `records` what data waits for it.
    """

    kind: str
    id: str
    title: Text
    word: Message
    number: int
    item: Json
    at: datetime | None = None
    by: str = ""
    of: Text = Text()
    records: int | None = None

    @property
    def key(self) -> str:
        return f"{self.kind}/{self.id}"


def contents(ctx: Context, draft: Draft) -> list[Deleted]:
    """What can be brought back, the latest deletion first."""
    now = draft.parts
    rows = definitions.revisions(ctx, draft.kept.installation, None, LOOKED_AT)
    names = Directory.of(ctx).names(row.published_by for row in rows if row.published_by)
    purged = purging.purged(ctx, draft.kept.installation)
    found: dict[str, Deleted] = {}
    for n, row in enumerate(rows):
        since = rows[n - 1] if n else None
        facts = {"at": since.published_at, "by": names.get(since.published_by, "")} if since else {}
        for one in _missing(now, split(row.package), row.number, facts):
            if one.key not in found and purged.get(one.id, 0) < row.number:
                found[one.key] = one
    for one in _unpublished(now):
        found.setdefault(one.key, one)
    listed = [one if one.kind != "tables" else _counted(ctx, draft, one) for one in found.values()]
    return sorted(listed, key=lambda one: one.number, reverse=True)


def _missing(now: Parts, then: Parts, number: int, facts: Mapping[str, Any]) -> Iterator[Deleted]:
    """What an earlier revision has and the draft has not; rights come back with what they are about."""
    for kind in KINDS:
        for id in then[f"order/{kind}"] if kind != "access" else ():
            item = then[f"{kind}/{id}"]
            if f"{kind}/{id}" not in now:
                yield Deleted(kind, id, _name(item), THINGS[kind], number, item, **facts)
            elif kind == "tables":
                yield from _fields(now[f"tables/{id}"], item, number, facts)


def _fields(now: Json, then: Json, number: int, facts: Mapping[str, Any]) -> Iterator[Deleted]:
    there = {f["id"] for f in now["fields"]}
    for field in then["fields"]:
        if field["id"] not in there:
            key = f"{then['id']}.{field['id']}"
            yield Deleted(FIELD, key, _name(field), say("field"), number, field, of=_name(now), **facts)


def _unpublished(now: Parts) -> Iterator[Deleted]:
    """Fields that were made and deleted since the last publication."""
    for table, kept in now.get("bin", {}).items():
        if f"tables/{table}" in now:
            fields = [b["field"] for b in kept]
            yield from _fields(now[f"tables/{table}"], {"id": table, "fields": fields}, 0, {})


def _counted(ctx: Context, draft: Draft, one: Deleted) -> Deleted:
    return replace(one, records=purging.records_of(ctx, draft.kept.installation, one.id))


def _name(item: Mapping[str, Any]) -> Text:
    return Text.of(item.get("title") or item.get("label") or item["id"])


def one_of(ctx: Context, draft: Draft, key: str) -> Deleted:
    """Raises NotFound."""
    found = next((one for one in contents(ctx, draft) if one.key == key), None)
    if found is None:
        raise NotFound
    return found


def restore(ctx: Context, slug: str, counter: int | None, key: str) -> Deleted:
    """Bring something back into the draft, with what belongs to it. Raises NotFound, Conflict."""
    draft = drafts.open_draft(ctx, slug)
    found = one_of(ctx, draft, key)
    then = split(definitions.package(ctx, draft.kept.installation, found.number)) if found.number else Parts()
    words = say("Brought back {thing} {name}", thing=found.word, name=found.title)
    drafts.edit(ctx, slug, counter, words, lambda parts: brought_back(parts, then, found))
    return found


def brought_back(parts: Parts, then: Parts, found: Deleted) -> Parts:
    """The parts with a deleted thing among them again. Raises NotFound when its table is gone."""
    made: Parts = deepcopy(parts)
    if found.kind == FIELD:
        return _field_back(made, found)
    table = found.item.get("table")
    if table and f"tables/{table}" not in made:
        _table_back(made, then, table)
    if found.kind == "tables":
        _table_back(made, then, found.id)
    elif f"{found.kind}/{found.id}" not in made:
        put(made, found.kind, deepcopy(found.item))
        singular = found.kind.removesuffix("s")
        _rights_back(made, then, lambda about: about == (singular, found.id))
    _entries_back(made, then)
    return made


def _table_back(made: Parts, then: Parts, table: str) -> None:
    """A table with its forms, views and rights."""
    if f"tables/{table}" not in then:
        raise NotFound
    put(made, "tables", deepcopy(then[f"tables/{table}"]))
    for kind in ("forms", "views", "flows", "documents"):
        for id in then.get(f"order/{kind}") or ():
            item = then[f"{kind}/{id}"]
            if f"{kind}/{id}" not in made and _about(item) == table:
                put(made, kind, deepcopy(item))
    _rights_back(made, then, lambda about: grants.table_of(made, *about) == table)


def _about(item: Json) -> Any:
    return item.get("table") or (item.get("trigger") or {}).get("table")


def _rights_back(made: Parts, then: Parts, wanted: Any) -> None:
    for id in then.get("order/access") or ():
        grant = then[f"access/{id}"]
        if f"access/{id}" not in made and wanted(grants.about(grant)):
            put(made, "access", deepcopy(grant))


def _entries_back(made: Parts, then: Parts) -> None:
    """Lines of the navigation that led to what is there again."""
    listed = made["manifest"].setdefault("navigation", [])
    present = {_line(e) for e in _flat(listed)}
    for entry in _flat((then.get("manifest") or {}).get("navigation") or []):
        line = _line(entry)
        if line and line not in present and f"{line[0]}s/{line[1]}" in made:
            listed.append(deepcopy(entry))


def _flat(entries: list[Json]) -> Iterator[Json]:
    for entry in entries:
        yield from _flat(entry["items"]) if "items" in entry else [entry]


def _line(entry: Json) -> tuple[str, str] | None:
    return next(((k, entry[k]) for k in ("view", "form", "dashboard") if k in entry), None)


def _field_back(made: Parts, found: Deleted) -> Parts:
    table, _, id = found.id.partition(".")
    kept = made["bin"].setdefault(table, [])
    if not any(b["field"]["id"] == id for b in kept):
        kept.append({"field": deepcopy(found.item)})
    form = next((f for f in made["order/forms"] if made[f"forms/{f}"].get("table") == table), None)
    if form is not None:
        return changes.restore_field(made, form, id)
    made["bin"][table] = [b for b in kept if b["field"]["id"] != id]
    made[f"tables/{table}"]["fields"].append(deepcopy(found.item))
    return made


def purge(ctx: Context, slug: str, key: str) -> Deleted:
    """Delete for good what waits for something in the bin. Raises NotFound where the published app still has it."""
    draft = drafts.open_draft(ctx, slug)
    found = one_of(ctx, draft, key)
    table, _, field = found.id.partition(".")
    inst = definitions.installed(ctx, slug)
    here = inst.app.table(table)
    if found.kind not in (FIELD, "tables") or (here is not None and (not field or field in here.by_id)):
        raise NotFound
    purging.purge(ctx, inst, found.id, str(found.title) or found.id)
    if field:
        drafts.edit(
            ctx,
            slug,
            None,
            say("Deleted field {name} for good", name=found.title),
            lambda p: _unbinned(p, table, field),
        )
    return found


def _unbinned(parts: Parts, table: str, field: str) -> Parts:
    made: Parts = deepcopy(parts)
    made["bin"][table] = [b for b in made["bin"].get(table, []) if b["field"]["id"] != field]
    return made
