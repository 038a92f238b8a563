"""Formula text and its tree."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.formula import Formula, FormulaError, names, rename, to_source
from schemas.formula.tree import ArrayLiteral, Binary, Call, Literal, Name, Tree, Unary


def tree_of(source: str) -> Tree:
    return Formula.of(source).tree


@pytest.mark.parametrize(
    ("source", "same"),
    [
        ("1 + 2 * 3", "1 + (2 * 3)"),
        ("-2^2", "(-2)^2"),
        ("2^3^2", "(2^3)^2"),
        ("10%", "(10)%"),
        ("-5%", "-(5%)"),
        ('a & "x" = b', '(a & "x") = b'),
        ("a - b - c", "(a - b) - c"),
        ('stage IN {"won","lost"}', '(stage) IN {"won","lost"}'),
        ("=a", "a"),
        ("sum(a)", "SUM(a)"),
        ("a != b", "a <> b"),
        ("a == b", "a = b"),
        ("IF（a，b，c）", "IF(a, b, c)"),
        ("true", "TRUE()"),
        ("a+\n\tb", "a + b"),
    ],
)
def test_means_the_same(source: str, same: str) -> None:
    assert tree_of(source) == tree_of(same)


def test_paths_calls_and_literals() -> None:
    assert tree_of("order.buyer.name") == Name(("order", "buyer", "name"))
    assert tree_of("ME().department") == Call("ME", (), ("department",))
    assert tree_of('"say ""hi"""') == Literal('say "hi"')
    assert tree_of(".5") == Literal(Decimal("0.5"))
    assert tree_of("{1,2;3,4}") == ArrayLiteral(
        ((Literal(Decimal(1)), Literal(Decimal(2))), (Literal(Decimal(3)), Literal(Decimal(4))))
    )
    assert tree_of("IF(a,,1)") == Call("IF", (Name(("a",)), Literal(None), Literal(Decimal(1))))


def test_positions_cover_the_source() -> None:
    tree = tree_of("a + total * 2")
    assert isinstance(tree, Binary)
    assert (tree.right.start, tree.right.end) == (4, 13)


@pytest.mark.parametrize(
    ("source", "position", "words"),
    [
        ("", 0, "empty"),
        ("1 +", 3, "missing at the end"),
        ("1 + * 2", 4, "value is missing"),
        ("SUM(1", 5, "closing bracket"),
        ("{1,2", 4, "closing brace"),
        ("{1,2;3}", 0, "same number"),
        ('"abc', 0, "closing quotation"),
        ("“abc”", 0, "straight"),
        ("a b", 2, "operator is missing"),
        ("a ? b", 2, "does not belong"),
        ("1E400", 0, "too large"),
    ],
)
def test_says_where_and_what_is_wrong(source: str, position: int, words: str) -> None:
    with pytest.raises(FormulaError) as caught:
        Formula.of(source)
    assert caught.value.position == position
    assert words in str(caught.value.message)


@pytest.mark.parametrize(
    "source",
    ["+".join(["a"] * 10_000), "(" * 200 + "a" + ")" * 200, "-" * 100 + "1", "1" + "%" * 100, "a" * 20_001],
)
def test_refuses_what_is_too_large(source: str) -> None:
    with pytest.raises(FormulaError, match="at most"):
        Formula.of(source)


def test_a_sum_of_thousands_is_walked_without_recursion() -> None:
    tree = tree_of("+".join(["a"] * 2400))
    assert names(tree) == {("a",)}
    assert to_source(tree_of(to_source(tree))) == to_source(tree) == " + ".join(["a"] * 2400)
    assert names(rename(tree, {("a",): ("b",)})) == {("b",)}


def test_renames_paths_from_their_beginning() -> None:
    renamed = rename(tree_of("SUM(items.price) + price"), {("items",): ("lines",), ("price",): ("cost",)})
    assert to_source(renamed) == "SUM(lines.price) + cost"


numbers = st.decimals(min_value=0, max_value=10**9, allow_nan=False, places=3)
leaves = st.one_of(
    numbers.map(Literal),
    st.text(max_size=5).filter(lambda t: "\0" not in t).map(Literal),
    st.booleans().map(Literal),
    st.sampled_from(["a", "b", "items.price"]).map(lambda n: Name(tuple(n.split(".")))),
)


def branches(inner: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    signs = st.sampled_from(["+", "-", "*", "/", "^", "&", "=", "<>", "<", ">", "<=", ">=", "IN"])
    return st.one_of(
        st.builds(Binary, signs, inner, inner),
        st.builds(Unary, st.sampled_from(["-", "+", "%"]), inner),
        st.builds(lambda args: Call("SUM", tuple(args)), st.lists(inner, min_size=1, max_size=3)),
        st.lists(inner, min_size=1, max_size=3).map(lambda row: ArrayLiteral((tuple(row),))),
    )


@settings(max_examples=200, deadline=None)
@given(st.recursive(leaves, branches, max_leaves=12))
def test_text_and_tree_go_round(tree: Tree) -> None:
    assert tree_of(to_source(tree)) == tree
