"""A local server that publishes feeds, and the documents to publish.

    async with FeedServer() as server:
        server.put("/news.xml", rss([("Title", "Summary", "https://x.example/1", "guid-1", NOW)]))
        server.url("/news.xml")                                          # its address, on the loopback interface
        server.put("/old.xml", "", status=301, headers={"Location": "/news.xml"})
        server.drip("/slow.xml", rss([]), seconds_per_byte=0.1)
        server.hits("/news.xml")                                         # how often it was asked for
        server.asked("/news.xml")[-1]["If-None-Match"]                   # the headers it was asked with

A document of status 200 gets an ETag, made from its bytes, and is answered with 304 where If-None-Match names it. `headers` come
last, so that they can take the place of any of these. A path that nothing was put under is answered with 404.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from types import TracebackType
from typing import Any, Self
from xml.sax.saxutils import escape

from aiohttp import web

Item = tuple[str, str, str, str, datetime | None]  # title, summary, link, guid, published; what is empty or None is left out

RSS, ATOM, JSON_FEED = "application/rss+xml", "application/atom+xml", "application/feed+json"


@dataclass(frozen=True, kw_only=True)
class _Document:
    body: bytes
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds_per_byte: float = 0.0


class FeedServer:
    """Serves what was put. To be entered as a context; leaving it drops whoever still waits."""

    def __init__(self) -> None:
        self._documents: dict[str, _Document] = {}
        self._asked: dict[str, list[Mapping[str, str]]] = {}
        self._closing = asyncio.Event()
        self._origin = ""

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("GET", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self._origin = f"http://{host}:{port}"
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._closing.set()
        await self._runner.cleanup()

    def url(self, path: str) -> str:
        """Return the address of a path."""
        return self._origin + path

    def put(
        self, path: str, body: bytes | str, content_type: str = RSS, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> None:
        """Publish `body` at `path`, in place of what was there."""
        raw = body.encode() if isinstance(body, str) else body
        own = {"Content-Type": content_type}
        if status == 200:
            own["ETag"] = f'"{hashlib.sha256(raw).hexdigest()[:16]}"'
        self._documents[path] = _Document(body=raw, status=status, headers=own | dict(headers or {}))

    def drip(self, path: str, body: bytes | str, seconds_per_byte: float) -> None:
        """Publish `body` at `path`, one byte at a time."""
        raw = body.encode() if isinstance(body, str) else body
        self._documents[path] = _Document(body=raw, status=200, headers={"Content-Type": RSS}, seconds_per_byte=seconds_per_byte)

    def hits(self, path: str) -> int:
        """Return how often `path` was asked for."""
        return len(self._asked.get(path, ()))

    def asked(self, path: str) -> list[Mapping[str, str]]:
        """Return the headers of every request for `path`, oldest first; their names in any case."""
        return list(self._asked.get(path, ()))

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        path = request.raw_path if request.raw_path in self._documents else request.path
        self._asked.setdefault(path, []).append(request.headers)
        document = self._documents.get(path)
        if document is None:
            return web.Response(status=404, text="nothing here")
        etag = document.headers.get("ETag")
        if document.status == 200 and etag and request.headers.get("If-None-Match") == etag:
            return web.Response(status=304, headers={"ETag": etag})
        if document.seconds_per_byte:
            return await self._dripped(request, document)
        return web.Response(status=document.status, body=document.body, headers=document.headers)

    async def _dripped(self, request: web.Request, document: _Document) -> web.StreamResponse:
        response = web.StreamResponse(headers=document.headers)
        with suppress(ConnectionError):
            await response.prepare(request)
            for byte in document.body:
                await response.write(bytes([byte]))
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._closing.wait(), document.seconds_per_byte)
                    break
        return response


def rss(items: Iterable[Item], *, title: str = "Feed", link: str = "https://feed.example/") -> str:
    """Return an RSS 2.0 document."""
    parts = [
        "<item>"
        + _tag("title", head)
        + _tag("description", summary)
        + _tag("link", url)
        + _tag("guid", guid, ' isPermaLink="false"')
        + _tag("pubDate", format_datetime(published) if published else "")
        + "</item>"
        for head, summary, url, guid, published in items
    ]
    channel = _tag("title", title) + _tag("link", link) + _tag("description", title)
    return f'<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0"><channel>{channel}{"".join(parts)}</channel></rss>\n'


def atom(items: Iterable[Item], *, title: str = "Feed", link: str = "https://feed.example/") -> str:
    """Return an Atom document; an entry bears `updated` only, as many do."""
    parts = [
        "<entry>"
        + _tag("title", head)
        + _tag("summary", summary)
        + (f'<link href="{escape(url, {chr(34): "&quot;"})}"/>' if url else "")
        + _tag("id", guid)
        + _tag("updated", published.isoformat() if published else "")
        + "</entry>"
        for head, summary, url, guid, published in items
    ]
    head = _tag("title", title) + _tag("id", link) + f'<link href="{link}"/>'
    return f'<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">{head}{"".join(parts)}</feed>\n'


def json_feed(items: Iterable[Item], *, title: str = "Feed", link: str = "https://feed.example/") -> str:
    """Return a JSON Feed 1.1 document."""
    return json.dumps(
        {"version": "https://jsonfeed.org/version/1.1", "title": title, "home_page_url": link, "items": [_json_item(i) for i in items]},
        ensure_ascii=False,
    )


def _json_item(item: Item) -> dict[str, Any]:
    title, summary, url, guid, published = item
    named = {"id": guid, "title": title, "content_text": summary, "url": url, "date_published": published.isoformat() if published else ""}
    return {name: value for name, value in named.items() if value}


def _tag(name: str, text: str, attributes: str = "") -> str:
    return f"<{name}{attributes}>{escape(text)}</{name}>" if text else ""
