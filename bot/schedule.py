"""What runs when: every source on its own interval (APScheduler), and assessing as soon as a poll brought something."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import structlog
from apscheduler.executors.asyncio import AsyncIOExecutor
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from bot.domain.entries import Source, SourceState
from bot.pipeline import Pipeline

SPREAD = 0.05  # seconds between the first polls of two sources, so that a long list does not start all at once
LAST_POLLS = 2.0  # seconds that polls under way have when everything stops
AGAIN = 5.0  # seconds until assessing is tried again after it failed

_log = structlog.get_logger()


class Schedule:
    """Polls and assesses. Decides only when; knows each source's state since the start."""

    def __init__(
        self, *, pipeline: Pipeline, sources: Sequence[Source], states: dict[str, SourceState], on_alert: Callable[[], None]
    ) -> None:
        self._pipeline = pipeline
        self._sources = tuple(sources)
        self._states = dict(states)
        self._on_alert = on_alert
        self._arrived = asyncio.Event()
        self._polling: set[asyncio.Task[None]] = set()
        self._scheduler = AsyncIOScheduler(
            executors={"default": AsyncIOExecutor()},
            timezone=UTC,
            # a poll that is late is made once, however late; one that is under way is not made a second time beside itself
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )

    async def run(self) -> None:
        """Poll and assess until cancelled."""
        self._plan()
        self._scheduler.start()
        self._arrived.set()  # what a crash left unassessed
        try:
            while True:
                await self._arrived.wait()
                self._arrived.clear()
                await self._assess()
        finally:
            # a poll that is cancelled while it opens the database leaves that connection's thread behind
            self._scheduler.pause()
            if self._polling:
                await asyncio.wait(self._polling, timeout=LAST_POLLS)
            self._scheduler.shutdown(wait=False)

    async def drain(self, seconds: float) -> None:
        """Start no more polls; let those under way finish for `seconds`, then assess what they brought."""
        if self._scheduler.running:
            self._scheduler.pause()
        if self._polling:
            await asyncio.wait(self._polling, timeout=seconds)
        self._arrived.clear()
        await self._assess()

    def _plan(self) -> None:
        start = datetime.now(UTC)
        for number, source in enumerate(self._sources):
            self._scheduler.add_job(
                self._poll,
                IntervalTrigger(seconds=source.interval),
                args=[source],
                id=source.name,
                next_run_time=start + timedelta(seconds=number * SPREAD),
            )

    async def _poll(self, source: Source) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  (a coroutine always runs in one)
        self._polling.add(task)
        try:
            await self._poll_once(source)
        except Exception:  # the store was busy or full: this poll is lost, the next one brings the same entries
            _log.exception("poll_failed", source=source.name)
        finally:
            self._polling.discard(task)

    async def _poll_once(self, source: Source) -> None:
        polled, self._states[source.name] = await self._pipeline.poll(source, self._states.get(source.name, SourceState(name=source.name)))
        if polled.problem:
            _log.warning("source_problem", source=source.name, problem=polled.problem)
        if polled.arrived:
            _log.info("entries_arrived", source=source.name, listed=polled.listed, arrived=polled.arrived)
            self._arrived.set()

    async def _assess(self) -> None:
        try:
            filed = await self._pipeline.assess()
        except Exception:  # the entries stay unassessed in the store, and are taken again
            _log.exception("assessing_failed", retry_in=AGAIN)
            asyncio.get_running_loop().call_later(AGAIN, self._arrived.set)
            return
        if any(one.reason.alerts for one in filed):
            self._on_alert()
