"""Everything that is kept of one person, given out; and taken away so that what they did stays and who they are does not."""

import json
import tempfile
import zipfile
from collections.abc import Iterator
from datetime import date
from typing import IO, Any
from uuid import UUID

from sqlalchemy import Column, LargeBinary, Table, delete, or_, select, update

from runtime import accounts, audit, avatars, mentions, models, roles
from runtime.actors import unlimited
from runtime.context import Context
from runtime.importing_people import APART
from runtime.models_flow import flow_log, notice
from runtime.models_forms import form_draft, form_sent
from runtime.models_importing import import_run
from runtime.models_people import duty, role_part
from runtime.people import Directory
from runtime.query import titles
from runtime.storage import Storage
from schemas.errors import InvalidInput, NotFound
from schemas.messages import say

POINTERS = frozenset({
    "member_id", "actor_id", "uploaded_by", "by_id", "published_by", "starter_id", "granted_by", "head_id", "target_id",
    "author_id", "created_by", "invited_by", "owner_id", "subject_id",
})  # fmt: skip
"""Columns of our own tables that name a member."""
SECRET = ("digest", "secret", "token", "password", "hash", "seal")
IN_MEMORY = 8_000_000
MOST_RECORDS = 20_000


def packed(ctx: Context, storage: Storage, member: UUID) -> IO[bytes]:
    """A zip of JSON: the person's account and facts, and every line of ours that names them. Raises NotFound."""
    person = ctx.conn.execute(select(models.member).where(models.member.c.id == member)).one_or_none()
    if person is None or not unlimited(ctx.actor):
        raise NotFound
    audit.note(ctx, "member.data_exported", person.name, member)
    out: Any = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 (the answer closes it)
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        _write(archive, "member.json", [_member(ctx, person)])
        _write(archive, "account.json", _account(ctx, person.account_id or person.former_account_id))
        for table in models.workspace_metadata.sorted_tables:
            if table is not models.member and (rows := _lines(ctx, table, member)) is not None:
                _write(archive, f"{table.name}.json", rows)
        _write(archive, "flow_log.json", _log(ctx, member))
        _write(archive, "records.json", _records(ctx, member))
        if person.avatar:
            with avatars.shown(ctx, storage, member)[0] as picture:
                archive.writestr("avatar.webp", picture.read())
    out.seek(0)
    return out  # type: ignore[no-any-return]


def _write(archive: zipfile.ZipFile, name: str, rows: Any) -> None:
    """A list of objects, one a line; nothing where there are none."""
    lines = (json.dumps(row, ensure_ascii=False, default=_plain) for row in rows)
    first = next(lines, None)
    if first is None:
        return
    with archive.open(name, "w", force_zip64=True) as file:
        file.write(f"[\n{first}".encode())
        for line in lines:
            file.write(f",\n{line}".encode())
        file.write(b"\n]\n")


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


def _shown(table: Table) -> list[Column[Any]]:
    return [c for c in table.columns if not isinstance(c.type, LargeBinary) and not any(s in c.name for s in SECRET)]


def _member(ctx: Context, row: Any) -> dict[str, Any]:
    units = Directory.of(ctx).units
    person = Directory.of(ctx).person(row.id)
    held = [{"role": f"{h.app}.{h.key.role}", "why": [p.kind for p in h.why]} for h in roles.held(ctx, row.id)]
    names = [units[u].name for u in (person.departments if person else ()) if u in units]
    return {**row._mapping, "departments": names, "roles": held}


def _account(ctx: Context, account: UUID | None) -> Iterator[dict[str, Any]]:
    """The account, and its sessions in this workspace."""
    a, s = models.account, models.session
    row = ctx.conn.execute(select(*_shown(a)).where(a.c.id == account)).one_or_none() if account else None
    if row is not None:
        here = (s.c.account_id == account, s.c.workspace_id == ctx.workspace.id)
        sessions = [dict(one._mapping) for one in ctx.conn.execute(select(*_shown(s)).where(*here))]
        yield {**row._mapping, "sessions": sessions}


def _lines(ctx: Context, table: Table, member: UUID) -> Iterator[dict[str, Any]] | None:
    """The lines of a table that name a member; None for a table that names nobody."""
    naming = [c for c in table.columns if c.name in POINTERS]
    if not naming:
        return None
    query = select(*_shown(table)).where(or_(*(c == member for c in naming)))
    rows = ctx.conn.execute(query.execution_options(yield_per=500))
    return (dict(row._mapping) for row in rows)


def _log(ctx: Context, member: UUID) -> Iterator[dict[str, Any]]:
    """What they did in flows, comments included."""
    entry = flow_log.c.entry
    for row in ctx.conn.execute(select(flow_log.c.instance_id, entry).where(entry["by"].astext == str(member))):
        yield {"run": row.instance_id, **row.entry}


def _records(ctx: Context, member: UUID) -> Iterator[dict[str, Any]]:
    """The records whose fields name them."""
    for mention in mentions.all_fields(ctx, "member"):
        ids = mentions.some(ctx, mention, member, MOST_RECORDS)
        named = titles(ctx, mention.live, ids) if ids else {}
        place = {"app": mention.live.inst.slug, "table": mention.live.id, "field": mention.path}
        yield from ({**place, "record": id, "title": named.get(id, "")} for id in ids)


# -- erasing ---------------------------------------------------------------------------------------


def erase(ctx: Context, storage: Storage, member: UUID) -> dict[str, int]:
    """Take away who somebody was: facts, picture, account, settings, messages. What they did stays, under a number.

    Gives how many lines went, by table. Only of one who has left. Raises NotFound, InvalidInput.
    """
    m = models.member
    row = ctx.conn.execute(select(m).where(m.c.id == member).with_for_update()).one_or_none()
    if row is None or not unlimited(ctx.actor):
        raise NotFound
    if row.left_at is None:
        raise InvalidInput({"": [say("Only of somebody who has left can the personal data be erased.")]})
    avatars.remove(ctx, storage, member)
    done = {"member": 1, "account": _erase_account(ctx, row.former_account_id), **_erase_lines(ctx, member)}
    blank = dict.fromkeys(("email", "phone", "title", "company", "department_id", "former_account_id"))
    values = {**blank, "name": nameless(ctx, member), "erased_at": ctx.now, "account_id": None}
    ctx.conn.execute(update(m).where(m.c.id == member).values(values))
    audit.note(ctx, "member.erased", str(values["name"]), member)
    Directory.of(ctx).forget()
    return done


def nameless(ctx: Context, member: UUID) -> str:
    """What somebody is called whose name was erased."""
    words = {"zh": "已离职成员", "en": "Former member"}
    return f"{words.get(ctx.workspace.language, words['en'])} {member.hex[-6:]}"


def _erase_lines(ctx: Context, member: UUID) -> dict[str, int]:
    own = (models.preference, form_draft, form_sent, notice, duty, models.member_department, models.role_member)
    done = {t.name: ctx.conn.execute(delete(t).where(t.c.member_id == member)).rowcount for t in own}
    p, r = role_part, import_run
    done["role_part"] = ctx.conn.execute(delete(p).where(p.c.kind == "member", p.c.target_id == member)).rowcount
    ended = (r.c.installation_id == APART, r.c.state.not_in(("mapping", "waiting", "running")))
    files = update(r).where(*ended).values(content=b"", report=None)
    done["import_run"] = ctx.conn.execute(files).rowcount
    return done


def _erase_account(ctx: Context, account: UUID | None) -> int:
    """The account goes when it opens no other workspace."""
    a = models.account
    if account is None or accounts.workspaces_of(ctx.conn, account):
        return 0
    return ctx.conn.execute(delete(a).where(a.c.id == account)).rowcount
