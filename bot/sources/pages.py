"""Listing pages: a page that lists news and offers no feed, read by the CSS selectors that its source gives.

    selectors: {item: "article", title: "h3", link: "a", date: ".date", summary: "p"}

Only `item` is needed. A selector is looked for inside the item; `link` takes the element's `href`, `date` its `datetime` or words.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

from selectolax.lexbor import LexborHTMLParser, LexborNode, SelectolaxError

from bot.sources.dates import read_date
from bot.sources.decoding import decoded
from bot.sources.faults import Fault, fault
from bot.sources.fetching import Document
from bot.sources.items import Item, Listing, absolute, entry_of, listed, once
from bot.sources.markup import bare, unfit

DEFAULTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "title": "h1, h2, h3, h4, h5, [class*=title], [class*=headline]",
        "link": "a[href]",
        "date": "time, [class*=date]",
        "summary": "p",
    }
)
KEYS: Final = frozenset({"item", *DEFAULTS})
MAX_ITEMS: Final = 5_000
MAX_OVERLAP: Final = 4  # times the page that all items together may hold


def read_page(document: Document, selectors: Mapping[str, str], now: datetime, limit: int) -> Listing:
    """Return what a page lists, at most `limit` entries. Raises SourceError("selector") when the selectors are wrong or find nothing."""
    chosen = _chosen(selectors)
    text = _fit(document)
    page = LexborHTMLParser(text)
    items = _apart(_all(page, chosen["item"])[:MAX_ITEMS], MAX_OVERLAP * len(text))
    if not items:
        raise fault(Fault.SELECTOR, f"nothing on the page matches item: {chosen['item']!r}")
    base = _base(page, document.url)
    found = [entry_of(_item(node, chosen, now), base) for node in items]
    entries = once(e for e in found if e is not None and e.url)
    if not entries:
        raise fault(Fault.SELECTOR, f"{len(items)} items, but none with a title and a link: {chosen['title']!r}, {chosen['link']!r}")
    return Listing(entries=listed(entries, limit))


def _fit(document: Document) -> str:
    """Return the page's text, scripts aside. Raises SourceError for an empty one, and for one that would keep a parser busy for minutes."""
    text = bare(decoded(document.body, document.content_type))
    if not text.strip():
        raise fault(Fault.EMPTY, "the body is empty")
    if (excess := unfit(text)) is not None:
        raise fault(Fault.BROKEN, f"{excess}: too much for a page of news")
    return text


def _apart(items: list[LexborNode], room: int) -> list[LexborNode]:
    """Return the items; raise SourceError when they lie inside one another, so that reading them all would read the page many times."""
    for node in items:
        room -= len(node.html or "")
        if room < 0:
            raise fault(Fault.SELECTOR, "the items lie inside one another")
    return items


def _chosen(selectors: Mapping[str, str]) -> dict[str, str]:
    """Return every selector, checked. Raises SourceError for an unknown key or a selector that is not CSS."""
    if unknown := sorted(selectors.keys() - KEYS):
        raise fault(Fault.SELECTOR, f"{', '.join(unknown)}: not one of {', '.join(sorted(KEYS))}")
    chosen = {**DEFAULTS, **{key: value.strip() for key, value in selectors.items() if value.strip()}}
    if "item" not in chosen:
        raise fault(Fault.SELECTOR, "a page needs the selector `item`")
    probe = LexborHTMLParser("<p>")
    for selector in chosen.values():
        _all(probe, selector)
    return chosen


def _all(page: LexborHTMLParser, selector: str) -> list[LexborNode]:
    try:
        return page.css(selector)
    except SelectolaxError as error:
        raise fault(Fault.SELECTOR, f"{selector!r} is no CSS selector") from error


def _base(page: LexborHTMLParser, url: str) -> str:
    base = page.css_first("base[href]")
    return (absolute(base.attributes.get("href") or "", url) if base else "") or url


def _item(node: LexborNode, chosen: Mapping[str, str], now: datetime) -> Item:
    link = node if node.tag == "a" and "href" in node.attributes else node.css_first(chosen["link"])
    title, date = node.css_first(chosen["title"]), node.css_first(chosen["date"])
    return Item(
        title=_markup(title) or _markup(link) or _tooltip(link),
        url=(link.attributes.get("href") or "") if link else "",
        summary=_markup(node.css_first(chosen["summary"])),
        published=_date(date, now) if date else None,
    )


def _markup(node: LexborNode | None) -> str:
    """Return an element as it is written, or an empty string when it holds no words."""
    return node.html or "" if node is not None and node.text(strip=True) else ""


def _tooltip(node: LexborNode | None) -> str:
    return (node.attributes.get("title") or "") if node else ""


def _date(node: LexborNode, now: datetime) -> datetime | None:
    written = node.attributes.get("datetime") or ""
    return read_date(written, now) or read_date(node.text(separator=" "), now)
