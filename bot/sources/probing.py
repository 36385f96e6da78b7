"""Probing: an address looked at once before it becomes a source, and the feed that a web page names. Offers the port `bot.ports.Prober`."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final, TypeVar
from urllib.parse import urlsplit

from selectolax.lexbor import LexborHTMLParser, LexborNode

from bot.domain.entries import Kind
from bot.domain.errors import SourceError
from bot.domain.text import fold
from bot.ports import Probe
from bot.sources.decoding import decoded
from bot.sources.faults import Fault, fault
from bot.sources.feeds import read_feed
from bot.sources.fetching import Document, Fetcher
from bot.sources.gdelt import read_gdelt
from bot.sources.items import Listing, absolute, clean
from bot.sources.limits import Pace
from bot.sources.markup import bare, unfit, without
from bot.sources.pages import read_page
from bot.sources.workers import Workers

T = TypeVar("T")

MAX_TITLE: Final = 80
MAX_LINKS: Final = 500  # elements of one page that are looked at
MAX_HEAD: Final = 65_536  # characters in which a feed's own title is looked for

_TYPES = (
    "application/rss+xml",
    "application/atom+xml",
    "application/feed+json",
    "application/json",
)  # the last is often an API, not a feed
_COMMENTS = re.compile(r"\bcomments?\b|\bcommentaires?\b|\bkommentare?\b|\bcomentarios?\b|\bcommenti\b|\breacties\b")
_GDELT = "api.gdeltproject.org"
_COMMENT, _COMMENT_END = re.compile("<!--"), re.compile("-->")
_PART = re.compile(r"<(?:image|textinput)\s*>", re.IGNORECASE)  # parts of a channel that have titles of their own
_PART_END = re.compile(r"</(?:image|textinput)\s*>", re.IGNORECASE)
_ITEM = re.compile(r"<(?:[\w.-]{1,40}:)?(?:item|entry)[\s>/]", re.IGNORECASE)
_TITLE = re.compile(
    r"<(?!media:|itunes:)(?:[\w.-]{1,40}:)?title(?:\s[^<>]{0,400})?>(.{0,2000}?)</(?:[\w.-]{1,40}:)?title\s*>", re.IGNORECASE | re.DOTALL
)
_CDATA = re.compile(r"<!\[CDATA\[|\]\]>")


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A document read as a source: its own title, empty where it has none, and what it lists."""

    title: str
    listing: Listing


class Prober:
    """Looks at addresses through the door, the gates and the threads of a reader. Owns none of them, remembers nothing, does not retry."""

    def __init__(self, fetcher: Fetcher, workers: Workers, *, pace: Pace, limit: int) -> None:
        """Take the reader's parts: `pace` is kept between questions to GDELT, `limit` is how many entries of a document are read."""
        self._fetcher = fetcher
        self._workers = workers
        self._pace = pace
        self._limit = limit

    async def probe(self, url: str, kind: Kind | None, now: datetime) -> Probe:
        """Read `url` as a source of `kind`; None means GDELT for its API, else a feed. Raises SourceError only.

        A page needs selectors, which no address has: Kind.PAGE ends in SourceError("selector"), as its poll would.
        """
        began = time.perf_counter()
        kind = kind or _kind_of(url)
        with _source_errors_only():
            seen, moved = await self._look(url, kind, partial(_read, kind=kind, now=now, limit=self._limit), now)
        return _probe(url, seen, moved, began)

    async def discover(self, url: str, now: datetime) -> Probe:
        """Read the feed at `url`, or the first one that the page at `url` names: not one of comments where there is another.

        Raises SourceError only: "html" for a page that names no feed, and what reading the feed that it names raises.
        """
        if _kind_of(url) is Kind.GDELT:
            return await self.probe(url, Kind.GDELT, now)
        began = time.perf_counter()
        with _source_errors_only():
            first, moved = await self._look(url, Kind.FEED, partial(_read_or_link, now=now, limit=self._limit), now)
            if isinstance(first, Reading):
                return _probe(url, first, moved, began)
            seen, moved = await self._look(first, Kind.FEED, partial(_read, kind=Kind.FEED, now=now, limit=self._limit), now)
            return _probe(first, seen, moved, began)

    async def _look(self, url: str, kind: Kind, work: Callable[[Document], T], now: datetime) -> tuple[T, str | None]:
        """Fetch `url` and return what `work` makes of the document in a thread, and the address that it has moved to for good."""
        async with AsyncExitStack() as held:
            if kind is Kind.GDELT:
                await held.enter_async_context(self._pace.kept())
            fetched = await self._fetcher.fetch(url, etag=None, modified=None, now=now, held=held)
            if fetched.document is None:
                raise fault(Fault.STATUS, "the server says that nothing changed, unasked")
            return await self._workers.run(partial(work, fetched.document)), fetched.moved


@contextmanager
def _source_errors_only() -> Iterator[None]:
    try:
        yield
    except SourceError:
        raise
    except Exception as error:
        raise fault(Fault.INTERNAL, f"{type(error).__name__}: {error}") from error


def _probe(url: str, seen: Reading, moved: str | None, began: float) -> Probe:
    entries = seen.listing.entries
    return Probe(
        url=url,
        title=seen.title or _host(url)[:MAX_TITLE],
        entries=entries,
        seconds=time.perf_counter() - began,
        newest=max((e.published for e in entries if e.published is not None), default=None),
        problem=seen.listing.problem,
        moved=moved,
    )


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:  # a broken bracket: the fetcher will say so
        return ""


def _kind_of(url: str) -> Kind:
    return Kind.GDELT if _host(url) == _GDELT else Kind.FEED


def _read(document: Document, *, kind: Kind, now: datetime, limit: int) -> Reading:
    match kind:
        case Kind.FEED:
            listing = read_feed(document, now, limit)  # first: it refuses what has no title worth looking for
            return Reading(title=feed_title(document), listing=listing)
        case Kind.PAGE:
            return Reading(title="", listing=read_page(document, {}, now, limit))
        case Kind.GDELT:
            return Reading(title="", listing=read_gdelt(document, now, limit))


def _read_or_link(document: Document, *, now: datetime, limit: int) -> Reading | str:
    """Return a feed as read, or the address of the feed that a page names. Raises SourceError for anything else."""
    try:
        return _read(document, kind=Kind.FEED, now=now, limit=limit)
    except SourceError as error:
        if error.reason not in (Fault.HTML, Fault.NOT_A_FEED):
            raise
        if (link := feed_link(document)) is not None:
            return link
        if error.reason == Fault.HTML:
            raise fault(Fault.HTML, "this is a web page that names no feed") from error
        raise


def feed_title(document: Document) -> str:
    """Return the name that a feed gives itself, plain, at most MAX_TITLE characters; empty where it has none. Raises nothing."""
    text = decoded(document.body, document.content_type).lstrip("\ufeff \t\r\n")
    return clean(_json_title(text) if text.startswith("{") else _xml_title(text[:MAX_HEAD]), MAX_TITLE)


def _json_title(text: str) -> str:
    try:
        title = json.loads(text, strict=False).get("title")
    except (ValueError, RecursionError):
        return ""
    return title if isinstance(title, str) else ""


def _xml_title(head: str) -> str:
    """Return the first title that stands before the first item. No parser: a whole feed would have to be parsed a second time for it."""
    head = without(_ITEM.split(head, maxsplit=1)[0], _COMMENT, _COMMENT_END)
    found = _TITLE.search(without(head, _PART, _PART_END))
    return _CDATA.sub("", found[1]) if found else ""


def feed_link(document: Document) -> str | None:
    """Return the address of the feed that a page names in `<link rel="alternate">`, resolved against the page and its base; None without one.

    The first in the page's order, but comments after the rest, and `application/json`, which is often an API, last. Raises
    SourceError("broken") for a page that would keep a parser busy for minutes.
    """
    text = bare(decoded(document.body, document.content_type))
    if (excess := unfit(text)) is not None:
        raise fault(Fault.BROKEN, f"{excess}: too much for a page")
    page = LexborHTMLParser(text)
    base = _base(page, document.url)
    links = [node for node in page.css("link[rel][type][href]")[:MAX_LINKS] if _is_feed(node)]
    found = ((node, absolute(node.attributes.get("href") or "", base)) for node in sorted(links, key=_rank))
    return next((url for _, url in found if url), None)


def _base(page: LexborHTMLParser, url: str) -> str:
    base = page.css_first("base[href]")
    return (absolute(base.attributes.get("href") or "", url) if base else "") or url


def _is_feed(node: LexborNode) -> bool:
    return "alternate" in (node.attributes.get("rel") or "").lower().split() and _type(node) in _TYPES


def _type(node: LexborNode) -> str:
    return (node.attributes.get("type") or "").partition(";")[0].strip().lower()


def _rank(node: LexborNode) -> tuple[bool, bool]:
    """Return what sorts a link: sorting is stable, so the page's order decides among equals."""
    return _type(node) == _TYPES[-1], bool(_COMMENTS.search(fold((node.attributes.get("title") or "")[:300])))
