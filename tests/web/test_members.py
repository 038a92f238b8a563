"""An administrator looks after the people of a workspace in the browser; nobody else finds these pages."""

import io
import re

import pytest

from builder import bundle
from runtime import accounts, jobs, membership, people
from runtime.definitions import installed, slots
from schemas.errors import DefinitionError, InvalidInput

TEAM = "姓名,邮箱,部门,上级\n安娜,anna@team.example,华东 / 一部,周明\n博,bad address,华东,\n,,华东,\nClerk,,,\n".encode(
    "gb18030"
)


@pytest.fixture
def boss(shop, sign_in):
    return sign_in(shop, "boss")


def csv_of(content, **more):
    return {"file": (io.BytesIO(content), "team.csv"), **more}


def uploaded(boss, content=TEAM, **more):
    sent = boss.post("/members/import/", csv_of(content, **more), content_type="multipart/form-data")
    assert sent.status_code == 303, sent.text
    return sent.headers["Location"]


COLUMNS = {"column:name": "姓名", "column:email": "邮箱", "column:department": "部门", "column:head": "上级"}


def test_a_file_of_members_is_mapped_tried_and_imported_with_the_bad_rows_named(boss, shop, database_url):
    run = uploaded(boss, encoding="gb18030")
    page = boss.get(run).text
    for column, heading in COLUMNS.items():
        assert re.search(rf'name="{column}".*?<option value="{heading}" selected', page, re.DOTALL), column
    tried = boss.post(run, {**COLUMNS, "act": "try"}).text
    assert "2 new members, 2 new departments" in tried
    assert "1 known already" in tried
    assert "2 rows left out" in tried
    assert "There is no name in this row." in tried
    with shop.opened() as ctx:
        assert membership.listed(ctx, "安娜")[1] == 0
    assert boss.post(run, {**COLUMNS, "act": "import"}).status_code == 204
    assert jobs.drain_jobs(database_url) == []
    done = boss.get(run).text
    assert "2 of 4 rows imported" in done
    assert "Row 3" in done
    with shop.opened() as ctx:
        [anna], _ = membership.listed(ctx, "安娜")
        assert (anna.email, anna.department, anna.enters) == ("anna@team.example", "一部", False)
        unit = people.Directory.of(ctx).units[anna.department_id]
        assert people.Directory.of(ctx).units[unit.parent].name == "华东"
        assert people.Directory.of(ctx).person(unit.head).name == "周明"


def test_two_people_of_one_name_stay_two_when_their_addresses_differ(boss, shop, database_url):
    run = uploaded(boss, b"name,email\nWang Wei,a@team.example\nWang Wei,b@team.example\nWang Wei,a@team.example\n")
    boss.post(run, {"column:name": "name", "column:email": "email", "act": "import"})
    jobs.drain_jobs(database_url)
    with shop.opened() as ctx:
        assert sorted(m.email for m in membership.listed(ctx, "Wang Wei")[0]) == ["a@team.example", "b@team.example"]


def test_a_cancelled_import_of_members_brings_nobody(boss, shop, database_url):
    run = uploaded(boss, b"name\nCarla\n")
    boss.post(run, {"column:name": "name", "act": "import"})
    boss.post(run, {"act": "cancel"})
    jobs.drain_jobs(database_url)
    assert "Cancelled" in boss.get(run).text
    with shop.opened() as ctx:
        assert membership.listed(ctx, "Carla")[1] == 0


def test_without_a_column_of_names_nothing_begins(boss):
    run = uploaded(boss, b"who\nCarla\n")
    refused = boss.post(run, {"act": "import"})
    assert refused.status_code == 422
    assert "Choose the column with the members" in refused.text


def test_what_is_no_table_is_refused_with_words(boss):
    answer = boss.post("/members/import/", csv_of(b"\x00\x01"), content_type="multipart/form-data")
    assert answer.status_code == 422
    assert "text file" in answer.text


def test_a_new_member_is_let_in_with_a_password_shown_once_and_changes_it(boss, shop, app):
    place = boss.post("/members/new", {"name": "Dora", "email": "Dora@Team.example"}).headers["HX-Redirect"]
    page = boss.post(f"{place}/access").text
    password = re.search(r'id="first-password">([^<]+)<', page)[1]
    assert password not in boss.get(place).text
    client = app.test_client()
    client.set_cookie("language", "en")
    dora = type(boss)(client)
    assert dora.post("/sign-in", {"email": "dora@team.example", "password": password}).status_code == 303
    assert "not your present password" in dora.post("/password", {"old": "x", "new": "correct horse"}).text
    assert "at least 8" in dora.post("/password", {"old": password, "new": "short"}).text
    assert dora.post("/password", {"old": password, "new": "correct horse"}).status_code == 303
    assert dora.get("/").status_code == 302
    assert dora.post("/sign-in", {"email": "dora@team.example", "password": "correct horse"}).status_code == 303
    boss.post(f"{place}/leave")
    assert dora.get("/").status_code in (302, 303, 404)
    assert "Has left" in boss.get(place).text
    assert boss.post(place, {"name": "Dora"}).status_code == 404


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"name": ""}, "A member needs a name."),
        ({"name": "Eve", "email": "eve at home"}, "Enter an e-mail address"),
        ({"name": "E" * 121}, "at most 120 characters"),
        ({"name": "Eve", "department": "0"}, "no such department"),
    ],
)
def test_what_is_wrong_with_a_member_is_said_and_what_was_typed_stays(boss, sent, words):
    refused = boss.post("/members/new", sent)
    assert refused.status_code == 422
    if sent.get("department"):
        return
    assert words in refused.text
    assert sent["name"] in refused.text


def test_one_address_is_one_member(boss):
    boss.post("/members/new", {"name": "Finn", "email": "finn@team.example"})
    refused = boss.post("/members/new", {"name": "Finn Two", "email": "FINN@team.example"})
    assert "Finn has this e-mail address already." in refused.text


def test_the_last_administrator_stays_one(boss, shop):
    with shop.opened() as ctx:
        [own], _ = membership.listed(ctx, "Boss")
    refused = boss.post(f"/members/{own.id}", {"name": "Boss"})
    assert "Somebody must administer" in refused.text
    assert boss.post(f"/members/{own.id}/leave").status_code == 422


def test_a_password_that_opens_another_workspace_too_is_not_an_administrator_s_to_change(boss, make_shop, shop):
    place = boss.post("/members/new", {"name": "Gil", "email": "gil@team.example"}).headers["HX-Redirect"]
    boss.post(f"{place}/access")
    with shop.opened() as ctx:
        account = accounts.find_account(ctx.conn, "gil@team.example")
        accounts.join(ctx.conn, account, make_shop().workspace.id)
    refused = boss.post(f"{place}/access")
    assert refused.status_code == 422
    assert "used in other workspaces" in refused.text


def test_nobody_but_an_administrator_finds_these_pages(shop, sign_in):
    clerk = sign_in(shop, "clerk")
    for url in ("/members/", "/members/new", "/members/import/", f"/members/{shop.boss.id}", "/build/shop/people"):
        assert clerk.get(url).status_code == 404, url
    for url in ("/members/new", "/members/departments/", f"/members/{shop.boss.id}/access", "/build/shop/people"):
        assert clerk.post(url, {"name": "x"}).status_code == 404, url


def test_a_run_of_members_is_no_run_of_records_and_the_other_way_round(boss):
    run = uploaded(boss, b"name\nHal\n").rpartition("/")[2]
    assert boss.get(f"/a/shop/import/book/{run}").status_code == 404
    sent = boss.post("/a/shop/import/book/", csv_of(b"title\nA\n"), content_type="multipart/form-data")
    other = sent.headers["Location"].rpartition("/")[2]
    assert boss.get(f"/members/import/{other}").status_code == 404
    assert boss.get(f"/a/shop/import/author/{other}").status_code == 404


# -- who is who in an app --------------------------------------------------------------------------


def test_roles_get_their_members_and_strangers_are_passed_over(boss, shop):
    page = boss.get("/build/shop/people").text
    assert f'<option value="{shop.clerk.id}" selected>Clerk</option>' in page
    boss.post("/build/shop/people", {"role:clerk": [str(shop.outsider.id), "nobody", str(shop.workspace.id)]})
    with shop.opened() as ctx:
        inst = installed(ctx, "shop")
        directory = people.Directory.of(ctx)
        assert directory.with_role(inst.id, "clerk") == [shop.outsider.id]
        assert directory.with_role(inst.id, "manager") == []


def test_installing_an_app_with_posts_asks_who_is_who(boss, shop):
    posts = [{"id": "chair"}, {"id": "clerk"}, {"id": "team", "type": "department"}]
    zipped = bundle.zipped({"language": 1, "app": "club", "version": "1.0.0", "slots": posts})
    sent = boss.post("/build/install", {"file": (io.BytesIO(zipped), "club.zip")}, content_type="multipart/form-data")
    assert sent.headers["HX-Redirect"] == "/build/club/people"
    with shop.opened() as ctx:
        assert slots(ctx, installed(ctx, "club")) == {"chair": shop.boss.id, "clerk": shop.boss.id}
        [sales] = people.Directory.of(ctx).units
    said = {"slot:chair": str(shop.manager.id), "slot:clerk": "", "slot:team": str(sales), "then": "open"}
    assert boss.post("/build/club/people", said).headers["HX-Redirect"] == "/a/club/"
    with shop.opened() as ctx:
        assert slots(ctx, installed(ctx, "club")) == {"chair": shop.manager.id, "team": sales}


def test_a_command_names_who_is_who_by_address_or_name(shop):
    package = {"language": 1, "app": "club", "version": "1.0.0", "slots": [{"id": "chair"}], "roles": [{"id": "guest"}]}
    with shop.opened() as ctx:
        named = bundle.slots_named(ctx, package, [("chair", "manager")])
        inst = bundle.install(ctx, package, "club", named)
        bundle.give_roles(ctx, inst, [("guest", "Clerk"), ("guest", "Outsider")])
        assert slots(ctx, inst) == {"chair": shop.manager.id}
        assert people.Directory.of(ctx).with_role(inst.id, "guest") == [shop.clerk.id, shop.outsider.id]
        with pytest.raises(InvalidInput):
            bundle.slots_named(ctx, package, [("chair", "nobody")])
        for refused in (
            lambda: bundle.slots_named(ctx, package, [("chef", "clerk")]),
            lambda: bundle.give_roles(ctx, inst, [("x", "Clerk")]),
        ):
            with pytest.raises(DefinitionError):
                refused()
