"""What a record looks like on paper, as markup: the blocks of a template with what their reader may see."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from typing import Any, Protocol
from uuid import UUID

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from runtime import progress, query, running, watermark
from runtime.access import Door, door
from runtime.actors import FlowActor
from runtime.codes import code_svg
from runtime.context import Context
from runtime.notices import spoken
from runtime.people import Directory
from runtime.query import Listing, Record
from runtime.reading import Reading, lines, state_words
from runtime.render import Names
from runtime.resources import folder
from runtime.settings import Settings
from runtime.tables import LiveTable
from schemas.attached import Attached
from schemas.document import PAGE_WORDS, Document
from schemas.documents import DocumentBlock
from schemas.documents.approvals import Approvals
from schemas.documents.code import Code
from schemas.documents.fields import Fields
from schemas.documents.heading import Heading
from schemas.documents.linked import LinkedBlock
from schemas.documents.page_break import PageBreak
from schemas.documents.picture import Picture
from schemas.documents.rows import RowsBlock
from schemas.documents.signatures import Signatures
from schemas.documents.spacer import Spacer
from schemas.documents.text import TextBlock
from schemas.fields import Field, Reader
from schemas.fields.barcode import Barcode
from schemas.fields.file import File
from schemas.fields.qr import QrCode
from schemas.fields.rich_text import RichText
from schemas.fields.rows import Rows
from schemas.formula import ErrorValue
from schemas.markup import PICTURE
from schemas.messages import say
from schemas.numbers import round_to
from schemas.table import SYSTEM_LABELS
from schemas.text import Sentence, Text

PIXELS = Decimal("3.7795")
"""In a millimetre of paper."""
INSERTED = re.compile(f'src="{PICTURE.pattern}"')
PICTURE_MM = 18
SHOWN = ("started", "approve", "submit", "reject", "return", "answer", "reopened", "withdrawn", "stopped", "outcome")
"""What an approval trail tells; comments come with it where they are wanted."""
Shown = dict[str, Any]


class Pictures(Protocol):
    """Where the pictures on a page come from."""

    def of_record(self, live: LiveTable, record: UUID, path: str, id: UUID) -> str:
        """The address of a picture that a field of a record holds."""
        ...

    def of_run(self, run: UUID, id: UUID) -> str:
        """The address of a signature that was given with a decision."""
        ...

    def inserted(self, id: UUID) -> str:
        """The address of a picture inside a formatted text."""
        ...

    def attached(self, file: Attached) -> str:
        """The address of a picture of the template's own; empty for what is none."""
        ...


@dataclass
class Page:
    """A record being put on paper for a reader."""

    gate: Door
    record: Record
    document: Document
    language: str
    pictures: Pictures
    reading: Reading = field(init=False)

    def __post_init__(self) -> None:
        self.reading = Reading(self.gate, self.record, self.language)

    @property
    def ctx(self) -> Context:
        return self.gate.ctx

    @property
    def live(self) -> LiveTable:
        return self.gate.live

    def words(self, sentence: Sentence) -> str:
        return spoken(sentence, self.language)

    def reader(self, fields: Iterable[Field], values: Sequence[Mapping[str, Any]], row: Rows | None = None) -> Reader:
        """Shows these values, with names for what they point at."""
        names = Names(self.ctx, self.live)
        for one in values:
            names.note(fields, one, row)
        return Reader(self.language, self.ctx.zone, names.found())


@cache
def _templates() -> Environment:
    loader = FileSystemLoader(folder("templates") / "documents")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


def drawn(page: Page) -> Markup:
    """The sheet: what stands on every page, and the blocks whose conditions hold."""
    return around(page, [drawn_block(page, block) for block in page.document.blocks if page.reading.holds(block.when)])


def around(page: Page, blocks: Sequence[Markup], body: Mapping[str, str] | None = None) -> Markup:
    """A sheet around what stands on it; `body` are attributes of the element that holds that."""
    template = _templates().get_template("sheet.html")
    values = {"document": page.document, "blocks": blocks, "margins": _margins(page), "classes": classes(page.document),
              "language": {"zh": "zh-CN"}.get(page.language, page.language), "body": body or {}}  # fmt: skip
    return Markup(template.render(**values))  # noqa: S704 (drawn with autoescape)


def classes(document: Document) -> str:
    return (
        f"paper paper-{document.size} {document.orientation} margin-{document.margin} font-{document.font} "
        f"letters-{document.letters}"
    )


def _margins(page: Page) -> Shown:
    document = page.document
    parts = {
        name: _margin(page, getattr(document, name)) for name in ("head_left", "head_right", "foot_left", "foot_right")
    }
    logo = page.pictures.attached(document.logo) if document.logo else ""
    return {**parts, "logo": logo, "watermark": page.reading.filled_plainly(document.watermark),
            "looked": watermark.line(page.ctx, page.live.inst.app)}  # fmt: skip


def _margin(page: Page, text: Text) -> Markup:
    """A text of the head or foot; the numbers of pages are left to whoever breaks it into pages."""
    line = text.in_language(page.language)
    pieces: list[tuple[str, str]] = [("", line)]
    for word in PAGE_WORDS:
        pieces = [part for kind, text in pieces for part in _split(kind, text, word)]
    made = (
        Markup('<span class="{}-number"></span>').format(kind) if kind else page.reading.filled(Text.of(text))
        for kind, text in pieces
    )
    return Markup("").join(made)


def _split(kind: str, text: str, word: str) -> Iterator[tuple[str, str]]:
    if kind:
        yield kind, text
        return
    for n, part in enumerate(text.split(f"{{{word}}}")):
        yield from ((word, ""),) if n else ()
        yield from (("", part),) if part else ()


def drawn_block(page: Page, block: DocumentBlock) -> Markup:
    """A block, whether its condition holds or not; nothing where it has nothing to show."""
    values = DRAWN[block.type](page, block)
    if values is None:
        return Markup()
    template = _templates().get_template(f"{block.type}.html")
    made = template.render(block=block, **values)
    return Markup(INSERTED.sub(lambda found: f'src="{page.pictures.inserted(UUID(found[1]))}"', made))  # noqa: S704 (autoescape)


def pixels(millimetres: int) -> int:
    return int(millimetres * PIXELS)


# -- values ----------------------------------------------------------------------------------------


def cell(
    page: Page, live: LiveTable, record: Record, found: Field, value: Any, reader: Reader, row: Rows | None = None
) -> Markup:
    """A value as it stands on paper."""
    if value is None or value == []:
        return Markup()
    if isinstance(value, ErrorValue):
        return escape(value.code)
    path = f"{row.id}.{found.id}" if row else found.id
    if isinstance(found, File) and found.pictures:
        return _images(page.pictures.of_record(live, record.id, path, id) for id in value)
    shown = live.analysis.show(live.table, found, value, reader, row)
    if isinstance(found, RichText):
        return Markup(found.html(value))  # noqa: S704 (made safe)
    if isinstance(found, QrCode):
        known = _address(live, record.id) if found.content == "record" else shown
        return code_svg(known, found.code)
    if isinstance(found, Barcode):
        return code_svg(shown, found.code) + Markup('<span class="under">{}</span>').format(shown)
    return lines(shown)


def _images(addresses: Iterable[str], height: int = PICTURE_MM) -> Markup:
    made = (
        Markup('<img src="{}" height="{}" alt="">').format(address, pixels(height)) for address in addresses if address
    )
    return Markup(" ").join(made)


def _address(live: LiveTable, record: UUID) -> str:
    return f"{Settings.read().public_url.rstrip('/')}/a/{live.inst.slug}/t/{live.id}/{record}"


def is_number(live: LiveTable, found: Field, row: Rows | None = None) -> bool:
    return found.numeric or live.analysis.type_of(live.table, found, row).kind == "number"


# -- blocks ----------------------------------------------------------------------------------------


def _heading(page: Page, block: Heading) -> Shown:
    return {"text": page.reading.filled(block.text)}


def _text(page: Page, block: TextBlock) -> Shown:
    return {"text": page.reading.filled(block.text)}


def _fields(page: Page, block: Fields) -> Shown | None:
    """Label and value of each field that may be seen, in lines; a wide one has a line of its own."""
    live, record = page.live, page.record
    known = [live.table.by_id[id] for id in block.show if id in live.table.by_id]
    reader = page.reader(known, [record.values])
    items = [item for id in block.show if (item := _item(page, id, reader, block.blanks))]
    return {"lines": list(_in_lines(items, block.columns))} if items else None


def _item(page: Page, id: str, reader: Reader, blanks: bool) -> Shown | None:
    found, record = page.live.table.by_id.get(id), page.record
    if found is None:
        value = _system(page, id)
        return {"label": page.words(SYSTEM_LABELS[id]), "value": value, "wide": False} if value or blanks else None
    if record.rights.get(id, "hidden") == "hidden":
        return None
    masked = record.masked.get(id)
    value = escape(masked) if masked else cell(page, page.live, record, found, record.values.get(id), reader)
    label = page.words(found.label or Text.of(found.id))
    return {"label": label, "value": value, "wide": found.wide} if value or blanks else None


def _system(page: Page, id: str) -> Markup:
    value = page.record.system.get(id)
    if id == "flow.state":
        return escape(state_words(value, page.language))
    if id in ("created_by", "updated_by"):
        return escape(Directory.of(page.ctx).names([value]).get(value, "") if value else "")
    if value is not None and hasattr(value, "astimezone"):
        return escape(f"{value.astimezone(page.ctx.zone):%Y-%m-%d %H:%M}")
    return escape("" if value is None else value)


def _in_lines(items: Sequence[Shown], columns: int) -> Iterator[list[Shown]]:
    """So many items to a line; what is left of a line goes to its last one."""
    line: list[Shown] = []
    for item in items:
        if item["wide"] and line:
            yield _filled_up(line, columns)
            line = []
        line.append(item)
        if item["wide"] or len(line) == columns:
            yield _filled_up(line, columns)
            line = []
    if line:
        yield _filled_up(line, columns)


def _filled_up(line: list[Shown], columns: int) -> list[Shown]:
    last = {**line[-1], "span": 2 * (columns - len(line)) + 1}
    return [*({**item, "span": 1} for item in line[:-1]), last]


def _rows(page: Page, block: RowsBlock) -> Shown | None:
    """The rows of a subform, without the columns that are hidden from the reader."""
    live, record = page.live, page.record
    found = live.table.by_id[block.rows]
    assert isinstance(found, Rows)
    if record.rights.get(found.id, "hidden") == "hidden":
        return None
    wanted = [column for id in block.columns if (column := found.column(id))] or list(found.fields)
    columns = [c for c in wanted if record.rights.get(f"{found.id}.{c.id}", "hidden") != "hidden"]
    if not columns:
        return None
    rows = record.values.get(found.id) or []
    reader = page.reader(columns, rows, found)

    def one(column: Field, row: Mapping[str, Any]) -> Markup:
        if (masked := row.get(f"mask:{column.id}")) is not None:
            return escape(masked)
        return cell(page, live, record, column, row.get(column.id), reader, found)

    body = [[one(column, row) for column in columns] for row in rows]
    totals = {id: _total(found.column(id), [row.get(id) for row in rows], reader) for id in block.totals}
    return _table(page, columns, body, totals, block.numbered, [is_number(live, c, found) for c in columns])


def _linked(page: Page, block: LinkedBlock) -> Shown | None:
    """The records that link here, as far as they may be read."""
    there = page.live.sibling(block.table)
    gate = door(page.ctx, there)
    if not gate.may("read") or not gate.readable(block.link):
        return None
    names = [c for c in gate.shown(block.columns) if c in there.table.by_id]
    where = [block.where] if block.where else []
    listing = Listing(
        names, where=where, sort=[s for s in block.sort if gate.readable(s.lstrip("-"))], size=block.limit
    )
    records = query.linked(gate, listing, block.link, page.record.id)
    columns = [there.table.by_id[name] for name in names]
    noted = Names(page.ctx, there)
    for record in records:
        noted.note([c for c in columns if not isinstance(c, Rows)], record.values)
    reader = Reader(page.language, page.ctx.zone, noted.found())

    def one(column: Field, record: Record) -> Markup:
        if column.id in record.masked:
            return escape(record.masked[column.id])
        value = record.values.get(column.id)
        if isinstance(column, Rows):
            return escape(value or "")
        return cell(page, there, record, column, value, reader)

    body = [[one(column, record) for column in columns] for record in records]
    totals = {id: _total(there.table.by_id.get(id), [r.values.get(id) for r in records], reader) for id in block.totals}
    return _table(page, columns, body, totals, block.numbered, [is_number(there, c) for c in columns])


def _table(
    page: Page, columns: Sequence[Field], body: Sequence[Sequence[Markup]], totals: Mapping[str, str], numbered: bool,
    numeric: Sequence[bool],
) -> Shown | None:  # fmt: skip
    heads = [page.words(c.label or Text.of(c.id)) for c in columns]
    last = [totals.get(c.id, "") for c in columns]
    return {
        "heads": heads, "body": body, "numeric": numeric, "numbered": numbered, "totals": last if any(last) else [],
        "number_word": page.words(say("No.")), "total_word": page.words(say("Total")), "none_word": page.words(say("None")),
    }  # fmt: skip


def _total(column: Field | None, values: Iterable[Any], reader: Reader) -> str:
    numbers = [value for value in values if isinstance(value, Decimal)]
    if column is None or not numbers:
        return ""
    return column.show(round_to(sum(numbers, Decimal(0)), column.scale if column.scale is not None else 10), reader)


def _picture(page: Page, block: Picture) -> Shown | None:
    if block.field:
        ids = page.record.values.get(block.field) or []
        images = _images(
            (page.pictures.of_record(page.live, page.record.id, block.field, id) for id in ids), block.height
        )
    else:
        images = _images([page.pictures.attached(block.image)] if block.image else [], block.height)
    return {"images": images} if images else None


def _code(page: Page, block: Code) -> Shown | None:
    if block.content == "formula" and block.formula is not None:
        text = page.reading.shown(block.formula)
    else:
        text = _address(page.live, page.record.id)
    picture = code_svg(text, block.code)
    if not picture:
        return None
    size = Markup('<svg height="{}" ').format(pixels(block.height))
    under = text if block.content == "formula" and block.code != "qr" else ""
    return {"picture": picture.replace(Markup("<svg "), size, 1), "under": under}


def _signatures(page: Page, block: Signatures) -> Shown:
    made = []
    for line in block.lines:
        ids = page.record.values.get(line.field or "") or []
        images = _images(page.pictures.of_record(page.live, page.record.id, line.field or "", id) for id in ids)
        made.append({"title": page.reading.filled(line.title), "image": images})
    return {"lines": made, "date_word": page.words(say("Date"))}


def _approvals(page: Page, block: Approvals) -> Shown | None:
    """The decisions of the record's flows, as far as the reader may see its runs; the oldest run first."""
    runs = [run for run in reversed(_runs(page)) if block.flow in (None, run[0])]
    told = [(title, [_decision(page, id, e) for e in events if _is_told(e, block)]) for _, title, id, events in runs]
    if not any(events for _, events in told):
        return None
    heads = [say("Step"), say("Handled by"), say("Decision"), say("Comment"), say("Done at"), say("Signature")]
    return {
        "runs": [(page.words(title), events) for title, events in told if events], "many": len(told) > 1,
        "heads": [page.words(head) for head in heads],
    }  # fmt: skip


def _is_told(event: progress.Event, block: Approvals) -> bool:
    return event.moment.what in SHOWN or (event.moment.what == "commented" and block.comments)


def _decision(page: Page, run: UUID, event: progress.Event) -> Shown:
    signature = page.pictures.of_run(run, UUID(event.signature)) if event.signature else ""
    return {
        "step": page.words(event.step), "who": "、".join(event.who) if page.language == "zh" else ", ".join(event.who),
        "what": page.words(event.words), "comment": lines(event.moment.comment),
        "at": f"{event.moment.at.astimezone(page.ctx.zone):%Y-%m-%d %H:%M}", "signature": _images([signature], 10),
    }  # fmt: skip


Run = tuple[str, Text, UUID, Sequence[progress.Event]]


def _runs(page: Page) -> list[Run]:
    """The runs that the reader may see, the newest first; a flow sees its own."""
    if isinstance(page.ctx.actor, FlowActor):
        seen = (
            [progress.of_run(page.ctx, running.load(page.ctx, page.ctx.actor.id, lock=False))]
            if page.ctx.actor.id
            else []
        )
    else:
        found = progress.of_record(page.ctx, page.live, page.record.id)
        seen = list(found.runs) if found else []
    flows = {id: running.load(page.ctx, id, lock=False).flow.id for id in (run.id for run in seen)}
    return [(flows[run.id], run.title, run.id, run.events) for run in seen]


def _spacer(page: Page, block: Spacer) -> Shown:
    return {"height": pixels(block.height)}


def _page_break(page: Page, block: PageBreak) -> Shown:
    return {}


DRAWN: dict[str, Callable[[Page, Any], Shown | None]] = {
    "heading": _heading, "text": _text, "fields": _fields, "rows": _rows, "linked": _linked, "picture": _picture, "code": _code,
    "signatures": _signatures, "approvals": _approvals, "spacer": _spacer, "page_break": _page_break,
}  # fmt: skip
"""What each kind of block shows: the values of its template, or None where there is nothing to print."""
