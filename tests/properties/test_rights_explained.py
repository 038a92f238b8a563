"""Whatever is granted: what the explanation in Python says of each record and field is what the database lists and shows.

Grants, rows and people are drawn at random. `MORTISE_PROPERTY_EXAMPLES=500` looks longer than the suite does.
"""

import os
from collections.abc import Callable
from copy import deepcopy
from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runtime import definitions, people, query, records
from runtime.access import door
from runtime.query import Listing
from runtime.why import explain
from schemas.access import ACTIONS, RIGHTS
from schemas.errors import NotFound
from tests.runtime.conftest import SHOP, Shop, make_shop, prepared  # noqa: F401

EXAMPLES = int(os.environ.get("MORTISE_PROPERTY_EXAMPLES", "12"))
PATHS = ("title", "kind", "owner", "due", "price", "copies", "copies.place", "copies.count", "total", "late", "by")
ROWS = (
    "TRUE", "owner = ME()", "created_by = ME()", 'kind = "novel"', 'kind <> "novel"', "price > 5", "NOT(price > 5)",
    "ISBLANK(due)", "owner.department IN ME().departments", "ME() = owner.department.head", 'author.name = "Jane"',
    "SUM(copies.count) > 2", "COUNT(copies) = 0", "total > 10", "late > 0", '"shop.clerk" IN ME().roles', 'by = "Jane"',
    'OR(owner = ME(), price / 0 > 1)', 'STARTSWITH(title, "e")', 'title = "EMMA"', "due < TODAY()", "FALSE",
)  # fmt: skip
WHO = st.sampled_from(
    [{"everyone": True}, {"external": True}, {"role": "clerk"}, {"role": "manager"}, {"slot": "one"},
     {"slot": "sales"}, {"slot": "sales", "below": True}, {"slot": "empty"}]
)  # fmt: skip
FIELDS = st.none() | st.dictionaries(st.sampled_from((*PATHS, "*")), st.sampled_from(RIGHTS), max_size=6)
TARGET = st.sampled_from([{"table": "book"}, {"table": "book"}, {"view": "some"}, {"form": "short"}, {"app": True}])


@st.composite
def grants(draw: Any) -> list[dict[str, Any]]:
    made = []
    for n in range(draw(st.integers(1, 5))):
        grant = {
            "id": f"g{n}", "who": draw(st.lists(WHO, min_size=1, max_size=2)), **draw(TARGET),
            "do": draw(st.lists(st.sampled_from(ACTIONS), unique=True, max_size=5)) + draw(st.sampled_from([["read"], []])),
        }  # fmt: skip
        if not grant.get("app"):
            grant |= {"rows": draw(st.sampled_from(ROWS)), "fields": draw(FIELDS)}
        grant["do"] = list(dict.fromkeys(grant["do"]))
        made.append(
            {k: v for k, v in grant.items() if v is not None}
            | ({"off": True} if draw(st.booleans()) and n == 4 else {})
        )
    return made


BOOK = st.fixed_dictionaries(
    {
        "title": st.sampled_from(["Emma", "emma", "Persuasion"]),
        "kind": st.sampled_from(["novel", "essay", None]),
        "owner": st.sampled_from(["clerk", "manager", "outsider", None]),
        "price": st.none() | st.integers(0, 9).map(Decimal),
        "due": st.sampled_from(["2020-01-01", "2090-01-01", None]),
        "author": st.sampled_from(["Jane", "Mary", None]),
        "rows": st.lists(st.integers(0, 3), max_size=2),
    }
)


def package(access: list[dict[str, Any]]) -> dict[str, Any]:
    made = deepcopy(SHOP)
    made["slots"] = [{"id": "one"}, {"id": "sales", "type": "department"}, {"id": "empty"}]
    made["views"] = [{"id": "some", "table": "book", "columns": ["title", "price"], "filter": "price > 3"}]
    made["forms"] = [{"id": "short", "table": "book", "layout": [{"row": ["title", "copies"]}]}]
    return {**made, "access": access}


def write(shop: Shop, books: list[dict[str, Any]]) -> None:
    with shop.opened(shop.boss) as ctx:
        names = {n: records.create(ctx, shop.table(ctx, "author"), {"name": n}) for n in ("Jane", "Mary")}
        for book in books:
            given = {
                **book,
                "author": names.get(book["author"]),
                "owner": getattr(shop, book["owner"]).id if book["owner"] else None,
            }
            given["copies"] = [{"place": "x", "count": Decimal(n)} for n in given.pop("rows")] or None
            given["due"] = date.fromisoformat(book["due"]) if book["due"] else None
            records.create(ctx, shop.table(ctx, "book"), given)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(access=grants(), books=st.lists(BOOK, min_size=1, max_size=4))
def test_what_is_explained_is_what_is_listed(
    make_shop: Callable[..., Shop],  # noqa: F811
    access: list[dict[str, Any]],
    books: list[dict[str, Any]],
) -> None:
    shop = make_shop(package(access))
    with shop.opened() as ctx:
        inst = definitions.installed(ctx, "shop")
        people.assign_slot(ctx, inst.id, "one", shop.outsider.id)
        people.assign_slot(ctx, inst.id, "sales", _sales(ctx))
    write(shop, books)
    for person in (shop.clerk, shop.manager, shop.outsider):
        with shop.opened(person) as ctx:
            compare(shop, ctx, person)


def _sales(ctx: Any) -> Any:
    from runtime.people import Directory

    return next(iter(Directory.of(ctx).units))


def compare(shop: Shop, ctx: Any, person: Any) -> None:
    live = shop.table(ctx, "book")
    gate = door(ctx, live)
    every = list(ctx.conn.scalars(live.sql.select().with_only_columns(live.sql.c.id)))
    told = {id: explain(ctx, live, person, id) for id in every}
    for action in ("read", "update", "delete", "export"):
        listed = set(query.ids(gate, Listing(), action)) if gate.may("read") else set()
        explained = {id for id in every if told[id].actions[action] and told[id].actions["read"]}
        assert explained == listed, action
    for id in every:
        try:
            seen = query.fetch(gate, id)
        except NotFound:
            assert not told[id].actions["read"]
            continue
        for path in PATHS:
            why = explain(ctx, live, person, id, path)
            assert why.right == seen.rights[path], (path, why.sources)
            if "." not in path:
                assert (path in seen.values) == (why.right in ("read", "write"))
                assert path not in seen.masked or why.right in ("mask", "replace")
