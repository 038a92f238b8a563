"""A first workspace with a bundled app and its sample data: something to try on the first day."""

from pathlib import Path
from typing import Any

from builder import bundle
from runtime import accounts, jobs, people, workspaces
from runtime.context import Workspace
from runtime.sample import Login, install_sample, logins
from schemas.errors import DefinitionError, Problem
from schemas.messages import say

SLUG, TITLE = "main", "Mortise 榫卯"


def begin(engine: Any, app: str) -> list[Login]:
    """In an installation without people, make a workspace with this bundled app and its sample data.

    Returns the sample's log-ins that work. Where people are already nothing is changed. Raises
    DefinitionError when no such app is bundled.
    """
    folder = bundled_folder(app)
    jobs.load_rooms()
    place = first_workspace(engine)
    if place is not None:
        with workspaces.opened(engine, place) as ctx:
            if not people.Directory.of(ctx).search(limit=1):
                bundle.install(ctx, bundle.read(folder))
                install_sample(ctx, app, folder / "sample")
    with engine.connect() as conn:
        return [login for login in logins(folder / "sample") if accounts.find_account(conn, login.email)]


def bundled_folder(app: str) -> Path:
    known = bundle.bundled()
    if app not in known:
        message = say("no bundled app is called '{app}'; there are {known}", app=app, known=", ".join(known))
        raise DefinitionError([Problem("", message)])
    return known[app]


def first_workspace(engine: Any) -> Workspace | None:
    """The workspace that is the only one, made when there is none; None where there are more."""
    with engine.connect() as conn:
        known = workspaces.all_workspaces(conn)
    if not known:
        return workspaces.create(engine, SLUG, TITLE)
    return known[0] if len(known) == 1 else None


def told(found: list[Login]) -> str:
    people = [f"  {login.email:<30} {login.password:<16} {login.name} {login.title}" for login in found]
    return "\n".join(["Sample log-ins:", *people]) if people else ""
