"""The outbox at work, with a real store: in order, again after a while, never for ever, and one destination never holds up another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

import bot.delivery.outbox as module
from bot.delivery.outbox import Outbox
from bot.delivery.patience import LONGEST_RETRY
from bot.domain.alerts import Alert, Delivery, Destination, Receipt, Surface
from bot.domain.decisions import Reason
from bot.domain.errors import FinalDeliveryError, TemporaryDeliveryError
from bot.domain.subscriptions import Subscription
from bot.ports import Filed
from bot.storage import tables
from bot.storage.deliveries import PRESSURE
from bot.storage.store import SqlStore
from tests.fakes.clock import START, ManualClock
from tests.fakes.sender import RecordingSender
from tests.storage.kit import DEAL, DISCORD, NOW, SLACK, assessed, keep, new, opened, outbox, rows, subscribed

LATER = TemporaryDeliveryError("the platform rests")


class Notices:
    """The admins' channel (port `Notifier`); one that is `away` takes nothing."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.away = False

    async def notify(self, text: str) -> None:
        if self.away:
            raise TemporaryDeliveryError("the admins' channel rests")
        self.texts.append(text)


class Desk:
    """An outbox with two channels in memory."""

    def __init__(self, store: SqlStore) -> None:
        self.store = store
        self.clock = ManualClock()
        self.slack, self.discord = RecordingSender(), RecordingSender()
        self.told = Notices()
        self.outbox = self.another()
        self._number = 0

    def another(self, **senders: RecordingSender) -> Outbox:
        """An outbox of another process, or with other senders."""
        by_surface = {Surface.SLACK: self.slack, Surface.DISCORD: self.discord} | {Surface(name): s for name, s in senders.items()}
        return Outbox(store=self.store, senders=by_surface, clock=self.clock, notifiers=[self.told], seed=7)

    async def alert(self, *titles: str, to: tuple[Destination, ...] = (SLACK, DISCORD)) -> None:
        for title in titles:
            self._number += 1
            development = await keep(self.store, await new(self.store, title, self._number))
            async with self.store.begin() as writing:
                await writing.enqueue(Alert(development=development, raised=START), dict.fromkeys(to, NOW))

    async def lines(self, surface: str = "slack") -> list[tuple[object, ...]]:
        return [row[1:] for row in await outbox(self.store) if row[0] == surface]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with opened(tmp_path) as store:
        await subscribed(store)
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
    full = [min(2.0**n, LONGEST_RETRY) for n in range(12)]
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


REMOVED = FinalDeliveryError("the bot was removed", "not_in_channel")
MALFORMED = FinalDeliveryError("a field is too long", "50035")


async def test_a_channel_that_refuses_is_paused_and_the_admins_hear_of_it_once(desk: Desk) -> None:
    await desk.alert("Rice", "Tea")
    desk.slack.fail(REMOVED)
    assert await desk.outbox.drain() == 2, "the other channel goes on"
    assert desk.slack.headlines == []
    assert await desk.lines() == [("pending", 1, None, "not_in_channel: the bot was removed"), ("pending", 0, None, None)]
    subscription = await desk.store.subscription(SLACK)
    assert subscription is not None
    assert subscription.paused == "not_in_channel: the bot was removed"
    assert desk.told.texts == ["No alerts to slack:C1 any more: the bot was removed. Mend it, then subscribe the channel again."]
    desk.clock.advance(days=2)
    assert await desk.another().drain() == 0
    await subscribed(desk.store)
    assert await desk.outbox.drain() == 2, "nothing of what waited is lost"
    assert desk.slack.headlines == ["Rice", "Tea"]
    assert len(desk.told.texts) == 1


async def test_a_channel_that_was_paused_meanwhile_is_not_told_of_again(desk: Desk) -> None:
    await desk.alert("Rice")

    class Paused(RecordingSender):
        async def send(self, delivery: Delivery) -> Receipt:
            await desk.store.pause(SLACK, "by another process")
            raise REMOVED

    await desk.another(slack=Paused()).drain()
    assert desk.told.texts == []


async def test_admins_that_cannot_be_reached_hold_nothing_up(desk: Desk) -> None:
    await desk.alert("Rice")
    desk.told.away = True
    desk.slack.fail(REMOVED)
    assert await desk.outbox.drain() == 1
    assert (await desk.lines())[0][0] == "pending"


async def test_a_bad_message_fails_alone_and_makes_room(desk: Desk) -> None:
    await desk.alert("Rice", "Tea")
    desk.slack.fail(MALFORMED)
    await desk.outbox.drain()
    assert desk.slack.headlines == ["Tea"]
    assert await desk.lines() == [("failed", 1, None, "50035: a field is too long"), ("sent", 1, "m-1", None)]
    assert desk.told.texts == ["An alert did not reach slack:C1: “Rice” (50035: a field is too long)"]


async def test_a_bad_digest_is_told_of_as_one(desk: Desk) -> None:
    await desk.alert(*(f"Pact {n}" for n in range(PRESSURE + 1)))
    desk.slack.fail(MALFORMED)
    await desk.outbox.drain()
    assert {line[0] for line in await desk.lines()} == {"failed"}
    assert "a digest of 6 alerts" in desk.told.texts[0]


@pytest.mark.parametrize(("age", "state"), [(timedelta(hours=24), "pending"), (timedelta(hours=24, seconds=1), "failed")])
async def test_it_gives_up_a_day_after_the_first_attempt(desk: Desk, age: timedelta, state: str) -> None:
    await desk.alert("Rice")
    begun = desk.clock.advance(days=3)
    desk.slack.fail(LATER, times=2)
    await desk.outbox.drain()
    assert (await desk.lines())[0][0] == "pending", "it was raised long ago, but never tried"
    desk.clock.set(begun + age)
    await desk.outbox.drain()
    ((found, _, _, problem),) = await desk.lines()
    assert found == state
    assert str(problem).endswith("the platform rests")
    assert ("given up after 1 day" in str(problem)) is (state == "failed")
    assert len(desk.told.texts) == (state == "failed")


async def test_a_workspace_that_asks_to_wait_is_left_alone_in_all_its_channels(desk: Desk) -> None:
    second = Destination(surface=Surface.SLACK, address="C2")
    elsewhere = Destination(surface=Surface.SLACK, address="C3")
    await subscribed(desk.store, SLACK, second, team="T1")
    await subscribed(desk.store, elsewhere, team="T2")
    await desk.alert("Rice", to=(SLACK, second, elsewhere))
    desk.slack.fail(TemporaryDeliveryError("rate limited", retry_after=30.0))
    assert await desk.outbox.drain() == 1, "the other workspace"
    assert [d.destination for d in desk.slack.attempts] == [SLACK, elsewhere]
    desk.clock.advance(seconds=29)
    assert await desk.outbox.drain() == await desk.another().drain() == 0, "another process keeps to it too"
    assert len(desk.slack.attempts) == 2
    desk.clock.advance(seconds=1)
    assert await desk.another().drain() == 2


async def test_what_was_leased_before_the_workspace_asked_to_wait_is_not_tried(desk: Desk) -> None:
    second = Destination(surface=Surface.SLACK, address="C2")
    await subscribed(desk.store, SLACK, second, team="T1")
    await desk.alert("Rice", to=(SLACK, second))
    desk.slack.fail(TemporaryDeliveryError("rate limited", retry_after=30.0))
    leasing, lease = asyncio.Event(), desk.store.lease

    async def slow(destination: Destination, now: datetime, seconds: float) -> Delivery | None:
        delivery = await lease(destination, now, seconds)
        if destination == second:
            await leasing.wait()
        return delivery

    desk.store.lease = slow  # type: ignore[method-assign]  # one call of the real store goes wrong
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        group.create_task(desk.outbox.run())
        await until(lambda: desk.slack.attempts)
        leasing.set()
        desk.outbox.stop()
    assert [d.destination for d in desk.slack.attempts] == [SLACK]
    assert [line[0] for line in await desk.lines()] == ["pending", "pending"]
    desk.clock.advance(seconds=30)
    assert await desk.outbox.drain() == 2


async def test_a_workspace_that_fails_and_fails_rests_as_a_whole(desk: Desk) -> None:
    channels = [Destination(surface=Surface.SLACK, address=f"C{n}") for n in range(1, 6)]
    await subscribed(desk.store, *channels, team="T1")
    await desk.alert("Rice", to=tuple(channels))
    desk.slack.fail(LATER, times=3)
    assert await desk.outbox.drain() == 0
    assert len(desk.slack.attempts) == 3, "after so many failures in a row nobody else tries"
    desk.clock.advance(seconds=1)
    assert await desk.outbox.drain() == 5


async def test_a_success_ends_the_row_of_failures(desk: Desk) -> None:
    await desk.alert("Rice")
    desk.slack.fail(LATER, times=2)
    for _ in range(3):
        await desk.outbox.drain()
        desk.clock.advance(seconds=4)
    await desk.alert("Tea")
    desk.slack.fail(LATER)
    await desk.outbox.drain()
    desk.clock.advance(seconds=1)
    assert await desk.outbox.drain() == 1


async def posted_and_outdated(desk: Desk) -> None:
    """One message on Slack that is to be edited, for a second outlet reported it."""
    await desk.alert("Rice", to=(SLACK,))
    assert await desk.outbox.drain() == 1
    entry = await new(desk.store, "Rice again", 99, publisher="The Herald")
    ((own,),) = await rows(desk.store, tables.developments, "id")
    filed = Filed(entry=entry, assessment=assessed(), reason=Reason.MORE_COVERAGE, topics=(DEAL,), development_id=own)
    async with desk.store.begin() as writing:
        await writing.record(filed)
        await writing.outdate(own, desk.clock.now())


async def test_more_coverage_edits_the_message(desk: Desk) -> None:
    await posted_and_outdated(desk)
    assert await desk.outbox.drain() == 0, "an edit is no new message"
    (edit,) = desk.slack.edits
    assert (edit.message_id, edit.alert.development.outlets) == ("m-1", ("wire", "The Herald"))
    assert await desk.outbox.drain() == 0
    assert len(desk.slack.edits) == len(desk.slack.posted) == 1


async def test_an_edit_is_tried_a_few_times_and_never_becomes_a_message(desk: Desk) -> None:
    await posted_and_outdated(desk)
    desk.slack.fail(LATER, times=9)
    for _ in range(9):
        await desk.outbox.drain()
        desk.clock.advance(minutes=10)
    assert [d.attempts for d in desk.slack.attempts] == [1, *range(1, module.EDIT_ATTEMPTS + 1)]
    assert await desk.lines() == [("sent", 1, "m-1", "the platform rests")]
    assert (len(desk.slack.posted), desk.told.texts) == (1, [])


async def test_an_edit_that_is_refused_pauses_nothing(desk: Desk) -> None:
    await posted_and_outdated(desk)
    desk.slack.fail(FinalDeliveryError("too old to edit", "cant_update_message"))
    await desk.outbox.drain()
    desk.clock.advance(minutes=10)
    await desk.outbox.drain()
    assert len(desk.slack.attempts) == 2
    subscription = await desk.store.subscription(SLACK)
    assert subscription is not None
    assert subscription.paused is None


async def test_run_comes_back_for_what_was_put_back(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "IDLE_SECONDS", 3600.0)
    await desk.alert("Rice")
    desk.slack.fail(LATER)
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        group.create_task(desk.outbox.run())
        await until(lambda: desk.slack.attempts and desk.discord.headlines)
        await until(lambda: desk.outbox._waits)
        desk.clock.advance(seconds=1)
        desk.outbox.wake()
        await until(lambda: desk.slack.headlines)
        desk.outbox.stop()


async def test_a_database_that_is_away_ends_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "IDLE_SECONDS", 0.01)
    due, failures = desk.store.due, [OSError("the disk is full"), OSError("still")]

    async def broken(now: datetime) -> list[Subscription]:
        if failures:
            raise failures.pop()
        return await due(now)

    desk.store.due = broken  # type: ignore[method-assign]  # one call of the real store goes wrong
    await desk.alert("Rice")
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        group.create_task(desk.outbox.run())
        await until(lambda: desk.slack.headlines and desk.discord.headlines)
        desk.outbox.stop()


async def test_what_comes_while_a_channel_is_served_is_sent_by_the_same_task(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "IDLE_SECONDS", 3600.0)
    await desk.alert("Rice", to=(SLACK,))
    release = asyncio.Event()

    class Slow(RecordingSender):
        async def send(self, delivery: Delivery) -> Receipt:
            await release.wait()
            return await super().send(delivery)

    slow = Slow()
    outbox = desk.another(slack=slow)
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        group.create_task(outbox.run())
        await until(lambda: outbox._serving)
        await desk.alert("Tea", to=(SLACK,))
        outbox.wake()
        await until(lambda: not outbox._wake.is_set())
        release.set()
        await until(lambda: len(slow.headlines) == 2)
        outbox.stop()
    assert slow.headlines == ["Rice", "Tea"]


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
    outbox = desk.another(slack=slow)
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


async def test_a_surface_without_a_sender_keeps_its_alerts(desk: Desk) -> None:
    await desk.alert("Rice")
    assert await Outbox(store=desk.store, senders={Surface.SLACK: desk.slack}, clock=desk.clock).drain() == 1
    assert (await desk.lines("discord"))[0][0] == "pending"
