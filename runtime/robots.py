"""Messages to group chats, by the robots of WeCom, DingTalk, Feishu (Lark) and Slack.

Each has an address of its own, which is as good as a key and is kept sealed. A message is a job of the flow's
transaction; the address is asked through the one way out.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote_plus
from uuid import UUID

from sqlalchemy import Row, delete, insert, select, update

from runtime import audit, egress, notices, sealing
from runtime.context import Context
from runtime.ids import new_id
from runtime.jobs import enqueue, job
from runtime.models_robots import robot
from runtime.notices import spoken
from runtime.outgoing import Refused
from schemas.errors import InvalidInput, NotFound
from schemas.messages import Message, say
from schemas.text import Sentence

PURPOSE = "address of a chat robot"
LONGEST_NAME, LONGEST_TEXT = 60, 4_000
MOST = 100
Json = dict[str, Any]


@dataclass(frozen=True)
class Kind:
    """A chat: its name, how a text is told to its robot, how a message is signed, and what its answer says is wrong."""

    title: Message
    body: Callable[[str], Json]
    sign: Callable[[str, Json, str, datetime], tuple[str, Json]]
    refusal: Callable[[Mapping[str, Any]], str]


def _unsigned(address: str, body: Json, secret: str, now: datetime) -> tuple[str, Json]:
    return address, body


def _dingtalk(address: str, body: Json, secret: str, now: datetime) -> tuple[str, Json]:
    """DingTalk's "additional signature": HMAC-SHA256 of milliseconds and secret, in the address."""
    moment = str(int(now.timestamp() * 1000))
    digest = hmac.new(secret.encode(), f"{moment}\n{secret}".encode(), hashlib.sha256).digest()
    return f"{address}&timestamp={moment}&sign={quote_plus(base64.b64encode(digest))}", body


def _feishu(address: str, body: Json, secret: str, now: datetime) -> tuple[str, Json]:
    """Feishu's signature: HMAC-SHA256 of nothing under seconds and secret, in the body."""
    moment = str(int(now.timestamp()))
    digest = hmac.new(f"{moment}\n{secret}".encode(), b"", hashlib.sha256).digest()
    return address, {"timestamp": moment, "sign": base64.b64encode(digest).decode(), **body}


def _text(text: str) -> Json:
    return {"msgtype": "text", "text": {"content": text}}


def _errcode(said: Mapping[str, Any]) -> str:
    return "" if said.get("errcode") in (0, None) else str(said.get("errmsg") or said["errcode"])


def _code(said: Mapping[str, Any]) -> str:
    return "" if said.get("code") in (0, None) else str(said.get("msg") or said["code"])


KINDS: dict[str, Kind] = {
    "wecom": Kind(say("WeCom"), _text, _unsigned, _errcode),
    "dingtalk": Kind(say("DingTalk"), _text, _dingtalk, _errcode),
    "feishu": Kind(
        say("Feishu (Lark)"), lambda text: {"msg_type": "text", "content": {"text": text}}, _feishu, _code
    ),
    "slack": Kind(say("Slack"), lambda text: {"text": text}, _unsigned, lambda said: ""),
}  # fmt: skip


audit.kind("workspace.robot_added", say("Added the chat robot {about}"))
audit.kind("workspace.robot_removed", say("Removed the chat robot {about}"))

# -- robots ----------------------------------------------------------------------------------------


def all_of(ctx: Context) -> Sequence[Any]:
    """The workspace's robots by name, without their addresses."""
    r = robot.c
    return ctx.conn.execute(select(r.id, r.name, r.kind, r.made_at, r.problem).order_by(r.name)).all()


def add(ctx: Context, name: str, kind: str, address: str, signing: str = "") -> UUID:
    """Raises InvalidInput with what is wrong, by the names of the arguments."""
    name, address, signing = " ".join(name.split()), address.strip(), signing.strip()
    errors: dict[str, list[Any]] = {}
    if not name or len(name) > LONGEST_NAME or "\x00" in name:
        errors["name"] = [say("Give the robot a name of at most {n} characters.", n=LONGEST_NAME)]
    elif ctx.conn.scalar(select(robot.c.id).where(robot.c.name == name)):
        errors["name"] = [say("There is a robot of this name already.")]
    if kind not in KINDS:
        errors["kind"] = [say("Choose the chat.")]
    if len(all_of(ctx)) >= MOST:
        errors["name"] = [say("There are {n} robots already. Remove one first.", n=MOST)]
    try:
        egress.check(address)
    except Refused as err:
        errors["address"] = [err.reason]
    if errors:
        raise InvalidInput(errors)
    id = new_id()
    kept = {"address": sealing.seal(address, PURPOSE), "signing": sealing.seal(signing, PURPOSE) if signing else ""}
    ctx.conn.execute(insert(robot).values(id=id, name=name, kind=kind, made_by=ctx.actor.id, made_at=ctx.now, **kept))
    audit.note(ctx, "workspace.robot_added", name, id, chat=kind)
    return id


def remove(ctx: Context, id: UUID) -> None:
    """Raises NotFound."""
    name = ctx.conn.scalar(delete(robot).where(robot.c.id == id).returning(robot.c.name))
    if name is None:
        raise NotFound
    audit.note(ctx, "workspace.robot_removed", name, id)


# -- messages --------------------------------------------------------------------------------------


def tell(ctx: Context, names: Sequence[str], sentence: Sentence, about: Mapping[str, Any]) -> None:
    """Send a sentence, and where what it is about is found, by the robots of these names, when the transaction is kept."""
    if names:
        text = f"{spoken(sentence, ctx.workspace.language)}\n{notices.page_address(ctx, notices.address(about) or '/')}"
        for id in ctx.conn.scalars(select(robot.c.id).where(robot.c.name.in_(names)).order_by(robot.c.name)):
            enqueue(ctx, "robots.send", {"id": str(id), "text": text[:LONGEST_TEXT]})


def try_out(ctx: Context, id: UUID, text: str) -> str:
    """Send a text at once; gives why it did not arrive, or nothing. Raises NotFound."""
    found = ctx.conn.execute(select(robot).where(robot.c.id == id)).one_or_none()
    if found is None:
        raise NotFound
    try:
        problem = _sent(found, text, ctx.now)
    except egress.Unreachable as err:
        problem = err.reason
    return _note(ctx, id, problem)


def _note(ctx: Context, id: UUID, problem: Sentence | str) -> str:
    """Keep why the last message did not arrive, in the workspace's language."""
    told = problem if isinstance(problem, str) else spoken(problem, ctx.workspace.language)
    ctx.conn.execute(update(robot).where(robot.c.id == id).values(problem=told[:500]))
    return told


def _given_up(ctx: Context, error: Exception, id: str, text: str) -> None:
    _note(ctx, UUID(id), error.reason if isinstance(error, egress.Unreachable) else str(error))


@job("robots.send", queue="webhooks", failed=_given_up)
def send(ctx: Context, id: str, text: str) -> None:
    """The job: tried again where nobody answers; what the chat refuses is kept beside the robot."""
    found = ctx.conn.execute(select(robot).where(robot.c.id == UUID(id))).one_or_none()
    if found is not None:
        _note(ctx, found.id, _sent(found, text, ctx.now))


def _sent(found: Row[Any], text: str, now: datetime) -> Sentence | str:
    """Send a text; gives why the chat refused it, or nothing. Raises Unreachable."""
    address, signing = (sealing.opened(one, PURPOSE) if one else "" for one in (found.address, found.signing))
    if not address:
        return say("The address was sealed by another installation. Remove the robot and add it again.")
    kind = KINDS[found.kind]
    body = kind.body(text)
    if signing:
        address, body = kind.sign(address, body, signing, now)
    try:
        answer = egress.send(
            "POST", address, headers={"Content-Type": "application/json"}, body=json.dumps(body, ensure_ascii=False).encode()
        )
    except Refused as err:
        return err.reason
    if not answer.ok:
        return f"HTTP {answer.status}: {answer.text[:200]}"
    return kind.refusal(_read(answer.text))


def _read(text: str) -> Mapping[str, Any]:
    try:
        said = json.loads(text)
    except ValueError:
        return {}
    return said if isinstance(said, Mapping) else {}
