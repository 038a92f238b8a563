"""The template centre: the apps that come with Mortise and those somebody has uploaded, and what becomes of them here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from builder import bundle
from builder.check import understand
from runtime import audit, definitions, packages, sample
from runtime.context import Context
from runtime.definitions import Installed
from runtime.sample import Files, Keys
from schemas.app import App
from schemas.errors import DefinitionError, NotFound
from schemas.options import load

UPLOADED = "upload-"


@dataclass(frozen=True)
class Offer:
    """An app that can be installed. `key` stands in addresses; `sample` are the files of its sample data."""

    key: str
    package: Mapping[str, Any]
    app: App
    sample: Files | None
    uploaded: UUID | None = None

    def of(self, inst: Installed, base: Mapping[str, Any] | None) -> bool:
        """Whether an installed app came from a package of this app."""
        return bool((base or {}).get("app", inst.app.app) == self.app.app)


_bundled: dict[str, Offer] = {}


def offers(ctx: Context) -> list[Offer]:
    """Every app that can be installed here: those that come with Mortise, then the uploaded, the newest first."""
    found = [_of_folder(id) for id in bundle.bundled()]
    return found + [offer for one in packages.all_uploaded(ctx) if (offer := _of_upload(one)) is not None]


def offer(ctx: Context, key: str) -> Offer:
    """Raises NotFound."""
    if key.startswith(UPLOADED):
        try:
            found = _of_upload(packages.one(ctx, UUID(key.removeprefix(UPLOADED))))
        except ValueError:
            raise NotFound from None
        if found is None:
            raise NotFound
        return found
    if key not in bundle.bundled():
        raise NotFound
    return _of_folder(key)


def _of_folder(id: str) -> Offer:
    """Read once: what comes with Mortise does not change while it runs."""
    if id not in _bundled:
        folder = bundle.bundled()[id]
        package = bundle.read(folder)
        files = folder / "sample"
        _bundled[id] = Offer(id, package, load(App, package), files if (files / sample.INDEX).is_file() else None)
    return _bundled[id]


def _of_upload(one: packages.Uploaded) -> Offer | None:
    """None for what an earlier version took and this one cannot read."""
    try:
        app = load(App, one.package)
    except DefinitionError:
        return None
    return Offer(f"{UPLOADED}{one.id}", one.package, app, one.sample, one.id)


def upload(ctx: Context, package: Mapping[str, Any], files: Files | None) -> str:
    """Keep a package that was sent; gives its key. Raises DefinitionError with every problem and its file."""
    _, problems = understand(package)
    wrong = [p for p in problems if p.severity == "error"]
    if wrong:
        raise DefinitionError(bundle.in_files(package, wrong))
    if files is not None and not isinstance(files, Mapping):
        raise TypeError("uploaded sample data comes as what its files hold")
    return f"{UPLOADED}{packages.keep(ctx, package, files)}"


def install(ctx: Context, offer: Offer, slug: str, slots: Mapping[str, UUID], with_sample: bool) -> Installed:
    """Install an app, with its sample data if wished. Raises DefinitionError, InvalidInput."""
    inst = bundle.install(ctx, offer.package, slug, slots)
    if with_sample and offer.sample is not None:
        add_sample(ctx, inst.slug, offer.sample)
    return inst


def sample_of(ctx: Context, inst: Installed) -> Files | None:
    """The sample data that fits an installed app: that of the package it came from, else of the newest that is offered."""
    base = definitions.base_of(ctx, inst.id)
    fitting = [o for o in offers(ctx) if o.sample is not None and o.of(inst, base)]
    exact = [o for o in fitting if o.package.get("version") == (base or {}).get("version")]
    return next((o.sample for o in [*exact, *fitting]), None)


def add_sample(ctx: Context, slug: str, files: Files) -> Keys | None:
    """Write sample data into an app; nothing when it is there. Raises DefinitionError, InvalidInput."""
    keys = sample.install_sample(ctx, slug, files, guests=True)
    if keys is not None:
        audit.note(ctx, "app.sample_added", slug, n=sum(keys.numbers.values()))
    return keys


def remove_sample(ctx: Context, slug: str) -> int:
    """Put the sample's records into the trash; gives how many went."""
    gone = sum(sample.remove_sample(ctx, slug).values())
    audit.note(ctx, "app.sample_removed", slug, n=gone)
    return gone
