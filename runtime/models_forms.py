"""What people have begun to fill in, and what they sent last."""

from sqlalchemy import Column, Index, Table, Text, Uuid, func
from sqlalchemy.dialects.postgresql import JSONB

from runtime.models import moment, workspace_metadata

form_draft = Table(
    "form_draft",
    workspace_metadata,
    Column("member_id", Uuid, primary_key=True),
    Column("installation_id", Uuid, primary_key=True),
    Column("form", Text, primary_key=True),
    Column("about", Text, primary_key=True, comment="the record that is being changed, or 'new'"),
    Column("answers", JSONB, nullable=False, comment="[name, text] of every input, as the browser would send them"),
    moment("at", nullable=False, server_default=func.now()),
)

form_sent = Table(
    "form_sent",
    workspace_metadata,
    Column("member_id", Uuid, primary_key=True),
    Column("installation_id", Uuid, primary_key=True),
    Column("form", Text, primary_key=True),
    Column("record_id", Uuid, nullable=False),
    moment("at", nullable=False, server_default=func.now()),
    Index("form_sent_record", "record_id"),
)
