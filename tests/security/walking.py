"""How the walk goes: every rule of the application, with everything that can stand in it, asked by one person."""

import base64
import io
import itertools
import json
import re
import zipfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote
from uuid import UUID

from flask import Flask, Request
from sqlalchemy import text
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.routing import Rule

from tests.security.conftest import COLUMN, FIELD, HIDDEN, LINKED, RECORD, Guarded

LEFT_OUT = {
    "static", "session.leave", "session.enter", "account.describe", "account.begin_two_step", "account.end_sessions",
}  # fmt: skip
"""Files of our own; the doors that would end the walker's session; and those that change their own account, as they may."""

UNKNOWN = str(UUID(int=7))
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
MADE_UP = {"none", "nonsense", UNKNOWN}
ALL = "*"

CURIOUS = [
    "trash=1", "sort=cost", "sort=-secret", "sort=author", "sort=about", "group=secret", "total=exact&size=200",
    "sort=phone", "group=phone", "q=canarymasked", "q=canaryveiled",
    f"q={FIELD}", f"q={RECORD}", f"q={LINKED}", f"q={COLUMN}", "q=canary", "key=canaryfield", "key=canaryfield_kind", "key=%00",
    *(f"filter={quote(f)}" for f in (
        'secret = "canaryfield"', 'STARTSWITH(phone, "canary")', 'COUNTIF(STARTSWITH(copies.note, "c")) > 0',
        "cost > 1", "margin < 9999999999", 'author.name = "canarylinked"', "author.worth > 0",
        'COUNTIF(copies.place = "canarycolumn") > 0', 'STARTSWITH(about, "canary")', 'secret_kind = "canaryfield_kind"',
    )),
    "as=csv", "as=csv&sort=-cost&q=canary", f"as=csv&filter={quote('cost > 1')}", "field=secret&operator=is&value=canaryfield",
    "secret=canaryfield&title=x", "back=/", "trash=true", "fields=secret", "fields=title,papers,about,copies", "expand=names",
    "state=decided", "template=everything", "template=inner&view=1", "template=shelf",
]  # fmt: skip
AFTER_A_REFUSAL = "trash=1&as=csv"
"""What a page that is not there is asked all the same, as a fragment."""


# -- addresses -------------------------------------------------------------------------------------


def addresses(
    guarded: Guarded, method: str, ids: dict[str, list[str]] | None = None
) -> Iterator[tuple[Rule, dict[str, str], str]]:
    """Every rule that takes a method, with every combination of what can stand in it; at most one value is made up."""
    ids = ids or guarded.ids
    for rule in guarded.app.url_map.iter_rules():
        if method not in (rule.methods or ()) or rule.endpoint in LEFT_OUT:
            continue
        names = sorted(rule.arguments)
        strange = set(names) - set(ids)
        assert not strange, f"{rule}: give the walk values for {strange} (conftest.py, `ids`)"
        for values in combinations([ids.get(f"{rule.endpoint}.{name}", ids[name]) for name in names]):
            chosen = dict(zip(names, values, strict=True))
            yield rule, chosen, rule.build(chosen)[1]  # type: ignore[index]


def combinations(choices: list[list[str]]) -> Iterator[tuple[str, ...]]:
    """All combinations of what there is; and what is made up once in each place, beside the first of the others."""
    yield from itertools.product(*([c for c in one if c not in MADE_UP] or one[:1] for one in choices))
    for n, one in enumerate(choices):
        for made_up in (c for c in one if c in MADE_UP):
            yield tuple(made_up if m == n else other[0] for m, other in enumerate(choices))


# -- what a page looks at --------------------------------------------------------------------------

looked_at: set[str] = set()


class Noted(ImmutableMultiDict[str, str]):
    """Query strings and forms that note the names asked of them, so that questions are put only where they are heard."""

    def get(self, key: Any, default: Any = None, type: Any = None) -> Any:
        looked_at.add(key)
        return super().get(key, default, type) if type else super().get(key, default)

    def getlist(self, key: Any, type: Any = None) -> Any:
        looked_at.add(key)
        return super().getlist(key, type) if type else super().getlist(key)

    def __getitem__(self, key: Any) -> Any:
        looked_at.add(key)
        return super().__getitem__(key)

    def __contains__(self, key: Any) -> bool:
        looked_at.add(key)
        return super().__contains__(key)

    def to_dict(self, flat: bool = True) -> Any:
        looked_at.add(ALL)
        return super().to_dict(flat)

    def __iter__(self) -> Any:
        looked_at.add(ALL)
        return super().__iter__()


@contextmanager
def noting(app: Flask) -> Iterator[None]:
    before = app.request_class
    app.request_class = type("Noting", (Request,), {"parameter_storage_class": Noted})
    try:
        yield
    finally:
        app.request_class = before


def heard(question: str) -> bool:
    return ALL in looked_at or any(name in looked_at for name, _ in parse_qsl(question, keep_blank_values=True))


# -- what an answer tells --------------------------------------------------------------------------


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
    if "canary" not in text and not any(c in text for c in HIDDEN):
        return set()
    for word in sorted(set(re.findall(r"canary[a-z_]*", asked)), key=len, reverse=True):
        text = echoes(text, word)
    return {c for c in HIDDEN if c in text}


def echoes(text: str, word: str) -> str:
    """Without a word where it only repeats the question: in addresses, inputs and conditions."""
    kept = re.sub(rf'(?:href|value|action|data-[\w-]+|hx-[\w-]+)="[^"]*{word}[^"]*"', "", text)
    kept = re.sub(rf"(?m)^(?:Location|HX-[\w-]+): .*{word}.*$", "", kept)
    return re.sub(rf"(?:&#34;|&quot;|\\u0022|[“\"'(=]){word}", "", kept)


def unguarded(answer: Any) -> list[str]:
    """The headers that every answer must have, and this one has not."""
    headers = answer.headers
    policy = headers.get("Content-Security-Policy", "unsafe")
    sound = {
        "Content-Security-Policy": "unsafe" not in policy and ("default-src" in policy or "sandbox" in policy),
        "X-Content-Type-Options": headers.get("X-Content-Type-Options") == "nosniff",
        "X-Frame-Options": "X-Frame-Options" in headers or "frame-ancestors 'self'" in policy,
        "Referrer-Policy": headers.get("Referrer-Policy") in ("same-origin", "no-referrer"),
        "Cache-Control": any(word in headers.get("Cache-Control", "") for word in ("no-store", "private")),
        "Access-Control-Allow-Origin": "Access-Control-Allow-Origin" not in headers,
    }
    return [name for name, well in sound.items() if not well]


# -- the walk --------------------------------------------------------------------------------------


@dataclass
class Walked:
    """What a walk met: canaries and failures with their addresses, and the answers by address with the id left out."""

    found: dict[str, set[str]] = field(default_factory=dict)
    answers: dict[str, dict[str, tuple[int, str]]] = field(default_factory=dict)
    passed: set[str] = field(default_factory=set)
    asked: int = 0

    def note(self, endpoint: str, url: str, answer: Any, seen: set[str]) -> None:
        self.asked += 1
        if answer.status_code < 400:
            self.passed.add(endpoint)
        if unguarded(answer):
            seen = seen | {"bare"}
        for what in seen | ({"failed"} if answer.status_code >= 500 else set()):
            self.found.setdefault(what, set()).add(url)

    def compare(self, template: str, id: str, answer: Any) -> None:
        text = re.sub(r"[0-9a-f]{32,}\.[0-9a-f]{32,}", "the token", answer.get_data(as_text=True))
        self.answers.setdefault(template, {})[id] = (answer.status_code, text.replace(id, "…"))

    def differing(self) -> dict[str, set[str]]:
        """Addresses that answer one thing that is not for the walker otherwise than one that does not exist."""
        return {template: odd for template, said in self.answers.items() if UNKNOWN in said
                and (odd := {id for id, answer in said.items() if answer != said[UNKNOWN]})}  # fmt: skip


def walk(guarded: Guarded, person: Any, forbidden: set[str]) -> Walked:
    """Every address, as a page and as a fragment, with every curious question that the page listens to."""
    walked = Walked()
    with noting(guarded.app):
        for rule, values, address in addresses(guarded, "GET"):
            looked_at.clear()
            plain = person.get(address)
            if plain.status_code < 400:
                urls = [f"{address}?{question}" for question in CURIOUS if heard(question)]
                answers = [
                    (address, plain),
                    (address, person.fragment(address)),
                    *((url, person.get(url)) for url in urls),
                ]
            else:
                url = f"{address}?{AFTER_A_REFUSAL}"
                answers = [(address, plain), (url, person.fragment(url))]
            for url, answer in answers:
                walked.note(rule.endpoint, url, answer, canaries(answer, url))
            for name, id in values.items():
                if id in forbidden or id == UNKNOWN:
                    walked.compare(rule.build({**values, name: "…"})[1], id, plain)  # type: ignore[index]
            for _, answer in answers:
                answer.close()
    return walked


# -- knocking: every unsafe route ------------------------------------------------------------------

SHEET = b"Title,Author\nMaria,Jane\n"
CHOICES = {
    "_action": ["approve", "reject", "return", "save", "submit"],
    "act": ["try", "import", "cancel"],
    "tab": ["field", "form", "table"],
}
"""Parts of a body that decide what is done: each is sent in turn."""


def body(guarded: Guarded, ids: list[str]) -> dict[str, Any]:
    """One body with a part for every name that some route reads, aimed at things that are not the sender's."""
    return {
        "title": "Seized", "zh": "夺取", "en": "Seized", "price": "1", "owner": str(guarded.shop.outsider.id), "kind": "essay",
        "name": "Seized", "id": "title", "created_by": str(guarded.shop.outsider.id), "version": "99", "_deleted_at": "",
        "ids": ids, "_back": "/", "_once": "", "_version": "99", "_touched": "[]", "_comment": "Seized", "token": "1",
        "to": str(guarded.shop.outsider.id), "preset": "all", "type": "text", "after": "", "rows": "copies", "key": "title",
        "order": '["title"]', "position": "0", "by": "1", "path": "title", "label.zh": "夺取",
        "bundled": "expense", "place": "0", "note": "Seized", "next": "/",
        "column:title": "Title", "column:author": "Author", "match:author": "name", "encoding": "utf-8", "language": "en",
        "flow": "checking", "field": "title", "view": "all", "form": "book", "of": "table:book", "who": "everyone",
        "body": "Seized", "member": str(guarded.shop.outsider.id),
    }  # fmt: skip


def knock(guarded: Guarded, person: Any, ids: dict[str, list[str]], aim: list[str], *, forbidden: Collection[str] = (),
          last: Sequence[str] = (), only: str | tuple[str, ...] = "") -> Walked:  # fmt: skip
    """Every unsafe route, with bodies that aim at these records; endpoints named in `last` come last, in that order."""
    walked = Walked()
    for method in UNSAFE:
        knocks = [k for k in addresses(guarded, method, ids) if k[0].endpoint.startswith(only)]
        knocks.sort(key=lambda k: last.index(k[0].endpoint) if k[0].endpoint in last else -1)
        for rule, values, address in knocks:
            for answer in answers(guarded, person, method, address, aim):
                walked.note(rule.endpoint, f"{method} {address}", answer, canaries(answer, address))
                for name in (n for n, id in values.items() if id in forbidden or id == UNKNOWN):
                    walked.compare(f"{method} {rule.build({**values, name: '…'})[1]}", values[name], answer)  # type: ignore[index]
    return walked


def answers(guarded: Guarded, person: Any, method: str, address: str, aim: list[str]) -> Iterator[Any]:
    """To a form with a file, for each of the choices that the route listens to; and to JSON."""
    whole = body(guarded, aim)
    with noting(guarded.app):
        looked_at.clear()
        yield person.send(method, address, {**whole, "file": (io.BytesIO(SHEET), "papers.csv")})
        for name in [name for name in CHOICES if name in looked_at]:
            for value in CHOICES[name]:
                yield person.send(method, address, {**whole, name: value})
    if address.startswith("/api/"):
        for sent in programs(guarded, aim, address):
            yield person.send(method, address, json.dumps(sent), content_type="application/json")
        return
    wish = {"key": aim[0], "to": "essay", "order": ["title"], "hidden": [], "widths": {"title": 99}, "ids": aim}
    yield person.send(method, address, json.dumps(wish), content_type="application/json")


def programs(guarded: Guarded, aim: list[str], address: str) -> list[dict[str, Any]]:
    """What programs send to a door of the API."""
    outsider = str(guarded.shop.outsider.id)
    fields = {"title": "Seized", "owner": outsider}
    operations = [{"op": op, "id": id, "fields": fields} for id in aim for op in ("update", "delete", "restore")]
    sent: dict[str, list[dict[str, Any]]] = {
        "upsert": [{"key": ["title"], "fields": {**fields, "title": RECORD}}],
        "batch": [{"operations": operations}],
        "decision": [
            {"action": "transfer", "to": outsider},
            *({"action": a, "comment": "Seized"} for a in ("save", "approve")),
        ],
        "draft": [{"parts": {"manifest": {"language": 1, "app": "shop", "title": "Seized"}}}],
        "publish": [{"note": "Seized"}],
    }
    return sent.get(address.rpartition("/")[2], [{"fields": fields}])


# -- what is kept ----------------------------------------------------------------------------------

PASSING = {"attempt", "audit", "session", "token"}
"""Tables of the installation that every request may touch."""


def kept(guarded: Guarded) -> set[tuple[str, str]]:
    """Everything that is kept: every row of every table of the workspace and the installation, jobs, and files."""
    found: set[tuple[str, str]] = set()
    with guarded.shop.engine.connect() as conn:
        places = conn.execute(
            text("SELECT table_schema, table_name FROM information_schema.tables WHERE table_schema IN (:own, 'control', 'procrastinate')"
                 " AND table_type = 'BASE TABLE'"),
            {"own": guarded.shop.workspace.schema},
        ).all()  # fmt: skip
        for schema, table in places:
            if schema == "control" and table in PASSING:
                continue
            rows = conn.scalars(text(f'SELECT to_jsonb(t)::text FROM "{schema}"."{table}" t')).all()
            found |= {(table, row) for row in rows}
    storage = guarded.app.extensions["storage"]
    return found | {("file", key) for key in storage.all_keys(guarded.shop.workspace.id)}
