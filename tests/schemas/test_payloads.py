"""JSON from outside: a sample tells what formulas may read, and what comes is made to fit it, whatever it is."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import DefinitionError
from schemas.options import load
from schemas.payloads import Incoming, fit, name_of, read_json, type_of
from schemas.results import dump, read

SAMPLE = """{"orderNo": "A-1", "paid": true, "total": 12.50, "placed": "2026-03-02", "at": "2026-03-02T09:00:00Z",
 "reader": {"name": "Ada"}, "lines": [{"sku": "x", "qty": 1}, {"sku": "y", "note": "z"}], "tags": ["a"], "none": null}"""
KIND = type_of(read_json(SAMPLE), "f.payload")


def test_a_sample_names_what_can_be_read() -> None:
    assert KIND.parts is not None
    kinds = {name: part.kind for name, part in KIND.parts.items()}
    assert kinds == {
        "order_no": "text", "paid": "boolean", "total": "number", "placed": "date", "at": "datetime", "reader": "any",
        "lines": "array", "tags": "array", "none": "any",
    }  # fmt: skip
    lines = KIND.parts["lines"].of
    assert set((lines and lines.parts) or ()) == {"sku", "qty", "note"}


def test_what_comes_is_read_as_the_sample_promised() -> None:
    value = fit(read_json(SAMPLE.replace("12.50", '"13.75"').replace("true", '"yes"')), KIND)
    assert value["total"] == Decimal("13.75")
    assert value["paid"] is None, "no answer is better than a wrong one"
    assert (value["placed"], value["at"]) == (date(2026, 3, 2), datetime(2026, 3, 2, 9, tzinfo=UTC))
    assert value["lines"] == [{"sku": "x", "qty": 1, "note": None}, {"sku": "y", "qty": None, "note": "z"}]
    assert fit([1], KIND) is None


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_whatever_comes_can_be_kept(payload: Any) -> None:
    for kind in (KIND, type_of(payload, "f.payload")):
        value = fit(payload, kind)
        assert repr(read(dump(value))) == repr(value)


def test_what_no_database_keeps_is_left_out_however_it_is_written() -> None:
    assert read_json('{"a\\u0000": ["x\\ud800y", {"b": "\\u0000"}], "c": "\\ud83d\\ude00"}') == {"a": ["xy", {"b": ""}], "c": "😀"}


@pytest.mark.parametrize(
    ("key", "name"), [("orderNo", "order_no"), ("Order No.", "order_no"), ("2nd", "n2nd"), ("读者", ""), ("a-b", "a_b")]
)
def test_keys_have_names_that_formulas_can_use(key: str, name: str) -> None:
    assert name_of(key) == name


def test_a_sample_that_is_no_json_is_refused() -> None:
    with pytest.raises(DefinitionError, match="this is not JSON"):
        load(Incoming, {"sample": "{order: 1}"})
