"""What a reader may not see has no influence on what they are told: the same questions about two values, the same answers.

The values of a hidden, a masked and an unreachable field are exchanged between the two rounds, by nobody's request.
A count, an order, a page, a refusal or a file that differed would give the value away, one question at a time.
"""

import io
import itertools
import re
import zipfile
from collections.abc import Iterator
from copy import deepcopy
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest

from runtime import records
from tests.runtime.conftest import SHOP, Shop
from tests.web.conftest import Person

HIDDEN = ("secret", "cost", "secret_day", "secret_kind", "sealed", "vault")
MASKED = ("phone", "wage")
DERIVED = ("writer_worth", "writers", "called")
ASKED = ("secret", "secret_day", "vault", "phone", "wage", "writers")
"""One of each kind; the others stand beside them in whatever is shown."""


def package() -> dict[str, Any]:
    made = deepcopy(SHOP)
    made["tables"][1]["fields"] += [
        {"id": "secret", "type": "text", "unique": True},
        {"id": "phone", "type": "text"},
        {"id": "wage", "type": "money"},
        {"id": "secret_day", "type": "date"},
        {"id": "secret_kind", "type": "choice", "options": [{"id": "plain"}, {"id": "fancy"}]},
        {"id": "sealed", "type": "formula", "formula": "secret & phone"},
        {"id": "called", "type": "formula", "formula": "phone & title"},
        {"id": "writer_worth", "type": "lookup", "path": "author.worth"},
        {"id": "writers", "type": "formula", "formula": "author.worth * 2"},
        {"id": "vault", "type": "rows", "fields": [{"id": "place", "type": "text"}]},
    ]
    made["tables"][0]["fields"].append(
        {"id": "dear", "type": "rollup", "over": "book.author", "aggregate": "max", "value": "wage"}
    )
    made["access"] = [
        {"id": "see", "who": {"role": "clerk"}, "dashboard": "figures"},
        {"id": "own", "who": {"role": "clerk"}, "table": "book", "do": ["read", "create", "update", "export", "print", "comment"],
         "fields": {"*": "write", **dict.fromkeys(HIDDEN, "hidden"), **dict.fromkeys(MASKED, "mask"), "called": "mask",
                    "writer_worth": "hidden", "writers": "hidden", "by": "read", "copies.place": "hidden", "total": "hidden"}},
        {"id": "authors", "who": {"role": "clerk"}, "table": "author", "do": ["read", "export"],
         "fields": {"name": "read", "dear": "mask"}},
    ]  # fmt: skip
    made["dashboards"][0]["widgets"] += [
        {"id": f"by_{field}", "type": "bar", "table": "book", "group": [field], "measure": "COUNT()"} for field in ("phone", "secret_kind")
    ] + [{"id": f"max_{field}", "type": "number", "table": "book", "measure": f"MAX({field})"} for field in ("wage", "cost")]  # fmt: skip
    made["views"] = [
        {"id": "book", "table": "book", "columns": ["title", "phone", "wage", "secret", "called", "writers"]},
        {"id": "author", "table": "author", "columns": ["name", "dear", "worth"]},
        {"id": "lanes", "table": "book", "type": "kanban", "group": "secret_kind", "card": ["title", "phone"]},
        {"id": "days", "table": "book", "type": "calendar", "start": "secret_day", "card": ["title"]},
        {"id": "sorted", "table": "book", "columns": ["title", "phone", "wage"], "sort": ["-wage", "phone"]},
        {"id": "filtered", "table": "book", "columns": ["title"], "filter": 'phone = "13800001111"'},
    ]
    return made


@pytest.fixture(scope="module")
def shop(make_shop: Any) -> Shop:
    return make_shop(package())  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def books(shop: Shop) -> list[UUID]:
    with shop.opened() as ctx:
        author = records.create(ctx, shop.table(ctx, "author"), {"name": "Jane"})
        live = shop.table(ctx, "book")
        common = {"owner": shop.clerk.id, "author": author}
        made = [{"title": title, **common, **values} for title, values in zip(("Emma", "Sense"), VALUES, strict=True)]
        return [records.create(ctx, live, values) for values in made]


VALUES: list[dict[str, Any]] = [
    {"secret": "alpha", "phone": "13800001111", "wage": Decimal(100), "cost": Decimal(1), "secret_day": date(2026, 1, 1),
     "secret_kind": "plain", "vault": [{"place": "north"}]},
    {"secret": "omega", "phone": "13855551111", "wage": Decimal(900), "cost": Decimal(9), "secret_day": date(2026, 1, 20),
     "secret_kind": "fancy", "vault": [{"place": "south"}, {"place": "west"}]},
]  # fmt: skip
"""The masks of both telephones and both wages are alike as far as their lengths and ends go."""


OTHERS: list[dict[str, Any]] = [
    {"secret": "zulu", "phone": "13877771111", "wage": Decimal(950), "cost": Decimal(7), "secret_day": date(2026, 1, 25),
     "secret_kind": "fancy", "vault": []},
    {"secret": "bravo", "phone": "13800001111", "wage": Decimal(50), "cost": Decimal(3), "secret_day": date(2025, 1, 2),
     "secret_kind": "plain", "vault": [{"place": "north"}, {"place": "east"}]},
]  # fmt: skip
"""What the same fields hold in the second round. To whom they are hidden nothing has happened; the masks stay as they are."""


@pytest.fixture(scope="module")
def clerk(shop: Shop, sign_in: Any) -> Person:
    return sign_in(shop, "clerk")  # type: ignore[no-any-return]


def conditions(field: str) -> list[str]:
    return [
        f'{field} = "alpha"', f'{field} = "13800001111"', f"{field} > 500", f"NOT(ISBLANK({field}))", f"LEN({field}) > 4",
        f'{field} < "m"', f'CONTAINS({field}, "3800001")', f'IF({field} > 500, TRUE, FALSE)', f'title & {field} = "Emmaalpha"',
        f'COUNTIF({field}.place = "north") > 0', f'author.{field} > 500', f'{field} = DATE(2026, 1, 1)',
    ]  # fmt: skip


def questions() -> Iterator[str]:
    """Everything by which a list can be asked about a field, on every way that a list is had."""
    lists = ("/a/shop/v/book/", "/a/shop/export/book", "/a/shop/v/sorted/")
    api = "/api/v1/apps/shop/tables/book/records"
    for field in ASKED:
        asked = conditions(field) if field == "phone" else conditions(field)[:4]
        yield from (f"{api}?filter={quote(c)}" for c in asked)
        yield from (f"/a/shop/v/book/?filter={quote(c)}&total=exact" for c in conditions(field)[:2])
        yield f"/a/shop/export/book?as=csv&sort=-{field}&filter={quote(conditions(field)[1])}"
        yield from (f"/a/shop/v/book/?{word}={field}" for word in ("sort", "group"))
        yield from (f"{api}?sort={field}", f"{api}?fields={field}", f"/a/shop/v/sorted/?sort=-{field}")
        yield f"/a/shop/v/book/?field={field}&operator=is&value=13800001111"
    yield from (
        f"/a/shop/d/figures/{w}/records?key=13800001111" for w in ("by_phone", "max_wage", "by_secret_kind", "max_cost")
    )
    for word in ("alpha", "13800001111", "0000", "900", "north"):
        yield from (f"{url}?q={word}" for url in (*lists, api, "/a/shop/pick/book/author", "/a/shop/v/author/"))
    yield from (*lists, api, "/a/shop/v/filtered/", "/a/shop/v/lanes/", "/a/shop/v/days/", "/a/shop/d/figures/")
    yield from ("/a/shop/export/book?as=xlsx", "/a/shop/f/book/new", "/api/v1/apps/shop/tables/author/records")
    yield from ("/a/shop/v/author/?sort=dear", "/a/shop/v/author/?filter=dear+%3E+500")


KEYED = "/api/v1/apps/shop/tables/book/upsert"


def told(answer: Any) -> tuple[int, str]:
    """What an answer says, with ids by the order in which they come, and without what is new in every answer."""
    body = answer.data
    if body[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            said = "".join(
                archive.read(name).decode() for name in archive.namelist() if "worksheets" in name or "Strings" in name
            )
    else:
        said = body.decode("utf-8", "replace")
    said = re.sub(r"[0-9a-f]{32,}(\.[0-9a-f]{32,})?(:[\w-]+)?", "token", said)
    names: dict[str, str] = {}
    numbers = itertools.count()
    found = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", lambda m: names.setdefault(m.group(), f"id {next(numbers)}"), said)
    return answer.status_code, found


def asked(person: Person, books: list[UUID]) -> dict[str, tuple[int, str]]:
    """All questions with their answers; and what is sent to find out by a refusal."""
    answers = {url: told(person.get(url)) for url in questions()}
    for field, value in (("phone", "13800001111"), ("secret", "alpha"), ("wage", "100"), ("called", "13800001111Emma")):
        sent = {"key": [field], "fields": {field: value, "title": "Emma"}}
        answers[f"upsert {field}"] = told(person.send("POST", KEYED, None, json=sent))
        answers[f"change {field}"] = told(
            person.post(f"/a/shop/f/book/{books[0]}", {"title": "Emma", field: value, "_version": "1"})
        )
        answers[f"live {field}"] = told(
            person.post(f"/a/shop/f/book/live?record={books[0]}", {"title": "Emma", "_touched": "[]", field: value})
        )
    for id in books:
        answers[f"record {id}"] = told(person.get(f"/a/shop/t/book/{id}"))
        answers[f"form {id}"] = told(person.get(f"/a/shop/f/book/{id}"))
        answers[f"copy {id}"] = told(person.get(f"/a/shop/f/book/new?copy={id}"))
    return answers


def exchange(shop: Shop, books: list[UUID], values: list[dict[str, Any]]) -> None:
    """Other values in the same records, and no trace of that anything was changed."""
    with shop.opened() as ctx:
        live = shop.table(ctx, "book")
        before = {id: ctx.conn.execute(live.sql.select().where(live.sql.c.id == id)).mappings().one() for id in books}
        for id, given in zip(books, values, strict=True):
            records.change(ctx, live, id, given)
            kept = {
                name: before[id][name]
                for name in before[id]
                if name in ("version", "updated_at", "updated_by", "_version")
            }
            ctx.conn.execute(live.sql.update().where(live.sql.c.id == id).values(**kept))


def test_what_is_hidden_or_masked_changes_no_answer(shop: Shop, clerk: Person, sign_in: Any, books: list[UUID]) -> None:
    manager = sign_in(shop, "boss")
    wanted = quote('phone = "13800001111"')
    sees_it = f"/api/v1/apps/shop/tables/book/records?filter={wanted}&sort=wage"
    first, seen = asked(clerk, books), told(manager.get(sees_it))
    exchange(shop, books, OTHERS)
    second, seen_again = asked(clerk, books), told(manager.get(sees_it))
    assert seen != seen_again  # who may see the values is told of them
    assert {url: (first[url], second[url]) for url in first if first[url] != second[url]} == {}
    assert {url for url, (status, _) in first.items() if status >= 500} == set()
    assert sum(status == 200 for status, _ in first.values()) > len(first) // 2
