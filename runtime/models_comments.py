"""What people say about records."""

from sqlalchemy import Column, Index, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY

from runtime.models import moment, workspace_metadata

comment = Table(
    "comment",
    workspace_metadata,
    Column("id", Uuid, primary_key=True),
    Column("installation_id", Uuid, nullable=False),
    Column("table_id", Text, nullable=False),
    Column("record_id", Uuid, nullable=False),
    Column("parent_id", Uuid, comment="the comment that this one answers"),
    Column("author_id", Uuid),
    Column("body", Text, nullable=False),
    Column("mentions", ARRAY(Uuid), nullable=False, server_default=text("'{}'")),
    Column("files", ARRAY(Uuid), nullable=False, server_default=text("'{}'")),
    moment("at", nullable=False),
    moment("edited_at"),
    moment("deleted_at"),
    Index("comment_record", "record_id", "at"),
)
