"""Errors of the drivers that tell of trouble are StoreError to everybody; all others stay what they are."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.domain.entries import SourceState
from bot.domain.errors import StoreError, Trouble
from bot.ports import Document, Poll
from bot.storage.database import open_engine
from bot.storage.store import SqlStore
from bot.storage.trouble import trouble_of
from tests.fakes.clock import START
from tests.postgres import Server
from tests.storage.kit import item, opened, url_of
from tests.trouble import Disk


def poll(number: int) -> Poll:
    own = f"paper {number}"
    entries = [item(f"Title {number} {n}", number * 100 + n, summary="harbour " * 200) for n in range(40)]
    return Poll(document=Document(source=own, entries=entries, now=START), after=lambda _: SourceState(name=own, polled=START))


async def test_a_full_disk_keeps_nothing_of_a_poll_and_no_state(tmp_path: Path) -> None:
    with Disk() as disk:
        async with opened(tmp_path) as store:
            await disk.fill()
            with pytest.raises(StoreError, match="disk is full") as caught:
                await store.take(poll(1))
            assert caught.value.trouble is Trouble.FULL
            assert (await store.source_states(), await store.unassessed(10)) == ({}, [])
            await disk.mend()
            assert len((await store.take(poll(1))).entries) == 40
            assert set(await store.source_states()) == {"paper 1"}


async def test_a_database_that_takes_no_writes_can_be_read(tmp_path: Path) -> None:
    with Disk() as disk:
        async with opened(tmp_path) as store:
            await store.writes()
            await disk.protect()
            with pytest.raises(StoreError, match="takes no writes"):
                await store.writes()
            assert await store.answers()


async def test_another_program_that_keeps_it_locked(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        engine = open_engine(url_of(tmp_path))
        other = sqlite3.connect(tmp_path / "attache.db")
        other.execute("BEGIN IMMEDIATE")
        try:
            async with engine.connect() as connection:
                await connection.execute(text("PRAGMA busy_timeout=50"))
                with pytest.raises(StoreError, match="keeps the database locked"):
                    await connection.execute(text("UPDATE alembic_version SET version_num = version_num"))
        finally:
            other.close()
            await engine.dispose()
        assert await store.answers()


async def test_our_own_mistakes_are_no_trouble(store: SqlStore) -> None:
    with pytest.raises(Exception, match="nowhere") as caught:
        async with store._engine.connect() as connection:
            await connection.execute(text("SELECT * FROM nowhere"))
    assert not isinstance(caught.value, StoreError)


async def test_postgresql_that_takes_no_writes_and_one_that_is_not_there(postgres: Server) -> None:
    with postgres.database() as url:
        engine = open_engine(f"{url}&options=-c%20default_transaction_read_only%3Don")
        with pytest.raises(StoreError, match="takes no writes"):
            await SqlStore(engine).writes()
        await engine.dispose()
    told: list[StoreError] = []
    engine = open_engine("postgresql://attache@127.0.0.1:1/attache", told.append)
    with pytest.raises(StoreError, match="does not answer"):
        await SqlStore(engine).answers()
    assert [error.trouble for error in told] == [Trouble.AWAY]
    await engine.dispose()


async def test_a_connection_that_breaks_within_a_transaction(postgres: Server) -> None:
    with postgres.database() as url:
        engine = open_engine(url)
        with pytest.raises(StoreError, match="does not answer"):
            await _broken(engine, postgres)
        assert await SqlStore(engine).answers()  # with a new one
        await engine.dispose()


async def _broken(engine: AsyncEngine, postgres: Server) -> None:
    async with engine.begin() as connection:
        own = (await connection.execute(text("SELECT pg_backend_pid()"))).scalar_one()
        postgres.do(f"SELECT pg_terminate_backend({own})")
        await connection.execute(text("SELECT 1"))


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (psycopg.errors.DiskFull(), Trouble.FULL),
        (psycopg.errors.ReadOnlySqlTransaction(), Trouble.READ_ONLY),
        (psycopg.errors.CannotConnectNow(), Trouble.AWAY),
        (psycopg.errors.TooManyConnections(), Trouble.AWAY),
        (psycopg.OperationalError("the connection is lost"), Trouble.AWAY),
        (psycopg.errors.DeadlockDetected(), None),
        (psycopg.errors.UniqueViolation(), None),
        (sqlite3.IntegrityError("made here: it has no code"), None),
        (ValueError("no driver's"), None),
        (None, None),
    ],
)
def test_what_an_error_means(error: Exception | None, trouble: Trouble | None) -> None:
    assert trouble_of(error) is trouble
