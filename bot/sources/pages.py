"""Listing pages (`kind: page`): entries by CSS selectors of the source. Pure and blocking."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urljoin

from dateutil import parser as dates
from dateutil.tz import UTC
from selectolax.lexbor import LexborHTMLParser, LexborNode, SelectolaxError

from bot.domain.entries import ParsedEntry
from bot.domain.moments import plausible
from bot.domain.text import plain
from bot.sources.faults import Fault, fault
from bot.sources.feeds import MAX_TITLE, Parsed, entry_of, in_order
from bot.sources.fetching import Document

# `item` is each entry's element; the others are looked for inside it. A selector's text is taken, of `link` the address.
DEFAULTS = {"item": "article", "title": "h1, h2, h3, a", "link": "a[href]", "date": "time", "summary": "p"}


def parse_page(document: Document, selectors: Mapping[str, str], now: datetime, limit: int) -> Parsed:
    """Return at most `limit` entries. Raises SourceError for selectors that are broken or find nothing."""
    wanted = DEFAULTS | dict(selectors)
    if unknown := set(wanted) - set(DEFAULTS):
        raise fault(Fault.SELECTOR, f"no such selector: {', '.join(sorted(unknown))}")
    try:
        items = LexborHTMLParser(document.body).css(wanted["item"])
        entries = [e for node in items[: limit * 2] if (e := _entry(node, wanted, document.url, now)) is not None]
    except (SelectolaxError, ValueError) as error:
        raise fault(Fault.SELECTOR, f"a selector is broken: {error}") from error
    if not entries:
        raise fault(Fault.SELECTOR, f"{wanted['item']!r} finds no entry on the page")
    return Parsed(entries=in_order(entries, limit))


def _entry(node: LexborNode, wanted: Mapping[str, str], base: str, now: datetime) -> ParsedEntry | None:
    link = node if node.tag == "a" else node.css_first(wanted["link"])
    title = plain(_text(node, wanted["title"]) or (link.text() if link else ""), MAX_TITLE)
    href = (link.attributes.get("href") or "") if link else ""
    url = urljoin(base, href.strip()) if href else ""
    if not title or not url.startswith(("http://", "https://")):
        return None
    return entry_of(title=title, summary=plain(_text(node, wanted["summary"])), url=url, published=_date(node, wanted["date"], now))


def _text(node: LexborNode, selector: str) -> str:
    found = node.css_first(selector)
    return str(found.text(separator=" ")) if found else ""


def _date(node: LexborNode, selector: str, now: datetime) -> datetime | None:
    found = node.css_first(selector)
    if found is None:
        return None
    text = found.attributes.get("datetime") or found.text()
    try:
        moment = dates.parse(text.strip()[:60], fuzzy=True, default=now.replace(hour=0, minute=0, second=0, microsecond=0))
    except (ValueError, OverflowError):
        return None
    return plausible(moment if moment.tzinfo else moment.replace(tzinfo=UTC), now)
