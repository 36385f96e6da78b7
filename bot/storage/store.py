"""The store (port `Store`): the read side, the pipeline's transactions, and the outbox."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.domain.alerts import Delivery, DeliveryState, Destination, Receipt
from bot.domain.entries import Entry, SourceState
from bot.storage import rows, tables
from bot.storage.channels import SqlChannels
from bot.storage.library import SqlLibrary
from bot.storage.reading import coverage_by_development, entry_columns, entry_join
from bot.storage.writing import Announcer, SqlWriting


class SqlStore(SqlLibrary, SqlChannels):
    """The whole store on one SQLAlchemy engine. Whoever made the engine disposes of it."""

    def __init__(self, engine: AsyncEngine, announcer: Announcer | None = None) -> None:
        super().__init__(engine)
        self._announcer = announcer

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[SqlWriting]:
        """See `Store.begin`."""
        async with self._writer.begin() as connection:
            yield SqlWriting(connection, self._announcer)

    async def source_states(self, names: Sequence[str] | None = None) -> dict[str, SourceState]:
        """See `Store.source_states`."""
        wanted = select(tables.sources) if names is None else select(tables.sources).where(tables.sources.c.name.in_(names))
        async with self._engine.connect() as connection:
            result = await connection.execute(wanted)
            return {row.name: SourceState(**row._mapping) for row in result}

    async def unassessed(self, limit: int) -> list[Entry]:
        """See `Store.unassessed`."""
        v = tables.versions
        statement = entry_columns().select_from(entry_join()).where(v.c.waiting.is_(True)).order_by(v.c.published, v.c.id).limit(limit)
        async with self._engine.connect() as connection:
            return [rows.entry_of(row) for row in await connection.execute(statement)]

    async def lease(self, destination: Destination, now: datetime, seconds: float) -> Delivery | None:
        """See `Store.lease`."""
        d = tables.deliveries
        async with self._writer.begin() as connection:
            # In order: only the oldest unfinished delivery of a destination may go, so one in hand holds up the rest.
            oldest = (
                select(d.c.id, d.c.due, d.c.state, d.c.leased_until)
                .where(*_to(destination), d.c.state.in_((DeliveryState.PENDING, DeliveryState.SENDING)))
                .order_by(d.c.id)
                .limit(1)
            )
            row = (await connection.execute(oldest)).one_or_none()
            if row is None or row.due > now or (row.state == DeliveryState.SENDING and row.leased_until > now):
                return None
            taken = {"state": DeliveryState.SENDING, "leased_until": now + timedelta(seconds=seconds), "attempts": d.c.attempts + 1}
            await connection.execute(update(d).where(d.c.id == row.id).values(taken))
            return await _delivery(connection, row.id, destination)

    async def sent(self, delivery: Delivery, receipt: Receipt, now: datetime) -> None:
        """See `Store.sent`."""
        await self._finish(delivery, state=DeliveryState.SENT, message_id=receipt.message_id, sent=now, problem=None)

    async def put_back(self, delivery: Delivery, problem: str, due: datetime) -> None:
        """See `Store.put_back`."""
        await self._finish(delivery, state=DeliveryState.PENDING, due=due, problem=problem)

    async def fail(self, delivery: Delivery, problem: str, now: datetime) -> None:
        """See `Store.fail`."""
        await self._finish(delivery, state=DeliveryState.FAILED, sent=now, problem=problem)

    async def _finish(self, delivery: Delivery, **values: Any) -> None:  # noqa: ANN401  (columns of several types)
        d = tables.deliveries
        # Fenced by the attempt: a sender whose lease ran out and was taken over changes nothing any more.
        mine = and_(d.c.id == delivery.delivery_id, d.c.attempts == delivery.attempts, d.c.state == DeliveryState.SENDING)
        async with self._writer.begin() as connection:
            await connection.execute(update(d).where(mine).values(leased_until=None, **values))


def _to(destination: Destination) -> tuple[Any, Any]:
    return tables.deliveries.c.surface == destination.surface, tables.deliveries.c.address == destination.address


async def _delivery(connection: AsyncConnection, delivery_id: int, destination: Destination) -> Delivery:
    d, a = tables.deliveries, tables.alerts
    columns = select(d.c.id.label("delivery_id"), d.c.surface, d.c.address, d.c.attempts, a.c.development_id, a.c.raised, a.c.follow_up)
    joined = d.join(a, a.c.development_id == d.c.development_id)
    row: Any = (await connection.execute(columns.select_from(joined).where(d.c.id == delivery_id))).one()
    found = (await connection.execute(select(tables.developments).where(tables.developments.c.id == row.development_id))).one()
    covered = await coverage_by_development(connection, [row.development_id])
    development = rows.development_of(found, covered.get(row.development_id, ()))
    thread = await _thread(connection, development.dossier_id, destination) if row.follow_up else None
    return rows.delivery_of(row, development, thread)


async def _thread(connection: AsyncConnection, dossier_id: str, destination: Destination) -> str | None:
    """The first message of the dossier in this destination: its thread takes the follow-ups."""
    d, x = tables.deliveries, tables.developments
    statement = (
        select(d.c.message_id)
        .select_from(d.join(x, x.c.id == d.c.development_id))
        .where(*_to(destination), x.c.dossier_id == dossier_id, d.c.message_id.is_not(None), or_(d.c.state == DeliveryState.SENT))
        .order_by(d.c.id)
        .limit(1)
    )
    return (await connection.execute(statement)).scalar_one_or_none()
