"""Processes that are killed at any moment give the channels what one that lives gives: one on SQLite, several on PostgreSQL."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.fakes.discord_server import TOKEN, FakeDiscord
from tests.fakes.feed_server import FeedServer, rss
from tests.fakes.fleet import Fleet, settings
from tests.fakes.gate import Moment, Trap
from tests.fakes.reading import on_discord, on_slack, verdict
from tests.fakes.slack_server import FakeSlack
from tests.fakes.world import News, deals
from tests.postgres import Server

KILLS, DEVELOPMENTS = 6, 24
PATIENCE = 150.0  # a bound, not a measure


def published(news: list[News]) -> str:
    now = datetime.now(UTC)
    items = [(n.title, n.summary, f"https://paper.example/{i}", f"g{i}", now - timedelta(minutes=90 - i)) for i, n in enumerate(news)]
    return rss(items)


async def test_killed_at_any_moment_nothing_is_lost_and_nothing_comes_twice(tmp_path: Path, postgres: Server) -> None:
    news, luck = deals(DEVELOPMENTS), random.Random(11)
    titles = [n.title for n in news]
    with postgres.database() as url:
        async with FeedServer() as feeds, FakeSlack() as slack, FakeDiscord(token=TOKEN) as discord:
            feeds.put("/news.xml", published([]))
            async with Fleet(settings(tmp_path, url=url, feed=feeds.url("/news.xml"), slack=slack, discord=discord)) as fleet:
                assert await fleet.once("migrate") == 0
                names = ["clock-1", "clock-2", "worker-1", "worker-2"]
                for name in names:
                    await fleet.start(name)
                await _until(lambda: feeds.hits("/news.xml") > 0)
                for step in range(1, KILLS + 1):
                    feeds.put("/news.xml", published(news[: step * DEVELOPMENTS // KILLS]))
                    await asyncio.sleep(luck.uniform(0.5, 4.0))
                    await fleet.kill(luck.choice(names))
                await _until(lambda: _told(slack, discord, titles) >= set(titles))
                await asyncio.sleep(3.0)  # a second copy would come now
    assert sorted(_flat(on_slack(slack, "C1"))) == sorted(_flat(on_discord(discord, "100", titles))) == sorted(titles)


async def test_one_process_is_killed_while_it_sends(tmp_path: Path) -> None:
    """Before the platform has the message, before it has it and yet it arrives, and after it has it."""
    news, file = deals(4), tmp_path / "attache.db"
    titles = [n.title for n in news]
    async with FeedServer() as feeds, FakeSlack() as slack, FakeDiscord(token=TOKEN) as discord:
        feeds.put("/news.xml", published(news))
        env = settings(tmp_path, url=f"sqlite+aiosqlite:///{file}", feed=feeds.url("/news.xml"), slack=slack, discord=discord)
        async with Fleet(env) as fleet:
            for platform, moment, arrives in (
                (slack, Moment.BEFORE, False),
                (discord, Moment.BEFORE, True),
                (slack, Moment.AFTER, True),
                (discord, Moment.AFTER, True),
            ):
                platform.gate = trap = Trap()
                caught = trap.set(moment)
                await fleet.start("run")
                async with asyncio.timeout(PATIENCE):
                    request = await caught
                await fleet.end("run")
                request.let(goes_on=arrives)
                _a_minute_passes(file)
            await fleet.start("run")
            await _until(lambda: _told(slack, discord, titles) >= set(titles) and _waiting(file) == 0)
    for messages in (on_slack(slack, "C1"), on_discord(discord, "100", titles)):
        assert verdict(messages, titles).fine, messages


def _a_minute_passes(file: Path) -> None:
    """The lease of the process that died runs out."""
    with sqlite3.connect(file) as connection:
        taken = connection.execute("UPDATE deliveries SET leased_until = '2020-01-01 00:00:00.000000' WHERE leased_until IS NOT NULL")
        assert taken.rowcount > 0, "it died with something in hand"
    connection.close()


def _waiting(file: Path) -> int:
    connection = sqlite3.connect(file)
    ((count,),) = connection.execute("SELECT count(*) FROM deliveries WHERE state <> 'sent'")
    connection.close()
    return int(count)


def _told(slack: FakeSlack, discord: FakeDiscord, titles: list[str]) -> set[str]:
    """What both channels tell of."""
    return set(_flat(on_slack(slack, "C1"))) & set(_flat(on_discord(discord, "100", titles)))


def _flat(messages: list[list[str]]) -> list[str]:
    return [title for message in messages for title in message]


async def _until(holds: Callable[[], bool], seconds: float = PATIENCE) -> None:
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110  (processes have no event to wait for)
            await asyncio.sleep(0.1)
