"""Every field type is drawn, safely, and the scripts have the sentences they use."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from flask import render_template_string

from schemas.fields import field_types
from tests.ui.gallery import create_app, everything

ROOT = Path(__file__).resolve().parents[2]
TYPES = sorted(kind.type for kind in field_types)
SCRIPTS = sorted((ROOT / "static" / "js").rglob("*.js"))
DRAW = (
    "{% import 'fields/' ~ f.field.type ~ '.html' as type %}{{ type.input(f) if which == 'input' else type.cell(f) }}"
)


def drawn(f: Any, which: str) -> str:
    with create_app().test_request_context():
        return str(render_template_string(DRAW, f=f, which=which))


def field_named(type: str) -> Any:
    return next(f for line in everything() for f in line if f.field.type == type)


def test_every_field_type_has_a_template() -> None:
    missing = [type for type in TYPES if not (ROOT / "templates" / "fields" / f"{type}.html").exists()]
    assert missing == []


@pytest.mark.parametrize("type", TYPES)
def test_an_input_names_its_field(type: str) -> None:
    f = field_named(type)
    html = drawn(f, "input")
    assert f'id="{f.id}"' in html
    assert f.field.computed or f'name="{f.name}' in html or f'data-rows="{f.name}"' in html


@pytest.mark.parametrize("type", TYPES)
def test_a_cell_shows_the_value_and_no_input(type: str) -> None:
    f = field_named(type)
    html = drawn(f, "cell")
    assert "<input" not in html
    expected = (
        f.picked[0].text
        if f.picked
        else "Train to Shanghai"
        if type == "rows"
        else f.shown.split("\n")[0].split(",")[0]
    )
    assert expected in re.sub("<[^>]*>", "", html) or expected in html


def test_scripts_find_their_words() -> None:
    html = create_app().test_client().get("/sign-in").text
    known = set(json.loads(re.search(r'id="words">(.*?)</script>', html, re.S)[1]))  # type: ignore[index]
    used = {key for path in SCRIPTS for key in re.findall(r'\bsay\("(\w+)"', path.read_text("utf-8"))}
    assert used - known == set()


def test_text_of_people_is_escaped() -> None:
    f = field_named("text")
    nasty = type(f)(field=f.field, name="title", value='"><script>', shown='"><script>')
    assert "<script>" not in drawn(nasty, "input") + drawn(nasty, "cell")
