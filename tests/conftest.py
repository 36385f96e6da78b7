"""Fixtures for the whole suite."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.postgres import MARK, Server, serving


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL server, started when the first test asks for it."""
    with TemporaryDirectory(prefix="attache-postgres-") as folder:
        Path(folder).chmod(0o755)  # as root the server runs as a user of its own
        with serving(Path(folder)) as server:
            yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Have `tests.storage.kit.opened(tmp_path)` open a store on either database; yields which."""
    if request.param == "sqlite":
        yield request.param
        return
    server: Server = request.getfixturevalue("postgres")
    with server.database() as url:
        (tmp_path / MARK).write_text(url)
        yield request.param
