"""What the tests of this room share: a small gazetteer, a library in memory, developments of our own invention."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, date, datetime, timedelta

from pydantic import SecretStr

from bot.domain.alerts import Alert, Delivery, Destination, Surface
from bot.domain.assessment import Person
from bot.domain.decisions import Reason
from bot.domain.developments import Coverage, Development, SummarySentence
from bot.domain.entries import Entry
from bot.domain.subscriptions import Feedback, Mute, Subscription, Votes
from bot.domain.topics import Stage, Topic
from bot.domain.watch import Effect, WatchKeyword
from bot.judge.watching import Watching
from bot.ports import EntryReport, Query, StatusReport, StoryReport
from handlers.desks import make_commands
from handlers.discord.client import DiscordSurface
from tests.fakes.discord_server import TOKEN, FakeDiscord

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
COUNTRIES = {"ARL": ("Arlandia", "🅰️"), "BOR": ("Borduria", "🅱️")}


class Atlas:
    """A gazetteer of two countries."""

    def find(self, text: str) -> tuple[str, ...]:
        """Find countries by name."""
        return tuple(code for code, (name, _) in COUNTRIES.items() if name.casefold() in text.casefold())

    def name(self, code: str) -> str:
        """Name a country."""
        return COUNTRIES.get(code, (code, ""))[0]

    def codes(self) -> tuple[str, ...]:
        """List the countries."""
        return tuple(COUNTRIES)

    def flag(self, code: str) -> str:
        """Show a flag."""
        return COUNTRIES.get(code, (code, ""))[1]


class Fixed:
    """A clock that stands still."""

    def now(self) -> datetime:
        """Return NOW."""
        return NOW


class Shelf:
    """A library in memory. `broken` makes every look at the developments fail; `seconds` makes it slow."""

    def __init__(self, *developments: Development, seconds: float = 0.0) -> None:
        self.stored = list(developments)
        self.terms: list[WatchKeyword] = []
        self.queries: list[Query] = []
        self.seconds = seconds
        self.broken = False
        self.said: list[Feedback] = []
        self.muted: list[Mute] = []

    async def developments(self, query: Query) -> list[Development]:
        """Return what is stored and of the topic."""
        self.queries.append(query)
        if query.planned_from is not None:
            return []
        await asyncio.sleep(self.seconds)
        if self.broken:
            raise RuntimeError("the disk is on fire")
        return [d for d in self.stored if query.topic is None or query.topic in d.topics][: query.limit]

    async def development(self, development_id: str) -> Development | None:
        """Return one."""
        if self.broken:
            raise RuntimeError("the disk is on fire")
        return next((d for d in self.stored if d.development_id == development_id), None)

    async def say(self, feedback: Feedback) -> int:
        """Keep what was said; count those who find it not relevant."""
        self.said.append(feedback)
        return sum(not f.useful for f in self.said)

    async def mute(self, mute: Mute) -> None:
        """Keep a mute."""
        self.muted.append(mute)

    async def keywords(self) -> list[WatchKeyword]:
        """Return the keywords."""
        return self.terms

    async def add_keyword(self, term: str, actor: str, now: datetime, *, effect: Effect = Effect.WATCH, channel: str = "") -> bool:
        """Add one."""
        self.terms.append(WatchKeyword(term=term, added_by=actor, added_at=now, effect=effect, channel=channel))
        return True

    async def remove_keyword(self, term: str, actor: str, now: datetime, *, channel: str = "") -> bool:
        """Remove one."""
        before = len(self.terms)
        self.terms = [k for k in self.terms if k.term != term]
        return len(self.terms) < before

    async def why(self, name: str) -> EntryReport | None:
        """Know one entry."""
        entry = Entry(
            entry_id=1, key="e1", source="Gazette", url="https://gazette.example/1", title="A pact", summary="", published=NOW, seen=NOW
        )
        return EntryReport(entry=entry, assessment=None, reason=Reason.NEW_DEVELOPMENT) if name == "e1" else None

    async def story(self, development_id: str) -> StoryReport | None:
        one = await self.development(development_id)
        return StoryReport(development=one, of=1) if one else None

    async def votes(self, destination: Destination | None = None) -> Votes:
        return Votes()

    async def subscription(self, destination: Destination) -> Subscription | None:
        return None

    async def mutes(self, destination: Destination | None = None) -> list[Mute]:
        return []

    async def status(self) -> StatusReport:
        """Count."""
        return StatusReport(entries=12, developments=len(self.stored), alerts=1, pending=0, failed=0)


def development(number: int = 1, **changes: object) -> Development:
    """Return a development; `changes` replace fields."""
    fields: dict[str, object] = {
        "development_id": f"d{number}",
        "dossier_id": "trade_deal:ARL-BOR",
        "topics": (Topic.TRADE_DEAL,),
        "headline": "Arlandia and Borduria sign pact on timber",
        "url": "https://gazette.example/timber",
        "first_published": NOW,
        "last_published": NOW,
        "stage": Stage.SIGNED,
        "parties": ("ARL", "BOR"),
        "people": (Person(name="Ada Vane", office="Trade Minister", country="ARL"), Person(name="Oskar Brill")),
        "place": "Port Amber",
        "when": date(2026, 3, 3),
        "summary": (
            SummarySentence(text="The two trade ministers signed the timber pact on Tuesday.", url="https://gazette.example/timber"),
            SummarySentence(text="Tariffs on sawn wood fall to zero within four years.", url="https://herald.example/wood"),
        ),
        "coverage": (
            Coverage(outlet="The Gazette", url="https://gazette.example/timber", title="Timber pact", published=NOW),
            Coverage(outlet="The Herald", url="https://herald.example/wood?a=1&b=(2)", title="Wood", published=NOW + timedelta(hours=1)),
            Coverage(outlet="The Gazette", url="https://gazette.example/again", title="Again", published=NOW + timedelta(hours=2)),
        ),
    }
    return Development(**(fields | changes))  # type: ignore[arg-type]  # a builder: the fields are those of the class


def delivery(number: int = 1, *, thread: str | None = None, channel: str = "100", follow_up: str | None = None) -> Delivery:
    """Return a delivery of development `number`."""
    alert = Alert(development=development(number), raised=NOW, follow_up=follow_up)
    return Delivery(
        delivery_id=number, destination=Destination(surface=Surface.DISCORD, address=channel), alert=alert, attempts=1, thread=thread
    )


def surface(
    fake: FakeDiscord, shelf: Shelf | None = None, *, guild: int | None = 500, token: str = TOKEN, seconds: float = 3.0
) -> DiscordSurface:
    """Return a surface that is pointed at `fake`."""
    commands = make_commands(
        store=shelf or Shelf(development()), gazetteer=Atlas(), language=Watching(Atlas()), clock=Fixed(), admins=frozenset({"discord:77"})
    )
    return DiscordSurface(
        token=SecretStr(token), commands=commands, gazetteer=Atlas(), guild=guild, api_url=fake.api_url, send_seconds=seconds
    )


@asynccontextmanager
async def running(it: DiscordSurface) -> AsyncIterator[DiscordSurface]:
    """Run the surface; on leaving it is cancelled and waited for."""
    task = asyncio.create_task(it.run())
    try:
        async with asyncio.timeout(5):
            await it.ready.wait()
        yield it
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
