"""Editing a form of 100 fields in the designer."""

from collections.abc import Iterator
from itertools import count
from typing import Any

from bench.measure import Pair
from bench.registry import benchmark
from bench.world import World
from runtime import definitions

FIELDS = 100
KINDS = ("text", "number", "date", "choice", "money")
EDIT = 50
"""The most milliseconds of processor time that an edit may take."""


def wide() -> dict[str, Any]:
    """An app of one form with 100 fields, a fifth of them calculated from others, and ten rules."""
    fields: list[dict[str, Any]] = []
    for n in range(FIELDS):
        kind = KINDS[n % len(KINDS)]
        more = {"options": [{"id": f"o{k}", "label": f"Option {k}"} for k in range(5)]} if kind == "choice" else {}
        fields.append({"id": f"f{n}", "type": kind, "label": {"en": f"Field {n}", "zh": f"字段 {n}"}, **more})
    for n in range(0, FIELDS, 5):
        fields[n] = {"id": f"f{n}", "type": "formula", "label": f"Field {n}", "formula": f"f{n + 1} * 2"}
    rules = [{"when": f"f{n + 1} > 5", "show": [f"f{n + 2}"]} for n in range(0, 50, 5)]
    layout = [{"row": [f"f{n}", f"f{n + 1}"]} for n in range(0, FIELDS, 2)]
    return {
        "language": 1, "app": "wide", "tables": [{"id": "wide", "fields": fields}],
        "forms": [{"id": "wide", "table": "wide", "layout": layout, "rules": rules}],
    }  # fmt: skip


@benchmark
def edit(world: World) -> Iterator[Pair]:
    """A label is changed and a field is moved, each answered with the whole studio."""
    with world.site.opened() as ctx:
        definitions.publish(ctx, "wide", wide())
    browser, numbers, studio = world.designer, count(), "/build/wide/form/wide/"
    browser.get(studio)

    def label() -> None:
        sent = {"path": "f1", "tab": "field", "label.en": f"Field {next(numbers)}", "label.zh": "字段"}
        browser.post(f"{studio}options", sent, **{"HX-Request": "true"})

    def move() -> None:
        browser.post(f"{studio}move", {"what": "field:f1", "by": ("up", "down")[next(numbers) % 2]}, **{"HX-Request": "true"})

    yield Pair(f"an option is changed, {FIELDS} fields", label, times=5, limit=EDIT)
    yield Pair(f"a field is moved, {FIELDS} fields", move, times=5, limit=EDIT)
