"""The audit trail: what people did that somebody may have to answer for. Written in the transaction that does it.

One line notes it: `audit.note(ctx, "app.published", about="expense", revision=4)`. The kinds are below; a room adds its own
with `kind(...)`. The database seals every event with the hash of the one before (`runtime/models_audit.py`).
"""

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, insert, select, text

from runtime import models
from runtime.context import Context
from runtime.ids import new_id
from runtime.models_audit import control_audit, workspace_audit
from schemas.messages import Message, say
from schemas.text import Text

LONGEST = 300


@dataclass(frozen=True)
class Kind:
    """Something that is noted. `{about}` and the details stand in its sentence by name."""

    id: str
    sentence: Message

    @property
    def group(self) -> str:
        return self.id.partition(".")[0]


GROUPS = {
    "sign_in": say("Signing in"),
    "account": say("Accounts"),
    "member": say("Members and departments"),
    "rights": say("Rights"),
    "app": say("Apps"),
    "data": say("Records and files"),
    "link": say("Public links"),
    "token": say("Tokens and webhooks"),
    "workspace": say("Workspace"),
    "audit": say("Audit trail"),
}
KINDS: dict[str, Kind] = {}


def kind(id: str, sentence: Message) -> None:
    """Declare a kind of event, `group.what`; the group is one of `GROUPS`."""
    if id in KINDS or id.partition(".")[0] not in GROUPS:
        raise TypeError(f"audit kind {id!r} is there already, or its group is not")
    KINDS[id] = Kind(id, sentence)


kind("sign_in.succeeded", say("Signed in"))
kind("sign_in.failed", say("Failed to sign in as {about}"))
kind("sign_in.limited", say("Too many attempts to sign in as {about}"))
kind("sign_in.second_failed", say("Gave a wrong second factor as {about}"))
kind("sign_in.ended", say("Signed out"))
kind("account.password_changed", say("Changed their password"))
kind("account.reset_asked", say("Asked for a new password for {about}"))
kind("account.password_reset", say("Set a new password by mail"))
kind("account.email_asked", say("Asked to change the e-mail address to {about}"))
kind("account.email_changed", say("Changed the e-mail address from {before} to {about}"))
kind("account.totp_on", say("Turned two-step sign-in on"))
kind("account.totp_off", say("Turned two-step sign-in off"))
kind("account.codes_made", say("Made new recovery codes"))
kind("account.code_used", say("Signed in with a recovery code"))
kind("account.session_ended", say("Ended a session ({about})"))
kind("account.sessions_ended", say("Ended all other sessions"))
kind("account.linked", say("Linked the account with {about}"))
kind("account.unlinked", say("Unlinked the account from {about}"))
kind("account.confirmed", say("Confirmed who they are"))
kind("member.invited", say("Invited {about}"))
kind("member.invitation_ended", say("Withdrew the invitation of {about}"))
kind("member.joined", say("Joined the workspace"))
kind("member.added", say("Added the member {about}"))
kind("member.changed", say("Changed the member {about}"))
kind("member.let_in", say("Let {about} sign in"))
kind("member.password_renewed", say("Gave {about} a new password"))
kind("member.left", say("Removed the member {about}"))
kind("member.came_back", say("Took back the member {about}"))
kind("member.data_exported", say("Exported the personal data of {about}"))
kind("member.department_merged", say("Merged the department {about} into {into}"))
kind("member.went", say("Left the workspace"))
kind("member.handed_over", say("Handed over what belonged to {about} to {to}"))
kind("member.imported", say("Imported members from {about}"))
kind("member.exported", say("Exported the members"))
kind("member.department_added", say("Added the department {about}"))
kind("member.department_changed", say("Changed the department {about}"))
kind("member.department_removed", say("Removed the department {about}"))
kind("member.erased", say("Erased the personal data of {about}"))
kind("rights.admin_given", say("Made {about} an administrator"))
kind("rights.admin_taken", say("{about} is no longer an administrator"))
kind("rights.role_changed", say("Changed who has the role {about}"))
kind("rights.workspace_role_changed", say("Changed the role {about} of the workspace"))
kind("rights.workspace_role_removed", say("Removed the role {about} of the workspace"))
kind("rights.duty_given", say("Let {about} administer {what}"))
kind("rights.duty_taken", say("{about} no longer administers {what}"))
kind("rights.grants_changed", say("Changed the rights in {about}"))
kind("rights.viewed_as", say("Viewed the workspace as {about}"))
kind("app.made", say("Made the app {about}"))
kind("app.installed", say("Installed the app {about}"))
kind("app.published", say("Published revision {revision} of {about}"))
kind("app.exported", say("Exported the definition of {about}"))
kind("app.removed", say("Removed the app {about}"))
kind("app.restored", say("Brought back the app {about}"))
kind("app.purged", say("Deleted the app {about} with all its data for good"))
kind("app.upgraded", say("Prepared the upgrade of {about} to version {version}"))
kind("app.purged_part", say("Deleted {what} of {about} for good"))
kind("app.package_sent", say("Uploaded the package {about}, version {version}"))
kind("app.package_removed", say("Removed the uploaded package {about}"))
kind("app.sample_added", say("Added {n} records of sample data to {about}"))
kind("app.sample_removed", say("Removed {n} records of sample data from {about}"))
kind("data.exported", say("Exported {n} records of {about}"))
kind("data.printed", say("Printed {n} records of {about}"))
kind("data.imported", say("Imported a file into {about}"))
kind("data.purged", say("Deleted {n} records of {about} for good"))
kind("link.made", say("Made a public link to {about}"))
kind("link.changed", say("Changed the public link to {about}"))
kind("link.opened", say("Opened the public link to {about} again"))
kind("link.closed", say("Closed the public link to {about}"))
kind("link.removed", say("Removed the public link to {about}"))
kind("token.made", say("Made the token {about}"))
kind("token.changed", say("Changed the token {about}"))
kind("token.revoked", say("Revoked the token {about}"))
kind("token.hook_made", say("Made the webhook {about}"))
kind("token.hook_changed", say("Changed the webhook {about}"))
kind("token.hook_removed", say("Removed the webhook {about}"))
kind("workspace.made", say("Made the workspace {about}"))
kind("workspace.changed", say("Changed the settings of the workspace"))
kind("workspace.backed_up", say("Made a backup"))
kind("workspace.restored", say("Restored a backup of {about}"))
kind("audit.exported", say("Exported the audit trail"))
kind("audit.trimmed", say("{n} events older than {days} days were removed, up to number {number}"))
kind("audit.kept_for_ever", say("The audit trail is kept for ever"))
kind("audit.retention", say("Changed how long the audit trail is kept: {days} days"))


@dataclass(frozen=True)
class Place:
    """From where a request came."""

    address: str = ""
    agent: str = ""


NOWHERE = Place()
_place: ContextVar[Place] = ContextVar("place", default=NOWHERE)  # noqa: B039  (a Place is frozen)


def come_from(address: str, agent: str) -> None:
    """Said by the door, for everything that is noted in the request."""
    _place.set(Place(address[:64], agent[:LONGEST]))


def address() -> str:
    """Where the request comes from; empty in a job."""
    return _place.get().address


def note(ctx: Context, kind: str, about: str = "", about_id: object = None, **details: Any) -> None:
    """Note what the actor does, in this transaction. Details are plain values, or texts of definitions."""
    who = (ctx.actor.kind, ctx.actor.id, ctx.actor.name)
    row = _row(kind, who, about, about_id, details, ctx.now)
    ctx.conn.execute(insert(workspace_audit).values(**row, origin=ctx.origin or None))


def note_account(
    conn: Connection, account: UUID | None, kind: str, about: str = "", about_id: object = None, *, name: str = "",
    **details: Any,
) -> None:  # fmt: skip
    """Note what somebody does to their account, or fails to. The workspaces that they belong to may read it."""
    row = _row(kind, ("account" if account else "stranger", account, name), about, about_id, details, datetime.now(UTC))
    m = models.membership
    # One statement whether there is such an account or not: the time taken must not tell.
    here = select(m.c.workspace_id).where(m.c.account_id == (account or UUID(int=0))).scalar_subquery()
    conn.execute(insert(control_audit).values(**row, workspaces=func.array(here)))


def note_server(conn: Connection, kind: str, about: str = "", workspace: UUID | None = None, **details: Any) -> None:
    """Note what an operator does at the command line, outside of any workspace."""
    row = _row(kind, ("system", None, ""), about, None, details, datetime.now(UTC))
    seen_by = [workspace] if workspace else []
    conn.execute(insert(control_audit).values(**row, origin="command", workspaces=seen_by))


def kept(conn: Connection) -> bool:
    """Whether this installation has a trail already."""
    return conn.scalar(text("SELECT to_regclass('control.audit')")) is not None


def _row(
    kind: str, who: tuple[str, UUID | None, str], about: str, about_id: object, details: Mapping[str, Any], at: datetime
) -> dict[str, Any]:
    place = _place.get()
    return {
        "id": new_id(), "at": at, "kind": KINDS[kind].id, "actor_kind": who[0], "actor_id": who[1],
        "actor_name": who[2][:LONGEST], "address": place.address or None, "agent": place.agent or None,
        "about": about[:LONGEST], "about_id": None if about_id is None else str(about_id)[:LONGEST],
        "details": {name: _plain(value) for name, value in details.items()},
    }  # fmt: skip


def _plain(value: Any) -> Any:
    if isinstance(value, Text):
        return value.dump()
    if isinstance(value, UUID | date | datetime):
        return str(value)
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(one) for one in value]
    return value
