from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.errors import Problem
from schemas.messages import say
from schemas.options import option
from schemas.parsers import Many, Reference, Whole
from schemas.table import SYSTEM_FIELDS
from schemas.table import Table as TableDefinition
from schemas.views.base import SortKey
from schemas.widgets.base import Widget, widget_types

if TYPE_CHECKING:
    from schemas.app import App


@widget_types.register
@dataclass(frozen=True, kw_only=True)
class Table(Widget):
    """The records themselves, a few of them."""

    type = "table"
    title_word = "List"
    shape = (12, 5)

    columns: tuple[str, ...] = option(Many(Reference("column"), most=20, required=True), "Columns", ())
    sort: tuple[str, ...] = option(Many(SortKey("sort column"), most=5), "Sort", ())
    limit: int = option(Whole(1, 100), "At most", 10)

    def linked(self, app: "App", table: TableDefinition) -> Iterator[Problem]:
        yield from super().linked(app, table)
        known = {*table.by_id, *SYSTEM_FIELDS, "flow.state"}
        named = {f"columns[{n}]": name for n, name in enumerate(self.columns)}
        named |= {f"sort[{n}]": name.removeprefix("-") for n, name in enumerate(self.sort)}
        for path, name in named.items():
            if name not in known:
                yield Problem(path, say("there is no field '{name}'", name=name))
