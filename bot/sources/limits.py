"""The bounds of a poll, and the gates that keep many polls polite and small."""

from __future__ import annotations

import asyncio
import ipaddress
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Bounds. `seconds` is the network's own time for one poll, redirects and all; waiting for our own gates does not count."""

    body: int = 5 * 1024 * 1024  # bytes, unpacked
    seconds: float = 20.0
    slowest: int = 64  # bytes a second on the wire: a body that comes slower…
    grace: float = 5.0  # …than that after so many seconds is not waited for
    redirects: int = 5
    entries: int = 2_000
    per_host: int = 2
    pause: float = 0.2  # seconds between the beginnings of two requests to one host of the internet
    patience: float = (
        1.5  # seconds after which a poll that still runs holds up its host's next ones no longer: a slow source delays no other
    )
    at_once: int = 128  # open polls: more than the slow ones of a long list, so that they never hold up the rest
    light: int = 512 * 1024  # a body longer than this needs a permit to grow on…
    heavy: int = 4  # …of which there are so many, so that memory stays bounded by heavy x body
    parsers: int = 2  # documents parsed at once, each in a thread of its own
    parsing: float = 30.0  # seconds that anybody waits for one of them
    article: int = 2 * 1024 * 1024  # characters of an article page
    gdelt_pause: float = 5.5  # seconds between questions to GDELT, which asks for one in five


class Budget:
    """A poll's seconds: it runs while the network is waited for, and stands still while our own gates are."""

    def __init__(self, seconds: float) -> None:
        self._left = seconds
        self._since = 0.0
        self._clock: asyncio.Timeout | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Let the time run inside the block. Raises TimeoutError when it is used up."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(max(self._left, 0.0)) as self._clock:
            self._since = loop.time()
            try:
                yield
            finally:
                self._left -= loop.time() - self._since

    @asynccontextmanager
    async def paused(self) -> AsyncIterator[None]:
        """Let the time stand still inside the block, which lies inside a running one."""
        loop = asyncio.get_running_loop()
        assert self._clock is not None  # noqa: S101  a mistake of ours, not of the source
        self._left -= loop.time() - self._since
        self._clock.reschedule(None)
        try:
            yield
        finally:
            self._since = loop.time()
            self._clock.reschedule(self._since + max(self._left, 0.0))


class _Place:
    """A place at a gate, which is left once."""

    def __init__(self, gate: asyncio.Semaphore) -> None:
        self._gate: asyncio.Semaphore | None = gate

    def leave(self) -> None:
        if self._gate is not None:
            self._gate.release()
            self._gate = None


@dataclass(kw_only=True)
class _Host:
    """A host that somebody waits for, and when the next request may begin."""

    gate: asyncio.Semaphore
    waiting: int = 0
    free: float = 0.0

    def next(self, pause: float) -> float:
        """Take the next moment that is free; return the seconds until then."""
        now = asyncio.get_running_loop().time()
        begin = max(now, self.free)
        self.free = begin + pause
        return begin - now


def is_own(host: str) -> bool:
    """Say whether `host` (perhaps with a port) is this machine or one beside it, which asks for no manners."""
    name = host.rpartition(":")[0] if re.search(r":\d+$", host) else host
    try:
        return not ipaddress.ip_address(name.strip("[]")).is_global
    except ValueError:
        return name == "localhost"


class Gates:
    """At most so many polls at once, at most so many of one host, at most so many heavy bodies. Forgets a host that nobody waits for."""

    def __init__(self, limits: Limits) -> None:
        self._per_host, self._patience = limits.per_host, limits.patience
        self._all = asyncio.Semaphore(limits.at_once)
        self._pause = limits.pause
        self._hosts: dict[str, _Host] = {}
        self.heavy = asyncio.Semaphore(limits.heavy)

    @asynccontextmanager
    async def through(self, host: str) -> AsyncIterator[None]:
        """Wait for a turn at `host`, then for one of the general places; hold both inside the block, the host's for `patience` at most."""
        place = self._hosts.setdefault(host, _Host(gate=asyncio.Semaphore(self._per_host)))
        place.waiting += 1
        try:
            async with self._turn(place.gate):
                await asyncio.sleep(place.next(0.0 if is_own(host) else self._pause))
                async with self._all:
                    yield
        finally:
            place.waiting -= 1
            if not place.waiting:
                del self._hosts[host]

    @asynccontextmanager
    async def _turn(self, gate: asyncio.Semaphore) -> AsyncIterator[None]:
        await gate.acquire()
        place = _Place(gate)
        early = asyncio.get_running_loop().call_later(self._patience, place.leave)
        try:
            yield
        finally:
            early.cancel()
            place.leave()


class Pace:
    """Lets one through at a time, no sooner than `pause` seconds after the one before."""

    def __init__(self, pause: float) -> None:
        self._pause = pause
        self._turn = asyncio.Lock()
        self._last: float | None = None

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Wait for the turn and hold it inside the block."""
        loop = asyncio.get_running_loop()
        async with self._turn:
            if self._last is not None:
                await asyncio.sleep(max(0.0, self._last + self._pause - loop.time()))
            try:
                yield
            finally:
                self._last = loop.time()
