"""Public links as those who share see them: made, listed, changed, switched off, removed."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, insert, select, true, update

from runtime import audit, passwords, powers, sealing
from runtime.access import door, granted_to, may_share
from runtime.actors import administers, unlimited
from runtime.context import Context
from runtime.definitions import Installed
from runtime.ids import new_id
from runtime.models_links import public_link as p
from runtime.public_links import COLUMNS, Kept, digest, kept_of, table_of
from runtime.tables import live
from schemas import public_link
from schemas.access import WRITES
from schemas.errors import DefinitionError, InvalidInput, NotFound
from schemas.messages import Message, say
from schemas.parsers import ID
from schemas.public_link import ASKED, FIXED, Settings

LONGEST_NAME = 80
SHORTEST_PASSWORD = 4
MOST_ANSWERS = 1_000_000
PURPOSE = "public link"


@dataclass(frozen=True)
class About:
    """What a link is made for: a form, a view, a dashboard, or a record of a table."""

    kind: str
    target: str
    record: UUID | None = None


@dataclass(frozen=True)
class Wish:
    """What somebody wants of a link. `password` is None to leave it as it is, empty for none."""

    name: str
    settings: Mapping[str, Any]
    password: str | None = None
    opens_at: datetime | None = None
    ends_at: datetime | None = None
    most: int | None = None


def require(ctx: Context, inst: Installed, about: About) -> None:
    """Raises NotFound for what is not there, or not the actor's to share."""
    if about.kind not in public_link.KINDS:
        raise NotFound
    table_of(inst, about.kind, about.target)
    if not may_share(ctx, inst, about.kind, about.target, about.record):
        raise NotFound


def make(ctx: Context, inst: Installed, about: About, wish: Wish) -> UUID:
    """A new link. Raises NotFound without the right to share, InvalidInput with every problem."""
    require(ctx, inst, about)
    settings = _checked(ctx, inst, about, wish)
    id, secret = new_id(), secrets.token_urlsafe(24)
    ctx.conn.execute(
        insert(p).values(
            id=id, installation_id=inst.id, digest=digest(secret), sealed=sealing.seal(secret, PURPOSE), kind=about.kind,
            target=about.target, record_id=about.record, made_by=ctx.actor.id, made_at=ctx.now,
            password=passwords.hashed(wish.password) if wish.password else None, **_plain(wish, settings),
        )
    )  # fmt: skip
    audit.note(ctx, "link.made", wish.name.strip(), id, opens=about.kind, target=about.target)
    return id


def change(ctx: Context, inst: Installed, id: UUID, wish: Wish) -> None:
    """Raises NotFound for a link that is not the actor's to change, InvalidInput with every problem."""
    kept = one(ctx, inst, id)
    about = About(kept.kind, kept.target, kept.record)
    require(ctx, inst, about)
    settings = _checked(ctx, inst, about, wish, kept)
    word = {} if wish.password is None else {"password": passwords.hashed(wish.password) if wish.password else None}
    ctx.conn.execute(update(p).where(p.c.id == id).values(**_plain(wish, settings), **word))
    audit.note(ctx, "link.changed", wish.name.strip(), id)


def _plain(wish: Wish, settings: Settings) -> dict[str, Any]:
    return {
        "name": wish.name.strip(), "settings": settings.dump(), "opens_at": wish.opens_at, "ends_at": wish.ends_at,
        "most": wish.most,
    }  # fmt: skip


def switch(ctx: Context, inst: Installed, id: UUID, on: bool) -> None:
    """Open or close a link from the next request on. Who may no longer share what it is about may only close it."""
    kept = one(ctx, inst, id)
    if on:
        require(ctx, inst, About(kept.kind, kept.target, kept.record))
    ctx.conn.execute(update(p).where(p.c.id == id).values(off_at=None if on else ctx.now))
    audit.note(ctx, "link.opened" if on else "link.closed", kept.name, id)


def remove(ctx: Context, inst: Installed, id: UUID) -> None:
    """The link opens nothing any more, for good; what was answered by it stays."""
    kept = one(ctx, inst, id)
    ctx.conn.execute(update(p).where(p.c.id == id).values(removed_at=ctx.now, off_at=ctx.now))
    audit.note(ctx, "link.removed", kept.name, id)


# -- listing -----------------------------------------------------------------------------------------


def oversees(ctx: Context, inst: Installed) -> bool:
    """Whether the actor sees everybody's links of an app: who administers it, or its rights."""
    return administers(ctx.actor) or powers.may(ctx, "rights", inst.id)


def _seen(ctx: Context, inst: Installed) -> Any:
    own = true() if oversees(ctx, inst) else p.c.made_by == ctx.actor.id
    return and_(p.c.installation_id == inst.id, p.c.removed_at.is_(None), own)


def listed(ctx: Context, inst: Installed) -> list[Kept]:
    """The actor's own links of an app, or all of them; the newest first."""
    rows = ctx.conn.execute(select(*COLUMNS).where(_seen(ctx, inst)).order_by(p.c.made_at.desc()).limit(1_000))
    return [kept_of(row) for row in rows]


def one(ctx: Context, inst: Installed, id: UUID) -> Kept:
    """Raises NotFound."""
    row = ctx.conn.execute(select(*COLUMNS).where(_seen(ctx, inst), p.c.id == id)).one_or_none()
    if row is None:
        raise NotFound
    return kept_of(row)


def token(ctx: Context, kept: Kept) -> str:
    """What stands in the link's address; empty where it was sealed by another installation."""
    sealed = ctx.conn.scalar(select(p.c.sealed).where(p.c.id == kept.id))
    secret = sealing.opened(sealed or "", PURPOSE)
    return f"{ctx.workspace.slug}.{secret}" if secret else ""


def may_share_anything(ctx: Context, inst: Installed) -> bool:
    """Whether the actor is allowed to share something in an app."""
    return unlimited(ctx.actor) or any("share" in grant.do for grant in granted_to(ctx, inst))


# -- checking ----------------------------------------------------------------------------------------


def _checked(ctx: Context, inst: Installed, about: About, wish: Wish, before: Kept | None = None) -> Settings:
    """The settings as an object. Raises InvalidInput with every problem, by the name of what it is about."""
    errors: dict[str, list[Message]] = {}
    if not wish.name.strip() or len(wish.name) > LONGEST_NAME or not wish.name.isprintable():
        errors["name"] = [say("Give the link a name of at most {n} characters.", n=LONGEST_NAME)]
    if wish.password and not SHORTEST_PASSWORD <= len(wish.password) <= passwords.LONGEST:
        errors["password"] = [say("Choose a password of at least {n} characters.", n=SHORTEST_PASSWORD)]
    if wish.opens_at and wish.ends_at and wish.opens_at >= wish.ends_at:
        errors["ends_at"] = [say("The end comes before the beginning.")]
    if wish.most is not None and not 0 < wish.most <= MOST_ANSWERS:
        errors["most"] = [say("Choose from 1 to {n} answers.", n=MOST_ANSWERS)]
    try:
        settings = Settings.of(
            {**wish.settings, "sites": [public_link.site_of(s) or s for s in wish.settings.get("sites", ())]}
        )
    except DefinitionError as err:
        raise InvalidInput({**errors, "": [one.message for one in err.problems]}) from None
    for name, message in [*_problems(ctx, inst, about, settings), *_word_problems(ctx, settings, before)]:
        errors.setdefault(name, []).append(message)
    if errors:
        raise InvalidInput(errors)
    return settings


def _problems(ctx: Context, inst: Installed, about: About, settings: Settings) -> list[tuple[str, Message]]:
    id = table_of(inst, about.kind, about.target)
    if not id:
        return list(public_link.site_problems(settings))
    table = live(ctx, inst, id)
    form = inst.app.all_forms.get(about.target) if about.kind == "fill" else None
    found = list(public_link.problems(about.kind, settings, table.table, form))
    gate = door(ctx, table)
    if settings.word:
        return found
    shown = [*settings.columns, *settings.keys, *settings.with_use("show")]
    unread = [id for id in shown if id in table.table.by_id and not gate.readable(id)]
    written = [id for id in settings.with_use(*ASKED, *FIXED) if id in table.table.by_id]
    unwritten = [id for id in written if gate.best(id, "create") not in WRITES]
    return [*found, *(("uses", say("You may not share the field {field}.", field=id)) for id in (*unread, *unwritten))]


def _word_problems(ctx: Context, settings: Settings, before: Kept | None) -> list[tuple[str, Message]]:
    """A link that the app's rights name has those rights instead of its maker's: for administrators to say."""
    if settings.word == (before.settings.word if before else ""):
        return []
    if not administers(ctx.actor):
        return [("word", say("Only administrators may let the app's rights decide for a link."))]
    if settings.word and not ID.match(settings.word):
        return [("word", say("A short name is made of a-z, 0-9 and _, a letter first."))]
    return []
