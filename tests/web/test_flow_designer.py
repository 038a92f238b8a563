"""A flow is made in the browser: every edit is a command that can be undone, and what is published runs."""

import re

import pytest


@pytest.fixture
def boss(shop, sign_in):
    return sign_in(shop, "boss")


@pytest.fixture
def made(boss):
    """An app with a form, and a flow about it; gives the app's slug and the designer's address."""
    home = boss.post("/build/", {"title": "Leave"}).headers["HX-Redirect"]
    boss.post(f"{home}forms", {"title": "Request", "preset": "all"})
    studio = boss.post(f"{home}flows", {"title": "Agree", "table": "request"}).headers["HX-Redirect"]
    return home.strip("/").split("/")[1], studio


def cards(page) -> list[str]:
    return re.findall(r'data-step="([^"]+)"', page.text)


def kept(page) -> str:
    """The address that the page now has."""
    return page.headers["HX-Replace-Url"].partition("?step=")[2]


def test_every_edit_of_a_flow_is_made_undone_and_done_again(boss, made):
    slug, studio = made
    assert cards(boss.get(studio)) == ["trigger:0", "approve"]
    edits = [
        ("add", {"type": "choose", "at": "main@1"}, ["trigger:0", "approve", "choose", "choose.branch_1", "choose.otherwise"]),
        ("add", {"type": "handle", "at": "choose.branch_1@0"}, None),
        ("branch", {"id": "choose"}, None),
        ("move", {"id": "choose.branch", "by": "up"}, None),
        ("move", {"id": "handle", "by": "up"}, None),
        ("move", {"id": "handle", "at": "choose.otherwise@0"}, None),
        ("copy", {"id": "choose"}, None),
        ("delete", {"id": "choose_2"}, None),
        ("delete", {"id": "choose.branch"}, None),
        ("trigger", {}, ["trigger:0", "trigger:1"]),
        ("trigger", {"id": "trigger:1", "kind": "button"}, None),
        ("delete", {"id": "trigger:0"}, None),
        ("options", {"path": "", "withdraw": "until_end", "take_back.": "", "title.en": "Agreement"}, None),
        ("options", {"path": "choose.branch_1", "title.en": "Long", "when.mode": "formula", "when": "field_1 = \"x\""}, None),
        ("options", {"path": "trigger:0", "button.label.en": "Go"}, None),
        ("slot", {"title": "cashier", "type": "member", "chosen": "approve"}, None),
        ("options", {"path": "approve", "who.0.kind": "slot", "quorum.mode": "percent", "quorum.number": "60"}, None),
    ]  # fmt: skip
    before = [boss.get(studio).text]
    for verb, sent, wanted in edits:
        answer = boss.post(f"{studio}{verb}", sent)
        assert answer.status_code == 200, (verb, sent, answer.text[:2000])
        if wanted:
            assert cards(answer)[: len(wanted)] == wanted
        before.append(chart(boss.get(studio).text))
    assert "cashier" in before[-1]
    assert "60 %" in before[-1]
    for shown in reversed(before[1:-1]):
        assert boss.post(f"{studio}undo", {}).status_code == 200
        assert chart(boss.get(studio).text) == shown
    for shown in before[2:]:
        boss.post(f"{studio}redo", {})
        assert chart(boss.get(studio).text) == shown


def chart(text: str) -> str:
    body = text[text.index('id="flow-chart"') : text.index("</section>", text.index('id="flow-chart"'))]
    return re.sub(r'value="[^"]*"|data-fold="[^"]*"', "", body)


def test_a_wrong_option_is_told_beside_it_and_a_problem_leads_to_its_card(boss, made):
    slug, studio = made
    wrong = boss.post(
        f"{studio}options", {"path": "approve", "due.mode": "in", "due.count": "soon", "due.unit": "days"}
    )
    assert wrong.status_code == 422
    assert "is not a span of time" in wrong.text
    boss.post(f"{studio}add", {"type": "update", "at": "main@1"})
    page = boss.get(studio)
    assert "set at least one field" in page.text
    jump = re.search(r'href="([^"]*flow/[^"]*)" data-problem', page.text)[1].replace("&amp;", "&")
    assert "step=update" in jump
    assert "set at least one field" in boss.get(jump).text
    assert boss.post(f"/build/{slug}/publish", {}).status_code == 422


def test_a_published_flow_runs_and_the_chosen_step_stays_after_it(boss, made, shop, sign_in):
    slug, studio = made
    boss.post(f"{studio}slot", {"title": "checker", "type": "member", "chosen": "approve"})
    answer = boss.post(f"{studio}options", {"path": "approve", "who.0.kind": "slot", "title.en": "Check"})
    assert kept(answer) == "approve"
    assert boss.post(f"/build/{slug}/publish", {}).status_code == 204
    assert sign_in(shop, "clerk").get(studio).status_code == 404
    boss.post(f"/a/{slug}/f/request/new", {"field_1": "Coast"})
    with shop.opened() as ctx:
        assert ctx.conn.exec_driver_sql("SELECT count(*) FROM flow_instance WHERE flow = 'agree'").scalar() == 1


def test_what_is_not_there_is_refused_with_words(boss, made):
    _, studio = made
    for verb, sent in (
        ("add", {"type": "globe"}),
        ("add", {"type": "approve", "at": "nowhere@0"}),
        ("move", {"id": "nobody", "at": "main@0"}),
        ("delete", {"id": "approve.x"}),
        ("delete", {"id": "trigger:9"}),
        ("options", {"path": "nobody", "title.en": "x"}),
        ("trigger", {"id": "trigger:7", "kind": "button"}),
        ("slot", {"title": " "}),
    ):
        assert boss.post(f"{studio}{verb}", sent).status_code == 422, verb
    assert boss.get(studio.replace("agree", "nothing")).status_code == 404
    assert boss.get(f"{studio}?step=nobody").status_code == 200


def test_a_flow_is_copied_and_removed(boss, made):
    slug, studio = made
    copy = boss.post(f"{studio}copy-flow", {}).headers["HX-Redirect"]
    assert copy != studio
    assert cards(boss.get(copy)) == ["trigger:0", "approve"]
    assert boss.post(f"{copy}remove", {}).headers["HX-Redirect"] == f"/build/{slug}/"
    assert boss.get(copy).status_code == 404


def test_formulas_of_a_flow_know_what_its_steps_give_by_their_names(boss, made):
    slug, studio = made
    boss.post(f"{studio}add", {"type": "find", "at": "main@0"})
    found = {"path": "find", "title.en": "Earlier ones", "table": "request", "take": "count"}
    assert boss.post(f"{studio}options", found).status_code == 200
    boss.post(f"{studio}add", {"type": "calculate", "at": "main@1"})
    panel = boss.get(f"{studio}?step=calculate").text
    place = re.search(r'data-place="(request:[^"]*:agree::)"', panel)[1]
    assert '"Earlier ones"' in boss.get(f"/build/{slug}/names?place={place}").text
    asked = {"place": place, "formula": "[Earlier ones] + 1", "result": "any", "full": "1"}
    assert "Earlier ones" in (said := boss.post(f"/build/{slug}/formula", asked).text)
    assert "error" not in said
    assert "formula-result" not in said
    kept = boss.post(f"{studio}options", {"path": "calculate", "formula": "[Earlier ones] + 1"})
    assert kept.status_code == 200
    assert "[Earlier ones] + 1" in kept.text
    elsewhere = boss.post(f"/build/{slug}/formula", {**asked, "place": "request:::"}).text
    assert "error" in elsewhere
