"""Where a task may be returned to."""

from collections.abc import Iterable, Iterator

from schemas.engine.state import State, Task
from schemas.flow import Flow
from schemas.steps.people import PREVIOUS, START, PeopleStep


def return_targets(flow: Flow, state: State, task: Task) -> tuple[str, ...]:
    """The ids of the steps that this task may be returned to now, `start` among them, as the step allows."""
    step = flow.people_step(task.step)
    if "return" not in step.allowed or task.kind in ("delegated", "choose"):
        return ()
    return targets_of(flow, state, task, step.return_to)


def targets_of(flow: Flow, state: State, task: Task, names: Iterable[str]) -> tuple[str, ...]:
    """What these names (start, previous, or a step's id) mean for a task now."""
    return tuple(dict.fromkeys(target for name in names for target in _named(flow, state, task, name)))


def _named(flow: Flow, state: State, task: Task, name: str) -> Iterator[str]:
    if name == START:
        if state.starter:
            yield START
    elif name == PREVIOUS:
        decided = [t.step for t in reversed(state.decided()) if t.step not in (START, task.step)]
        yield from [step for step in decided if reachable(flow, state, task, step)][:1]
    elif reachable(flow, state, task, name):
        yield name


def reachable(flow: Flow, state: State, task: Task, target: str) -> bool:
    """Whether a people's step was asked earlier, and not in a parallel branch that is over."""
    if not isinstance(flow.step(target), PeopleStep) or not any(t.step == target for t in state.tasks.values()):
        return False
    way = flow.way(target)
    depth = {sequence: number for number, (sequence, _) in enumerate(way)}
    for token in state.line(state.tokens[task.token]):
        if token.sequence in depth:
            at = depth[token.sequence]
            return way[at][1] < flow.index(token.step) and _resumable(flow, way[at:])
    return False


def _resumable(flow: Flow, way: list[tuple[str, int]]) -> bool:
    """Whether every step that contains the last one of this way can be gone into again."""
    return all(flow.sequences[sequence][index].resumable for sequence, index in way[:-1])
