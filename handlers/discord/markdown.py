"""Text made safe for Discord: nothing that came from outside can ping, link or format. Pure.

What formats is said at https://discord.com/developers/docs/reference#message-formatting and in the help centre's
"Markdown Text 101". A backslash before a mark shows the mark itself.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from datetime import datetime
from urllib.parse import quote, urlsplit, urlunsplit

from bot.domain.text import cut

MAX_URL = 2048  # https://discord.com/developers/docs/resources/message#embed-object ; longer ones are refused
ELLIPSIS = "…"

_MARK = re.compile(r"([\\*_~`|<>\[\]])")
_REFERENCE = re.compile(r"<([@#/:])")  # mentions, channels, commands and emoji begin so: both characters are broken apart
_LINE_START = re.compile(r"^(?=[#+-])")
_NUMBERED = re.compile(r"^(\d+)\.(?=\s)")
_EVERYONE = re.compile(r"@(?=everyone|here)", re.IGNORECASE)
_BRACKETS = str.maketrans("[]", "()")  # in a link's label a bracket ends the label, escaped or not
_INVISIBLE_LETTERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")  # fillers that Unicode counts as letters or marks
_URL_SAFE = "/:?=&;%+,.~!$#-_"  # not ( ) < > [ ] @ * | ` \ ' " or space: percent-encoded they name the same page


def size(text: str) -> int:
    """Return the length as Discord may count it at worst: in UTF-16 units."""
    return len(text) + sum(char > "\uffff" for char in text)


def clean(text: str) -> str:
    """Return `text` as one line without control, bidirectional, zero-width and filler characters, and without @everyone and @here."""
    shown = (" " if char.isspace() or unicodedata.category(char) == "Cc" else char for char in text if _visible(char))
    return _EVERYONE.sub("＠", " ".join("".join(shown).split()))


def _visible(char: str) -> bool:
    return char not in _INVISIBLE_LETTERS and unicodedata.category(char) not in ("Cf", "Cs", "Co", "Cn")


def escape(text: str) -> str:
    """Return `text` cleaned and with every mark of Discord's shown as itself: it cannot mention, link, quote, list or format."""
    text = _REFERENCE.sub(r"<\\\1", _MARK.sub(r"\\\1", clean(text))).replace("://", r":\//")
    return _NUMBERED.sub(r"\1\\.", _LINE_START.sub(r"\\", text))


def address(url: str | None, longest: int = MAX_URL) -> str | None:
    """Return `url` as it may stand in a link, or None: http and https only, no user info, percent-encoded, at most `longest` characters."""
    try:
        parts = urlsplit((url or "").strip())
        host = (parts.hostname or "").encode("idna").decode("ascii")
        port = f":{parts.port}" if parts.port else ""
    except ValueError:  # a broken port, bracket or host name
        return None
    if parts.scheme not in ("http", "https") or "@" in parts.netloc or not re.fullmatch(r"[a-z0-9._-]+", host):
        return None
    rest = (quote(part, safe=_URL_SAFE, errors="replace") for part in (parts.path, parts.query, parts.fragment))
    made = urlunsplit((parts.scheme, host + port, *rest))
    return made if len(made) <= longest else None


def link(text: str, url: str | None, *, limit: int, longest: int = MAX_URL) -> str:
    """Return a masked link, or the text alone where `url` cannot be linked; the text has at most `limit` characters."""
    label = fitted(text.translate(_BRACKETS), limit)
    target = address(url, longest)
    return f"[{label}]({target})" if target and label else label


def stamp(moment: datetime) -> str:
    """Return `moment` so that Discord shows it relative to the reader's now; https://discord.com/developers/docs/reference#message-formatting."""
    return f"<t:{int(moment.timestamp())}:R>"


def fitted(text: str, limit: int, *, dress: Callable[[str], str] = escape, shorten: Callable[[str, int], str] | None = None) -> str:
    """Return `text` dressed, after cutting what is too long so that the result has at most `limit` characters; no escape is torn.

    `shorten(text, limit)` cuts plain text; by default at a word's end, with an ellipsis.
    """
    shorten = shorten or _cut
    plain, room = clean(text), limit
    while size(dressed := dress(shorten(plain, room))) > limit and room > 1:
        room = max(min(room, len(plain)) - max((size(dressed) - limit) // 2, 1), 1)
    return dressed if size(dressed) <= limit else ""


def _cut(text: str, limit: int) -> str:
    return cut(text, limit, ELLIPSIS)


def joined(parts: Sequence[str], limit: int, separator: str = " · ") -> str:
    """Return as many of `parts` as fit into `limit` characters, whole, and how many more there are."""
    for kept in range(len(parts), 0, -1):
        more = [f"{ELLIPSIS} and {len(parts) - kept} more"] if kept < len(parts) else []
        if size(text := separator.join([*parts[:kept], *more])) <= limit:
            return text
    return ""
