"""Packages that somebody has uploaded to a workspace, and what of installed ones was deleted for good."""

from sqlalchemy import JSON, Column, ForeignKey, Index, Integer, Table, Text, Uuid, func

from runtime.models import moment, workspace_metadata

uploaded = Table(
    "uploaded_package",
    workspace_metadata,
    Column("id", Uuid, primary_key=True),
    Column("app", Text, nullable=False, comment="the package's own id"),
    Column("version", Text, nullable=False),
    Column("package", JSON, nullable=False),
    Column("sample", JSON, comment="what the files of its sample data hold, by their names"),
    Column("uploaded_by", Uuid),
    moment("uploaded_at", nullable=False, server_default=func.now()),
    Index("uploaded_package_app", "app", "uploaded_at"),
)

purged = Table(
    "purged_part",
    workspace_metadata,
    Column("id", Uuid, primary_key=True),
    Column("installation_id", Uuid, ForeignKey("installation.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("path", Text, nullable=False, comment="claim, or claim.amount"),
    Column("revision", Integer, nullable=False, comment="the published one, which no longer has it"),
    Column("by", Uuid),
    moment("at", nullable=False),
)
