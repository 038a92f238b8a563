"""The list page by hand: Flask, Jinja, a session that is looked up, the same rows and columns, a pager and a sum."""

from pathlib import Path
from typing import Any
from uuid import UUID

from flask import Flask, abort, redirect, render_template, request, session
from sqlalchemy import select

from bench.definition import LABELS
from bench.floor import Floor, Wrong

COLUMNS = (
    "name", "code", "city", "phone", "email", "note", "amount", "price", "quantity", "chance", "stage", "source", "priority", "tags",
    "owner", "department", "buyer", "due", "contacted", "active",
)  # fmt: skip
NUMBERS = {"amount", "price", "quantity", "chance"}


def floor_app(floor: Floor, member: UUID) -> Flask:
    """A small application: signing in, one list, one form's submission."""
    app = Flask("floor", template_folder=str(Path(__file__).parent / "templates"))
    app.secret_key = "bench"

    @app.get("/enter")
    def enter() -> Any:
        session["member"] = str(member)
        return "", 204

    @app.get("/parcels")
    def parcels() -> Any:
        signed_in()
        rows, total, amount = floor.won()
        return render_template(
            "page.html", rows=rows, total=total, amount=amount, columns=COLUMNS, numbers=NUMBERS, labels=LABELS
        )

    @app.post("/parcels")
    def add() -> Any:
        signed_in()
        try:
            id = floor.create({name: _sent(name) for name in COLUMNS if name in request.form})
        except Wrong as err:
            abort(422, str(err))
        return redirect(f"/parcels/{id}", 303)

    def signed_in() -> str:
        p = floor.person
        with floor.engine.begin() as conn:
            name = conn.scalar(select(p.c.name).where(p.c.id == UUID(session.get("member", ""))))
        if name is None:
            abort(401)
        return str(name)

    return app


def _sent(name: str) -> Any:
    return request.form.getlist(name) if name == "tags" else request.form[name]
