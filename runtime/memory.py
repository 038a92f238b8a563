"""How a process that stays keeps house: what it has loaded is there for good."""

import gc

YOUNG = 50_000
"""Objects made before they are looked through; an import makes hundreds for every row."""


def settle() -> None:
    """Leave what is loaded out of every later look for garbage, and look less often. Once, when a process is ready."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 20, 20)
