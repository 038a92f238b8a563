"""What fills the slots of an app: members and departments by pickers, secrets (for administrators) from a list."""

from typing import Any
from uuid import UUID

from flask import request

from runtime import keyring, membership
from runtime.actors import unlimited
from runtime.context import Context
from runtime.people import Directory
from schemas.app import Slot


def shown(ctx: Context, slot: Slot, target: UUID | None) -> dict[str, Any]:
    """A slot with what fills it, and for a secret those there are: `may` says whether it is this actor's to choose."""
    secrets = keyring.names(ctx) if slot.type == "secret" else {}
    found = secrets if slot.type == "secret" else Directory.of(ctx).names([target] if target else [])
    picked = {"id": str(target), "text": found[target]} if target in found else None
    return {"slot": slot, "picked": picked, "may": slot.type != "secret" or unlimited(ctx.actor),
            "secrets": [(str(id), name) for id, name in secrets.items()]}  # fmt: skip


def sent(ctx: Context, slot: Slot, before: UUID | None = None) -> UUID | None:
    """What the form says fills a slot, if it is of this workspace. A secret is an administrator's to choose: `before` stays."""
    said = request.form.get(f"slot:{slot.id}", "")
    if slot.type == "secret":
        known = {str(id): id for id in keyring.names(ctx)}
        return known.get(said) if unlimited(ctx.actor) else before
    if slot.type == "department":
        return {str(id): id for id in Directory.of(ctx).units}.get(said)
    return next(iter(membership.members_here(ctx, [said])), None)
