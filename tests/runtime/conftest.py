"""A library's shop with a clerk, a manager and an outsider: the people of the runtime's tests."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine

from runtime import definitions, jobs, people, workspaces
from runtime.actors import Actor
from runtime.context import Context, Workspace
from runtime.tables import LiveTable, live

numbers = count(1)

SHOP: dict[str, Any] = {
    "language": 1,
    "app": "shop",
    "roles": [{"id": "clerk"}, {"id": "manager"}],
    "tables": [
        {
            "id": "author",
            "title_formula": "name",
            "fields": [
                {"id": "name", "type": "text", "required": True, "unique": True},
                {"id": "books", "type": "rollup", "over": "book.author", "aggregate": "count"},
                {"id": "worth", "type": "rollup", "over": "book.author", "aggregate": "sum", "value": "total"},
                {"id": "famous", "type": "formula", "formula": "worth >= 1000"},
            ],
        },
        {
            "id": "book",
            "title_formula": "title",
            "fields": [
                {"id": "no", "type": "serial", "parts": ["B-", {"count": 4}]},
                {"id": "title", "type": "text", "required": True},
                {"id": "author", "type": "link", "table": "author", "reverse": {}},
                {"id": "kind", "type": "choice", "options": [{"id": "novel"}, {"id": "essay"}], "default": "novel"},
                {"id": "owner", "type": "member", "default": "=ME()"},
                {"id": "due", "type": "date"},
                {"id": "late", "type": "formula", "formula": "IF(due < TODAY(), DAYS(TODAY(), due), 0)"},
                {"id": "price", "type": "money"},
                {"id": "cost", "type": "money"},
                {
                    "id": "copies",
                    "type": "rows",
                    "fields": [
                        {"id": "place", "type": "text"},
                        {"id": "count", "type": "number", "decimals": 0},
                        {"id": "value", "type": "formula", "formula": "count * price"},
                    ],
                },
                {"id": "total", "type": "formula", "formula": "SUM(copies.value)", "decimals": 2},
                {"id": "by", "type": "formula", "formula": "author.name"},
            ],
            "checks": [{"id": "fair", "formula": "OR(ISBLANK(cost), ISBLANK(price), price >= cost)", "message": "Too cheap"}],
        },
    ],
    "dashboards": [
        {
            "id": "figures",
            "widgets": [
                {"id": "books", "type": "number", "table": "book", "measure": "COUNT()"},
                {"id": "share", "type": "number", "table": "book", "measure": "COUNTIF(kind = \"novel\") / COUNT()", "percent": True},
                {"id": "kinds", "type": "bar", "table": "book", "group": ["kind"], "measure": "SUM(total)"},
                {"id": "costs", "type": "pie", "table": "book", "group": ["kind"], "measure": "SUM(cost)"},
                {"id": "months", "type": "line", "table": "book", "group": [{"field": "created_at", "by": "month"}], "measure": "COUNT()"},
                {"id": "authors", "type": "ranking", "table": "book", "group": ["author"], "measure": "COUNT()"},
                {"id": "list", "type": "table", "table": "book", "columns": ["title", "price"], "sort": ["-price"]},
            ],
        }
    ],
    "access": [
        {"id": "see", "who": {"role": "clerk"}, "dashboard": "figures"},
        {"id": "see_too", "who": {"role": "manager"}, "dashboard": "figures"},
        {
            "id": "own", "who": {"role": "clerk"}, "table": "book", "do": ["read", "create", "update", "delete"],
            "rows": "owner = ME()", "fields": {"*": "write", "cost": "hidden", "due": "read"},
        },
        {"id": "novels", "who": {"role": "clerk"}, "table": "book", "do": ["read"], "rows": "kind = \"novel\"",
         "fields": {"title": "read"}},
        {"id": "authors", "who": {"role": "clerk"}, "table": "author", "do": ["read"], "fields": {"name": "read"}},
        {"id": "all_books", "who": {"role": "manager"}, "table": "book", "do": ["read", "create", "update", "delete", "history"]},
        {"id": "all_authors", "who": {"role": "manager"}, "table": "author", "do": ["read", "create", "update", "delete"]},
    ],
}  # fmt: skip


@dataclass
class Shop:
    """An installed app and its people."""

    engine: Engine
    workspace: Workspace
    clerk: Actor
    manager: Actor
    outsider: Actor
    boss: Actor

    def opened(self, actor: Actor | None = None, **options: Any) -> AbstractContextManager[Context]:
        return workspaces.opened(self.engine, self.workspace, actor, **options)

    def table(self, ctx: Context, id: str) -> LiveTable:
        return live(ctx, definitions.installed(ctx, "shop"), id)


@pytest.fixture(scope="session")
def prepared(database_url: str) -> Iterator[Engine]:
    engine = workspaces.connect(database_url)
    workspaces.prepare(engine)
    with engine.begin() as conn:
        jobs.install_jobs(conn)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def make_shop(prepared: Engine) -> Callable[..., Shop]:
    def make(package: dict[str, Any] = SHOP) -> Shop:
        workspace = workspaces.create(prepared, f"shop-{next(numbers)}", "Shop", zone="Asia/Shanghai", language="en")
        with workspaces.opened(prepared, workspace) as ctx:
            inst = definitions.publish(ctx, "shop", package)
            sales = people.add_department(ctx, "Sales")
            ids: dict[str, UUID] = {}
            for name in ("clerk", "manager", "outsider", "boss"):
                ids[name] = people.add_member(ctx, name.title(), department_id=sales, admin=name == "boss")
            for role in (r["id"] for r in package.get("roles", ()) if r["id"] in ids):
                people.give_role(ctx, inst.id, role, ids[role])
            people.set_head(ctx, sales, ids["manager"])
            actors = {name: people.member_by_id(ctx, id) for name, id in ids.items()}
        return Shop(prepared, workspace, **actors)

    return make


@pytest.fixture
def shop(make_shop: Callable[..., Shop]) -> Shop:
    return make_shop()
