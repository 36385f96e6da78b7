"""A web server of feeds on the loopback address: what stands at a path can change between polls, and every request is counted."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from aiohttp import web


@dataclass(frozen=True, kw_only=True)
class Page:
    """What stands at a path."""

    body: bytes
    content_type: str
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class FeedServer:
    """The server; an async context manager. Answers with an ETag, and with 304 to who knows it."""

    def __init__(self) -> None:
        self._pages: dict[str, Page] = {}
        self._hits: Counter[str] = Counter()
        self._base = ""
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        application = web.Application()
        application.router.add_get("/{path:.*}", self._answer)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self._base = f"http://{host}:{port}"
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._runner:
            await self._runner.cleanup()

    def url(self, path: str) -> str:
        """Return the address of `path`."""
        return self._base + path

    def put(
        self,
        path: str,
        body: bytes | str,
        content_type: str = "application/rss+xml",
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Let `body` stand at `path` from now on."""
        raw = body.encode() if isinstance(body, str) else body
        self._pages[path] = Page(body=raw, content_type=content_type, status=status, headers=headers or {})

    def hits(self, path: str) -> int:
        """Return how often `path` was asked for."""
        return self._hits[path]

    async def _answer(self, request: web.Request) -> web.Response:
        self._hits[request.path] += 1
        page = self._pages.get(request.path)
        if page is None:
            return web.Response(status=404)
        etag = '"' + hashlib.sha256(page.body).hexdigest()[:16] + '"'
        headers = {"ETag": etag, "Content-Type": page.content_type, **page.headers}
        if page.status == 200 and request.headers.get("If-None-Match") == etag:
            return web.Response(status=304, headers={"ETag": etag})
        return web.Response(body=page.body, status=page.status, headers=headers)
