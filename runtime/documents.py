"""Documents of records: printed pages as PDF, or a Word or Excel file filled in, with what their reader may see."""

import base64
import io
import mimetypes
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from runtime import audit, files, inserted, office, pages, paper, pictures, query
from runtime.access import door
from runtime.actors import FlowActor, Member, administers, unlimited
from runtime.context import Context
from runtime.pages import Page
from runtime.paper import Sheet
from runtime.people import Directory
from runtime.query import Record
from runtime.reading import Reading
from runtime.storage import Storage
from runtime.tables import LiveTable
from schemas.attached import Attached
from schemas.document import FILES, Document, plain
from schemas.errors import InvalidInput, NotFound
from schemas.markup import picture_address
from schemas.messages import say
from schemas.text import Text

PDF = "application/pdf"
PLAIN = "plain"
"""The name of the way to print a record without a template."""
AT_ONCE = 20
"""As many records are printed while somebody waits; more are left to a job."""
MOST = 500
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ZIP = "application/zip"
KINDS = (PDF, WORD, EXCEL)
"""As what a record may be printed."""
PICTURES = ("png", "jpg", "jpeg", "gif", "webp")


@dataclass(frozen=True)
class Made:
    """A finished file."""

    name: str
    media_type: str
    data: bytes


# -- which template ----------------------------------------------------------------------------------


def templates(ctx: Context, live: LiveTable) -> list[Document]:
    """The templates of a table that the actor may use."""
    return [d for d in live.inst.app.documents_of(live.id) if d.ready and may_use(ctx, live, d)]


def may_use(ctx: Context, live: LiveTable, document: Document) -> bool:
    """Whether a template is for this actor: one that names roles is for those who have one of them."""
    actor = ctx.actor
    if not document.roles or unlimited(actor) or administers(actor) or isinstance(actor, FlowActor):
        return True
    if not isinstance(actor, Member):
        return any(f"{live.inst.slug}.{role}" in getattr(actor, "roles", ()) for role in document.roles)
    held = actor.only_roles if actor.only_roles is not None else Directory.of(ctx).fact(actor.id, "roles")
    return any(f"{live.inst.slug}.{role}" in held for role in document.roles)


def template(ctx: Context, live: LiveTable, id: str) -> Document:
    """A template by its id, or how a record is printed without one. Raises NotFound."""
    if id in ("", PLAIN):
        return plain(live.inst.app, live.table)
    found = next((d for d in templates(ctx, live) if d.id == id), None)
    if found is None:
        raise NotFound
    return found


# -- which records -----------------------------------------------------------------------------------


def printable(ctx: Context, live: LiveTable, ids: Sequence[UUID]) -> list[Record]:
    """Those of these records that the actor may read and print, in the same order. Raises NotFound, Denied."""
    gate = door(ctx, live)
    gate.require("read")
    if isinstance(ctx.actor, FlowActor):
        found = query.fetch_many(gate, ids)
    else:
        gate.require("print")
        may = query.allowed_among(gate, ids, ("read", "print"))
        found = query.fetch_many(gate, [id for id in ids if id in may])
    return [found[id] for id in dict.fromkeys(ids) if id in found]


# -- making ------------------------------------------------------------------------------------------


@dataclass
class OnPaper:
    """Reads the pictures of a sheet, as far as its reader may, so that nothing is fetched later."""

    ctx: Context
    storage: Storage
    read: dict[str, bytes] = field(default_factory=dict)

    def of_record(self, live: LiveTable, record: UUID, path: str, id: UUID) -> str:
        return self._kept(id, lambda: files.content(self.ctx, self.storage, id).read())

    def of_run(self, run: UUID, id: UUID) -> str:
        return self._kept(id, lambda: files.content(self.ctx, self.storage, id).read())

    def inserted(self, id: UUID) -> str:
        return self._kept(
            id, lambda: files.content(self.ctx, self.storage, inserted.open_picture(self.ctx, id).id).read()
        )

    def attached(self, file: Attached) -> str:
        return self._kept(file.name, lambda: file.data) if is_picture(file) else ""

    def _kept(self, id: Any, read: Callable[[], bytes]) -> str:
        address = f"{paper.SCHEME}picture/{len(self.read)}"
        try:
            self.read[address] = read()
        except NotFound:
            return ""
        return address


class InBrowser:
    """Names the pictures of a sheet by the addresses at which a browser finds them."""

    def of_record(self, live: LiveTable, record: UUID, path: str, id: UUID) -> str:
        return f"/files/{live.inst.slug}/{live.id}/{record}/{path}/{id}?view=1"

    def of_run(self, run: UUID, id: UUID) -> str:
        return f"/tasks/run/{run}/files/{id}?view=1"

    def inserted(self, id: UUID) -> str:
        return picture_address(id)

    def attached(self, file: Attached) -> str:
        kind = mimetypes.guess_type(file.name)[0]
        return f"data:{kind};base64,{base64.b64encode(file.data).decode()}" if is_picture(file) else ""


def is_picture(file: Attached) -> bool:
    """Whether an attached file is a picture that can be shown."""
    try:
        pictures.examine(file.data, PICTURES)
    except pictures.BadPicture:
        return False
    return True


def sheet(ctx: Context, storage: Storage, live: LiveTable, record: Record, document: Document) -> Sheet:
    """One record on paper."""
    found = OnPaper(ctx, storage)
    page = Page(door(ctx, live), record, document, ctx.language, found)
    markup = pages.drawn(page)
    return Sheet(str(markup), document, _title(page), found.read)


def on_screen(ctx: Context, live: LiveTable, record: Record, document: Document) -> Any:
    """The same as markup for a browser."""
    return pages.drawn(Page(door(ctx, live), record, document, ctx.language, InBrowser()))


def fits(ctx: Context, live: LiveTable, record: Record, document: Document) -> bool:
    """Whether a template is for this record."""
    return Reading(door(ctx, live), record, ctx.language).holds(document.when)


def require_fits(ctx: Context, live: LiveTable, record: Record, document: Document) -> None:
    """Raises InvalidInput for a record that is not to be printed by this template."""
    if not fits(ctx, live, record, document):
        name = document.title or Text.of(document.id)
        raise InvalidInput(
            {"": [say("“{template}” is not for “{record}” as it now stands.", template=name, record=record.title)]}
        )


def _title(page: Page) -> str:
    """What a file is called: as its template says, else by the record."""
    named = page.reading.filled_plainly(page.document.name).strip()
    title = (page.document.title or Text.of(page.document.id)).in_language(page.language)
    return named or " ".join(part for part in (title, page.record.title) if part) or page.document.id


def make(ctx: Context, storage: Storage, live: LiveTable, ids: Sequence[UUID], document: Document) -> Made:
    """The file of one record or of several. Raises NotFound, Denied, InvalidInput."""
    if len(ids) > MOST:
        raise InvalidInput({"": [say("More than {n} records. Choose fewer of them.", n=MOST)]})
    records = printable(ctx, live, ids)
    if not records:
        raise NotFound
    writer = Writer(storage)
    writer.add(ctx, live, records, document)
    return writer.finished(ctx, live)


@dataclass
class Writer:
    """Puts records on paper, or into files, one after the other, and makes one file of them."""

    storage: Storage
    document: Document | None = None
    printed: list[Any] = field(default_factory=list)
    made: list[Made] = field(default_factory=list)
    title: str = ""

    @property
    def count(self) -> int:
        return len(self.printed) + len(self.made)

    def add(self, ctx: Context, live: LiveTable, records: Sequence[Record], document: Document) -> int:
        """Says how many were put on paper. Raises InvalidInput, and Denied on a server that cannot make PDF files."""
        self.document = document
        for record in records:
            require_fits(ctx, live, record, document)
            if document.made == "page":
                one = sheet(ctx, self.storage, live, record, document)
                self.printed.append(paper.printed(one, ctx.language))
                self.title = one.title
            else:
                self.made.append(file_of(ctx, live, record, document))
        return len(records)

    def finished(self, ctx: Context, live: LiveTable) -> Made:
        """The file: one, pages one after the other, or several files in a zip."""
        audit.note(ctx, "data.printed", f"{live.inst.slug}.{live.id}", n=self.count)
        title = ((self.document and self.document.title) or live.table.title or Text.of(live.id)).in_language(
            ctx.language
        )
        if len(self.made) == 1:
            return self.made[0]
        if self.made:
            return Made(files.safe_name(f"{title} ({self.count}).zip"), ZIP, together(self.made))
        name = self.title if self.count == 1 else f"{title} ({self.count})"
        return Made(files.safe_name(f"{name}.pdf"), PDF, paper.written(self.printed))


def file_of(ctx: Context, live: LiveTable, record: Record, document: Document) -> Made:
    """A record in the Word or Excel file of a template."""
    page = Page(door(ctx, live), record, document, ctx.language, InBrowser())
    if document.file is None:
        raise NotFound
    ending = FILES[document.made]
    data = office.filled(document.file, page.reading)
    return Made(files.safe_name(f"{_title(page)}.{ending}"), WORD if ending == "docx" else EXCEL, data)


def together(made: Iterable[Made]) -> bytes:
    """Several files in one zip; a name that comes twice is numbered."""
    out, seen = io.BytesIO(), Counter[str]()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for one in made:
            seen[one.name] += 1
            stem, _, ending = one.name.rpartition(".")
            name = one.name if seen[one.name] == 1 else f"{stem} ({seen[one.name]}).{ending}"
            archive.writestr(name, one.data)
    return out.getvalue()
