"""What a machine asks over HTTP: `/healthz` (does it live), `/readyz` (can it work), `/metrics` (Prometheus).

`Entrance.routes` can be mounted into another server; `Entrance.open` is one of its own. Answers name no version, no path and no error: what
is wrong in particular is in the log. Nothing that is asked here costs more than one look at the database a second, however often it is asked.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import structlog
from aiohttp import hdrs, web
from aiohttp.http import HttpProcessingError
from pydantic import SecretStr

from bot.domain.errors import SettingsError

STALE_SECONDS = 15.0  # a loop that has not moved for so long does not live: as in `bot.oversight`
CHECK_SECONDS = 2.0  # a check that takes longer has failed
AGAIN_SECONDS = 1.0  # the answer to `/readyz` is kept for so long
MAX_BODY, MAX_HEADER = 1024, 4096  # bytes; nothing that is asked here has a body
LINGER_SECONDS = 1.0
HOST = "0.0.0.0"  # noqa: S104  (whoever sets the port wants to reach it from another machine, or from outside the container)

Check = Callable[[], Awaitable[bool]]
Figures = Callable[[], Awaitable[bytes]]

_log = structlog.get_logger()


class Entrance:
    """Answers from `heartbeat` (the seconds since the event loop last moved), `checks` by name, and `figures` in Prometheus' format.

    With a `token`, `/metrics` is for whoever sends it as a bearer token.
    """

    def __init__(
        self,
        *,
        heartbeat: Callable[[], float],
        checks: Mapping[str, Check],
        figures: Figures,
        content_type: str,
        token: SecretStr | None = None,
    ) -> None:
        self._heartbeat = heartbeat
        self._checks = dict(checks)
        self._figures = figures
        self._content_type = content_type
        self._token = token
        self._found: tuple[float, dict[str, bool]] | None = None
        self._turn = asyncio.Lock()

    def routes(self) -> list[web.RouteDef]:
        """Return the three routes."""
        return [web.get("/healthz", self._healthz), web.get("/readyz", self._readyz), web.get("/metrics", self._metrics)]

    @asynccontextmanager
    async def open(self, port: int) -> AsyncIterator[int]:
        """Serve on `port` inside the block; yields it (0: a free one). Raises SettingsError when it is not to be had."""
        app = web.Application(client_max_size=MAX_BODY)
        app.router.add_routes(self.routes())
        app.on_response_prepare.append(nameless)
        limits: dict[str, Any] = {"lingering_time": LINGER_SECONDS, "max_line_size": MAX_HEADER, "max_field_size": MAX_HEADER}
        runner = web.AppRunner(app, access_log=None, logger=_library_logger(), shutdown_timeout=LINGER_SECONDS, **limits)
        await runner.setup()
        try:
            await _started(web.TCPSite(runner, HOST, port), port)
            yield runner.addresses[0][1]
        finally:
            await runner.cleanup()

    async def _healthz(self, _: web.Request) -> web.Response:
        lives = self._heartbeat() < STALE_SECONDS
        return web.json_response({"ok": lives}, status=200 if lives else 503)

    async def _readyz(self, _: web.Request) -> web.Response:
        found = await self._checked()
        ready = all(found.values())
        return web.json_response({"ready": ready, "checks": found}, status=200 if ready else 503)

    async def _checked(self) -> dict[str, bool]:
        async with self._turn:
            if self._found is None or time.monotonic() - self._found[0] > AGAIN_SECONDS:
                results = await asyncio.gather(*(_passes(name, check) for name, check in self._checks.items()))
                self._found = time.monotonic(), dict(zip(self._checks, results, strict=True))
            return self._found[1]

    async def _metrics(self, request: web.Request) -> web.Response:
        if not self._may_read(request):
            return web.Response(status=401, headers={hdrs.WWW_AUTHENTICATE: "Bearer"})
        return web.Response(body=await self._figures(), headers={hdrs.CONTENT_TYPE: self._content_type})

    def _may_read(self, request: web.Request) -> bool:
        if self._token is None:
            return True
        wanted = f"Bearer {self._token.get_secret_value()}".encode()
        return hmac.compare_digest(request.headers.get(hdrs.AUTHORIZATION, "").encode("utf-8", "surrogateescape"), wanted)


async def nameless(_: web.Request, response: web.StreamResponse) -> None:
    """Leave the banner away, which names aiohttp's version and Python's (a signal of aiohttp, `on_response_prepare`).

    aiohttp gives no way to do so in its answer to what is no HTTP at all.
    """
    response.headers[hdrs.SERVER] = "attache"


def _library_logger() -> logging.Logger:
    """Return aiohttp's logger for this server. It would log an error for whatever anybody sends that is no HTTP."""
    logger = logging.Logger("attache.http", logging.ERROR)
    logger.parent = logging.getLogger()
    logger.addFilter(lambda record: not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError)))
    return logger


async def _passes(name: str, check: Check) -> bool:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            passed = await check()
    except Exception as error:
        _log.warning("not_ready", check=name, problem=type(error).__name__)
        return False
    if not passed:
        _log.warning("not_ready", check=name)
    return passed


async def _started(site: web.TCPSite, port: int) -> None:
    try:
        await site.start()
    except OSError as error:
        raise SettingsError("ATTACHE_HTTP_PORT", f"{port} cannot be listened on ({error.strerror}); choose another") from error
