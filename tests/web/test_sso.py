"""Signing in at a provider of OpenID Connect that really runs here: the way there and back, and every way to cheat on it."""

# ruff: noqa: F811

import base64
import hashlib
import json
import re
import secrets
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask, jsonify, redirect, request
from joserfc import jwt
from joserfc.jwk import RSAKey
from sqlalchemy import select
from werkzeug.serving import make_server

from runtime import accounts, models, people, sso, workspaces
from runtime.models_accounts import sso_identity
from tests.web.accounts_world import Town, town  # noqa: F401

CLIENT, SECRET = "mortise-here", "a secret of the provider"


class Provider:
    """A provider: it lets in whoever `person` says, and signs what it says of them."""

    def __init__(self) -> None:
        self.key, self.strange = (RSAKey.generate_key(2048, {"kid": kid}, private=True) for kid in ("good", "good"))
        self.person: dict[str, Any] = {}
        self.changed: dict[str, Any] = {}
        self.algorithm, self.signer = "RS256", self.key
        self.codes: dict[str, dict[str, str]] = {}
        self.asked: dict[str, str] = {}
        self.server = make_server("127.0.0.1", 0, self.app(), threaded=True)
        self.issuer = f"http://127.0.0.1:{self.server.port}"

    def app(self) -> Flask:
        app = Flask("provider")

        @app.get("/.well-known/openid-configuration")
        def about() -> Any:
            places = {name: f"{self.issuer}/{path}" for name, path in (
                ("authorization_endpoint", "authorize"), ("token_endpoint", "token"), ("jwks_uri", "keys"))}  # fmt: skip
            return jsonify({"issuer": self.issuer, **places})

        @app.get("/keys")
        def keys() -> Any:
            return jsonify({"keys": [self.key.as_dict(private=False)]})

        @app.get("/authorize")
        def authorize() -> Any:
            self.asked = request.args.to_dict()
            code = secrets.token_urlsafe()
            self.codes[code] = self.asked
            return redirect(f"{self.asked['redirect_uri']}?code={code}&state={self.asked['state']}")

        @app.post("/token")
        def token() -> Any:
            asked = self.codes.pop(request.form["code"], None)
            verifier = hashlib.sha256(request.form["code_verifier"].encode()).digest()
            known = request.authorization and (request.authorization.username, request.authorization.password)
            if (
                asked is None
                or known != (CLIENT, SECRET.replace(" ", "%20"))
                or asked["redirect_uri"] != request.form["redirect_uri"]
            ):
                return jsonify({"error": "invalid_grant"}), 400
            if base64.urlsafe_b64encode(verifier).rstrip(b"=").decode() != asked["code_challenge"]:
                return jsonify({"error": "invalid_grant"}), 400
            return jsonify({"access_token": "a", "token_type": "Bearer", "id_token": self.signed(asked["nonce"])})

        return app

    def signed(self, nonce: str) -> str:
        now = int(time.time())
        claims = {
            "iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": nonce, "auth_time": now, **self.person,
            **self.changed,
        }  # fmt: skip
        if self.algorithm == "none":
            parts = [json.dumps(part).encode() for part in ({"alg": "none", "typ": "JWT"}, claims)]
            return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts) + "."
        return str(jwt.encode({"alg": self.algorithm, "kid": "good"}, claims, self.signer, algorithms=[self.algorithm]))


@pytest.fixture(scope="module")
def running() -> Iterator[Provider]:
    made = Provider()
    thread = threading.Thread(target=made.server.serve_forever)
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


@pytest.fixture
def provider(running: Provider, monkeypatch: pytest.MonkeyPatch) -> Provider:
    running.changed, running.algorithm, running.signer = {}, "RS256", running.key
    port = running.server.port
    for name, value in (
        ("MORTISE_OUTGOING_ALLOW", f"127.0.0.1:{port}"), ("MORTISE_SSO_ISSUER", running.issuer), ("MORTISE_SSO_CLIENT", CLIENT),
        ("MORTISE_SSO_SECRET", SECRET), ("MORTISE_SSO_TITLE", "Company login"),
    ):  # fmt: skip
        monkeypatch.setenv(name, value)
    sso._about.clear()
    return running


def somebody(address: str, subject: str = "", **more: Any) -> dict[str, Any]:
    return {"sub": subject or f"sub-{address}", "email": address, "email_verified": True, "name": "Ada", **more}


def sent_back(browser: Any, begin: str = "/sso/begin?team=server&next=/notices/") -> str:
    """The address at which the provider sends the browser back to us."""

    away = browser.get(begin).headers["Location"]

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: Any) -> None:
            return None

    try:
        urllib.request.build_opener(Stay).open(away)
    except urllib.error.HTTPError as err:
        back = urlsplit(err.headers["Location"])
        err.close()
        return f"{back.path}?{back.query}"
    raise AssertionError("the provider did not send the browser back")


def through(browser: Any, begin: str = "/sso/begin?team=server&next=/notices/") -> Any:
    return browser.get(sent_back(browser, begin))


def test_somebody_signs_in_at_the_provider_and_is_the_same_at_the_next_time(town: Town, provider: Provider) -> None:
    id, email = town.account("Ada", town.workspace())
    provider.person = somebody(email.upper(), "subject-1")
    browser = town.browser()
    assert "Company login" in browser.get("/sign-in").text
    assert through(browser).headers["Location"] == "/notices/"
    asked = provider.asked
    assert asked["scope"] == "openid email profile"
    assert (asked["code_challenge_method"], len(asked["code_challenge"])) == ("S256", 43)
    assert browser.get("/notices/").status_code == 200
    provider.person = somebody("someone-else@example.com", "subject-1", email_verified=False)
    again = town.browser()
    assert through(again).status_code == 303
    assert email in again.get("/account/").text, "it is the subject that counts, not the address"
    with town.engine.connect() as conn:
        assert conn.scalar(select(sso_identity.c.account_id).where(sso_identity.c.subject == "subject-1")) == id


def test_an_address_that_is_not_verified_opens_no_account(town: Town, provider: Provider) -> None:
    _, email = town.account("Boss", town.workspace(), admin=True)
    for claim in ({"email_verified": False}, {"email_verified": "true"}, {"email": ""}):
        provider.person = somebody(email, f"thief-{claim}", **claim)
        browser = town.browser()
        assert "has not verified" in through(browser).text
        assert browser.get("/notices/").status_code == 302


@pytest.mark.parametrize("claims", [
    {"nonce": "another"}, {"aud": "another"}, {"aud": [CLIENT, "another"], "azp": "another"}, {"iss": "https://evil.example"},
    {"exp": 1}, {"iat": 9_999_999_999}, {"sub": None},
], ids=str)  # fmt: skip
def test_a_token_that_is_not_for_us_now_is_refused(town: Town, provider: Provider, claims: dict[str, Any]) -> None:
    provider.person, provider.changed = somebody(f"new-{secrets.token_hex(4)}@example.com"), claims
    browser = town.browser()
    answer = through(browser)
    assert answer.status_code == 422, claims
    assert browser.get("/notices/").status_code == 302


@pytest.mark.parametrize("trick", ["none", "another key"])
def test_a_token_that_the_provider_has_not_signed_is_refused(town: Town, provider: Provider, trick: str) -> None:
    provider.person = somebody("new@example.com")
    if trick == "none":
        provider.algorithm = "none"
    else:
        provider.signer = provider.strange
    assert through(town.browser()).status_code == 422


def test_an_answer_counts_once_and_only_where_it_was_asked_for(town: Town, provider: Provider) -> None:
    _, email = town.account("Ada", town.workspace())
    provider.person = somebody(email)
    ada, victim = town.browser(), town.browser()
    back = sent_back(ada)
    assert victim.get(back).status_code == 422, "another browser did not ask"
    assert ada.get(re.sub("state=[^&]+", "state=guessed", back)).status_code == 422
    assert ada.get(back).status_code == 422, "a wrong state ends it"
    back = sent_back(ada)
    assert ada.get(back).status_code == 303
    assert ada.get(back).status_code == 422
    assert ada.get("/sso/back?error=access_denied").status_code == 422
    elsewhere = sent_back(town.browser(), "/sso/begin?team=server&next=//evil.example")
    assert "evil" not in elsewhere


def test_a_provider_that_is_down_or_says_another_name_is_told_of(
    town: Town, provider: Provider, monkeypatch: Any
) -> None:
    monkeypatch.setenv("MORTISE_SSO_ISSUER", f"{provider.issuer}/realm")
    assert "cannot be reached" in town.browser().get("/sso/begin?team=server").text
    monkeypatch.setenv("MORTISE_OUTGOING_ALLOW", "")
    monkeypatch.setenv("MORTISE_SSO_ISSUER", provider.issuer)
    sso._about.clear()
    assert "cannot be reached" in town.browser().get("/sso/begin?team=server").text, "inside only what is allowed"
    assert "No workspace of that name" in town.browser().get("/sso/begin?team=nowhere").text


def test_a_workspace_has_a_provider_of_its_own_which_opens_only_what_is_its_own(
    town: Town, provider: Provider, monkeypatch: Any
) -> None:
    monkeypatch.setenv("MORTISE_SSO_ISSUER", "")
    home, place = town.workspace("Home"), town.workspace("Acme")
    domain = f"{secrets.token_hex(4)}.example"
    _, boss_mail = town.account("Boss", place, admin=True)
    boss = town.signed_in(boss_mail)
    form = {
        "title": "Acme login",
        "issuer": provider.issuer,
        "client": CLIENT,
        "secret": SECRET,
        "domains": f"@{domain}",
    }
    assert boss.post("/workspace/sso", {**form, "issuer": "http://10.0.0.1"}).status_code == 422
    assert boss.post("/workspace/sso", form).status_code == 303
    assert SECRET not in boss.get("/workspace/").text
    begin = f"/sso/begin?team={place.slug}&next=/notices/"
    provider.person = somebody(f"nell@{domain}")
    nell = town.browser()
    assert through(nell, begin).status_code == 303
    assert "Acme" in nell.get("/account/workspaces").text
    provider.person = somebody("stranger@elsewhere.example")
    assert "Ask for an invitation" in through(town.browser(), begin).text
    id, email = town.account("Ceo", home)
    provider.person = somebody(email)
    assert "Sign in with your password" in through(town.browser(), begin).text, (
        "it may not say who somebody else's account is"
    )
    ceo = town.signed_in(email)
    assert through(ceo, f"/sso/begin?for=link&team={place.slug}").headers["Location"] == "/account/security"
    assert through(town.browser(), begin).status_code == 303
    assert ceo.post("/account/unlink", {"issuer": provider.issuer}).status_code == 303
    assert "Sign in with your password" in through(town.browser(), begin).text
    assert boss.post("/workspace/sso", {"issuer": ""}).status_code == 303
    assert "No workspace of that name" in nell.get("/sso/begin?team=nothing").text or nell.get(begin).status_code == 302


def test_who_has_no_password_proves_who_they_are_at_the_provider(town: Town, provider: Provider) -> None:
    place = town.workspace()
    email = f"sso-{secrets.token_hex(4)}@example.com"
    provider.person = somebody(email)
    ada = town.browser()
    assert through(ada).status_code == 303
    with town.engine.begin() as conn:
        id = accounts.find_account(conn, email)
        assert not accounts.account(conn, id).has_password  # type: ignore[arg-type]
        conn.execute(models.session.update().where(models.session.c.account_id == id).values(confirmed_at=None))
    with workspaces.opened(town.engine, place) as ctx:
        accounts.join(ctx.conn, id, place.id)  # type: ignore[arg-type]
        people.add_member(ctx, "Ada", account_id=id)
    assert "/account/confirm" in ada.post("/account/two-step").headers["HX-Redirect"]
    assert "Company login" in ada.get("/account/confirm").text
    assert ada.post("/account/confirm", {"password": ""}).status_code == 422
    begin = "/sso/begin?for=confirm&team=server&next=/account/security"
    provider.changed = {"auth_time": int(time.time()) - 3600}
    assert through(ada, begin).status_code == 422, "signed in there an hour ago proves nothing now"
    provider.changed = {}
    assert through(ada, begin).headers["Location"] == "/account/security"
    assert provider.asked["prompt"] == "login"
    assert "totp-secret" in ada.post("/account/two-step").text
    assert "no longer sign in" in ada.post("/account/unlink", {"issuer": provider.issuer}).text


def test_the_provider_is_asked_for_what_it_must_know_and_no_more(town: Town, provider: Provider) -> None:
    away = town.browser().get("/sso/begin?team=server").headers["Location"]
    asked = parse_qs(urlsplit(away).query)
    assert set(asked) == {
        "response_type", "client_id", "redirect_uri", "scope", "state", "nonce", "code_challenge", "code_challenge_method",
    }  # fmt: skip
    assert SECRET not in away
