"""Answers that visitors give by a public link: one each where the link says so, counted, and changed by a private address."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from runtime import filling, public_links, sealing
from runtime.context import Context
from runtime.filling import Filling
from runtime.ids import new_id
from runtime.models_links import public_answer as a
from runtime.public_links import Closed, at_answer, of
from runtime.submit import Sent, submit
from runtime.tables import LiveTable
from schemas.errors import BadValue, InvalidInput, NotFound
from schemas.form import Form
from schemas.messages import say
from schemas.public_link import ASKED, DEVICE

ALREADY = say("An answer has been given from this browser already.")
SAME = say("An answer with this value has been given already.")
WITHOUT_MARK = say(
    "Your browser keeps no cookies, so this cannot be sent. Allow cookies for this page and load it again."
)


@dataclass(frozen=True)
class Visit:
    """What a visitor's request brings besides the answers: the page's ticket, and the mark of their browser."""

    ticket: str
    device: str = ""


def blank(ctx: Context, live: LiveTable, form: Form, given: Mapping[str, str]) -> Filling:
    """The form as a visitor finds it: with the link's own answers, and what the address gives for fields that allow it."""
    settings = of(ctx).settings
    allowed = {id: given[id] for id in settings.with_use("prefill") if id in given}
    begun = filling.blank(ctx, live, form, {**settings.own, **allowed})
    return _as_link_says(ctx, begun)


def _as_link_says(ctx: Context, begun: Filling) -> Filling:
    """What the link fixes can be read at most, what it sets unseen is out of sight."""
    settings = of(ctx).settings
    fixed = dict.fromkeys(settings.with_use("locked"), "read") | dict.fromkeys(settings.with_use("set"), "hidden")
    known = {id: right for id, right in fixed.items() if begun.rights.get(id) != "hidden"}
    return Filling(**{**vars(begun), "rights": {**begun.rights, **known}})


def send(
    ctx: Context, live: LiveTable, form: Form, answers: Mapping[str, Any], visit: Visit,
    brought: Mapping[str, Any] | None = None,
) -> UUID:  # fmt: skip
    """A new answer, with what the form's events have `brought`; gives its id. The same page sent twice is one answer.

    Raises InvalidInput with every problem, Closed when no place is left.
    """
    kept = of(ctx)
    if kept.full:
        raise Closed(public_links.FULL)
    once = kept.settings.once
    if once == DEVICE and not visit.device:
        raise InvalidInput({"": [WITHOUT_MARK]})
    id, record = new_id(), new_id()
    person = _person(live, once, answers)
    row = {
        "id": id, "link_id": kept.id, "record_id": record, "ticket": _hash(visit.ticket), "at": ctx.now, "person": person,
        "device": _hash(visit.device) if once == DEVICE else None,
    }  # fmt: skip
    made = insert(a).values(row).on_conflict_do_nothing().returning(a.c.id)
    if ctx.conn.scalar(made) is None:
        return _before(ctx, kept.id, visit, once)
    submit(ctx, live, Sent(form, _open(ctx, answers), fixed=_fixed(ctx), id=record, filled=_open(ctx, brought or {})))
    public_links.take_place(ctx)
    return id


def _before(ctx: Context, link: UUID, visit: Visit, once: str) -> UUID:
    """The answer that this very page has given before. Raises InvalidInput where it is somebody's second one."""
    same = select(a.c.id).where(a.c.link_id == link, a.c.ticket == _hash(visit.ticket))
    found: UUID | None = ctx.conn.scalar(same)
    if found is None:
        raise InvalidInput({"": [ALREADY]} if once == DEVICE else {once: [SAME]})
    return found


def _person(live: LiveTable, once: str, answers: Mapping[str, Any]) -> bytes | None:
    """Who answers, by the field that tells them apart: capitals and spaces make nobody else."""
    found = live.table.by_id.get(once)
    if found is None:
        return None
    try:
        said = found.dump(found.parse(answers.get(once)))
    except BadValue:
        return None
    return _hash("".join(str(said).split()).casefold()) if said not in (None, "", []) else None


def _hash(text: str) -> bytes:
    """Of what little there may be to choose from, so with the installation's secret."""
    return hmac.new(sealing.secret().encode(), text.encode("utf-8", "replace"), hashlib.sha256).digest()


def _open(ctx: Context, answers: Mapping[str, Any]) -> dict[str, Any]:
    """The answers without those to fields that the link fixes: there the link's own count."""
    fixed = of(ctx).settings.own
    asked = set(of(ctx).settings.with_use(*ASKED))
    return {id: value for id, value in answers.items() if id in asked or id not in fixed}


def _fixed(ctx: Context) -> dict[str, Any]:
    settings = of(ctx).settings
    return {id: value for id, value in settings.own.items() if settings.use(id) not in ASKED}


# -- changing ----------------------------------------------------------------------------------------


def of_key(ctx: Context, answer: UUID | None) -> Context:
    """The link at the answer that may be changed. Raises NotFound for none, and where answers stay as they are."""
    kept = of(ctx)
    if answer is None or not kept.settings.edit:
        raise NotFound
    record = ctx.conn.scalar(select(a.c.record_id).where(a.c.id == answer, a.c.link_id == kept.id))
    if record is None:
        raise NotFound
    return at_answer(ctx, record)


def begun(ctx: Context, live: LiveTable, form: Form) -> Filling:
    """The form with the answer in it. Raises NotFound when it is not there any more."""
    return filling.of_record(ctx, live, form, ctx.actor.record)  # type: ignore[attr-defined]


def change(ctx: Context, live: LiveTable, form: Form, answers: Mapping[str, Any], seen: int | None, key: str) -> None:
    """Raises InvalidInput, Conflict, NotFound."""
    submit(ctx, live, Sent(form, _open(ctx, answers), ctx.actor.record, seen, key))  # type: ignore[attr-defined]
