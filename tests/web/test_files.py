"""Files, pictures and signatures of records: who may have them, and as what."""

import io
import zipfile
from datetime import timedelta

import pytest
from sqlalchemy import select

from runtime import files, models, query
from runtime.access import door
from runtime.storage import file_key
from schemas.errors import InvalidInput
from tests.runtime.pictures_world import bomb, photograph, picture

OFFICE = {
    "language": 1,
    "app": "shop",
    "roles": [{"id": "clerk"}, {"id": "manager"}],
    "tables": [
        {
            "id": "visit",
            "title_formula": "name",
            "fields": [
                {"id": "name", "type": "text"},
                {"id": "papers", "type": "file", "max_files": 3},
                {"id": "scan", "type": "file", "endings": ["pdf", ".TXT"], "max_megabytes": 1},
                {"id": "photos", "type": "image"},
                {"id": "stamped", "type": "image", "watermark": ["time", "person", "place"], "longest_side": 300},
                {"id": "signed", "type": "signature"},
                {"id": "again", "type": "signature", "reuse": True},
                {"id": "secret", "type": "image"},
                {"id": "items", "type": "rows", "fields": [{"id": "what", "type": "text"}, {"id": "photo", "type": "image"}]},
            ],
        }
    ],
    "access": [
        {"id": "all", "who": {"role": "manager"}, "table": "visit", "do": ["read", "create", "update", "delete", "export"]},
        {"id": "own", "who": {"role": "clerk"}, "table": "visit", "do": ["read", "create", "update"], "rows": "created_by = ME()",
         "fields": {"*": "write", "secret": "hidden"}},
    ],
}  # fmt: skip


@pytest.fixture
def office(make_shop):
    return make_shop(OFFICE)


def added(person, field, body, name):
    """Upload a file as the form's script does."""
    return person.post(
        f"/a/shop/upload/visit/{field}", {"file": (io.BytesIO(body), name)}, content_type="multipart/form-data"
    )


def got(person, url):
    """What is at a file's address, read to its end."""
    return person.get(url, buffered=True)


def saved(office, person, **answers):
    """A record sent by the default form; its id."""
    sent = person.post("/a/shop/f/visit/new", {"name": "Visit", **answers})
    assert sent.status_code in (200, 204, 303), sent.text
    with office.opened(office.boss) as ctx:
        visit = office.table(ctx, "visit")
        return query.page(door(ctx, visit), query.Listing(["name"])).records[0].id


def test_a_picture_is_seen_by_those_who_see_the_record_and_by_nobody_else(office, sign_in):
    clerk, outsider = sign_in(office, "clerk"), sign_in(office, "outsider")
    said = added(clerk, "photos", photograph(), "现场 照片.jpg").json
    assert said["text"] == "现场 照片.jpg"
    assert got(clerk, said["thumbnail"]).mimetype == "image/webp"
    id = saved(office, clerk, photos=said["id"])
    url = f"/files/shop/visit/{id}/photos/{said['id']}"
    shown = got(clerk, f"{url}?view=1")
    assert shown.mimetype == "image/jpeg"
    assert "sandbox" in shown.headers["Content-Security-Policy"]
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    assert b"GPS" not in shown.data
    loaded = got(clerk, url)
    assert loaded.mimetype == "application/octet-stream"
    assert "attachment" in loaded.headers["Content-Disposition"]
    assert got(clerk, url.replace(str(id), "-") + "?size=small").status_code == 200
    for address in (url, f"{url}?view=1", f"{url}?size=small", url.replace(str(id), "-")):
        assert got(outsider, address).status_code == 404


def test_a_picture_in_a_hidden_field_is_not_to_be_had_by_its_address(office, sign_in):
    manager, clerk = sign_in(office, "manager"), sign_in(office, "clerk")
    mine = saved(office, clerk)
    said = added(manager, "secret", picture(), "a.jpg").json
    assert manager.post(f"/a/shop/f/visit/{mine}", {"name": "Visit", "secret": said["id"]}).status_code == 204
    assert got(manager, f"/files/shop/visit/{mine}/secret/{said['id']}").status_code == 200
    assert added(clerk, "secret", picture(), "a.jpg").status_code == 404
    for path in ("secret", "photos"):
        assert got(clerk, f"/files/shop/visit/{mine}/{path}/{said['id']}").status_code == 404
    moved = clerk.post(f"/a/shop/f/visit/{mine}", {"name": "Visit", "photos": said["id"]})
    assert moved.status_code == 422


@pytest.mark.parametrize(
    ("field", "body", "name", "reason"),
    [
        ("photos", bomb(), "a.png", "too many pixels"),
        ("photos", picture(size=(400, 300))[:900], "a.jpg", "damaged"),
        ("photos", b"<svg/>", "a.svg", "Only these files"),
        ("photos", b"<svg/>", "a.png", "not a picture"),
        ("scan", b"x", "a.exe", "pdf, txt"),
        ("papers", b"", "a.txt", "empty"),
        ("signed", picture(), "a.png", "Only these files"),
    ],
)
def test_what_does_not_belong_is_refused_with_a_reason(office, sign_in, field, body, name, reason):
    answer = added(sign_in(office, "clerk"), field, body, name)
    assert answer.status_code == 422
    assert reason in answer.text


def test_a_file_beyond_the_limit_is_refused_and_not_kept(office, app):
    storage = app.extensions["storage"]
    with office.opened(office.clerk) as ctx, pytest.raises(InvalidInput) as refused:
        files.upload(ctx, storage, office.table(ctx, "visit"), "scan", "a.pdf", io.BytesIO(b"x" * 1_000_001))
    assert "larger than" in str(refused.value.errors["scan"][0])
    assert not list(storage.all_keys(office.workspace.id))


def test_files_of_a_subform_stay_with_the_record(office, sign_in):
    clerk, outsider = sign_in(office, "clerk"), sign_in(office, "outsider")
    said = added(clerk, "items.photo", picture(), "shelf.jpg").json
    id = saved(office, clerk, items=f'[{{"what": "Shelf", "photo": ["{said["id"]}"]}}]')
    url = f"/files/shop/visit/{id}/items.photo/{said['id']}"
    assert url in clerk.get(f"/a/shop/t/visit/{id}").text
    assert got(clerk, url).status_code == 200
    assert got(outsider, url).status_code == 404
    with office.opened(office.boss) as ctx:
        assert ctx.conn.scalar(select(models.file.c.record_id)) == id


def test_a_web_page_is_never_shown_as_one_of_ours(office, sign_in):
    clerk = sign_in(office, "clerk")
    for name in ("page.html", "drawing.svg", "script.js", "feed.xml"):
        said = added(clerk, "papers", b"<script>alert(1)</script>", name).json
        assert said["view"] == ""
        answer = got(clerk, said["url"] + "?view=1")
        assert answer.mimetype == "application/octet-stream"
        assert "attachment" in answer.headers["Content-Disposition"]
        assert "sandbox" in answer.headers["Content-Security-Policy"]


def test_papers_are_read_in_the_browser(office, sign_in):
    clerk = sign_in(office, "clerk")
    text = got(clerk, added(clerk, "papers", "报价".encode("gb18030"), "报价.txt").json["view"])
    assert text.headers["Content-Type"] == "text/plain; charset=gb18030"
    paper = got(clerk, added(clerk, "papers", b"%PDF-1.7", "报价.pdf").json["view"])
    assert paper.mimetype == "application/pdf"
    assert "default-src 'none'" in paper.headers["Content-Security-Policy"]


def test_all_files_together_with_their_chinese_names(office, sign_in):
    clerk, outsider = sign_in(office, "clerk"), sign_in(office, "outsider")
    sent = [added(clerk, "papers", text, "合同.txt").json["id"] for text in (b"one", b"two")]
    id = saved(office, clerk, papers=sent)
    packed = got(clerk, f"/files/shop/visit/{id}/papers/all.zip")
    with zipfile.ZipFile(io.BytesIO(packed.data)) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {"合同.txt": b"one", "合同 (2).txt": b"two"}
    assert got(outsider, f"/files/shop/visit/{id}/papers/all.zip").status_code == 404
    assert got(clerk, f"/files/shop/visit/{id}/photos/all.zip").status_code == 404


def test_more_files_than_allowed_are_refused_by_the_form(office, sign_in):
    clerk = sign_in(office, "clerk")
    ids = [added(clerk, "papers", b"x", f"{n}.txt").json["id"] for n in range(4)]
    answer = clerk.post("/a/shop/f/visit/new", {"name": "Visit", "papers": ids})
    assert answer.status_code == 422
    assert "At most 3 files." in answer.text


def test_a_watermark_says_when_and_who(office, sign_in):
    clerk = sign_in(office, "clerk")
    said = added(clerk, "stamped", photograph((900, 600)), "a.jpg").json
    from PIL import Image

    image = Image.open(io.BytesIO(got(clerk, said["view"]).data))
    assert image.size == (200, 300)
    corner = image.crop((0, 200, 200, 300)).convert("L")
    assert corner.getextrema()[1] - corner.getextrema()[0] > 120


def test_a_list_shows_small_pictures_and_an_export_their_names(office, sign_in):
    manager = sign_in(office, "manager")
    said = added(manager, "photos", picture(), "shelf.jpg").json
    saved(office, manager, photos=said["id"])
    page = manager.get("/a/shop/v/visit/").text
    assert f"/files/shop/visit/-/photos/{said['id']}?size=small" in page
    assert 'alt="shelf.jpg"' in page


def test_a_lost_thumbnail_is_made_again(office, sign_in, app):
    clerk = sign_in(office, "clerk")
    said = added(clerk, "photos", picture(), "a.jpg").json
    storage = app.extensions["storage"]
    with office.opened(office.boss) as ctx:
        key = file_key(ctx.workspace.id, files.thumbnail_id(files.UUID(said["id"])))
    storage.delete(key)
    assert got(clerk, said["thumbnail"]).status_code == 200
    assert key in set(storage.all_keys())


def test_what_nobody_took_is_swept_away_and_nothing_else(office, sign_in, app):
    clerk = sign_in(office, "clerk")
    kept, left = (added(clerk, "photos", picture(), "a.jpg").json["id"] for _ in range(2))
    saved(office, clerk, photos=kept)
    storage = app.extensions["storage"]
    with office.opened(office.boss) as ctx:
        workspace = ctx.workspace.id
        stray = file_key(workspace, files.UUID(int=7))
        storage.put(stray, io.BytesIO(b"half"))
        assert files.remove_orphans(ctx, storage) == 0
        later = ctx.now + timedelta(days=3)
    with office.opened(office.boss, now=later) as ctx:
        assert files.remove_orphans(ctx, storage) == 2
    there = set(storage.all_keys(workspace))
    assert there == {file_key(workspace, i) for i in (files.UUID(kept), files.thumbnail_id(files.UUID(kept)))}
    assert left


def test_a_record_made_by_hand_cannot_take_another_persons_upload(office, sign_in):
    manager, clerk = sign_in(office, "manager"), sign_in(office, "clerk")
    said = added(manager, "photos", picture(), "a.jpg").json
    answer = clerk.post("/a/shop/f/visit/new", {"name": "Visit", "photos": said["id"]})
    assert answer.status_code == 422
    assert got(clerk, said["url"]).status_code == 404


def test_one_s_own_last_signature_is_used_again_and_nobody_else_s(office, sign_in):
    clerk, manager = sign_in(office, "clerk"), sign_in(office, "manager")

    def last(person, field="again"):
        return person.post(f"/a/shop/upload/visit/{field}", {"last": "1"})

    assert last(clerk).status_code == 404, "nothing has been signed yet"
    said = added(clerk, "again", picture("PNG"), "signature.png").json
    assert last(clerk).status_code == 404, "what no record has taken is no signature"
    saved(office, clerk, again=said["id"])
    again = last(clerk)
    assert again.status_code == 200
    assert again.json["id"] != said["id"], "a file belongs to one record"
    assert got(clerk, again.json["url"]).status_code == 200
    id = saved(office, clerk, again=again.json["id"])
    assert got(clerk, f"/files/shop/visit/{id}/again/{again.json['id']}").status_code == 200
    assert last(manager).status_code == 404
    assert last(sign_in(office, "outsider")).status_code == 404
    assert last(clerk, "signed").status_code == 404, "only where the field lets one"
    assert last(clerk, "photos").status_code == 404
    assert 'data-reuse' in clerk.get("/a/shop/f/visit/new").text
