"""What holds of every door alike, read from the application's own map of routes; and of the database behind them all."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine, text, update
from sqlalchemy.exc import OperationalError
from werkzeug.routing import Rule

from runtime import definitions, health, models, workspaces
from runtime.retry import was_given_up
from runtime.settings import Settings
from tests.runtime.conftest import Shop
from tests.web.conftest import Person

UNSAFE = ("POST", "PUT", "PATCH", "DELETE")


@pytest.fixture(scope="module")
def shop(make_shop: Any) -> Shop:
    return make_shop()  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def boss(shop: Shop, sign_in: Any) -> Person:
    return sign_in(shop, "boss")  # type: ignore[no-any-return]


def unsafe(app: Flask) -> Iterator[tuple[Rule, str, str]]:
    """Every rule that changes something, with each of its methods and an address."""
    for rule in app.url_map.iter_rules():
        for method in sorted({*UNSAFE} & (rule.methods or set())):
            address = rule.build({name: _any(rule, name) for name in rule.arguments})
            assert address is not None
            yield rule, method, address[1]


def _any(rule: Rule, name: str) -> str:
    """Something that can stand in an address: one of those that alone can, where it is so."""
    return min(getattr(rule._converters[name], "items", ("1",)))


FORGED = {
    "a cross-site fetch": {"Sec-Fetch-Site": "cross-site"},
    "a page of a neighbouring host": {"Sec-Fetch-Site": "same-site"},
    "another origin": {"Origin": "https://evil.example"},
    "an origin that is null": {"Origin": "null"},
}


@pytest.mark.parametrize("headers", FORGED.values(), ids=FORGED.keys())
def test_no_door_that_changes_something_is_opened_from_another_site(
    app: Flask, boss: Person, headers: dict[str, str]
) -> None:
    token = {"X-CSRF-Token": boss.token_now()}
    answers = {
        f"{method} {rule.rule}": boss.client.open(address, method=method, headers={**token, **headers}).status_code
        for rule, method, address in unsafe(app)
    }
    programs = {name: status for name, status in answers.items() if " /api/" in name}
    signed = {name: status for name, status in answers.items() if " /in/" in name}
    assert len(answers) > 150
    assert set(programs.values()) == {401}  # a browser's session opens none of them
    assert set(signed.values()) == {404}  # nor these, whose address is a secret and whose sender signs
    assert {name for name, status in answers.items() if name not in {*programs, *signed} and status != 403} == set()


def test_no_door_that_changes_something_is_opened_without_a_token(app: Flask, boss: Person) -> None:
    answers = {
        f"{method} {rule.rule}": boss.client.open(address, method=method).status_code
        for rule, method, address in unsafe(app)
        if not rule.endpoint.startswith(("api_", "public."))
    }
    assert {name for name, status in answers.items() if status != 403} == set()


DISGUISES = [
    "/build/?x=/api/v1/apps", "/build/#/p/x/", "/p/x/../../build/", "/p/x/%2e%2e/%2e%2e/build/", "/build/;/api/v1/apps",
    "//api/v1/../build/", "/api/v1/../../build/", "/build//", "/healthz/../build/", "/BUILD/", "/build/%00/api/", "/./build/",
]  # fmt: skip


@pytest.mark.parametrize("address", DISGUISES)
def test_no_address_looks_so_much_like_an_open_door_that_another_opens(shop: Shop, boss: Person, address: str) -> None:
    with shop.opened() as ctx:
        before = [inst.slug for inst in definitions.all_installed(ctx)]
    answer = boss.client.post(address, data={"title": "Seized"})
    assert 300 <= answer.status_code < 500
    with shop.opened() as ctx:
        assert [inst.slug for inst in definitions.all_installed(ctx)] == before


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost.evil.example"])
def test_no_other_site_s_script_reads_an_answer(app: Flask, boss: Person, origin: str) -> None:
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "Authorization",
    }
    for url in (
        "/",
        "/a/shop/v/book/",
        "/api/v1/apps",
        "/api/v1/apps/shop/tables/book/records",
        "/p/shop.x/",
        "/static/app.css",
    ):
        for method in ("GET", "OPTIONS"):
            headers = boss.client.open(url, method=method, headers=asked).headers
            assert not [name for name, _ in headers if name.lower().startswith("access-control-")], (method, url)


# -- the database ------------------------------------------------------------------------------------


def test_a_statement_that_takes_too_long_is_given_up_and_told(app: Flask, boss: Person, monkeypatch: Any) -> None:
    engine = app.extensions["engine"]

    def slow() -> str:
        with engine.begin() as conn:
            assert conn.scalar(text("SHOW statement_timeout")) == "1min"
            conn.execute(text("SET LOCAL statement_timeout = 20"))
            return str(conn.scalar(text("SELECT pg_sleep(5)")))

    for endpoint, url in (("home.workbench", "/"), ("api_apps.index", "/api/v1/apps")):
        monkeypatch.setitem(app.view_functions, endpoint, slow)
        answer = boss.get(url)
        assert answer.status_code == 503, (url, answer.headers)
        assert "narrow it with a filter" in answer.text
    monkeypatch.undo()
    assert boss.get("/").status_code == 200


def test_work_that_nobody_waits_for_takes_the_time_it_needs(prepared: Engine, database_url: str) -> None:
    hasty = workspaces.connect(database_url, patience="20ms")
    with pytest.raises(OperationalError) as refused, hasty.connect() as conn:
        conn.execute(text("SELECT pg_sleep(5)"))
    assert was_given_up(refused.value)
    hasty.dispose()
    with prepared.connect() as conn:
        assert conn.scalar(text("SHOW statement_timeout")) == "0"


# -- a definition that is damaged where it is kept -----------------------------------------------------

DAMAGED = [{}, {"language": 1}, {"language": 99, "app": "shop"}, {"language": 1, "app": "shop", "tables": [{"id": 7}]},
           {"language": 1, "app": "shop", "tables": {"a": []}}, ["shop"], "shop", {"tables": [None], "app": None}]  # fmt: skip


def test_an_app_whose_definition_is_damaged_keeps_nobody_from_the_others(
    make_shop: Any, sign_in: Any, database_url: str, tmp_path: Any
) -> None:
    shop = make_shop()
    with shop.opened() as ctx:
        side = {"language": 1, "app": "side", "title": "Side", "tables": [{"id": "note", "fields": []}]}
        id = definitions.publish(ctx, "side", side).id
    boss, clerk = (sign_in(shop, name) for name in ("boss", "clerk"))
    for damage in DAMAGED:
        with shop.opened() as ctx:
            ctx.conn.execute(
                update(models.revision).where(models.revision.c.installation_id == id).values(package=damage)
            )
        definitions._apps.clear()
        for url in ("/", "/a/shop/v/book/", "/build/", "/tasks/", "/api/v1/apps"):
            assert boss.get(url).status_code == 200, (url, damage)
        assert clerk.get("/").status_code == 200
        for url in ("/a/side/", "/api/v1/apps/side/tables/note"):
            assert 400 <= boss.get(url).status_code < 500, (url, damage)
        assert boss.get("/build/side/").status_code < 500, damage
        with shop.opened() as ctx:
            assert definitions.unreadable(ctx) == ["side"]
    told = health.apps(Settings.read({"DATABASE_URL": database_url, "MORTISE_DATA": str(tmp_path)}))
    assert f"{shop.workspace.slug}: side cannot be read" in " ".join(f.text for f in told)
    with shop.opened() as ctx:
        definitions.remove(ctx, "side")
    with shop.opened() as ctx:
        assert definitions.unreadable(ctx) == []
