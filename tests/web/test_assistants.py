"""Assistants: the SDK's own client, the tools, and no more than the token of whoever lets them in may do."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from runtime import assistants, people, records, tokens
from tests.runtime.conftest import SHOP, Shop
from tests.web.conftest import Person

pytest.importorskip("mcp")


@pytest.fixture(scope="module")
def shop(make_shop: Callable[..., Shop]) -> Shop:
    made = make_shop(SHOP)
    with made.opened() as ctx:
        for title in ("Emma", "Persuasion"):
            records.create(ctx, made.table(ctx, "book"), {"title": title, "owner": made.clerk.id})
    return made


@pytest.fixture(scope="module")
def boss(shop: Shop, sign_in: Any) -> Person:
    return sign_in(shop, "boss")


@pytest.fixture(scope="module")
def ask(app: Any) -> Any:
    client = app.test_client()

    def asked(method: str, path: str, token: str | None, body: Mapping[str, Any] | None) -> Any:
        answer = client.open(
            path, method=method, json=body, headers={"Authorization": f"Bearer {token}", "Accept-Language": "en"}
        )
        if answer.status_code >= 400:
            raise ValueError(assistants.problem(answer.data))
        return answer.get_json()

    return asked


def converse(server: Any, *calls: tuple[str, dict[str, Any]]) -> tuple[list[str], list[Any]]:
    """What tools there are, and what calling them gives."""
    from mcp import Client

    async def talk() -> tuple[list[str], list[Any]]:
        async with Client(server) as client:
            tools = [t.name for t in (await client.list_tools()).tools]
            return tools, [await client.call_tool(name, given) for name, given in calls]

    return asyncio.run(talk())


def said(result: Any) -> Any:
    return json.loads(result.content[0].text)


def test_an_assistant_reads_writes_and_proposes_but_never_publishes(boss: Person, ask: Any) -> None:
    server = assistants.server(ask, boss.bearer)
    tools, results = converse(
        server, ("list_apps", {}), ("describe_table", {"app": "shop", "table": "book"}),
        ("query_records", {"app": "shop", "table": "book", "filter": 'title = "Emma"', "fields": "title,owner"}),
        ("create_record", {"app": "shop", "table": "book", "fields": {"title": "Dune", "price": 3}}),
        ("create_record", {"app": "shop", "table": "book", "fields": {"price": 3}}), ("read_draft", {"app": "shop"}),
    )  # fmt: skip
    assert "publish" not in " ".join(tools)
    assert {"list_apps", "describe_table", "query_records", "create_record", "change_record", "propose_change"} <= set(
        tools
    )
    apps, table, found, made, wrong, draft = results
    assert [t["id"] for t in said(apps)["apps"][0]["tables"]] == ["author", "book"]
    assert "price" in [f["id"] for f in said(table)["fields"]]
    assert [r["fields"]["title"] for r in said(found)["records"]] == ["Emma"]
    assert wrong.is_error
    assert "title: Please fill this in." in wrong.content[0].text
    record, package = said(made), said(draft)
    book = next(t for t in package["package"]["tables"] if t["id"] == "book")
    book["fields"].append({"id": "isbn", "type": "text"})
    _, (changed, proposed, after) = converse(
        server, ("change_record", {"app": "shop", "table": "book", "record": record["id"], "fields": {"price": "4"}, "version": 1}),
        ("propose_change", {"app": "shop", "parts": {"tables/book": book}, "counter": package["counter"]}),
        ("describe_table", {"app": "shop", "table": "book"}),
    )  # fmt: skip
    assert said(changed)["fields"]["price"] == "4.00"
    assert any("isbn" in line for line in said(proposed)["changes"])
    assert "isbn" not in [f["id"] for f in said(after)["fields"]]


def test_an_assistant_may_no_more_than_its_token(shop: Shop, ask: Any, sign_in: Any) -> None:
    sign_in(shop, "clerk")
    with shop.opened() as ctx:
        clerk = people.member_by_id(ctx, shop.clerk.id)
    with shop.opened(clerk) as ctx:
        narrow = tokens.make(
            ctx, "Assistant", {"data": [{"app": "shop", "tables": ["book"], "do": ["read"]}]}, personal=True
        )
    _, (found, made, draft) = converse(
        assistants.server(ask, narrow), ("query_records", {"app": "shop", "table": "book"}),
        ("create_record", {"app": "shop", "table": "book", "fields": {"title": "Dune"}}), ("read_draft", {"app": "shop"}),
    )  # fmt: skip
    assert all("cost" not in r["fields"] for r in said(found)["records"])
    assert made.is_error
    assert draft.is_error
    _, (nobody,) = converse(assistants.server(ask, "mrt_nobody" * 5), ("list_apps", {}))
    assert nobody.is_error


# -- as the command serves it ----------------------------------------------------------------------


def environment(token: str = "") -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH", "LANG") if name in os.environ}
    return {**kept, "MORTISE_TOKEN": token, "PYTHONDONTWRITEBYTECODE": "1"}


def test_the_sdks_client_speaks_to_the_command_on_standard_input(boss: Person, address: str) -> None:
    from mcp.client.stdio import StdioServerParameters

    command = StdioServerParameters(
        command=sys.executable, args=["-m", "cli", "mcp", "--url", address], env=environment(boss.bearer)
    )
    tools, (apps,) = converse(command, ("list_apps", {}))
    assert "propose_change" in tools
    assert [a["id"] for a in said(apps)["apps"]] == ["shop"]


def test_the_sdks_client_speaks_to_the_command_by_http_with_a_token_of_its_own(boss: Person, address: str) -> None:
    import httpx2
    from mcp.client.streamable_http import streamable_http_client

    bearer = boss.bearer
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "cli", "mcp", "--http", "--port", str(port), "--url", address]

    async def asked(token: str) -> Any:
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx2.AsyncClient(headers=headers) as http:
            from mcp import Client

            async with Client(streamable_http_client(f"http://127.0.0.1:{port}/mcp", http_client=http)) as client:
                return await client.call_tool("list_apps", {})

    with subprocess.Popen(command, env=environment(), stderr=subprocess.DEVNULL) as server:
        try:
            for _ in range(200):
                with socket.socket() as tried:
                    if tried.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.05)
            assert [a["id"] for a in said(asyncio.run(asked(bearer)))["apps"]] == ["shop"]
            assert asyncio.run(asked("mrt_nobody")).is_error
        finally:
            server.terminate()
