"""A group takes no answer, and asks for nothing to be chosen."""

from typing import Any

import pytest

from schemas.errors import DefinitionError
from schemas.fields.group import Group
from schemas.options import load

EXAMPLES = [{"table": "other", "by": {"name": "name"}}]


def test_nothing_that_is_typed_becomes_a_group() -> None:
    made = load(Group, {"id": "g", "table": "other", "by": {"name": "name"}})
    assert made.computed
    assert made.parse("00000000-0000-0000-0000-000000000001") is None


@pytest.mark.parametrize("more", [{"pick": "TRUE"}, {"fill": {"a": "b"}}, {"required": True}, {"default": "=this"}])
def test_nothing_is_chosen_filled_or_required(more: dict[str, Any]) -> None:
    with pytest.raises(DefinitionError):
        load(Group, {"id": "g", "table": "other", "by": {"name": "name"}, **more})
