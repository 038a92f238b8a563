"""Tables of public links: the links of a workspace, and the answers given by them."""

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, Table, Text, Uuid, func, text
from sqlalchemy.dialects.postgresql import JSONB

from runtime.models import moment, workspace_metadata

public_link = Table(
    "public_link",
    workspace_metadata,
    Column("id", Uuid, primary_key=True),
    Column("installation_id", Uuid, ForeignKey("installation.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("digest", LargeBinary, nullable=False, unique=True, comment="SHA-256 of its secret"),
    Column("sealed", Text, nullable=False, comment="its secret, to be shown again; the database alone cannot open it"),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False, comment="fill, lookup, record, view, dashboard"),
    Column("target", Text, nullable=False, comment="the id of the form, view, dashboard or table"),
    Column("record_id", Uuid, comment="the record that it shows"),
    Column("settings", JSONB, nullable=False),
    Column("password", Text, comment="hashed"),
    Column("made_by", Uuid, nullable=False),
    moment("made_at", nullable=False, server_default=func.now()),
    moment("off_at"),
    moment("removed_at"),
    moment("opens_at"),
    moment("ends_at"),
    Column("most", Integer, comment="how many answers it takes"),
    Column("answers", Integer, nullable=False, server_default=text("0")),
    Column("visits", Integer, nullable=False, server_default=text("0")),
    moment("used_at"),
)

public_answer = Table(
    "public_answer",
    workspace_metadata,
    Column("id", Uuid, primary_key=True),
    Column("link_id", Uuid, ForeignKey("public_link.id", ondelete="CASCADE"), nullable=False),
    Column("record_id", Uuid, nullable=False, index=True),
    Column("ticket", LargeBinary, nullable=False, comment="hash of the page that it was sent from: one answer each"),
    Column("device", LargeBinary, comment="hash of the browser's mark, where each may answer once"),
    Column("person", LargeBinary, comment="hash of what says who answers, where each may answer once"),
    moment("at", nullable=False, server_default=func.now()),
    Index("public_answer_ticket", "link_id", "ticket", unique=True),
    Index("public_answer_device", "link_id", "device", unique=True),
    Index("public_answer_person", "link_id", "person", unique=True),
)
