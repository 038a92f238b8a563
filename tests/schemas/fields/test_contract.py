"""What holds for every field type: whoever adds one learns here what is missing."""

import io
import json
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from babel.messages.pofile import read_po
from hypothesis import given, settings
from hypothesis import strategies as st

from builder.inputs import Near
from builder.panel import inputs
from builder.web.studio import GROUPS
from runtime.tables import TYPES as COLUMNS
from schemas.conditions import operators_for
from schemas.errors import BadValue
from schemas.fields import Field, Reader, Storage, field_types
from schemas.text import LANGUAGES
from tests.schemas.fields.examples import examples, module_of

ROOT = Path(__file__).parents[3]
CHINESE = read_po(io.BytesIO((ROOT / "runtime/translations/zh/LC_MESSAGES/messages.po").read_bytes()))
TYPES = sorted(kind.type for kind in field_types)
for type in TYPES:
    # Imported now: a module with properties of its own cannot be imported amid one of ours.
    with suppress(ModuleNotFoundError):
        module_of(type)
READERS = [Reader(language, UTC, {UUID(int=1): "Ada", UUID(int=2): "Grace"}) for language in LANGUAGES]
JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals(allow_nan=False)
    | st.text(max_size=40)
    | st.dates()
    | st.datetimes(timezones=st.just(UTC))
    | st.uuids(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=4,
)

NOWHERE = Near({}, lambda scope, values: None, lambda kind, values: [])


def typed_in(type: str) -> list[Field]:
    """The examples that a person may fill in."""
    return [field for field in examples(type) if not field.computed]


@pytest.mark.parametrize("type", TYPES)
def test_a_type_has_a_module_a_template_and_a_test(type: str) -> None:
    kind = field_types[type]
    assert kind.__module__ == f"schemas.fields.{type}"
    assert not (kind.__doc__ or "").startswith(kind.__name__ + "("), "say in a sentence what it is"
    template = (ROOT / "templates" / "fields" / f"{type}.html").read_text("utf-8")
    assert "macro input(" in template
    assert "macro cell(" in template
    assert module_of(type).EXAMPLES


@pytest.mark.parametrize("type", TYPES)
def test_the_builder_knows_where_to_offer_it(type: str) -> None:
    kind = field_types[type]
    assert kind.group in dict(GROUPS)
    assert kind.place < 1_000, "give it a place in the palette"
    assert f'<symbol id="{kind.icon}"' in (ROOT / "static" / "icons.svg").read_text("utf-8")


@pytest.mark.parametrize("type", TYPES)
def test_the_panel_draws_every_option(type: str) -> None:
    for options in module_of(type).EXAMPLES:
        drawn = [one for _, section in inputs(field_types[type], options, NOWHERE) for one in section]
        assert all(one.label for one in drawn)
        json_boxes = {one.name for one in drawn if one.widget == "json"}
        assert json_boxes <= {"keys"}, "options that can only be written as JSON"


@pytest.mark.parametrize("type", TYPES)
def test_a_value_has_a_column(type: str) -> None:
    for field in examples(type):
        assert field.storage in {*COLUMNS, Storage.NUMERIC, Storage.CHILD, Storage.NONE}
        assert (field.scale is not None) == (field.storage is Storage.NUMERIC) or field.computed


@pytest.mark.parametrize("type", TYPES)
def test_the_example_keeps_the_rules(type: str) -> None:
    for field in typed_in(type):
        value = field.example()
        assert value is not None
        assert list(field.check(value)) == []


@pytest.mark.parametrize("type", TYPES)
def test_what_was_dumped_is_read_as_the_same_value(type: str) -> None:
    for field in typed_in(type):
        value = field.example()
        dumped = json.loads(json.dumps(field.dump(value)))
        again = field.parse(dumped)
        assert field.storage is Storage.CHILD or again == value
        assert field.storage is Storage.CHILD or field.dump(again) == dumped


@pytest.mark.parametrize("type", TYPES)
def test_what_is_typed_is_read_as_the_same_value(type: str) -> None:
    for field in typed_in(type):
        value = field.example()
        if field.storage is not Storage.CHILD and not field.several:
            assert field.parse(field.typed(value)) == value
        if isinstance(value, Decimal):
            assert field.parse(field.written(value)) == value


@pytest.mark.parametrize("type", TYPES)
def test_nothing_is_nothing_everywhere(type: str) -> None:
    for field in examples(type):
        assert field.parse(None) is None
        assert field.parse("") is None
        assert field.dump(None) is None
        assert field.words(None) == ""
        assert [field.show(None, reader) for reader in READERS] == ["", ""]
        assert field.exported(None, READERS[0]) == ""
        assert field.address(None) == ""


@pytest.mark.parametrize("type", TYPES)
def test_an_example_can_be_shown_found_and_exported(type: str) -> None:
    for field in typed_in(type):
        value = field.example()
        for reader in READERS:
            assert field.show(value, reader)
            assert isinstance(field.exported(value, reader), str | Decimal | date | datetime)
        assert isinstance(field.words(value), str)
        assert isinstance(field.number_format, str)


@pytest.mark.parametrize("type", TYPES)
def test_a_filter_has_operators(type: str) -> None:
    for field in typed_in(type):
        kind = field.value_type()
        if kind.kind != "rows" and (kind.of or kind).kind != "file":
            assert len(operators_for(kind)) > 1
            assert field.entry


@pytest.mark.parametrize("type", TYPES)
@settings(max_examples=25, deadline=None)
@given(raw=JUNK)
def test_whatever_is_sent_is_read_or_refused_and_can_then_be_shown(type: str, raw: Any) -> None:
    for field in examples(type):
        try:
            value = field.parse(raw)
        except BadValue:
            continue
        if value is None or field.storage is Storage.CHILD:
            continue
        list(field.check(value))
        for reader in READERS:
            assert isinstance(field.show(value, reader), str)
        assert field.parse(json.loads(json.dumps(field.dump(value)))) == value


@pytest.mark.parametrize("type", TYPES)
def test_it_says_what_it_is_for_in_both_languages(type: str) -> None:
    about = field_types[type].about
    assert 0 < len(about) <= 140
    assert CHINESE.get(about).string
