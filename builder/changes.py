"""One definition made out of another: every edit as a pure function from parts to parts.

The parts of a package are its objects by `kind/id` (`tables/claim`), their order (`order/tables`), the `manifest`,
and a `bin` of deleted fields by table, which is not part of the package. Functions never change what they are given.
"""

import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

from schemas.errors import InvalidInput
from schemas.fields import field_types
from schemas.messages import Message, say
from schemas.text import Text

Parts = dict[str, Any]
Json = dict[str, Any]
KINDS = ("tables", "forms", "views", "flows", "dashboards", "access")
PRESETS = ("submit", "own", "all")


def split(package: Mapping[str, Any]) -> Parts:
    parts: Parts = {"manifest": {k: deepcopy(v) for k, v in package.items() if k not in KINDS}, "bin": {}}
    for kind in KINDS:
        items = package.get(kind) or []
        parts[f"order/{kind}"] = [item["id"] for item in items]
        parts |= {f"{kind}/{item['id']}": deepcopy(item) for item in items}
    return parts


def join(parts: Mapping[str, Any]) -> Json:
    package: Json = dict(deepcopy(parts["manifest"]))
    for kind in KINDS:
        order = parts.get(f"order/{kind}") or []
        if order:
            package[kind] = [deepcopy(parts[f"{kind}/{id}"]) for id in order]
    return package


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


def fresh(base: str, taken: Any) -> str:
    """An id that is not taken: `base`, or with the next number."""
    names = set(taken)
    if base not in names:
        return base
    number = max((int(m[1]) for n in names if (m := re.fullmatch(re.escape(base) + r"_(\d+)", n))), default=1) + 1
    return f"{base}_{number}"


def word_of(title: str, otherwise: str) -> str:
    """An id from a title where it has Latin letters, else a plain word."""
    word = re.sub(r"[^a-z0-9]+", "_", title.casefold().encode("ascii", "ignore").decode()).strip("_")[:30]
    return word if re.match(r"[a-z]", word) else otherwise


def add_form(parts: Parts, title: str, preset: str = "own") -> tuple[Parts, str]:
    """A table with its form, a list, rights and a line in the navigation, in one step. Gives the form's id."""
    made = deepcopy(parts)
    names = {k.partition("/")[2] for k in parts if k.partition("/")[0] in ("tables", "forms", "views")}
    id = fresh(word_of(title, "form"), names)
    first = {"id": "field_1", "type": "text", "label": {"zh": "标题", "en": "Title"}, "required": True}
    _put(made, "tables", {"id": id, "title": title, "title_formula": "field_1", "fields": [first]})
    _put(made, "forms", {"id": id, "table": id, "title": title, "layout": [{"row": ["field_1"]}]})
    _put(
        made,
        "views",
        {
            "id": id,
            "table": id,
            "title": title,
            "columns": ["field_1", "created_by", "created_at"],
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
        grant |= {"do": ["create", "read", "update", "history"], "rows": "created_by = ME()"}
    else:
        grant |= {"do": ["create", "read", "update", "delete", "import", "export", "history"]}
    _put(made, "access", grant)
    return made


def preset_of(parts: Mapping[str, Any], table: str) -> str:
    """The preset that a table's rights are, or nothing when they are of another kind."""
    others = [k for k in parts.get("order/access", ()) if parts[f"access/{k}"].get("table") == table]
    if others != [f"{table}_everyone"]:
        return ""
    for preset in PRESETS:
        if set_preset(dict(parts), table, preset) == parts:
            return preset
    return ""


def delete_form(parts: Parts, table: str) -> Parts:
    """A table with everything about it. Its records stay in storage until purged."""
    made = deepcopy(parts)
    for kind in ("forms", "views", "access"):
        for id in [i for i in made[f"order/{kind}"] if made[f"{kind}/{i}"].get("table") == table]:
            _take(made, kind, id)
    _take(made, "tables", table)
    views = set(made["order/views"])
    forms = set(made["order/forms"])
    made["manifest"]["navigation"] = list(_kept_entries(made["manifest"].get("navigation") or [], views, forms))
    return made


def _kept_entries(entries: list[Json], views: set[str], forms: set[str]) -> Iterator[Json]:
    for entry in entries:
        if "items" in entry:
            inner = list(_kept_entries(entry["items"], views, forms))
            if inner:
                yield {**entry, "items": inner}
        elif not (("view" in entry and entry["view"] not in views) or ("form" in entry and entry["form"] not in forms)):
            yield entry


def _put(parts: Parts, kind: str, item: Json) -> None:
    order = parts.setdefault(f"order/{kind}", [])
    if item["id"] not in order:
        parts[f"order/{kind}"] = [*order, item["id"]]
    parts[f"{kind}/{item['id']}"] = item


def _take(parts: Parts, kind: str, id: str) -> None:
    parts.pop(f"{kind}/{id}", None)
    parts[f"order/{kind}"] = [i for i in parts[f"order/{kind}"] if i != id]


def change_object(parts: Parts, kind: str, id: str, options: Mapping[str, Any]) -> Parts:
    """Replace options of a table, form, view or dashboard; None takes one away."""
    made = deepcopy(parts)
    made[f"{kind}/{id}"] = _with(made[f"{kind}/{id}"], options)
    return made


def change_manifest(parts: Parts, options: Mapping[str, Any]) -> Parts:
    made = deepcopy(parts)
    made["manifest"] = _with(made["manifest"], options)
    return made


def _with(item: Json, options: Mapping[str, Any]) -> Json:
    return {k: v for k, v in {**item, **options}.items() if v is not None}


# -- fields ----------------------------------------------------------------------------------------


def add_field(parts: Parts, form: str, type: str, after: str = "") -> tuple[Parts, str]:
    """A field of this type on the table of a form, placed after another or at the end. Gives its id."""
    made = deepcopy(parts)
    table = made[f"tables/{made[f'forms/{form}']['table']}"]
    id = _next_id(made, table)
    table["fields"] = [*table["fields"], {"id": id, "type": type, "label": _label(type), **starter(made, table, type)}]
    _place(made, form, id, after)
    return made, id


def _label(type: str) -> Json | str:
    kind = field_types.get(type)
    return kind.title if kind else type


def starter(parts: Parts, table: Json, type: str) -> Json:
    """What a new field of this type needs to be sound. Raises InvalidInput where it cannot be yet."""
    if type in ("choice", "choices"):
        return {"options": [{"id": "one", "label": "选项 1"}, {"id": "two", "label": "选项 2"}]}
    if type == "rows":
        return {"fields": [{"id": "column_1", "type": "text", "label": {"zh": "文本", "en": "Text"}}]}
    if type == "link":
        return {"table": next(iter(parts["order/tables"]))}
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


def links_to(parts: Mapping[str, Any], table: str) -> Iterator[str]:
    for id in parts["order/tables"]:
        for field in parts[f"tables/{id}"]["fields"]:
            if field["type"] == "link" and field.get("table") == table:
                yield f"{id}.{field['id']}"


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
    copy = {**deepcopy(original), "id": new, "label": _copied(original.get("label") or id)}
    copy.pop("unique", None)
    table["fields"] = [*table["fields"], copy]
    _place(made, form, new, id)
    return made, new


def _copied(label: Json | str) -> Json | str:
    if isinstance(label, str):
        return f"{label} 2"
    return {language: f"{text} 2" for language, text in label.items()}


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
            field = _with(field, keep)
        elif field["id"] == first:
            field = {**field, "fields": [_with(c, keep) if c["id"] == column else c for c in field["fields"]]}
        fields.append(field)
    found["fields"] = fields
    return made


def add_column(parts: Parts, table: str, rows: str, type: str) -> tuple[Parts, str]:
    """A column of a subform. Gives its path."""
    made = deepcopy(parts)
    found = made[f"tables/{table}"]
    id = _next_id(made, found).replace("field", "column")
    column = {"id": id, "type": type, "label": _label(type), **starter(made, found, type)}
    for field in found["fields"]:
        if field["id"] == rows:
            field["fields"] = [*field["fields"], column]
    return made, f"{rows}.{id}"


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
        return made
    found["fields"] = [f for f in found["fields"] if f["id"] != first]
    made["bin"].setdefault(table, []).append({"field": field})
    for form in _of_table(made, "forms", table):
        form["layout"] = without_field(form.get("layout") or [], first)
        for name in ("require", "readonly"):
            if name in form:
                form[name] = [f for f in form[name] if f != first]
    for view in _of_table(made, "views", table):
        for name in ("columns", "card", "sort"):
            if name in view:
                view[name] = [c for c in view[name] if c.removeprefix("-") != first]
    return made


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
    _place(made, form, id, "")
    return made


def _of_table(parts: Parts, kind: str, table: str) -> list[Json]:
    return [parts[f"{kind}/{i}"] for i in parts[f"order/{kind}"] if parts[f"{kind}/{i}"].get("table") == table]


# -- layout ----------------------------------------------------------------------------------------


def _lines(layout: list[Json]) -> list[tuple[int, list[str]]]:
    """(block, fields side by side) for every line of a form."""
    return [
        (n, line)
        for n, block in enumerate(layout)
        for line in ([block["row"]] if "row" in block else block.get("rows", []))
    ]


def layout_of(parts: Mapping[str, Any], form: str) -> list[Json]:
    """The form's layout; every field on a line of its own where it has none."""
    found = parts[f"forms/{form}"]
    if found.get("layout"):
        return list(deepcopy(found["layout"]))
    return [{"row": [f["id"]]} for f in parts[f"tables/{found['table']}"]["fields"]]


def _place(parts: Parts, form: str, id: str, after: str) -> None:
    layout = layout_of(parts, form)
    layout = without_field(layout, id)
    for n, block in enumerate(layout):
        if block.get("row") and after in block["row"]:
            layout.insert(n + 1, {"row": [id]})
            break
        line = next((i for i, fields in enumerate(block.get("rows", ())) if after in fields), None)
        if line is not None:
            block["rows"] = [*block["rows"][: line + 1], [id], *block["rows"][line + 1 :]]
            break
    else:
        layout.append({"row": [id]})
    parts[f"forms/{form}"]["layout"] = layout


def without_field(layout: list[Json], id: str) -> list[Json]:
    """The layout without a field; lines that become empty go, sections stay."""
    made = []
    for block in layout:
        if "row" in block:
            row = [f for f in block["row"] if f != id]
            if row:
                made.append({**block, "row": row})
        elif "rows" in block:
            rows = [[f for f in line if f != id] for line in block["rows"]]
            made.append({**block, "rows": [line for line in rows if line]})
        else:
            made.append(block)
    return made


def move_line(parts: Parts, form: str, id: str, block: int, position: int) -> Parts:
    """Move the line that a field stands on: into a section (by its place in the layout), or among the lines outside (-1)."""
    made = deepcopy(parts)
    layout = layout_of(made, form)
    line = next((fields for _, fields in _lines(layout) if id in fields), [id])
    target = layout[block] if 0 <= block < len(layout) and "rows" in layout[block] else None
    for field in line:
        layout = without_field(layout, field)
    if target is not None:
        section = next(
            b
            for b in layout
            if b.get("rows") is not None
            and (b.get("id"), b.get("section")) == (target.get("id"), target.get("section"))
        )
        section["rows"].insert(max(0, position), list(line))
    else:
        layout.insert(max(0, min(position, len(layout))), {"row": list(line)})
    made[f"forms/{form}"]["layout"] = layout
    return made


def step_field(parts: Parts, form: str, id: str, by: int) -> Parts:
    """Move a field's line up (-1) or down (1) past its neighbour, into and out of sections on the way."""
    made = deepcopy(parts)
    layout = layout_of(made, form)
    flat = _lines(layout)
    at = next((n for n, (_, line) in enumerate(flat) if id in line), None)
    if at is None or not 0 <= at + by < len(flat):
        return made
    neighbour = flat[at + by][1]
    line = flat[at][1]
    for field in line:
        layout = without_field(layout, field)
    made[f"forms/{form}"]["layout"] = _beside_line(layout, line, neighbour[0], after=by > 0)
    return made


def _beside_line(layout: list[Json], line: list[str], neighbour: str, after: bool) -> list[Json]:
    made: list[Json] = []
    for block in layout:
        if "row" in block and neighbour in block["row"]:
            made += [block, {"row": line}] if after else [{"row": line}, block]
        elif "rows" in block and any(neighbour in fields for fields in block["rows"]):
            n = next(i for i, fields in enumerate(block["rows"]) if neighbour in fields) + (1 if after else 0)
            made.append({**block, "rows": [*block["rows"][:n], line, *block["rows"][n:]]})
        else:
            made.append(block)
    return made


def join_line(parts: Parts, form: str, id: str) -> Parts:
    """Put a field beside the one above it, or on a line of its own if it stands beside another."""
    made = deepcopy(parts)
    layout = layout_of(made, form)
    flat = _lines(layout)
    at = next((n for n, (_, line) in enumerate(flat) if id in line), None)
    if at is None:
        return made
    if len(flat[at][1]) > 1:
        rest = [f for f in flat[at][1] if f != id]
        layout = _beside_line(without_field(layout, id), [id], rest[0], after=True)
    elif at > 0 and len(flat[at - 1][1]) < 4:
        above = flat[at - 1][1]
        layout = [_joined(block, above, id) for block in without_field(layout, id)]
    made[f"forms/{form}"]["layout"] = layout
    return made


def _joined(block: Json, above: list[str], id: str) -> Json:
    if block.get("row") == above:
        return {**block, "row": [*above, id]}
    if above in block.get("rows", ()):
        return {**block, "rows": [[*line, id] if line == above else line for line in block["rows"]]}
    return block


def add_section(parts: Parts, form: str, title: Any) -> Parts:
    """A section at the end of the form."""
    made = deepcopy(parts)
    layout = layout_of(made, form)
    id = fresh("section", [b.get("id") for b in layout if b.get("id")])
    made[f"forms/{form}"]["layout"] = [*layout, {"id": id, "section": title, "rows": []}]
    return made


def change_block(parts: Parts, form: str, place: int, options: Mapping[str, Any]) -> Parts:
    """Rename a section (`section`), fold it, or with None for everything take it away: its fields move out."""
    made = deepcopy(parts)
    layout = layout_of(made, form)
    if not 0 <= place < len(layout):
        raise InvalidInput({"": [say("This section is no longer there.")]})
    if options.get("remove"):
        freed = [{"row": line} for line in layout[place].get("rows", [])]
        layout[place : place + 1] = freed
    else:
        layout[place] = _with(layout[place], options)
    made[f"forms/{form}"]["layout"] = layout
    return made


# -- differences -----------------------------------------------------------------------------------

THINGS = {
    "tables": say("table"), "forms": say("form"), "views": say("view"), "flows": say("flow"),
    "dashboards": say("dashboard"), "access": say("grant"),
}  # fmt: skip


def differences(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> list[tuple[str, Message]]:
    """What publishing would change, in words: (added, removed or changed; message)."""
    old = split(before) if before else {"manifest": {}, **{f"order/{k}": [] for k in KINDS}}
    new = split(after)
    found: list[tuple[str, Message]] = []
    if old["manifest"] != new["manifest"]:
        found.append(("changed", say("The app's title, navigation or roles")))
    for kind in KINDS:
        found += _object_differences(kind, old, new)
    return found


def _object_differences(kind: str, old: Parts, new: Parts) -> Iterator[tuple[str, Message]]:
    thing = THINGS[kind]
    for id in new[f"order/{kind}"]:
        item, previous = new[f"{kind}/{id}"], old.get(f"{kind}/{id}")
        if previous is None:
            yield "added", say("New {thing}: {name}", thing=thing, name=_name(item))
        elif kind == "tables" and item != previous:
            yield from _field_differences(previous, item)
        elif item != previous:
            yield "changed", say("Changed {thing}: {name}", thing=thing, name=_name(item))
    for id in old[f"order/{kind}"]:
        if f"{kind}/{id}" not in new:
            yield (
                "removed",
                say("Removed {thing}: {name} (its records are kept)", thing=thing, name=_name(old[f"{kind}/{id}"])),
            )


def _field_differences(before: Json, after: Json) -> Iterator[tuple[str, Message]]:
    table = _name(after)
    old, new = ({f["id"]: f for f in t["fields"]} for t in (before, after))
    for id, field in new.items():
        if id not in old:
            yield "added", say("New field “{name}” in {table}", name=_name(field), table=table)
        elif field != old[id]:
            yield "changed", say("Changed field “{name}” in {table}", name=_name(field), table=table)
    for id, field in old.items():
        if id not in new:
            yield (
                "removed",
                say("Removed field “{name}” from {table} (its values are kept)", name=_name(field), table=table),
            )
    if {k: v for k, v in before.items() if k != "fields"} != {k: v for k, v in after.items() if k != "fields"}:
        yield "changed", say("Changed {thing}: {name}", thing=THINGS["tables"], name=table)


def _name(item: Mapping[str, Any]) -> Text:
    return Text.of(item.get("title") or item.get("label") or item["id"])
