"""The store (port `Store`): the read side, the pipeline's transactions, and the outbox."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, any_, func, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.sql.dml import ReturningUpdate

from bot.domain.entries import Entry, SourceState
from bot.ports import Poll, Taken
from bot.sealing import Seal
from bot.storage import rows, tables
from bot.storage.channels import SqlChannels
from bot.storage.deliveries import SqlDeliveries
from bot.storage.gauges import SqlGauges
from bot.storage.installations import SqlInstallations
from bot.storage.keywords import SqlKeywords
from bot.storage.library import SqlLibrary
from bot.storage.reading import entry_columns, entry_join
from bot.storage.retention import SqlRetention
from bot.storage.taking import Taker
from bot.storage.writing import Announcer, SqlWriting

CLAIM_SECONDS = 30.0  # for judging and filing one batch


class SqlStore(SqlLibrary, SqlKeywords, SqlChannels, SqlDeliveries, SqlRetention, SqlGauges):
    """The whole store on one SQLAlchemy engine. Whoever made the engine disposes of it."""

    def __init__(self, engine: AsyncEngine, announcer: Announcer | None = None) -> None:
        super().__init__(engine)
        self._announcer = announcer
        self._taker = Taker(self._taken)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[SqlWriting]:
        """See `Store.begin`."""
        async with self._writer.begin() as connection:
            yield SqlWriting(connection, self._announcer)

    async def writes(self) -> None:
        """Write something that changes nothing. Raises StoreError while the database is in trouble."""
        async with self._writer.begin() as connection:
            await connection.execute(text("UPDATE alembic_version SET version_num = version_num"))

    def installations(self, seal: Seal) -> SqlInstallations:
        """Return the workspaces that installed the app, whose tokens `seal` seals."""
        return SqlInstallations(self._engine, seal)

    async def source_states(self, names: Sequence[str] | None = None) -> dict[str, SourceState]:
        """See `Store.source_states`."""
        wanted = select(tables.sources) if names is None else select(tables.sources).where(tables.sources.c.name.in_(names))
        async with self._engine.connect() as connection:
            result = await connection.execute(wanted)
            return {row.name: SourceState(**row._mapping) for row in result}

    async def take(self, poll: Poll) -> Taken:
        """See `Store.take`."""
        return await self._taker.take(poll)

    async def _taken(self, polls: Sequence[Poll]) -> list[Taken]:
        async with self.begin() as writing:
            return await writing.take(polls)

    async def unassessed(self, limit: int) -> list[Entry]:
        """See `Store.unassessed`."""
        v = tables.versions
        statement = entry_columns().select_from(entry_join()).order_by(v.c.published, v.c.id)
        if self._engine.dialect.name == "sqlite":  # one process: what waits is nobody else's
            async with self._engine.connect() as connection:
                return _entries(await connection.execute(statement.where(v.c.waiting.is_(True)).limit(limit)))
        async with self._writer.begin() as connection:
            claimed = (await connection.execute(_claim(limit))).scalars().all()
            return _entries(await connection.execute(statement.where(v.c.id.in_(claimed))))


def _entries(found: Iterable[Row[Any]]) -> list[Entry]:
    return [rows.entry_of(row) for row in found]


def _claim(limit: int) -> ReturningUpdate[tuple[int]]:
    """Claim the oldest that wait and that no other worker has in hand; a worker that dies loses its claim after CLAIM_SECONDS."""
    v = tables.versions
    free = (v.c.waiting.is_(True), or_(v.c.claimed.is_(None), v.c.claimed < func.now()))
    oldest = select(v.c.id).where(*free).order_by(v.c.published, v.c.id).limit(limit).with_for_update(skip_locked=True)
    until = func.now() + timedelta(seconds=CLAIM_SECONDS)
    once = func.array(oldest.scalar_subquery())  # within IN a planner may ask the subquery again for every row, and claim more than `limit`
    return update(v).where(v.c.id == any_(once)).values(claimed=until).returning(v.c.id)
