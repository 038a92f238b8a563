"""What a token's scope has to name besides records: tasks, people, definitions."""

from runtime.context import Context
from schemas.errors import Denied
from schemas.messages import say
from schemas.scope import CHANGE, DECIDE, DEFINITIONS, PEOPLE, PUBLISH, TASKS

REFUSALS = {
    TASKS: say("This token may not read tasks."),
    DECIDE: say("This token may not decide tasks."),
    PEOPLE: say("This token may not read members and departments."),
    DEFINITIONS: say("This token may not read definitions."),
    CHANGE: say("This token may not change definitions."),
    PUBLISH: say("This token may not publish definitions."),
}


def require_besides(ctx: Context, word: str) -> None:
    """Raises Denied unless the actor's scope names this."""
    if ctx.actor.scope is not None and not ctx.actor.scope.may(word):
        raise Denied(REFUSALS[word])


def within(ctx: Context, app: str) -> bool:
    """Whether what belongs to an app and is no record, such as a task, is within the scope: where it names apps, in those."""
    scope = ctx.actor.scope
    return scope is None or not scope.data or scope.reaches(app)
