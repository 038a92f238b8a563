"""The form designer: palette, canvas, panel. Every edit is saved at once and answered with the whole studio."""

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, render_template, request
from flask_babel import get_locale
from markupsafe import Markup

from builder import changes, documents, drafts, forms, layout, panel, together
from builder.drafts import Draft
from builder.near import Surroundings
from builder.parts import Parts
from builder.places import Told, errors_at, told, uses_at
from builder.retyping import may_become
from builder.web import edits
from builder.web.apps import designer, edited
from runtime import pictures
from runtime.context import Context
from runtime.render import BoundField, BoundRow
from runtime.web.edge import go, work
from runtime.web.forms import COVERS
from schemas.errors import DefinitionError, InvalidInput, NotFound
from schemas.fields import Field, Reader, field_types
from schemas.fields.rows import Rows
from schemas.form import WIDTHS, Block, Form, Tab
from schemas.messages import Message, say
from schemas.options import load, options_of
from schemas.table import Table
from schemas.text import Text

bp = Blueprint("studio", __name__)
WIDEST = 1_800
"""Pixels of a picture at the top: twice a form's width, for fine screens."""
GROUPS = (("common", say("Common")), ("advanced", say("Advanced")), ("relation", say("Relation")))
BLOCKS = tuple((kind, layout.TITLES[kind]) for kind in layout.NEW_BLOCKS)
BLOCK_ICONS = {
    "section": "layout-section", "tabs": "layout-tabs", "divider": "layout-divider", "note": "layout-help",
}  # fmt: skip
BLOCK_OPTIONS: dict[str, set[str]] = {
    "section": {"section", "folded", "help"}, "tabs": {"tabs"}, "tab": {"tab"}, "note": {"note"}, "divider": set(),
}  # fmt: skip
FORM_OPTIONS = {"table", "layout", "widths"}
TABLE_OPTIONS: set[str] = set()


def the_form(parts: Parts, form: str) -> tuple[str, dict[str, Any]]:
    """The table's id and the form. Raises NotFound."""
    found = parts.get(f"forms/{form}")
    if found is None:
        raise NotFound
    return found["table"], found


@bp.get("/build/<app>/form/<form>/")
def show(app: str, form: str) -> Any:
    with work() as ctx:
        designer(ctx)
        return studio(ctx, drafts.open_draft(ctx, app), form, request.args.get("field", ""))


def studio(
    ctx: Context, draft: Draft, form: str, chosen: str = "", *, errors: Any = None, typed: Any = None, status: int = 200
) -> Any:
    """The whole studio as a page, or its fragment after an edit. `typed` is what the panel was sent and refused."""
    table_id, found = the_form(draft.parts, form)
    table = draft.parts[f"tables/{table_id}"]
    problems = [told(draft.parts, p) for p in draft.problems]
    tab = request.values.get("tab") or ("field" if chosen else "form")
    around = Surroundings(draft.parts, draft.app, table_id, form, chosen.partition(".")[0] if "." in chosen else "")
    values = {
        "form_id": form, "form": found, "table": table, "table_id": table_id, "chosen": chosen, "tab": tab,
        "groups": palette(), "blocks_to_add": BLOCKS, "block_icons": BLOCK_ICONS,
        "widths": WIDTHS, "width_of": (found.get("widths") or {}).get(chosen, ""),
        "forms": forms.forms_of(draft.parts, table_id), "unplaced": list(forms.unplaced(draft.parts, form)),
        "bin": draft.parts["bin"].get(table_id, []), "blocks": canvas(draft, form, chosen, problems),
        "here": f"/build/{draft.slug}/form/{form}/",
        "sections": _panel(draft, around, form, chosen, tab, problems, errors, typed), "column_types": column_types(),
        "chosen_field": _chosen(table, chosen), "chosen_block": _chosen_block(draft.parts, form, chosen),
        "becomes": may_become(table, chosen) if _chosen(table, chosen) else [],
        "uses": uses_at(draft.parts, draft.uses(table_id, chosen), chosen) if chosen else [],
        "wide": request.values.get("width", ""), "kind_title": kind_title,
        "canvas_input": canvas_input, "icons": {k.type: k.icon for k in field_types},
        "about_of": {k.type: k.about for k in field_types},
    }  # fmt: skip
    block = values["chosen_block"]
    values["block_title"] = layout.title_of(block) if block is not None else ""
    return edits.drawn(ctx, draft, around, problems, "studio", values, status)


def palette() -> list[tuple[Message, list[type[Field]]]]:
    """The types by group, each in its own place."""
    ordered = sorted(field_types, key=lambda k: (k.place, k.type))
    return [(title, [k for k in ordered if k.group == group]) for group, title in GROUPS]


def kind_title(type: str) -> Message:
    kind = field_types.get(type)
    return say(kind.title) if kind else Message(type)


def column_types() -> list[type[Field]]:
    return [k for _, kinds in palette() for k in kinds if k.in_subform]


def _chosen(table: Mapping[str, Any], path: str) -> dict[str, Any] | None:
    try:
        return changes.find_field(table, path) if path and ":" not in path else None
    except InvalidInput:
        return None


def _chosen_block(parts: Parts, form: str, chosen: str) -> dict[str, Any] | None:
    place = block_place(chosen)
    try:
        return None if place is None else layout.block_at(parts, form, place)
    except InvalidInput:
        return None


def block_place(chosen: str) -> str | None:
    """The place of the block that is chosen, if it is a block."""
    kind, _, place = chosen.partition(":")
    return place if kind == "block" else None


# -- canvas ----------------------------------------------------------------------------------------


def canvas(draft: Draft, form: str, chosen: str, problems: list[Told]) -> list[dict[str, Any]]:
    """The form's blocks, each field drawn as staff will see it, and what stands inside them."""
    table_id, found = the_form(draft.parts, form)
    table = draft.parts[f"tables/{table_id}"]
    wrong = {(t.place.kind, t.place.id, t.place.chosen.partition(".")[0]) for t in problems}
    broken = {t.place.chosen for t in problems if (t.place.kind, t.place.id) == ("forms", form)}
    drawn = {f["id"]: _drawn(f, ("tables", table_id, f["id"]) in wrong, chosen) for f in table["fields"]}
    top: list[dict[str, Any]] = []
    holders = [top]
    for stop in layout.stops_of(layout.layout_of(draft.parts, form)):
        if stop.kind == "close":
            holders.pop()
        elif stop.kind == "line":
            line = _sized([drawn[id] for id in stop.fields if id in drawn], found.get("widths") or {})
            if line:
                holders[-1].append({"part": "line", "line": line})
        else:
            holders[-1].append(block := _block(stop, chosen, broken))
            if stop.kind == "open":
                holders.append(block["inside"])
    return top


def _sized(line: list[dict[str, Any]], widths: Mapping[str, str]) -> list[dict[str, Any]]:
    """The fields of a line with the columns of twelve that each takes, as the form will have them."""
    spans = Form(id="form", table="table", widths=dict(widths)).spans([one["id"] for one in line])
    return [{**one, "span": span} for one, span in zip(line, spans or [0] * len(line), strict=True)]


def _block(stop: layout.Stop, chosen: str, broken: set[str]) -> dict[str, Any]:
    block, key = stop.block, f"block:{stop.place}"
    name = block.get("section") or block.get("tab") or block.get("note") or ""
    return {
        "part": stop.part, "key": key, "name": Text.of(name), "title": layout.TITLES[stop.part], "inside": [],
        "chosen": chosen == key, "wrong": key in broken, "folded": block.get("folded"), "help": Text.of(block.get("help") or ""),
    }  # fmt: skip


def _drawn(options: Mapping[str, Any], wrong: bool, chosen: str) -> dict[str, Any]:
    """A field of the canvas; one that cannot be read yet shows its label alone."""
    source = json.dumps(options, ensure_ascii=False)
    bound = bound_of(source)
    return {
        "id": options["id"],
        "bound": bound,
        "source": source,
        "label": Text.of(options.get("label") or options["id"]),
        "type": options["type"],
        "wrong": wrong or bound is None,
        "chosen": chosen.partition(".")[0] == options["id"],
    }


_inputs: dict[tuple[str, str], Markup] = {}


def canvas_input(one: Mapping[str, Any]) -> Markup:
    """A field of the canvas as staff will see it; what looks the same is drawn once."""
    key = (one["source"], str(get_locale()))
    if key not in _inputs:
        if len(_inputs) > 5_000:
            _inputs.clear()
        _inputs[key] = Markup(render_template("fields/_field.html", f=one["bound"]))
    return _inputs[key]


@lru_cache(maxsize=5_000)
def bound_of(source: str) -> BoundField | None:
    """A field from its JSON as the canvas draws it; None for one that cannot be read."""
    options = json.loads(source)
    kind = field_types.get(options["type"])
    if kind is None:
        return None
    try:
        field = load(kind, {k: v for k, v in options.items() if k != "type"})
    except DefinitionError:
        return None
    if isinstance(field, Rows):
        cells = [BoundField(c, f"{field.id}[0].{c.id}") for c in field.fields]
        return BoundField(
            field, field.id, columns=list(field.fields), rows=[BoundRow(cells)], blank_row=BoundRow(cells)
        )
    shown = field.show(field.example(), Reader()) if field.type == "serial" else ""
    return BoundField(field, field.id, required=field.required, readonly=field.computed, shown=shown)


# -- panel -----------------------------------------------------------------------------------------


def _panel(
    draft: Draft, around: Surroundings, form: str, chosen: str, tab: str, problems: list[Told], errors: Any, typed: Any
) -> Any:
    """The inputs of what is chosen, with its problems beside them."""
    kind, before, left_out = _subject(draft.parts, around.table, form, chosen, tab)
    if kind is None:
        return []
    where = {"table": ("tables", around.table, ""), "form": ("forms", form, "")}.get(tab)
    if where is None:
        where = ("forms", form, chosen) if ":" in chosen else ("tables", around.table, chosen)
    found = errors if errors is not None else errors_at(problems, *where)
    values = {**before, **{k: v for k, v in (typed or {}).items() if v is not None}}
    return _without(panel.inputs(kind, values, around.near(edits.modes_sent()), found), left_out)


def _subject(
    parts: Parts, table_id: str, form: str, chosen: str, tab: str
) -> tuple[type[Any] | None, dict[str, Any], set[str]]:
    """What the panel is about: its class, its options as they are, and the options that have their place elsewhere."""
    table = parts[f"tables/{table_id}"]
    if tab == "table":
        return Table, table, TABLE_OPTIONS
    if tab != "field":
        return Form, parts[f"forms/{form}"], FORM_OPTIONS
    if (block := _chosen_block(parts, form, chosen)) is not None:
        part = layout.part_of(block)
        kind: Any = Tab if part == "tab" else Block
        return kind, block, {o.name for o in options_of(kind)} - BLOCK_OPTIONS[part]
    field = _chosen(table, chosen)
    return (field_types[field["type"]], field, set()) if field is not None else (None, {}, set())


def _without(sections: list[Any], left_out: set[str]) -> list[Any]:
    kept = [(title, [i for i in items if i.name.partition(".")[0] not in left_out]) for title, items in sections]
    return [(title, items) for title, items in kept if items]


# -- edits -----------------------------------------------------------------------------------------


def change(app: str, form: str, message: Message, edit: Callable[[Parts], Parts], chosen: str = "") -> Any:
    """Make one edit and answer with the studio."""
    return making(app, form, message, lambda parts: (edit(parts), chosen))


def making(app: str, form: str, message: Message, edit: Callable[[Parts], tuple[Parts, str]]) -> Any:
    """Make one edit that says what is chosen afterwards, and answer with the studio."""

    def of_the_form(parts: Parts) -> tuple[Parts, str]:
        the_form(parts, form)
        return edit(parts)

    return edits.making(app, message, of_the_form, lambda ctx, draft, chosen: answered(ctx, draft, form, chosen))


def answered(ctx: Context, draft: Draft, form: str, chosen: str) -> Any:
    """The studio after an edit."""
    kept = {"field": chosen, "tab": request.form.get("tab", ""), "width": request.form.get("width", "")}
    url = f"/build/{draft.slug}/form/{form}/?{urlencode({k: v for k, v in kept.items() if v})}"
    return edits.leading_to(url, lambda: studio(ctx, draft, form, chosen))


def dropped_at() -> tuple[str, str] | None:
    """Where something was let go: the target and the side of it."""
    if "side" not in request.form:
        return None
    return request.form.get("target", ""), request.form["side"]


@bp.post("/build/<app>/form/<form>/add")
def add(app: str, form: str) -> Any:
    """A new field, section, divider or note: where it was dropped, else behind what is chosen."""
    type, after = request.form.get("type", ""), request.form.get("after", "")
    if type in layout.NEW_BLOCKS:
        return _add_block(app, form, type, after)
    if field_types.get(type) is None:
        raise InvalidInput({"": [field_types.unknown(type)]})

    def place(parts: Parts) -> tuple[Parts, str]:
        parts, id = changes.add_field(parts, form, type, after.partition(".")[0], edits.in_both(kind_title(type)))
        if (where := dropped_at()) is not None:
            return layout.drop(parts, form, f"field:{id}", *where), id
        if block_place(after) is not None:
            return layout.drop(parts, form, f"field:{id}", after, "into"), id
        return parts, id

    return making(app, form, say("New field: {type}", type=kind_title(type)), place)


def _add_block(app: str, form: str, kind: str, after: str) -> Any:
    def place(parts: Parts) -> tuple[Parts, str]:
        beside = after if ":" in after or not after else f"field:{after.partition('.')[0]}"
        parts, place = layout.add_block(parts, form, kind, *(dropped_at() or (beside, "after")))
        return parts, f"block:{place}"

    return making(app, form, say("New part of the form: {kind}", kind=layout.TITLES[kind]), place)


@bp.post("/build/<app>/form/<form>/column")
def add_column(app: str, form: str) -> Any:
    rows, type = request.form.get("rows", ""), request.form.get("type", "")
    if type not in field_types:
        raise InvalidInput({"": [field_types.unknown(type)]})
    label = edits.in_both(kind_title(type))
    return making(
        app, form, say("New column"),
        lambda parts: changes.add_column(parts, the_form(parts, form)[0], rows, type, label),
    )  # fmt: skip


@bp.post("/build/<app>/form/<form>/columns")
def sort_columns(app: str, form: str) -> Any:
    """The columns of a subform in another order."""
    rows, id, position = (request.form.get(n, "") for n in ("from", "key", "position"))
    return change(
        app, form, say("Columns moved"),
        lambda parts: changes.move_column(parts, the_form(parts, form)[0], rows, id, int(position) if position.isdigit() else 0),
        rows,
    )  # fmt: skip


@bp.post("/build/<app>/form/<form>/move")
def move(app: str, form: str) -> Any:
    """`what` dropped at a `side` of a `target`; or moved by keys: `by` up, down, left or right, or `beside` the one above."""
    what = request.form.get("what", "")
    kind, _, name = what.partition(":")

    def moved(parts: Parts) -> Parts:
        if (where := dropped_at()) is not None:
            return layout.drop(parts, form, what, *where)
        by = request.form.get("by", "")
        if kind == "block":
            return layout.step_block(parts, form, name, 1 if by == "down" else -1)
        if by in ("left", "right"):
            return layout.shift_field(parts, form, name, 1 if by == "right" else -1)
        if by in ("up", "down"):
            return layout.step_field(parts, form, name, 1 if by == "down" else -1)
        return layout.join_line(parts, form, name)

    def chosen_after(parts: Parts) -> tuple[Parts, str]:
        if kind != "block":
            return moved(parts), name
        block = layout.block_at(parts, form, name)
        made = moved(parts)
        return made, f"block:{layout.place_of(layout.layout_of(made, form), block)}"

    return making(app, form, say("Field moved") if kind == "field" else say("Part of the form moved"), chosen_after)


@bp.post("/build/<app>/form/<form>/width")
def set_width(app: str, form: str) -> Any:
    """How much of its line a field takes on this form."""
    id, width = request.form.get("id", ""), request.form.get("value", "")
    if width and width not in WIDTHS:
        raise InvalidInput({"": [say("Choose a width.")]})

    def sized(parts: Parts) -> Parts:
        widths = {k: v for k, v in {**(parts[f"forms/{form}"].get("widths") or {}), id: width}.items() if v}
        return changes.change_object(parts, "forms", form, {"widths": widths or None})

    return change(app, form, say("Width changed"), sized, id)


@bp.post("/build/<app>/form/<form>/copy")
def copy(app: str, form: str) -> Any:
    id = request.form.get("id", "")
    return making(app, form, say("Field copied"), lambda parts: changes.copy_field(parts, form, id))


@bp.post("/build/<app>/form/<form>/delete")
def delete(app: str, form: str) -> Any:
    path = request.form.get("id", "")
    if (place := block_place(path)) is not None:
        return change(app, form, say("Part of the form removed"), lambda parts: layout.remove_block(parts, form, place))
    rows = path.partition(".")[0] if "." in path else ""
    return change(
        app, form, say("Field deleted"), lambda parts: changes.delete_field(parts, the_form(parts, form)[0], path), rows
    )


@bp.post("/build/<app>/form/<form>/take-off")
def take_off(app: str, form: str) -> Any:
    """A field that stays in the table leaves this form."""
    id = request.form.get("id", "")
    return change(app, form, say("Field taken off the form"), lambda parts: forms.take_off(parts, form, id))


@bp.post("/build/<app>/form/<form>/together")
def change_together(app: str, form: str) -> Any:
    """The same (`act`, with its `value`) to several fields, their `ids` by commas."""
    ids, act = [id for id in request.form.get("ids", "").split(",") if id], request.form.get("act", "")
    title = together.ACTS.get(act, say("Options changed"))
    return change(
        app, form, title, lambda parts: together.change(parts, form, ids, act, request.form.get("value", "")),
        request.form.get("chosen", "") if act not in ("delete", "take_off") else "",
    )  # fmt: skip


@bp.post("/build/<app>/form/<form>/cover")
def set_cover(app: str, form: str) -> Any:
    """The picture at the top of the form (`file`), or none (`without`)."""
    body, kept = request.files.get("file"), None
    if not request.form.get("without"):
        kept = documents.attached(*_picture(body.filename or "", body.stream.read()) if body else ("", b""))
    edited_by = say("File removed") if kept is None else say("File added")
    return change(app, form, edited_by, lambda parts: changes.change_object(parts, "forms", form, {"cover": kept}))


def _picture(name: str, data: bytes) -> tuple[str, bytes]:
    """A picture no wider than a form is shown. Raises InvalidInput."""
    try:
        found = pictures.redrawn(pictures.examine(data, COVERS), WIDEST, ())
    except pictures.BadPicture as err:
        raise InvalidInput({"": [err.reason]}) from err
    return found.named(name), found.body


@bp.post("/build/<app>/form/<form>/another")
def another(app: str, form: str) -> Any:
    """Another form of the same table: a copy of this one, or with what must be filled in (`way`)."""
    title, way = request.form.get("title", "").strip()[:80], request.form.get("way", "")
    if not title:
        raise InvalidInput({"title": [say("Give the form a name.")]})
    made: dict[str, str] = {}

    def add(parts: Parts) -> Parts:
        the_form(parts, form)
        parts, made["form"] = forms.add(parts, form, title, way)
        return parts

    edited(app, say("New form {name}", name=title), add)
    return go(f"/build/{app}/form/{made['form']}/?tab=form")


@bp.post("/build/<app>/form/<form>/remove")
def remove(app: str, form: str) -> Any:
    """This form, when its table has another one."""
    left: dict[str, str] = {}

    def taken(parts: Parts) -> Parts:
        the_form(parts, form)
        parts, left["form"] = forms.remove(parts, form)
        return parts

    edited(app, say("Form {name} removed", name=form), taken)
    return go(f"/build/{app}/form/{left['form']}/?tab=form")


@bp.post("/build/<app>/form/<form>/restore")
def restore(app: str, form: str) -> Any:
    id = request.form.get("id", "")
    return change(app, form, say("Field restored"), lambda parts: changes.restore_field(parts, form, id), id)


@bp.post("/build/<app>/form/<form>/undo")
@bp.post("/build/<app>/form/<form>/redo")
def step(app: str, form: str) -> Any:
    """Undo or redo, and stay on this form if it is still there."""
    chosen = request.form.get("chosen", "")

    def answer(ctx: Context, draft: Draft) -> Any:
        return answered(ctx, draft, form, chosen) if f"forms/{form}" in draft.parts else go(f"/build/{app}/")

    return edits.stepping(app, answer)


@bp.post("/build/<app>/form/<form>/options")
def set_options(app: str, form: str) -> Any:
    """What was put into the panel: of a field, column or block (`path`), of the form or of its table."""
    path, tab = request.form.get("path", ""), request.form.get("tab", "field")
    with work() as ctx:
        designer(ctx)
        draft = drafts.open_draft(ctx, app)
        table_id, _ = the_form(draft.parts, form)
        kind, before, _ = _subject(draft.parts, table_id, form, path, tab)
        if kind is None:
            raise InvalidInput({"": [say("This field is no longer there.")]})
        around = Surroundings(draft.parts, draft.app, table_id, form, path.partition(".")[0] if "." in path else "")
        made, errors = panel.read(kind, edits.sent(), before, around.near())
        if errors:
            return studio(ctx, draft, form, path, errors=errors, typed=made, status=422)
    return change(app, form, say("Options changed"), _edit_of(table_id, form, path, tab, made), path)


def _edit_of(table_id: str, form: str, path: str, tab: str, made: dict[str, Any]) -> Callable[[Parts], Parts]:
    if tab == "table":
        return lambda parts: changes.change_object(parts, "tables", table_id, made)
    if tab != "field":
        return lambda parts: changes.change_object(parts, "forms", form, made)
    if (place := block_place(path)) is not None:
        return lambda parts: layout.change_block(parts, form, place, made)
    return lambda parts: changes.change_field(parts, table_id, path, made)
