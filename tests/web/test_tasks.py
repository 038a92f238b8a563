"""The to-do centre in the browser: the clerk sends a claim, the manager has it before them."""

import re
from collections.abc import Callable
from copy import deepcopy
from io import BytesIO
from typing import Any
from uuid import UUID, uuid4

import pytest

from runtime import definitions, tasks
from tests.runtime.conftest import Shop
from tests.runtime.test_flows import CLAIMS, claim, fill_slots, id_of, run_of, send, task_of
from tests.web.conftest import Person

PRESSED: dict[str, Any] = {
    "id": "ask", "title": "Ask the manager", "trigger": {"button": {"table": "claim", "label": "Ask"}, "when": "amount > 0"},
    "steps": [{"id": "look", "type": "approve", "who": {"role": "manager"}, "rename": {"approve": "Looks fine"}}],
}  # fmt: skip


@pytest.fixture
def claims(make_shop: Callable[..., Shop]) -> Shop:
    package = deepcopy(CLAIMS)
    package["flows"].append(PRESSED)
    return fill_slots(make_shop(package))


def test_a_task_from_the_list_to_its_decision(claims: Shop, sign_in: Any) -> None:
    record = send(claims, amount="20")
    task = task_of(claims, claims.manager)
    manager = sign_in(claims, "manager")
    listed = manager.get("/tasks/").text
    assert f"/tasks/{task}" in listed
    assert "Paper" in listed
    page = manager.get(f"/tasks/{task}")
    assert page.status_code == 200
    assert 'name="_version"' in page.text
    assert "secret" not in page.text
    assert manager.post(f"/tasks/{task}", {"_action": "approve"}).headers["HX-Redirect"] == "/tasks/"
    assert claim(claims, record)["flow.state"] == "running"
    assert "Approved" in manager.get(f"/tasks/{task}").text, "the closed task shows the run"
    assert f"/tasks/{task}" in manager.get("/tasks/?tab=decided").text


def test_a_refusal_keeps_what_was_typed(claims: Shop, sign_in: Any) -> None:
    send(claims, amount="20")
    task = task_of(claims, claims.manager)
    manager = sign_in(claims, "manager")
    answer = manager.post(f"/tasks/{task}", {"_action": "reject"})
    assert answer.status_code == 422
    assert answer.text.count("Add a comment.") == 2, "in the summary, and beside the comment"
    assert 'data-focus="task-comment"' in answer.text
    manager.post(f"/tasks/{task}", {"_action": "approve"})
    pay = task_of(claims, claims.manager)
    answer = manager.post(f"/tasks/{pay}", {"_action": "submit", "_comment": "by transfer", "paid_on": "soon"})
    assert answer.status_code == 422
    assert 'value="soon"' in answer.text
    assert "by transfer" in answer.text


def test_a_stale_decision_shows_what_changed(claims: Shop, sign_in: Any) -> None:
    record = send(claims, amount="20")
    task = task_of(claims, claims.manager)
    seen = claim(claims, record)["version"]
    send(claims, record, amount="70")
    manager = sign_in(claims, "manager")
    answer = manager.post(f"/tasks/{task}", {"_action": "approve", "_version": str(seen)})
    assert answer.status_code == 409
    assert "70.00" in answer.text
    assert task_of(claims, claims.manager) == task


def test_a_task_is_nobody_elses(claims: Shop, sign_in: Any) -> None:
    send(claims, amount="20")
    task = task_of(claims, claims.manager)
    outsider = sign_in(claims, "outsider")
    run = run_of(claims, send(claims, amount="20")).id
    for url in (f"/tasks/{task}", f"/tasks/{uuid4()}", "/tasks/none", f"/tasks/run/{run}", f"/tasks/{task}/transfer"):
        assert outsider.get(url).status_code == 404, url
    for url in (f"/tasks/{task}", f"/tasks/{task}/transfer", f"/tasks/run/{run}/withdraw", f"/tasks/run/{run}/end",
                f"/tasks/run/{run}/burn", f"/tasks/{task}/live"):  # fmt: skip
        assert outsider.post(url, {"_action": "approve", "to": str(id_of(claims.outsider))}).status_code == 404, url


@pytest.mark.parametrize("action", ["", "burn", "transfer", "return\x01"])
def test_a_strange_action_is_refused(claims: Shop, sign_in: Any, action: str) -> None:
    send(claims, amount="20")
    task = task_of(claims, claims.manager)
    answer = sign_in(claims, "manager").post(f"/tasks/{task}", {"_action": action, "_version": "x" * 30})
    assert answer.status_code == 403
    assert task_of(claims, claims.manager) == task


def test_transfer_asks_for_a_member(claims: Shop, sign_in: Any) -> None:
    send(claims, amount="20")
    task = task_of(claims, claims.manager)
    manager = sign_in(claims, "manager")
    assert "data-picker" in manager.fragment(f"/tasks/{task}/transfer").text
    assert manager.post(f"/tasks/{task}/transfer", {"to": ""}).status_code == 422
    assert manager.post(f"/tasks/{task}/transfer", {"to": str(uuid4())}).status_code == 422
    assert manager.post(f"/tasks/{task}/transfer", {"to": str(id_of(claims.outsider))}).status_code == 204
    assert task_of(claims, claims.outsider) == task


def test_the_starter_follows_and_withdraws(claims: Shop, sign_in: Any) -> None:
    record = send(claims, amount="20")
    run = run_of(claims, record).id
    clerk = sign_in(claims, "clerk")
    assert f"/tasks/run/{run}" in clerk.get("/tasks/?tab=started").text
    assert "Manager" in clerk.get(f"/tasks/run/{run}").text, "who holds it"
    assert clerk.post(f"/tasks/run/{run}/withdraw").status_code == 204
    assert claim(claims, record)["flow.state"] == "withdrawn"


def test_the_record_page_shows_its_flow_and_the_button_of_another(claims: Shop, sign_in: Any) -> None:
    record = send(claims, amount="20")
    clerk = sign_in(claims, "clerk")
    url = f"/a/shop/t/claim/{record}"
    page = clerk.get(url).text
    assert "Claim approval" in page
    assert f"{url}/start/ask" in page
    assert clerk.post(f"{url}/start/ask").status_code == 204
    assert clerk.post(f"{url}/start/ask").status_code == 403, "it is under way"
    assert clerk.post(f"{url}/start/none").status_code == 404
    manager = sign_in(claims, "manager")
    assert "Looks fine" in "".join(manager.get(f"/tasks/{task}").text for task in both_tasks(claims))


def both_tasks(shop: Shop) -> list[UUID]:
    from runtime import tasks

    with shop.opened(shop.manager) as ctx:
        return [line.id for line in tasks.listed(ctx, tasks.Asked())[0]]


def test_search_and_filter(claims: Shop, sign_in: Any) -> None:
    send(claims, amount="20", what="Paper")
    send(claims, amount="20", what="Glue_50%")
    manager = sign_in(claims, "manager")
    found = manager.get("/tasks/?q=glue_50%25").text
    assert "Glue_50%" in found
    assert "Paper" not in found
    assert "Nothing found" in manager.get("/tasks/?flow=shop.nothing").text
    assert "Glue" in manager.get("/tasks/?flow=shop.approval&page=1").text
    assert manager.get("/tasks/?tab=odd&page=-5&flow=.%01").status_code == 200


def test_notices_are_read(claims: Shop, sign_in: Any) -> None:
    send(claims, amount="20")
    task = task_of(claims, claims.manager)
    manager = sign_in(claims, "manager")
    assert f"/tasks/{task}" in manager.get("/notices/").text
    assert "Notifications: 1 new" in manager.get("/").text
    manager.get(f"/tasks/{task}")
    assert "Notifications: 1 new" not in manager.get("/").text
    send(claims, amount="20")
    assert manager.post("/notices/read").status_code == 204
    assert "Notifications: 1 new" not in manager.get("/").text


def test_live_values_on_a_task(claims: Shop, sign_in: Any) -> None:
    send(claims, amount="20")
    task = task_of(claims, claims.manager)
    manager = sign_in(claims, "manager")
    manager.post(f"/tasks/{task}", {"_action": "approve"})
    pay = task_of(claims, claims.manager)
    answer = manager.post(f"/tasks/{pay}/live", {"paid_on": "never", "_touched": '["paid_on"]', "_comment": "half a"})
    assert answer.status_code == 200
    assert "half a" in answer.text
    assert 'value="never"' in answer.text


def test_the_flow_keeps_the_revision_it_began_with(claims: Shop, sign_in: Any) -> None:
    record = send(claims, amount="20")
    package = deepcopy(CLAIMS)
    package["flows"][0]["steps"] = package["flows"][0]["steps"][:1]
    with claims.opened() as ctx:
        definitions.publish(ctx, "shop", package)
    task = task_of(claims, claims.manager)
    manager = sign_in(claims, "manager")
    assert manager.get(f"/tasks/{task}").status_code == 200
    assert manager.post(f"/tasks/{task}", {"_action": "approve"}).status_code == 204
    assert claim(claims, record)["flow.state"] == "running"


def test_live_values_keep_the_columns_that_a_step_closes(claims: Shop, sign_in: Any) -> None:
    record = send(claims, amount="20", items=[{"thing": "Pens", "price": "5", "cost": "3"}])
    row = str(claim(claims, record)["items"][0]["_id"])
    task = task_of(claims, claims.manager)
    manager = sign_in(claims, "manager")
    assert "data-row-add" not in manager.get(f"/tasks/{task}").text
    sent = {"items": f'[{{"_id": "{row}", "price": "4"}}]', "_touched": "[]"}
    assert "Pens" in manager.post(f"/tasks/{task}/live", sent).text
    assert "Pens" in manager.post(f"/tasks/{task}", {**sent, "_action": "reject"}).text


def test_defaults_in_rows_follow_what_is_typed_on_a_task(make_shop: Callable[..., Shop], sign_in: Any) -> None:
    package = deepcopy(CLAIMS)
    items = next(f for f in package["tables"][1]["fields"] if f["id"] == "items")
    items["fields"].append({"id": "label", "type": "text", "default": '=what & "-" & thing'})
    package["flows"][0]["steps"][1]["fields"] = {"items": "write"}
    claims = fill_slots(make_shop(package))
    send(claims, amount="20")
    task = task_of(claims, claims.manager)
    sent = {"items": '[{"thing": "Pens", "label": "old"}, {"thing": "Ink", "label": "mine"}]', "_touched": '["items"]',
            "_typed": '["items[0].thing", "items[1].label"]'}  # fmt: skip
    shown = sign_in(claims, "manager").post(f"/tasks/{task}/live", sent).text
    assert 'value="Paper-Pens"' in shown
    assert 'value="mine"' in shown
    assert 'value="old"' not in shown


# -- every action on a phone -----------------------------------------------------------------------

ACTING: dict[str, Any] = {"id": "look", "type": "approve", "who": {"role": "manager"}, "sign": ["approve"]}


def shop_of(make_shop: Callable[..., Shop], *steps: dict[str, Any], **flow: Any) -> Shop:
    package = deepcopy(CLAIMS)
    package["flows"][0] |= {"steps": list(steps), "after": {}, **flow}
    return fill_slots(make_shop(package))


def test_a_task_offers_its_actions_and_asks_in_dialogs(claims: Shop, sign_in: Any) -> None:
    send(claims, amount="20")
    task = task_of(claims, claims.manager)
    manager = sign_in(claims, "manager")
    page = manager.get(f"/tasks/{task}").text
    for act in ("transfer", "delegate", "add_signer", "comment", "copy"):
        assert f"/tasks/{task}/{act}" in page, act
        assert 'id="dialog-title"' in manager.fragment(f"/tasks/{task}/{act}").text, act
    outsider = str(id_of(claims.outsider))
    assert manager.post(f"/tasks/{task}/comment", {"_comment": ""}).status_code == 422
    assert manager.post(f"/tasks/{task}/comment", {"_comment": "wait"}).headers["HX-Redirect"] == f"/tasks/{task}"
    assert manager.post(f"/tasks/{task}/copy", {"to": outsider}).status_code == 204
    assert manager.post(f"/tasks/{task}/add_signer", {"to": outsider, "side": "sideways"}).status_code == 422
    assert manager.post(f"/tasks/{task}/add_signer", {"to": outsider, "side": "after"}).status_code == 204
    assert manager.post(f"/tasks/{task}/delegate", {"to": "", "_comment": "kept"}).status_code == 422
    assert (
        manager.post(f"/tasks/{task}/delegate", {"to": str(id_of(claims.boss)), "_comment": "look"}).status_code == 204
    )
    boss = sign_in(claims, "boss")
    mine = task_of(claims, claims.boss)
    assert 'value="answer"' in boss.get(f"/tasks/{mine}").text
    assert boss.post(f"/tasks/{mine}", {"_action": "answer", "_comment": "fine"}).status_code == 204
    assert task_of(claims, claims.manager) == task


def upload(person: Any, url: str, name: str, body: bytes) -> Any:
    return person.post(url, {"file": (BytesIO(body), name)}, content_type="multipart/form-data")


def test_a_signature_and_files_go_with_a_decision(make_shop: Callable[..., Shop], sign_in: Any) -> None:
    shop = shop_of(make_shop, ACTING)
    record = send(shop)
    task = task_of(shop, shop.manager)
    manager = sign_in(shop, "manager")
    refused = manager.post(f"/tasks/{task}", {"_action": "approve"})
    assert refused.status_code == 422
    assert "Please sign." in refused.text
    drawn = upload(manager, f"/tasks/{task}/upload", "signature.png", b"\x89PNG picture").json
    paper = upload(manager, f"/tasks/{task}/upload", "offer.pdf", b"%PDF-1.4").json
    outsider = sign_in(shop, "outsider")
    assert outsider.get(drawn["url"]).status_code == 404
    assert upload(outsider, f"/tasks/{task}/upload", "x.txt", b"x").status_code == 404
    answers = {"_action": "approve", "_signature": drawn["id"], "_files": [paper["id"]], "_comment": "see there"}
    assert manager.post(f"/tasks/{task}", answers).status_code == 204
    assert claim(shop, record)["flow.state"] == "approved"
    course = sign_in(shop, "clerk").get(f"/tasks/run/{run_of(shop, record).id}").text
    assert "offer.pdf" in course
    with manager.get(paper["url"]) as kept:
        assert kept.data == b"%PDF-1.4"


def test_the_starter_chooses_urges_and_the_decision_is_taken_back(make_shop: Callable[..., Shop], sign_in: Any) -> None:
    chosen = {**ACTING, "sign": [], "who": {"chosen_by": "starter", "among": [{"role": "manager"}]}}
    shop = shop_of(make_shop, chosen, {**ACTING, "sign": [], "id": "last"})
    record = send(shop)
    task = task_of(shop, shop.clerk)
    clerk = sign_in(shop, "clerk")
    assert [one["text"] for one in clerk.get(f"/tasks/{task}/choices").json] == ["Manager"]
    assert clerk.post(f"/tasks/{task}", {"_action": "choose", "_people": str(id_of(shop.outsider))}).status_code == 422
    assert clerk.post(f"/tasks/{task}", {"_action": "choose", "_people": str(id_of(shop.manager))}).status_code == 204
    run = run_of(shop, record).id
    assert f"/tasks/run/{run}/urge" in clerk.get(f"/tasks/run/{run}").text
    assert clerk.post(f"/tasks/run/{run}/urge").status_code == 204
    assert f"/tasks/run/{run}/urge" not in clerk.get(f"/tasks/run/{run}").text
    manager = sign_in(shop, "manager")
    mine = task_of(shop, shop.manager)
    manager.post(f"/tasks/{mine}", {"_action": "approve"})
    assert "take-back" in manager.get(f"/tasks/run/{run}").text
    assert manager.post(f"/tasks/run/{run}/take-back", {"task": str(mine)}).status_code == 204
    assert task_of(shop, shop.manager) == mine


def test_several_are_decided_at_once_and_what_cannot_be_is_said(make_shop: Callable[..., Shop], sign_in: Any) -> None:
    shop = shop_of(make_shop, {**ACTING, "sign": []})
    records = [send(shop) for _ in range(3)]
    manager = sign_in(shop, "manager")
    assert 'form="batch"' in manager.get("/tasks/").text
    with shop.opened(shop.manager) as ctx:
        lines, _ = tasks.listed(ctx, tasks.Asked())
    ids = [str(line.id) for line in lines]
    assert manager.post("/tasks/batch", {"_action": "agree", "id": [*ids[:2], str(uuid4())]}).status_code == 204
    assert "left as they are" in manager.get("/tasks/").text
    assert sorted(claim(shop, record)["flow.state"] for record in records) == ["approved", "approved", "running"]
    assert manager.post("/tasks/batch", {"_action": "agree"}).status_code == 422


def test_a_member_is_away_and_an_administrator_hands_over(make_shop: Callable[..., Shop], sign_in: Any) -> None:
    shop = shop_of(make_shop, {**ACTING, "sign": []})
    manager, boss = sign_in(shop, "manager"), sign_in(shop, "boss")
    assert manager.post("/tasks/away", {"to": "", "from": "soon"}).status_code == 422
    away = {
        "to": str(id_of(shop.outsider)),
        "from": "2020-01-01T08:00",
        "until": "2099-01-01T08:00",
        "flow": "shop.approval",
    }
    assert manager.post("/tasks/away", away).status_code == 204
    page = manager.get("/tasks/away").text
    assert "Outsider" in page
    send(shop)
    assert "Instead of" in sign_in(shop, "outsider").get("/tasks/").text
    cancel = re.search(r"/tasks/away/[0-9a-f-]+/cancel", page)
    assert cancel is not None
    assert manager.post(cancel[0]).status_code == 204
    assert manager.get("/tasks/hand-over").status_code == 404
    assert "Outsider" in boss.get("/tasks/hand-over").text
    moved = {"leaver": str(id_of(shop.outsider)), "to": str(id_of(shop.clerk))}
    assert boss.post("/tasks/hand-over", {"leaver": "", "to": ""}).status_code == 422
    assert boss.post("/tasks/hand-over", moved).status_code == 204
    assert task_of(shop, shop.clerk)


def test_a_run_goes_on_at_a_step_and_moves_to_the_published_version(
    make_shop: Callable[..., Shop], sign_in: Any
) -> None:
    shop = shop_of(make_shop, {**ACTING, "sign": []})
    record = send(shop)
    run = run_of(shop, record).id
    manager, boss = sign_in(shop, "manager"), sign_in(shop, "boss")
    manager.post(f"/tasks/{task_of(shop, shop.manager)}", {"_action": "reject"})
    assert manager.get(f"/tasks/run/{run}/reactivate").status_code == 404
    assert 'value="look"' in boss.fragment(f"/tasks/run/{run}/reactivate").text
    assert boss.post(f"/tasks/run/{run}/reactivate", {"step": "nowhere"}).status_code == 422
    assert boss.post(f"/tasks/run/{run}/reactivate", {"step": "look"}).status_code == 204
    with shop.opened() as ctx:
        package = deepcopy(CLAIMS)
        package["flows"][0] |= {"steps": [{**ACTING, "id": "final"}], "after": {}}
        definitions.publish(ctx, "shop", package)
    assert "takes the place of" in boss.fragment(f"/tasks/run/{run}/move").text
    assert boss.post(f"/tasks/run/{run}/move", {}).status_code == 422
    assert manager.post(f"/tasks/run/{run}/move", {"step.look": "final"}).status_code == 404
    assert boss.post(f"/tasks/run/{run}/move", {"step.look": "final"}).status_code == 204
    assert run_of(shop, record).revision == 2


def test_somebody_outside_answers_without_an_account(
    make_shop: Callable[..., Shop], app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    letters, visitor = list[str](), Person(app.test_client())
    monkeypatch.setattr("runtime.mail.post", lambda ctx, to, subject, text, **more: letters.append(text))
    shop = shop_of(
        make_shop, {**ACTING, "sign": [], "who": {"link": '"eva@example.org"'}, "fields": {"secret": "hidden"}}
    )
    record = send(shop, secret="hush")
    [url] = re.findall(r"/reply/\S+", letters[0])
    page = visitor.get(url)
    assert page.status_code == 200
    assert "eva@example.org" not in page.text
    assert "hush" not in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert claim(shop, record)["flow.state"] == "running", "reading it decides nothing: mail scanners read too"
    assert visitor.get(url[:-3]).status_code == 404
    assert visitor.post(url, {"_action": "burn"}).status_code == 403
    assert visitor.post(url, {"_action": "approve"}).status_code == 204
    assert claim(shop, record)["flow.state"] == "approved"
    assert "Thank you" in visitor.get(url, headers={"Accept-Language": "en"}).text


def test_the_diagram_on_the_record_says_who_did_what_and_what_may_follow(claims: Shop, sign_in: Any) -> None:
    record = send(claims, amount="20")
    manager = sign_in(claims, "manager")
    page = manager.get(f"/a/shop/t/claim/{record}").text
    course = page[page.index('class="course"') : page.index('class="timeline"')]
    assert 'aria-current="step"' in course
    assert course.index("It is here now") < course.index("Manager is asked") < course.index("May follow")
    manager.post(f"/tasks/{task_of(claims, claims.manager)}", {"_action": "approve"})
    page = manager.get(f"/a/shop/t/claim/{record}").text
    course = page[page.index('class="course"') : page.index('class="timeline"')]
    assert course.index("Done") < course.index("Manager Approved") < course.index("It is here now")


def test_the_list_is_narrowed_by_title_app_flow_and_lateness(claims: Shop, sign_in: Any) -> None:
    send(claims, amount="20")
    manager = sign_in(claims, "manager")
    link = f"/tasks/{task_of(claims, claims.manager)}"
    flow = re.search(r'value="(shop\.[a-z]+)"', sign_in(claims, "clerk").get("/tasks/?tab=started&flow=shop.x").text)
    for query in ("q=aPe", "flow=shop.", f"flow={flow[1] if flow else ''}"):
        assert link in manager.get(f"/tasks/?{query}").text, query
    for query in ("q=stone", "q=%25", "flow=shop.nothing", "flow=other.", "late=1"):
        assert link not in manager.get(f"/tasks/?{query}").text, query
