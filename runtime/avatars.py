"""The pictures of members: looked into as every picture, kept small, shown to those who may see the member."""

import io
from typing import IO
from uuid import UUID

from sqlalchemy import delete, insert, select, update

from runtime import models, pictures
from runtime.context import Context
from runtime.ids import new_id
from runtime.people import Directory
from runtime.storage import Storage, file_key
from schemas.errors import InvalidInput, NotFound
from schemas.messages import say

FORMATS = ("jpg", "jpeg", "png", "gif", "webp")
MOST = 10_000_000


def put(ctx: Context, storage: Storage, member: UUID, body: IO[bytes]) -> UUID:
    """Make this the member's picture. Raises InvalidInput for what is no picture."""
    content = body.read(MOST + 1)
    if not content or len(content) > MOST:
        raise InvalidInput({"avatar": [say("Choose a picture of at most {n} MB.", n=MOST // 1_000_000)]})
    try:
        found = pictures.examine(content, FORMATS)
    except pictures.BadPicture as err:
        raise InvalidInput({"avatar": [err.reason]}) from None
    remove(ctx, storage, member)
    id, m = new_id(), models.member
    stored = storage.put(file_key(ctx.workspace.id, id), io.BytesIO(found.thumbnail))
    ctx.conn.execute(
        insert(models.file).values(
            id=id, name="avatar.webp", size=stored.size, media_type="image/webp", digest=stored.digest, record_id=member,
            field="avatar", uploaded_by=ctx.actor.id, uploaded_at=ctx.now,
        )
    )  # fmt: skip
    ctx.conn.execute(update(m).where(m.c.id == member).values(avatar=id))
    Directory.of(ctx).forget()
    return id


def remove(ctx: Context, storage: Storage, member: UUID) -> None:
    """The member has no picture any more."""
    f, m = models.file, models.member
    gone = delete(f).where(f.c.record_id == member, f.c.field == "avatar", f.c.table_id.is_(None)).returning(f.c.id)
    for id in list(ctx.conn.scalars(gone)):
        storage.delete(file_key(ctx.workspace.id, id))
    ctx.conn.execute(update(m).where(m.c.id == member).values(avatar=None))
    Directory.of(ctx).forget()


def shown(ctx: Context, storage: Storage, member: UUID) -> tuple[IO[bytes], str]:
    """The picture and its digest, for one who may see the member. Raises NotFound."""
    f, m = models.file, models.member
    query = select(f.c.id, f.c.digest).join(m, m.c.avatar == f.c.id)
    row = ctx.conn.execute(query.where(m.c.id == member, Directory.of(ctx).seen())).one_or_none()
    if row is None:
        raise NotFound
    try:
        return storage.open(file_key(ctx.workspace.id, row.id)), row.digest
    except FileNotFoundError:
        raise NotFound from None
