"""The diagram of a run: every step of its flow with where it stands, who is asked, who decided what, and the branches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from runtime import running
from runtime.context import Context
from runtime.people import Directory
from runtime.running import Running
from schemas.engine.course import COMING, HERE, LEFT_OUT, PASSED, STOPPED, Lane, Said, Stop, course
from schemas.engine.run import OUTSIDE
from schemas.engine.state import Entry
from schemas.flow import MAIN
from schemas.messages import say
from schemas.steps.people import PeopleStep
from schemas.steps.who import Who
from schemas.text import Sentence, Text

STANDINGS: dict[str, Sentence] = {
    PASSED: say("Done"), HERE: say("It is here now"), COMING: say("May follow"), LEFT_OUT: say("Not taken"),
    STOPPED: say("Ended here"),
}  # fmt: skip
AFTER: dict[str, Sentence] = {
    "approved": say("When approved"), "rejected": say("When rejected"), "withdrawn": say("When withdrawn"),
    "ended": say("When ended"), "returned": say("When returned to the starter"),
}  # fmt: skip


@dataclass(frozen=True)
class Word:
    """Who said what, and when."""

    who: str
    words: Sentence
    tone: str
    at: datetime
    automatic: bool


@dataclass(frozen=True)
class Drawn:
    """One card of the diagram."""

    title: Sentence
    icon: str
    people: bool
    standing: str
    words: Sentence
    since: datetime | None
    said: Sequence[Word]
    held: Sequence[str]
    wanted: Sequence[str]
    """Who would be asked, for a reader who manages the flow."""
    trouble: bool
    branches: Sequence["DrawnLane"]


@dataclass(frozen=True)
class DrawnLane:
    """A column of cards with its heading."""

    title: Sentence
    standing: str
    words: Sentence
    cards: Sequence[Drawn]


def drawn(
    ctx: Context, run: Running, log: Sequence[Entry], names: Mapping[str, str], manages: bool
) -> Sequence[DrawnLane]:
    """The diagram of a run. `names` knows everybody in the log; who would be asked is for those who manage the flow."""
    return [_Drawing(ctx, run, names, manages).lane(lane) for lane in course(run.flow, run.state, log)]


class _Drawing:
    def __init__(self, ctx: Context, run: Running, names: Mapping[str, str], manages: bool) -> None:
        self.ctx, self.run, self.names, self.manages = ctx, run, names, manages

    def lane(self, lane: Lane) -> DrawnLane:
        cards = [self.card(stop) for stop in lane.stops]
        return DrawnLane(self._title(lane.sequence), lane.standing, STANDINGS[lane.standing], cards)

    def _title(self, sequence: str) -> Sentence:
        if sequence == MAIN:
            return Text()
        if sequence.startswith("after:"):
            return AFTER[sequence.partition(":")[2]]
        owner, _, key = sequence.partition(".")
        branches = getattr(self.run.flow.step(owner), "branches", ())
        found = next((b for b in branches if b.id == key), None)
        if found is None:
            return say("For each")
        return found.title or Text.of(found.id)

    def card(self, stop: Stop) -> Drawn:
        step = stop.step
        words = say("Needs help") if stop.trouble else STANDINGS[stop.standing]
        if stop.standing == HERE and stop.branches:
            words = say("Under way")
        return Drawn(
            step.title or say(step.title_word), step.icon, step.for_people, stop.standing, words, stop.since,
            [self._word(step, one) for one in stop.said], self._held(stop), self._wanted(stop), stop.trouble,
            [self.lane(lane) for lane in stop.branches],
        )  # fmt: skip

    def _word(self, step: object, said: Said) -> Word:
        from runtime.progress import DONE

        words, _, tone = DONE[said.what]
        named = step.word(said.what) if isinstance(step, PeopleStep) else None
        return Word(self._name(said.who), named or words, tone, said.at, said.automatic)

    def _name(self, id: str) -> str:
        return id[len(OUTSIDE) :] if id.startswith(OUTSIDE) else self.names.get(id, "")

    def _held(self, stop: Stop) -> list[str]:
        return [self._name(t.member) for t in self.run.state.live_tasks() if t.step == stop.step.id]

    def _wanted(self, stop: Stop) -> list[str]:
        """As things stand now; what depends on choices that are still to be made is not guessed."""
        step = stop.step
        if not (self.manages and stop.standing == COMING and isinstance(step, PeopleStep)):
            return []
        if not all(_is_known_beforehand(who) for who in step.who):
            return []
        found = running.people(self.ctx, self.run, step.who)[:5]
        names = Directory.of(self.ctx).names(found)
        return [names[one] for one in found if one in names]


def _is_known_beforehand(who: Who) -> bool:
    """Whether whom this means does not depend on what is still to happen in the run."""
    return who.chosen_by is None and who.word in ("", "starter") and who.head_of not in ("previous", "assignee")
