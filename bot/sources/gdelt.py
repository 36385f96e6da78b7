"""GDELT's DOC 2.0 API, https://blog.gdeltproject.org/gdelt-doc-2-0-api-debuts/: the source's address is the whole question, with `mode=artlist&format=json`."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

from bot.domain.text import plain
from bot.sources.dates import read_date
from bot.sources.decoding import decoded
from bot.sources.faults import Fault, fault
from bot.sources.fetching import Document
from bot.sources.items import Item, Listing, entry_of, listed, once

_BAD_ESCAPE = re.compile(r"""\\(?:(["\\/bfnrt]|u[0-9a-fA-F]{4})|)""")
_LOOSE_MARK = re.compile(r"(?<=\w) (?=[,.;:!?%)’](?:\s|$))")  # GDELT sets spaces around marks: "ministers meet , agree"


def read_gdelt(document: Document, now: datetime, limit: int) -> Listing:
    """Return the articles of an answer. Raises SourceError("api") when GDELT answers with words, which it does with status 200."""
    text = decoded(document.body, document.content_type).strip()
    if not text:
        raise fault(Fault.EMPTY, "the body is empty")
    if not text.startswith("{"):
        raise fault(Fault.API, f"GDELT says: {plain(text, 200)}")
    articles = _answer(text).get("articles", [])
    if not isinstance(articles, list):
        raise fault(Fault.API, "GDELT's answer has no list of articles")
    found = (entry_of(_item(row, now), document.url) for row in articles if isinstance(row, dict))
    return Listing(entries=listed(once(e for e in found if e is not None and e.url), limit))


def _answer(text: str) -> dict[str, Any]:
    """Return the answer, also where a headline's backslash was left unescaped."""
    mended = _BAD_ESCAPE.sub(lambda m: m[0] if m[1] else r"\\", text)
    try:
        answer: dict[str, Any] = json.loads(mended, strict=False)
    except (ValueError, RecursionError) as error:
        raise fault(Fault.API, f"GDELT's answer is not JSON: {error}") from error
    return answer


def _item(row: dict[str, Any], now: datetime) -> Item:
    title, url, seen, domain = (value if isinstance(value := row.get(key), str) else "" for key in ("title", "url", "seendate", "domain"))
    return Item(title=_LOOSE_MARK.sub("", title), url=url, published=read_date(seen, now), publisher=domain)
