"""The admins hear of sources that changed; the log hears of a loop that stands still."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import structlog

from bot.app import open_store
from bot.domain.entries import SourceState
from bot.domain.errors import StoreError, TemporaryDeliveryError, Trouble
from bot.domain.health import Health
from bot.oversight import CALM_SECONDS, Oversight, StoreWatch, watched_loop
from bot.storage.database import MEMORY
from bot.storage.store import SqlStore
from tests.fakes.clock import START, ManualClock
from tests.trouble import until

FAILING = SourceState(name="Wire", polled=START, failures=5, problem="timeout: it did not answer", health=Health.FAILING, since=START)


class Channel:
    """Takes notices; refuses them while `down`."""

    def __init__(self) -> None:
        self.down = False
        self.texts: list[str] = []

    async def notify(self, text: str) -> None:
        if self.down:
            raise TemporaryDeliveryError("down")
        self.texts.append(text)


@pytest.fixture
async def store() -> AsyncIterator[SqlStore]:
    async with open_store(MEMORY) as opened:
        yield opened


async def test_a_notice_goes_to_every_channel_once_and_is_kept(store: SqlStore) -> None:
    clock, one, two = ManualClock(START + timedelta(hours=7)), Channel(), Channel()
    oversight = Oversight(store=store, notifiers=[one, two], clock=clock)
    (changed,) = await oversight.look([FAILING])
    assert one.texts == two.texts == ["Wire cannot be read for 7 h: timeout: it did not answer."]
    assert (await store.source_states())["Wire"].told == Health.FAILING
    assert await oversight.look([changed]) == []
    assert len(one.texts) == 1


async def test_what_could_not_be_told_is_told_at_the_next_look(store: SqlStore) -> None:
    channel = Channel()
    oversight = Oversight(store=store, notifiers=[channel], clock=ManualClock(START + timedelta(hours=7)))
    channel.down = True
    assert await oversight.look([FAILING]) == []
    channel.down = False
    assert await oversight.look([FAILING])
    assert len(channel.texts) == 1


async def test_without_a_channel_the_log_is_told(store: SqlStore) -> None:
    oversight = Oversight(store=store, notifiers=[], clock=ManualClock(START + timedelta(hours=7)))
    with structlog.testing.capture_logs() as logs:
        assert await oversight.look([FAILING])
    assert any(line["event"] == "notice" and "Wire" in line["text"] for line in logs)


async def test_silence_is_noticed_without_a_poll(store: SqlStore) -> None:
    state = SourceState(name="Wire", polled=START, arrived=START, rhythm=3600.0)
    oversight = Oversight(store=store, notifiers=[], clock=ManualClock(START + timedelta(days=3)))
    (changed,) = await oversight.look([state])
    assert changed.health == Health.QUIET


async def test_a_poll_does_not_forget_what_was_told(store: SqlStore) -> None:
    oversight = Oversight(store=store, notifiers=[], clock=ManualClock(START + timedelta(hours=7)))
    await oversight.look([FAILING])
    async with store.begin() as writing:
        await writing.record_poll(FAILING)
    assert (await store.source_states())["Wire"].told == Health.FAILING


async def test_a_blocked_loop_is_said_in_the_log() -> None:
    with structlog.testing.capture_logs() as logs:
        async with watched_loop(blocked_seconds=0.1):
            await asyncio.sleep(0.05)
            time.sleep(0.5)  # noqa: ASYNC251  (blocking is what is tested)
            await asyncio.sleep(0.05)
    assert [line["event"] for line in logs] == ["event_loop_blocked"]


class Probe:
    """A store that takes a write, or does not."""

    def __init__(self, watch: StoreWatch) -> None:
        self.well = False
        self._watch = watch

    async def __call__(self) -> None:
        if not self.well:
            error = StoreError(Trouble.READ_ONLY)
            self._watch.failed(error)
            raise error


async def test_a_store_in_trouble_is_told_of_once_and_its_end_too() -> None:
    watch, channel = StoreWatch(), Channel()
    probe = Probe(watch)
    with structlog.testing.capture_logs() as logs:
        running = asyncio.create_task(watch.run(probe, [channel]))
        assert await watch.well()
        for _ in range(3):
            watch.failed(StoreError(Trouble.READ_ONLY))
        assert not await watch.well()
        await until(lambda: channel.texts)
        probe.well = True
        await until(lambda: len(channel.texts) == 2)
        assert await watch.well()
        running.cancel()
    assert channel.texts[0].startswith("Trouble: the database takes no writes")
    assert channel.texts[1] == "The database is well again. What waited goes on."
    assert [log["event"] for log in logs if log["event"].startswith("store")] == ["store_trouble", "store_well_again"]


async def test_a_short_absence_is_in_the_log_and_no_notice() -> None:
    watch, channel = StoreWatch(), Channel()
    probe = Probe(watch)
    probe.well = True
    with structlog.testing.capture_logs() as logs:
        running = asyncio.create_task(watch.run(probe, [channel]))
        watch.failed(StoreError(Trouble.AWAY))
        await until(lambda: [log["event"] for log in logs] == ["store_trouble", "store_well_again"])
        running.cancel()
    assert channel.texts == []


async def test_a_full_disk_is_not_taken_for_well_because_a_small_write_fits() -> None:
    watch = StoreWatch()
    probe = Probe(watch)
    probe.well = True
    running = asyncio.create_task(watch.run(probe))
    began = time.monotonic()
    watch.failed(StoreError(Trouble.FULL))
    while not await watch.well():  # noqa: ASYNC110  (there is no event to wait for)
        await asyncio.sleep(0.05)
    running.cancel()
    assert time.monotonic() - began >= CALM_SECONDS[0]
