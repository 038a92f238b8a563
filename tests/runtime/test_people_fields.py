"""Fields of members and departments: who may be chosen, who sees what, filters, files."""

from collections.abc import Callable
from typing import Any

import pytest

from runtime import importing, models, people, query, ranges, records
from runtime.access import door
from runtime.query import Listing
from runtime.sheets import Sheet
from schemas import filling
from schemas.errors import Denied, InvalidInput, NotFound
from schemas.formula import Formula
from schemas.importing import suggest
from tests.runtime.conftest import Shop

OFFICE: dict[str, Any] = {
    "language": 1,
    "app": "shop",
    "roles": [{"id": "clerk"}, {"id": "manager"}],
    "slots": [{"id": "shop_floor", "type": "department"}],
    "tables": [
        {
            "id": "job",
            "title_formula": "name",
            "fields": [
                {"id": "name", "type": "text"},
                {"id": "team", "type": "members"},
                {"id": "units", "type": "departments", "default": "=ME().department"},
                {"id": "unit", "type": "department"},
                {"id": "checker", "type": "member", "roles": ["manager"]},
                {"id": "seller", "type": "member", "slots": ["shop_floor"]},
                {"id": "deputy", "type": "members", "among": "unit"},
                {"id": "size", "type": "formula", "formula": "COUNT(team)"},
                {"id": "mine", "type": "formula", "formula": "CONTAINS(team, created_by)"},
                {"id": "parts", "type": "rows", "fields": [{"id": "who", "type": "member", "among": "team"}]},
            ],
        }
    ],
    "access": [
        {"id": "all", "who": {"role": "manager"}, "table": "job", "do": ["read", "create", "update", "import"]},
        {"id": "own", "who": {"role": "clerk"}, "table": "job", "do": ["read", "create", "update"], "rows": "ME() IN team"},
    ],
}  # fmt: skip


@pytest.fixture
def office(make_shop: Callable[..., Shop]) -> Shop:
    return make_shop(OFFICE)


def add(ctx: Any, office: Shop, **answers: Any) -> Any:
    live = office.table(ctx, "job")
    values, unread = filling.parse(live.table, answers, ctx.zone)
    assert not unread
    return records.create(ctx, live, values)


def names(ctx: Any, office: Shop, condition: str = "TRUE") -> list[str]:
    gate = door(ctx, office.table(ctx, "job"))
    return [r["name"] for r in query.page(gate, Listing(["name"], [Formula.of(condition)], ["name"])).records]


@pytest.fixture
def jobs(office: Shop) -> Shop:
    with office.opened(office.manager) as ctx:
        add(ctx, office, name="a", team=[str(office.clerk.id), str(office.manager.id)])
        add(ctx, office, name="b", team=[str(office.manager.id)])
        add(ctx, office, name="c", units=[])
    return office


def test_a_clerk_sees_what_they_take_part_in(jobs):
    with jobs.opened(jobs.clerk) as ctx:
        assert names(ctx, jobs) == ["a"]
    with jobs.opened(jobs.outsider) as ctx, pytest.raises((Denied, NotFound)):
        names(ctx, jobs)


def test_a_clerk_cannot_take_themselves_out_of_a_record(jobs):
    with jobs.opened(jobs.clerk) as ctx:
        live = jobs.table(ctx, "job")
        id = query.page(door(ctx, live), Listing(["name"])).records[0].id
        with pytest.raises(Denied, match="outside what you may change"):
            records.change(ctx, live, id, {"team": [jobs.manager.id]})


def test_filters_by_me_by_any_and_by_all(jobs):
    clerk, manager = jobs.clerk.id, jobs.manager.id
    with jobs.opened(jobs.manager) as ctx:
        assert names(ctx, jobs, "ME() IN team") == ["a", "b"]
        assert names(ctx, jobs, f'"{clerk}" IN team') == ["a"]
        assert names(ctx, jobs, f'OR("{clerk}" IN team, "{manager}" IN team)') == ["a", "b"]
        assert names(ctx, jobs, f'AND("{clerk}" IN team, "{manager}" IN team)') == ["a"]
        assert names(ctx, jobs, f'NOT("{clerk}" IN team)') == ["b", "c"]
        assert names(ctx, jobs, "ISBLANK(team)") == ["c"]
        assert names(ctx, jobs, f'created_by IN {{"{clerk}","{manager}"}}') == ["a", "b", "c"]
        assert names(ctx, jobs, f'created_by = "{clerk}"') == []
        assert names(ctx, jobs, "mine") == ["a", "b"]
        assert names(ctx, jobs, "size = 2") == ["a"]


def test_the_own_department_is_there_from_the_start(jobs):
    with jobs.opened(jobs.manager) as ctx:
        live = jobs.table(ctx, "job")
        own = people.Directory.of(ctx).fact(jobs.manager.id, "department")
        assert [r["units"] for r in query.page(door(ctx, live), Listing(["units"], sort=["name"])).records] == [
            [own],
            [own],
            None,
        ]


def test_only_those_in_the_range_can_be_chosen(jobs):
    with jobs.opened(jobs.manager) as ctx:
        floor = people.add_department(ctx, "Floor")
        below = people.add_department(ctx, "Till", parent=floor)
        eve = people.add_member(ctx, "Eve", department_id=below)
        live = jobs.table(ctx, "job")
        people.assign_slot(ctx, live.inst.id, "shop_floor", floor)
        by_id = live.table.by_id
        assert ranges.candidates(ctx, live, by_id["checker"], {}) == {jobs.manager.id}
        assert ranges.candidates(ctx, live, by_id["seller"], {}) == {eve}
        assert ranges.candidates(ctx, live, by_id["deputy"], {"unit": floor}) == {eve}
        assert ranges.candidates(ctx, live, by_id["deputy"], {}) == set()
        assert ranges.candidates(ctx, live, by_id["team"], {}) is None
        add(ctx, jobs, name="d", checker=str(jobs.manager.id), seller=str(eve), unit=str(below), deputy=[str(eve)])
        for refused in (
            {"checker": str(jobs.clerk.id)},
            {"seller": str(jobs.clerk.id)},
            {"unit": str(floor), "deputy": [str(eve), str(jobs.clerk.id)]},
            {"team": [str(eve)], "parts": [{"who": str(jobs.clerk.id)}]},
        ):
            with pytest.raises(InvalidInput, match="Clerk cannot be chosen here"):
                add(ctx, jobs, name="e", **refused)


def test_who_has_left_the_range_may_stay_where_they_are(jobs):
    with jobs.opened(jobs.manager) as ctx:
        id = add(ctx, jobs, name="d", checker=str(jobs.manager.id))
        live = jobs.table(ctx, "job")
        people.set_role(ctx, live.inst.id, "manager", [])
    with jobs.opened(jobs.boss) as ctx:
        live = jobs.table(ctx, "job")
        records.change(ctx, live, id, {"name": "renamed", "checker": jobs.manager.id})


def test_names_in_a_cell_become_members_and_strangers_are_told(jobs):
    rows = [
        {"name": "x", "team": "Clerk、 manager", "units": "Sales"},
        {"name": "y", "team": "Clerk, Nobody", "units": None},
    ]
    with jobs.opened(jobs.manager) as ctx:
        live = jobs.table(ctx, "job")
        mapping = suggest(live.table, ["name", "team", "units"], {})
        report = importing.run_now(ctx, live, Sheet(["name", "team", "units"], rows), mapping)
        assert (report.total, report.sound) == (2, 1)
        assert [str(t.message) for t in report.sorted()] == ["'Nobody' was not found."]
        made = query.page(door(ctx, live), Listing(["team"], [Formula.of('name = "x"')])).records[0]
        assert made["team"] == [jobs.clerk.id, jobs.manager.id]


def test_a_list_of_people_has_an_index_where_a_grant_reads_it(jobs):
    with jobs.opened(jobs.boss) as ctx:
        live = jobs.table(ctx, "job")
        column = live.sql.c.team.name
        w = models.wanted_index
        statements = [r.statement for r in ctx.conn.execute(w.select().where(w.c.name == f"{column}_in"))]
        assert "USING gin" in statements[0]


def test_departments_of_one_name_are_told_apart_by_their_paths(shop):
    with shop.opened(shop.boss) as ctx:
        north, south = (people.add_department(ctx, name) for name in ("North", "South"))
        there, here = (people.add_department(ctx, "Service", parent) for parent in (north, south))
        directory = people.Directory.of(ctx)
        assert directory.names([north, there, here]) == {
            north: "North", there: "North / Service", here: "South / Service",
        }  # fmt: skip
        offered = ranges.offered(directory, "department", "serv", None)
        assert {(one["text"], one["note"]) for one in offered} == {("North / Service", ""), ("South / Service", "")}
        known = importing.people_by_name(ctx, "department")
        assert (known["south / service"], known["south"], known.get("service")) == (str(here), str(south), None)
