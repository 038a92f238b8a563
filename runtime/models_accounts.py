"""Tables of the whole installation that open accounts and workspaces: tickets, second factors, invitations, sign-on elsewhere."""

from sqlalchemy import Boolean, Column, ForeignKey, Integer, LargeBinary, Table, Text, Uuid, func, text
from sqlalchemy.dialects.postgresql import JSONB

from runtime.models import account, control_metadata, moment

ticket = Table(
    "ticket",
    control_metadata,
    Column("digest", LargeBinary, primary_key=True, comment="SHA-256 of what was sent by mail or put into a cookie"),
    Column("kind", Text, nullable=False, comment="what it is good for"),
    Column("account_id", Uuid, ForeignKey(account.c.id, ondelete="CASCADE"), index=True),
    Column("data", JSONB, nullable=False),
    moment("made_at", nullable=False, server_default=func.now()),
    moment("ends_at", nullable=False, index=True),
    moment("used_at"),
)

recovery_code = Table(
    "recovery_code",
    control_metadata,
    Column("account_id", Uuid, ForeignKey(account.c.id, ondelete="CASCADE"), primary_key=True),
    Column("digest", LargeBinary, primary_key=True),
    moment("used_at"),
)

invitation = Table(
    "invitation",
    control_metadata,
    Column("id", Uuid, primary_key=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("workspace_id", Uuid, nullable=False, index=True),
    Column("email", Text, comment="to whom it was sent; NULL for a link that is passed on"),
    Column("department_id", Uuid),
    Column("roles", JSONB, nullable=False, comment="[[installation, role], ...]"),
    Column("most_uses", Integer, comment="NULL for as many as come"),
    Column("uses", Integer, nullable=False, server_default=text("0")),
    Column("made_by", Text, nullable=False),
    moment("made_at", nullable=False, server_default=func.now()),
    moment("ends_at", nullable=False),
    moment("revoked_at"),
)

sso_provider = Table(
    "sso_provider",
    control_metadata,
    Column("workspace_id", Uuid, primary_key=True),
    Column("title", Text, nullable=False),
    Column("issuer", Text, nullable=False),
    Column("client_id", Text, nullable=False),
    Column("secret", Text, nullable=False, comment="sealed"),
    Column(
        "domains", Text, nullable=False, server_default="", comment="of e-mail addresses that become members at once"
    ),
    Column("enabled", Boolean, nullable=False, server_default=text("true")),
)

sso_identity = Table(
    "sso_identity",
    control_metadata,
    Column("issuer", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("account_id", Uuid, ForeignKey(account.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("title", Text, nullable=False),
    moment("linked_at", nullable=False, server_default=func.now()),
)
