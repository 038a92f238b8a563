"""Packages that somebody has uploaded to a workspace, to be looked at and installed."""

from sqlalchemy import JSON, Column, Index, Table, Text, Uuid, func

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
