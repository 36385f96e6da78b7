"""Fetching over the loopback: conditional, bounded, redirects judged."""

from __future__ import annotations

import asyncio
import gzip
import time
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
import pytest

from bot.domain.errors import SourceError
from bot.sources.addresses import Policy
from bot.sources.fetching import Fetched, Fetcher, retry_after
from bot.sources.limits import Limits
from bot.sources.wire import make_client
from tests.sources.kit import AGENT, BRISK, NOON, Names, rss
from tests.sources.server import WebServer

SMALL = Limits(body=100_000, light=10_000, seconds=2.0)


@pytest.fixture
async def server() -> AsyncIterator[WebServer]:
    async with WebServer() as running:
        yield running


class Get:
    """A fetcher with its client, asked for one address at a time."""

    def __init__(self, limits: Limits, names: Names) -> None:
        policy = Policy(allow_private=True)
        self.client = make_client(policy, names, agent=AGENT, at_once=limits.at_once, seconds=limits.seconds)
        self.fetcher = Fetcher(self.client, policy, limits)

    async def __call__(self, url: str, etag: str | None = None, modified: str | None = None) -> Fetched:
        async with AsyncExitStack() as held:
            return await self.fetcher.fetch(url, etag=etag, modified=modified, now=NOON, held=held)

    async def refused(self, url: str) -> SourceError:
        with pytest.raises(SourceError) as caught:
            await self(url)
        return caught.value


@asynccontextmanager
async def getting(limits: Limits = BRISK, **names: list[str]) -> AsyncIterator[Get]:
    get = Get(limits, Names(**names))
    try:
        yield get
    finally:
        await get.client.aclose()


async def test_a_body_comes_with_its_address_and_type(server: WebServer) -> None:
    server.put("/f", rss(), headers={"ETag": '"1"', "Last-Modified": "Mon, 02 Mar 2026 10:00:00 GMT"})
    async with getting() as get:
        fetched = await get(server.url("/f"))
    assert fetched.document is not None
    assert (fetched.document.body, fetched.document.url) == (rss().encode(), server.url("/f"))
    assert fetched.document.content_type == "application/rss+xml"
    assert (fetched.etag, fetched.modified, fetched.moved) == ('"1"', "Mon, 02 Mar 2026 10:00:00 GMT", None)
    headers = server.asked("/f")[0]
    assert headers["User-Agent"] == AGENT
    assert "If-None-Match" not in headers


async def test_what_did_not_change_is_not_sent_again(server: WebServer) -> None:
    server.put("/f", rss(), headers={"ETag": '"1"'})
    server.put("/m", rss(), headers={"Last-Modified": "Mon, 02 Mar 2026 10:00:00 GMT"}, etag=False)
    async with getting() as get:
        assert (await get(server.url("/f"), etag='"1"')).document is None
        assert (await get(server.url("/m"), modified="Mon, 02 Mar 2026 10:00:00 GMT")).document is None
        server.put("/f", rss(), headers={"ETag": '"2"'})
        assert (await get(server.url("/f"), etag='"1"')).etag == '"2"'


async def test_a_304_that_nobody_asked_for_is_no_answer(server: WebServer) -> None:
    server.put("/f", b"", status=304)
    async with getting() as get:
        assert (await get.refused(server.url("/f"))).reason == "status"


async def test_a_packed_body_is_unpacked(server: WebServer) -> None:
    server.put("/f", rss(), gzip=True)
    async with getting() as get:
        fetched = await get(server.url("/f"))
    assert fetched.document is not None
    assert fetched.document.body == rss().encode()


async def test_bombs_and_endless_bodies_are_cut_short(server: WebServer) -> None:
    server.put("/bomb", gzip.compress(bytes(20_000_000)), headers={"Content-Encoding": "gzip"})
    server.put("/nested", gzip.compress(gzip.compress(bytes(20_000_000))), headers={"Content-Encoding": "gzip, gzip"})
    server.put("/endless", bytes(100_000), times=1_000)
    async with getting() as get:
        tracemalloc.start()
        began = time.perf_counter()
        try:
            assert (await get.refused(server.url("/bomb"))).reason == "too-big"
            assert (await get.refused(server.url("/endless"))).reason == "too-big"
            assert (await get.refused(server.url("/nested"))).reason == "encoding"
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert time.perf_counter() - began < 3
    assert peak < 30_000_000


async def test_a_drip_is_given_up_when_its_time_is_over(server: WebServer) -> None:
    server.put("/drip", b"x" * 1_000, drip=0.05)
    async with getting(Limits(seconds=0.4)) as get:
        began = time.perf_counter()
        assert (await get.refused(server.url("/drip"))).reason == "timeout"
        assert time.perf_counter() - began < 1.5


async def test_a_body_that_breaks_off_is_said_to(server: WebServer) -> None:
    server.put("/cut", b"x" * 50_000, cut=True)
    async with getting() as get:
        assert (await get.refused(server.url("/cut"))).reason == "broken-off"


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (401, "refused"),
        (403, "refused"),
        (404, "not-found"),
        (410, "gone"),
        (429, "busy"),
        (500, "server"),
        (503, "busy"),
        (204, "status"),
        (418, "status"),
    ],
)
async def test_statuses_have_their_words(server: WebServer, status: int, reason: str) -> None:
    server.put("/f", b"", status=status, headers={"Retry-After": "30"})
    async with getting() as get:
        error = await get.refused(server.url("/f"))
    assert error.reason == reason
    assert error.retry_after == (None if reason in ("not-found", "gone") else 30)


async def test_redirects_are_followed_and_the_lasting_ones_told(server: WebServer) -> None:
    server.put("/new", rss())
    server.redirect("/old", server.url("/new"), status=301)
    server.redirect("/loan", "/new", status=302)
    server.redirect("/older", "/loan", status=308)
    async with getting() as get:
        assert (await get(server.url("/old"))).moved == server.url("/new")
        assert (await get(server.url("/loan"))).moved is None
        assert (await get(server.url("/older"))).moved is None
    assert server.hits("/new") == 3


async def test_redirects_have_an_end(server: WebServer) -> None:
    server.redirect("/round", "/round")
    server.put("/nowhere", b"", status=302)
    async with getting() as get:
        assert (await get.refused(server.url("/round"))).reason == "redirects"
        assert (await get.refused(server.url("/nowhere"))).reason == "redirects"
    assert server.hits("/round") == BRISK.redirects + 1


@pytest.mark.parametrize(
    "to",
    [
        "http://169.254.169.254/latest/",
        "file:///etc/passwd",
        "http://user@paper.example/",
        "http://2852039166/",
        "http://[::",
        "http://[::ffff:169.254.169.254]/",
    ],
)
async def test_a_redirect_is_judged_like_an_address(server: WebServer, to: str) -> None:
    server.redirect("/f", to)
    async with getting() as get:
        assert (await get.refused(server.url("/f"))).reason == "address"


async def test_a_redirect_from_outside_to_a_private_address_is_refused() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        return httpx.Response(302, headers={"Location": "http://127.0.0.1:1/admin"})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client, AsyncExitStack() as held:
        with pytest.raises(SourceError, match=r"^address: "):
            await Fetcher(client, Policy(), BRISK).fetch("https://paper.example/", etag=None, modified=None, now=NOON, held=held)
    assert asked == ["paper.example"]


async def test_a_redirect_to_a_name_that_means_metadata_is_refused_when_it_is_resolved(server: WebServer) -> None:
    server.redirect("/f", "http://evil.example/")
    async with getting(evil_example=["169.254.169.254"]) as get:
        assert (await get.refused(server.url("/f"))).reason == "address"


async def test_names_are_resolved_by_our_own_resolver(server: WebServer) -> None:
    server.put("/f", rss())
    async with getting(paper_example=["127.0.0.1"]) as get:
        assert (await get(server.url("/f", "paper.example"))).document is not None
        assert (await get.refused(server.url("/f", "nowhere.example"))).reason == "no-host"
    assert server.asked("/f")[0]["Host"].startswith("paper.example:")


async def test_nobody_at_home_is_said_to_be_unreachable() -> None:
    async with WebServer() as gone:
        url = gone.url("/f")
    async with getting() as get:
        assert (await get.refused(url)).reason == "unreachable"


async def test_a_server_that_speaks_no_http_is_said_to_break_off() -> None:
    async def babble(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ready\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(babble, "127.0.0.1", 0) as plain, getting() as get:
        port = plain.sockets[0].getsockname()[1]
        assert (await get.refused(f"http://127.0.0.1:{port}/")).reason == "broken-off"
        assert (await get.refused(f"https://127.0.0.1:{port}/")).reason == "tls"


async def test_no_cookies_are_kept(server: WebServer) -> None:
    server.put("/f", rss(), headers={"Set-Cookie": "id=1"}, etag=False)
    async with getting() as get:
        await get(server.url("/f"))
        await get(server.url("/f"))
    assert "Cookie" not in server.asked("/f")[1]


async def test_one_host_is_asked_by_few_at_once(server: WebServer) -> None:
    server.put("/slow", b"1234", drip=0.02, etag=False)
    async with getting() as get:
        await asyncio.gather(*(get(server.url("/slow")) for _ in range(8)))
    assert (server.hits("/slow"), server.most_open) == (8, BRISK.per_host)


async def test_a_body_that_trickles_is_given_up_before_its_time_is_over(server: WebServer) -> None:
    server.put("/trickle", b"x" * 1_000, drip=0.03)
    async with getting(Limits(seconds=60.0, grace=0.1, slowest=64)) as get:
        assert (await get.refused(server.url("/trickle"))).reason == "timeout"


async def test_a_slow_answer_holds_up_its_host_for_a_while_only(server: WebServer) -> None:
    server.put("/endless", b"1234", drip=0.25, etag=False)
    server.put("/quick", rss(), etag=False)
    async with getting(Limits(per_host=1, patience=0.05, seconds=5.0)) as get, asyncio.TaskGroup() as group:
        slow = group.create_task(get(server.url("/endless")))
        await asyncio.sleep(0)
        await get(server.url("/quick"))
        assert not slow.done()


async def test_heavy_bodies_wait_for_a_permit_which_costs_no_time_of_theirs(server: WebServer) -> None:
    server.put("/heavy", bytes(50_000))
    limits = Limits(body=100_000, light=10_000, heavy=1, seconds=0.3)
    async with getting(limits) as get, AsyncExitStack() as held:
        await get.fetcher.fetch(server.url("/heavy"), etag=None, modified=None, now=NOON, held=held)
        second = asyncio.create_task(get(server.url("/heavy")))
        await asyncio.sleep(0.5)
        assert not second.done()
        await held.aclose()
        assert (await second).document is not None


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        ("Mon, 02 Mar 2026 12:01:00 GMT", 60.0),
        ("Mon, 02 Mar 2026 11:00:00 GMT", 0.0),
        ("999999999", 86_400.0),
        ("soon", None),
        ("", None),
        (None, None),
        ("-5", None),
        ("nan", None),
    ],
)
def test_retry_after_is_read_and_bounded(value: str | None, seconds: float | None) -> None:
    assert retry_after(value, NOON) == seconds
