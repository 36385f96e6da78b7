"""Countries, blocs and cities in plain text (port `Gazetteer`).

Names come from Babel (territories in English), pycountry (official and common names, flags) and countryinfo (adjectives, capitals); what
these lack (blocs, houses of government, short forms) from `config/places.yaml`. A name must be written with its capitals: "Turkey", not
"turkey". A capital city that text is *in* is a place; one that *acts* ("Beijing says") stands for its state. What else a text says of a
name is kept beside it: whether it is where something happens, where somebody goes, or only what the matter is set against.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import pycountry
import yaml
from babel import Locale
from babel.core import get_global
from babel.dates import get_timezone_location
from countryinfo import all_countries

from bot.domain.text import fold

_TOKEN = re.compile(r"[^\W_]+(?:[.'’&+](?=[^\W_])[^\W_]+)*\.?\+?", re.UNICODE)
_LOCATIVE = re.compile(
    r"\b(?:in|at|near|outside|to|from|reach(?:es|ed)?|visit(?:s|ed|ing)?|leav(?:es|ing)|around|for)\s+(?:the\s+)?$", re.IGNORECASE
)
_INSIDE = re.compile(
    r"\b(?P<how>in|at|near|outside)\s+(?:the\s+)?(?:\w+['’]s\s+|(?:[\w'’]+\s+){0,3}(?:city|town|capital|resort|port)(?:\s+of|,)?\s+)?$",
    re.IGNORECASE,
)
_VISITED = re.compile(
    r"\b(?:visit(?:s|ed|ing)?|(?:visit|trip|travel(?:s|l?ed|l?ing)?|go(?:es|ing)?|went|fl(?:y|ies|ew|ying)|head(?:s|ed|ing)?)\s+to|head(?:s|ed|ing)?\s+for"
    r"|(?:visit|trip)\s+(?:by|of)\s+(?:\S+\s+){1,5}to|(?:arriv(?:es?|ed|ing|al)|land(?:s|ed|ing)?|day\s+(?:one|two|\d))\s+in)\s+(?:the\s+)?$",
    re.IGNORECASE,
)
# What follows a name: of a city and of a country ("Geneva peace talks", "Modi's Japan visit").
_KIND = r"(?:(?:state|official|trade|peace|climate|security|leaders['’]?|G-?7|G-?20|Nato|NATO|SCO|AI|first|historic)\s+){0,2}"
_SUMMIT_AFTER = re.compile(rf"^[\s-]{_KIND}(?:talks|summit|meet|meeting|conference|round|forum|gathering)\b", re.IGNORECASE)
_VISIT_AFTER = re.compile(rf"^[\s-]{_KIND}(?:visit|trip|tour)\b", re.IGNORECASE)
# A war, a worry or a cargo that bears a country's name does not make it one of those who deal with each other.
_SET_AGAINST = re.compile(
    r"\b(?:(?:war|wars|invasion|conflict|fighting|crisis|coup|embassy|earthquake|blasts?)\s+(?:in|on|of|with|against|inside)"
    r"|(?:ceasefire|(?<!board of )peace)\s+(?:in|on)"
    r"|(?:messages?|threats?|imports?|speaking|reporting|reports|home|back)\s+from|counter|deter|facing|rattled|isolate)\s+(?:the\s+)?$",
    re.IGNORECASE,
)
_WORRY = re.compile(r"\b(?:concerns?|fears?|worries|tensions?|disagreements?|differences)\s+(?:over|about)\s+(?:the\s+)?$", re.IGNORECASE)
_MATTER_AFTER = re.compile(
    r"^(?:[-–/]|(?:['’]s)?\s+(?:\w+\s+)?(?:trade|deal|pact|FTA|agreement|treaty|tariffs?|talks)\b)"
)  # the worry is over this
_CARGO_AFTER = re.compile(
    r"^(?:-\w+)?\s+(?:(?:full-scale|illegal|brutal|civil)\s+)?(?:war|invasion|aggression|threats?|(?:drone|missile)\s+(?:strikes?|attacks?)|crisis|conflict|coup|Olympics"
    r"|(?:oil|crude)(?!\s+(?:deal|pact|agreement)))\b",
    re.IGNORECASE,
)
# Adjectives are no places: talks are not held "in French".
_ADJECTIVE = re.compile(r"(?:an|ans|ese|ish|lsh|i|is|ch|iss|ek|ot|ak|kh|yz|ino|ine|grin|men|ndic)$")
_LONGEST = 6  # words in a name
# English words that are codes too.
_ENGLISH = re.compile(
    r"ago|al|and|are|arm|ben|bra|can|cod|com|cub|fin|gab|gin|gum|guy|jam|lie|mac|mar|nor|pan|per|pol|ton|tun|vat", re.IGNORECASE
)


class Role(StrEnum):
    """What a name stands for."""

    COUNTRY = "country"
    BLOC = "bloc"
    CAPITAL = "capital"  # its country, unless the text is in it
    CITY = "city"
    NOTHING = "nothing"  # a longer name that only contains a country's


@dataclass(frozen=True, kw_only=True)
class Place:
    """A name found in a text: `code` is that of its country or bloc ("" for a city), `name` is the span as written."""

    code: str
    role: Role
    name: str
    start: int
    end: int
    inside: bool = False  # the text says that something happens in it
    visited: bool = False  # the text says that somebody goes there
    aside: bool = False  # the text names it only as what the matter is set against
    noun: bool = True  # "France", not "French"


class Places:
    """Knows names; reads text. Decides nothing about who takes part."""

    def __init__(self, path: Path) -> None:
        extra = yaml.safe_load(path.read_text(encoding="utf-8"))
        self._blocs: dict[str, dict[str, Any]] = extra["blocs"]
        self._names = _country_names()
        self._phrases: dict[tuple[str, ...], list[tuple[str, Role, str]]] = {}
        self._nouns = {fold(name) for name in (*self._names.values(), *extra["nouns"])}
        self._hosts = {fold(name) for name in extra["hosts"]}
        self._fill(extra)

    def _fill(self, extra: dict[str, Any]) -> None:
        for city in _zone_cities():
            self._learn(city, "", Role.CITY)
        for name, code in _capitals():
            self._learn(name, code, Role.CAPITAL)
        for name, code in _library_names(self._names):
            self._learn(name, code, Role.COUNTRY)
        for city in extra["cities"]:
            self._learn(city, "", Role.CITY)
        for code, names in extra["countries"].items():
            for name in names:
                self._learn(name, code, Role.COUNTRY)
        for code, names in extra["seats"].items():
            for name in names:
                self._learn(name, code, Role.CAPITAL)
        for code, bloc in self._blocs.items():
            for name in bloc["names"]:
                self._learn(name, code, Role.BLOC)
            for name in bloc.get("seats", ()):
                self._learn(name, code, Role.CAPITAL)
        for name in extra["not_countries"]:
            self._learn(name, "", Role.NOTHING)

    def _learn(self, name: str, code: str, role: Role) -> None:
        key = _key(name)
        if key and len(key) <= _LONGEST:
            others = [x for x in self._phrases.get(key, []) if x[2] != name]
            self._phrases[key] = [(code, role, name), *others] if role is not Role.NOTHING else [(code, role, name)]

    def scan(self, text: str) -> list[Place]:
        """Return the names in `text`, in order, longest first where they overlap."""
        tokens = [(m.group(), m.start(), m.end()) for m in _TOKEN.finditer(text)]
        return list(self._scan(text, tokens, shouting=_shouting(text)))

    def _scan(self, text: str, tokens: list[tuple[str, int, int]], *, shouting: bool) -> Iterator[Place]:
        i = 0
        while i < len(tokens):
            found = self._longest(text, tokens, i, shouting=shouting)
            if found is None:
                i += 1
                continue
            place, used = found
            i += used
            if place.role is not Role.NOTHING:
                yield place

    def _longest(self, text: str, tokens: list[tuple[str, int, int]], i: int, *, shouting: bool) -> tuple[Place, int] | None:
        for used in range(min(_LONGEST, len(tokens) - i), 0, -1):
            words = tokens[i : i + used]
            known = self._phrases.get(tuple(_folded(w[0]) for w in words))
            start, end = words[0][1], words[-1][2]
            if known is None or not _written(known, text[start:end], shouting=shouting, last=i + used == len(tokens)):
                continue
            return self._read(known[0], text, start, end), used
        return None

    def _read(self, known: tuple[str, Role, str], text: str, start: int, end: int) -> Place:
        """What the words around a name say of it."""
        code, role, _ = known
        name, before, after = _bare(text[start:end]), text[max(0, start - 60) : start], text[end : end + 50]
        noun = role is not Role.COUNTRY or self._is_noun(name)
        owner = text[start:end].endswith(("'s", "’s"))
        summit = role in (Role.CAPITAL, Role.CITY) and not owner and bool(_SUMMIT_AFTER.match(after))
        visited = role is not Role.BLOC and bool(_VISITED.search(before) or (noun and not owner and _VISIT_AFTER.match(after)))
        within = _INSIDE.search(before)
        if role is Role.CAPITAL and (summit or visited or within or _LOCATIVE.search(before)):
            role, code = Role.CITY, "" if fold(name) in self._hosts else code
        aside = bool(_SET_AGAINST.search(before) or _CARGO_AFTER.match(after) or (_WORRY.search(before) and not _MATTER_AFTER.match(after)))
        inside = not aside and (summit or (within is not None and not (within["how"].casefold() == "at" and name in self._names.values())))
        return Place(
            code=code, role=role, name=name, start=start, end=end, inside=inside, visited=visited and not aside, aside=aside, noun=noun
        )

    def _is_noun(self, name: str) -> bool:
        return fold(name) in self._nouns or not _ADJECTIVE.search(name)

    def find(self, text: str) -> tuple[str, ...]:
        """See `Gazetteer.find`: what a user typed, so codes and lower case are taken too."""
        found = [p.code for p in (*self.scan(text), *self.scan(text.title())) if p.code]
        words = re.findall(r"\w+", text)
        joint = text.isupper() and len(words) > 1  # "INDIA AND JAPAN" does not mean Andorra
        typed = [w for w in words if not (w == "AND" and joint) and (w.isupper() or not _ENGLISH.fullmatch(w))]
        found += [code for word in typed if (code := self._code(word))]
        return tuple(dict.fromkeys(found))

    def _code(self, word: str) -> str | None:
        upper = word.upper()
        if upper in self._names or upper in self._blocs:
            return upper
        return {"US": "USA", "UK": "GBR"}.get(upper)

    def name(self, code: str) -> str:
        """See `Gazetteer.name`."""
        if code in self._blocs:
            return str(self._blocs[code]["name"])
        return self._names.get(code, code)

    def codes(self) -> tuple[str, ...]:
        """See `Gazetteer.codes`."""
        return (*self._names, *self._blocs)

    def flag(self, code: str) -> str:
        """See `Gazetteer.flag`."""
        short = self._blocs.get(code, {}).get("flag") or _alpha2(code)
        return "".join(chr(0x1F1E6 + ord(c) - ord("A")) for c in short) if short else ""


def _folded(word: str) -> str:
    word = fold(word).removesuffix("'s").removesuffix("’s")
    return word.replace(".", "")


def _bare(span: str) -> str:
    """The name without a possessive and without the full stop of its sentence; "U.S." keeps its own."""
    span = span.removesuffix("'s").removesuffix("’s")
    return span if re.search(r"\b\w\.$", span) else span.rstrip(".")


def _key(name: str) -> tuple[str, ...]:
    return tuple(_folded(w) for w in _TOKEN.findall(name))


def _written(known: list[tuple[str, Role, str]], span: str, *, shouting: bool, last: bool) -> bool:
    """A name counts only when it bears its capitals; short ones must be written exactly, or "us" would be a country."""
    bare = span.removesuffix("'s").removesuffix("’s")
    for _, _, name in known:
        if len(name.replace(".", "")) <= 3 or name.isupper():
            if bare.rstrip(".") == name.rstrip(".") and not (last and shouting and span == "US"):
                return True
        elif span[:1].isupper():
            return True
    return False


def _shouting(text: str) -> bool:
    letters = [c for c in text if c.isalpha()]
    return len(letters) > 12 and sum(c.isupper() for c in letters) > 0.8 * len(letters)


def _alpha2(code: str) -> str:
    country = pycountry.countries.get(alpha_3=code)
    return {"XKX": "XK"}.get(code, "") if country is None else str(country.alpha_2)


def _country_names() -> dict[str, str]:
    territories = Locale("en").territories
    short = {"USA": "United States", "GBR": "United Kingdom", "XKX": "Kosovo", "HKG": "Hong Kong", "MMR": "Myanmar", "PSE": "Palestine"}
    names = {c.alpha_3: str(territories.get(c.alpha_2, c.name)) for c in pycountry.countries}
    return names | short


def _library_names(names: dict[str, str]) -> Iterator[tuple[str, str]]:
    for country in pycountry.countries:
        code = country.alpha_3
        for attribute in ("name", "common_name", "official_name"):
            if value := getattr(country, attribute, None):
                yield value.partition(",")[0], code
        yield names[code], code
    for code, demonym in _demonyms():
        yield demonym, code
        if demonym.endswith("n"):
            yield demonym + "s", code


def _infos() -> Iterator[tuple[str, dict[str, Any]]]:
    for country in all_countries():
        info = country.info()
        code = info.get("ISO", {}).get("alpha3")
        if code:
            yield code, dict(info)


def _demonyms() -> Iterator[tuple[str, str]]:
    for code, info in _infos():
        demonym = str(info.get("demonym") or "")
        if len(demonym) > 3 and code not in ("UMI", "IOT", "PRI", "DMA", "GUF"):
            yield code, demonym


# Capitals whose name is that of their state, or is more often a person's, a word or another town.
_NO_SEATS = re.compile("VAT|GIB|SGP|MCO|LUX|SMR|DJI|PAN|KWT|GTM|MEX|SYC|FLK|BMU|IMN|GUY|CRI|MDV|SHN|JAM|VCT")


def _capitals() -> Iterator[tuple[str, str]]:
    for code, info in _infos():
        capital = str(info.get("capital") or "")
        if len(capital) > 3 and not _NO_SEATS.fullmatch(code):
            yield capital, code


def _zone_cities() -> Iterable[str]:
    """Cities after which a time zone is named: the large ones of every country."""
    locale = Locale("en")
    zones = [
        z for z in get_global("zone_territories") if z.startswith(("Asia/", "Africa/", "Europe/", "America/", "Australia/", "Pacific/"))
    ]
    named = (str(get_timezone_location(zone, locale=locale, return_city=True)) for zone in zones)
    return sorted({city for city in named if len(city) > 3})
