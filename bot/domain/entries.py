"""Sources and entries: what comes in, and when two of them are the same."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from bot.domain.text import fold

FRESH = timedelta(hours=24)  # the first poll of a source alerts nothing older than this

_TRACKING = re.compile(
    r"^(?:utm_\w+|fbclid|gclid|dclid|msclkid|mc_[ce]id|igshid|ref|ref_src|rss|cmp(?:id)?|ito|ocid|smid|at_\w+|ns_\w+|xtor"
    r"|spm|guccounter|feedtype|partner|srnd|sref|taid|traffic_source|source|from|output|outputtype)$",
    re.IGNORECASE,
)
_MOBILE = re.compile(r"^(?:www\d?|m|mobile|amp)\.")
_WRAPPER = re.compile(r"(?:^|\.)(?:google|bing)\.com$")
_AMP = re.compile(r"/amp(?:\.html)?/?$|^/amp(?=/)|(?<=/)amp_(?=articleshow)", re.IGNORECASE)


class Kind(StrEnum):
    """How a source is read."""

    FEED = "feed"
    PAGE = "page"
    GDELT = "gdelt"


@dataclass(frozen=True, kw_only=True)
class Source:
    """A place that news comes from. `interval` is in seconds, None: after its own rhythm; `selectors` are CSS selectors for `kind: page`."""

    name: str
    url: str
    kind: Kind = Kind.FEED
    interval: int | None = None
    country: str | None = None
    language: str | None = None
    group: str | None = None
    selectors: tuple[tuple[str, str], ...] = ()
    paused: bool = False


@dataclass(frozen=True, kw_only=True)
class SourceChange:
    """What an admin changed about a source from the chat: one of their own has a `url`, a listed one has none."""

    name: str
    url: str | None = None
    kind: Kind = Kind.FEED
    paused: bool = False
    removed: bool = False


def merged(listed: Sequence[Source], changes: Iterable[SourceChange]) -> list[Source]:
    """Return the sources to poll: those of the file as admins changed them, then those that admins added. Paused ones are there, removed ones are not."""
    by_name = {change.name: change for change in changes}
    changed = [(source, by_name.pop(source.name, SourceChange(name=source.name))) for source in listed]
    kept = [replace(source, paused=change.paused, url=change.url or source.url) for source, change in changed if not change.removed]
    own = [Source(name=c.name, url=c.url, kind=c.kind, paused=c.paused) for c in by_name.values() if c.url and not c.removed]
    return [*kept, *own]


@dataclass(frozen=True, kw_only=True)
class SourceState:
    """What the last polls of a source left behind.

    `polled` is the last poll that could be read, None before the first; `newest` the latest date of an entry, `arrived` when one last
    arrived; `rhythm` the usual seconds between two; `asked` the seconds between polls that the server asks for; `not_before` its
    Retry-After; `moved` where it has moved for good from `moved_from`. `health` since `since` is what `told` was last told to the admins (see `health`).
    """

    name: str
    etag: str | None = None
    modified: str | None = None
    polled: datetime | None = None
    newest: datetime | None = None
    failures: int = 0
    problem: str | None = None
    arrived: datetime | None = None
    rhythm: float | None = None
    asked: float | None = None
    not_before: datetime | None = None
    window_passed: bool = False
    retired: datetime | None = None
    moved: str | None = None
    moved_from: str | None = None
    health: str = "ok"
    since: datetime | None = None
    told: str | None = None
    listed: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class ParsedEntry:
    """One item as a source published it: plain text, no guess. `published` is None when the source's date is missing or impossible."""

    title: str
    url: str = ""
    summary: str = ""
    guid: str = ""
    published: datetime | None = None
    publisher: str | None = None
    key: str | None = None  # given by replayed files; made from the identity otherwise


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One version of an item in the store. `entry_id` is the same for all versions, `key` differs."""

    entry_id: int
    key: str
    source: str
    url: str
    title: str
    summary: str
    published: datetime
    seen: datetime
    version: int = 1
    baseline: bool = False
    publisher: str | None = None

    @property
    def outlet(self) -> str:
        """Who published it, for a reader: the publisher that an aggregator named, else the source."""
        return self.publisher or self.source


class Arrival(StrEnum):
    """What intake found an item to be."""

    NEW = "new"
    VERSION = "version"
    KNOWN = "known"


def canonical(url: str) -> str:
    """Return the address under which two links to one article are equal: no scheme, `www.`/`m.`, AMP, fragment or tracking parameters."""
    url = _unwrapped(url.strip())
    parts = _split(url)
    if parts is None or not parts.netloc:
        return url
    host = (parts.hostname or "").casefold()
    while (shorter := _MOBILE.sub("", host)) != host:
        host = shorter
    port = f":{parts.port}" if parts.port not in (None, 80, 443) else ""
    path = _AMP.sub("", parts.path).rstrip("/")
    query = urlencode(sorted((k, v) for k, v in parse_qsl(parts.query, keep_blank_values=True) if not _TRACKING.match(k)))
    return urlunsplit(("", host + port, path, query, "")).removeprefix("//")


def _unwrapped(url: str) -> str:
    """Return the address inside a search engine's link; a few times over, for wrappers come wrapped."""
    for _ in range(3):
        parts = _split(url)
        wrapped = dict(parse_qsl(parts.query)).get("url", "") if parts and _WRAPPER.search(parts.hostname or "") else ""
        if not wrapped.startswith("http"):
            break
        url = wrapped if "://" in wrapped else unquote(wrapped)
    return url


def _split(url: str) -> SplitResult | None:
    """Return the parts of an address, None for what is none: a feed may write anything."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # reading it is what finds a wrong one
    except ValueError:
        return None
    return parts


def digest(*parts: str, size: int = 12) -> str:
    """Return a short stable hexadecimal digest of `parts`."""
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "replace")).hexdigest()[:size]


def identities(source: str, entry: ParsedEntry, trust_guid: bool = True) -> list[str]:
    """Return the names under which an entry may be known already, most telling first; the date is never one of them.

    A guid counts within its source only, and only where the feed does not repeat it; an address counts everywhere; a text
    (title and summary) within its source.
    """
    found = []
    if entry.guid and trust_guid:
        found.append("guid:" + digest(source, entry.guid, size=24))
    if (address := address_identity(entry.url)) is not None:
        found.append(address)
    found.append("text:" + digest(source, fold(entry.title), fold(entry.summary), size=24))
    return found


def address_identity(url: str) -> str | None:
    """Return the name under which an entry is known by its address; None for the address of a whole site."""
    parts = _split(url)
    return "url:" + digest(canonical(url), size=24) if parts and len(parts.path) > 1 else None


def same_words(a: Entry, b: ParsedEntry) -> bool:
    """Say whether `b` adds no words to `a`: the title is equal but for case, accents and space."""
    return fold(a.title) == fold(b.title)
