"""From text to facts: parties, people, the place and the day of a meeting. Every fact has a span in the text."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, timedelta

from bot.domain.assessment import Facts, Person
from bot.domain.entries import Entry
from bot.domain.reading import passage
from bot.domain.text import sentences
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
    rf"\b(?:(?P<near>today|tonight|tomorrow|yesterday|this\s+(?:morning|afternoon|evening))"
    rf"|(?:on\s+)?(?P<next>next\s+|coming\s+|last\s+)?(?P<day>{'|'.join(_DAYS)})"
    rf"|(?P<number>\d{{1,2}})(?:st|nd|rd|th)?(?:\s*(?:-|–|to|and)\s*\d{{1,2}}(?:st|nd|rd|th)?)?(?:\s+of)?\s+(?P<month>{_MONTH})\b(?:\s*,?\s*(?P<year>\d{{4}})\b)?"
    rf"|(?P<month2>{_MONTH})\.?\s+(?P<number2>\d{{1,2}})(?:st|nd|rd|th)?\b(?:\s*[-–]\s*\d{{1,2}})?(?:\s*,?\s*(?P<year2>\d{{4}})\b)?)",
    re.IGNORECASE,
)
# A day on which somebody only spoke, a day that ends or begins a span of time, a day in the name of something else.
_SPEECH = r"(?:said|says|saying|told|tells|announced|confirmed|reported|tweeted|posted|wrote|warned|added|denied|accused|welcomed|stated)"
_TO_WHOM = (
    r"(?:reporters|journalists|parliament|lawmakers|CNN|AFP|Reuters|here|that|late|early|earlier|on\s+(?:X|Twitter|Facebook|social\s+media)"
    r"|(?:in|at|during)\s+(?:an?|the|his|her)\s+(?:\w+\s+)?\w+|by\s+(?:\w+\s+)?\w+)"
)
_NOT_BEFORE = re.compile(
    rf"(?:\b{_SPEECH}(?:\s+{_TO_WHOM}){{0,3}}\s+(?:on\s+)?"
    r"|\b(?:until|till|since|by|deadline|Black|Good|Ash|Super|Easter|Bloody)\s+)$"
)
_PAPER = re.compile(r"\b(?:News|India|USA)\s+$")  # "India Today"
_NOT_AFTER = re.compile(
    rf"^(?:\s+{_SPEECH}\b|\s+(?:Morning\s+|Evening\s+)?(?:[Bb]riefing|Times|Express|Guardian|Mail|Mirror|Telegraph|[Nn]ewsletter)\b"
    r"|['’]s\s+(?:deadline|session|market|trade|trading|stocks?|paper|episode|show|newsletter|briefing))"
)
_MEETING = re.compile(
    r"\b(?:meet(?:s|ing|ings)?|met|talks?|summits?|visit\w*|arriv\w+|host\w*|trip|sign(?:s|ed|ing)?|gather\w*|conference|sessions?|attend\w*|address(?:es|ed)?"
    r"|dinner|lunch|lands|landed|begins|opens?|opened|h[eo]ld|holds|holding|welcom\w+|receiv\w+|forum|ceremony|dialogue|negotiat\w+|join\w*)\b",
    re.IGNORECASE,
)
_SOMEBODY_IN = re.compile(r"(?:\S+\s+){1,4}in\s+(?:the\s+)?")
_CREDIT = re.compile(r"\([^()]*/[^()]*\)|\(AP Photo[^()]*\)|\([^()]* via [^()]*\)")  # of a photograph: its caption ends here
_STALE = timedelta(days=4)
_AND = re.compile(r"\s*(?:,|&|and|,\s*and)\s+(?:the\s+)?")


class FactReader:
    """Reads the facts of entries. Pure after construction."""

    def __init__(self, places: Places, people: People) -> None:
        self._places = places
        self._people = people

    def read(self, entry: Entry, status: Status | None) -> Facts:
        """Return what the entry's title and summary name. `status` tells in which direction "on Monday" points."""
        title, body = passage(entry.title, entry.summary)
        day = entry.published.date()
        meets = status is not None or bool(_MEETING.search(f"{title} . {body}"))
        head, tail = self._said(title, day, meets=meets), self._said(_fresh(body, day), day, meets=meets)
        who = [*head.people, *self._said(body, day, meets=meets).people]
        return Facts(
            parties=_parties(head, tail),
            people=_people(who)[:MAX_PEOPLE],
            place=_place(head, tail),
            when=_when(f"{title} . {tail.text}", day, status) if status else None,
        )

    def _said(self, text: str, day: date, *, meets: bool) -> _Said:
        places = self._places.scan(text)
        people = [_of(n, text, places) for n in self._people.scan(text, day)]
        return _Said(text=text, places=places, people=people, meets=meets)


@dataclass(frozen=True, kw_only=True)
class _Said:
    """What a title or a summary names."""

    text: str
    places: list[Place]
    people: list[Named]
    meets: bool  # the entry speaks of a meeting


def _of(named: Named, text: str, places: list[Place]) -> Named:
    """The person with the country that stands right before the office: "Sudland's Rice Minister Ada Roe"."""
    if named.person.country or named.office is None:
        return named
    before = [p for p in places if p.code and p.end <= named.office and not text[p.end : named.office].strip(" '’s")]
    return replace(named, person=replace(named.person, country=before[-1].code)) if before else named


def _people(found: list[Named]) -> tuple[Person, ...]:
    """Each person once, without those whose name a summary cut short."""
    people: dict[str, Person] = {}
    for named in found:
        people.setdefault(named.person.name, named.person)
    return tuple(p for p in people.values() if not any(o.startswith(p.name) and o != p.name for o in people))


def _fresh(body: str, day: date) -> str:
    """The summary without the caption of an old photograph: who stands in it did so on another day, in another place."""
    credit = _CREDIT.search(body)
    if credit is None:
        return body
    caption = sentences(body[: credit.start()])[-1:]
    dates = [d for m in _WHEN.finditer(caption[0]) if (d := _written(m))] if caption else []
    if not any(abs(d - day) > _STALE for d in dates):
        return body
    return f"{body[: credit.start() - len(caption[0]) - 1]} {body[credit.end() :]}".strip()


def _parties(head: _Said, tail: _Said) -> tuple[str, ...]:
    """The parties of the title; where it names fewer than two, those of the summary, then who receives the others.

    Who stands beside one of them in one breath ("the US, Japan and South Korea") belongs to them too.
    """
    first = _acting(head)
    if len(first) >= ENOUGH:
        return _with_others(first, head, tail, of=3)
    hosts = [p.code for said in (head, tail) for p in _venues(said) if p.code]
    named = [p.code for said in (head, tail) for p in sorted(said.places, key=lambda p: p.aside) if p.code]
    more = sorted(_acting(tail), key=lambda code: all(p.code != code for p in head.places))
    kept = tuple(dict.fromkeys([*first, *more, *hosts]))[:ENOUGH] or tuple(dict.fromkeys(named))[:ENOUGH]
    return _with_others(list(kept), head, tail, of=2)


def _with_others(kept: list[str], head: _Said, tail: _Said, *, of: int) -> tuple[str, ...]:
    joint = [chain for said in (head, tail) for chain in _chains(said) if len(chain) >= of and not set(chain).isdisjoint(kept)]
    return tuple(dict.fromkeys([*kept, *(code for chain in joint for code in chain)]))[:MAX_PARTIES]


def _chains(said: _Said) -> list[list[str]]:
    """Parties named in a row."""
    found: list[list[Place]] = []
    for place in (p for p in said.places if p.code and not p.inside):
        if found and _AND.fullmatch(said.text, found[-1][-1].end, place.start):
            found[-1].append(place)
        else:
            found.append([place])
    return [[p.code for p in chain] for chain in found if not any(p.aside for p in chain)]


def _acting(said: _Said) -> list[str]:
    """Codes by how often they act, then by where they first stand. A forum ("at the G20") counts, after the others."""
    places = [p for p in said.places if p.code and not p.aside and (p.role is Role.BLOC or p.visited or not p.inside)]
    spans = [(p.start, p.code, not p.inside) for p in places]
    spans += [(n.start, n.person.country, True) for n in said.people if n.person.country and not _announced(n, places)]
    spans.sort(key=lambda s: s[0])
    acting = Counter(code for _, code, acts in spans if acts)
    return sorted(dict.fromkeys(code for _, code, _ in spans), key=lambda code: -min(acting[code], 2))


def _announced(named: Named, places: list[Place]) -> bool:
    """Say whether the person's country stands before the name ("UK PM Ada Roe"): then the two are one mention."""
    return any(p.code == named.person.country and 0 <= named.start - p.end < 40 for p in places)


def _place(head: _Said, tail: _Said) -> str | None:
    """A city before a country; where a meeting is before where somebody goes."""
    venues = [*_venues(head), *_venues(tail)]
    venues.sort(key=lambda p: (p.role is not Role.CITY, not p.inside))
    return venues[0].name if venues else None


def _venues(said: _Said) -> list[Place]:
    return [p for p in said.places if p.role in (Role.CITY, Role.COUNTRY) and p.noun and (p.visited or (p.inside and _is_venue(p, said)))]


def _is_venue(place: Place, said: _Said) -> bool:
    """Say whether a meeting is spoken of near by; a country's name is everywhere, so only close before it."""
    if place.role is Role.CITY:
        return said.meets
    before, after = said.text[max(0, place.start - 110) : place.start], said.text[place.end + 1 : place.end + 12]
    led = any(n.start < place.start and _SOMEBODY_IN.fullmatch(said.text, n.start, place.start) for n in said.people)
    return led or bool(_MEETING.search(before) or _MEETING.match(after))


def _when(text: str, day: date, status: Status) -> date | None:
    found = [(match, when) for match in _WHEN.finditer(text) if (when := _resolved(match, day, status))]
    return next((when for match, when in found if _is_of_meeting(match, text) and _fits(match, when, day, status)), None)


def _is_of_meeting(match: re.Match[str], text: str) -> bool:
    """Say whether a day may be that of the meeting: not the day on which somebody spoke, nor an end of a span of time."""
    before, after = text[max(0, match.start() - 60) : match.start()], text[match.end() : match.end() + 30]
    named_after_it = after.startswith(("'s", "’s"))  # "welcomed Monday's summit"
    paper = bool(match["near"]) and bool(_PAPER.search(before))
    return not (paper or (_NOT_BEFORE.search(before) and not named_after_it) or _NOT_AFTER.match(after))


def _fits(match: re.Match[str], when: date, day: date, status: Status) -> bool:
    """A written date that lies behind a planned meeting, or ahead of one that was held, is the date of something else."""
    if not (match["month"] or match["month2"]):
        return True
    return not (status is Status.PLANNED and when < day) and not (status is Status.HELD and when > day + timedelta(days=1))


def _resolved(match: re.Match[str], day: date, status: Status) -> date | None:
    if near := match["near"]:
        return day + timedelta(days={"tomorrow": 1, "yesterday": -1}.get(near.casefold(), 0))
    if weekday := match["day"]:
        return _weekday(day, _DAYS.index(weekday.casefold()), status, (match["next"] or "").strip().casefold())
    year = match["year"] or match["year2"]
    return _calendar(day, match["month"] or match["month2"], int(match["number"] or match["number2"]), int(year) if year else None)


def _written(match: re.Match[str]) -> date | None:
    """The date that is written out with its year."""
    month, number, year = match["month"] or match["month2"], match["number"] or match["number2"], match["year"] or match["year2"]
    if not (month and year):
        return None
    try:
        return date(int(year), _month(month), int(number))
    except ValueError:
        return None


def _month(name: str) -> int:
    return next(i for i, m in enumerate(_MONTHS, 1) if m.startswith(name.casefold()[:3]))


def _weekday(day: date, wanted: int, status: Status, word: str) -> date:
    ahead = (wanted - day.weekday()) % 7
    if word == "last" or (status is not Status.PLANNED and not word):
        return day - timedelta(days=(-ahead) % 7)
    return day + timedelta(days=ahead or 7 if word else ahead)


def _calendar(day: date, month: str, number: int, written: int | None) -> date | None:
    """The date nearest to `day` with that month and number; of the `written` year, where that is near: else it is history."""
    tried = []
    for year in (day.year - 1, day.year, day.year + 1):
        if written not in (None, year):
            continue
        try:
            tried.append(date(year, _month(month), number))
        except ValueError:
            continue
    return min(tried, key=lambda d: abs(d - day), default=None)
