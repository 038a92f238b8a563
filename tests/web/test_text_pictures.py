"""Pictures inside formatted texts: kept with the record, and shown to whoever may read the text."""

import base64
import io

import pytest
from sqlalchemy import func, select

from runtime import files, models, query, records
from runtime.access import door
from runtime.render import BoundField
from schemas import markup
from schemas.errors import InvalidInput
from tests.runtime.pictures_world import bomb, picture
from tests.schemas.fields.examples import made
from tests.web.test_files import got

WARD = {
    "language": 1,
    "app": "shop",
    "roles": [{"id": "clerk"}, {"id": "manager"}],
    "tables": [
        {
            "id": "visit",
            "title_formula": "name",
            "fields": [
                {"id": "name", "type": "text"},
                {"id": "story", "type": "rich_text"},
                {"id": "bare", "type": "rich_text", "pictures": False},
                {"id": "secret", "type": "rich_text"},
                {"id": "items", "type": "rows", "fields": [{"id": "note", "type": "rich_text"}]},
            ],
        }
    ],
    "access": [
        {"id": "all", "who": {"role": "manager"}, "table": "visit", "do": ["read", "create", "update", "delete"]},
        {"id": "own", "who": {"role": "clerk"}, "table": "visit", "do": ["read", "create", "update"],
         "fields": {"*": "write", "secret": "hidden"}},
    ],
}  # fmt: skip


PASTE = """(editor, html) => {
  const held = new DataTransfer();
  held.setData("text/html", html);
  editor.focus();
  editor.dispatchEvent(new ClipboardEvent("paste", { clipboardData: held, bubbles: true, cancelable: true }));
}"""


@pytest.fixture
def ward(make_shop):
    return make_shop(WARD)


def added(person, field, body=None, name="plan.png"):
    sent = {"file": (io.BytesIO(picture("PNG") if body is None else body), name)}
    return person.post(f"/a/shop/upload/visit/{field}", sent, content_type="multipart/form-data")


def saved(ward, **values):
    """A record by the boss's hand, and its values as they were kept."""
    with ward.opened(ward.boss) as ctx:
        id = records.create(ctx, ward.table(ctx, "visit"), values)
        return id, dict(query.fetch(door(ctx, ward.table(ctx, "visit")), id).values)


def test_a_picture_in_a_text_is_seen_by_those_who_read_the_text_and_by_nobody_else(ward, sign_in):
    manager, clerk, outsider = (sign_in(ward, name) for name in ("manager", "clerk", "outsider"))
    said, hidden = (added(manager, field).json for field in ("story", "secret"))
    assert got(manager, said["url"]).mimetype == "image/png"
    assert got(clerk, said["url"]).status_code == 404, "an upload is its owner's until a record has it"
    text = f'<p>Look: <img src="{said["url"]}" alt="{said["text"]}"></p>'
    sent = {"name": "Visit", "story": text, "secret": f'<p><img src="{hidden["url"]}"></p>'}
    assert manager.post("/a/shop/f/visit/new", sent).status_code in (200, 204, 303)
    shown = got(clerk, said["url"])
    assert (shown.status_code, shown.mimetype) == (200, "image/png")
    assert "sandbox" in shown.headers["Content-Security-Policy"]
    assert got(clerk, hidden["url"]).status_code == 404
    assert got(outsider, said["url"]).status_code == 404
    assert got(manager, hidden["url"]).status_code == 200
    with ward.opened(ward.boss) as ctx:
        id = query.page(door(ctx, ward.table(ctx, "visit")), query.Listing(["name"])).records[0].id
    page = clerk.get(f"/a/shop/t/visit/{id}").text
    assert said["url"] in page
    assert hidden["url"] not in page


@pytest.mark.parametrize("field", ["bare", "name"])
def test_a_field_that_takes_no_pictures_is_given_none(ward, sign_in, field):
    assert added(sign_in(ward, "manager"), field).status_code == 404


def test_only_pictures_that_browsers_can_show_are_kept(ward, sign_in):
    manager = sign_in(ward, "manager")
    drawing = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    for body, name in (
        (drawing, "x.svg"),
        (drawing, "x.png"),
        (bomb(), "x.png"),
        (b"", "x.png"),
        (b"%PDF-1.4", "x.jpg"),
    ):
        said = added(manager, "story", body, name)
        assert said.status_code == 422, name
        assert said.text
    assert added(sign_in(ward, "clerk"), "secret").status_code == 404


def test_a_copied_text_takes_its_pictures_along_and_each_record_shows_its_own(ward, sign_in):
    manager, clerk = sign_in(ward, "manager"), sign_in(ward, "clerk")
    url = added(manager, "secret").json["url"]
    assert manager.post("/a/shop/f/visit/new", {"name": "A", "secret": f'<img src="{url}">'}).status_code < 400
    _, kept = saved(ward, name="B", story=f'<p><img src="{url}"></p>', items=[{"note": f'<p><img src="{url}"></p>'}])
    story, note = (markup.pictures(html)[0] for html in (kept["story"], kept["items"][0]["note"]))
    assert len({story, note, markup.pictures(url)[0]}) == 3
    for id in (story, note):
        assert got(clerk, markup.picture_address(id)).data == got(manager, url).data, "the copy has rights of its own"
    assert got(clerk, url).status_code == 404


def test_nobody_takes_a_picture_that_they_may_not_see(ward, sign_in):
    manager, clerk = sign_in(ward, "manager"), sign_in(ward, "clerk")
    url = added(manager, "secret").json["url"]
    manager.post("/a/shop/f/visit/new", {"name": "A", "secret": f'<img src="{url}">'})
    for stolen in (url, added(manager, "story").json["url"], "/pictures/0190f2a4-0000-7000-8000-00000000000a"):
        refused = clerk.post("/a/shop/f/visit/new", {"name": "Mine", "story": f'<p>x <img src="{stolen}"></p>'})
        assert refused.status_code == 422
        assert "picture in this text could not be found" in refused.text or "图片" in refused.text
        assert got(clerk, stolen).status_code == 404


def test_a_picture_taken_out_of_a_text_is_shown_no_more_but_its_record_may_have_it_back(ward, sign_in):
    manager = sign_in(ward, "manager")
    url = added(manager, "story").json["url"]
    with ward.opened(ward.boss) as ctx:
        mine = ctx.conn.execute(models.file.update().values(uploaded_by=ward.boss.id))
        assert mine.rowcount == 1
    id, _ = saved(ward, name="A", story=f'<p><img src="{url}"></p>')
    for text, status in (("<p>gone</p>", 404), (f'<p>back <img src="{url}"></p>', 200)):
        with ward.opened(ward.boss) as ctx:
            records.change(ctx, ward.table(ctx, "visit"), id, {"story": text})
        assert got(manager, url).status_code == status


def test_a_shared_picture_outlives_the_upload_it_came_from(ward, sign_in):
    manager = sign_in(ward, "manager")
    url = added(manager, "story").json["url"]
    manager.post("/a/shop/f/visit/new", {"name": "A", "story": f'<img src="{url}">'})
    saved(ward, name="B", story=f'<p><img src="{url}"></p>')
    with ward.opened(ward.boss) as ctx:
        f = models.file
        ctx.conn.execute(f.update().where(f.c.same_as.is_(None)).values(record_id=None, uploaded_at="2020-01-01"))
        storage = manager.client.application.extensions["storage"]
        assert files.remove_orphans(ctx, storage) == 0
        assert ctx.conn.scalar(select(func.count()).select_from(f)) == 2


def test_an_import_or_program_with_a_strange_picture_is_told(ward):
    given = {"items": [{"note": "<p>ok</p>"}, {"note": '<img src="/pictures/0190f2a4-0000-7000-8000-00000000000a">'}]}
    with ward.opened(ward.boss) as ctx, pytest.raises(InvalidInput) as refused:
        records.create(ctx, ward.table(ctx, "visit"), given)
    assert list(refused.value.errors) == ["items[1].note"]


def test_a_visitor_of_a_public_page_finds_the_pictures_behind_its_link():
    text = '<p><img src="/pictures/0190f2a4-0000-7000-8000-00000000000a" alt="plan"></p>'
    shown = BoundField(made("rich_text"), "story", value=text, pictures="/p/x/file/r/story")
    assert 'src="/p/x/file/r/story/0190f2a4-0000-7000-8000-00000000000a?view=1"' in shown.html
    assert BoundField(made("rich_text"), "story", value=text).html == text


def test_in_the_editor_a_picture_is_inserted_pasted_or_left_out_with_a_word(ward, sign_in, opened):
    manager = sign_in(ward, "manager")
    page = opened(manager)
    page.goto("/a/shop/f/visit/new")
    story = page.locator('[data-rich][data-sends="story"]')
    assert page.locator('[data-rich][data-sends="bare"] .ql-image').count() == 0
    with page.expect_file_chooser() as chooser:
        story.locator(".ql-image").click()
    chooser.value.set_files({"name": "plan.png", "mimeType": "image/png", "buffer": picture("PNG")})
    story.locator('img[src^="/pictures/"]').wait_for()
    inside = "data:image/png;base64," + base64.b64encode(picture("PNG", color="#aa3300")).decode()
    story.locator(".ql-editor").evaluate(PASTE, f'<p>Two <img src="{inside}"><img src="https://spy.example/x.png"></p>')
    page.locator(".toast", has_text="from elsewhere were left out").wait_for()
    story.locator('img[src^="/pictures/"]').nth(1).wait_for()
    page.fill("[name=name]", "Visit")
    page.locator(".form-actions button[type=submit]").first.click()
    page.locator(".rich-text img").nth(1).wait_for()
    assert page.locator(".rich-text img").count() == 2
    assert page.locator(".rich-text img").evaluate_all(
        "all => all.every((one) => one.complete && one.naturalWidth > 0)"
    )
