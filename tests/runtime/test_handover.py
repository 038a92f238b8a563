"""Somebody leaves: what stood in their name goes to others in one act, history tells it, and nothing is lost."""

from copy import deepcopy

import pytest
from sqlalchemy import select, update

from runtime import (
    definitions,
    flows,
    handover,
    history,
    jobs,
    membership,
    models,
    people,
    powers,
    query,
    records,
    roles,
    tasks,
)
from runtime.access import door
from runtime.handover import STAY
from runtime.models_flow import flow_instance
from runtime.people import Directory
from schemas.errors import InvalidInput, NotFound
from tests.runtime.conftest import SHOP

PACKAGE = deepcopy(SHOP)
PACKAGE["slots"] = [{"id": "buyer"}]
PACKAGE["tables"][1]["fields"] += [{"id": "readers", "type": "members"}]
PACKAGE["tables"][1]["fields"][9]["fields"] += [{"id": "keeper", "type": "member"}]
PACKAGE["flows"] = [
    {
        "id": "check", "title": "Check", "trigger": {"button": {"table": "book", "label": "Check"}},
        "steps": [{"id": "look", "type": "approve", "who": {"field": "owner"}, "if_self": "ask"},
                  {"id": "in_turn", "type": "approve", "who": [{"role": "clerk"}, {"role": "manager"}], "quorum": "in_order"}],
    }
]  # fmt: skip


@pytest.fixture(scope="module")
def shop(make_shop):
    """Books of the clerk, one shared with others, one in a flow that waits for them and that they started."""
    made = make_shop(PACKAGE)
    with made.opened() as ctx:
        inst, live = definitions.installed(ctx, "shop"), made.table(ctx, "book")
        made.units = list(Directory.of(ctx).units)
        people.assign_slot(ctx, inst.id, "buyer", made.clerk.id)
        own = [records.create(ctx, live, {"title": f"Book {n}", "owner": made.clerk.id}) for n in range(5)]
        others = {"title": "Shared", "owner": made.manager.id, "readers": [made.clerk.id, made.outsider.id]}
        rows = [{"place": "A", "keeper": made.clerk.id}, {"place": "B", "keeper": made.manager.id}]
        made.shared = records.create(ctx, live, {**others, "copies": rows})
        made.own = own
    with made.opened(made.clerk) as ctx:
        made.run = flows.press(ctx, made.table(ctx, "book"), inst.app.flow("check"), own[0])
    return made


def lines(shop, ctx):
    return {line.key: line.count for line in handover.preview(ctx, shop.clerk.id)}


def test_the_preview_counts_everything_that_stands_in_a_name(shop):
    with shop.opened(shop.boss) as ctx:
        assert lines(shop, ctx) == {
            "records:shop/book/owner": 5, "records:shop/book/readers": 1, "records:shop/book/copies.keeper": 1,
            "tasks": 1, "runs": 1, "slots": 1, "roles": 1,
        }  # fmt: skip


def test_everything_goes_to_the_successors_and_history_tells_it(shop):
    with shop.opened(shop.boss) as ctx:
        chosen = {"records:shop/book/copies.keeper": str(shop.outsider.id), "records:shop/book/readers": STAY}
        plan = handover.plan(ctx, shop.clerk.id, chosen, str(shop.manager.id))
        membership.leave(ctx, shop.clerk.id)
        run = handover.run_of(ctx, handover.begin(ctx, shop.clerk.id, plan))
        assert run.state == "done"
        live = shop.table(ctx, "book")
        for id in shop.own:
            found = query.fetch(door(ctx, live), id)
            assert found.values["owner"] == shop.manager.id
            entry = history.of_record(ctx, live, id)[0]
            assert (entry.actor_id, entry.origin, list(entry.changes)) == (shop.boss.id, "hand_over", ["owner"])
        shared = query.fetch(door(ctx, live), shop.shared)
        assert shared.values["readers"] == [shop.clerk.id, shop.outsider.id]
        assert [row["keeper"] for row in shared.values["copies"]] == [shop.outsider.id, shop.manager.id]
        assert lines(shop, ctx) == {"records:shop/book/readers": 1}
        assert definitions.slots(ctx, live.inst)["buyer"] == shop.manager.id
        assert sorted(roles.names_of(ctx, shop.manager.id)) == ["shop.clerk", "shop.manager"]
        started = ctx.conn.scalar(select(flow_instance.c.starter_id).where(flow_instance.c.id == shop.run))
        assert started == shop.manager.id
        manager = ctx.acting_as(shop.manager)
        assert [line.step for line in tasks.listed(manager, tasks.Asked())[0]] != []
        told = {str(one.title): one.count for one in handover.told(ctx, run)}
        assert told["Tasks and flows"] == 1
        membership.come_back(ctx, shop.clerk.id)
        assert membership.one(ctx, shop.clerk.id).name == "Clerk"
        assert query.fetch(door(ctx, live), shop.own[0]).values["owner"] == shop.manager.id
        ctx.conn.rollback()


def test_much_is_handed_over_by_a_job_that_says_how_far_it_is(shop, database_url, monkeypatch):
    monkeypatch.setattr(handover, "AT_ONCE", 2)
    monkeypatch.setattr(handover, "CHUNK", 2)
    with shop.opened(shop.boss) as ctx:
        dora = people.add_member(ctx, "Dora")
        live = shop.table(ctx, "author")
        books = shop.table(ctx, "book")
        ids = [records.create(ctx, books, {"title": f"D{n}", "owner": dora}) for n in range(5)]
        plan = handover.plan(ctx, dora, {}, str(shop.manager.id))
        membership.leave(ctx, dora)
        run = handover.begin(ctx, dora, plan)
        assert handover.run_of(ctx, run).state == "waiting"
        assert live.id == "author"
    assert jobs.drain_jobs(database_url) == []
    with shop.opened() as ctx:
        found = handover.run_of(ctx, run)
        assert (found.state, found.done, found.total) == ("done", 5, 5)
        owners = {query.fetch(door(ctx, books), id).values["owner"] for id in ids}
        assert owners == {shop.manager.id}


def test_a_value_that_must_be_unique_and_is_taken_keeps_its_record_where_it_is(make_shop):
    package = deepcopy(SHOP)
    package["tables"][1]["keys"] = [{"fields": ["owner", "kind"]}]
    shop = make_shop(package)
    with shop.opened(shop.boss) as ctx:
        live = shop.table(ctx, "book")
        taken = records.create(ctx, live, {"title": "Taken", "owner": shop.clerk.id, "kind": "novel"})
        free = records.create(ctx, live, {"title": "Free", "owner": shop.clerk.id, "kind": "essay"})
        records.create(ctx, live, {"title": "In the way", "owner": shop.manager.id, "kind": "novel"})
        run = handover.begin(ctx, shop.clerk.id, handover.plan(ctx, shop.clerk.id, {}, str(shop.manager.id)))
        assert query.fetch(door(ctx, live), free).values["owner"] == shop.manager.id
        assert query.fetch(door(ctx, live), taken).values["owner"] == shop.clerk.id
        assert handover.run_of(ctx, run).told["kept"] == [{"key": "shop/book/owner", "id": str(taken)}]


def test_nobody_takes_over_who_is_not_there_or_is_outside_or_is_the_leaver(shop):
    with shop.opened(shop.boss) as ctx:
        gone = people.add_member(ctx, "Gone", left_at=ctx.now)
        guest = people.add_member(ctx, "Guest", external=True)
        for wrong in (gone, guest, shop.clerk.id, shop.workspace.id):
            with pytest.raises(InvalidInput):
                handover.plan(ctx, shop.clerk.id, {}, str(wrong))
        ctx.conn.rollback()


def test_a_department_s_administrator_hands_over_within_it_and_takes_nothing_themselves(shop):
    [sales] = shop.units
    with shop.opened() as ctx:
        powers.give(ctx, shop.outsider.id, "department", sales, ["members"], ["shop.clerk"])
        ben = people.add_member(ctx, "Ben", department_id=sales)
        mine = ctx.acting_as(people.member_by_id(ctx, shop.outsider.id))
        assert set(lines(shop, mine)) >= {"tasks", "runs"}
        assert not {"slots", "roles", "heads", "duties"} & set(lines(shop, mine))
        assert handover.plan(mine, shop.clerk.id, {}, str(ben)).to
        for wrong in (shop.outsider.id, shop.manager.id, shop.boss.id):
            with pytest.raises(InvalidInput):
                handover.plan(mine, shop.clerk.id, {}, str(wrong))
        ctx.conn.rollback()


# -- sub-administrators of a department ------------------------------------------------------------


@pytest.fixture
def hr(shop):
    """The outsider manages Sales and may give the role of a clerk there; yields their context."""
    [sales] = shop.units
    with shop.opened() as ctx:
        powers.give(ctx, shop.outsider.id, "department", sales, ["members"], ["shop.clerk"])
        yield ctx.acting_as(people.member_by_id(ctx, shop.outsider.id))
        ctx.conn.rollback()


def given(**facts):
    others = facts.pop("others", ())
    return membership.Given(
        {"name": "N", "email": None, "phone": None, "title": None, "department_id": None, **facts}, others
    )


def test_they_manage_those_of_their_departments_who_have_no_power_beyond_theirs(shop, hr):
    assert powers.manages(hr, shop.clerk.id)
    assert not powers.manages(hr, shop.boss.id)  # an administrator
    assert not powers.manages(hr, shop.manager.id)  # has a role that is not theirs to give
    assert not powers.manages(hr, shop.outsider.id)  # themselves
    elsewhere = people.add_member(hr, "Else")
    assert not powers.manages(hr, elsewhere)
    names = [one.name for one in membership.found(hr, membership.Asked())[0]]
    assert "Else" not in names
    with pytest.raises(NotFound):
        membership.leave(hr, shop.manager.id)
    with pytest.raises(NotFound):
        membership.renew_password(hr, shop.clerk.id)


def test_they_bring_about_no_role_that_is_not_on_their_list_by_whatever_way(shop, hr):
    [sales] = shop.units
    key = roles.Key(definitions.installed(hr, "shop").id, "manager")
    system = hr.acting_as(shop.boss)
    id = membership.add(hr, given(department_id=sales))
    roles.set_parts(system, key, [roles.Part(None, "formula", formula='title = "Chief"')])
    Directory.of(hr).forget()
    with pytest.raises(InvalidInput, match=r"shop\.manager"):
        membership.save(hr, id, given(department_id=sales, title="Chief"), False)
    with pytest.raises(InvalidInput, match=r"shop\.manager"):
        membership.add(hr, given(department_id=sales, title="Chief"))
    roles.set_parts(system, key, [roles.Part(None, "department", sales)])
    Directory.of(hr).forget()
    with pytest.raises(InvalidInput, match=r"shop\.manager"):
        membership.add(hr, given(department_id=sales))


def test_they_reach_no_department_but_theirs_and_make_no_administrators(shop, hr):
    [sales] = shop.units
    office = people.add_department(hr, "Office")
    for wrong in (given(department_id=office), given(), given(department_id=sales, others=(office,))):
        with pytest.raises(InvalidInput, match="department that you manage"):
            membership.add(hr, wrong)
    id = membership.add(hr, given(department_id=sales), admin=True)
    assert not membership.one(hr, id).admin
    membership.save(hr, id, given(department_id=sales), admin=True)
    assert not membership.one(hr, id).admin
    with pytest.raises(InvalidInput, match="department that you manage"):
        membership.save(hr, id, given(department_id=office), False)


def test_whoever_leaves_or_is_made_external_administers_nothing(shop, hr):
    hr.conn.execute(update(models.member).where(models.member.c.id == shop.outsider.id).values(external=True))
    outside = hr.acting_as(people.member_by_id(hr, shop.outsider.id))
    assert powers.mine(outside) == []
    assert powers.departments(outside) == set()
