"""An app: tables, forms, views, flows, dashboards, print templates, roles and navigation that travel together."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from schemas.access import Grant, Role
from schemas.dashboard import Dashboard
from schemas.document import Document
from schemas.flow import Flow
from schemas.form import Block, Form
from schemas.navigation import Entry
from schemas.options import option
from schemas.parsers import Dictionary, Icon, Id, Kinds, Label, Line, Many, Object, Whole, Words
from schemas.rights import Opening, openings
from schemas.table import Table
from schemas.text import Text
from schemas.views import View, view_types
from schemas.views.grid import Grid

if TYPE_CHECKING:
    from schemas.analysis import Analysis

LANGUAGE = 1
WATERMARK = ("name", "time", "phone", "email", "workspace")
"""What the watermark on an app's pages may say of whoever looks at them."""


@dataclass(frozen=True, kw_only=True)
class Slot:
    """A member, a department or a secret that each installation names for itself."""

    id: str = option(Id(required=True), "Id", section="advanced")
    type: str = option(Words("member", "department", "secret"), "Kind", "member")
    title: Text = option(Label(), "Title", Text())


@dataclass(frozen=True, kw_only=True)
class App:
    """Everything that one package defines."""

    language: int = option(Whole(1, LANGUAGE, required=True), "Language version", LANGUAGE)
    app: str = option(Id(required=True), "Id", "")
    version: str = option(Line(40), "Version", "1.0.0")
    title: Text = option(Label(), "Title", Text())
    description: Text = option(Label(), "Description", Text())
    icon: str = option(Icon(), "Icon", "box")
    color: str = option(Line(20), "Colour", "teal")
    watermark: tuple[str, ...] = option(
        Many(Words(*WATERMARK), most=len(WATERMARK)), "Watermark on its pages", (),
        help="Says across every page, drawer and printed sheet who looked and when. name: of the member, on public pages of the workspace; "
        "time: when the page was drawn; phone: its last four digits; email, workspace: as they are."
    )  # fmt: skip
    requires: dict[str, str] = option(Dictionary(Line(40)), "Other apps it uses", None)
    slots: tuple[Slot, ...] = option(Many(Object(Slot), unique="id"), "Slots", ())
    roles: tuple[Role, ...] = option(Many(Object(Role), unique="id"), "Roles", ())
    tables: tuple[Table, ...] = option(Many(Object(Table), unique="id"), "Tables", ())
    forms: tuple[Form, ...] = option(Many(Object(Form), unique="id"), "Forms", ())
    views: tuple[View, ...] = option(Many(Kinds(view_types, otherwise="grid"), unique="id"), "Views", ())
    flows: tuple[Flow, ...] = option(Many(Object(Flow), unique="id"), "Flows", ())
    dashboards: tuple[Dashboard, ...] = option(Many(Object(Dashboard), unique="id"), "Dashboards", ())
    documents: tuple[Document, ...] = option(Many(Object(Document), unique="id"), "Print templates", ())
    access: tuple[Grant, ...] = option(Many(Object(Grant), unique="id"), "Access", ())
    navigation: tuple[Entry, ...] = option(Many(Object(Entry)), "Navigation", ())

    @cached_property
    def _index(self) -> dict[str, dict[str, object]]:
        kinds = ("tables", "flows", "dashboards", "documents", "roles", "slots", "access")
        return {kind: {item.id: item for item in getattr(self, kind)} for kind in kinds}

    def table(self, id: str) -> Table | None:
        return self._index["tables"].get(id)  # type: ignore[return-value]

    def flow(self, id: str) -> Flow | None:
        return self._index["flows"].get(id)  # type: ignore[return-value]

    def dashboard(self, id: str) -> Dashboard | None:
        return self._index["dashboards"].get(id)  # type: ignore[return-value]

    def document(self, id: str) -> Document | None:
        return self._index["documents"].get(id)  # type: ignore[return-value]

    def documents_of(self, table: str) -> list[Document]:
        """The print templates of a table."""
        return [document for document in self.documents if document.table == table]

    @property
    def posts(self) -> tuple[Slot, ...]:
        """The slots that stand for people."""
        return tuple(slot for slot in self.slots if slot.type != "secret")

    @cached_property
    def all_forms(self) -> dict[str, Form]:
        """The forms by id, with a default one (named like its table) for each table that has none."""
        laid_out = (form if form.layout else replace(form, layout=self._layout_of(form.table)) for form in self.forms)
        made = {form.id: form for form in laid_out}
        for table in self.tables:
            if not any(form.table == table.id for form in self.forms) and table.id not in made:
                made[table.id] = Form(
                    id=table.id, table=table.id, title=table.title, icon=table.icon, layout=self._layout_of(table.id)
                )
        return made

    def _layout_of(self, table: str) -> tuple[Block, ...]:
        """Every field on a line of its own."""
        found = self.table(table)
        return tuple(Block(row=(f.id,)) for f in found.fields) if found else ()

    @cached_property
    def all_views(self) -> dict[str, View]:
        """The views by id, with one of everything (named like its table) for each table that has none."""
        made = {view.id: view for view in self.views}
        for table in self.tables:
            if not any(view.table == table.id for view in self.views) and table.id not in made:
                columns = tuple(f.id for f in table.fields if f.storage != "child")
                made[table.id] = Grid(id=table.id, table=table.id, title=table.title, icon=table.icon, columns=columns)
        return made

    def form_of(self, table: str) -> Form:
        """The form by which records of this table are filled in unless another is named."""
        return next(form for form in self.all_forms.values() if form.table == table)

    def views_of(self, table: str) -> list[View]:
        return [view for view in self.all_views.values() if view.table == table]

    @cached_property
    def _openings(self) -> dict[str, tuple[Opening, ...]]:
        return {table.id: tuple(openings(self, table.id)) for table in self.tables}

    def openings(self, table: str) -> tuple[Opening, ...]:
        """What the app's grants come to for a table."""
        return self._openings.get(table, ())

    @cached_property
    def analysis(self) -> "Analysis":
        from schemas.analysis import Analysis

        return Analysis(self)
