"""Answers that were given before: the same request sent twice with one key is done once and answered alike."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from runtime import workspaces
from runtime.context import Context
from runtime.jobs import periodic
from runtime.models_api import api_answer as a
from schemas.errors import InvalidInput
from schemas.messages import say

KEPT = timedelta(hours=48)
LONGEST_KEY = 200


class OtherRequest(Exception):
    """The key was used for another request."""


@dataclass(frozen=True)
class Given:
    """What was answered."""

    status: int
    body: Any


def recall(ctx: Context, token: UUID, key: str, request: bytes) -> Given | None:
    """What this key was answered before. Otherwise it is taken now, and `keep` must follow in the same transaction.

    A copy that runs at the same moment waits here until the first has ended. Raises OtherRequest, InvalidInput.
    """
    if not key.isprintable() or len(key) > LONGEST_KEY:
        raise InvalidInput({"Idempotency-Key": [say("at most {n} characters", n=LONGEST_KEY)]})
    digest = hashlib.sha256(request).digest()
    taken = insert(a).values(token_id=token, key=key, digest=digest, at=ctx.now).on_conflict_do_nothing()
    if ctx.conn.scalar(taken.returning(a.c.key)) is not None:
        return None
    row = ctx.conn.execute(select(a).where(a.c.token_id == token, a.c.key == key)).one()
    if bytes(row.digest) != digest:
        raise OtherRequest
    return Given(row.status, row.body)


def keep(ctx: Context, token: UUID, key: str, given: Given) -> None:
    values = {"status": given.status, "body": given.body}
    ctx.conn.execute(update(a).where(a.c.token_id == token, a.c.key == key).values(values))


@periodic("api.forget_answers", "17 * * * *")
def forget_answers(engine: Engine, moment: datetime) -> None:
    """Keys are free again after two days."""
    with engine.connect() as conn:
        everywhere = workspaces.all_workspaces(conn)
    for workspace in everywhere:
        with workspaces.opened(engine, workspace) as ctx:
            ctx.conn.execute(delete(a).where(a.c.at < moment - KEPT))
