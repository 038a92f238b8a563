"""The sentences of the interface: gathered from the source, kept per language, compiled for gettext.

`python -m runtime.catalogue` brings every catalogue up to date with the source and compiles it; what it then
lists as untranslated is to be translated in the .po file.
"""

import io
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parents[1]
FOLDER = Path(__file__).parent / "translations"
METHODS = [("**.py", "python"), ("**.html", "jinja2")]
OPTIONS = {"**.html": {"trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"}}
KEYWORDS = {"_": None, "gettext": None, "say": None, "option": (2,)}
HEADER = 'msgid ""\nmsgstr ""\n"Language: {language}\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n\n'
# stands in for the time of compiling, so that the same sentences give the same bytes
CREATED = datetime(2000, 1, 1, tzinfo=UTC)
SOURCES = ("schemas", "runtime", "builder", "templates")


def sentences() -> set[str]:
    """Every English sentence that people may see."""
    return set(_written()) | set(_declared())


def _written() -> Iterator[str]:
    for source in SOURCES:
        found = extract_from_dir(ROOT / source, METHODS, OPTIONS, KEYWORDS, directory_filter=lambda _: True)
        for _, _, message, _, _ in found:
            yield message if isinstance(message, str) else message[0]


OFFERED = (
    "schemas.fields",
    "schemas.form",
    "schemas.table",
    "schemas.views",
    "schemas.flow",
    "schemas.steps",
    "schemas.document",
)
"""Where the options stand whose words a panel offers."""


def _declared() -> Iterator[str]:
    """Names of kinds, help texts and words of options, which stand in the registries."""
    from schemas.documents import block_types
    from schemas.fields import field_types
    from schemas.fields.choice import TONES
    from schemas.options import options_of
    from schemas.reference import objects
    from schemas.steps import step_types
    from schemas.views import view_types
    from schemas.widgets import widget_types

    yield from TONES
    for kind in (*field_types, *step_types, *view_types, *widget_types, *block_types):
        yield getattr(kind, "title_word", None) or kind.title
    for kind in objects():
        yield from (option.help for option in options_of(kind) if option.help)
    for kind in (k for k in objects() if k.__module__.startswith(OFFERED)):
        yield from (word.replace("_", " ") for option in options_of(kind) for word in _words(option.parser))


def _words(parser: Any) -> tuple[str, ...]:
    """The words that an option may be, as the panel offers them; codes of currencies and dates need no translation."""
    from schemas.parsers import Many, Words

    item = parser.item if isinstance(parser, Many) else parser
    return tuple(w for w in item.words if not w.isupper() and set(w) - set("yMd")) if isinstance(item, Words) else ()


def path_of(language: str) -> Path:
    return FOLDER / language / "LC_MESSAGES" / "messages.po"


def read(language: str) -> Catalog:
    with open(path_of(language), "rb") as file:
        catalog = read_po(file, locale=language)
    catalog.creation_date = CREATED
    return catalog


def updated(language: str) -> Catalog:
    """The catalogue with every sentence of today, translated where it was."""
    known = {m.id: m.string for m in read(language) if m.id}
    fresh = Catalog(locale=language, project="Mortise", charset="utf-8", fuzzy=False)
    for sentence in sorted(s for s in sentences() if s):
        fresh.add(sentence, known.get(sentence, ""))
    return fresh


def compiled(catalog: Catalog) -> bytes:
    out = io.BytesIO()
    write_mo(out, catalog)
    return out.getvalue()


def write(language: str, catalog: Catalog) -> None:
    out = io.BytesIO()
    write_po(out, catalog, width=0, omit_header=True, sort_output=True)
    path_of(language).write_bytes(HEADER.format(language=language).encode() + out.getvalue())
    path_of(language).with_suffix(".mo").write_bytes(compiled(read(language)))


def main() -> int:
    for folder in sorted(p for p in FOLDER.iterdir() if p.is_dir()):
        catalog = updated(folder.name)
        write(folder.name, catalog)
        waiting = [m.id for m in catalog if m.id and not m.string]
        print(f"{folder.name}: {len(catalog)} sentences, {len(waiting)} to be translated", *waiting, sep="\n  ")
    return 0


if __name__ == "__main__":
    sys.exit(main())
