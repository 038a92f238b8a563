from tests.schemas.fields.examples import made

EXAMPLES = [
    {"options": [{"id": "a", "label": "A"}, {"id": "b"}]},
    {"options": [{"id": "a"}, {"id": "b"}], "fewest": 2},
    {"options": [{"id": "a"}, {"id": "b"}], "other": True, "display": "checkboxes"},
]
tags = made("choices", options=[{"id": "a", "label": "Red, dark"}, {"id": "b"}], other=True, most=3)


def test_options_and_other_answers_together():
    assert tags.parse(["a", "b", "Sea green"]) == ["a", "b", "Sea green"]
    assert tags.parse(["b", "x，y"]) == ["b", "x", "y"]
    assert tags.written_beside(["a", "x", "y"]) == "x, y"


def test_how_many_may_be_chosen():
    assert [str(m) for m in tags.check(["a", "b", "x", "y"])] == ["Choose at most 3."]
    fewest = made("choices", options=[{"id": "a"}], fewest=2)
    assert [str(m) for m in fewest.check(["a"])] == ["Choose at least 2."]
