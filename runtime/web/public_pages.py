"""What the pages of a public link show: a record, a list, what a lookup finds; only what the link names."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from runtime import definitions, listing, public_links, query
from runtime.access import door
from runtime.context import Context
from runtime.definitions import Installed
from runtime.listing import Wishes
from runtime.public_links import of
from runtime.query import Listing, Record
from runtime.render import BoundBlock
from runtime.tables import LiveTable, live
from runtime.web.records import details
from schemas.conditions import Condition, to_formula
from schemas.errors import BadValue, InvalidInput, NotFound
from schemas.fields import Field
from schemas.formula import Formula
from schemas.messages import say
from schemas.text import Sentence, Text

MOST_FOUND = 20
ENTER = say("Enter this.")


def inst_of(ctx: Context) -> Installed:
    return definitions.by_id(ctx, of(ctx).installation)


def table_of(ctx: Context) -> LiveTable:
    """The table that the link is about. Raises NotFound for a dashboard, which has none of its own."""
    inst, kept = inst_of(ctx), of(ctx)
    id = public_links.table_of(inst, kept.kind, kept.target)
    if not id:
        raise NotFound
    return live(ctx, inst, id)


def title(ctx: Context) -> Text:
    """What stands over the page."""
    inst, kept = inst_of(ctx), of(ctx)
    if kept.kind == "dashboard":
        board = inst.app.dashboard(kept.target)
        return board.title if board and board.title else inst.app.title
    table = table_of(ctx).table
    known: dict[str, Any] = {"fill": inst.app.all_forms, "view": inst.app.all_views, "lookup": inst.app.all_views}
    own = known.get(kept.kind, {}).get(kept.target)
    return (own.title if own else Text()) or table.title or Text.of(table.id)


def record(ctx: Context, id: UUID | None) -> dict[str, Any]:
    """A record as the link shows it. Raises NotFound."""
    source = table_of(ctx)
    if id is None:
        raise NotFound
    found = query.fetch(door(ctx, source), id)
    return {"record_title": found.title or title(ctx), "blocks": _blocks(ctx, source, found), "url": ""}


def _blocks(ctx: Context, source: LiveTable, found: Record) -> list[BoundBlock]:
    """The fields that the link shows; what only had to be entered is not among them."""
    columns = set(of(ctx).settings.columns)
    seen = {path: r if path.partition(".")[0] in columns else "hidden" for path, r in found.rights.items()}
    return details(ctx, source, replace(found, rights=seen))


def listed(ctx: Context, args: Mapping[str, str]) -> dict[str, Any]:
    """The records of the view, searched, sorted and paged by the address; filtered by nothing but the view itself."""
    inst, kept = inst_of(ctx), of(ctx)
    gate = door(ctx, table_of(ctx))
    asked = {name: text for name, text in args.items() if name in ("q", "sort", "size", "after", "before", "first")}
    view = inst.app.all_views[kept.target]
    sort = tuple(s for s in view.sort if gate.readable(s.removeprefix("-")))
    plain, base = replace(view, filter=None, sort=sort), f"{ctx.actor.base}/"  # type: ignore[attr-defined]
    shown = listing.show(ctx, inst, plain, Wishes.read(asked), kept.settings.columns, base=base, checks=False)
    return {"shown": shown, "wishes": shown.wishes, "base": base}


# -- looking up --------------------------------------------------------------------------------------


def key_fields(ctx: Context) -> list[Field]:
    table = table_of(ctx).table
    return [found for id in of(ctx).settings.keys if (found := table.by_id.get(id))]


def look_up(ctx: Context, sent: Mapping[str, str]) -> list[dict[str, Any]]:
    """The records for which everything that must be entered is as it was entered. Raises InvalidInput."""
    source = table_of(ctx)
    gate = door(ctx, source)
    entered = {found.id: sent.get(found.id, "").strip()[:200] for found in key_fields(ctx)}
    errors: dict[str, list[Any]] = {
        found.id: [wrong] for found in key_fields(ctx) if (wrong := _wrong(found, entered[found.id]))
    }
    if errors or not entered:
        raise InvalidInput(errors or {"": [ENTER]})
    rows = [Condition(id, "is", (text,)) for id, text in entered.items()]
    where = Formula.of(to_formula(rows, listing.kinds_of(source), "AND", listing.writers_of(source)))
    columns = gate.shown(of(ctx).settings.columns)
    page = query.page(gate, Listing(columns, [where], size=MOST_FOUND))
    return [{"title": r.title, "blocks": _blocks(ctx, source, query.fetch(gate, r.id))} for r in page.records]


def _wrong(found: Field, text: str) -> Sentence | None:
    if not text:
        return ENTER
    try:
        value = None if found.computed else found.parse(text)
        problems = list(found.check(value)) if value is not None else []
    except BadValue as err:
        return err.message
    return problems[0] if problems else None


# -- dashboards --------------------------------------------------------------------------------------


def quiet(tile: dict[str, Any]) -> dict[str, Any]:
    """A widget without the ways to the records behind its figures."""
    made = {**tile, "drill": "", "url": ""}
    if "chart" in made:
        made["chart"] = {**made["chart"], "urls": []}
    if "rows" in made:
        made["rows"] = [{**row, "url": ""} for row in made["rows"]]
    return made
