"""Editing an app: its draft, one edit at a time, and publishing."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any
from uuid import UUID

from builder import changes, check
from builder.differences import between
from builder.parts import KINDS, Parts, apart, join, split, word_of
from runtime import changeover, definitions, drafts, powers
from runtime import consequences as found
from runtime.actors import unlimited
from runtime.consequences import Consequence
from runtime.context import Context
from runtime.definitions import Installed
from runtime.drafts import Kept
from runtime.ids import new_id
from schemas.app import App
from schemas.errors import Conflict, InvalidInput, NotFound, Problem
from schemas.messages import Message, say
from schemas.uses import Uses, uses_of


@dataclass(frozen=True)
class Draft:
    """An app as it is being edited."""

    slug: str
    kept: Kept
    revision: int

    @property
    def parts(self) -> Parts:
        return Parts(self.kept.parts)

    @property
    def package(self) -> dict[str, Any]:
        return join(self.parts)

    @property
    def app(self) -> App | None:
        """The app that the draft describes, if it can be read at all."""
        return understood(self.kept).app

    @property
    def problems(self) -> list[Problem]:
        return understood(self.kept).problems

    def uses(self, table: str, field: str) -> list[str]:
        """Where a field is used, as paths in the package."""
        return understood(self.kept).uses.get((table, field), [])


@dataclass(frozen=True)
class Understood:
    """What a draft's parts come to: kept, because choosing a field changes nothing of it."""

    parts: dict[str, Any]
    app: App | None
    problems: list[Problem]

    @cached_property
    def uses(self) -> Uses:
        return uses_of(self.app) if self.app is not None else {}


_understood: dict[Any, Understood] = {}


def understood(kept: Kept) -> Understood:
    found = _understood.get(kept.installation)
    if found is None or found.parts != kept.parts:
        if len(_understood) > 200:
            _understood.clear()
        app, problems = check.understand(join(kept.parts))
        found = _understood[kept.installation] = Understood(kept.parts, app, problems)
    return found


def create(ctx: Context, title: str) -> str:
    """A new, empty app; gives its slug. Raises InvalidInput without a title."""
    title = title.strip()[:80]
    if not title or "\x00" in title:
        raise InvalidInput({"title": [say("Give the app a name.")]})
    slug = free_slug(ctx, title)
    package = changes.new_app(slug, title)
    definitions.publish(ctx, slug, package, note="created")
    return slug


def free_slug(ctx: Context, title: str) -> str:
    """A short name for a new app, of its title where that has Latin letters."""
    taken = [inst.slug for inst in definitions.all_installed(ctx)]
    word = word_of(title, "app")
    return word if word not in taken and not _there(ctx, word) else f"{word}_{new_id().hex[-6:]}"


def _there(ctx: Context, slug: str) -> bool:
    try:
        drafts.installation_of(ctx, slug)
    except NotFound:
        return False
    return True


def open_draft(ctx: Context, slug: str) -> Draft:
    """The app's draft, begun from what is published when there is none. Raises NotFound, DefinitionError."""
    installation, revision = drafts.installation_of(ctx, slug)
    if revision:
        definitions.installed(ctx, slug)
    try:
        kept = drafts.read(ctx, installation)
    except NotFound:
        package = drafts.published(ctx, installation, revision) or changes.new_app(slug, slug)
        drafts.begin(ctx, installation, revision, split(package))
        kept = drafts.read(ctx, installation)
    return Draft(slug, kept, revision)


def edit(ctx: Context, slug: str, counter: int | None, words: Message, change: Callable[[Parts], Parts]) -> Draft:
    """Make one edit and keep it. Raises Conflict when somebody else has edited since, InvalidInput."""
    draft = _as_seen(ctx, slug, counter)
    drafts.save(ctx, draft.kept, change(draft.parts), words)
    return open_draft(ctx, slug)


def undo(ctx: Context, slug: str, counter: int | None = None, back: bool = True) -> tuple[Draft, Message | None]:
    """Undo the last edit, or redo the last undone one, and say what it was.

    Raises Conflict when somebody else has edited since: theirs would be undone unseen.
    """
    done = drafts.step(ctx, _as_seen(ctx, slug, counter).kept, back)
    return open_draft(ctx, slug), done


def _as_seen(ctx: Context, slug: str, counter: int | None) -> Draft:
    """The draft, locked, if nobody else has touched it since it stood at this counter. Raises Conflict."""
    drafts.lock(ctx, drafts.installation_of(ctx, slug)[0])
    draft = open_draft(ctx, slug)
    if counter is not None and counter != draft.kept.counter and drafts.others_since(ctx, draft.kept, counter):
        raise Conflict([], {}, draft.kept.counter)
    return draft


def pending(ctx: Context, draft: Draft) -> list[tuple[str, Message]]:
    """What publishing would change, in words."""
    before = drafts.published(ctx, draft.kept.installation, draft.revision)
    now = draft.parts
    for kind in KINDS:
        now.setdefault(f"order/{kind}", [])  # of a draft that was begun before there was such a kind
    return between(apart(before or {}), now)


def consequences(ctx: Context, draft: Draft) -> list[Consequence]:
    """What publishing would do to the records that are there; nothing for an app without any yet.

    Whoever designs without administering everything is told how many, not which.
    """
    after = draft.app
    if after is None or not draft.revision:
        return []
    told = found.consequences(ctx, definitions.installed(ctx, draft.slug), after)
    return list(told) if unlimited(ctx.actor) else [replace(one, samples=()) for one in told]


def publish(ctx: Context, slug: str, note: str = "") -> Installed | UUID:
    """Publish the draft, or begin to: the run of a changeover, where types change on a large table.

    Raises DefinitionError with every problem, Conflict when the draft began from an older revision.
    """
    draft = open_draft(ctx, slug)
    if draft.kept.base != draft.revision:
        raise Conflict([], {}, draft.revision)
    powers.refuse_rights(ctx, slug, draft.package)
    if draft.app is not None and changeover.takes_long(ctx, slug, draft.app):
        return changeover.begin(ctx, slug, draft.package, note)
    inst = definitions.publish(ctx, slug, draft.package, note)
    drafts.rebase(ctx, draft.kept.installation, inst.revision)
    return inst


def discard(ctx: Context, slug: str) -> None:
    """Forget the draft; the next one begins from what is published."""
    installation, _ = drafts.installation_of(ctx, slug)
    drafts.discard(ctx, installation)
