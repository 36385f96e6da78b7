"""What the tests of the sources share: an hour, documents of our own writing, a reader with short limits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from hypothesis import settings

from bot.domain.entries import Kind, Source, SourceState
from bot.sources.fetching import Document
from bot.sources.limits import Limits
from bot.sources.reader import SourceReader
from bot.sources.wire import Resolve

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
AT = "https://paper.example/news/feed.xml"
AGENT = "Attache-Test/1"
some = settings(max_examples=30, deadline=None)  # a shared machine may be slow
BRISK = Limits(seconds=2.0, gdelt_pause=0.0)


def document(body: bytes | str, url: str = AT, content_type: str = "") -> Document:
    return Document(body=body.encode() if isinstance(body, str) else body, url=url, content_type=content_type)


def rss(*items: str, head: str = "<title>The Arland Courier</title>") -> str:
    return f'<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel>{head}{"".join(items)}</channel></rss>'


def item(title: str = "Ministers meet in Port Arland", **parts: str) -> str:
    tags = {"title": title, "link": "https://paper.example/a/1", **parts}
    return f"<item>{''.join(f'<{k}>{v}</{k}>' for k, v in tags.items() if v)}</item>"


def many(count: int) -> Iterable[str]:
    return (item(f"Talks on timber, round {n}", link=f"/a/{n}", guid=f"g{n}") for n in range(count))


def source(url: str, kind: Kind = Kind.FEED, **selectors: str) -> Source:
    return Source(name="Courier", url=url, kind=kind, selectors=tuple(sorted(selectors.items())))


def state(etag: str | None = None, modified: str | None = None, problem: str | None = None, failures: int = 0) -> SourceState:
    return SourceState(name="Courier", etag=etag, modified=modified, problem=problem, failures=failures)


def reader(limits: Limits = BRISK, *, allow_private: bool = True, resolve: Resolve | None = None) -> SourceReader:
    return SourceReader(allow_private=allow_private, agent=AGENT, limits=limits, resolve=resolve)


class Names:
    """A resolver that knows some names; every other one is unknown."""

    def __init__(self, **known: Sequence[str]) -> None:
        self.known = {name.replace("_", "."): list(addresses) for name, addresses in known.items()}
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        if host not in self.known:
            raise OSError("not known")
        return self.known[host]
