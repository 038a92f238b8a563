"""The same once more: a table with its forms, views and rights, a dashboard, a whole app."""

import re
from collections.abc import Collection, Mapping
from copy import deepcopy

from builder import bundle, changes, check, datapack, drafts, grants, navigation
from builder.parts import Json, Parts, fresh, join, numbered, of_table, put
from runtime import definitions
from runtime.context import Context
from runtime.definitions import Installed
from schemas.app import App
from schemas.errors import InvalidInput, NotFound
from schemas.messages import say

OWN = ("forms", "views")

# -- tables ----------------------------------------------------------------------------------------


def copy_table(parts: Parts, table: str) -> tuple[Parts, str]:
    """A table with its forms, views and rights, without records. Gives the id of its first form, or its own.

    Links of other tables go on pointing at the first, so what the first rolls up over them is a plain field of the
    second, of the same kind, and formulas that read it go on; queries that show what links to it are left out.
    """
    if f"tables/{table}" not in parts:
        raise NotFound
    made = deepcopy(parts)
    ids = _new_ids(parts, table)
    app, _ = check.understand(join(parts))
    put(made, "tables", _table(deepcopy(parts[f"tables/{table}"]), table, ids["tables"][table], app))
    for kind in OWN:
        for item in of_table(parts, kind, table):
            named = {"id": ids[kind][item["id"]], "title": numbered(item.get("title") or item["id"])}
            put(made, kind, _renamed(deepcopy(item), ids) | named)
    _copy_rights(made, parts, table, ids)
    _list_views(made, ids["views"])
    for field in [f for f in parts[f"tables/{table}"]["fields"] if _shows_what_belongs_here(f)]:
        made = changes.delete_field(made, ids["tables"][table], field["id"])
    return made, next(iter(ids["forms"].values()), ids["tables"][table])


def _new_ids(parts: Parts, table: str) -> dict[str, dict[str, str]]:
    """By kind: what each object of the table is called in the copy."""
    taken = {name.partition("/")[2] for name in parts if name.partition("/")[0] in ("tables", *OWN)}
    new = fresh(table, taken)
    taken.add(new)
    ids: dict[str, dict[str, str]] = {"tables": {table: new}, "forms": {}, "views": {}}
    for kind in OWN:
        for item in of_table(parts, kind, table):
            same = item["id"] == table
            ids[kind][item["id"]] = new if same else fresh(item["id"], taken)
            taken.add(ids[kind][item["id"]])
    return ids


def _table(item: Json, old: str, new: str, app: App | None) -> Json:
    """The copied table. A link to itself leads to itself again; the other side of a link keeps its name for the first."""
    own = {field["id"] for field in item["fields"]}
    fields = [
        _plain(field, app, old) if _rolls_up_others(field, old, own) else _field(field, old, new) for field in item["fields"]
    ]
    return {**item, "id": new, "title": numbered(item.get("title") or old), "fields": fields}


def _field(field: Json, old: str, new: str) -> Json:
    made = {key: value for key, value in field.items() if key != "reverse"}
    if isinstance(field.get("reverse"), Mapping):
        made["reverse"] = {key: value for key, value in field["reverse"].items() if key != "id"}
    if made.get("table") == old:
        made["table"] = new
    if str(made.get("over") or "").partition(".")[0] == old:
        made["over"] = f"{new}.{made['over'].partition('.')[2]}"
    if isinstance(made.get("fields"), list):
        made["fields"] = [_field(column, old, new) for column in made["fields"]]
    return made


def _rolls_up_others(field: Json, old: str, own: Collection[str]) -> bool:
    """Whether a rollup is over a link of another table, which leads to the first and not to the copy."""
    over = str(field.get("over") or "")
    return field["type"] == "rollup" and bool(over) and over not in own and over.partition(".")[0] != old


def _shows_what_belongs_here(field: Json) -> bool:
    """Whether a query shows records of another table that link to this one: to the copy none does."""
    return field["type"] == "query" and re.search(r"\bthis\b(?!\.)", str(field.get("where") or "")) is not None


def _plain(field: Json, app: App | None, table: str) -> Json:
    """A field to fill in by hand that holds what a rollup gave."""
    found = app.table(table) if app is not None else None
    known = found.by_id.get(field["id"]) if found is not None else None
    kind = app.analysis.type_of(found, known).kind if app is not None and found is not None and known is not None else ""
    about: Json = {key: field[key] for key in ("label", "help", "unit", "decimals", "percent") if key in field}
    if kind != "number":
        about = {key: value for key, value in about.items() if key in ("label", "help")}
    return {"id": field["id"], "type": PLAIN.get(kind, "text"), **about}


PLAIN = {"number": "number", "date": "date", "datetime": "datetime", "boolean": "switch", "member": "member"}


def _renamed(item: Json, ids: Mapping[str, Mapping[str, str]]) -> Json:
    """An object that names its table, a form or a view of it, by their new names."""
    for key, kind in (("table", "tables"), ("form", "forms"), ("view", "views")):
        if item.get(key) in ids[kind]:
            item[key] = ids[kind][item[key]]
    return item


def _copy_rights(made: Parts, parts: Parts, table: str, ids: Mapping[str, Mapping[str, str]]) -> None:
    for grant in [parts[f"access/{id}"] for id in parts.get("order/access") or ()]:
        if grants.table_of(parts, *grants.about(grant)) == table:
            id = grant["id"]
            new = f"{ids['tables'][table]}{id.removeprefix(table)}" if id.startswith(f"{table}_") else id
            put(made, "access", _renamed(deepcopy(grant), ids) | {"id": fresh(new, made.get("order/access") or ())})


def _list_views(made: Parts, views: Mapping[str, str]) -> None:
    """A line of the navigation for each copied view that had one, behind the last of those it was copied from."""
    lines = made["manifest"].get("navigation") or []
    listed = {line.get("view"): place for place, line in navigation.walk(lines)}
    wanted = [new for old, new in views.items() if old in listed]
    if wanted:
        last = max(int(listed[old].partition(".")[0]) for old in views if old in listed)
        lines[last + 1 : last + 1] = [{"view": id} for id in wanted]


# -- dashboards ------------------------------------------------------------------------------------


def copy_board(parts: Parts, board: str) -> tuple[Parts, str]:
    """A dashboard with its widgets and rights, listed behind the first. Gives its id."""
    if f"dashboards/{board}" not in parts:
        raise NotFound
    made = deepcopy(parts)
    found = made[f"dashboards/{board}"]
    id = fresh(board, made["order/dashboards"])
    put(made, "dashboards", {**deepcopy(found), "id": id, "title": numbered(found.get("title") or board)})
    for grant in grants.grants_of(parts, "dashboard", board):
        put(made, "access", {**deepcopy(grant), "id": fresh(grant["id"], made["order/access"]), "dashboard": id})
    lines = made["manifest"].get("navigation") or []
    place = next((n for n, line in enumerate(lines) if line.get("dashboard") == board), None)
    if place is not None:
        lines.insert(place + 1, {"dashboard": id})
    return made, id


# -- apps ------------------------------------------------------------------------------------------


def copy_app(ctx: Context, slug: str, title: str, records: bool = False) -> Installed:
    """The published app once more under another name, its posts held by the same people; with its records where asked.

    Raises InvalidInput without a title, NotFound, DefinitionError.
    """
    inst = definitions.installed(ctx, slug)
    title = title.strip()[:80]
    if not title:
        raise InvalidInput({"title": [say("Give the app a name.")]})
    package = deepcopy(definitions.package(ctx, inst.id, inst.revision))
    new = drafts.free_slug(ctx, title)
    package |= {"app": new, "title": title}
    files = datapack.export(ctx, slug) if records else None
    return bundle.install(ctx, package, new, definitions.slots(ctx, inst), files)
