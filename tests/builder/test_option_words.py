"""Nobody who builds reads the words of the language itself: every word of every option has a name."""

from collections.abc import Iterator
from typing import Any

import pytest

from builder.option_words import WORDS
from schemas import parsers
from schemas.app import App
from schemas.document import block_types
from schemas.fields import field_types
from schemas.fields.image import Image
from schemas.fields.money import SIGNS
from schemas.options import options_of
from schemas.request import METHODS
from schemas.steps import step_types
from schemas.views import view_types
from schemas.widgets import widget_types

SPEAK_FOR_THEMSELVES = {*SIGNS, *METHODS, "A3", "A4", "A5", "1", "1/2", "1/3", "1/4", "2/3", "3/4"}
KINDS = [App, *field_types, *step_types, *widget_types, *view_types, *block_types]


def words(kind: Any, seen: set[Any]) -> Iterator[str]:
    if kind in seen:
        return
    seen.add(kind)
    for option in options_of(kind):
        if option.name != "endings":
            yield from words_of(option.parser, seen)


def words_of(parser: Any, seen: set[Any]) -> Iterator[str]:
    if isinstance(parser, parsers.Words):
        yield from parser.words
    if (item := getattr(parser, "item", None)) is not None:
        yield from words_of(item, seen)
    if isinstance(kind := getattr(parser, "kind", None), type):
        yield from words(kind, seen)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_word_of_every_option_has_a_name(kind: Any) -> None:
    assert {word for word in words(kind, set()) if word not in WORDS} <= SPEAK_FOR_THEMSELVES


def test_there_are_words_to_name() -> None:
    assert {"dropdown", "month"} <= {word for kind in KINDS for word in words(kind, set())}
    assert Image in KINDS
