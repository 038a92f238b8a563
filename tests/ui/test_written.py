"""Values put into pages: what is not HTML is escaped as Markup would have it, whatever kind of value it is."""

from typing import Any

import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup, escape

from runtime.web.templates import Templates, written


class Shouting(str):
    def __str__(self) -> str:
        return "<b>"


class Drawn:
    def __html__(self) -> str:
        return "<i>drawn</i>"


@given(st.text() | st.integers() | st.none() | st.text(alphabet="<>&'\"a"))
def test_a_value_is_written_as_it_would_be_escaped(value: Any) -> None:
    assert str(written(value)) == str(escape(value))


@pytest.mark.parametrize("value", [Markup("<b>"), Shouting("calm"), Drawn(), ["<b>"], True, jinja2.Undefined()])
def test_so_is_a_value_of_another_kind(value: Any) -> None:
    assert str(written(value)) == str(escape(value))


def test_what_a_template_writes_is_escaped_once_and_a_macro_is_left_as_it_is() -> None:
    source = '{% macro m(x) %}<b>{{ x }}</b>{% endmacro %}{% set part %}<i>{{ y }}</i>{% endset %}{{ m(y) }}{{ part }}{{ y|upper }}'
    env = jinja2.Environment(autoescape=True)
    ours = type("Ours", (jinja2.Environment,), {"code_generator_class": Templates.code_generator_class, "written": staticmethod(written)})
    given = {"y": "<&'>"}
    assert ours(autoescape=True).from_string(source).render(given) == env.from_string(source).render(given)
    assert "<&" not in env.from_string(source).render(given)
