"""The designer of the navigation: what there is on the left, the tree in the middle, the chosen line's options."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, request

from builder import drafts, navigation, panel
from builder.drafts import Draft
from builder.near import Surroundings
from builder.parts import Json, Parts
from builder.places import errors_at, told
from builder.web import edits
from builder.web.apps import designer
from runtime.context import Context
from runtime.web.edge import work
from schemas.errors import InvalidInput
from schemas.messages import Message, say
from schemas.navigation import TARGETS, Entry
from schemas.numbers import read_whole
from schemas.text import Text
from schemas.views import view_types

bp = Blueprint("build_navigation", __name__)
KINDS = {
    "view": say("Views"), "form": say("Forms to fill in"), "dashboard": say("Dashboards"), "flow": say("Tasks of a flow"),
}  # fmt: skip
TITLES = {
    "folder": say("Folder"), "view": say("View"), "form": say("Form"), "dashboard": say("Dashboard"),
    "flow": say("Tasks of a flow"), "link": say("Link"),
}  # fmt: skip
NEW = {"folder": say("New folder"), "link": say("New link")}
ICONS = {"folder": "folder", "form": "form", "dashboard": "dashboard", "flow": "tasks", "link": "link"}


@bp.get("/build/<app>/navigation/")
def show(app: str) -> Any:
    with work() as ctx:
        designer(ctx)
        return page(ctx, drafts.open_draft(ctx, app), request.args.get("line", ""))


def page(
    ctx: Context, draft: Draft, chosen: str = "", *, errors: Any = None, typed: Json | None = None, status: int = 200
) -> Any:
    """The designer as a page, or its fragment after an edit. `typed` is what was sent and refused."""
    parts = draft.parts
    entries = navigation.entries_of(parts)
    entry = dict(navigation.walk(entries)).get(chosen)
    around = Surroundings(parts, draft.app, str(next(iter(parts["order/tables"]), "")))
    problems = [told(parts, p) for p in draft.problems]
    seen = _seen(parts)
    shown = {
        "chosen": chosen if entry else "", "entry": entry, "tree": list(_tree(parts, entries, "", *seen)),
        "kind": navigation.kind_of(entry) if entry else "", "titles": TITLES, "new": NEW, "icons_of": ICONS,
        "unlisted": [(kind, KINDS[kind], _told(parts, kind, ids)) for kind, ids in navigation.unlisted(parts).items() if ids],
        "sections": _panel(around, entry, chosen, problems, errors, typed) if entry else [],
        "roles": [(r["id"], Text.of(r.get("title") or r["id"])) for r in parts["manifest"].get("roles") or ()],
        "role": seen[0], "device": seen[1], "here": f"/build/{draft.slug}/navigation/", "tab": "line",
    }  # fmt: skip
    return edits.drawn(ctx, draft, around, problems, "navigation", shown, status)


def _seen(parts: Parts) -> tuple[str, str]:
    """The role and the device that the tree is looked at as: "" is everything."""
    role, device = request.values.get("role", ""), request.values.get("device", "")
    known = [r["id"] for r in parts["manifest"].get("roles") or ()]
    return role if role in known else "", device if device in ("desk", "phone") else ""


def _tree(parts: Parts, entries: Sequence[Json], within: str, role: str, device: str) -> Iterator[dict[str, Any]]:
    for number, entry in enumerate(entries):
        place, kind = f"{within}.{number}".lstrip("."), navigation.kind_of(entry)
        roles, devices = entry.get("roles") or [], entry.get("devices", "both")
        target = _target(parts, kind, entry)
        yield {
            "place": place, "kind": kind, "title": _title(kind, entry, target), "gone": kind in KINDS and target is None,
            "icon": entry.get("icon") or _icon(kind, target), "color": entry.get("color") or "gray",
            "roles": roles, "devices": devices, "home": entry.get("home"),
            "unseen": bool(role and roles and role not in roles) or (bool(device) and devices not in ("both", device)),
            "inside": list(_tree(parts, entry.get("items") or (), place, role, device)),
        }  # fmt: skip


def _target(parts: Parts, kind: str, entry: Json) -> Json | None:
    """What a line opens; the view that a table without any has by itself is drawn as its table."""
    if kind not in navigation.KINDS:
        return None
    found = parts.get(f"{navigation.KINDS[kind]}/{entry[kind]}")
    return found or (parts.get(f"tables/{entry[kind]}") if kind in ("view", "form") else None)


def _title(kind: str, entry: Json, target: Json | None) -> Text:
    own = entry.get("group") if kind == "folder" else entry.get("title")
    return Text.of(own or _named(target) or entry.get(kind) or "")


def _named(target: Json | None) -> Any:
    return (target.get("title") or target["id"]) if target else None


def _icon(kind: str, target: Json | None) -> str:
    if target and target.get("icon"):
        return str(target["icon"])
    return view_types[(target or {}).get("type", "grid")].symbol if kind == "view" else ICONS[kind]


def _told(parts: Parts, kind: str, ids: Sequence[str]) -> list[tuple[str, str, Text]]:
    """What is not in the navigation: id, icon and name, a view's with its table's."""
    found = [(id, parts[f"{navigation.KINDS[kind]}/{id}"]) for id in ids]
    return [(id, _icon(kind, item), _title(kind, {kind: id}, item)) for id, item in found]


def _panel(around: Surroundings, entry: Json, chosen: str, problems: Any, errors: Any, typed: Json | None) -> Any:
    kind = navigation.kind_of(entry)
    values = {**entry, **{k: v for k, v in (typed or {}).items() if v is not None}}
    wrong = errors if errors is not None else errors_at(problems, "navigation", chosen, chosen)
    left_out = _left_out(kind)
    found = panel.inputs(Entry, values, around.near(edits.modes_sent()), wrong)
    return [(t, kept) for t, items in found if (kept := [i for i in items if i.name not in left_out])]


def _left_out(kind: str) -> set[str]:
    """The options that a line of this kind has no use for."""
    if kind == "folder":
        return {"title", "items", "home", *TARGETS}
    return {"group", "items", *(t for t in TARGETS if t != kind), *({"home"} if kind in ("link", "flow") else ())}


# -- edits -----------------------------------------------------------------------------------------


def making(app: str, message: Message, edit: Callable[[Parts], tuple[Parts, str]]) -> Any:
    return edits.making(app, message, edit, answered)


def answered(ctx: Context, draft: Draft, chosen: str) -> Any:
    role, device = _seen(draft.parts)
    asked = {k: v for k, v in (("line", chosen), ("role", role), ("device", device)) if v}
    url = f"/build/{draft.slug}/navigation/" + (f"?{urlencode(asked)}" if asked else "")
    return edits.leading_to(url, lambda: page(ctx, draft, chosen))


@bp.post("/build/<app>/navigation/add")
def add(app: str) -> Any:
    """A new line (`kind`) for something (`target`), or a new folder or link; beside the chosen line."""
    kind, target, beside = (request.form.get(n, "") for n in ("kind", "target", "beside"))
    named: Any = edits.in_both(NEW[kind]) if kind in NEW else target
    return making(app, say("New line in the navigation"), lambda parts: navigation.add(parts, kind, named, beside))


@bp.post("/build/<app>/navigation/move")
def move(app: str) -> Any:
    """A line dragged (`key`, its place) to a `position` in another folder (`to`); or what there is, as `view:id`."""
    key, to = request.form.get("key", ""), request.form.get("to", "")
    position = read_whole(request.form.get("position", "")) or 0
    kind, colon, target = key.partition(":")
    if colon:
        return making(
            app, say("New line in the navigation"), lambda parts: navigation.insert(parts, kind, target, to, position)
        )
    return making(app, say("Navigation arranged"), lambda parts: navigation.move(parts, key, to, position))


@bp.post("/build/<app>/navigation/remove")
def remove(app: str) -> Any:
    line = request.form.get("line", "")
    return making(app, say("Line taken out of the navigation"), lambda parts: (navigation.remove(parts, line), ""))


@bp.post("/build/<app>/navigation/undo")
@bp.post("/build/<app>/navigation/redo")
def step(app: str) -> Any:
    return edits.stepping(app, lambda ctx, draft: answered(ctx, draft, request.form.get("chosen", "")))


@bp.post("/build/<app>/navigation/options")
def set_options(app: str) -> Any:
    """What was put into the panel of a line (`path`)."""
    chosen = request.form.get("path", "")
    with work() as ctx:
        designer(ctx)
        draft = drafts.open_draft(ctx, app)
        before = navigation.entry_at(draft.parts, chosen)
        around = Surroundings(draft.parts, draft.app, str(next(iter(draft.parts["order/tables"]), "")))
        made, errors = panel.read(Entry, edits.sent(), before, around.near())
        if made.keys() & _left_out(navigation.kind_of(before)):
            raise InvalidInput({"": [say("This line has no such option.")]})
        if errors:
            return page(ctx, draft, chosen, errors=errors, typed=made, status=422)
    return making(app, say("Options changed"), lambda parts: (navigation.change(parts, chosen, made), chosen))
