"""Our tables for flows: runs, tasks, the log, who was told, and notices. Once in every workspace's schema."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from runtime.models import moment, workspace_metadata

flow_instance = Table(
    "flow_instance",
    workspace_metadata,
    Column("id", Uuid, primary_key=True),
    Column("installation_id", Uuid, nullable=False),
    Column("flow", Text, nullable=False),
    Column("revision", Integer, nullable=False, comment="of the app, for the whole run"),
    Column("table_id", Text, nullable=False, comment="empty where it is about no record"),
    Column("record_id", Uuid, index=True),
    Column("starter_id", Uuid),
    Column("state", Text, nullable=False),
    Column("body", JSONB, nullable=False, comment="schemas.engine.State"),
    moment("started_at", nullable=False),
    moment("ended_at"),
    Column("parent_id", Uuid, comment="the run whose subflow this is"),
    Column("parent_token", Integer),
    Column("parent_round", Integer),
    Column("parent_item", Integer),
    Column("waited_for", Boolean, nullable=False, server_default=text("false")),
    Index("flow_instance_starter", "starter_id", "started_at"),
    Index("flow_instance_parent", "parent_id", postgresql_where=text("parent_id IS NOT NULL")),
    Index(
        "flow_instance_open",
        "installation_id",
        "flow",
        "record_id",
        unique=True,
        postgresql_where=text("ended_at IS NULL"),
    ),
)

flow_task = Table(
    "flow_task",
    workspace_metadata,
    Column("id", Uuid, primary_key=True),
    Column("instance_id", Uuid, ForeignKey("flow_instance.id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("installation_id", Uuid, nullable=False),
    Column("flow", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("table_id", Text, nullable=False),
    Column("record_id", Uuid, nullable=False, index=True),
    Column("step", Text, nullable=False),
    Column("member_id", Uuid, comment="nobody, where somebody outside is asked"),
    Column("state", Text, nullable=False, comment="waiting (not yet their turn), live, paused, decided, closed"),
    Column("decision", Text),
    Column("automatic", Integer, nullable=False, server_default=text("0")),
    moment("asked_at", nullable=False),
    moment("decided_at"),
    moment("due_at"),
    Column(
        "kind", Text, nullable=False, server_default="ask", comment="ask, before, after, parallel, delegated, choose"
    ),
    Column("instead_of", Uuid, comment="the member who is away"),
    Column("address", Text, comment="e-mail of somebody outside, who answers by a link"),
    Column("secret", Text, comment="hash of that link"),
    UniqueConstraint("instance_id", "number"),
    Index("flow_task_secret", "secret", unique=True),
    Index("flow_task_live", "member_id", "asked_at", postgresql_where=text("state = 'live'")),
    Index("flow_task_decided", "member_id", "decided_at", postgresql_where=text("state = 'decided'")),
    Index(
        "flow_task_part", "member_id", "installation_id", "table_id", "flow", "step", "revision",
        postgresql_where=text("state IN ('live', 'paused', 'decided')"),
    ),
)  # fmt: skip

flow_log = Table(
    "flow_log",
    workspace_metadata,
    Column("instance_id", Uuid, ForeignKey("flow_instance.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("entry", JSONB, nullable=False),
)

flow_reader = Table(
    "flow_reader",
    workspace_metadata,
    Column("instance_id", Uuid, ForeignKey("flow_instance.id", ondelete="CASCADE"), primary_key=True),
    Column("step", Text, primary_key=True),
    Column("member_id", Uuid, primary_key=True),
    Column("installation_id", Uuid, nullable=False),
    Column("flow", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("table_id", Text, nullable=False),
    Column("record_id", Uuid, nullable=False),
    moment("told_at", nullable=False),
    moment("read_at"),
    Index("flow_reader_member", "member_id", "told_at"),
    Index("flow_reader_part", "member_id", "installation_id", "table_id", "flow", "step", "revision"),
)

notice = Table(
    "notice",
    workspace_metadata,
    Column("id", Uuid, primary_key=True),
    Column("member_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False, comment="task, told, outcome, failed"),
    Column("body", JSONB, nullable=False, comment="a message with values, or a text by language"),
    Column("installation_id", Uuid),
    Column("table_id", Text),
    Column("record_id", Uuid),
    Column("instance_id", Uuid),
    Column("task_id", Uuid),
    Column("path", Text, comment="of our page about anything else, such as a file that is ready"),
    moment("at", nullable=False),
    moment("read_at"),
    Index("notice_member", "member_id", "at"),
    Index("notice_unread", "member_id", postgresql_where=text("read_at IS NULL")),
)

flow_clock = Table(
    "flow_clock",
    workspace_metadata,
    Column("installation_id", Uuid, primary_key=True),
    Column("flow", Text, primary_key=True),
    Column("trigger", Integer, primary_key=True, comment="its number in the flow"),
    Column("mark", Text, nullable=False, comment="what the trigger says: another one begins anew"),
    moment("next_at", comment="when it is looked at again"),
    moment("since", nullable=False, comment="until when all that was due has been started"),
    moment("ran_at", comment="when it has started something last"),
    Index("flow_clock_next", "next_at"),
)

flow_address = Table(
    "flow_address",
    workspace_metadata,
    Column("installation_id", Uuid, primary_key=True),
    Column("flow", Text, primary_key=True),
    Column("digest", LargeBinary, nullable=False, unique=True, comment="SHA-256 of the secret in its address"),
    Column("sealed", Text, nullable=False, comment="that secret, to be shown again"),
    Column("signing", Text, nullable=False, comment="the secret of signatures, sealed"),
    Column("minute", Integer, nullable=False, server_default=text("0")),
    Column("used", Integer, nullable=False, server_default=text("0"), comment="how often in that minute"),
    moment("made_at", nullable=False),
)

flow_arrival = Table(
    "flow_arrival",
    workspace_metadata,
    Column("installation_id", Uuid, primary_key=True),
    Column("flow", Text, primary_key=True),
    Column(
        "key", Text, primary_key=True, comment="hash of what the sender, or the flow, says it is to happen once for"
    ),
    Column("run_id", Uuid, nullable=False),
    moment("at", nullable=False, index=True),
)

digest_line = Table(
    "digest_line",
    workspace_metadata,
    Column("id", Uuid, primary_key=True),
    Column("member_id", Uuid, nullable=False),
    Column("often", Text, nullable=False, comment="daily or weekly"),
    Column("body", JSONB, nullable=False, comment="as in notice"),
    Column("address", Text, nullable=False, comment="of the page, from the workspace's root"),
    moment("at", nullable=False),
    Index("digest_line_member", "member_id", "at"),
)

flow_turn = Table(
    "flow_turn",
    workspace_metadata,
    Column("installation_id", Uuid, primary_key=True),
    Column("flow", Text, primary_key=True),
    Column("step", Text, primary_key=True),
    Column("member_id", Uuid, primary_key=True),
    Column("turn", BigInteger, nullable=False, comment="the larger, the later they were chosen last"),
    Column("spent", Float, nullable=False, server_default=text("0"), comment="the sum of 1 / weight over the times they were chosen"),
)

absence = Table(
    "absence",
    workspace_metadata,
    Column("id", Uuid, primary_key=True),
    Column("member_id", Uuid, nullable=False, index=True),
    Column("stand_in_id", Uuid, nullable=False),
    Column("flow", Text, comment="slug.flow; all flows when empty"),
    moment("from_at", nullable=False),
    moment("until_at", nullable=False),
    Column("made_by", Uuid),
    moment("made_at", nullable=False),
)
