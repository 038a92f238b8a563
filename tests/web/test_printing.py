"""Printing in the browser: pages, files, several records at once and by a job; and the designer of print templates."""

import base64
import io
from copy import deepcopy

import pytest
from PIL import Image

from runtime import jobs, paper, records
from tests.runtime.conftest import SHOP

BLOCKS = [
    {"id": "head", "type": "heading", "text": "Slip {title}"},
    {"id": "list", "type": "rows", "rows": "copies", "columns": ["place"]},
]
needs_pango = pytest.mark.skipif(not paper.available(), reason="the machine has no Pango")


@pytest.fixture(scope="module")
def bookshop(make_shop):
    made = deepcopy(SHOP)
    next(g for g in made["access"] if g["id"] == "own")["do"].append("print")
    made["documents"] = [
        {"id": "slip", "table": "book", "title": "Slip", "blocks": BLOCKS, "when": 'kind = "essay"'},
        {"id": "inner", "table": "book", "title": "Inner", "roles": ["manager"], "blocks": BLOCKS},
    ]
    shop = make_shop(made)
    shop.people = {}
    with shop.opened() as ctx:
        live = shop.table(ctx, "book")
        kept = ({"title": f"Book {n:02}", "owner": shop.clerk.id, "kind": "essay"} for n in range(24))
        shop.books = [records.create(ctx, live, values) for values in kept]
        shop.novel = records.create(ctx, live, {"title": "Emma", "owner": shop.clerk.id, "kind": "novel"})
    return shop


@pytest.fixture
def enter(bookshop, sign_in):
    """Signs somebody in once for all tests."""

    def entered(name):
        if name not in bookshop.people:
            bookshop.people[name] = sign_in(bookshop, name)
        return bookshop.people[name]

    return entered


def png():
    out = io.BytesIO()
    Image.new("RGB", (8, 8), "teal").save(out, "PNG")
    return out.getvalue()


def test_a_clerk_prints_a_record_by_the_templates_for_them(bookshop, enter):
    clerk = enter("clerk")
    record = f"/a/shop/t/book/{bookshop.books[0]}"
    assert f'href="{record}/print?template=slip"' in clerk.get(record).get_data(as_text=True)
    page = clerk.get(f"{record}/print?template=slip").get_data(as_text=True)
    assert "Slip Book 00" in page
    assert "Inner" not in page
    assert clerk.get(f"{record}/print?template=inner").status_code == 404
    plain = clerk.get(f"/a/shop/t/book/{bookshop.novel}/print").get_data(as_text=True)
    assert "Emma" in plain
    assert "Slip" not in plain
    refused = clerk.get(f"/a/shop/t/book/{bookshop.novel}/print?template=slip")
    assert refused.status_code == 422
    assert "is not for" in refused.get_data(as_text=True)
    assert enter("outsider").get(f"{record}/print").status_code == 404


@needs_pango
def test_few_records_come_at_once_and_many_by_a_job_to_whoever_asked(bookshop, enter, database_url, monkeypatch, app):
    clerk = enter("clerk")
    ids = [str(id) for id in bookshop.books]
    few = clerk.post("/a/shop/t/book/print", {"ids": ids[:2], "template": "slip"})
    assert (few.mimetype, few.data[:5]) == ("application/pdf", b"%PDF-")
    assert "Slip (2).pdf" in few.headers["Content-Disposition"]
    assert clerk.post("/a/shop/t/book/print", {"template": "slip"}).status_code == 422
    monkeypatch.setenv("MORTISE_DATA", str(app.config["SETTINGS"].data))
    run = clerk.post("/a/shop/t/book/print", {"ids": ids, "template": "slip"}).headers["HX-Redirect"]
    assert "0 of 24" in clerk.get(run).get_data(as_text=True)
    assert clerk.get(f"{run}/file").status_code == 404
    assert jobs.drain_jobs(database_url) == []
    assert "24 of 24" in clerk.get(run).get_data(as_text=True)
    made = clerk.get(f"{run}/file")
    assert made.data[:5] == b"%PDF-"
    assert "Slip (24).pdf" in made.headers["Content-Disposition"]
    assert enter("manager").get(f"{run}/file").status_code == 404


@needs_pango
def test_a_program_fetches_a_record_as_a_document(bookshop, enter):
    clerk = enter("clerk")
    base = f"/api/v1/apps/shop/tables/book/records/{bookshop.books[0]}/document"
    found = clerk.get(f"{base}?template=slip")
    assert (found.status_code, found.mimetype) == (200, "application/pdf")
    assert clerk.get(f"{base}?template=inner").status_code == 404


def test_a_designer_makes_a_template_out_of_blocks_with_undo(bookshop, enter):
    boss = enter("boss")
    here = boss.post("/build/shop/documents", {"title": "Label", "table": "book"}).headers["HX-Redirect"]

    def blocks():
        with bookshop.opened(bookshop.boss) as ctx:
            from builder import drafts

            return drafts.open_draft(ctx, "shop").parts[f"documents/{here.split('/')[-2]}"]

    assert [b["type"] for b in blocks()["blocks"]] == ["heading", "fields", "rows"]
    page = boss.get(here).get_data(as_text=True)
    assert "Emma" in page  # the newest record is looked at
    boss.post(f"{here}add", {"type": "code", "after": "heading"})
    assert [b["id"] for b in blocks()["blocks"]] == ["heading", "code", "fields", "rows"]
    boss.post(f"{here}move", {"key": "code", "position": "3"})
    assert [b["id"] for b in blocks()["blocks"]] == ["heading", "fields", "rows", "code"]
    assert boss.post(f"{here}move", {"key": "code", "position": "last"}).status_code == 422
    boss.post(f"{here}copy", {"id": "code"})
    boss.post(f"{here}delete", {"id": "rows"})
    assert [b["id"] for b in blocks()["blocks"]] == ["heading", "fields", "code", "code_2"]
    boss.post(f"{here}undo", {"chosen": ""})
    assert "rows" in [b["id"] for b in blocks()["blocks"]]
    changed = boss.post(f"{here}options", {"path": "heading", "text.zh": "", "text.en": "Of {title}", "level": "2"})
    assert "Of Emma" in changed.get_data(as_text=True)
    wrong = boss.post(f"{here}options", {"path": "heading", "text.en": "Of {titel}", "level": "2"})
    assert "did you mean" in wrong.get_data(as_text=True)
    assert boss.post(f"{here}options", {"path": "heading", "level": "9"}).status_code == 422
    boss.post(f"{here}options", {"path": "", "size": "A5", "orientation": "landscape"})
    assert (blocks()["size"], blocks()["orientation"]) == ("A5", "landscape")


def test_pictures_are_attached_to_a_template_and_what_is_no_picture_is_refused(bookshop, enter):
    boss = enter("boss")
    here = boss.post("/build/shop/documents", {"title": "Pictured", "table": "book"}).headers["HX-Redirect"]
    logo = {"option": "logo", "path": "", "file": (io.BytesIO(png()), "logo.png")}
    answer = boss.post(f"{here}attach", logo).get_data(as_text=True)
    assert f'src="data:image/png;base64,{base64.b64encode(png()).decode()[:40]}' in answer
    for name, body in (("logo.png", b"<svg onload=alert(1)>"), ("logo.png", b"")):
        refused = boss.post(f"{here}attach", {"option": "logo", "path": "", "file": (io.BytesIO(body), name)})
        assert refused.status_code == 422
    boss.post(f"{here}attach", {"option": "logo", "path": "", "without": "1"})
    assert "data:image" not in boss.get(here).get_data(as_text=True)
    boss.post(f"{here}remove")
    assert boss.get(here).status_code == 404
