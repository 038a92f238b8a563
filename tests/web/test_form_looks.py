"""How a form looks (its colour, a picture at the top, names beside the fields, its button), and several fields changed at once."""

import io

import pytest
from PIL import Image

from builder import drafts
from tests.web.test_builder import made


def picture(width: int = 3_000) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, width // 4), "teal").save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def boss(shop, sign_in):
    return sign_in(shop, "boss")


@pytest.fixture
def studio(boss):
    """A form of four fields: `field_1` (a text) to `field_4`."""
    studio = made(boss)[1]
    for kind in ("number", "date", "formula"):
        boss.post(f"{studio}add", {"type": kind})
    return studio


def form_and_table(shop, studio):
    with shop.opened(shop.boss) as ctx:
        package = drafts.open_draft(ctx, studio.split("/")[2]).package
    return package["forms"][0], package["tables"][0]


def test_a_published_form_looks_as_it_was_made_to(shop, boss, studio, sign_in):
    app = studio.split("/")[2]
    options = {"path": "", "tab": "form", "color": "purple", "labels": "beside", "submit.en": "Ask for leave", "submit.zh": "提交申请"}
    assert boss.post(f"{studio}options", options).status_code == 200
    sent = boss.post(f"{studio}cover", {"file": (io.BytesIO(picture()), "sea.png"), "tab": "form"})
    assert sent.status_code == 200, sent.text
    form, _ = form_and_table(shop, studio)
    assert (form["color"], form["labels"], form["cover"]["name"]) == ("purple", "beside", "sea.png")
    boss.post(f"{studio}delete", {"id": "field_4"})
    assert boss.post(f"/build/{app}/publish", {}).status_code == 204
    clerk = sign_in(shop, "clerk")
    page = clerk.get(f"/a/{app}/f/{form['id']}/new").text
    for text in ("tone-purple toned", "labels-beside", "Ask for leave", 'class="form-cover"'):
        assert text in page, text
    address = page.partition('class="form-cover" src="')[2].partition('"')[0]
    shown = clerk.client.get(address)
    assert shown.headers["Content-Type"] == "image/png"
    assert "private" in shown.headers["Cache-Control"]
    assert Image.open(io.BytesIO(shown.data)).width == 1_800, "no larger than a screen shows it"
    assert clerk.client.get(address.replace("request", "nothing")).status_code == 404


def test_what_is_no_picture_is_no_cover(shop, boss, studio):
    assert boss.post(f"{studio}cover", {"file": (io.BytesIO(b"<svg onload=alert(1)>"), "a.png")}).status_code == 422
    assert boss.post(f"{studio}cover", {}).status_code == 422
    assert "cover" not in form_and_table(shop, studio)[0]
    boss.post(f"{studio}cover", {"file": (io.BytesIO(picture(400)), "sea.png")})
    assert boss.post(f"{studio}cover", {"without": "1"}).status_code == 200
    assert "cover" not in form_and_table(shop, studio)[0]


def test_several_fields_are_changed_by_one_edit(shop, boss, studio):
    ids = "field_1,field_2,field_4"
    assert boss.post(f"{studio}together", {"ids": ids, "act": "require"}).status_code == 200
    _, table = form_and_table(shop, studio)
    assert {f["id"]: f.get("required", False) for f in table["fields"]} == {
        "field_1": True, "field_2": True, "field_3": False, "field_4": False,
    }, "a formula is not filled in"  # fmt: skip
    boss.post(f"{studio}together", {"ids": ids, "act": "readonly"})
    boss.post(f"{studio}together", {"ids": "field_1,field_2", "act": "width", "value": "1/2"})
    form, _ = form_and_table(shop, studio)
    assert form["readonly"] == ids.split(",")
    assert form["widths"] == {"field_1": "1/2", "field_2": "1/2"}
    boss.post(f"{studio}together", {"ids": "field_1", "act": "writable"})
    boss.post(f"{studio}together", {"ids": ids, "act": "unrequire"})
    boss.post(f"{studio}together", {"ids": "field_2", "act": "width", "value": ""})
    form, table = form_and_table(shop, studio)
    assert form["readonly"] == ["field_2", "field_4"]
    assert form["widths"] == {"field_1": "1/2"}
    assert not any(f.get("required") for f in table["fields"])


def test_several_fields_are_deleted_and_come_back_by_one_step(shop, boss, studio):
    boss.post(f"{studio}together", {"ids": "field_2,field_3", "act": "delete"})
    assert [f["id"] for f in form_and_table(shop, studio)[1]["fields"]] == ["field_1", "field_4"]
    boss.post(f"{studio.partition('form/')[0]}undo")
    assert len(form_and_table(shop, studio)[1]["fields"]) == 4
    boss.post(f"{studio}together", {"ids": "field_2,field_3", "act": "take_off"})
    form, table = form_and_table(shop, studio)
    assert len(table["fields"]) == 4
    assert "field_2" not in str(form["layout"])


@pytest.mark.parametrize(
    "sent", [{"act": "burn", "ids": "field_1"}, {"act": "require", "ids": "nothing"}, {"act": "width", "ids": "field_1", "value": "9"}]
)
def test_what_cannot_be_done_changes_nothing(shop, boss, studio, sent):
    before = form_and_table(shop, studio)
    assert boss.post(f"{studio}together", sent).status_code == 422
    assert form_and_table(shop, studio) == before
