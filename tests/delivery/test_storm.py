"""Rate limits and ten minutes of an ill platform, on a clock that the test moves, through the real client libraries to the local platforms.

Two processes share the store, as workers do. Each channel gets each alert once, in order, and nobody calls while a platform has asked to wait.
"""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web
from pydantic import SecretStr
from slack_sdk.web.async_client import AsyncWebClient

from bot.delivery.outbox import Outbox
from bot.domain.alerts import Alert, Destination, Surface
from bot.domain.decisions import Reason
from bot.domain.developments import Development
from bot.domain.subscriptions import Planned
from bot.ports import Filed, Sender
from bot.storage import tables
from bot.storage.store import SqlStore
from handlers.discord.rest import opened as discord_opened
from handlers.slack.sender import SlackSender
from handlers.slack.workspaces import OneWorkspace
from tests.fakes.clock import START, ManualClock
from tests.fakes.discord_server import TOKEN, FakeDiscord
from tests.fakes.reading import on_discord, on_slack, verdict
from tests.fakes.slack_server import FakeSlack
from tests.slack.kit import Atlas
from tests.storage.kit import DEAL, assessed, keep, new, opened, rows, subscribed

TITLES = [f"Pact {number:03}" for number in range(40)]
CHANNELS = {Surface.SLACK: ("C1", "C2"), Surface.DISCORD: ("100", "101")}


@dataclass(kw_only=True)
class Storm:
    """A gate that refuses every third call of a channel's messages, and asks to wait by header, by body, or by both in turn; or all calls.

    `calls` are those that it saw, `inside` those that came before the time it had asked for, by the scope of the limit: Slack's is the
    workspace's, Discord's the channel's.
    """

    clock: ManualClock
    scope: Callable[[web.Request], str]
    luck: random.Random = field(default_factory=lambda: random.Random(5))
    ill_until: datetime | None = None
    calm: bool = False
    calls: int = 0
    refused: int = 0
    until: dict[str, datetime] = field(default_factory=dict)
    inside: list[str] = field(default_factory=list)

    async def before(self, request: web.Request) -> web.StreamResponse | None:
        if not ("/channels/" in request.path or "/chat." in request.path or "/conversations." in request.path):
            return None
        self.calls += 1
        scope, now = self.scope(request), self.clock.now()
        if now < self.until.get(scope, START):
            self.inside.append(f"{request.method} {request.path} at {now:%H:%M:%S.%f}")
        if self.ill_until is not None and now < self.ill_until:
            self.refused += 1
            return _answer(503, {"ok": False, "error": "service_unavailable", "message": "away", "code": 0}, {})
        return None if self.calm or self.calls % 3 else self._limited(scope, now)

    async def after(self, _: web.Request) -> bool:
        return True

    def _limited(self, scope: str, now: datetime) -> web.StreamResponse:
        self.refused += 1
        seconds = self.luck.randint(1, 5)
        self.until[scope] = now + timedelta(seconds=seconds)
        header = {"Retry-After": str(seconds)} if self.refused % 3 != 1 else {}
        body = {"retry_after": float(seconds)} if self.refused % 3 != 2 else {}
        said = {"ok": False, "error": "ratelimited", "message": "You are being rate limited.", "global": False}
        return _answer(429, said | body, header | {"Via": "1.1 google"})


def _answer(status: int, said: dict[str, object], headers: dict[str, str]) -> web.Response:
    # exactly this type: discord.py takes one with a charset for text
    return web.Response(status=status, body=json.dumps(said).encode(), headers={"Content-Type": "application/json", **headers})


@dataclass(kw_only=True)
class Scene:
    """One platform in a storm, two processes that send to it, and short words for what happens."""

    surface: Surface
    store: SqlStore
    clock: ManualClock
    storm: Storm
    outboxes: list[Outbox]
    read: Callable[[str], list[list[str]]]
    developments: list[Development] = field(default_factory=list)

    @property
    def channels(self) -> list[Destination]:
        return [Destination(surface=self.surface, address=address) for address in CHANNELS[self.surface]]

    async def alert(self) -> None:
        number = len(self.developments)
        entry = await new(self.store, TITLES[number], number)
        development = await keep(self.store, entry, parties=(f"P{number}",))
        async with self.store.begin() as writing:
            due = dict.fromkeys(self.channels, Planned(due=self.clock.now()))
            await writing.enqueue(Alert(development=development, raised=self.clock.now()), due)
        self.developments.append(development)

    async def cover(self, development: Development) -> None:
        """One more outlet reports: the messages are to be edited."""
        own = development.development_id
        entry = await new(self.store, f"{development.headline} again", 1000 + len(self.developments), publisher="Herald")
        filed = Filed(entry=entry, assessment=assessed(), reason=Reason.MORE_COVERAGE, topics=(DEAL,), development_id=own)
        async with self.store.begin() as writing:
            await writing.record(filed)
            await writing.outdate(own, self.clock.now())

    async def send(self, **by: float) -> None:
        for outbox in self.outboxes:
            await outbox.drain()
        self.clock.advance(**by)

    async def settle(self, seconds: float) -> None:
        for _ in range(200):
            await self.send(seconds=seconds)
            if not await self.waiting():
                return
        pytest.fail("it did not settle")

    async def waiting(self) -> bool:
        found = await rows(self.store, tables.deliveries, "state", "edit_due", "leased_until")
        return any(state != "sent" or edit or leased for state, edit, leased in found)

    async def compare(self) -> None:
        """Each channel has each alert once, in order; nobody called when he was not to; what was covered shows it where it stands alone."""
        assert self.storm.inside == []
        for channel in self.channels:
            found = verdict(self.read(channel.address), TITLES[: len(self.developments)])
            assert found.fine, found
        assert {row[0] for row in await rows(self.store, tables.deliveries, "problem")} == {None}


@asynccontextmanager
async def _slack(store: SqlStore, clock: ManualClock) -> AsyncIterator[Scene]:
    async with FakeSlack() as fake:
        await subscribed(store, Destination(surface=Surface.SLACK, address="C1"))  # as the settings do, without its team
        await subscribed(store, Destination(surface=Surface.SLACK, address="C2"), team="T1")
        fake.gate = storm = Storm(clock=clock, scope=lambda _: "workspace")
        client = AsyncWebClient(token=fake.bot_token, base_url=fake.api_url, retry_handlers=[])
        senders: dict[Surface, Sender] = {Surface.SLACK: SlackSender(OneWorkspace(client), Atlas())}
        outboxes = [Outbox(store=store, senders=senders, clock=clock, seed=seed) for seed in (1, 2)]
        read = lambda channel: on_slack(fake, channel)  # noqa: E731
        yield Scene(surface=Surface.SLACK, store=store, clock=clock, storm=storm, outboxes=outboxes, read=read)


@asynccontextmanager
async def _discord(store: SqlStore, clock: ManualClock) -> AsyncIterator[Scene]:
    async with FakeDiscord() as fake, discord_opened(token=SecretStr(TOKEN), gazetteer=Atlas(), api_url=fake.api_url) as post:
        await subscribed(store, Destination(surface=Surface.DISCORD, address="100"))
        await subscribed(store, Destination(surface=Surface.DISCORD, address="101"), team="500")
        fake.gate = storm = Storm(clock=clock, scope=lambda request: request.path.split("/channels/")[1].split("/")[0])
        senders: dict[Surface, Sender] = {Surface.DISCORD: post.sender}
        outboxes = [Outbox(store=store, senders=senders, clock=clock, seed=seed) for seed in (1, 2)]
        read = lambda channel: on_discord(fake, channel, TITLES)  # noqa: E731
        yield Scene(surface=Surface.DISCORD, store=store, clock=clock, storm=storm, outboxes=outboxes, read=read)


@pytest.fixture(params=["slack", "discord"])
async def scene(request: pytest.FixtureRequest, tmp_path: Path, database: str) -> AsyncIterator[Scene]:
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(opened(tmp_path))
        make = {"slack": _slack, "discord": _discord}[request.param]
        yield await stack.enter_async_context(make(store, ManualClock()))


async def test_every_third_call_is_refused_and_nobody_calls_before_the_time(scene: Scene) -> None:
    for number in range(30):
        await scene.alert()
        if number % 4 == 3:
            await scene.cover(scene.developments[number - 2])
        await scene.send(seconds=0.75)
    await scene.settle(0.75)
    await scene.compare()
    assert scene.storm.refused >= 10
    assert scene.storm.refused == scene.storm.calls // 3


async def test_ten_minutes_of_503_lose_nothing(scene: Scene) -> None:
    scene.storm.calm = True
    await scene.alert()
    await scene.send(seconds=1)
    ill = scene.storm.ill_until = scene.clock.now() + timedelta(minutes=10)
    await scene.cover(scene.developments[0])
    while scene.clock.now() < ill:
        if len(scene.developments) < len(TITLES) // 2:
            await scene.alert()
        await scene.send(seconds=11)
    before = scene.storm.calls
    assert 0 < scene.storm.refused == before - len(scene.channels), "the first alert came through, and nothing since"
    assert before < 120, "an ill platform is not called every time"
    await scene.settle(5)
    await scene.compare()
