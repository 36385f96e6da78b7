"""What the feed server of the fakes publishes, read by the reader; and hostile words in addresses and documents beyond the other suites."""

from __future__ import annotations

import asyncio
import time
import unicodedata
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import SourceError
from bot.sources.addresses import Policy
from bot.sources.feeds import read_feed
from bot.sources.limits import Limits
from bot.sources.wire import Door
from tests.fakes.feed_server import ATOM, JSON_FEED, RSS, FeedServer, Item, atom, json_feed, rss
from tests.sources.kit import NOON, Names, document, reader, some, source, state

ITEMS: list[Item] = [
    ("Pact on timber & wool signed", "Both sides <agreed>.", "https://paper.example/2?a=1&b=2", "g2", NOON - timedelta(hours=1)),
    ("Envoy named for Borduria", "", "https://paper.example/1", "g1", NOON - timedelta(hours=2)),
]
Write = Callable[[Iterable[Item]], str]


@pytest.fixture
async def server() -> AsyncIterator[FeedServer]:
    async with FeedServer() as running:
        yield running


@pytest.mark.parametrize(("write", "kind"), [(rss, RSS), (atom, ATOM), (json_feed, JSON_FEED)])
async def test_every_document_is_read_back_and_answered_with_304(server: FeedServer, write: Write, kind: str) -> None:
    server.put("/f", write(ITEMS), kind)
    async with reader() as mine:
        first = await mine.read(source(server.url("/f")), state(), NOON)
        again = await mine.read(source(server.url("/f")), state(first.etag), NOON)
    assert [(e.title, e.url, e.guid, e.published) for e in first.entries] == [(t, url, guid, at) for t, _, url, guid, at in ITEMS[::-1]]
    assert (first.problem, again.unchanged, again.etag) == (None, True, first.etag)
    assert (server.hits("/f"), server.asked("/f")[1]["if-none-match"]) == (2, first.etag)


@pytest.mark.parametrize("write", [rss, atom, json_feed])
def test_an_item_with_a_title_only_is_an_entry_without_the_rest(write: Write) -> None:
    (entry,) = read_feed(document(write([("Envoy named for Borduria", "", "", "", None)])), NOON, 10).entries
    assert (entry.title, entry.url, entry.summary, entry.guid, entry.published) == ("Envoy named for Borduria", "", "", "", None)


async def test_a_source_that_drips_or_fails_disturbs_no_other(server: FeedServer) -> None:
    server.drip("/slow", rss(ITEMS), 0.1)
    server.put("/busy", "", status=429, headers={"Retry-After": "30"})
    server.put("/good", rss(ITEMS))
    began = time.perf_counter()
    async with reader(Limits(seconds=0.4, per_host=4)) as mine:
        polls = (mine.read(source(server.url(path)), state(), NOON) for path in ("/slow", "/busy", "/good", "/none"))
        slow, busy, good, none = await asyncio.gather(*polls, return_exceptions=True)
    assert isinstance(slow, SourceError)
    assert isinstance(busy, SourceError)
    assert isinstance(none, SourceError)
    assert not isinstance(good, BaseException)
    assert (slow.reason, busy.reason, busy.retry_after, none.reason, len(good.entries)) == ("timeout", "busy", 30, "not-found", 2)
    assert time.perf_counter() - began < 2


async def test_headers_of_a_test_take_the_place_of_the_servers_own(server: FeedServer) -> None:
    server.put("/f", rss(ITEMS), headers={"ETag": '"mine"'})
    async with reader() as mine:
        assert (await mine.read(source(server.url("/f")), state(), NOON)).etag == '"mine"'


async def test_names_of_the_inside_are_refused_by_what_they_mean() -> None:
    names = Names(localhost=["127.0.0.1"], metadata_google_internal=["169.254.169.254"], six_example=["::ffff:10.0.0.1"])
    for host in ("localhost", "metadata.google.internal", "six.example"):
        with pytest.raises(SourceError, match=r"^address: "):
            await Door(Policy(), names).connect_tcp(host, 80)


TEXT = st.text(st.sampled_from("aB<>&;#x8238\x00\x08\x1f\x7f\x85\u200b\u202e\u2028\ufeff\ud800é\n\t"), max_size=40)


@some
@given(TEXT, TEXT, TEXT, st.sampled_from([rss, atom, json_feed]))
def test_no_entry_holds_a_control_or_format_character(title: str, summary: str, link: str, write: Write) -> None:
    written = write([(f"Envoy {title}", summary, f"https://paper.example/{link}", link, NOON)])
    try:
        listing = read_feed(document(written.encode("utf-8", "surrogatepass")), NOON, 10)
    except SourceError:
        return
    for entry in listing.entries:
        words = f"{entry.title}{entry.summary}{entry.url}{entry.guid}{entry.publisher or ''}"
        assert not [c for c in words if unicodedata.category(c) in ("Cc", "Cf", "Cs")]
