"""The outbox: deliveries are written by the pipeline, leased, and recorded as sent, put back or failed (port `Deliveries`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, TextClause, and_, exists, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.domain.alerts import Alert, Delivery, DeliveryState, Destination, Receipt, Surface, fingerprint, in_digest_order
from bot.domain.developments import Development
from bot.domain.subscriptions import Planned, Subscription
from bot.storage import rows, tables
from bot.storage.channels import at, subscription_of, upsert
from bot.storage.database import Writer
from bot.storage.reading import coverage_by_development

GATHERED = 10  # alerts in one digest at most, so many dossiers as every surface shows in one message; the rest goes into the next
LOOKED_AT = 300  # alerts that wait for a digest, among which the most important are chosen
PRESSURE = 5  # alerts due at once that still go one by one; more become one message

_D, _A, _S, _H = tables.deliveries, tables.alerts, tables.subscriptions, tables.holds


class SqlDeliveries:
    """Keeps the outbox in order, whoever sends: one process or many. Sends nothing and decides nothing about channels."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._writer = Writer(engine)

    async def due(self, now: datetime) -> list[Subscription]:
        """See `Deliveries.due`."""
        here = (_D.c.surface == _S.c.surface, _D.c.address == _S.c.address)
        alerts = exists().where(*here, tables.WAITING, _D.c.due <= now, or_(_D.c.leased_until.is_(None), _D.c.leased_until <= now))
        edits = exists().where(*here, tables.EDITED, _ready(now))
        statement = select(_S).where(*_going_on(now), or_(alerts, edits)).order_by(_S.c.surface, _S.c.address)
        async with self._engine.connect() as connection:
            return [subscription_of(row._mapping) for row in await connection.execute(statement)]

    async def lease(self, destination: Destination, now: datetime, seconds: float) -> Delivery | None:
        """See `Deliveries.lease`."""
        async with self._writer.begin() as connection:
            return await _Lease(connection, destination, now, now + timedelta(seconds=seconds)).take()

    async def sent(self, delivery: Delivery, receipt: Receipt, now: datetime) -> None:
        """See `Deliveries.sent`."""
        shown = 0 if delivery.digest else fingerprint(delivery.alert.development)
        await self._finish(delivery, state=DeliveryState.SENT, message_id=receipt.message_id, sent=now, problem=None, shown=shown)

    async def edited(self, delivery: Delivery) -> None:
        """See `Deliveries.edited`."""
        await self._finish(delivery, edits=0, shown=fingerprint(delivery.alert.development), problem=None)

    async def put_back(self, delivery: Delivery, problem: str, due: datetime) -> None:
        """See `Deliveries.put_back`."""
        again = {"edit_due": due} if delivery.message_id else {"state": DeliveryState.PENDING, "due": due}
        await self._finish(delivery, **again, problem=problem)

    async def fail(self, delivery: Delivery, problem: str, now: datetime) -> None:
        """See `Deliveries.fail`."""
        over: dict[str, Any] = {"edits": 0} if delivery.message_id else {"state": DeliveryState.FAILED, "sent": now}
        await self._finish(delivery, **over, problem=problem)

    async def _finish(self, delivery: Delivery, **values: Any) -> None:  # noqa: ANN401  (columns of several types)
        async with self._writer.begin() as connection:
            await connection.execute(update(_D).where(*_mine(delivery)).values(leased_until=None, **values))

    async def hold(self, destination: Destination, until: datetime) -> None:
        """See `Deliveries.hold`."""
        team = select(_S.c.team).where(*at(_S, destination))
        async with self._writer.begin() as connection:
            own = (await connection.execute(team)).scalar_one_or_none()
            if own is not None:  # the longest holds: each process knows only what it was told itself
                held = {"surface": destination.surface, "team": own, "until": until}
                await upsert(connection, _H, held, where=_H.c.until < until)

    async def hasten(self, destination: Destination, now: datetime) -> int:
        """See `Deliveries.hasten`."""
        waiting = (*at(_D, destination), _D.c.state == DeliveryState.PENDING, _D.c.attempts == 0, _D.c.digest.is_(True), _D.c.due > now)
        async with self._writer.begin() as connection:
            return (await connection.execute(update(_D).where(*waiting).values(due=now))).rowcount


def _going_on(now: datetime) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """The channel's subscription is not on pause, and nobody asked us to wait with its workspace."""
    nameless = and_(_S.c.surface == Surface.SLACK, or_(_H.c.team == "", _S.c.team == ""))  # see bot.delivery.patience.Workspace
    held = exists().where(_H.c.surface == _S.c.surface, or_(_H.c.team == _S.c.team, nameless), _H.c.until > now)
    return _S.c.paused.is_(None), ~held


def _ready(now: datetime) -> ColumnElement[bool]:
    """An edit is due, and nobody is at it."""
    return func.coalesce(_D.c.leased_until, _D.c.edit_due) <= now


def _mine(delivery: Delivery) -> tuple[ColumnElement[bool], ...]:
    """Fenced by the attempt: a sender whose lease ran out and was taken over changes nothing any more."""
    if delivery.message_id:
        return _D.c.id == delivery.delivery_id, _D.c.edits == delivery.attempts, _D.c.leased_until.is_not(None)
    same = and_(*at(_D, delivery.destination), _D.c.batch == delivery.key) if delivery.digest else _D.c.id == delivery.delivery_id
    return same, _D.c.attempts == delivery.attempts, _D.c.state == DeliveryState.SENDING


class _Lease:
    """Takes one destination's next message, within a transaction that is the only one at this destination."""

    def __init__(self, connection: AsyncConnection, destination: Destination, now: datetime, until: datetime) -> None:
        self._db = connection
        self._destination = destination
        self._now = now
        self._until = until
        self._here = at(_D, destination)

    async def take(self) -> Delivery | None:
        """What was begun comes first, then what is new, then an edit."""
        if not await self._is_free():
            return None
        begun = (await self._db.execute(_columns().where(*self._here, tables.BEGUN).order_by(_D.c.id))).all()
        if begun:
            return await self._again(begun)
        chosen = await self._at_once() or await self._digest()
        return await self._begin(chosen) if chosen else await self._edit()

    async def _is_free(self) -> bool:
        """Lock the channel's subscription: of two processes only one comes through, the other goes away without waiting."""
        own = select(_S.c.address).where(*at(_S, self._destination), *_going_on(self._now))
        return (await self._db.execute(own.with_for_update(skip_locked=True))).first() is not None

    async def _again(self, begun: Sequence[Row[Any]]) -> Delivery | None:
        """Take what an earlier attempt left, with the same members; while it is in hand, or waits, nothing overtakes it."""
        if any((row.leased_until or row.due) > self._now for row in begun):
            return None
        unit = [row for row in begun if row.batch == begun[0].batch] if begun[0].batch else begun[:1]
        await self._mark([row.id for row in unit], attempts=_D.c.attempts + 1)
        return await self._delivery([row.id for row in unit], begun[0].attempts + 1, begun[0].begun)

    async def _at_once(self) -> list[int]:
        """The oldest alert that is due by itself; where many are, as many as one message holds."""
        new = self._new(digest=False)
        ids = list((await self._db.execute(select(_D.c.id).where(*new).order_by(_D.c.id).limit(GATHERED))).scalars())
        return ids if len(ids) > PRESSURE else ids[:1]

    async def _digest(self) -> list[int]:
        """The most important of what waits for a digest that is due."""
        x = tables.developments
        waiting = select(_D.c.id.label("delivery_id"), x).select_from(_D.join(x, x.c.id == _D.c.development_id))
        found = (await self._db.execute(waiting.where(*self._new(digest=True)).order_by(_D.c.id).limit(LOOKED_AT))).all()
        ids = {row.id: row.delivery_id for row in found}
        return [ids[d.development_id] for d in in_digest_order([rows.development_of(row) for row in found])][:GATHERED]

    def _new(self, *, digest: bool) -> tuple[ColumnElement[bool] | TextClause, ...]:
        return (*self._here, tables.WAITING, _D.c.attempts == 0, _D.c.digest.is_(digest), _D.c.due <= self._now)

    async def _begin(self, ids: list[int]) -> Delivery:
        delivery = await self._delivery(ids, 1, self._now)
        await self._mark(ids, attempts=1, begun=self._now, batch=delivery.key if delivery.digest else None)
        return delivery

    async def _mark(self, ids: Sequence[int], **values: Any) -> None:  # noqa: ANN401  (columns of several types)
        taken = update(_D).where(_D.c.id.in_(ids)).values(state=DeliveryState.SENDING, leased_until=self._until, **values)
        await self._db.execute(taken)

    async def _edit(self) -> Delivery | None:
        wanted = _columns().where(*self._here, tables.EDITED, _ready(self._now)).order_by(_D.c.edit_due, _D.c.id).limit(1)
        row = (await self._db.execute(wanted)).one_or_none()
        if row is None:
            return None
        taken = {"edit_due": None, "leased_until": self._until, "edits": row.edits + 1}
        await self._db.execute(update(_D).where(_D.c.id == row.id).values(taken))
        return await self._delivery([row.id], row.edits + 1, row.begun, row.message_id)

    async def _delivery(self, ids: Sequence[int], attempts: int, begun: datetime | None, message_id: str | None = None) -> Delivery:
        alerts = await _alerts(self._db, ids)
        order = in_digest_order([alert.development for alert in alerts.values()])
        by_name = {alert.development.development_id: (number, alert) for number, alert in alerts.items()}
        (number, first), *_ = chosen = [by_name[d.development_id] for d in order]
        return Delivery(
            delivery_id=number,
            destination=self._destination,
            alert=first,
            attempts=attempts,
            thread=await self._thread(number, first) if len(chosen) == 1 and first.follow_up else None,
            digest=tuple(alert for _, alert in chosen) if len(chosen) > 1 else (),
            message_id=message_id,
            begun=begun,
        )

    async def _thread(self, number: int, alert: Alert) -> str | None:
        """The first message of the dossier in this channel that is no digest: its thread takes the follow-ups."""
        x = tables.developments
        statement = select(_D.c.message_id).select_from(_D.join(x, x.c.id == _D.c.development_id)).order_by(_D.c.id).limit(1)
        earlier = (_D.c.id < number, _D.c.state == DeliveryState.SENT, _D.c.message_id.is_not(None), _D.c.batch.is_(None))
        own = x.c.dossier_id == alert.development.dossier_id
        return (await self._db.execute(statement.where(*self._here, own, *earlier))).scalar_one_or_none()


def _columns() -> Select[Any]:
    return select(_D.c.id, _D.c.state, _D.c.due, _D.c.leased_until, _D.c.batch, _D.c.attempts, _D.c.edits, _D.c.begun, _D.c.message_id)


async def _alerts(connection: AsyncConnection, ids: Sequence[int]) -> dict[int, Alert]:
    """Return the alerts of deliveries, by the deliveries' numbers, as they are now."""
    x = tables.developments
    columns = select(_D.c.id.label("delivery_id"), _A.c.raised, _A.c.follow_up, _A.c.step_changed, x)
    joined = _D.join(_A, _A.c.development_id == _D.c.development_id).join(x, x.c.id == _D.c.development_id)
    found = (await connection.execute(columns.select_from(joined).where(_D.c.id.in_(ids)))).all()
    covered = await coverage_by_development(connection, [row.id for row in found])
    return {row.delivery_id: rows.alert_of(row, rows.development_of(row, covered.get(row.id, ()))) for row in found}


async def enqueue(connection: AsyncConnection, alert: Alert, plans: Mapping[Destination, Planned]) -> None:
    """Write one pending delivery for each destination that has none yet."""
    own = alert.development.development_id
    had = {
        (row.surface, row.address) for row in await connection.execute(select(_D.c.surface, _D.c.address).where(_D.c.development_id == own))
    }
    new = {to: planned for to, planned in plans.items() if (to.surface, to.address) not in had}
    if not new:
        return
    same = {"development_id": own, "state": DeliveryState.PENDING, "attempts": 0, "created": alert.raised}
    values = [{**same, "surface": to.surface, "address": to.address, "due": p.due, "digest": p.digest} for to, p in new.items()]
    await connection.execute(insert(_D), values)


async def told(connection: AsyncConnection, since: datetime) -> dict[Destination, int]:
    """Return how many alerts raised after `since` go by themselves to each of the channels with a cap."""
    recent = select(_A.c.development_id).where(_A.c.raised > since)
    joined = _D.join(_S, and_(_S.c.surface == _D.c.surface, _S.c.address == _D.c.address))
    counted = select(_D.c.surface, _D.c.address, func.count().label("count")).select_from(joined)
    capped = counted.where(_S.c.cap.is_not(None), _D.c.digest.is_(False), _D.c.development_id.in_(recent))
    found = await connection.execute(capped.group_by(_D.c.surface, _D.c.address))
    return {Destination(surface=Surface(row.surface), address=row.address): row._mapping["count"] for row in found}


async def outdate(connection: AsyncConnection, development: Development, due: datetime) -> None:
    """Have the messages edited that show something else of the development than what is known now; digests stay as they are."""
    begun = (_D.c.attempts > 0, _D.c.state != DeliveryState.FAILED, _D.c.batch.is_(None))
    other = (_D.c.shown != fingerprint(development), _D.c.edit_due.is_(None))
    own = _D.c.development_id == development.development_id
    await connection.execute(update(_D).where(own, *begun, *other).values(edit_due=due))
