"""From what a source lists to entries: cleaned, addressed, in order, and not too many. What every kind of source shares."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import SplitResult, urljoin, urlsplit

from bot.domain.entries import ParsedEntry, canonical, digest
from bot.domain.text import cut, fold, plain, sentences, split_publisher, without_tail
from bot.sources.addresses import MAX_URL

MAX_TITLE = 400
MAX_GUID = 500
MAX_RAW = 32_000  # characters of a text that are looked at: markup and all
UNTITLED = "Untitled"
_MANY = 50

_SLOW = re.compile(r"<!--|<script|<style", re.IGNORECASE)  # what `plain` looks to the end for
_BREAKS = re.compile(r"[\t\r\n]")
_LONGEST_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Listing:
    """What a document lists, oldest first where dates tell. `whole` is False when it broke off, so that it has to be fetched again.

    `asked` is the seconds between polls that the document asks for.
    """

    entries: tuple[ParsedEntry, ...]
    problem: str | None = None
    whole: bool = True
    asked: float | None = None


@dataclass(frozen=True, kw_only=True)
class Item:
    """One item as its document spells it: markup, relative address and all."""

    title: str = ""
    url: str = ""
    summary: str = ""
    guid: str = ""
    published: datetime | None = None
    publisher: str = ""


def entry_of(item: Item, base: str, outlet: str = "", *, wordless: bool = False) -> ParsedEntry | None:
    """Return the entry that an item stands for, or None when it says nothing. `outlet` is the name the document gives itself.

    With `wordless` an item that says nothing is an entry too, called by its address, else its guid, else UNTITLED.
    """
    heading, summary = clean(item.title, MAX_TITLE), clean(item.summary)
    publisher = clean(item.publisher, 80)
    title, tail = split_publisher(heading, publisher or outlet)
    title = title or _first_sentence(summary) or (_named(item, base) if wordless else "")
    if not title:
        return None
    return ParsedEntry(
        title=title,
        url=absolute(item.url, base),
        summary="" if fold(summary) in {fold(heading), fold(title), fold(f"{title} {publisher or tail or ''}")} else summary,
        guid=_guid(item.guid),
        published=item.published,
        publisher=publisher or tail,
    )


def clean(markup: str, limit: int = 4_000) -> str:
    """Return the plain text of `markup`, without the feed's own last words, in time linear in its length."""
    markup = markup[:MAX_RAW]
    if len(_SLOW.findall(html.unescape(markup))) > _MANY:
        markup = html.unescape(markup).replace("<", " ")
    words = plain(markup, limit)
    return without_tail(words) or words  # where the feed's last words are its only ones, they stay


def _named(item: Item, base: str) -> str:
    """Return what an item without words is called; it is kept, for the feed may fill it in later."""
    return absolute(item.url, base)[:MAX_TITLE] or clean(item.guid, MAX_TITLE) or UNTITLED


def _first_sentence(text: str) -> str:
    return cut(next(iter(sentences(text)), ""), MAX_TITLE, "…")


def _guid(guid: str) -> str:
    printable = "".join(c for c in guid if c.isprintable()).strip()
    return printable if len(printable) <= MAX_GUID else digest(printable, size=64)


def absolute(url: str, base: str) -> str:
    """Return a link as an address of the web, or an empty string where there is none that a reader could follow."""
    url = _BREAKS.sub("", url).strip()
    if not url or url.startswith("#"):
        return ""
    try:
        joined = urljoin(base, url).replace(" ", "%20")
        fit = _is_web(urlsplit(joined)) and bool(canonical(joined))
    except ValueError:
        return ""
    return joined if fit and len(joined) <= MAX_URL and joined.isprintable() else ""


def _is_web(parts: SplitResult) -> bool:
    return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and "@" not in parts.netloc


def listed(entries: Iterable[ParsedEntry | None], limit: int) -> tuple[ParsedEntry, ...]:
    """Return at most `limit` entries, the newest: oldest first, then those without a date in the document's order."""
    found = [e for e in entries if e is not None]
    if len(found) > limit:
        rank = sorted(range(len(found)), key=lambda i: (found[i].published is None, found[i].published or _LONGEST_AGO), reverse=True)
        kept = set(rank[:limit])
        found = [e for i, e in enumerate(found) if i in kept]
    return tuple(sorted(found, key=lambda e: (e.published is None, e.published or _LONGEST_AGO)))


def once(entries: Iterable[ParsedEntry | None]) -> list[ParsedEntry]:
    """Return the entries whose address was not there before."""
    found: dict[str, ParsedEntry] = {}
    for entry in filter(None, entries):
        found.setdefault(entry.url, entry)
    return list(found.values())
