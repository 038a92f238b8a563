"""The API's document: true to what the API answers, and free of what its reader may not know."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012
from sqlalchemy import update

from runtime import accounts, models, people, records, tokens
from tests.runtime.conftest import SHOP, Shop
from tests.web.conftest import everything
from tests.web.test_api import Program

APP = "/api/v1/apps/shop"


@pytest.fixture(scope="module")
def shop(make_shop: Callable[..., Shop]) -> Shop:
    made = make_shop({**SHOP, "forms": [{"id": "book", "table": "book"}]})
    with made.opened() as ctx:
        for name in ("clerk", "manager", "boss"):
            id = getattr(made, name).id
            account = accounts.add_account(ctx.conn, f"{id}@example.com", name, "correct horse", "en")
            accounts.join(ctx.conn, account, made.workspace.id)
            ctx.conn.execute(update(models.member).where(models.member.c.id == id).values(account_id=account))
        jane = records.create(ctx, made.table(ctx, "author"), {"name": "Jane"})
        records.create(ctx, made.table(ctx, "book"), {
            "title": 'Emma "the" O\'Book', "author": jane, "price": Decimal("8.5"), "owner": made.clerk.id,
            "copies": [{"place": "A", "count": Decimal(2)}, {"place": "B"}],
        })  # fmt: skip
        records.create(ctx, made.table(ctx, "book"), {"title": "Bare"})
    return made


@pytest.fixture(scope="module")
def program(app: Flask, shop: Shop) -> Callable[..., Program]:
    def make(name: str) -> Program:
        with shop.opened() as ctx:
            actor = people.member_by_id(ctx, getattr(shop, name).id)
        with shop.opened(actor) as ctx:
            return Program(app, tokens.make(ctx, "Test", everything(ctx), personal=True))

    return make


class Held:
    """Answers held against the document that describes them."""

    def __init__(self, person: Program, document: Any) -> None:
        self.person, self.document = person, document
        resource: Any = Resource(contents=document, specification=DRAFT202012)
        self.registry: Any = Registry().with_resource("urn:document", resource)
        self.seen: set[str] = set()

    def ask(self, method: str, path: str, url: str = "", json: Any = None, **headers: str) -> Any:
        answer = self.person.ask(method, url or path, json, **headers)
        operation = self.document["paths"][path][method.lower()]
        self.seen.add(operation["operationId"])
        described = operation["responses"].get(str(answer.status_code))
        assert described is not None, f"{method} {path}: {answer.status_code} is not described; {answer.text}"
        place = described.get("$ref", "")
        content = (self.at(place) if place else described)["content"]
        assert answer.mimetype in content, (path, answer.mimetype)
        if not answer.is_json and not answer.mimetype.endswith("+json"):
            assert answer.data
            return None
        schema = content[answer.mimetype]["schema"]
        pointed = json_pointers_from(schema)
        checked = Draft202012Validator(
            pointed, registry=self.registry, format_checker=Draft202012Validator.FORMAT_CHECKER
        )
        problems = [f"{e.json_path}: {e.message}" for e in checked.iter_errors(answer.get_json())]
        assert problems == [], (method, path, answer.text)
        return answer.get_json()

    def at(self, place: str) -> Any:
        found = self.document
        for part in place.removeprefix("#/").split("/"):
            found = found[part]
        return found


def json_pointers_from(schema: Any) -> Any:
    """The schema with its references leading to the whole document."""
    return json.loads(json.dumps(schema).replace('"#/components', '"urn:document#/components'))


def test_answers_are_as_the_document_says(program: Callable[..., Program]) -> None:
    boss = program("boss")
    held = Held(boss, boss.get(f"{APP}/openapi.json").get_json())
    books, authors = f"{APP}/tables/book", f"{APP}/tables/author"
    for path in ("/api/v1/me", "/api/v1/apps", "/api/v1/members", "/api/v1/departments", "/api/v1/tasks"):
        held.ask("GET", path)
    held.ask("GET", "/api/v1/apps/{app}", APP)
    held.ask("GET", "/api/v1/apps/{app}/tables/{table}", books)
    held.ask("GET", "/api/v1/apps/{app}/definition", f"{APP}/definition")
    draft = held.ask("GET", "/api/v1/apps/{app}/draft", f"{APP}/draft")
    held.ask("PATCH", "/api/v1/apps/{app}/draft", f"{APP}/draft", {"parts": {"manifest": draft["package"]}})
    held.ask("PATCH", "/api/v1/apps/{app}/draft", f"{APP}/draft", {})
    held.ask("POST", "/api/v1/apps/{app}/publish", f"{APP}/publish", {"note": "again"})
    held.ask("GET", "/api/v1/tasks/{id}", "/api/v1/tasks/nothing")
    held.ask("POST", "/api/v1/tasks/{id}/decision", "/api/v1/tasks/nothing/decision", {"action": "approve"})
    found = held.ask("GET", f"{books}/records", f"{books}/records?expand=names&total=true&sort=title")
    assert [r["fields"]["total"] for r in found["records"]] == ["0", "17"]
    held.ask("GET", f"{books}/records", f"{books}/records?filter=((")
    made = held.ask(
        "POST", f"{books}/records", json={"fields": {"title": "New", "copies": [{"count": 1}], "due": "2026-11-24"}}
    )
    held.ask("POST", f"{books}/records", json={"fields": {"title": ""}})
    one, url = f"{books}/records/{{record}}", f"{books}/records/{made['id']}"
    held.ask("GET", one, url)
    held.ask("PATCH", one, url, {"fields": {"price": 3}}, If_Match='"1"')
    held.ask("PATCH", one, url, {"fields": {"price": 4}}, If_Match='"1"')
    held.ask("PATCH", one, url, {"fields": {"price": 4}, "version": 1})
    held.ask("GET", f"{one}/history", f"{url}/history")
    held.ask("GET", f"{one}/document", f"{url}/document")
    held.ask("GET", f"{one}/document", f"{url}/document?template=nothing")
    held.ask("DELETE", one, url)
    held.ask("DELETE", one, url)
    held.ask("POST", f"{one}/restore", f"{url}/restore")
    held.ask("POST", f"{authors}/upsert", json={"key": ["name"], "fields": {"name": "Henry"}})
    held.ask("POST", f"{authors}/upsert", json={"key": ["name"], "fields": {"name": "Henry"}})
    held.ask(
        "POST",
        f"{authors}/batch",
        json={"operations": [{"op": "create", "fields": {"name": n}} for n in ("Henry", "Ann")]},
    )
    described = {
        o["operationId"] for ways in held.document["paths"].values() for o in ways.values() if "operationId" in o
    }
    same = {id.replace("book_", "author_") for id in held.seen} | {id.replace("author_", "book_") for id in held.seen}
    assert sorted(described - held.seen - same) == []


def test_a_document_tells_only_what_its_reader_may_know(program: Callable[..., Program]) -> None:
    clerk = program("clerk").get(f"{APP}/openapi.json")
    document = clerk.get_json()
    fields = document["components"]["schemas"]["book_fields"]["properties"]
    assert "title" in fields
    assert "cost" not in clerk.text
    assert "due" in fields
    assert "due" not in document["components"]["schemas"]["book_input"]["properties"]
    assert f"{APP}/tables/author/records" in document["paths"]
    assert "post" not in document["paths"][f"{APP}/tables/author/records"]
    assert f"{APP}/tables/book/records/{{record}}/history" not in document["paths"]
    common = program("clerk").get("/api/v1/openapi.json").get_json()
    assert common["openapi"] == "3.1.0"
    assert not any("shop" in path for path in common["paths"])


def test_the_document_is_well_formed(program: Callable[..., Program]) -> None:
    document = program("boss").get(f"{APP}/openapi.json").get_json()
    text = json.dumps(document)
    for place in {part.split('"')[0] for part in text.split('"$ref": "')[1:]}:
        found: Any = document
        for part in place.removeprefix("#/").split("/"):
            found = found[part]
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    ids = [o["operationId"] for ways in document["paths"].values() for o in ways.values() if "operationId" in o]
    assert len(ids) == len(set(ids))


def test_the_reference_s_examples_work_as_they_stand(program: Callable[..., Program], sign_in: Any, shop: Shop) -> None:
    """Every example in Python is run against the API: by somebody who does not read the page, but copies from it."""
    boss = sign_in(shop, "boss")
    page = boss.get("/a/shop/api/")
    assert page.status_code == 200
    assert "requests.post(" in page.text
    assert "curl -G" in page.text
    assert boss.get("/a/shop/api/openapi.json").get_json()["openapi"] == "3.1.0"
    from runtime import api_samples, definitions

    person = program("boss")
    with shop.opened(people_actor(shop)) as ctx:
        shown = api_samples.of_app(ctx, definitions.installed(ctx, "shop"), "/api/v1")
    calls: list[int] = []

    def send(method: str) -> Any:
        def call(url: str, headers: Any = None, params: Any = None, json: Any = None) -> Any:
            answer = person.client.open(url, method=method, headers=headers, query_string=params, json=json)
            calls.append(answer.status_code)
            assert answer.status_code < 300 or "version" in (json or {}), (method, url, json, answer.text)

            class Answer:
                def raise_for_status(self) -> None: ...
                def json(self) -> Any:
                    return answer.get_json()

            return Answer()

        return call

    class requests:
        get, post, patch, delete = (staticmethod(send(m)) for m in ("GET", "POST", "PATCH", "DELETE"))

    for table in shown:
        assert table.samples
        for sample in table.samples:
            program_text = sample.python.replace("import os, requests", "import os")
            secrets = type("os", (), {"environ": {"MORTISE_TOKEN": person.token}})
            exec(
                program_text.replace("import os\n", ""), {"requests": requests, "print": lambda *_: None, "os": secrets}
            )
    assert len(calls) >= 12


def people_actor(shop: Shop) -> Any:
    with shop.opened() as ctx:
        return people.member_by_id(ctx, shop.boss.id)
