"""Departments, roles, administrators, leaving and personal data in the browser, by those who may and those who may not."""

import io
import json
import re
import zipfile
from uuid import UUID

import pytest
from PIL import Image
from sqlalchemy import insert, select

from runtime import definitions, flows, jobs, membership, models, people, powers, records, roles
from runtime.ids import new_id
from runtime.people import Directory
from runtime.roles import Key, Part
from runtime.sheets import read_sheet


@pytest.fixture(scope="module")
def shop(make_shop):
    made = make_shop()
    with made.opened() as ctx:
        made.sales = next(iter(Directory.of(ctx).units))
        made.east = people.add_department(ctx, "East", made.sales)
        made.office = people.add_department(ctx, "Office")
        made.anna = people.add_member(ctx, "Anna", title="Rep", department_id=made.east, email="anna@shop.example")
        made.app = definitions.installed(ctx, "shop").id
    return made


@pytest.fixture(scope="module")
def boss(shop, sign_in):
    return sign_in(shop, "boss")


@pytest.fixture(scope="module")
def clerk(shop, sign_in):
    return sign_in(shop, "clerk")


@pytest.fixture(scope="module")
def outsider(shop, sign_in):
    """Manages Sales and designs the shop, after the tests of this file have said so."""
    return sign_in(shop, "outsider")


def place_of(answer):
    return answer.headers["HX-Redirect"]


# -- members ---------------------------------------------------------------------------------------


def test_a_company_of_many_is_paged_and_found_by_department_role_and_state(boss, shop):
    with shop.opened() as ctx:
        rows = [
            {"id": new_id(), "name": f"Many {n:05}", "title": "Worker", "department_id": shop.office}
            for n in range(120)
        ]
        ctx.conn.execute(insert(models.member), rows)
    first = boss.get("/members/?q=many").text
    assert "Many 00000" in first
    assert "Many 00050" not in first
    assert "1–50 / 120" in first
    assert "Many 00119" in boss.get("/members/?q=many&page=3").text
    assert "Anna" in boss.get(f"/members/?department={shop.sales}").text  # of a department below
    assert "Many" not in boss.get(f"/members/?department={shop.sales}").text
    assert re.findall(r"<span>(\w+)</span></a></td>", boss.get("/members/?role=shop.clerk").text) == ["Clerk"]
    assert "Boss" in boss.get("/members/?state=admin").text
    assert "Nobody is found" in boss.get("/members/?state=left").text
    assert boss.fragment("/members/?q=anna").text.lstrip().startswith('<div id="members">')
    for odd in ("page=x", "page=-3", "role=none", "state=none", "department=none", "q=%25"):
        assert boss.get(f"/members/?{odd}").status_code == 200


def test_a_member_has_several_departments_a_picture_and_roles_with_their_reasons(boss, shop):
    page = f"/members/{shop.anna}"
    sent = {
        "name": "Anna",
        "email": "anna@shop.example",
        "title": "Rep",
        "department": shop.east,
        "others": [shop.office],
    }
    assert boss.post(page, sent).status_code == 204
    with shop.opened() as ctx:
        assert Directory.of(ctx).person(shop.anna).departments == (shop.east, shop.office)
        roles.set_parts(ctx, Key(shop.app, "clerk"), [Part(None, "formula", formula='title = "Rep"')])
    assert "because title = " in boss.get(page).text
    Image.new("RGB", (900, 600), "red").save(picture := io.BytesIO(), "PNG")
    picture.seek(0)
    form = {"avatar": (picture, "me.png")}
    assert boss.post(f"{page}/avatar", form, content_type="multipart/form-data").status_code == 204
    with boss.get(f"/people/{shop.anna}/avatar") as shown:
        assert shown.mimetype == "image/webp"
        assert Image.open(io.BytesIO(shown.data)).size == (480, 320)
    bad = {"avatar": (io.BytesIO(b"<svg/>"), "me.png")}
    assert boss.post(f"{page}/avatar", bad, content_type="multipart/form-data").status_code == 422
    assert boss.post(f"{page}/avatar", {"without": "1"}).status_code == 204
    assert boss.get(f"/people/{shop.anna}/avatar").status_code == 404
    boss.post(f"{page}/roles", {"give": "shop.manager"})
    with shop.opened() as ctx:
        assert sorted(roles.names_of(ctx, shop.anna)) == ["shop.clerk", "shop.manager"]
    boss.post(f"{page}/roles", {"take": "shop.manager"})
    with shop.opened() as ctx:
        assert roles.names_of(ctx, shop.anna) == ["shop.clerk"]
        roles.set_parts(ctx, Key(shop.app, "clerk"), [])


def test_the_exported_members_are_a_file_that_brings_the_same_people_elsewhere(
    boss, shop, make_shop, sign_in, database_url
):
    body = boss.get("/members/export").data
    sheet = read_sheet(body, "members.xlsx")
    lines = [[row.get(heading) for heading in sheet.headings] for row in sheet.rows]
    assert sheet.headings == ["Name", "E-mail", "Phone", "Job title", "Department", "Head of the department"]
    assert ["Anna", "anna@shop.example", None, "Rep", "Sales / East; Office", None] in lines
    elsewhere = make_shop()
    other = sign_in(elsewhere, "boss")
    form = {"file": (io.BytesIO(body), "members.xlsx")}
    run = other.post("/members/import/", form, content_type="multipart/form-data").headers["Location"]
    chosen = {
        "column:name": "Name",
        "column:email": "E-mail",
        "column:title": "Job title",
        "column:department": "Department",
    }
    other.post(run, {**chosen, "act": "import"})
    assert jobs.drain_jobs(database_url) == []
    with elsewhere.opened() as ctx:
        [anna], _ = membership.listed(ctx, "anna@")
        person = Directory.of(ctx).person(anna.id)
        assert [Directory.of(ctx).units[u].name for u in person.departments] == ["East", "Office"]


# -- departments -----------------------------------------------------------------------------------


def units(shop):
    with shop.opened() as ctx:
        return {u.name: u for u in Directory.of(ctx).units.values()}


def test_departments_are_made_named_given_heads_and_moved_but_never_into_themselves(boss, shop):
    north = place_of(boss.post("/members/departments/", {"name": "North", "parent": str(shop.sales)})).rpartition("/")[
        2
    ]
    refused = boss.post("/members/departments/", {"name": "NORTH", "parent": str(shop.sales)})
    assert refused.status_code == 422
    assert "beside it already" in refused.text
    boss.post(f"/members/departments/{north}", {"name": "North Side", "head": str(shop.manager.id)})
    assert units(shop)["North Side"].head == shop.manager.id
    assert (
        boss.post("/members/departments/move", json={"key": north, "to": str(shop.east), "position": 0}).status_code
        == 200
    )
    assert units(shop)["North Side"].parent == shop.east
    ring = boss.post("/members/departments/move", json={"key": str(shop.sales), "to": north, "position": 0})
    assert ring.status_code == 422
    assert "cannot be part of itself" in ring.text
    boss.post("/members/departments/move", json={"key": north, "to": "", "position": 0})
    assert next(iter(units(shop))) == "North Side"
    for odd in ({"key": "x"}, {"key": north, "to": "x"}, {"key": north, "position": "x", "to": str(shop.east)}, []):
        assert boss.post("/members/departments/move", json=odd).status_code in (200, 404, 422)
    assert boss.post(f"/members/departments/{north}/delete").status_code == 204
    assert "North Side" not in units(shop)


def test_a_department_in_use_is_not_removed_but_says_why_and_merges_with_all_that_is_its(boss, shop):
    with shop.opened() as ctx:
        west = people.add_department(ctx, "West")
        below = people.add_department(ctx, "Far West", west)
        ben = people.add_member(ctx, "Ben", department_id=west)
        carl = people.add_member(ctx, "Carl", department_id=shop.office)
        ctx.conn.execute(insert(models.member_department).values(member_id=carl, department_id=west))
        roles.set_parts(ctx, Key(shop.app, "manager"), [Part(None, "department", west, below=True)])
    refused = boss.post(f"/members/departments/{west}/delete")
    assert refused.status_code == 422
    for words in ("2 members belong to it", "Far West lies below it", "gives the role shop: manager"):
        assert words in refused.text
    wrong = boss.post(f"/members/departments/{west}/merge", {"into": str(below)})
    assert wrong.status_code == 422
    assert "does not lie below it" in wrong.text
    assert boss.post(f"/members/departments/{west}/merge", {"into": str(shop.office)}).status_code == 204
    with shop.opened() as ctx:
        directory = Directory.of(ctx)
        assert west not in directory.units
        assert directory.units[below].parent == shop.office
        assert directory.person(ben).departments == (shop.office,)
        assert directory.person(carl).departments == (shop.office,)
        assert "shop.manager" in directory.roles_of(ben)
        roles.set_parts(ctx, Key(shop.app, "manager"), [])


# -- roles -----------------------------------------------------------------------------------------


def test_a_role_of_the_workspace_is_made_tried_and_given_on_to_an_app_with_its_reasons(boss, shop):
    tried = boss.post("/members/roles/try", {"formula": 'title = "Rep"'}).json
    assert tried == {"text": "1 members: Anna", "wrong": False}
    wrong = boss.post("/members/roles/try", {"formula": 'titel = "Rep"'}).json
    assert wrong["wrong"]
    assert "titel" in wrong["text"]
    refused = boss.post("/members/roles/new", {"title": "Reps", "formula": "title +"})
    assert refused.status_code == 422
    assert "Reps" in refused.text
    place = place_of(
        boss.post("/members/roles/new", {"title": "Reps", "formula": 'title = "Rep"', "members": [shop.clerk.id]})
    )
    page = boss.get(place).text
    assert "because title = " in page
    assert "on the list" in page
    own = {"role:clerk": [str(shop.clerk.id)], "role:manager": [str(shop.manager.id)], "clerk:shown": "1"}
    boss.post(
        "/build/shop/people",
        {**own, "clerk:roles": [place.rpartition("/")[2]], "clerk:below": [str(shop.office), "nonsense"]},
    )
    page = boss.get("/build/shop/people/clerk").text
    assert "through the role Reps of the workspace" in page
    assert "by the department Office and below" in page
    refused = boss.post(f"{place}/delete")
    assert refused.status_code == 422
    assert "shop: clerk" in refused.text
    refused = boss.post("/build/shop/people", {**own, "clerk:formula": "title +"})
    assert refused.status_code == 422
    assert "title +" in refused.text
    boss.post("/build/shop/people", own)
    assert boss.post(f"{place}/delete").status_code == 204
    assert boss.get(place).status_code == 404


# -- sub-administrators ----------------------------------------------------------------------------

ANY = ["/build/", "/build/shop/", "/build/shop/publish", "/build/functions"]
PAGES = {
    "design": ["/build/shop/export"],
    "publish": [],
    "rights": ["/build/shop/people", "/build/shop/people/clerk", "/pick/role"],
}  # fmt: skip


@pytest.mark.parametrize("power", sorted(PAGES))
def test_a_power_over_an_app_opens_its_pages_and_no_others(boss, outsider, shop, power):
    boss.post(
        "/members/administrators/",
        {"kind": "app", "member": shop.outsider.id, "target": shop.app, "powers": [power, "members", "all"]},
    )
    for url in (*ANY, *(url for pages in PAGES.values() for url in pages)):
        expected = 200 if url in (*ANY, *PAGES[power]) else 404
        assert outsider.get(url).status_code == expected, url
    for url in ("/members/", "/members/administrators/", "/members/departments/", "/members/roles/", "/members/export"):
        assert outsider.get(url).status_code == 404, url
    for url in ("/build/", "/build/install", "/build/shop/remove"):
        assert outsider.post(url, {"title": "Mine"}).status_code == 404, url
    assert outsider.post("/build/shop/people", {}).status_code == (204 if power == "rights" else 404)
    boss.post("/members/administrators/remove", {"kind": "app", "member": shop.outsider.id, "target": shop.app})
    assert outsider.get("/build/").status_code == 404
    boss.post("/build/shop/people", {"role:clerk": [str(shop.clerk.id)], "role:manager": [str(shop.manager.id)]})


def test_who_may_publish_but_not_give_rights_publishes_no_change_of_rights(boss, outsider, shop):
    duty = {"kind": "app", "member": shop.outsider.id, "target": shop.app, "powers": ["design", "publish"]}
    boss.post("/members/administrators/", duty)
    assert outsider.post("/build/shop/forms", {"title": "Visits"}).status_code == 204
    published = outsider.post("/build/shop/publish")
    assert published.status_code == 204, published.text
    boss.post("/build/shop/forms/visits/preset", {"preset": "all"})
    refused = outsider.post("/build/shop/publish")
    assert refused.status_code == 403
    assert "changes rights" in refused.text
    assert boss.post("/build/shop/publish").status_code == 204
    boss.post("/members/administrators/remove", duty)


def test_a_department_s_administrator_manages_its_people_and_finds_no_others(boss, outsider, shop):
    duty = {
        "kind": "department",
        "member": shop.outsider.id,
        "target": shop.east,
        "powers": ["members"],
        "gives": ["shop.clerk", "x"],
    }
    boss.post("/members/administrators/", duty)
    listed = outsider.get("/members/").text
    assert "Anna" in listed
    assert "Boss" not in listed
    assert "/members/departments/" not in listed
    assert outsider.get(f"/members/{shop.anna}").status_code == 200
    for url in (
        f"/members/{shop.boss.id}",
        f"/members/{shop.clerk.id}",
        "/members/roles/",
        f"/members/{shop.anna}/data.zip",
    ):
        assert outsider.get(url).status_code == 404, url
    dora = place_of(
        outsider.post("/members/new", {"name": "Dora", "department": str(shop.east), "admin": "on", "external": "1"})
    )
    assert outsider.post("/members/new", {"name": "Eve", "department": str(shop.office)}).status_code == 422
    assert outsider.post(f"{dora}/roles", {"give": "shop.manager"}).status_code == 404
    assert outsider.post(f"{dora}/roles", {"give": "shop.clerk"}).status_code == 204
    for url in (
        f"/members/{shop.clerk.id}",
        f"/members/{shop.clerk.id}/leave",
        f"{dora}/erase",
        "/members/departments/",
    ):
        assert outsider.post(url, {"name": "Seized"}).status_code == 404, url
    outsider.post(f"{dora}/leave", {})
    with shop.opened() as ctx:
        gone = membership.anybody(ctx, UUID(dora.rpartition("/")[2]))
        assert gone.left_at
        assert not gone.admin
        assert not gone.external
    boss.post("/members/administrators/remove", duty)
    assert outsider.get("/members/").status_code == 404


# -- leaving, and personal data --------------------------------------------------------------------


def test_a_member_leaves_with_a_preview_is_taken_back_and_at_last_forgotten(boss, shop, app):
    with shop.opened() as ctx:
        finn = people.add_member(ctx, "Finn Secretname", email="finn@shop.example", phone="55501", title="Rep")
        live = shop.table(ctx, "book")
        records.create(ctx, live, {"title": "Finn's", "owner": finn})
    with shop.opened() as ctx:
        mine = ctx.acting_as(people.member_by_id(ctx, finn))
        assert flows.waiting_runs(mine, finn) == []
    page = f"/members/{finn}"
    boss.post(f"{page}/access")
    asked = boss.get(f"{page}/leave").text
    assert 'name="to:records:shop/book/owner"' in asked
    refused = boss.post(f"{page}/leave", {"to:": str(finn)})
    assert refused.status_code == 422
    assert "who takes over" in refused.text
    run = place_of(boss.post(f"{page}/leave", {"to:": str(shop.manager.id)}))
    done = boss.get(run).text
    assert "Handed over" in done
    assert "Manager" in done
    assert boss.post(f"{page}/erase").status_code == 204
    with shop.opened() as ctx:
        [row] = ctx.conn.execute(select(models.member).where(models.member.c.id == finn))
        assert (row.email, row.phone, row.title, row.account_id) == (None, None, None, None)
        assert row.name.startswith("Former member")
        assert ctx.conn.scalar(select(models.account.c.id).where(models.account.c.email == "finn@shop.example")) is None
        told = ctx.conn.scalars(select(models.history.c.changes).where(models.history.c.table_id == "book")).all()
        assert any(str(finn) in json.dumps(one) for one in told)  # the trail is kept
    assert "Erased" in boss.get(page).text
    assert boss.post(f"{page}/back").status_code == 404


def test_all_that_is_kept_of_a_person_is_given_out_without_secrets(boss, clerk, shop):
    clerk.get("/")
    with shop.opened(shop.clerk) as ctx:
        records.create(ctx, shop.table(ctx, "book"), {"title": "Mine"})
    with boss.get(f"/members/{shop.clerk.id}/data.zip") as packed:
        body = packed.data
    archive = zipfile.ZipFile(io.BytesIO(body))
    read = {name: json.loads(archive.read(name)) for name in archive.namelist()}
    assert read["member.json"][0]["name"] == "Clerk"
    assert read["account.json"][0]["email"].startswith("clerk-")
    assert read["account.json"][0]["sessions"][0]["agent"]
    assert any(one["title"] == "Mine" for one in read["records.json"])
    assert any(one["action"] == "create" for one in read["history.json"])
    with shop.opened() as ctx:
        secret = ctx.conn.scalar(select(models.account.c.password).where(models.account.c.name == "Clerk").limit(1))
    assert secret.encode() not in b"".join(archive.read(name) for name in archive.namelist())
    assert clerk.get(f"/members/{shop.clerk.id}/data.zip").status_code == 404
    assert boss.post(f"/members/{shop.clerk.id}/erase").status_code == 422


# -- contacts outside ------------------------------------------------------------------------------


def test_a_contact_outside_sees_only_what_is_shared_and_nobody_of_the_company(boss, shop, make_shop, app):
    place = place_of(
        boss.post(
            "/members/new",
            {
                "name": "Guest",
                "email": "guest@acme.example",
                "external": "1",
                "company": "Acme",
                "department": str(shop.sales),
                "admin": "on",
            },
        )
    )
    page = boss.post(f"{place}/access").text
    password = re.search(r'id="first-password">([^<]+)<', page)[1]
    client = app.test_client()
    client.set_cookie("language", "en")
    guest = type(boss)(client)
    assert guest.post("/sign-in", {"email": "guest@acme.example", "password": password}).status_code == 303
    assert guest.get("/a/shop/").status_code == 404
    assert [one["text"] for one in guest.get("/pick/member?q=").json] == ["Guest"]
    assert guest.get("/pick/department?q=").json == []
    assert guest.get(f"/people/{shop.boss.id}/avatar").status_code == 404
    assert guest.get("/members/").status_code == 404
    with shop.opened() as ctx:
        [one] = membership.found(ctx, membership.Asked(state="external"))[0]
        assert (one.name, one.company, one.department_id, one.admin) == ("Guest", "Acme", None, False)
        people.give_role(ctx, shop.app, "clerk", one.id)
        assert powers.departments(ctx.acting_as(people.member_by_id(ctx, one.id))) == set()
    assert guest.get("/a/shop/v/book/").status_code == 200  # named on a list: on the next request
    options = [one["note"] for one in boss.get("/pick/member?q=guest").json]
    assert options == ["Acme"]
