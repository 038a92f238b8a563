"""The canary walk: every route, asked by people who may not know, tells them nothing."""

import base64
import io
import itertools
import re
import zipfile
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
from werkzeug.routing import Rule

from tests.security.conftest import COLUMN, FIELD, HIDDEN, LINKED, RECORD, Guarded

LEFT_OUT = {"static", "session.leave", "session.enter"}
"""Files of our own; and the doors that would end the walker's session."""

CURIOUS = [
    "", "trash=1", "sort=cost", "sort=-secret", "sort=author", "sort=about", "group=secret", "total=exact&size=200",
    f"q={FIELD}", f"q={RECORD}", f"q={LINKED}", f"q={COLUMN}", "q=canary", "key=canaryfield", "key=canaryfield_kind", "key=%00",
    *(f"filter={quote(f)}" for f in (
        'secret = "canaryfield"', "cost > 1", "margin < 9999999999", 'author.name = "canarylinked"', "author.worth > 0",
        'COUNTIF(copies.place = "canarycolumn") > 0', 'STARTSWITH(about, "canary")', 'secret_kind = "canaryfield_kind"',
    )),
    "as=csv", "as=csv&sort=-cost&q=canary", f"as=csv&filter={quote('cost > 1')}", "as=xlsx", "field=secret&operator=is&value=canaryfield",
    "secret=canaryfield&title=x", "back=/",
]  # fmt: skip
MADE_UP = {"none", "nonsense", str(UUID(int=7))}
ASKED = {
    "views.show", "views.export", "views.filter", "dashboards.show", "dashboards.one", "dashboards.records", "forms.pick", "home.pick",
    "tasks.inbox", "records.show", "forms.show",
}  # fmt: skip


def addresses(guarded: Guarded, method: str) -> Iterator[tuple[Rule, str]]:
    """Every rule with every combination of what can stand in it."""
    for rule in guarded.app.url_map.iter_rules():
        if method not in (rule.methods or ()) or rule.endpoint in LEFT_OUT:
            continue
        names = sorted(rule.arguments)
        for values in itertools.product(*(guarded.ids[name] for name in names)):
            if sum(value in MADE_UP for value in values) > 1:
                continue
            yield rule, rule.build(dict(zip(names, values, strict=True)))[1]  # type: ignore[index]


def told(answer: Any) -> str:
    """All that an answer says: status line, headers, body, what is zipped or encoded in it."""
    body = answer.data
    parts = [str(answer.headers), body.decode("utf-8", "replace")]
    if body[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            parts += [archive.read(name).decode("utf-8", "replace") for name in archive.namelist()]
    for cursor in re.findall(r"(?:after|before)=([\w-]+)", parts[1]):
        parts.append(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("utf-8", "replace"))
    text = "\n".join(parts)
    return text + re.sub(r"(?<=\d)[, ](?=\d)", "", text)


def canaries(answer: Any, asked: str) -> set[str]:
    """The canaries in an answer. What the walker typed into the address themselves may stand in it again."""
    text = told(answer)
    for word in sorted(set(re.findall(r"canary[a-z_]*", asked)), key=len, reverse=True):
        text = echoes(text, word)
    return {c for c in HIDDEN if c in text}


def echoes(text: str, word: str) -> str:
    """Without a word where it only repeats the question: in addresses, inputs and conditions."""
    kept = re.sub(rf'(?:href|value|action|data-[\w-]+|hx-[\w-]+)="[^"]*{word}[^"]*"', "", text)
    kept = re.sub(rf"(?m)^(?:Location|HX-[\w-]+): .*{word}.*$", "", kept)
    return re.sub(rf"(?:&#34;|&quot;|\\u0022|[“\"'(=]){word}", "", kept)


def walk(guarded: Guarded, person: Any) -> Iterator[tuple[str, Any, set[str]]]:
    """Every address, as a page and as a fragment, with every curious question where questions are answered."""
    for rule, address in addresses(guarded, "GET"):
        for question in CURIOUS if rule.endpoint in ASKED and "none" not in address else [""]:
            url = f"{address}?{question}" if question else address
            answers = [person.get(url)] if question else [person.get(url), person.fragment(url)]
            for answer in answers:
                yield url, answer, canaries(answer, url)


def found_by(guarded: Guarded, person: Any) -> dict[str, set[str]]:
    """The canaries that a person's walk meets, with where; no answer fails."""
    found: dict[str, set[str]] = {}
    for url, answer, seen in walk(guarded, person):
        for canary in seen | ({"failed"} if answer.status_code >= 500 else set()):
            found.setdefault(canary, set()).add(url)
    return found


@pytest.mark.parametrize("name", ["clerk", "outsider"])
def test_no_page_shows_what_its_reader_may_not_know(guarded: Guarded, sign_in: Any, name: str) -> None:
    assert found_by(guarded, sign_in(guarded.shop, name)) == {}
