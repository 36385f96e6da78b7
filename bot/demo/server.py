"""The story's feeds on this machine's loopback: what each outlet would serve at the clock's instant, with ETag and 304."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from bot.demo.feeds import address, document
from bot.demo.story import Story, StoryFeed
from bot.domain.entries import Source
from bot.ports import Clock

LOOPBACK = "127.0.0.1"


@asynccontextmanager
async def serve(story: Story, clock: Clock) -> AsyncIterator[str]:
    """Serve the feeds on a free port; yields the base address, without a slash at its end."""
    runner = web.AppRunner(_application(story, clock), access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, LOOPBACK, 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


def sources(story: Story, base: str) -> tuple[Source, ...]:
    """Return the story's feeds as sources to poll."""
    return tuple(Source(name=feed.title, url=address(feed, base)) for feed in story.feeds)


def _application(story: Story, clock: Clock) -> web.Application:
    application = web.Application()
    for feed in story.feeds:
        application.router.add_get(address(feed, ""), _answer(story, feed, clock))
    return application


def _answer(story: Story, feed: StoryFeed, clock: Clock) -> Callable[[web.Request], Awaitable[web.Response]]:
    entries = story.of(feed)

    async def answer(request: web.Request) -> web.Response:
        body, content_type = document(feed, entries, clock.now(), str(request.url.origin()))
        etag = hashlib.sha256(body).hexdigest()[:16]
        known = any(tag.value in (etag, "*") for tag in request.if_none_match or ())
        response = web.Response(status=304) if known else web.Response(body=body, content_type=content_type, charset="utf-8")
        response.etag = etag
        return response

    return answer
