"""Opening, looking through, copying, and coming back after the server closed what was open."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.app import open_store
from bot.domain.errors import SettingsError, UsageError
from bot.ports import Query
from bot.storage.backup import backup
from bot.storage.database import MEMORY, check, migrate, open_engine
from tests.postgres import Server
from tests.storage.kit import keep, new, opened, url_of
from tests.storage.test_schema import threads_end


def damage(file: Path) -> None:
    """Overwrite pages in the middle of a file of SQLite."""
    whole = bytearray(file.read_bytes())
    for page in range(3, len(whole) // 4096 - 3, 2):
        whole[page * 4096 : page * 4096 + 2048] = b"\xff" * 2048
    file.write_bytes(whole)


async def test_a_whole_file_is_opened(tmp_path: Path) -> None:
    async with opened(tmp_path):
        pass
    for _ in range(2):
        async with open_store(url_of(tmp_path), checking=True) as store:
            assert await store.answers()


async def test_a_damaged_file_is_told_before_it_is_used(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await new(store, "Rice accord")
    damage(tmp_path / "attache.db")
    with pytest.raises(SettingsError, match=r"^ATTACHE_DATABASE_URL: the database is damaged \(.+\); put a backup .*recover"):
        async with open_store(url_of(tmp_path), checking=True):
            raise AssertionError("opened")
    await threads_end()


async def test_what_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "attache.db").write_bytes(b"a letter to the editor, not a database " * 40)
    engine = open_engine(url_of(tmp_path))
    with pytest.raises(SettingsError, match=r"damaged .*not a database"):
        await check(engine)
    await engine.dispose()
    await threads_end()


async def test_the_copy_holds_what_was_committed_and_only_this_user_reads_it(tmp_path: Path) -> None:
    copy = tmp_path / "copy" / "attache.db"
    copy.parent.mkdir()
    async with opened(tmp_path) as store:
        kept = await keep(store, await new(store, "Rice accord signed"))
        async with store.begin() as writing:  # somebody is at it meanwhile
            await writing.intake("wire", [], kept.first_published, fresh_from=None)
            assert await asyncio.to_thread(backup, url_of(tmp_path), copy) == copy.stat().st_size
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert os.listdir(copy.parent) == ["attache.db"]
    async with opened(copy.parent) as store:
        assert [d.development_id for d in await store.developments(Query(words="rice"))] == [kept.development_id]


async def test_what_no_copy_is_made_of(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        assert await store.answers()
    there, copy = url_of(tmp_path), tmp_path / "copy.db"
    with pytest.raises(UsageError, match=r"^PostgreSQL makes its own: pg_dump"):
        backup("postgres://u:hush@example.com/a", copy)
    for url, said in ((MEMORY, "no file"), (f"sqlite+aiosqlite:///{tmp_path}/none.db", "no file"), ("nonsense", "no address")):
        with pytest.raises(SettingsError, match=f"^ATTACHE_DATABASE_URL: .*{said}"):
            backup(url, copy)
    with pytest.raises(UsageError, match="is there already"):
        backup(there, tmp_path / "attache.db")
    with pytest.raises(UsageError, match=r"cannot be written: No such file"):
        backup(there, tmp_path / "nowhere" / "copy.db")
    assert not copy.exists()
    (tmp_path / "copy.db.part").touch()
    with pytest.raises(UsageError, match="another backup is being made"):
        backup(there, copy)
    assert (tmp_path / "copy.db.part").exists()


async def test_of_a_damaged_file_no_copy_is_left(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await new(store, "Rice accord")
    damage(tmp_path / "attache.db")
    with pytest.raises(UsageError, match=r"^no backup was made: "):
        backup(url_of(tmp_path), tmp_path / "copy.db")
    assert not [name for name in os.listdir(tmp_path) if name.startswith("copy.db")]


def test_a_copy_that_another_process_writes_in(tmp_path: Path) -> None:
    """A writer that is not done holds up no backup: what it wrote is not in it."""
    with closing(sqlite3.connect(tmp_path / "attache.db", isolation_level=None)) as writer:
        writer.execute("PRAGMA journal_mode=WAL")
        writer.execute("CREATE TABLE t (n)")
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("INSERT INTO t VALUES (1)")
        backup(f"sqlite+aiosqlite:///{tmp_path}/attache.db", tmp_path / "copy.db")
        writer.execute("COMMIT")
    with closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
        assert copy.execute("SELECT count(*) FROM t").fetchone() == (0,)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
async def test_addresses_as_hosts_give_them(postgres: Server, scheme: str) -> None:
    with postgres.database() as url:
        engine = open_engine(url.replace("postgresql+psycopg", scheme, 1))
        async with engine.connect() as connection:
            limits = [(await connection.execute(text(f"SHOW {name}_timeout"))).scalar_one() for name in ("lock", "statement")]
        await check(engine)  # which PostgreSQL needs not
        await engine.dispose()
    assert limits == ["15s", "1min"]


async def test_an_address_may_have_options_of_its_own(postgres: Server) -> None:
    with postgres.database() as url:
        engine = open_engine(f"{url}{'&' if '?' in url else '?'}options=-c%20statement_timeout%3D5000&connect_timeout=3")
        async with engine.connect() as connection:
            assert (await connection.execute(text("SHOW statement_timeout"))).scalar_one() == "5s"
        await engine.dispose()


async def test_a_server_that_is_not_there() -> None:
    engine = open_engine("postgresql://attache:hush-hush@127.0.0.1:1/attache")
    with pytest.raises(
        SettingsError, match=r"^ATTACHE_DATABASE_URL: the database cannot be opened \(.+\); see that the server runs"
    ) as caught:
        await migrate(engine)
    assert "hush" not in str(caught.value)
    await engine.dispose()


async def test_connections_that_the_server_closed_are_opened_anew(postgres: Server) -> None:
    with postgres.database() as url:
        async with open_store(url, migrating=False) as store:
            assert await store.answers()
            name = url.partition("?")[0].rpartition("/")[2]
            postgres.do(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")  # noqa: S608  (our own name)
            assert await store.answers()
            assert (await new(store, "Rice accord")).title == "Rice accord"


async def test_two_processes_may_migrate_at_once(postgres: Server) -> None:
    name = "t_empty"
    postgres.do(f"CREATE DATABASE {name}")
    engines = [open_engine(postgres.url(name)) for _ in range(2)]
    await asyncio.gather(*map(migrate, engines))
    for engine in engines:
        await engine.dispose()
    postgres.do(f"DROP DATABASE {name} WITH (FORCE)")
