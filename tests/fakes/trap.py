"""A trap on a fake platform: catches one request that brings a message, before the platform has the message or when it has not answered yet."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from enum import Enum, auto

from aiohttp import web

PATIENCE = 30.0  # seconds that a request is held at most


class Moment(Enum):
    """When a request is caught."""

    BEFORE = auto()  # the platform has the request, and not yet the message
    AFTER = auto()  # the message is in the channel, and nobody was answered


@dataclass
class Caught:
    """A request in hand. `port` is its sender's. It is let go by `let`: with `goes_on` False the platform forgets it, as if it had never come."""

    port: int = 0
    goes_on: bool = True
    _gone: asyncio.Event = field(default_factory=asyncio.Event)

    def let(self, *, goes_on: bool = True) -> None:
        """Let the request go."""
        self.goes_on = goes_on
        self._gone.set()

    async def gone(self) -> None:
        """Wait until it was let go; an error of the test's own holds it no longer than PATIENCE."""
        async with asyncio.timeout(PATIENCE):
            await self._gone.wait()


class Trap:
    """Catches the next request after `set`; without it, lets everything through."""

    def __init__(self) -> None:
        self._moment: Moment | None = None
        self._caught: asyncio.Future[Caught] | None = None

    def set(self, moment: Moment) -> asyncio.Future[Caught]:
        """Catch the next request in that moment; the future gives it. Cancel it to take the trap away."""
        self._moment, self._caught = moment, asyncio.get_running_loop().create_future()
        return self._caught

    async def passed(self, request: web.Request, moment: Moment) -> bool:
        """Called by the platform in each moment of a request; returns whether the request goes on."""
        if self._caught is None or self._caught.done() or moment is not self._moment:
            return True
        peer = request.transport.get_extra_info("peername") if request.transport else None
        caught = Caught(port=peer[1] if peer else 0)
        self._caught.set_result(caught)
        await caught.gone()
        return caught.goes_on
