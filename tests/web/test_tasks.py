"""The to-do centre in the browser: the clerk sends a claim, the manager has it before them."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any
from uuid import UUID, uuid4

import pytest

from runtime import definitions
from tests.runtime.conftest import Shop
from tests.runtime.test_flows import CLAIMS, claim, fill_slots, id_of, run_of, send, task_of

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
