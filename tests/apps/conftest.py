"""A workspace per story, in a database that is ready for work."""

from collections.abc import Callable, Iterator
from itertools import count

import pytest
from sqlalchemy import Engine

from runtime import jobs, workspaces
from runtime.context import Workspace

numbers = count(1)


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
