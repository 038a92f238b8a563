"""Going back to an earlier revision, and upgrading an app that was changed here: no record and no value is lost."""

import io
import re
from copy import deepcopy

import pytest

import cli
from builder import bundle
from runtime import definitions

CLUB = {
    "language": 1, "app": "club", "version": "1.0.0", "title": {"zh": "俱乐部", "en": "Club"},
    "tables": [{"id": "person", "title": {"zh": "会员", "en": "Person"}, "fields": [
        {"id": "name", "type": "text", "label": {"zh": "姓名", "en": "Name"}},
        {"id": "fax", "type": "text", "label": {"zh": "传真", "en": "Fax"}},
        {"id": "fee", "type": "number", "label": {"zh": "会费", "en": "Fee"}}]}],
    "forms": [{"id": "joining", "table": "person", "layout": [{"row": ["name", "fax"]}, {"row": ["fee"]}]}],
    "views": [{"id": "all", "table": "person", "title": "Everybody", "columns": ["name", "fax", "fee"]}],
}  # fmt: skip


@pytest.fixture
def boss(shop, sign_in):
    return sign_in(shop, "boss")


@pytest.fixture
def club(boss, shop):
    """The club installed, with one member."""
    with shop.opened(shop.boss) as ctx:
        bundle.install(ctx, CLUB)
    boss.post("/a/club/f/joining/new", {"name": "Ada", "fax": "fax 123", "fee": "7"})
    assert "fax 123" in boss.get("/a/club/v/all/").text
    return CLUB


def counter(boss, url):
    return re.search(r'name="counter" value="(\d+)"', boss.get(url).text)[1]


def delete_fax_here(boss):
    boss.post("/build/club/form/joining/delete", {"id": "fax"})
    assert boss.post("/build/club/publish", {"note": "No more fax"}).status_code == 204
    assert "fax 123" not in boss.get("/a/club/v/all/").text


def test_an_app_goes_back_to_an_earlier_revision_with_all_its_values(boss, club):
    delete_fax_here(boss)
    page = boss.get("/build/club/revisions").text
    assert "No more fax" in page
    assert "Removed field “Fax” from Person (its values are kept)" in page
    assert "Removed field “Fax”" in boss.get("/build/club/revisions/compare?from=1&to=2").text
    assert "New field “Fax”" in boss.get("/build/club/revisions/compare?from=2&to=1").text
    assert "Nothing differs" in boss.get("/build/club/revisions/compare?from=2&to=").text
    assert boss.get("/build/club/revisions/compare?from=99&to=1").status_code == 404

    stale = boss.post("/build/club/revisions/back", {"number": "99"})
    assert stale.status_code == 404
    went = boss.post("/build/club/revisions/back", {"number": "1", "counter": counter(boss, "/build/club/revisions")})
    assert went.headers["HX-Redirect"] == "/build/club/publish"
    assert "New field “Fax” in Person" in boss.fragment("/build/club/publish").text
    assert "fax 123" not in boss.get("/a/club/v/all/").text  # nothing changes before it is published
    boss.post("/build/club/publish", {})
    assert "fax 123" in boss.get("/a/club/v/all/").text
    assert "Revision 3" in boss.get("/build/club/revisions").text


def test_going_back_puts_what_vanishes_into_the_bin_and_can_be_undone(boss, club):
    studio = "/build/club/form/joining/"
    boss.post(f"{studio}add", {"type": "date"})
    boss.post("/build/club/publish", {})
    boss.post("/build/club/revisions/back", {"number": "1"})
    assert "Deleted fields" in boss.get(studio).text
    boss.post("/build/club/undo")
    assert "Deleted fields" not in boss.get(studio).text


def newer(club):
    made = deepcopy(club)
    made["version"] = "1.1.0"
    fields = made["tables"][0]["fields"]
    fields[0]["label"]["en"] = "Full name"
    fields.append({"id": "mail", "type": "text", "label": {"zh": "邮箱", "en": "Mail"}})
    fields.pop(1)
    made["forms"][0]["layout"] = [{"row": ["name", "mail"]}, {"row": ["fee"]}]
    made["views"][0] |= {"title": "All of them", "columns": ["name", "fee", "mail"]}
    return made


def test_a_locally_changed_app_is_upgraded_by_a_plan_and_loses_nothing(boss, club, shop):
    with shop.opened(shop.boss) as ctx:
        here = deepcopy(club)
        here["tables"][0]["fields"][2]["label"] = {"zh": "年费", "en": "Yearly fee"}
        here["views"][0]["title"] = "Our people"
        definitions.publish(ctx, "club", here)
    assert "can be installed" not in boss.get("/build/club/").text
    boss.post("/templates/", {"file": (io.BytesIO(bundle.zipped(newer(club))), "club.zip")},
              content_type="multipart/form-data")  # fmt: skip
    assert "Version 1.1.0 of this app can be installed." in boss.get("/build/club/").text
    page = boss.get("/build/club/upgrade").text
    assert "Changed on both sides: 1" in page
    assert "Our people" in page
    assert "All of them" in page
    assert "No longer in the new version: 1" in page
    assert "1 changes made here stay" in page
    key = re.search(r'name="to" value="([^"]+)"', page)[1]

    sent = {"to": key, "side:views/all/title": "theirs", "counter": counter(boss, "/build/club/upgrade")}
    assert boss.post("/build/club/upgrade", sent).headers["HX-Redirect"] == "/build/club/publish"
    review = boss.fragment("/build/club/publish").text
    assert "New field “Mail” in Person" in review
    assert "its values in 1 records are kept" in review
    boss.post("/build/club/publish", {})
    shown = boss.get("/a/club/v/all/").text
    for words in ("All of them", "Full name", "Yearly fee", "Mail", "Ada"):
        assert words in shown, words
    assert "fax 123" not in shown
    assert "up to date" in boss.get("/build/club/upgrade").text  # it counts as installed from the newer package
    boss.post("/build/club/revisions/back", {"number": "2"})
    boss.post("/build/club/publish", {})
    assert "fax 123" in boss.get("/a/club/v/all/").text  # not a value was lost


def test_the_command_upgrades_too_and_first_says_what_it_would_do(boss, club, shop, monkeypatch, capsys, tmp_path):
    bundle.write(newer(club), tmp_path / "club")
    monkeypatch.setattr(cli, "workspace_context", lambda settings, slug: shop.opened())
    run = ["upgrade", "club", str(tmp_path / "club")]
    assert cli.main([*run, "--dry-run"]) == 0
    told = capsys.readouterr().out
    assert "remove    tables/person/fields/fax" in told
    assert "add       tables/person/fields/mail" in told
    assert "Mail" not in boss.get("/a/club/v/all/").text
    assert cli.main([*run, "--theirs", "nothing/such"]) == 1
    assert cli.main([*run, "--keep", "tables/person/fields/fax"]) == 0
    assert "Mail" in boss.get("/a/club/v/all/").text
    record = re.search(r'href="(/a/club/t/person/[0-9a-f-]+)"', boss.get("/a/club/v/all/").text)[1]
    assert "fax 123" in boss.get(record).text


def test_only_who_designs_the_app_sees_its_revisions_and_only_administrators_upgrade(shop, sign_in, club):
    for person in ("manager", "outsider"):
        browser = sign_in(shop, person)
        assert browser.get("/build/club/revisions").status_code == 404
        assert browser.get("/build/club/upgrade").status_code == 404
        assert browser.post("/build/club/revisions/back", {"number": "1"}).status_code == 404


def test_what_an_upgrade_would_break_here_is_said_on_its_plan(boss, shop, club):
    with shop.opened(shop.boss) as ctx:
        here = deepcopy(club)
        here["views"].append({"id": "mine", "table": "person", "title": "By fax", "columns": ["fax"]})
        definitions.publish(ctx, "club", here)
    boss.post("/templates/", {"file": (io.BytesIO(bundle.zipped(newer(club))), "club.zip")},
              content_type="multipart/form-data")  # fmt: skip
    page = boss.get("/build/club/upgrade")
    assert page.status_code == 200
    assert "there is no field" in page.text
    kept = boss.get("/build/club/upgrade?side:tables/person/fields/fax=yours")
    assert "there is no field" not in kept.text
