"""The reader: any kind of source, by one way in. Offers the port `bot.ports.Reader`."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import datetime
from functools import partial
from types import TracebackType
from typing import Self

from bot.domain.entries import Kind, Source, SourceState
from bot.domain.errors import SourceError
from bot.ports import Harvest
from bot.sources.addresses import Policy
from bot.sources.articles import ArticleReader
from bot.sources.faults import Fault, fault
from bot.sources.feeds import read_feed
from bot.sources.fetching import Document, Fetched, Fetcher
from bot.sources.gdelt import read_gdelt
from bot.sources.items import Listing
from bot.sources.limits import Limits, Pace
from bot.sources.pages import read_page
from bot.sources.probing import Prober
from bot.sources.wire import Resolve, SystemResolver, make_client
from bot.sources.workers import Workers

_Key = tuple[str, Kind, tuple[tuple[str, str], ...], str | None, str | None]
_DEFAULTS = Limits()


class SourceReader:
    """Reads sources of every kind. Owns its client, resolver and threads: use it in `async with`, or `aclose` it.

    Does not retry, does not remember: what a poll needs of the last one is in SourceState. Polls of the same address that
    overlap share one fetch.
    """

    def __init__(self, *, allow_private: bool, agent: str, limits: Limits = _DEFAULTS, resolve: Resolve | None = None) -> None:
        policy = Policy(allow_private=allow_private)
        self._limits = limits
        self._resolver = SystemResolver()
        self._client = make_client(policy, resolve or self._resolver, agent=agent, at_once=limits.at_once, seconds=limits.seconds)
        self._fetcher = Fetcher(self._client, policy, limits)
        self._workers = Workers(limits.parsers, limits.parsing)
        self._pace = Pace(limits.gdelt_pause)
        self._reading: dict[_Key, asyncio.Task[Harvest]] = {}
        self.prober = Prober(self._fetcher, self._workers, pace=self._pace, limit=limits.entries)
        self.articles = ArticleReader(self._fetcher, self._workers, agent=agent, limit=limits.article)

    async def read(self, source: Source, state: SourceState, now: datetime) -> Harvest:
        """Fetch and parse `source`: see the port."""
        key = (source.url, source.kind, source.selectors, state.etag, state.modified)
        task = self._reading.get(key) or self._begin(key, source, state, now)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError as error:
            if task.cancelled() and not _cancelling():
                raise fault(Fault.INTERNAL, "the reader was closed") from error
            raise

    def _begin(self, key: _Key, source: Source, state: SourceState, now: datetime) -> asyncio.Task[Harvest]:
        task = asyncio.create_task(self._guarded(source, state, now))
        self._reading[key] = task
        task.add_done_callback(lambda done: self._ended(key, done))
        return task

    def _ended(self, key: _Key, task: asyncio.Task[Harvest]) -> None:
        del self._reading[key]
        if not task.cancelled():
            task.exception()  # seen, also when nobody waits any more

    async def _guarded(self, source: Source, state: SourceState, now: datetime) -> Harvest:
        try:
            return await self._read(source, state, now)
        except SourceError:
            raise
        except Exception as error:
            raise fault(Fault.INTERNAL, f"{type(error).__name__}: {error}") from error

    async def _read(self, source: Source, state: SourceState, now: datetime) -> Harvest:
        async with AsyncExitStack() as held:
            fetched = await self._fetch(source, state, now, held)
            if fetched.document is None:
                return _unchanged(fetched, state)
            work = partial(_parse, source, fetched.document, now, self._limits.entries)
            listing = await self._workers.run(work, long=len(fetched.document.body) > self._limits.light)
            return _harvest(listing, fetched)

    async def _fetch(self, source: Source, state: SourceState, now: datetime, held: AsyncExitStack) -> Fetched:
        if source.kind is not Kind.GDELT:
            return await self._fetcher.fetch(source.url, etag=state.etag, modified=state.modified, now=now, held=held)
        async with self._pace.kept():
            return await self._fetcher.fetch(source.url, etag=state.etag, modified=state.modified, now=now, held=held)

    async def aclose(self) -> None:
        """Give up the polls under way and close everything."""
        tasks = list(self._reading.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._client.aclose()
        self._workers.close()
        self._resolver.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.aclose()


def _cancelling() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _parse(source: Source, document: Document, now: datetime, limit: int) -> Listing:
    """Parse a document as its source's kind wants. A new kind begins here."""
    match source.kind:
        case Kind.FEED:
            return read_feed(document, now, limit)
        case Kind.PAGE:
            return read_page(document, dict(source.selectors), now, limit)
        case Kind.GDELT:
            return read_gdelt(document, now, limit)


def _unchanged(fetched: Fetched, state: SourceState) -> Harvest:
    """Return the harvest of a 304: what was wrong with the feed when it was last read still is."""
    problem = None if state.failures else state.problem
    return Harvest(
        unchanged=True,
        etag=fetched.etag or state.etag,
        modified=fetched.modified or state.modified,
        problem=problem,
        moved=fetched.moved,
        asked=fetched.asked,
    )


def _harvest(listing: Listing, fetched: Fetched) -> Harvest:
    """Return what was read. Without validators where the document broke off: the next poll must not be told that nothing changed."""
    return Harvest(
        entries=listing.entries,
        etag=fetched.etag if listing.whole else None,
        modified=fetched.modified if listing.whole else None,
        problem=listing.problem,
        moved=fetched.moved,
        asked=max(filter(None, (fetched.asked, listing.asked)), default=None),
    )
