"""Grants as they are edited: what they may open, presets, the fields of one as a matrix, and all of it in words."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from builder.names import Book, Word
from builder.parts import Json, Parts, fresh, put, take
from schemas import conditions
from schemas.access import ACTIONS, FLOW_ACTIONS, RIGHTS, TARGETS
from schemas.errors import NotFound
from schemas.fields import field_types
from schemas.formula import Formula, FormulaError
from schemas.formula.labels import labelled
from schemas.messages import Message, say
from schemas.text import Sentence, Text

VERBS: dict[str, Message] = {
    "read": say("see"), "create": say("add"), "update": say("change"), "delete": say("delete"),
    "import": say("import"), "export": say("export"), "print": say("print"), "comment": say("comment"),
    "history": say("see the history"), "batch": say("act on many at once"), "share": say("share"),
    "start": say("start by hand"), "manage": say("manage"),
}  # fmt: skip
FLOW_VERBS = {"read": say("see all runs")}
RIGHT_WORDS: dict[str, Message] = {
    "hidden": say("hidden"), "mask": say("masked"), "replace": say("masked, may be replaced"),
    "read": say("read only"), "write": say("read and write"),
}  # fmt: skip
KINDS = {
    "table": "tables", "form": "forms", "view": "views", "dashboard": "dashboards", "flow": "flows",
}  # fmt: skip
OWN = "created_by = ME()"
SHOWN = 6


@dataclass(frozen=True)
class Preset:
    """A usual grant: what may be done, and with which rows."""

    id: str
    title: Message
    do: tuple[str, ...]
    rows: str = ""


PRESETS: dict[str, tuple[Preset, ...]] = {
    "table": (
        Preset("submit", say("Add only"), ("create",)),
        Preset("own", say("Add, and manage one's own"), ("read", "create", "update", "delete", "print", "comment", "history"), OWN),
        Preset("add", say("Add, and see all"), ("read", "create", "print", "comment")),
        Preset("look", say("See all"), ("read", "print", "comment")),
        Preset("all", say("Manage all"), ACTIONS),
    ),
    "form": (
        Preset("submit", say("Add only"), ("create",)),
        Preset("own", say("Add, and change one's own"), ("read", "create", "update"), OWN),
        Preset("all", say("Add and change all"), ("read", "create", "update")),
    ),
    "view": (
        Preset("look", say("See what it lists"), ("read", "print")),
        Preset("take", say("See and export what it lists"), ("read", "print", "export")),
        Preset("edit", say("See and change what it lists"), ("read", "update", "print", "comment", "history", "batch")),
    ),
    "dashboard": (Preset("look", say("See it"), ("read",)),),
    "flow": (
        Preset("start", say("Start by hand"), ("start",)),
        Preset("look", say("Start, and see all runs"), ("read", "start")),
        Preset("manage", say("Manage all runs"), FLOW_ACTIONS),
    ),
    "app": (Preset("look", say("See everything"), ("read", "print")), Preset("all", say("Manage everything"), ACTIONS)),
}  # fmt: skip


# -- what may be opened ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Target:
    """Something that grants open; `grants` are how many name it, `inner` the forms and views of a table."""

    key: str
    title: Text
    icon: str
    grants: int
    inner: Sequence["Target"] = ()


def about(grant: Mapping[str, Any]) -> tuple[str, str]:
    """What a grant opens: its kind and its id."""
    kind = next((name for name in TARGETS if grant.get(name)), "table")
    return kind, "" if kind == "app" else str(grant.get(kind) or "")


def targets(parts: Parts, title: Text) -> list[Target]:
    """Everything in an app that grants may be for."""
    counts: dict[tuple[str, str], int] = {}
    for id in parts["order/access"]:
        key = about(parts[f"access/{id}"])
        counts[key] = counts.get(key, 0) + 1

    def made(kind: str, id: str, icon: str, inner: Sequence[Target] = ()) -> Target:
        item = parts[f"{KINDS[kind]}/{id}"]
        return Target(f"{kind}:{id}", _name(item), icon, counts.get((kind, id), 0), inner)

    found = [Target("app:", title, "app", counts.get(("app", ""), 0))]
    for table in parts["order/tables"]:
        inner = [
            made(kind, id, icon)
            for kind, icon in (("form", "form"), ("view", "table"))
            for id in parts[f"order/{KINDS[kind]}"]
            if parts[f"{KINDS[kind]}/{id}"].get("table") == table
        ]
        found.append(made("table", table, "database", inner))
    found += [made("dashboard", id, "dashboard") for id in parts["order/dashboards"]]
    return [*found, *(made("flow", id, "flow") for id in parts["order/flows"])]


def known_target(parts: Parts, key: str) -> tuple[str, str]:
    """Raises NotFound."""
    kind, _, id = key.partition(":")
    if kind == "app" or (kind in KINDS and f"{KINDS[kind]}/{id}" in parts):
        return kind, id
    raise NotFound


def table_of(parts: Parts, kind: str, id: str) -> str:
    """The table whose rows and fields a grant for this opens; nothing where there is none."""
    if kind == "table":
        return id
    item = parts.get(f"{KINDS[kind]}/{id}") if kind in ("form", "view") else None
    return str(item["table"]) if item else ""


def grants_of(parts: Parts, kind: str, id: str) -> list[Json]:
    return [g for i in parts["order/access"] if about(g := parts[f"access/{i}"]) == (kind, id)]


# -- edits -----------------------------------------------------------------------------------------


def add(parts: Parts, kind: str, id: str, preset: str) -> tuple[Parts, str]:
    """A new grant, for nobody of its own yet but every member; gives its id."""
    made = deepcopy(parts)
    found = next((p for p in PRESETS[kind] if p.id == preset), PRESETS[kind][0])
    new = fresh(f"{id or 'app'}_{found.id}"[:34], made["order/access"])
    grant: Json = {"id": new, "who": {"everyone": True}, kind: id or True, "do": list(found.do)}
    put(made, "access", {**grant, **({"rows": found.rows} if found.rows else {})})
    return made, new


def copy(parts: Parts, grant: str) -> tuple[Parts, str]:
    made = deepcopy(parts)
    new = fresh(grant[:34], made["order/access"])
    put(made, "access", {**made[f"access/{grant}"], "id": new})
    return made, new


def remove(parts: Parts, grant: str) -> Parts:
    made = deepcopy(parts)
    take(made, "access", grant)
    return made


def change(parts: Parts, grant: str, options: Mapping[str, Any]) -> Parts:
    """Replace options of a grant; None takes one away."""
    made = deepcopy(parts)
    merged = {**made[f"access/{grant}"], **options}
    made[f"access/{grant}"] = {k: v for k, v in merged.items() if v is not None}
    return made


def add_role(parts: Parts, title: str) -> tuple[Parts, str]:
    """A new role of the app; gives its id."""
    made = deepcopy(parts)
    roles = made["manifest"].get("roles") or []
    id = fresh("role", [r["id"] for r in roles])
    made["manifest"]["roles"] = [*roles, {"id": id, "title": title}]
    return made, id


def add_slot(parts: Parts, kind: str, title: str, taken: Iterable[str]) -> tuple[Parts, str]:
    """A new post for a member or department, whom the installation names; gives its id."""
    made = deepcopy(parts)
    slots = made["manifest"].get("slots") or []
    id = fresh(kind, [*(s["id"] for s in slots), *taken])
    made["manifest"]["slots"] = [*slots, {"id": id, "type": kind, "title": title}]
    return made, id


def preset_of(grant: Mapping[str, Any]) -> str:
    """The preset that a grant is, or nothing when it is one of its own."""
    kind, _ = about(grant)
    if grant.get("fields") is not None or grant.get("rows_after"):
        return ""
    same = (
        p.id for p in PRESETS[kind] if set(p.do) == set(grant.get("do") or ()) and p.rows == (grant.get("rows") or "")
    )
    return next(same, "")


# -- for whom --------------------------------------------------------------------------------------


def whom(grant: Mapping[str, Any]) -> list[Json]:
    """For whom a grant is, as a list."""
    who = grant.get("who") or []
    return [dict(who)] if isinstance(who, Mapping) else list(who)


def who_key(who: Mapping[str, Any]) -> str:
    """`role:clerk`, `everyone`: what stands for a kind of people in a form."""
    name = next((n for n in ("everyone", "external") if who.get(n)), "")
    return name or next(f"{n}:{who[n]}" for n in ("role", "slot", "flow", "link", "token") if who.get(n))


def who_of(key: str, below: bool = False) -> Json:
    name, _, id = key.partition(":")
    if not id:
        return {name: True}
    return {name: id, **({"below": True} if below and name == "slot" else {})}


def who_words(who: Mapping[str, Any], parts: Mapping[str, Any]) -> Sentence:
    if who.get("everyone"):
        return say("every member")
    if who.get("external"):
        return say("external contacts")
    if who.get("flow"):
        return say("the flow “{name}”", name=_name(parts.get(f"flows/{who['flow']}") or {"id": who["flow"]}))
    if who.get("link"):
        return say("the public link “{name}”", name=who["link"])
    if who.get("token"):
        return say("the token “{name}”", name=who["token"])
    id = who.get("role") or who.get("slot") or "?"
    declared = [*(parts["manifest"].get("roles") or ()), *(parts["manifest"].get("slots") or ())]
    name = next((_name(one) for one in declared if one["id"] == id), Text.of(str(id)))
    return say("{department} and those below it", department=name) if who.get("below") else name


def whom_words(grant: Mapping[str, Any], parts: Mapping[str, Any]) -> Sentence:
    listed = [who_words(who, parts) for who in whom(grant)]
    return enumerated(listed) or say("nobody")


# -- fields ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class FieldRight:
    """A line of the matrix. `offered` are the rights that make sense for it."""

    path: str
    title: Sentence
    icon: str
    right: str
    column: bool
    offered: tuple[str, ...]


def matrix(parts: Parts, table: str, fields: Mapping[str, str] | None) -> list[FieldRight]:
    """Every field and column of a table with what it may be by these `fields`."""
    found = []
    for field in parts[f"tables/{table}"]["fields"]:
        found.append(_line(field, field["id"], fields, False))
        found += [_line(c, f"{field['id']}.{c['id']}", fields, True) for c in field.get("fields", ())]
    return found


def _line(field: Mapping[str, Any], path: str, fields: Mapping[str, str] | None, column: bool) -> FieldRight:
    kind = field_types.get(field["type"])
    computed = bool(getattr(kind, "computed", True))
    offered = tuple(r for r in RIGHTS if not (computed and r in ("replace", "write")))
    right = right_of(fields, path)
    if computed:
        right = {"write": "read", "replace": "mask"}.get(right, right)
    return FieldRight(path, _name(field), getattr(kind, "icon", "text"), right, column, offered)


def right_of(fields: Mapping[str, str] | None, path: str) -> str:
    if fields is None:
        return "write"
    named = fields.get(path) or (fields.get(path.partition(".")[0]) if "." in path else None)
    return named or fields.get("*", "hidden")


def fields_of(lines: Mapping[str, str], star: str) -> dict[str, str]:
    """The shortest `fields` that say this of every path; `star` is for those that are added later."""
    made = {"*": star}
    for path, right in lines.items():
        inherited = lines.get(path.partition(".")[0], star) if "." in path else star
        if right != inherited:
            made[path] = right
    return made


# -- in words --------------------------------------------------------------------------------------


def verbs_words(do: Iterable[str], kind: str) -> Sentence:
    order = FLOW_ACTIONS if kind == "flow" else ACTIONS
    words = [(FLOW_VERBS if kind == "flow" else {}).get(verb) or VERBS[verb] for verb in order if verb in set(do)]
    return enumerated(words) or say("nothing")


def field_words(parts: Parts, grant: Mapping[str, Any]) -> list[Message]:
    """What a grant says of the fields, in words: which of them are hidden, masked, read only."""
    kind, id = about(grant)
    table, fields = table_of(parts, kind, id), grant.get("fields")
    if not table or fields is None:
        return []
    writes = {"create", "update", "import"} & set(grant.get("do") or ())
    told = []
    by_right: dict[str, list[Sentence]] = {}
    for line in matrix(parts, table, fields):
        by_right.setdefault(line.right, []).append(line.title)
    for right in ("hidden", "mask", "replace", *(("read",) if writes else ())):
        if names := by_right.get(right):
            told.append(say("{right}: {names}", right=RIGHT_WORDS[right], names=_some(names)))
    return told


def _some(names: Sequence[Sentence]) -> Sentence:
    """The first few names, and how many more there are."""
    shown = enumerated(names[:SHOWN]) or Text()
    return say("{names} and {n} more", names=shown, n=len(names) - SHOWN) if len(names) > SHOWN else shown


def rows_words(source: str, book: Book | None) -> Sentence | None:
    """The rows that a formula chooses, in words where it can be drawn as conditions; None: all of them."""
    if not source or source.strip().upper() == "TRUE":
        return None
    try:
        drawn = conditions.drawn(Formula.of(source), {w.id: w.type for w in book.first}) if book else None
    except FormulaError:
        drawn = None
    if drawn is None or book is None:
        return Text.of(labelled(source, book) if book else source)
    words = {word.id: word for word in book.first}
    told = [_condition(row, words[row.field]) for row in drawn.rows]
    return enumerated(told) if drawn.joined == "AND" else say("any of: {conditions}", conditions=enumerated(told))


def _condition(row: conditions.Condition, word: Word) -> Message:
    options = dict(word.options)
    values = enumerated([Text.of(options.get(value, value)) for value in row.values]) or Text()
    return say(
        "{field} {comparison} {value}",
        field=Text.of(word.label),
        comparison=conditions.OPERATORS[row.operator].words,
        value=values,
    )


def enumerated(words: Sequence[Sentence]) -> Message | None:
    """Several words one after another."""
    values: dict[str, Sentence] = {f"name{n}": word for n, word in enumerate(words)}
    text = "{and}".join("{" + key + "}" for key in values)
    return Message(text, {**values, "and": say(", ")}) if values else None


def _name(item: Mapping[str, Any]) -> Text:
    return Text.of(item.get("title") or item.get("label") or item["id"])


# -- what becomes of people ------------------------------------------------------------------------

Difference = tuple[str, Message]


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    """Who gains and who loses what between two drafts, grant by grant: (added, removed or changed; message)."""
    for id in dict.fromkeys([*before["order/access"], *after["order/access"]]):
        old, new = before.get(f"access/{id}"), after.get(f"access/{id}")
        if old != new:
            yield from _told(_living(old), _living(new), before, after)


def _living(grant: Json | None) -> Json | None:
    return None if grant is None or grant.get("off") else grant


def _told(
    old: Json | None, new: Json | None, before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[Difference]:
    if new is not None and (old is None or about(old) != about(new)):
        yield "added", _may(new, new.get("do") or (), after, say("{whom} may now: {verbs} ({what})"))
    if old is not None and (new is None or about(old) != about(new)):
        yield "removed", _may(old, old.get("do") or (), before, say("{whom} may no longer: {verbs} ({what})"))
    if old is None or new is None or about(old) != about(new):
        return
    yield from _of_people(old, new, before, after)
    for tone, verbs, words in (
        ("added", set(new.get("do") or ()) - set(old.get("do") or ()), say("{whom} may now: {verbs} ({what})")),
        ("removed", set(old.get("do") or ()) - set(new.get("do") or ()), say("{whom} may no longer: {verbs} ({what})")),
    ):
        if verbs:
            yield tone, _may(new, verbs, after, words)
    yield from _of_rows_and_fields(old, new, before, after)


def _of_people(old: Json, new: Json, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    gone = [who for who in whom(old) if who not in whom(new)]
    come = [who for who in whom(new) if who not in whom(old)]
    if come:
        yield "added", _may({**new, "who": come}, new.get("do") or (), after, say("{whom} may now: {verbs} ({what})"))
    if gone:
        lost = say("{whom} may no longer: {verbs} ({what})")
        yield "removed", _may({**old, "who": gone}, old.get("do") or (), before, lost)


def _of_rows_and_fields(
    old: Json, new: Json, before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[Difference]:
    named = {"whom": whom_words(new, after), "what": what_words(new, after)}
    if any(old.get(k) != new.get(k) for k in ("rows", "rows_after")):
        words = say("{whom}: other rows ({what})", **named)
        if not new.get("rows") or new["rows"] == "TRUE":
            words = say("{whom}: all rows from now on ({what})", **named)
        yield "changed", words
    table = table_of(Parts(after), *about(new))
    if old.get("fields") == new.get("fields") or not table or f"tables/{table}" not in before:
        return
    turned: dict[tuple[str, str], list[Sentence]] = {}
    for line in matrix(Parts(after), table, new.get("fields")):
        was = right_of(old.get("fields"), line.path)
        was = was if was in line.offered else {"write": "read", "replace": "mask"}[was]
        if line.right != was:
            turned.setdefault((was, line.right), []).append(line.title)
    for (was, now), names in turned.items():
        tone = "added" if RIGHTS.index(now) > RIGHTS.index(was) else "removed"
        told = {"fields": _some(names), "before": RIGHT_WORDS[was], "after": RIGHT_WORDS[now]}
        yield tone, say("{whom}: {fields} – {after}, before {before} ({what})", **told, **named)


def what_words(grant: Mapping[str, Any], parts: Mapping[str, Any]) -> Sentence:
    """What a grant opens."""
    kind, id = about(grant)
    if kind == "app":
        return say("the whole app")
    return _name(parts.get(f"{KINDS[kind]}/{id}") or {"id": id})


def called(grant: Mapping[str, Any], parts: Mapping[str, Any]) -> Sentence:
    """What a grant is called: by its name, else after what it opens and for whom."""
    if grant.get("title"):
        return Text.of(grant["title"])
    return say("{what} for {whom}", what=what_words(grant, parts), whom=whom_words(grant, parts))


def _may(grant: Json, verbs: Iterable[str], parts: Mapping[str, Any], words: Message) -> Message:
    kind, _ = about(grant)
    values = {"whom": whom_words(grant, parts), "verbs": verbs_words(verbs, kind), "what": what_words(grant, parts)}
    return say(words.text, **values)
