"""Drafts of apps being edited, and the steps by which they came about."""

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Integer, Table, Uuid, func, text

from runtime.models import moment, workspace_metadata

draft = Table(
    "draft",
    workspace_metadata,
    Column("installation_id", Uuid, ForeignKey("installation.id", ondelete="CASCADE"), primary_key=True),
    Column("base", Integer, nullable=False, comment="the published revision that it began from"),
    Column("parts", JSON, nullable=False, comment="every object of the package by kind/id, and the bin"),
    Column("counter", Integer, nullable=False, server_default=text("0"), comment="raised by every edit"),
    Column("saved_by", Uuid),
    moment("saved_at", nullable=False, server_default=func.now()),
)

draft_step = Table(
    "draft_step",
    workspace_metadata,
    Column("installation_id", Uuid, ForeignKey("installation.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("words", JSON, nullable=False, comment="what was done: a message's text and values"),
    Column("before", JSON, nullable=False, comment="the parts that it changed, as they were"),
    Column("after", JSON, nullable=False),
    Column("undone", Boolean, nullable=False, server_default=text("false")),
    Column("member_id", Uuid),
    Column(
        "counter",
        Integer,
        nullable=False,
        server_default=text("0"),
        comment="the draft's, when it was made, undone or redone last",
    ),
    Column("touched_by", Uuid, comment="whoever did that"),
    moment("at", nullable=False, server_default=func.now()),
)
