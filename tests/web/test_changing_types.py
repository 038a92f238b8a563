"""A designer changes what a field is, sees what becomes of the records, and publishes."""

from html import unescape
from typing import Any

import pytest

from runtime import definitions, records
from runtime.jobs import drain_jobs
from runtime.tables import live
from tests.web.test_builder import chosen, made


@pytest.fixture
def boss(shop: Any, sign_in: Any) -> Any:
    return sign_in(shop, "boss")


def told(page: Any) -> str:
    return unescape(page.text)


def filled(shop: Any, slug: str, *titles: str) -> None:
    with shop.opened(shop.boss) as ctx:
        table = live(ctx, definitions.installed(ctx, slug), "request")
        records.create_many(ctx, table, [{"field_1": title} for title in titles])


@pytest.fixture
def published(boss: Any) -> tuple[str, str]:
    slug, studio = made(boss)
    assert boss.post(f"/build/{slug}/publish", {}).status_code == 204
    return slug, studio


def test_a_text_becomes_a_choice_of_what_its_records_hold(boss: Any, shop: Any, published: tuple[str, str]) -> None:
    slug, studio = published
    filled(shop, slug, "Rent", "Rent", "Travel")
    page = boss.post(f"{studio}type", {"id": "field_1", "type": "choice"})
    assert page.status_code == 200
    assert chosen(page) == "field_1"
    assert "Rent" in told(page)
    review = told(boss.fragment(f"/build/{slug}/publish"))
    assert "becomes Single choice: all 3 values carry over" in review
    assert boss.post(f"/build/{slug}/publish", {}).status_code == 204
    assert "Travel" in boss.get(f"/a/{slug}/v/request/").text


def test_what_will_not_carry_over_is_shown_before(boss: Any, shop: Any, published: tuple[str, str]) -> None:
    slug, studio = published
    filled(shop, slug, "12", "a dozen")
    boss.post(f"{studio}type", {"id": "field_1", "type": "number"})
    review = told(boss.fragment(f"/build/{slug}/publish"))
    assert "becomes Number: 1 of 2 values carry over" in review
    assert "a dozen" in review


def test_making_a_field_unique_lists_the_offenders_and_waits(boss: Any, shop: Any, published: tuple[str, str]) -> None:
    slug, studio = published
    filled(shop, slug, "Rent", "rent", "Travel")
    boss.post(f"{studio}options", {"path": "field_1", "tab": "field", "label.en": "What", "unique": "true"})
    review = told(boss.fragment(f"/build/{slug}/publish"))
    assert "cannot become unique: 1 values" in review
    assert "disabled" in review.partition("dialog-foot")[2]


def test_a_large_table_is_changed_by_a_job_that_shows_its_progress(
    boss: Any, shop: Any, published: tuple[str, str], database_url: str
) -> None:
    slug, studio = published
    filled(shop, slug, *map(str, range(2_100)))
    boss.post(f"{studio}type", {"id": "field_1", "type": "number"})
    begun = boss.post(f"/build/{slug}/publish", {})
    address = begun.headers["HX-Redirect"]
    assert "/changeover/" in address
    assert "hx-trigger" in boss.fragment(address).text, "the page asks again while it goes on"
    assert boss.post(f"/build/{slug}/publish", {}).status_code in (409, 422), "a second one has to wait"
    assert not drain_jobs(database_url)
    done = boss.fragment(address)
    assert "2,100 of 2,100" in done.text
    assert "hx-trigger" not in done.text


def test_a_change_that_is_stopped_leaves_the_published_app(
    boss: Any, shop: Any, published: tuple[str, str], database_url: str
) -> None:
    slug, studio = published
    filled(shop, slug, *(f"{n} pieces" for n in range(2_100)))
    boss.post(f"{studio}type", {"id": "field_1", "type": "number"})
    address = boss.post(f"/build/{slug}/publish", {}).headers["HX-Redirect"]
    assert boss.post(f"{address}/cancel").status_code == 204
    assert not drain_jobs(database_url)
    assert "Cancelled" in boss.fragment(address).text
    assert "2099 pieces" in boss.get(f"/a/{slug}/v/request/").text


def test_others_find_no_changeover(shop: Any, sign_in: Any, published: tuple[str, str]) -> None:
    slug, studio = published
    clerk = sign_in(shop, "clerk")
    assert clerk.get(f"/build/{slug}/changeover/00000000-0000-0000-0000-000000000007").status_code == 404
    assert clerk.post(f"{studio}type", {"id": "field_1", "type": "number"}).status_code == 404
