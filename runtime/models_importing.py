"""Runs of an import: the file, how it is mapped, how far it is, what became of its rows."""

from sqlalchemy import JSON, Boolean, Column, Integer, LargeBinary, Table, Text, Uuid, func, text
from sqlalchemy.dialects.postgresql import JSONB

from runtime.models import moment, workspace_metadata

import_run = Table(
    "import_run",
    workspace_metadata,
    Column("id", Uuid, primary_key=True),
    Column("installation_id", Uuid, nullable=False),
    Column("table_id", Text, nullable=False),
    Column("member_id", Uuid),
    Column("file_name", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("encoding", Text, nullable=False, server_default=""),
    Column("sheet", Text, nullable=False, server_default=""),
    Column("headings", JSON, nullable=False),
    Column("mapping", JSON, nullable=False),
    Column(
        "matching", JSON(none_as_null=True), comment="how rows find records that are there; null: each is a new one"
    ),
    Column(
        "state",
        Text,
        nullable=False,
        server_default="mapping",
        comment="mapping, waiting, running, done, cancelled, failed",
    ),
    Column("flows", Boolean, nullable=False, server_default=text("false"), comment="whether flows see what it adds and changes"),
    Column("cancel", Boolean, nullable=False, server_default=text("false")),
    Column("total", Integer, nullable=False, server_default=text("0")),
    Column("done", Integer, nullable=False, server_default=text("0")),
    Column("refused", Integer, nullable=False, server_default=text("0")),
    Column("report", JSONB),
    Column("counts", JSONB, comment="records added, changed, unchanged; lines whose key is ambiguous"),
    moment("started_at", nullable=False, server_default=func.now()),
    moment("ended_at"),
)
