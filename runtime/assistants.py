"""An MCP server for assistants: a few tools over the API, with the rights of the token that they are given.

It reads and writes records and proposes changes of definitions as drafts. It cannot publish: a person does that.
"""

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from runtime.resources import VERSION

Ask = Callable[[str, str, "str | None", "Mapping[str, Any] | None"], Any]
"""`ask(method, path, token, body)` gives the JSON of an answer, or raises ValueError with what is wrong."""

TIMEOUT = 60
LARGEST = 20_000_000
HOW = (
    "Mortise keeps tables of records for an organisation. List the apps first, then describe a table before you read or "
    'write it: fields are named by their ids. Filters are formulas, such as stage = "won" or amount > 1000. Send the '
    "version that you have read with a change. Changes of definitions become a draft that a person looks at and publishes."
)


def server(ask: Ask, token: str | None, *, own_tokens: bool = False) -> Any:
    """The MCP server. With `own_tokens` every caller sends a token of their own as a bearer; without, all act by `token`."""
    from mcp.server import MCPServer
    from mcp.server.mcpserver import Context
    from mcp.server.mcpserver.exceptions import ToolError
    from mcp.types import ToolAnnotations

    made = MCPServer("Mortise", instructions=HOW, version=VERSION)
    reads, writes = ToolAnnotations(read_only_hint=True), ToolAnnotations(destructive_hint=False)

    def told(ctx: Any, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        try:
            return dict(ask(method, f"/api/v1{path}", _token(ctx, token, own_tokens), body))
        except ValueError as err:
            raise ToolError(str(err)) from None

    @made.tool(annotations=reads)
    def list_apps(ctx: Context) -> dict[str, Any]:
        """The apps and tables that you reach, and what you may do in each table."""
        return told(ctx, "GET", "/apps")

    @made.tool(annotations=reads)
    def describe_table(ctx: Context, app: str, table: str) -> dict[str, Any]:
        """A table's fields: ids, labels, types, options, what must be filled in, and an example of each value."""
        return told(ctx, "GET", _table(app, table))

    @made.tool(annotations=reads)
    def query_records(
        ctx: Context, app: str, table: str, filter: str = "", sort: str = "", fields: str = "", search: str = "", limit: int = 20,
        after: str = "",
    ) -> dict[str, Any]:  # fmt: skip
        """Records that satisfy a formula, in an order (`-amount,name`), with the fields named (`name,amount`).

        `after` is `next` of the page before. Names of people and linked records stand under `names`.
        """
        asked = {
            "filter": filter,
            "sort": sort,
            "fields": fields,
            "q": search,
            "after": after,
            "limit": str(limit),
            "expand": "names",
        }
        return told(ctx, "GET", f"{_table(app, table)}/records?{urlencode({k: v for k, v in asked.items() if v})}")

    @made.tool(annotations=reads)
    def read_record(ctx: Context, app: str, table: str, record: str) -> dict[str, Any]:
        """One record with all its fields, its rows included, and its version."""
        return told(ctx, "GET", f"{_table(app, table)}/records/{_part(record)}?expand=names")

    @made.tool(annotations=writes)
    def create_record(ctx: Context, app: str, table: str, fields: dict[str, Any]) -> dict[str, Any]:
        """Add a record. `fields` are values by field id."""
        return told(ctx, "POST", f"{_table(app, table)}/records", {"fields": fields})

    @made.tool(annotations=writes)
    def change_record(
        ctx: Context, app: str, table: str, record: str, fields: dict[str, Any], version: int
    ) -> dict[str, Any]:
        """Change the fields given, and no others. `version` is the one that you have read."""
        return told(
            ctx, "PATCH", f"{_table(app, table)}/records/{_part(record)}", {"fields": fields, "version": version}
        )

    @made.tool(annotations=reads)
    def list_tasks(ctx: Context) -> dict[str, Any]:
        """What waits for the member that you act as."""
        return told(ctx, "GET", "/tasks")

    @made.tool(annotations=reads)
    def read_draft(ctx: Context, app: str) -> dict[str, Any]:
        """An app's definition as it is being edited, what it would change when published, and what is wrong with it."""
        return told(ctx, "GET", f"/apps/{_part(app)}/draft")

    @made.tool(annotations=writes)
    def propose_change(ctx: Context, app: str, parts: dict[str, Any], counter: int, note: str = "") -> dict[str, Any]:
        """Propose a change of an app as a draft; a person publishes it. Nothing changes for anybody until then.

        `parts` are whole objects by name, such as `{"tables/claim": {...}}`; null takes one out. `counter` is that of the draft
        that you have read. The answer says what would change, and what is wrong.
        """
        return told(ctx, "PATCH", f"/apps/{_part(app)}/draft", {"parts": parts, "counter": counter, "note": note[:200]})

    return made


def _part(text: str) -> str:
    return quote(text, safe="")


def _table(app: str, table: str) -> str:
    return f"/apps/{_part(app)}/tables/{_part(table)}"


def _token(ctx: Any, token: str | None, own_tokens: bool) -> str | None:
    if not own_tokens:
        return token
    kind, _, sent = str((ctx.headers or {}).get("authorization", "")).partition(" ")
    return sent.strip() if kind.lower() == "bearer" else None


def over_http(base: str) -> Ask:
    """Ask the server at an address that the user has named."""

    def ask(method: str, path: str, token: str | None, body: Mapping[str, Any] | None) -> Any:
        sent = json.dumps(body).encode() if body is not None else None
        headers = {
            "Authorization": f"Bearer {token or ''}",
            "Accept-Language": "en",
            "Content-Type": "application/json",
        }
        request = urllib.request.Request(base.rstrip("/") + path, data=sent, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
                return json.loads(answer.read(LARGEST))
        except urllib.error.HTTPError as err:
            raise ValueError(problem(err.read(LARGEST))) from None
        except OSError as err:
            raise ValueError(f"{base} cannot be reached: {err}") from None

    return ask


def problem(answer: bytes) -> str:
    """What is wrong, in words and with the fields."""
    try:
        found = json.loads(answer)
        parts = [f"{e['path']}: {e['message']}" if e["path"] else e["message"] for e in found.get("errors", ())]
        return "\n".join([str(found["title"]), *parts])
    except (ValueError, KeyError, TypeError):
        return "The server gave an answer that cannot be understood."


def run(base: str, token: str | None, *, http: bool = False, host: str = "127.0.0.1", port: int = 8765) -> None:
    """Serve assistants: on standard input and output, or by streamable HTTP, where every caller sends their own token."""
    made = server(over_http(base), token, own_tokens=http)
    if http:
        made.run("streamable-http", host=host, port=port)
    else:
        made.run("stdio")
