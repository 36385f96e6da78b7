"""Feed documents to entries: RSS 0.9x to 2.0, RDF and Atom with feedparser, JSON Feed 1.x. Pure and blocking: the reader runs it off the loop.

feedparser reads what is broken as far as it goes; what it says of a document is not trusted (an HTML page is "well-formed"), its entries are.
"""

from __future__ import annotations

import calendar
import io
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin

import feedparser

from bot.domain.entries import ParsedEntry
from bot.domain.moments import plausible
from bot.domain.text import plain, sentences, split_publisher, without_tail
from bot.sources.faults import Fault, fault
from bot.sources.fetching import Document

MAX_TITLE = 400
MAX_GUID = 1_000
_HTML = re.compile(rb"\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html)\b", re.IGNORECASE | re.DOTALL)
_ENTITY = re.compile(rb"<!ENTITY\b", re.IGNORECASE)
_OPEN, _CLOSE = re.compile(rb"<(?:item|entry)[\s>]", re.IGNORECASE), re.compile(rb"</(?:item|entry)\s*>", re.IGNORECASE)
_END = re.compile(rb"</(?:[a-z]+:)?(?:rss|feed|rdf)\s*>\s*(?:<!--.*?-->\s*)*\Z", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Parsed:
    """The entries of a document, oldest first where dates tell; `problem` when not all of it could be read."""

    entries: tuple[ParsedEntry, ...]
    problem: str | None = None


def parse_feed(document: Document, now: datetime, limit: int) -> Parsed:
    """Return at most `limit` entries, the newest. Raises SourceError when the document is no feed that can be read."""
    body = document.body
    if not body.strip():
        raise fault(Fault.EMPTY, "the body is empty")
    if body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return _parse_json(document, now, limit)
    if _HTML.match(body[:4_000]):
        raise fault(Fault.HTML, "a web page, not a feed")
    if _ENTITY.search(body[:65_536]):
        raise fault(Fault.BROKEN, "the document declares entities, which no feed needs")
    return _parse_xml(document, now, limit)


def _parse_xml(document: Document, now: datetime, limit: int) -> Parsed:
    # a stream: given bytes, feedparser takes some of them for the name of a file
    found = feedparser.parse(io.BytesIO(document.body), response_headers={"content-type": document.content_type})
    listed: list[Any] = list(found.entries)
    cut = not _END.search(document.body[-4_000:])
    if cut and listed and _unfinished(document.body):
        listed.pop()  # half an entry: the next poll brings it whole
    if not listed and not found.version:
        raise fault(Fault.NOT_A_FEED, "neither RSS, Atom nor JSON Feed")
    if cut and not listed and found.bozo:
        raise fault(Fault.BROKEN, f"nothing in it can be read: {_complaint(found)}")
    base = str(found.feed.get("link") or "") if str(found.feed.get("link") or "").startswith("http") else document.url
    entries = [e for item in listed if (e := _entry(item, base, now)) is not None]
    return Parsed(entries=in_order(entries, limit), problem=_problem(found, cut, len(listed) - len(entries)))


def _unfinished(body: bytes) -> bool:
    closed = max((m.end() for m in _CLOSE.finditer(body)), default=0)
    return _OPEN.search(body, closed) is not None


def _complaint(found: Any) -> str:  # noqa: ANN401  (feedparser has no types)
    error = found.get("bozo_exception")
    return " ".join(str(getattr(error, "getMessage", lambda: error)()).split())[:120]


def _problem(found: Any, cut: bool, untitled: int) -> str | None:  # noqa: ANN401
    if cut:
        return "the document is cut off; what was whole of it was read"
    if found.bozo and found.get("bozo_exception") is not None and not _harmless(found.bozo_exception):
        return f"broken XML, read as far as it goes: {_complaint(found)}"
    return f"{untitled} entries without a title" if untitled else None


def _harmless(error: Exception) -> bool:
    """A wrong word about the encoding or the type, which feedparser mends by itself."""
    return isinstance(error, feedparser.CharacterEncodingOverride | feedparser.NonXMLContentType)


def _entry(item: Any, base: str, now: datetime) -> ParsedEntry | None:  # noqa: ANN401
    content = item.get("content") or [{}]
    summary = _body(item.get("summary") or content[0].get("value"))
    publisher = plain((item.get("source") or {}).get("title"), 100) or None
    return entry_of(
        title=plain(item.get("title"), MAX_TITLE),
        summary=summary,
        url=_link(str(item.get("link") or ""), base),
        guid=str(item.get("id") or "")[:MAX_GUID],
        published=_moment(item.get("published_parsed") or item.get("updated_parsed"), now),
        publisher=publisher,
    )


def _body(text: str | None) -> str:
    return without_tail(plain(text))


def _link(url: str, base: str) -> str:
    try:
        joined = urljoin(base, url.strip())
    except ValueError:
        return ""
    return joined[:2_000] if joined.startswith(("http://", "https://")) else ""


def _moment(parsed: Any, now: datetime) -> datetime | None:  # noqa: ANN401
    try:
        return plausible(datetime.fromtimestamp(calendar.timegm(parsed), UTC), now) if parsed else None
    except (ValueError, OverflowError, OSError, TypeError):
        return None


def entry_of(
    *, title: str, summary: str, url: str, guid: str = "", published: datetime | None, publisher: str | None = None
) -> ParsedEntry | None:
    """Return the entry of cleaned parts: the publisher cut from the title, a missing title taken from the summary; None without any words."""
    if not title and summary:
        title = sentences(summary)[0][:MAX_TITLE]
    head, named = split_publisher(title, publisher or "")
    if not head:
        return None
    return ParsedEntry(title=head, url=url, summary=summary, guid=guid, published=published, publisher=publisher or named)


def in_order(entries: Iterable[ParsedEntry], limit: int) -> tuple[ParsedEntry, ...]:
    """Return the newest `limit` entries, oldest first; feeds list the newest first, which decides among those without a date."""
    turned = list(entries)[::-1]
    dated = sorted((e for e in turned if e.published is not None), key=lambda e: e.published or datetime.min.replace(tzinfo=UTC))
    return (*(e for e in turned if e.published is None), *dated)[-limit:]


def _parse_json(document: Document, now: datetime, limit: int) -> Parsed:
    """JSON Feed: https://www.jsonfeed.org/version/1.1/"""
    try:
        kept = json.loads(document.body.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise fault(Fault.BROKEN, f"broken JSON: {str(error)[:100]}") from error
    items = kept.get("items") if isinstance(kept, dict) else None
    if not isinstance(items, list):
        raise fault(Fault.NOT_A_FEED, "JSON, but no JSON Feed")
    entries = [e for item in items if isinstance(item, dict) and (e := _json_entry(item, document.url, now)) is not None]
    lost = len(items) - len(entries)
    return Parsed(entries=in_order(entries, limit), problem=f"{lost} entries without a title" if lost else None)


def _json_entry(item: dict[str, Any], base: str, now: datetime) -> ParsedEntry | None:
    words = [str(item[k]) for k in ("summary", "content_text", "content_html") if item.get(k)]
    dates = [moment_of(item.get(k), now) for k in ("date_published", "date_modified")]
    return entry_of(
        title=plain(str(item.get("title") or ""), MAX_TITLE),
        summary=_body(words[0]) if words else "",
        url=_link(str(item.get("url") or item.get("external_url") or ""), base),
        guid=str(item.get("id") or "")[:MAX_GUID],
        published=next(filter(None, dates), None),
    )


def moment_of(text: object, now: datetime) -> datetime | None:
    """Return the plausible instant that an ISO 8601 text names; UTC where it names no zone; else None."""
    try:
        moment = datetime.fromisoformat(str(text or ""))
    except ValueError:
        return None
    return plausible(moment if moment.tzinfo else moment.replace(tzinfo=UTC), now)
