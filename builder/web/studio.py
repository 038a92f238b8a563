"""The form designer: palette, canvas, panel. Every edit is saved at once and answered with the whole studio."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, make_response, render_template, request

from builder import changes, drafts, layout, panel
from builder.drafts import Draft
from builder.parts import Parts
from builder.web.apps import CHANGED, about, counter_sent, designer
from runtime.context import Context
from runtime.render import BoundField, BoundRow
from runtime.web.edge import is_fragment, work
from runtime.web.frame import frame
from schemas.errors import Conflict, DefinitionError, InvalidInput, NotFound, Problem
from schemas.fields import Field, Reader, field_types
from schemas.fields.rows import Rows
from schemas.form import Form
from schemas.messages import Message, say
from schemas.numbers import read_whole
from schemas.options import load
from schemas.source import read_json
from schemas.table import Table
from schemas.text import Text

bp = Blueprint("studio", __name__)
GROUPS = (("common", say("Common")), ("advanced", say("Advanced")), ("relation", say("Relation")))
FORM_OPTIONS = {"table", "layout", "rules", "require", "readonly", "defaults", "checks"}
TABLE_OPTIONS = {"keys", "checks", "comments"}


@dataclass(frozen=True)
class CanvasLine:
    """A line of the canvas: its fields as staff will see them."""

    fields: list[dict[str, Any]]
    block: int


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
    """The whole studio as a page, or its fragment after an edit."""
    table_id, found = the_form(draft.parts, form)
    table = draft.parts[f"tables/{table_id}"]
    problems = draft.problems()
    tab = request.values.get("tab", "field" if chosen else "form")
    values = {
        **about(ctx, draft), "form_id": form, "form": found, "table": table, "table_id": table_id, "chosen": chosen, "tab": tab,
        "groups": palette(), "bin": draft.parts["bin"].get(table_id, []), "blocks": canvas(draft, form, chosen, problems),
        "problems": problems, "counter": draft.kept.counter, "here": f"/build/{draft.slug}/form/{form}/",
        "sections": _panel(draft, table_id, form, chosen, tab, errors, typed), "column_types": list(column_types()),
        "chosen_field": _chosen(table, chosen), "phone": request.values.get("width") == "phone", "Text": Text,
        "icons": {k.type: k.icon for k in field_types},
    }  # fmt: skip
    if is_fragment():
        return make_response(render_template("builder/_studio.html", **values), status)
    frame(ctx)
    return make_response(render_template("builder/studio.html", **values), status)


def palette() -> list[tuple[Message, list[type[Field]]]]:
    """The types by group, each in its own place."""
    ordered = sorted(field_types, key=lambda k: (k.place, k.type))
    return [(title, [k for k in ordered if k.group == group]) for group, title in GROUPS]


def column_types() -> list[type[Field]]:
    return [k for _, kinds in palette() for k in kinds if k.in_subform]


def _chosen(table: Mapping[str, Any], path: str) -> dict[str, Any] | None:
    try:
        return changes.find_field(table, path) if path else None
    except InvalidInput:
        return None


# -- canvas ----------------------------------------------------------------------------------------


def canvas(draft: Draft, form: str, chosen: str, problems: list[Problem]) -> list[dict[str, Any]]:
    """The form's blocks, each field drawn as staff will see it."""
    table_id, found = the_form(draft.parts, form)
    table = draft.parts[f"tables/{table_id}"]
    place = draft.parts["order/tables"].index(table_id)
    wrong = {
        n for p in problems for n in range(len(table["fields"])) if p.path.startswith(f"tables[{place}].fields[{n}]")
    }
    drawn = {f["id"]: _drawn(f, n in wrong, chosen) for n, f in enumerate(table["fields"])}
    blocks = []
    for n, block in enumerate(layout.layout_of(draft.parts, form)):
        lines = [block["row"]] if "row" in block else block.get("rows", [])
        shown = [[drawn[id] for id in line if id in drawn] for line in lines]
        blocks.append(
            {
                "place": n,
                "section": Text.of(block.get("section") or ""),
                "is_section": layout.is_section(block),
                "lines": [line for line in shown if line],
                "note": block.get("note"),
                "divider": block.get("divider"),
            }
        )
    return blocks


def _drawn(options: Mapping[str, Any], wrong: bool, chosen: str) -> dict[str, Any]:
    """A field of the canvas; one that cannot be read yet shows its label alone."""
    bound = bound_of(options)
    return {
        "id": options["id"],
        "bound": bound,
        "label": Text.of(options.get("label") or options["id"]),
        "type": options["type"],
        "wrong": wrong or bound is None,
        "chosen": chosen.partition(".")[0] == options["id"],
    }


def bound_of(options: Mapping[str, Any]) -> BoundField | None:
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


def _panel(draft: Draft, table_id: str, form: str, chosen: str, tab: str, errors: Any, typed: Any) -> Any:
    table = draft.parts[f"tables/{table_id}"]
    known = references(draft, table_id)
    if tab == "field" and (field := _chosen(table, chosen)) is not None:
        return panel.inputs(field_types[field["type"]], field, known, errors, typed)
    if tab == "table":
        return _only(panel.inputs(Table, table, known, errors, typed), TABLE_OPTIONS)
    return _only(
        panel.inputs(Form, draft.parts[f"forms/{form}"], known, errors, typed),
        FORM_OPTIONS - {"require", "readonly", "rules", "checks", "defaults"},
    )


def _only(sections: list[Any], left_out: set[str]) -> list[Any]:
    kept = [(title, [i for i in items if i.name not in left_out]) for title, items in sections]
    return [(title, items) for title, items in kept if items]


def references(draft: Draft, table_id: str) -> dict[str, list[tuple[str, Any]]]:
    """The ids that options may refer to."""
    tables = [(id, Text.of(draft.parts[f"tables/{id}"].get("title") or id)) for id in draft.parts["order/tables"]]
    links = [(path, path) for path in changes.links_to(draft.parts, table_id)]
    app = draft.parts["manifest"]
    named = {
        kind: [(item["id"], Text.of(item.get("title") or item["id"])) for item in app.get(f"{kind}s", ())]
        for kind in ("role", "slot")
    }
    return {"table": tables, "link field": links, **named}


# -- edits -----------------------------------------------------------------------------------------


def change(app: str, form: str, message: Message, edit: Callable[[Parts], Parts], chosen: str = "") -> Any:
    """Make one edit and answer with the studio."""
    try:
        with work() as ctx:
            designer(ctx)
            draft = drafts.edit(ctx, app, counter_sent(), message, edit)
            return studio(ctx, draft, form, chosen)
    except Conflict as err:
        raise InvalidInput({"": [CHANGED]}) from err


@bp.post("/build/<app>/form/<form>/add")
def add(app: str, form: str) -> Any:
    type, after = request.form.get("type", ""), request.form.get("after", "")
    kind = field_types.get(type)
    if kind is None:
        raise InvalidInput({"": [field_types.unknown(type)]})
    with work() as ctx:
        designer(ctx)
        made: dict[str, str] = {}

        def place(parts: Parts) -> Parts:
            the_form(parts, form)
            parts, made["id"] = changes.add_field(parts, form, type, after.partition(".")[0])
            return dropped(parts, form, made["id"], request.form["key"]) if "key" in request.form else parts

        draft = drafts.edit(ctx, app, None, say("New field: {type}", type=say(kind.title)), place)
        return studio(ctx, draft, form, made["id"])


@bp.post("/build/<app>/form/<form>/column")
def add_column(app: str, form: str) -> Any:
    rows, type = request.form.get("rows", ""), request.form.get("type", "")
    if type not in field_types:
        raise InvalidInput({"": [field_types.unknown(type)]})
    with work() as ctx:
        designer(ctx)
        made: dict[str, str] = {}

        def place(parts: Parts) -> Parts:
            table, _ = the_form(parts, form)
            parts, made["path"] = changes.add_column(parts, table, rows, type)
            return parts

        draft = drafts.edit(ctx, app, None, say("New column"), place)
        return studio(ctx, draft, form, made["path"])


@bp.post("/build/<app>/form/<form>/move")
def move(app: str, form: str) -> Any:
    """A line dragged (`key`, `to` block, `position`), or a field moved by keys (`id`, `by`) or put beside its neighbour."""
    id = request.form.get("key") or request.form.get("id", "")

    def moved(parts: Parts) -> Parts:
        the_form(parts, form)
        if request.form.get("beside"):
            return layout.join_line(parts, form, id)
        if "by" in request.form:
            return layout.step_field(parts, form, id, 1 if request.form["by"] == "1" else -1)
        return dropped(parts, form, id, id)

    return change(app, form, say("Field moved"), moved, request.form.get("chosen", id))


def dropped(parts: Parts, form: str, id: str, key: str) -> Parts:
    """A field's line where it was let go: in the section `to`, or behind what stands before `key` in `order`."""
    to, position = (read_whole(request.form.get(name, "")) for name in ("to", "position"))
    if to is not None:
        return layout.move_line(parts, form, id, to, position or 0)
    return layout.move_line_out(parts, form, id, _standing_before(key))


def _standing_before(key: str) -> str | int | None:
    """What precedes a key in the order sent: a field, the place of a section, or nothing. Raises BadValue."""
    order = read_json(request.form.get("order", "[]"), say("This order cannot be read."))
    if not isinstance(order, list) or key not in order[1:]:
        return None
    before = str(order[order.index(key) - 1])
    section = read_whole(before.removeprefix("section-")) if before.startswith("section-") else None
    return before if section is None else section


@bp.post("/build/<app>/form/<form>/copy")
def copy(app: str, form: str) -> Any:
    id = request.form.get("id", "")
    with work() as ctx:
        designer(ctx)
        made: dict[str, str] = {}

        def copied(parts: Parts) -> Parts:
            parts, made["id"] = changes.copy_field(parts, form, id)
            return parts

        draft = drafts.edit(ctx, app, counter_sent(), say("Field copied"), copied)
        return studio(ctx, draft, form, made["id"])


@bp.post("/build/<app>/form/<form>/delete")
def delete(app: str, form: str) -> Any:
    path = request.form.get("id", "")
    rows = path.partition(".")[0] if "." in path else ""
    return change(
        app, form, say("Field deleted"), lambda parts: changes.delete_field(parts, the_form(parts, form)[0], path), rows
    )


@bp.post("/build/<app>/form/<form>/restore")
def restore(app: str, form: str) -> Any:
    id = request.form.get("id", "")
    return change(app, form, say("Field restored"), lambda parts: changes.restore_field(parts, form, id), id)


@bp.post("/build/<app>/form/<form>/section")
def section(app: str, form: str) -> Any:
    """A new section; or one renamed, or taken away."""
    place = read_whole(request.form.get("place", ""))
    if place is None:
        return change(
            app,
            form,
            say("New section"),
            lambda parts: layout.add_section(parts, form, {"zh": "分组", "en": "Section"}),
        )
    if request.form.get("remove"):
        return change(
            app,
            form,
            say("Section removed"),
            lambda parts: layout.change_block(parts, form, place, {"remove": True}),
        )
    title = request.form.get("title", "").strip()[:120]
    if not title:
        raise InvalidInput({"": [say("Give the section a name.")]})
    return change(
        app,
        form,
        say("Section renamed"),
        lambda parts: layout.change_block(parts, form, place, {"section": title}),
    )


@bp.post("/build/<app>/form/<form>/options")
def set_options(app: str, form: str) -> Any:
    """What was put into the panel: of a field or column (`path`), of the form or of its table."""
    path, tab = request.form.get("path", ""), request.form.get("tab", "field")
    sent = {
        name: (values if len(values := request.form.getlist(name)) > 1 or "options." in name else values[0])
        for name in request.form
    }
    with work() as ctx:
        designer(ctx)
        draft = drafts.open_draft(ctx, app)
        table_id, found = the_form(draft.parts, form)
        kind, before, edit = _target(draft, table_id, form, path, tab)
        made, errors = panel.read(kind, sent, before)
        if errors:
            return studio(ctx, draft, form, path, errors=errors, typed=_typed(sent, errors), status=422)
        try:
            draft = drafts.edit(ctx, app, counter_sent(), say("Options changed"), lambda parts: edit(parts, made))
        except Conflict as err:
            raise InvalidInput({"": [CHANGED]}) from err
        return studio(ctx, draft, form, path)


def _target(
    draft: Draft, table_id: str, form: str, path: str, tab: str
) -> tuple[type[Any], dict[str, Any], Callable[[Parts, Any], Parts]]:
    table = draft.parts[f"tables/{table_id}"]
    if tab == "field":
        field = changes.find_field(table, path)
        return field_types[field["type"]], field, lambda parts, made: changes.change_field(parts, table_id, path, made)
    if tab == "table":
        return Table, table, lambda parts, made: changes.change_object(parts, "tables", table_id, made)
    return Form, draft.parts[f"forms/{form}"], lambda parts, made: changes.change_object(parts, "forms", form, made)


def _typed(sent: Mapping[str, Any], errors: Mapping[str, Any]) -> dict[str, Any]:
    """What was typed into the inputs that are refused, to be shown again."""
    return {name: sent[name] for name in errors if name in sent}
