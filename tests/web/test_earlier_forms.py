"""A record keeps the form it was submitted with: its labels, options, layout and fields, for whoever may see them."""

import copy

import pytest
from sqlalchemy import func, update

from runtime import definitions, earlier, models, query, records
from runtime.access import door
from runtime.actors import System

FIRST = {
    "language": 1,
    "app": "shop",
    "roles": [{"id": "clerk"}, {"id": "manager"}],
    "tables": [
        {
            "id": "visit",
            "title_formula": "name",
            "fields": [
                {"id": "name", "type": "text", "label": {"en": "Name"}},
                {"id": "stage", "type": "choice", "label": {"en": "Stage"}, "options": [{"id": "a", "label": {"en": "Opened"}}]},
                {"id": "budget", "type": "number", "label": {"en": "Budget"}},
                {"id": "cost", "type": "number", "label": {"en": "Inner cost"}},
                {"id": "double", "type": "formula", "formula": "cost * 2", "label": {"en": "Doubled"}},
                {"id": "items", "type": "rows", "label": {"en": "Items"},
                 "fields": [{"id": "what", "type": "text", "label": {"en": "What"}}]},
            ],
        }
    ],
    "forms": [{"id": "visit_form", "table": "visit", "layout": [
        {"section": {"en": "Beginnings"}, "rows": [["name", "stage"], ["budget", "cost"], ["double"], ["items"]]}]}],
    "access": [
        {"id": "all", "who": {"role": "manager"}, "table": "visit", "do": ["read", "create", "update", "history"]},
        {"id": "own", "who": {"role": "clerk"}, "table": "visit", "do": ["read", "history"], "fields": {"*": "read"}},
    ],
}  # fmt: skip


def later():
    """The second revision hides the cost from clerks and renames; the third takes fields away and lays out anew."""
    second = copy.deepcopy(FIRST)
    fields = second["tables"][0]["fields"]
    fields[1]["options"][0]["label"], fields[2]["label"] = {"en": "Started"}, {"en": "Money"}
    fields[5]["fields"][0]["label"] = {"en": "Thing"}
    second["access"][1]["fields"] = {"*": "read", "cost": "hidden", "double": "hidden"}
    third = copy.deepcopy(second)
    third["tables"][0]["fields"] = [f for f in fields if f["id"] not in ("cost", "double")]
    third["forms"][0]["layout"] = [{"section": {"en": "Afterwards"}, "rows": [["name", "stage", "budget"], ["items"]]}]
    third["access"][1]["fields"] = {"*": "read"}
    return second, third


@pytest.fixture
def visit(make_shop):
    """A visit of the first revision, in an app that has gone on to the third."""
    shop = make_shop(FIRST)
    with shop.opened(shop.manager) as ctx:
        given = {"name": "Yun", "stage": "a", "budget": 5, "cost": 77, "items": [{"what": "tea"}]}
        id = records.create(ctx, shop.table(ctx, "visit"), given)
    for package in later():
        with shop.opened(shop.boss) as ctx:
            definitions.publish(ctx, "shop", package)
    return shop, id


def test_a_record_is_shown_in_the_form_it_was_submitted_with(visit, sign_in):
    shop, id = visit
    manager, clerk = sign_in(shop, "manager"), sign_in(shop, "clerk")
    now = manager.get(f"/a/shop/t/visit/{id}").text
    assert all(word in now for word in ("Money", "Started", "Thing", "Afterwards", "?form=then"))
    then = manager.get(f"/a/shop/t/visit/{id}?form=then").text
    for word in ("Budget", "Opened", "What", "Beginnings", "Inner cost", "77", "Doubled", ">154", "tea"):
        assert word in then, word
    assert "Money" not in then
    seen = clerk.get(f"/a/shop/t/visit/{id}?form=then").text
    assert "Budget" in seen
    for word in ("Inner cost", ">77", ">154"):
        assert word not in seen, "clerks could not see it when it was there last"


def test_the_history_tells_fields_by_the_names_they_had_and_those_that_are_gone(visit, sign_in):
    shop, id = visit
    told = sign_in(shop, "manager").fragment(f"/a/shop/t/visit/{id}/history").text
    for word in ("Budget", "now: Money", "Opened", "Inner cost", "field since removed", "77", "tea"):
        assert word in told, word
    clerks = sign_in(shop, "clerk").fragment(f"/a/shop/t/visit/{id}/history").text
    assert "Budget" in clerks
    assert "Inner cost" not in clerks
    assert ">77" not in clerks


def test_who_submits_it_again_brings_it_to_the_form_of_today_and_the_machine_does_not(visit, sign_in):
    shop, id = visit
    for actor, revision in ((System(), 1), (shop.manager, 3)):
        with shop.opened(shop.boss) as ctx:
            ctx = ctx.acting_as(actor)
            table = shop.table(ctx, "visit")
            records.change(ctx, table, id, {"budget": revision + 5})
            assert earlier.revision_of(ctx, table, id) == revision
            assert earlier.definition_of(ctx, table, id).revision == revision
            assert earlier.offered(ctx, table, id) == (revision == 1)
    assert "?form=then" not in sign_in(shop, "manager").get(f"/a/shop/t/visit/{id}").text


def test_of_older_entries_the_revision_follows_from_when_they_were_written(visit):
    shop, id = visit
    with shop.opened(shop.boss) as ctx:
        table, r = shop.table(ctx, "visit"), models.revision
        ctx.conn.execute(update(models.history).values(revision=None, at=func.now()))
        for number, ago in ((1, 3), (2, 2), (3, -1)):
            when = func.now() - func.make_interval(0, 0, 0, ago)
            ctx.conn.execute(update(r).where(r.c.number == number).values(published_at=when))
        assert earlier.revision_of(ctx, table, id) == 2
        found = query.fetch(door(ctx, table), id)
        assert [f.id for f in earlier.as_made(ctx, table, found).table.table.fields][:4] == [
            "name",
            "stage",
            "budget",
            "cost",
        ]


def test_an_app_that_changes_elsewhere_leaves_a_record_in_the_form_of_today(make_shop):
    shop = make_shop(FIRST)
    with shop.opened(shop.manager) as ctx:
        id = records.create(ctx, shop.table(ctx, "visit"), {"name": "Yun"})
    with shop.opened(shop.boss) as ctx:
        definitions.publish(ctx, "shop", {**FIRST, "title": {"en": "Another name"}})
        assert earlier.revision_of(ctx, shop.table(ctx, "visit"), id) == 1
        assert not earlier.offered(ctx, shop.table(ctx, "visit"), id)
