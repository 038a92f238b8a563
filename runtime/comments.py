"""Comments on records: threads with mentions and files, for those who may see the record and comment on it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO, Any
from uuid import UUID

from sqlalchemy import func, insert, select, update

from runtime import files, notices, people, query
from runtime.access import door
from runtime.actors import Member
from runtime.context import Context
from runtime.files import Kept
from runtime.ids import new_id
from runtime.models_comments import comment
from runtime.people import Directory
from runtime.storage import Storage
from runtime.tables import LiveTable
from schemas.errors import Denied, InvalidInput, NotFound
from schemas.messages import say
from schemas.text import Sentence

LONGEST = 5_000
MOST_FILES = 10
MOST_SHOWN = 500
PLACE = "comment:"
"""Of which a comment's files say that they are: no field can have such an id."""


@dataclass(frozen=True)
class Comment:
    """A comment as its reader sees it; of a deleted one only that it was there, while there are answers to it."""

    id: UUID
    author: str
    body: str
    at: datetime
    edited: bool
    own: bool
    gone: bool
    mentions: Sequence[str] = ()
    files: Sequence[Kept] = ()
    answers: list["Comment"] = field(default_factory=list)


@dataclass(frozen=True)
class Said:
    """What somebody says about a record: words, whom they mention, files (name and bytes), what they answer."""

    body: str
    parent: UUID | None = None
    mentions: Sequence[UUID] = ()
    uploads: Sequence[tuple[str, IO[bytes]]] = ()


def may(ctx: Context, live: LiveTable, record: UUID) -> bool:
    """Whether the actor may read and write comments on a record, which they then may see too."""
    gate = door(ctx, live)
    return query.allowed(gate, record, "read") and query.allowed(gate, record, "comment")


def _require(ctx: Context, live: LiveTable, record: UUID) -> None:
    """Raises NotFound for one who may not see the record, Denied for one who may not comment on it."""
    gate = door(ctx, live)
    if not gate.may("read") or not query.allowed(gate, record, "read"):
        raise NotFound
    gate.require("comment")
    if not query.allowed(gate, record, "comment"):
        raise Denied(say("You may not comment on this record."))


# -- reading ---------------------------------------------------------------------------------------


def count(ctx: Context, live: LiveTable, record: UUID) -> int:
    """How many comments a record has; whether they may be seen is the caller's to ask."""
    c = comment.c
    asked = select(func.count()).where(c.record_id == record, c.table_id == live.id, c.deleted_at.is_(None))
    return ctx.conn.scalar(asked) or 0


def listed(ctx: Context, live: LiveTable, record: UUID) -> list[Comment]:
    """The threads of a record, the oldest first. Raises NotFound, Denied."""
    _require(ctx, live, record)
    c = comment.c
    asked = select(comment).where(c.record_id == record, c.table_id == live.id).order_by(c.at, c.id).limit(MOST_SHOWN)
    rows = ctx.conn.execute(asked).all()
    names = Directory.of(ctx).names({r.author_id for r in rows if r.author_id} | {m for r in rows for m in r.mentions})
    kept = files.listed(ctx, [id for row in rows for id in row.files])
    made = {row.id: _comment(ctx, row, names, kept) for row in rows}
    threads = []
    for row in rows:
        if row.parent_id in made:
            made[row.parent_id].answers.append(made[row.id])
        else:
            threads.append(made[row.id])
    for one in made.values():
        one.answers[:] = [answer for answer in one.answers if not answer.gone]
    return [one for one in threads if not one.gone or one.answers]


def _comment(ctx: Context, r: Any, names: dict[UUID, str], kept: dict[UUID, Kept]) -> Comment:
    gone = r.deleted_at is not None
    own = r.author_id is not None and r.author_id == ctx.actor.id
    return Comment(
        r.id, names.get(r.author_id, ""), "" if gone else r.body, r.at, r.edited_at is not None, own, gone,
        () if gone else [names[m] for m in r.mentions if m in names],
        () if gone else [kept[f] for f in r.files if f in kept],
    )  # fmt: skip


# -- writing ---------------------------------------------------------------------------------------


def add(ctx: Context, storage: Storage, live: LiveTable, record: UUID, said: Said) -> list[str]:
    """Keep a comment and tell those it is for; gives the names of those mentioned who may not see it.

    Raises NotFound, Denied, InvalidInput.
    """
    _require(ctx, live, record)
    body = _body(said.body, bool(said.uploads))
    parent = _thread(ctx, live, record, said.parent)
    id = new_id()
    kept = [_keep(ctx, storage, live, record, id, name, stream) for name, stream in said.uploads[:MOST_FILES]]
    hear, deaf = _hearing(ctx, live, record, said.mentions)
    row = {
        "id": id, "installation_id": live.inst.id, "table_id": live.id, "record_id": record, "parent_id": parent,
        "author_id": ctx.actor.id, "body": body, "mentions": hear, "files": kept, "at": ctx.now,
    }  # fmt: skip
    ctx.conn.execute(insert(comment).values(row))
    _tell(ctx, live, record, hear, say("{name} mentioned you in a comment", name=ctx.actor.name))
    if parent is not None:
        answered = [m for m in _authors(ctx, parent) if m not in hear]
        _tell(
            ctx,
            live,
            record,
            _hearing(ctx, live, record, answered)[0],
            say("{name} answered your comment", name=ctx.actor.name),
        )
    return [Directory.of(ctx).names([m]).get(m, "") for m in deaf]


def _body(text: str, with_files: bool = False) -> str:
    body = text.replace("\x00", "").strip()
    if not body and not with_files:
        raise InvalidInput({"body": [say("Write something.")]})
    if len(body) > LONGEST:
        raise InvalidInput({"body": [say("Keep it to {n} characters.", n=LONGEST)]})
    return body


def _thread(ctx: Context, live: LiveTable, record: UUID, parent: UUID | None) -> UUID | None:
    """The comment at the head of a thread: answers to answers stand below the same one. Raises NotFound."""
    if parent is None:
        return None
    c = comment.c
    asked = select(c.id, c.parent_id).where(c.id == parent, c.record_id == record, c.table_id == live.id)
    row = ctx.conn.execute(asked).one_or_none()
    if row is None:
        raise NotFound
    return row.parent_id or row.id  # type: ignore[no-any-return]


def _keep(ctx: Context, storage: Storage, live: LiveTable, record: UUID, id: UUID, name: str, body: IO[bytes]) -> UUID:
    return files.keep(ctx, storage, live, record, f"{PLACE}{id}", name, body)


def _hearing(ctx: Context, live: LiveTable, record: UUID, members: Iterable[UUID]) -> tuple[list[UUID], list[UUID]]:
    """Of these members those who may see the record and its comments, and those who may not; not the actor."""
    hear: list[UUID] = []
    deaf: list[UUID] = []
    for id in dict.fromkeys(members):
        try:
            person = people.member_by_id(ctx, id)
        except NotFound:
            continue
        if id != ctx.actor.id:
            (hear if may(ctx.acting_as(person), live, record) else deaf).append(id)
    return hear, deaf


def _authors(ctx: Context, thread: UUID) -> list[UUID]:
    """Who has spoken in a thread, apart from the actor."""
    c = comment.c
    asked = select(c.author_id).where((c.id == thread) | (c.parent_id == thread), c.deleted_at.is_(None)).distinct()
    return [id for id in ctx.conn.scalars(asked) if id is not None and id != ctx.actor.id]


def _tell(ctx: Context, live: LiveTable, record: UUID, members: Sequence[UUID], sentence: Sentence) -> None:
    """A notice says who spoke and about which record, never what: that is read where it stands, by today's rights."""
    about = {"installation_id": live.inst.id, "table_id": live.id, "record_id": record}
    notices.tell(ctx, members, "comment", sentence, about)
    notices.send_mail(ctx, members, "comment", sentence, about)


def change(ctx: Context, live: LiveTable, record: UUID, id: UUID, text: str) -> None:
    """Write one's own comment anew. Raises NotFound, Denied, InvalidInput."""
    _require(ctx, live, record)
    body = _body(text)
    own = _own(ctx, live, record, id)
    if not ctx.conn.execute(
        update(comment).where(*own, comment.c.author_id == ctx.actor.id).values(body=body, edited_at=ctx.now)
    ).rowcount:
        raise NotFound


def remove(ctx: Context, live: LiveTable, record: UUID, id: UUID) -> None:
    """Take away one's own comment; an administrator may take away anybody's. Raises NotFound, Denied."""
    _require(ctx, live, record)
    own = _own(ctx, live, record, id)
    if not (isinstance(ctx.actor, Member) and ctx.actor.admin):
        own = [*own, comment.c.author_id == ctx.actor.id]
    if not ctx.conn.execute(
        update(comment).where(*own).values(deleted_at=ctx.now, body="", mentions=[], files=[])
    ).rowcount:
        raise NotFound
    files.let_go(ctx, f"{PLACE}{id}")


def _own(ctx: Context, live: LiveTable, record: UUID, id: UUID) -> list[Any]:
    c = comment.c
    return [c.id == id, c.record_id == record, c.table_id == live.id, c.deleted_at.is_(None)]


def open_file(ctx: Context, live: LiveTable, record: UUID, id: UUID) -> Kept:
    """A file of one of a record's comments. Raises NotFound, Denied."""
    _require(ctx, live, record)
    c = comment.c
    asked = select(c.id).where(
        c.record_id == record, c.table_id == live.id, c.deleted_at.is_(None), c.files.contains([id])
    )
    found = files.listed(ctx, [id]).get(id)
    if found is None or ctx.conn.scalar(asked) is None:
        raise NotFound
    return found
