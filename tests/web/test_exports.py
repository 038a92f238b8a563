"""Long lists become files by a job: a clerk asks, comes back for the file, and gets what they may see at that moment."""

import csv
import io
from collections.abc import Callable
from copy import deepcopy
from typing import Any
from uuid import UUID

import pytest

from runtime import definitions, exporting, exports, records
from runtime.jobs import drain_jobs
from tests.runtime.conftest import SHOP, Shop

GRANT = {
    "id": "clerks", "who": {"role": "clerk"}, "table": "book", "do": ["read", "export"], "rows": 'title <> "Hidden"',
    "fields": {"*": "read", "cost": "hidden"},
}  # fmt: skip


def package(**grant: Any) -> dict[str, Any]:
    made = deepcopy(SHOP)
    made["views"] = [
        {"id": "all", "table": "book", "title": "All books", "columns": ["title", "price", "cost"], "sort": ["title"]}
    ]
    made["access"] = [{**GRANT, **grant}]
    return made


@pytest.fixture
def shop(app: Any, make_shop: Callable[..., Shop], monkeypatch: Any) -> Shop:
    monkeypatch.setenv("MORTISE_DATA", str(app.config["SETTINGS"].data))
    monkeypatch.setattr(exports, "AT_ONCE", 2)
    monkeypatch.setattr(exporting, "CHUNK", 2)
    made = make_shop(package())
    with made.opened() as ctx:
        for title in ("Emma", "Hidden", "=cmd", "Persuasion", "Walden", "Dune"):
            records.create(ctx, made.table(ctx, "book"), {"title": title, "price": 12, "cost": 7})
    return made


def lines(answer: Any) -> list[list[str]]:
    with answer as file:
        return list(csv.reader(io.StringIO(file.data.decode("utf-8-sig"))))


def test_a_long_list_is_asked_for_made_by_a_job_and_fetched_by_its_asker_alone(
    shop: Shop, sign_in: Any, database_url: str
) -> None:
    clerk = sign_in(shop, "clerk")
    assert "made in the background" in clerk.get("/a/shop/export/all").text
    short = lines(clerk.get("/a/shop/export/all?as=csv&q=Emma"))
    assert [row[0] for row in short[1:]] == ["Emma"]
    run = clerk.post("/a/shop/export/all?sort=-title&size=50", {"as": "csv"}).headers["HX-Redirect"]
    assert "Waiting to begin" in clerk.get(run).text
    assert clerk.get(f"{run}/file").status_code == 404
    drain_jobs(database_url)
    assert "5 of 5 records done" in clerk.get(run).text
    told = clerk.get("/notices/").text
    assert "The export of All books is ready: 5 records" in told
    assert f'href="{run}"' in told
    file = clerk.get(f"{run}/file")
    assert "All books.csv" in file.headers["Content-Disposition"]
    head, *rows = lines(file)
    assert [r[0] for r in rows] == ["Walden", "Persuasion", "Emma", "Dune", "'=cmd"]
    assert "cost" not in head
    assert run in clerk.get("/a/shop/exports/").text
    boss = sign_in(shop, "boss")
    assert [boss.get(url).status_code for url in (run, f"{run}/file")] == [404, 404]
    assert run not in boss.get("/a/shop/exports/").text
    assert sign_in(shop, "manager").post("/a/shop/export/all", {"as": "csv"}).status_code in (403, 404)
    made = clerk.post("/a/shop/export/all", {"as": "nonsense"}).headers["HX-Redirect"]
    drain_jobs(database_url)
    with clerk.get(f"{made}/file") as book:
        assert book.data[:2] == b"PK"


@pytest.mark.parametrize("grant", [{"do": ["read"]}, {"rows": 'title = "Hidden"', "do": ["create"]}])
def test_a_right_that_ends_meanwhile_ends_the_export(
    shop: Shop, sign_in: Any, database_url: str, grant: dict[str, Any]
) -> None:
    clerk = sign_in(shop, "clerk")
    run = clerk.post("/a/shop/export/all", {"as": "csv"}).headers["HX-Redirect"]
    with shop.opened(shop.boss) as ctx:
        definitions.publish(ctx, "shop", package(**grant))
    drain_jobs(database_url)
    with shop.opened(shop.clerk) as ctx:
        found = exports.run_of(ctx, definitions.installed(ctx, "shop"), UUID(run.rpartition("/")[2]))
    assert found.state == "failed"


def test_columns_hidden_meanwhile_and_a_cancelled_job(shop: Shop, sign_in: Any, database_url: str) -> None:
    clerk = sign_in(shop, "clerk")
    run = clerk.post("/a/shop/export/all", {"as": "csv"}).headers["HX-Redirect"]
    other = clerk.post("/a/shop/export/all", {"as": "csv"}).headers["HX-Redirect"]
    clerk.post(other)
    with shop.opened(shop.boss) as ctx:
        definitions.publish(ctx, "shop", package(fields={"*": "read", "cost": "hidden", "price": "hidden"}))
    drain_jobs(database_url)
    assert [row[0] for row in lines(clerk.get(f"{run}/file"))] == [
        "title",
        "'=cmd",
        "Dune",
        "Emma",
        "Persuasion",
        "Walden",
    ]
    assert "Cancelled" in clerk.get(other).text
