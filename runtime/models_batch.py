"""What somebody does to many records at once, when it is left to a job: how far it is, and what became of each."""

from sqlalchemy import ARRAY, Boolean, Column, Integer, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from runtime.models import moment, workspace_metadata

batch_run = Table(
    "batch_run",
    workspace_metadata,
    Column("id", Uuid, primary_key=True),
    Column("installation_id", Uuid, nullable=False),
    Column("table_id", Text, nullable=False),
    Column("member_id", Uuid),
    Column("action", Text, nullable=False, comment="change or trash"),
    Column("answers", JSONB, nullable=False, comment="what a change gives each record, as it was typed, by field"),
    Column("records", ARRAY(Uuid), nullable=False),
    Column(
        "state", Text, nullable=False, server_default="waiting", comment="waiting, running, done, cancelled, failed"
    ),
    Column("cancel", Boolean, nullable=False, server_default=text("false")),
    Column("done", Integer, nullable=False, server_default=text("0")),
    Column("refused", Integer, nullable=False, server_default=text("0")),
    Column("report", JSONB, comment="[record, why] of those that were refused"),
    moment("started_at", nullable=False),
    moment("ended_at"),
)
