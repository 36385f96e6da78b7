"""The whole way: `attache run` as its own process between a feed server, a local Slack and a local Discord, with the shipped model."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from tests.fakes.discord_server import TOKEN, FakeDiscord
from tests.fakes.feed_server import FeedServer
from tests.fakes.slack_server import FakeSlack

INTERVAL = 1
PATIENCE = 30.0  # a bound, not a measure
OLD = ("Canada and Chile open talks on a free trade agreement", "Trade ministers of Canada and Chile opened the talks in Ottawa.", 72.0)
NEW = (
    "India and New Zealand sign free trade agreement in Delhi",
    "Commerce minister Piyush Goyal and his New Zealand counterpart signed the free trade agreement in New Delhi on Monday. "
    "It removes tariffs on nine in ten goods.",
    0.2,
)
AGAIN = (
    "New Zealand, India sign free trade pact",
    "New Zealand and India signed their free trade agreement in New Delhi on Monday, Piyush Goyal said.",
    0.1,
)
NOISE = ("Rovers win away after late goal", "A goal in the last minute gave Rovers three points.", 0.1)


def feed(*items: tuple[str, str, float]) -> str:
    """Return an RSS document of (title, summary, hours ago)."""
    written = "".join(
        f"<item><title>{title}</title><description>{summary}</description><link>https://paper.example/{title.replace(' ', '-')}</link>"
        f"<pubDate>{format_datetime(datetime.now(UTC) - timedelta(hours=ago))}</pubDate></item>"
        for title, summary, ago in items
    )
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>Paper</title>{written}</channel></rss>'


class Bot:
    """`attache run` in a process of its own, with a home of its own."""

    def __init__(self, folder: Path, slack: FakeSlack | None, discord: FakeDiscord | None, feeds: FeedServer, *paths: str) -> None:
        sources = folder / "sources.yaml"
        sources.write_text("".join(f"- {{name: Paper {p}, url: '{feeds.url(p)}', kind: feed, interval: {INTERVAL}}}\n" for p in paths))
        self._folder = folder
        self._env = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "PYTHONPATH": str(Path(__file__).parents[1]),
            "ATTACHE_SOURCES": str(sources),
            "ATTACHE_ALLOW_PRIVATE_SOURCES": "1",
        }
        if slack:
            self._env |= {
                "SLACK_BOT_TOKEN": slack.bot_token,
                "SLACK_APP_TOKEN": slack.app_token,
                "SLACK_ALERT_CHANNEL": "C1",
                "SLACK_API_URL": slack.api_url,
            }
        if discord:
            self._env |= {
                "DISCORD_BOT_TOKEN": TOKEN,
                "DISCORD_ALERT_CHANNEL": "100",
                "DISCORD_GUILD": "500",
                "DISCORD_API_URL": discord.api_url,
            }

    async def start(self, *arguments: str, **env: str) -> asyncio.subprocess.Process:
        """Start `attache`."""
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bot",
            *(arguments or ("run",)),
            cwd=self._folder,
            env=self._env | env,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[asyncio.subprocess.Process]:
        """Run inside the block, end with SIGTERM, and see that it ends well and in time."""
        process = await self.start()
        try:
            yield process
        finally:
            began = time.monotonic()
            process.send_signal(signal.SIGTERM)
            out, err = await asyncio.wait_for(process.communicate(), PATIENCE)
            self.out, self.err = out.decode(), err.decode()
            assert (process.returncode, "Traceback" in self.err) == (0, False), self.err
            assert time.monotonic() - began < 10


async def until(holds: object, seconds: float = PATIENCE) -> None:
    """Wait until `holds()`."""
    assert callable(holds)
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110  (what it waits for happens in another process)
            await asyncio.sleep(0.05)


@pytest.fixture
async def feeds() -> AsyncIterator[FeedServer]:
    async with FeedServer() as server:
        server.put("/a", feed(OLD, NOISE))
        server.put("/b", feed(NOISE))
        yield server


async def test_a_feed_changes_and_both_channels_hear_of_it_once(tmp_path: Path, feeds: FeedServer) -> None:
    async with FakeSlack() as slack, FakeDiscord() as discord:
        bot = Bot(tmp_path, slack, discord, feeds, "/a", "/b")
        async with bot.running():
            await slack.connected(timeout=PATIENCE)
            await discord.until_commands()
            await until(lambda: feeds.hits("/a") and feeds.hits("/b"))
            feeds.put("/a", feed(NEW, OLD, NOISE))
            await until(lambda: slack.messages and discord.messages)
            feeds.put("/b", feed(AGAIN, NOISE))
            typed = await slack.type("latest")
            assert NEW[0] in typed.text
            assert NEW[0] in (await discord.type("latest", {"topic": "trade_deal"})).text
            seen = feeds.hits("/b")
            await until(lambda: feeds.hits("/b") > seen + 2)
        async with bot.running():  # a restart alerts nothing twice
            seen = feeds.hits("/a")
            await until(lambda: feeds.hits("/a") > seen + 1)
        assert len(slack.messages) == len(discord.messages) == 1
        assert NEW[0] in slack.messages[0].text
        assert discord.messages[0]["embeds"][0]["title"] == NEW[0]


async def test_without_a_token_the_alert_is_on_the_terminal_and_can_be_asked_for(tmp_path: Path, feeds: FeedServer) -> None:
    bot = Bot(tmp_path, None, None, feeds, "/a")
    feeds.put("/a", feed(NEW, OLD))
    async with bot.running() as process:
        assert process.stdout
        await asyncio.wait_for(process.stdout.readuntil(b"free trade agreement in Delhi"), PATIENCE)
    answers = {}
    for line in ("latest trade india", "latest atlantis", "watch add rare earths", "status"):
        asked = await bot.start("ask", *line.split())
        out, _ = await asyncio.wait_for(asked.communicate(), PATIENCE)
        answers[line] = asked.returncode, out.decode()
    assert answers["latest trade india"][0] == 0
    assert "sign free trade agreement" in answers["latest trade india"][1]
    assert answers["latest atlantis"][0] == 2
    assert "rare AND earths" in answers["watch add rare earths"][1]
    assert answers["status"][0] == 0


@pytest.mark.parametrize(
    ("env", "variable"),
    [
        ({"SLACK_APP_TOKEN": "xapp-1"}, "SLACK_BOT_TOKEN"),
        ({"ATTACHE_DATABASE_URL": "mysql://x"}, "ATTACHE_DATABASE_URL"),
        ({"ATTACHE_DATABASE_URL": "sqlite+aiosqlite:////nowhere/at/all.db"}, "ATTACHE_DATABASE_URL"),
        ({"ATTACHE_SOURCES": "missing.yaml"}, "ATTACHE_SOURCES"),
        ({"PORT": "http"}, "PORT"),
    ],
)
async def test_a_wrong_setting_is_one_line_that_names_it(tmp_path: Path, feeds: FeedServer, env: dict[str, str], variable: str) -> None:
    process = await Bot(tmp_path, None, None, feeds, "/a").start("run", **env)
    _, err = await asyncio.wait_for(process.communicate(), PATIENCE)
    lines = [line for line in err.decode().splitlines() if line.startswith("attache: ")]
    assert process.returncode == 2
    assert len(lines) == 1
    assert variable in lines[0]


async def test_a_token_that_is_refused_stops_the_start(tmp_path: Path, feeds: FeedServer) -> None:
    async with FakeDiscord(token="another") as discord:
        process = await Bot(tmp_path, None, discord, feeds, "/a").start()
        _, err = await asyncio.wait_for(process.communicate(), PATIENCE)
    assert process.returncode == 2
    assert "DISCORD_BOT_TOKEN" in err.decode().splitlines()[-1]
