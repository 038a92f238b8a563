"""Moving a run to another revision of its flow: what becomes of each place, and what stands in the way."""

from collections.abc import Mapping
from dataclasses import dataclass

from schemas.engine.state import State, Token
from schemas.flow import Flow
from schemas.messages import Message, say
from schemas.steps.people import START, PeopleStep


@dataclass(frozen=True)
class Move:
    """What becomes of one place: it stays at the step (which may have another id), or the step begins anew."""

    token: int
    step: str
    to: str
    anew: bool = False


@dataclass(frozen=True)
class Plan:
    """What a migration would do, and why it cannot be done."""

    moves: tuple[Move, ...]
    problems: tuple[Message, ...]


def plan(old: Flow, new: Flow, state: State, steps: Mapping[str, str]) -> Plan:
    """A dry run. `steps` maps ids of the old flow to those of the new; without an entry the id stays."""
    moves, problems = [], []
    for token in state.live_tokens():
        target = steps.get(token.step, token.step)
        problem = _problem(new, token, target, steps)
        if problem is not None:
            problems.append(problem)
        elif token.step:
            moves.append(Move(token.id, token.step, target, _anew(old, new, token, target)))
    problems += [
        say("There is no step '{id}' in the new revision.", id=target)
        for target in steps.values()
        if not new.step(target)
    ]
    return Plan(tuple(moves), tuple(dict.fromkeys(problems)))


def _problem(new: Flow, token: Token, target: str, steps: Mapping[str, str]) -> Message | None:
    owner, dot, branch = token.sequence.partition(".")
    sequence = f"{steps.get(owner, owner)}{dot}{branch}"
    if sequence not in new.sequences:
        return say("The branch '{id}' is not in the new revision.", id=sequence)
    if not target or target == START:
        return None
    position = new.positions.get(target)
    if position is None:
        return say("Say which step of the new revision takes the place of '{id}'.", id=token.step)
    if position.sequence != sequence:
        return say("'{id}' lies in another branch of the new revision.", id=target)
    if token.waits == "branches" and not position.step.inner:
        return say("'{id}' has no branches in the new revision.", id=target)
    return None


def _anew(old: Flow, new: Flow, token: Token, target: str) -> bool:
    """Whether what is asked there is something else, so that the step begins anew."""
    before, after = old.step(token.step), new.step(target)
    if before is None or after is None or before.type == after.type:
        return False
    return not (isinstance(before, PeopleStep) and isinstance(after, PeopleStep)) and token.waits != "branches"
