"""Messages to members inside Mortise: made in the writer's transaction, read in the browser."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

from babel.support import NullTranslations, Translations
from sqlalchemy import bindparam, func, insert, select, update

from runtime import mail, ways
from runtime.context import Context
from runtime.ids import new_id
from runtime.models_flow import digest_line, notice
from runtime.people import Directory
from runtime.settings import Settings
from runtime.signals import touched
from schemas.messages import Message, fill
from schemas.text import Sentence, Text

MOST_SHOWN = 100


@dataclass(frozen=True)
class Notice:
    """A message as its reader finds it. `sentence` is ours or the definition's own words."""

    id: UUID
    kind: str
    sentence: Sentence
    instance: UUID | None
    task: UUID | None
    record: UUID | None
    at: datetime
    read_at: datetime | None
    place: tuple[UUID, str, UUID] | None = None
    """The record: its installation, table and id."""
    path: str = ""

    @property
    def url(self) -> str:
        """Where it leads; empty when there is nothing to look at."""
        return address({"task_id": self.task, "instance_id": self.instance, "path": self.path})


def tell(ctx: Context, members: Iterable[UUID], kind: str, sentence: Sentence, about: Mapping[str, Any]) -> None:
    """A notice for each member who wants such. `about` names columns of the notice: installation, table, record, run, task."""
    body, wanted = dump(sentence), ways.of_members(ctx, members)
    lines = [
        {"id": new_id(), "member_id": member, "kind": kind, "body": body, "at": ctx.now, **about}
        for member, chosen in wanted.items()
        if chosen.inbox.get(kind, True)
    ]
    if lines:
        ctx.conn.execute(insert(notice), lines)
        touched(ctx, [line["member_id"] for line in lines])


def send_mail(
    ctx: Context, members: Iterable[UUID], kind: str, sentence: Sentence, about: Mapping[str, Any],
    links: Iterable[tuple[Sentence, str]] = (),
) -> None:  # fmt: skip
    """The same as a mail with the address of the page, at once or with the next digest, to those who want it and have one.

    `links` are more addresses, each with what it is for. Sent by a job after the commit.
    """
    chosen = ways.of_members(ctx, members)
    for person in Directory.of(ctx).persons(chosen).values():
        often = chosen[person.id].mail.get(kind, "at_once")
        if not person.email or often == "never":
            continue
        if often in ways.DIGESTS:
            line = {"id": new_id(), "member_id": person.id, "often": often, "body": dump(sentence)}
            ctx.conn.execute(insert(digest_line).values(**line, address=address(about) or "/notices/", at=ctx.now))
            continue
        text = spoken(sentence, ctx.workspace.language)
        more = [f"{spoken(words, ctx.workspace.language)}\n{url}" for words, url in links if chosen[person.id].links]
        mail.post(ctx, person.email, text, "\n\n".join([text, page_address(ctx, address(about) or "/notices/"), *more]))


def page_address(ctx: Context, path: str) -> str:
    """The whole address of a page of this workspace."""
    return f"{Settings.read().public_url}{path}?w={ctx.workspace.slug}"


def spoken(sentence: Sentence, language: str) -> str:
    """A sentence in a language, outside of any request."""
    if isinstance(sentence, Text):
        return sentence.in_language(language)
    values = {n: spoken(v, language) if isinstance(v, Message | Text) else v for n, v in sentence.values.items()}
    return fill(_catalogue(language).gettext(sentence.text), values)


@cache
def _catalogue(language: str) -> NullTranslations:
    return Translations.load(Path(__file__).parent / "translations", [language])


def address(about: Mapping[str, Any]) -> str:
    """The page of a task, of a run, or the one that is named."""
    task, run = about.get("task_id"), about.get("instance_id")
    return f"/tasks/{task}" if task else f"/tasks/run/{run}" if run else about.get("path") or ""


def dump(sentence: Sentence) -> dict[str, Any]:
    """A sentence as JSON; `read` is the way back."""
    if isinstance(sentence, Text):
        return {"text": sentence.dump()}
    values = {name: dump(v) if isinstance(v, Message | Text) else str(v) for name, v in sentence.values.items()}
    return {"message": sentence.text, "values": values}


def read(body: Mapping[str, Any]) -> Sentence:
    if "text" in body:
        return Text.of(body["text"])
    return Message(body["message"], {n: read(v) if isinstance(v, dict) else v for n, v in body["values"].items()})


def listed(ctx: Context, limit: int = MOST_SHOWN) -> list[Notice]:
    """The actor's latest notices, newest first."""
    n = notice
    columns = (
        n.c.id,
        n.c.kind,
        n.c.body,
        n.c.instance_id,
        n.c.task_id,
        n.c.record_id,
        n.c.at,
        n.c.read_at,
        n.c.installation_id,
        n.c.table_id,
        n.c.path,
    )
    query = select(*columns).where(n.c.member_id == ctx.actor.id).order_by(n.c.at.desc(), n.c.id.desc()).limit(limit)
    return [_notice(row) for row in ctx.conn.execute(query)]


def _notice(row: Any) -> Notice:
    place = (row.installation_id, row.table_id, row.record_id) if row.record_id else None
    return Notice(
        row.id, row.kind, read(row.body), row.instance_id, row.task_id, row.record_id, row.at, row.read_at, place,
        row.path or "",
    )


UNREAD = select(func.count()).where(notice.c.member_id == bindparam("me"), notice.c.read_at.is_(None))


def unread(ctx: Context) -> int:
    return ctx.conn.scalar(UNREAD, {"me": ctx.actor.id}) or 0


def mark_read(ctx: Context, ids: Iterable[UUID] | None = None) -> None:
    """The actor has seen these notices, or all of them."""
    n = notice
    own = update(n).where(n.c.member_id == ctx.actor.id, n.c.read_at.is_(None))
    done = ctx.conn.execute((own if ids is None else own.where(n.c.id.in_(list(ids)))).values(read_at=ctx.now))
    if done.rowcount and ctx.actor.id:
        touched(ctx, [ctx.actor.id])


def mark_read_about(ctx: Context, instance: UUID) -> None:
    """Whoever looks at a run has seen what was said of it."""
    n = notice
    own = (n.c.member_id == ctx.actor.id, n.c.instance_id == instance, n.c.read_at.is_(None))
    done = ctx.conn.execute(update(n).where(*own).values(read_at=ctx.now))
    if done.rowcount and ctx.actor.id:
        touched(ctx, [ctx.actor.id])
