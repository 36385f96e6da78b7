"""Articles and robots.txt, over the loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sources.articles import MAX_TEXT, is_article, main_text
from bot.sources.limits import Limits
from bot.sources.reader import SourceReader
from bot.sources.robots import MAX_BODY
from tests.sources.kit import NOON, Names, document, reader, some
from tests.sources.server import WebServer

SAID = [
    "The trade ministers of Arlandia and Borduria signed an agreement on timber and wool in Port Arland on Monday.",
    "It removes duties on four hundred goods over ten years, said Minister Olda Brisk, who led the talks for Arlandia.",
    "Her colleague from Borduria, Tarn Velk, called the agreement “a bridge of planks” and thanked the foresters’ unions.",
    "Parliaments on both sides are expected to vote on it before the autumn, the ministries said in a common statement.",
]


def page(*paragraphs: str, title: str = "Agreement on timber signed") -> str:
    body = "".join(f"<p>{p}</p>" for p in paragraphs)
    menu = "".join(f'<li><a href="/{n}">Section {n}</a></li>' for n in range(20))
    return (
        f"<!doctype html><html><head><title>{title}</title><script>track()</script></head><body><nav><ul>{menu}</ul></nav>"
        f"<main><article><h1>{title}</h1>{body}</article></main><footer>All rights with the Courier</footer></body></html>"
    )


@pytest.fixture
async def server() -> AsyncIterator[WebServer]:
    async with WebServer() as running:
        running.put("/a", page(*SAID), "text/html; charset=utf-8")
        yield running


@pytest.fixture
async def mine() -> AsyncIterator[SourceReader]:
    async with reader() as it:
        yield it


async def test_the_main_text_is_read_paragraph_by_paragraph(server: WebServer, mine: SourceReader) -> None:
    text = await mine.articles.text(server.url("/a"), NOON)
    assert text is not None
    assert [line for line in text.splitlines() if line in SAID] == SAID
    assert "Section" not in text
    assert "track" not in text


async def test_robots_are_obeyed_and_asked_once_a_day(server: WebServer, mine: SourceReader) -> None:
    server.put("/robots.txt", "User-agent: *\nDisallow: /closed\n\nUser-agent: Other\nDisallow: /\n", "text/plain")
    server.put("/closed/a", page(*SAID), "text/html")
    assert await mine.articles.text(server.url("/closed/a"), NOON) is None
    assert server.hits("/closed/a") == 0
    texts = await asyncio.gather(*(mine.articles.text(server.url("/a"), NOON) for _ in range(4)))
    assert all(texts)
    assert server.hits("/robots.txt") == 1
    assert await mine.articles.text(server.url("/a"), NOON + timedelta(days=1))
    assert server.hits("/robots.txt") == 2


async def test_robots_that_name_us_are_obeyed(server: WebServer, mine: SourceReader) -> None:
    server.put("/robots.txt", "User-agent: attache-test\nDisallow: /\n\nUser-agent: *\nAllow: /\n", "text/plain")
    assert await mine.articles.text(server.url("/a"), NOON) is None


@pytest.mark.parametrize(("status", "allowed"), [(404, True), (410, True), (403, True), (500, False), (503, False), (429, False)])
async def test_robots_that_cannot_be_had(server: WebServer, mine: SourceReader, status: int, allowed: bool) -> None:
    server.put("/robots.txt", "", "text/plain", status=status)
    assert (await mine.articles.text(server.url("/a"), NOON) is not None) is allowed
    server.put("/robots.txt", "", "text/plain")
    assert (await mine.articles.text(server.url("/a"), NOON + timedelta(hours=2))) is not None


async def test_endless_robots_refuse_and_long_ones_are_read_in_part(server: WebServer, mine: SourceReader) -> None:
    server.put("/robots.txt", b"# nothing to see\n" * 1_000, "text/plain", times=400)
    assert await mine.articles.text(server.url("/a"), NOON) is None
    server.put("/robots.txt", b"User-agent: *\nDisallow: /a\n" + b"#" * MAX_BODY, "text/plain")
    assert await mine.articles.text(server.url("/a"), NOON + timedelta(hours=2)) is None


async def test_a_redirect_within_the_site_is_followed_and_robots_asked_again(server: WebServer) -> None:
    names = Names(
        courier_example=["127.0.0.1"], www_courier_example=["127.0.0.1"], consent_courier_example=["127.0.0.1"], other_example=["127.0.0.1"]
    )
    async with reader(resolve=names) as mine:
        for path, to in (("/www", "www.courier.example"), ("/wall", "consent.courier.example"), ("/away", "other.example")):
            server.redirect(path, server.url("/a", to))
        server.redirect("/closed", "/private/a")
        server.put("/private/a", page(*SAID), "text/html")
        assert await mine.articles.text(server.url("/www", "courier.example"), NOON)
        assert await mine.articles.text(server.url("/wall", "courier.example"), NOON) is None
        assert await mine.articles.text(server.url("/away", "courier.example"), NOON) is None
        server.put("/robots.txt", "User-agent: *\nDisallow: /private/\n", "text/plain")
        assert await mine.articles.text(server.url("/closed", "courier.example"), NOON + timedelta(days=2)) is None


@pytest.mark.parametrize(
    ("asked", "came", "fit"),
    [
        ("https://courier.example/a", "https://courier.example/a", True),
        ("https://www.courier.example/a", "https://courier.example/b/a", True),
        ("https://m.courier.example/a", "https://amp.courier.example/a", True),
        ("https://courier.co.uk/a", "https://news.courier.co.uk/a", True),
        ("https://courier.co.uk/a", "https://other.co.uk/a", False),
        ("https://courier.gov.in/a", "https://other.gov.in/a", False),
        ("https://courier.example/a", "https://other.example/a", False),
        ("https://courier.example/a", "https://consent.courier.example/a", False),
        ("https://courier.example/a", "https://courier.example/", False),
        ("https://courier.example/a", "https://courier.example/login?next=/a", False),
        ("https://courier.example/a", "https://courier.example/cookie-wall", False),
        ("https://courier.example/login-trouble-at-the-bank", "https://courier.example/login-trouble-at-the-bank", True),
        ("http://192.0.2.1/a", "http://192.0.3.1/a", False),
    ],
)
def test_gates_and_other_houses_are_no_article(asked: str, came: str, fit: bool) -> None:
    assert is_article(asked, document("", came, "text/html")) is fit


@pytest.mark.parametrize("kind", ["application/pdf", "image/png", "application/json", "video/mp4"])
async def test_what_is_no_page_is_no_article(server: WebServer, mine: SourceReader, kind: str) -> None:
    server.put("/b", page(*SAID), kind)
    assert await mine.articles.text(server.url("/b"), NOON) is None


@pytest.mark.parametrize(
    "body",
    [
        page("We and our partners use cookies to show you things that fit you, and to count who looks at them, as described below." * 3),
        page(SAID[0], SAID[1], "Subscribe to continue reading this article and many others of the Courier, from one groat a week."),
        page(*SAID, title="Just a moment..."),
        page(*SAID, title="Access Denied"),
        page("Please enable JavaScript to see this page. It is needed for everything on it, which is a pity and cannot be helped." * 2),
        page("Short notice."),
        page(),
        "",
        "<html></html>",
    ],
)
def test_walls_and_scraps_are_no_text(body: str) -> None:
    assert main_text(document(body), 1_000_000) is None


def test_a_long_article_may_speak_of_cookies() -> None:
    long = [f"{said} This is paragraph {n} of the report, and it is its own." for n in range(6) for said in SAID]
    text = main_text(
        document(page(*long, "The new law says that sites must not use cookies before you continue, the minister said.")), 1_000_000
    )
    assert text is not None
    assert "cookies" in text


def test_a_very_long_article_is_cut_between_paragraphs() -> None:
    text = main_text(document(page(*(f"Round {n} of the talks. {SAID[n % 4]}" for n in range(400)))), 1_000_000)
    assert text is not None
    assert MAX_TEXT - 500 < len(text) <= MAX_TEXT
    assert text.endswith((".", "unions."))


@pytest.mark.parametrize(
    "body",
    [
        "<div>" * 100_000,
        "<p " + " ".join(f"a{n}" for n in range(50_000)) + ">x",
        "<p>x" * 100_000,
        "<font a=1><b>" * 3_000 + "x",
        "<script>" * 50_000,
        "x" * 1_000_001,
    ],
    ids=lambda body: body[:12],
)
def test_pages_made_to_be_slow_give_no_text(body: str) -> None:
    assert main_text(document(body), 1_000_000) is None


async def test_what_cannot_be_fetched_has_no_text(server: WebServer, mine: SourceReader) -> None:
    for url in (server.url("/none"), "file:///etc/passwd", "http://[", "nonsense", "http://169.254.169.254/", ""):
        assert await mine.articles.text(url, NOON) is None


async def test_private_articles_are_refused_unless_allowed(server: WebServer) -> None:
    async with reader(allow_private=False) as strict:
        assert await strict.articles.text(server.url("/a"), NOON) is None
    assert server.hits("/robots.txt") == server.hits("/a") == 0


async def test_a_page_over_the_limit_has_no_text(server: WebServer) -> None:
    async with reader(Limits(article=500)) as small:
        assert await small.articles.text(server.url("/a"), NOON) is None


@some
@given(st.binary(max_size=300), st.sampled_from(["", "<html><body><article><p>", "<title>"]))
def test_no_bytes_make_it_fail(body: bytes, head: str) -> None:
    main_text(document(head.encode() + body), 1_000_000)
