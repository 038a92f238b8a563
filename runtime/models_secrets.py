"""Secrets of a workspace, which its apps' requests carry to the servers that each is for."""

from sqlalchemy import Column, Table, Text, Uuid, func

from runtime.models import moment, workspace_metadata

secret = Table(
    "secret",
    workspace_metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("servers", Text, nullable=False, comment="host or host:port of each server that may be told it, parted by spaces"),
    Column("sealed", Text, nullable=False),
    Column("made_by", Uuid),
    moment("made_at", nullable=False, server_default=func.now()),
)
