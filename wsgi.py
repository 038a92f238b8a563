"""Puts the rooms together as one Flask application."""

from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

from flask import Flask
from sqlalchemy import text
from werkzeug.middleware.proxy_fix import ProxyFix

import builder.web
import runtime.web
from runtime import memory, sealing
from runtime.jobs import load_rooms
from runtime.resources import folder
from runtime.server import database_url
from runtime.settings import Settings, secret_key
from runtime.storage import storage_of
from runtime.web import api_edge, delivery, edge
from runtime.web.templates import Templates
from runtime.workspaces import connect

LARGEST_FORM = 20 * 1024 * 1024
MOST_FORM_PARTS = 10_000
"""What a form may send beside its files: rich text, and subforms of 2,000 rows."""

PATIENCE = "60s"
"""How long a statement of a request may take; jobs take the time they need."""


def create_app(settings: Settings | None = None) -> Flask:
    """The application on a database that runs. Call it in the process that serves: its pool is made here."""
    settings = settings or Settings.read()
    load_rooms()
    app = Flask("mortise", template_folder=str(folder("templates")), static_folder=None)
    app.jinja_environment = Templates
    app.config.update(
        SECRET_KEY=secret_key(settings),
        MAX_CONTENT_LENGTH=settings.max_upload * 1024 * 1024,
        MAX_FORM_MEMORY_SIZE=LARGEST_FORM,
        MAX_FORM_PARTS=MOST_FORM_PARTS,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.public_url.startswith("https:"),
        SETTINGS=settings,
    )
    sealing.use(app.config["SECRET_KEY"])
    engine = connect(database_url(settings), patience=PATIENCE)
    app.extensions["engine"] = engine
    app.extensions["storage"] = storage_of(settings)
    if settings.proxies:
        behind = settings.proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, behind, behind, behind, behind)  # type: ignore[method-assign]

    @app.get("/healthz")
    def healthz() -> str:
        """Answers when the database does."""
        with engine.connect() as conn:
            conn.execute(text("SELECT 1"))
        return "ok"

    delivery.install(app, folder("static"))
    edge.install(app)
    api_edge.install(app)
    for package in (runtime.web, builder.web):
        open_doors(app, package)
    return app


def served() -> Flask:
    """The application of a process that does nothing else."""
    app = create_app()
    memory.settle()
    return app


def open_doors(app: Flask, package: ModuleType) -> None:
    """Every module in a `web` folder that has a blueprint is a door."""
    for module in iter_modules(package.__path__):
        bp = getattr(import_module(f"{package.__name__}.{module.name}"), "bp", None)
        if bp is not None:
            app.register_blueprint(bp)
