"""`sources …`: what anybody sees, what admins change, and that it counts at once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from bot.app import open_store, read_places
from bot.domain.alerts import Surface
from bot.domain.entries import Kind, ParsedEntry, Source, SourceState, merged
from bot.domain.errors import SourceError
from bot.judge.watching import Watching
from bot.ports import Harvest, Probe
from bot.storage.database import MEMORY
from bot.storage.store import SqlStore
from handlers.desks import make_commands
from handlers.grammar import Actor
from handlers.replies import Reply
from handlers.sources import SourceDesk
from tests.fakes.clock import START, ManualClock
from tests.fakes.reader import FakeReader

ADMIN = Actor(surface=Surface.SLACK, user="U1", admin=True)
READER = Actor(surface=Surface.DISCORD, user="2")
LISTED = (
    Source(name="Wire", url="https://wire.example/feed", group="press"),
    Source(name="Ministry", url="https://ministry.example/list", kind=Kind.PAGE, group="official"),
)
ENTRIES = tuple(ParsedEntry(title=f"Entry {n}", url=f"https://wire.example/{n}", published=START - timedelta(hours=n)) for n in range(8))


class Finder:
    """Finds the same feed behind every page (port `Prober`)."""

    async def probe(self, url: str, kind: Kind | None, now: datetime) -> Probe:
        return await self.discover(url, now)

    async def discover(self, url: str, now: datetime) -> Probe:
        if "nothing" in url:
            raise SourceError("html", "this is a web page without a feed")
        return Probe(url="https://new.example/feed", title="New Paper", entries=ENTRIES, seconds=0.12, newest=START)


class Desk:
    """The commands over a store, with a reader that is scripted."""

    def __init__(self, store: SqlStore) -> None:
        self.store, self.reader, self.changes = store, FakeReader(), 0
        desk = SourceDesk(library=store, reader=self.reader, prober=Finder(), listed=LISTED, clock=ManualClock(), changed=self._changed)
        self._commands = make_commands(
            store=store, gazetteer=read_places(), language=Watching(read_places()), clock=ManualClock(), admins=frozenset(), sources=desk
        )

    async def _changed(self) -> None:
        self.changes += 1

    async def say(self, line: str, actor: Actor = ADMIN) -> Reply:
        return await self._commands.answer_line(actor, line)

    async def polled(self) -> list[str]:
        return [f"{s.name}{' (paused)' if s.paused else ''}" for s in merged(LISTED, await self.store.source_changes())]


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with open_store(MEMORY) as store:
        yield Desk(store)


async def test_the_table_shows_the_worst_first(desk: Desk) -> None:
    async with desk.store.begin() as writing:
        await writing.record_poll(SourceState(name="Wire", polled=START, arrived=START, rhythm=1800.0))
        await writing.record_poll(SourceState(name="Ministry", failures=4, problem="timeout: it did not answer"))
    reply = await desk.say("sources", READER)
    assert [item.title for item in reply.items] == ["Ministry", "Wire"]
    assert reply.items[0].chips[0] == "failing"
    assert reply.items[0].body == "timeout: it did not answer"
    assert reply.items[1].chips == ("ok", "press", "0 entries", "usually every 30 min")
    assert reply.facts == (("Health", "1 ok, 1 failing"),)


async def test_before_the_first_poll(desk: Desk) -> None:
    reply = await desk.say("sources list", READER)
    assert {item.chips[0] for item in reply.items} == {"ok"}


@pytest.mark.parametrize(
    "line",
    ["sources add https://new.example yes", "sources remove Wire", "sources pause Wire", "sources resume Wire", "sources check Wire"],
)
async def test_only_admins_change_something(desk: Desk, line: str) -> None:
    reply = await desk.say(line, READER)
    assert reply.error
    assert "admins" in reply.note
    assert desk.changes == 0
    assert await desk.polled() == ["Wire", "Ministry"]


async def test_adding_shows_five_entries_and_asks(desk: Desk) -> None:
    shown = await desk.say("sources add https://new.example/")
    assert [item.title for item in shown.items] == [f"Entry {n}" for n in range(5)]
    assert shown.note == "To add it: sources add https://new.example/feed yes"
    assert await desk.polled() == ["Wire", "Ministry"]
    added = await desk.say("sources add https://new.example/feed yes")
    assert added.title == "Added New Paper"
    assert await desk.polled() == ["Wire", "Ministry", "New Paper"]
    assert desk.changes == 1
    again = await desk.say("sources add https://new.example/feed yes")
    assert again.error


async def test_a_page_without_a_feed_says_so(desk: Desk) -> None:
    reply = await desk.say("sources add https://nothing.example/")
    assert reply.error
    assert "without a feed" in reply.note


async def test_removing_and_taking_back(desk: Desk) -> None:
    await desk.say("sources add https://new.example/feed yes")
    assert not (await desk.say("sources remove new paper")).error
    assert not (await desk.say("sources remove Wire")).error
    assert await desk.polled() == ["Ministry"]
    assert (await desk.say("sources remove Wire")).error
    assert not (await desk.say("sources add https://new.example/feed yes")).error
    assert await desk.polled() == ["Ministry", "New Paper"]


async def test_pausing_and_resuming(desk: Desk) -> None:
    await desk.say("sources pause wire")
    assert await desk.polled() == ["Wire (paused)", "Ministry"]
    table = await desk.say("sources")
    assert {item.title: item.chips[0] for item in table.items}["Wire"] == "paused"
    await desk.say("sources resume wire")
    assert await desk.polled() == ["Wire", "Ministry"]


async def test_resuming_revives_what_had_retired(desk: Desk) -> None:
    async with desk.store.begin() as writing:
        await writing.record_poll(SourceState(name="Wire", retired=START, failures=1))
    await desk.say("sources resume Wire")
    state = (await desk.store.source_states())["Wire"]
    assert (state.retired, state.failures) == (None, 0)


async def test_checking_reads_it_now(desk: Desk) -> None:
    desk.reader.script("Ministry", Harvest(entries=ENTRIES, problem="the feed is not well-formed"))
    reply = await desk.say("sources check minist")
    facts = dict(reply.facts)
    assert (facts["Entries"], facts["Problem"]) == ("8", "the feed is not well-formed")
    desk.reader.script("Wire", SourceError("timeout", "it did not answer"))
    assert (await desk.say("sources check Wire")).error


@pytest.mark.parametrize(
    ("line", "says"),
    [("sources check i", "Which one"), ("sources check xyz", "There is no source"), ("sources fly", "Usage"), ("sources pause", "Usage")],
)
async def test_what_makes_no_sense_is_answered(desk: Desk, line: str, says: str) -> None:
    reply = await desk.say(line)
    assert reply.error
    assert says in reply.note


async def test_without_a_running_bot_there_are_no_sources() -> None:
    async with open_store(MEMORY) as store:
        commands = make_commands(
            store=store, gazetteer=read_places(), language=Watching(read_places()), clock=ManualClock(), admins=frozenset()
        )
        assert (await commands.answer_line(READER, "sources")).error
