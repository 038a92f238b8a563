"""A language model behind an OpenAI-compatible API. Off until an administrator sets one up; asked through the one way out."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from runtime import audit, egress, errands, sealing
from runtime.context import Context, Opened
from runtime.errands import Errand
from runtime.jobs import job
from runtime.models_ai import ai_endpoint
from runtime.outgoing import Refused
from runtime.phrases import worded
from runtime.running import Running
from schemas.engine import Perform
from schemas.errors import InvalidInput
from schemas.messages import Message, say
from schemas.payloads import read_json
from schemas.request import server_of
from schemas.steps.ai import AiStep

PURPOSE = "key of a language model"
PATIENCE = 90.0
LONGEST_PROMPT = 60_000
LATER = (408, 429, 500, 502, 503, 504)
OFF = say("No language model is set up. An administrator can do so in the settings of the workspace.")
ODD = say("The language model answered in a way that cannot be read.")
e = ai_endpoint.c

audit.kind("workspace.ai_set", say("Set up the language model {about}"))
audit.kind("workspace.ai_removed", say("Took away the language model {about}"))


@dataclass(frozen=True)
class Endpoint:
    address: str
    model: str
    key: str = ""


# -- setting up ------------------------------------------------------------------------------------


def endpoint(ctx: Context) -> Endpoint | None:
    """What is set up, with its key; None where nothing is, or its key was sealed by another installation."""
    row = ctx.conn.execute(select(ai_endpoint)).one_or_none()
    key = sealing.opened(row.sealed, PURPOSE) if row and row.sealed else ""
    return Endpoint(row.address, row.model, key) if row is not None and key is not None else None


def set_up(ctx: Context, address: str, model: str, key: str) -> None:
    """An empty key keeps the one there is, for the same server. Raises InvalidInput."""
    address, model, key = address.strip().rstrip("/"), model.strip(), key.strip()
    before, errors = endpoint(ctx), {}
    if not server_of(address):
        errors["address"] = [say("Write the address of the API, such as https://api.example.com/v1")]
    else:
        try:
            egress.check(address)
        except Refused as err:
            errors["address"] = [err.reason]
    if not model or len(model) > 200:
        errors["model"] = [say("Name the model.")]
    if not (key.isascii() and len(key) <= 4_000):
        errors["key"] = [say("Latin letters, digits and signs only.")]
    if errors:
        raise InvalidInput(errors)
    kept = before.key if not key and before and server_of(before.address) == server_of(address) else key
    values = {"address": address, "model": model, "sealed": sealing.seal(kept, PURPOSE) if kept else "",
              "made_by": ctx.actor.id, "made_at": ctx.now}  # fmt: skip
    ctx.conn.execute(insert(ai_endpoint).values(id=1, **values).on_conflict_do_update(index_elements=["id"], set_=values))
    audit.note(ctx, "workspace.ai_set", model, server=server_of(address))


def take_away(ctx: Context) -> None:
    name = ctx.conn.scalar(delete(ai_endpoint).returning(e.model))
    if name is not None:
        audit.note(ctx, "workspace.ai_removed", name)


# -- asking ----------------------------------------------------------------------------------------


def complete(found: Endpoint, messages: Sequence[Mapping[str, str]], as_json: bool = False, timeout: float = PATIENCE) -> str:
    """The model's answer as text. Holds no transaction. Raises Refused, and Unreachable for what may go better later."""
    body: dict[str, Any] = {"model": found.model, "messages": list(messages), "temperature": 0}
    if as_json:
        body["response_format"] = {"type": "json_object"}
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {found.key}"} if found.key else {})}
    answer = egress.send(
        "POST", f"{found.address}/chat/completions", headers=headers, body=json.dumps(body, ensure_ascii=False).encode(),
        timeout=timeout, redirects=0,
    )  # fmt: skip
    if not answer.ok:
        told = say("The other side refused: {status} {text}", status=answer.status, text=" ".join(answer.text.split())[:300])
        raise egress.Unreachable(told) if answer.status in LATER else Refused(told)
    try:
        text = json.loads(answer.text)["choices"][0]["message"]["content"]
    except (ValueError, LookupError, TypeError):
        raise Refused(ODD) from None
    if not isinstance(text, str):
        raise Refused(ODD)
    return text.replace("\x00", "")


def json_in(text: str) -> Any:
    """The JSON of an answer, also where the model has put it between fences. Raises ValueError."""
    inner = text.strip()
    if inner.startswith("```"):
        inner = inner.partition("\n")[2].rpartition("```")[0]
    return read_json(inner)


# -- the step of a flow ----------------------------------------------------------------------------

SHAPE = "Answer with one JSON object of exactly this shape, and nothing besides: {sample}"


def ask_later(ctx: Context, running: Running, step: Any, effect: Perform, hops: int) -> None:
    """A job asks once the transaction is kept, with the text as it reads now."""
    assert isinstance(step, AiStep)
    said = worded(ctx, running, step.prompt)
    prompt = said.in_language(ctx.workspace.language) if said else ""
    if len(prompt) > LONGEST_PROMPT:
        raise InvalidInput({"": [say("The text for the language model is too long: at most {n} characters.", n=LONGEST_PROMPT)]})
    errands.later(ctx, running, "flow_ai", effect, hops, {"prompt": prompt})


@job("flow_ai", queue="webhooks", retry=3, chunked=True, failed=errands.given_up)
def ask(opened: Opened, **arguments: Any) -> None:
    """Ask the model, and let the flow go on with what it says."""
    errand = Errand(**arguments)
    prompt = errand.given["prompt"]
    with opened() as ctx:
        waiting, found, zone = errands.waiting(ctx, errand), endpoint(ctx), ctx.zone
        if waiting is None:
            return
        if found is None:
            errands.failed(ctx, errand, OFF)
            return
    step = waiting[1]
    assert isinstance(step, AiStep)
    said = _answer(found, step, prompt, zone)
    with opened() as ctx:
        if isinstance(said, Message):
            errands.failed(ctx, errand, said)
        else:
            errands.done(ctx, errand, said, {"sent": f"{found.model}: {prompt[:2_000]}"})


def _answer(found: Endpoint, step: AiStep, prompt: str, zone: Any) -> Mapping[str, Any] | Message:
    """What the model says, as the values that formulas expect; or why it does not count. Raises Unreachable."""
    sample = step.sample.strip()
    messages = [{"role": "user", "content": prompt}]
    if sample:
        messages.insert(0, {"role": "system", "content": SHAPE.format(sample=sample)})
    try:
        text = complete(found, messages, as_json=bool(sample))
        return step.fit(text, json_in(text) if sample else None, zone)
    except Refused as err:
        return err.reason
    except ValueError:
        return ODD
