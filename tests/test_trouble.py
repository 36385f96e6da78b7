"""Trouble from outside, whole processes: the bot says so, waits, goes on; nothing is lost and nothing comes twice."""

from __future__ import annotations

import asyncio
import json
import resource
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import structlog
from pydantic import SecretStr
from rich.console import Console

from bot.app import run
from bot.domain.entries import Kind, Source
from config.settings import Settings
from tests.fakes.discord_server import TOKEN, FakeDiscord
from tests.fakes.feed_server import FeedServer, rss
from tests.fakes.slack_server import FakeSlack, text_of
from tests.fakes.world import News, deals
from tests.test_whole_way import Bot
from tests.trouble import PATIENCE, Disk, free_port, until, until_ready

ALERTS, ADMINS = "C1", "CADMIN"
FILLING = "The committee heard a report on the state of the harbour and put the matter off until next month. " * 20


def paper(news: list[News], filling: int = 0) -> str:
    """Return a feed that tells some news, with so many long reports of no interest, for which the file would have to grow."""
    told = [(n.title, n.summary, f"https://paper.example/{n.title[:40]}", n.title, datetime.now(UTC)) for n in news]
    dull = [
        (f"Committee meets, part {i}", FILLING, f"https://paper.example/dull/{i}", f"dull {i}", datetime.now(UTC)) for i in range(filling)
    ]
    return rss([*dull, *told])


def headlines(slack: FakeSlack, news: list[News]) -> list[str]:
    """Return which of the news are in the alerts' channel, as often as they are."""
    shown = [text_of(m.payload) for m in slack.messages if m.channel == ALERTS]
    return [n.title for text in shown for n in news if n.title in text]


def notices(slack: FakeSlack) -> list[str]:
    return [m.text for m in slack.messages if m.channel == ADMINS]


@pytest.fixture
async def feeds() -> AsyncIterator[FeedServer]:
    async with FeedServer() as server:
        server.put("/a", paper([]))
        yield server


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with FakeSlack() as server:
        yield server


@pytest.fixture
async def discord() -> AsyncIterator[FakeDiscord]:
    async with FakeDiscord(token=TOKEN) as server:
        yield server


@pytest.fixture
def disk() -> Iterator[Disk]:
    with Disk() as it:
        yield it


@asynccontextmanager
async def whole(
    folder: Path, feeds: FeedServer, slack: FakeSlack, discord: FakeDiscord, port: int, *, waits: bool = False
) -> AsyncIterator[list[dict[str, Any]]]:
    """Run everything that `attache run` runs, in this process; yields the log. `waits`: it cannot start to poll."""
    settings = Settings(
        _env_file=None,  # type: ignore[call-arg]
        attache_database_url=f"sqlite+aiosqlite:///{folder / 'attache.db'}",
        attache_allow_private_sources=True,
        attache_http_port=port,
        slack_bot_token=SecretStr(slack.bot_token),
        slack_app_token=SecretStr(slack.app_token),
        slack_alert_channel=ALERTS,
        slack_admin_channel=ADMINS,
        slack_api_url=slack.api_url,
        discord_bot_token=SecretStr(TOKEN),
        discord_alert_channel=100,
        discord_guild=500,
        discord_api_url=discord.api_url,
    )
    source = Source(name="Paper", url=feeds.url("/a"), kind=Kind.FEED, interval=1)
    with structlog.testing.capture_logs() as logs:
        task = asyncio.create_task(run(settings, [source], Console(quiet=True)))
        try:
            await until(lambda: waits or task.done() or feeds.hits("/a") > 1)
            assert not task.done()
            yield logs
            assert not task.done()
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


@pytest.mark.parametrize(("trouble", "said"), [("full", "disk is full"), ("read_only", "takes no writes")])
async def test_a_store_that_takes_nothing_is_said_waited_for_and_nothing_is_lost(
    tmp_path: Path, feeds: FeedServer, slack: FakeSlack, discord: FakeDiscord, disk: Disk, trouble: str, said: str
) -> None:
    news, port = deals(2), free_port()
    async with whole(tmp_path, feeds, slack, discord, port) as logs:
        await until_ready(True, port)
        had = feeds.asked("/a")[-1]["If-None-Match"]
        await (disk.fill() if trouble == "full" else disk.protect())
        feeds.put("/a", paper(news, filling=60))
        await until_ready(False, port)
        await until(lambda: notices(slack))
        seen = feeds.hits("/a")
        await until(lambda: feeds.hits("/a") > seen)
        assert feeds.asked("/a")[-1]["If-None-Match"] == had  # what could not be kept is asked for again
        assert (headlines(slack, news), discord.messages) == ([], [])
        assert "Status" in (await slack.type("status")).text  # reading goes on
        await disk.mend()
        await until(lambda: len(headlines(slack, news)) == len(discord.messages) == len(news))
        await until_ready(True, port)
        await until(lambda: len(notices(slack)) == 2)
    assert sorted(headlines(slack, news)) == sorted(n.title for n in news)
    assert said in notices(slack)[0]
    assert "well again" in notices(slack)[1]
    (line,) = [log for log in logs if log["log_level"] == "error"]
    assert (line["event"], line["trouble"], said in line["mend"]) == ("store_trouble", trouble, True)


async def test_an_admin_whose_change_cannot_be_kept_is_told_why(
    tmp_path: Path, feeds: FeedServer, slack: FakeSlack, discord: FakeDiscord, disk: Disk
) -> None:
    async with whole(tmp_path, feeds, slack, discord, free_port()):
        await slack.connected(timeout=PATIENCE)
        await disk.protect()
        refused = await slack.type("watch add rare earths", user="UADMIN")
        await disk.mend()
        added = await slack.type("watch add rare earths", user="UADMIN")
    assert "the database takes no writes" in refused.text
    assert "Added" in added.text


async def test_a_process_whose_disk_takes_no_byte_lives_on_and_goes_on(tmp_path: Path, feeds: FeedServer, slack: FakeSlack) -> None:
    """The limit on the size of files, set from outside: every write to a file fails, as it does on a full or broken disk."""
    news, port = deals(2), free_port()
    bot = Bot(tmp_path, slack, None, feeds, "/a")
    process = await bot.start(SLACK_ADMIN_CHANNEL=ADMINS, ATTACHE_HTTP_PORT=str(port))
    try:
        await until_ready(True, port)
        await until(lambda: feeds.hits("/a") > 1)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        feeds.put("/a", paper(news))
        await until_ready(False, port)
        await until(lambda: notices(slack))
        assert headlines(slack, news) == []
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        await until(lambda: len(headlines(slack, news)) == len(news))
        await until_ready(True, port)
    finally:
        process.terminate()
        _, err = await asyncio.wait_for(process.communicate(), PATIENCE)
    logs = [json.loads(line) for line in err.decode().splitlines()]
    assert process.returncode == 0
    assert [log["event"] for log in logs if log["level"] in ("error", "critical")] == ["store_trouble"]
    assert "Traceback" not in err.decode()
    assert sorted(headlines(slack, news)) == sorted(n.title for n in news)


async def test_a_store_that_cannot_be_written_stops_the_start(tmp_path: Path, feeds: FeedServer) -> None:
    bot = Bot(tmp_path, None, None, feeds, "/a")
    async with bot.running():
        await until(lambda: (tmp_path / "attache.db").exists() and feeds.hits("/a"))
    process = await bot.start("run", ATTACHE_DATABASE_URL="sqlite+aiosqlite:///file:attache.db?mode=ro&uri=true")
    _, err = await asyncio.wait_for(process.communicate(), PATIENCE)
    assert process.returncode == 2
    line = err.decode().splitlines()[-1]
    assert line.startswith("attache: ATTACHE_DATABASE_URL: the database cannot be opened (attempt to write a readonly database)")


async def test_a_start_on_a_full_disk_waits_for_room(
    tmp_path: Path, feeds: FeedServer, slack: FakeSlack, discord: FakeDiscord, disk: Disk
) -> None:
    await disk.fill()
    port = free_port()
    async with whole(tmp_path, feeds, slack, discord, port, waits=True) as logs:
        await until(lambda: [log["trouble"] for log in logs if log["event"] == "store_trouble"] == ["full"])
        assert feeds.hits("/a") == 0
        await disk.mend()
        await until(lambda: feeds.hits("/a"))
        await until_ready(True, port)


async def test_a_process_that_does_not_end_is_ended() -> None:
    """A thread that hangs, as one does that asks a dead resolver, keeps no process alive after SIGTERM."""
    hangs = "import threading, time; from bot.cli import _end_soon; _end_soon(0.1); threading.Thread(target=time.sleep, args=[600]).start()"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", hangs, cwd=Path(__file__).parents[1])
    assert await asyncio.wait_for(process.wait(), PATIENCE) == 1
