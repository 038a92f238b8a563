"""The platform's tests count all jobs of a database: they have one to themselves."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, create_engine

from runtime.settings import Settings
from tests.conftest import empty_database


@pytest.fixture(scope="session")
def database_url(embedded_server: Settings, worker_id: str) -> str:
    return empty_database(embedded_server, f"platform_{worker_id}")


@pytest.fixture(scope="session")
def engine(database_url: str) -> Iterator[Engine]:
    engine = create_engine(database_url)
    yield engine
    engine.dispose()
