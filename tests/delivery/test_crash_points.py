"""The process dies at every step between the poll and the record, and the channel holds what it holds where nobody dies.

The steps are those that reach outside: each call of the store that writes, before it, within its transaction, and after it; each request to a
platform, before the platform has it and after. Around them are the real pipeline, outbox, store and clients, and a local platform.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr
from slack_sdk.web.async_client import AsyncWebClient

from bot.delivery.outbox import Outbox
from bot.domain.alerts import Destination, Surface
from bot.domain.assessment import Assessment, Facts
from bot.domain.entries import ParsedEntry, Source, SourceState
from bot.domain.topics import Stage
from bot.pipeline import Pipeline
from bot.ports import Harvest, Sender
from bot.storage import tables
from bot.storage.store import SqlStore
from bot.stories.features import NAMES
from bot.stories.matcher import StoryMatcher, StoryModel
from bot.summary.extractive import ExtractiveSummarizer
from handlers.discord.rest import opened as discord_opened
from handlers.slack.sender import SlackSender
from handlers.slack.workspaces import OneWorkspace
from tests.fakes.classifier import FakeClassifier
from tests.fakes.clock import START, ManualClock
from tests.fakes.discord_server import TOKEN, FakeDiscord
from tests.fakes.slack_server import FakeSlack, text_of
from tests.judge.kit import language
from tests.slack.kit import Atlas
from tests.storage.kit import DEAL, MEETING, item, opened, rows, subscribed

# Same words and parties make a story; another stage of the deal does not.
MODEL = StoryModel(
    idf={"ministers": 1.0},
    weights=dict.fromkeys(NAMES, 0.0) | {"title words": 6.0, "parties": 2.0, "step differs": -4.0},
    bias=-6.0,
    threshold=0.5,
)


def _deal(stage: Stage) -> Assessment:
    return Assessment(scores={DEAL: 0.9, MEETING: 0.1}, development=0.9, stage=stage, facts=Facts(parties=("IND", "USA")))


ANSWERS = {"ratify": _deal(Stage.RATIFIED), "sign": _deal(Stage.SIGNED)}
SIGNED, RATIFIED = "Ministers sign rice pact", "Ministers ratify rice pact"
# What the sources list, stage by stage: an alert, one more outlet, a follow-up that is a step of the dossier, one more outlet on that.
STAGES = (("wire", SIGNED), ("herald", SIGNED), ("wire", RATIFIED), ("herald", RATIFIED))
WRITES = ("take", "lease", "sent", "edited", "put_back", "hold", "fail", "pause")


class Killed(BaseException):
    """The process is killed."""


@dataclass(kw_only=True)
class Fate:
    """Counts the steps of each stage, and ends the process at number `at` of each."""

    at: int | None = None
    stages: list[list[str]] = field(default_factory=list)
    life: asyncio.Task[None] | None = None

    def dies(self, step: str) -> bool:
        self.stages[-1].append(step)
        return self.at == len(self.stages[-1])

    def step(self, step: str) -> None:
        if self.dies(step):
            raise Killed(step)


class MortalStore:
    """The real store, with a step before and after every call that writes, and at the end of a transaction, before it is committed."""

    def __init__(self, store: SqlStore, fate: Fate) -> None:
        self._store = store
        self._fate = fate

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  (any method of the store)
        found = getattr(self._store, name)
        return self._mortal(name, found) if name in WRITES else found

    def _mortal(self, name: str, call: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def called(*args: object, **more: object) -> Any:  # noqa: ANN401
            self._fate.step(f"before {name}")
            result = await call(*args, **more)
            self._fate.step(f"after {name}")
            return result

        return called

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Any]:
        self._fate.step("before filing")
        async with self._store.begin() as writing:
            yield writing
            self._fate.step("before the commit")
        self._fate.step("after the commit")


@dataclass
class MortalWire:
    """A gate with a step before and after every request: the process dies with the request on its way, or with the answer on its way."""

    fate: Fate

    async def before(self, request: web.Request) -> web.StreamResponse | None:
        return web.Response(status=500) if self._dies("before", request) else None

    async def after(self, request: web.Request) -> bool:
        return not self._dies("after", request)

    def _dies(self, when: str, request: web.Request) -> bool:
        path = re.sub(r"\d+", "N", request.path)
        if not self.fate.dies(f"{when} {request.method} {path}"):
            return False
        assert self.fate.life is not None
        self.fate.life.cancel()  # it ends before the answer reaches it
        return True


class Listing:
    """Sources that list what there is by now (port `Reader`)."""

    def __init__(self) -> None:
        self.listed: dict[str, list[ParsedEntry]] = {"wire": [], "herald": []}

    def fresh(self, states: Mapping[str, SourceState]) -> list[str]:
        """The sources that list something else than when they were last polled: polls of the others write no entries."""
        return [name for name, found in self.listed.items() if found and (name not in states or states[name].etag != str(len(found)))]

    async def read(self, source: Source, state: SourceState, now: datetime) -> Harvest:
        found = self.listed[source.name]
        return Harvest(entries=tuple(found), etag=str(len(found)))


@dataclass(kw_only=True)
class World:
    """Everything that outlives a process."""

    store: SqlStore
    surface: Surface
    senders: Callable[[], AbstractAsyncContextManager[Sender]]
    set_gate: Callable[[MortalWire], None]
    shown: Callable[[], list[object]]
    clock: ManualClock = field(default_factory=ManualClock)
    reader: Listing = field(default_factory=Listing)

    async def play(self, fate: Fate) -> None:
        """All stages; whenever the process dies, another takes its place a minute later, when the lease has run out."""
        self.set_gate(MortalWire(fate))
        for number, (source, title) in enumerate(STAGES):
            fate.stages.append([])
            outlet = {"publisher": source.title()}
            self.reader.listed[source].append(item(title, number, summary="The pact is on rice.", **outlet))
            for _ in range(2):  # the second one finds the edit due
                await self._survived(fate)
                self.clock.advance(seconds=61)

    async def _survived(self, fate: Fate) -> None:
        for _ in range(2):
            fate.life = asyncio.create_task(self._live(fate))
            with suppress(Killed, asyncio.CancelledError):
                await fate.life
                return
            self.clock.advance(seconds=61)

    async def _live(self, fate: Fate) -> None:
        """A process from its start: polls all sources, assesses, and sends what is due."""
        store: Any = MortalStore(self.store, fate)
        pipeline = Pipeline(
            reader=self.reader,
            store=store,
            classifier=FakeClassifier(ANSWERS),
            stories=StoryMatcher(MODEL),
            summarizer=ExtractiveSummarizer(),
            clock=self.clock,
            language=language(),
        )
        await pipeline.assess()  # what a crash left
        states = await self.store.source_states()
        for name in self.reader.fresh(states):
            state = states.get(name, SourceState(name=name, polled=START - timedelta(days=9)))
            await pipeline.poll(Source(name=name, url=f"https://{name}.example/feed"), state)
        await pipeline.assess()
        async with self.senders() as sender:
            await Outbox(store=store, senders={self.surface: sender}, clock=self.clock, seed=1).drain()

    async def compare(self, expected: list[object]) -> None:
        assert self.shown() == expected
        assert await rows(self.store, tables.deliveries, "state", "edit_due", "leased_until") == [("sent", None, None)] * 2


@asynccontextmanager
async def _on_slack(store: SqlStore) -> AsyncIterator[World]:
    async with FakeSlack() as fake:
        await subscribed(store, Destination(surface=Surface.SLACK, address="C1"))

        @asynccontextmanager
        async def senders() -> AsyncIterator[Sender]:
            client = AsyncWebClient(token=fake.bot_token, base_url=fake.api_url, retry_handlers=[])
            yield SlackSender(OneWorkspace(client), Atlas())

        def shown() -> list[object]:
            order = [m.ts for m in fake.messages]
            threads = [order.index(m.thread_ts) if m.thread_ts else None for m in fake.messages]
            return [(at, text_of(m.payload), m.payload.get("reply_broadcast")) for at, m in zip(threads, fake.messages, strict=True)]

        yield World(store=store, surface=Surface.SLACK, senders=senders, set_gate=lambda gate: setattr(fake, "gate", gate), shown=shown)


@asynccontextmanager
async def _on_discord(store: SqlStore) -> AsyncIterator[World]:
    async with FakeDiscord() as fake:
        await subscribed(store, Destination(surface=Surface.DISCORD, address="100"))

        @asynccontextmanager
        async def senders() -> AsyncIterator[Sender]:
            async with discord_opened(token=SecretStr(TOKEN), gazetteer=Atlas(), api_url=fake.api_url) as post:
                yield post.sender

        def shown() -> list[object]:
            order = [m["id"] for m in fake.messages]
            threads = [order.index(m["channel_id"]) if m["channel_id"] in order else None for m in fake.messages]
            texts = [re.sub(r"\d{15,}", "N", str(m["embeds"])) for m in fake.messages]
            return list(zip(threads, texts, strict=True))

        yield World(store=store, surface=Surface.DISCORD, senders=senders, set_gate=lambda gate: setattr(fake, "gate", gate), shown=shown)


async def _played(
    folder: Path, make: Callable[[SqlStore], AbstractAsyncContextManager[World]], fate: Fate, expected: list[object]
) -> list[object]:
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(opened(folder))
        world = await stack.enter_async_context(make(store))
        await world.play(fate)
        if expected:
            await world.compare(expected)
        return world.shown()


def _in(folder: Path, name: str) -> Path:
    own = folder / name
    own.mkdir()
    return own


@pytest.mark.parametrize("make", [_on_slack, _on_discord])
async def test_it_dies_at_every_step_of_every_stage(tmp_path: Path, make: Callable[[SqlStore], AbstractAsyncContextManager[World]]) -> None:
    living = Fate()
    expected = await _played(_in(tmp_path, "living"), make, living, [])
    for at in range(1, max(map(len, living.stages)) + 1):
        try:
            await _played(_in(tmp_path, f"dies at {at}"), make, Fate(at=at), expected)
        except AssertionError as error:
            error.add_note(f"it died at step {at} of each: {[stage[at - 1] for stage in living.stages if len(stage) >= at]}")
            raise
