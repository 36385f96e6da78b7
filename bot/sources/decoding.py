"""Bytes to text. Never raises: a wrong or lying declaration costs some characters, not the source."""

from __future__ import annotations

import codecs
import re

_DECLARED = re.compile(rb"""(?:\bencoding|\bcharset)\s*=\s*["']?\s*([A-Za-z0-9._:-]{2,40})""")
_HEADER = re.compile(r"""charset\s*=\s*["']?\s*([A-Za-z0-9._:-]{2,40})""", re.IGNORECASE)
# Python also knows codecs that no publisher uses and that cost time out of proportion (punycode, idna).
_USUAL = re.compile(
    r"(?:utf-?8|us-?ascii|iso-?8859|latin|windows|cp125|cp874|koi8|mac|gb|hz|big5|euc|shift|sjis|iso-?2022|tis)", re.IGNORECASE
)
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_WIDE = ((b"<\0", "utf-16-le"), (b"\0<", "utf-16-be"), (b"{\0", "utf-16-le"), (b"\0{", "utf-16-be"))


def decoded(body: bytes, content_type: str = "") -> str:
    """Return `body` as text. Valid UTF-8 is UTF-8 whatever is declared; else the body's own declaration counts, then the header's."""
    for mark, encoding in _MARKS:
        if body.startswith(mark):
            return body[len(mark) :].decode(encoding, "replace")
    for start, encoding in _WIDE:
        if body.startswith(start):
            return body.decode(encoding, "replace")
    named = _declared(body, content_type)
    if b"\x1b" in body and named:  # ISO 2022 is ASCII to look at
        return _strictly(body, named) or body.decode("utf-8", "replace")
    return _strictly(body, "utf-8") or (named and _strictly(body, named)) or _likely(body)


def _declared(body: bytes, content_type: str) -> str | None:
    inside, header = _DECLARED.search(body[:2_048]), _HEADER.search(content_type)
    names = [inside[1].decode("ascii") if inside else None, header[1] if header else None]
    return next((n for n in names if n and _USUAL.match(n) and not n.lower().startswith("utf")), None)


def _strictly(body: bytes, encoding: str) -> str | None:
    try:
        return body.decode(encoding)
    except (UnicodeError, LookupError):
        return None


def _likely(body: bytes) -> str:
    """Return the less mangled reading: UTF-8 with a few bad bytes, or the Windows code page that old tools write."""
    text = body.decode("utf-8", "replace")
    bad = text.count("\ufffd")
    good = len(text) - len(text.encode("ascii", "ignore")) - bad
    return text if good >= bad else body.decode("windows-1252", "replace")
