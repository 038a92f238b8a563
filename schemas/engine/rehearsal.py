"""A flow played without a database: people, values and events from JSON, and how it stands after each.

It serves `mortise flow`, test runs in the designer, and our own table of scenarios. Read `FORMAT` for the JSON.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from schemas.calendars import Calendar, of_country
from schemas.engine import events as happenings
from schemas.engine.advance import advance
from schemas.engine.events import Event
from schemas.engine.facts import Facts, Question, Unanswered
from schemas.engine.run import Effect, Perform, Remind, Spawn, Tell, Wake
from schemas.engine.state import Entry, State, Task, Token, apply
from schemas.errors import BadValue, Denied, InvalidInput
from schemas.flow import Flow
from schemas.formula import Formula
from schemas.formula.lines import read_value
from schemas.formula.spreadsheet import evaluate_untyped
from schemas.formula.values import ErrorValue
from schemas.messages import say
from schemas.moments import read_moment
from schemas.options import load
from schemas.results import dump, read
from schemas.spans import read_span
from schemas.steps.update import Update

FORMAT = """\
A scenario is one object, or {"scenarios": [...]}:

  name        what happens, in words
  flow        the definition of the flow (or its id, with --app FOLDER)
  starter     who starts it
  members     ["amy", ...], or {"ben": {"head": "cleo", "roles": ["cfo"], "department": "sales", "left": false,
              "away": "dan"}}; "away" may be {"to": "dan", "from": "2026-03-01", "until": "2026-03-08"}
  departments {"sales": {"head": "ben", "parent": "all"}}
  slots       {"auditor": "dan"}: a member, a department, or a list
  values      of the record, as in `mortise formula`: a date is {"date": "2026-03-02"}
  now, zone   when it starts ("2026-03-02T09:00") and in which time zone ("Asia/Shanghai")
  calendar    "CN", or {"weekend": "0000011", "holidays": [...], "workdays": [...]}
  chosen      people picked beforehand, by step
  given       what the trigger gives: {"payload": {...}, "before": {...}, "planned": {"datetime": "2026-03-02T09:00"}}
  results     what machine steps give, by step: {"found": 3}, for formulas of later steps
  machines    "wait" to say yourself when a machine step is done; otherwise it is done at once
  events      what happens, one after the other; each may have
                at        when ("2026-03-03T09:00") or how much later ("2 hours"); a minute later if not said.
                          What is due before then happens first, at its time; with "jump": true all at once, late
                set       new values of the record
                by, do    who does what: approve submit reject return answer choose transfer delegate add_signer
                          take_back comment copy urge withdraw, and of administrators: assign end retry skip
                          reactivate migrate; of machines: performed failed subflow_ended look
                step      which of their tasks, or which step; item, outcome (of a subflow)
                to people side back comment files signature chosen    what goes with it
                refused   a part of the sentence with which it is refused
                expect    {"state": "running", "asked": {"step": ["ben"]}, ...}: see below
  expect      the same, once it has started

What may be expected: state, asked (who holds tasks, by step), waits (what each step that is not for people waits
for), reminded and told (who was, by this event), log (the kinds of its entries that must occur, in this order).
"""

MINUTE = timedelta(minutes=1)
MOST_ALARMS = 500
START_OF_ALL = datetime(2026, 3, 2, 9)
KEYS = ("name", "flow", "starter", "members", "departments", "slots", "values", "now", "zone", "calendar", "chosen",
        "machines", "given", "results", "events", "expect")  # fmt: skip


@dataclass
class People:
    """Who is who in a rehearsal."""

    members: Mapping[str, Mapping[str, Any]]
    departments: Mapping[str, Mapping[str, Any]]
    slots: Mapping[str, Any]
    zone: ZoneInfo

    def answer(self, question: Question, now: datetime) -> tuple[str, ...]:
        found = list(dict.fromkeys(getattr(self, f"_{question.kind}")(question, now)))
        return tuple(one for one in found if one in self.members and not self.members[one].get("left"))

    def _role(self, question: Question, now: datetime) -> Iterator[str]:
        yield from (name for name, facts in self.members.items() if question.key in facts.get("roles", ()))

    def _slot(self, question: Question, now: datetime) -> Iterator[str]:
        for one in _listed(self.slots.get(question.key)):
            yield from self._inside(one)

    def _people(self, question: Question, now: datetime) -> Iterator[str]:
        yield from self._inside(question.key)

    def _inside(self, one: str) -> list[str]:
        if one in self.departments:
            return [name for name, facts in self.members.items() if facts.get("department") == one]
        return [one]

    def _head(self, question: Question, now: datetime) -> Iterator[str]:
        one: str | None = question.key
        for _ in range(question.level):
            one = self._above(one)
        yield from (one,) if one else ()

    def _slot_head(self, question: Question, now: datetime) -> Iterator[str]:
        for one in _listed(self.slots.get(question.key)):
            yield from self._head(Question("head", one, question.level), now)

    def _above(self, one: str | None) -> str | None:
        """A member's head: their own, else that of their department or of the nearest one above it."""
        facts = self.members.get(one or "", {})
        if facts.get("head"):
            return str(facts["head"])
        unit = facts.get("department") if one in self.members else one
        seen: set[str] = set()
        while unit in self.departments and unit not in seen:
            seen.add(str(unit))
            above = self.departments[str(unit)]
            if above.get("head") and above["head"] != one:
                return str(above["head"])
            unit = above.get("parent")
        return None

    def _stand_in(self, question: Question, now: datetime) -> Iterator[str]:
        away = self.members.get(question.key, {}).get("away")
        if isinstance(away, str):
            yield away
        elif isinstance(away, Mapping) and self._during(away, now):
            yield str(away.get("to"))

    def _during(self, away: Mapping[str, Any], now: datetime) -> bool:
        start, end = (_moment(away[key], self.zone) if key in away else now for key in ("from", "until"))
        return start <= now <= end


def _listed(value: Any) -> list[str]:
    return list(value) if isinstance(value, list) else [value] if value else []


@dataclass
class Step:
    """What one event brought about: the effects and log lines, why it was refused, and what was not as expected."""

    said: str
    at: datetime
    log: list[Entry] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    refused: str = ""
    unexpected: list[str] = field(default_factory=list)


class Rehearsal:
    """One run of a flow that happens only here."""

    def __init__(self, scenario: Mapping[str, Any], flow: Flow | None = None) -> None:
        """Raises BadValue and DefinitionError on what cannot be read."""
        if not isinstance(scenario, Mapping):
            raise BadValue(say("A scenario is an object in JSON; see: mortise flow --help"))
        _known(scenario, KEYS)
        self.scenario = scenario
        self.name = str(scenario.get("name", ""))
        self.flow = flow or load(
            Flow, {"id": "scenario", "trigger": {"submit": "form"}, **_object(scenario, "flow")}, "flow"
        )
        self.zone = _zone(scenario.get("zone", "UTC"))
        self.calendar = _calendar(scenario.get("calendar"))
        self.people = People(_members(scenario.get("members", {})), _object(scenario, "departments"),
                             _object(scenario, "slots"), self.zone)  # fmt: skip
        self.values = {name: read_value(value, self.zone) for name, value in _object(scenario, "values").items()}
        self.given = {step: _whole(value, self.zone) for step, value in _object(scenario, "results").items()}
        self.heard: dict[str, Any] = {}
        self.now = _moment(scenario["now"], self.zone) if "now" in scenario else START_OF_ALL.replace(tzinfo=UTC)
        self.state, self.log = State(), list[Entry]()
        self.alarms: dict[int, Wake] = {}
        self.machines: list[Perform] = []
        self.step = Step("", self.now)

    def play(self) -> Iterator[Step]:
        """The start, and each event after the other."""
        chosen = {step: tuple(people) for step, people in _object(self.scenario, "chosen").items()}
        starter = str(self.scenario.get("starter", ""))
        given = {name: dump(_whole(value, self.zone)) for name, value in _object(self.scenario, "given").items()}
        start = happenings.Started(starter, chosen, given=given)
        yield self._one(f"{starter or '-'} start", lambda: self.happen(start), self.scenario)
        for event in self.scenario.get("events", ()):
            if not isinstance(event, Mapping):
                raise BadValue(say("An event is an object in JSON; see: mortise flow --help"))
            yield self._one(_said(event), lambda event=event: self._act(event), event)  # type: ignore[misc]

    def _one(self, said: str, act: Callable[[], None], event: Mapping[str, Any]) -> Step:
        self.step = Step(said, self.now)
        before = self.state, dict(self.values), list(self.log)
        try:
            act()
        except (Denied, InvalidInput) as err:
            self.step.refused = _reason(err)
            self.state, self.values, self.log = before[0], before[1], before[2]
        self.step.at = self.now
        self.step.unexpected = list(self._unexpected(event))
        return self.step

    # -- events ------------------------------------------------------------------------------------

    def _act(self, event: Mapping[str, Any]) -> None:
        _known(event, ("at", "jump", "set", "by", "do", "step", "item", "outcome", "to", "people", "side", "back", "comment",
                       "files", "signature", "chosen", "refused", "expect", "steps", "flow", "alarm"))  # fmt: skip
        self.move_clock(self._when(event.get("at")), jump=bool(event.get("jump")))
        self.values |= {name: read_value(value, self.zone) for name, value in _object(event, "set").items()}
        if "do" in event:
            self.happen(self.event(event))
        elif "set" in event:
            self.happen(happenings.Looked())

    def _when(self, at: Any) -> datetime:
        if at is None:
            return self.now + MINUTE
        span = read_span(at)
        return span.after(self.now, self.zone, self.calendar) if span else _moment(at, self.zone)

    def move_clock(self, to: datetime, jump: bool = False) -> None:
        """Let it be that late; what was to happen until then happens, each at its time unless the clock jumps."""
        if jump:
            self.now = to
        for _ in range(MOST_ALARMS):
            coming = sorted(self.alarms.values(), key=lambda wake: (wake.at, wake.token))
            if not coming or coming[0].at > to:
                break
            wake = self.alarms.pop(coming[0].token)
            self.now = max(self.now, wake.at)
            self.happen(happenings.Due(wake.token, wake.round, wake.alarm))
        self.now = to if to > self.now or not jump else self.now

    def event(self, told: Mapping[str, Any]) -> Event:
        """The event that an object in JSON tells of."""
        do = str(told["do"])
        if do in MAKE:
            return MAKE[do](self, told)
        raise BadValue(say("There is no event '{name}' (known: {known})", name=do, known=", ".join(MAKE)))

    def task(self, told: Mapping[str, Any], who: str | None = None, live: bool = True) -> int:
        """The task that is meant: of this person, at this step if it says one."""
        by = who or told.get("by")
        found = [t for t in self.state.tasks.values()
                 if t.member == by and told.get("step") in (None, t.step) and (t.live if live else t.decision)]  # fmt: skip
        if not found:
            raise Denied(say("{name} has no such task.", name=str(by)))
        return found[-1 if not live else 0].id

    def token(self, told: Mapping[str, Any], waits: str) -> Token:
        found = [t for t in self.state.live_tokens() if t.waits == waits and told.get("step") in (None, t.step)]
        if not found:
            raise Denied(say("Nothing waits for that."))
        return found[0]

    # -- the engine, with its questions answered ---------------------------------------------------

    def facts(self, known: Mapping[Question, tuple[str, ...]]) -> Facts:
        return Facts(self.now, self._value, known, self.zone, self.calendar, self._hear)

    def happen(self, event: Event) -> None:
        """Advance by one event and all that follows from it."""
        known: dict[Question, tuple[str, ...]] = {}
        while True:
            try:
                done = advance(self.flow, self.state, event, self.facts(known))
                break
            except Unanswered as missing:
                known[missing.question] = self.people.answer(missing.question, self.now)
        self.state = done.state
        self.log += done.log
        self.step.log += done.log
        self.step.effects += done.effects
        for effect in done.effects:
            self._follow(effect)

    def _follow(self, effect: Effect) -> None:
        if isinstance(effect, Wake):
            self.alarms[effect.token] = effect
        elif isinstance(effect, Perform):
            self.machines.append(effect)
            if self.scenario.get("machines") != "wait":
                self._write(effect)
                result = self.given.get(effect.step)
                self.happen(happenings.Performed(effect.token, effect.round, dump(result)))

    def _write(self, effect: Perform) -> None:
        """An update of the record itself happens to the values of the rehearsal too."""
        step = self.flow.step(effect.step)
        if isinstance(step, Update) and step.record is None and step.of is None:
            self.values |= {name: self._value(formula) for name, formula in step.set.items()}

    def _hear(self, results: Mapping[str, Any]) -> None:
        self.heard = {name: one for step, result in results.items() for name, one in _named(step, read(result))}

    def _value(self, formula: Formula) -> Any:
        value = evaluate_untyped(formula.source, {**self.values, **self.heard}, self.now, self.zone)
        return None if isinstance(value, ErrorValue) else value

    # -- how it stands -----------------------------------------------------------------------------

    @property
    def asked(self) -> dict[str, list[str]]:
        """Who holds a task, by step."""
        found: dict[str, list[str]] = {}
        for task in self.state.live_tasks():
            found.setdefault(task.step, []).append(task.member)
        return found

    @property
    def waits(self) -> dict[str, str]:
        """What the steps wait for that do not wait for people."""
        return {t.step: t.waits for t in self.state.live_tokens() if t.waits not in ("people", "branches")}

    def stands(self) -> dict[str, Any]:
        """What an expectation is compared with."""
        reminded = [p for e in self.step.effects if isinstance(e, Remind) for p in e.people]
        told = [p for e in self.step.effects if isinstance(e, Tell) for p in e.people]
        return {"state": self.state.state, "asked": self.asked, "waits": self.waits, "reminded": reminded, "told": told}

    def _unexpected(self, event: Mapping[str, Any]) -> Iterator[str]:
        refused, wanted = event.get("refused", ""), _object(event, "expect")
        if bool(refused) != bool(self.step.refused) or refused not in self.step.refused:
            yield f"refused: {self.step.refused or 'no'} (expected: {refused or 'no'})"
        stands = self.stands()
        _known(wanted, (*stands, "log"))
        for name, value in wanted.items():
            if name == "log":
                yield from self._unlogged(value)
            elif stands[name] != value:
                yield f"{name}: {stands[name]} (expected: {value})"

    def _unlogged(self, wanted: Sequence[str]) -> Iterator[str]:
        happened = iter([entry["what"] for entry in self.step.log])
        if missing := [what for what in wanted if what not in happened]:
            yield f"log: no {missing[0]} among {[entry['what'] for entry in self.step.log]} (expected: {list(wanted)})"


Make = Callable[[Rehearsal, Mapping[str, Any]], Event]


def _decided(play: Rehearsal, told: Mapping[str, Any]) -> Event:
    chosen = {step: tuple(people) for step, people in _object(told, "chosen").items()}
    return happenings.Decided(
        play.task(told), str(told.get("by", "")), told["do"], told.get("comment", ""), told.get("to", ""),
        tuple(told.get("people", ())), chosen, told.get("back"), tuple(told.get("files", ())), told.get("signature", ""),
    )  # fmt: skip


def _by(told: Mapping[str, Any]) -> str:
    return str(told.get("by", "admin"))


def _machine(play: Rehearsal, told: Mapping[str, Any]) -> Event:
    wanted = [m for m in play.machines if told.get("step") in (None, m.step)]
    if not wanted:
        raise Denied(say("Nothing waits for that."))
    last = wanted[-1]
    if told["do"] == "failed":
        return happenings.Failed(last.token, last.round, told.get("comment") or "It broke.")
    return happenings.Performed(last.token, last.round)


def _sub_ended(play: Rehearsal, told: Mapping[str, Any]) -> Event:
    spawned = [e for e in play.log if e["what"] == "spawned" and told.get("step") in (None, e["step"])]
    if not spawned:
        raise Denied(say("Nothing waits for that."))
    last = spawned[-1]
    return happenings.SubflowEnded(last["token"], last["round"], told.get("item", 0), told.get("outcome", "approved"))


def _migrated(play: Rehearsal, told: Mapping[str, Any]) -> Event:
    from schemas.engine.migration import plan

    new = load(Flow, {"id": "scenario", "trigger": {"submit": "form"}, **_object(told, "flow")}, "flow")
    found = plan(play.flow, new, play.state, _object(told, "steps"))
    if found.problems:
        raise Denied(found.problems[0])
    play.flow = new
    return happenings.Migrated(_by(told), 2, _object(told, "steps"))


MAKE: dict[str, Make] = {
    **dict.fromkeys(("approve", "submit", "reject", "return", "answer", "choose"), _decided),
    "transfer": lambda p, t: happenings.Transferred(p.task(t), _by(t), str(t.get("to")), t.get("comment", "")),
    "assign": lambda p, t: happenings.Transferred(
        p.task(t, t.get("people", [""])[0]), _by(t), str(t.get("to")), t.get("comment", ""), by_admin=True
    ),
    "delegate": lambda p, t: happenings.Delegated(p.task(t), _by(t), str(t.get("to")), t.get("comment", "")),
    "add_signer": lambda p, t: happenings.SignerAdded(
        p.task(t), _by(t), tuple(t.get("people", ())), t.get("side", ""), t.get("comment", "")
    ),
    "look": lambda p, t: happenings.Looked(),
    "take_back": lambda p, t: happenings.TakenBack(p.task(t, live=False), _by(t)),
    "comment": lambda p, t: happenings.Commented(_by(t), t.get("comment", ""), t.get("step", "")),
    "copy": lambda p, t: happenings.Copied(_by(t), tuple(t.get("people", ())), t.get("step", ""), t.get("comment", "")),
    "urge": lambda p, t: happenings.Urged(_by(t), t.get("comment", ""), by_admin=_by(t) == "admin"),
    "withdraw": lambda p, t: happenings.Withdrawn(_by(t), t.get("comment", "")),
    "end": lambda p, t: happenings.Ended(_by(t), t.get("comment", "")),
    "retry": lambda p, t: happenings.Retried(p.token(t, "problem").id, _by(t)),
    "skip": lambda p, t: happenings.Skipped(p.token(t, "problem").id, _by(t)),
    "reactivate": lambda p, t: happenings.Reactivated(_by(t), str(t.get("step")), t.get("comment", "")),
    "migrate": _migrated,
    "performed": _machine,
    "failed": _machine,
    "subflow_ended": _sub_ended,
}  # fmt: skip
"""The event that each `do` makes."""


# -- reading ---------------------------------------------------------------------------------------


def scenarios(json: Any) -> list[Mapping[str, Any]]:
    """The scenarios of a file."""
    if isinstance(json, Mapping) and "scenarios" in json:
        _known(json, ("scenarios",))
        json = json["scenarios"]
    return json if isinstance(json, list) else [json]


def _known(given: Mapping[str, Any], known: Sequence[str]) -> None:
    if strange := sorted(set(given) - set(known)):
        raise BadValue(say("unknown option '{name}' (known: {known})", name=strange[0], known=", ".join(sorted(known))))


def _object(given: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = given.get(name) or {}
    if not isinstance(value, Mapping):
        raise BadValue(say("'{name}' is an object in JSON; see: mortise flow --help", name=name))
    return dict(value)


def _whole(given: Any, zone: ZoneInfo) -> Any:
    """A value from JSON, with objects of any depth."""
    if isinstance(given, list):
        return [_whole(item, zone) for item in given]
    if isinstance(given, Mapping) and not set(given) <= {"date", "datetime", "error"}:
        return {str(name): _whole(part, zone) for name, part in given.items()}
    return read_value(given, zone)


def _named(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """A value by its name, and what is inside it by dotted ones."""
    yield name, value
    for part, inner in value.items() if isinstance(value, Mapping) else ():
        yield from _named(f"{name}.{part}", inner)


def _members(given: Any) -> Mapping[str, Mapping[str, Any]]:
    if isinstance(given, list):
        return {str(name): {} for name in given}
    if not isinstance(given, Mapping) or not all(isinstance(facts, Mapping) for facts in given.values()):
        raise BadValue(say("'{name}' is an object in JSON; see: mortise flow --help", name="members"))
    return given


def _zone(name: Any) -> ZoneInfo:
    try:
        return ZoneInfo(str(name))
    except (ValueError, OSError, KeyError):
        raise BadValue(say("There is no time zone '{name}'.", name=str(name)[:60])) from None


def _moment(text: Any, zone: ZoneInfo) -> datetime:
    refusal = say("'{text}' is not a date.", text=str(text)[:60])
    moment = read_moment(text, zone, refusal)
    if moment is None:
        raise BadValue(refusal)
    return moment


def _calendar(given: Any) -> Calendar:
    if given is None:
        return Calendar()
    if isinstance(given, str):
        official = of_country(given)
        if official is None:
            raise BadValue(say("There is no calendar '{name}'.", name=given[:60]))
        return official
    days = {name: frozenset(datetime.fromisoformat(day).date() for day in given.get(name, ()))
            for name in ("holidays", "workdays")}  # fmt: skip
    return Calendar(given.get("weekend", Calendar().weekend), days["holidays"], days["workdays"])


def _reason(err: Denied | InvalidInput) -> str:
    if isinstance(err, Denied):
        return str(err.reason)
    return "; ".join(f"{path}: {message}" for path, messages in err.errors.items() for message in messages)


def _said(event: Mapping[str, Any]) -> str:
    parts = [str(event[key]) for key in ("by", "do", "to", "step") if event.get(key)]
    return " ".join(parts) or ("set " + ", ".join(event["set"]) if event.get("set") else "the clock moves")


# -- saying ----------------------------------------------------------------------------------------


def report(play: Rehearsal, step: Step) -> Iterator[str]:
    """How the run stands after an event, in lines."""
    yield f"{step.at.astimezone(play.zone):%Y-%m-%d %H:%M}  {step.said}"
    if step.refused:
        yield f"  refused: {step.refused}"
    yield f"  state: {play.state.state}" + (
        f" ({play.state.outcome})" if play.state.outcome and play.state.open else ""
    )
    yield from (f"  token {t.id}: {_place(t)}" for t in play.state.live_tokens())
    yield from (f"  task {t.id}: {t.step} {t.member}{_about(t)}" for t in play.state.tasks.values() if t.live)
    yield from (f"  log {entry['number']}: {_entry(entry)}" for entry in step.log)
    yield from (f"  UNEXPECTED {line}" for line in step.unexpected)


def _place(token: Token) -> str:
    alarm = f", woken at {token.alarm_at}" if token.alarm_at else ""
    return f"{token.sequence} at {token.step or 'the beginning'}, round {token.round}, waits for {token.waits or '-'}{alarm}"


def _about(task: Task) -> str:
    parts = [task.kind] if task.kind != "ask" else []
    parts += [f"instead of {task.instead_of}"] if task.instead_of else []
    parts += [f"due {task.due}"] if task.due else []
    return f" ({', '.join(parts)})" if parts else ""


def _entry(entry: Entry) -> str:
    rest = {
        key: value for key, value in entry.items() if key not in ("number", "at", "what") and value not in ("", None)
    }
    return f"{entry['what']} {' '.join(f'{key}={value}' for key, value in rest.items())}".rstrip()


def replayed(log: Sequence[Entry]) -> State:
    """The state that the log alone leads to."""
    state = State()
    for entry in log:
        apply(state, entry)
    return state


__all__ = ["FORMAT", "Rehearsal", "Spawn", "Step", "replayed", "report", "scenarios"]
