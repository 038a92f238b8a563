"""Our own tables: `control` for the whole installation, the rest once in every workspace's schema.

People's tables are not here: `runtime/tables.py` makes them from definitions. Nothing here points at them
with a foreign key, and nothing in a workspace points into `control`.
"""

from sqlalchemy import (
    ARRAY,
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

control_metadata = MetaData(schema="control")
workspace_metadata = MetaData()

LAYOUT = 22
"""Raised with every change of these tables; a workspace records the one it was made with."""


def moment(name: str, **options: object) -> Column[object]:
    return Column(name, DateTime(timezone=True), **options)  # type: ignore[arg-type]


account = Table(
    "account",
    control_metadata,
    Column("id", Uuid, primary_key=True),
    Column("email", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("password", Text),
    Column("language", Text),
    Column("theme", Text),
    Column("zone", Text, comment="of the clock on their pages; NULL for the workspace's"),
    Column("totp", Text, comment="secret of the second factor, sealed"),
    Column("totp_step", BigInteger, comment="the last step whose code was taken"),
    moment("verified_at", comment="when the e-mail address was last proven"),
    moment("created_at", nullable=False, server_default=func.now()),
    moment("disabled_at"),
)

session = Table(
    "session",
    control_metadata,
    Column("digest", LargeBinary, primary_key=True, comment="SHA-256 of the token in the cookie"),
    Column("account_id", Uuid, ForeignKey(account.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("workspace_id", Uuid),
    moment("created_at", nullable=False, server_default=func.now()),
    moment("seen_at", nullable=False, server_default=func.now()),
    moment("ends_at", nullable=False),
    moment("confirmed_at", comment="when the person last proved who they are"),
    Column("agent", Text),
    Column("address", Text),
)

attempt = Table(
    "attempt",
    control_metadata,
    Column("id", Integer, primary_key=True),
    Column("key", Text, nullable=False, comment="account or address that tried to sign in"),
    moment("at", nullable=False, server_default=func.now()),
    Index("attempt_key_at", "key", "at"),
)

workspace = Table(
    "workspace",
    control_metadata,
    Column("id", Uuid, primary_key=True),
    Column("slug", Text, nullable=False, unique=True),
    Column("title", Text, nullable=False),
    Column("schema", Text, nullable=False, unique=True),
    Column("zone", Text, nullable=False, server_default="Asia/Shanghai"),
    Column("language", Text, nullable=False, server_default="zh"),
    Column("layout", Integer, nullable=False),
    Column(
        "second_factor", Boolean, nullable=False, server_default=text("false"), comment="whether everybody needs one"
    ),
    Column("audit_days", Integer, comment="how long the audit trail is kept; NULL for ever"),
    moment("created_at", nullable=False, server_default=func.now()),
)

membership = Table(
    "membership",
    control_metadata,
    Column("account_id", Uuid, primary_key=True),
    Column("workspace_id", Uuid, primary_key=True),
)

member = Table(
    "member",
    workspace_metadata,
    Column("id", Uuid, primary_key=True),
    Column("account_id", Uuid, unique=True),
    Column("name", Text, nullable=False),
    Column("email", Text),
    Column("phone", Text),
    Column("title", Text),
    Column("department_id", Uuid, ForeignKey("department.id", use_alter=True, name="member_department"), index=True),
    Column("admin", Boolean, nullable=False, server_default=text("false")),
    Column("external", Boolean, nullable=False, server_default=text("false"), comment="a contact outside the company"),
    Column("company", Text, comment="of an external contact"),
    Column("avatar", Uuid, comment="the file with the picture"),
    Column("sample", Boolean, nullable=False, server_default=text("false")),
    moment("created_at", nullable=False, server_default=func.now()),
    moment("left_at"),
    Column("former_account_id", Uuid, comment="of one who left: the account that opened this workspace"),
    moment("erased_at"),
    Index("member_name", "name", "id"),
)

department = Table(
    "department",
    workspace_metadata,
    Column("id", Uuid, primary_key=True),
    Column("parent_id", Uuid, ForeignKey("department.id"), index=True),
    Column("name", Text, nullable=False),
    Column("head_id", Uuid, ForeignKey("member.id"), index=True),
    Column("position", Integer, nullable=False, server_default=text("0")),
    Column("sample", Boolean, nullable=False, server_default=text("false")),
)

member_department = Table(
    "member_department",
    workspace_metadata,
    Column("member_id", Uuid, ForeignKey("member.id", ondelete="CASCADE"), primary_key=True),
    Column("department_id", Uuid, ForeignKey("department.id", ondelete="CASCADE"), primary_key=True, index=True),
)

installation = Table(
    "installation",
    workspace_metadata,
    Column("id", Uuid, primary_key=True),
    Column("slug", Text, nullable=False, unique=True),
    Column("revision", Integer, nullable=False, server_default=text("0")),
    Column("rights_epoch", Integer, nullable=False, server_default=text("0")),
    Column("base", JSON, comment="the package as it was installed, for three-way upgrades"),
    Column("position", Integer, nullable=False, server_default=text("0")),
    Column("webhooks", Integer, nullable=False, server_default=text("0"), comment="how many listen to it"),
    moment("installed_at", nullable=False, server_default=func.now()),
    moment("removed_at"),
    Column("removed_by", Uuid),
    moment("purge_at", comment="of a removed app: when its data is deleted; NULL for never by itself"),
)

revision = Table(
    "revision",
    workspace_metadata,
    Column("installation_id", Uuid, ForeignKey("installation.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("package", JSON, nullable=False),
    Column("note", Text),
    Column("published_by", Uuid),
    moment("published_at", nullable=False, server_default=func.now()),
)

storage = Table(
    "storage",
    workspace_metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("installation_id", Uuid, ForeignKey("installation.id", ondelete="CASCADE"), nullable=False),
    Column(
        "path",
        Text,
        nullable=False,
        comment="claim, claim.amount, claim.items, claim.items.price: names in SQL never come from people",
    ),
    Column("kind", Text, nullable=False, comment="table, or the storage of a column"),
    Column("name", Text, nullable=False, comment="t_12, f_34"),
    Column("definition", JSON, comment="of a retired column: the field whose values it holds"),
    moment("created_at", nullable=False, server_default=func.now()),
    moment("retired_at"),
    Index("storage_path", "installation_id", "path", unique=True, postgresql_where=text("retired_at IS NULL")),
)

wanted_index = Table(
    "wanted_index",
    workspace_metadata,
    Column("installation_id", Uuid, ForeignKey("installation.id", ondelete="CASCADE"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("statement", Text, nullable=False),
    Column("state", Text, nullable=False, server_default="waiting"),
    Column("problem", Text),
)

epoch = Table("epoch", workspace_metadata, Column("id", Uuid, primary_key=True))
"""One row; see runtime/known.py."""

role_member = Table(
    "role_member",
    workspace_metadata,
    Column("installation_id", Uuid, ForeignKey("installation.id", ondelete="CASCADE"), primary_key=True),
    Column("role", Text, primary_key=True),
    Column("member_id", Uuid, ForeignKey("member.id", ondelete="CASCADE"), primary_key=True, index=True),
)

slot = Table(
    "slot",
    workspace_metadata,
    Column("installation_id", Uuid, ForeignKey("installation.id", ondelete="CASCADE"), primary_key=True),
    Column("slot", Text, primary_key=True),
    Column("target_id", Uuid, nullable=False, comment="a member or a department"),
)

history = Table(
    "history",
    workspace_metadata,
    Column("id", Uuid, primary_key=True),
    Column("installation_id", Uuid, nullable=False),
    Column("table_id", Text, nullable=False),
    Column("record_id", Uuid, nullable=False),
    Column("version", Integer, nullable=False),
    Column("action", Text, nullable=False, comment="create, update, delete, restore"),
    Column("changes", JSONB, nullable=False, comment="field id -> [before, after]"),
    Column("actor_kind", Text, nullable=False),
    Column("actor_id", Uuid),
    Column("origin", Text, comment="what the actor acted through: a form, an import, a flow's task"),
    Column("key", Text, comment="idempotency key of the submission"),
    Column("revision", Integer, comment="of the app, under which it was written"),
    moment("at", nullable=False),
    Index("history_record", "record_id", "at"),
)

submission = Table(
    "submission",
    workspace_metadata,
    Column("key", Text, primary_key=True),
    Column("actor_id", Uuid),
    Column("record_id", Uuid, nullable=False),
    moment("at", nullable=False, server_default=func.now()),
)

serial_counter = Table(
    "serial_counter",
    workspace_metadata,
    Column("installation_id", Uuid, ForeignKey("installation.id", ondelete="CASCADE"), primary_key=True),
    Column("path", Text, primary_key=True),
    Column("period", Text, primary_key=True),
    Column("last", Integer, nullable=False),
)

file = Table(
    "file",
    workspace_metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("installation_id", Uuid),
    Column("table_id", Text),
    Column("record_id", Uuid, index=True),
    Column("field", Text),
    Column("uploaded_by", Uuid),
    Column("same_as", Uuid, index=True, comment="the file whose bytes it shares"),
    moment("uploaded_at", nullable=False, server_default=func.now()),
)

preference = Table(
    "preference",
    workspace_metadata,
    Column("member_id", Uuid, ForeignKey("member.id", ondelete="CASCADE"), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("value", JSONB, nullable=False),
)

recalculation = Table(
    "recalculation",
    workspace_metadata,
    Column("id", Uuid, primary_key=True),
    Column("installation_id", Uuid, ForeignKey("installation.id", ondelete="CASCADE"), nullable=False),
    Column("table_id", Text, nullable=False),
    Column("fields", ARRAY(Text), nullable=False),
    Column("record_ids", ARRAY(Uuid), comment="NULL for every record"),
    moment("asked_at", nullable=False, server_default=func.now()),
)

from runtime import models_accounts as models_accounts  # noqa: E402
from runtime import models_api as models_api  # noqa: E402
from runtime import models_audit as models_audit  # noqa: E402
from runtime import models_conversion as models_conversion  # noqa: E402
from runtime import models_drafts as models_drafts  # noqa: E402
from runtime import models_flow as models_flow  # noqa: E402  (its tables belong to the same metadata)
from runtime import models_forms as models_forms  # noqa: E402
from runtime import models_importing as models_importing  # noqa: E402
from runtime import models_people as models_people  # noqa: E402
from runtime import models_views as models_views  # noqa: E402
