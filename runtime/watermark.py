"""What stands faintly across the pages of an app whose watermark is on: who looked, and when."""

from collections.abc import Callable, Mapping

from runtime.actors import Member, PublicLink
from runtime.context import Context
from runtime.people import Directory, Person
from schemas.app import App

LAST_DIGITS = 4


def line(ctx: Context, app: App) -> str:
    """The parts that the app asks for; empty where it asks for none."""
    if not app.watermark:
        return ""
    person = _looker(ctx)
    said = [PARTS[part](ctx, person) for part in app.watermark]
    return " ".join(dict.fromkeys(part for part in said if part))


def _looker(ctx: Context) -> Person | None:
    """The member who looks; who looks as somebody else is named themselves."""
    actor = ctx.actor
    if not isinstance(actor, Member):
        return None
    looker = actor.viewed_by or actor.id
    return Directory.of(ctx).person(looker) if looker else None


def _name(ctx: Context, person: Person | None) -> str:
    """Who has a public link is nobody that we know: the page then says whose it is."""
    if isinstance(ctx.actor, PublicLink):
        return ctx.workspace.title
    return person.name if person else ctx.actor.name


def _time(ctx: Context, person: Person | None) -> str:
    return ctx.now.astimezone(ctx.zone).strftime("%Y-%m-%d %H:%M")


def _phone(ctx: Context, person: Person | None) -> str:
    digits = "".join(c for c in (person.phone if person else None) or "" if c.isdigit())
    return digits[-LAST_DIGITS:]


PARTS: Mapping[str, Callable[[Context, Person | None], str]] = {
    "name": _name,
    "time": _time,
    "phone": _phone,
    "email": lambda ctx, person: (person.email if person else None) or "",
    "workspace": lambda ctx, person: ctx.workspace.title,
}
