import pytest

from schemas.errors import BadValue
from schemas.fields import Reader
from tests.schemas.fields.examples import made

EXAMPLES = [
    {"options": [{"id": "a", "label": "A"}, {"id": "b"}]},
    {"options": [{"id": "a", "of": ["x"]}, {"id": "b"}], "depends_on": "other"},
    {"source": {"table": "others", "field": "name"}},
    {"options": [{"id": "a", "label": "A"}, {"id": "b"}], "other": True},
    {"options": [{"id": "a", "label": "A"}, {"id": "b"}], "other": True, "display": "radio"},
]
COLOURS = [{"id": "red", "label": {"zh": "红", "en": "Red"}}, {"id": "blue", "label": {"zh": "蓝", "en": "Blue"}}]
closed = made("choice", options=COLOURS)
open = made("choice", options=COLOURS, other=True)


@pytest.mark.parametrize("typed", ["red", "Red", "红", " RED "])
def test_an_option_is_named_by_its_id_or_a_label(typed):
    assert closed.parse(typed) == "red"
    assert open.parse(typed) == "red"


def test_another_answer_only_where_it_is_allowed():
    with pytest.raises(BadValue, match="not one of the options"):
        closed.parse("green")
    assert open.parse("Sea green") == "Sea green"
    assert not list(open.check("Sea green"))
    with pytest.raises(BadValue):
        open.parse("x" * 201)


def test_another_answer_reads_as_it_was_written():
    assert open.show("Sea green", Reader("zh")) == "Sea green"
    assert open.words("Sea green") == "Sea green"
    assert open.written_beside("Sea green") == "Sea green"
    assert open.written_beside("red") == ""


def test_what_was_written_beside_counts_more_than_what_was_chosen():
    assert open.parse(["red", "Sea green"]) == "Sea green"
    assert open.parse(["red"]) == "red"
    assert open.parse([]) is None


def test_formulas_may_compare_it_with_answers_that_are_no_options():
    assert open.value_type().options is None
    assert closed.value_type().options == {"red", "blue"}
