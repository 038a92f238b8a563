"""One definition made out of another: every edit as a pure function from parts to parts.

Functions never change what they are given.
"""

import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

from builder import grants
from builder.layout import place, without_field
from builder.navigation import without_lines
from builder.parts import Json, Parts, fresh, numbered, of_table, put, replaced, take, word_of
from schemas.access import ACTIONS
from schemas.errors import InvalidInput
from schemas.fields import field_types
from schemas.messages import say
from schemas.options import options_of
from schemas.parsers import Many, Reference
from schemas.views import view_types

PRESETS = ("submit", "own", "all")
LIST_ENDS = ["created_by", "created_at"]
MOST_COLUMNS = 10
OBJECTS = ("table", "form")
"""What the options of a view may refer to besides fields."""
RULE_EFFECTS = ("show", "hide", "require", "readonly")
NOT_LISTED = ("rows", "long_text", "query")


# -- apps and forms --------------------------------------------------------------------------------


def new_app(id: str, title: str) -> Json:
    return {
        "language": 1,
        "app": id,
        "version": "1.0.0",
        "title": title,
        "icon": "app",
        "color": "teal",
        "roles": [],
        "navigation": [],
    }


def add_form(parts: Parts, title: str, preset: str = "own") -> tuple[Parts, str]:
    """A table with its form, a list, rights and a line in the navigation, in one step. Gives the form's id."""
    made = deepcopy(parts)
    names = {k.partition("/")[2] for k in parts if k.partition("/")[0] in ("tables", "forms", "views")}
    id = fresh(word_of(title, "form"), names)
    first = {"id": "field_1", "type": "text", "label": {"zh": "标题", "en": "Title"}, "required": True}
    put(made, "tables", {"id": id, "title": title, "title_formula": "field_1", "fields": [first]})
    put(made, "forms", {"id": id, "table": id, "title": title, "layout": [{"row": ["field_1"]}]})
    put(
        made,
        "views",
        {
            "id": id,
            "table": id,
            "title": title,
            "columns": ["field_1", *LIST_ENDS],
            "sort": ["-created_at"],
        },
    )
    made = set_preset(made, id, preset)
    made["manifest"].setdefault("navigation", []).append({"view": id})
    return made, id


def set_preset(parts: Parts, table: str, preset: str) -> Parts:
    """Who may do what with a table, as one choice: everybody submits, or also sees their own, or everybody sees all."""
    made = deepcopy(parts)
    grant: Json = {"id": f"{table}_everyone", "who": {"everyone": True}, "table": table}
    if preset == "submit":
        grant |= {"do": ["create"]}
    elif preset == "own":
        grant |= {"do": ["create", "read", "update", "print", "comment", "history"], "rows": grants.OWN}
    else:
        grant |= {"do": [verb for verb in ACTIONS if verb != "share"]}
    put(made, "access", grant)
    return made


def preset_of(parts: Mapping[str, Any], table: str) -> str:
    """The preset that a table's rights are, or nothing when they are of another kind."""
    others = [k for k in parts.get("order/access", ()) if parts[f"access/{k}"].get("table") == table]
    if others != [f"{table}_everyone"]:
        return ""
    for preset in PRESETS:
        if set_preset(Parts(parts), table, preset) == parts:
            return preset
    return ""


def delete_form(parts: Parts, table: str) -> Parts:
    """A table with everything about it. Its records stay in storage until purged."""
    made = deepcopy(parts)
    for id in [i for i in made["order/access"] if grants.table_of(made, *grants.about(made[f"access/{i}"])) == table]:
        take(made, "access", id)
    gone: dict[str, list[str]] = {}
    for kind in ("forms", "views"):
        own = [i for i in made[f"order/{kind}"] if made[f"{kind}/{i}"].get("table") == table]
        gone[kind] = [*own, table]
        for id in own:
            take(made, kind, id)
    take(made, "tables", table)
    return without_lines(without_lines(made, "view", gone["views"]), "form", gone["forms"])


def change_object(parts: Parts, kind: str, id: str, options: Mapping[str, Any]) -> Parts:
    """Replace options of a table, form, view or dashboard; None takes one away."""
    made = deepcopy(parts)
    made[f"{kind}/{id}"] = replaced(made[f"{kind}/{id}"], options)
    return made


def change_manifest(parts: Parts, options: Mapping[str, Any]) -> Parts:
    made = deepcopy(parts)
    made["manifest"] = replaced(made["manifest"], options)
    return made


# -- fields ----------------------------------------------------------------------------------------


def add_field(parts: Parts, form: str, type: str, after: str = "", label: Any = None) -> tuple[Parts, str]:
    """A field of this type on the table of a form, placed after another or at the end. Gives its id."""
    made = deepcopy(parts)
    table = made[f"tables/{made[f'forms/{form}']['table']}"]
    id = _next_id(made, table)
    table["fields"] = [
        *table["fields"],
        {"id": id, "type": type, "label": label or _label(type), **starter(made, table, type)},
    ]
    place(made, form, id, after)
    _list_column(made, table, id)
    return made, id


def _list_column(parts: Parts, table: Json, id: str) -> None:
    """A column for a field in the list that came with its form, while that still ends as it began and has room."""
    view = parts.get(f"views/{table['id']}")
    columns = list((view or {}).get("columns") or ())
    if view is None or columns[-2:] != LIST_ENDS or len(columns) >= MOST_COLUMNS + len(LIST_ENDS):
        return
    if find_field(table, id)["type"] not in NOT_LISTED:
        view["columns"] = [*columns[:-2], id, *LIST_ENDS]


def _label(type: str) -> Json | str:
    kind = field_types.get(type)
    return kind.title if kind else type


def starter(parts: Parts, table: Json, type: str) -> Json:
    """What a new field of this type needs to be sound. Raises InvalidInput where it cannot be yet."""
    if type in ("choice", "choices"):
        return {"options": [_option("one", 1), _option("two", 2)]}
    if type == "rows":
        return {"fields": [{"id": "column_1", "type": "text", "label": {"zh": "文本", "en": "Text"}}]}
    if type in ("link", "links", "query", "group"):
        return {"table": next(iter(parts["order/tables"]))}
    if type == "button":
        return {"action": "form", "form": _own_form(parts, table)}
    if type == "lookup":
        return {"path": _lookup_path(parts, table)}
    if type == "formula":
        return {"formula": "0"}
    if type == "serial":
        return {"parts": [{"date": "yyyyMM"}, {"count": 4, "reset": "month"}]}
    if type == "rollup":
        links = list(links_to(parts, table["id"]))
        if not links:
            raise InvalidInput({"": [say("A rollup needs a link from another form to this one. Make that first.")]})
        return {"over": links[0], "aggregate": "count"}
    return {}


def _option(id: str, number: int) -> Json:
    return {"id": id, "label": {"zh": f"选项 {number}", "en": f"Option {number}"}}


def _own_form(parts: Parts, table: Json) -> str:
    """A form of the table, which a new button opens until it is told otherwise."""
    forms = [id for id in parts.get("order/forms") or () if parts[f"forms/{id}"]["table"] == table["id"]]
    return forms[0] if forms else str(table["id"])


def _lookup_path(parts: Parts, table: Json) -> str:
    """The first field behind the first link. Raises InvalidInput where there is no link yet."""
    link = next((f for f in table["fields"] if f["type"] in ("link", "links")), None)
    target = parts.get(f"tables/{link['table']}") if link else None
    if link is None or target is None:
        raise InvalidInput({"": [say("A lookup needs a link of this form to another. Make that first.")]})
    shown = next((f for f in target["fields"] if f["type"] not in ("rows", "query", "lookup")), None)
    return f"{link['id']}.{shown['id'] if shown else 'created_at'}"


def links_to(parts: Mapping[str, Any], table: str) -> Iterator[str]:
    for id in parts["order/tables"]:
        for field in parts[f"tables/{id}"]["fields"]:
            if field["type"] in ("link", "links", "group") and field.get("table") == table:
                yield f"{id}.{field['id']}"
            for column in field.get("fields", ()):
                if column["type"] == "group" and column.get("table") == table:
                    yield f"{id}.{field['id']}.{column['id']}"


def _next_id(parts: Parts, table: Json) -> str:
    """An id that no field of the table has or had."""
    used = [f["id"] for f in (*table["fields"], *(b["field"] for b in parts["bin"].get(table["id"], ())))]
    columns = [c["id"] for f in table["fields"] for c in f.get("fields", ())]
    numbers = [int(m[1]) for id in (*used, *columns) if (m := re.fullmatch(r"(?:field|column)_(\d+)", id))]
    return f"field_{max(numbers, default=0) + 1}"


def copy_field(parts: Parts, form: str, id: str) -> tuple[Parts, str]:
    made = deepcopy(parts)
    table = made[f"tables/{made[f'forms/{form}']['table']}"]
    original = find_field(table, id)
    new = _next_id(made, table)
    copy = {**deepcopy(original), "id": new, "label": numbered(original.get("label") or id)}
    copy.pop("unique", None)
    table["fields"] = [*table["fields"], copy]
    place(made, form, new, id)
    _list_column(made, table, new)
    return made, new


def find_field(table: Mapping[str, Any], path: str) -> Json:
    """The field, or the column of a subform (`items.price`). Raises InvalidInput."""
    first, _, column = path.partition(".")
    found = next((f for f in table["fields"] if f["id"] == first), None)
    if found is not None and column:
        found = next((c for c in found.get("fields", ()) if c["id"] == column), None)
    if found is None:
        raise InvalidInput({"": [say("This field is no longer there.")]})
    return dict(found)


def change_field(parts: Parts, table: str, path: str, options: Mapping[str, Any]) -> Parts:
    """Replace options of a field or column; None takes one away. Its id and type stay."""
    made = deepcopy(parts)
    found = made[f"tables/{table}"]
    first, _, column = path.partition(".")
    keep = {k: v for k, v in options.items() if k not in ("id", "type")}
    fields = []
    for field in found["fields"]:
        if field["id"] == first and not column:
            field = replaced(field, keep)
        elif field["id"] == first:
            field = {**field, "fields": [replaced(c, keep) if c["id"] == column else c for c in field["fields"]]}
        fields.append(field)
    found["fields"] = fields
    return made


def add_column(parts: Parts, table: str, rows: str, type: str, label: Any = None) -> tuple[Parts, str]:
    """A column of a subform. Gives its path."""
    made = deepcopy(parts)
    found = made[f"tables/{table}"]
    id = _next_id(made, found).replace("field", "column")
    column = {"id": id, "type": type, "label": label or _label(type), **starter(made, found, type)}
    for field in found["fields"]:
        if field["id"] == rows:
            field["fields"] = [*field["fields"], column]
    return made, f"{rows}.{id}"


def move_column(parts: Parts, table: str, rows: str, column: str, position: int) -> Parts:
    """A column of a subform at another place among its columns."""
    made = deepcopy(parts)
    for field in made[f"tables/{table}"]["fields"]:
        if field["id"] == rows:
            moving = [c for c in field["fields"] if c["id"] == column]
            rest = [c for c in field["fields"] if c["id"] != column]
            field["fields"] = [*rest[:position], *moving, *rest[position:]]
    return made


def delete_field(parts: Parts, table: str, path: str) -> Parts:
    """Into the bin, from every form and view too; its column and values stay."""
    made = deepcopy(parts)
    found = made[f"tables/{table}"]
    first, _, column = path.partition(".")
    field = find_field(found, path)
    if column:
        for rows in found["fields"]:
            if rows["id"] == first:
                rows["fields"] = [c for c in rows["fields"] if c["id"] != column]
    else:
        found["fields"] = [f for f in found["fields"] if f["id"] != first]
        made["bin"].setdefault(table, []).append({"field": field})
    for form in of_table(made, "forms", table):
        without(form, path)
    for view in of_table(made, "views", table):
        _take_off_view(view, path)
    return made


def _take_off_view(view: Json, path: str) -> None:
    kind: Any = view_types.get(view.get("type", "grid"))
    for option in options_of(kind) if kind else ():
        parser, given = option.parser, view.get(option.name)
        item = parser.item if isinstance(parser, Many) else parser
        if not isinstance(item, Reference) or item.to in OBJECTS:
            continue
        if isinstance(given, list):
            view[option.name] = [c for c in given if not _is_of(c.removeprefix("-"), path)]
        elif isinstance(given, str) and _is_of(given, path):
            del view[option.name]


def _is_of(path: str, deleted: str) -> bool:
    return path == deleted or path.startswith(f"{deleted}.")


def without(form: Json, path: str) -> None:
    """Take a field off a form, with what the form says about it."""
    form["layout"] = without_field(form.get("layout") or [], path)
    for name in ("require", "readonly"):
        if name in form:
            form[name] = [f for f in form[name] if not _is_of(f, path)]
    if form.get("defaults"):
        form["defaults"] = {f: v for f, v in form["defaults"].items() if not _is_of(f, path)}
    if form.get("widths"):
        form["widths"] = {f: w for f, w in form["widths"].items() if not _is_of(f, path)}
    if form.get("rules"):
        rules = [_rule_without(rule, path) for rule in form["rules"]]
        form["rules"] = [rule for rule in rules if any(rule.get(name) for name in RULE_EFFECTS)]


def _rule_without(rule: Json, path: str) -> Json:
    return {k: [f for f in v if not _is_of(f, path)] if k in RULE_EFFECTS else v for k, v in rule.items()}


def restore_field(parts: Parts, form: str, id: str) -> Parts:
    """Out of the bin, onto the end of a form."""
    made = deepcopy(parts)
    table = made[f"forms/{form}"]["table"]
    kept = made["bin"].get(table, [])
    found = next((b for b in kept if b["field"]["id"] == id), None)
    if found is None:
        raise InvalidInput({"": [say("This field is no longer there.")]})
    made["bin"][table] = [b for b in kept if b is not found]
    made[f"tables/{table}"]["fields"].append(found["field"])
    place(made, form, id, "")
    _list_column(made, made[f"tables/{table}"], id)
    return made
