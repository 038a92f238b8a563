"""Signals to every process that shows people their counts: sent with the transaction, heard by `runtime.live`."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import text

from runtime.context import Context

CHANNEL = "mortise_live"
MOST_IN_ONE = 200
NOTIFY = text("SELECT pg_notify(:channel, :said)")


def touched(ctx: Context, members: Iterable[UUID]) -> None:
    """What waits for these members, or is new to them, has changed: told when the transaction commits."""
    named = sorted({member.hex for member in members})
    for start in range(0, len(named), MOST_IN_ONE):
        said = " ".join((ctx.workspace.schema, *named[start : start + MOST_IN_ONE]))
        ctx.conn.execute(NOTIFY, {"channel": CHANNEL, "said": said})
