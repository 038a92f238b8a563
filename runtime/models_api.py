"""Tables of the API: tokens for the whole installation; answers given before, webhooks and their log in each workspace."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from runtime.models import control_metadata, moment, workspace_metadata

token = Table(
    "token",
    control_metadata,
    Column("id", Uuid, primary_key=True),
    Column(
        "digest", LargeBinary, nullable=False, unique=True, comment="SHA-256 of the token; itself it is kept nowhere"
    ),
    Column("prefix", Text, nullable=False, comment="its beginning, by which people recognise it"),
    Column("workspace_id", Uuid, nullable=False, index=True),
    Column("member_id", Uuid, comment="whom a personal token acts as; NULL for a program of its own"),
    Column("word", Text, comment="by which grants name a program"),
    Column("name", Text, nullable=False),
    Column("roles", ARRAY(Text), nullable=False, server_default=text("'{}'"), comment="of a program, as app.role"),
    Column("scope", JSONB, nullable=False),
    Column("made_by", Uuid),
    moment("made_at", nullable=False, server_default=func.now()),
    moment("ends_at"),
    moment("revoked_at"),
    moment("used_at"),
    Column("used_from", Text),
    Column("minute", BigInteger, nullable=False, server_default=text("0"), comment="in which `used` counts"),
    Column("used", Integer, nullable=False, server_default=text("0")),
    Index("token_word", "workspace_id", "word", unique=True, postgresql_where=text("revoked_at IS NULL")),
)

api_answer = Table(
    "api_answer",
    workspace_metadata,
    Column("token_id", Uuid, primary_key=True),
    Column("key", Text, primary_key=True, comment="Idempotency-Key of a request"),
    Column("digest", LargeBinary, nullable=False, comment="of method, address and body"),
    Column("status", Integer),
    Column("body", JSONB(none_as_null=True)),
    moment("at", nullable=False, server_default=func.now(), index=True),
)

webhook = Table(
    "webhook",
    workspace_metadata,
    Column("id", Uuid, primary_key=True),
    Column("installation_id", Uuid, ForeignKey("installation.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("title", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("secret", Text, nullable=False),
    Column("tables", ARRAY(Text), nullable=False, comment="empty for every table of the app"),
    Column("events", ARRAY(Text), nullable=False),
    Column("fields", ARRAY(Text), nullable=False, comment="a change must touch one of them; empty for any"),
    Column("roles", ARRAY(Text), nullable=False, comment="with whose sight it reads; empty for its owner's"),
    Column("owner_id", Uuid, nullable=False),
    moment("made_at", nullable=False, server_default=func.now()),
    moment("paused_at"),
    Column("paused_why", JSONB(none_as_null=True)),
    moment("failing_since"),
    moment("next_at", comment="before which nothing is sent, after a failure"),
    Column("failures", Integer, nullable=False, server_default=text("0")),
)

webhook_delivery = Table(
    "webhook_delivery",
    workspace_metadata,
    Column("id", Uuid, primary_key=True),
    Column("webhook_id", Uuid, ForeignKey("webhook.id", ondelete="CASCADE"), nullable=False),
    Column("event", Text, nullable=False),
    Column("table_id", Text, nullable=False),
    Column("record_id", Uuid),
    Column("about", JSONB, nullable=False, comment="what is not in the record: version, changed fields, actor, task"),
    Column("state", Text, nullable=False, server_default="waiting", comment="waiting, sending, done, failed"),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("replay", Boolean, nullable=False, server_default=text("false")),
    moment("at", nullable=False),
    moment("sent_at"),
    Column("request", Text),
    Column("status", Integer),
    Column("response", Text),
    Column("problem", JSONB(none_as_null=True)),
    Column("took_ms", Integer),
    Index("webhook_delivery_next", "webhook_id", "id", postgresql_where=text("state IN ('waiting', 'sending')")),
    Index("webhook_delivery_log", "webhook_id", "at"),
)
