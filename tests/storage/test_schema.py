"""The migrations make the tables that the code names; what cannot be opened says so without secrets."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from bot.domain.errors import SettingsError
from bot.storage import tables
from bot.storage.database import MEMORY, alembic_config, migrate, open_engine
from tests.postgres import Server
from tests.storage.kit import url_of


def differences(connection: Connection) -> list[object]:
    def ours(_: object, name: str | None, kind: str, *__: object) -> bool:
        return not (kind == "table" and str(name).startswith("development_words"))

    context = MigrationContext.configure(connection, opts={"compare_type": True, "include_object": ours})
    return list(compare_metadata(context, tables.metadata))


async def test_the_migrations_make_the_tables(tmp_path: Path) -> None:
    engine = open_engine(url_of(tmp_path))
    await migrate(engine)
    await migrate(engine)  # as at every start
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
        names = set((await connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'"))).scalars())
        assert {*tables.metadata.tables, "development_words"} <= names
        assert (await connection.execute(text("PRAGMA journal_mode"))).scalar_one() == "wal"
        assert (await connection.execute(text("PRAGMA foreign_keys"))).scalar_one() == 1
    await engine.dispose()


async def test_postgresql_has_the_same_tables(postgres: Server) -> None:
    with postgres.database() as url:
        engine = open_engine(url)
        await migrate(engine)
        async with engine.connect() as connection:
            assert await connection.run_sync(differences) == []
            await connection.run_sync(lambda c: command.downgrade(alembic_config(c), "base"))
            await connection.commit()
        await migrate(engine)
        await engine.dispose()


async def test_the_migrations_can_be_taken_back() -> None:
    engine = open_engine(MEMORY)
    await migrate(engine)
    async with engine.connect() as connection:
        await connection.run_sync(lambda c: command.downgrade(alembic_config(c), "base"))
        left = set((await connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'"))).scalars())
    await engine.dispose()
    assert left == {"alembic_version"}


@pytest.mark.parametrize(
    "url", ["", "nonsense", "sqlite:///a.db", "postgresql+asyncpg://u:hush-hush@example.com/a", "nosuch+driver://u:hush-hush@example.com/a"]
)
def test_a_url_that_cannot_be_used(url: str) -> None:
    with pytest.raises(SettingsError, match=r"^ATTACHE_DATABASE_URL: .*sqlite") as caught:
        open_engine(url)
    assert "hush" not in str(caught.value)


async def threads_end() -> None:
    """Wait for aiosqlite's threads: one that could not connect still reports to the event loop, and must find it open."""
    workers = [t for t in threading.enumerate() if "_connection_worker_thread" in t.name]
    await asyncio.to_thread(lambda: [t.join(5) for t in workers])
    assert not [t for t in workers if t.is_alive()]


async def test_a_file_that_cannot_be_opened(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite+aiosqlite:///{tmp_path / 'missing' / 'attache.db'}")
    with pytest.raises(SettingsError, match=r"^ATTACHE_DATABASE_URL: the database cannot be opened \(unable to open"):
        await migrate(engine)
    await engine.dispose()
    await threads_end()


async def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "attache.db").write_bytes(b"a letter to the editor, not a database " * 40)
    engine = open_engine(url_of(tmp_path))
    with pytest.raises(SettingsError, match="not a database"):
        await migrate(engine)
    await engine.dispose()
    await threads_end()
