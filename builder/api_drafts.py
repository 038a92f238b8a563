"""An app's definition as programs read it and change it: always by a draft, never past the checks of publishing."""

from collections.abc import Mapping
from typing import Any

from builder import drafts
from builder.drafts import Draft
from builder.parts import KINDS, Parts, put, split, take
from runtime import definitions, tokens, wording
from runtime.context import Context
from runtime.scopes import within
from schemas.api import Redraft
from schemas.errors import InvalidInput, NotFound
from schemas.messages import Message, say
from schemas.parsers import ID

Json = dict[str, Any]
CHANGED = say("Changed through the API")


def published(ctx: Context, app: str) -> Json:
    """What everybody works with. Raises NotFound."""
    _allowed(ctx, app)
    inst = definitions.installed(ctx, app)
    package = definitions.package(ctx, inst.id, inst.revision)
    return {"app": app, "revision": inst.revision, "package": package}


def _allowed(ctx: Context, app: str) -> None:
    if not tokens.builds(ctx) or not within(ctx, app):
        raise NotFound


def draft(ctx: Context, app: str) -> Json:
    """The draft as it stands, what it would change, and what is wrong with it. Raises NotFound."""
    _allowed(ctx, app)
    return _told(ctx, drafts.open_draft(ctx, app))


def _told(ctx: Context, found: Draft) -> Json:
    problems = [{"path": p.path, "message": wording.translate(p.message)} for p in found.problems]
    changes = [f"{path}: {wording.translate(words)}" for path, words in drafts.pending(ctx, found)]
    return {
        "app": found.slug, "revision": found.revision, "counter": found.kept.counter, "package": found.package,
        "changes": changes, "problems": problems,
    }  # fmt: skip


def change(ctx: Context, app: str, sent: Redraft) -> Json:
    """Change the draft; nothing is published. Raises Conflict when somebody has edited since `counter`, InvalidInput."""
    _allowed(ctx, app)

    def edited(parts: Parts) -> Parts:
        if sent.package is not None:
            besides = {name: parts[name] for name in ("bin", "upgrade") if name in parts}
            return Parts({**_whole(sent.package), **besides})
        made = Parts(parts)
        for name, part in (sent.parts or {}).items():
            _put(made, name, part)
        return made

    note = Message(sent.note) if sent.note else CHANGED
    return _told(ctx, drafts.edit(ctx, app, sent.counter, note, edited))


def _whole(package: Mapping[str, Any]) -> Parts:
    """The package in parts. Raises InvalidInput for what cannot be taken apart."""
    for kind in KINDS:
        items = package.get(kind) or []
        if not isinstance(items, list):
            raise InvalidInput({f"package.{kind}": [say("expected a list")]})
        ids = [_id_of(item, f"package.{kind}[{n}]") for n, item in enumerate(items)]
        if repeated := {id for id in ids if ids.count(id) > 1}:
            raise InvalidInput({f"package.{kind}": [say("the id '{id}' is used twice", id=min(repeated))]})
    return split(package)


def _id_of(item: Any, path: str) -> str:
    id = item.get("id") if isinstance(item, dict) else None
    if not isinstance(id, str) or not ID.match(id):
        raise InvalidInput({path: [say("expected an object with an id")]})
    return id


def _put(parts: Parts, name: str, part: Any) -> None:
    """One object of the draft given anew, or taken out. Raises InvalidInput."""
    kind, _, id = name.partition("/")
    path = f"parts.{name[:100]}"
    if name == "manifest" and isinstance(part, dict):
        parts["manifest"] = {k: v for k, v in part.items() if k not in KINDS}
    elif kind not in KINDS or not ID.match(id):
        raise InvalidInput({path: [say("name a part such as {known}", known="tables/claim")]})
    elif part is None:
        take(parts, kind, id)
    elif _id_of(part, path) != id:
        raise InvalidInput({path: [say("the part has another id than its name")]})
    else:
        put(parts, kind, part)


def publish(ctx: Context, app: str, note: str) -> Json:
    """Raises DefinitionError with every problem, Conflict when the draft began from an older revision."""
    _allowed(ctx, app)
    done = drafts.publish(ctx, app, note)
    revision = getattr(done, "revision", None)
    return {"app": app, "revision": revision or definitions.installed(ctx, app).revision, "underway": revision is None}
