"""Buttons: what they do is named, and their own value is whether they are offered."""

import pytest

from schemas.errors import DefinitionError
from schemas.fields.button import Button
from schemas.options import load

EXAMPLES = [
    {"flow": "start", "label": "Start"},
    {"action": "form", "form": "other", "set": {"name": "=name"}, "lock": ["name"], "formula": 'state = "open"'},
]


@pytest.mark.parametrize(
    "options",
    [{}, {"action": "form"}, {"action": "form", "form": "f", "lock": ["name"]}, {"flow": "f", "show_in": ["sky"]}],
)
def test_what_does_nothing_is_refused(options):
    with pytest.raises(DefinitionError):
        load(Button, {"id": "go", **options})
