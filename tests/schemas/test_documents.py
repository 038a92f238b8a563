"""Print templates: what each kind of block brings along, and what is said of a template that does not fit."""

from pathlib import Path
from typing import Any

import pytest

from runtime.pages import DRAWN
from schemas.app import App
from schemas.document import plain
from schemas.documents import block_types
from schemas.errors import DefinitionError
from schemas.options import load
from schemas.text import Text
from schemas.wording import parts_of

TEMPLATES = Path(__file__).parents[2] / "templates" / "documents"
PACKAGE: dict[str, Any] = {
    "language": 1,
    "app": "shop",
    "roles": [{"id": "clerk"}],
    "tables": [
        {
            "id": "order",
            "title": "Orders {draft}",
            "title_formula": "no",
            "fields": [
                {"id": "no", "type": "text"},
                {"id": "total", "type": "number"},
                {"id": "photo", "type": "image"},
                {"id": "items", "type": "rows", "fields": [{"id": "what", "type": "text"}, {"id": "count", "type": "number"}]},
            ],
        },
        {"id": "parcel", "fields": [{"id": "order", "type": "link", "table": "order"}, {"id": "weight", "type": "number"}]},
    ],
}  # fmt: skip


def app_with(**document: Any) -> App:
    return load(App, {**PACKAGE, "documents": [{"id": "slip", "table": "order", **document}]})


def complaints(**document: Any) -> list[str]:
    return [f"{p.path.removeprefix('documents[0].')}: {p.message}" for p in app_with(**document).analysis.problems()]


@pytest.mark.parametrize("kind", list(block_types), ids=lambda kind: kind.type)
def test_each_kind_of_block_has_a_name_a_template_a_drawing_and_a_sound_beginning(kind: Any) -> None:
    assert kind.title_word
    assert (TEMPLATES / f"{kind.type}.html").exists()
    assert kind.type in DRAWN
    fields = PACKAGE["tables"][0]["fields"]
    begun = {"id": "one", "type": kind.type, **kind.starts_with(fields)}
    if kind.type == "linked":
        begun |= {"over": "parcel.order", "columns": ["weight"]}
    assert complaints(blocks=[begun]) == []


def test_a_format_after_a_bar_becomes_a_text() -> None:
    written = [
        str(getattr(part, "source", part))
        for part in parts_of('{total|#,##0.00} {total|capitals} {IF(no="|",1,2)} {{x}}')
    ]
    assert written == ['TEXT(total, "#,##0.00")', " ", "RMBCAP(total)", " ", 'IF(no="|",1,2)', " {x}"]


def test_a_template_that_names_what_is_not_there_is_told_where() -> None:
    found = complaints(
        roles=["boss"],
        head_left="{page} of {pages}, {nobody}",
        blocks=[
            {"id": "a", "type": "text", "text": {"en": "{totl}"}, "when": "no"},
            {"id": "b", "type": "rows", "rows": "photo"},
            {"id": "c", "type": "rows", "rows": "items", "columns": ["whatever"], "totals": ["what"]},
            {"id": "d", "type": "linked", "over": "parcel.weight", "columns": ["weight"]},
            {"id": "e", "type": "picture", "field": "no"},
            {"id": "f", "type": "fields", "show": ["items", "nothing"]},
        ],
    )
    paths = [line.partition(":")[0] for line in found]
    assert paths == [
        "roles", "head_left", "blocks[0].when", "blocks[0].text.en", "blocks[1].rows", "blocks[2].columns", "blocks[2].totals[0]",
        "blocks[3].over", "blocks[4].field", "blocks[5].show", "blocks[5].show[0]",
    ]  # fmt: skip
    assert "did you mean 'total'?" in found[3]


def test_a_file_to_be_filled_in_must_be_of_its_kind() -> None:
    assert complaints(made="word") == ["file: choose the file that is to be filled in"]
    with pytest.raises(DefinitionError, match="ends in .docx"):
        app_with(made="word", file={"name": "slip.xlsx", "content": "UEsDBA=="})
    with pytest.raises(DefinitionError, match="base 64"):
        app_with(made="word", file={"name": "slip.docx", "content": "not base 64!"})


def test_without_a_template_a_record_is_printed_with_its_title_fields_and_subforms() -> None:
    app = app_with()
    table = app.table("order")
    assert table is not None
    made = plain(app, table)
    assert [block.type for block in made.blocks] == ["heading", "fields", "heading", "rows", "approvals"]
    heading = made.blocks[0].text  # type: ignore[attr-defined]
    assert isinstance(heading, Text)
    assert (
        "".join(p if isinstance(p, str) else f"<{p.source}>" for p in parts_of(heading.in_language("en")))
        == "Orders {draft} <no>"
    )
