"""Grants as a definition: whom they are for, what they open, and how a value looks under its mask."""

import pytest

from runtime.definitions import load_app as load
from schemas.access import Grant, united
from schemas.errors import DefinitionError
from schemas.fields.number import Number
from schemas.fields.text import TextField
from schemas.masking import Mask, mask_of
from schemas.options import load as load_object

APP = {
    "language": 1, "app": "desk", "roles": [{"id": "clerk"}], "slots": [{"id": "sales", "type": "department"}],
    "tables": [{"id": "deal", "fields": [
        {"id": "name", "type": "text"}, {"id": "phone", "type": "text", "format": "phone"}, {"id": "amount", "type": "money"},
        {"id": "lines", "type": "rows", "fields": [{"id": "what", "type": "text"}, {"id": "cost", "type": "money"}]}]}],
    "views": [{"id": "open", "table": "deal", "columns": ["name"], "filter": "amount > 0"}, {"id": "all", "table": "deal"}],
    "forms": [{"id": "short", "table": "deal", "layout": [{"row": ["name", "lines"]}]}],
    "dashboards": [], "flows": [],
}  # fmt: skip


def app_with(*grants):
    return load({**APP, "access": [{"id": f"g{n}", **g} for n, g in enumerate(grants)]})


def refusals(*grants):
    with pytest.raises(DefinitionError) as caught:
        app_with(*grants)
    return [f"{p.path}: {p.message}" for p in caught.value.problems]


EVERYONE = {"who": {"everyone": True}}


def test_a_grant_is_for_one_or_several_kinds_of_people():
    app = app_with(
        {"who": {"role": "clerk"}, "table": "deal", "do": ["read"]},
        {"who": [{"slot": "sales", "below": True}, {"external": True}], "table": "deal", "do": ["read"]},
    )
    assert [len(g.who) for g in app.access] == [1, 2]
    assert app.access[1].who[0].below


@pytest.mark.parametrize(
    ("grant", "place"),
    [
        ({"who": {}, "table": "deal"}, "access[0].who"),
        ({"who": {"everyone": True, "role": "clerk"}, "table": "deal"}, "access[0].who"),
        ({"who": {"role": "clerk", "below": True}, "table": "deal"}, "access[0].who.below"),
        ({"who": {"role": "boss"}, "table": "deal"}, "access[0].who.role"),
        ({"who": [{"role": "clerk"}, {"role": "boss"}], "table": "deal"}, "access[0].who[1].role"),
        ({**EVERYONE, "table": "deal", "view": "open"}, "access[0]"),
        ({**EVERYONE}, "access[0]"),
        ({**EVERYONE, "view": "shut"}, "access[0].view"),
        ({**EVERYONE, "table": "deals"}, "access[0].table"),
        ({**EVERYONE, "table": "deal", "do": ["start"]}, "access[0].do"),
        ({**EVERYONE, "app": True, "rows": "TRUE"}, "access[0].rows"),
        ({**EVERYONE, "view": "open", "rows": "nothing = 1"}, "access[0].rows"),
        ({**EVERYONE, "form": "short", "fields": {"lines.nothing": "read"}}, "access[0].fields"),
        ({**EVERYONE, "table": "deal", "fields": {"name": "secret"}}, "access[0].fields.name"),
    ],
)
def test_a_grant_that_makes_no_sense_is_refused_where_it_stands(grant, place):
    assert any(refusal.startswith(f"{place}:") for refusal in refusals(grant)), refusals(grant)


def test_a_view_opens_its_rows_and_columns_and_a_form_its_fields():
    app = app_with(
        {**EVERYONE, "view": "open", "do": ["read"], "rows": 'name <> "x"'},
        {**EVERYONE, "form": "short", "do": ["create"], "fields": {"*": "write", "lines.cost": "hidden"}},
        {**EVERYONE, "app": True, "do": ["read"]},
        {**EVERYONE, "table": "deal", "do": ["read"], "off": True},
    )
    view, form, whole = app.openings("deal")
    assert [f.source for f in view.rows] == ["amount > 0", 'name <> "x"']
    assert [view.right(p) for p in ("name", "phone", "lines.what")] == ["write", "hidden", "hidden"]
    assert [form.right(p) for p in ("name", "phone", "lines.what", "lines.cost")] == [
        "write", "hidden", "write", "hidden",
    ]  # fmt: skip
    assert (whole.through, whole.right("phone")) == ("", "write")


def test_a_column_follows_its_subform_unless_it_is_named():
    grant = load_object(
        Grant, {"id": "g", **EVERYONE, "table": "deal", "fields": {"lines": "mask", "lines.what": "read"}}
    )
    assert [grant.right(p) for p in ("lines", "lines.cost", "lines.what", "name")] == ["mask", "mask", "read", "hidden"]


@pytest.mark.parametrize(
    ("seen", "written", "right"),
    [
        ((), (), "hidden"),
        (("mask", "hidden"), (), "mask"),
        (("mask", "read"), (), "read"),
        (("mask",), ("write",), "replace"),
        (("read",), ("replace",), "write"),
        (("replace",), ("replace",), "replace"),
        ((), ("write",), "replace"),
        (("write",), ("read",), "read"),
    ],
)
def test_several_rights_to_a_field_are_added_up(seen, written, right):
    assert united(seen, written) == right


PHONE, MAIL, CARD = (TextField(id="a", format=form) for form in ("phone", "email", "id_card"))


@pytest.mark.parametrize(
    ("field", "value", "shown"),
    [
        (PHONE, "13812341234", "138****1234"),
        (PHONE, "110", "****"),
        (MAIL, "jane@example.com", "j***@example.com"),
        (CARD, "11010519491231002X", "110***********002X"),
        (TextField(id="a"), "王小明", "王**"),
        (TextField(id="a"), "王", "****"),
        (TextField(id="a"), "6222020200112233445", "************3445"),
        (TextField(id="a", mask=Mask(first=1, last=1)), "abcdef", "a****f"),
        (TextField(id="a", mask=Mask(first=0, last=0)), "abcdef", "****"),
        (Number(id="a"), 8000, "****"),
        (TextField(id="a"), None, ""),
    ],
)
def test_a_mask_shows_as_much_as_is_usual_and_never_the_whole(field, value, shown):
    assert mask_of(field, value) == shown


@pytest.mark.parametrize("length", range(1, 40))
def test_no_mask_gives_a_text_away(length):
    text = "abcdefghijklmnopqrstuvwxyz0123456789_-."[:length]
    for field in (PHONE, CARD, TextField(id="a"), TextField(id="a", mask=Mask(first=50, last=50))):
        kept = mask_of(field, text).replace("*", "")
        assert len(kept) <= max(0, length - 1)
