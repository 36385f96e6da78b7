"""The port `Reader` as the sources offer it, over the loopback."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.domain.entries import Kind
from bot.domain.errors import SourceError
from bot.ports import Harvest, Reader
from bot.sources.limits import Limits
from bot.sources.reader import SourceReader
from tests.sources.kit import NOON, Names, item, many, reader, rss, source, state
from tests.sources.server import WebServer


@pytest.fixture
async def server() -> AsyncIterator[WebServer]:
    async with WebServer() as running:
        yield running


@pytest.fixture
async def mine() -> AsyncIterator[SourceReader]:
    async with reader() as it:
        yield it


async def refused(mine: Reader, url: str, kind: Kind = Kind.FEED) -> str:
    with pytest.raises(SourceError) as caught:
        await mine.read(source(url, kind), state(), NOON)
    return caught.value.reason


async def test_a_feed_is_read_and_then_only_what_changed(server: WebServer, mine: SourceReader) -> None:
    server.put("/f", rss(item()), headers={"Last-Modified": "Mon, 02 Mar 2026 10:00:00 GMT"})
    first = await mine.read(source(server.url("/f")), state(), NOON)
    assert [e.title for e in first.entries] == ["Ministers meet in Port Arland"]
    second = await mine.read(source(server.url("/f")), state(first.etag, first.modified), NOON)
    assert second == Harvest(unchanged=True, etag=first.etag, modified=first.modified)
    server.put("/f", rss(item(), item("Pact signed", link="/2")))
    third = await mine.read(source(server.url("/f")), state(second.etag, second.modified), NOON)
    assert len(third.entries) == 2
    assert server.hits("/f") == 3


async def test_what_was_wrong_still_is_while_nothing_changes(server: WebServer, mine: SourceReader) -> None:
    server.put("/f", rss(item("Timber & wool")))
    first = await mine.read(source(server.url("/f")), state(), NOON)
    assert first.problem
    again = await mine.read(source(server.url("/f")), state(first.etag, problem=first.problem), NOON)
    assert (again.unchanged, again.problem) == (True, first.problem)
    recovered = await mine.read(source(server.url("/f")), state(first.etag, problem="timeout: …", failures=2), NOON)
    assert (recovered.unchanged, recovered.problem) == (True, None)


async def test_a_feed_that_breaks_off_is_fetched_whole_the_next_time(server: WebServer, mine: SourceReader) -> None:
    server.put("/f", rss(*many(5))[:-60])
    harvest = await mine.read(source(server.url("/f")), state(), NOON)
    assert (len(harvest.entries), harvest.etag, harvest.modified) == (4, None, None)
    assert harvest.problem == "the feed breaks off before its end"


async def test_a_feed_that_moved_says_so(server: WebServer, mine: SourceReader) -> None:
    server.put("/new", rss(item()))
    server.redirect("/old", "/new", status=301)
    harvest = await mine.read(source(server.url("/old")), state(), NOON)
    assert len(harvest.entries) == 1
    assert (harvest.moved, harvest.problem) == (server.url("/new"), None)


async def test_every_kind_is_read_its_own_way(server: WebServer, mine: SourceReader) -> None:
    server.put("/p", "<article><h2><a href=/x>Pact signed</a></h2></article>", "text/html")
    server.put("/g", json.dumps({"articles": [{"title": "Envoy named", "url": "https://courier.example/1", "domain": "courier.example"}]}))
    page = await mine.read(source(server.url("/p"), Kind.PAGE, item="article"), state(), NOON)
    assert [(e.title, e.url) for e in page.entries] == [("Pact signed", server.url("/x"))]
    answer = await mine.read(source(server.url("/g"), Kind.GDELT), state(), NOON)
    assert [(e.title, e.publisher) for e in answer.entries] == [("Envoy named", "courier.example")]


async def test_faults_have_their_words(server: WebServer, mine: SourceReader) -> None:
    server.put("/html", "<!doctype html><html><body>news</body></html>", "text/html")
    server.put("/empty", "")
    server.put("/words", "Please limit requests.")
    assert await refused(mine, server.url("/html")) == "html"
    assert await refused(mine, server.url("/empty")) == "empty"
    assert await refused(mine, server.url("/words"), Kind.GDELT) == "api"
    assert await refused(mine, server.url("/html"), Kind.PAGE) == "selector"
    assert await refused(mine, server.url("/none")) == "not-found"
    assert await refused(mine, "http://[") == "address"


async def test_private_addresses_are_refused_unless_allowed(server: WebServer) -> None:
    server.put("/f", rss(item()))
    async with reader(allow_private=False, resolve=Names(paper_example=["127.0.0.1"])) as strict:
        assert await refused(strict, server.url("/f")) == "address"
        assert await refused(strict, server.url("/f", "paper.example")) == "address"
    assert server.hits("/f") == 0


async def test_overlapping_polls_of_one_address_share_a_fetch(server: WebServer, mine: SourceReader) -> None:
    server.put("/f", rss(item()), drip=0.0005)
    one = source(server.url("/f"))
    harvests = await asyncio.gather(*(mine.read(one, state(), NOON) for _ in range(5)))
    assert server.hits("/f") == 1
    assert all(h == harvests[0] for h in harvests)
    await mine.read(one, state(), NOON)
    assert server.hits("/f") == 2


async def test_one_who_gives_up_does_not_cost_the_others_their_poll(server: WebServer, mine: SourceReader) -> None:
    server.put("/f", rss(item()), drip=0.0005)
    one = source(server.url("/f"))
    impatient = asyncio.create_task(mine.read(one, state(), NOON))
    patient = asyncio.create_task(mine.read(one, state(), NOON))
    await asyncio.sleep(0.05)
    impatient.cancel()
    with pytest.raises(asyncio.CancelledError):
        await impatient
    assert len((await patient).entries) == 1


async def test_closing_ends_the_polls_under_way_with_a_word(server: WebServer) -> None:
    server.put("/f", b"x" * 1_000, drip=0.1)
    mine = reader()
    polls = [asyncio.create_task(mine.read(source(server.url("/f")), state(), NOON)) for _ in range(2)]
    await asyncio.sleep(0.1)
    await mine.aclose()
    for poll in polls:
        with pytest.raises(SourceError, match="the reader was closed"):
            await poll


async def test_questions_to_gdelt_keep_their_distance(server: WebServer) -> None:
    server.put("/g", "{}", etag=False)
    began = time.perf_counter()
    async with reader(Limits(gdelt_pause=0.15)) as mine:
        await asyncio.gather(*(mine.read(source(server.url(f"/g?{n}"), Kind.GDELT), state(), NOON) for n in range(3)))
    assert time.perf_counter() - began >= 0.3
    assert server.most_open == 1


async def test_the_loop_stays_free_while_a_large_feed_is_parsed(server: WebServer, mine: SourceReader) -> None:
    server.put("/f", rss(*many(1_500)))
    poll = asyncio.create_task(mine.read(source(server.url("/f")), state(), NOON))
    longest, last = 0.0, time.perf_counter()
    while not poll.done():
        await asyncio.sleep(0.001)
        longest, last = max(longest, time.perf_counter() - last), time.perf_counter()
    assert len((await poll).entries) == 1_500
    assert longest < 0.5


async def test_entries_are_as_many_as_the_limit_says(server: WebServer) -> None:
    server.put("/f", rss(*many(30)))
    async with reader(Limits(entries=7)) as mine:
        assert len((await mine.read(source(server.url("/f")), state(), NOON)).entries) == 7


async def test_a_parser_that_takes_too_long_is_given_up(server: WebServer) -> None:
    server.put("/f", rss(*many(1_500)))
    async with reader(Limits(parsing=0.01)) as mine:
        assert await refused(mine, server.url("/f")) == "internal"


async def test_foreign_errors_are_internal_and_cost_nobody_else(server: WebServer) -> None:
    class Broken(Names):
        async def __call__(self, host: str, port: int) -> list[str]:
            raise ZeroDivisionError("a mistake of ours")

    server.put("/f", rss(item()))
    async with reader(resolve=Broken()) as mine:
        assert await refused(mine, "http://paper.example/") == "internal"
        assert len((await mine.read(source(server.url("/f")), state(), NOON)).entries) == 1


async def test_dates_are_judged_by_the_hour_of_the_poll(server: WebServer, mine: SourceReader) -> None:
    server.put("/f", rss(item(pubDate="Mon, 02 Mar 2026 14:00:00 GMT")))
    early = await mine.read(source(server.url("/f")), state(), NOON)
    late = await mine.read(source(server.url("/f")), state(), NOON + timedelta(hours=5))
    assert early.entries[0].published == NOON
    assert late.entries[0].published == NOON + timedelta(hours=2)


def test_it_is_a_reader() -> None:
    port: type[Reader] = SourceReader
    assert port is SourceReader
