"""Robots of group chats, to which flows send messages."""

from sqlalchemy import Column, Table, Text, Uuid, func

from runtime.models import moment, workspace_metadata

robot = Table(
    "robot",
    workspace_metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False, unique=True, comment="by which flows name it"),
    Column("kind", Text, nullable=False, comment="wecom, dingtalk, feishu, slack"),
    Column("address", Text, nullable=False, comment="sealed: whoever knows it may write into the chat"),
    Column("signing", Text, nullable=False, server_default="", comment="sealed; empty where messages are not signed"),
    Column("made_by", Uuid),
    moment("made_at", nullable=False, server_default=func.now()),
    Column("problem", Text, nullable=False, server_default="", comment="why the last message did not arrive"),
)
