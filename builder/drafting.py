"""Forms drafted by a language model from a description: asked for as JSON, checked like any definition, never published.

What it says can only add: new forms, and new fields of forms that are there.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

from builder import changes
from builder.parts import Json, Parts, join
from schemas.app import App
from schemas.errors import DefinitionError, InvalidInput, Problem
from schemas.fields import field_types
from schemas.messages import say
from schemas.options import load, options_of
from schemas.parsers import ID
from schemas.text import Text

LONGEST = 8_000
MOST_TABLES, MOST_FIELDS = 20, 100
ROUNDS = 2
"""How often the model may answer: once, and once more with what was wrong told to it."""
LEFT_OUT = {"group", "query", "button", "barcode", "qr"}
"""Types of fields that a draft does without."""
TOLD = ("basic", "checks", "range")
Messages = list[dict[str, str]]
Ask = Callable[[Messages], str]
"""Gives the model's answer as text."""

RULES = """You design forms for a no-code form builder. Answer with one JSON object and nothing besides:
{"tables": [{"id": "order", "title": {"zh": "订单", "en": "Orders"}, "title_formula": "no", "fields": [
  {"id": "no", "type": "text", "label": {"zh": "编号", "en": "No."}, "required": true},
  {"id": "state", "type": "choice", "label": {"zh": "状态", "en": "State"}, "options": [
    {"id": "open", "label": {"zh": "进行中", "en": "Open"}, "color": "teal"}]},
  {"id": "lines", "type": "rows", "label": {"zh": "明细", "en": "Lines"}, "fields": [
    {"id": "price", "type": "money", "label": {"zh": "单价", "en": "Price"}},
    {"id": "count", "type": "number", "label": {"zh": "数量", "en": "Count"}},
    {"id": "sum", "type": "formula", "label": {"zh": "小计", "en": "Sum"}, "formula": "price * count"}]},
  {"id": "total", "type": "formula", "label": {"zh": "合计", "en": "Total"}, "formula": "SUM(lines.sum)"}]}]}
Ids are a-z, 0-9 and _, a letter first, at most 40 characters. Every title and label has "zh" and "en". Formulas are as in Excel, over
ids of fields; what a link leads to is reached by a dot (tool.name). A link names its "table". Give a table that is there already only
with the fields that are new in it. Types of fields, and their further options:
"""


def messages(parts: Parts, description: str) -> Messages:
    """What the model is told: the language, the forms that are there, and what is wanted. Raises InvalidInput."""
    description = description.strip()
    if not description or len(description) > LONGEST:
        raise InvalidInput({"description": [say("Describe what you need in at most {n} characters.", n=LONGEST)]})
    there = json.dumps(list(_present(parts)), ensure_ascii=False)
    return [
        {"role": "system", "content": RULES + "\n".join(_types())},
        {"role": "user", "content": f"Tables that are there: {there}\n\nWanted:\n{description}"},
    ]


def _types() -> Iterator[str]:
    kind: Any
    for kind in field_types:
        if kind.type not in LEFT_OUT:
            names = [o.name for o in options_of(kind) if o.section in TOLD and o.name not in ("id", "label", "help")]
            yield f"- {kind.type}: {kind.about} ({', '.join(names)})"


def _present(parts: Parts) -> Iterator[Json]:
    for id in parts.get("order/tables") or ():
        table = parts[f"tables/{id}"]
        fields = [{k: f[k] for k in ("id", "type", "table") if k in f} for f in table["fields"]]
        yield {"id": id, "title": table.get("title"), "fields": fields}


def drafted(parts: Parts, asked: Messages, ask: Ask, read: Callable[[str], Any]) -> Any:
    """What the model proposes, sound as it is. Where it is not, it is told why, and answers again.

    Raises InvalidInput with what is still wrong then.
    """
    problems: Sequence[Any] = ()
    for _ in range(ROUNDS):
        text = ask(asked)
        try:
            proposal = read(text)
            load(App, join(added(parts, proposal)))
            if not (problems := _wrong(parts, proposal)):
                return proposal
        except ValueError:
            problems = [say("This is not JSON that can be read.")]
        except DefinitionError as err:
            problems = list(err.problems)
        told = "\n".join(f"{p.path}: {p.message}" if isinstance(p, Problem) else str(p) for p in problems[:20])
        asked = [*asked, {"role": "assistant", "content": text[:40_000]},
                 {"role": "user", "content": f"This is wrong with it, answer again with all of it:\n{told}"}]  # fmt: skip
    raise InvalidInput({"description": [say("The language model proposed nothing that can be used: {problem}",
                                            problem=_first(problems[0]))]})  # fmt: skip


def _wrong(parts: Parts, proposal: Any) -> list[Problem]:
    """What the linker says of the app with it, but not what was wrong before."""
    before = {(p.path, str(p.message)) for p in load(App, join(parts)).analysis.problems() if p.severity == "error"}
    after = load(App, join(added(parts, proposal))).analysis.problems()
    return [p for p in after if p.severity == "error" and (p.path, str(p.message)) not in before]


def _first(problem: Any) -> Any:
    return say("{place}: {problem}", place=problem.path, problem=problem.message) if isinstance(problem, Problem) else problem


# -- taking over -----------------------------------------------------------------------------------


def added(parts: Parts, proposal: Any) -> Parts:
    """The parts with what is proposed: each new table with its form, list and rights. Raises DefinitionError."""
    made = deepcopy(parts)
    for table in _tables(proposal):
        made = _extended(made, table) if f"tables/{table['id']}" in made else _with_table(made, table)
    return made


def _tables(proposal: Any) -> list[Json]:
    found = proposal.get("tables") if isinstance(proposal, Mapping) else None
    if not isinstance(found, list) or not found or len(found) > MOST_TABLES:
        raise _refusal("tables", say("expected a list"))
    for n, table in enumerate(found):
        fields = table.get("fields") if isinstance(table, dict) else None
        if not isinstance(fields, list) or not fields or len(fields) > MOST_FIELDS or not all(isinstance(f, dict) for f in fields):
            raise _refusal(f"tables[{n}].fields", say("expected a list"))
        if not isinstance(table.get("id"), str) or not ID.match(table["id"]):
            raise _refusal(f"tables[{n}].id", say("expected the id of a {thing}", thing="table"))
    return found


def _refusal(path: str, message: Any) -> DefinitionError:
    return DefinitionError([Problem(path, message)])


def _with_table(parts: Parts, table: Json) -> Parts:
    """A new table as `changes.add_form` makes one, with the proposed fields. What has its id already stays as it is."""
    taken = (f"forms/{table['id']}", f"views/{table['id']}", f"access/{table['id']}_everyone")
    if any(name in parts for name in taken):
        raise _refusal(f"tables.{table['id']}.id", say("the id '{id}' is used twice", id=table["id"]))
    made, id = changes.add_form(parts, _plain(table.get("title")) or table["id"])
    made = _renamed(made, id, table)
    fields = [dict(f) for f in table["fields"]]
    names = [str(f.get("id")) for f in fields]
    new = table["id"]
    made[f"tables/{new}"] |= {"fields": fields, "title_formula": table.get("title_formula") or names[0]}
    made[f"forms/{new}"]["layout"] = [{"row": [name]} for name in names]
    listed = [str(f.get("id")) for f in fields if f.get("type") not in changes.NOT_LISTED][: changes.MOST_COLUMNS]
    made[f"views/{new}"]["columns"] = [*listed, *changes.LIST_ENDS]
    return made


def _renamed(parts: Parts, old: str, table: Json) -> Parts:
    """What was just made under an id of its own, under the one that the proposal uses."""
    new, made = table["id"], Parts({})
    title = table.get("title") or table["id"]
    for name, part in parts.items():
        kind, _, id = name.partition("/")
        if kind in ("tables", "forms", "views") and id == old:
            named = {**part, "id": new, "title": title}
            made[f"{kind}/{new}"] = {**named, "table": new} if kind != "tables" else named
        elif kind == "access" and id == f"{old}_everyone":
            made[f"access/{new}_everyone"] = {**part, "id": f"{new}_everyone", "table": new}
        elif kind == "order" and id in ("tables", "forms", "views", "access"):
            swap = {old: new} if id != "access" else {f"{old}_everyone": f"{new}_everyone"}
            made[name] = [swap.get(one, one) for one in part]
        else:
            made[name] = part
    lines = made["manifest"].get("navigation") or []
    made["manifest"] = {**made["manifest"], "navigation": [{**n, "view": new} if n.get("view") == old else n for n in lines]}
    return made


def _extended(parts: Parts, table: Json) -> Parts:
    """A table that is there, with those of the proposed fields that are new, at the end of its first form."""
    made = deepcopy(parts)
    there = made[f"tables/{table['id']}"]
    known = {f["id"] for f in there["fields"]}
    new = [dict(f) for f in table["fields"] if f.get("id") not in known]
    there["fields"] = [*there["fields"], *new]
    form = next((id for id in made.get("order/forms") or () if made[f"forms/{id}"]["table"] == table["id"]), None)
    if form is not None and made[f"forms/{form}"].get("layout"):
        rows = [{"row": [f["id"]]} for f in new if isinstance(f.get("id"), str)]
        made[f"forms/{form}"]["layout"] = [*made[f"forms/{form}"]["layout"], *rows]
    return made


def _plain(title: Any) -> str:
    try:
        return str(Text.of(title).in_language("en")) if title else ""
    except (TypeError, ValueError, AttributeError):
        return ""
