"""Why a formula cannot be computed by the database."""

from schemas.formula.sql import givens
from schemas.formula.typed import Apply, Chain, Node, Read, below, parts
from schemas.formula.values import Need
from schemas.messages import Message, say

LONGEST_CHAIN = 100
DRAWN = frozenset(("RAND", "RANDBETWEEN", "UUID"))


def no_sql(root: Node) -> Message | None:
    """The reason why a typed tree has no SQL form, or None.

    A part that reads nothing of the record needs none: it is computed beforehand, and bound as a value.
    """
    if root.rows and not (isinstance(root, Read) and root.rows == root.path):
        return say("A list cannot be computed by the database.")
    waiting = [root]
    while waiting:
        node = waiting.pop()
        refusal = _refusal(node)
        if refusal is None:
            waiting.extend(parts(node))
        elif not independent(node):
            return refusal
    return None


def independent(node: Node) -> bool:
    """Whether a part reads nothing of the record, so that its value is the same for all of them."""
    return node.type.kind != "array" and not any(_depends(part) for part in below(node))


def _depends(node: Node) -> bool:
    return isinstance(node, Read) or (
        isinstance(node, Apply) and (node.function.name in DRAWN or node.function.need is not None)
    )


def _refusal(node: Node) -> Message | None:
    match node:
        case Apply():
            return _of_function(node)
        case Read(need=Need(kind="mapx")):
            return say("{function} cannot be computed by the database.", function="MAPX")
        case Read() if node.type.kind == "array":
            return say("A list within a list cannot be computed by the database.")
        case Chain(steps=steps):
            if len(steps) > LONGEST_CHAIN and not _balanced(node):
                return say("This calculation is too long for the database.")
            refusals = (_of_function(step) for step in steps)
            return next((refusal for refusal in refusals if refusal), None)
    return None


def _balanced(chain: Chain) -> bool:
    """Whether the order of computing does not matter, so that a database need not nest so deep."""
    signs = {step.function.name for step in chain.steps}
    return signs <= {"+", "-"} or signs == {"*"} or signs == {"&"}


def _of_function(node: Apply) -> Message | None:
    if node.lifts and any(arg.type.kind == "array" for arg in node.args):
        return say("A calculation over a written list cannot be done by the database.")
    form = node.function.form
    if form is None or form(*givens(node)) is None:
        return say("{function} cannot be computed by the database.", function=node.function.shown)
    return None
