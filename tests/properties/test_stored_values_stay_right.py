"""Whatever is defined and whatever is written: every stored value is what a calculation from scratch gives.

Definitions and writes are drawn at random. `MORTISE_PROPERTY_EXAMPLES=500` looks longer than the suite does.
"""

import os
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from runtime import records, verify
from runtime.actors import System
from schemas.app import App
from schemas.errors import InvalidInput, NotFound
from schemas.fields.link import ON_DELETE
from schemas.options import load
from tests.runtime.conftest import Shop, make_shop, prepared  # noqa: F401

EXAMPLES = int(os.environ.get("MORTISE_PROPERTY_EXAMPLES", "15"))
TABLES = ("author", "book", "shelf")
WORDS = ("red", "Red", "blue", "")
NUMBERS = st.none() | st.integers(-3, 9).map(Decimal)

SHAPES: list[dict[str, Any]] = [
    {"type": "formula", "formula": "{number} * 2 + 1"},
    {"type": "formula", "formula": "IF({number} = 0, 1 / 0, {number})"},
    {"type": "formula", "formula": "{link}.{far} + 1"},
    {"type": "formula", "formula": "{link}.{link_far}.number"},
    {"type": "formula", "formula": "COUNT({links}) + SUM({links}.{far_links})"},
    {"type": "formula", "formula": "JOIN({links}.word, \"/\")"},
    {"type": "formula", "formula": "SUM({side}.number) + COUNT({side})"},
    {"type": "formula", "formula": "SUM({side}.{side_far})"},
    {"type": "formula", "formula": "SUM(lines.sum) + COUNT(lines)"},
    {"type": "formula", "formula": "{lookup} + 1"},
    {"type": "formula", "formula": "IF(flow.state = \"running\", 1, 0)"},
    {"type": "rollup", "over": "{links}", "aggregate": "sum", "value": "{far_links}"},
    {"type": "rollup", "over": "{links}", "aggregate": "join", "value": "word", "sort": ["-number", "word"]},
    {"type": "rollup", "over": "{links}", "aggregate": "count", "where": "number > this.number"},
    {"type": "rollup", "over": "{side}", "aggregate": "sum", "value": "{side_far}"},
    {"type": "rollup", "over": "{side}", "aggregate": "average", "value": "{side_far}", "where": "number > 1"},
    {"type": "rollup", "over": "{side}", "aggregate": "max", "value": "{side_far} + 1"},
    {"type": "rollup", "over": "{side}", "aggregate": "first", "value": "word", "sort": ["-number"]},
    {"type": "rollup", "over": "{side}", "aggregate": "count_distinct", "value": "word"},
    {"type": "rollup", "over": "{rows_side}", "aggregate": "sum", "value": "sum * 2"},
    {"type": "rollup", "over": "{rows_side}", "aggregate": "sum", "value": "count", "where": "number > 0"},
    {"type": "rollup", "over": "lines.to", "aggregate": "sum", "value": "number"},
    {"type": "rollup", "table": "{any}", "aggregate": "count", "where": "word = this.word"},
    {"type": "rollup", "table": "{any}", "aggregate": "sum", "value": "number", "where": "AND(number > 0, number = this.number)"},
    {"type": "rollup", "table": "{any}", "aggregate": "max", "value": "number", "where": "number < this.number"},
    {"type": "rollup", "table": "{any}", "aggregate": "count"},
    {"type": "formula", "formula": "{group}.total + 1"},
    {"type": "rollup", "over": "{links}", "aggregate": "sum", "value": "{far_group}.total"},
]  # fmt: skip
GROUPS: list[dict[str, Any]] = [
    {"by": {"word": "word"}},
    {"by": {"word": "word"}, "where": "number > 1"},
    {"by": {"word": "TEXT(number, \"0\")"}},
    {"by": {"word": "word", "kind": "IF(number > 3, \"much\", \"little\")"}},
]  # fmt: skip
"""How records are filed in a fourth table, whose records are made for them and add up what is filed there."""


def base(name: str, rules: tuple[str, str], link: str, links: str, to: str) -> list[dict[str, Any]]:
    """The fields of a table before anything is calculated: each points at two others and, in rows, at a third."""
    return [
        {"id": "number", "type": "number", "decimals": 0},
        {"id": "word", "type": "text"},
        {"id": f"{name}_one", "type": "link", "table": link, "on_delete": rules[0], "reverse": {"id": f"{name}_sources"}},
        {"id": f"{name}_many", "type": "links", "table": links, "on_delete": rules[1], "reverse": {"id": f"{name}_many_sources"}},
        {"id": "seen", "type": "lookup", "path": f"{name}_one.number"},
        {"id": "lines", "type": "rows", "fields": [
            {"id": "to", "type": "link", "table": to},
            {"id": "count", "type": "number", "decimals": 0},
            {"id": "sum", "type": "formula", "formula": "count * number + to.number"},
            {"id": "heap", "type": "group", "table": "pile", "by": {"word": "word", "kind": "IF(count > 0, \"in\", \"out\")"}}]},
    ]  # fmt: skip


def pile(filed: list[str]) -> dict[str, Any]:
    """The table in which the others are filed by `filed` groups, with what it adds up."""
    sums = [
        {"id": f"sum_{n}", "type": "rollup", "over": path, "aggregate": "sum", "value": "sum" if "lines" in path else "number"}
        for n, path in enumerate(filed)
    ]
    total = " + ".join(f"IFERROR({s['id']}, 0)" for s in sums)
    own = [{"id": "word", "type": "text"}, {"id": "kind", "type": "text"}]
    fields = [*own, *sums, {"id": "total", "type": "formula", "formula": total}]
    return {"id": "pile", "keys": [{"fields": ["word", "kind"]}], "fields": fields}


@st.composite
def packages(draw: st.DrawFn) -> dict[str, Any]:
    """An app of three tables that are linked at random, with calculations that stand on one another."""
    ends = {name: [draw(st.sampled_from(TABLES)) for _ in range(3)] for name in TABLES}
    rules = st.tuples(*[st.sampled_from(ON_DELETE)] * 2)
    tables = {
        name: {"id": name, "title_formula": "word", "fields": base(name, draw(rules), *ends[name])} for name in TABLES
    }
    for name in TABLES:
        tables[name]["fields"].append({"id": "filed", "type": "group", "table": "pile", **draw(st.sampled_from(GROUPS))})
    where = [f"{name}.{path}" for name in TABLES for path in ("filed", "lines.heap") if draw(st.booleans())]
    tables["pile"] = pile(where or ["book.filed"])
    made: dict[str, list[str]] = {name: ["number"] for name in TABLES}
    for number in range(draw(st.integers(3, 9))):
        name = draw(st.sampled_from(TABLES))
        field = shaped(draw, name, ends, made, f"c{number}")
        tried = {**tables, name: {**tables[name], "fields": [*tables[name]["fields"], field]}} if field else None
        if tried and not load(App, package_of(tried)).analysis.problems():
            tables = tried
            if field["type"] == "rollup" and field["aggregate"] not in ("join", "first") or "SUM" in str(field):
                made[name].append(field["id"])
    return package_of(tables)


def package_of(tables: dict[str, Any]) -> dict[str, Any]:
    access = [
        {"id": t, "who": {"role": "manager"}, "table": t, "do": ["read", "create", "update", "delete", "import"]}
        for t in TABLES
    ]
    return {
        "language": 1,
        "app": "shop",
        "roles": [{"id": "manager"}],
        "tables": list(tables.values()),
        "access": access,
    }


def shaped(draw: st.DrawFn, name: str, ends: Any, made: dict[str, list[str]], id: str) -> dict[str, Any] | None:
    """One of the shapes with names of this app put into it; None where it needs what is not there."""
    sides = [t for t in TABLES if ends[t][0] == name]
    many = [t for t in TABLES if ends[t][1] == name]
    in_rows = [t for t in TABLES if ends[t][2] == name]
    side = draw(
        st.sampled_from([(t, f"{t}_sources") for t in sides] + [(t, f"{t}_many_sources") for t in many] or [("", "")])
    )
    link, links, _ = ends[name]
    words = {
        "number": draw(st.sampled_from(made[name])), "link": f"{name}_one", "far": draw(st.sampled_from(made[link])),
        "link_far": f"{link}_one", "links": f"{name}_many", "far_links": draw(st.sampled_from(made[links])),
        "side": side[1], "side_far": draw(st.sampled_from(made[side[0]])) if side[0] else "",
        "rows_side": f"{draw(st.sampled_from(in_rows))}.lines.to" if in_rows else "", 
        "any": draw(st.sampled_from(TABLES)), "lookup": "seen",
        "group": "filed", "far_group": "filed",
    }  # fmt: skip
    shape = dict(draw(st.sampled_from(SHAPES)))
    text = str(shape)
    if ("{side" in text and not side[0]) or ("{rows_side" in text and not in_rows):
        return None
    return {"id": id, **{k: v.format(**words) if isinstance(v, str) else v for k, v in shape.items()}}


def values_of(draw: st.DrawFn, name: str, ends: dict[str, list[UUID]], whole: bool) -> dict[str, Any]:
    """What somebody writes into a record of a table, pointing at what is there."""

    def one(table: str) -> UUID | None:
        return draw(st.none() | st.sampled_from(ends[table])) if ends[table] else None

    made = {
        "number": lambda: draw(NUMBERS),
        "word": lambda: draw(st.sampled_from(WORDS)) or None,
        f"{name}_one": lambda: one(TARGETS[name][0]),
        f"{name}_many": lambda: list(dict.fromkeys(i for _ in range(3) if (i := one(TARGETS[name][1])))) or None,
        "lines": lambda: [
            {"to": one(TARGETS[name][2]), "count": draw(NUMBERS)} for _ in range(draw(st.integers(0, 2)))
        ] or None,
    }  # fmt: skip
    return {id: value() for id, value in made.items() if whole or draw(st.booleans())}


TARGETS: dict[str, list[str]] = {}


@settings(
    max_examples=EXAMPLES, deadline=None, derandomize="MORTISE_PROPERTY_EXAMPLES" not in os.environ,
    phases=(Phase.explicit, Phase.generate, *([Phase.shrink] if "MORTISE_PROPERTY_EXAMPLES" in os.environ else [])),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)  # fmt: skip
@given(data=st.data())
def test_every_stored_value_is_what_a_calculation_from_scratch_gives(
    make_shop: Callable[..., Shop],  # noqa: F811
    data: st.DataObject,
) -> None:
    package = data.draw(packages())
    TARGETS.clear()
    for table in package["tables"][: len(TABLES)]:
        fields = {f["id"]: f for f in table["fields"]}
        ends = [
            fields[f"{table['id']}_one"]["table"],
            fields[f"{table['id']}_many"]["table"],
            fields["lines"]["fields"][0]["table"],
        ]
        TARGETS[table["id"]] = ends
    shop = make_shop(package)
    there: dict[str, list[UUID]] = {name: [] for name in TABLES}
    for _ in range(data.draw(st.integers(4, 12))):
        step = data.draw(st.sampled_from(["create", "create", "bulk", "change", "change", "trash", "restore", "flow"]))
        name = data.draw(st.sampled_from(TABLES))
        with shop.opened(shop.manager) as ctx:
            write(data.draw, ctx, shop.table(ctx, name), step, there)
        with shop.opened(System()) as ctx:
            found = [d for t in (*TABLES, "pile") for d in verify.differences(ctx, shop.table(ctx, t))]
            assert found == [], (step, name)


def write(draw: st.DrawFn, ctx: Any, table: Any, step: str, there: dict[str, list[UUID]]) -> None:
    own = there[table.id]
    if step in ("create", "bulk"):
        many = [values_of(draw, table.id, there, True) for _ in range(draw(st.integers(2, 4)) if step == "bulk" else 1)]
        own += [d.id for d in records.create_many(ctx, table, many, action="import" if step == "bulk" else "create")]
    elif own:
        chosen = draw(st.sampled_from(own))
        try:
            if step == "trash":
                records.trash(ctx, table, [chosen])
            elif step == "restore":
                records.restore(ctx, table, [chosen])
            elif step == "flow":
                records.set_flow_state(ctx, table, chosen, draw(st.sampled_from(["running", "approved"])))
            else:
                records.change(ctx, table, chosen, values_of(draw, table.id, there, False))
        except (InvalidInput, NotFound):
            return
