"""An administrator builds an app in the browser; others find no builder at all."""

import io
import re
import zipfile

import pytest
from sqlalchemy import update

from runtime import models


@pytest.fixture
def boss(shop, sign_in):
    return sign_in(shop, "boss")


def made(boss, title="Leave"):
    """An app with one form; gives its slug and the designer's address."""
    home = boss.post("/build/", {"title": title}).headers["HX-Redirect"]
    studio = boss.post(f"{home}forms", {"title": "Request", "preset": "own"}).headers["HX-Redirect"]
    return home.strip("/").split("/")[1], studio


def chosen(page):
    return re.search(r'name="path" value="([^"]*)"', page.text)[1]


def test_from_nothing_to_a_filled_in_record(boss, shop, sign_in):
    slug, studio = made(boss)
    added = boss.post(f"{studio}add", {"type": "number"})
    assert added.status_code == 200, added.text
    field = chosen(added)
    changed = boss.post(
        f"{studio}options",
        {"path": field, "tab": "field", "label.zh": "天数", "label.en": "Days", "decimals": "0", "minimum": "1"},
    )
    assert changed.status_code == 200, changed.text
    assert "Days" in changed.text
    review = boss.fragment(f"/build/{slug}/publish")
    assert "New table" in review.text
    assert boss.post(f"/build/{slug}/publish", {}).status_code == 204
    clerk = sign_in(shop, "clerk")
    refused = clerk.post(f"/a/{slug}/f/request/new", {"field_1": "Holiday at the coast", field: "0"})
    assert refused.status_code == 422
    assert "Must be at least 1." in refused.text
    assert clerk.post(f"/a/{slug}/f/request/new", {"field_1": "Holiday at the coast", field: "3"}).status_code == 204
    assert "Holiday at the coast" in clerk.get(f"/a/{slug}/v/request/").text
    assert "Holiday at the coast" not in sign_in(shop, "outsider").get(f"/a/{slug}/v/request/").text


def test_an_edit_is_undone_and_done_again(boss):
    slug, studio = made(boss)
    boss.post(f"{studio}add", {"type": "date"})
    assert 'id="canvas-field_2"' in boss.get(studio).text
    boss.post(f"/build/{slug}/undo")
    assert 'id="canvas-field_2"' not in boss.get(studio).text
    boss.post(f"/build/{slug}/redo")
    assert 'id="canvas-field_2"' in boss.get(studio).text


def test_a_table_gets_a_short_form_of_its_own_and_loses_it_again(boss, shop, sign_in):
    slug, studio = made(boss)
    field = chosen(boss.post(f"{studio}add", {"type": "number"}))
    assert boss.post(f"{studio}another", {"title": " ", "way": "copy"}).status_code == 422
    short = (
        boss.post(f"{studio}another", {"title": "On the phone", "way": "copy"}).headers["HX-Redirect"].partition("?")[0]
    )
    assert f'id="canvas-{field}"' not in boss.post(f"{short}take-off", {"id": field}).text
    assert f'id="canvas-{field}"' in boss.get(studio).text
    assert boss.post(f"/build/{slug}/publish", {}).status_code == 204
    clerk = sign_in(shop, "clerk")
    assert f'name="{field}"' not in clerk.get(f"/a/{slug}/f/request_2/new").text
    assert f'name="{field}"' in clerk.get(f"/a/{slug}/f/request/new").text
    assert boss.post(f"{short}remove").headers["HX-Redirect"].startswith(studio)
    assert boss.post(f"{studio}remove").status_code == 422


def test_a_deleted_field_can_be_restored_with_its_values(boss):
    slug, studio = made(boss)
    boss.post(f"{studio}add", {"type": "text"})
    boss.post(f"/build/{slug}/publish", {})
    boss.post(f"/a/{slug}/f/request/new", {"field_1": "A", "field_2": "preserved value"})
    assert "field_2" in boss.post(f"{studio}delete", {"id": "field_2"}).text
    boss.post(f"/build/{slug}/publish", {})
    assert "preserved value" not in boss.get(f"/a/{slug}/v/request/").text
    boss.post(f"{studio}restore", {"id": "field_2"})
    boss.post(f"/build/{slug}/publish", {})
    record = re.search(rf'href="(/a/{slug}/t/request/[0-9a-f-]+)"', boss.get(f"/a/{slug}/v/request/").text)[1]
    assert "preserved value" in boss.get(record).text


def test_a_wrong_option_is_told_beside_it_and_nothing_is_saved(boss):
    _, studio = made(boss)
    field = chosen(boss.post(f"{studio}add", {"type": "formula"}))
    wrong = boss.post(f"{studio}options", {"path": field, "tab": "field", "formula": "SUM(("})
    assert wrong.status_code == 422
    assert "at character" in wrong.text
    assert "SUM((" in wrong.text
    assert "SUM((" not in boss.get(f"{studio}?field={field}").text


def test_problems_keep_a_draft_from_being_published(boss):
    slug, studio = made(boss)
    field = chosen(boss.post(f"{studio}add", {"type": "formula"}))
    boss.post(f"{studio}options", {"path": field, "tab": "field", "formula": "nobody + 1"})
    assert "there is no field" in boss.fragment(f"/build/{slug}/publish").text
    assert boss.post(f"/build/{slug}/publish", {}).status_code == 422


def test_two_designers_cannot_overwrite_each_other(boss, shop, sign_in):
    _, studio = made(boss)
    counter = re.search(r'name="counter" value="(\d+)"', boss.get(studio).text)[1]
    with shop.opened() as ctx:
        ctx.conn.execute(update(models.member).where(models.member.c.id == shop.manager.id).values(admin=True))
    sign_in(shop, "manager").post(f"{studio}add", {"type": "text"})
    late = boss.post(f"{studio}delete", {"id": "field_1", "counter": counter})
    assert late.status_code == 422
    assert "Somebody else" in late.text


@pytest.mark.parametrize("place", ["studio", "overview", "rights"])
def test_one_designer_does_not_undo_unseen_what_another_has_just_done(boss, shop, sign_in, place):
    slug, studio = made(boss)
    address = {"studio": studio, "overview": f"/build/{slug}/", "rights": f"/build/{slug}/rights/"}[place]
    boss.post(f"{studio}add", {"type": "date"})
    counter = re.search(r'name="counter" value="(\d+)"', boss.get(address).text)[1]
    with shop.opened() as ctx:
        ctx.conn.execute(update(models.member).where(models.member.c.id == shop.manager.id).values(admin=True))
    manager = sign_in(shop, "manager")
    manager.post(f"{studio}add", {"type": "text"})
    refused = boss.post(f"{address}undo", {"counter": counter})
    assert (refused.status_code, "Somebody else" in refused.text) == (422, True)
    assert 'id="canvas-field_3"' in boss.get(studio).text
    seen = re.search(r'name="counter" value="(\d+)"', boss.get(address).text)[1]
    assert boss.post(f"{address}undo", {"counter": seen}).status_code < 400  # now it is known whose it is
    assert 'id="canvas-field_3"' not in boss.get(studio).text
    assert manager.post(f"{address}redo", {"counter": seen}).status_code == 422


def test_one_designer_undoes_again_and_again_from_the_same_page_beside_old_edits_of_another(boss, shop, sign_in):
    _, studio = made(boss)
    with shop.opened() as ctx:
        ctx.conn.execute(update(models.member).where(models.member.c.id == shop.manager.id).values(admin=True))
    sign_in(shop, "manager").post(f"{studio}add", {"type": "text"})
    for _ in range(3):
        boss.post(f"{studio}add", {"type": "date"})
    counter = re.search(r'name="counter" value="(\d+)"', boss.get(studio).text)[1]
    for verb in ("undo", "undo", "redo", "undo", "undo"):
        assert boss.post(f"{studio}{verb}", {"counter": counter}).status_code == 200
    page = boss.get(studio).text
    assert 'id="canvas-field_2"' in page
    assert 'id="canvas-field_3"' not in page


def test_one_designer_who_is_quick_is_never_held_up(boss):
    _, studio = made(boss)
    counter = re.search(r'name="counter" value="(\d+)"', boss.get(studio).text)[1]
    boss.post(f"{studio}add", {"type": "text"})
    quick = boss.post(f"{studio}options", {"path": "field_1", "tab": "field", "label.en": "Why", "counter": counter})
    assert quick.status_code == 200
    assert 'id="canvas-field_2"' in quick.text


def test_moving_copying_and_sections(boss):
    slug, studio = made(boss)
    for type in ("number", "rows", "choice"):
        assert boss.post(f"{studio}add", {"type": type}).status_code == 200
    boss.post(f"{studio}move", {"what": "field:field_2", "by": "up"})
    boss.post(f"{studio}move", {"what": "field:field_4", "beside": "1"})
    copy = boss.post(f"{studio}copy", {"id": "field_2"})
    assert chosen(copy) == "field_5"
    assert chosen(boss.post(f"{studio}add", {"type": "section"})) == "block:4"
    column = boss.post(f"{studio}column", {"rows": "field_3", "type": "number"})
    assert chosen(column).startswith("field_3.column_")
    named = boss.post(
        f"{studio}options",
        {
            "path": "field_4",
            "tab": "field",
            "options.id": ["one", ""],
            "options.zh": ["甲", "乙"],
            "options.en": ["A", "B"],
            "options.color": ["red", "gray"],
        },
    )
    assert named.status_code == 200
    assert boss.post(f"/build/{slug}/publish", {}).status_code == 204


def test_an_exported_app_installs_elsewhere_and_exports_the_same(boss):
    slug, _ = made(boss)
    boss.post(f"/build/{slug}/publish", {})
    zipped = boss.get(f"/build/{slug}/export").data
    sent = boss.post("/build/install", {"file": (io.BytesIO(zipped), "leave.zip")}, content_type="multipart/form-data")
    assert sent.status_code == 204, sent.text
    again = sent.headers["HX-Redirect"].strip("/").split("/")[1]
    assert again != slug
    both = [zipfile.ZipFile(io.BytesIO(b)) for b in (zipped, boss.get(f"/build/{again}/export").data)]
    assert {n: both[0].read(n) for n in both[0].namelist()} == {n: both[1].read(n) for n in both[1].namelist()}


def test_who_is_no_administrator_finds_no_builder(shop, sign_in, boss):
    slug, studio = made(boss)
    manager = sign_in(shop, "manager")
    for url in ("/build/", f"/build/{slug}/", studio, f"/build/{slug}/publish", f"/build/{slug}/export"):
        assert manager.get(url).status_code == 404, url
    for url in (
        "/build/",
        f"/build/{slug}/forms",
        f"{studio}add",
        f"{studio}delete",
        f"/build/{slug}/publish",
        f"/build/{slug}/remove",
    ):
        assert manager.post(url, {"title": "X", "type": "text", "id": "field_1"}).status_code == 404, url


def test_publishing_leads_back_to_what_is_being_designed(boss):
    slug, studio = made(boss)
    page = boss.get(f"/build/{slug}/publish").text
    assert "css/builder.css" in page
    assert "data-dialog-close" not in page
    view = f"/build/{slug}/view/request/"
    asked_from = {"HX-Current-URL": f"http://localhost{view}"}
    assert boss.post(f"/build/{slug}/publish", {}, headers=asked_from).headers["HX-Redirect"] == view
    alone = {"HX-Current-URL": f"http://localhost/build/{slug}/publish"}
    boss.post(f"{studio}add", {"type": "date"})
    assert boss.post(f"/build/{slug}/publish", {}, headers=alone).headers["HX-Redirect"] == f"/build/{slug}/"
    boss.post(f"{studio}add", {"type": "text"})
    there = {"HX-Current-URL": f"http://localhost{studio}?tab=form&field="}
    assert boss.post(f"/build/{slug}/publish", {}, headers=there).headers["HX-Redirect"] == f"{studio}?tab=form&field="
    boss.post(f"{studio}add", {"type": "number"})
    elsewhere = {"HX-Current-URL": "http://elsewhere.example//evil/form/"}
    assert boss.post(f"/build/{slug}/publish", {}, headers=elsewhere).headers["HX-Redirect"] == f"/build/{slug}/"


def test_a_view_is_made_set_and_seen_before_it_is_published(boss, shop, sign_in):
    slug, studio = made(boss)
    boss.post(f"{studio}add", {"type": "date"})
    assert boss.post(f"/build/{slug}/publish", {}).status_code == 204
    boss.post(f"/a/{slug}/f/request/new", {"field_1": "Holiday at the coast", "field_2": "2026-07-14"})
    added = boss.post(f"/build/{slug}/views/add", {"table": "request", "type": "calendar"})
    assert added.status_code == 200, added.text
    view = f"/build/{slug}/view/request_calendar/"
    assert 'hx-get="' + view + 'preview"' in added.text
    assert "Holiday at the coast" in boss.get(f"{view}preview?day=2026-07-01").text
    assert boss.post(f"{view}options", {"title.en": "Away", "title.zh": "休假", "span": "week"}).status_code == 200
    assert "Holiday" not in boss.get(f"{view}preview?day=2026-07-01").text
    assert boss.get(f"/a/{slug}/v/request_calendar/").status_code == 404
    refused = boss.post(f"/build/{slug}/views/add", {"table": "request", "type": "kanban"})
    assert (refused.status_code, "Add one to the form first" in refused.text) == (422, True)
    assert boss.post(f"/build/{slug}/publish", {}).status_code == 204
    assert "Away" in boss.get(f"/a/{slug}/v/request/").text
    assert boss.post(f"{view}order", {"key": "request_calendar", "position": "0"}).status_code == 200
    assert boss.post(f"{view}remove", {}).status_code == 200
    assert boss.get(view).status_code == 404
    clerk = sign_in(shop, "clerk")
    assert clerk.get(view).status_code == 404
    assert clerk.get(f"{view}preview").status_code == 404
    assert clerk.post(f"/build/{slug}/views/add", {"table": "request", "type": "grid"}).status_code == 404


def test_a_view_that_names_what_is_not_published_says_so(boss):
    slug, studio = made(boss)
    boss.post(f"/build/{slug}/publish", {})
    boss.post(f"{studio}add", {"type": "date"})
    boss.post(f"/build/{slug}/views/add", {"table": "request", "type": "calendar"})
    assert "not published yet" in boss.get(f"/build/{slug}/view/request_calendar/preview").text


def test_a_dashboard_is_made_of_widgets_and_shows_figures_before_it_is_published(boss, shop, sign_in):
    slug, _ = made(boss)
    boss.post(f"/build/{slug}/publish", {})
    boss.post(f"/a/{slug}/f/request/new", {"field_1": "Holiday at the coast"})
    board = boss.post(f"/build/{slug}/dashboards", {"title": "Figures"}).headers["HX-Redirect"]
    added = boss.post(f"{board}add", {"type": "number", "table": "request"})
    assert added.status_code == 200, added.text
    assert re.search(r'class="figure"[^>]*>1<', added.text)
    changed = boss.post(f"{board}options", {"path": "number", "title.en": "Requests", "measure": "COUNT("})
    assert changed.status_code == 422
    assert boss.post(f"{board}options", {"path": "number", "title.en": "Requests"}).status_code == 200
    place = re.search(r'data-place="(request:[^"]*:measure:)"', boss.get(f"{board}?widget=number").text)[1]
    for measure, wrong in (("COUNT() / 2", False), ("COUNT(", True), ("field_1", True)):
        said = boss.post(f"/build/{slug}/formula", {"place": place, "formula": measure, "result": "number"}).text
        assert ("error" in said) is wrong, said
    boss.post(f"{board}add", {"type": "bar", "table": "request"})
    for grouped, period in (("created_at", True), ("field_1", False)):
        bar = boss.post(f"{board}options", {"path": "bar", "group.0.field": grouped, "measure": "COUNT()"}).text
        assert ('name="group.0.by"' in bar) is period
    boss.post(f"{board}delete", {"id": "bar"})
    moved = boss.post(f"{board}place", {"id": "number", "at": "4,2,5,3"})
    assert 'data-at="4,2,5,3"' in moved.text
    for senseless in ("", "1,2,3", "a,b,c,d", "1,2,3,4,5"):
        assert boss.post(f"{board}place", {"id": "number", "at": senseless}).status_code == 422
    assert boss.post(f"{board}place", {"id": "nothing", "at": "1,1,1,1"}).status_code == 404
    assert boss.post(f"{board}copy", {"id": "number"}).text.count('class="figure"') == 2
    assert boss.post(f"{board}delete", {"id": "number_2"}).text.count('class="figure"') == 1
    assert "How many" in boss.post(f"{board}title", {"en": "How many"}).text
    assert boss.post(f"{board}title", {"en": " "}).status_code == 422
    assert boss.post(f"/build/{slug}/publish", {}).status_code == 204
    assert "Requests" in boss.get(f"/a/{slug}/d/figures/").text
    clerk = sign_in(shop, "clerk")
    assert clerk.get(board).status_code == 404
    assert clerk.post(f"{board}delete", {"id": "number"}).status_code == 404
