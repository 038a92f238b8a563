"""What goes into columns of JSON is what came: also where the quick way does not do it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.json_text import write_json

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4))


@given(values)
def test_any_value_comes_back(value):
    assert json.loads(write_json(value)) == value


@pytest.mark.parametrize("value", [2**70, {"n": -(2**65)}, {1: "one"}, "half \ud83d"])
def test_what_the_quick_way_refuses_is_written_all_the_same(value):
    assert write_json(value) == json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def test_what_has_no_form_in_json_is_refused():
    with pytest.raises(TypeError):
        write_json({"when": object()})
