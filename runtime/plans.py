"""Statements that are made once and asked again by everybody with the same rights.

A plan is made for `Anyone`: a context without a person, a moment or a connection. What depends on them is left
open and bound when the plan is asked; where that cannot be, making it raises Individual and the statement is made
for each request. So nothing of one request can remain in what another one asks.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar

from sqlalchemy import ARRAY, Boolean, ColumnElement, CursorResult, Date, DateTime, Text, Uuid, bindparam, literal
from sqlalchemy.types import TypeEngine

from runtime.actors import Actor, Member, administers
from runtime.context import Context
from runtime.people import Directory

if TYPE_CHECKING:
    from runtime.access import Door

Made = TypeVar("Made")
MOST = 500
"""Plans of one table; filters that people think of make new ones."""


class Individual(Exception):
    """Something depends on who asks, or when, in a way that cannot be bound later."""


def _individual(self: Any) -> NoReturn:
    raise Individual


class AnyMember(Member):
    """A member of whom nothing is known but whether they administer, and what narrows that."""

    id = name = account_id = external = language = property(_individual)

    def __init__(self, like: Actor) -> None:
        object.__setattr__(self, "admin", administers(like))
        object.__setattr__(self, "scope", like.scope)


class Anyone(Context):
    """Where plans are made. `open` collects the facts that are to be bound, by the names of their parameters."""

    actor: AnyMember
    conn = now = today = language = known = property(_individual)
    __hash__ = object.__hash__

    def __init__(self, ctx: Context) -> None:
        for name, value in {
            "workspace": ctx.workspace, "actor": AnyMember(ctx.actor), "origin": "", "memo": {},
            "open": {},
        }.items():  # fmt: skip
            object.__setattr__(self, name, value)

    def __eq__(self, other: object) -> bool:
        return self is other

    if TYPE_CHECKING:
        open: dict[str, tuple[str, ...]]


# -- facts -----------------------------------------------------------------------------------------


def fact(ctx: Context, *need: str) -> ColumnElement[Any]:
    """What a statement asks of the world: `now`, `today`, or `me` and facts of the member."""
    if not isinstance(ctx, Anyone):
        return literal(_value(ctx, need), _type(need))
    name = f"_{'_'.join(need)}"
    ctx.open[name] = need
    return bindparam(name, type_=_type(need))


def _value(ctx: Context, need: tuple[str, ...]) -> Any:
    if need[0] != "me":
        return ctx.now if need[0] == "now" else ctx.today
    value, kind = ctx.actor.id if ctx.actor.kind == "member" else None, "member"
    directory = Directory.of(ctx)
    for name in need[1:]:
        value = directory.fact(value, name) if kind == "member" else directory.department_fact(value, name)
        kind = "member" if name == "head" else "department"
    return value


def _type(need: tuple[str, ...]) -> TypeEngine[Any]:
    moments: dict[str, TypeEngine[Any]] = {"now": DateTime(timezone=True), "today": Date()}
    return moments[need[0]] if need[0] in moments else _fact_type(need[-1])


def _fact_type(name: str) -> TypeEngine[Any]:
    if name == "roles":
        return ARRAY(Text())
    if name in ("departments", "headed_departments"):
        return ARRAY(Uuid())
    if name == "external":
        return Boolean()
    return Uuid() if name in ("me", "department", "head", "parent") else Text()


# -- plans -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Plan(Generic[Made]):
    """What has been made, and the facts that it leaves open."""

    made: Made
    open: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def ask(
        self, ctx: Context, statement: Any, given: Mapping[str, Any] | None = None
    ) -> CursorResult[*tuple[Any, ...]]:
        """The answer to the statement, or to one of those, that the plan holds."""
        facts = {name: _value(ctx, need) for name, need in self.open.items()}
        return ctx.conn.execute(statement, {**facts, **(given or {})})


def plan(gate: "Door", shape: Hashable, make: Callable[["Door"], Made]) -> Plan[Made]:
    """What `make` makes of a door, from an earlier request where there was one of the same shape and rights.

    `shape` holds everything else that `make` depends on; it is None for what is not asked twice.
    """
    from runtime.access import anyones_door, rights_key

    rights = rights_key(gate) if shape is not None else None
    if rights is None:
        return Plan(make(gate))
    kept = gate.live.plans
    key = (rights, gate.ctx.zone.key, shape)
    if key not in kept:
        if len(kept) >= MOST:
            kept.clear()
        try:
            other = anyones_door(gate)
            made = make(other)
            kept[key] = Plan(made, other.ctx.open)  # type: ignore[attr-defined]
        except Individual:
            kept[key] = None
    return kept.get(key) or Plan(make(gate))
