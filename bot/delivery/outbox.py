"""The outbox at work: one sender per destination leases, sends and records, in order; destinations do not wait for each other."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from datetime import timedelta

import structlog

from bot.domain.alerts import Delivery, Destination
from bot.domain.errors import FinalDeliveryError, TemporaryDeliveryError
from bot.ports import Clock, Sender, Store

LEASE_SECONDS = 60.0
IDLE_SECONDS = 5.0  # how often an idle sender looks by itself: for what was put back, or written by another process
FIRST_RETRY, LONGEST_RETRY = 1.0, 300.0
GIVE_UP_AFTER = timedelta(hours=24)

_log = structlog.get_logger()


class Outbox:
    """Sends what waits. Does not write deliveries and does not render."""

    def __init__(self, *, store: Store, senders: Mapping[Destination, Sender], clock: Clock, seed: int | None = None) -> None:
        self._store = store
        self._senders = dict(senders)
        self._clock = clock
        self._random = random.Random(seed)  # noqa: S311  (jitter, not a secret)
        self._stopping = False
        self._wake = {destination: asyncio.Event() for destination in self._senders}

    def wake(self) -> None:
        """Say that there is something new to send."""
        for event in self._wake.values():
            event.set()

    def stop(self) -> None:
        """Let `run` return once what is due now is sent."""
        self._stopping = True
        self.wake()

    async def run(self) -> None:
        """Send until stopped or cancelled."""
        async with asyncio.TaskGroup() as group:
            for destination in self._senders:
                group.create_task(self._serve(destination), name=f"sender {destination}")

    async def drain(self) -> int:
        """Send everything that is due now and return how many went out; what must wait stays."""
        return sum([await self._drain(destination) for destination in self._senders])

    async def _serve(self, destination: Destination) -> None:
        event = self._wake[destination]
        while True:
            event.clear()
            last = self._stopping
            try:
                await self._drain(destination)
            except Exception:  # a sender must outlive a locked or full database; what it did not record is sent again
                _log.exception("outbox_failed", destination=str(destination))
            if last:
                return
            try:
                await asyncio.wait_for(event.wait(), IDLE_SECONDS)
            except TimeoutError:
                continue

    async def _drain(self, destination: Destination) -> int:
        count = 0
        while delivery := await self._store.lease(destination, self._clock.now(), LEASE_SECONDS):
            count += await self._send(delivery)
        return count

    async def _send(self, delivery: Delivery) -> bool:
        log = _log.bind(delivery=delivery.key, destination=str(delivery.destination), attempt=delivery.attempts)
        try:
            receipt = await self._senders[delivery.destination].send(delivery)
        except TemporaryDeliveryError as error:
            await self._later(delivery, error)
            log.warning("delivery_postponed", problem=str(error), retry_after=error.retry_after)
            return False
        except FinalDeliveryError as error:
            await self._store.fail(delivery, f"{error.code}: {error}", self._clock.now())
            log.error("delivery_failed", problem=str(error), code=error.code)
            return False
        await self._store.sent(delivery, receipt, self._clock.now())
        log.info("delivery_sent", development=delivery.alert.development.development_id, message=receipt.message_id)
        return True

    async def _later(self, delivery: Delivery, error: TemporaryDeliveryError) -> None:
        now = self._clock.now()
        if now - delivery.alert.raised > GIVE_UP_AFTER:
            await self._store.fail(delivery, f"given up after {GIVE_UP_AFTER}: {error}", now)
            return
        grown = min(FIRST_RETRY * 2 ** (delivery.attempts - 1), LONGEST_RETRY) * self._random.uniform(0.5, 1.0)
        await self._store.put_back(delivery, str(error), now + timedelta(seconds=max(error.retry_after or 0.0, grown)))
