"""schemathesis against the API's own document: requests made up from it, each answer held to it. `make security` asks longer."""

import os
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings

from tests.runtime.conftest import SHOP, Shop

schemathesis = pytest.importorskip("schemathesis")
conformance = pytest.importorskip("schemathesis.specs.openapi.checks")
EXAMPLES = int(os.environ.get("SECURITY_EXAMPLES", "2"))
"""Requests of every operation."""


def test_whatever_is_sent_is_answered_as_the_document_says(
    make_shop: Callable[..., Shop], app: Flask, sign_in: Any
) -> None:
    shop = make_shop({**SHOP, "forms": [{"id": "book", "table": "book"}]})
    boss = sign_in(shop, "boss")
    headers = {"Authorization": f"Bearer {boss.bearer}", "Accept-Encoding": "identity"}
    document = boss.get("/api/v1/apps/shop/openapi.json").get_json()
    document["servers"] = [{"url": "/"}]
    schema = schemathesis.openapi.from_dict(document)
    schema.app = app
    asked, failures = 0, []
    for result in schema.get_all_operations():
        operation = result.ok()
        if operation.label.endswith("/publish"):
            continue  # a made-up draft may be published, and then the document is another
        asked += 1
        failures += _try(operation, headers)
    assert asked > 20
    assert failures == [], "\n".join(failures)


def _try(operation: Any, headers: dict[str, str]) -> list[str]:
    """What went wrong with requests of one operation."""
    wrong: list[str] = []
    checks = [
        conformance.status_code_conformance,
        conformance.content_type_conformance,
        conformance.response_schema_conformance,
    ]

    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    def once(case: Any) -> None:
        answer = case.call(headers=headers)
        if answer.status_code >= 500:
            wrong.append(
                f"{operation.label}: {answer.status_code} {answer.text[:300]} for {case.as_curl_command()[:600]}"
            )
            return
        try:
            case.validate_response(answer, checks=checks)
        except (Exception, BaseExceptionGroup) as err:
            reasons = [str(one) for one in getattr(err, "exceptions", (err,))]
            wrong.append(f"{operation.label}: {' '.join(reasons)[:900]} for {case.as_curl_command()[:400]}")

    given(case=operation.as_strategy())(once)()
    return wrong
