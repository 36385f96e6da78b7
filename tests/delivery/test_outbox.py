"""The outbox at work, with a real store: in order, again after a while, never for ever, and one destination never holds up another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

import bot.delivery.outbox as module
from bot.delivery.outbox import Outbox
from bot.domain.alerts import Delivery, Destination, Receipt
from bot.domain.errors import FinalDeliveryError, TemporaryDeliveryError
from bot.storage import tables
from bot.storage.store import SqlStore
from tests.fakes.clock import START, ManualClock
from tests.fakes.sender import RecordingSender
from tests.storage.kit import DISCORD, SLACK, keep, new, opened, outbox, rows

LATER = TemporaryDeliveryError("the platform rests")


class Desk:
    """An outbox with two channels in memory."""

    def __init__(self, store: SqlStore) -> None:
        self.store = store
        self.clock = ManualClock()
        self.slack, self.discord = RecordingSender(), RecordingSender()
        self.outbox = Outbox(store=store, senders={SLACK: self.slack, DISCORD: self.discord}, clock=self.clock, seed=7)
        self._number = 0

    async def alert(self, *titles: str) -> None:
        for title in titles:
            self._number += 1
            await keep(self.store, await new(self.store, title, self._number), alert=True)

    async def lines(self, surface: str = "slack") -> list[tuple[object, ...]]:
        return [row[1:] for row in await outbox(self.store) if row[0] == surface]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with opened(tmp_path) as store:
        yield Desk(store)


async def until(condition: object) -> None:
    async with asyncio.timeout(5):
        while not condition():  # type: ignore[operator]  # noqa: ASYNC110 (a real store tells nobody that it changed)
            await asyncio.sleep(0.005)


async def test_alerts_go_out_in_order(desk: Desk) -> None:
    assert await desk.outbox.drain() == 0
    await desk.alert("Rice", "Tea", "Steel")
    assert await desk.outbox.drain() == 6
    assert desk.slack.headlines == desk.discord.headlines == ["Rice", "Tea", "Steel"]
    assert await desk.lines() == [("sent", 1, f"m-{n}", None) for n in (1, 2, 3)]
    assert await desk.outbox.drain() == 0


async def test_what_failed_waits_and_is_not_overtaken(desk: Desk) -> None:
    await desk.alert("Rice", "Tea")
    desk.slack.fail(LATER)
    assert await desk.outbox.drain() == 2, "the other destination does not wait"
    assert desk.discord.headlines == ["Rice", "Tea"]
    assert await desk.lines() == [("pending", 1, None, "the platform rests"), ("pending", 0, None, None)]
    desk.clock.advance(seconds=0.4)
    assert await desk.outbox.drain() == 0, "the first retry comes after half a second or more"
    desk.clock.advance(seconds=0.6)
    assert await desk.outbox.drain() == 2
    assert desk.slack.headlines == ["Rice", "Tea"]
    assert [d.attempts for d in desk.slack.attempts] == [1, 2, 1]


async def test_the_platform_says_how_long_to_wait(desk: Desk) -> None:
    await desk.alert("Rice")
    desk.slack.fail(TemporaryDeliveryError("rate limited", retry_after=90.0))
    await desk.outbox.drain()
    desk.clock.advance(seconds=89)
    assert await desk.outbox.drain() == 0
    desk.clock.advance(seconds=1)
    assert await desk.outbox.drain() == 1


async def test_the_waits_grow_up_to_a_bound(desk: Desk) -> None:
    await desk.alert("Rice")
    desk.slack.fail(LATER, times=12)
    waits = []
    for _ in range(12):
        await desk.outbox.drain()
        due = (await rows(desk.store, tables.deliveries, "due"))[0][0]
        waits.append((due - desk.clock.now()).total_seconds())
        desk.clock.set(due)
    full = [min(2.0**n, module.LONGEST_RETRY) for n in range(12)]
    assert all(most / 2 <= wait <= most for wait, most in zip(waits, full, strict=True)), waits
    assert await desk.outbox.drain() == 1


async def test_received_but_unanswered_is_posted_once(desk: Desk) -> None:
    await desk.alert("Rice")
    desk.slack.fail(LATER, received=True)
    await desk.outbox.drain()
    desk.clock.advance(seconds=1)
    assert await desk.outbox.drain() == 1
    assert len({d.key for d in desk.slack.attempts}) == 1
    assert desk.slack.headlines == ["Rice"]
    assert await desk.lines() == [("sent", 2, "m-1", None)]


async def test_a_final_failure_is_kept_and_makes_room(desk: Desk) -> None:
    await desk.alert("Rice", "Tea")
    desk.slack.fail(FinalDeliveryError("the bot was removed", "not_in_channel"))
    await desk.outbox.drain()
    assert desk.slack.headlines == ["Tea"]
    assert await desk.lines() == [("failed", 1, None, "not_in_channel: the bot was removed"), ("sent", 1, "m-1", None)]
    desk.clock.advance(days=2)
    assert await desk.outbox.drain() == 0


@pytest.mark.parametrize(("age", "state"), [(timedelta(hours=24), "pending"), (timedelta(hours=24, seconds=1), "failed")])
async def test_it_gives_up_after_a_day(desk: Desk, age: timedelta, state: str) -> None:
    await desk.alert("Rice")
    desk.clock.set(START + age)
    desk.slack.fail(LATER)
    await desk.outbox.drain()
    ((found, _, _, problem),) = await desk.lines()
    assert found == state
    assert str(problem).endswith("the platform rests")
    assert ("given up after 1 day" in str(problem)) is (state == "failed")


async def test_run_sends_what_comes_and_ends_when_stopped(desk: Desk) -> None:
    await desk.alert("Rice")
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        group.create_task(desk.outbox.run())
        await until(lambda: desk.slack.headlines and desk.discord.headlines)
        await desk.alert("Tea")
        desk.outbox.wake()
        await until(lambda: len(desk.slack.headlines) == len(desk.discord.headlines) == 2)
        await desk.alert("Steel")
        desk.outbox.stop()
    assert desk.slack.headlines == desk.discord.headlines == ["Rice", "Tea", "Steel"], "what was due at the end went out too"


async def test_it_looks_by_itself(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "IDLE_SECONDS", 0.01)
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        group.create_task(desk.outbox.run())
        await desk.alert("Rice")
        await until(lambda: desk.slack.headlines and desk.discord.headlines)
        desk.outbox.stop()


async def test_a_slow_destination_holds_up_no_other(desk: Desk) -> None:
    await desk.alert("Rice")
    release = asyncio.Event()

    class Slow(RecordingSender):
        async def send(self, delivery: Delivery) -> Receipt:
            await release.wait()
            return await super().send(delivery)

    slow = Slow()
    outbox = Outbox(store=desk.store, senders={SLACK: slow, DISCORD: desk.discord}, clock=desk.clock)
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        group.create_task(outbox.run())
        await until(lambda: desk.discord.headlines)
        assert slow.headlines == []
        release.set()
        outbox.stop()
    assert slow.headlines == ["Rice"]


async def test_a_surprise_ends_no_sender(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "IDLE_SECONDS", 0.01)
    await desk.alert("Rice", "Tea")
    desk.slack.fail(RuntimeError("a sender's own mistake"))
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        group.create_task(desk.outbox.run())
        await until(lambda: desk.slack.attempts and len(desk.discord.headlines) == 2)
        desk.clock.advance(seconds=module.LEASE_SECONDS)
        await until(lambda: len(desk.slack.headlines) == 2)
        desk.outbox.stop()
    assert desk.slack.headlines == ["Rice", "Tea"]
    assert [d.attempts for d in desk.slack.attempts] == [1, 2, 1]


async def test_a_destination_without_a_sender_keeps_its_alerts(desk: Desk) -> None:
    await desk.alert("Rice")
    only: dict[Destination, RecordingSender] = {SLACK: desk.slack}
    assert await Outbox(store=desk.store, senders=only, clock=desk.clock).drain() == 1
    assert (await desk.lines("discord"))[0][0] == "pending"
