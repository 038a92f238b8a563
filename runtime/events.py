"""Events of forms: another program is asked with what has been filled in, and its answer fills fields.

What is to be asked is worked out in one transaction and filled in in another; none waits for the other side.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any

from runtime import egress, requesting
from runtime.answers import answering
from runtime.context import Context, Opened
from runtime.filling import Filling
from runtime.outgoing import Refused
from runtime.requesting import Prepared
from schemas import filling
from schemas.errors import InvalidInput
from schemas.events import ANSWER, Event
from schemas.fields.rows import Rows
from schemas.filling import Values
from schemas.formula import ErrorValue, Formula, Type, evaluate
from schemas.messages import Message, say
from schemas.text import Sentence

MOST_AT_ONCE = 20
TRIES = 2
NAMED = re.compile(r"([a-z][a-z0-9_]{0,39})(?:@(\d{1,4}))?\Z")
MOST_ASKED = 300
"""Questions of one person in a quarter of an hour."""


class AskFirst(Exception):
    """The form asks other programs when it is sent, and they have not been asked."""


@dataclass(frozen=True)
class Question:
    """An event that is to be asked, for the record or one row of it; `refused` is why it cannot be."""

    event: Event
    row: int | None = None
    prepared: Prepared | None = None
    headers: Mapping[str, str] | None = None
    refused: Sentence | None = None


@dataclass(frozen=True)
class Reply:
    """What came of a question: the answer's values, or why there are none."""

    question: Question
    answer: Mapping[str, Any] | None = None
    refused: Sentence | None = None


# -- asking ----------------------------------------------------------------------------------------


def named(current: Filling, names: Iterable[str]) -> list[tuple[Event, int | None]]:
    """The events that a browser names: `event_1`, or `event_1@3` for a row; others are passed over."""
    found = []
    events = {event.id: event for event in current.form.events if event.on != "send"}
    for name in list(names)[:MOST_AT_ONCE]:
        match = NAMED.match(name)
        event = events.get(match[1]) if match else None
        if match and event and bool(event.rows) == (match[2] is not None):
            found.append((event, int(match[2]) if match[2] else None))
    return found


def on_sending(current: Filling) -> list[tuple[Event, int | None]]:
    return [(event, None) for event in current.form.events if event.on == "send"]


def questions(ctx: Context, current: Filling, events: Iterable[tuple[Event, int | None]]) -> list[Question]:
    """The requests of these events, made ready from the form as it stands; those whose condition does not hold left out."""
    whole = (current.settled or current.settle(ctx))[0]
    return [made for event, row in events if (made := _question(ctx, current, whole, event, row)) is not None]


def _question(ctx: Context, current: Filling, whole: Values, event: Event, row: int | None) -> Question | None:
    rows, line = _line(current, whole, event, row)
    if event.rows and line is None:
        return None

    def value(formula: Formula) -> Any:
        return _value(ctx, current, formula, whole, rows, line or {}, {}, {})

    try:
        if event.when is not None and value(event.when) is not True:
            return None
        prepared = requesting.prepare(event.request, value)
        return Question(event, row, prepared, requesting.headers_of(ctx, current.live.inst, prepared))
    except Refused as err:
        return Question(event, row, refused=err.reason)
    except InvalidInput as err:
        return Question(event, row, refused=next(iter(err.errors.values()))[0])


def _line(current: Filling, whole: Values, event: Event, row: int | None) -> tuple[Rows | None, Values | None]:
    found = current.live.table.by_id.get(event.rows)
    if not isinstance(found, Rows) or row is None:
        return None, None
    lines = whole.get(found.id) or []
    return found, lines[row] if row < len(lines) else None


def _value(
    ctx: Context, current: Filling, formula: Formula, whole: Values, rows: Rows | None, line: Values,
    types: Mapping[str, Type], given: Mapping[str, Any],
) -> Any:  # fmt: skip
    live = current.live
    expression = live.analysis.expression(formula, live.analysis.scope(live.table, rows, **types))
    values = {**whole, **line, "this": current.record, **given}
    asked = answering(ctx, live, current.record)
    return evaluate(expression, values, asked(values, expression.needs, rows))


def ask(question: Question, zone: Any, form: str) -> Reply:
    """The other side's answer; a second try where nobody answers. Holds no transaction."""
    if question.prepared is None or question.headers is None:
        return Reply(question, refused=question.refused)
    for left in reversed(range(TRIES)):
        try:
            answer = requesting.sent(question.prepared, question.headers)
        except (Refused, egress.Unreachable) as err:
            if left and isinstance(err, egress.Unreachable):
                continue
            return Reply(question, refused=err.reason)
        said = requesting.read(question.event.request, f"{form}.{question.event.id}", answer, zone)
        return Reply(question, refused=said) if isinstance(said, Message) else Reply(question, answer=said)
    raise AssertionError


# -- filling in ------------------------------------------------------------------------------------


def filled(ctx: Context, current: Filling, replies: Iterable[Reply]) -> Filling:
    """The form with what the answers fill in; why there was none stands beside what set it off."""
    values, errors = dict(current.values), dict(current.errors or {})
    done: set[str] = set()
    for reply in replies:
        event, row = reply.question.event, reply.question.row
        if reply.answer is None:
            errors[_place(event, row)] = [told(event, reply.refused or egress.SILENT)]
            continue
        changed = _from(ctx, current, values, event, row, reply.answer)
        values |= {id: value for id, value in changed.items() if current.is_open(id)}
        done |= {id for id in changed if current.is_open(id)}
    raw = {id: text for id, text in (current.raw or {}).items() if id not in done}
    errors = {path: said for path, said in errors.items() if re.split(r"[.\[]", path)[0] not in done}
    return replace(current, values=values, raw=raw, errors=errors, settled=None, given=current.given | done)


def told(event: Event, reason: Sentence) -> Message:
    return say("{event}: {reason}", event=event.title, reason=reason) if event.title else say("{reason}", reason=reason)


def _place(event: Event, row: int | None) -> str:
    path = event.fields[0] if event.fields else ""
    return path if row is None else f"{event.rows}[{row}].{path.partition('.')[2]}"


def _from(
    ctx: Context, current: Filling, values: Values, event: Event, row: int | None, answer: Mapping[str, Any]
) -> Values:
    """What an answer sets of the record: fields, a row's columns, or whole subforms from lists."""
    rows, line = _line(current, values, event, row)
    types, given = event.given(current.form.id), {ANSWER: answer}
    made: Values = {}
    columns: dict[str, dict[str, list[Any]]] = {}
    for own, formula in (event.fill or {}).items():
        value = _value(ctx, current, formula, values, rows, line or {}, types, given)
        if isinstance(value, ErrorValue):
            continue
        subform, _, column = own.rpartition(".")
        if not subform:
            made[own] = filling.fit(current.live.table.by_id[own], value)
        elif rows is not None and line is not None and subform == rows.id:
            before = made.get(subform) or values.get(subform) or []
            made[subform] = _with_cell(before, row or 0, rows, column, value)
        else:
            columns.setdefault(subform, {})[column] = list(value) if isinstance(value, list | tuple) else [value]
    return made | {subform: _new_rows(current, subform, lists) for subform, lists in columns.items()}


def _with_cell(lines: list[Values], row: int, rows: Rows, column: str, value: Any) -> list[Values]:
    fitted = _fitted(rows, column, value)
    return [{**line, column: fitted} if number == row else line for number, line in enumerate(lines)]


def _new_rows(current: Filling, subform: str, lists: Mapping[str, list[Any]]) -> list[Values]:
    """As many rows as the longest list has, in place of those there were."""
    rows = current.live.table.by_id[subform]
    assert isinstance(rows, Rows)
    lines = [dict(zip(lists, line, strict=True)) for line in zip_longest(*lists.values())][: rows.max or 1_000]
    return [{id: _fitted(rows, id, value) for id, value in line.items()} for line in lines]


def _fitted(rows: Rows, column: str, value: Any) -> Any:
    """A value as the column holds it; the linker has seen that the column is there."""
    found = rows.column(column)
    assert found is not None
    return filling.fit(found, value)


# -- while a form is sent --------------------------------------------------------------------------


def at_sending(opened: Opened, begun: Callable[[Context], Filling]) -> Values:
    """Ask what is asked when the form is sent, and give what it fills in, read-only fields too.

    Raises InvalidInput where the form may not be sent without an answer that did not come.
    """
    with opened() as ctx:
        current = begun(ctx)
        asked, zone = questions(ctx, current, on_sending(current)), ctx.zone
    replies = [ask(question, zone, current.form.id) for question in asked]
    refused = [r for r in replies if r.refused is not None and r.question.event.must]
    if refused:
        raise InvalidInput({"": [told(r.question.event, r.refused) for r in refused if r.refused is not None]})
    made: Values = {}
    with opened() as ctx:
        for reply in replies:
            if reply.answer is not None:
                made |= _from(ctx, current, {**current.values, **made}, reply.question.event, None, reply.answer)
    return made
