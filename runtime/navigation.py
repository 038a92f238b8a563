"""What an app shows to a member: its navigation without what they may not open."""

from dataclasses import dataclass, field
from typing import Any

from runtime.access import may_see_dashboard, may_see_view, may_use_form
from runtime.context import Context
from runtime.definitions import Installed
from schemas.app import Entry
from schemas.text import Text


@dataclass
class Item:
    """A line of the navigation."""

    title: Text
    url: str
    icon: str = ""
    current: bool = False
    count: int = 0


@dataclass
class Group:
    """Lines under a title."""

    title: Text
    items: list[Item] = field(default_factory=list)
    open: bool = True


def entries(ctx: Context, inst: Installed, path: str = "") -> list[Item | Group]:
    """The app's navigation as arranged, or everything there is where it is not; `path` marks the current line."""
    arranged = inst.app.navigation or _everything(inst)
    return [made for entry in arranged if (made := _entry(ctx, inst, entry, path))]


def _everything(inst: Installed) -> tuple[Entry, ...]:
    boards = tuple(Entry(dashboard=d.id) for d in inst.app.dashboards)
    return (*boards, *(Entry(view=v.id) for v in inst.app.all_views.values()))


def _entry(ctx: Context, inst: Installed, entry: Entry, path: str) -> Item | Group | None:
    if entry.items:
        items = [made for inner in entry.items if isinstance(made := _entry(ctx, inst, inner, path), Item)]
        return Group(entry.group, items) if items else None
    return _item(ctx, inst, entry, path)


def _item(ctx: Context, inst: Installed, entry: Entry, path: str) -> Item | None:
    base, app = f"/a/{inst.slug}", inst.app
    made: Item | None = None
    if entry.view and (view := app.all_views.get(entry.view)) and may_see_view(ctx, inst, view.id):
        made = Item(view.title or _table_title(inst, view.table), f"{base}/v/{view.id}/", entry.icon or view.icon)
    elif entry.form and (form := app.all_forms.get(entry.form)) and may_use_form(ctx, inst, form.id):
        made = Item(form.title or _table_title(inst, form.table), f"{base}/f/{form.id}/new", entry.icon or form.icon)
    elif entry.dashboard and (board := app.dashboard(entry.dashboard)) and may_see_dashboard(ctx, inst, board.id):
        made = Item(board.title or Text.of(board.id), f"{base}/d/{board.id}/", entry.icon or board.icon)
    if made:
        made.current = path == made.url
    return made


def _table_title(inst: Installed, table: str) -> Text:
    found = inst.app.table(table)
    return (found.title if found else Text()) or Text.of(table)


def first_entry(ctx: Context, inst: Installed) -> Item | None:
    for entry in entries(ctx, inst):
        if isinstance(entry, Item):
            return entry
        if entry.items:
            return entry.items[0]
    return None


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
