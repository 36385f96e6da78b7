"""Foreign words made safe for a terminal: never markup, never a control sequence, never a link that was not meant. Pure."""

from __future__ import annotations

import unicodedata
from urllib.parse import quote, urlsplit

from rich.style import Style
from rich.text import Text

from bot.domain.text import cut

ELLIPSIS = "…"
MAX_URL = 2_000
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})  # controls (escape sequences begin with one), bidi, zero width, surrogates, private
_URL_SAFE = "%/:?=&;+,.~!$#-_*()'@"  # the rest is percent-encoded: OSC 8 wants printable ASCII and ends at a control character


def shown(words: str | None, limit: int) -> str:
    """Return `words` as one line of at most `limit` characters that a terminal shows and does not obey."""
    kept = (c for c in (words or "")[: limit * 8] if c.isspace() or unicodedata.category(c) not in _UNSEEN)
    return cut(" ".join("".join(kept).split()), limit, ELLIPSIS)


def address(url: str | None) -> str | None:
    """Return `url` as a terminal may link it, or None: http and https only, no user info, printable ASCII."""
    try:
        parts = urlsplit((url or "").strip())
        host = parts.hostname
    except ValueError:  # a broken bracket or port
        return None
    if parts.scheme not in ("http", "https") or not host or "@" in parts.netloc:
        return None
    made = quote(parts.geturl(), safe=_URL_SAFE, errors="replace")
    return made if len(made) <= MAX_URL else None


def line(words: str | None, limit: int, style: str = "") -> Text:
    """Return foreign words as a line in a style of ours."""
    return Text(shown(words, limit), style=style)


def linked(words: str | None, url: str | None, limit: int, style: str = "") -> Text:
    """Return foreign words as a line that leads to `url`, where a terminal may follow it."""
    made = line(words, limit, style)
    if (target := address(url)) and made.plain:
        made.stylize(Style(link=target))
    return made
