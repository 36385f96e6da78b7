"""Looking after the sources, the store and the loop: what the admins are told, and when nothing moves any more."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import structlog

from bot.domain.entries import SourceState
from bot.domain.errors import DeliveryError, StoreError, Trouble
from bot.domain.health import notice, turned
from bot.ports import Clock, Notifier, Store

TICK_SECONDS = 1.0
BLOCKED_SECONDS = 15.0  # the loop has not moved for so long: something in it blocks
PROBE_SECONDS = 1.0  # between looks whether the store is well again
CALM_SECONDS = (2.0, 20.0)  # how long nothing may fail before a disk is taken for well: it still takes a small write now and then
NOTICE_SECONDS = 60.0  # between attempts to tell the admins
PASSING_SECONDS = 30.0  # what may pass by itself is no notice until it lasted so long

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
        return await _tell(self._notifiers, text)


class StoreWatch:
    """Says once that the store is in trouble and what would mend it, and once that it is well again: in the log, to the admins, at `/readyz`.

    Holds nobody back: whoever meets a StoreError waits and tries again by itself.
    """

    def __init__(self) -> None:
        self._trouble: Trouble | None = None
        self._began = self._failed = 0.0
        self._troubled = asyncio.Event()

    def failed(self, error: StoreError) -> None:
        """Somebody met an error of the store."""
        self._failed = time.monotonic()
        if self._trouble is None:
            self._began = self._failed
        if self._trouble is not error.trouble:
            self._trouble = error.trouble
            _log.error("store_trouble", trouble=error.trouble, mend=str(error))
        self._troubled.set()

    async def well(self) -> bool:
        """Say whether no trouble is known of (a check for `/readyz`)."""
        return self._trouble is None

    async def run(self, probe: Callable[[], Awaitable[None]], notifiers: Sequence[Notifier] = ()) -> None:
        """Tell the admins, and see by `probe`, which writes or raises StoreError, when it is over; until cancelled."""
        while True:
            await self._troubled.wait()
            if await self._last(probe, notifiers):
                await _tell(notifiers, "The database is well again. What waited goes on.")

    async def _last(self, probe: Callable[[], Awaitable[None]], notifiers: Sequence[Notifier]) -> bool:
        """Wait for the end of a trouble; return whether the admins heard of it."""
        told, again = False, 0.0
        while self._trouble is not None:
            if not told and time.monotonic() >= again and self._is_worth_telling():
                told, again = await _tell(notifiers, f"Trouble: {StoreError(self._trouble)}"), time.monotonic() + NOTICE_SECONDS
            await asyncio.sleep(PROBE_SECONDS)
            await self._probe(probe)
        return told

    def _is_worth_telling(self) -> bool:
        passing = self._trouble in (Trouble.AWAY, Trouble.BUSY)
        return not passing or time.monotonic() - self._began >= PASSING_SECONDS

    def _calm(self) -> float:
        """Return for how many seconds nothing may fail: longer than whoever waits does by now, whose waits double (`bot.domain.hold`)."""
        shortest, longest = CALM_SECONDS
        return min(shortest + 2 * (self._failed - self._began), longest)

    async def _probe(self, probe: Callable[[], Awaitable[None]]) -> None:
        try:
            await probe()
        except Exception:  # it told `failed` already, or no connection came free: either way it is not over
            return
        if self._trouble in (Trouble.FULL, Trouble.DISK) and time.monotonic() - self._failed < self._calm():
            return
        _log.warning("store_well_again", after=round(time.monotonic() - self._began, 1), trouble=self._trouble)
        self._trouble = None
        self._troubled.clear()


async def _tell(notifiers: Sequence[Notifier], text: str) -> bool:
    """Give the admins a notice; return whether it reached a channel, or the log where there is none."""
    _log.warning("notice", text=text)
    reached = not notifiers
    for notifier in notifiers:
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
