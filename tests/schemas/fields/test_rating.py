from decimal import Decimal

import pytest

from schemas.errors import BadValue
from schemas.fields import Reader
from tests.schemas.fields.examples import made

EXAMPLES = [{}, {"most": 10}, {"most": 3, "halves": True}]


def test_whole_stars_unless_halves_are_allowed():
    assert not list(made("rating").check(Decimal(5)))
    assert [str(m) for m in made("rating").check(Decimal("2.5"))] == ["Choose from 1 to 5 stars."]
    assert not list(made("rating", halves=True).check(Decimal("2.5")))


@pytest.mark.parametrize("value", [0, 6, -1])
def test_neither_more_nor_fewer_stars_than_there_are(value):
    assert list(made("rating").check(Decimal(value)))


@pytest.mark.parametrize(
    ("typed", "value"), [("4", "4"), ("★★★☆☆", "3"), ("★★½☆☆", "2.5"), (3, "3"), (Decimal("4.0"), "4")]
)
def test_digits_or_stars_may_be_given(typed, value):
    assert made("rating", halves=True).parse(typed) == Decimal(value)


def test_shown_as_stars_and_what_no_longer_fits_as_digits():
    assert made("rating").show(Decimal(3), Reader()) == "★★★☆☆"
    assert made("rating", halves=True).show(Decimal("2.5"), Reader()) == "★★½☆☆"
    assert made("rating", most=3).show(Decimal(5), Reader()) == "5"


def test_no_word_is_a_rating():
    with pytest.raises(BadValue):
        made("rating").parse("good")


def test_ratings_are_averaged_but_not_added_up():
    assert not made("rating").adds_up
