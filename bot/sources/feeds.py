"""Feeds: RSS 0.9x to 2.0, RDF and Atom through feedparser, JSON Feed through json. Bytes in, entries out; nothing is fetched here.

A DOCTYPE never reaches a parser, so no feed can declare entities. feedparser's own sanitiser stays off: every text that leaves
here has passed `plain`, which keeps no markup at all.
"""

from __future__ import annotations

import calendar
import io
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from xml.sax import SAXParseException

import feedparser

from bot.domain.entries import ParsedEntry
from bot.domain.moments import plausible
from bot.sources.dates import read_date
from bot.sources.decoding import decoded
from bot.sources.faults import Fault, fault
from bot.sources.fetching import Document
from bot.sources.items import UNTITLED, Item, Listing, clean, entry_of, listed
from bot.sources.markup import first_tag, overloaded

MAX_TAGS = 200_000

_ROOT = re.compile(r"<((?:[\w.-]{1,40}:)?(?:rss|feed|rdf|channel))[\s>]", re.IGNORECASE)
_PAGE = ("html", "head", "body", "script", "div", "meta", "title", "link", "style", "p", "h1", "center")
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_REFERENCE = re.compile(r"&#(?:[xX]([0-9a-fA-F]+)|([0-9]+));")
_HEADERS = {"content-type": "application/xml; charset=utf-8"}
_PERIODS = {"hourly": 3600.0, "daily": 86_400.0, "weekly": 604_800.0, "monthly": 2_592_000.0, "yearly": 31_536_000.0}
_NO_WORDS = "none of its items has a title or a summary"
_NO_ITEMS = "nothing in its list is an item"
_JSON_FEED = re.compile(r"https?://jsonfeed\.org/version/1\b")


def read_feed(document: Document, now: datetime, limit: int) -> Listing:
    """Return what a feed lists, at most `limit` entries, the newest. Raises SourceError when nothing could be read of it."""
    text = _ILLEGAL.sub("", decoded(document.body, document.content_type)).lstrip("\ufeff \t\r\n")
    if not text:
        raise fault(Fault.EMPTY, "the body is empty")
    if text.startswith("{"):
        return _read_json(text, document.url, now, limit)
    return _read_xml(_feed_in(text), document.url, now, limit)


def _feed_in(text: str) -> str:
    """Return the text from the feed's root element on: what stands before it (DOCTYPE, warnings of a script) is cut away."""
    tag = first_tag(text)
    root = _ROOT.search(text)
    if tag in _PAGE or (root is None and "<html" in text[:4_096].lower()):
        raise fault(Fault.HTML, "this is a web page, not a feed")
    if root is None:
        raise fault(Fault.NOT_A_FEED, f"this is no feed; it begins with {text[:40]!r}")
    text = text[root.start() :]
    if (excess := overloaded(text, MAX_TAGS)) is not None:
        raise fault(Fault.BROKEN, f"{excess}: no feed is like that")
    return _REFERENCE.sub(_legal, text)


def _legal(reference: re.Match[str]) -> str:
    """Return a character reference, or nothing for one that XML forbids: feedparser would give the whole feed up for it."""
    digits = reference[1] or reference[2]
    code = int(digits, 16 if reference[1] else 10) if len(digits) <= 8 else 0
    legal = code in (9, 10, 13) or 0x20 <= code < 0xD800 or 0xE000 <= code < 0xFFFE or 0x10000 <= code <= 0x10FFFF
    return reference[0] if legal else ""


def _read_xml(text: str, url: str, now: datetime, limit: int) -> Listing:
    parsed = _parsed(text)
    rows, problem, whole = list(parsed.entries), _problem(parsed), _is_whole(text)
    if not whole:
        problem = "the feed breaks off before its end"
        rows = rows[:-1] if _ends_inside(text) else rows
    if not rows and problem is not None:
        raise fault(Fault.BROKEN, problem)
    outlet = clean(_text(parsed.feed, "title"), 200)
    entries = listed((entry_of(_item(dict(row), now), url, outlet, wordless=True) for row in rows), limit)
    return Listing(entries=entries, problem=_wordless(entries) or problem, whole=whole, asked=_asked(parsed.feed))


def _wordless(entries: Sequence[ParsedEntry]) -> str | None:
    return _NO_WORDS if entries and all(entry.title == UNTITLED for entry in entries) else None


def _asked(feed: dict[str, Any]) -> float | None:
    """Return the seconds that a feed asks for by `ttl` (minutes; RSS 2.0) or by sy:updatePeriod and sy:updateFrequency (RSS 1.0 Syndication)."""
    ttl, period, often = (_text(feed, name).strip().casefold() for name in ("ttl", "sy_updateperiod", "sy_updatefrequency"))
    if re.fullmatch(r"\d{1,5}", ttl):
        return float(ttl) * 60
    seconds = _PERIODS.get(period)
    times = int(often) if re.fullmatch(r"[1-9]\d{0,4}", often) else 1
    return seconds / times if seconds else None


def _parsed(text: str) -> Any:  # noqa: ANN401  feedparser ships no types
    body = io.BytesIO(b"<?xml version='1.0' encoding='utf-8'?>" + text.encode("utf-8"))
    try:
        return feedparser.parse(body, response_headers=_HEADERS, sanitize_html=False, resolve_relative_uris=False)
    except Exception as error:  # feedparser's loose parser raises what it likes: OverflowError, AssertionError…
        raise fault(Fault.BROKEN, f"the feed cannot be parsed: {type(error).__name__}: {error}") from error


def _problem(parsed: Any) -> str | None:  # noqa: ANN401  feedparser ships no types
    if not parsed.bozo:
        return None
    error = parsed.get("bozo_exception")
    if isinstance(error, SAXParseException):
        return f"the feed is not well-formed: {error.getMessage()}, line {error.getLineNumber()}"
    return f"the feed is not well-formed: {error}"


def _is_whole(text: str) -> bool:
    root = _ROOT.match(text)
    return root is not None and f"</{root[1]}" in text[-8_192:]


def _ends_inside(text: str) -> bool:
    """Say whether the last item is open, so that its words may be half there."""
    opened, closed = (max(text.rfind(f"<{slash}item"), text.rfind(f"<{slash}entry")) for slash in ("", "/"))
    return opened > closed


def _item(row: dict[str, Any], now: datetime) -> Item:
    source, content = row.get("source"), row.get("content")
    return Item(
        title=_text(row, "title"),
        url=_text(row, "link"),
        summary=_text(row, "summary") or (_text(content[0], "value") if content else ""),
        guid=_text(row, "id"),
        published=_moment(row, "published", now) or _moment(row, "updated", now),
        publisher=_text(source, "title") if isinstance(source, dict) else "",
    )


def _text(values: dict[str, Any], key: str) -> str:
    value = values.get(key)
    return value if isinstance(value, str) else ""


def _moment(row: dict[str, Any], key: str, now: datetime) -> datetime | None:
    """Return a date of an item: as written, or as feedparser, which knows more dialects, understood it."""
    if (date := read_date(_text(row, key), now)) is not None or not row.get(f"{key}_parsed"):
        return date
    try:
        return plausible(datetime.fromtimestamp(calendar.timegm(row[f"{key}_parsed"]), UTC), now)
    except (ValueError, OverflowError, OSError):
        return None


def _read_json(text: str, url: str, now: datetime, limit: int) -> Listing:
    try:
        feed = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise fault(Fault.BROKEN, f"the JSON cannot be parsed: {error}") from error
    items = feed.get("items")
    if not _JSON_FEED.match(_text(feed, "version")) or not isinstance(items, list):
        raise fault(Fault.NOT_A_FEED, "this is JSON, but no JSON Feed")
    outlet = clean(_text(feed, "title"), 200)
    rows = [row for row in items if isinstance(row, dict)]
    entries = listed((entry_of(_json_item(row, now), url, outlet, wordless=True) for row in rows), limit)
    return Listing(entries=entries, problem=_wordless(entries) or (_NO_ITEMS if items and not entries else None))


def _json_item(row: dict[str, Any], now: datetime) -> Item:
    number = row.get("id")
    return Item(
        title=_text(row, "title"),
        url=_text(row, "url") or _text(row, "external_url"),
        summary=_text(row, "summary") or _text(row, "content_text") or _text(row, "content_html"),
        guid=str(number) if isinstance(number, int) else _text(row, "id"),
        published=read_date(_text(row, "date_published"), now) or read_date(_text(row, "date_modified"), now),
    )
