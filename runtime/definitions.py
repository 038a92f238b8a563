"""Published definitions by revision, loaded once and kept."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import TextClause, func, insert, select, text, update

from runtime import audit, models, outbox
from runtime.context import Context
from runtime.ids import new_id
from runtime.retry import Overtaken
from schemas.app import App
from schemas.errors import DefinitionError, NotFound, Problem
from schemas.messages import say
from schemas.options import load

log = logging.getLogger("mortise.definitions")
LOCK_TIMEOUT = "5s"
DAMAGED = Problem("", say("The published definition of this app cannot be read."))
HOLD = """
CREATE OR REPLACE FUNCTION control.hold(app uuid) RETURNS TABLE (revision integer, webhooks integer)
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtextextended(app::text, 7));
    RETURN QUERY SELECT i.revision, i.webhooks FROM installation i WHERE i.id = app;
END $$
"""
"""Lock and look in one round trip. Each statement of the function sees what was committed before it began."""


@dataclass(frozen=True)
class Installed:
    """An app as it is installed in a workspace, at its published revision."""

    id: UUID
    slug: str
    revision: int
    app: App

    def __hash__(self) -> int:
        return hash((self.id, self.revision))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Installed) and (self.id, self.revision) == (other.id, other.revision)


def load_app(package: Mapping[str, Any]) -> App:
    """The linked app that a package describes. Raises DefinitionError with every problem."""
    app = load(App, package)
    problems = [p for p in app.analysis.problems() if p.severity == "error"]
    if problems:
        raise DefinitionError(problems)
    return app


_apps: dict[tuple[UUID, int], App] = {}


def installed(ctx: Context, slug: str) -> Installed:
    """The published app of this slug. Raises NotFound."""
    kept: dict[str, Installed] = ctx.memo.setdefault(Installed, {})
    if slug not in kept:
        found = next((one for one in _present(ctx) if one[1] == slug), None)
        if found is None:
            raise NotFound
        kept[slug] = Installed(*found, _app(ctx, found[0], found[2]))
    return kept[slug]


def _present(ctx: Context) -> list[tuple[UUID, str, int]]:
    """(id, slug, revision) of every app that is published here, in their order."""
    facts = ctx.known.facts
    if Installed not in facts:
        i = models.installation
        published = select(i.c.id, i.c.slug, i.c.revision).where(i.c.revision > 0, i.c.removed_at.is_(None))
        rows = ctx.conn.execute(published.order_by(i.c.position, i.c.installed_at))
        facts[Installed] = [(row.id, row.slug, row.revision) for row in rows]
    return facts[Installed]  # type: ignore[no-any-return]


def _app(ctx: Context, installation: UUID, number: int) -> App:
    key = (installation, number)
    if key not in _apps:
        if len(_apps) > 2_000:
            _apps.clear()
        _apps[key] = _readable(package(ctx, installation, number))
    return _apps[key]


def _readable(package: Mapping[str, Any]) -> App:
    """Raises DefinitionError for one that was sound when it was published, and cannot be understood now."""
    try:
        return load(App, package)
    except (TypeError, ValueError, KeyError, AttributeError, IndexError, RecursionError) as err:
        raise DefinitionError([DAMAGED]) from err


def at_revision(ctx: Context, inst: Installed, number: int) -> Installed:
    """The same installation as it was published at an earlier revision. Raises NotFound."""
    return inst if number == inst.revision else Installed(inst.id, inst.slug, number, _app(ctx, inst.id, number))


def package(ctx: Context, installation: UUID, number: int) -> dict[str, Any]:
    r = models.revision
    found = ctx.conn.scalar(select(r.c.package).where(r.c.installation_id == installation, r.c.number == number))
    if found is None:
        raise NotFound
    if not isinstance(found, dict):
        raise DefinitionError([DAMAGED])
    return dict(found)


def revisions(ctx: Context, installation: UUID, before: int | None, most: int) -> list[Any]:
    """Publications of an app, the newest first, those below `before`."""
    r = models.revision
    wanted = select(r).where(r.c.installation_id == installation)
    if before is not None:
        wanted = wanted.where(r.c.number < before)
    return list(ctx.conn.execute(wanted.order_by(r.c.number.desc()).limit(most)))


def set_base(ctx: Context, installation: UUID, base: Mapping[str, Any]) -> None:
    """From now on an app counts as installed from this package: what differs from it was changed here."""
    i = models.installation
    ctx.conn.execute(update(i).where(i.c.id == installation).values(base=dict(base)))


def base_of(ctx: Context, installation: UUID) -> dict[str, Any] | None:
    """The package that an app was installed or last upgraded from."""
    i = models.installation
    found: dict[str, Any] | None = ctx.conn.scalar(select(i.c.base).where(i.c.id == installation))
    return found


def all_installed(ctx: Context) -> list[Installed]:
    """Every app that is published here. One whose definition cannot be read any more keeps nobody from the others."""
    found = []
    for id, slug, number in _present(ctx):
        try:
            found.append(installed(ctx, slug))
        except (DefinitionError, NotFound) as err:
            log.error("app %s (%s, revision %s) cannot be read: %s", slug, id, number, err)
    return found


def unreadable(ctx: Context) -> list[str]:
    """The slugs of apps whose published definition is damaged."""
    well = {inst.slug for inst in all_installed(ctx)}
    return [slug for _, slug, _ in _present(ctx) if slug not in well]


def by_id(ctx: Context, installation: UUID) -> Installed:
    slug = next((slug for id, slug, _ in _present(ctx) if id == installation), None)
    if slug is None:
        raise NotFound
    return installed(ctx, slug)


def slots(ctx: Context, inst: Installed) -> dict[str, UUID]:
    """What each slot of the app stands for here."""
    facts, key, s = ctx.known.facts, ("slots", inst.id), models.slot
    if key not in facts:
        rows = ctx.conn.execute(select(s).where(s.c.installation_id == inst.id))
        facts[key] = {row.slot: row.target_id for row in rows}
    return facts[key]  # type: ignore[no-any-return]


def register(ctx: Context, slug: str, base: Mapping[str, Any] | None = None) -> UUID:
    """Make room for an app under a slug. Raises DefinitionError when the slug is taken."""
    i = models.installation
    if ctx.conn.scalar(select(i.c.id).where(i.c.slug == slug)):
        raise DefinitionError([Problem("slug", say("there is an app with the short name '{slug}' already", slug=slug))])
    id = new_id()
    position = ctx.conn.scalar(select(func.count()).select_from(i))
    ctx.conn.execute(insert(i).values(id=id, slug=slug, base=dict(base) if base else None, position=position))
    return id


def publish(
    ctx: Context, slug: str, new: Mapping[str, Any], note: str = "", *, run: UUID | None = None,
    columns: Mapping[str, str] | None = None,
) -> Installed:  # fmt: skip
    """Make a package the published revision of the app under this slug, which is registered when unknown.

    Migrates additively, then flips the revision while no writer is inside. Raises DefinitionError, and then
    nothing has changed. A changeover that is under way publishes as `run`, with the columns that it has filled.
    """
    from runtime import changeover, migrate

    app = load_app(new)
    i = models.installation
    row = ctx.conn.execute(select(i.c.id, i.c.revision).where(i.c.slug == slug)).one_or_none()
    id, number = (row.id, row.revision) if row else (register(ctx, slug, new), 0)
    lock_exclusively(ctx, id)
    changeover.refuse_while_active(ctx, id, run)
    before = Installed(id, slug, number, _app(ctx, id, number)) if number else None
    number = (
        ctx.conn.scalar(select(func.max(models.revision.c.number)).where(models.revision.c.installation_id == id)) or 0
    ) + 1
    inst = Installed(id, slug, number, app)
    changes = migrate.expand(ctx, inst, before, columns)
    ctx.conn.execute(
        insert(models.revision).values(
            installation_id=id, number=number, package=dict(new), note=note or None, published_by=ctx.actor.id
        )
    )
    ctx.conn.execute(update(i).where(i.c.id == id).values(revision=number, rights_epoch=i.c.rights_epoch + 1))
    audit.note(ctx, "app.published", slug, id, revision=number)
    if changed := _grants_changed(before, inst):
        audit.note(ctx, "rights.grants_changed", slug, id, revision=number, grants=changed)
    ctx.memo.setdefault(Installed, {})[slug] = inst
    migrate.backfill(ctx, inst, changes)
    return inst


def _grants_changed(before: Installed | None, after: Installed) -> list[str]:
    """The grants that are new, gone or different."""
    old, new = ({g.id: g for g in inst.app.access} if inst else {} for inst in (before, after))
    return sorted(id for id in {*old, *new} if old.get(id) != new.get(id))


def roll_back(ctx: Context, slug: str, number: int) -> Installed:
    """Publish an earlier revision's package again, as a new revision."""
    return publish(ctx, slug, package(ctx, _id_of(ctx, slug), number), note=f"revision {number}")


def _id_of(ctx: Context, slug: str) -> UUID:
    """Of an app that is published here, also where its definition cannot be read. Raises NotFound."""
    for id, own, _ in _present(ctx):
        if own == slug:
            return id
    raise NotFound


def remove(ctx: Context, slug: str) -> UUID:
    """Take an app out of sight; its data stays until purged."""
    i = models.installation
    id = _id_of(ctx, slug)
    values = {"removed_at": ctx.now, "removed_by": ctx.actor.id, "slug": f"{slug}-removed-{id.hex[-8:]}"}
    ctx.conn.execute(update(i).where(i.c.id == id).values(**values))
    audit.note(ctx, "app.removed", slug, id)
    ctx.memo.pop(Installed, None)
    return id


def removed(ctx: Context) -> list[Any]:
    """The apps that were removed and can be brought back, the latest first."""
    i = models.installation
    return list(ctx.conn.execute(select(i).where(i.c.removed_at.is_not(None)).order_by(i.c.removed_at.desc())))


def restore(ctx: Context, id: UUID) -> str:
    """Bring a removed app back; gives its slug, which is another one where its own is taken. Raises NotFound."""
    i = models.installation
    row = ctx.conn.execute(select(i.c.slug).where(i.c.id == id, i.c.removed_at.is_not(None))).one_or_none()
    if row is None:
        raise NotFound
    slug = str(row.slug).partition("-removed-")[0]
    if ctx.conn.scalar(select(i.c.id).where(i.c.slug == slug)):
        slug = f"{slug[:33]}_{id.hex[-6:]}"
    values = {"removed_at": None, "removed_by": None, "purge_at": None, "slug": slug}
    ctx.conn.execute(update(i).where(i.c.id == id).values(**values))
    audit.note(ctx, "app.restored", slug, id)
    ctx.memo.pop(Installed, None)
    return slug


HELD = text("SELECT revision, webhooks FROM control.hold(:app)")


def lock_shared(ctx: Context, inst: Installed, statement: TextClause = HELD, **given: Any) -> None:
    """Held by every writer of an app's records, so that no revision is flipped under it.

    `statement` is another one that holds the app and does something of its own with what is `given`.
    Raises Overtaken when a revision has been flipped since this transaction looked: the work is done again.
    """
    key = ("held", inst.id)
    if statement is HELD and ctx.memo.get(key) == inst.revision:
        return
    now = ctx.conn.execute(statement, {"app": inst.id, **given}).one_or_none()
    if now is None or now.revision != inst.revision:
        raise Overtaken
    outbox.know(ctx, inst.id, now.webhooks)
    if not ctx.conn.in_nested_transaction():  # a savepoint that is taken back lets go of what was held in it
        ctx.memo[key] = inst.revision


def lock_exclusively(ctx: Context, installation: UUID) -> None:
    ctx.conn.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
    ctx.conn.execute(text("SET LOCAL statement_timeout = 0"))  # what is published may need an index of a large table
    ctx.conn.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:id, 7))"), {"id": str(installation)})
