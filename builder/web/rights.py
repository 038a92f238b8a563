"""The rights of an app: who may do what with a table, form, view, dashboard, flow, or all of it."""

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, render_template, request

from builder import drafts, grants, panel
from builder.drafts import Draft
from builder.names import Book, Place
from builder.near import Surroundings
from builder.parts import Json, Parts, split
from builder.places import told
from builder.web import edits
from builder.web.apps import CHANGED, counter_sent, designer
from runtime import definitions, listing, membership, people, query, why
from runtime.access import door
from runtime.actors import unlimited
from runtime.context import Context
from runtime.people import Directory
from runtime.tables import LiveTable, live
from runtime.web.edge import work
from runtime.web.frame import frame
from schemas.access import ACTIONS, FLOW_ACTIONS, RIGHTS, Grant
from schemas.errors import Conflict, InvalidInput, NotFound
from schemas.messages import Message, say
from schemas.text import Text

bp = Blueprint("build_rights", __name__)
PANEL = ("title", "note", "rows", "rows_after")
"""The options of a grant that the panel's own inputs edit; the others have a place of their own on the page."""


@bp.get("/build/<app>/rights/")
def show(app: str) -> Any:
    with work() as ctx:
        designer(ctx)
        return page(ctx, drafts.open_draft(ctx, app), request.args.get("of", ""), request.args.get("grant", ""))


def page(
    ctx: Context, draft: Draft, of: str = "", chosen: str = "", *, errors: Any = None, typed: Json | None = None,
    status: int = 200,
) -> Any:  # fmt: skip
    """The page of rights, or its fragment after an edit. `typed` is a grant that was sent and refused."""
    parts = draft.parts
    if f"access/{chosen}" in parts:
        of = ":".join(grants.about(parts[f"access/{chosen}"]))
    kind, id = grants.known_target(parts, of or _first(parts))
    grant = typed or parts.get(f"access/{chosen}")
    around = Surroundings(parts, draft.app, grants.table_of(parts, kind, id) or _some_table(parts))
    problems = [told(parts, p) for p in draft.problems]
    found = errors if errors is not None else _errors(problems, chosen)
    values = {
        "of": f"{kind}:{id}", "kind": kind, "here": f"/build/{draft.slug}/rights/",
        "targets": grants.targets(parts, Text.of(parts["manifest"].get("title") or draft.slug)),
        "what": grants.what_words({kind: id or True}, parts), "presets": grants.PRESETS[kind],
        "cards": [_card(parts, around, g, chosen) for g in grants.grants_of(parts, kind, id)],
        "chosen": chosen if grant else "", "grant": grant,
        "named_only": kind in ("form", "view", "flow"), "errors": found,
    }  # fmt: skip
    if grant is not None:
        values |= _editor(ctx, draft, around, kind, id, grant, found)
    return edits.drawn(ctx, draft, around, problems, "rights", values, status)


def _first(parts: Parts) -> str:
    return f"table:{parts['order/tables'][0]}" if parts["order/tables"] else "app:"


def _some_table(parts: Parts) -> str:
    return str(next(iter(parts["order/tables"]), ""))


def _errors(problems: list[Any], chosen: str) -> dict[str, list[Message]]:
    found: dict[str, list[Message]] = {}
    for one in problems:
        if (one.place.kind, one.place.id) == ("access", chosen):
            found.setdefault(one.place.option.partition(".")[0], []).append(one.problem.message)
    return found


def _card(parts: Parts, around: Surroundings, grant: Json, chosen: str) -> dict[str, Any]:
    """A grant in the list: whom it is for, and in plain words what it opens."""
    kind, _ = grants.about(grant)
    rows = grant.get("rows") or ""
    book = around.book("record", {}) if rows and grants.table_of(parts, *grants.about(grant)) else None
    told_rows = grants.rows_words(rows, book)
    return {
        "id": grant["id"], "title": Text.of(grant["title"]) if grant.get("title") else None, "off": bool(grant.get("off")),
        "whom": grants.whom_words(grant, parts), "verbs": grants.verbs_words(grant.get("do") or (), kind),
        "rows": told_rows, "all_rows": told_rows is None and kind in ("table", "form", "view"), "chosen": grant["id"] == chosen,
        "fields": grants.field_words(parts, grant), "preset": grants.preset_of(grant),
    }  # fmt: skip


def _editor(
    ctx: Context, draft: Draft, around: Surroundings, kind: str, id: str, grant: Json, errors: Mapping[str, Any]
) -> dict[str, Any]:
    parts = draft.parts
    table = grants.table_of(parts, kind, id)
    shown = PANEL if table else PANEL[:2]
    sections = panel.inputs(Grant, grant, around.near(edits.modes_sent()), errors)
    inputs = {i.name: i for _, listed in sections for i in listed if i.name in shown}
    fields = grant.get("fields")
    return {
        "inputs": inputs, "verbs": _verbs(kind, grant), "people": _people(ctx, draft, grant), "limited": fields is not None,
        "lines": grants.matrix(parts, table, fields) if table else [], "rights": grants.RIGHT_WORDS,
        "star": (fields or {}).get("*", "hidden"), "preset": grants.preset_of(grant), "table_of_grant": table,
        "off": bool(grant.get("off")),
    }  # fmt: skip


def _verbs(kind: str, grant: Json) -> list[tuple[str, Message, bool]]:
    known = ("read",) if kind == "dashboard" else FLOW_ACTIONS if kind == "flow" else ACTIONS
    words_of = {**grants.VERBS, **(grants.FLOW_VERBS if kind == "flow" else {})}
    return [(verb, words_of[verb], verb in (grant.get("do") or ())) for verb in known]


def _people(ctx: Context, draft: Draft, grant: Json) -> dict[str, Any]:
    """For whom the grant is: kinds of people as boxes, members and departments by name."""
    manifest, given = draft.parts["manifest"], grants.whom(grant)
    keys = {grants.who_key(who) for who in given}
    below = {who["slot"] for who in given if who.get("below")}
    targets = _slots(ctx, draft)
    names = Directory.of(ctx).names(targets.values())
    slots = [
        {"key": f"slot:{s['id']}", "id": s["id"], "title": Text.of(s.get("title") or s["id"]), "type": s["type"],
         "name": names.get(targets.get(s["id"], UUID(int=0)), ""), "on": f"slot:{s['id']}" in keys, "below": s["id"] in below}
        for s in ({"type": "member", **s} for s in manifest.get("slots") or ())
    ]  # fmt: skip
    roles = [(f"role:{r['id']}", Text.of(r.get("title") or r["id"])) for r in manifest.get("roles") or ()]
    flows = [(f"flow:{f}", Text.of(draft.parts[f"flows/{f}"].get("title") or f)) for f in draft.parts["order/flows"]]
    other = [who for who in given if who.get("link") or who.get("token")]
    return {
        "keys": keys, "roles": roles, "flows": flows, "slots": slots,
        "other": [(grants.who_key(who), grants.who_words(who, draft.parts)) for who in other],
    }  # fmt: skip


def _slots(ctx: Context, draft: Draft) -> dict[str, UUID]:
    return definitions.slots(ctx, definitions.installed(ctx, draft.slug))


# -- edits -----------------------------------------------------------------------------------------


def making(app: str, message: Message, edit: Callable[[Parts], tuple[Parts, str]], of: str = "") -> Any:
    """Make one edit that says which grant is chosen afterwards, and answer with the page."""
    return edits.making(app, message, edit, lambda ctx, draft, chosen: answered(ctx, draft, of, chosen))


def answered(ctx: Context, draft: Draft, of: str, chosen: str) -> Any:
    url = f"/build/{draft.slug}/rights/?{urlencode({'grant': chosen} if chosen else {'of': of})}"
    return edits.leading_to(url, lambda: page(ctx, draft, of, chosen))


def _known(parts: Parts, grant: str) -> Json:
    found = parts.get(f"access/{grant}")
    if found is None:
        raise NotFound
    return dict(found)


@bp.post("/build/<app>/rights/add")
def add(app: str) -> Any:
    """A new grant of a preset for what is chosen."""
    of = request.form.get("of", "")

    def made(parts: Parts) -> tuple[Parts, str]:
        return grants.add(parts, *grants.known_target(parts, of), request.form.get("preset", ""))

    return making(app, say("New grant"), made, of)


@bp.post("/build/<app>/rights/<grant>/copy")
def copy(app: str, grant: str) -> Any:
    def made(parts: Parts) -> tuple[Parts, str]:
        _known(parts, grant)
        return grants.copy(parts, grant)

    return making(app, say("Grant copied"), made)


@bp.post("/build/<app>/rights/<grant>/remove")
def remove(app: str, grant: str) -> Any:
    of = request.form.get("of", "")

    def made(parts: Parts) -> tuple[Parts, str]:
        _known(parts, grant)
        return grants.remove(parts, grant), ""

    return making(app, say("Grant removed"), made, of)


@bp.post("/build/<app>/rights/<grant>")
def save(app: str, grant: str) -> Any:
    """What was put into the editor of a grant."""
    with work() as ctx:
        designer(ctx)
        draft = drafts.open_draft(ctx, app)
        before = _known(draft.parts, grant)
        parts, who = _people_sent(ctx, draft)
        made, errors = _options_sent(draft, before)
        made |= {"who": who}
        if not who:
            errors.setdefault("who", []).append(say("Choose at least one: who is this for?"))
        if errors:
            typed = {k: v for k, v in {**before, **made}.items() if v is not None}
            return page(ctx, draft, "", grant, errors=errors, typed=typed, status=422)
        added = {k: parts["manifest"].get(k) for k in ("roles", "slots")}

        def edit(now: Parts) -> Parts:
            changed = grants.change(now, grant, made)
            changed["manifest"] |= {k: v for k, v in added.items() if v}
            return changed

        try:
            draft = drafts.edit(ctx, app, counter_sent(), say("Grant changed"), edit)
        except Conflict as err:
            raise InvalidInput({"": [CHANGED]}) from err
        return answered(ctx, draft, "", grant)


def _options_sent(draft: Draft, before: Json) -> tuple[Json, dict[str, list[Message]]]:
    """Verbs, rows, fields, name and whether it is switched off; and what is wrong with them."""
    kind, id = grants.about(before)
    table = grants.table_of(draft.parts, kind, id)
    sent = {name: (values if len(values := request.form.getlist(name)) > 1 else values[0]) for name in request.form}
    around = Surroundings(draft.parts, draft.app, table or _some_table(draft.parts))
    asked = {n: v for n, v in sent.items() if n.partition(".")[0] in (PANEL if table else PANEL[:2])}
    made, errors = panel.read(Grant, asked, before, around.near())
    if (chosen := next((p for p in grants.PRESETS[kind] if p.id == request.form.get("preset")), None)) is not None:
        made |= {"do": list(chosen.do), "rows": chosen.rows or None, "rows_after": None, "fields": None}
    else:
        known = FLOW_ACTIONS if kind == "flow" else ACTIONS
        made["do"] = [verb for verb in known if verb in request.form.getlist("do")]
        made["fields"] = _fields_sent(draft.parts, table) if table and request.form.get("limited") else None
    made["off"] = True if request.form.get("off") else None
    return made, errors


def _fields_sent(parts: Parts, table: str) -> dict[str, str]:
    """The matrix as it was sent; `bulk` puts every line, or those that are chosen, to one right."""
    bulk, some = request.form.get("bulk", ""), set(request.form.getlist("chosen"))
    star = _right(request.form.get("f.*", ""), "hidden")
    lines = {}
    for line in grants.matrix(parts, table, None):
        right = _right(request.form.get(f"f.{line.path}", ""), "write")
        if bulk in RIGHTS and (not some or line.path in some):
            right = bulk
        lines[line.path] = right
    return grants.fields_of(lines, bulk if bulk in RIGHTS and not some else star)


def _right(text: str, otherwise: str) -> str:
    return text if text in RIGHTS else otherwise


def _people_sent(ctx: Context, draft: Draft) -> tuple[Parts, list[Json]]:
    """For whom the grant is to be. A member or department chosen by name gets a post of its own in the app."""
    parts = draft.parts
    below = set(request.form.getlist("below"))
    known = {"everyone", "external", *(f"flow:{f}" for f in parts["order/flows"])}
    known |= {f"{kind}:{one['id']}" for kind in ("role", "slot") for one in parts["manifest"].get(f"{kind}s") or ()}
    sent = [
        key for key in dict.fromkeys(request.form.getlist("who")) if key in known or key.startswith(("link:", "token:"))
    ]
    if title := request.form.get("new_role", "").strip()[:80]:
        parts, role = grants.add_role(parts, title)
        sent.append(f"role:{role}")
    for kind in ("member", "department"):
        for id in request.form.getlist(kind):
            parts, slot = _slot_for(ctx, draft, parts, kind, id)
            sent += [f"slot:{slot}"] if slot else []
    return parts, [grants.who_of(key, key.partition(":")[2] in below) for key in dict.fromkeys(sent)]


def _slot_for(ctx: Context, draft: Draft, parts: Parts, kind: str, text: str) -> tuple[Parts, str]:
    """The post that a member or department fills alone: one that is there, else a new one."""
    directory = Directory.of(ctx)
    inst = definitions.installed(ctx, draft.slug)
    known = {str(id): id for id in directory.units} if kind == "department" else {}
    target = known.get(text) if kind == "department" else _member(ctx, text)
    if target is None:
        return parts, ""
    filled = definitions.slots(ctx, inst)
    own = {s["id"]: s.get("type", "member") for s in parts["manifest"].get("slots") or ()}
    there = next((slot for slot, id in filled.items() if id == target and own.get(slot) == kind), "")
    if there:
        return parts, there
    title = directory.names([target])[target]
    parts, slot = grants.add_slot(parts, kind, title, filled)
    people.assign_slot(ctx, inst.id, slot, target)
    return parts, slot


def _member(ctx: Context, text: str) -> UUID | None:
    return next(iter(membership.members_here(ctx, [text])), None)


@bp.post("/build/<app>/rights/undo")
@bp.post("/build/<app>/rights/redo")
def step(app: str) -> Any:
    """Undo or redo, and stay with what is still there."""
    chosen, of = request.form.get("grant", ""), request.form.get("of", "")

    def answer(ctx: Context, draft: Draft) -> Any:
        there = f"access/{chosen}" in draft.parts
        try:
            grants.known_target(draft.parts, of)
        except NotFound:
            return answered(ctx, draft, "", chosen if there else "")
        return answered(ctx, draft, of, chosen if there else "")

    return edits.stepping(app, answer)


# -- why -------------------------------------------------------------------------------------------


@bp.get("/build/<app>/rights/why")
def explained(app: str) -> Any:
    """Why a member can, or cannot, see a record and a field: by the rights as they are published."""
    with work() as ctx:
        designer(ctx)
        inst = definitions.installed(ctx, app)
        asked = {name: request.args.get(name, "") for name in ("table", "record", "member", "field")}
        table = inst.app.table(asked["table"]) or next(iter(inst.app.tables), None)
        if table is None:
            raise NotFound
        source = live(ctx, inst, table.id)
        record = re.search(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", asked["record"])
        if record and not query.allowed(door(ctx, source), UUID(record[0]), "read") and not unlimited(ctx.actor):
            raise NotFound  # one who may only give rights learns nothing of what they may not see themselves
        member = _member(ctx, asked["member"])
        path = asked["field"] if source.table.field(asked["field"]) else ""
        values = {
            "inst": inst, "base": f"/build/{app}", "tables": [(t.id, t.title or Text.of(t.id)) for t in inst.app.tables],
            "table": table, "record": record[0] if record else "", "unread": bool(asked["record"]) and not record, "field": path,
            "fields": [(p, listing.path_label(source, p)) for p in table.paths], "found": None, "verbs": grants.VERBS,
            "member": {"id": str(member), "text": Directory.of(ctx).names([member])[member]} if member else None,
        }  # fmt: skip
        if member is not None:
            person = people.member_by_id(ctx, member)
            found = why.explain(ctx, source, person, UUID(record[0]) if record else None, path)
            values |= {"found": found, "lines": [_source(ctx, inst, s) for s in found.sources]}
            values |= {"right": grants.RIGHT_WORDS.get(found.right), "title": _title_of(ctx, source, record)}
        frame(ctx)
        return render_template("builder/why.html", **values)


def _title_of(ctx: Context, source: LiveTable, record: Any) -> str:
    return query.titles(ctx, source, [UUID(record[0])]).get(UUID(record[0]), "") if record else ""


def _source(ctx: Context, inst: definitions.Installed, source: why.Source) -> dict[str, Any]:
    """A source of rights with its names: of the grant, or of the step of a flow."""
    made = {"source": source, "right": grants.RIGHT_WORDS.get(source.right), "whom": "", "rows": None, "url": ""}
    if not source.grant:
        kind, _, name = source.through.partition(":")
        flow, _, step = name.partition(".")
        found = inst.app.flow(flow) if kind == "step" else None
        named = (found.title or Text.of(flow)) if found else Text.of(name)
        grants.verbs_words(source.actions, "table")
        return {
            **made,
            "name": say("Has, or had, a task in the flow “{flow}”", flow=named),
            "verbs": grants.verbs_words(source.actions, "table"),
        }
    parts = split(definitions.package(ctx, inst.id, inst.revision))
    grant = parts[f"access/{source.grant}"]
    rows = grant.get("rows") or ""
    place = Place(grants.table_of(parts, *grants.about(grant)))
    return {
        **made, "name": grants.called(grant, parts), "whom": grants.whom_words(grant, parts),
        "verbs": grants.verbs_words(source.actions, "table"), "url": f"/build/{inst.slug}/rights/?grant={source.grant}",
        "rows": grants.rows_words(rows, Book(inst.app.analysis, place)) if place.table else None,
    }  # fmt: skip
