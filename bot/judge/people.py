"""People in plain text, with their office: from the office-holders' file, or from the words before the name.

A name that only looks like one, without a file entry and without an office beside it, is not a person here: nothing is invented.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import yaml

from bot.domain.assessment import Person
from bot.domain.text import fold

_NAME = r"(?:[A-ZÀ-ÖØ-Þ][\w'’-]+|[A-Z]\.)(?:\s+(?:(?:al|el|bin|von|van|de|da|der|le|ul)[ -])?(?:[A-ZÀ-ÖØ-Þ][\w'’-]+|[A-Z]\.)){1,3}"
_FIELD = (
    r"(?:Former|Ex|Outgoing|Incoming|Union|Acting|Interim|Caretaker|Deputy|Vice|First|Chief|Special|National|Security|High|Permanent|External|Foreign|Commerce|Trade|Finance"
    r"|Defen[cs]e|Industry|Industries|Competition|Economy|Economic|Business|Energy|Agriculture|Interior|Home|Prime|Treasury|State|Affairs"
    r"|Development|International|Digital|Climate|Environment|Health|Oil|Petroleum|Gas|Steel|Textiles?|Investment|Natural|Resources|Mines|Mining"
    r"|Labou?r|Technology|Science|Culture|Tourism|Transport|Infrastructure|Planning|Education|Justice|Law|Parliamentary|Water|Power|Coal|Food"
    r"|Shipping|Aviation|Immigration|and|&|of|for|the)"
)
_OFFICE = (
    rf"(?:(?i:(?:{_FIELD},?[ -]){{0,7}}"
    r"(?:Minister(?:\s+of\s+(?:State|Foreign\s+Affairs|Commerce|Trade|External\s+Affairs|Finance|Defen[cs]e|the\s+Economy)\b)?"
    r"|Secretary[ -]General|Secretary(?:\s+of\s+(?:State|Defense|Commerce)\b)?|Director[ -]General|President|Premier|Chancellor|Commissioner"
    r"|Trade\s+Representative|Representative|Envoy|Governor|Advis[eo]r|Speaker|Crown\s+Prince))"
    r"|(?i:(?:High\s+Commissioner|Ambassador)(?:\s+to\s+(?:the\s+)?(?:United\s+[A-Z]\w+|[A-Z][\w.]+))?)|PM|King|Emir)"
)
_TITLED = re.compile(rf"\b(?P<office>{_OFFICE})(?P<comma>,)?\s+(?:Dr\.?\s+|Mr\.?\s+|Ms\.?\s+)?(?P<name>{_NAME})(?(comma),)")
# "Ada Roe, Sudland's rice minister, said"
_APPOSED = re.compile(
    rf"\b(?P<name>{_NAME}),\s+(?:the\s+)?(?:(?!Says?\b|Said\b)[A-Z][\w.]+(?:['’]s)?\s+){{0,2}}(?P<office>(?=\S*\s?\S*(?i:minister|secretary)){_OFFICE})(?=[,;)]|\.\s|\.?$)"
)
# Words that a name does not hold: where a headline capitalizes every word, the name ends before them.
_NOT_NAMES = re.compile(
    r"(?:Minister|Secretary|President|Premier|Chancellor|PM|Ambassador|House|Summit|Deal|Pact|Talks?|Trip|Tour|Visits?|Visiting|Visited|Meeting|Office"
    r"|Says?|Said|Meets?|Met|To|In|On|And|The|Of|At|With|For|Will|Has|Have|Had|Is|Was|Are|Be|Being|Been|A|An|As|By|From|Over|About|Against|During"
    r"|Into|Under|Between|Amid|After|Before|Ahead|Not|Could|Would|Should|Who|Why|How|What|When|Where|It|He|She|They|His|Her|Its|Their|This|That"
    r"|Arrives?|Arrived|Arriving|Calls?|Hails?|Seeks?|Urges?|Warns?|Slams?|Heads?|Holds?|Hosts?|Joins?|Signs?|Lands|Leaves|Tells?|Vows?|Wants?|Backs?"
    r"|Begins?|Plans?|Faces?|Rejects?|Welcomes?|Speaks?|Discuss(?:es)?|Reviews?|Launch(?:es)?|Dials|Cancels?|Postpones?|Skips?|Quits|Resigns?"
    r"|Defends?|Offers?|Invites?|Visits|Greets?|Thanks?|Praises?|Pledges?|Sees|Set|Due|Likely|Set|Next|New|Trade|Tariffs?|Party|Leaders?|More|Than|Most|All|No"
    r"|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday|January|February|March|April|June|July|August|September|October|November|December)"
)


@dataclass(frozen=True, kw_only=True)
class Holder:
    """An office-holder: who, for which country or bloc, which office, from when until when (inclusive months)."""

    name: str
    party: str
    office: str
    since: date
    until: date


@dataclass(frozen=True, kw_only=True)
class Named:
    """A person found at `start` of a text; `office` is where the words of the office begin, when they stand there."""

    person: Person
    start: int
    office: int | None = None


class People:
    """Knows office-holders; reads text."""

    def __init__(self, path: Path) -> None:
        read = yaml.safe_load(path.read_text(encoding="utf-8"))
        self._holders: dict[str, list[Holder]] = {}
        for one in read["people"]:
            holder = _holder(one)
            for name in (one["name"], *one.get("also", ()), *one.get("short", ())):
                self._holders.setdefault(_folded(name), []).append(holder)
        for name in read.get("others", ()):
            self._holders.setdefault(_folded(name), [])
        longest_first = sorted(self._holders, key=len, reverse=True)
        self._pattern = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)", re.IGNORECASE)

    def scan(self, text: str, day: date) -> list[Named]:
        """Return the people whom `text` names, in order, each once; offices are those held on `day`."""
        found = [*self._known(text, day), *self._titled(text, day)]
        seen: dict[str, Named] = {}
        for named in sorted(found, key=lambda n: n.start):
            seen.setdefault(named.person.name, named)
        return list(seen.values())

    def _known(self, text: str, day: date) -> list[Named]:
        found = []
        for match in self._pattern.finditer(_same_length_fold(text)):
            holder = _serving(self._holders[_folded(match.group())], day)
            if holder is not None and _capital(text[match.start() : match.end()], match.group()):
                person = Person(name=holder.name, office=holder.office, country=holder.party)
                found.append(Named(person=person, start=match.start()))
        return found

    def _titled(self, text: str, day: date) -> list[Named]:
        return [named for match in (*_TITLED.finditer(text), *_APPOSED.finditer(text)) if (named := self._beside(match, day))]

    def _beside(self, match: re.Match[str], day: date) -> Named | None:
        """The person whose office stands beside the name, unless the file knows who it is."""
        name, start = _trimmed(match, at_end=match.start("name") < match.start("office"))
        held = self._pattern.search(_same_length_fold(name))
        if not name or (held and _serving(self._holders[_folded(held.group())], day)):
            return None
        office = re.sub(r"^(?:(?:the|and|of|for|&)\s+)+", "", " ".join(match["office"].split()), flags=re.IGNORECASE)
        at = match.end("office") - len(office)
        return Named(person=Person(name=name, office=office), start=start, office=at)


def _trimmed(match: re.Match[str], *, at_end: bool) -> tuple[str, int]:
    """The words of a name that stand next to the office, and where they start; nothing when fewer than two of them can be a name."""
    runs: list[list[re.Match[str]]] = [[]]
    for word in re.finditer(r"\S+", match["name"]):
        if _NOT_NAMES.fullmatch(word.group()):
            runs.append([])
        else:
            runs[-1].append(word)
    kept = runs[-1 if at_end else 0]
    name = re.sub(r"['’]s$|['’]$", "", " ".join(w.group() for w in kept))
    return (name, match.start("name") + kept[0].start()) if len(kept) > 1 else ("", 0)


def _capital(span: str, folded: str) -> bool:
    """Say whether a name bears its capitals; "el-Sisi" has its own further on."""
    return span[:1].isupper() or bool(re.match(r"(?:al|el|bin|von|van|de|da|le|ul)[ -]", folded) and any(c.isupper() for c in span))


def _folded(name: str) -> str:
    return _same_length_fold(name)


def _same_length_fold(text: str) -> str:
    """Fold character by character, so that places in the folded text are places in the text."""
    return "".join(folded if len(folded := fold(c)) == 1 else c.casefold()[:1] or c for c in text)


def _serving(holders: list[Holder], day: date) -> Holder | None:
    return next((h for h in holders if h.since <= day <= h.until), None)


def _holder(one: dict[str, Any]) -> Holder:
    return Holder(
        name=one["name"],
        party=one["party"],
        office=one["office"],
        since=_month(one["since"]),
        until=_month(one["until"], last=True) if one.get("until") else date.max,
    )


def _month(text: str, *, last: bool = False) -> date:
    year, month = (int(part) for part in str(text).split("-")[:2])
    return date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1) if last else date(year, month, 1)
