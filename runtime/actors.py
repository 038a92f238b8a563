"""Who acts: a member, a token, a flow, or the system itself. Never nobody."""

from dataclasses import dataclass, field
from typing import Any, ClassVar
from uuid import UUID

from schemas.scope import Scope


@dataclass(frozen=True)
class Actor:
    """Whoever asks or writes; `kind` and `id` are what history keeps. A `scope` narrows what they may do."""

    kind: ClassVar[str] = "actor"
    id: UUID | None = None
    name: str = ""
    scope: Scope | None = None


@dataclass(frozen=True)
class Member(Actor):
    """A person of the workspace. An administrator builds apps and sees everything in them.

    `external` is a contact outside the company: not among "everyone", and shown nobody to choose from. `viewed_by` is the
    administrator who only looks as this member would; `only_roles` then are the roles of one who is nobody in particular.
    """

    kind: ClassVar[str] = "member"
    account_id: UUID | None = None
    admin: bool = False
    external: bool = False
    language: str | None = None
    viewed_by: UUID | None = None
    only_roles: frozenset[str] | None = None


@dataclass(frozen=True)
class Token(Actor):
    """A program that acts in its own name. Grants say `{"token": word}` or a role (`app.role`) that it was given."""

    kind: ClassVar[str] = "token"
    token: str = ""
    roles: tuple[str, ...] = ()


@dataclass(frozen=True)
class FlowActor(Actor):
    """A flow that acts in its own name; its grants say `{"flow": id}`. `id` is the instance."""

    kind: ClassVar[str] = "flow"
    flow: str = ""
    app: str = ""


@dataclass(frozen=True)
class Link(Actor):
    """Somebody outside who was sent a link to a task; `id` is the task's, `name` their address."""

    kind: ClassVar[str] = "link"


@dataclass(frozen=True)
class PublicLink(Actor):
    """Whoever has a public link; `id` is the link's. What it opens, its own settings and the rights of its maker say.

    `link` is the word by which grants may name it, `base` the address of its pages. `record` is the answer that is being
    changed by its private address.
    """

    kind: ClassVar[str] = "link"
    app: str = ""
    link: str = ""
    base: str = ""
    what: Any = field(default=None, compare=False)
    maker: Member | None = None
    record: UUID | None = None


@dataclass(frozen=True)
class System(Actor):
    """Mortise itself: set-up, recalculation, imports by command. Everything is allowed to it."""

    kind: ClassVar[str] = "system"


def unlimited(actor: Actor) -> bool:
    """Whether no row or field is closed to this actor."""
    return isinstance(actor, System) or (administers(actor) and actor.scope is None)


def administers(actor: Actor) -> bool:
    """Whether only a scope, if anything, narrows what this actor may do."""
    return isinstance(actor, Member) and actor.admin
