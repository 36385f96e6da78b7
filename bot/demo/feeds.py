"""Feed documents of the story, as a newsroom's system would write them: RSS 2.0, Atom, RDF (RSS 1.0) and JSON Feed 1.1. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from email.utils import format_datetime
from xml.etree import ElementTree as ET

from bot.demo.story import Format, StoryEntry, StoryFeed

ATOM = "http://www.w3.org/2005/Atom"
DC = "http://purl.org/dc/elements/1.1/"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
RSS1 = "http://purl.org/rss/1.0/"

Write = Callable[[StoryFeed, Sequence[StoryEntry], datetime, str], bytes]


def document(feed: StoryFeed, entries: Sequence[StoryEntry], now: datetime, base: str) -> tuple[bytes, str]:
    """Return the feed as it stands at `now`, newest entry first, and its content type. The same until something is published."""
    out = sorted((e for e in entries if e.published <= now), key=lambda e: e.published, reverse=True)
    write, content_type = _FORMATS[feed.format]
    return write(feed, out, now, address(feed, base)), content_type


def address(feed: StoryFeed, base: str) -> str:
    """Return where the feed is served under `base`."""
    return f"{base.rstrip('/')}/{feed.feed_id}.{'json' if feed.format is Format.JSON else 'xml'}"


def _rss(feed: StoryFeed, entries: Sequence[StoryEntry], now: datetime, own: str) -> bytes:
    root = ET.Element("rss", {"version": "2.0", "xmlns:atom": ATOM})
    channel = ET.SubElement(root, "channel")
    _add(channel, "title", feed.title)
    _add(channel, "link", feed.home)
    _add(channel, "description", feed.title)
    ET.SubElement(channel, "atom:link", {"rel": "self", "href": own, "type": "application/rss+xml"})
    for entry in entries:
        item = ET.SubElement(channel, "item")
        _words(item, entry, now)
        _add(item, "guid", entry.guid, isPermaLink="false")
        _add(item, "pubDate", format_datetime(entry.published, usegmt=True))
    return _written(root)


def _words(item: ET.Element, entry: StoryEntry, now: datetime) -> None:
    """Add what RSS 1.0 and 2.0 call alike."""
    _add(item, "title", entry.title_at(now))
    _add(item, "link", entry.url)
    _add(item, "description", entry.summary)


def _atom(feed: StoryFeed, entries: Sequence[StoryEntry], now: datetime, own: str) -> bytes:
    root = ET.Element("feed", {"xmlns": ATOM})
    _add(root, "title", feed.title)
    _add(root, "id", feed.home)
    ET.SubElement(root, "link", {"href": feed.home})
    ET.SubElement(root, "link", {"rel": "self", "href": own})
    if entries:
        _add(root, "updated", max(e.changed_at(now) for e in entries).isoformat())
    for entry in entries:
        _atom_entry(ET.SubElement(root, "entry"), entry, now)
    return _written(root)


def _atom_entry(item: ET.Element, entry: StoryEntry, now: datetime) -> None:
    _add(item, "title", entry.title_at(now))
    _add(item, "id", f"tag:{entry.feed_id}.example,2026:{entry.guid}")
    ET.SubElement(item, "link", {"href": entry.url})
    _add(item, "published", entry.published.isoformat())
    _add(item, "updated", entry.changed_at(now).isoformat())
    _add(item, "summary", entry.summary)


def _rdf(feed: StoryFeed, entries: Sequence[StoryEntry], now: datetime, own: str) -> bytes:
    root = ET.Element("rdf:RDF", {"xmlns": RSS1, "xmlns:rdf": RDF, "xmlns:dc": DC})
    channel = ET.SubElement(root, "channel", {"rdf:about": own})
    _add(channel, "title", feed.title)
    _add(channel, "link", feed.home)
    _add(channel, "description", feed.title)
    contents = ET.SubElement(ET.SubElement(channel, "items"), "rdf:Seq")
    for entry in entries:
        ET.SubElement(contents, "rdf:li", {"rdf:resource": entry.url})
        item = ET.SubElement(root, "item", {"rdf:about": entry.url})
        _words(item, entry, now)
        _add(item, "dc:date", entry.published.isoformat())
    return _written(root)


def _json(feed: StoryFeed, entries: Sequence[StoryEntry], now: datetime, own: str) -> bytes:
    kept = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed.title,
        "home_page_url": feed.home,
        "feed_url": own,
        "items": [_json_item(e, now) for e in entries],
    }
    return json.dumps(kept, ensure_ascii=False, indent=1).encode()


def _json_item(entry: StoryEntry, now: datetime) -> dict[str, str]:
    return {
        "id": entry.guid,
        "url": entry.url,
        "title": entry.title_at(now),
        "content_text": entry.summary,
        "date_published": entry.published.isoformat(),
        "date_modified": entry.changed_at(now).isoformat(),
    }


def _add(parent: ET.Element, tag: str, text: str, **attributes: str) -> None:
    ET.SubElement(parent, tag, attributes).text = text


def _written(root: ET.Element) -> bytes:
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


_FORMATS: dict[Format, tuple[Write, str]] = {
    Format.RSS: (_rss, "application/rss+xml"),
    Format.ATOM: (_atom, "application/atom+xml"),
    Format.RDF: (_rdf, "application/rdf+xml"),
    Format.JSON: (_json, "application/feed+json"),
}
