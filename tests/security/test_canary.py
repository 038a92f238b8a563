"""The canary walk: every route, asked by people who may not know or do things, tells them nothing and changes nothing.

A new route is walked at once, because the walk reads the application's own map of routes.
"""

from pathlib import Path
from typing import Any

import pytest

from runtime import definitions, powers
from tests.security.conftest import COLUMN, COMMENT, FIGURE, RECORD, TRASHED, Guarded
from tests.security.walking import UNSAFE, addresses, kept, knock, told, walk

SIGNED_OUT = {
    "api_incoming.take",
    "notices.calendar",
    "replies.decide",
    "replies.show",
    "session.form",
    "session.second",
    "session.language",
    "healthz",
    "doors.forgot",
    "doors.ask_reset",
    "doors.reset",
    "doors.set_password",
    "doors.email",
    "doors.change_email",
    "doors.sign_up",
    "doors.ask_sign_up",
    "doors.invitation",
    "doors.accept",
    "doors.welcome",
    "doors.settle",
    "sso.begin",
    "sso.back",
    "public.answer",
    "public.cover",
    "public.change_answer",
    "public.download",
    "public.live_answer",
    "public.live_values",
    "public.look_up",
    "public.one",
    "public.pick",
    "public.send",
    "public.show",
    "public.thanks",
    "public.thanks_with_key",
    "public.unlock",
    "public.upload",
}
"""What answers somebody who has not signed in."""

LAST = (
    "viewing.begin", "viewing.stop",
    "tasks.live_values", "tasks.decide", "api_tasks.decide", "tasks.do_ask", "tasks.change_run",
    "build_documents.remove", "build_rights.remove", "build_apps.delete_form", "records.trash", "batches.act", "build_apps.discard",
    "build_apps.remove",
)  # fmt: skip

TESTS = Path(__file__).parents[1]
ELSEWHERE = {
    "account.email": "web/test_accounts.py",
    "account.found": "web/test_accounts.py",
    "account.leave": "web/test_accounts.py",
    "account.new_codes": "web/test_accounts.py",
    "account.prove": "web/test_accounts.py",
    "account.switch": "web/test_accounts.py",
    "account.unlink": "web/test_sso.py",
    "administrators.give": "web/test_people_pages.py",
    "administrators.remove": "web/test_people_pages.py",
    "app_people.try_formula": "web/test_people_pages.py",
    "avatars.set_own": "web/test_people_pages.py",
    "api_definitions.change": "web/test_api_doors.py",
    "api_definitions.publish": "web/test_api_doors.py",
    "api_files.upload": "web/test_api_doors.py",
    "api_incoming.take": "web/test_incoming.py",
    "api_records.batch": "web/test_api.py",
    "api_records.restore": "web/test_api.py",
    "api_tasks.decide": "web/test_api_doors.py",
    "audit.retention": "web/test_audit.py",
    "build_bin.purge": "web/test_bin.py",
    "build_flows.new_address": "web/test_incoming.py",
    "build_bin.purge_app": "web/test_bin.py",
    "build_bin.restore": "web/test_bin.py",
    "build_bin.restore_app": "web/test_bin.py",
    "build_languages.save": "web/test_languages.py",
    "build_apps.set_watermark": "web/test_watermark.py",
    "build_languages.take": "web/test_languages.py",
    "build_revisions.back": "web/test_revisions.py",
    "build_revisions.upgrade": "web/test_revisions.py",
    "centre.add_sample": "web/test_centre.py",
    "centre.install": "web/test_centre.py",
    "centre.remove": "web/test_centre.py",
    "centre.remove_sample": "web/test_centre.py",
    "centre.upload": "web/test_centre.py",
    "doors.accept": "web/test_accounts.py",
    "doors.ask_reset": "web/test_accounts.py",
    "doors.ask_sign_up": "web/test_accounts.py",
    "doors.change_email": "web/test_accounts.py",
    "doors.set_password": "web/test_accounts.py",
    "doors.settle": "web/test_accounts.py",
    "invitations.withdraw": "web/test_accounts.py",
    "build_formulas.trial": "web/test_designer.py",
    "build_flows.add": "web/test_flow_designer.py",
    "build_flows.branch": "web/test_flow_designer.py",
    "build_flows.copy": "web/test_flow_designer.py",
    "build_flows.copy_flow": "web/test_flow_designer.py",
    "build_boards.add": "web/test_builder.py",
    "build_boards.copy": "web/test_builder.py",
    "build_boards.delete": "web/test_builder.py",
    "build_boards.place": "web/test_builder.py",
    "build_boards.rename": "web/test_builder.py",
    "build_boards.set_options": "web/test_builder.py",
    "build_documents.attach": "web/test_printing.py",
    "build_documents.copy": "web/test_printing.py",
    "build_documents.delete": "web/test_printing.py",
    "build_documents.move": "web/test_printing.py",
    "build_documents.set_options": "web/test_printing.py",
    "build_documents.add": "web/test_printing.py",
    "build_documents.create": "web/test_printing.py",
    "build_flows.create": "web/test_flow_designer.py",
    "build_flows.delete": "web/test_flow_designer.py",
    "build_flows.move": "web/test_flow_designer.py",
    "build_flows.remove_flow": "web/test_flow_designer.py",
    "build_flows.set_options": "web/test_flow_designer.py",
    "build_flows.slot": "web/test_flow_designer.py",
    "build_flows.step": "web/test_flow_designer.py",
    "build_flows.trigger": "web/test_flow_designer.py",
    "build_navigation.add": "web/test_navigation.py",
    "build_navigation.move": "web/test_navigation.py",
    "build_navigation.remove": "web/test_navigation.py",
    "build_navigation.set_options": "web/test_navigation.py",
    "studio.another": "web/test_builder.py",
    "studio.remove": "web/test_builder.py",
    "studio.take_off": "web/test_builder.py",
    "operations.retry": "web/test_operations.py",
    "operations.change_job": "web/test_operations.py",
    "studio.change_together": "web/test_form_looks.py",
    "studio.set_cover": "web/test_form_looks.py",
    "build_views.add": "web/test_builder.py",
    "build_views.order": "web/test_builder.py",
    "build_types.cancel": "web/test_changing_types.py",
    "departments.change": "web/test_people_pages.py",
    "departments.merge": "web/test_people_pages.py",
    "departments.move": "web/test_people_pages.py",
    "departments.remove": "web/test_people_pages.py",
    "forms.keep_draft": "web/test_forms.py",
    "members.access": "web/test_members.py",
    "members.change": "web/test_members.py",
    "members.give_role": "web/test_people_pages.py",
    "members.set_avatar": "web/test_people_pages.py",
    "members_import.decide": "web/test_members.py",
    "ai.save": "web/test_ai.py",
    "ai.try_out": "web/test_ai.py",
    "ai.remove": "web/test_ai.py",
    "drafting.draft": "web/test_ai.py",
    "aggregates.add": "web/test_aggregates.py",
    "from_sheet.send": "web/test_from_sheet.py",
    "from_sheet.send_into": "web/test_from_sheet.py",
    "from_sheet.decide": "web/test_from_sheet.py",
    "from_sheet.decide_into": "web/test_from_sheet.py",
    "members_leaving.come_back": "web/test_people_pages.py",
    "members_leaving.erase": "web/test_people_pages.py",
    "members_leaving.leave": "web/test_people_pages.py",
    "links.change": "web/test_public_links.py",
    "links.make": "web/test_public_links.py",
    "robots.add": "web/test_robots.py",
    "secrets.add": "web/test_secrets.py",
    "secrets.renew": "web/test_secrets.py",
    "secrets.remove": "web/test_secrets.py",
    "robots.remove": "web/test_robots.py",
    "robots.try_out": "web/test_robots.py",
    "public.change_answer": "web/test_public_links.py",
    "public.live_answer": "web/test_public_links.py",
    "public.live_values": "web/test_public_links.py",
    "public.look_up": "web/test_public_links.py",
    "public.send": "web/test_public_links.py",
    "public.unlock": "web/test_public_links.py",
    "public.upload": "web/test_public_links.py",
    "notices.choose": "web/test_notices.py",
    "own_views.change": "web/test_own_views.py",
    "own_views.make": "web/test_own_views.py",
    "own_views.remove": "web/test_own_views.py",
    "records.press": "web/test_forms.py",
    "replies.decide": "web/test_tasks.py",
    "tasks.be_away": "web/test_tasks.py",
    "tasks.be_back": "web/test_tasks.py",
    "tasks.decide_many": "web/test_tasks.py",
    "tasks.do_hand_over": "web/test_tasks.py",
    "tasks.move": "web/test_tasks.py",
    "tasks.upload": "web/test_tasks.py",
    "session.change_password": "web/test_members.py",
    "tokens.make": "web/test_token_pages.py",
    "tokens.revoke": "web/test_token_pages.py",
    "webhooks.act": "web/test_token_pages.py",
    "webhooks.change": "web/test_token_pages.py",
    "webhooks.add": "web/test_token_pages.py",
    "webhooks.replay": "web/test_token_pages.py",
    "workspace_roles.change": "web/test_people_pages.py",
    "workspace_roles.remove": "web/test_people_pages.py",
}
"""Doors that ask for more than one body can hold at once, and the tests in which those who may get through them."""


@pytest.mark.parametrize("name", ["clerk", "outsider"])
def test_no_page_shows_what_its_reader_may_not_know(guarded: Guarded, sign_in: Any, name: str) -> None:
    walked = walk(guarded, sign_in(guarded.shop, name), guarded.forbidden)
    assert walked.found == {}
    assert walked.differing() == {}


ON_LOOKING = {
    "draft": "the app as it is being edited, begun when a designer opens it", "notice": "read when it is looked at",
    "public_link": "its visits are counted", "attempt": "what is counted", "audit": "an export is noted",
}  # fmt: skip
"""What somebody who only looks may leave behind."""


def test_what_is_only_asked_for_changes_nothing(guarded: Guarded, sign_in: Any) -> None:
    boss = sign_in(guarded.shop, "boss")
    before, asked = kept(guarded), set()
    for rule, _, address in addresses(guarded, "GET", {name: values[:1] for name, values in guarded.ids.items()}):
        if rule.endpoint not in asked:
            asked.add(rule.endpoint)
            boss.get(address).close()
            boss.client.head(address).close()
    after = kept(guarded)
    assert {table for table, _ in before ^ after} - set(ON_LOOKING) == set()
    assert len(asked) > 100


@pytest.mark.parametrize("name", ["clerk", "outsider"])
def test_no_request_changes_what_its_sender_may_not_touch(guarded: Guarded, sign_in: Any, name: str) -> None:
    person = sign_in(guarded.shop, name)
    before = kept(guarded)
    walked = knock(guarded, person, guarded.foreign_ids, sorted(guarded.forbidden), forbidden=guarded.forbidden)
    after = kept(guarded)
    assert walked.found == {}
    assert walked.differing() == {}
    assert sorted(row for row in before - after if row[0] != "preference" or own_id(guarded, name) not in row[1]) == []
    assert sorted(strange(guarded, name, after - before)) == []


def strange(guarded: Guarded, name: str, rows: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Rows that are new and not the sender's own. What became of a job names only the job, whose row names its sender."""
    own = own_id(guarded, name)
    return {row for row in rows if own not in row[1] and row[0] != "procrastinate_events"}


def own_id(guarded: Guarded, name: str) -> str:
    return str(getattr(guarded.shop, name).id)


def test_the_walk_knocks_in_earnest(guarded: Guarded, sign_in: Any) -> None:
    """By the same requests, those who may do these things get through every one of the doors."""
    manager, boss = (sign_in(guarded.shop, name) for name in ("manager", "boss"))
    aim = [str(guarded.foreign)]
    walks = [
        knock(
            guarded,
            boss,
            {**guarded.earnest_ids, "id": guarded.ids["id"][1:4]},
            aim,
            last=LAST,
            only=("tasks.do_ask", "tasks.change_run"),
        ),
        knock(guarded, manager, guarded.earnest_ids, aim, last=LAST),
        knock(guarded, boss, guarded.earnest_ids, aim, last=LAST),
    ]
    assert [walked.found["failed"] for walked in walks if "failed" in walked.found] == []
    unsafe = {rule.endpoint for method in UNSAFE for rule, _, _ in addresses(guarded, method)}
    passed = {endpoint for walked in walks for endpoint in walked.passed}
    assert sorted(unsafe - passed - set(ELSEWHERE)) == []
    assert set(ELSEWHERE) <= unsafe
    for file in ELSEWHERE.values():
        assert (TESTS / file).exists()


def test_who_may_only_design_an_app_is_shown_no_record_by_any_page_of_the_builder(
    guarded: Guarded, sign_in: Any
) -> None:
    """Definitions hold words too; what only records hold must not be among them."""
    shop = guarded.shop
    with shop.opened() as ctx:
        inst = definitions.installed(ctx, "shop")
        powers.give(ctx, shop.outsider.id, "app", inst.id, ["design", "publish"])
    designer = sign_in(shop, "outsider")
    held = (RECORD, TRASHED, COMMENT, COLUMN, FIGURE)
    seen = []
    for rule, _, address in addresses(guarded, "GET"):
        answer = designer.get(address)
        if answer.status_code < 400:
            seen.append(rule.endpoint)
            assert [word for word in held if word in told(answer)] == [], address
    assert {"build_apps.overview", "build_apps.review", "build_formulas.functions"} <= set(seen)
    assert not {"views.show", "app_people.show", "members_import.choose", "departments.index"} & set(seen)


def test_somebody_who_has_not_signed_in_is_only_asked_to(guarded: Guarded) -> None:
    client = guarded.app.test_client()
    before, seen = kept(guarded), set()
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        for rule, _, address in addresses(guarded, method):
            if rule.endpoint in SIGNED_OUT or (rule.endpoint, method) in seen:
                continue
            seen.add((rule.endpoint, method))
            with client.session_transaction() as session:
                session["csrf"] = "t"
            answer = client.open(address, method=method, data={"title": "Seized"}, headers={"X-CSRF-Token": "t"})
            assert answer.status_code in (302, 401), address
            if address.startswith("/api/"):
                assert "Bearer" in answer.headers["WWW-Authenticate"], address
                continue
            assert "sign-in" in answer.headers.get("Location", "") + answer.headers.get("HX-Redirect", ""), address
    assert kept(guarded) == before
