"""What an app shows to a member: its navigation without what they may not open."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from runtime.access import has_role, may_see_dashboard, may_see_view, may_use_form
from runtime.context import Context
from runtime.definitions import Installed
from schemas.navigation import Entry
from schemas.text import Text


@dataclass
class Item:
    """A line of the navigation. `device` is the one it is only for, if it is for one only."""

    title: Text
    url: str
    icon: str = ""
    current: bool = False
    count: int = 0
    color: str = "gray"
    device: str = ""
    outside: bool = False
    home: bool = False


@dataclass
class Group:
    """Lines and folders under a title."""

    title: Text
    items: list["Item | Group"] = field(default_factory=list)
    open: bool = True
    icon: str = ""
    color: str = "gray"
    device: str = ""


def entries(ctx: Context, inst: Installed, path: str = "") -> list[Item | Group]:
    """The app's navigation as arranged, or everything there is where it is not; `path` marks the current line."""
    arranged = inst.app.navigation or everything(inst)
    held = _roles_held(ctx, inst) if any(one.roles for entry in arranged for one in entry.all()) else frozenset()
    return [made for entry in arranged if (made := _entry(ctx, inst, entry, path, held))]


def everything(inst: Installed) -> tuple[Entry, ...]:
    """The navigation of an app that has not been arranged: its dashboards and views."""
    boards = tuple(Entry(dashboard=d.id) for d in inst.app.dashboards)
    return (*boards, *(Entry(view=v.id) for v in inst.app.all_views.values()))


def _roles_held(ctx: Context, inst: Installed) -> frozenset[str]:
    """The roles of this app that the actor has."""
    return frozenset(role.id for role in inst.app.roles if has_role(ctx, inst, role.id))


def _entry(ctx: Context, inst: Installed, entry: Entry, path: str, held: frozenset[str]) -> Item | Group | None:
    if not entry.shown_to(held):
        return None
    if not entry.folder:
        return _item(ctx, inst, entry, path)
    items = [made for inner in entry.items if (made := _entry(ctx, inst, inner, path, held))]
    return Group(entry.group, items, True, entry.icon, entry.color, _device(entry, items)) if items else None


def _device(entry: Entry, items: list[Item | Group]) -> str:
    """The device that a folder is only for: as it says, or because everything in it is for that one."""
    if entry.devices != "both":
        return entry.devices
    devices = {item.device for item in items}
    return devices.pop() if len(devices) == 1 else ""


def _item(ctx: Context, inst: Installed, entry: Entry, path: str) -> Item | None:
    led = _target(ctx, inst, entry)
    if led is None:
        return None
    title, url, icon = led
    outside = bool(entry.link) and not entry.link.startswith("/")
    return Item(
        entry.title or title, url, entry.icon or icon, path == url, 0, entry.color,
        "" if entry.devices == "both" else entry.devices, outside, entry.home,
    )  # fmt: skip


def _target(ctx: Context, inst: Installed, entry: Entry) -> tuple[Text, str, str] | None:
    """What a line leads to: its name, address and icon; nothing where the member may not open it."""
    base, app = f"/a/{inst.slug}", inst.app
    if entry.view and (view := app.all_views.get(entry.view)) and may_see_view(ctx, inst, view.id):
        return view.title or _table_title(inst, view.table), f"{base}/v/{view.id}/", view.icon
    if entry.form and (form := app.all_forms.get(entry.form)) and may_use_form(ctx, inst, form.id):
        return form.title or _table_title(inst, form.table), f"{base}/f/{form.id}/new", form.icon
    if entry.dashboard and (board := app.dashboard(entry.dashboard)) and may_see_dashboard(ctx, inst, board.id):
        return board.title or Text.of(board.id), f"{base}/d/{board.id}/", board.icon
    if entry.flow and (flow := app.flow(entry.flow)):
        return flow.title or Text.of(flow.id), f"/tasks/?flow={inst.slug}.{flow.id}", "tasks"
    if entry.link:
        return Text.of(entry.link), entry.link, "link"
    return None


def _table_title(inst: Installed, table: str) -> Text:
    found = inst.app.table(table)
    return (found.title if found else Text()) or Text.of(table)


def first_entry(ctx: Context, inst: Installed, phone: bool = False) -> Item | None:
    """Where the app begins for the actor: the line that says so, else the first that this device has."""
    lines = [item for item in _lines(entries(ctx, inst)) if item.device != ("desk" if phone else "phone")]
    own = [item for item in lines if not item.outside]
    return next((item for item in own if item.home), own[0] if own else None)


def _lines(shown: list[Item | Group]) -> Iterator[Item]:
    for entry in shown:
        if isinstance(entry, Item):
            yield entry
        else:
            yield from _lines(entry.items)


def forms_to_start(ctx: Context, inst: Installed) -> list[dict[str, Any]]:
    """The forms whose submission starts a flow, for "start a flow" on the workbench."""
    submitted = {form for flow in inst.app.flows for form in _submits(flow)}
    found = []
    for id in sorted(submitted):
        form = inst.app.all_forms.get(id)
        if form and may_use_form(ctx, inst, id):
            title = form.title or _table_title(inst, form.table)
            found.append(
                {
                    "title": title,
                    "url": f"/a/{inst.slug}/f/{id}/new",
                    "app": inst.app.title or Text.of(inst.slug),
                    "icon": form.icon,
                }
            )
    return found


def _submits(flow: Any) -> list[str]:
    triggers = flow.trigger if isinstance(flow.trigger, tuple) else (flow.trigger,)
    return [t.submit for t in triggers if t is not None and t.submit]


def dashboards(ctx: Context, inst: Installed) -> list[dict[str, Any]]:
    shown = [d for d in inst.app.dashboards if may_see_dashboard(ctx, inst, d.id)]
    return [
        {
            "title": d.title or Text.of(d.id),
            "url": f"/a/{inst.slug}/d/{d.id}/",
            "icon": d.icon,
            "app": inst.app.title or Text.of(inst.slug),
        }
        for d in shown
    ]
