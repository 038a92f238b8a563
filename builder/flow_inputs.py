"""The inputs of the panel for what only flows have: people, quorums, spans and deadlines, rights by field, values to set."""

from collections.abc import Mapping, Sequence
from typing import Any

from builder.formula_inputs import read_formula, shown_formula
from builder.inputs import Choices, Json, Label, Near, Sent, Widget, label_of, languages
from schemas.messages import Message, say
from schemas.numbers import read_whole
from schemas.options import Option
from schemas.spans import UNITS, read_span
from schemas.steps.due import DOES

WHO_KINDS: dict[str, Message] = {
    "starter": say("The starter"), "head": say("The head of …"), "role": say("Everybody with the role …"),
    "slot": say("A certain person or department …"), "field": say("The people in the field …"),
    "chosen": say("People chosen by …"), "previous": say("Whoever decided the step before"),
    "deciders": say("Everybody who has decided so far"), "assignees": say("Everybody who is asked now"),
    "assignee": say("Whoever is late"), "link": say("Somebody outside, by e-mail …"),
}  # fmt: skip
WORDS_ALONE = ("starter", "previous", "deciders", "assignees", "assignee")
CHOOSERS = {"starter": say("the starter"), "previous": say("whoever decided the step before")}
HEADS = {
    "starter": say("the starter"),
    "previous": say("whoever decided the step before"),
    "assignee": say("whoever is late"),
}
QUORUMS = {
    "any": say("One of them is enough"), "all": say("All of them must agree"),
    "in_order": say("All of them, one after the other"), "percent": say("A part of them, in percent"),
    "count": say("A number of them"),
}  # fmt: skip
JOINS = {
    "all": say("All branches are done"),
    "first": say("The first branch is done"),
    "count": say("A number of branches is done"),
}
NOBODY = {
    "stop": say("Stop, and tell whoever is in charge"), "skip": say("Skip the step"), "people": say("Ask others instead"),
}  # fmt: skip
UNIT_WORDS = {
    "minutes": say("minutes"),
    "hours": say("hours"),
    "days": say("days"),
    "workdays": say("working days"),
}
LATE = {
    "remind": say("Remind"), "escalate": say("Ask somebody else instead"), "approve": say("Approve automatically"),
    "reject": say("Reject automatically"), "return": say("Return automatically"),
}  # fmt: skip
ACTION_WORDS = {
    "approve": say("Approve"), "submit": say("Submit"), "reject": say("Reject"), "return": say("Return"),
    "transfer": say("Transfer"), "delegate": say("Delegate"), "add_signer": say("Add signers"),
    "copy": say("Send a copy"), "save": say("Save without deciding"), "comment": say("Leave a comment"),
}  # fmt: skip
RIGHT_WORDS = {"hidden": say("Hidden"), "read": say("Read"), "write": say("Write")}


def chosen_of(words: Mapping[str, Message], only: Sequence[str] | None = None) -> Choices:
    return [(word, message) for word, message in words.items() if only is None or word in only]


# -- people ----------------------------------------------------------------------------------------


class People(Widget):
    """Ways to name people, each a sentence with gaps to fill."""

    name = "who"

    def show(self, option: Option, name: str, value: Any, near: Near) -> Any:
        return [who_shown(one, near) for one in as_list(value)]

    def choices(self, option: Option, near: Near) -> Choices:
        return who_choices(near)

    def read(self, option: Option, name: str, sent: Sent, before: Any, near: Near) -> Any:
        return read_people(name, sent, before, near) or None


def as_list(value: Any) -> list[Any]:
    if value in (None, (), []):
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def who_choices(near: Near) -> Choices:
    """What the gaps of a sentence about people may be filled with."""
    return [
        ("kinds", chosen_of(WHO_KINDS)), ("roles", near.known("role", near.values)), ("slots", near.known("slot", near.values)),
        ("fields", near.known("people field", near.values)), ("heads", chosen_of(HEADS)), ("choosers", chosen_of(CHOOSERS)),
    ]  # fmt: skip


def who_kind(one: Any) -> str:
    if isinstance(one, str):
        return one
    pairs = (("head_of", "head"), ("chosen_by", "chosen"), ("role", "role"), ("slot", "slot"), ("field", "field"))
    return next((kind for key, kind in pairs if one.get(key) is not None), "link")


def who_shown(one: Any, near: Near) -> Json:
    """One way to name people as the panel's row has it."""
    held: Json = {} if isinstance(one, str) else dict(one)
    head, up = held.get("head_of", "starter"), held.get("up_to")
    of = (
        head
        if isinstance(head, str)
        else f"slot:{head['slot']}"
        if head.get("slot")
        else f"field:{head.get('field', '')}"
    )
    field = str(held.get("field") or "")
    return {
        "kind": who_kind(one), "role": held.get("role", ""), "slot": held.get("slot", ""), "of": of, "level": held.get("level", 1),
        "up": "none" if up is None else "level" if isinstance(up, int) else "role",
        "up_level": up if isinstance(up, int) else max(2, held.get("level", 1)),
        "up_role": up.get("role", "") if isinstance(up, Mapping) else "", "field": field,
        "strange": [(f, shown_formula(f, near.book("record", near.values))) for f in _strange(field, of, near)],
        "chosen_by": held.get("chosen_by", "starter"), "among": [_among_key(w) for w in as_list(held.get("among"))],
        "link": shown_formula(held.get("link"), near.book("record", near.values)), "weight": held.get("weight", 1),
    }  # fmt: skip


def _strange(field: str, of: str, near: Near) -> list[str]:
    """Formulas that are no plain field of people, and so are offered besides them."""
    known = dict(near.known("people field", near.values))
    return [f for f in (field, of.removeprefix("field:") if of.startswith("field:") else "") if f and f not in known]


def _among_key(one: Any) -> str:
    kind = who_kind(one)
    return f"{kind}:{one[kind]}" if kind in ("role", "slot", "field") else kind


def read_people(name: str, sent: Sent, before: Any, near: Near) -> list[Any]:
    known = as_list(before)
    return [
        made for n in sent.numbers(name) if (made := _read_who(f"{name}.{n}", sent, known, near)) is not None
    ]  # fmt: skip


def _read_who(name: str, sent: Sent, known: list[Any], near: Near) -> Any:
    kind = sent.text(f"{name}.kind")
    if kind in WORDS_ALONE:
        return kind
    made: Json = {}
    if kind in ("role", "slot"):
        made = {kind: _chosen(name, kind, sent, near)}
    elif kind == "field":
        made = {"field": sent.text(f"{name}.field") or _first(near, "people field")}
    elif kind == "head":
        made = _read_head(name, sent)
    elif kind == "chosen":
        pools = [_among(key) for key in sent.all(f"{name}.among") if key]
        made = {"chosen_by": sent.text(f"{name}.chosen_by") or "starter", **({"among": pools} if pools else {})}
    elif kind == "link":
        text = sent.text(f"{name}.link")
        made = {"link": read_formula(text, name, sent, near.book("record", near.values)) or _first(near, "text field")}
    else:
        return None
    weight = read_whole(sent.text(f"{name}.weight"))
    return {**made, **({"weight": weight} if weight not in (None, 1) else {})}


def _first(near: Near, to: str) -> str:
    return next((str(id) for id, _ in near.known(to, near.values)), "created_by")


def _chosen(name: str, kind: str, sent: Sent, near: Near) -> str:
    chosen = sent.text(f"{name}.{kind}") or next((str(id) for id, _ in near.known(kind, near.values)), "")
    if not chosen:
        missing = {
            "role": say("There is no role yet: make one under “Rights” first."),
            "slot": say("There is none yet: add one below first."),
        }
        sent.refuse(name, missing[kind])
    return chosen or "nobody"


def _read_head(name: str, sent: Sent) -> Json:
    kind, _, rest = (sent.text(f"{name}.of") or "starter").partition(":")
    made: Json = {"head_of": {kind: rest} if rest else kind}
    level = read_whole(sent.text(f"{name}.level")) or 1
    made |= {"level": level} if level != 1 else {}
    up = sent.text(f"{name}.up")
    if up == "level":
        made["up_to"] = max(level, read_whole(sent.text(f"{name}.up_level")) or 2)
    elif up == "role":
        made["up_to"] = {"role": sent.text(f"{name}.up_role") or "nobody"}
    return made


def _among(key: str) -> Any:
    kind, _, id = key.partition(":")
    return {kind: id} if id else kind


class Substitute(Widget):
    """What happens when there is nobody: stop, skip, or people who are asked instead."""

    name = "substitute"

    def show(self, option: Option, name: str, value: Any, near: Near) -> Any:
        mode = value if value in ("stop", "skip") else "people"
        return {"mode": mode, "who": [] if mode != "people" else [who_shown(one, near) for one in as_list(value)]}

    def choices(self, option: Option, near: Near) -> Choices:
        return [("modes", chosen_of(NOBODY)), *who_choices(near)]

    def read(self, option: Option, name: str, sent: Sent, before: Any, near: Near) -> Any:
        mode = sent.text(f"{name}.mode")
        if mode != "people":
            return mode if mode == "skip" else None
        known = None if before in ("stop", "skip") else before
        return read_people(f"{name}.who", sent, known, near) or [{"head_of": "starter", "level": 2}]


# -- how many --------------------------------------------------------------------------------------


class Counted(Widget):
    """A word, or a word with a number."""

    name = "counted"

    def __init__(self, words: Mapping[str, Message], start: Mapping[str, int]) -> None:
        self.words, self.start = words, start

    def show(self, option: Option, name: str, value: Any, near: Near) -> Any:
        if isinstance(value, Mapping):
            mode, number = next(((m, n) for m, n in value.items() if n is not None), ("count", 1))
            return {"mode": mode, "number": number, "numbered": True}
        return {"mode": value, "number": "", "numbered": False}

    def choices(self, option: Option, near: Near) -> Choices:
        return chosen_of(self.words)

    def read(self, option: Option, name: str, sent: Sent, before: Any, near: Near) -> Any:
        mode = sent.text(f"{name}.mode")
        if mode in self.start:
            typed = sent.text(f"{name}.number")
            return {mode: read_whole(typed) if read_whole(typed) is not None else typed or self.start[mode]}
        return mode if mode in self.words and mode != option.default else None


# -- time ------------------------------------------------------------------------------------------


class Span(Widget):
    """A number of minutes, hours, days or working days."""

    name = "span"

    def show(self, option: Option, name: str, value: Any, near: Near) -> Any:
        return span_shown(value)

    def choices(self, option: Option, near: Near) -> Choices:
        return chosen_of(UNIT_WORDS)

    def read(self, option: Option, name: str, sent: Sent, before: Any, near: Near) -> Any:
        return read_span_of(name, sent)


def span_shown(value: Any) -> Json:
    found = read_span(value)
    return {"count": found.count, "unit": found.unit} if found else {"count": value or "", "unit": "hours"}


def read_span_of(name: str, sent: Sent) -> str | None:
    """The span that was put in; what is no number is kept as it was typed, so that it is refused."""
    count, unit = sent.text(f"{name}.count"), sent.text(f"{name}.unit")
    return f"{count} {unit if unit in UNITS else 'hours'}" if count else None


class Deadline(Widget):
    """Until when, and what happens then."""

    name = "deadline"

    def show(self, option: Option, name: str, value: Any, near: Near) -> Any:
        held = value if isinstance(value, Mapping) else {}
        book = near.book("record", near.values)
        moments = dict(near.known("moment field", near.values))
        by = str(held.get("by") or "")
        return {
            "mode": "none" if not held else "by" if by else "in", "span": span_shown(held.get("in")), "by": by,
            "strange": [(by, shown_formula(by, book))] if by and by not in moments else [],
            "then": [_late_shown(one, near) for one in held.get("then") or ()],
        }  # fmt: skip

    def choices(self, option: Option, near: Near) -> Choices:
        return [
            ("units", chosen_of(UNIT_WORDS)), ("moments", near.known("moment field", near.values)),
            ("does", chosen_of(LATE, DOES)), ("steps", near.known("earlier step", near.values)), *who_choices(near),
        ]  # fmt: skip

    def read(self, option: Option, name: str, sent: Sent, before: Any, near: Near) -> Any:
        mode = sent.text(f"{name}.mode")
        if mode == "none":
            return None
        then = [_read_late(f"{name}.then.{n}", sent, near) for n in sent.numbers(f"{name}.then")]
        made: Json = {"in": read_span_of(name, sent) or "1 workdays"}
        if mode == "by":
            made = {"by": sent.text(f"{name}.by") or _first(near, "moment field")}
        return {**made, **({"then": then} if then else {})}


def _late_shown(value: Any, near: Near) -> Json:
    held = {"do": value} if isinstance(value, str) else dict(value)
    if "escalate" in held:
        held = {"do": "escalate", "to": held["escalate"]}
    side = next((side for side in ("before", "after") if held.get(side)), "at")
    return {
        "do": held.get("do", "remind"), "side": side, "span": span_shown(held.get(side)), "again": bool(held.get("every")),
        "every": span_shown(held.get("every")), "times": held.get("times") or "", "back_to": held.get("back_to") or "",
        "who": [who_shown(one, near) for one in as_list(held.get("to"))],
    }  # fmt: skip


def _read_late(name: str, sent: Sent, near: Near) -> Json:
    do, side = sent.text(f"{name}.do") or "remind", sent.text(f"{name}.side")
    made: Json = {"do": do}
    if side in ("before", "after"):
        made[side] = read_span_of(name, sent) or "1 workdays"
    if do == "remind" and sent.text(f"{name}.again"):
        made["every"] = read_span_of(f"{name}.every", sent) or "1 workdays"
        made["times"] = read_whole(sent.text(f"{name}.times")) or 3
    if do in ("remind", "escalate"):
        to = read_people(f"{name}.to", sent, None, near)
        if to or do == "escalate":
            made["to"] = to or [{"head_of": "assignee"}]
    if do == "return" and sent.text(f"{name}.back_to"):
        made["back_to"] = sent.text(f"{name}.back_to")
    return made


# -- fields ----------------------------------------------------------------------------------------


class FieldRights(Widget):
    """Each field of the record: hidden, read or write while somebody has the step's task; and which must be filled in."""

    name = "rights"

    def show(self, option: Option, name: str, value: Any, near: Near) -> Any:
        held = value if isinstance(value, Mapping) else {}
        required = set(as_list(near.values.get("require")))
        lines = [
            {
                "path": path,
                "label": label,
                "right": held.get(path, ""),
                "column": "." in path,
                "required": path in required,
            }
            for path, label in near.known("field", near.values)
        ]
        known = {line["path"] for line in lines}
        gone = [{"path": path, "label": path, "right": right, "column": False, "required": path in required, "gone": True}
                for path, right in held.items() if path != "*" and path not in known]  # fmt: skip
        return {"rest": held.get("*", "read"), "lines": [*lines, *gone]}

    def choices(self, option: Option, near: Near) -> Choices:
        parser: Any = option.parser
        return chosen_of(RIGHT_WORDS, parser.item.words)

    def read(self, option: Option, name: str, sent: Sent, before: Any, near: Near) -> Any:
        paths, rights = sent.all(f"{name}.path"), sent.all(f"{name}.right")
        made = {path: right for path, right in zip(paths, rights, strict=False) if path and right}
        rest = sent.text(f"{name}.rest")
        kept = before if isinstance(before, Mapping) else {}
        others = {path: right for path, right in kept.items() if path != "*" and path not in paths}
        return {**({"*": rest} if rest and rest != "read" or "*" in kept else {}), **others, **made} or None


class SetValues(Widget):
    """Fields, each with the formula of its value."""

    name = "set_values"

    def show(self, option: Option, name: str, value: Any, near: Near) -> Any:
        parser: Any = option.parser
        book = near.book(parser.item.scope, near.values)
        held = value if isinstance(value, Mapping) else {}
        place = book.place.key if book else ""
        return [
            {"field": id, "formula": {"text": shown_formula(source, book), "place": place, "result": "any"}}
            for id, source in held.items()
        ] + [{"field": "", "formula": {"text": "", "place": place, "result": "any"}}]

    def choices(self, option: Option, near: Near) -> Choices:
        parser: Any = option.parser
        return near.known("result field" if parser.item.scope == "other" else parser.keys or "set field", near.values)

    def read(self, option: Option, name: str, sent: Sent, before: Any, near: Near) -> Any:
        parser: Any = option.parser
        book, made = near.book(parser.item.scope, near.values), {}
        for number in sent.numbers(name):
            if field := sent.text(f"{name}.{number}.field"):
                text = sent.text(f"{name}.{number}.formula")
                made[field] = read_formula(text, f"{name}.{number}", sent, book) if text else '""'
        return made or ({} if option.parser.required else None)


# -- actions ---------------------------------------------------------------------------------------


class Renames(Widget):
    """What the actions of a step are called."""

    name = "renames"

    def show(self, option: Option, name: str, value: Any, near: Near) -> Any:
        held = value if isinstance(value, Mapping) else {}
        return {action: languages(held.get(action)) for action in ACTION_WORDS}

    def read(self, option: Option, name: str, sent: Sent, before: Any, near: Near) -> Any:
        held = before if isinstance(before, Mapping) else {}
        made = {}
        for action in ACTION_WORDS:
            texts = {code: sent.text(f"{name}.{action}.{code}") for code in ("zh", "en")}
            if (text := label_of(texts, held.get(action))) is not None:
                made[action] = text
        return made or None


class Wording(Label):
    """A text with places for values of the record."""

    name = "wording"

    def choices(self, option: Option, near: Near) -> Choices:
        return near.known("field", near.values)
