"""The designer of print templates: blocks on a page with a real record, and the options of the chosen one."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, render_template, request
from markupsafe import Markup

from builder import documents, drafts, panel
from builder.drafts import Draft
from builder.near import Surroundings, title_in
from builder.parts import Json, Parts
from builder.places import told
from builder.web import edits
from builder.web.apps import designer
from runtime import definitions, pages, query
from runtime.access import door
from runtime.context import Context
from runtime.documents import InBrowser
from runtime.pages import Page
from runtime.query import Listing, Record
from runtime.tables import LiveTable, live
from runtime.web.edge import go, work
from schemas.document import Document
from schemas.documents import DocumentBlock, block_types
from schemas.documents.fields import UNPRINTED
from schemas.errors import DefinitionError, InvalidInput
from schemas.messages import Message, say
from schemas.numbers import read_whole
from schemas.options import load
from schemas.table import SYSTEM_LABELS

bp = Blueprint("build_documents", __name__)
LOOKED_AT = 20
"""So many records may be chosen to look at a template with."""
NOT_PUBLISHED = say("This form is not published yet.")
NOTHING = say("Nothing to print here for this record.")


@bp.get("/build/<app>/document/<document>/")
def show(app: str, document: str) -> Any:
    with work() as ctx:
        designer(ctx)
        draft = drafts.open_draft(ctx, app)
        return page(ctx, draft, document, request.args.get("block", ""))


def page(
    ctx: Context, draft: Draft, document: str, chosen: str = "", *, errors: Any = None, typed: Json | None = None, status: int = 200
) -> Any:  # fmt: skip
    """The designer as a page, or its fragment after an edit. `typed` is what was sent and refused."""
    parts, found = draft.parts, documents.the_document(draft.parts, document)
    blocks = {b["id"]: b for b in found.get("blocks") or ()}
    block = blocks.get(chosen)
    around = Surroundings(parts, draft.app, found["table"])
    problems = [told(parts, p) for p in draft.problems]
    wrong = _problems_by_block(problems, document, list(blocks))
    mine = errors if errors is not None else wrong.get(chosen if block else "", {})
    trial = Trial(ctx, draft, found)
    shown = {
        "document_id": document, "document": found, "chosen": chosen if block else "", "block": block,
        "kinds": list(block_types), "kind": block_types[block["type"]] if block else None, "tab": "document",
        "sections": _panel(around, block or found, block_types[block["type"]] if block else Document, mine, typed),
        "here": f"/build/{draft.slug}/document/{document}/", "sheet": trial.sheet(chosen, wrong) if _is_page(found) else None,
        "records": trial.listed, "record": str(trial.record.id) if trial.record else "", "wrong_file": mine.get("file", ()),
        "placeholders": _placeholders(around, _is_page(found)),
    }  # fmt: skip
    return edits.drawn(ctx, draft, around, problems, "document_studio", shown, status)


def _is_page(found: Json) -> bool:
    return bool(found.get("made", "page") == "page")


def _placeholders(around: Surroundings, page: bool) -> list[tuple[str, Any]]:
    """What may stand in braces, with its name; in a file also the columns of subforms."""
    found: list[tuple[str, Any]] = []
    for field in around.fields:
        if field["type"] == "rows" and not page:
            found += [(f"{field['id']}.{c['id']}", title_in(c)) for c in field.get("fields", ())]
        elif field["type"] not in UNPRINTED:
            found.append((field["id"], title_in(field)))
    return [*found, *SYSTEM_LABELS.items(), ("our_company", say("Our company"))]


def _panel(around: Surroundings, item: Json, kind: Any, errors: Any, typed: Json | None) -> Any:
    values = {**item, **{k: v for k, v in (typed or {}).items() if v is not None}}
    return panel.inputs(kind, values, around.near(edits.modes_sent()), errors)


def _problems_by_block(problems: list[Any], document: str, ids: list[str]) -> dict[str, dict[str, list[Message]]]:
    """The draft's problems with this template: by block (its own under an empty name) and by the name of the input."""
    found: dict[str, dict[str, list[Message]]] = {}
    for one in problems:
        if (one.place.kind, one.place.id) != ("documents", document):
            continue
        head, _, rest = one.place.option.partition(".")
        number, _, name = rest.partition(".")
        inside = head == "blocks" and number.isdigit() and int(number) < len(ids)
        by_name = found.setdefault(ids[int(number)] if inside else "", {})
        by_name.setdefault(name if inside else one.place.option, []).append(one.problem.message)
    return found


class Trial:
    """A template as it is being made, with a record that is there."""

    def __init__(self, ctx: Context, draft: Draft, found: Json) -> None:
        self.ctx, self.found = ctx, found
        self.inst = definitions.installed(ctx, draft.slug)
        self.live: LiveTable | None = (
            live(ctx, self.inst, found["table"]) if self.inst.app.table(found["table"]) else None
        )
        self.records = self._some()
        self.record = self._chosen()

    @property
    def listed(self) -> list[tuple[str, str]]:
        return [(str(record.id), record.title or str(record.id)) for record in self.records]

    def _some(self) -> list[Record]:
        """The newest records that the designer may read; one who may read none sees the blocks by their names."""
        if self.live is None or not door(self.ctx, self.live).may("read"):
            return []
        newest = Listing(sort=["-created_at"], size=LOOKED_AT)
        return list(query.page(door(self.ctx, self.live), newest).records)

    def _chosen(self) -> Record | None:
        ids = [str(record.id) for record in self.records]
        asked = request.values.get("record", "")
        id = asked if asked in ids else next(iter(ids), "")
        return query.fetch(door(self.ctx, self.live), UUID(id)) if id and self.live else None

    def sheet(self, chosen: str, wrong: Any) -> Markup:
        """The page with each block in a frame by which it is chosen and moved."""
        blocks = self.found.get("blocks") or ()
        frames = [
            Markup(
                render_template(
                    "builder/_document_slot.html", one=b, kind=block_types[b["type"]], chosen=b["id"] == chosen,
                    wrong=bool(wrong.get(b["id"])), here=self._here, **self._drawn(b),
                )
            )  # noqa: S704 (drawn with autoescape)
            for b in blocks if b["type"] in block_types
        ]  # fmt: skip
        body = {"data-sortable": f"{self._here}move", "data-swap": "#studio", "id": "paper-body"}
        whole = self._document()
        if self.record is None or self.live is None:
            inside = Markup('<article class="{}"><div class="paper-body"{}>{}</div></article>')
            attributes = Markup("").join(Markup(' {}="{}"').format(k, v) for k, v in body.items())
            return inside.format(pages.classes(whole), attributes, Markup("").join(frames))
        return pages.around(self._page(whole), frames, body)

    @property
    def _here(self) -> str:
        return f"/build/{self.inst.slug}/document/{self.found['id']}/"

    def _page(self, document: Document) -> Page:
        assert self.live is not None
        assert self.record is not None
        return Page(door(self.ctx, self.live), self.record, document, self.ctx.language, InBrowser())

    def _document(self) -> Document:
        """The template without its blocks; where its own options do not fit yet, a plain page."""
        options = {k: v for k, v in self.found.items() if k not in ("blocks", "when", "name")}
        try:
            made = load(Document, options)
        except DefinitionError:
            return Document(id="x", table=self.found["table"])
        from schemas.document import problems

        broken = any(p.severity == "error" for p in problems(made, self.inst.app))
        return Document(id=made.id, table=made.table, size=made.size, orientation=made.orientation) if broken else made

    def _drawn(self, block: Json) -> dict[str, Any]:
        """A block with the record's values, or why it cannot be drawn yet."""
        try:
            made: DocumentBlock = load(block_types[block["type"]], {k: v for k, v in block.items() if k != "type"})
        except DefinitionError as err:
            return {"markup": "", "problems": [p.message for p in err.problems]}
        if self.live is None:
            return {"markup": "", "problems": [NOT_PUBLISHED]}
        found = [p.message for p in made.linked(self.inst.app, self.live.table) if p.severity == "error"]
        if found or self.record is None:
            return {"markup": "", "problems": found}
        page = self._page(self._document())
        left_out = not page.reading.holds(made.when)
        markup = pages.drawn_block(page, made)
        return {"markup": markup, "problems": [] if markup else [NOTHING], "left_out": left_out}


# -- edits -----------------------------------------------------------------------------------------


def making(app: str, document: str, message: Message, edit: Callable[[Parts], tuple[Parts, str]]) -> Any:
    return edits.making(app, message, edit, lambda ctx, draft, chosen: answered(ctx, draft, document, chosen))


def answered(ctx: Context, draft: Draft, document: str, chosen: str) -> Any:
    asked = {"block": chosen, "record": request.values.get("record", "")}
    kept = urlencode({name: value for name, value in asked.items() if value})
    url = f"/build/{draft.slug}/document/{document}/" + (f"?{kept}" if kept else "")
    return edits.leading_to(url, lambda: page(ctx, draft, document, chosen))


@bp.post("/build/<app>/documents")
def create(app: str) -> Any:
    """A new template (`title`) for a table, made from blocks or from a file (`made`)."""
    title, table, made = (request.form.get(name, "") for name in ("title", "table", "made"))
    return edits.making(
        app, say("New print template"), lambda parts: documents.add_document(parts, title, table, made or "page"),
        lambda ctx, draft, document: go(f"/build/{app}/document/{document}/"),
    )  # fmt: skip


@bp.post("/build/<app>/document/<document>/remove")
def remove(app: str, document: str) -> Any:
    return edits.making(
        app, say("Print template removed"), lambda parts: (documents.remove_document(parts, document), ""),
        lambda ctx, draft, _: go(f"/build/{app}/"),
    )  # fmt: skip


@bp.post("/build/<app>/document/<document>/duplicate")
def duplicate(app: str, document: str) -> Any:
    """The same template once more."""
    return edits.making(
        app, say("Print template copied"), lambda parts: documents.copy_document(parts, document),
        lambda ctx, draft, made: go(f"/build/{app}/document/{made}/"),
    )  # fmt: skip


@bp.post("/build/<app>/document/<document>/add")
def add(app: str, document: str) -> Any:
    """A new block (`type`) behind the chosen one (`after`)."""
    type, after = request.form.get("type", ""), request.form.get("after", "")
    return making(app, document, say("New block"), lambda parts: documents.add_block(parts, document, type, after))


@bp.post("/build/<app>/document/<document>/copy")
def copy(app: str, document: str) -> Any:
    block = request.form.get("id", "")
    return making(app, document, say("Block copied"), lambda parts: documents.copy_block(parts, document, block))


@bp.post("/build/<app>/document/<document>/delete")
def delete(app: str, document: str) -> Any:
    block = request.form.get("id", "")
    return making(
        app, document, say("Block removed"), lambda parts: (documents.remove_block(parts, document, block), "")
    )


@bp.post("/build/<app>/document/<document>/move")
def move(app: str, document: str) -> Any:
    """A block (`key`) put at a `position` among the others."""
    block, position = request.form.get("key", ""), read_whole(request.form.get("position", ""))
    if position is None:
        raise InvalidInput({"": [say("The move could not be read.")]})
    return making(
        app, document, say("Block moved"), lambda parts: (documents.move_block(parts, document, block, position), block)
    )


@bp.post("/build/<app>/document/<document>/undo")
@bp.post("/build/<app>/document/<document>/redo")
def step(app: str, document: str) -> Any:
    """Undo or redo, and stay on this template if it is still there."""
    chosen = request.form.get("chosen", "")

    def answer(ctx: Context, draft: Draft) -> Any:
        there = f"documents/{document}" in draft.parts
        return answered(ctx, draft, document, chosen) if there else go(f"/build/{app}/")

    return edits.stepping(app, answer)


@bp.post("/build/<app>/document/<document>/options")
def set_options(app: str, document: str) -> Any:
    """What was put into the panel, of a block (`path`) or of the template itself."""
    chosen = request.form.get("path", "")
    with work() as ctx:
        designer(ctx)
        draft = drafts.open_draft(ctx, app)
        found = documents.the_document(draft.parts, document)
        item = documents.the_block(draft.parts, document, chosen) if chosen else found
        kind = block_types[item["type"]] if chosen else Document
        around = Surroundings(draft.parts, draft.app, found["table"])
        made, errors = panel.read(kind, edits.sent(), item, around.near())
        if errors:
            return page(ctx, draft, document, chosen, errors=errors, typed=made, status=422)

    def edit(parts: Parts) -> tuple[Parts, str]:
        if chosen:
            return documents.change_block(parts, document, chosen, made), chosen
        return documents.change_document(parts, document, made), ""

    return making(app, document, say("Options changed"), edit)


@bp.post("/build/<app>/document/<document>/attach")
def attach(app: str, document: str) -> Any:
    """A picture, logo or file (`file`) for an `option` of the template or of a block (`path`); without one it is taken away."""
    block, option = request.form.get("path", ""), request.form.get("option", "")
    body = request.files.get("file")
    kept = None
    if not request.form.get("without"):
        kept = documents.attached(body.filename or "", body.stream.read()) if body else None
        if kept is None:
            raise InvalidInput({"": [say("Choose a file.")]})
        _refuse_unfit(option, kept)
    edited = say("File removed") if kept is None else say("File added")
    return making(app, document, edited, lambda parts: (documents.attach(parts, document, block, option, kept), block))


def _refuse_unfit(option: str, kept: Json) -> None:
    """Raises InvalidInput for a picture that is none, or a file that cannot be filled in."""
    from runtime.documents import is_picture
    from schemas.attached import Attached

    file = load(Attached, kept)
    if option in ("logo", "image") and not is_picture(file):
        raise InvalidInput({"": [say("This is not a picture that browsers can show. Save it as JPEG or PNG first.")]})
