"""What befalls a store from outside, made on purpose and with the database's own means; and a look at it through a process' port.

with Disk() as disk:                # before anything is opened: it hears of every connection of this process to an SQLite file
    ...
    await disk.fill()               # the file may not grow any more: SQLITE_FULL, as on a full disk
    await disk.protect()            # no statement may write: SQLITE_READONLY
    await disk.mend()
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Self

import aiohttp
import aiosqlite
from sqlalchemy import event
from sqlalchemy.pool import Pool

FULL = ("max_page_count=1", "query_only=OFF")  # SQLite takes the present size instead, where that is more
READ_ONLY = ("max_page_count=1073741823", "query_only=ON")
WELL = ("max_page_count=1073741823", "query_only=OFF")
PATIENCE = 90.0  # a bound, not a measure: processes start slowly where many do


class Disk:
    """Where the SQLite files of this process lie. A context: hears of connections that are opened inside."""

    def __init__(self) -> None:
        self._connections: list[aiosqlite.Connection] = []
        self._pragmas = WELL

    def __enter__(self) -> Self:
        event.listen(Pool, "connect", self._connected)
        return self

    def __exit__(self, *_: object) -> None:
        event.remove(Pool, "connect", self._connected)

    def _connected(self, connection: Any, _: object) -> None:  # noqa: ANN401  (SQLAlchemy's event hands over whatever the driver has)
        self._connections.append(connection.driver_connection)
        cursor = connection.cursor()
        for pragma in self._pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    async def fill(self) -> None:
        """Let no file grow."""
        await self._become(FULL)

    async def protect(self) -> None:
        """Let nothing be written."""
        await self._become(READ_ONLY)

    async def mend(self) -> None:
        """Make everything well again."""
        await self._become(WELL)

    async def _become(self, pragmas: tuple[str, ...]) -> None:
        self._pragmas = pragmas
        for connection in self._connections:
            with suppress(ValueError):  # it was closed meanwhile
                for pragma in pragmas:
                    await connection.execute_fetchall(f"PRAGMA {pragma}")


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def is_ready(port: int) -> bool | None:
    """Say what `/readyz` says; None where nobody answers."""
    try:
        async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/readyz") as response:
            return response.status == 200
    except aiohttp.ClientError:
        return None


async def until_ready(ready: bool, *ports: int) -> None:
    """Wait until every one of these processes says so."""
    async with asyncio.timeout(PATIENCE):
        while [await is_ready(port) for port in ports] != [ready] * len(ports):  # noqa: ASYNC110  (there is no event to wait for)
            await asyncio.sleep(0.1)


async def until(holds: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Wait until `holds()`."""
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110  (what it waits for happens in other tasks and processes)
            await asyncio.sleep(0.05)
