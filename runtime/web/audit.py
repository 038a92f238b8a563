"""The audit trail, for the workspace's administrators: searched, exported, and how long it is kept."""

import csv
import io
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, make_response, redirect, render_template, request, send_file

from runtime import audit, audit_trail
from runtime.audit_trail import Asked, Event
from runtime.context import Context
from runtime.devices import device
from runtime.sheets import harmless
from runtime.web.edge import tell, words, work
from runtime.web.frame import frame
from schemas.errors import InvalidInput, NotFound
from schemas.messages import say

bp = Blueprint("audit", __name__)
HEADINGS = (
    say("Number"), say("When"), say("Who"), say("What"), say("Address"), say("Browser"), say("Kind"), say("Details"),
    say("Hash"),
)  # fmt: skip


def administrator(ctx: Context) -> None:
    if not getattr(ctx.actor, "admin", False):
        raise NotFound


def _asked(ctx: Context) -> Asked:
    """The question in the address. What makes no sense in it is left out."""
    sent = request.args
    until = audit_trail.day_of(ctx, sent.get("until", ""))
    group = sent.get("group", "")
    return Asked(
        sent.get("q", "").strip()[:100], group if group in audit.GROUPS else "",
        audit_trail.day_of(ctx, sent.get("since", "")), until + timedelta(days=1) if until else None,
        _cursor(sent.get("before", "")),
    )  # fmt: skip


def _cursor(text: str) -> tuple[datetime, UUID] | None:
    at, _, id = text.partition("_")
    try:
        return datetime.fromisoformat(at), UUID(id)
    except ValueError:
        return None


@bp.get("/audit/")
def index() -> Any:
    with work() as ctx:
        administrator(ctx)
        return _page(ctx)


def _page(ctx: Context, errors: dict[str, Any] | None = None, status: int = 200) -> Any:
    asked = _asked(ctx)
    found = audit_trail.listed(ctx, asked, audit_trail.PAGE + 1)
    shown, more = found[: audit_trail.PAGE], len(found) > audit_trail.PAGE
    question = {k: request.args.get(k, "") for k in ("q", "group", "since", "until") if request.args.get(k)}
    frame(ctx)
    page = render_template(
        "runtime/audit.html", events=[(e, device(e.agent)) for e in shown], groups=audit.GROUPS, sent=request.args,
        question=question, later=f"{shown[-1].at.isoformat()}_{shown[-1].id}" if more else "",
        days=audit_trail.retention(ctx.conn, ctx.workspace), errors=errors or {},
    )  # fmt: skip
    return make_response(page, status)


@bp.get("/audit/export")
def export() -> Any:
    """What the question finds, as CSV with numbers and hashes."""
    with work() as ctx:
        administrator(ctx)
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerow([words(heading) for heading in HEADINGS])
        for event in audit_trail.everything(ctx, replace(_asked(ctx), before=None)):
            writer.writerow([harmless(cell) for cell in _cells(ctx, event)])
        audit.note(ctx, "audit.exported", question=request.query_string.decode("utf-8", "replace")[:300])
        name = f"audit-{ctx.workspace.slug}-{ctx.today}.csv"
    body = io.BytesIO(out.getvalue().encode("utf-8-sig"))
    return send_file(body, mimetype="text/csv", as_attachment=True, download_name=name)


def _cells(ctx: Context, event: Event) -> list[str]:
    at = event.at.astimezone(ctx.zone).isoformat(timespec="seconds")
    details = "; ".join(f"{name}: {value}" for name, value in event.details.items())
    number = "" if event.number is None else str(event.number)
    return [
        number,
        at,
        event.actor_name,
        words(event.sentence),
        event.address,
        event.agent,
        event.kind,
        details,
        event.hash,
    ]


@bp.post("/audit/retention")
def retention() -> Any:
    sent = request.form.get("days", "").strip()
    try:
        with work() as ctx:
            administrator(ctx)
            audit_trail.set_retention(ctx, (int(sent) if sent.isdecimal() and len(sent) < 7 else -1) if sent else None)
    except InvalidInput as err:
        with work() as ctx:
            return _page(ctx, err.errors, 422)
    tell(say("Saved."))
    return redirect("/audit/", 303)
