"""An administrator makes an app of a file that the team has worked with so far; a designer adds a form of a pasted table."""

import io
import re
from datetime import UTC, date, datetime, timedelta

import openpyxl
import pytest

from runtime import definitions, importing, jobs, query
from runtime.access import door
from runtime.query import Listing
from runtime.tables import live

ORDERS = [
    ["订单号", "供应商", "下单日期", "产品", "数量", "单价", "状态"],
    ["A001", "甲", date(2026, 1, 5), "椅子", 2, 120.5, "新"],
    ["A001", "甲", date(2026, 1, 5), "桌子", 1, 300, "新"],
    ["A002", "乙公司", date(2026, 1, 6), "椅子", 4, 120.5, "完成"],
    ["A003", "丙公司", date(2026, 1, 7), "灯", 3, 45, "新"],
    ["A004", "丁公司", date(2026, 1, 8), "灯", 1, 45, "完成"],
]
VISITS = [["name", "phone", "visited"], ["Ann", "13800138000", "yes"], ["Bo", "13900139000", "no"]]


def workbook(**sheets):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def send(person, url="/from-file/", name="订单.xlsx", content=None, **form):
    sent = {"file": (io.BytesIO(content), name)} if content is not None else {}
    return person.post(url, {**sent, **form}, content_type="multipart/form-data")


def filled(page):
    """What the page would send as it stands."""
    form = {}
    for tag in re.findall(r"<input[^>]*>", page):
        name, kind = re.search(r'name="([^"]*)"', tag), re.search(r'type="([^"]*)"', tag)
        if name and (kind is None or kind[1] not in ("checkbox", "radio") or " checked" in tag):
            value = re.search(r'value="([^"]*)"', tag)
            form[name[1]] = value[1] if value else "on"
    for name, options in re.findall(r'<select[^>]*name="([^"]*)"[^>]*>(.*?)</select>', page, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', options) or re.search(r'value="([^"]*)"', options)
        form[name] = chosen[1]
    return form


@pytest.fixture
def boss(shop, sign_in):
    return sign_in(shop, "boss")


def drained(url):
    assert not jobs.drain_jobs(url)


def records_of(shop, slug, table, fields):
    with shop.opened(shop.boss) as ctx:
        source = live(ctx, definitions.installed(ctx, slug), table)
        gate = door(ctx, source)
        return [query.fetch(gate, id).values for id in query.ids(gate, Listing(fields[:1], sort=fields[:1]))]


def test_a_workbook_becomes_an_app_whose_rows_are_records(boss, shop, database_url):
    run = send(boss, content=workbook(订单=ORDERS, Sheet2=VISITS)).headers["Location"]
    form = filled(boss.get(run).text)
    assert (form["title"], form["s0.title"], form["s1.title"]) == ("订单", "订单", "订单")
    assert [form[f"s0.c{n}.kind"] for n in range(7)] == ["text", "text", "date", "text", "number", "money", "choice"]
    made = boss.post(run, {**form, "s1.title": "Visits", "act": "make"})
    slug = re.search(r"/a/([^/]+)/", made.headers["HX-Redirect"] if "HX-Redirect" in made.headers else made.headers["Location"])[1]
    drained(database_url)
    with shop.opened(shop.boss) as ctx:
        app = definitions.installed(ctx, slug).app
    assert [[f.type for f in t.fields] for t in app.tables] == [
        ["text", "text", "date", "text", "number", "money", "choice"], ["text", "text", "switch"],
    ]  # fmt: skip
    ids = [f.id for f in app.tables[1].fields]
    assert [[r[id] for id in ids] for r in records_of(shop, slug, app.tables[1].id, ids)] == [
        ["Ann", "13800138000", True], ["Bo", "13900139000", False],
    ]  # fmt: skip
    assert len(records_of(shop, slug, app.tables[0].id, [app.tables[0].fields[0].id])) == 5
    assert boss.get(run).status_code == 404  # the file is not kept any longer


def test_lines_of_one_order_become_one_record_with_a_subform(boss, shop, database_url):
    run = send(boss, content=workbook(订单=ORDERS)).headers["Location"]
    form = filled(boss.get(run).text) | {f"s0.c{n}.inner": "on" for n in (3, 4, 5)} | {"s0.key": "0", "s0.details": "明细"}
    place = boss.post(run, {**form, "act": "make"}).headers["HX-Redirect"]
    drained(database_url)
    assert "/import/" in place
    assert "5" in boss.get(place).text
    slug, table = re.search(r"/a/([^/]+)/import/([^/]+)/", place).groups()
    with shop.opened(shop.boss) as ctx:
        fields = definitions.installed(ctx, slug).app.tables[0].fields
    found = records_of(shop, slug, table, [fields[0].id, "details"])
    assert [(r[fields[0].id], len(r["details"])) for r in found] == [("A001", 2), ("A002", 1), ("A003", 1), ("A004", 1)]


def test_a_kind_that_does_not_read_everything_says_so_before_anything_is_made(boss):
    run = send(boss, pasted="who\twhen\nAda\t2026-01-05\nBen\tsoon").headers["Location"]
    form = filled(boss.get(run).text)
    assert form["s0.c1.kind"] == "text"
    page = boss.post(run, {**form, "s0.c1.kind": "date", "title": "Kept"}).text
    assert "Not read so: 1 (soon)" in page
    assert 'value="Kept"' in page


def test_a_designer_adds_a_form_of_a_pasted_table_to_the_draft(boss, shop):
    url = send(boss, "/build/shop/from-file/", pasted="Name,Hours\nAda,3\nBen,4.5").headers["Location"]
    assert url.startswith("/build/shop/from-file/")
    form = {k: v for k, v in filled(boss.get(url).text).items() if k != "publish"} | {"s0.title": "Hours"}
    assert boss.post(url, {**form, "act": "make"}).headers["HX-Redirect"] == "/build/shop/"
    page = boss.get("/build/shop/").text
    assert "Hours" in page
    with shop.opened(shop.boss) as ctx:
        assert not [t for t in definitions.installed(ctx, "shop").app.tables if t.id == "hours"]


@pytest.mark.parametrize(("form", "said"), [
    ({"title": ""}, "Give the app a name."),
    ({"s0.title": ""}, "Give the form a name."),
    ({"s0.make": None}, "Keep at least one sheet."),
    ({"s0.c0.use": None, "s0.c1.use": None}, "Keep at least one column"),
    ({"s0.c0.inner": "on", "s0.key": "0"}, "cannot be part of the subform"),
])  # fmt: skip
def test_what_cannot_be_made_is_told_and_what_was_chosen_stays(boss, form, said):
    run = send(boss, pasted="a\tb\n1\t2").headers["Location"]
    given = {**filled(boss.get(run).text), "title": "T", "s0.title": "Table", "s0.c1.label": "Bee", "act": "make", **form}
    answer = boss.post(run, {k: v for k, v in given.items() if v is not None})
    assert answer.status_code == 422
    assert said in answer.text
    assert 'value="Bee"' in answer.text


@pytest.mark.parametrize(("sent", "said"), [
    ({}, "Choose a file, or paste a table."),
    ({"pasted": "\n\n"}, "Choose a file, or paste a table."),
    ({"name": "a.pdf", "content": b"%PDF"}, "Choose a CSV or Excel file"),
    ({"name": "a.xlsx", "content": b"no zip"}, "could not be opened"),
    ({"name": "a.csv", "content": b"\x00\x01\x02"}, "does not look like a text file"),
])  # fmt: skip
def test_a_file_that_is_no_table_is_refused_with_a_reason(boss, sent, said):
    answer = send(boss, **sent)
    assert answer.status_code == 422
    assert said in answer.text


def test_a_file_belongs_to_whoever_sent_it(boss, shop, sign_in):
    run = send(boss, pasted="a\n1").headers["Location"]
    rep = sign_in(shop, "clerk")
    assert rep.get(run).status_code == 404
    assert rep.get("/from-file/").status_code == 404
    assert rep.post("/from-file/", {"pasted": "a\n1"}).status_code == 404
    assert boss.post(run, {"act": "discard"}).headers["HX-Redirect"] == "/build/"
    assert boss.get(run).status_code == 404


def test_a_file_that_nobody_made_anything_of_is_forgotten_after_a_week(boss, shop, sign_in):
    run = send(boss, pasted="a\n1").headers["Location"]
    with shop.opened(shop.boss) as ctx:
        importing.forget_unused(ctx)
    assert boss.get(run).status_code == 200
    with shop.opened(shop.boss, now=datetime.now(UTC) + timedelta(days=8)) as ctx:
        importing.forget_unused(ctx)
    assert boss.get(run).status_code == 404
