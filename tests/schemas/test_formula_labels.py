"""A formula's texts may have labels, as the options of a choice have."""

from schemas.fields import Reader
from schemas.fields.formula import FormulaField
from schemas.options import load

STATE = load(
    FormulaField,
    {
        "id": "state",
        "formula": 'IF(paid, "settled", "open")',
        "options": [{"id": "settled", "label": {"zh": "已结清", "en": "Settled"}, "color": "green"}],
    },
)


def test_a_result_with_a_label_is_shown_by_it() -> None:
    assert STATE.show("settled", Reader("zh")) == "已结清"
    assert STATE.show("settled", Reader("en")) == "Settled"


def test_a_result_without_one_is_shown_as_it_is() -> None:
    assert STATE.show("open", Reader("zh")) == "open"
    assert STATE.named("open") is None


def test_it_is_found_by_its_labels_and_kept_by_its_id() -> None:
    assert STATE.words("settled") == "已结清 Settled"
    assert STATE.dump("settled") == "settled"
