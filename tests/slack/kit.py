"""What the tests of the Slack room share: developments of our own writing, a store in memory, and a surface that runs for a while."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from bot.domain.alerts import Alert, Delivery, Destination, Surface
from bot.domain.assessment import Person
from bot.domain.developments import Coverage, Development, SummarySentence
from bot.domain.entries import SourceState
from bot.domain.subscriptions import Feedback, Mute, Subscription, Votes
from bot.domain.topics import Stage, Status, Topic
from bot.domain.watch import Effect, WatchKeyword
from bot.judge.watching import Watching
from bot.ports import EntryReport, Query, StatusReport, StoryReport
from bot.storage.store import SqlStore
from handlers.commands import Commands
from handlers.desks import make_commands
from handlers.slack.app import SlackSurface
from tests.fakes.slack_server import FakeSlack
from tests.storage.kit import opened

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
NAMES = {"IND": ("India", "🇮🇳"), "USA": ("United States", "🇺🇸"), "ASEAN": ("ASEAN", "")}


class Atlas:
    """A gazetteer of three places."""

    def find(self, text: str) -> tuple[str, ...]:
        return tuple(code for code, (name, _) in NAMES.items() if name.casefold() in text.casefold() or code in text)

    def name(self, code: str) -> str:
        return NAMES.get(code, (code, ""))[0]

    def codes(self) -> tuple[str, ...]:
        return tuple(NAMES)

    def flag(self, code: str) -> str:
        return NAMES.get(code, ("", ""))[1]


class Noon:
    """A clock that stands."""

    def now(self) -> datetime:
        return NOON


class Shelf:
    """A library in memory. `broken`: every question ends in an error that nobody foresaw; `slow`: seconds before each answer."""

    def __init__(self, *developments: Development) -> None:
        self.held = list(developments)
        self.terms: list[WatchKeyword] = []
        self.broken: Exception | None = None
        self.slow = 0.0
        self.asked = 0
        self.said: list[Feedback] = []
        self.muted: list[Mute] = []
        self.planned: list[Development] = []
        self.subscribed: dict[Destination, Subscription] = {}

    async def developments(self, query: Query) -> list[Development]:
        self.asked += 1
        await asyncio.sleep(self.slow)
        if self.broken:
            raise self.broken
        if query.planned_from is not None:
            return self.planned
        found = [d for d in self.held if query.words.casefold() in d.headline.casefold() and set(query.parties) <= set(d.parties)]
        return [d for d in found if query.topic is None or query.topic in d.topics][: query.limit]

    async def development(self, development_id: str) -> Development | None:
        return next((d for d in self.held if d.development_id == development_id), None)

    async def say(self, feedback: Feedback) -> int:
        self.said.append(feedback)
        return sum(not f.useful for f in self.said)

    async def mute(self, mute: Mute) -> None:
        self.muted.append(mute)

    async def subscriptions(self) -> list[Subscription]:
        return list(self.subscribed.values())

    async def subscription(self, destination: Destination) -> Subscription | None:
        return self.subscribed.get(destination)

    async def keywords(self) -> list[WatchKeyword]:
        return list(self.terms)

    async def add_keyword(self, term: str, actor: str, now: datetime, *, effect: Effect = Effect.WATCH, channel: str = "") -> bool:
        self.terms.append(WatchKeyword(term=term, added_by=actor, added_at=now, effect=effect, channel=channel))
        return True

    async def remove_keyword(self, term: str, actor: str, now: datetime, *, channel: str = "") -> bool:
        kept = [k for k in self.terms if k.term != term]
        removed, self.terms = len(kept) < len(self.terms), kept
        return removed

    async def why(self, name: str) -> EntryReport | None:
        return None

    async def story(self, development_id: str) -> StoryReport | None:
        one = await self.development(development_id)
        return StoryReport(development=one, of=1) if one else None

    async def votes(self, destination: Destination | None = None) -> Votes:
        return Votes()

    async def mutes(self, destination: Destination | None = None) -> list[Mute]:
        return []

    async def status(self) -> StatusReport:
        source = SourceState(name="Harbour Post", polled=NOON, newest=NOON, failures=3, problem="timeout: no answer in 20 s")
        return StatusReport(entries=120, developments=7, alerts=5, pending=1, failed=0, sources=(source,))


def development(**changes: Any) -> Development:  # noqa: ANN401  (any field)
    """Return a development that has everything; `changes` are fields."""
    fields: dict[str, Any] = {
        "development_id": "d0123456789",
        "dossier_id": "trade_deal:IND-USA",
        "topics": (Topic.TRADE_DEAL, Topic.MINISTERIAL_MEETING),
        "headline": "India and United States move closer to a tariff pact & settle farm goods",
        "url": "https://harbour.example/pact?id=7",
        "first_published": NOON,
        "last_published": NOON,
        "stage": Stage.NEGOTIATING,
        "status": Status.HELD,
        "parties": ("IND", "USA"),
        "people": (Person(name="Asha Rao", office="Commerce Minister", country="IND"), Person(name="Dana Cole")),
        "place": "Kuala Lumpur",
        "when": date(2026, 3, 1),
        "summary": (
            SummarySentence(text="The two sides met for three hours on Sunday.", url="https://harbour.example/pact?id=7"),
            SummarySentence(text="Both named a date for the next round.", url="https://gazette.example/round"),
        ),
        "coverage": (
            Coverage(outlet="Harbour Post", url="https://harbour.example/pact?id=7", title="Closer to a pact", published=NOON),
            Coverage(outlet="Quay Gazette", url="https://gazette.example/round", title="A next round", published=NOON),
            Coverage(outlet="Harbour Post", url="https://harbour.example/later", title="Later", published=NOON),
        ),
    }
    return Development(**fields | changes)


def alert(follow_up: str | None = None, **changes: Any) -> Alert:  # noqa: ANN401  (any field)
    """Return an alert about `development(**changes)`."""
    return Alert(development=development(**changes), raised=NOON, follow_up=follow_up)


def delivery(attempts: int = 1, thread: str | None = None, channel: str = "C1", **changes: Any) -> Delivery:  # noqa: ANN401  (any field)
    """Return a delivery of `alert(**changes)` to a channel."""
    where = Destination(surface=Surface.SLACK, address=channel)
    return Delivery(delivery_id=1, destination=where, alert=alert(**changes), attempts=attempts, thread=thread)


def commands(store: Shelf | SqlStore) -> Commands:
    """Return the use cases over a store; ULISTED is an admin by the settings."""
    return make_commands(store=store, gazetteer=Atlas(), language=Watching(Atlas()), clock=Noon(), admins=frozenset({"slack:ULISTED"}))


def surface(fake: FakeSlack, shelf: Shelf | SqlStore, **changes: Any) -> SlackSurface:  # noqa: ANN401  (any field)
    """Return a surface of `fake` over a store; `changes` are arguments."""
    arguments: dict[str, Any] = {
        "bot_token": SecretStr(fake.bot_token),
        "app_token": SecretStr(fake.app_token),
        "commands": commands(shelf),
        "gazetteer": Atlas(),
        "api_url": fake.api_url,
    }
    return SlackSurface(**arguments | changes)


async def announce(store: SqlStore, told: Development) -> None:
    """Keep a development in a real store, as the pipeline does."""
    async with store.begin() as writing:
        await writing.save(told, ())
        await writing.enqueue(Alert(development=told, raised=NOON), {})


async def eventually(check: Callable[[], Awaitable[object]]) -> None:
    """Wait until `check` is true: of what is done after Slack has its acknowledgement, and calls nobody. Raises TimeoutError."""
    async with asyncio.timeout(5.0):
        while not await check():  # noqa: ASYNC110  (nobody tells)
            await asyncio.sleep(0.01)


@asynccontextmanager
async def signed_in(fake: FakeSlack, path: Path) -> AsyncIterator[tuple[SlackSurface, SqlStore]]:
    """Yield a surface of `fake` that listens, and its real store."""
    async with opened(path) as store, running(surface(fake, store)) as slack:
        yield slack, store


@asynccontextmanager
async def running(slack: SlackSurface) -> AsyncIterator[SlackSurface]:
    """Run a surface until the block ends; an error that ended it earlier is raised."""
    task = asyncio.create_task(slack.run())
    ready = asyncio.create_task(slack.ready.wait())
    try:
        await asyncio.wait((task, ready), timeout=5.0, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            await task
        assert slack.ready.is_set()
        yield slack
    finally:
        ready.cancel()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
