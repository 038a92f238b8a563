"""Where templates, static files and bundled apps are: inside the installed package, or in the source tree."""

from importlib.resources import files
from pathlib import Path

VERSION = "0.1.0"
SOURCE = Path(__file__).parents[1]


def folder(name: str) -> Path:
    """The folder `templates`, `static` or `apps`. Raises FileNotFoundError when neither place has it."""
    for path in (packaged(name), SOURCE / name):
        if path is not None and path.is_dir():
            return path
    raise FileNotFoundError(f"Mortise is not installed completely: there is no folder {name!r}.")


def packaged(name: str) -> Path | None:
    try:
        found = files("mortise_data").joinpath(name)
    except (ModuleNotFoundError, NotADirectoryError):
        return None
    return Path(str(found)) if found.is_dir() else None
