"""Opening the database: the engine, its pragmas, and the migrations at start."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, event, text
from sqlalchemy.engine import URL, ExceptionContext, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import StaticPool

from bot.domain.errors import SettingsError, StoreError, Trouble
from bot.scrubbing import scrubbed
from bot.storage.trouble import trouble_of

MEMORY = "sqlite+aiosqlite:///:memory:"
# Milliseconds: a statement of ours that takes longer is a mistake, and a process that stops within a transaction must not hold the others up.
# https://www.postgresql.org/docs/current/runtime-config-client.html
_PATIENCE = "-c lock_timeout=15000 -c statement_timeout=60000 -c idle_in_transaction_session_timeout=300000"
CONNECT_SECONDS = 10  # for PostgreSQL to take a connection; psycopg by itself waits more than two minutes
_OPEN = {"sqlite": "name a file that can be written", "postgresql": "see that the server runs, and the name and password"}
MIGRATING = "SELECT pg_advisory_xact_lock(hashtextextended('attache migrate', 0))"
INTACT = "PRAGMA quick_check(1)"  # answers "ok": https://www.sqlite.org/pragma.html#pragma_quick_check
BUSY_MS = 10_000  # how long SQLite waits for another writer before it gives up


def open_engine(url: str, troubled: Callable[[StoreError], None] = lambda _: None) -> AsyncEngine:
    """Return the engine for an address: SQLite through aiosqlite, PostgreSQL through psycopg. Raises SettingsError for one that cannot be used.

    Whatever it is asked raises StoreError while the database is in trouble, of which `troubled` is told too.
    """
    try:
        engine = _engine(database_url(url))
    except (SQLAlchemyError, ImportError) as error:
        mend = "write sqlite+aiosqlite:///FILE.db, or postgresql+psycopg://USER:PASSWORD@HOST/NAME"
        raise SettingsError("ATTACHE_DATABASE_URL", f"{scrubbed(str(error))}; {mend}") from None
    event.listen(engine.sync_engine, "handle_error", lambda context: _translate(context, troubled))
    return engine


def _engine(url: URL) -> AsyncEngine:
    if url.drivername == "sqlite+aiosqlite":
        return _sqlite(url)
    if url.drivername == "postgresql+psycopg":
        return _postgresql(url)
    raise ArgumentError(f"{url.drivername} is not supported")


def _translate(context: ExceptionContext, troubled: Callable[[StoreError], None]) -> None:
    """Raise StoreError in the place of a driver's error that tells of trouble; what a ping met is not told: the connection is replaced."""
    trouble = None if context.is_pre_ping else trouble_of(context.original_exception)
    if trouble is not None:
        error = StoreError(trouble)
        troubled(error)
        raise error from context.original_exception


def database_url(url: str) -> URL:
    """Return the address with the driver that we use: hosts give `postgres://…`. Raises ArgumentError."""
    parsed = make_url(url)
    return parsed.set(drivername="postgresql+psycopg") if parsed.drivername in ("postgres", "postgresql") else parsed


def _sqlite(url: URL) -> AsyncEngine:
    memory = url.database in (None, "", ":memory:")
    options: dict[str, Any] = {"poolclass": StaticPool} if memory else {"pool_size": 5}
    engine = create_async_engine(url, **options)
    event.listen(engine.sync_engine, "connect", _pragmas)
    event.listen(engine.sync_engine, "begin", _begin)
    return engine


def _postgresql(url: URL) -> AsyncEngine:
    """At most ten connections a process; one that the server closed meanwhile is replaced before it is used."""
    wants: dict[str, Any] = {"options": _PATIENCE, "connect_timeout": CONNECT_SECONDS}
    own = {name: value for name, value in wants.items() if name not in url.query}
    return create_async_engine(url, pool_size=5, max_overflow=5, pool_pre_ping=True, connect_args=own)


class Writer:
    """Opens writing transactions. SQLite takes one writer at a time: those of this process queue up here, in order, rather than at its door,
    where the unlucky ones wait longer than BUSY_MS when many come at once.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine.execution_options(writing=True)
        self._turn = asyncio.Lock() if engine.dialect.name == "sqlite" else nullcontext()

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        """Yield the connection of a transaction that is committed on leaving, rolled back on an exception."""
        async with self._turn, self._engine.begin() as connection:
            yield connection


def _pragmas(connection: Any, _: object) -> None:  # noqa: ANN401  (SQLAlchemy's event hands over whatever the driver has)
    connection.isolation_level = None  # the driver's own BEGIN is deferred: two writers would meet as "database is locked"
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", f"busy_timeout={BUSY_MS}", "cache_size=-8000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writing") else "BEGIN")


async def migrate(engine: AsyncEngine) -> None:
    """Bring the schema to the newest revision. Raises SettingsError when the database cannot be opened."""
    try:
        async with engine.execution_options(writing=True).connect() as connection:
            await connection.run_sync(_upgrade)
            await connection.commit()
    except (SQLAlchemyError, StoreError, OSError) as error:
        raise unopened(engine, error) from error


async def check(engine: AsyncEngine) -> None:
    """Look whether an SQLite file is whole, which costs reading it once; PostgreSQL sees to that by itself. Raises SettingsError.

    What is done on a damaged file makes the damage worse, so this comes before anything else.
    """
    if engine.dialect.name != "sqlite":
        return
    try:
        async with engine.connect() as connection:
            said = (await connection.execute(text(INTACT))).scalar_one()
    except StoreError as error:  # it may be whole: it cannot be looked at
        raise unopened(engine, error) from error
    except (SQLAlchemyError, OSError) as error:
        said = cause_of(error)
    if said != "ok":
        mend = "put a backup in its place (`attache backup`), or save what can be read: `sqlite3 OLD.db .recover | sqlite3 NEW.db`"
        raise SettingsError("ATTACHE_DATABASE_URL", f"the database is damaged ({said}); {mend}")


def unopened(engine: AsyncEngine, error: Exception) -> SettingsError:
    """Return what a start says that cannot use the database; to be raised `from` the error."""
    full = isinstance(error, StoreError) and error.trouble is Trouble.FULL
    mend = "free some space on its disk" if full else _OPEN[engine.dialect.name]
    return SettingsError("ATTACHE_DATABASE_URL", f"the database cannot be opened ({cause_of(error)}); {mend}")


def cause_of(error: Exception) -> str:
    """Return what the driver says of an error: one line, without secrets."""
    driver = error.__cause__ if isinstance(error, StoreError) else getattr(error, "orig", None)
    lines = str(driver or error).splitlines() or [type(error).__name__]
    return scrubbed(lines[0])


def alembic_config(connection: Connection) -> Config:
    """Return Alembic's configuration with the migrations of this package on `connection`."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _upgrade(connection: Connection) -> None:
    """On PostgreSQL one process at a time, and for as long as it takes; a lock that others hold is not waited for long."""
    if connection.dialect.name == "postgresql":
        for statement in ("SET LOCAL lock_timeout = 0", MIGRATING, "SET LOCAL lock_timeout = '15s'", "SET LOCAL statement_timeout = 0"):
            connection.exec_driver_sql(statement)
    command.upgrade(alembic_config(connection), "head")
