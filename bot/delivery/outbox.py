"""The outbox at work: leases what is due, sends it, records it; in order for each destination, and destinations do not wait for each other."""

from __future__ import annotations

import asyncio
import heapq
import random
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from bot.delivery.patience import Patience, Workspace
from bot.delivery.refusals import is_fault_of_message
from bot.domain.alerts import Delivery, Destination, Outcome, Surface
from bot.domain.errors import DeliveryError, FinalDeliveryError, StoreError, TemporaryDeliveryError
from bot.domain.hold import Hold
from bot.domain.subscriptions import Subscription
from bot.ports import Clock, Notifier, Sender, Store

LEASE_SECONDS = 60.0
IDLE_SECONDS = 5.0  # how often it looks by itself: for what another process wrote
SHORTEST_SECONDS = 0.01  # between two looks for what was put back
GIVE_UP_AFTER = timedelta(hours=24)  # after the first attempt
EDIT_ATTEMPTS = 5
STORE_TASKS = 8  # of those that serve destinations, how many ask the store at the same time: fewer than it has connections

Report = Callable[[Delivery, Outcome], None]

_log = structlog.get_logger()


class Outbox:
    """Sends what waits, on the surfaces that it has a sender for. Does not write deliveries and does not render.

    A platform's final no to a channel pauses the channel's subscription, and the admins hear of it once. `report` is told how each attempt ended.
    """

    def __init__(
        self,
        *,
        store: Store,
        senders: Mapping[Surface, Sender],
        clock: Clock,
        notifiers: Sequence[Notifier] = (),
        seed: int | None = None,
        report: Report = lambda _, __: None,
    ) -> None:
        self._store = store
        self._report = report
        self._senders = dict(senders)
        self._clock = clock
        self._notifiers = tuple(notifiers)
        self._patience = Patience(seed)
        self._random = random.Random(seed)  # noqa: S311  (jitter, not a secret)
        self._hold = Hold()  # nothing is sent that could not be recorded
        self._stopping = False
        self._wake = asyncio.Event()
        self._serving: dict[Destination, bool] = {}  # whether there may be more since the task last looked
        self._waits: list[datetime] = []  # a heap: when what was put back is due
        self._turns = asyncio.Semaphore(STORE_TASKS)

    def wake(self) -> None:
        """Say that there is something new to send."""
        self._wake.set()

    def stop(self) -> None:
        """Let `run` return once what is due now is sent."""
        self._stopping = True
        self.wake()

    async def run(self) -> None:
        """Send until stopped or cancelled: a task for each destination that has something due, which ends with it."""
        async with asyncio.TaskGroup() as group:
            while True:
                self._wake.clear()
                last = self._stopping
                await self._look(group)
                if last:
                    return
                await self._idle()

    async def drain(self) -> int:
        """Send everything that is due now and return how many messages went out; what must wait stays."""
        return sum([await self._drain(subscription) for subscription in await self._due()])

    async def _look(self, group: asyncio.TaskGroup) -> None:
        if self._hold.seconds(self._clock.now()):
            return
        try:
            due = await self._due()
        except StoreError as error:
            self._hold_on(error)
            return
        except Exception:  # whatever that was, the next look may see more
            _log.exception("outbox_blind")
            return
        for subscription in due:
            if subscription.destination in self._serving:
                self._serving[subscription.destination] = True
            else:
                self._serving[subscription.destination] = False
                group.create_task(self._serve(subscription), name=f"sender {subscription.destination}")

    async def _due(self) -> list[Subscription]:
        now = self._clock.now()
        while self._waits and self._waits[0] <= now:
            heapq.heappop(self._waits)
        return [s for s in await self._store.due(now) if s.destination.surface in self._senders]

    async def _idle(self) -> None:
        seconds = IDLE_SECONDS
        if self._waits:
            seconds = min(max((self._waits[0] - self._clock.now()).total_seconds(), SHORTEST_SECONDS), IDLE_SECONDS)
        seconds = max(seconds, self._hold.seconds(self._clock.now()))
        try:
            await asyncio.wait_for(self._wake.wait(), seconds)
        except TimeoutError:
            return

    async def _serve(self, subscription: Subscription) -> None:
        destination, again = subscription.destination, True
        try:
            while again:
                self._serving[destination] = False
                await self._drain(subscription)
                again = self._serving[destination]
        except StoreError as error:  # what was not recorded is looked for, then sent again
            self._hold_on(error)
        except Exception:  # one destination's trouble ends no other; what was not recorded is sent again
            _log.exception("outbox_failed", destination=str(destination))
        finally:
            del self._serving[destination]

    def _hold_on(self, error: StoreError) -> None:
        """Leave the store alone for a while; its watch says why."""
        now = self._clock.now()
        self._hold = self._hold.failed(now, self._random.random())
        _log.warning("sending_put_off", trouble=error.trouble, again_in=round(self._hold.seconds(now), 1))

    async def _drain(self, subscription: Subscription) -> int:
        count, workspace = 0, Workspace.of(subscription)
        while self._patience.until(workspace, self._clock.now()) is None:
            async with self._turns:
                delivery = await self._store.lease(subscription.destination, self._clock.now(), LEASE_SECONDS)
            if delivery is None:
                break
            self._hold = Hold()
            with structlog.contextvars.bound_contextvars(development=delivery.alert.development.development_id):
                count += await self._send(delivery, workspace)
        return count

    async def _send(self, delivery: Delivery, workspace: Workspace) -> bool:
        """Send or edit a message; return whether a new one went out."""
        held = self._patience.until(workspace, self._clock.now())
        if held is not None:  # another destination's attempt was told to wait while this one was leased
            await self._put_back(delivery, "the platform asked to wait", held)
            return False
        try:
            await (self._edit(delivery) if delivery.message_id else self._post(delivery))
        except TemporaryDeliveryError as error:
            await self._later(delivery, workspace, error)
            return False
        except FinalDeliveryError as error:
            await self._refused(delivery, error)
            return False
        self._patience.well(workspace)
        return delivery.message_id is None

    async def _post(self, delivery: Delivery) -> None:
        receipt = await self._senders[delivery.destination.surface].send(delivery)
        async with self._turns:
            await self._store.sent(delivery, receipt, self._clock.now())
        self._report(delivery, Outcome.SENT)
        _bound(delivery).info("delivery_sent", message=receipt.message_id, alerts=len(delivery.alerts))

    async def _edit(self, delivery: Delivery) -> None:
        await self._senders[delivery.destination.surface].edit(delivery)
        async with self._turns:
            await self._store.edited(delivery)
        self._report(delivery, Outcome.EDITED)
        _bound(delivery).info("delivery_edited", message=delivery.message_id)

    async def _later(self, delivery: Delivery, workspace: Workspace, error: TemporaryDeliveryError) -> None:
        now = self._clock.now()
        hold = self._patience.hold(workspace, error.retry_after, now)  # at once, so that no other task sends before it is written
        _bound(delivery).warning("delivery_postponed", problem=str(error), retry_after=error.retry_after)
        if hold is not None:
            await self._store.hold(delivery.destination, hold)
        if self._is_over(delivery, now):
            await self._give_up(delivery, f"given up after {GIVE_UP_AFTER}: {error}" if not delivery.message_id else str(error))
        else:
            self._report(delivery, Outcome.POSTPONED)
            await self._put_back(delivery, str(error), self._patience.again(delivery.attempts, error.retry_after, now))

    def _is_over(self, delivery: Delivery, now: datetime) -> bool:
        if delivery.message_id:
            return delivery.attempts >= EDIT_ATTEMPTS
        return delivery.begun is not None and now - delivery.begun > GIVE_UP_AFTER

    async def _put_back(self, delivery: Delivery, problem: str, due: datetime) -> None:
        await self._store.put_back(delivery, problem, due)
        heapq.heappush(self._waits, due)
        self._wake.set()

    async def _refused(self, delivery: Delivery, error: FinalDeliveryError) -> None:
        problem = f"{error.code}: {error}"
        if delivery.message_id or is_fault_of_message(error.code):
            await self._give_up(delivery, problem)
            return
        self._report(delivery, Outcome.REFUSED)
        # The alert is not at fault: it waits, like those behind it, until somebody mends the channel and subscribes it again.
        await self._store.put_back(delivery, problem, self._clock.now())
        if await self._store.pause(delivery.destination, problem):
            _bound(delivery).error("channel_paused", problem=str(error), code=error.code)
            await self._tell(f"No alerts to {delivery.destination} any more: {error}. Mend it, then subscribe the channel again.")

    async def _give_up(self, delivery: Delivery, problem: str) -> None:
        await self._store.fail(delivery, problem, self._clock.now())
        self._report(delivery, Outcome.FAILED)
        _bound(delivery).error("delivery_failed", problem=problem, alerts=len(delivery.alerts))
        if not delivery.message_id:
            lost = delivery.alert.development.headline if len(delivery.alerts) == 1 else f"a digest of {len(delivery.alerts)} alerts"
            await self._tell(f"An alert did not reach {delivery.destination}: “{lost}” ({problem})")

    async def _tell(self, text: str) -> None:
        for notifier in self._notifiers:
            try:
                await notifier.notify(text)
            except DeliveryError as error:
                _log.error("notice_failed", problem=str(error))


def _bound(delivery: Delivery) -> structlog.stdlib.BoundLogger:
    development = delivery.alert.development.development_id
    bound: structlog.stdlib.BoundLogger = _log.bind(
        delivery=delivery.key, destination=str(delivery.destination), attempt=delivery.attempts, development=development
    )
    return bound
