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
_OFFICE = (
    r"(?:(?:Union|Deputy|Vice|External|Foreign|Commerce|Trade|Finance|Defen[cs]e|Industry|Economy|Economic|Energy|Agriculture|Interior|Home|Prime"
    r"|Treasury|State|Affairs|Development|International|and|&|of|for|the|Digital|Climate|Environment|Health|Oil|Petroleum|Steel|Investment)\s+){0,6}"
    r"(?:Minister(?:\s+of\s+(?:State|Foreign\s+Affairs|Commerce|Trade|External\s+Affairs|Finance))?|Secretary[ -]General|Secretary(?:\s+of\s+(?:State|Defense|Commerce))?"
    r"|President|Premier|Chancellor|Commissioner|Trade\s+Representative|Representative|Envoy|Ambassador|Governor|Adviser|Advisor)"
)
_TITLED = re.compile(rf"\b(?P<office>{_OFFICE})\s+(?:Dr\.?\s+|Mr\.?\s+|Ms\.?\s+)?(?P<name>{_NAME})")
_NOT_NAMES = re.compile(
    r"\b(?:Minister|Secretary|President|House|Summit|Deal|Talks|Says|Meets|To|In|On|And|The|Of|At|With|For|Will|Has|Meeting|Office)\b"
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
    """A person found at `start` of a text."""

    person: Person
    start: int


class People:
    """Knows office-holders; reads text."""

    def __init__(self, path: Path) -> None:
        kept = yaml.safe_load(path.read_text(encoding="utf-8"))["people"]
        self._holders: dict[str, list[Holder]] = {}
        for one in kept:
            holder = _holder(one)
            for name in (one["name"], *one.get("also", ()), *one.get("short", ())):
                self._holders.setdefault(_folded(name), []).append(holder)
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
            if text[match.start()].isupper() and holder is not None:
                person = Person(name=holder.name, office=holder.office, country=holder.party)
                found.append(Named(person=person, start=match.start()))
        return found

    def _titled(self, text: str, day: date) -> list[Named]:
        found = []
        for match in _TITLED.finditer(text):
            name = re.sub(r"['’]s$", "", match["name"])
            held = self._pattern.search(_same_length_fold(name))
            if _NOT_NAMES.search(name) or (held and _serving(self._holders[_folded(held.group())], day)):
                continue
            office = re.sub(r"^(?:the|and|of|for)\s+", "", " ".join(match["office"].split()), flags=re.IGNORECASE)
            found.append(Named(person=Person(name=name, office=office), start=match.start("name")))
        return found


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
