"""Large forms: what a form allows gets through whole, what is beyond it is refused with words."""

import gc
import json
import re
from collections.abc import Callable
from copy import deepcopy
from typing import Any
from uuid import UUID

import pytest

from runtime.access import door
from runtime.query import fetch
from tests.runtime.conftest import SHOP, Shop
from tests.web.conftest import Person


@pytest.fixture(scope="module")
def shop(make_shop: Callable[..., Shop]) -> Shop:
    made = deepcopy(SHOP)
    made["tables"][1]["fields"] += [{"id": "story", "type": "rich_text"}, {"id": "papers", "type": "file"}]
    next(f for f in made["tables"][1]["fields"] if f["id"] == "copies")["max"] = 2_000
    return make_shop(made)


@pytest.fixture(scope="module")
def manager(shop: Shop, sign_in: Any) -> Person:
    return sign_in(shop, "manager")  # type: ignore[no-any-return]


def place(n: int) -> str:
    return f"Shelf {n} " + "x" * 300


def rows(count: int) -> dict[str, str]:
    """A subform as a form sends it, with as many other parts as a wide form has."""
    lines = [{"place": place(n), "count": "1"} for n in range(count)]
    return {"copies": json.dumps(lines), **{f"other_{n}": "" for n in range(count)}}


def books(shop: Shop) -> int:
    with shop.opened() as ctx:
        return len(list(ctx.conn.scalars(shop.table(ctx, "book").sql.select())))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("multipart", [False, True], ids=["plain", "with a file's form"])
def test_what_a_form_allows_gets_through(shop: Shop, manager: Person, multipart: bool) -> None:
    count = 2_000
    sent: dict[str, Any] = {"title": "Emma", "story": "<p>" + "word " * 9_000 + "</p>", **rows(count)}
    kind: dict[str, Any] = {"content_type": "multipart/form-data"} if multipart else {}
    answer = manager.post("/a/shop/f/book/new", sent, **kind)
    assert answer.status_code == 204, answer.text[:2000]
    id = answer.headers["HX-Redirect"].rpartition("/")[2]
    with shop.opened() as ctx:
        kept = fetch(door(ctx, shop.table(ctx, "book")), UUID(id)).values
    assert [row["place"] for row in kept["copies"]] == [place(n) for n in range(count)]
    assert kept["story"].count("word") == 9_000
    assert manager.get(f"/a/shop/t/book/{id}").status_code == 200
    del answer
    gc.collect()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("multipart", [False, True], ids=["plain", "with a file's form"])
def test_what_is_beyond_it_is_refused_with_words(shop: Shop, manager: Person, multipart: bool) -> None:
    before = books(shop)
    sent: dict[str, Any] = {"title": "Emma", "story": "x" * 21 * 1024**2}
    kind: dict[str, Any] = {"content_type": "multipart/form-data"} if multipart else {}
    answer = manager.post("/a/shop/f/book/new", sent, headers={"Accept-Language": "en"}, **kind)
    assert answer.status_code in (413, 422)
    assert re.search("too large|Keep it to", answer.text)
    assert books(shop) == before
    del answer
    gc.collect()
