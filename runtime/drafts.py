"""Keeps drafts: the package as it is being edited, every edit as a step that can be undone, also after a reload."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import delete, exists, func, insert, select, update

from runtime import definitions, models
from runtime.context import Context
from runtime.models_drafts import draft, draft_step
from schemas.errors import NotFound
from schemas.messages import Message

Parts = dict[str, Any]
MOST_STEPS = 500


@dataclass(frozen=True)
class Kept:
    """A draft: its parts, the revision it began from, and a counter raised by every edit."""

    installation: UUID
    base: int
    parts: Parts
    counter: int
    can_undo: bool
    can_redo: bool


def read(ctx: Context, installation: UUID) -> Kept:
    """Raises NotFound when there is none."""
    row = ctx.conn.execute(select(draft).where(draft.c.installation_id == installation)).one_or_none()
    if row is None:
        raise NotFound
    flags = set(
        ctx.conn.scalars(select(draft_step.c.undone).where(draft_step.c.installation_id == installation).distinct())
    )
    return Kept(installation, row.base, row.parts, row.counter, False in flags, True in flags)


def lock(ctx: Context, installation: UUID) -> None:
    ctx.conn.execute(select(draft.c.counter).where(draft.c.installation_id == installation).with_for_update())


def begin(ctx: Context, installation: UUID, base: int, parts: Parts) -> None:
    """A fresh draft; steps of an earlier one are forgotten."""
    discard(ctx, installation)
    ctx.conn.execute(
        insert(draft).values(
            installation_id=installation, base=base, parts=parts, saved_by=ctx.actor.id, saved_at=ctx.now
        )
    )


def discard(ctx: Context, installation: UUID) -> None:
    for table in (draft_step, draft):
        ctx.conn.execute(delete(table).where(table.c.installation_id == installation))


def save(ctx: Context, kept: Kept, parts: Parts, words: Message) -> None:
    """Keep an edit as a step. What was undone before it can no longer be redone."""
    touched = [k for k in {**kept.parts, **parts} if kept.parts.get(k) != parts.get(k)]
    if not touched:
        return
    s = draft_step
    ctx.conn.execute(delete(s).where(s.c.installation_id == kept.installation, s.c.undone))
    last = ctx.conn.scalar(select(func.max(s.c.number)).where(s.c.installation_id == kept.installation)) or 0
    ctx.conn.execute(
        insert(s).values(
            installation_id=kept.installation, number=last + 1, words=_told(words),
            before={k: kept.parts.get(k) for k in touched}, after={k: parts.get(k) for k in touched}, member_id=ctx.actor.id, at=ctx.now,
            counter=kept.counter + 1, touched_by=ctx.actor.id,
        )
    )  # fmt: skip
    ctx.conn.execute(delete(s).where(s.c.installation_id == kept.installation, s.c.number <= last + 1 - MOST_STEPS))
    _store(ctx, kept.installation, parts)


def _told(words: Message) -> dict[str, Any]:
    return {"text": words.text, "values": {k: str(v) for k, v in words.values.items()}}


def others_since(ctx: Context, kept: Kept, counter: int) -> bool:
    """Whether anybody else has made, undone or redone a step since a draft stood at this counter."""
    s = draft_step
    theirs = (
        s.c.installation_id == kept.installation,
        s.c.counter > counter,
        s.c.touched_by.is_distinct_from(ctx.actor.id),
    )
    return counter > kept.counter or bool(ctx.conn.scalar(select(exists().where(*theirs))))


def step(ctx: Context, kept: Kept, back: bool) -> Message | None:
    """Undo the last step, or redo the last undone one; gives what it was, None when there is none."""
    s = draft_step
    query = select(s).where(s.c.installation_id == kept.installation, s.c.undone.is_(not back))
    row = ctx.conn.execute(query.order_by(s.c.number.desc() if back else s.c.number).limit(1)).one_or_none()
    if row is None:
        return None
    parts = merged(kept.parts, row.before if back else row.after)
    ctx.conn.execute(
        update(s)
        .where(s.c.installation_id == kept.installation, s.c.number == row.number)
        .values(undone=back, counter=kept.counter + 1, touched_by=ctx.actor.id)
    )
    _store(ctx, kept.installation, parts)
    return Message(row.words["text"], row.words["values"])


def merged(parts: Mapping[str, Any], change: Mapping[str, Any]) -> Parts:
    """Parts with some replaced; None takes a part away."""
    return {k: v for k, v in {**parts, **change}.items() if v is not None}


def _store(ctx: Context, installation: UUID, parts: Parts) -> None:
    values = {"parts": parts, "counter": draft.c.counter + 1, "saved_by": ctx.actor.id, "saved_at": ctx.now}
    ctx.conn.execute(update(draft).where(draft.c.installation_id == installation).values(**values))


def rebase(ctx: Context, installation: UUID, base: int) -> None:
    """After publishing: the draft goes on from the new revision, its steps can still be undone.

    What was upgraded counts from now on as installed from the newer package.
    """
    here = draft.c.installation_id == installation
    parts = ctx.conn.scalar(select(draft.c.parts).where(here))
    upgraded = (parts or {}).get("upgrade")
    if parts and upgraded:
        definitions.set_base(ctx, installation, upgraded["base"])
        parts = {name: part for name, part in parts.items() if name != "upgrade"}
        ctx.conn.execute(update(draft).where(here).values(parts=parts))
    ctx.conn.execute(update(draft).where(here).values(base=base))


def installation_of(ctx: Context, slug: str) -> tuple[UUID, int]:
    """The id and published revision (0 before the first) of an app. Raises NotFound."""
    i = models.installation
    row = ctx.conn.execute(select(i.c.id, i.c.revision).where(i.c.slug == slug, i.c.removed_at.is_(None))).one_or_none()
    if row is None:
        raise NotFound
    return row.id, row.revision


def published(ctx: Context, installation: UUID, revision: int) -> dict[str, Any] | None:
    return definitions.package(ctx, installation, revision) if revision else None
