"""The feeds as the real reader finds them on the loopback server, and the server as a client sees it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import aiohttp
import pytest

from bot.demo.clock import VirtualClock
from bot.demo.feeds import document
from bot.demo.server import serve, sources
from bot.demo.story import Format, Story
from bot.domain.entries import ParsedEntry, SourceState
from bot.sources.reader import SourceReader
from tests.demo.kit import AGENT, START, small_story

BASE = "http://127.0.0.1:9"
NOON = START.replace(hour=12)
LATER = NOON + timedelta(hours=1)


async def read(story: Story, now: datetime) -> tuple[ParsedEntry, ...]:
    async with serve(story, VirtualClock(now)) as base, SourceReader(agent=AGENT, allow_private=True) as reader:
        source = sources(story, base)[0]
        harvest = await reader.read(source, SourceState(name=source.name), now)
    assert harvest.problem is None
    return harvest.entries


@pytest.mark.parametrize("form", Format)
async def test_every_format_says_what_the_story_says(form: Format) -> None:
    story = small_story(form)
    old, new = await read(story, NOON)
    written = story.of(story.feeds[0])[1]
    assert old.title == "Ministers of India and Chile met in March"
    assert (new.title, new.summary, new.url, new.published) == (written.title, written.summary, written.url, written.published)
    assert new.url == "https://quay.example/ministers-of-india-chile-meet-in-santiago"
    assert new.guid


@pytest.mark.parametrize("form", Format)
async def test_a_new_title_leaves_guid_address_and_date_alone(form: Format) -> None:
    story = small_story(form)
    first, later = (await read(story, NOON))[-1], (await read(story, LATER))[-1]
    assert later.title == "India, Chile: ministers meet" != first.title
    assert replace(later, title=first.title) == first


@pytest.mark.parametrize("form", Format)
def test_nothing_is_published_before_its_time_and_nothing_changes_without_news(form: Format) -> None:
    feed = (story := small_story(form)).feeds[0]
    early = document(feed, story.of(feed), START, BASE)
    assert early == document(feed, story.of(feed), START + timedelta(hours=2), BASE)
    assert b"Santiago" not in early[0]
    text = document(feed, story.of(feed), NOON, BASE)[0].decode()
    assert text.index("Santiago") < text.index("March")


async def test_the_reader_is_told_that_nothing_changed() -> None:
    story = small_story()
    async with serve(story, VirtualClock(START)) as base, SourceReader(agent=AGENT, allow_private=True) as reader:
        source = sources(story, base)[0]
        first = await reader.read(source, SourceState(name=source.name), START)
        second = await reader.read(source, SourceState(name=source.name, etag=first.etag), START)
    assert (first.unchanged, second.unchanged) == (False, True)


async def test_the_server_answers_304_until_there_is_news() -> None:
    story, clock = small_story(), VirtualClock(START)
    async with serve(story, clock) as base, aiohttp.ClientSession() as client:
        url = sources(story, base)[0].url
        async with client.get(url) as first:
            assert (first.status, first.content_type) == (200, "application/rss+xml")
            known = {"If-None-Match": first.headers["ETag"]}
        async with client.get(url, headers=known) as second:
            assert (second.status, await second.read(), second.headers["ETag"]) == (304, b"", known["If-None-Match"])
        clock.set(NOON)
        async with client.get(url, headers=known) as third:
            assert (third.status, "Santiago" in await third.text()) == (200, True)
        async with client.get(f"{base}/nowhere.xml") as fourth:
            assert fourth.status == 404
