"""Conditions row by row: a way to draw a formula such as `AND(stage = "won", amount >= 100)`.

A formula that fits the pattern is drawn as rows; any other is shown as text. Both ways round-trip.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from schemas.formula import Formula, Type
from schemas.formula.tree import ArrayLiteral, Binary, Call, Literal, Name, Unary
from schemas.messages import Message, say


@dataclass(frozen=True)
class Operator:
    """A comparison as people choose it.

    `pattern` is its formula; `values` how many values it takes (0, 1, or -1 for several). With `joined`, the pattern
    is written once for each value, and the function of that name takes them all.
    """

    id: str
    words: Message
    pattern: str
    values: int = 1
    joined: str = ""


OPERATORS = {
    o.id: o
    for o in (
        Operator("is", say("is"), "{field} = {value}"),
        Operator("is_not", say("is not"), "{field} <> {value}"),
        Operator("contains", say("contains"), "CONTAINS({field}, {value})"),
        Operator("lacks", say("does not contain"), "NOT(CONTAINS({field}, {value}))"),
        Operator("starts", say("begins with"), "STARTSWITH({field}, {value})"),
        Operator("more", say("is more than"), "{field} > {value}"),
        Operator("at_least", say("is at least"), "{field} >= {value}"),
        Operator("less", say("is less than"), "{field} < {value}"),
        Operator("at_most", say("is at most"), "{field} <= {value}"),
        Operator("before", say("is before"), "{field} < {value}"),
        Operator("after", say("is after"), "{field} > {value}"),
        Operator("from", say("is on or after"), "{field} >= {value}"),
        Operator("until", say("is on or before"), "{field} <= {value}"),
        Operator("any_of", say("is one of"), "{field} IN {value}", -1),
        Operator("has", say("includes"), "{value} IN {field}"),
        Operator("lacks_one", say("does not include"), "NOT({value} IN {field})"),
        Operator("has_any", say("includes any of"), "{value} IN {field}", -1, "OR"),
        Operator("has_none", say("includes none of"), "{value} IN {field}", -1, "NONE"),
        Operator("has_all", say("includes all of"), "{value} IN {field}", -1, "AND"),
        Operator("me", say("is me"), "{field} = ME()", 0),
        Operator("has_me", say("includes me"), "ME() IN {field}", 0),
        Operator("mine", say("is one of my departments"), "{field} IN ME().departments", 0),
        Operator("headed", say("is a department that I head"), "{field} IN ME().headed_departments", 0),
        Operator("true", say("is yes"), "{field} = TRUE", 0),
        Operator("false", say("is no"), "{field} = FALSE", 0),
        Operator("empty", say("is empty"), "ISBLANK({field})", 0),
        Operator("filled", say("is filled in"), "NOT(ISBLANK({field}))", 0),
    )
}

BY_KIND: dict[str, tuple[str, ...]] = {
    "text": ("contains", "is", "is_not", "lacks", "starts", "empty", "filled"),
    "number": ("is", "is_not", "more", "at_least", "less", "at_most", "empty", "filled"),
    "date": ("is", "before", "after", "from", "until", "empty", "filled"),
    "datetime": ("before", "after", "from", "until", "empty", "filled"),
    "choice": ("is", "is_not", "any_of", "empty", "filled"),
    "boolean": ("true", "false", "empty"),
    "member": ("me", "is", "is_not", "any_of", "empty", "filled"),
    "department": ("mine", "headed", "is", "is_not", "any_of", "empty", "filled"),
    "link": ("is", "is_not", "any_of", "empty", "filled"),
    "links": ("has", "lacks_one", "has_any", "has_none", "has_all", "empty", "filled"),
    "array": ("has", "lacks_one", "has_any", "has_all", "empty", "filled"),
    "members": ("has_me", "has", "lacks_one", "has_any", "has_all", "empty", "filled"),
    "departments": ("has", "lacks_one", "has_any", "has_all", "empty", "filled"),
}
Writer = Callable[[str], str | None]


@dataclass(frozen=True)
class Condition:
    """One row: a field, an operator, and what it is compared with (text, or ids)."""

    field: str
    operator: str
    values: tuple[str, ...] = ()


def operators_for(kind: Type) -> list[Operator]:
    """The comparisons offered for a field of this type."""
    several = kind.kind == "array" and kind.of is not None and f"{kind.of.kind}s" in BY_KIND
    name = f"{kind.of.kind}s" if several and kind.of else kind.kind
    return [OPERATORS[id] for id in BY_KIND.get(name, ("empty", "filled"))]


def to_formula(
    conditions: Sequence[Condition], kinds: dict[str, Type], joined: str = "AND", writers: Mapping[str, Writer] | None = None
) -> str:  # fmt: skip
    """The formula that these rows draw; rows without the value they need are passed over.

    `writers` write a field's typed value where its type does not say how.
    """
    parts = [
        part
        for c in conditions
        if (part := _part(c, kinds.get(c.field, Type("text")), (writers or {}).get(c.field, lambda _: None)))
    ]
    if len(parts) < 2:
        return "".join(parts)
    return f"{joined}({', '.join(parts)})"


def _part(condition: Condition, kind: Type, write: Writer) -> str:
    operator = OPERATORS.get(condition.operator)
    if operator is None or (operator.values and not any(condition.values)):
        return ""
    element = kind.of.kind if kind.kind == "array" and kind.of else kind.kind
    literals = [write(v) or _literal(v, element) for v in condition.values if v]
    if operator.joined:
        each = [_fill(operator, condition.field, value) for value in literals]
        if operator.joined == "NONE":
            return f"NOT(OR({', '.join(each)}))"
        return each[0] if len(each) == 1 else f"{operator.joined}({', '.join(each)})"
    value = "{" + ",".join(literals) + "}" if operator.values == -1 else (literals or [""])[0]
    return (
        operator.pattern.replace("{value}", value).replace("{field}", condition.field)
        if operator.values == 0
        else _fill(operator, condition.field, value)
    )


def _fill(operator: Operator, field: str, value: str) -> str:
    before, _, after = operator.pattern.partition("{value}")
    return before.replace("{field}", field) + value + after.replace("{field}", field)


def _literal(text: str, kind: str) -> str:
    if kind == "number":
        cleaned = text.strip().replace(",", "")
        try:
            return (
                str(float(cleaned))
                if "e" in cleaned.lower()
                else str(int(cleaned))
                if cleaned.lstrip("-").isdigit()
                else _decimal(cleaned)
            )
        except ValueError:
            return _quoted(text)
    if kind in ("date", "datetime"):
        return text if text.upper() in ("TODAY()", "NOW()") else f"DATEVALUE({_quoted(text[:10])})"
    return _quoted(text)


def _decimal(text: str) -> str:
    float(text)
    return text


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


# -- reading a formula back ------------------------------------------------------------------------


DATE_WORDS = {"more": "after", "less": "before", "at_least": "from", "at_most": "until"}


@dataclass(frozen=True)
class Drawn:
    """A formula drawn as rows of which all (`AND`) or any (`OR`) must hold. Without rows it always holds."""

    rows: tuple[Condition, ...]
    joined: str = "AND"


def drawn(formula: Formula, kinds: Mapping[str, Type]) -> Drawn | None:
    """The rows that draw this formula with fields of these kinds, or None when it does not fit."""
    tree = formula.tree
    if isinstance(tree, Literal) and tree.value is True:
        return Drawn(())
    joined = tree.name.upper() if isinstance(tree, Call) and tree.name.upper() in ("AND", "OR") else "AND"
    parts = list(tree.args) if isinstance(tree, Call) and tree.name.upper() == joined else [tree]
    rows = [_fitting(row, kinds) if (row := _row(part)) else None for part in parts]
    return None if any(r is None for r in rows) else Drawn(tuple(r for r in rows if r is not None), joined)


def _fitting(row: Condition, kinds: Mapping[str, Type]) -> Condition | None:
    """The row in the words of its field's kind, None where that kind does not offer the comparison."""
    kind = kinds.get(row.field)
    if kind is None:
        return None
    operator = DATE_WORDS.get(row.operator, row.operator) if kind.kind in ("date", "datetime") else row.operator
    if operator not in {o.id for o in operators_for(kind)}:
        return None
    return Condition(row.field, operator, row.values)


def from_formula(formula: Formula) -> list[Condition] | None:
    """The rows that draw this formula, all of which must hold, or None when it does not fit."""
    tree = formula.tree
    parts = list(tree.args) if isinstance(tree, Call) and tree.name.upper() == "AND" else [tree]
    rows = [_row(part) for part in parts]
    return None if any(r is None for r in rows) else [r for r in rows if r is not None]


def _row(part: Any) -> Condition | None:
    if isinstance(part, Call):
        return _call(part)
    if not isinstance(part, Binary):
        return None
    if part.operator == "IN":
        return _membership(part)
    return _comparison(part)


def _call(part: Call) -> Condition | None:
    name = part.name.upper()
    if name in ("OR", "AND"):
        return _several(part, "has_any" if name == "OR" else "has_all")
    if name == "NOT" and len(part.args) == 1:
        inner = _row(part.args[0])
        turned = (
            {"empty": "filled", "contains": "lacks", "has": "lacks_one", "has_any": "has_none"}.get(inner.operator)
            if inner
            else None
        )
        return Condition(inner.field, turned, inner.values) if inner and turned else None
    known = {"ISBLANK": "empty", "CONTAINS": "contains", "STARTSWITH": "starts"}.get(name)
    if known is None or not part.args or not isinstance(part.args[0], Name):
        return None
    values = [_value(a) for a in part.args[1:]]
    return (
        None
        if None in values
        else Condition(".".join(part.args[0].path), known, tuple(v for v in values if v is not None))
    )


def _several(part: Call, operator: str) -> Condition | None:
    """`OR("a" IN tags, "b" IN tags)`: one field and several values."""
    rows = [_row(arg) for arg in part.args]
    fields = {row.field if row and row.operator == "has" else None for row in rows}
    if len(fields) != 1 or None in fields:
        return None
    return Condition(rows[0].field, operator, tuple(v for row in rows if row for v in row.values))  # type: ignore[union-attr]


def _me(node: Any) -> tuple[str, ...] | None:
    """The facts asked of ME(), if the node is that."""
    return tuple(node.facts) if isinstance(node, Call) and node.name.upper() == "ME" else None


def _membership(part: Binary) -> Condition | None:
    if isinstance(part.left, Name) and (facts := _me(part.right)):
        known = {"departments": "mine", "headed_departments": "headed"}.get(facts[0])
        return Condition(".".join(part.left.path), known) if known else None
    if isinstance(part.right, Name) and _me(part.left) == ():
        return Condition(".".join(part.right.path), "has_me")
    if isinstance(part.left, Name) and isinstance(part.right, ArrayLiteral):
        values = [_value(item) for row in part.right.rows for item in row]
        return (
            None
            if None in values
            else Condition(".".join(part.left.path), "any_of", tuple(v for v in values if v is not None))
        )
    if isinstance(part.right, Name) and (value := _value(part.left)) is not None:
        return Condition(".".join(part.right.path), "has", (value,))
    return None


def _comparison(part: Binary) -> Condition | None:
    if not isinstance(part.left, Name):
        return None
    field = ".".join(part.left.path)
    if _me(part.right) == () and part.operator == "=":
        return Condition(field, "me")
    if isinstance(part.right, Literal) and isinstance(part.right.value, bool) and part.operator == "=":
        return Condition(field, "true" if part.right.value else "false")
    value = _value(part.right)
    known = {"=": "is", "<>": "is_not", ">": "more", ">=": "at_least", "<": "less", "<=": "at_most"}
    return Condition(field, known[part.operator], (value,)) if value is not None and part.operator in known else None


def _value(node: Any) -> str | None:
    if isinstance(node, Literal) and not isinstance(node.value, bool) and node.value is not None:
        return str(node.value)
    if isinstance(node, Unary) and node.operator == "-" and isinstance(node.operand, Literal):
        return f"-{node.operand.value}" if isinstance(node.operand.value, Decimal) else None
    if isinstance(node, Call) and node.name.upper() == "DATEVALUE" and node.args and isinstance(node.args[0], Literal):
        return str(node.args[0].value)
    if isinstance(node, Call) and node.name.upper() == "TIME" and all(isinstance(a, Literal) for a in node.args):
        return ":".join(str(a.value).zfill(2) for a in node.args if isinstance(a, Literal))
    if isinstance(node, Call) and node.name.upper() in ("TODAY", "NOW") and not node.args:
        return f"{node.name.upper()}()"
    return None
