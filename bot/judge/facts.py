"""From text to facts: parties, people, the place and the day of a meeting. Every fact has a span in the text."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date, timedelta

from bot.domain.assessment import Facts
from bot.domain.entries import Entry
from bot.domain.reading import passage
from bot.domain.topics import Status
from bot.judge.people import Named, People
from bot.judge.places import Place, Places, Role

MAX_PARTIES = 4
MAX_PEOPLE = 4
ENOUGH = 2  # parties in a title; then those of the body are context

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december")
_MONTH = "|".join(f"{m[:3]}(?:{m[3:]})?" for m in _MONTHS)
_WHEN = re.compile(
    rf"\b(?:(?P<near>today|tomorrow|yesterday)|(?:on\s+)?(?P<next>next\s+|coming\s+|last\s+)?(?P<day>{'|'.join(_DAYS)})"
    rf"|(?P<number>\d{{1,2}})(?:st|nd|rd|th)?(?:\s+of)?\s+(?P<month>{_MONTH})\b(?:\s*,?\s*(?P<year>\d{{4}})\b)?"
    rf"|(?P<month2>{_MONTH})\.?\s+(?P<number2>\d{{1,2}})(?:st|nd|rd|th)?\b(?:\s*,?\s*(?P<year2>\d{{4}})\b)?)",
    re.IGNORECASE,
)


class FactReader:
    """Reads the facts of entries. Pure after construction."""

    def __init__(self, places: Places, people: People) -> None:
        self._places = places
        self._people = people

    def read(self, entry: Entry, status: Status | None) -> Facts:
        """Return what the entry's title and summary name. `status` tells in which direction "on Monday" points."""
        title, body = passage(entry.title, entry.summary)
        day = entry.published.date()
        in_title, in_body = self._places.scan(title), self._places.scan(body)
        who_title, who_body = self._people.scan(title, day), self._people.scan(body, day)
        parties = _parties(in_title, who_title, in_body, who_body)
        people = tuple(dict.fromkeys(n.person for n in (*who_title, *who_body)))[:MAX_PEOPLE]
        return Facts(
            parties=parties,
            people=people,
            place=_place([*in_title, *in_body]),
            when=_when(f"{title} . {body}", day, status) if status else None,
        )


def _parties(in_title: list[Place], who_title: list[Named], in_body: list[Place], who_body: list[Named]) -> tuple[str, ...]:
    first = _ranked(in_title, who_title)
    if len(first) >= ENOUGH:
        return tuple(first[:MAX_PARTIES])
    more = [code for code in _ranked(in_body, who_body) if code not in first]
    return tuple([*first, *more][: max(ENOUGH, len(first))])


def _ranked(places: list[Place], people: list[Named]) -> list[str]:
    """Codes by how often they act, then by where they first stand; a country that text is only *in* comes last."""
    spans = [(p.start, p.code, p.inside) for p in places if p.code]
    spans += [(n.start, n.person.country, False) for n in people if n.person.country]
    spans.sort(key=lambda s: s[0])
    acting = Counter(code for _, code, inside in spans if not inside)
    order = dict.fromkeys(code for _, code, _ in spans)
    ranked = sorted(order, key=lambda code: (acting[code] == 0, -min(acting[code], 2)))
    return [code for code in ranked if acting[code]] or ranked


def _place(places: list[Place]) -> str | None:
    inside = [p.name for p in places if p.inside and p.role in (Role.CITY, Role.COUNTRY)]
    cities = [p.name for p in places if p.inside and p.role is Role.CITY]
    return next(iter(cities or inside), None)


def _when(text: str, day: date, status: Status) -> date | None:
    return next((found for match in _WHEN.finditer(text) if (found := _resolved(match, day, status))), None)


def _resolved(match: re.Match[str], day: date, status: Status) -> date | None:
    if near := match["near"]:
        return day + timedelta(days={"today": 0, "tomorrow": 1, "yesterday": -1}[near.casefold()])
    if weekday := match["day"]:
        return _weekday(day, _DAYS.index(weekday.casefold()), status, (match["next"] or "").strip().casefold())
    year = match["year"] or match["year2"]
    return _calendar(day, match["month"] or match["month2"], int(match["number"] or match["number2"]), int(year) if year else None)


def _weekday(day: date, wanted: int, status: Status, word: str) -> date:
    ahead = (wanted - day.weekday()) % 7
    if word == "last" or (status is not Status.PLANNED and not word):
        return day - timedelta(days=(-ahead) % 7)
    return day + timedelta(days=ahead or 7 if word else ahead)


def _calendar(day: date, month: str, number: int, written: int | None) -> date | None:
    """The date nearest to `day` with that month and number; of the `written` year, where that is near: else it is history."""
    index = next(i for i, m in enumerate(_MONTHS, 1) if m.startswith(month.casefold()[:3]))
    tried = []
    for year in (day.year - 1, day.year, day.year + 1):
        if written not in (None, year):
            continue
        try:
            tried.append(date(year, index, number))
        except ValueError:
            continue
    return min(tried, key=lambda d: abs(d - day), default=None)
