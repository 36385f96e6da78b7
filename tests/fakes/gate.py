"""A gate in front of a fake platform: what it does to requests before the platform sees them, and before the answer goes out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, Protocol

from aiohttp import web

PATIENCE = 30.0  # seconds that a request is held at most

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Gate(Protocol):
    """Asked of every request."""

    async def before(self, request: web.Request) -> web.StreamResponse | None:
        """The platform has not seen the request: return the answer to give in place of the platform's; None lets it through."""
        ...

    async def after(self, request: web.Request) -> bool:
        """The platform has done what was asked: return whether the answer goes out; else the connection breaks."""
        ...


def gated(gate: Callable[[], Gate | None]) -> Any:  # noqa: ANN401  (aiohttp's middlewares have no type of their own)
    """Return the middleware that asks the gate which there is at the time."""

    @web.middleware
    async def through(request: web.Request, handler: Handler) -> web.StreamResponse:
        asked = gate()
        if asked is None:
            return await handler(request)
        instead = await asked.before(request)
        if instead is not None:
            return instead
        answer = await handler(request)
        return answer if await asked.after(request) else broken(request)

    return through


def broken(request: web.Request) -> web.Response:
    """Break the connection under a request."""
    if request.transport is not None:  # it may be gone with its process
        request.transport.abort()
    return web.Response()


def is_message(request: web.Request) -> bool:
    """Say whether a request posts a message or edits one, on Slack or Discord."""
    slack = request.path.endswith(("/chat.postMessage", "/chat.update"))
    discord = "/channels/" in request.path and "/messages" in request.path and not request.path.endswith("/threads")
    return slack or (discord and request.method in ("POST", "PATCH"))


class Moment(Enum):
    """When a request is caught."""

    BEFORE = auto()  # the platform has not got the message
    AFTER = auto()  # the message is in the channel, and nobody was answered


@dataclass
class Caught:
    """A request in hand. `port` is its sender's. `let` ends the holding: with `goes_on` False as if the request, or its answer, had been lost."""

    port: int = 0
    goes_on: bool = True
    _gone: asyncio.Event = field(default_factory=asyncio.Event)

    def let(self, *, goes_on: bool = True) -> None:
        """Let the request go."""
        self.goes_on = goes_on
        self._gone.set()

    async def gone(self) -> None:
        """Wait until it was let go, at most PATIENCE."""
        async with asyncio.timeout(PATIENCE):
            await self._gone.wait()


class Trap:
    """A gate that catches the next message after `set`, and lets everything else through."""

    def __init__(self) -> None:
        self._moment: Moment | None = None
        self._caught: asyncio.Future[Caught] | None = None

    def set(self, moment: Moment) -> asyncio.Future[Caught]:
        """Catch the next message in that moment; the future gives it. Cancel it to take the trap away."""
        self._moment, self._caught = moment, asyncio.get_running_loop().create_future()
        return self._caught

    async def before(self, request: web.Request) -> web.StreamResponse | None:
        """See `Gate.before`."""
        return None if await self._passed(request, Moment.BEFORE) else broken(request)

    async def after(self, request: web.Request) -> bool:
        """See `Gate.after`."""
        return await self._passed(request, Moment.AFTER)

    async def _passed(self, request: web.Request, moment: Moment) -> bool:
        if self._caught is None or self._caught.done() or moment is not self._moment or not is_message(request):
            return True
        peer = request.transport.get_extra_info("peername") if request.transport else None
        caught = Caught(port=peer[1] if peer else 0)
        self._caught.set_result(caught)
        await caught.gone()
        return caught.goes_on
