"""Stories of accounts: limits, the second step, lost passwords, new addresses, sessions, invitations, several workspaces."""

# ruff: noqa: F811

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from runtime import accounts, audit_trail, invitations, limits, models, passwords, people, second_factor, workspaces
from runtime.audit_trail import Asked
from runtime.models_accounts import ticket
from schemas.errors import Denied
from tests.web.accounts_world import PASSWORD, Post, Town, post, town  # noqa: F401


def secret_on(page: str) -> str:
    return re.search(r'id="totp-secret">([^<]+)<', page)[1].replace(" ", "")  # type: ignore[index]


def code_of(secret: str, ahead: int = 0) -> str:
    return second_factor.code_at(secret, int(datetime.now(UTC).timestamp()) // 30 + ahead)


def field(page: str, name: str) -> str:
    return re.search(rf'name="{name}" value="([^"]*)"', page)[1]  # type: ignore[index]


# -- the second step -------------------------------------------------------------------------------


@pytest.mark.parametrize(("at", "code"), [
    (59, "94287082"), (1111111109, "07081804"), (1111111111, "14050471"), (1234567890, "89005924"), (2000000000, "69279037"),
    (20000000000, "65353130"),
])  # fmt: skip
def test_codes_are_those_of_the_standard(at: int, code: str) -> None:
    """RFC 6238, appendix B."""
    assert second_factor.code_at("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", at // 30, digits=8) == code


def test_a_second_step_is_turned_on_asked_for_once_a_code_and_turned_off(town: Town) -> None:
    _, email = town.account("Ada", town.workspace())
    ada = town.signed_in(email)
    page = ada.post("/account/two-step", headers={"HX-Request": ""}).text
    secret, token = secret_on(page), field(page, "token")
    assert "wrong" in ada.post("/account/two-step/on", {"token": token, "code": "000000"}).text
    page = ada.post("/account/two-step/on", {"token": token, "code": code_of(secret)}).text
    codes = re.findall(r"\b[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}\b", page)
    assert len(codes) == 10

    def step(code: str) -> Any:
        browser = town.browser()
        asked = browser.post("/sign-in", {"email": email, "password": PASSWORD, "next": "/notices/"})
        assert asked.status_code == 200
        assert browser.get("/notices/").status_code == 302
        return browser.post(
            "/sign-in/second", {"ticket": field(asked.text, "ticket"), "code": code, "next": "/notices/"}
        )

    assert step(code_of(secret)).status_code == 422, "the code that turned it on was used"
    assert step(code_of(secret, 1)).headers["Location"] == "/notices/"
    assert step(code_of(secret, 1)).status_code == 422
    assert step(codes[3].upper()).status_code == 303
    assert step(codes[3]).status_code == 422
    assert "9 recovery codes" in ada.get("/account/security").text
    with town.engine.connect() as conn:
        kept = conn.scalar(select(models.account.c.totp).where(models.account.c.email == email))
    assert secret not in kept
    ada.post("/account/two-step/off")
    assert town.signed_in(email)


def test_nobody_guesses_codes_for_long(town: Town) -> None:
    id, email = town.account("Bob")
    with town.engine.begin() as conn:
        token, secret = second_factor.begin(conn, id)
        second_factor.turn_on(conn, id, token, code_of(secret))
    for _ in range(limits.MOST_CODES):
        with pytest.raises(Denied, match="wrong"), town.engine.begin() as conn:
            second_factor.check(conn, id, "123")
    with pytest.raises(Denied, match="Too many"), town.engine.begin() as conn:
        second_factor.check(conn, id, code_of(secret, 1))


def test_a_workspace_may_want_a_second_step_of_everybody(town: Town) -> None:
    place = town.workspace()
    _, boss_mail = town.account("Boss", place, admin=True)
    _, email = town.account("Ada", place)
    boss, ada = town.signed_in(boss_mail), town.signed_in(email)
    assert ada.get("/workspace/").status_code == 404
    assert boss.post("/workspace/", {"title": "Bank", "second_factor": "on"}).status_code == 303
    assert ada.get("/").headers["Location"] == "/account/security"
    page = ada.get("/account/security").text
    assert "Bank requires two-step sign-in" in page
    page = ada.post("/account/two-step").text
    ada.post("/account/two-step/on", {"token": field(page, "token"), "code": code_of(secret_on(page))})
    assert ada.get("/notices/").status_code == 200
    assert ada.post("/account/two-step/off").status_code == 403


# -- limits ----------------------------------------------------------------------------------------


def test_somebody_who_guesses_does_not_keep_the_owner_out(town: Town) -> None:
    _, email = town.account("Ada", town.workspace())
    ada = town.signed_in(email)
    ada.post("/sign-out")
    stranger = town.browser("192.0.2.1")
    for attempt in (email, email.upper(), f" {email} ", email.replace("a", "ａ", 1)) * 3:
        stranger.post("/sign-in", {"email": attempt, "password": "guess"})
    refused = stranger.post("/sign-in", {"email": email, "password": PASSWORD})
    assert refused.status_code == 422
    assert "Too many" in refused.text
    assert ada.post("/sign-in", {"email": email, "password": PASSWORD}).status_code == 303, (
        "a known browser still gets in"
    )


def test_many_tries_at_the_same_moment_are_all_counted(town: Town) -> None:
    key = f"account:racing-{datetime.now(UTC).timestamp()}"

    def attempt(_: int) -> bool:
        try:
            limits.count(town.engine, key, 5)
        except Denied:
            return False
        return True

    with ThreadPoolExecutor(12) as pool:
        assert sum(pool.map(attempt, range(24))) == 5


@pytest.mark.parametrize(("address", "network"), [
    ("192.0.2.7", "192.0.2.7"), ("2001:db8:1:2:3::9", "2001:db8:1:2::/64"), ("::ffff:192.0.2.7", "192.0.2.7"), ("unix", "unix"),
])  # fmt: skip
def test_a_household_counts_as_one(address: str, network: str) -> None:
    assert limits.network(address) == network


def test_a_flood_is_one_line_in_the_trail(town: Town) -> None:
    place = town.workspace()
    _, email = town.account("Ada", place)
    stranger = town.browser("192.0.2.2")
    for _ in range(limits.MOST_ATTEMPTS + 5):
        stranger.post("/sign-in", {"email": email, "password": "guess"})
    with workspaces.opened(town.engine, place) as ctx:
        kinds = [event.kind for event in audit_trail.listed(ctx, Asked())]
    assert (kinds.count("sign_in.failed"), kinds.count("sign_in.limited")) == (limits.MOST_ATTEMPTS, 1)


# -- passwords -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("password", "told"), [
    ("short", "at least 8"), ("password1", "among the first"), ("12345678", "among the first"), ("aaaaaaaaaa", "among the first"),
    ("ada@example.com", "too close"), ("Lovelace1", "too close"), ("x" * 201, "at least"), ("correct horse battery", ""),
    ("榫卯不用一颗钉子", ""), ("four words make one", ""),
])  # fmt: skip
def test_a_password_must_not_be_the_first_that_is_tried(password: str, told: str) -> None:
    problem = str(passwords.problem(password, "Ada Lovelace", "ada@example.com") or "")
    assert told in problem if told else problem == ""


def test_passwords_that_begin_alike_are_different_and_endless_ones_are_refused_at_once(town: Town) -> None:
    _, email = town.account("Ada")
    long = "s" * 73 + "tart and then something else"
    with town.engine.begin() as conn:
        accounts.set_password(conn, accounts.find_account(conn, email), long)  # type: ignore[arg-type]
    assert town.browser().post("/sign-in", {"email": email, "password": long[:80]}).status_code == 422
    assert town.browser().post("/sign-in", {"email": email, "password": long + "x" * 1_000_000}).status_code == 422
    assert town.browser().post("/sign-in", {"email": email, "password": long}).status_code == 303


def test_a_hash_of_less_work_is_made_anew_at_the_next_sign_in(town: Town) -> None:
    from argon2 import PasswordHasher

    id, email = town.account("Ada")
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    with town.engine.begin() as conn:
        conn.execute(update(models.account).where(models.account.c.id == id).values(password=weak))
    town.signed_in(email)
    with town.engine.connect() as conn:
        kept = conn.scalar(select(models.account.c.password).where(models.account.c.id == id))
    assert kept != weak
    assert not passwords.outdated(kept)


def test_a_lost_password_is_set_anew_once_by_a_mail_and_ends_every_session(town: Town, post: Post) -> None:
    _, email = town.account("Ada", town.workspace())
    elsewhere, browser = town.signed_in(email), town.browser("192.0.2.3")
    answers = {
        re.sub(r"[0-9a-f]{32,}\.[0-9a-f]{32,}", "", browser.post("/forgot", {"email": asked}).text.replace(asked, "…"))
        for asked in (email, "nobody@example.com")
    }
    assert len(answers) == 1
    forged = {"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    browser.post("/forgot", {"email": email.upper()}, headers=forged)
    mails = post.delivered()
    assert {m["To"] for m in mails} == {email}
    assert "evil" not in str(mails[-1])
    first, link = [re.search(r"(/reset/\S+)", m.get_body(("plain",)).get_content())[1] for m in mails]  # type: ignore[union-attr, index]
    assert browser.get(first).status_code == 410, "only the newest is good"
    page = browser.get(link)
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert "at least 8" in browser.post(link, {"new": "short"}).text
    assert browser.post(link, {"new": "a better horse"}).status_code == 303
    assert browser.post(link, {"new": "another horse yet"}).status_code == 410
    assert elsewhere.get("/notices/").status_code == 302
    assert town.browser().post("/sign-in", {"email": email, "password": PASSWORD}).status_code == 422
    town.signed_in(email, "a better horse")


def test_of_many_who_use_a_link_at_once_one_succeeds(town: Town, post: Post) -> None:
    _, email = town.account("Ada")
    town.browser("192.0.2.4").post("/forgot", {"email": email})
    link = post.link(email)

    def attempt(n: int) -> int:
        return town.browser().post(link, {"new": f"a horse of number {n}"}).status_code  # type: ignore[no-any-return]

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(attempt, range(4))) == [303, 410, 410, 410]


@pytest.mark.parametrize("token", ["", "x", "null", "%00", "a" * 5_000, "../sign-in"])
def test_a_made_up_link_is_no_longer_good(town: Town, token: str) -> None:
    for door in ("reset", "email", "invite", "welcome"):
        assert town.browser().get(f"/{door}/{token}").status_code in (404, 410, 308, 302)
        assert town.browser().post(f"/{door}/{token}", {"new": PASSWORD}).status_code in (400, 401, 404, 405, 410)


def test_nobody_is_flooded_with_mail(town: Town, post: Post) -> None:
    _, email = town.account("Ada")
    browser = town.browser("192.0.2.5")
    answers = [browser.post("/forgot", {"email": email}).status_code for _ in range(limits.MOST_MAILS + 2)]
    assert answers == [200] * limits.MOST_MAILS + [422, 422]
    assert len(post.delivered()) == limits.MOST_MAILS


def test_another_address_counts_when_its_mail_was_followed_and_the_old_one_is_told(town: Town, post: Post) -> None:
    place = town.workspace()
    id, email = town.account("Ada", place)
    _, taken = town.account("Bob")
    ada, new = town.signed_in(email), f"new-{email}"
    ada.post("/account/email", {"email": taken})
    [mail] = post.delivered()
    assert mail["To"] == taken
    assert "/email/" not in str(mail)
    ada.post("/account/email", {"email": new})
    link = post.link(new)
    with town.engine.connect() as conn:
        assert accounts.find_account(conn, email) == id
    assert town.browser().post(link).status_code == 303
    assert {m["To"] for m in post.delivered()} == {email}
    town.signed_in(new)
    with workspaces.opened(town.engine, place) as ctx:
        assert ctx.conn.scalar(select(models.member.c.email).where(models.member.c.account_id == id)) == new
        assert "account.email_changed" in [event.kind for event in audit_trail.listed(ctx, Asked())]


# -- it is me --------------------------------------------------------------------------------------


def test_what_is_dangerous_asks_once_more_who_it_is(town: Town) -> None:
    id, email = town.account("Ada", town.workspace())
    ada = town.signed_in(email)
    long_ago = datetime.now(UTC) - accounts.CONFIRMED_LASTS - timedelta(seconds=1)
    with town.engine.begin() as conn:
        conn.execute(update(models.session).where(models.session.c.account_id == id).values(confirmed_at=long_ago))
    asked = ada.post("/account/two-step", headers={"Referer": "http://localhost/account/security"})
    assert asked.headers["HX-Redirect"] == "/account/confirm?next=%2Faccount%2Fsecurity"
    assert "not your password" in ada.post("/account/confirm", {"password": "guess"}).text
    back = ada.post("/account/confirm", {"password": PASSWORD, "next": "/account/security"})
    assert back.headers["HX-Redirect"] == "/account/security"
    assert "totp-secret" in ada.post("/account/two-step").text


# -- sessions --------------------------------------------------------------------------------------


def test_sessions_are_listed_with_their_browsers_and_ended_one_by_one_or_all(town: Town) -> None:
    _, email = town.account("Ada", town.workspace())
    phone = town.browser("192.0.2.8")
    phone.client.environ_base["HTTP_USER_AGENT"] = "Mozilla/5.0 (iPhone) Version/18.0 Mobile Safari/604.1"
    phone.post("/sign-in", {"email": email, "password": PASSWORD})
    others = [town.signed_in(email) for _ in range(2)]
    ada = town.signed_in(email)
    page = ada.get("/account/sessions").text
    assert "Safari · iPhone" in page
    assert "192.0.2.8" in page
    assert page.count('name="session"') == 3
    line = next(part for part in page.split("<li>") if "iPhone" in part)
    ada.post("/account/sessions/end", {"session": field(line, "session")})
    assert phone.get("/notices/").status_code == 302
    _, foreign = town.account("Bob", town.workspace())
    assert town.signed_in(foreign).post("/account/sessions/end", {"session": field(page, "session")}).status_code == 404
    assert others[0].get("/notices/").status_code == 200
    ada.post("/account/sessions/end")
    assert [other.get("/notices/").status_code for other in others] == [302, 302]
    assert ada.get("/notices/").status_code == 200


def test_signing_in_opens_a_new_session_and_ends_the_one_before(town: Town) -> None:
    _, email = town.account("Ada", town.workspace())
    ada = town.browser()
    ada.client.set_cookie("mortise_session", "chosen-by-somebody-else")
    ada.post("/sign-in", {"email": email, "password": PASSWORD})
    first = ada.client.get_cookie("mortise_session").value  # type: ignore[union-attr]
    assert first != "chosen-by-somebody-else"
    ada.post("/sign-in", {"email": email, "password": PASSWORD})
    thief = town.browser()
    thief.client.set_cookie("mortise_session", first)
    assert thief.get("/notices/").status_code == 302


def test_a_session_ends_after_its_last_use_and_at_the_latest_after_ninety_days(town: Town) -> None:
    id, email = town.account("Ada", town.workspace())
    ada, s = town.signed_in(email), models.session
    now = datetime.now(UTC)
    old = {
        "created_at": now - timedelta(days=89),
        "seen_at": now - timedelta(days=1),
        "ends_at": now + timedelta(days=1),
    }
    with town.engine.begin() as conn:
        conn.execute(update(s).where(s.c.account_id == id).values(**old))
    assert ada.get("/notices/").status_code == 200
    with town.engine.begin() as conn:
        assert conn.scalar(select(s.c.ends_at).where(s.c.account_id == id)) < now + timedelta(days=1, minutes=1)
        conn.execute(update(s).where(s.c.account_id == id).values(ends_at=now))
    assert ada.get("/notices/").status_code == 302


def test_over_tls_the_cookie_belongs_to_this_host_alone(town: Town) -> None:
    _, email = town.account("Ada", town.workspace())
    ada = town.browser()
    ada.client.environ_base["wsgi.url_scheme"] = "https"
    with ada.client.session_transaction(base_url="https://localhost") as session:
        session["csrf"] = "t"
    form = {"email": email, "password": PASSWORD}
    answer = ada.client.post("/sign-in", data=form, headers={"X-CSRF-Token": "t"}, base_url="https://localhost")
    [cookie] = [c for c in answer.headers.getlist("Set-Cookie") if c.startswith("__Host-mortise_session=")]
    assert all(part in cookie for part in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"))
    assert "Domain" not in cookie


def test_signing_out_leaves_nothing_in_the_browser(town: Town) -> None:
    _, email = town.account("Ada", town.workspace())
    ada = town.signed_in(email)
    gone = ada.post("/sign-out")
    assert gone.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert ada.client.get_cookie("mortise_session") is None


def test_a_closed_account_is_out_at_the_next_request(town: Town) -> None:
    id, email = town.account("Ada", town.workspace())
    ada = town.signed_in(email)
    with town.engine.begin() as conn:
        conn.execute(update(models.account).where(models.account.c.id == id).values(disabled_at=datetime.now(UTC)))
    assert ada.get("/notices/").status_code == 302
    assert town.browser().post("/sign-in", {"email": email, "password": PASSWORD}).status_code == 422


# -- my account ------------------------------------------------------------------------------------


def test_people_say_their_name_phone_language_and_zone_and_nothing_that_gives_rights(town: Town) -> None:
    place = town.workspace()
    id, email = town.account("Ada", place)
    ada = town.signed_in(email)
    sent = {
        "name": "Ada L.",
        "phone": "13800138000",
        "language": "zh",
        "zone": "Europe/Berlin",
        "title": "Director",
        "admin": "on",
    }
    assert ada.post("/account/", sent).status_code == 303
    with workspaces.opened(town.engine, place) as ctx:
        member = ctx.conn.execute(select(models.member).where(models.member.c.account_id == id)).one()
    assert (member.name, member.phone, member.title, member.admin) == ("Ada L.", "13800138000", None, False)
    with town.engine.connect() as conn:
        own = accounts.account(conn, id)
    assert (own.name, own.language, own.zone) == ("Ada L.", "zh", "Europe/Berlin")
    assert ada.post("/account/", {**sent, "name": " "}).status_code == 422


# -- invitations and several workspaces --------------------------------------------------------------


def test_somebody_invited_by_mail_joins_with_a_new_account_department_and_nothing_more(town: Town, post: Post) -> None:
    place = town.workspace("Acme")
    _, boss_mail = town.account("Boss", place, admin=True)
    boss = town.signed_in(boss_mail)
    with workspaces.opened(town.engine, place) as ctx:
        sales = people.add_department(ctx, "Sales")
    assert "no e-mail address" in boss.post("/members/invitations/", {"emails": "ada@x, b"}).text
    email = f"grace{next(iter(boss_mail.split('-')[1:]))}"
    asked = {"emails": email.upper(), "department": str(sales), "lasts": "7"}
    assert boss.post("/members/invitations/", asked).status_code == 303
    link = post.link(email)
    grace = town.browser()
    assert "Join Acme" in grace.get(link).text
    assert grace.post(link, {"name": "Grace", "password": "short"}).status_code == 422
    sent = {"name": "Grace", "password": "a ship's compiler", "email": boss_mail, "admin": "on", "role": "admin"}
    assert grace.post(link, sent).status_code == 303
    assert grace.get("/notices/").status_code == 200
    assert town.browser().get(link).status_code == 410
    with workspaces.opened(town.engine, place) as ctx:
        member = ctx.conn.execute(select(models.member).where(models.member.c.name == "Grace")).one()
        assert "member.joined" in [event.kind for event in audit_trail.listed(ctx, Asked())]
    assert (member.email, member.admin, member.department_id) == (email, False, sales)


def test_a_link_is_passed_on_as_often_as_was_said_and_may_be_withdrawn(town: Town, post: Post) -> None:
    home, place = town.workspace("Home"), town.workspace("Acme")
    _, boss_mail = town.account("Boss", place, admin=True)
    boss = town.signed_in(boss_mail)
    assert town.signed_in(town.account("Eve", place)[1]).post("/members/invitations/", {}).status_code == 404
    page = boss.post("/members/invitations/", {"uses": "2", "lasts": "1"}).text
    link = re.search(r"(/invite/[\w-]+)<", page)[1]  # type: ignore[index]
    assert link not in boss.get("/members/invitations/").text, "it is shown once"
    ada = town.signed_in(town.account("Ada", home)[1])
    assert ada.post(link).headers["HX-Redirect"] == "/"
    assert ada.post(link).headers["HX-Redirect"] == "/", "twice is once"
    stranger, email = town.browser(), f"new-{boss_mail}"
    assert stranger.post(link, {"email": email}).status_code == 200
    welcome = post.link(email)
    assert stranger.post(welcome, {"name": "Nell", "password": "a lighthouse keeper"}).status_code == 303
    assert "Acme" in stranger.get("/account/workspaces").text
    assert town.browser().get(link).status_code == 410, "used up"
    page = boss.post("/members/invitations/", {"uses": "", "lasts": "1"}).text
    link = re.search(r"(/invite/[\w-]+)<", page)[1]  # type: ignore[index]
    withdraw = re.search(r'action="(/members/invitations/[\w-]+/withdraw)"', page)[1]  # type: ignore[index]
    assert boss.post(withdraw).status_code == 303
    assert town.browser().get(link).status_code == 410


def test_an_invitation_too_old_is_no_longer_good(town: Town) -> None:
    place = town.workspace()
    with workspaces.opened(town.engine, place, now=datetime.now(UTC) - timedelta(days=2)) as ctx:
        [token] = invitations.invite(ctx, {"lasts": "1"}, [])
    assert town.browser().get(f"/invite/{token}").status_code == 410


def test_who_belongs_to_two_workspaces_switches_and_is_told_of_links_into_the_other(town: Town) -> None:
    home, work = town.workspace("Home"), town.workspace("Work")
    id, email = town.account("Ada", home, work)
    ada = town.signed_in(email)
    ada.post("/workspaces/switch", {"workspace": str(home.id)})
    page = ada.get("/").text
    assert 'class="menu switcher"' in page
    stale = re.search(r'name="csrf-token" content="([^"]+)"', page)[1]  # type: ignore[index]
    assert "Work" in ada.get("/workspaces/menu").text
    told = ada.get(f"/notices/?w={work.slug}")
    assert told.status_code == 409
    assert "another workspace" in told.text
    assert "Go on in Work" in told.text
    missing = ada.get("/a/nothing/")
    assert missing.status_code == 404
    assert "There is nothing here in Home" in missing.text
    switched = ada.post("/workspaces/switch", {"workspace": str(work.id), "next": f"/notices/?w={work.slug}"})
    assert switched.headers["HX-Redirect"] == f"/notices/?w={work.slug}"
    assert ada.get(f"/notices/?w={work.slug}").status_code == 200
    late = ada.client.post("/notices/read", headers={"X-CSRF-Token": stale})
    assert late.status_code == 409
    assert "another workspace" in late.text
    fragment = ada.get("/notices/", headers={"HX-Request": "true", "X-Workspace": home.slug})
    assert fragment.headers["HX-Refresh"] == "true"
    assert ada.post("/workspaces/switch", {"workspace": str(town.workspace().id)}).status_code == 404
    again = town.signed_in(email)
    assert 'content="' + work.slug in again.get("/").text, "one goes on where one was last"


def test_leaving_a_workspace_closes_it_and_the_last_administrator_stays(town: Town) -> None:
    home, work = town.workspace("Home"), town.workspace("Work")
    id, email = town.account("Ada", home, work)
    ada = town.signed_in(email)
    ada.post("/workspaces/switch", {"workspace": str(work.id)})
    assert ada.post("/account/workspaces/leave", {"workspace": str(work.id)}).status_code == 303
    assert 'content="' + home.slug in ada.get("/").text
    with workspaces.opened(town.engine, work) as ctx:
        assert (
            ctx.conn.scalar(select(func.count()).select_from(models.member).where(models.member.c.left_at.is_(None)))
            == 0
        )
    ada.post("/account/workspaces/leave", {"workspace": str(home.id)})
    assert ada.get("/").headers["Location"] == "/account/workspaces"
    assert "You belong to no workspace" in ada.get("/account/workspaces").text
    _, boss_mail = town.account("Boss", home, admin=True)
    refused = town.signed_in(boss_mail).post("/account/workspaces/leave", {"workspace": str(home.id)})
    assert refused.status_code == 422
    assert "Somebody must administer" in refused.text


def test_a_workspace_of_ones_own_is_made_where_that_is_open(town: Town, post: Post, monkeypatch: Any) -> None:
    browser, email = town.browser(), f"founder-{datetime.now(UTC).timestamp()}@example.com"
    assert browser.get("/sign-up").status_code == 410
    assert browser.post("/sign-up", {"email": email}).status_code == 410
    monkeypatch.setenv("MORTISE_SIGN_UP", "open")
    assert "A workspace of your own" in browser.get("/sign-in").text
    assert browser.post("/sign-up", {"email": email}).status_code == 200
    link = post.link(email)
    assert browser.post(link, {"name": "Fay", "title": "", "password": "a founding horse"}).status_code == 422
    assert browser.post(link, {"name": "Fay", "title": "Fay & Co", "password": "a founding horse"}).status_code == 303
    assert browser.get("/members/").status_code == 200
    assert browser.get(link).status_code == 410
    assert browser.post("/account/workspaces/new", {"title": "Second"}).headers["HX-Redirect"] == "/"
    assert "Second" in browser.get("/account/workspaces").text


def test_tickets_are_kept_as_hashes_only(town: Town, post: Post) -> None:
    _, email = town.account("Ada")
    town.browser("192.0.2.6").post("/forgot", {"email": email})
    token = post.link(email).rpartition("/")[2]
    with town.engine.connect() as conn:
        rows = conn.execute(select(ticket)).all()
        trail = conn.execute(select(models.models_audit.control_audit)).all()
    assert token not in str(rows) + str(trail)
