"""Our tables for people beside members and departments: what gives roles, sub-administrators, hand-overs."""

from sqlalchemy import ARRAY, Boolean, Column, ForeignKey, Index, Integer, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from runtime.models import moment, workspace_metadata

workspace_role = Table(
    "workspace_role",
    workspace_metadata,
    Column("id", Uuid, primary_key=True),
    Column("title", Text, nullable=False),
    Column("section", Text, nullable=False, server_default="", comment="the group it is listed under"),
    Column("position", Integer, nullable=False, server_default=text("0")),
)

role_part = Table(
    "role_part",
    workspace_metadata,
    Column("id", Uuid, primary_key=True),
    Column("installation_id", Uuid, comment="the app whose role it is; NULL for a role of the workspace"),
    Column("role", Text, nullable=False, comment="the id of the role"),
    Column("kind", Text, nullable=False, comment="member, department, role (of the workspace), formula"),
    Column("target_id", Uuid, comment="the member, department or role"),
    Column("below", Boolean, nullable=False, server_default=text("false"), comment="with the departments below"),
    Column("formula", Text),
    Index("role_part_role", "installation_id", "role"),
    Index("role_part_target", "target_id"),
)

duty = Table(
    "duty",
    workspace_metadata,
    Column("id", Uuid, primary_key=True),
    Column("member_id", Uuid, ForeignKey("member.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("kind", Text, nullable=False, comment="app or department"),
    Column("target_id", Uuid, nullable=False, comment="the installation or the department"),
    Column("powers", ARRAY(Text), nullable=False),
    Column("gives", ARRAY(Text), nullable=False, server_default="{}", comment="the roles that may be given"),
    Column("granted_by", Uuid),
    moment("granted_at", nullable=False),
    Index("duty_once", "member_id", "kind", "target_id", unique=True),
)

hand_over = Table(
    "hand_over",
    workspace_metadata,
    Column("id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False, comment="member (who leaves) or department (that is merged)"),
    Column("subject_id", Uuid, nullable=False, index=True),
    Column("by_id", Uuid, comment="who had it done"),
    Column("plan", JSONB, nullable=False, comment="what goes to whom: line -> id"),
    Column("state", Text, nullable=False, comment="waiting, running, done, failed"),
    Column("total", Integer, nullable=False),
    Column("done", Integer, nullable=False, server_default=text("0")),
    Column("told", JSONB, comment="line -> how many went; `kept` the records that had to stay"),
    Column("problem", Text),
    moment("begun_at", nullable=False),
    moment("ended_at"),
)
