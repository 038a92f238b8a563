"""Formulas are shown with labels and kept with ids; what people type comes back at the right character."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.formula import Formula, FormulaError
from schemas.formula.labels import Plain, labelled, plain
from schemas.formula.tree import Path

WORDS: dict[Path, str] = {
    ("price",): "单价", ("items",): "明细", ("items", "count"): "数 量", ("author",): "作者",
    ("author", "name"): "名称", ("stage",): "阶段", ("flow", "state"): "流程状态", ("total",): "Total (net)",
}  # fmt: skip
OPTIONS = {"won": "成交", "lost": "流失", "open": "进行中"}


class Shop:
    def label(self, path: Path) -> str | None:
        return WORDS.get(path)

    def find(self, path: Path, label: str) -> Path | None:
        return next((p for p, known in WORDS.items() if known == label and p[: len(path)] == path), None)

    def option(self, path: Path, id: str) -> str | None:
        return OPTIONS.get(id) if path == ("stage",) else None

    def option_named(self, path: Path, label: str) -> str | None:
        return next((id for id, known in OPTIONS.items() if known == label), None) if path == ("stage",) else None


SHOP = Shop()
BOTH = [
    ("price * items.count", "[单价] * [明细].[数 量]"),
    ("SUM( items.count )", "SUM( [明细].[数 量] )"),
    ('IF(stage = "won",\n  price, 0)', 'IF([阶段] = "成交",\n  [单价], 0)'),
    ('stage IN {"won","lost"}', '[阶段] IN {"成交","流失"}'),
    ('"won" = stage', '"成交" = [阶段]'),
    ('price & "won"', '[单价] & "won"'),
    ('flow.state = "running"', '[流程状态] = "running"'),
    ("author.name & stranger.field", "[作者].[名称] & stranger.field"),
    ("total + ME().department.name", "[Total (net)] + ME().department.name"),
    ('"say ""price"""', '"say ""price"""'),
]


@pytest.mark.parametrize(("source", "shown"), BOTH)
def test_a_formula_is_shown_with_labels_and_kept_with_ids(source: str, shown: str) -> None:
    assert labelled(source, SHOP) == shown
    assert plain(shown, SHOP).source == source


def test_a_chinese_label_needs_no_brackets() -> None:
    assert plain("单价 * SUM(明细.[数 量])", SHOP).source == "price * SUM(items.count)"


@pytest.mark.parametrize("typed", ["1 + [价格]", "1 + 价格"])
def test_an_unknown_label_is_told_at_its_character(typed: str) -> None:
    with pytest.raises(FormulaError) as refused:
        plain(typed, SHOP)
    assert refused.value.position == 4
    assert "价格" in str(refused.value.message)


def test_a_fault_behind_labels_is_found_in_what_was_typed() -> None:
    typed = "[单价] * [明细].[数 量] )"
    made = plain(typed, SHOP)
    with pytest.raises(FormulaError) as refused:
        Formula.of(made.source)
    assert typed[made.origin(refused.value.position)] == ")"


def tried(text: str) -> Plain | FormulaError:
    try:
        return plain(text, SHOP)
    except FormulaError as err:
        return err


@given(st.text(alphabet='price.items count"stage=won()[]{},+ 单价', max_size=40))
def test_half_a_formula_is_translated_or_refused_but_never_breaks(text: str) -> None:
    labelled(text, SHOP)
    made = tried(text)
    if isinstance(made, FormulaError):
        assert 0 <= made.position <= len(text)
        return
    assert len(made.origins) == len(made.source) + 1
