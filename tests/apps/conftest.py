"""Each bundled app in a workspace of its own, with its sample, installed once for all tests."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from itertools import count

import pytest
from sqlalchemy import Engine

from builder import bundle
from runtime import jobs, sample, workspaces
from runtime.context import Context, Workspace
from runtime.sample import Keys

numbers = count(1)
Company = tuple[Workspace, Keys]
Trial = Callable[[str], AbstractContextManager[Context]]


@pytest.fixture(scope="session")
def prepared(database_url: str) -> Iterator[Engine]:
    engine = workspaces.connect(database_url)
    workspaces.prepare(engine)
    with engine.begin() as conn:
        jobs.install_jobs(conn)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def make_workspace(prepared: Engine) -> Callable[[], Workspace]:
    return lambda: workspaces.create(prepared, f"company-{next(numbers)}", "Company", language="zh")


@pytest.fixture(scope="session")
def companies(prepared: Engine, make_workspace: Callable[[], Workspace]) -> dict[str, Company]:
    found = {}
    for app, folder in bundle.bundled().items():
        workspace = make_workspace()
        with workspaces.opened(prepared, workspace) as ctx:
            bundle.install(ctx, bundle.read(folder))
        with workspaces.opened(prepared, workspace) as ctx:
            keys = sample.install_sample(ctx, app, folder / "sample")
        assert keys
        found[app] = workspace, keys
    return found


class Undone(Exception):
    """Raised to leave a workspace as it was."""


@pytest.fixture
def trial(prepared: Engine, companies: dict[str, Company]) -> Trial:
    """A transaction in an app's company of which nothing stays."""

    @contextmanager
    def opened(app: str) -> Iterator[Context]:
        with suppress(Undone), workspaces.opened(prepared, companies[app][0]) as ctx:
            yield ctx
            raise Undone

    return opened
