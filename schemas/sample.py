"""Sample data of an app: the people of a made-up company and the records they work on."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from schemas.errors import BadValue
from schemas.messages import say
from schemas.options import option
from schemas.parsers import Flag, Id, Line, Many, Object

FARTHEST = 36_500


@dataclass(frozen=True, kw_only=True)
class SampleDepartment:
    """A department; `head` and `parent` are keys."""

    key: str = option(Id(required=True), "Key")
    name: str = option(Line(80, required=True), "Name", "")
    parent: str | None = option(Id(allow_none=True), "Department above")
    head: str | None = option(Id(allow_none=True), "Head")


@dataclass(frozen=True, kw_only=True)
class SampleMember:
    """A member. With a password they can sign in; `roles` and `slots` are those of the app."""

    key: str = option(Id(required=True), "Key")
    name: str = option(Line(80, required=True), "Name", "")
    email: str = option(Line(200, required=True), "E-mail", "")
    phone: str | None = option(Line(40, allow_none=True), "Phone")
    title: str | None = option(Line(80, allow_none=True), "Job title")
    department: str | None = option(Id(allow_none=True), "Department")
    roles: tuple[str, ...] = option(Many(Id()), "Roles", ())
    slots: tuple[str, ...] = option(Many(Id()), "Slots", ())
    password: str | None = option(Line(200, allow_none=True), "Password")
    admin: bool = option(Flag(), "Administrator", False)


@dataclass(frozen=True, kw_only=True)
class Sample:
    """`sample.json`: who there is, and the tables in the order in which their records are written."""

    departments: tuple[SampleDepartment, ...] = option(Many(Object(SampleDepartment), unique="key"), "Departments", ())
    members: tuple[SampleMember, ...] = option(Many(Object(SampleMember), unique="key"), "Members", ())
    tables: tuple[str, ...] = option(Many(Id()), "Tables", ())


def day_of(relative: Mapping[str, Any], today: date) -> str:
    """What `{"days": -12}` means seen from today, or with `"time": "10:30"` the moment.

    Gives what a person would type: `2026-11-12 10:30`. Raises BadValue.
    """
    days, clock = relative.get("days"), relative.get("time", "")
    known = set(relative) <= {"days", "time"} and isinstance(clock, str)
    if not known or not isinstance(days, int) or abs(days) > FARTHEST:
        raise BadValue(say('Write a day as {"days": -3}, a moment as {"days": 3, "time": "10:30"}.'))
    return f"{today + timedelta(days=days)} {clock}".strip()
