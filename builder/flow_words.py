"""A flow in words: what each step does, whom it asks, when a branch is taken, what starts it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from builder.flow_inputs import UNIT_WORDS, as_list, who_kind
from builder.formula_inputs import kinds_in, shown_formula
from builder.names import Book
from builder.parts import Json, Parts
from schemas import conditions, parsers
from schemas.fields.date import WEEKDAYS
from schemas.formula import Formula, FormulaError
from schemas.messages import Message, say
from schemas.options import options_of
from schemas.spans import read_span
from schemas.steps import step_types
from schemas.text import Sentence, Text

Named = Callable[[str, str], Sentence]
"""What something (`role`, `finance`) is called."""


def title_of_step(step: Mapping[str, Any]) -> Sentence:
    """What a step is called: its title, else what kind it is."""
    if step.get("title"):
        return Text.of(step["title"])
    kind = step_types.get(step.get("type", ""))
    return say(kind.title_word) if kind else Message(str(step.get("type", "")))


def names_in(parts: Parts) -> Named:
    """What the objects of a package are called."""

    def named(kind: str, id: str) -> Sentence:
        if kind in ("role", "slot"):
            items = parts["manifest"].get(f"{kind}s") or ()
            found = next((item for item in items if item["id"] == id), None)
        else:
            found = parts.get(f"{kind}s/{id}")
        return Text.of((found or {}).get("title") or (found or {}).get("label") or id)

    return named


# -- people ----------------------------------------------------------------------------------------


def people_words(value: Any, named: Named, book: Book | None) -> list[Sentence]:
    """Whom a step means, one sentence for each way."""
    return [_who(one, named, book) for one in as_list(value)]


def _who(one: Any, named: Named, book: Book | None) -> Sentence:
    kind = who_kind(one)
    if isinstance(one, str):
        return WORD_ALONE.get(one, Message(one))
    if kind == "head":
        return _head(one, named, book)
    if kind == "chosen":
        by = say("the starter") if one["chosen_by"] == "starter" else say("whoever decided the step before")
        return say("chosen by {who}", who=by)
    if kind == "field":
        return say("the people in {field}", field=shown_formula(one["field"], book))
    if kind == "link":
        return say("outside: {address}", address=shown_formula(one.get("link"), book))
    return named(kind, one[kind])


WORD_ALONE = {
    "starter": say("the starter"), "previous": say("whoever decided the step before"),
    "deciders": say("everybody who has decided so far"), "assignees": say("everybody who is asked now"),
    "assignee": say("whoever is late"),
}  # fmt: skip


def _head(one: Mapping[str, Any], named: Named, book: Book | None) -> Sentence:
    of, level, up = one["head_of"], one.get("level", 1), one.get("up_to")
    if isinstance(of, str):
        whose: Sentence = WORD_ALONE.get(of, Message(of))
    else:
        whose = named("slot", of["slot"]) if of.get("slot") else Message(shown_formula(of.get("field"), book))
    if isinstance(up, int):
        return say("the heads of {who}, levels {a} to {b}", who=whose, a=level, b=up)
    if up:
        return say("the heads of {who} up to {role}", who=whose, role=named("role", up.get("role", "")))
    if level > 1:
        return say("the head of {who}, level {n}", who=whose, n=level)
    return say("the head of {who}", who=whose)


# -- conditions ------------------------------------------------------------------------------------


def condition_words(source: Any, book: Book | None) -> list[Sentence]:
    """A condition as sentences; one that says more than sentences can is shown as its formula."""
    if not source or str(source) == "TRUE":
        return [say("always")]
    try:
        found = conditions.drawn(Formula.of(str(source)), kinds_in(book)) if book else None
    except FormulaError:
        found = None
    if found is None or book is None:
        return [Message("{f}", {"f": shown_formula(source, book)})]
    lines = [_row(row, book) for row in found.rows]
    glue = say("or {line}") if found.joined == "OR" else say("and {line}")
    return [line if n == 0 else Message(glue.text, {"line": line}) for n, line in enumerate(lines)]


def _row(row: conditions.Condition, book: Book) -> Sentence:
    word = next((w for w in book.first if w.id == row.field), None)
    operator, options = conditions.OPERATORS[row.operator], dict(word.options) if word else {}
    values = ", ".join(options.get(v, v) for v in row.values)
    name = word.label if word else row.field
    return say("{field} {comparison} {values}", field=name, comparison=operator.words, values=values)


# -- steps -----------------------------------------------------------------------------------------


def step_lines(step: Json, parts: Parts, book: Book | None) -> list[Sentence]:
    """What a step does, in a few lines: people first, then what else was set."""
    kind: Any = step_types.get(step.get("type", ""))
    if kind is None:
        return []
    named = names_in(parts)
    lines = list(_special(kind, step, named, book)) or list(_general(kind, step, named, book))
    if step.get("due"):
        lines.append(due_words(step["due"], book))
    return lines


def _special(kind: Any, step: Json, named: Named, book: Book | None) -> Iterator[Sentence]:
    if kind.for_people:
        yield from _asked(step, named, book)
    elif step.get("to") or step.get("robots"):
        chats: list[Sentence] = [Message("{f}", {"f": name}) for name in step.get("robots") or ()]
        yield say("tells {people}", people=joined([*people_words(step.get("to"), named, book), *chats]))
    elif step["type"] == "request":
        yield Message("{f}", {"f": f"{step.get('method', 'GET')} {step.get('address', '')}"})
    elif step["type"] == "choose":
        yield say("every branch that holds") if step.get("mode") == "every" else say("the first branch that holds")
    elif step["type"] == "parallel":
        yield _join(step.get("join", "all"))
    elif step.get("set"):
        labels = [_label(id, step, book) for id in step["set"]]
        yield say("sets {fields}", fields=joined(labels))


def _label(id: str, step: Json, book: Book | None) -> Sentence:
    word = next((w for w in book.first if w.id == id), None) if book and not step.get("table") else None
    return Message("{f}", {"f": word.label if word else id})


def _asked(step: Json, named: Named, book: Book | None) -> Iterator[Sentence]:
    quorum, people = step.get("quorum", "any"), people_words(step.get("who"), named, book)
    if isinstance(quorum, Mapping):
        words = say("{n} % of") if quorum.get("percent") else say("{n} of")
        yield Message(f"{words.text}", {"n": quorum.get("percent") or quorum.get("count") or 1})
    elif quorum != "any" or len(people) > 1:
        yield ASKED[quorum]
    yield from people


ASKED = {"any": say("any of:"), "all": say("all of:"), "in_order": say("one after the other:")}


def _join(join: Any) -> Sentence:
    if isinstance(join, Mapping):
        return say("goes on when {n} branches are done", n=join.get("count", 1))
    return (
        say("goes on when the first branch is done") if join == "first" else say("goes on when all branches are done")
    )


def _general(kind: Any, step: Json, named: Named, book: Book | None) -> Iterator[Sentence]:
    """What was set of a step that this page knows nothing special about, by its options' labels."""
    for option in options_of(kind):
        value = step.get(option.name)
        if (
            option.section != "basic"
            or option.name in ("id", "title", "branches", "steps")
            or value in (None, "", [], {})
        ):
            continue
        shown = _value(option.parser, value, named, book)
        if shown is not None:
            yield say("{label}: {value}", label=say(option.label), value=shown)


def _value(parser: Any, value: Any, named: Named, book: Book | None) -> Sentence | None:
    if isinstance(parser, parsers.Reference) and isinstance(value, str):
        return named(parser.to, value)
    if isinstance(parser, parsers.FormulaSource):
        return Message("{f}", {"f": shown_formula(value, book)})
    if isinstance(parser, parsers.Words):
        return say(str(value).replace("_", " "))
    if isinstance(parser, parsers.Label):
        return Text.of(value)
    if span := read_span(value):
        return say("{n} {unit}", n=span.count, unit=UNIT_WORDS[span.unit])
    return Message("{f}", {"f": str(value)}) if isinstance(value, str | int) and not isinstance(value, bool) else None


def due_words(due: Mapping[str, Any], book: Book | None) -> Sentence:
    """Until when, in words."""
    span = read_span(due.get("in"))
    if span is not None:
        return say("within {n} {unit}", n=span.count, unit=UNIT_WORDS[span.unit])
    return say("until {moment}", moment=shown_formula(due.get("by"), book))


def joined(names: Sequence[Sentence]) -> Message:
    """Several names as one sentence."""
    values = {f"name{n}": name for n, name in enumerate(names)}
    return Message(", ".join("{" + key + "}" for key in values), values)


# -- triggers --------------------------------------------------------------------------------------


def trigger_lines(trigger: Mapping[str, Any], kind: Any, parts: Parts, book: Book | None) -> list[Sentence]:
    """What starts a flow, in words: the kind of trigger, what it names, and its condition."""
    named, value = names_in(parts), trigger.get(kind.name)
    lines = [_started(kind, value, named)]
    if trigger.get("when"):
        lines += [say("only when {condition}", condition=line) if n == 0 else line
                  for n, line in enumerate(condition_words(trigger["when"], book))]  # fmt: skip
    return lines


def _started(kind: Any, value: Any, named: Named) -> Sentence:
    label = say(kind.label)
    if kind.name in CLOCKS and isinstance(value, Mapping):
        return CLOCKS[kind.name](value, named)
    if isinstance(kind.parser, parsers.Reference) and isinstance(value, str):
        return say("{label}: {value}", label=label, value=named(kind.parser.to, value))
    if isinstance(value, Mapping):
        told = value.get("label") or value.get("table") or value.get("flow") or next(iter(value.values()), "")
        kinds = {"table": "table", "flow": "flow"}
        key = next((k for k in kinds if value.get(k) == told), "")
        name = (
            named(kinds[key], str(told))
            if key
            else Text.of(told)
            if isinstance(told, dict | str)
            else Message(str(told))
        )
        return say("{label}: {value}", label=label, value=name)
    if isinstance(value, str) and value:
        return say("{label}: {value}", label=label, value=Message("{f}", {"f": value}))
    return label


# -- the clock -------------------------------------------------------------------------------------

AGAIN = {
    "day": say("and again every day"), "week": say("and again every week"), "month": say("and again every month"),
    "year": say("and again every year"),
}  # fmt: skip


def _schedule(value: Mapping[str, Any], named: Named) -> Sentence:
    at, every = str(value.get("at") or "09:00"), value.get("every", "day")
    if every == "hour":
        return say("every hour, at minute {n}", n=at[3:5])
    if every == "week":
        days = [WEEKDAYS[day] for day in value.get("on") or ["monday"] if day in WEEKDAYS]
        return say("every week on {days} at {time}", days=joined(days), time=at)
    if every == "month":
        return say("every month on day {n} at {time}", n=value.get("day", 1), time=at)
    if every == "year":
        return say(
            "every year on {month}-{day} at {time}", month=value.get("month", 1), day=value.get("day", 1), time=at
        )
    return say("every working day at {time}", time=at) if every == "workday" else say("every day at {time}", time=at)


def _reached(value: Mapping[str, Any], named: Named) -> Sentence:
    span, side = read_span(value.get("before") or value.get("after")), "before" if value.get("before") else "after"
    field = Message("{f}", {"f": str(value.get("field", ""))})
    when: Sentence = say("when {field} is reached", field=field)
    if span is not None:
        words = {"n": span.count, "unit": UNIT_WORDS[span.unit], "field": field}
        when = (
            say("{n} {unit} before {field}", **words) if side == "before" else say("{n} {unit} after {field}", **words)
        )
    parts = [when, *([say("at {time}", time=str(value["at"]))] if value.get("at") else [])]
    return joined([*parts, *([AGAIN[value["repeat"]]] if value.get("repeat") in AGAIN else [])])


def _saving(value: Mapping[str, Any], named: Named) -> Sentence:
    events = [SAVED[one] for one in value.get("on") or ("created", "changed") if one in SAVED]
    return say("before a record of {table} is {events}", table=named("table", str(value.get("table", ""))), events=joined(events))


SAVED = {"created": say("created"), "changed": say("changed"), "deleted": say("deleted")}
CLOCKS: dict[str, Callable[[Mapping[str, Any], Named], Sentence]] = {
    "schedule": _schedule, "reached": _reached, "saving": _saving,
    "incoming": lambda value, named: say("when another program sends data"),
}  # fmt: skip
