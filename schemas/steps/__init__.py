"""Every module in this folder that registers a class is a kind of step. Adding a file here adds a kind."""

from schemas.registry import import_siblings
from schemas.steps.base import Step, step_types

import_siblings(__name__, list(__path__))

__all__ = ["Step", "step_types"]
