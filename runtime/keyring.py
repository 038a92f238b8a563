"""The secrets of a workspace: kept sealed, shown to nobody again, and told to their own servers only."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select, update

from runtime import audit, definitions, models, sealing
from runtime.context import Context
from runtime.definitions import Installed
from runtime.ids import new_id
from runtime.models_secrets import secret
from runtime.outgoing import Refused
from schemas.errors import InvalidInput, NotFound
from schemas.messages import say
from schemas.request import server_of

PURPOSE = "secret of a workspace"
LONGEST_NAME, LONGEST = 60, 4_000
MOST, MOST_SERVERS = 200, 20

audit.kind("workspace.secret_added", say("Added the secret {about}"))
audit.kind("workspace.secret_changed", say("Changed the secret {about}"))
audit.kind("workspace.secret_removed", say("Removed the secret {about}"))
s = secret.c


def all_of(ctx: Context) -> Sequence[Any]:
    """The workspace's secrets by name: id, name, servers, when made. Never what they say."""
    return ctx.conn.execute(select(s.id, s.name, s.servers, s.made_at).order_by(s.name)).all()


def names(ctx: Context) -> dict[UUID, str]:
    return {row.id: row.name for row in all_of(ctx)}


def add(ctx: Context, name: str, servers: str, value: str) -> UUID:
    """Raises InvalidInput with what is wrong, by the names of the arguments."""
    name, found, errors = " ".join(name.split()), servers_in(servers), _problems(value)
    if not name or len(name) > LONGEST_NAME or "\x00" in name:
        errors["name"] = [say("Give the secret a name of at most {n} characters.", n=LONGEST_NAME)]
    elif ctx.conn.scalar(select(s.id).where(s.name == name)):
        errors["name"] = [say("There is a secret of this name already.")]
    elif len(all_of(ctx)) >= MOST:
        errors["name"] = [say("There are {n} secrets already. Remove one first.", n=MOST)]
    if not found:
        errors["servers"] = [say("Name the servers that may be told it, such as api.example.com.")]
    if errors:
        raise InvalidInput(errors)
    id, kept = new_id(), {"servers": " ".join(found), "sealed": sealing.seal(value.strip(), PURPOSE)}
    ctx.conn.execute(insert(secret).values(id=id, name=name, made_by=ctx.actor.id, made_at=ctx.now, **kept))
    audit.note(ctx, "workspace.secret_added", name, id, servers=kept["servers"])
    return id


def servers_in(text: str) -> list[str]:
    """The servers named in a text, each as `host` or `host:port`; none where one of them cannot be read."""
    found = [server_of(one if "://" in one else f"https://{one}") for one in text.replace(",", " ").split()]
    return list(dict.fromkeys(found)) if all(found) and len(found) <= MOST_SERVERS else []


def _problems(value: str) -> dict[str, list[Any]]:
    value = value.strip()
    fits = value and len(value) <= LONGEST and value.isascii() and value.isprintable()
    return {} if fits else {"value": [say("Put in the secret: Latin letters, digits and signs, at most {n}.", n=LONGEST)]}


def renew(ctx: Context, id: UUID, value: str) -> None:
    """What the secret says from now on. Raises NotFound, InvalidInput."""
    name = ctx.conn.scalar(select(s.name).where(s.id == id))
    if name is None:
        raise NotFound
    if errors := _problems(value):
        raise InvalidInput(errors)
    ctx.conn.execute(update(secret).where(s.id == id).values(sealed=sealing.seal(value.strip(), PURPOSE)))
    audit.note(ctx, "workspace.secret_changed", name, id)


def remove(ctx: Context, id: UUID) -> None:
    """Raises NotFound."""
    name = ctx.conn.scalar(delete(secret).where(s.id == id).returning(s.name))
    if name is None:
        raise NotFound
    ctx.conn.execute(delete(models.slot).where(models.slot.c.target_id == id))
    audit.note(ctx, "workspace.secret_removed", name, id)


def opened_for(ctx: Context, inst: Installed, slot: str, server: str) -> str:
    """What the secret of an app's post says, for a request to this server. Raises Refused."""
    target = definitions.slots(ctx, inst).get(slot)
    row = ctx.conn.execute(select(secret).where(s.id == target)).one_or_none() if target else None
    if row is None:
        raise Refused(say("No secret is set for '{post}'. An administrator can choose one under “Who is who”.", post=slot))
    if server not in row.servers.split():
        raise Refused(say("The secret “{name}” may not be told to {server}.", name=row.name, server=server))
    text = sealing.opened(row.sealed, PURPOSE)
    if text is None:
        raise Refused(say("The secret “{name}” was sealed by another installation. Put it in again.", name=row.name))
    return text
