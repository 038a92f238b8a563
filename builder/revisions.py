"""The published revisions of an app: when, by whom, what they changed, and the way back to any of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from builder import drafts
from builder.differences import Difference, differences
from builder.drafts import Draft
from builder.parts import Parts, split
from runtime import definitions
from runtime.context import Context
from runtime.people import Directory
from schemas.messages import say

PAGE = 20


@dataclass(frozen=True)
class Revision:
    """One publication of an app; `changes` are what it changed against the one before."""

    number: int
    at: datetime
    by: str
    note: str
    changes: Sequence[Difference]
    first: bool = False


def listed(ctx: Context, slug: str, before: int | None = None) -> list[Revision]:
    """Revisions of an app, the newest first, those below `before`; one more than a page where there are more."""
    inst = definitions.installed(ctx, slug)
    rows = definitions.revisions(ctx, inst.id, before, PAGE + 2)
    names = Directory.of(ctx).names(row.published_by for row in rows if row.published_by)
    found = []
    for n, row in enumerate(rows[: PAGE + 1]):
        older = rows[n + 1] if n + 1 < len(rows) else None
        changes = differences(older.package, row.package) if older else []
        by = names.get(row.published_by, "") if row.published_by else ""
        found.append(Revision(row.number, row.published_at, by, row.note or "", changes, older is None))
    return found


def package_at(ctx: Context, draft: Draft, number: int | None) -> dict[str, Any]:
    """The package of a revision, or the draft where there is no number. Raises NotFound."""
    if number is None:
        return draft.package
    return definitions.package(ctx, draft.kept.installation, number)


def take_back(ctx: Context, slug: str, counter: int | None, number: int) -> Draft:
    """Make an earlier revision the draft; what it lacks goes into the bin. Raises NotFound, Conflict."""
    installation = drafts.open_draft(ctx, slug).kept.installation
    earlier = split(definitions.package(ctx, installation, number))

    def back(parts: Parts) -> Parts:
        return Parts({**earlier, "bin": binned(parts, earlier)})

    return drafts.edit(ctx, slug, counter, say("Back to revision {n}", n=number), back)


def binned(now: Parts, then: Parts) -> dict[str, list[dict[str, Any]]]:
    """The bin of deleted fields when the parts become others: fields that vanish go in, those that return come out."""
    bin: dict[str, list[dict[str, Any]]] = {}
    for id in then["order/tables"]:
        there = {f["id"] for f in then[f"tables/{id}"]["fields"]}
        vanished = [{"field": f} for f in (now.get(f"tables/{id}") or {"fields": []})["fields"]]
        kept = [b for b in [*now.get("bin", {}).get(id, []), *vanished] if b["field"]["id"] not in there]
        if kept:
            bin[id] = kept
    return bin
