"""An app as a folder or zip of JSON files, one file per object, and the way back.

A package is the JSON of `schemas.app.App` as one dict. On disk it is `manifest.json` with everything
but the objects, and `tables/claim.json`, `views/mine.json` and so on; the manifest lists the objects'
ids in order.
"""

import json
import re
import stat
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import IO, Any, TypeVar
from uuid import UUID

from runtime import audit, definitions, membership
from runtime.context import Context
from runtime.definitions import Installed
from runtime.people import assign_slot, give_role
from runtime.resources import folder
from runtime.sample import Files, install_sample
from schemas.app import App, Slot
from schemas.errors import BadValue, DefinitionError, Problem
from schemas.messages import Message, say
from schemas.options import load
from schemas.parsers import ID
from schemas.source import read_json

Entry = TypeVar("Entry")
KINDS = ("tables", "forms", "views", "flows", "dashboards", "documents", "access")
"""Kinds of objects, each with a folder of its own."""

MANIFEST = "manifest.json"
COMPANIONS = ("sample", "examples", "stories", "docs", "README", "LICENSE", "CHANGELOG")
"""What may lie beside an app's objects and is no part of it."""

MOST_FILES = 5_000
LARGEST_FILE = 5_000_000
LARGEST_PACKAGE = 50_000_000
WIDTH = 110
LONG_AGO = (1980, 1, 1, 0, 0, 0)

NOT_READ = (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, ValueError)
OBJECT_FILE = re.compile(rf"({'|'.join(KINDS)})/([^/]+)\.json\Z")
SAMPLE_FILE = re.compile(r"sample/[a-z][a-z0-9_]{0,39}\.json\Z")
NO_ZIP = say("this is not a zip file that can be read")
Sample = dict[str, Any]
"""What the files of a package's sample data hold, by their names."""


def read(source: Path | str) -> dict[str, Any]:
    """The package in a folder or zip file, as one dict. Raises DefinitionError whose paths name the files."""
    source = Path(source)
    if source.is_dir():
        return package_of(_files_in_folder(source))
    try:
        data = source.read_bytes()
    except OSError:
        raise refusal(source.name, say("there is no such folder or file")) from None
    return read_zip(data)


def read_zip(data: bytes) -> dict[str, Any]:
    """The package in a zip file's bytes. Raises DefinitionError whose paths name the files."""
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            return package_of(_files_in_zip(archive))
    except NOT_READ:
        raise refusal("", NO_ZIP) from None


def read_sent(files: Iterable[tuple[str, IO[bytes]]]) -> tuple[dict[str, Any], Sample | None]:
    """The package, and its sample data if there is some, of what a browser sent: one zip file, or a folder's files.

    Raises DefinitionError whose paths name the files.
    """
    sent = list(files)
    if len(sent) == 1 and sent[0][0].casefold().endswith(".zip"):
        return _with_sample(_zip_sent(sent[0][1]))
    if len(sent) > MOST_FILES:
        raise refusal("", say("at most {n} files", n=MOST_FILES))
    return _with_sample(_folder_sent({_safe_path(name): file for name, file in sent}))


def _zip_sent(file: IO[bytes]) -> dict[str, bytes]:
    data = file.read(LARGEST_PACKAGE + 1)
    if len(data) > LARGEST_PACKAGE:
        raise refusal("", say("the file is too large"))
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            return _files_in_zip(archive, sample=True)
    except NOT_READ:
        raise refusal("", NO_ZIP) from None


def _folder_sent(sent: Mapping[str, IO[bytes]]) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    left = LARGEST_PACKAGE
    for name, file in _unwrapped(sent).items():
        if SAMPLE_FILE.match(name) or _belongs(name):
            files[name] = _bounded(name, file, left)
            left -= len(files[name])
    return files


def _with_sample(files: Mapping[str, bytes]) -> tuple[dict[str, Any], Sample | None]:
    package = package_of({name: data for name, data in files.items() if not SAMPLE_FILE.match(name)})
    sample: Sample = {}
    for name, data in files.items():
        if SAMPLE_FILE.match(name):
            try:
                sample[PurePosixPath(name).name] = read_json(data, say("this is not JSON that can be read"))
            except BadValue as err:
                raise refusal(name, err.message) from None
    return package, sample or None


def sample_in(source: Path) -> Files | None:
    """The sample data beside a package in a folder or zip file. Raises DefinitionError."""
    if source.is_dir():
        return source / "sample" if (source / "sample").is_dir() else None
    with source.open("rb") as file:
        return read_sent([(source.name, file)])[1]


def write(package: Mapping[str, Any], target: Path | str, sample: Mapping[str, Any] | None = None) -> None:
    """Write a package as a folder; files of objects that it no longer has are removed."""
    target = Path(target)
    files = files_of(package) | {f"sample/{name}": text_of(content) for name, content in (sample or {}).items()}
    for stale in [path for kind in KINDS for path in (target / kind).glob("*.json")]:
        if stale.relative_to(target).as_posix() not in files:
            stale.unlink()
    for name, text in files.items():
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def zipped(package: Mapping[str, Any], sample: Mapping[str, Any] | None = None) -> bytes:
    """A package as a zip file, with files of sample data if there are some; the same package gives the same bytes."""
    buffer = BytesIO()
    files = files_of(package) | {f"sample/{name}": text_of(content) for name, content in (sample or {}).items()}
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            entry = zipfile.ZipInfo(f"{package['app']}/{name}", LONG_AGO)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, text, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


# -- a package and its files --------------------------------------------------------------------


def files_of(package: Mapping[str, Any]) -> dict[str, str]:
    """The text of every file of a package, by its path in the folder. Raises DefinitionError on odd ids."""
    manifest = {key: value for key, value in package.items() if key not in KINDS}
    objects = {kind: package[kind] for kind in KINDS if kind in package}
    for kind, items in objects.items():
        manifest[kind] = [_id_of(item, f"{kind}[{n}]") for n, item in enumerate(items)]
    files = {MANIFEST: text_of(manifest)}
    for kind, items in objects.items():
        files |= {f"{kind}/{item['id']}.json": text_of(item) for item in items}
    return files


def _id_of(item: Any, path: str) -> str:
    id = item.get("id") if isinstance(item, Mapping) else None
    if not isinstance(id, str) or not ID.match(id):
        raise refusal(path, say("an object needs an id of a-z, 0-9 and _, a letter first, at most 40"))
    return id


def package_of(files: Mapping[str, bytes]) -> dict[str, Any]:
    """The package that these files make up. Raises DefinitionError with every problem and its file."""
    if MANIFEST not in files:
        raise refusal(MANIFEST, say("the file is missing: this is not the folder of an app"))
    parts, problems = _parsed(files)
    if problems:
        raise DefinitionError(problems)
    package = dict(parts.pop(MANIFEST))
    order = {kind: package.pop(kind) for kind in KINDS if kind in package}
    problems = [problem for kind in KINDS for problem in _disagreements(kind, order.get(kind, []), parts)]
    if problems:
        raise DefinitionError(problems)
    for kind in KINDS:
        objects = _in_order(kind, order.get(kind, []), parts)
        if objects or kind in order:
            package[kind] = objects
    return package


def _parsed(files: Mapping[str, bytes]) -> tuple[dict[str, Any], list[Problem]]:
    parts: dict[str, Any] = {}
    problems: list[Problem] = []
    for name in sorted(files):
        try:
            parts[name] = read_json(files[name], say("this is not JSON that can be read"))
        except BadValue as err:
            problems.append(Problem(name, err.message))
            continue
        if not isinstance(parts[name], dict):
            problems.append(Problem(name, say("expected an object with options")))
    return parts, problems


def _disagreements(kind: str, order: Any, parts: Mapping[str, Any]) -> Iterator[Problem]:
    """Where the manifest's list, the files' names and the objects' ids do not agree."""
    ids = [id for id in order if isinstance(id, str)] if isinstance(order, list) else None
    if ids is None or len(set(ids)) < len(order):
        yield Problem(f"{MANIFEST}: {kind}", say("expected a list of ids, each once"))
        return
    for id in order:
        if f"{kind}/{id}.json" not in parts:
            yield Problem(f"{kind}/{id}.json", say("the manifest lists it, but the file is missing"))
    for name, part in parts.items():
        found = OBJECT_FILE.match(name)
        if found and found[1] == kind and part.get("id") != found[2]:
            yield Problem(name, say("the id in the file must be its name, '{id}'", id=found[2]))


def _in_order(kind: str, order: list[str], parts: Mapping[str, Any]) -> list[Any]:
    """The objects of one kind as the manifest lists them, then those it does not list, by name."""
    listed = [f"{kind}/{id}.json" for id in order]
    rest = sorted(name for name in parts if name.startswith(f"{kind}/") and name not in listed)
    return [parts[name] for name in [*listed, *rest]]


def in_files(package: Mapping[str, Any], problems: Iterable[Problem]) -> list[Problem]:
    """Problems of a loaded package with the file in the path: `tables/claim.json: fields[3].minimum`."""
    return [Problem(_file_path(package, p.path), p.message, p.severity) for p in problems]


def _file_path(package: Mapping[str, Any], path: str) -> str:
    found = re.match(rf"({'|'.join(KINDS)})\[(\d+)\]\.?(.*)\Z", path, re.DOTALL)
    if not found or not isinstance(package.get(found[1]), list):
        return f"{MANIFEST}: {path}" if path else MANIFEST
    items, number = package[found[1]], int(found[2])
    id = items[number].get("id") if number < len(items) and isinstance(items[number], Mapping) else None
    file = f"{found[1]}/{id}.json" if id else f"{found[1]}[{number}]"
    return f"{file}: {found[3]}" if found[3] else file


# -- text ----------------------------------------------------------------------------------------


def text_of(value: Any) -> str:
    """JSON for people and for diffs: two spaces of indent, short lists and objects on one line."""
    return _layout(value, 0, 0) + "\n"


def _layout(value: Any, indent: int, used: int) -> str:
    line = json.dumps(value, ensure_ascii=False, allow_nan=False)
    if not isinstance(value, dict | list) or not value or (indent and indent + used + len(line) < WIDTH):
        return line
    inner = " " * (indent + 2)
    if isinstance(value, list):
        parts = [inner + _layout(item, indent + 2, 1) for item in value]
        return "[\n" + ",\n".join(parts) + f"\n{' ' * indent}]"
    keys = {key: json.dumps(str(key), ensure_ascii=False) + ": " for key in value}
    parts = [inner + keys[key] + _layout(item, indent + 2, len(keys[key]) + 1) for key, item in value.items()]
    return "{\n" + ",\n".join(parts) + f"\n{' ' * indent}}}"


# -- files from outside --------------------------------------------------------------------------


def refusal(path: str, message: Message) -> DefinitionError:
    return DefinitionError([Problem(path, message)])


def _files_in_folder(source: Path) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    left = LARGEST_PACKAGE
    for path in sorted(source.rglob("*")):
        name = path.relative_to(source).as_posix()
        if path.is_symlink():
            raise refusal(name, say("links are not followed; put the file itself here"))
        if path.is_dir() or not _belongs(name):
            continue
        with path.open("rb") as file:
            files[name] = _bounded(name, file, left)
        left -= len(files[name])
        _count(files)
    return files


def _files_in_zip(archive: zipfile.ZipFile, sample: bool = False) -> dict[str, bytes]:
    entries = {}
    if len(archive.infolist()) > MOST_FILES:
        raise refusal("", say("at most {n} files", n=MOST_FILES))
    for entry in archive.infolist():
        name = _safe_name(entry)
        if name in entries:
            raise refusal(name, say("the file is there twice"))
        if not entry.is_dir():
            entries[name] = entry
    return _extracted(archive, _unwrapped(entries), sample)


def _extracted(archive: zipfile.ZipFile, entries: Mapping[str, zipfile.ZipInfo], sample: bool) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    left = LARGEST_PACKAGE
    for name, entry in entries.items():
        if not (sample and SAMPLE_FILE.match(name) or _belongs(name)):
            continue
        # Sizes in the header are the sender's claim, so what comes out is measured.
        with archive.open(entry) as file:
            files[name] = _bounded(name, file, left)
        left -= len(files[name])
    return files


def _safe_name(entry: zipfile.ZipInfo) -> str:
    name = entry.filename
    path = _safe_path(name)
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise refusal(name[:200], say("links are not followed; put the file itself here"))
    if entry.flag_bits & 1:
        raise refusal(name[:200], say("the file is encrypted"))
    return path


def _safe_path(name: str) -> str:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name or "\x00" in name:
        raise refusal(name[:200], say("a path may not lead out of the package"))
    return path.as_posix()


def _unwrapped(entries: Mapping[str, Entry]) -> dict[str, Entry]:
    """The entries without the one folder around them, if there is one: people zip the folder itself."""
    if MANIFEST in entries:
        return dict(entries)
    tops = [name.split("/")[0] for name in entries if name.count("/") == 1 and name.endswith("/" + MANIFEST)]
    if len(tops) != 1:
        return dict(entries)
    prefix = tops[0] + "/"
    return {name.removeprefix(prefix): entry for name, entry in entries.items() if name.startswith(prefix)}


def _belongs(name: str) -> bool:
    """Whether a file is part of the package. Raises DefinitionError on a file that has no business there."""
    if name == MANIFEST or OBJECT_FILE.match(name):
        return True
    first = name.split("/")[0]
    hidden = any(part.startswith((".", "__MACOSX")) for part in name.split("/"))
    if hidden or first.split(".")[0] in COMPANIONS:
        return False
    known = ", ".join((MANIFEST, *KINDS))
    raise refusal(name[:200], say("an app has no such file (known: {known})", known=known))


def _bounded(name: str, file: Any, left: int) -> bytes:
    limit = min(LARGEST_FILE, left)
    data: bytes = file.read(limit + 1)
    if len(data) > limit:
        raise refusal(name, say("the file is too large"))
    return data


def _count(files: Mapping[str, bytes]) -> None:
    if len(files) > MOST_FILES:
        raise refusal("", say("at most {n} files", n=MOST_FILES))


# -- in a workspace ------------------------------------------------------------------------------


def install(
    ctx: Context,
    package: Mapping[str, Any],
    slug: str | None = None,
    slots: Mapping[str, UUID] | None = None,
    sample: Files | None = None,
) -> Installed:
    """Install a package under a slug (its own id unless said), with members or departments for its slots.

    The package is kept as it came, for later upgrades. `sample` are the files of sample data to write too.
    Raises DefinitionError with every problem, and then nothing has changed.
    """
    slug = slug or str(package.get("app", ""))
    if not ID.match(slug):
        message = say("'{slug}' is not a short name: use a-z, 0-9 and _, a letter first", slug=slug[:60])
        raise refusal("slug", message)
    if slots:
        _refuse_strange_slots(slots_of(package), slots)
    definitions.register(ctx, slug, package)
    inst = definitions.publish(ctx, slug, package)
    audit.note(
        ctx,
        "app.installed",
        slug,
        inst.id,
        package=str(package.get("app", "")),
        version=str(package.get("version", "")),
    )
    for slot, target in (slots or {}).items():
        assign_slot(ctx, inst.id, slot, target)
    if sample is not None:
        install_sample(ctx, slug, sample)
    return inst


def slots_named(ctx: Context, package: Mapping[str, Any], said: Iterable[tuple[str, str]]) -> dict[str, UUID]:
    """Who fills which slot, named by e-mail address or name. Raises DefinitionError, InvalidInput."""
    said = list(said)
    slots = slots_of(package) if said else ()
    _refuse_strange_slots(slots, [slot for slot, _ in said])
    kinds = {slot.id: slot.type for slot in slots}
    return {slot: membership.found_by(ctx, who, kinds[slot]) for slot, who in said}


def give_roles(ctx: Context, inst: Installed, said: Iterable[tuple[str, str]]) -> None:
    """Roles of an installed app to members named by e-mail address or name. Raises DefinitionError, InvalidInput."""
    known = {role.id for role in inst.app.roles}
    for role, who in said:
        if role not in known:
            raise DefinitionError([Problem("roles", say("the app has no role '{role}'", role=role))])
        give_role(ctx, inst.id, role, membership.found_by(ctx, who, "member"))


def export(ctx: Context, slug: str) -> dict[str, Any]:
    """The package of an installed app as it is published now. Raises NotFound."""
    inst = definitions.installed(ctx, slug)
    audit.note(ctx, "app.exported", slug, inst.id, revision=inst.revision)
    return definitions.package(ctx, inst.id, inst.revision)


def bundled() -> dict[str, Path]:
    """The folders of the apps that come with Mortise, by id."""
    return {path.parent.name: path.parent for path in sorted(folder("apps").glob(f"*/{MANIFEST}"))}


def slots_of(package: Mapping[str, Any]) -> tuple[Slot, ...]:
    """Who is to be named when the app is installed. Raises DefinitionError with every problem of the package's form."""
    return load(App, package).slots


def _refuse_strange_slots(slots: Iterable[Slot], said: Iterable[str]) -> None:
    known = [slot.id for slot in slots]
    strange = [Problem("slots", say("the app has no slot '{slot}'", slot=s)) for s in said if s not in known]
    if strange:
        raise DefinitionError(strange)
