"""A record as a drawer or a page: details, related records, history; deleting and restoring."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple
from uuid import UUID

from flask import Blueprint, current_app, make_response, redirect, render_template, request

from runtime import comments, documents, earlier, flows, history, listing, pressing, query, recalculate, records, tokens
from runtime import related as related_fields
from runtime.access import door, form_for, may_share, views_for
from runtime.actors import Member
from runtime.answers import answering
from runtime.context import Context
from runtime.query import Listing, Record
from runtime.render import Binder, BoundBlock, BoundField, Names, lay_out
from runtime.tables import LiveTable, live
from runtime.web.edge import go, is_fragment, local_url, record_id, table, tell, work, worked
from runtime.web.frame import frame
from schemas import rules
from schemas.access import SEES
from schemas.errors import NotFound
from schemas.fields import Field
from schemas.fields.button import Button
from schemas.fields.link import Link
from schemas.fields.query import Query
from schemas.fields.rows import Rows
from schemas.form import Block, Form
from schemas.masking import mask_of
from schemas.messages import say
from schemas.table import Table
from schemas.text import Text

bp = Blueprint("records", __name__)
RELATED = 20
MOST_AT_ONCE = 1_000


@bp.get("/a/<app>/t/<table_id>/<record>")
def show(app: str, table_id: str, record: str) -> Any:
    with work() as ctx:
        source = table(ctx, app, table_id)
        gate = door(ctx, source)
        trash = request.args.get("trash") == "1"
        found = query.fetch(gate, record_id(record), "read" if not trash else "delete", trash=trash)
        prints = not trash and _may(ctx, source, found.id, "print")
        then = request.args.get("form") == "then" and not trash
        made = earlier.as_made(ctx, source, found) if then else None
        blocks = details(ctx, made.table, made.record, made.form) if made else details(ctx, source, found)
        values = {
            "then": then, "offers_then": not trash and not then and earlier.offered(ctx, source, found.id),
            "inst": source.inst, "live": source, "record": found, "title": found.title or _table_title(source), "trash": trash,
            "recalculating": recalculate.pending(ctx, source), "maker": _maker(ctx, source, found),
            "share_url": _share_url(ctx, source, found, trash),
            "blocks": blocks, "related": related(ctx, source, found.id),
            "edit_url": _edit_url(ctx, source, found, trash), "copy_url": _copy_url(ctx, source, found, trash),
            "may_delete": _may(ctx, source, found.id, "delete"), "may_print": prints,
            "print_templates": [d for d in documents.templates(ctx, source) if documents.fits(ctx, source, found, d)] if prints else [],
            "why_url": f"/build/{app}/rights/why?table={table_id}&record={found.id}" if _builds(ctx) else "",
            "may_comment": (commented := not trash and _may(ctx, source, found.id, "comment")),
            "comments": comments.count(ctx, source, found.id) if commented else 0,
            "may_history": gate.may("history") or gate.free, "flow": flows.of_record(ctx, source, found.id),
            "url": f"/a/{app}/t/{table_id}/{found.id}", "back": _list_url(ctx, source),
        }  # fmt: skip
        if is_fragment():
            return make_response(render_template("runtime/_record_drawer.html", **values))
        frame(ctx, source.inst, _list_url(ctx, source))
        return render_template("runtime/record.html", **values)


def _maker(ctx: Context, source: LiveTable, found: Record) -> str:
    """Who or what made the record."""
    names = Names(ctx, source)
    names.people |= {id for id in (found.system["created_by"],) if id}
    return next(iter(names.found().values()), "")


def _share_url(ctx: Context, source: LiveTable, found: Record, trash: bool) -> str:
    """Where a public link to the record is made, for those who may."""
    if trash or not may_share(ctx, source.inst, "record", source.id, found.id):
        return ""
    return f"/a/{source.inst.slug}/links/new?kind=record&target={source.id}&record={found.id}"


def _builds(ctx: Context) -> bool:
    return isinstance(ctx.actor, Member) and ctx.actor.admin


def _table_title(source: LiveTable) -> str:
    return str(source.table.title or source.id)


def _list_url(ctx: Context, source: LiveTable) -> str:
    views = views_for(ctx, source.inst, source.id)
    return f"/a/{source.inst.slug}/v/{views[0].id}/" if views else f"/a/{source.inst.slug}/"


def _may(ctx: Context, source: LiveTable, id: UUID, action: str) -> bool:
    gate = door(ctx, source)
    return gate.may(action) and query.allowed(gate, id, action)


def _edit_url(ctx: Context, source: LiveTable, found: Record, trash: bool) -> str:
    if trash or not _may(ctx, source, found.id, "update"):
        return ""
    form = form_for(ctx, source.inst, source.id, "update")
    return f"/a/{source.inst.slug}/f/{form.id}/{found.id}" if form else ""


def _copy_url(ctx: Context, source: LiveTable, found: Record, trash: bool) -> str:
    """The form for a new record that begins as this one."""
    form = form_for(ctx, source.inst, source.id)
    return f"/a/{source.inst.slug}/f/{form.id}/new?_copy={found.id}" if form and not trash else ""


def details(ctx: Context, source: LiveTable, found: Record, made: Form | None = None) -> list[BoundBlock]:
    """The fields that the reader may see, laid out as in the table's form; what the form leaves out comes last.

    What the form's rules hide is left out where it is blank; a value that is there stays in sight. `made` is the form
    of an earlier revision, of which only the layout counts.
    """
    names = Names(ctx, source)
    fields = source.table.fields
    names.note(fields, found.values)
    names.people |= {p for p in (found.system["created_by"], found.system["updated_by"]) if p}
    binder = Binder(ctx, source, names.reader(), found.id, None, names.kept_files() if names.files else {})
    form = made or source.inst.app.form_of(source.id)
    hidden = set() if made else _hidden_blanks(ctx, source, form, found)
    bound = {
        id: _bound(binder, source, found, id)
        for id in source.table.by_id
        if found.rights.get(id) != "hidden" and id not in hidden and not _unoffered(source.table.by_id[id], found)
    }
    if any(isinstance(b.field, Query) for b in bound.values()):
        shown = related_fields.queries(ctx, source, {**found.system, **found.values}, found.id)
        bound = {id: replace(b, related=shown.get(id)) for id, b in bound.items()}
    blocks = lay_out(form, bound.get, hidden)
    rest = [b for id, b in bound.items() if id not in form.placed]
    title = Text.of({"zh": "其他", "en": "More"}) if blocks else Text()
    return [*blocks, BoundBlock(Block(section=title), [[b] for b in rest], place="rest")] if rest else blocks


def _unoffered(field: Field, found: Record) -> bool:
    return isinstance(field, Button) and (found.values.get(field.id) is not True or "record" not in field.show_in)


def _hidden_blanks(ctx: Context, source: LiveTable, form: Form, found: Record) -> set[str]:
    """The fields without a value, and the notes and dividers, that the form's rules hide for this record."""
    if not form.rules:
        return set()
    values = {**found.system, **found.values}
    state = rules.state_of(source.analysis, source.table, form, values, answering(ctx, source, found.id))
    fields = {id for id in state.hidden if values.get(id) is None}
    return {id for id in fields if all(f in fields for f in form.parts.get(id, ()))}


def _bound(binder: Binder, source: LiveTable, found: Record, id: str) -> BoundField:
    field = source.table.by_id[id]
    value = found.values.get(id)
    if isinstance(field, Rows):
        return binder.bind_rows(field, value, readonly=True, rights=found.rights)
    return binder.bind(field, value, readonly=True, masked=found.masked.get(id, ""))


def related(ctx: Context, source: LiveTable, id: UUID) -> list[dict[str, Any]]:
    """The tables that link here with a reverse side, for those who may read them."""
    found = []
    for other in source.family.values():
        for link in other.table.fields:
            if isinstance(link, Link) and link.table == source.id and link.reverse is not None:
                gate = door(ctx, other)
                if gate.may("read") and gate.readable(link.id):
                    label = link.reverse.label or other.table.title or Text.of(other.id)
                    url = f"/a/{source.inst.slug}/t/{source.id}/{id}/related/{other.id}/{link.id}"
                    found.append(
                        {
                            "id": f"{other.id}-{link.id}",
                            "label": label,
                            "url": url,
                            "count": query.count_linked(gate, link.id, id),
                        }
                    )
    return found


@bp.get("/a/<app>/t/<table_id>/<record>/related/<other>/<link>")
def related_records(app: str, table_id: str, record: str, other: str, link: str) -> Any:
    """The records of another table that link to this one."""
    with work() as ctx:
        source = table(ctx, app, table_id)
        parent = query.fetch(door(ctx, source), record_id(record))
        there = live(ctx, source.inst, other)
        field = there.table.by_id.get(link)
        gate = door(ctx, there)
        if not isinstance(field, Link) or field.table != source.id or not gate.may("read") or not gate.readable(link):
            raise NotFound
        wanted = (
            field.reverse.columns if field.reverse and field.reverse.columns else listing.default_columns(there)[:6]
        )
        columns = gate.shown([c for c in wanted if c != link])
        found = query.linked(gate, Listing(columns, size=RELATED), link, parent.id)
        reader = listing.reader_of(ctx, there, found, columns)
        form = form_for(ctx, source.inst, other)
        return render_template(
            "runtime/_related.html", body=listing.draw_rows(gate, found, columns, reader), count=len(found),
            heads=[(c, listing.label_of(there, c), _numeric(there, c)) for c in columns],
            new_url=f"/a/{app}/f/{form.id}/new?{link}={parent.id}" if form else "",
        )  # fmt: skip


def _numeric(source: LiveTable, path: str) -> bool:
    field = source.table.by_id.get(path)
    return bool(field and source.analysis.type_of(source.table, field).kind == "number")


def _row() -> UUID | None:
    """The row of a subform in which a button was pressed."""
    return record_id(request.args["row"]) if request.args.get("row") else None


@bp.get("/a/<app>/t/<table_id>/<record>/press/<path>")
def open_form(app: str, table_id: str, record: str, path: str) -> Any:
    """A button that opens a form with values from the record."""
    with work() as ctx:
        source = table(ctx, app, table_id)
        url = pressing.press(ctx, source, record_id(record), path, "form", str(current_app.secret_key), _row())
    return redirect(url, 303)


@bp.post("/a/<app>/t/<table_id>/<record>/press/<path>")
def press(app: str, table_id: str, record: str, path: str) -> Any:
    """A button that starts a flow."""

    def story(ctx: Context) -> str:
        return pressing.press(ctx, table(ctx, app, table_id), record_id(record), path, "flow", "", _row())

    url = worked(story)
    tell(say("Started."), "good")
    return go(url)


@bp.get("/a/<app>/t/<table_id>/<record>/history")
def past(app: str, table_id: str, record: str) -> Any:
    """Who changed what and when; fields that the reader may not see are left out."""
    with work() as ctx:
        source = table(ctx, app, table_id)
        gate = door(ctx, source)
        gate.require("history")
        found = query.fetch(gate, record_id(record))
        entries = history.of_record(ctx, source, found.id)
        then = earlier.tables_at(ctx, source, {e.revision for e in entries if e.revision})
        unknown = {id for e in entries for id in e.changes if id not in source.table.by_id}
        lost = earlier.gone(ctx, source, found.id, unknown) if unknown else {}
        told = [_told(ctx, source, found, e, then.get(e.revision or 0), lost) for e in entries]
        return render_template("runtime/_history.html", entries=told)


class Told(NamedTuple):
    """A change of a field, by the name that it had then."""

    label: Text
    before: str
    after: str
    now: Text
    """What it is called now, if that is something else."""
    gone: bool


def _shown_columns(field: Any, value: Any, found: Record) -> Any:
    """A subform's rows without the columns that are hidden from the reader; any other value as it is."""
    if not isinstance(field, Rows):
        return value
    hidden = {c.id for c in field.fields if SEES[found.rights.get(f"{field.id}.{c.id}", "hidden")] < 2}
    return [{k: v for k, v in row.items() if k not in hidden} for row in value or ()]


def _told(
    ctx: Context, source: LiveTable, found: Record, entry: history.Entry, then: Table | None, lost: Mapping[str, earlier.Gone],
) -> dict[str, Any]:  # fmt: skip
    """An entry in the words of the revision it was written under, with the fields that are gone since."""
    names = Names(ctx, source)
    changes = []
    old = then.by_id if then else {}
    fields = [
        *(
            earlier.as_then(old.get(f.id), f)
            for f in source.table.fields
            if f.id in entry.changes and found.rights.get(f.id) != "hidden"
        ),
        *(replace(one.plain, label=old.get(id, one.field).label) for id, one in lost.items() if id in entry.changes),
    ]
    rights = {**found.rights, **dict.fromkeys(lost, "read")}
    sides = [{f.id: history.read_value(source, f, entry.changes[f.id][n]) for f in fields} for n in (0, 1)]
    sides = [{f.id: _shown_columns(f, side[f.id], found) for f in fields} for side in sides]
    fields = [f for f in fields if sides[0][f.id] != sides[1][f.id]]
    masked = {f.id for f in fields if SEES[rights[f.id]] == 1}
    for side in sides:
        names.note([f for f in fields if f.id not in masked], side)
    names.people |= {entry.actor_id} if entry.actor_id else set()
    reader = names.reader()
    for field in fields:
        before, after = (
            mask_of(field, side[field.id]) if field.id in masked else field.show(side[field.id], reader)
            for side in sides
        )
        now = source.table.by_id.get(field.id)
        label = field.label or Text.of(field.id)
        renamed = now is not None and now.label != field.label and now.label
        changes.append(Told(label, before, after, now.label if now and renamed else Text(), now is None))
    named = tokens.names(ctx, {entry.actor_id}) if entry.actor_kind == "token" and entry.actor_id else reader.names
    who = named.get(entry.actor_id, "") if entry.actor_id else ""
    at = entry.at.astimezone(ctx.zone).strftime("%Y-%m-%d %H:%M")
    return {
        "action": entry.action,
        "who": who,
        "kind": entry.actor_kind,
        "at": at,
        "changes": changes,
        "origin": entry.origin,
    }


@bp.post("/a/<app>/t/<table_id>/trash")
def trash(app: str, table_id: str) -> Any:
    """Put the chosen records into the trash; the answer offers to take them back."""
    chosen = [record_id(i) for i in request.form.getlist("ids")][:MOST_AT_ONCE]

    def story(ctx: Context) -> list[UUID]:
        source = table(ctx, app, table_id)
        if len(chosen) > 1:
            door(ctx, source).require("batch")
        return records.trash(ctx, source, chosen)

    done = worked(story)
    if not done:
        raise NotFound
    tell(say("{n} moved to the trash.", n=len(done)), "good")
    return go(local_url(request.form.get("_back", ""), f"/a/{app}/"))


@bp.post("/a/<app>/t/<table_id>/restore")
def restore(app: str, table_id: str) -> Any:
    chosen = [record_id(i) for i in request.form.getlist("ids")][:MOST_AT_ONCE]
    done = worked(lambda ctx: records.restore(ctx, table(ctx, app, table_id), chosen))
    tell(say("{n} restored.", n=len(done)), "good")
    return go(local_url(request.form.get("_back", ""), f"/a/{app}/"))
