"""robots.txt, RFC 9309: asked for once a day and host, through the same fetcher as everything else."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from urllib.parse import urlsplit
from urllib.robotparser import RobotFileParser

from bot.domain.errors import SourceError
from bot.sources.decoding import decoded
from bot.sources.faults import Fault
from bot.sources.fetching import Document, Fetcher
from bot.sources.workers import Workers

KEPT = timedelta(days=1)
RETRIED = timedelta(hours=1)  # when no answer came
MAX_HOSTS = 500
MAX_BODY = 512 * 1024  # RFC 9309, 2.5: at least 500 KiB are read

_OPEN = frozenset({Fault.NOT_FOUND, Fault.GONE, Fault.STATUS, Fault.REFUSED, Fault.REDIRECTS})  # RFC 9309, 2.3.1.3: "unavailable" allows


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What one host allows; `parser` is None where all or nothing is."""

    expires: datetime
    parser: RobotFileParser | None
    otherwise: bool

    def allow(self, agent: str, url: str) -> bool:
        """Say whether `agent` may fetch `url`."""
        return self.otherwise if self.parser is None else self.parser.can_fetch(agent, url)


class Robots:
    """Knows what hosts allow. Remembers the last MAX_HOSTS of them."""

    def __init__(self, fetcher: Fetcher, workers: Workers, agent: str) -> None:
        self._fetcher = fetcher
        self._workers = workers
        self._agent = agent.split("/")[0].strip() or "*"
        self._known: dict[str, Rules] = {}
        self._asking: dict[str, asyncio.Lock] = {}

    async def allow(self, url: str, now: datetime) -> bool:
        """Say whether we may fetch `url`; False when the host does not answer. Raises nothing of its own."""
        parts = urlsplit(url)
        host = f"{parts.scheme}://{parts.netloc}"
        lock = self._asking.setdefault(host, asyncio.Lock())
        try:
            async with lock:
                rules = self._known.get(host)
                if rules is None or rules.expires <= now:
                    rules = await self._ask(host, now)
                    self._keep(host, rules)
        finally:
            if not lock.locked():
                self._asking.pop(host, None)
        return rules.allow(self._agent, url)

    def _keep(self, host: str, rules: Rules) -> None:
        self._known.pop(host, None)
        self._known[host] = rules
        while len(self._known) > MAX_HOSTS:
            del self._known[next(iter(self._known))]

    async def _ask(self, host: str, now: datetime) -> Rules:
        try:
            async with AsyncExitStack() as held:
                fetched = await self._fetcher.fetch(f"{host}/robots.txt", etag=None, modified=None, now=now, held=held)
                parser = await self._workers.run(partial(_parsed, fetched.document)) if fetched.document else None
        except SourceError as error:
            allowed = error.reason in _OPEN
            return Rules(expires=now + (KEPT if allowed else RETRIED), parser=None, otherwise=allowed)
        return Rules(expires=now + KEPT, parser=parser, otherwise=True)


def _parsed(document: Document) -> RobotFileParser:
    parser = RobotFileParser()
    parser.parse(decoded(document.body[:MAX_BODY], document.content_type).splitlines())
    return parser
