"""A local web server that misbehaves in the ways of the wire: packed, endless, dripping, broken off, redirecting.

For feeds and nothing more there is `tests.fakes.feed_server`.

    async with WebServer() as server:
        server.put("/feed.xml", body)
        ...                                    # poll server.url("/feed.xml")
        server.hits("/feed.xml")               # how often it was asked for
        server.asked("/feed.xml")[-1]          # the headers of the last request

Every body has an ETag of its own unless `headers` name one or `etag=False`; a request that brings the ETag or the Last-Modified of the
path is answered with 304. `gzip` packs the body. `times` sends it so often, one after the other, without holding it all. `drip` waits so
many seconds before each byte. `cut` closes the connection in the middle of the body. `redirect(path, to)` points
elsewhere. A path that was never put answers 404.
"""

from __future__ import annotations

import asyncio
import gzip as gzip_format
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from types import TracebackType
from typing import Self

from aiohttp import web


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """What lies at one path."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    times: int = 1
    drip: float = 0.0
    cut: bool = False


class WebServer:
    """The server. Binds a free port of the loopback address."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self._host = host
        self._port = 0
        self._shelves: dict[str, Shelf] = {}
        self._hits: Counter[str] = Counter()
        self._asked: defaultdict[str, list[dict[str, str]]] = defaultdict(list)
        self.open = 0
        self.most_open = 0

    def put(
        self,
        path: str,
        body: bytes | str,
        content_type: str = "application/rss+xml",
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        *,
        etag: bool = True,
        gzip: bool = False,
        times: int = 1,
        drip: float = 0.0,
        cut: bool = False,
    ) -> None:
        """Put a body at a path, in the place of what was there."""
        data = body.encode() if isinstance(body, str) else body
        named = {"Content-Type": content_type, **(headers or {})}
        if etag and status == 200:
            named.setdefault("ETag", f'"{sha256(data).hexdigest()[:16]}"')
        if gzip:
            data, named["Content-Encoding"] = gzip_format.compress(data), "gzip"
        self._shelves[path] = Shelf(body=data, status=status, headers=named, times=times, drip=drip, cut=cut)

    def redirect(self, path: str, to: str, *, status: int = 302) -> None:
        """Point from a path to an address."""
        self._shelves[path] = Shelf(body=b"", status=status, headers={"Location": to})

    def remove(self, path: str) -> None:
        """Take a path away: 404 from here on."""
        self._shelves.pop(path, None)

    def url(self, path: str, host: str | None = None) -> str:
        """Return the address of a path."""
        return f"http://{host or self._host}:{self._port}{path}"

    def hits(self, path: str) -> int:
        """Return how often a path was asked for."""
        return self._hits[path]

    def asked(self, path: str) -> list[dict[str, str]]:
        """Return the headers of the requests for a path, oldest first."""
        return self._asked[path]

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("GET", "/{rest:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, 0)
        await site.start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self._hits[request.path] += 1
        self._asked[request.path].append(dict(request.headers))
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            return await self._send(request, self._shelves.get(request.path) or Shelf(body=b"nothing here", status=404))
        finally:
            self.open -= 1

    async def _send(self, request: web.Request, shelf: Shelf) -> web.StreamResponse:
        if _unchanged(request, shelf):
            return web.Response(status=304, headers={k: v for k, v in shelf.headers.items() if k in ("ETag", "Last-Modified")})
        response = web.StreamResponse(status=shelf.status, headers=shelf.headers)
        response.content_length = len(shelf.body) * shelf.times
        await response.prepare(request)
        for piece in _pieces(shelf):
            await asyncio.sleep(shelf.drip)
            await response.write(piece)
        if shelf.cut and request.transport is not None:
            request.transport.close()
        return response


def _pieces(shelf: Shelf) -> list[bytes]:
    if shelf.cut:
        return [shelf.body[: len(shelf.body) // 2]]
    if shelf.drip:
        return [shelf.body[i : i + 1] for i in range(len(shelf.body))]
    return [shelf.body] * shelf.times


def _unchanged(request: web.Request, shelf: Shelf) -> bool:
    pairs = (("If-None-Match", "ETag"), ("If-Modified-Since", "Last-Modified"))
    return any(shelf.headers.get(has) and request.headers.get(asks) == shelf.headers[has] for asks, has in pairs)
