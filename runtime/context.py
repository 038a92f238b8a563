"""What one piece of work may reach: who asks, in which workspace, and one transaction to do it in."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from runtime.actors import Actor
from runtime.known import Known


@dataclass(frozen=True)
class Workspace:
    """One organisation's data: a schema, a zone and a language."""

    id: UUID
    slug: str
    title: str
    schema: str
    zone: ZoneInfo
    language: str
    second_factor: bool = False


@dataclass(frozen=True)
class Context:
    """Handed from the door inwards. `memo` lives as long as the transaction, `known` as long as the facts in it."""

    workspace: Workspace
    actor: Actor
    conn: Connection
    now: datetime
    language: str
    origin: str = ""
    memo: dict[Any, Any] = field(default_factory=dict, compare=False)
    known: Known = field(default_factory=Known, compare=False)

    @property
    def zone(self) -> ZoneInfo:
        return self.workspace.zone

    @property
    def today(self) -> date:
        return self.now.astimezone(self.zone).date()

    def acting_as(self, actor: Actor, origin: str = "") -> "Context":
        """The same transaction in another actor's name."""
        return replace(self, actor=actor, origin=origin or self.origin, memo={})


Opened = Callable[[], AbstractContextManager[Context]]
"""Opens a transaction of its own each time it is called, for work that takes several."""
