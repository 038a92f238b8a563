"""What gives a role, as a form shows and sends it: members, departments (some with those below), roles, a condition."""

from collections.abc import Container
from typing import Any
from uuid import UUID

from runtime import roles
from runtime.context import Context
from runtime.people import Directory
from runtime.roles import Part


def sent_parts(form: Any, prefix: str = "") -> list[Part]:
    """The parts that a form names; `prefix` goes before the names of its inputs."""
    below = set(form.getlist(f"{prefix}below"))
    parts = [Part(None, "member", id) for id in _ids(form.getlist(f"{prefix}members"))]
    parts += [Part(None, "department", id) for id in _ids(form.getlist(f"{prefix}departments"))]
    parts += [Part(None, "department", id, below=True) for id in _ids(form.getlist(f"{prefix}below")) if below]
    parts += [Part(None, "role", id) for id in _ids(form.getlist(f"{prefix}roles"))]
    formulas = (text.strip() for text in form.getlist(f"{prefix}formula"))
    return [*parts, *(Part(None, "formula", formula=text) for text in formulas if text)]


def _ids(texts: list[str]) -> list[UUID]:
    found = []
    for text in dict.fromkeys(texts):
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return found


def there(ctx: Context, parts: list[Part]) -> list[Part]:
    """The parts whose members, departments and roles are of this workspace."""
    directory = Directory.of(ctx)
    members = directory.persons(p.target for p in parts if p.kind == "member")
    own = {row.id for row in roles.all_of_workspace(ctx)}
    known: dict[str, Container[Any]] = {"member": members, "department": directory.units, "role": own}
    return [p for p in parts if p.kind == "formula" or p.target in known[p.kind]]


def drawn(ctx: Context, parts: list[Part]) -> dict[str, Any]:
    """The parts as pickers show them."""
    directory = Directory.of(ctx)
    names = directory.names(p.target for p in parts)
    titles = {row.id: row.title for row in roles.all_of_workspace(ctx)}

    def of(kind: str, below: bool = False) -> list[dict[str, str]]:
        found = {**names, **titles}
        return [
            {"id": str(p.target), "text": found[p.target]}
            for p in parts
            if p.kind == kind and p.below == below and p.target in found
        ]

    return {
        "members": of("member"), "departments": of("department"), "below": of("department", True), "roles": of("role"),
        "formulas": [p.formula or "" for p in parts if p.kind == "formula"],
    }  # fmt: skip
