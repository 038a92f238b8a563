"""Views of one's own: what somebody looks at, kept under a name, for themselves or for everybody."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from runtime import records
from tests.runtime.conftest import Shop
from tests.web.conftest import Person

LIST = "/a/shop/v/book/"
KEPT = {"title": "Long ones", "filter": "price > 100", "sort": "-title"}


@pytest.fixture(scope="module")
def people(make_shop: Callable[..., Shop], sign_in: Callable[..., Person]) -> dict[str, Person]:
    shop = make_shop()
    with shop.opened(shop.clerk) as ctx:
        records.create(ctx, shop.table(ctx, "book"), {"title": "Emma", "price": 200})
    return {name: sign_in(shop, name) for name in ("clerk", "manager", "boss", "outsider")}


def kept(person: Person, **sent: Any) -> str:
    """Keep a view; gives its address."""
    return str(person.post(f"{LIST}own", {**KEPT, **sent}).headers["HX-Redirect"])


def own_of(url: str) -> str:
    return parse_qs(urlsplit(url).query)["own"][0]


def test_a_clerk_keeps_a_filter_under_a_name_that_nobody_else_sees(people: dict[str, Person]) -> None:
    clerk = people["clerk"]
    url = kept(clerk)
    asked = parse_qs(urlsplit(url).query)
    assert (asked["filter"], asked["sort"]) == (["price > 100"], ["-title"])
    page = clerk.get(url).text
    assert re.search(r'class="own-tab" aria-current="page"[^>]*>.*?Long ones', page)
    assert "Long ones" in clerk.get(LIST).text
    assert "Long ones" not in people["manager"].get(LIST).text
    id = own_of(url)
    assert people["manager"].post(f"{LIST}own/{id}", KEPT).status_code == 404
    assert people["manager"].post(f"{LIST}own/{id}/remove").status_code == 404
    assert clerk.post(f"{LIST}own/{id}", {"title": "Thick", "sort": "title"}).status_code == 204
    assert "Long ones" not in (page := clerk.get(LIST).text)
    assert "Thick" in page
    clerk.post(f"{LIST}own/{id}/remove")
    assert "Thick" not in clerk.get(LIST).text


def test_its_columns_are_its_own(people: dict[str, Person]) -> None:
    clerk = people["clerk"]
    url = kept(clerk, title="Narrow")
    where = f"{LIST}columns?own={own_of(url)}"
    assert clerk.post(where, json={"order": ["title", "price"], "hidden": ["price"]}).status_code == 204
    assert 'th scope="col" data-column="price"' not in clerk.get(url).text
    assert 'th scope="col" data-column="price"' in clerk.get(LIST).text
    clerk.post(f"{LIST}own/{own_of(url)}/remove")


def test_only_who_administers_the_app_makes_a_view_for_everybody(people: dict[str, Person]) -> None:
    refused = people["clerk"].post(f"{LIST}own", {**KEPT, "shared": "1"})
    assert (refused.status_code, "who administers" in refused.text) == (422, True)
    url = kept(people["boss"], title="For all of us", shared="1")
    assert "For all of us" in people["clerk"].get(LIST).text
    assert people["clerk"].post(f"{LIST}own/{own_of(url)}/remove").status_code == 404
    assert people["outsider"].get(url).status_code == people["outsider"].get(LIST).status_code
    people["boss"].post(f"{LIST}own/{own_of(url)}/remove")


def test_a_shared_filter_shows_nobody_more_than_they_may_see(people: dict[str, Person]) -> None:
    url = kept(people["boss"], title="Dear", shared="1", filter="cost > 1", sort="-cost")
    page = people["clerk"].get(url)
    assert page.status_code == 200
    assert 'th scope="col" data-column="cost"' not in page.text
    people["boss"].post(f"{LIST}own/{own_of(url)}/remove")


def test_what_makes_no_sense_is_refused_or_passed_over(people: dict[str, Person]) -> None:
    clerk = people["clerk"]
    assert clerk.post(f"{LIST}own", {"title": "  "}).status_code == 422
    assert clerk.post("/a/shop/v/nothing/own", KEPT).status_code == 404
    assert clerk.get(f"{LIST}?own=nonsense").status_code == 200
    assert clerk.get(kept(clerk, filter="price >")).status_code == 200
