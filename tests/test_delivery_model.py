"""Whatever happens between the outbox and a platform, a channel holds each development once, in order, as it is known (Hypothesis over histories)."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bot.audience import read_audience
from bot.delivery.outbox import Outbox
from bot.domain.alerts import Alert, Delivery, Destination, Receipt, Surface
from bot.domain.decisions import Reason
from bot.domain.developments import Development
from bot.domain.errors import FinalDeliveryError, TemporaryDeliveryError
from bot.domain.subscriptions import HOUR, Cadence, Mute, Quiet, Subscription
from bot.domain.watch import Passage
from bot.ports import Filed
from bot.storage import tables
from bot.storage.channels import GIVEN_UP, MUTED
from bot.storage.store import SqlStore
from tests.fakes.clock import ManualClock
from tests.judge.kit import language
from tests.storage.kit import DEAL, assessed, keep, new, opened, rows

CHANNELS = (
    Destination(surface=Surface.SLACK, address="C1"),
    Destination(surface=Surface.SLACK, address="C2"),
    Destination(surface=Surface.DISCORD, address="42"),
)
TALK = language()
WANTS = (
    {},
    {"cadence": Cadence.HOURLY},
    {"cadence": Cadence.DAILY, "at": time(9)},
    {"quiet": Quiet(start=time(20), end=time(6))},
    {"cap": 2},
    {"parties": ("P1",)},
)


class Crash(BaseException):
    """The process is killed."""


@dataclass
class Platform:
    """A platform that knows a message by its key, and fails as it is told to: `before` or `after` it has the message."""

    clock: ManualClock
    posted: dict[tuple[Destination, str], Delivery] = field(default_factory=dict)
    troubles: list[tuple[str, BaseException]] = field(default_factory=list)
    closed_until: datetime | None = None
    stale: set[str] = field(default_factory=set)  # messages whose last edit failed

    async def send(self, delivery: Delivery) -> Receipt:
        at = (delivery.destination, delivery.key)
        if self._when() == "after":
            self.posted.setdefault(at, delivery)
        self._fail()
        self.posted.setdefault(at, delivery)
        return Receipt(message_id=delivery.key)

    async def edit(self, delivery: Delivery) -> None:
        at = (delivery.destination, delivery.key)
        assert at in self.posted
        assert delivery.message_id == delivery.key
        self.stale.add(delivery.key)
        if self._when() == "after":
            self.posted[at] = delivery
        self._fail()
        self.posted[at] = delivery
        self.stale.discard(delivery.key)

    def _when(self) -> str:
        assert self.closed_until is None or self.clock.now() >= self.closed_until, "no call inside a Retry-After"
        return self.troubles[0][0] if self.troubles else "never"

    def _fail(self) -> None:
        if not self.troubles:
            return
        _, error = self.troubles.pop(0)
        wait = error.retry_after if isinstance(error, TemporaryDeliveryError) else None
        if wait is not None:
            self.closed_until = self.clock.now() + timedelta(seconds=wait)
        raise error


class Outboxes(RuleBasedStateMachine):
    """Two Slack channels of one workspace and one of Discord."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.folder = Path(self.stack.enter_context(TemporaryDirectory()))
        self.clock = ManualClock()
        self.platforms = {Surface.SLACK: Platform(self.clock), Surface.DISCORD: Platform(self.clock)}
        self.store: SqlStore = self.run(self.stack.enter_async_context(opened(self.folder)))
        self.outbox = self.another()
        self.developments: list[Development] = []
        self.number = 0
        self.plans: dict[Destination, list[tuple[str, bool]]] = {channel: [] for channel in CHANNELS}
        self.unsubscribed = self.muted = self.faulty = False
        for channel, wants in zip(CHANNELS, WANTS, strict=False):
            self.run(self.store.subscribe(Subscription(destination=channel, **wants)))

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:  # noqa: ANN401  (whatever the built thing takes)
        return self.runner.run(work)

    def another(self) -> Outbox:
        return Outbox(store=self.store, senders=self.platforms, clock=self.clock, seed=1)

    @rule(dossiers=st.lists(st.integers(1, 3), min_size=1, max_size=8), importance=st.sampled_from((0.3, 0.6, 0.9)), sent=st.booleans())
    def develop(self, dossiers: list[int], importance: float, sent: bool) -> None:
        for dossier in dossiers:
            self.run(self._develop(f"P{dossier}", importance))
        if sent:
            self.run(self._send())

    async def _develop(self, party: str, importance: float) -> None:
        self.number += 1
        entry = await new(self.store, f"Pact {self.number}", self.number)
        steps = [d for d in self.developments if d.parties == (party,)]
        development = await keep(self.store, entry, parties=(party,), importance=importance, dossier_step=len(steps) + 1)
        audience, now = await read_audience(self.store, TALK), self.clock.now()
        alert = Alert(development=development, raised=now, follow_up=steps[-1].headline if steps else None)
        async with self.store.begin() as writing:
            plans = audience.plans(development, Passage(title=entry.title), await writing.told(now - HOUR), now)
            await writing.enqueue(alert, plans)
        self.developments.append(development)
        for channel, planned in plans.items():
            self.plans[channel].append((development.development_id, planned.digest))

    @precondition(lambda self: self.developments)
    @rule(data=st.data(), outlet=st.sampled_from(("Herald", "Tribune")))
    def cover(self, data: st.DataObject, outlet: str) -> None:
        self.number += 1
        development = data.draw(st.sampled_from(self.developments[-4:]))
        self.run(self._cover(development, outlet))

    async def _cover(self, development: Development, outlet: str) -> None:
        entry = await new(self.store, f"Again {self.number}", self.number, publisher=outlet)
        own = development.development_id
        filed = Filed(entry=entry, assessment=assessed(), reason=Reason.MORE_COVERAGE, topics=(DEAL,), development_id=own)
        async with self.store.begin() as writing:
            await writing.record(filed)
            await writing.outdate(own, self.clock.now() + timedelta(seconds=20))

    @rule(
        surface=st.sampled_from((Surface.SLACK, Surface.DISCORD)),
        when=st.sampled_from(("before", "after")),
        kind=st.sampled_from(("ill", "wait", "refused", "faulty", "crash")),
        times=st.integers(1, 4),
    )
    def trouble(self, surface: Surface, when: str, kind: str, times: int) -> None:
        errors: dict[str, BaseException] = {
            "ill": TemporaryDeliveryError("503"),
            "wait": TemporaryDeliveryError("429", retry_after=5.0),
            "refused": FinalDeliveryError("removed", "not_in_channel"),
            "faulty": FinalDeliveryError("too long", "msg_too_long"),
            "crash": Crash(),
        }
        if kind in ("wait", "refused", "faulty"):  # a platform that says no has not taken the message
            when = "before"
        self.faulty = self.faulty or kind == "faulty"
        self.platforms[surface].troubles += [(when, errors[kind])] * (1 if kind in ("refused", "faulty") else times)
        self.run(self._send())

    @rule(seconds=st.sampled_from((1, 5, 20, 61, 600, 3600)))
    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds=seconds)
        self.run(self._send())

    async def _send(self) -> None:
        try:
            await self.outbox.drain()
        except Crash:
            self.outbox = self.another()

    @rule()
    def restart(self) -> None:
        self.outbox = self.another()

    @rule(channel=st.sampled_from(CHANNELS), wants=st.sampled_from(WANTS))
    def subscribe(self, channel: Destination, wants: dict[str, Any]) -> None:
        self.run(self.store.subscribe(Subscription(destination=channel, **wants)))

    @rule(channel=st.sampled_from(CHANNELS))
    def unsubscribe(self, channel: Destination) -> None:
        self.unsubscribed = True
        self.run(self.store.unsubscribe(channel))

    @rule(channel=st.sampled_from(CHANNELS), dossier=st.integers(1, 3))
    def mute(self, channel: Destination, dossier: int) -> None:
        self.muted = True
        mute = Mute(destination=channel, dossier_id=f"trade_deal:P{dossier}", actor="a", at=self.clock.now())
        self.run(self.store.mute(replace(mute, until=self.clock.now() + HOUR)))

    @rule(channel=st.sampled_from(CHANNELS))
    def hasten(self, channel: Destination) -> None:
        self.run(self.store.hasten(channel, self.clock.now()))

    def messages(self, channel: Destination) -> list[list[str]]:
        """The developments that each message of a channel tells of, in the order of the messages."""
        found = [d for (where, _), d in self.platforms[channel.surface].posted.items() if where == channel]
        return [[alert.development.development_id for alert in d.alerts] for d in found]

    @invariant()
    def each_once_and_in_order(self) -> None:
        for channel in CHANNELS:
            messages = self.messages(channel)
            told = Counter(name for message in messages for name in message)
            assert set(told.values()) <= {1}, told
            assert set(told) <= {name for name, _ in self.plans[channel]}
            places = {name: place for place, message in enumerate(messages) for name in message}
            at_once = [places[name] for name, digest in self.plans[channel] if not digest and name in places]
            assert at_once == sorted(at_once)

    def teardown(self) -> None:
        try:
            self.run(self._settle())
            self.run(self._compare())
        finally:
            self.run(self.stack.aclose())
            self.runner.close()

    async def _settle(self) -> None:
        """Everything is mended, and time passes."""
        for platform in self.platforms.values():
            platform.troubles.clear()
        for channel in CHANNELS:
            if await self.store.subscription(channel) is None:
                await self.store.subscribe(Subscription(destination=channel))
            await self.store.pause(channel, None)
        for _ in range(60):
            self.clock.advance(minutes=50)
            await self.outbox.drain()
            if not {row[0] for row in await rows(self.store, tables.deliveries, "state")} & {"pending", "sending"}:
                break
        self.clock.advance(minutes=50)
        await self.outbox.drain()

    async def _compare(self) -> None:
        assert await self.store.due(self.clock.now()) == []
        for surface, address, name, state, problem in await rows(
            self.store, tables.deliveries, "surface", "address", "development_id", "state", "problem"
        ):
            channel = Destination(surface=Surface(surface), address=address)
            told = [message for message in self.messages(channel) if name in message]
            if state == "failed":
                self._is_excused(problem)
                continue
            assert (state, len(told)) == ("sent", 1)
            if len(told[0]) == 1:
                await self._is_as_known(channel, name)
        self.each_once_and_in_order()

    def _is_excused(self, problem: str) -> None:
        """Nothing is dropped without one of the reasons that happened."""
        given = {GIVEN_UP: self.unsubscribed, MUTED: self.muted, "msg_too_long: too long": self.faulty}
        assert given.get(problem, problem.startswith("given up after")), problem

    async def _is_as_known(self, channel: Destination, name: str) -> None:
        known = await self.store.development(name)
        assert known is not None
        (shown,) = [
            d
            for (where, _), d in self.platforms[channel.surface].posted.items()
            if where == channel and d.alert.development.development_id == name
        ]
        if shown.key not in self.platforms[channel.surface].stale:  # an edit that fails again and again is given up
            assert shown.alert.development.outlets == known.outlets


TestOutboxes = pytest.mark.filterwarnings("default::ResourceWarning")(Outboxes.TestCase)
TestOutboxes.settings = settings(
    max_examples=25, stateful_step_count=20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
