"""GDELT's document API: https://blog.gdeltproject.org/gdelt-doc-2-0-api-debuts/ . The source's address is the whole query. Pure."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from bot.domain.entries import ParsedEntry
from bot.domain.moments import plausible
from bot.domain.text import plain
from bot.sources.faults import Fault, fault
from bot.sources.feeds import MAX_TITLE, Parsed, entry_of, in_order
from bot.sources.fetching import Document

_DATE = "%Y%m%dT%H%M%SZ"


def parse_articles(document: Document, now: datetime, limit: int) -> Parsed:
    """Return the articles of `mode=artlist&format=json`. Raises SourceError; GDELT says its errors in plain words with status 200."""
    try:
        kept = json.loads(document.body.decode("utf-8-sig", "replace"), strict=False)
    except (ValueError, RecursionError) as error:
        raise fault(Fault.API, f"GDELT says: {plain(document.body[:300].decode('utf-8', 'replace'), 200)}") from error
    articles = kept.get("articles", []) if isinstance(kept, dict) else None
    if not isinstance(articles, list):
        raise fault(Fault.API, "GDELT answers in JSON without articles")
    entries = [e for a in articles if isinstance(a, dict) and (e := _entry(a, now)) is not None]
    return Parsed(entries=in_order(entries, limit))


def _entry(article: dict[str, Any], now: datetime) -> ParsedEntry | None:
    url = str(article.get("url") or "")
    if not url.startswith(("http://", "https://")):
        return None
    title = plain(str(article.get("title") or ""), MAX_TITLE).replace(" - ", " – ").replace(" , ", ", ")
    return entry_of(
        title=title,
        summary="",
        url=url,
        published=_seen(str(article.get("seendate") or ""), now),
        publisher=plain(str(article.get("domain") or ""), 100) or None,
    )


def _seen(text: str, now: datetime) -> datetime | None:
    try:
        return plausible(datetime.strptime(text, _DATE).replace(tzinfo=UTC), now)
    except ValueError:
        return None
