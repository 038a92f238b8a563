"""Changes of a field's type that are carried out beside people's work before a revision is published."""

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Integer, Table, Text, Uuid, func, text
from sqlalchemy.dialects.postgresql import JSONB

from runtime.models import moment, workspace_metadata

conversion_run = Table(
    "conversion_run",
    workspace_metadata,
    Column("id", Uuid, primary_key=True),
    Column("installation_id", Uuid, ForeignKey("installation.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("base", Integer, nullable=False, comment="the revision that it starts from"),
    Column("package", JSON, nullable=False, comment="what is published when all values are there"),
    Column("note", Text, nullable=False, server_default=""),
    Column(
        "state", Text, nullable=False, server_default="waiting", comment="waiting, running, done, cancelled, failed"
    ),
    Column("problem", JSON, comment="why it failed: a message's text and values"),
    Column("columns", JSONB, nullable=False, server_default=text("'{}'"), comment="path -> the column being filled"),
    Column("place", JSONB, nullable=False, server_default=text("'{}'"), comment="SQL table -> the last id converted"),
    Column("cancel", Boolean, nullable=False, server_default=text("false")),
    Column("total", Integer, nullable=False, server_default=text("0")),
    Column("done", Integer, nullable=False, server_default=text("0")),
    Column("lost", Integer, nullable=False, server_default=text("0"), comment="values that could not be converted"),
    Column("member_id", Uuid),
    moment("started_at", nullable=False, server_default=func.now()),
    moment("ended_at"),
)
