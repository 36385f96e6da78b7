"""The reader (port `Reader`): fetches a source and parses what came, each within its bounds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from datetime import datetime
from types import TracebackType
from typing import Self

import structlog

from bot.domain.entries import Kind, Source, SourceState
from bot.domain.errors import SourceError
from bot.ports import Harvest
from bot.sources.addresses import Policy
from bot.sources.faults import Fault, fault
from bot.sources.feeds import Parsed, parse_feed
from bot.sources.fetching import Document, Fetched, Fetcher
from bot.sources.gdelt import parse_articles
from bot.sources.limits import Limits, Pace
from bot.sources.pages import parse_page
from bot.sources.wire import SystemResolver, make_client

AGENT = "Attache/0.1 (self-hosted news alerts)"
PARSERS = 1  # threads: parsing is pure Python, so that more would only take turns

_log = structlog.get_logger()


class SourceReader:
    """Reads sources with one client and one parsing thread. To be entered as a context, which owns both."""

    def __init__(self, *, allow_private: bool = False, limits: Limits | None = None, agent: str = AGENT) -> None:
        self._limits = limits or Limits()
        policy = Policy(allow_private=allow_private)
        self._resolver = SystemResolver()
        self._client = make_client(policy, self._resolver, agent=agent, at_once=self._limits.at_once, seconds=self._limits.seconds)
        self._fetcher = Fetcher(self._client, policy, self._limits)
        self._threads = ThreadPoolExecutor(PARSERS, thread_name_prefix="parse")
        self._gdelt = Pace(self._limits.gdelt_pause)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._client.aclose()
        self._resolver.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def read(self, source: Source, state: SourceState, now: datetime) -> Harvest:
        """See `Reader.read`."""
        try:
            if source.kind is Kind.GDELT:
                async with self._gdelt.kept():
                    return await self._read(source, state, now)
            return await self._read(source, state, now)
        except SourceError:
            raise
        except Exception as error:  # a library's own mistake must cost this source one poll, and no other source anything
            _log.exception("source_failed", source=source.name)
            raise fault(Fault.INTERNAL, f"{type(error).__name__}: {error}") from error

    async def _read(self, source: Source, state: SourceState, now: datetime) -> Harvest:
        async with AsyncExitStack() as held:
            fetched = await self._fetcher.fetch(source.url, etag=state.etag, modified=state.modified, now=now, held=held)
            if fetched.document is None:
                etag, modified = fetched.etag or state.etag, fetched.modified or state.modified
                return Harvest(unchanged=True, etag=etag, modified=modified, problem=state.problem)
            work = _parser(source, fetched.document, now, self._limits.entries)
            parsed = await asyncio.get_running_loop().run_in_executor(self._threads, work)
        return _harvest(fetched, parsed)


def _parser(source: Source, document: Document, now: datetime, limit: int) -> Callable[[], Parsed]:
    match source.kind:
        case Kind.FEED:
            return lambda: parse_feed(document, now, limit)
        case Kind.PAGE:
            return lambda: parse_page(document, dict(source.selectors), now, limit)
        case Kind.GDELT:
            return lambda: parse_articles(document, now, limit)


def _harvest(fetched: Fetched, parsed: Parsed) -> Harvest:
    problem = parsed.problem
    if fetched.moved:
        problem = f"moved for good to {fetched.moved}" + (f"; {problem}" if problem else "")
    return Harvest(entries=parsed.entries, etag=fetched.etag, modified=fetched.modified, problem=problem)
