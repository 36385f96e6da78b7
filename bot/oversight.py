"""Looking after the sources and the loop: what the admins are told, and when nothing moves any more."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import structlog

from bot.domain.entries import SourceState
from bot.domain.errors import DeliveryError
from bot.domain.health import notice, turned
from bot.ports import Clock, Notifier, Store

TICK_SECONDS = 1.0
BLOCKED_SECONDS = 15.0  # the loop has not moved for so long: something in it blocks

_log = structlog.get_logger()


class Oversight:
    """Tells the admins of sources that changed their state. What could not be told is told at the next look."""

    def __init__(self, *, store: Store, notifiers: Sequence[Notifier], clock: Clock) -> None:
        self._store = store
        self._notifiers = tuple(notifiers)
        self._clock = clock

    async def look(self, states: Sequence[SourceState]) -> Sequence[SourceState]:
        """Look at the states of all sources; return those that changed, as they are kept."""
        now = self._clock.now()
        current = [turned(state, now) for state in states]
        told = notice(current, now)
        if told.text is not None and await self.tell(told.text):
            by_name = {state.name: state for state in told.states}
            current = [by_name.get(state.name, state) for state in current]
        changed = [new for old, new in zip(states, current, strict=True) if new != old]
        if changed:
            async with self._store.begin() as writing:
                await writing.record_health(changed)
        return changed

    async def tell(self, text: str) -> bool:
        """Give the admins a notice; return whether it reached a channel, or the log where there is none."""
        _log.warning("notice", text=text)
        reached = not self._notifiers
        for notifier in self._notifiers:
            try:
                await notifier.notify(text)
                reached = True
            except DeliveryError as error:
                _log.error("notice_failed", problem=str(error))
        return reached


@asynccontextmanager
async def watched_loop(blocked_seconds: float = BLOCKED_SECONDS) -> AsyncIterator[Callable[[], float]]:
    """Say in the log when the event loop stands still inside the block: from a thread, for the loop itself cannot.

    Yields what tells the seconds since the loop last moved.
    """
    seen, over = [time.monotonic()], threading.Event()
    watcher = threading.Thread(target=_watch, args=(seen, over, blocked_seconds), name="watchdog", daemon=True)
    watcher.start()
    beating = asyncio.create_task(_beat(seen), name="heartbeat")
    try:
        yield lambda: time.monotonic() - seen[0]
    finally:
        beating.cancel()
        over.set()


async def _beat(seen: list[float]) -> None:
    while True:
        seen[0] = time.monotonic()
        await asyncio.sleep(TICK_SECONDS)


def _watch(seen: list[float], over: threading.Event, blocked_seconds: float) -> None:
    told = 0.0
    while not over.wait(min(TICK_SECONDS, blocked_seconds / 2)):
        still = time.monotonic() - seen[0]
        if still >= blocked_seconds and seen[0] != told:
            told = seen[0]
            _log.critical("event_loop_blocked", seconds=round(still, 1))
