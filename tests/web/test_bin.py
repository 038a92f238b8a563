"""The bin: what was deleted comes back with its data, until an administrator deletes it for good."""

import re

import pytest
from sqlalchemy import text, update

from builder import bundle
from runtime import definitions, models, purging
from tests.web.test_revisions import CLUB


@pytest.fixture
def boss(shop, sign_in):
    return sign_in(shop, "boss")


@pytest.fixture
def club(boss, shop):
    with shop.opened(shop.boss) as ctx:
        bundle.install(ctx, {**CLUB, "navigation": [{"view": "all"}, {"form": "joining"}]})
    boss.post("/a/club/f/joining/new", {"name": "Ada", "fax": "fax 123", "fee": "7"})


def publish(boss):
    assert boss.post("/build/club/publish", {}).status_code == 204


def columns_of(shop):
    with shop.opened() as ctx:
        s = models.storage
        return set(ctx.conn.scalars(s.select().with_only_columns(s.c.path).where(s.c.path.startswith("person"))))


def test_a_deleted_form_comes_back_with_its_records_views_and_place_in_the_navigation(boss, club):
    boss.post("/build/club/forms/person/delete")
    assert "deleted in the draft" in boss.get("/build/club/bin").text
    publish(boss)
    assert boss.get("/a/club/v/all/").status_code == 404
    page = boss.get("/build/club/bin").text
    assert "1 records" in page
    assert boss.post("/build/club/bin/restore", {"key": "tables/nothing"}).status_code == 404
    boss.post("/build/club/bin/restore", {"key": "tables/person"})
    publish(boss)
    assert "fax 123" in boss.get("/a/club/v/all/").text
    assert 'href="/a/club/f/joining/new"' in boss.get("/a/club/v/all/").text
    assert "The bin is empty" in boss.get("/build/club/bin").text


def test_a_deleted_field_comes_back_or_is_deleted_for_good(boss, club, shop, sign_in):
    boss.post("/build/club/form/joining/delete", {"id": "fax"})
    publish(boss)
    key = {"key": "field/person.fax"}
    boss.post("/build/club/bin/restore", key)
    publish(boss)
    record = re.search(r'href="(/a/club/t/person/[0-9a-f-]+)"', boss.get("/a/club/v/all/").text)[1]
    assert "fax 123" in boss.get(record).text

    boss.post("/build/club/form/joining/delete", {"id": "fax"})
    assert boss.post("/build/club/bin/purge", {**key, "typed": "person.fax"}).status_code == 404  # still published
    publish(boss)
    assert sign_in(shop, "manager").post("/build/club/bin/purge", {**key, "typed": "person.fax"}).status_code == 404
    assert boss.post("/build/club/bin/purge", {**key, "typed": "fax"}).status_code == 422
    assert "person.fax" in columns_of(shop)
    assert boss.post("/build/club/bin/purge", {**key, "typed": "person.fax"}).status_code == 204
    assert "person.fax" not in columns_of(shop)
    assert "The bin is empty" in boss.get("/build/club/bin").text
    with shop.opened() as ctx:
        h = models.history
        assert not list(ctx.conn.execute(h.select().where(h.c.changes.has_key("fax"))))
    boss.post("/build/club/revisions/back", {"number": "1"})
    publish(boss)
    assert "fax 123" not in boss.get(record).text  # the definition returns, the values do not
    assert "Ada" in boss.get(record).text


def test_a_removed_app_comes_back_whole(boss, club):
    boss.post("/build/club/remove")
    assert boss.get("/a/club/v/all/").status_code == 404
    page = boss.get("/bin/").text
    assert "its data is kept" in page
    id = re.search(r'name="app" value="([^"]+)"', page)[1]
    assert boss.post("/bin/restore", {"app": id}).headers["HX-Redirect"] == "/build/club/"
    assert "fax 123" in boss.get("/a/club/v/all/").text
    assert boss.post("/bin/restore", {"app": id}).status_code == 404


def test_a_removed_app_is_deleted_for_good_by_hand_or_when_its_time_is_over(boss, club, shop):
    boss.post("/build/club/remove", {"data": "bin"})
    page = boss.get("/bin/").text
    assert "its data is deleted" in page
    id = re.search(r'name="app" value="([^"]+)"', page)[1]
    assert boss.post("/bin/purge", {"app": id, "typed": "other"}).status_code == 422
    with shop.opened() as ctx:
        assert purging.purge_due(ctx) == 0
        i = models.installation
        ctx.conn.execute(update(i).where(i.c.purge_at.is_not(None)).values(purge_at=text("now() - interval '1 hour'")))
        assert purging.purge_due(ctx) == 1
        assert definitions.removed(ctx) == []
    assert columns_of(shop) == set()
    assert "No removed apps" in boss.get("/bin/").text
