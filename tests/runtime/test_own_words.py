"""What a form says in the designer's own words where something is missing or taken."""

from copy import deepcopy
from typing import Any

import pytest

from runtime import records
from schemas.errors import InvalidInput
from tests.runtime.conftest import SHOP

OWN = {"en": "Which book is it?", "zh": "是哪本书？"}
TAKEN = {"en": "This book is on the shelf already."}


@pytest.fixture
def books(make_shop: Any) -> Any:
    package = deepcopy(SHOP)
    table = next(t for t in package["tables"] if t["id"] == "book")
    title = next(f for f in table["fields"] if f["id"] == "title")
    title |= {"required": True, "unique": True, "required_message": OWN, "unique_message": TAKEN}
    return make_shop(package)


def refused(books: Any, **values: Any) -> Any:
    with books.opened(books.manager) as ctx, pytest.raises(InvalidInput) as err:
        records.create(ctx, books.table(ctx, "book"), values)
    return err.value.errors["title"]


def test_a_missing_answer_is_asked_for_in_the_words_of_the_form(books: Any) -> None:
    (said,) = refused(books, kind="novel")
    assert (said.in_language("en"), said.in_language("zh")) == (OWN["en"], OWN["zh"])


def test_a_value_that_is_taken_is_refused_in_the_words_of_the_form(books: Any) -> None:
    with books.opened(books.manager) as ctx:
        records.create(ctx, books.table(ctx, "book"), {"title": "Emma"})
    (said,) = refused(books, title="Emma")
    assert said.in_language("en") == TAKEN["en"]
