"""The port `Prober` as the sources offer it: addresses read once, and the feeds that pages name, over the loopback."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import ports
from bot.domain.entries import Kind
from bot.domain.errors import SourceError
from bot.ports import Probe
from bot.sources.limits import Limits
from bot.sources.probing import Prober, feed_link, feed_title
from tests.sources.kit import NOON, Names, document, item, many, reader, rss, some
from tests.sources.server import WebServer

RSS, ATOM = "application/rss+xml", "application/atom+xml"
HOME = "https://paper.example/world/"


@pytest.fixture
async def server() -> AsyncIterator[WebServer]:
    async with WebServer() as running:
        yield running


@pytest.fixture
async def mine() -> AsyncIterator[Prober]:
    async with reader() as it:
        yield it.prober


def link(href: str, type_: str = RSS, title: str = "", rel: str = "alternate") -> str:
    return f'<link rel="{rel}" type="{type_}" title="{title}" href="{href}">'


def page(*head: str, body: str = "<h1>News</h1>") -> str:
    return f"<!doctype html><html><head><title>The Courier</title>{''.join(head)}</head><body>{body}</body></html>"


async def refused(mine: Prober, url: str, kind: Kind | None = None) -> str:
    with pytest.raises(SourceError) as caught:
        await mine.probe(url, kind, NOON)
    return caught.value.reason


async def undiscovered(mine: Prober, url: str) -> SourceError:
    with pytest.raises(SourceError) as caught:
        await mine.discover(url, NOON)
    return caught.value


async def test_a_feed_is_read_once_and_said_in_full(server: WebServer, mine: Prober) -> None:
    server.put(
        "/f", rss(item(pubDate="Mon, 02 Mar 2026 10:00:00 GMT"), item("Pact signed", link="/2", pubDate="Sun, 01 Mar 2026 10:00:00 GMT"))
    )
    probe = await mine.probe(server.url("/f"), None, NOON)
    assert [e.title for e in probe.entries] == ["Pact signed", "Ministers meet in Port Arland"]
    assert (probe.url, probe.title, probe.problem, probe.moved) == (server.url("/f"), "The Arland Courier", None, None)
    assert probe.newest == datetime(2026, 3, 2, 10, tzinfo=UTC)
    assert 0 < probe.seconds < 10
    assert "If-None-Match" not in server.asked("/f")[0]


async def test_without_a_title_or_dates_the_host_stands_in_and_nothing_is_newest(server: WebServer, mine: Prober) -> None:
    server.put("/f", rss(item(), head=""))
    probe = await mine.probe(server.url("/f"), Kind.FEED, NOON)
    assert (probe.title, probe.newest) == ("127.0.0.1", None)


async def test_a_feed_that_moved_or_limps_says_so(server: WebServer, mine: Prober) -> None:
    server.put("/new", rss(*many(3))[:-60])
    server.redirect("/old", "/new", status=301)
    server.redirect("/for-now", "/new", status=302)
    probe = await mine.probe(server.url("/old"), None, NOON)
    assert (probe.url, probe.moved) == (server.url("/old"), server.url("/new"))
    assert (len(probe.entries), probe.problem) == (2, "the feed breaks off before its end")
    assert (await mine.probe(server.url("/for-now"), None, NOON)).moved is None


async def test_each_kind_is_probed_its_own_way(server: WebServer, mine: Prober) -> None:
    server.put("/g", json.dumps({"articles": [{"title": "Envoy named", "url": "https://courier.example/1", "domain": "courier.example"}]}))
    server.put("/p", page(body="<article><h2><a href=/x>Pact signed</a></h2></article>"), "text/html")
    answer = await mine.probe(server.url("/g"), Kind.GDELT, NOON)
    assert ([e.title for e in answer.entries], answer.title) == (["Envoy named"], "127.0.0.1")
    assert await refused(mine, server.url("/p"), Kind.PAGE) == "selector"
    assert await refused(mine, server.url("/g")) == "not-a-feed"


async def test_gdelts_address_is_known(server: WebServer) -> None:
    server.put("/api", json.dumps({"articles": [{"title": "Envoy named", "url": "https://courier.example/1"}]}))
    async with reader(resolve=Names(api_gdeltproject_org=["127.0.0.1"])) as it:
        url = server.url("/api", "api.gdeltproject.org")
        assert len((await it.prober.probe(url, None, NOON)).entries) == 1
        assert len((await it.prober.discover(url, NOON)).entries) == 1


async def test_questions_to_gdelt_keep_the_distance_of_the_polls(server: WebServer) -> None:
    server.put("/g", "{}", etag=False)
    async with reader(Limits(gdelt_pause=0.15)) as it:
        began = asyncio.get_running_loop().time()
        await asyncio.gather(*(it.prober.probe(server.url(f"/g?{n}"), Kind.GDELT, NOON) for n in range(3)))
    assert asyncio.get_running_loop().time() - began >= 0.3


async def test_faults_have_the_words_of_the_polls(server: WebServer, mine: Prober) -> None:
    server.put("/html", page(), "text/html")
    server.put("/empty", "")
    for url, reason in (
        (server.url("/html"), "html"),
        (server.url("/empty"), "empty"),
        (server.url("/no"), "not-found"),
        ("http://[", "address"),
    ):
        assert await refused(mine, url) == reason
    for url in ("http://[", "ftp://paper.example/f", "paper.example", ""):
        assert (await undiscovered(mine, url)).reason == "address"


async def test_a_page_leads_to_its_feed(server: WebServer, mine: Prober) -> None:
    server.put(
        "/home", page(link("/comments", title="The Courier » Comments Feed"), link("feed.xml", title="The Courier » Feed")), "text/html"
    )
    server.put("/feed.xml", rss(item()))
    probe = await mine.discover(server.url("/home"), NOON)
    assert (probe.url, probe.title, len(probe.entries)) == (server.url("/feed.xml"), "The Arland Courier", 1)
    assert (server.hits("/home"), server.hits("/feed.xml"), server.hits("/comments")) == (1, 1, 0)


async def test_a_feed_needs_no_second_question(server: WebServer, mine: Prober) -> None:
    server.put("/f", rss(item()))
    assert isinstance(await mine.discover(server.url("/f"), NOON), Probe)
    assert server.hits("/f") == 1


async def test_a_page_that_names_no_feed_or_names_a_page_says_so(server: WebServer, mine: Prober) -> None:
    server.put("/none", page(), "text/html")
    server.put("/loop", page(link("/loop")), "text/html")
    server.put("/data", '{"news": []}', "application/json")
    assert str(await undiscovered(mine, server.url("/none"))) == "html: this is a web page that names no feed"
    assert (await undiscovered(mine, server.url("/loop"))).reason == "html"
    assert server.hits("/loop") == 2
    assert (await undiscovered(mine, server.url("/data"))).reason == "not-a-feed"


async def test_a_page_cannot_lead_into_a_private_network(server: WebServer) -> None:
    names = Names(paper_example=["127.0.0.1"], inside_example=["10.0.0.1"])
    server.put("/metadata", page(link("http://169.254.169.254/latest/")), "text/html")
    async with reader(resolve=names) as it:  # loopback is allowed, so that the page can be served; link-local never is
        assert (await undiscovered(it.prober, server.url("/metadata"))).reason == "address"
    async with reader(allow_private=False, resolve=names) as it:
        for url in (server.url("/metadata"), server.url("/metadata", "paper.example"), "http://inside.example/"):
            assert (await undiscovered(it.prober, url)).reason == "address"
    assert server.hits("/metadata") == 1


async def test_a_page_that_would_keep_a_parser_busy_is_refused(server: WebServer, mine: Prober) -> None:
    server.put("/deep", page(body="<div>" * 3_000), "text/html")
    assert (await undiscovered(mine, server.url("/deep"))).reason == "broken"


async def test_entries_and_time_are_bounded(server: WebServer) -> None:
    server.put("/f", rss(*many(30)))
    server.put("/slow", rss(item()), drip=0.05)
    async with reader(Limits(entries=7, seconds=0.5)) as it:
        assert len((await it.prober.probe(server.url("/f"), None, NOON)).entries) == 7
        assert await refused(it.prober, server.url("/slow")) == "timeout"


async def test_after_the_readers_end_there_is_a_word_and_no_other_error(server: WebServer) -> None:
    server.put("/f", rss(item()))
    async with reader() as it:
        mine = it.prober
    assert await refused(mine, server.url("/f")) == "internal"
    assert (await undiscovered(mine, server.url("/f"))).reason == "internal"


@pytest.mark.parametrize(
    ("head", "found"),
    [
        ((link("/f"),), "https://paper.example/f"),
        ((link("f.xml", ATOM),), HOME + "f.xml"),
        (('<base href="/de/">', link("f")), "https://paper.example/de/f"),
        (('<base href="https://cdn.example/x/">', link("f")), "https://cdn.example/x/f"),
        (('<base href="javascript:x">', link("f")), HOME + "f"),
        ((link("/a", "application/feed+json; charset=utf-8"),), "https://paper.example/a"),
        ((link("/a", "APPLICATION/RSS+XML", rel="ALTERNATE feed"),), "https://paper.example/a"),
        ((link("/wp-json", "application/json"), link("/f")), "https://paper.example/f"),
        ((link("/c", title="Kommentare"), link("/wp-json", "application/json")), "https://paper.example/c"),
        ((link("/c", title="Comments on: a pact"),), "https://paper.example/c"),
        ((link("/c", title="Commentary"), link("/f")), "https://paper.example/c"),
        ((link("mailto:x@paper.example"), link("/f")), "https://paper.example/f"),
        ((link("/f?a=1&amp;b=2"),), "https://paper.example/f?a=1&b=2"),
        ((link("/s.css", "text/css", rel="stylesheet"),), None),
        ((link("/f", rel="self"), link("/de", "text/html")), None),
        ((f"<script>{link('/evil')}</script><!-- {link('/old')} -->",), None),
        (("<link rel=alternate type><link rel type href><link>",), None),
    ],
)
def test_which_link_of_a_page_is_its_feed(head: tuple[str, ...], found: str | None) -> None:
    assert feed_link(document(page(*head), HOME, "text/html")) == found


@pytest.mark.parametrize(
    ("text", "title"),
    [
        (rss(head="<image><title>Logo</title></image><title>News</title>"), "News"),
        (rss(head="<title><![CDATA[Trade & <b>Talks</b>]]></title>"), "Trade & Talks"),
        (rss(head="<title>Trade &amp;amp; Talks</title>"), "Trade & Talks"),
        (rss(head="<!-- <title>Old</title> --><itunes:title>Pod</itunes:title><title type='text'>\n New\n ones </title>"), "New ones"),
        (rss(item("Not this"), head=""), ""),
        (rss(head=f"<title>{'word ' * 40}</title>"), ("word " * 16).strip()),
        (rss(head="<title>\u202eevil\x1b[31m</title>"), "evil[31m"),
        ('<?xml version="1.0"?><a:feed xmlns:a="http://www.w3.org/2005/Atom"><a:title>Atom</a:title><a:entry/></a:feed>', "Atom"),
        ('{"version": "https://jsonfeed.org/version/1.1", "title": "JSON", "items": []}', "JSON"),
        ('{"version": "https://jsonfeed.org/version/1.1", "title": 7, "items": []}', ""),
        ('{"title": ', ""),
        ("[" * 10_000, ""),
        ("", ""),
    ],
)
def test_what_a_feed_calls_itself(text: str, title: str) -> None:
    assert feed_title(document(text)) == title


@some
@given(st.binary(max_size=2_000) | st.text(st.sampled_from('<>/"= &;![]-{}:title linkrelfeditem'), max_size=2_000).map(str.encode))
def test_no_bytes_break_them(body: bytes) -> None:
    title, found = feed_title(document(body)), feed_link(document(body))
    assert len(title) <= 80
    assert found is None or found.startswith("http")


def test_it_is_a_prober() -> None:
    port: type[ports.Prober] = Prober
    assert port is Prober
