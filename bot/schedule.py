"""What runs when: every source at its own pace (APScheduler), assessing as soon as a poll brought something, and a look at the whole."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

import structlog
from apscheduler.executors.asyncio import AsyncIOExecutor
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger

from bot.domain.entries import Source, SourceState
from bot.domain.errors import StoreError
from bot.domain.health import Bounds, next_wait
from bot.domain.hold import Hold
from bot.pipeline import Polled
from bot.ports import Filed

SPREAD = 0.045  # seconds between the first polls of two sources, so that a long list does not start all at once
LAST_POLLS = 2.0  # seconds that polls under way have when everything stops
RETURN_SECONDS = 1.0  # over which the polls spread that a store in trouble held back
AGAIN = 5.0  # seconds until assessing is tried again after it failed
LOOK_SECONDS = 60.0  # how often the whole is looked at: what admins changed, how the sources are, whether polls are made at all
FIRST_DAILY = timedelta(minutes=10)  # after the start, when the first polls are over
DAILY = timedelta(days=1)
STANDSTILL = timedelta(minutes=10)  # beyond the time at which a poll was due

Look = Callable[[Sequence[SourceState]], Awaitable[Sequence[SourceState]]]
ListSources = Callable[[], Awaitable[Sequence[Source]]]
ListStates = Callable[[], Awaitable[dict[str, SourceState]]]

_log = structlog.get_logger()


class Line(Protocol):
    """What the schedule sets going: the pipeline of this process, or one that hands the work on to others."""

    async def poll(self, source: Source, state: SourceState) -> tuple[Polled, SourceState]:
        """Poll a source; return what came, and its state afterwards."""
        ...

    async def assess(self) -> list[Filed]:
        """Judge and file what waits."""
        ...


async def _look_nowhere(_: Sequence[SourceState]) -> Sequence[SourceState]:
    return ()


class Schedule:
    """Polls and assesses. Decides only when; knows each source's state since the start.

    `list_sources` gives the sources as they stand; it is asked at the start, every LOOK_SECONDS, and on `refresh`. `look` is given the
    states then, and returns those that it changed. `list_states` gives them as they are kept: at the start, and to see whether an admin
    revived a source that had retired. `daily` is called once a day. A source that is taken off the list or paused is not polled any more.
    While the store is in trouble (StoreError) a poll is tried now and then; what it would have brought comes with the next one.
    """

    def __init__(
        self,
        *,
        pipeline: Line,
        list_sources: ListSources,
        list_states: ListStates,
        on_alert: Callable[[], None],
        look: Look = _look_nowhere,
        daily: Callable[[], Awaitable[object]] | None = None,
        bounds: Bounds | None = None,
        seed: int | None = None,
    ) -> None:
        self._pipeline = pipeline
        self._list_sources = list_sources
        self._list_states = list_states
        self._look = look
        self._daily = daily
        self._bounds = bounds or Bounds()
        self._random = random.Random(seed)  # noqa: S311  (jitter, not a secret)
        self._sources: dict[str, Source] = {}
        self._states: dict[str, SourceState] = {}
        self._on_alert = on_alert
        self._arrived = asyncio.Event()
        self._hold = Hold()
        self._polling: dict[str, asyncio.Task[None]] = {}
        self._last_poll = datetime.now(UTC)
        self._scheduler = AsyncIOScheduler(
            executors={"default": AsyncIOExecutor()},
            timezone=UTC,
            # a poll that is late is made once, however late; one that is under way is not made a second time beside itself
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )

    async def run(self) -> None:
        """Poll and assess until cancelled."""
        await self._begin()
        self._scheduler.add_job(self._look_around, IntervalTrigger(seconds=LOOK_SECONDS), id="look")
        if self._daily is not None:
            first = datetime.now(UTC) + FIRST_DAILY
            daily = IntervalTrigger(seconds=DAILY.total_seconds())
            self._scheduler.add_job(self._tidy, daily, id="daily", next_run_time=first, args=[self._daily])
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
                await asyncio.wait(self._polling.values(), timeout=LAST_POLLS)
            self._scheduler.shutdown(wait=False)

    async def _begin(self) -> None:
        """Take the states and the sources as they stand, as soon as the store gives them."""
        while True:
            try:
                self._states = await self._list_states()
                await self.refresh()
            except StoreError:
                await asyncio.sleep(self._held())
            else:
                return

    def _held(self) -> float:
        """Note that the store is in trouble; return for how many seconds it is left alone."""
        now = datetime.now(UTC)
        self._hold = self._hold.failed(now, self._random.random())
        return self._hold.seconds(now)

    async def drain(self, seconds: float) -> None:
        """Start no more polls; let those under way finish for `seconds`, then assess what they brought."""
        if self._scheduler.running:
            self._scheduler.pause()
        if self._polling:
            await asyncio.wait(self._polling.values(), timeout=seconds)
        self._arrived.clear()
        await self._assess()

    async def refresh(self) -> None:
        """Take the sources as they stand: plan the new ones and those that changed, drop those that are gone."""
        listed = {source.name: source for source in await self._list_sources() if not source.paused}
        revived = await self._revived()
        for name in self._sources.keys() - listed.keys():
            self._unplan(name)
        fresh = [source for name, source in listed.items() if self._sources.get(name) != source or name in revived]
        self._sources = listed
        for number, source in enumerate(fresh):
            self._plan(source, number * SPREAD)

    async def _revived(self) -> set[str]:
        """Take the states of sources that had retired and are not retired any more; return their names."""
        retired = [name for name, state in self._states.items() if state.retired is not None]
        kept = await self._list_states() if retired else {}
        revived = {name: kept[name] for name in retired if name in kept and kept[name].retired is None}
        self._states |= revived
        return set(revived)

    def _plan(self, source: Source, seconds: float) -> None:
        if self._state(source.name).retired is not None:
            return
        moment = datetime.now(UTC) + timedelta(seconds=seconds)
        self._scheduler.add_job(self._poll, DateTrigger(moment), args=[source], id=f"poll {source.name}", replace_existing=True)

    def _unplan(self, name: str) -> None:
        if self._scheduler.get_job(f"poll {name}") is not None:
            self._scheduler.remove_job(f"poll {name}")

    def _state(self, name: str) -> SourceState:
        return self._states.get(name, SourceState(name=name))

    async def _poll(self, source: Source) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  (a coroutine always runs in one)
        if source.name in self._polling:  # it was changed while a poll of it was under way, which plans the next one
            return
        self._polling[source.name] = task
        try:
            await self._poll_unless_held(source)
        except asyncio.CancelledError:  # everything stops; to pass it on would only have APScheduler log it as an error
            _log.info("poll_broken_off", source=source.name)
        except TimeoutError:  # no worker made it
            _log.error("poll_unanswered", source=source.name)
        except Exception:  # this poll is lost, the next one brings the same entries
            _log.exception("poll_failed", source=source.name)
        finally:
            del self._polling[source.name]
            self._plan_next(source.name)

    def _plan_next(self, name: str) -> None:
        if (source := self._sources.get(name)) is None or not self._scheduler.running:
            return
        now, luck = datetime.now(UTC), self._random.random()
        held = self._hold.seconds(now)
        self._plan(source, held + RETURN_SECONDS * luck if held else next_wait(source, self._state(name), self._bounds, now, luck))

    async def _poll_unless_held(self, source: Source) -> None:
        """Poll, unless the store is in trouble. What cannot be kept is not read: its state stays, so that its server gives it again."""
        if self._hold.seconds(datetime.now(UTC)):
            return
        try:
            await self._poll_once(source)
        except StoreError as error:
            _log.warning("poll_lost", source=source.name, trouble=error.trouble, again_in=round(self._held(), 1))
        else:
            self._hold = Hold()

    async def _poll_once(self, source: Source) -> None:
        polled, state = await self._pipeline.poll(source, self._state(source.name))
        self._states[source.name] = replace(state, told=self._state(source.name).told)  # it may have been told meanwhile
        self._last_poll = datetime.now(UTC)
        if polled.problem:
            _log.warning("source_problem", source=source.name, problem=polled.problem)
        if polled.arrived:
            _log.info("entries_arrived", source=source.name, listed=polled.listed, arrived=polled.arrived)
            self._arrived.set()

    async def _look_around(self) -> None:
        try:
            await self.refresh()
            states = [self._state(name) for name in self._sources]
            if self._stands_still():
                _log.critical("no_poll_finished", since=self._last_poll.isoformat(), under_way=sorted(self._polling)[:20])
            for changed in await self._look(states):
                had = self._state(changed.name)
                self._states[changed.name] = replace(had, health=changed.health, since=changed.since, told=changed.told)
        except StoreError as error:  # the next look sees the same
            _log.warning("look_put_off", trouble=error.trouble)
        except Exception:  # so it does whatever else failed
            _log.exception("look_failed")

    async def _tidy(self, daily: Callable[[], Awaitable[object]]) -> None:
        try:
            await daily()
        except Exception:  # tomorrow is another day
            _log.exception("daily_failed")

    def _stands_still(self) -> bool:
        """Polls should be made, and none has finished for STANDSTILL beyond the time when the first was due (a dead-man check)."""
        due = [job.next_run_time for job in self._scheduler.get_jobs() if job.id.startswith("poll ")]
        now = datetime.now(UTC)
        waiting = bool(self._polling) or (bool(due) and min(due) < now - STANDSTILL)
        return waiting and now - self._last_poll > STANDSTILL

    async def _assess(self) -> None:
        try:
            filed = await self._pipeline.assess()
        except StoreError as error:
            seconds = self._held()
            _log.warning("assessing_put_off", trouble=error.trouble, again_in=round(seconds, 1))
            asyncio.get_running_loop().call_later(seconds, self._arrived.set)
            return
        except Exception:  # the entries stay unassessed in the store, and are taken again
            _log.exception("assessing_failed", retry_in=AGAIN)
            asyncio.get_running_loop().call_later(AGAIN, self._arrived.set)
            return
        if any(one.reason.alerts for one in filed):
            self._on_alert()
