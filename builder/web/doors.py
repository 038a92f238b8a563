"""Which power opens which page of the builder: the one list. A route that is not here is for full administrators."""

from typing import Any

from flask import request

from runtime import powers
from runtime.actors import unlimited
from runtime.context import Context
from schemas.errors import NotFound
from schemas.powers import WORKSPACE

LOOK = "look"
"""Open to everybody who has some power over the app."""
BUILD = "build"
"""Open to everybody who has some power over some app."""

DOORS = {
    "build_apps.index": BUILD,
    "build_formulas.functions": BUILD,
    "build_apps.overview": LOOK,
    "build_apps.export": "design",
    "build_apps.add_form": "design",
    "drafting.ask": "design",
    "drafting.draft": "design",
    "aggregates.ask": "design",
    "aggregates.add": "design",
    "from_sheet.choose_into": "design",
    "from_sheet.send_into": "design",
    "from_sheet.show_into": "design",
    "from_sheet.decide_into": "design",
    "build_apps.delete_form": "design",
    "build_apps.copy_form": "design",
    "build_apps.copy_board": "design",
    "build_apps.rename": "design",
    "build_apps.set_watermark": "design",
    "build_apps.step": "design",
    "build_apps.discard": "design",
    "build_apps.preset": "rights",
    "build_apps.review": LOOK,
    "build_apps.publish": "publish",
    "build_bin.index": "design",
    "build_bin.restore": "design",
    "build_revisions.index": LOOK,
    "build_revisions.compare": LOOK,
    "build_revisions.back": "design",
    "build_types.progress": LOOK,
    "build_types.cancel": "publish",
    "build_types.retype": "design",
    "app_people.show": "rights",
    "app_people.save": "rights",
    "app_people.role": "rights",
    "members.index": "members",
    "members.new": "members",
    "members.add": "members",
    "members.show": "members",
    "members.change": "members",
    "members.set_avatar": "members",
    "members.give_role": "members",
    "members.access": "members",
    "members_leaving.ask": "members",
    "members_leaving.leave": "members",
    "members_leaving.progress": "members",
    "members_leaving.come_back": "members",
}
WHOLE = {
    "studio.": "design",
    "build_languages.": "design",
    "build_formulas.": "design",
    "build_views.": "design",
    "build_boards.": "design",
    "build_flows.": "design",
    "build_navigation.": "design",
    "build_rights.": "rights",
}
"""Blueprints whose every other route asks for one power."""


def power_of(endpoint: str) -> str:
    """What opens a route."""
    if endpoint in DOORS:
        return DOORS[endpoint]
    return next((power for prefix, power in WHOLE.items() if endpoint.startswith(prefix)), WORKSPACE)


def opens(ctx: Context) -> None:
    """Let through who may use the route that is asked for. Raises NotFound: for others there is nothing here."""
    power = power_of(request.endpoint or "")
    if unlimited(ctx.actor):
        return
    slug = (request.view_args or {}).get("app", "")
    if not _may(ctx, power, slug):
        raise NotFound


def _may(ctx: Context, power: str, slug: Any) -> bool:
    if power == BUILD:
        return bool(powers.apps(ctx))
    if power == "members":
        return powers.manages_somebody(ctx)
    if power == WORKSPACE or not slug:
        return False
    held = powers.of_app(ctx, slug)
    return bool(held) if power == LOOK else power in held
