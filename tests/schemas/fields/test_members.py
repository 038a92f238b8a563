from uuid import UUID

import pytest

from schemas.conditions import Condition, from_formula, to_formula
from schemas.errors import BadValue
from schemas.fields import Reader
from schemas.formula import Formula
from tests.schemas.fields.examples import made

EXAMPLES = [{}, {"fewest": 2, "most": 3}, {"roles": ["clerk"]}]
ADA, GRACE = UUID(int=1), UUID(int=2)
team = made("members")


def test_several_members_in_the_order_chosen_and_each_once():
    assert team.parse([str(GRACE), str(ADA), str(GRACE)]) == [GRACE, ADA]
    assert team.parse(str(ADA)) == [ADA]
    assert team.parse([]) is None


def test_a_name_is_no_member():
    with pytest.raises(BadValue, match="Choose a member"):
        team.parse(["Ada"])


def test_names_that_the_reader_may_not_see_are_left_out():
    assert team.show([ADA, GRACE], Reader(names={GRACE: "Grace"})) == "Grace"


def test_how_many_may_be_chosen():
    field = made("members", fewest=2, most=2)
    assert [str(m) for m in field.check([ADA])] == ["Choose at least 2."]
    assert [str(m) for m in field.check([ADA, GRACE, UUID(int=3)])] == ["Choose at most 2."]


@pytest.mark.parametrize(
    ("operator", "values", "formula"),
    [
        ("has_me", (), "ME() IN team"),
        ("has_any", (str(ADA), str(GRACE)), f'OR("{ADA}" IN team, "{GRACE}" IN team)'),
        ("lacks_one", (str(ADA),), f'NOT("{ADA}" IN team)'),
        ("has", (str(ADA),), f'"{ADA}" IN team'),
    ],
)
def test_conditions_are_drawn_from_their_formulas_again(operator, values, formula):
    condition = Condition("team", operator, values)
    assert to_formula([condition], {"team": team.value_type()}) == formula
    assert from_formula(Formula.of(formula)) == [condition]
