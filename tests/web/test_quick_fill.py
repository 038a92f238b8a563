"""A form filled in from an e-mail or a business card that a language model reads; a person looks it through and sends it."""

import base64
import io
import json
from typing import Any

import pytest
from PIL import Image

from runtime import ai, query, records
from runtime.access import door
from tests.runtime.test_requests_of_flows import program  # noqa: F401
from tests.web.test_ai import says

SHOP = {
    "language": 1, "app": "shop", "roles": [{"id": "clerk"}, {"id": "manager"}],
    "tables": [
        {"id": "maker", "title_formula": "name", "fields": [{"id": "name", "type": "text"}, {"id": "town", "type": "text"}]},
        {"id": "thing", "fields": [
            {"id": "name", "type": "text", "label": "Name", "required": True},
            {"id": "state", "type": "choice", "label": "State", "options": [
                {"id": "new", "label": {"zh": "全新", "en": "Brand new"}}, {"id": "used", "label": "Used"}]},
            {"id": "tags", "type": "choices", "label": "Tags", "options": [{"id": "a", "label": "Apple"}, {"id": "b", "label": "Birch"}]},
            {"id": "bought", "type": "date", "label": "Bought"}, {"id": "price", "type": "money", "label": "Price"},
            {"id": "maker", "type": "link", "table": "maker", "label": "Maker", "fill": {"town": "town"}},
            {"id": "town", "type": "text", "label": "Town"}, {"id": "who", "type": "member", "label": "Who"},
            {"id": "secret", "type": "text", "label": "Hidden one"}, {"id": "aside", "type": "text", "label": "Not on it"},
            {"id": "double", "type": "formula", "formula": "price * 2"},
            {"id": "lines", "type": "rows", "label": "Lines", "fields": [
                {"id": "what", "type": "text", "label": "What"}, {"id": "count", "type": "number", "label": "Count", "default": 1},
                {"id": "own", "type": "text", "label": "Cost"}]}]}],
    "forms": [{"id": "thing", "table": "thing", "quick_fill": True, "layout": [
        {"row": [id]} for id in ("name", "state", "tags", "bought", "price", "maker", "town", "who", "secret", "double", "lines")]}],
    "access": [{"id": "things", "who": {"role": "clerk"}, "table": "thing", "do": ["read", "create", "update"],
                "fields": {"*": "write", "secret": "hidden", "lines.own": "read"}},
               {"id": "makers", "who": {"role": "clerk"}, "table": "maker", "do": ["read"]}],
}  # fmt: skip
READ = {
    "name": "Plane", "state": "Brand new", "tags": ["Apple", "Birch"], "bought": "2026-11-02", "price": "1,280.50", "maker": "Oak & Co",
    "secret": "x", "aside": "x", "double": 5, "nonsense": 1,
    "lines": [{"what": "Iron", "count": 2, "own": "9"}, {"what": "Wedge"}, {}, "?"],
}  # fmt: skip
LIVE = "/a/shop/f/thing/live"


@pytest.fixture
def shop(make_shop):
    shop = make_shop(SHOP)
    with shop.opened(shop.boss) as ctx:
        records.create(ctx, shop.table(ctx, "maker"), {"name": "Oak & Co", "town": "Suzhou"})
    return shop


@pytest.fixture
def model(shop, program):  # noqa: F811
    with shop.opened(shop.boss) as ctx:
        ai.set_up(ctx, f"http://{program.place}/v1", "small", "")
    return program


@pytest.fixture
def clerk(shop, sign_in):
    return sign_in(shop, "clerk")


def filled(client: Any, text: str = "A mail", **sent: Any) -> Any:
    return client.post(LIVE, {"_touched": "[]", "_changed": "[]", "_quick": text, **sent})


def asked(model: Any) -> list[dict[str, Any]]:
    return list(json.loads(model.asked[-1][3])["messages"])


def test_without_a_model_there_is_no_button_and_nothing_to_ask(shop, clerk):
    assert "data-quick" not in clerk.get("/a/shop/f/thing/new").text
    refused = filled(clerk)
    assert refused.status_code == 422
    assert "No language model is set up" in refused.text


def test_a_form_that_does_not_offer_it_does_not_ask(make_shop, sign_in, program):  # noqa: F811
    shop = make_shop({**SHOP, "forms": [{**SHOP["forms"][0], "quick_fill": False}]})  # type: ignore[index]
    with shop.opened(shop.boss) as ctx:
        ai.set_up(ctx, f"http://{program.place}/v1", "small", "")
    client = sign_in(shop, "clerk")
    assert "data-quick" not in client.get("/a/shop/f/thing/new").text
    assert filled(client).status_code == 422
    assert program.asked == []


def test_a_mail_becomes_values_links_and_rows(shop, clerk, model):
    model.answers = [says(READ)]
    assert "data-quick" in clerk.get("/a/shop/f/thing/new").text
    page = filled(clerk).text
    for text in ('value="Plane"', "2026-11-02", "Oak &amp; Co", 'value="Suzhou"', "Iron", "Wedge", "Filled in: Name, "):
        assert text in page, text
    assert 'value="9"' not in page, "a column that one may only read"
    touched = set(page.partition('data-touched="')[2].partition('"')[0].split(","))
    assert {"name", "state", "tags", "bought", "price", "maker", "lines"} <= touched
    assert not {"secret", "aside", "double"} & touched


def test_the_model_is_told_what_is_asked_for_and_no_record(clerk, model):
    model.answers = [says({})]
    assert "Nothing was found in it" in filled(clerk, "Dear Sir").text
    system, user = asked(model)
    assert user["content"] == "Dear Sir"
    for text in ("Brand new", '"several": true', '"columns"', "Lines"):
        assert text in system["content"], text
    for text in ("Oak", "Suzhou", "Hidden one", "Not on it", "Cost"):
        assert text not in system["content"], text


def test_what_is_typed_stays_and_rows_are_added(clerk, model):
    model.answers = [says(READ)]
    rows = json.dumps([{"what": "Mine", "count": "3"}, {"what": "", "count": "1"}])
    page = filled(clerk, name="My own", lines=rows, _touched='["name"]').text
    assert 'value="My own"' in page
    assert 'value="Plane"' not in page
    assert page.index("Mine") < page.index("Iron")


def test_what_cannot_be_read_is_told_beside_its_field(clerk, model):
    model.answers = [says({"bought": "soon", "maker": "Nobody & Co", "state": "Brand new"})]
    page = filled(clerk).text
    assert "soon" in page
    assert "Nobody &amp; Co&#39; was not found" in page or "Nobody &amp; Co' was not found" in page
    assert "Filled in: State." in page


def test_a_picture_is_made_smaller_and_sent_along(clerk, model):
    model.answers = [says({"name": "From a card"})]
    out = io.BytesIO()
    Image.new("RGB", (4_000, 2_000), "white").save(out, "JPEG")
    page = filled(clerk, "", _picture=(io.BytesIO(out.getvalue()), "card.jpg")).text
    assert 'value="From a card"' in page
    part = asked(model)[1]["content"][1]["image_url"]["url"]
    assert part.startswith("data:image/jpeg;base64,")
    assert Image.open(io.BytesIO(base64.b64decode(part.partition(",")[2]))).size == (1_600, 800)
    assert filled(clerk, "", _picture=(io.BytesIO(b"<svg onload=alert(1)>"), "card.png")).status_code == 422


@pytest.mark.parametrize("answer", [says("Sorry."), says([1]), (500, "down"), (200, {})])
def test_a_model_that_fails_leaves_the_form_as_it_is(clerk, model, answer):
    model.answers = [answer]
    refused = filled(clerk, name="typed")
    assert refused.status_code == 422
    assert "data-error" in refused.text


def test_an_outsider_asks_nothing(shop, model, sign_in):
    assert filled(sign_in(shop, "outsider")).status_code == 404
    assert model.asked == []


def test_what_was_filled_in_is_saved_like_anything_typed(shop, clerk, model):
    sent = {"name": "Plane", "lines": json.dumps([{"what": "Iron", "count": "2"}])}
    assert clerk.post("/a/shop/f/thing/new", sent).status_code == 204
    with shop.opened(shop.boss) as ctx:
        gate = door(ctx, shop.table(ctx, "thing"))
        assert len(query.page(gate, query.Listing()).records) == 1


ODD = [{"a": 1}, [1, None], [{"b": []}], True, -1, 1e400, "x" * 5_000, "\ud800", "a\nb", [[]], {"zh": "x"}, "2026-02-31", "<b>", "\u0000"]


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
def test_whatever_a_model_says_the_form_is_shown(clerk, model, odd):
    readable = 422 if odd == float("inf") else 200
    model.answers = [says(json.dumps({**dict.fromkeys(READ, odd), "lines": [dict.fromkeys(("what", "count", "own"), odd)]}))]
    assert filled(clerk, name="typed", _touched='["name"]').status_code == readable
    model.answers = [says(json.dumps(dict.fromkeys(READ, odd)))]
    assert filled(clerk).status_code == readable
