"""Who has a role: by list, by department and those below, through a role of the workspace, by what is true of them."""

from itertools import product

import pytest
from sqlalchemy import update

from runtime import definitions, models, people, roles
from runtime.access import door
from runtime.people import Directory
from runtime.roles import Key, Part
from schemas.errors import InvalidInput


@pytest.fixture(scope="module")
def shop(make_shop):
    """A company: Sales with East and North below it, its people, and a contact outside."""
    made = make_shop()
    with made.opened() as ctx:
        sales = next(iter(Directory.of(ctx).units))
        east = people.add_department(ctx, "East", sales)
        north = people.add_department(ctx, "North", east)
        made.units = {"sales": sales, "east": east, "north": north}
        made.staff = {
            "anna": people.add_member(ctx, "Anna", title="Manager", department_id=north),
            "ben": people.add_member(ctx, "Ben", title="Rep", department_id=east, email="ben@shop.example"),
            "cleo": people.add_member(ctx, "Cleo", title="Manager"),
            "guest": people.add_member(ctx, "Guest", title="Manager", external=True, company="Acme"),
        }
        ctx.conn.execute(models.member_department.insert().values(member_id=made.staff["cleo"], department_id=north))
        people.set_head(ctx, north, made.staff["ben"])
    return made


def key(ctx):
    return Key(definitions.installed(ctx, "shop").id, "clerk")


def named(shop, ids):
    known = {id: name for name, id in shop.staff.items()} | {shop.clerk.id: "clerk", shop.manager.id: "manager"}
    return {known[id] for id in ids if id in known}


def test_a_department_gives_a_role_to_its_people_and_where_said_to_those_below(shop):
    with shop.opened() as ctx:
        roles.set_parts(ctx, key(ctx), [Part(None, "department", shop.units["east"])])
        assert named(shop, roles.members(ctx, key(ctx))) == {"clerk", "ben"}
        roles.set_parts(ctx, key(ctx), [Part(None, "department", shop.units["east"], below=True)])
        assert named(shop, roles.members(ctx, key(ctx))) == {"clerk", "ben", "anna", "cleo"}
        ctx.conn.rollback()


def test_a_formula_gives_a_role_to_those_of_whom_it_is_true_but_not_to_contacts_outside(shop):
    with shop.opened() as ctx:
        roles.set_parts(ctx, key(ctx), [Part(None, "formula", formula='title = "manager"')])
        assert named(shop, roles.members(ctx, key(ctx))) == {"clerk", "anna", "cleo"}
        roles.set_parts(ctx, key(ctx), [Part(None, "formula", formula='AND(external, title = "Manager")')])
        assert named(shop, roles.members(ctx, key(ctx))) == {"clerk", "guest"}
        ctx.conn.rollback()


FORMULAS = [
    'title = "Manager"', 'department.name = "East"', 'department.parent.name = "Sales"', "external", "NOT(external)",
    'head.name = "Ben"', "ISBLANK(email)", 'COUNT(headed_departments) > 0', 'OR(title = "Rep", name = "Cleo")',
    'LEFT(email, 3) = "ben"', "TRUE",
]  # fmt: skip


def test_one_member_is_judged_as_the_database_judges_everybody(shop):
    with shop.opened() as ctx:
        everybody = [*shop.staff.values(), shop.clerk.id, shop.manager.id, shop.outsider.id]
        for formula in FORMULAS:
            roles.set_parts(ctx, key(ctx), [Part(None, "formula", formula=formula)])
            found = set(roles.members(ctx, key(ctx)))
            alone = {id for id in everybody if "shop.clerk" in Directory.of(ctx).roles_of(id)}
            assert found & set(everybody) == alone, formula
        ctx.conn.rollback()


def test_a_role_of_the_workspace_is_given_on_by_roles_of_apps_and_told_with_its_reason(shop):
    with shop.opened() as ctx:
        leaders = roles.save(ctx, None, "Leaders", "", [Part(None, "formula", formula='title = "Manager"')])
        roles.set_parts(ctx, key(ctx), [Part(None, "role", leaders)])
        [held] = [one for one in roles.held(ctx, shop.staff["anna"]) if one.app == "shop"]
        assert str(roles.explain(ctx, held.why[0])) == "through the role Leaders of the workspace"
        assert named(shop, roles.members(ctx, key(ctx))) == {"clerk", "anna", "cleo"}
        with pytest.raises(InvalidInput, match="shop: clerk"):
            roles.remove(ctx, leaders)
        roles.set_parts(ctx, key(ctx), [])
        roles.remove(ctx, leaders)
        assert roles.all_of_workspace(ctx) == []
        ctx.conn.rollback()


def test_a_change_of_title_opens_and_closes_records_at_once(shop):
    anna = shop.staff["anna"]
    with shop.opened() as ctx:
        roles.set_parts(ctx, key(ctx), [Part(None, "formula", formula='title = "Manager"')])
    with shop.opened() as ctx:
        assert door(ctx.acting_as(people.member_by_id(ctx, anna)), shop.table(ctx, "book")).may("create")
    with shop.opened() as ctx:
        ctx.conn.execute(update(models.member).where(models.member.c.id == anna).values(title="Rep"))
    with shop.opened() as ctx:
        assert not door(ctx.acting_as(people.member_by_id(ctx, anna)), shop.table(ctx, "book")).may("read")


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        ("title", "yes or no"),
        ('roles = "x"', "no fact 'roles'"),
        ("salary > 3", "no fact 'salary'"),
        ('ME().title = "x"', "who is judged"),
        ("title = ", "character"),
    ],
)
def test_a_condition_that_cannot_be_judged_is_refused_with_words(shop, formula, words):
    with shop.opened() as ctx, pytest.raises(InvalidInput, match=words):
        roles.set_parts(ctx, key(ctx), [Part(None, "formula", formula=formula)])


def test_nobody_of_the_company_is_everyone_to_a_contact_outside_nor_offered_to_them(shop):
    with shop.opened() as ctx:
        guest = ctx.acting_as(people.member_by_id(ctx, shop.staff["guest"]))
        directory = Directory.of(guest)
        assert [p.name for p in directory.search()] == ["Guest"]
        assert directory.offered_units() == []
        assert directory.known(shop.staff.values()) == {shop.staff["guest"]}
        assert len(list(product(Directory.of(ctx).search(), [1]))) == 8
