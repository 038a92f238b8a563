"""What an app's grants come to for one table: which rows each opens, and which fields of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.access import Grant
from schemas.form import Form
from schemas.formula import Formula
from schemas.views import View

if TYPE_CHECKING:
    from schemas.app import App

DEFAULT_COLUMNS = 12


@dataclass(frozen=True)
class Opening:
    """A grant as it opens a table. All of `rows` must hold of a row, all of `after` once it has been written.

    `paths` are the fields that it can open at all (None: every one); `through` is the view or form that it goes by.
    """

    grant: Grant
    rows: tuple[Formula, ...] = ()
    after: tuple[Formula, ...] | None = None
    paths: frozenset[str] | None = None
    through: str = ""

    @property
    def actions(self) -> frozenset[str]:
        return frozenset(self.grant.do)

    def right(self, path: str) -> str:
        """What a field may be by this opening; a column of a subform is there where its subform is."""
        if self.paths is not None and not {path, path.partition(".")[0]} & self.paths:
            return "hidden"
        return self.grant.right(path)


def openings(app: "App", table: str) -> Iterator[Opening]:
    """Every grant that opens a table, itself or by a view or form of it."""
    for grant in app.access:
        if not grant.off and (made := _opening(app, grant, table)) is not None:
            yield made


def _opening(app: "App", grant: Grant, table: str) -> Opening | None:
    own = (grant.rows,) if grant.rows is not None else ()
    after = (grant.rows_after,) if grant.rows_after is not None else None
    if grant.app or grant.table == table:
        return Opening(grant, own, after)
    if grant.view and (view := app.all_views.get(grant.view)) and view.table == table:
        filtered = (view.filter,) if view.filter is not None else ()
        return Opening(grant, (*filtered, *own), after, frozenset(columns_of(app, view)), f"view:{view.id}")
    if grant.form and (form := app.all_forms.get(grant.form)) and form.table == table:
        return Opening(grant, own, after, frozenset(_fields_of(form)), f"form:{form.id}")
    return None


def columns_of(app: "App", view: View) -> list[str]:
    """The fields that a view shows."""
    table = app.table(view.table)
    flat = [f.id for f in table.fields if f.storage != "child" and f.type != "query"] if table else []
    shown = [*(view.columns or flat[:DEFAULT_COLUMNS]), *view.placed]
    return list(dict.fromkeys(shown))


def _fields_of(form: Form) -> list[str]:
    return list(form.placed)


def named(app: "App", kind: str, id: str) -> bool:
    """Whether grants say who may use a view, a form or a flow, so that it is for nobody else."""
    return any(not grant.off and grant.about == (kind, id) for grant in app.access)
