"""Everything that is wrong with an app before it is installed."""

from pathlib import Path

from builder import bundle
from schemas.app import App
from schemas.errors import BadValue, DefinitionError, Problem
from schemas.messages import say
from schemas.options import load
from schemas.source import read_json


def problems_of(source: Path) -> list[Problem]:
    """Errors and warnings of an app in a folder, a zip file, or one JSON file that holds all of it."""
    try:
        if source.suffix == ".json" and source.is_file():
            return problems_in(read_json(source.read_bytes(), say("this is not JSON that can be read")))
        package = bundle.read(source)
        return bundle.in_files(package, problems_in(package))
    except DefinitionError as err:
        return list(err.problems)
    except BadValue as err:
        return [Problem(source.name, err.message)]


def problems_in(package: object) -> list[Problem]:
    return understand(package)[1]


def understand(package: object) -> tuple[App | None, list[Problem]]:
    """The app that a package describes, if it can be read at all, and everything that is wrong with it."""
    try:
        app = load(App, package)
    except DefinitionError as err:
        return None, list(err.problems)
    return app, list(app.analysis.problems())
