"""The bin: what was deleted from an app, and apps that were removed, brought back or deleted for good."""

from typing import Any
from uuid import UUID

from flask import Blueprint, render_template, request

from builder import bin, drafts
from builder.web.apps import CHANGED, about, counter_sent, designer
from runtime import definitions, purging
from runtime.actors import unlimited
from runtime.context import Context
from runtime.people import Directory
from runtime.web.edge import go, record_id, tell, work
from runtime.web.frame import frame
from schemas.app import App
from schemas.errors import Conflict, DefinitionError, InvalidInput, NotFound
from schemas.messages import say
from schemas.options import load
from schemas.text import Text

bp = Blueprint("build_bin", __name__)
TYPED = say("Type the name exactly as it stands there, to show that you mean it.")


@bp.get("/build/<app>/bin")
def index(app: str) -> Any:
    with work() as ctx:
        designer(ctx)
        draft = drafts.open_draft(ctx, app)
        frame(ctx)
        return render_template(
            "builder/bin.html", deleted=bin.contents(ctx, draft), purges=unlimited(ctx.actor), **about(ctx, draft)
        )


@bp.post("/build/<app>/bin/restore")
def restore(app: str) -> Any:
    """Bring something back into the draft."""
    try:
        with work() as ctx:
            designer(ctx)
            found = bin.restore(ctx, app, counter_sent(), request.form.get("key", ""))
    except Conflict as err:
        raise InvalidInput({"": [CHANGED]}) from err
    tell(
        say("“{name}” is in the draft again, with its data. Publish to bring it back for everybody.", name=found.title)
    )
    return go(f"/build/{app}/bin")


@bp.post("/build/<app>/bin/purge")
def purge(app: str) -> Any:
    """Delete the data of a field or table for good."""
    key = request.form.get("key", "")
    with work() as ctx:
        designer(ctx)
        found = bin.one_of(ctx, drafts.open_draft(ctx, app), key)
        _typed(found.id)
        bin.purge(ctx, app, key)
    tell(say("“{name}” and its data are deleted for good.", name=found.title))
    return go(f"/build/{app}/bin")


def _typed(name: str) -> None:
    """Raises InvalidInput unless the name was typed again."""
    if request.form.get("typed", "").strip() != name:
        raise InvalidInput({"typed": [TYPED]})


# -- removed apps ----------------------------------------------------------------------------------


@bp.get("/bin/")
def apps() -> Any:
    """The apps that were removed, with what waits for them."""
    with work() as ctx:
        designer(ctx)
        rows = definitions.removed(ctx)
        names = Directory.of(ctx).names(row.removed_by for row in rows if row.removed_by)
        frame(ctx)
        listed = [
            {"row": row, "title": _title(ctx, row), "slug": _slug(row.slug), "by": names.get(row.removed_by, "")}
            for row in rows
        ]
        return render_template("builder/bin_apps.html", listed=listed)


def _slug(slug: str) -> str:
    return slug.partition("-removed-")[0]


def _title(ctx: Context, row: Any) -> Text:
    try:
        return load(App, definitions.package(ctx, row.id, row.revision)).title or Text.of(_slug(row.slug))
    except (DefinitionError, NotFound):
        return Text.of(_slug(row.slug))


def _sent() -> UUID:
    return record_id(request.form.get("app", ""))


@bp.post("/bin/restore")
def restore_app() -> Any:
    with work() as ctx:
        designer(ctx)
        slug = definitions.restore(ctx, _sent())
    tell(say("The app is back, with its records."))
    return go(f"/build/{slug}/")


@bp.post("/bin/purge")
def purge_app() -> Any:
    with work() as ctx:
        designer(ctx)
        row = next((row for row in definitions.removed(ctx) if row.id == _sent()), None)
        if row is None:
            raise NotFound
        _typed(_slug(row.slug))
        purging.purge_app(ctx, row.id)
    tell(say("The app and all its data are deleted for good."))
    return go("/bin/")
