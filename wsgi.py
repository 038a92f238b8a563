"""Puts the rooms together as one Flask application."""

from flask import Flask
from sqlalchemy import text
from werkzeug.middleware.proxy_fix import ProxyFix

from runtime.resources import folder
from runtime.server import database_url
from runtime.settings import Settings, secret_key
from runtime.workspaces import connect


def create_app(settings: Settings | None = None) -> Flask:
    """The application on a database that runs. Call it in the process that serves: its pool is made here."""
    settings = settings or Settings.read()
    app = Flask("mortise", template_folder=str(folder("templates")), static_folder=str(folder("static")))
    app.config.update(
        SECRET_KEY=secret_key(settings),
        MAX_CONTENT_LENGTH=settings.max_upload * 1024 * 1024,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.public_url.startswith("https:"),
        SETTINGS=settings,
    )
    engine = connect(database_url(settings))
    app.extensions["engine"] = engine
    if settings.proxies:
        behind = settings.proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, behind, behind, behind, behind)  # type: ignore[method-assign]

    @app.get("/healthz")
    def healthz() -> str:
        """Answers when the database does."""
        with engine.connect() as conn:
            conn.execute(text("SELECT 1"))
        return "ok"

    return app
