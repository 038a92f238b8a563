"""What a person has begun to fill in and not sent yet, kept on the server; and what they sent last by each form."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, select, text
from sqlalchemy.dialects.postgresql import insert

from runtime.context import Context
from runtime.definitions import Installed, lock_shared
from runtime.models_forms import form_draft, form_sent
from schemas.errors import BadValue, InvalidInput
from schemas.messages import say
from schemas.source import read_json

LARGEST = 1_000_000
UNREADABLE = say("This draft cannot be kept.")


@dataclass(frozen=True)
class Draft:
    """Answers as the browser would send them, and when they were kept."""

    answers: list[list[str]]
    at: datetime


def _key(ctx: Context, inst: Installed, form: str, record: UUID | None) -> dict[str, Any]:
    return {"member_id": ctx.actor.id, "installation_id": inst.id, "form": form, "about": str(record or "new")}


def _same(ctx: Context, inst: Installed, form: str, record: UUID | None) -> ColumnElement[bool]:
    return and_(*(form_draft.c[name] == value for name, value in _key(ctx, inst, form, record).items()))


def keep(ctx: Context, inst: Installed, form: str, record: UUID | None, text: str) -> None:
    """Keep a draft, in place of an earlier one. Raises InvalidInput for what is no list of names and texts."""
    answers = _read(text)
    row = {**_key(ctx, inst, form, record), "answers": answers, "at": ctx.now}
    kept = insert(form_draft).values(row)
    again = {"answers": kept.excluded.answers, "at": kept.excluded.at}
    ctx.conn.execute(kept.on_conflict_do_update(index_elements=form_draft.primary_key.columns, set_=again))


def _read(text: str) -> list[list[str]]:
    if len(text) > LARGEST or "\\u0000" in text:
        raise InvalidInput({"": [UNREADABLE]})
    try:
        answers = read_json(text, UNREADABLE)
    except BadValue as err:
        raise InvalidInput({"": [err.message]}) from None
    pairs = isinstance(answers, list) and all(isinstance(pair, list) and len(pair) == 2 for pair in answers)
    if not pairs or not all(isinstance(part, str) and "\x00" not in part for pair in answers for part in pair):
        raise InvalidInput({"": [UNREADABLE]})
    return list(answers)


def read(ctx: Context, inst: Installed, form: str, record: UUID | None) -> Draft | None:
    query = select(form_draft.c.answers, form_draft.c.at).where(_same(ctx, inst, form, record))
    row = ctx.conn.execute(query).one_or_none()
    return Draft(row.answers, row.at) if row else None


def drop(ctx: Context, inst: Installed, form: str, record: UUID | None) -> None:
    ctx.conn.execute(delete(form_draft).where(_same(ctx, inst, form, record)))


HELD_WITHOUT = text("""
    WITH dropped AS (
        DELETE FROM form_draft WHERE member_id = :member_id AND installation_id = :installation_id AND form = :form AND about = :about
    )
    SELECT revision, webhooks FROM control.hold(:app)
""")


def become(ctx: Context, inst: Installed, form: str, record: UUID | None) -> None:
    """The draft is about to become a record: drop it on the way of holding the app. Raises Overtaken."""
    lock_shared(ctx, inst, HELD_WITHOUT, **_key(ctx, inst, form, record))


# -- what was sent last ----------------------------------------------------------------------------


def sent(ctx: Context, inst: Installed, form: str, record: UUID) -> None:
    """Remember the record that this person has just made by this form."""
    row = {"member_id": ctx.actor.id, "installation_id": inst.id, "form": form, "record_id": record, "at": ctx.now}
    made = insert(form_sent).values(row)
    again = {"record_id": made.excluded.record_id, "at": made.excluded.at}
    ctx.conn.execute(made.on_conflict_do_update(index_elements=form_sent.primary_key.columns, set_=again))


def last(ctx: Context, inst: Installed, form: str) -> UUID | None:
    """The record that this person made last by this form."""
    s = form_sent
    mine = (s.c.member_id == ctx.actor.id, s.c.installation_id == inst.id, s.c.form == form)
    return ctx.conn.scalar(select(s.c.record_id).where(*mine))
