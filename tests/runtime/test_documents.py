"""Records on paper: what their reader may see of them, and nothing else; by a template, or without one."""

import io
import re
import zipfile
from copy import deepcopy
from decimal import Decimal
from xml.dom import minidom

import openpyxl
import pytest

from runtime import documents, office, paper, records
from runtime.access import door
from runtime.documents import template
from runtime.paper import Sheet
from runtime.reading import Reading
from runtime.settings import Settings
from runtime.storage import storage_of
from schemas.attached import Attached
from schemas.document import Document
from schemas.errors import Denied, NotFound
from tests.office_world import attached, docx, paragraph, table, xlsx
from tests.runtime.conftest import SHOP

WORDS = (
    "By {author.name}, worth {author.worth}; {kind}; {total|#,##0.00}; {total|capitals}; cost {cost}\nof {owner.name}"
)
BLOCKS = [
    {"id": "head", "type": "heading", "text": "Slip {no}"},
    {"id": "words", "type": "text", "text": WORDS},
    {"id": "dear", "type": "text", "text": "It is dear.", "when": "price > 100"},
    {"id": "grid", "type": "fields", "show": ["title", "kind", "price", "cost", "due", "created_by"], "columns": 2},
    {"id": "list", "type": "rows", "rows": "copies", "columns": ["place", "count", "value"], "totals": ["count"]},
    {"id": "code", "type": "code"},
    {"id": "sign", "type": "signatures", "lines": [{"title": "For {author.name}"}]},
    {"id": "gap", "type": "spacer", "line": True},
    {"id": "next", "type": "page_break"},
    {"id": "trail", "type": "approvals"},
]  # fmt: skip


@pytest.fixture(scope="module")
def bookshop(make_shop):
    """Clerks print their own books, whose cost is hidden from them and whose price is masked."""
    made = deepcopy(SHOP)
    own = next(g for g in made["access"] if g["id"] == "own")
    own |= {"do": ["read", "create", "print"], "fields": {"*": "read", "cost": "hidden", "price": "mask"}}
    next(g for g in made["access"] if g["id"] == "all_books")["do"].append("print")
    made["documents"] = [
        {"id": "slip", "table": "book", "title": "Slip", "name": "Slip {title}", "blocks": BLOCKS, "watermark": "Copy",
         "head_left": "Page {page} of {pages}: {no}"},
        {"id": "shelf", "table": "author", "title": "Shelf", "blocks": [
            {"id": "books", "type": "linked", "over": "book.author", "columns": ["title", "cost", "total"], "totals": ["total"],
             "sort": ["-title"]}]},
        {"id": "inside", "table": "book", "title": "Inside", "roles": ["manager"], "blocks": BLOCKS[:1]},
    ]  # fmt: skip
    shop = make_shop(made)
    with shop.opened() as ctx:
        writer = records.create(ctx, shop.table(ctx, "author"), {"name": "Jane <Austen>"})
        rows = [{"place": "Hall", "count": Decimal(2)}, {"place": "Loft & attic", "count": Decimal(1)}]
        values = {"author": writer, "kind": "essay", "price": Decimal(120), "cost": Decimal(77), "copies": rows}
        shop.author = writer
        shop.emma, shop.other = (
            records.create(ctx, shop.table(ctx, "book"), {"title": title, "owner": owner.id, **values})
            for title, owner in (("Emma", shop.clerk), ("Persuasion", shop.manager))
        )
    return shop


def sheet(shop, actor, record, id="slip", table="book"):
    with shop.opened(actor) as ctx:
        live = shop.table(ctx, table)
        (found,) = documents.printable(ctx, live, [record])
        return str(documents.on_screen(ctx, live, found, template(ctx, live, id)))


def words(html):
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_a_template_is_filled_in_with_what_its_reader_may_see(bookshop):
    managers = sheet(bookshop, bookshop.manager, bookshop.emma)
    read = words(managers)
    assert "By Jane &lt;Austen&gt;, worth 720; essay; 360.00; 叁佰陆拾元整; cost ¥77.00 of Clerk" in read
    assert "It is dear." in read
    assert "Loft &amp; attic 1 120" in read
    assert '<span class="page-number"></span> of <span class="pages-number"></span>: B-000' in managers
    assert 'class="number">3</td>' in managers


def test_what_is_hidden_or_masked_is_not_on_paper(bookshop):
    read = words(sheet(bookshop, bookshop.clerk, bookshop.emma))
    assert "worth ;" in read  # an author's worth is hidden
    assert "cost of Clerk" in read
    assert "77" not in read
    assert "¥120" not in read
    assert "It is dear." not in read  # a condition on a masked price is not met
    assert "By Jane &lt;Austen&gt;" in read
    plain = words(sheet(bookshop, bookshop.clerk, bookshop.emma, ""))
    assert " book Emma no B-" in plain
    assert "cost" not in plain
    assert "•" in plain or "*" in plain


def test_only_what_may_be_read_and_printed_is_printed_and_only_by_a_template_for_the_reader(bookshop):
    with bookshop.opened(bookshop.clerk) as ctx:
        live = bookshop.table(ctx, "book")
        assert [r.title for r in documents.printable(ctx, live, [bookshop.other, bookshop.emma])] == ["Emma"]
        assert [d.id for d in documents.templates(ctx, live)] == ["slip"]
        for id in ("inside", "nothing"):
            with pytest.raises(NotFound):
                template(ctx, live, id)
        with pytest.raises(Denied):
            documents.printable(ctx, bookshop.table(ctx, "author"), [bookshop.author])
    with bookshop.opened(bookshop.outsider) as ctx, pytest.raises(NotFound):
        documents.printable(ctx, bookshop.table(ctx, "book"), [bookshop.emma])
    with bookshop.opened(bookshop.manager) as ctx:
        assert [d.id for d in documents.templates(ctx, bookshop.table(ctx, "book"))] == ["slip", "inside"]


def test_linked_records_stand_in_their_order_with_totals(bookshop):
    read = words(sheet(bookshop, bookshop.boss, bookshop.author, "shelf", "author"))
    assert "1 Persuasion ¥77.00 360.00 2 Emma ¥77.00 360.00 Total 720.00" in read


@pytest.mark.skipif(not paper.available(), reason="the machine has no Pango")
def test_several_records_are_one_pdf_and_the_printing_is_noted(bookshop, tmp_path):
    storage = storage_of(Settings.read({"MORTISE_DATA": str(tmp_path)}))
    with bookshop.opened(bookshop.manager) as ctx:
        live = bookshop.table(ctx, "book")
        one = documents.make(ctx, storage, live, [bookshop.emma], template(ctx, live, "slip"))
        two = documents.make(ctx, storage, live, [bookshop.emma, bookshop.other], template(ctx, live, "slip"))
    assert (one.name, one.media_type) == ("Slip Emma.pdf", documents.PDF)
    assert one.data.startswith(b"%PDF-")
    assert two.name == "Slip (2).pdf"
    assert two.data.count(b"/Type /Page\n") == 2 * one.data.count(b"/Type /Page\n") or len(two.data) > len(one.data)


@pytest.mark.skipif(not paper.available(), reason="the machine has no Pango")
def test_a_page_fetches_nothing_from_anywhere(tmp_path):
    secret = tmp_path / "secret.css"
    secret.write_text("p { color: red }")
    asked = []
    weasyprint = paper._weasyprint()
    before = weasyprint.urls.request.OpenerDirector.open
    weasyprint.urls.request.OpenerDirector.open = lambda *given, **more: asked.append(given)
    try:
        for address in (
            secret.as_uri(),
            "http://127.0.0.1:9/x.png",
            "ftp://example.org/x",
            "data:image/png;base64,AAAA",
        ):
            inside = f'<img src="{address}"><link rel="stylesheet" href="{address}"><object data="{address}"></object>'
            markup = f'<article class="paper">{inside}</article>'
            assert paper.written([paper.printed(Sheet(markup, Document(id="x", table="y")), "en")]).startswith(b"%PDF")
    finally:
        weasyprint.urls.request.OpenerDirector.open = before
    assert asked == []


# -- Word and Excel ----------------------------------------------------------------------------------


def filled(shop, actor, name, data):
    with shop.opened(actor) as ctx:
        live = shop.table(ctx, "book")
        (found,) = documents.printable(ctx, live, [shop.emma])
        return office.filled(Attached(**attached(name, data)), Reading(door(ctx, live), found, "en"))


def test_a_word_file_is_filled_in_with_a_row_of_its_table_for_each_row_of_a_subform(bookshop):
    made = docx(
        paragraph("Book {ti", "tle} of {author.name}, {total|#,##0.00}; cost {cost}; {{x}}"),
        table(["Place", "Count"], ["{copies.row}. {copies.place}", "{copies.count} of {title}"]),
    )

    def read(actor):
        with zipfile.ZipFile(io.BytesIO(filled(bookshop, actor, "a.docx", made))) as archive:
            body = archive.read("word/document.xml").decode()
        assert minidom.parseString(body)
        return words(body)

    managers, clerks = read(bookshop.manager), read(bookshop.clerk)
    assert "Book Emma of Jane &lt;Austen&gt;, 360.00; cost ¥77.00; {x}" in managers.replace(" Emma  of", " Emma of")
    assert "Place Count 1. Hall 2 of Emma 2. Loft &amp; attic 1 of Emma" in managers
    assert "77" not in clerks
    assert "Hall" in clerks


def test_an_excel_file_keeps_numbers_and_moves_what_stands_below(bookshop):
    made = xlsx({
        "A1": "{title}", "B1": "{total}", "C1": "Cost: {cost}", "A3": "{copies.row}", "B3": "{copies.place}", "C3": "{copies.count}",
        "D3": "=C3*2", "A4": "Below", "D4": "=D5+1", "E1": "{IF(TRUE, \"=1+1\", \"\")}",
    })  # fmt: skip
    sheet = openpyxl.load_workbook(io.BytesIO(filled(bookshop, bookshop.clerk, "a.xlsx", made))).active
    assert [sheet[p].value for p in ("A1", "B1", "C1")] == ["Emma", 360, "Cost: "]
    assert [[sheet.cell(r, c).value for c in range(1, 5)] for r in (3, 4, 5)] == [
        [1, "Hall", 2, "=C3*2"], [2, "Loft & attic", 1, "=C4*2"], ["Below", None, None, "=D6+1"],
    ]  # fmt: skip
    assert (sheet["E1"].value, sheet["E1"].data_type) == ("=1+1", "s")
