"""Signing in: the right password, the wrong one, and too many of them."""

import pytest

from runtime import accounts, limits


@pytest.fixture
def account(prepared):
    email = f"ada-{id(prepared)}@example.com"
    with prepared.begin() as conn:
        if accounts.find_account(conn, email) is None:
            accounts.add_account(conn, email, "Ada", "correct horse")
    return email


def post(client, **data):
    with client.session_transaction() as session:
        session["csrf"] = "t"
    return client.post("/sign-in", data=data, headers={"X-CSRF-Token": "t"})


def test_a_whole_office_signs_in_from_one_address(app, account, monkeypatch):
    monkeypatch.setattr(limits, "MOST_ATTEMPTS", 1)
    for _ in range(12):
        client = app.test_client()
        client.environ_base["REMOTE_ADDR"] = "127.0.0.9"
        assert post(client, email=account, password="correct horse").status_code == 303


def test_wrong_passwords_are_counted_and_in_the_end_even_the_right_one_waits(app, account):
    client = app.test_client()
    for _ in range(limits.MOST_ATTEMPTS):
        refused = post(client, email=account, password="wrong")
        assert refused.status_code == 422
        assert "wrong." in refused.text or "不正确" in refused.text
    late = post(client, email=account, password="correct horse")
    assert late.status_code == 422
    assert "COOKIE" not in late.headers.get("Set-Cookie", "")


def test_nobody_is_told_whether_an_account_exists(app, account):
    client = app.test_client()
    texts = {
        post(client, email=e, password="no").text.replace(e, "") for e in ("nobody@example.com", "nobody2@example.com")
    }
    assert len({t[:200] for t in texts}) == 1


@pytest.mark.parametrize("target", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
def test_signing_in_leads_only_to_our_own_pages(app, shop, sign_in, target):
    person = sign_in(shop, "clerk")
    answer = person.post("/language", {"language": "en", "next": target})
    assert answer.headers["Location"] == "/"
