"""The language model that a workspace has set up, if any."""

from sqlalchemy import Column, SmallInteger, Table, Text, Uuid, func

from runtime.models import moment, workspace_metadata

ai_endpoint = Table(
    "ai_endpoint",
    workspace_metadata,
    Column("id", SmallInteger, primary_key=True, comment="always 1"),
    Column("address", Text, nullable=False, comment="of an OpenAI-compatible API, as https://api.example.com/v1"),
    Column("model", Text, nullable=False),
    Column("sealed", Text, nullable=False, server_default="", comment="the key; empty where none is asked for"),
    Column("made_by", Uuid),
    moment("made_at", nullable=False, server_default=func.now()),
)
