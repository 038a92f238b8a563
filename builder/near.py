"""What the panel's inputs may name: fields, tables, sections, and the names of formulas, as a draft has them."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from builder import changes
from builder.inputs import Choices, Near
from builder.layout import layout_of, stops_of, title_of
from builder.names import Book, Place
from builder.parts import Parts, of_table
from schemas.app import App
from schemas.documents.fields import UNPRINTED
from schemas.fields import field_types
from schemas.messages import say
from schemas.table import SYSTEM_LABELS
from schemas.text import Text

Named = list[tuple[str, Any]]


class Surroundings:
    """A table of a draft with one of its forms; `holder` is the subform whose column is being edited."""

    def __init__(self, parts: Parts, app: App | None, table: str, form: str = "", holder: str = "") -> None:
        self.parts, self.app, self.table, self.form, self.holder = parts, app, table, form, holder
        self._books: dict[Place, Book] = {}

    def near(self, modes: Mapping[str, str] | None = None) -> Near:
        return Near({}, self.book, self.known, self.field, modes or {})

    @property
    def books(self) -> list[Book]:
        """The books that have been asked for."""
        return list(self._books.values())

    def field(self, path: str) -> Mapping[str, Any] | None:
        return found_field(self.parts, self.table, path)

    # -- formulas --------------------------------------------------------------------------------

    def book(self, scope: str, values: Mapping[str, Any]) -> Book | None:
        """The names for a formula of this scope, beside these options."""
        if self.app is None:
            return None
        place = self._place(scope, values)
        if self.app.table(place.table) is None and (place.table or not place.flow):
            return None
        if place not in self._books:
            self._books[place] = Book(self.app.analysis, place)
        return self._books[place]

    def _place(self, scope: str, values: Mapping[str, Any]) -> Place:
        if scope == "pick":
            return Place(str(values.get("table") or ""), this=self.table, this_row=self.holder)
        if scope == "linked":
            return Place(self._gathered_in(values), this=self.table)
        if scope == "rule":
            targets = [t for name in changes.RULE_EFFECTS for t in values.get(name) or ()]
            return Place(self.table, _row_in(targets))
        if scope in ("request", "event answer") and self.form:
            event = f"{self.form}/{values.get('id') or ''}" if scope == "event answer" else ""
            return Place(self.table, _row_in(values.get("fields") or ()) or self.holder, event=event)
        return Place(self.table, self.holder, measure="measure" if scope == "measure" else "")

    def _gathered_in(self, values: Mapping[str, Any]) -> str:
        """The table whose records a rollup gathers or a query shows."""
        if values.get("table"):
            return str(values["table"])
        over = str(values.get("over") or "")
        table = self.app.table(self.table) if self.app else None
        kind = table.by_id.get(over) if table else None
        if kind is not None and kind.type in ("link", "links"):
            return str(kind.table)  # type: ignore[attr-defined]
        side = self.app.analysis.reverses(table).get(over) if self.app and table else None
        return side[0].id if side else over.partition(".")[0]

    # -- ids -------------------------------------------------------------------------------------

    def known(self, to: str, values: Mapping[str, Any]) -> Choices:
        """The ids that a reference to this kind of thing may name."""
        if to in FINDERS:
            return FINDERS[to](self, values)
        if to in ("slot", "secret"):
            slots = self.parts["manifest"].get("slots") or ()
            return [(item["id"], title_in(item)) for item in slots if (item.get("type") == "secret") == (to == "secret")]
        if to == "role":
            return [(item["id"], title_in(item)) for item in self.parts["manifest"].get("roles") or ()]
        order = self.parts.get(f"order/{to}s") or ()
        return [(id, title_in(self.parts[f"{to}s/{id}"])) for id in order]

    @property
    def fields(self) -> list[dict[str, Any]]:
        return list(self.parts[f"tables/{self.table}"]["fields"])


def _row_in(paths: Iterable[str]) -> str:
    """The subform whose columns are among these paths."""
    return next((path.partition(".")[0] for path in paths if "." in path), "")


def found_field(parts: Parts, table: str, path: str) -> Mapping[str, Any] | None:
    first, _, column = path.partition(".")
    found = next((f for f in parts[f"tables/{table}"]["fields"] if f["id"] == first), None)
    if found is None or not column:
        return found
    return next((c for c in found.get("fields", ()) if c["id"] == column), None)


def title_in(item: Mapping[str, Any]) -> Text:
    return Text.of(item.get("title") or item.get("label") or item["id"])


def _named(fields: Iterable[Mapping[str, Any]]) -> Named:
    return [(f["id"], title_in(f)) for f in fields]


def _paths(near: Surroundings, values: Mapping[str, Any]) -> Named:
    """Every field, and the columns of subforms behind theirs."""
    return _with_columns(near.fields)


def _with_columns(fields: Iterable[Mapping[str, Any]]) -> Named:
    found: Named = []
    for field in fields:
        found.append((field["id"], title_in(field)))
        for column in field.get("fields", ()):
            told = say("{rows} · {column}", rows=title_in(field), column=title_in(column))
            found.append((f"{field['id']}.{column['id']}", told))
    return found


def _sections(near: Surroundings, values: Mapping[str, Any]) -> Named:
    stops = stops_of(layout_of(near.parts, near.form)) if near.form else []
    blocks = [s.block for s in stops if s.kind in ("open", "block") and s.block.get("id")]
    named = [(b["id"], say("{part} “{name}”", part=title_of(b), name=_block_name(b))) for b in blocks]
    return [*_paths(near, values), *named]


def _block_name(block: Mapping[str, Any]) -> Text:
    return Text.of(block.get("section") or block.get("tab") or block["id"])


def _own(near: Surroundings, values: Mapping[str, Any]) -> Named:
    """The fields that a person may fill in, of the table or of the subform."""
    holder = near.field(near.holder) if near.holder else None
    fields = (holder or {}).get("fields", ()) if near.holder else near.fields
    return _named(f for f in fields if not getattr(field_types.get(f["type"]), "computed", True))


def _own_paths(near: Surroundings, values: Mapping[str, Any]) -> Named:
    """The fields that a person may fill in, and the columns of subforms behind theirs."""
    if near.holder:
        return _own(near, values)
    return _with_columns(f for f in near.fields if not getattr(field_types.get(f["type"]), "computed", True))


def _grouped(near: Surroundings, values: Mapping[str, Any]) -> Named:
    """The fields of the table that a group points at by which one record of it can be found."""
    target = near.parts.get(f"tables/{values.get('table') or ''}")
    return _named(f for f in target["fields"] if _may_be_key(f["type"])) if target else []


def _event_fields(near: Surroundings, values: Mapping[str, Any]) -> Named:
    """What a form's event may fill in."""
    return [(path, name) for path, name in _own_paths(near, values) if (near.field(path) or {}).get("type") != "rows"]


def _keys(near: Surroundings, values: Mapping[str, Any]) -> Named:
    holder = near.field(str(values.get("id"))) if values.get("type") == "rows" else None
    return _named(f for f in (holder or {}).get("fields", near.fields) if _may_be_key(f["type"]))


def _may_be_key(type: str) -> bool:
    kind = field_types.get(type)
    return kind is not None and (kind.may_be_unique or kind.may_be_key)


def _choices(near: Surroundings, values: Mapping[str, Any]) -> Named:
    """The fields with options to choose from."""
    paths = _paths(near, values)
    return [(path, name) for path, name in paths if (near.field(path) or {}).get("options")]


def _options(near: Surroundings, values: Mapping[str, Any]) -> Named:
    """The options of the choice that `of` names."""
    field = near.field(str(values.get("of") or "")) or {}
    return [(o["id"], Text.of(o.get("label") or o["id"])) for o in field.get("options", ())]


def _targets(near: Surroundings, values: Mapping[str, Any]) -> Named:
    """The fields of the table that a link points at."""
    target = near.parts.get(f"tables/{values.get('table') or ''}")
    return _with_columns(target["fields"]) if target else []


def _opened(near: Surroundings, values: Mapping[str, Any]) -> Named:
    """The fields that the form which a button opens may be given."""
    form = near.parts.get(f"forms/{values.get('form') or ''}")
    table = near.parts.get(f"tables/{form['table']}") if form else None
    return (
        _named(f for f in table["fields"] if not getattr(field_types.get(f["type"]), "computed", True)) if table else []
    )


def _links(near: Surroundings, values: Mapping[str, Any]) -> Named:
    found: Named = [(f["id"], title_in(f)) for f in near.fields if f["type"] in ("link", "links")]
    for path in changes.links_to(near.parts, near.table):
        table, _, id = path.partition(".")
        field = found_field(near.parts, table, id)
        told = say(
            "{table} by “{link}”", table=title_in(near.parts[f"tables/{table}"]), link=title_in(field or {"id": id})
        )
        found.append((path, told))
    return found


def _with_system(near: Surroundings, values: Mapping[str, Any]) -> Named:
    return [*_named(near.fields), *SYSTEM_LABELS.items()]


def _sorted_by(near: Surroundings, values: Mapping[str, Any]) -> Named:
    """Every column to sort by, upwards and downwards."""
    return _both_ways(_with_system(near, values))


def _both_ways(found: Named) -> Named:
    return [
        *((id, say("{name} ↑", name=n)) for id, n in found),
        *((f"-{id}", say("{name} ↓", name=n)) for id, n in found),
    ]


def _of_kinds(*kinds: str) -> Callable[[Surroundings, Mapping[str, Any]], Named]:
    """The fields whose values are of these kinds, calculated ones too."""

    def found(near: Surroundings, values: Mapping[str, Any]) -> Named:
        table = near.app.table(near.table) if near.app else None
        fits = (
            {f.id for f in table.fields if near.app.analysis.type_of(table, f).kind in kinds}
            if near.app and table
            else None
        )
        return [(id, name) for id, name in _named(near.fields) if fits is None or id in fits]

    return found


def _moments(near: Surroundings, values: Mapping[str, Any]) -> Named:
    system = [(id, label) for id, label in SYSTEM_LABELS.items() if id in ("created_at", "updated_at")]
    return [*_of_kinds("date", "datetime")(near, values), *system]


def _images(near: Surroundings, values: Mapping[str, Any]) -> Named:
    return _named(f for f in near.fields if f["type"] == "image")


def _printed(near: Surroundings, values: Mapping[str, Any]) -> Named:
    return [(id, name) for id, name in _with_system(near, values) if _type_of(near, id) not in UNPRINTED]


def _type_of(near: Surroundings, id: str) -> str:
    return str((near.field(id) or {}).get("type", ""))


def _subforms(near: Surroundings, values: Mapping[str, Any]) -> Named:
    return _named(f for f in near.fields if f["type"] == "rows")


def _row_columns(near: Surroundings, values: Mapping[str, Any]) -> Named:
    """The columns of the subform that `rows` names."""
    return _named((near.field(str(values.get("rows") or "")) or {}).get("fields", ()))


def _linking(near: Surroundings, values: Mapping[str, Any]) -> Named:
    """The tables that link here, each by its link."""
    return [(path, name) for path, name in _links(near, values) if "." in path]


def _linking_fields(near: Surroundings, values: Mapping[str, Any]) -> Named:
    there = near.parts.get(f"tables/{str(values.get('over') or '').partition('.')[0]}")
    return [*_named(there["fields"]), *SYSTEM_LABELS.items()] if there else []


def _linking_sort(near: Surroundings, values: Mapping[str, Any]) -> Named:
    return _both_ways(_linking_fields(near, values))


def _files(near: Surroundings, values: Mapping[str, Any]) -> Named:
    return _named(f for f in near.fields if f["type"] == "file")


def _templates(near: Surroundings, values: Mapping[str, Any]) -> Named:
    """The print templates of this table."""
    return [(d["id"], title_in(d)) for d in of_table(near.parts, "documents", near.table)]


def _pictures(near: Surroundings, values: Mapping[str, Any]) -> Named:
    return _named(f for f in near.fields if f["type"] in ("image", "signature"))


FINDERS: dict[str, Callable[[Surroundings, Mapping[str, Any]], Named]] = {
    "field": _paths, "field or section": _sections, "own field": _own, "own path": _own_paths, "key field": _keys, "target field": _targets,
    "choice field": _choices, "link field": _links, "column": _with_system, "options": _options, "opened field": _opened,
    "sort column": _sorted_by, "moment field": _moments, "number field": _of_kinds("number"), "image field": _images,
    "printed field": _printed, "subform": _subforms, "row column": _row_columns, "linking": _linking, "linking column": _linking_fields,
    "linking sort": _linking_sort, "picture field": _pictures, "file field": _files, "document": _templates,
    "field or column": _own_paths, "event field": _event_fields, "grouped field": _grouped,
}  # fmt: skip
