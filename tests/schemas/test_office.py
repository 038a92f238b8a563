"""Word and Excel files as templates: their placeholders, and what is refused before it is read."""

from typing import Any

import pytest

from schemas.attached import Attached
from schemas.documents import office
from schemas.errors import BadValue
from tests.office_world import TYPES, attached, docx, paragraph, xlsx, zipped
from tests.schemas.test_documents import complaints

RELATION = '<Relationships><Relationship Id="r" Type="{}" Target="http://example.org/x" TargetMode="External"/></Relationships>'


def file(name: str, data: bytes) -> Attached:
    return Attached(**attached(name, data))


def test_placeholders_are_found_wherever_word_has_split_them_and_with_the_quotes_that_it_makes() -> None:
    made = docx(paragraph("Order {n", "o}, {IF(total &gt; 1, “yes”, “no”)} {{plain}} {open"))
    (text,) = office.texts(file("a.docx", made))
    assert [p.source for p in office.placeholders(text)] == ["no", 'IF(total > 1, "yes", "no")']


def test_the_placeholders_of_a_file_are_checked_like_all_formulas() -> None:
    def told(*texts: str) -> list[str]:
        return complaints(made="word", file=attached("a.docx", docx(*map(paragraph, texts))))

    assert told("{no} {total|#,##0.00}", "{items.row} {items.what} {items.count * 2}", "{SUM(items.count)}") == []
    assert "did you mean 'total'" in told("{totl}")[0]
    assert "{items.wat}" in told("{items.wat}")[0]
    sheet = attached("a.xlsx", xlsx({"A1": "{no}", "B2": "{nobody}"}))
    (wrong,) = complaints(made="excel", file=sheet)
    assert "nobody" in wrong


@pytest.mark.parametrize(
    ("why", "data"),
    [
        ("read", b"no zip at all"),
        ("read", zipped({"a.txt": "x"})),
        ("read", docx('<!DOCTYPE w [<!ENTITY a "b">]>')),
        ("read", docx("<w:p>")),
        ("macros", docx(**{"word/vbaProject.bin": b"x"})),
        (
            "macros",
            zipped(
                {
                    "[Content_Types].xml": TYPES.replace("document.main", "document.macroEnabled.main"),
                    "word/document.xml": "<a/>",
                }
            ),
        ),
        ("elsewhere", docx(**{"word/_rels/settings.xml.rels": RELATION.format("http://x/attachedTemplate")})),
        ("too large", docx(**{"word/media/bomb.bin": b"\0" * 31_000_000})),
        ("more parts", docx(**{f"word/media/{n}.bin": b"" for n in range(600)})),
    ],
)
def test_a_file_that_could_do_harm_is_refused_in_words(why: str, data: Any) -> None:
    with pytest.raises(BadValue, match=why):
        office.texts(file("a.docx", data))


def test_a_link_that_somebody_clicks_is_no_harm() -> None:
    made = docx(
        paragraph("{no}"), **{"word/_rels/document.xml.rels": RELATION.format("http://x/relationships/hyperlink")}
    )
    assert office.texts(file("a.docx", made)) == ["{no}"]
