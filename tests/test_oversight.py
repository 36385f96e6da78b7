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
from bot.domain.errors import TemporaryDeliveryError
from bot.domain.health import Health
from bot.oversight import Oversight, watched_loop
from bot.storage.database import MEMORY
from bot.storage.store import SqlStore
from tests.fakes.clock import START, ManualClock

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
