"""The store in a few figures, for the metrics and for readiness. Each read costs as much as what waits, not as much as what is stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Select, exists, func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.ports import Figures, Queue
from bot.storage import tables
from bot.storage.database import alembic_config

SAID = timedelta(days=30)  # feedback older than this says little of the bot as it is

_D, _V, _S, _F, _C = tables.deliveries.c, tables.versions.c, tables.sources.c, tables.feedback.c, tables.subscriptions.c


class SqlGauges:
    """Reads figures; changes nothing."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def figures(self, now: datetime, listed: Collection[str] | None = None) -> Figures:
        """See `Gauges.figures`."""
        async with self._engine.connect() as connection:
            states = (await connection.execute(select(_S.name, _S.health))).all()
            said = {row[0]: row[1] for row in await connection.execute(_said(now))}
            return Figures(
                deliveries=await _deliveries(connection, now),
                entries=await _entries(connection, now),
                sources=Counter(health for name, health in states if listed is None or name in listed),
                polled=(await connection.execute(select(func.max(_S.polled)))).scalar_one(),
                useful=said.get(True, 0),
                useless=said.get(False, 0),
            )

    async def answers(self) -> bool:
        """See `Gauges.answers`."""
        async with self._engine.connect() as connection:
            return bool((await connection.execute(select(1))).scalar_one())

    async def at_head(self) -> bool:
        """See `Gauges.at_head`."""
        async with self._engine.connect() as connection:
            return await connection.run_sync(_at_head)


async def _deliveries(connection: AsyncConnection, now: datetime) -> dict[str, Queue]:
    """What waits, of each surface; a digest of tomorrow morning is not late, and what a channel on pause holds waits for somebody's mending."""
    due = func.min(_D.due)
    goes_on = exists().where(_C.surface == _D.surface, _C.address == _D.address, _C.paused.is_(None))
    waiting = select(_D.surface, func.count(), due).where(tables.WAITING, goes_on).group_by(_D.surface)
    return {row[0]: Queue(depth=row[1], seconds=_age(row[2], now)) for row in await connection.execute(waiting)}


async def _entries(connection: AsyncConnection, now: datetime) -> Queue:
    waiting = select(func.count(), func.min(_V.seen)).where(_V.waiting.is_(True))
    depth, seen = (await connection.execute(waiting)).one()
    return Queue(depth=depth, seconds=_age(seen, now))


def _age(since: datetime | None, now: datetime) -> float:
    return max((now - since).total_seconds(), 0.0) if since else 0.0


def _said(now: datetime) -> Select[Any]:
    return select(_F.useful, func.count()).where(_F.at > now - SAID).group_by(_F.useful)


def _at_head(connection: Connection) -> bool:
    """A revision that we do not know is one of a newer version of ours: schemas are made so that the version before can work with them."""
    script = ScriptDirectory.from_config(alembic_config(connection))
    current = MigrationContext.configure(connection).get_current_revision()
    known = {revision.revision for revision in script.walk_revisions()}
    return current is not None and (current == script.get_current_head() or current not in known)
