"""Several processes on PostgreSQL: clocks and workers that are killed at any moment give the channel what one that lives gives."""

from __future__ import annotations

import asyncio
import os
import random
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.fakes.discord_server import TOKEN, FakeDiscord
from tests.fakes.feed_server import FeedServer, rss
from tests.fakes.slack_server import FakeSlack
from tests.fakes.world import News, deals
from tests.postgres import Server

KILLS, DEVELOPMENTS = 6, 24
PATIENCE = 150.0  # a bound, not a measure
ROOT = Path(__file__).parents[1]


def published(news: list[News]) -> str:
    now = datetime.now(UTC)
    items = [(n.title, n.summary, f"https://paper.example/{i}", f"g{i}", now - timedelta(minutes=90 - i)) for i, n in enumerate(news)]
    return rss(items)


async def test_killed_at_any_moment_nothing_is_lost_and_nothing_comes_twice(tmp_path: Path, postgres: Server) -> None:
    news, luck = deals(DEVELOPMENTS), random.Random(11)
    with postgres.database() as url:
        async with FeedServer() as feeds, FakeSlack() as slack, FakeDiscord(token=TOKEN) as discord:
            feeds.put("/news.xml", published([]))
            async with installed(tmp_path, url, feeds, slack, discord) as fleet:
                assert await fleet.once("migrate") == 0
                names = ["clock-1", "clock-2", "worker-1", "worker-2"]
                for name in names:
                    await fleet.start(name)
                await _until(lambda: feeds.hits("/news.xml") > 0)
                for step in range(1, KILLS + 1):
                    feeds.put("/news.xml", published(news[: step * DEVELOPMENTS // KILLS]))
                    await asyncio.sleep(luck.uniform(0.5, 4.0))
                    await fleet.kill(luck.choice(names))
                titles = {n.title for n in news}
                await _until(lambda: _headlines(slack, discord, titles))
                await asyncio.sleep(3.0)  # a second copy would come now
    assert sorted(_slack(slack)) == sorted(_discord(discord)) == sorted(titles)


def _headlines(slack: FakeSlack, discord: FakeDiscord, titles: set[str]) -> bool:
    return set(_slack(slack)) >= titles and set(_discord(discord)) >= titles


def _slack(slack: FakeSlack) -> list[str]:
    """The headlines in the channel, those in digests too."""
    found = []
    for message in slack.messages:
        links = [x for x in _nodes(message.payload["blocks"]) if x.get("type") == "link" and x.get("style", {}).get("bold")]
        found += [x["text"] for x in links]
    return found


def _nodes(node: object) -> list[dict[str, object]]:
    if isinstance(node, dict):
        return [node, *(x for value in node.values() for x in _nodes(value))]
    return [x for one in node for x in _nodes(one)] if isinstance(node, list) else []


def _discord(discord: FakeDiscord) -> list[str]:
    found = []
    for message in discord.messages:
        for embed in message["embeds"]:
            found += [n.title for n in deals(DEVELOPMENTS) if n.title in f"{embed.get('title')} {embed.get('description')}"]
    return found


async def _until(holds: object, seconds: float = PATIENCE) -> None:
    async with asyncio.timeout(seconds):
        while not holds():  # type: ignore[operator]  # noqa: ASYNC110  (processes have no event to wait for)
            await asyncio.sleep(0.1)
