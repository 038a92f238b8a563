"""The same two endpoints by hand: Flask, a token looked up by its digest, JSON in and out, the table's own rules."""

import hashlib
import os
from decimal import Decimal
from typing import Any
from uuid import UUID

from flask import Flask, abort, jsonify, request
from sqlalchemy import MetaData, create_engine, insert, select, text

from bench.floor import PAGE, Wrong, parcel_table, read
from runtime.ids import new_id


def create_app() -> Flask:
    """On the database that the environment names."""
    app = Flask("by_hand")
    engine = create_engine(os.environ["FLOOR_URL"].replace("postgresql://", "postgresql+psycopg://"), pool_size=8)
    parcel = parcel_table(MetaData(schema="floor"))
    known = text("SELECT member FROM floor.token WHERE digest = :digest")

    def allowed(conn: Any) -> None:
        sent = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if conn.scalar(known, {"digest": hashlib.sha256(sent.encode()).digest()}) is None:
            abort(401)

    @app.get("/healthz")
    def healthz() -> str:
        return "ok"

    @app.get("/parcels")
    def listed() -> Any:
        with engine.begin() as conn:
            allowed(conn)
            columns = [c for c in parcel.c if c.name != "deleted_at"]
            newest = select(*columns).where(parcel.c.deleted_at.is_(None))
            rows = conn.execute(newest.order_by(parcel.c.created_at.desc(), parcel.c.id.desc()).limit(PAGE)).mappings()
            return jsonify({"records": [{name: _plain(value) for name, value in row.items()} for row in rows]})

    @app.post("/parcels")
    def add() -> Any:
        try:
            values = read({name: _sent(value) for name, value in request.get_json()["fields"].items()})
        except Wrong as err:
            abort(422, str(err))
        id = new_id()
        with engine.begin() as conn:
            allowed(conn)
            conn.execute(insert(parcel).values(id=id, **values))
        return jsonify({"id": str(id)}), 201

    return app


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal | UUID):
        return str(value)
    return value.isoformat() if hasattr(value, "isoformat") else value


def _sent(value: Any) -> Any:
    return value if isinstance(value, list) else "" if value is None else str(value)
