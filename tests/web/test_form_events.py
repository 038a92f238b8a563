"""While a form is filled in, or when it is sent, another program is asked, and its answer fills fields."""

import json
from typing import Any

import pytest

from runtime import jobs, query
from runtime.access import door
from schemas.errors import DefinitionError
from tests.runtime.test_requests_of_flows import program  # noqa: F401

SAMPLE = json.dumps({"name": "x", "tax": "0.1", "lines": [{"what": "a", "count": 1}]})


def shop_with(place: str, *events: dict[str, Any], **form: Any) -> dict[str, Any]:
    request = {"address": f"http://{place}/ask/{{code}}", "sample": SAMPLE}
    return {
        "language": 1, "app": "shop", "roles": [{"id": "clerk"}, {"id": "manager"}],
        "tables": [{"id": "thing", "fields": [
            {"id": "code", "type": "text", "label": "Code"}, {"id": "name", "type": "text", "required": True},
            {"id": "tax", "type": "number"}, {"id": "secret", "type": "text"},
            {"id": "lines", "type": "rows", "fields": [
                {"id": "what", "type": "text"}, {"id": "count", "type": "number"}, {"id": "note", "type": "text"}]}]}],
        "forms": [{"id": "thing", "table": "thing", "layout": [
            {"row": ["code"]}, {"row": ["name"]}, {"row": ["tax"]}, {"row": ["lines"]}],
            "events": [{**event, "request": {**request, **event.get("request", {})}} for event in events], **form}],
        "access": [{"id": "things", "who": {"role": "clerk"}, "table": "thing", "do": ["read", "create", "update"],
                    "fields": {"*": "write", "secret": "hidden"}}],
    }  # fmt: skip


LOOKED_UP = {
    "id": "looked_up", "title": "Company", "on": "edit", "fields": ["code"], "when": "code <> \"\"",
    "fill": {"name": "answer.body.name", "tax": "answer.body.tax", "lines.what": "answer.body.lines.what",
             "lines.count": "answer.body.lines.count"},
}  # fmt: skip
ANSWER = {"name": "Mortise & Tenon", "tax": "0.13", "lines": [{"what": "Oak", "count": 2}, {"what": "Ash", "count": 3}]}


def live(client: Any, **sent: Any) -> Any:
    return client.post("/a/shop/f/thing/live", {"_touched": "[\"code\"]", "_changed": "[]", **sent})


@pytest.fixture
def made(make_shop, program, sign_in):  # noqa: F811
    def make(*events: dict[str, Any], **form: Any):
        shop = make_shop(shop_with(program.place, *events, **form))
        return shop, sign_in(shop, "clerk")

    return make


def records_of(shop: Any) -> list[dict[str, Any]]:
    with shop.opened(shop.boss) as ctx:
        gate = door(ctx, shop.table(ctx, "thing"))
        return [dict(query.fetch(gate, r.id).values) for r in query.page(gate, query.Listing()).records]


def test_what_is_edited_is_looked_up_and_fills_fields_and_rows(made, program):  # noqa: F811
    program.answers = [(200, ANSWER)]
    _, clerk = made(LOOKED_UP)
    page = clerk.get("/a/shop/f/thing/new").text
    assert "data-events=" in page
    text = live(clerk, code="A 1", _event="[\"looked_up\"]").text
    assert program.asked[0][1] == "/ask/A%201"
    for value in ("Mortise &amp; Tenon", "0.13", "Oak", "Ash"):
        assert value in text
    assert 'data-touched="' in text
    assert "name" in text.partition('data-touched="')[2].partition('"')[0]


def test_without_the_event_nothing_is_asked(made, program):  # noqa: F811
    _, clerk = made(LOOKED_UP)
    assert live(clerk, code="A 1").status_code == 200
    assert live(clerk, code="", _event="[\"looked_up\"]").status_code == 200, "its condition does not hold"
    assert live(clerk, code="A", _event="[\"other\", 5, \"looked_up@1\"]").status_code == 200
    assert program.asked == []


def test_a_refusal_stands_beside_the_field_and_keeps_what_was_typed(made, program):  # noqa: F811
    program.answers = [(404, "unknown code")]
    _, clerk = made(LOOKED_UP)
    text = live(clerk, code="A1", name="typed", _event="[\"looked_up\"]").text
    assert "Company: The other side refused: 404 unknown code" in text
    assert 'value="typed"' in text


def test_nobody_fills_what_they_may_not_write(made, program):  # noqa: F811
    program.answers = [(200, ANSWER)]
    shop, clerk = made({**LOOKED_UP, "fill": {"secret": "answer.body.name", "tax": "answer.body.tax"}})
    assert "Mortise" not in live(clerk, code="A1", _event="[\"looked_up\"]").text
    assert records_of(shop) == []


def test_a_row_fills_its_own_columns(made, program):  # noqa: F811
    program.answers = [(200, ANSWER)]
    event = {"id": "of_row", "on": "edit", "fields": ["lines.what"], "fill": {"lines.note": "answer.body.name & \" \" & what"}}  # fmt: skip
    request = {"method": "POST", "send": "json", "values": [{"name": "what", "value": "what"}], "address": f"http://{program.place}/row"}
    _, clerk = made({**event, "request": request})
    rows = {"lines": json.dumps([{"what": "Oak"}, {"what": "Ash"}])}
    text = live(clerk, **rows, _event="[\"of_row@1\"]").text
    assert json.loads(program.asked[0][3]) == {"what": "Ash"}
    assert "Mortise &amp; Tenon Ash" in text
    assert "Tenon Oak" not in text
    assert live(clerk, **rows, _event="[\"of_row@7\"]").status_code == 200


def test_what_is_asked_at_sending_is_saved_and_then_checked(made, program):  # noqa: F811
    program.answers = [(200, ANSWER), (200, {**ANSWER, "name": ""})]
    event = {**LOOKED_UP, "on": "send", "fields": []}
    shop, clerk = made(event, readonly=["name"])
    assert clerk.post("/a/shop/f/thing/new", {"code": "A1"}).status_code == 204
    (kept,) = records_of(shop)
    assert kept["name"] == "Mortise & Tenon", "a read-only field is filled, too"
    assert [line["what"] for line in kept["lines"]] == ["Oak", "Ash"]
    again = clerk.post("/a/shop/f/thing/new", {"code": "A2"})
    assert again.status_code == 422, "what must be filled in is still missing"
    assert len(records_of(shop)) == 1


def test_a_form_is_not_sent_without_the_answer_it_must_have(made, program):  # noqa: F811
    program.answers = [(500, "broken"), (500, "broken")]
    event = {**LOOKED_UP, "on": "send", "fields": []}
    shop, clerk = made(event)
    refused = clerk.post("/a/shop/f/thing/new", {"code": "A1", "name": "typed"})
    assert refused.status_code == 422
    assert "Company: The other side refused: 500 broken" in refused.text
    assert 'value="typed"' in refused.text
    assert records_of(shop) == []


def test_a_form_may_be_sent_without_an_answer_where_it_says_so(made, program):  # noqa: F811
    program.answers = [(500, "broken")]
    shop, clerk = made({**LOOKED_UP, "on": "send", "fields": [], "must": False})
    assert clerk.post("/a/shop/f/thing/new", {"code": "A1", "name": "typed"}).status_code == 204
    assert records_of(shop)[0]["name"] == "typed"


def test_a_button_stands_beside_its_field(made, program):  # noqa: F811
    _, clerk = made({**LOOKED_UP, "on": "press"})
    page = clerk.get("/a/shop/f/thing/new").text
    assert 'data-event="looked_up"' in page
    assert "data-events=" not in page


@pytest.mark.parametrize(
    ("event", "path"),
    [
        ({"fields": ["nothing"]}, "fields"),
        ({"fields": []}, "fields"),
        ({"fields": ["code", "lines.what"]}, "fields"),
        ({"fields": ["lines.what"], "on": "press"}, "fields"),
        ({"fill": {"lines": "answer.body.lines"}}, "fill.lines"),
        ({"fill": {"gone": "answer.body.name"}}, "fill.gone"),
        ({"fill": {"name": "answer.body.gone"}}, "fill.name"),
        ({"request": {"address": "https://"}}, "request.address"),
        ({"when": "code"}, "when"),
        ({"request": {"secret": "key"}}, "request.secret"),
    ],
)
def test_what_is_wrong_with_an_event_is_said(make_shop, event, path):
    with pytest.raises(DefinitionError) as refused:
        make_shop(shop_with("a.example", {**LOOKED_UP, **event}))
    assert any(p.path.startswith("forms[0].events[0]") and p.path.endswith(path) for p in refused.value.problems)


def test_nothing_of_it_is_a_job(made, program, database_url):  # noqa: F811
    _, clerk = made(LOOKED_UP)
    live(clerk, code="A1", _event="[\"looked_up\"]")
    assert not jobs.drain_jobs(database_url)
