"""A print template: how a record of a table looks on paper, as blocks on a page or as a Word or Excel file filled in."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.attached import Attached
from schemas.dependencies import Circle
from schemas.documents import DocumentBlock, block_types, office
from schemas.documents.approvals import Approvals
from schemas.documents.base import wording_problems
from schemas.documents.fields import UNPRINTED, Fields
from schemas.documents.heading import Heading
from schemas.documents.rows import RowsBlock
from schemas.errors import BadValue, Problem
from schemas.form import fields_in
from schemas.formula import Formula, FormulaError
from schemas.formula.types import BOOLEAN
from schemas.messages import Message, say
from schemas.options import option
from schemas.parsers import FormulaSource, Id, Kinds, Label, Line, Many, Object, Reference, Words
from schemas.strangers import strangers
from schemas.table import Table
from schemas.text import Text
from schemas.wording import formatted

if TYPE_CHECKING:
    from schemas.app import App

FILES = {"word": "docx", "excel": "xlsx"}
"""What a template that is a file ends in."""
MARGINS = ("head_left", "head_right", "foot_left", "foot_right")
PAGE_WORDS = ("page", "pages")
"""Names that only a page's head and foot know: the page's number, and how many there are."""
COUNTED = Text({"zh": "第 {page} 页，共 {pages} 页", "en": "Page {page} of {pages}"})


@dataclass(frozen=True, kw_only=True)
class Document:
    """A template for printing a record. Whoever may print a record may use it, unless it names roles."""

    id: str = option(Id(required=True), "Id", section="advanced")
    table: str = option(Reference("table", required=True), "Table", "", section="hidden")
    title: Text = option(Label(), "Title", Text())
    icon: str = option(Line(40), "Icon", "print", section="hidden")
    made: str = option(Words("page", *FILES), "Made from", "page", section="hidden")
    file: Attached | None = option(Object(Attached, allow_none=True), "File to fill in", section="hidden")
    name: Text = option(Label(), "Name of the file", Text(), help="Formulas in braces are filled in: {no}.")
    roles: tuple[str, ...] = option(
        Many(Reference("role"), most=50), "Only for these roles", (), help="None for all who may print."
    )
    when: Formula | None = option(
        FormulaSource("boolean", allow_none=True),
        "Only records where",
        help="Other records cannot be printed by this template.",
    )
    size: str = option(Words("A4", "A5", "A3", "letter"), "Paper", "A4", section="style")
    orientation: str = option(Words("portrait", "landscape"), "Orientation", "portrait", section="style")
    margin: str = option(Words("narrow", "normal", "wide"), "Margins", "normal", section="style")
    font: str = option(Words("sans", "serif"), "Font", "sans", section="style")
    letters: str = option(Words("small", "normal", "large"), "Size of letters", "normal", section="style")
    logo: Attached | None = option(Object(Attached, allow_none=True), "Logo", section="hidden")
    head_left: Text = option(
        Label(),
        "Head, left",
        Text(),
        section="style",
        help="On every page; beside formulas it knows {page} and {pages}.",
    )
    head_right: Text = option(Label(), "Head, right", Text(), section="style")
    foot_left: Text = option(Label(), "Foot, left", Text(), section="style")
    foot_right: Text = option(Label(), "Foot, right", COUNTED, section="style")
    watermark: Text = option(Label(), "Watermark", Text(), section="style")
    blocks: tuple[DocumentBlock, ...] = option(Many(Kinds(block_types), unique="id", most=200), "Blocks", (), section="hidden")  # fmt: skip

    def problems(self) -> Iterator[tuple[str, Message]]:
        ending = FILES.get(self.made)
        if ending and self.file is not None and self.file.ending != ending:
            yield "file", say("choose a file that ends in .{ending}", ending=ending)

    @property
    def ready(self) -> bool:
        """Whether there is anything to print by it."""
        return bool(self.blocks) if self.made == "page" else self.file is not None


def problems(document: Document, app: "App") -> Iterator[Problem]:
    """What is wrong with a template's references and formulas; paths are relative to it."""
    table = app.table(document.table)
    if table is None:
        yield Problem("table", say("there is no table '{name}'", name=document.table))
        return
    yield from strangers("roles", "role", document.roles, [r.id for r in app.roles])
    if document.made in FILES and document.file is None:
        yield Problem("file", say("choose the file that is to be filled in"))
    yield from app.analysis.attempt("when", document.when, app.analysis.printing_scope(table), BOOLEAN)
    if document.made in FILES and document.file is not None:
        yield from _file_problems(document.file, app, table)
    yield from wording_problems(app, table, "name", document.name)
    yield from wording_problems(app, table, "watermark", document.watermark)
    for name in MARGINS:
        yield from wording_problems(app, table, name, without_page_words(getattr(document, name)))
    for n, block in enumerate(document.blocks):
        for problem in block.linked(app, table):
            yield Problem(f"blocks[{n}].{problem.path}", problem.message, problem.severity)


def _file_problems(file: Attached, app: "App", table: Table) -> Iterator[Problem]:
    """What is wrong with a file's placeholders; each is told with what stands around it."""
    try:
        texts = office.texts(file)
    except BadValue as err:
        yield Problem("file", err.message)
        return
    subforms = {rows.id: rows for rows in table.subforms}
    for text in texts:
        for found in office.placeholders(text):
            subform = found.of_row(list(subforms))
            if subform and found.source == f"{subform}.{office.ROW}":
                continue
            try:
                formula = formatted(found.within(subform)) if subform else found.formula()
                app.analysis.expression(formula, app.analysis.printing_scope(table, subforms.get(subform)))
            except (FormulaError, Circle) as err:
                reason = err.message if isinstance(err, FormulaError) else app.analysis.circle(err)
                yield Problem(
                    "file", say("{placeholder}: {problem}", placeholder=f"{{{found.source}}}", problem=reason)
                )


def without_page_words(text: Text) -> Text:
    """A text of a page's head or foot with its page numbers taken for plain text."""
    lines = dict(text.by_language)
    for word in PAGE_WORDS:
        lines = {language: line.replace(f"{{{word}}}", "0") for language, line in lines.items()}
    return Text(lines)


def plain(app: "App", table: Table) -> Document:
    """How a record is printed without a template: its title, its form's fields, its subforms, its approvals."""
    form = app.form_of(table.id)
    placed = [id for id in dict.fromkeys(fields_in(form.layout)) if id in table.by_id]
    ids = [*placed, *(f.id for f in table.fields if f.id not in placed)]
    flat = tuple(id for id in ids if table.by_id[id].type not in UNPRINTED)
    blocks: list[DocumentBlock] = [Heading(id="title", text=_heading(table), level=2, align="center")]
    if flat:
        blocks.append(Fields(id="values", show=flat, blanks=False))
    for subform in table.subforms:
        blocks.append(
            Heading(id=f"of_{subform.id}"[:40], text=_as_it_stands(subform.label or Text.of(subform.id)), level=3)
        )
        totals = tuple(c.id for c in subform.fields if getattr(c, "footer", "none") == "sum")
        blocks.append(RowsBlock(id=f"rows_{subform.id}"[:40], rows=subform.id, totals=totals))
    blocks.append(Approvals(id="approvals"))
    return Document(id="plain", table=table.id, title=table.title, blocks=tuple(blocks))


def _heading(table: Table) -> Text:
    """A table's title, and the record's own."""
    lines = _as_it_stands(table.title or Text.of(table.id)).by_language
    own = f" {{{table.title_formula.source}}}" if table.title_formula is not None else ""
    return Text({language: f"{line}{own}" for language, line in lines.items()})


def _as_it_stands(text: Text) -> Text:
    """A text in which braces mean nothing."""
    return Text({language: line.replace("{", "{{").replace("}", "}}") for language, line in text.by_language.items()})
