"""What administrators of a part of a workspace may do: the one list of powers, and what each of them opens.

A full administrator may do everything. A sub-administrator has powers over an app, or over a department with those
below it; everything that no power opens is for full administrators alone.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from schemas.messages import Message, say

PARTS = ("table", "form", "view", "dashboard", "flow")


@dataclass(frozen=True)
class Power:
    """Something that may be done in an app or a department."""

    id: str
    kind: str
    title: Message
    text: Message


POWERS = (
    Power("design", "app", say("Design"), say("Change its tables, forms, views, flows and dashboards as a draft")),
    Power("publish", "app", say("Publish"), say("Make the draft hold for everybody, go back to earlier revisions")),
    Power("rights", "app", say("Rights"), say("Say who may do what in it, and who has its roles and posts")),
    Power("members", "department", say("Members"),
          say("Add, change and let go the members of the department and of those below it, and let them sign in")),
)  # fmt: skip
WORKSPACE = "workspace"
"""What only full administrators may do."""


def of_kind(kind: str) -> list[Power]:
    return [power for power in POWERS if power.kind == kind]


def known(kind: str, ids: Iterable[str]) -> list[str]:
    """Those of these that are powers of the kind, in their order."""
    wanted = set(ids)
    return [power.id for power in of_kind(kind) if power.id in wanted]


def beyond(gained: Iterable[str], gives: Collection[str] | None) -> list[str]:
    """The roles that somebody would get and the giver may not give; with None every role may be given."""
    return [] if gives is None else [role for role in gained if role not in gives]


def rights_changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether a new revision gives or takes rights to what was there before.

    Grants to new tables come with them; those to tables that are removed go with them.
    """
    old, new = list(before.get("access") or ()), list(after.get("access") or ())
    there = {(kind, part["id"]) for kind in PARTS for part in before.get(f"{kind}s") or ()}
    stays = {(kind, part["id"]) for kind in PARTS for part in after.get(f"{kind}s") or ()}
    if [role.get("id") for role in before.get("roles") or ()] != [role.get("id") for role in after.get("roles") or ()]:
        return True
    taken = [grant for grant in old if grant not in new and _concerns(grant, stays)]
    given = [grant for grant in new if grant not in old and _concerns(grant, there)]
    return bool(taken or given)


def _concerns(grant: Mapping[str, Any], parts: Collection[tuple[str, str]]) -> bool:
    named = [(kind, grant[kind]) for kind in PARTS if grant.get(kind)]
    return not named or any(one in parts for one in named)
