from uuid import UUID

import pytest

from schemas.errors import BadValue
from schemas.fields import Reader
from tests.schemas.fields.examples import made

EXAMPLES = [{}, {"fewest": 2, "most": 3}, {"slots": ["sales"]}]
SALES, SHOP = UUID(int=1), UUID(int=2)
team = made("departments")


def test_several_departments_in_the_order_chosen_and_each_once():
    assert team.parse([str(SHOP), str(SALES), str(SHOP)]) == [SHOP, SALES]
    assert team.parse(str(SALES)) == [SALES]
    assert team.parse([]) is None


def test_a_name_is_no_department():
    with pytest.raises(BadValue, match="Choose a department"):
        team.parse(["Sales"])


def test_names_that_the_reader_may_not_see_are_left_out():
    assert team.show([SALES, SHOP], Reader(names={SHOP: "Shop"})) == "Shop"


def test_how_many_may_be_chosen():
    field = made("departments", fewest=2, most=2)
    assert [str(m) for m in field.check([SALES])] == ["Choose at least 2."]
    assert [str(m) for m in field.check([SALES, SHOP, UUID(int=3)])] == ["Choose at most 2."]
