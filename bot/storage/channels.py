"""Subscriptions, mutes and feedback (port `Channels`)."""

from __future__ import annotations

from datetime import time
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Table, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.domain.alerts import DeliveryState, Destination, Surface
from bot.domain.subscriptions import Cadence, Feedback, Mute, Quiet, Subscription, Votes
from bot.domain.topics import Topic
from bot.storage import tables
from bot.storage.database import Writer

GIVEN_UP = "the channel does not want alerts any more"
MUTED = "the dossier is muted in this channel"


class SqlChannels:
    """Keeps what channels want. Sends nothing and decides nothing."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._writer = Writer(engine)

    async def subscriptions(self) -> list[Subscription]:
        """See `Channels.subscriptions`."""
        t = tables.subscriptions
        async with self._engine.connect() as connection:
            return [subscription_of(row._mapping) for row in await connection.execute(select(t).order_by(t.c.surface, t.c.address))]

    async def subscription(self, destination: Destination) -> Subscription | None:
        """See `Channels.subscription`."""
        t = tables.subscriptions
        async with self._engine.connect() as connection:
            row = (await connection.execute(select(t).where(*at(t, destination)))).one_or_none()
            return subscription_of(row._mapping) if row else None

    async def subscribe(self, subscription: Subscription) -> None:
        """See `Channels.subscribe`."""
        async with self._writer.begin() as connection:
            await upsert(connection, tables.subscriptions, _values(subscription))

    async def unsubscribe(self, destination: Destination) -> bool:
        """See `Channels.unsubscribe`."""
        t, d = tables.subscriptions, tables.deliveries
        async with self._writer.begin() as connection:
            found = await connection.execute(delete(t).where(*at(t, destination)))
            waiting = (*at(d, destination), d.c.state == DeliveryState.PENDING)
            await connection.execute(update(d).where(*waiting).values(state=DeliveryState.FAILED, problem=GIVEN_UP))
            await connection.execute(update(d).where(*at(d, destination)).values(edit_due=None))
        return found.rowcount > 0

    async def pause(self, destination: Destination, problem: str | None) -> bool:
        """See `Channels.pause`."""
        t = tables.subscriptions
        other = t.c.paused.is_(None) if problem is not None else t.c.paused.is_not(None)
        async with self._writer.begin() as connection:
            found = await connection.execute(update(t).where(*at(t, destination), other).values(paused=problem))
        return found.rowcount > 0

    async def mutes(self, destination: Destination | None = None) -> list[Mute]:
        """See `Channels.mutes`."""
        t = tables.mutes
        here = at(t, destination) if destination else ()
        async with self._engine.connect() as connection:
            return [_mute(row._mapping) for row in await connection.execute(select(t).where(*here).order_by(t.c.at))]

    async def mute(self, mute: Mute) -> None:
        """See `Channels.mute`."""
        t, d, x = tables.mutes, tables.deliveries, tables.developments
        values = {**_address(mute.destination), "dossier_id": mute.dossier_id, "actor": mute.actor, "at": mute.at, "until": mute.until}
        own = select(x.c.id).where(x.c.dossier_id == mute.dossier_id)
        waiting = (*at(d, mute.destination), tables.WAITING, d.c.attempts == 0, d.c.development_id.in_(own))
        async with self._writer.begin() as connection:
            await upsert(connection, t, values)
            await connection.execute(update(d).where(*waiting).values(state=DeliveryState.FAILED, problem=MUTED))

    async def unmute(self, destination: Destination, dossier_id: str) -> bool:
        """See `Channels.unmute`."""
        t = tables.mutes
        async with self._writer.begin() as connection:
            found = await connection.execute(delete(t).where(*at(t, destination), t.c.dossier_id == dossier_id))
        return found.rowcount > 0

    async def say(self, feedback: Feedback) -> int:
        """See `Channels.say`."""
        t, d = tables.feedback, tables.developments
        own = {"development_id": feedback.development_id, "actor": feedback.actor}
        values = {**_address(feedback.destination), **own, "useful": feedback.useful, "at": feedback.at}
        dossier = select(d.c.dossier_id).where(d.c.id == feedback.development_id).scalar_subquery()
        against = (
            select(func.count())
            .select_from(t.join(d, d.c.id == t.c.development_id))
            .where(*at(t, feedback.destination), t.c.useful.is_(False), d.c.dossier_id == dossier)
        )
        async with self._writer.begin() as connection:
            await upsert(connection, t, values)
            return int((await connection.execute(against)).scalar_one())

    async def feedback(self) -> list[Feedback]:
        """See `Channels.feedback`."""
        t = tables.feedback
        async with self._engine.connect() as connection:
            return [_feedback(row._mapping) for row in await connection.execute(select(t).order_by(t.c.at))]

    async def votes(self, destination: Destination | None = None) -> Votes:
        """See `Channels.votes`."""
        t = tables.feedback
        said = select(t.c.useful, func.count()).where(*(at(t, destination) if destination else ())).group_by(t.c.useful)
        async with self._engine.connect() as connection:
            found = {row[0]: row[1] for row in await connection.execute(said)}
        return Votes(useful=found.get(True, 0), against=found.get(False, 0))


async def upsert(connection: AsyncConnection, table: Table, values: dict[str, Any], *, where: ColumnElement[bool] | None = None) -> None:
    """Insert a row, or put it in the place of the one with the same primary key, if `where` holds of that; two at once do not meet as an error."""
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    rest = {name: value for name, value in values.items() if name not in table.primary_key.columns}
    made = make(table).values(values).on_conflict_do_update(index_elements=list(table.primary_key), set_=rest, where=where)
    await connection.execute(made)


def at(table: Table, destination: Destination) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Return the condition that a row is about `destination`."""
    return table.c.surface == destination.surface, table.c.address == destination.address


def _address(destination: Destination) -> dict[str, str]:
    return {"surface": destination.surface, "address": destination.address}


def _destination(row: RowMapping) -> Destination:
    return Destination(surface=Surface(row["surface"]), address=row["address"])


def _values(subscription: Subscription) -> dict[str, Any]:
    s = subscription
    return {
        **_address(s.destination),
        "topics": list(s.topics),
        "parties": list(s.parties),
        "expression": s.expression,
        "least": s.least,
        "cadence": s.cadence,
        "at": f"{s.at:%H:%M}",
        "quiet": f"{s.quiet.start:%H:%M}-{s.quiet.end:%H:%M}" if s.quiet else None,
        "zone": s.zone,
        "cap": s.cap,
        "team": s.team,
        "paused": s.paused,
        "made_by": s.made_by,
        "made_at": s.made_at,
    }


def subscription_of(row: RowMapping) -> Subscription:
    """Return the subscription of a row."""
    kept = {name: row[name] for name in ("expression", "least", "zone", "cap", "team", "paused", "made_by", "made_at")}
    start, _, end = (row["quiet"] or "").partition("-")
    return Subscription(
        destination=_destination(row),
        topics=tuple(Topic(t) for t in row["topics"]),
        parties=tuple(row["parties"]),
        cadence=Cadence(row["cadence"]),
        at=time.fromisoformat(row["at"]),
        quiet=Quiet(start=time.fromisoformat(start), end=time.fromisoformat(end)) if start else None,
        **kept,
    )


def _mute(row: RowMapping) -> Mute:
    return Mute(destination=_destination(row), dossier_id=row["dossier_id"], actor=row["actor"], at=row["at"], until=row["until"])


def _feedback(row: RowMapping) -> Feedback:
    kept = {name: row[name] for name in ("development_id", "actor", "useful", "at")}
    return Feedback(destination=_destination(row), **kept)
