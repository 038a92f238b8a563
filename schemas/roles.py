"""Who has a role by what is true of them: formulas over a member's facts."""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from schemas.formula import Expression, Formula, FormulaError, Reference, Type, check
from schemas.formula.types import BOOLEAN, DEPARTMENT_FACTS, MEMBER_FACTS, array_of
from schemas.messages import Message, say

FACTS: Mapping[str, Type] = MappingProxyType({k: v for k, v in MEMBER_FACTS.items() if k != "roles"})
"""What such a formula may ask. Not the roles: they follow from it."""
INNER = {"member": FACTS, "department": DEPARTMENT_FACTS}
LONGEST = 2_000


class PersonScope:
    """The names in a formula about a member: their facts, and facts of their departments and head."""

    def resolve(self, path: tuple[str, ...]) -> Reference | Message:
        kind = FACTS.get(path[0])
        if kind is None:
            return say("a member has no fact '{name}'; there are: {facts}", name=path[0], facts=", ".join(FACTS))
        for name in path[1:]:
            inner = kind.of if kind.kind == "array" and kind.of is not None else kind
            facts = INNER.get(inner.kind, {})
            if name not in facts:
                return say("'{name}' cannot be asked of {kind}", name=name, kind=inner.kind)
            kind = array_of(facts[name]) if kind.kind == "array" else facts[name]
        return Reference(path=path, type=kind, volatile=True, hops=len(path) - 1)


@lru_cache(maxsize=2_000)
def rule(source: str) -> Expression:
    """The checked condition of a role. Raises FormulaError."""
    if len(source) > LONGEST:
        raise FormulaError(say("at most {n} characters", n=LONGEST), 0)
    expression = check(Formula.of(source), PersonScope(), BOOLEAN)
    if expression.no_sql is not None:
        raise FormulaError(expression.no_sql, 0)
    if any(need.kind == "me" for need in expression.needs):
        raise FormulaError(say("The formula is about the member who is judged: write title, not ME().title."), 0)
    return expression
