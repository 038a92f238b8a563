"""The template centre: an administrator looks inside apps, uploads a package, installs it and takes its sample away."""

import io
import json
import re
import zipfile

import pytest

from builder import bundle
from runtime import definitions, models, sample
from runtime.people import Directory

GARDEN = {
    "language": 1,
    "app": "garden",
    "version": "1.0.0",
    "title": {"zh": "花园", "en": "Garden"},
    "description": {"zh": "种什么", "en": "What grows where"},
    "slots": [{"id": "gardener", "type": "member", "title": {"zh": "园丁", "en": "Gardener"}}],
    "tables": [
        {
            "id": "bed",
            "title": {"zh": "花床", "en": "Bed"},
            "fields": [
                {"id": "name", "type": "text", "label": "Name of the bed"},
                {"id": "keeper", "type": "member", "label": "Keeper"},
                {"id": "dug", "type": "date", "label": "Dug on"},
                {"id": "area", "type": "number", "label": "Area"},
                {"id": "double", "type": "formula", "label": "Twice", "formula": "area * 2"},
                {"id": "state", "type": "choice", "label": "State", "options": [{"id": "new", "label": "Freshly dug"}]},
            ],
        }
    ],
    "views": [
        {"id": "beds", "table": "bed", "columns": ["name", "keeper", "area", "double"]},
        {"id": "lanes", "type": "kanban", "table": "bed", "group": "state", "card": ["area"]},
        {"id": "days", "type": "calendar", "table": "bed", "start": "dug"},
        {"id": "bars", "type": "gantt", "table": "bed", "start": "dug"},
        {"id": "cards", "type": "gallery", "table": "bed", "card": ["name"]},
    ],
    "dashboards": [
        {
            "id": "sums",
            "title": "Sums",
            "widgets": [
                {"id": "all", "type": "number", "table": "bed", "measure": "SUM(area)"},
                {"id": "by", "type": "bar", "table": "bed", "group": ["state"], "measure": "COUNT()"},
            ],
        }
    ],
}
SAMPLE = {
    "sample/sample.json": {
        "members": [
            {"key": "flora", "name": "Flora Bloom", "email": "flora@example.org", "admin": True,
             "password": "known-to-all-the-world", "slots": ["gardener"]}
        ],
        "tables": ["bed"],
    },
    "sample/bed.json": [
        {"@key": "b1", "name": "Roses by the wall", "keeper": "@flora", "dug": {"days": 0}, "area": 21, "state": "new"}
    ],
}  # fmt: skip


def zipped(package=GARDEN, besides=SAMPLE):
    buffer = io.BytesIO(bundle.zipped(package))
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as archive:
        for name, content in besides.items():
            archive.writestr(f"garden/{name}", content if isinstance(content, bytes) else json.dumps(content))
    return buffer.getvalue()


def send(boss, *files):
    return boss.post("/templates/", {"file": [(io.BytesIO(data), name) for data, name in files]},
                     content_type="multipart/form-data")  # fmt: skip


@pytest.fixture
def boss(shop, sign_in):
    return sign_in(shop, "boss")


def test_an_uploaded_app_is_looked_into_installed_with_its_sample_and_cleared_of_it(boss, shop):
    taken = send(boss, (zipped(), "garden.zip"))
    assert taken.status_code == 204, re.findall(r"<li>.*", taken.text)[:5]
    home = taken.headers["HX-Redirect"]
    assert "What grows where" in boss.get("/templates/").text
    looked = boss.get(home).text
    assert "Roses by the wall" in looked
    assert "Flora Bloom" in looked
    assert ">42<" in looked  # the formula is worked out
    for place in ("view:lanes", "view:days", "view:bars", "view:cards", "form:bed", "dashboard:sums"):
        page = boss.get(f"{home}?show={place}")
        assert page.status_code == 200, place
        assert ("21" if place == "dashboard:sums" else "Roses by the wall") in page.text, place
    assert boss.get(f"{home}?show=view:nothing").status_code == 404
    with shop.opened() as ctx:
        assert "garden" not in [inst.slug for inst in definitions.all_installed(ctx)]  # looking installs nothing

    asked = boss.get(f"{home}install").text
    assert "Gardener" in asked
    stranger = boss.post(f"{home}install", {"slug": "garden", "slot:gardener": str(shop.clerk.id)[:-4] + "0000"})
    assert stranger.status_code == 422
    done = boss.post(f"{home}install", {"slug": "garden", "slot:gardener": str(shop.clerk.id), "sample": "1"})
    assert done.headers["HX-Redirect"] == "/a/garden/"
    assert "Roses by the wall" in boss.get("/a/garden/v/beds/").text
    with shop.opened() as ctx:
        inst = definitions.installed(ctx, "garden")
        assert definitions.slots(ctx, inst) == {"gardener": shop.clerk.id}  # the sample takes no post from anybody
        flora = next(p for p in Directory.of(ctx).search("Flora") if p.name == "Flora Bloom")
        m = models.member
        row = ctx.conn.execute(m.select().where(m.c.id == flora.id)).one()
        assert (row.admin, row.account_id) == (False, None)  # and brings no rights and no password of its own
    assert "Take away the sample data" in boss.get("/build/garden/").text
    boss.post("/build/garden/sample/remove")
    assert "Roses by the wall" not in boss.get("/a/garden/v/beds/").text
    boss.post("/build/garden/sample")
    assert "Roses by the wall" in boss.get("/a/garden/v/beds/").text
    assert boss.post(f"{home}remove").status_code == 204
    assert boss.get(home).status_code == 404
    assert boss.get("/a/garden/v/beds/").status_code == 200


def test_a_folder_can_be_uploaded_and_is_shown_with_made_up_records(boss):
    files = [(text.encode(), f"my garden/{name}") for name, text in bundle.files_of(GARDEN).items()]
    home = send(boss, *files).headers["HX-Redirect"]
    page = boss.get(f"{home}?show=view:beds").text
    assert "made-up data" in page
    assert "Name of the bed 1" in page


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"not a zip", "not a zip file"),
        (zipped(GARDEN | {"tables": [{"id": "bed", "fields": [{"id": "x", "type": "nonsense"}]}]}, {}), "tables/bed"),
        (zipped(besides={"../../evil.json": {}}), "lead out"),
        (zipped(besides={"sample/bed.json": b"{"}), "sample/bed.json"),
        (zipped(besides={"sample/big.json": b" " * 5_000_001}), "too large"),
        (zipped(besides={"program.py": b"import os"}), "has no such file"),
    ],
)
def test_what_is_wrong_with_a_package_is_said_in_words_and_nothing_is_kept(boss, data, words):
    refused = send(boss, (data, "garden.zip"))
    assert refused.status_code == 422
    assert words in refused.text
    assert "What grows where" not in refused.text


def test_every_bundled_app_can_be_looked_through(boss):
    page = boss.get("/templates/").text
    for id in bundle.bundled():
        assert f"/templates/{id}/install" in page
        shown = boss.get(f"/templates/{id}/").text
        assert re.search(r'<option value="view:\w+" selected', shown)
        assert boss.get(f"/templates/{id}/install").status_code == 200


def test_only_administrators_find_the_template_centre(shop, sign_in):
    manager = sign_in(shop, "manager")
    assert manager.get("/templates/").status_code == 404
    assert send(manager, (zipped(), "garden.zip")).status_code == 404
    for url in ("/templates/expense/install", "/build/shop/sample", "/build/shop/sample/remove"):
        assert manager.post(url, {"slug": "mine"}).status_code == 404


def test_the_index_of_sample_data_is_the_same_from_a_folder_and_from_what_its_files_hold(tmp_path):
    (tmp_path / "sample").mkdir()
    for name, content in SAMPLE.items():
        (tmp_path / name).write_text(json.dumps(content))
    held = {name.removeprefix("sample/"): content for name, content in SAMPLE.items()}
    assert sample.index_of(tmp_path / "sample") == sample.index_of(held)
