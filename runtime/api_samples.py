"""Examples of the API for one app: its own fields, values of a record that the reader may see, in curl and in Python."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from runtime import api, query
from runtime.access import door
from runtime.context import Context
from runtime.definitions import Installed
from runtime.query import Listing
from runtime.tables import LiveTable, live
from schemas.api_fields import writable
from schemas.fields.rows import Rows
from schemas.messages import Message, say

Json = dict[str, Any]
SHOWN = 5
LONGEST = 60
TOKEN = "$MORTISE_TOKEN"
NOBODY = str(UUID(int=1))


@dataclass(frozen=True)
class Sample:
    """One thing to do, written twice."""

    title: Message
    method: str
    path: str
    curl: str
    python: str


@dataclass
class TableSamples:
    """A table as the reference shows it."""

    id: str
    title: str
    may: list[str]
    fields: list[Json]
    samples: list[Sample] = field(default_factory=list)


def of_app(ctx: Context, inst: Installed, base: str) -> list[TableSamples]:
    """The tables in which the reader may do anything."""
    found = []
    for table in inst.app.tables:
        source = live(ctx, inst, table.id)
        if api.may_do(door(ctx, source)):
            found.append(_table(ctx, source, f"{base}/apps/{inst.slug}/tables/{table.id}"))
    return found


def _table(ctx: Context, source: LiveTable, url: str) -> TableSamples:
    facts = api.table_facts(ctx, source)
    made = TableSamples(source.id, facts["title"], facts["may"], facts["fields"])
    record = _record(ctx, source)
    known = record["fields"] if record else {}
    values = _values(source, facts["fields"], known)
    for one in facts["fields"]:
        if isinstance(value := known.get(one["id"]), str | bool) and len(str(value)) <= LONGEST:
            one["example"] = value
    id = record["id"] if record else NOBODY
    made.samples = [*_reading(made, url, values, id), *_writing(source, made, url, values, id)]
    return made


def _record(ctx: Context, source: LiveTable) -> Json | None:
    """The newest record that the reader may see."""
    gate = door(ctx, source)
    if not gate.may("read"):
        return None
    columns = [f.id for f in source.table.fields if f.storage != "child" and f.type != "query"]
    found = query.page(gate, Listing(gate.shown(columns), size=1)).records
    return api.record_json(source, found[0], [c for c in columns if c in found[0].values]) if found else None


def _values(source: LiveTable, fields: list[Json], known: Mapping[str, Any]) -> Json:
    """Some values to send: what must be there first, then what the record has; never more than a few."""
    chosen: Json = {}
    for facts in sorted(fields, key=lambda f: (not f["required"], known.get(f["id"]) is None)):
        found = source.table.by_id[facts["id"]]
        if not facts["writable"] or not writable(found) or (len(chosen) >= SHOWN and not facts["required"]):
            continue
        if isinstance(found, Rows) or (known.get(found.id) is None and not facts["required"] and chosen):
            continue
        value = known.get(found.id)
        value = f"{value} (2)" if found.unique and isinstance(value, str) else value
        chosen[found.id] = value if value is not None else facts.get("example")
    return chosen


def _reading(made: TableSamples, url: str, values: Json, id: str) -> list[Sample]:
    if "read" not in made.may:
        return []
    shown = ",".join(list(values)[:3] or [f["id"] for f in made.fields[:3]])
    asked = {"fields": shown, "limit": "20"}
    if formula := _filter(made.fields, values):
        asked = {"filter": formula, **asked}
    return [
        _sample(say("List records"), "GET", f"{url}/records", params=asked),
        _sample(say("Read a record"), "GET", f"{url}/records/{id}"),
    ]


def _filter(fields: list[Json], values: Json) -> str:
    """A condition that holds for the record whose values are shown."""
    for facts in fields:
        value, kind = values.get(facts["id"]), facts["value"].get("type")
        if (
            isinstance(value, str)
            and value
            and '"' not in value
            and len(value) < 60
            and facts["type"] in ("text", "choice", "serial")
        ):
            return f'{facts["id"]} = "{value}"'
        if isinstance(value, str) and facts["type"] in ("number", "money") and kind and not value.endswith("%"):
            return f"{facts['id']} >= {value}"
    return ""


def _writing(source: LiveTable, made: TableSamples, url: str, values: Json, id: str) -> list[Sample]:
    found = []
    if "create" in made.may:
        found.append(_sample(say("Add a record"), "POST", f"{url}/records", {"fields": values}))
    one = dict(list(values.items())[:1])
    if "update" in made.may and one:
        found.append(_sample(say("Change a record"), "PATCH", f"{url}/records/{id}", {"fields": one, "version": 1}))
    if {"create", "update", "read"} <= set(made.may) and (key := _key(source, values)):
        found.append(_sample(say("Change it, or add it"), "POST", f"{url}/upsert", {"key": [key], "fields": values}))
    if "create" in made.may:
        many = [{"op": "create", "fields": values}]
        many += [{"op": "update", "id": id, "fields": one}] if "update" in made.may and one else []
        found.append(_sample(say("Many at once"), "POST", f"{url}/batch", {"operations": many}))
    if "delete" in made.may:
        found.append(_sample(say("Put it into the trash"), "DELETE", f"{url}/records/{id}"))
    return found


def _key(source: LiveTable, values: Json) -> str:
    return next((f.id for f in source.table.fields if f.id in values and f.unique), "")


def _sample(
    title: Message, method: str, url: str, body: Json | None = None, params: Mapping[str, str] | None = None
) -> Sample:
    return Sample(title, method, url, _curl(method, url, body, params or {}), _python(method, url, body, params or {}))


def _curl(method: str, url: str, body: Json | None, params: Mapping[str, str]) -> str:
    lines = [
        f"curl {'' if method == 'GET' else f'-X {method} '}{shlex.quote(url)}",
        f'-H "Authorization: Bearer {TOKEN}"',
    ]
    if params:
        lines[0] = f"curl -G {shlex.quote(url)}"
        lines += [f"--data-urlencode {shlex.quote(f'{name}={value}')}" for name, value in params.items()]
    if body is not None:
        lines += [
            '-H "Content-Type: application/json"',
            f"-d {shlex.quote(json.dumps(body, ensure_ascii=False, indent=2))}",
        ]
    return " \\\n  ".join(lines)


def _python(method: str, url: str, body: Json | None, params: Mapping[str, str]) -> str:
    given = [repr(url), "headers=headers"]
    if params:
        given.append(f"params={dict(params)!r}")
    if body is not None:
        given.append(f"json={_literal(body)}")
    inside = ",\n    ".join(given)
    head = 'import os, requests\n\nheaders = {"Authorization": f"Bearer {os.environ[\'MORTISE_TOKEN\']}"}\n'
    return (
        f"{head}answer = requests.{method.lower()}(\n    {inside},\n)\nanswer.raise_for_status()\nprint(answer.json())"
    )


def _literal(value: Any, depth: int = 1) -> str:
    """JSON as Python writes it."""
    pad, end = "    " * (depth + 1), "    " * depth
    if isinstance(value, dict) and value:
        inner = ",\n".join(f"{pad}{key!r}: {_literal(item, depth + 1)}" for key, item in value.items())
        return f"{{\n{inner},\n{end}}}"
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "[\n" + ",\n".join(f"{pad}{_literal(item, depth + 1)}" for item in value) + f",\n{end}]"
    return repr(value)
