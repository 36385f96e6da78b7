"""Clearing away: entries that became no development go after a while (`bot.domain.retention`), in small steps that hold nobody up.

SQLite gives the room to what comes next and keeps its file as large as it was; PostgreSQL does the same by autovacuum.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, delete, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.domain.retention import may_go
from bot.storage import tables
from bot.storage.database import Writer
from bot.storage.intake import LAST

STEP = 500  # entries looked at, and gone at most, in one transaction
PAUSE_SECONDS = 0.2  # between two steps: others write meanwhile

_E, _V, _C, _S = tables.entries, tables.versions, tables.coverage, tables.sources

Pause = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class _Step:
    """The entry looked at last, None when all were; how many went."""

    after: int | None
    gone: int


class SqlRetention:
    """Forgets entries. Never one with a development, one that waits for assessment, or one that its source still lists."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._writer = Writer(engine)

    async def forget(self, now: datetime, days: int, *, pause: Pause = asyncio.sleep) -> int:
        """Let go what is older than `days` (0: nothing) and may; return how many entries that were.

        May be cancelled at any time, and run by several processes: each step stands for itself.
        """
        step, gone = _Step(after=0, gone=0), 0
        while days and step.after is not None:
            step = await self._step(step.after, now, days)
            gone += step.gone
            if step.after is not None:
                await pause(PAUSE_SECONDS)
        return gone

    async def _step(self, after: int, now: datetime, days: int) -> _Step:
        before = now - timedelta(days=days)
        async with self._engine.connect() as connection:
            rows = (await connection.execute(_looked_at(after))).all()
        ids = [row.id for row in rows if _may_go(row, now, days)]
        gone = await self._let_go(ids, before) if ids else 0
        # entries are numbered in the order of their arrival: what follows one that is young is younger, but for a few seconds
        over = len(rows) < STEP or min(row.seen for row in rows) >= before
        return _Step(after=None if over else rows[-1].id, gone=gone)

    async def _let_go(self, ids: list[int], before: datetime) -> int:
        """Versions, judgements and names go with an entry. What changed since it was looked at stays."""
        async with self._writer.begin() as connection:
            found = await connection.execute(delete(_E).where(_E.c.id.in_(ids), before > LAST, ~_is_needed()))
            return found.rowcount


def _looked_at(after: int) -> Select[Any]:
    columns = select(_E.c.id, _E.c.seen, LAST.label("last"), _S.c.listed.label("listing"))
    joined = columns.select_from(_E.outerjoin(_S, _S.c.name == _E.c.source))
    return joined.where(_E.c.id > after).order_by(_E.c.id).limit(STEP)


def _may_go(row: Row[Any], now: datetime, days: int) -> bool:
    return may_go(last=row.last, listing=row.listing, now=now, days=days)


def _is_needed() -> ColumnElement[bool]:
    """Some version waits for assessment or reports a development."""
    covers = exists().where(_C.c.version_id == _V.c.id)
    return exists().where(_V.c.entry_id == _E.c.id, or_(_V.c.waiting.is_(True), covers))
