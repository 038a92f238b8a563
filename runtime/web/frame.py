"""What stands around a page: navigation, counts, the app's name."""

from collections.abc import Iterator

from flask import g, request

from runtime import navigation, powers, sharing, tasks, watermark
from runtime.context import Context
from runtime.definitions import Installed
from runtime.navigation import Item
from runtime.people import Directory
from runtime.web.edge import words
from schemas.text import Text


def frame(ctx: Context, inst: Installed | None = None, current: str = "") -> None:
    """Put the frame of a page where the templates find it."""
    g.is_admin = getattr(ctx.actor, "admin", False)
    g.builds = g.is_admin or bool(powers.apps(ctx))
    g.manages = powers.manages_somebody(ctx)
    person = Directory.of(ctx).person(ctx.actor.id) if ctx.actor.id else None
    g.avatar = f"/people/{person.id}/avatar?v={person.avatar}" if person and person.avatar else ""
    g.counts = tasks.counts(ctx)
    if inst is None:
        return
    mark(ctx, inst)
    g.app_title = words(inst.app.title or Text.of(inst.slug))
    g.navigation = navigation.entries(ctx, inst, current or request.path)
    g.navigation_settings = list(_settings(ctx, inst))


def mark(ctx: Context, inst: Installed) -> None:
    """Lay the app's watermark over the page, where it has one."""
    g.watermark = watermark.line(ctx, inst.app)


def _settings(ctx: Context, inst: Installed) -> Iterator[Item]:
    """What stands below the navigation."""
    if sharing.may_share_anything(ctx, inst):
        yield Item(Text.of({"zh": "公开链接", "en": "Public links"}), f"/a/{inst.slug}/links/", "globe")
    if g.is_admin or inst.id in powers.apps(ctx):
        yield Item(Text.of({"zh": "编辑应用", "en": "Edit this app"}), f"/build/{inst.slug}/", "build")
