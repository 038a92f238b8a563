"""Statements that are made once: members with the same rights share them, and nothing else."""

from copy import deepcopy
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from sqlalchemy import delete

from runtime import models, people, plans, query, records
from runtime.access import Door, anyones_door, door
from runtime.plans import Individual
from runtime.query import Listing
from schemas.formula import Formula
from tests.runtime.conftest import SHOP

OWN = Listing(["title", "cost"], [Formula.of("owner = ME()")], size=10)


@pytest.fixture
def two_clerks(shop):
    """The clerk, and a colleague who has become one too."""
    with shop.opened() as ctx:
        inst = shop.table(ctx, "book").inst
        people.give_role(ctx, inst.id, "clerk", shop.outsider.id)
    return shop.clerk, shop.outsider


def titles(shop, person, listing=OWN, **options):
    with shop.opened(person, **options) as ctx:
        return [r["title"] for r in query.page(door(ctx, shop.table(ctx, "book")), listing).records]


def test_colleagues_share_a_statement_and_see_their_own_records(shop, two_clerks):
    for person in two_clerks:
        with shop.opened(person) as ctx:
            records.create(ctx, shop.table(ctx, "book"), {"title": f"Of {person.name}", "kind": "essay"})
    assert [titles(shop, person) for person in two_clerks] == [["Of Clerk"], ["Of Outsider"]]
    with shop.opened(two_clerks[0]) as ctx:
        kept = len(shop.table(ctx, "book").plans)
    assert titles(shop, two_clerks[1], Listing(OWN.columns, OWN.where, size=10)) == ["Of Outsider"]
    with shop.opened(two_clerks[1]) as ctx:
        assert len(shop.table(ctx, "book").plans) == kept


def test_another_right_is_another_statement(shop):
    with shop.opened(shop.manager) as ctx:
        values = {"title": "Emma", "cost": Decimal(3), "owner": shop.clerk.id}
        records.create(ctx, shop.table(ctx, "book"), values)
    for person, cost in ((shop.manager, Decimal(3)), (shop.clerk, None), (shop.boss, Decimal(3))):
        with shop.opened(person) as ctx:
            gate = door(ctx, shop.table(ctx, "book"))
            [found] = query.page(gate, Listing(gate.shown(["title", "cost"]), size=10)).records
            assert found["cost"] == cost


def test_a_role_given_and_taken_away_counts_with_the_next_request(shop, two_clerks):
    with shop.opened(two_clerks[1]) as ctx:
        records.create(ctx, shop.table(ctx, "book"), {"title": "Emma"})
    everything = Listing(["title"], size=10)
    assert titles(shop, two_clerks[1], everything) == ["Emma"]
    with shop.opened() as ctx:
        people.give_role(ctx, shop.table(ctx, "book").inst.id, "manager", two_clerks[1].id)
        records.create(ctx, shop.table(ctx, "book"), {"title": "Ideas", "kind": "essay"})
    assert titles(shop, two_clerks[1], everything) == ["Ideas", "Emma"]
    with shop.opened() as ctx:
        given = models.role_member
        ctx.conn.execute(delete(given).where(given.c.member_id == two_clerks[1].id, given.c.role == "manager"))
    assert titles(shop, two_clerks[1], everything) == ["Emma"]


def test_the_day_is_that_of_the_request(shop):
    with shop.opened(shop.manager) as ctx:
        records.create(ctx, shop.table(ctx, "book"), {"title": "Emma", "due": datetime(2026, 5, 2).date()})
    late = Listing(["title"], [Formula.of("due < TODAY()")], size=10)
    days = [datetime(2026, 5, day, 4, tzinfo=UTC) for day in (2, 3, 2)]
    assert [titles(shop, shop.manager, late, now=day) for day in days] == [[], ["Emma"], []]


def test_a_page_further_on_begins_where_the_last_one_ended(shop):
    with shop.opened(shop.manager) as ctx:
        book = shop.table(ctx, "book")
        for n in range(5):
            records.create(ctx, book, {"title": f"T{n}", "price": Decimal(n) if n else None})
        seen, after = [], ""
        for _ in range(3):
            page = query.page(door(ctx, book), Listing(["title"], sort=["price"], size=2, after=after))
            seen += [r["title"] for r in page.records]
            after = page.after
    assert seen == ["T1", "T2", "T3", "T4", "T0"]


def test_what_nobody_in_particular_can_know_is_not_planned(shop):
    with shop.opened(shop.clerk) as ctx:
        other = anyones_door(door(ctx, shop.table(ctx, "book"))).ctx
        for ask in (lambda: other.now, lambda: other.today, lambda: other.conn, lambda: other.language,
                    lambda: other.actor.id, lambda: other.actor.name):  # fmt: skip
            with pytest.raises(Individual):
                ask()


def test_a_statement_that_depends_on_the_person_otherwise_is_made_for_each(shop):
    def name(gate: Door) -> str:
        return gate.ctx.actor.name

    for person in (shop.clerk, shop.manager, shop.clerk):
        with shop.opened(person) as ctx:
            assert plans.plan(door(ctx, shop.table(ctx, "book")), "name", name).made == person.name


def test_rows_of_another_app_with_the_same_grants_are_asked_for_anew(make_shop):
    package = deepcopy(SHOP)
    for _ in range(2):
        shop = make_shop(package)
        with shop.opened(shop.clerk) as ctx:
            records.create(ctx, shop.table(ctx, "book"), {"title": shop.workspace.slug})
        assert titles(shop, shop.clerk) == [shop.workspace.slug]
