"""Dates as sources write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from bot.domain.moments import plausible

MAX_DATE = 100  # characters looked at

# Names that RFC 822 does not know and publishers use all the same; IST is India's, BST Britain's.
_ZONES = {
    "IST": "+0530", "PKT": "+0500", "NPT": "+0545", "BST": "+0100", "WEST": "+0100", "CET": "+0100", "CEST": "+0200", "EET": "+0200",
    "EEST": "+0300", "MSK": "+0300", "SAST": "+0200", "EAT": "+0300", "WAT": "+0100", "GST": "+0400", "WIB": "+0700", "SGT": "+0800",
    "HKT": "+0800", "PHT": "+0800", "JST": "+0900", "KST": "+0900", "AEST": "+1000", "AEDT": "+1100", "NZST": "+1200", "NZDT": "+1300",
}  # fmt: skip
_NAME = re.compile(r"\b([A-Z]{3,4})$")
_OFFSET = re.compile(r"(?<=\d)\s*(?:GMT|UTC)?\s*([+-])(\d{1,2}):?(\d{2})?$")
_MONTHS = {
    name: number for number, name in enumerate(["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1)
}
_MONTH = r"(?P<month>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_WORDS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\b(?P<day>\d{{1,2}})(?:st|nd|rd|th)?[\s,./-]+{_MONTH}[\s,./-]+(?P<year>\d{{4}})\b",
        rf"\b{_MONTH}\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<year>\d{{4}})\b",
    )
)
_DAY = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b")


def read_date(text: str, now: datetime) -> datetime | None:
    """Return the instant that `text` tells, in UTC, if an entry can bear it: ISO 8601, RFC 822, or a day in English words.

    A date without a zone is taken as UTC; one in figures whose order only its country knows (02/03/2026) is none.
    """
    text = " ".join(text[:MAX_DATE].split())
    return plausible(_iso(text) or _rfc822(text) or _day(text), now)


def _iso(text: str) -> datetime | None:
    try:
        return _aware(datetime.fromisoformat(text))
    except ValueError:
        return None


def _rfc822(text: str) -> datetime | None:
    text = _OFFSET.sub(lambda m: f" {m[1]}{m[2]:0>2}{m[3] or '00'}", text)
    text = _NAME.sub(lambda m: _ZONES.get(m[1], m[1]), text)
    try:
        return _aware(parsedate_to_datetime(text))
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _day(text: str) -> datetime | None:
    try:
        if (iso := _DAY.search(text)) is not None:
            return datetime(int(iso[1]), int(iso[2]), int(iso[3]), tzinfo=UTC)
        found = next(filter(None, (pattern.search(text) for pattern in _WORDS)), None)
        return found and datetime(int(found["year"]), _MONTHS[found["month"].casefold()[:3]], int(found["day"]), tzinfo=UTC)
    except ValueError:
        return None


def _aware(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
