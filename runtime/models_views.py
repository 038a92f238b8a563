"""Views that people keep for themselves, or for everybody who sees the list they were made from."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Table, Text, Uuid, false, func
from sqlalchemy.dialects.postgresql import JSONB

from runtime.models import moment, workspace_metadata

own_view = Table(
    "own_view",
    workspace_metadata,
    Column("id", Uuid, primary_key=True),
    Column("installation_id", Uuid, ForeignKey("installation.id", ondelete="CASCADE"), nullable=False),
    Column("member_id", Uuid, ForeignKey("member.id", ondelete="CASCADE"), nullable=False),
    Column("view", Text, nullable=False, comment="the view of the app that it is a variant of"),
    Column("title", Text, nullable=False),
    Column("shared", Boolean, nullable=False, server_default=false()),
    Column("wishes", JSONB, nullable=False, comment="filter, sort and the like, as in the address of a list"),
    Column("columns", JSONB, nullable=False, comment="what is shown, in which order and how wide"),
    moment("made_at", nullable=False, server_default=func.now()),
    Index("own_view_place", "installation_id", "view"),
)
