"""Every module in this folder that registers a class is a kind of step. Adding a file here adds a kind.

The class extends `Step`, declares its options, and says in `enter` what happens when a token comes to it: the
module `schemas.engine` lists what it may call there. `formulas` and `complaints` serve the linker. A step that a
machine does also needs its hand, a function in `runtime/effects.py` under the same type.
"""

from schemas.registry import import_siblings
from schemas.steps.base import Step, step_types

import_siblings(__name__, list(__path__))

__all__ = ["Step", "step_types"]
