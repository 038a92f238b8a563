"""The reference is what the code declares, and nothing that can be declared is missing from it."""

from pathlib import Path

import pytest

from schemas.fields import field_types
from schemas.formula.functions import FUNCTIONS
from schemas.options import options_of
from schemas.reference import reference
from schemas.steps import step_types
from schemas.widgets import widget_types

PAGE = Path(__file__).parents[1] / "docs" / "definitions.md"


def test_the_reference_is_up_to_date() -> None:
    assert PAGE.read_text("utf-8") == reference(), "run `make docs`"


@pytest.mark.parametrize("kind", [*field_types, *step_types, *widget_types], ids=lambda kind: kind.__name__)
def test_every_type_and_its_options_are_told(kind: type) -> None:
    chapters = reference().split(f"### `{kind.type}`\n")[1:]
    chapter = "".join(chapter.split("\n### ")[0].split("\n## ")[0] for chapter in chapters)
    assert [o.name for o in options_of(kind) if o.section != "hidden" and f"| `{o.name}` |" not in chapter] == []


def test_every_function_has_a_usage_help_in_both_languages_and_an_example() -> None:
    page = reference()
    assert [name for name in FUNCTIONS if f"| `{name}(" not in page] == []
    assert [
        n for n, f in FUNCTIONS.items() if not (f.example and all(f.summary.by_language.get(c) for c in ("zh", "en")))
    ] == []
