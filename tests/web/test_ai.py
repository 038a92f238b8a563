"""A language model: off until an administrator sets one up, asked by flows and for drafts of forms, never publishing anything."""

import json
from typing import Any

import pytest
from sqlalchemy import select

from builder import drafting, drafts
from runtime import ai, flows, jobs, query, records
from runtime.access import door
from runtime.models_ai import ai_endpoint
from runtime.models_flow import flow_instance, flow_log
from schemas.errors import DefinitionError
from tests.runtime.test_requests_of_flows import program  # noqa: F401

FLOW = {
    "language": 1, "app": "shop", "roles": [{"id": "clerk"}, {"id": "manager"}],
    "tables": [{"id": "note", "title": {"zh": "便签", "en": "Notes"}, "fields": [
        {"id": "text", "type": "text"}, {"id": "mood", "type": "text"}, {"id": "said", "type": "long_text"}]}],
    "flows": [{"id": "felt", "trigger": {"created": "note"}, "steps": [
        {"id": "ask", "type": "ai", "prompt": "What mood is this in? {text}", "sample": "{\"mood\": \"good\"}"},
        {"id": "keep", "type": "update", "set": {"mood": "ask.body.mood", "said": "ask.text"}}]}],
    "access": [{"id": "notes", "who": {"role": "clerk"}, "table": "note", "do": ["read", "create"]},
               {"id": "its_own", "who": {"flow": "felt"}, "table": "note", "do": ["read", "update"]}],
}  # fmt: skip
TOOLS = {"tables": [
    {"id": "tool", "title": {"zh": "工具", "en": "Tools"}, "title_formula": "name", "fields": [
        {"id": "name", "type": "text", "label": {"zh": "名称", "en": "Name"}, "required": True},
        {"id": "price", "type": "money", "label": {"zh": "价格", "en": "Price"}}]},
    {"id": "loan", "title": {"zh": "借用", "en": "Loans"}, "title_formula": "tool.name", "fields": [
        {"id": "tool", "type": "link", "table": "tool", "label": {"zh": "工具", "en": "Tool"}},
        {"id": "until", "type": "date", "label": {"zh": "归还日", "en": "Until"}}]},
    {"id": "note", "fields": [{"id": "text", "type": "number"}, {"id": "day", "type": "date", "label": "Day"}]},
]}  # fmt: skip


def says(answer: Any) -> tuple[int, Any]:
    text = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
    return 200, {"choices": [{"message": {"role": "assistant", "content": text}}]}


@pytest.fixture
def shop(make_shop):
    return make_shop(FLOW)


@pytest.fixture
def boss(shop, sign_in):
    return sign_in(shop, "boss")


@pytest.fixture
def model(shop, program):  # noqa: F811
    with shop.opened(shop.boss) as ctx:
        ai.set_up(ctx, f"http://{program.place}/v1/", "small", "well-hidden")
    return program


def new_note(shop: Any) -> Any:
    with shop.opened(shop.clerk) as ctx:
        live = shop.table(ctx, "note")
        id = records.create(ctx, live, {"text": "What a day!"})
        flows.record_saved(ctx, live, id, "created", None)
        return id


def failures(shop: Any) -> list[Any]:
    with shop.opened() as ctx:
        return [e for e in ctx.conn.scalars(select(flow_log.c.entry)) if e["what"] == "failed"]


def test_it_is_off_until_an_administrator_sets_it_up(shop, boss, sign_in, program, database_url):  # noqa: F811
    new_note(shop)
    assert not jobs.drain_jobs(database_url)
    assert program.asked == []
    assert "No language model is set up" in failures(shop)[0]["problem"]
    assert "No language model is set up" in boss.get("/build/shop/drafting/").text
    assert "/drafting/" not in boss.get("/build/shop/").text
    clerk = sign_in(shop, "clerk")
    assert clerk.get("/workspace/ai/").status_code == 404
    for path in ("", "try", "remove"):
        assert clerk.post(f"/workspace/ai/{path}", {"address": "https://a.example", "model": "x"}).status_code == 404
    assert clerk.post("/build/shop/drafting/", {"description": "x"}).status_code == 404


def test_an_administrator_sets_it_up_tries_it_and_takes_it_away(shop, boss, program):  # noqa: F811
    wrong = boss.post("/workspace/ai/", {"address": "ftp://a.example", "model": ""})
    assert wrong.status_code == 422
    assert "Name the model." in wrong.text
    sent = {"address": f"http://{program.place}/v1", "model": "small", "key": "well-hidden"}
    assert boss.post("/workspace/ai/", sent).status_code == 303
    page = boss.get("/workspace/ai/").text
    assert "small" in page
    assert "well-hidden" not in page
    program.answers = [says("Hello there."), (401, "no")]
    assert "It answered: Hello there." in boss.client.get(boss.post("/workspace/ai/try").headers["Location"]).text
    assert "It did not answer" in boss.client.get(boss.post("/workspace/ai/try").headers["Location"]).text
    assert program.asked[0][2]["authorization"] == "Bearer well-hidden"
    boss.post("/workspace/ai/", {**sent, "model": "large", "key": ""})
    with shop.opened(shop.boss) as ctx:
        assert ai.endpoint(ctx) == ai.Endpoint(sent["address"], "large", "well-hidden"), "an empty key keeps the one there is"
        assert "well-hidden" not in ctx.conn.scalar(select(ai_endpoint.c.sealed))
    boss.post("/workspace/ai/", {**sent, "address": "http://127.0.0.1:1/v1", "key": ""})
    with shop.opened(shop.boss) as ctx:
        assert ai.endpoint(ctx).key == "", "another server is not told the key of this one"
    assert boss.post("/workspace/ai/remove").status_code == 303
    with shop.opened(shop.boss) as ctx:
        assert ai.endpoint(ctx) is None


def test_a_flow_goes_on_with_what_the_model_says(shop, model, database_url):
    model.answers = [says("```json\n{\"mood\": \"bright\"}\n```")]
    id = new_note(shop)
    assert model.asked == [], "nothing goes out before the transaction is kept"
    assert not jobs.drain_jobs(database_url)
    ((method, path, _, body),) = model.asked
    assert (method, path) == ("POST", "/v1/chat/completions")
    assert json.loads(body)["messages"][-1]["content"] == "What mood is this in? What a day!"
    assert json.loads(body)["model"] == "small"
    with shop.opened(shop.clerk) as ctx:
        assert query.fetch(door(ctx, shop.table(ctx, "note")), id).values["mood"] == "bright"
    with shop.opened() as ctx:
        assert list(ctx.conn.scalars(select(flow_instance.c.state))) == ["ended"]


@pytest.mark.parametrize("answer", [says("I would rather not."), (400, "no"), (200, {"choices": []}), (200, "nonsense")])
def test_an_answer_that_cannot_be_read_stops_the_flow(shop, model, database_url, answer):
    model.answers = [answer]
    new_note(shop)
    jobs.drain_jobs(database_url)
    assert len(failures(shop)) == 1


def test_what_it_proposes_is_added_to_the_draft_and_not_published(shop, boss, model):
    model.answers = [says(TOOLS)]
    assert "/drafting/" in boss.get("/build/shop/").text
    assert boss.post("/build/shop/drafting/", {"description": "A register of tools"}).status_code in (204, 303)
    sent = json.loads(model.asked[0][3])["messages"]
    assert "A register of tools" in sent[1]["content"]
    assert "Notes" in sent[1]["content"]
    with shop.opened(shop.boss) as ctx:
        draft = drafts.open_draft(ctx, "shop")
        assert not [p for p in draft.problems if p.severity == "error"]
        assert [t["id"] for t in draft.package["tables"]] == ["note", "tool", "loan"]
        note = draft.package["tables"][0]
        assert [(f["id"], f["type"]) for f in note["fields"]] == [
            ("text", "text"), ("mood", "text"), ("said", "long_text"), ("day", "date"),
        ], "what is there is not changed"  # fmt: skip
        assert {"view": "tool"} in draft.package["navigation"]
        assert any(g["table"] == "loan" for g in draft.package["access"])
    assert "tool" not in [t.id for t in _published(shop).tables]
    page = boss.get("/build/shop/publish").text
    assert "Tools" in page or "tool" in page
    boss.post("/build/shop/publish", {"note": ""})
    assert "tool" in [t.id for t in _published(shop).tables]


def _published(shop: Any) -> Any:
    from runtime import definitions

    with shop.opened(shop.boss) as ctx:
        return definitions.installed(ctx, "shop").app


def test_it_is_told_what_is_wrong_and_answers_again(shop, boss, model):
    wrong = {"tables": [{"id": "tool", "title": "T", "fields": [{"id": "a", "type": "formula", "formula": "gone + 1"}]}]}
    model.answers = [says(wrong), says(TOOLS)]
    assert boss.post("/build/shop/drafting/", {"description": "Tools"}).status_code in (204, 303)
    again = json.loads(model.asked[1][3])["messages"]
    assert "gone" in again[-1]["content"]


def test_what_has_the_id_of_a_proposed_form_stays_as_it_is(make_shop):
    shop = make_shop({**FLOW, "views": [{"id": "tool", "table": "note", "title": "Mine", "columns": ["text"]}]})
    with shop.opened(shop.boss) as ctx:
        parts = drafts.open_draft(ctx, "shop").parts
        with pytest.raises(DefinitionError) as refused:
            drafting.added(parts, TOOLS)
        assert "used twice" in str(refused.value.problems[0].message.text)
        assert parts["views/tool"]["title"] == "Mine"


@pytest.mark.parametrize(
    "answer",
    [says("no"), says({"tables": []}), says({"tables": [{"id": "Bad id", "fields": [{"id": "a", "type": "text"}]}]}),
     says({"tables": [{"id": "t", "fields": [{"id": "a", "type": "spell"}]}]}), says({"tables": [{"id": "t", "fields": [1]}]}),
     says([1]), (500, "down")],
)  # fmt: skip
def test_what_cannot_be_used_changes_nothing_and_keeps_what_was_typed(shop, boss, model, answer):
    model.answers = [answer, answer]
    refused = boss.post("/build/shop/drafting/", {"description": "A register of tools"})
    assert refused.status_code == 422
    assert "A register of tools" in refused.text
    with shop.opened(shop.boss) as ctx:
        assert [t["id"] for t in drafts.open_draft(ctx, "shop").package["tables"]] == ["note"]


def test_every_type_of_field_is_told_with_what_it_is_for():
    told = "\n".join(drafting._types())
    for word in ("- money:", "- link:", "- rollup:", "required"):
        assert word in told
