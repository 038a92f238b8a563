"""The navigation of an app: lines and folders, each for some roles or devices only where it says so.

A line hides, it never opens: what a member may not see is left out whatever the navigation says.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.errors import Problem
from schemas.fields.choice import TONES
from schemas.messages import Message, say
from schemas.options import option
from schemas.parsers import Flag, Icon, Label, Line, Many, Object, Reference, Tone, Words
from schemas.strangers import strangers
from schemas.text import Text

if TYPE_CHECKING:
    from schemas.app import App

DEVICES = ("both", "desk", "phone")
TARGETS = ("view", "form", "dashboard", "flow", "link")
"""What a line may lead to; one that leads nowhere is a folder."""
LEADS = re.compile(r"https?://[^\s/?#@\\]+([/?#]\S*)?|/(?![/\\])\S*", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A line of the navigation: a view, form, dashboard, flow or link; or a folder of such lines."""

    group: Text = option(Label(), "Folder", Text(), help="The name of a folder.")
    title: Text = option(Label(), "Name", Text(), help="Empty: the name of what it opens.")
    icon: str = option(Icon(), "Icon", "", section="style", help="Empty: the icon of what it opens.")
    color: str = option(Tone(*TONES), "Colour", "gray", section="style", help="The colour of its icon.")
    items: tuple["Entry", ...] = option(
        Many(Object(lambda: Entry)), "Items", (), section="hidden", help="What lies in the folder."
    )
    view: str | None = option(Reference("view", allow_none=True), "View", help="Opens the records in this view.")
    form: str | None = option(Reference("form", allow_none=True), "Form", help="Opens this form to fill in.")
    dashboard: str | None = option(Reference("dashboard", allow_none=True), "Dashboard", help="Opens this dashboard.")
    flow: str | None = option(
        Reference("flow", allow_none=True), "Flow", help="Opens what this flow asks of the person."
    )
    link: str = option(
        Line(1_000), "Link", "", help="An address that begins with https://, or with / for a page of this site."
    )
    roles: tuple[str, ...] = option(
        Many(Reference("role")), "Shown to these roles", (), section="seen",
        help="Empty: shown to everybody who may open it. It opens nothing to those who may not.",
    )  # fmt: skip
    devices: str = option(Words(*DEVICES), "Shown on", "both", section="seen", help="A large screen, a phone, or both.")
    home: bool = option(Flag(), "The app begins here", False, help="Opened first by whoever may see it.")

    def problems(self) -> Iterator[tuple[str, Message]]:
        if self.link and not LEADS.fullmatch(self.link):
            yield "link", say("an address begins with https:// or with a single /")

    @property
    def folder(self) -> bool:
        return bool(self.items) or not any(getattr(self, kind) for kind in TARGETS)

    def shown_to(self, roles: Iterable[str]) -> bool:
        """Whether somebody with these roles of the app has this line, if they may open what it leads to."""
        return not self.roles or not set(self.roles).isdisjoint(roles)

    def all(self) -> Iterator["Entry"]:
        """The line, and every one inside it."""
        yield self
        for inner in self.items:
            yield from inner.all()


def problems(app: "App", entry: Entry, path: str) -> Iterator[Problem]:
    """What a line and those inside it name that is not there."""
    known: dict[str, Iterable[str]] = {
        "view": app.all_views, "form": app.all_forms, "dashboard": [d.id for d in app.dashboards],
        "flow": [f.id for f in app.flows],
    }  # fmt: skip
    for kind, ids in known.items():
        if target := getattr(entry, kind):
            yield from strangers(f"{path}.{kind}", kind, [target], ids)
    yield from strangers(f"{path}.roles", "role", entry.roles, [role.id for role in app.roles])
    for n, inner in enumerate(entry.items):
        yield from problems(app, inner, f"{path}.items[{n}]")
