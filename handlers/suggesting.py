"""What a person who types may mean: ids, dossiers, keywords, sources, countries and zones, for a surface that completes words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum, auto
from functools import cached_property
from zoneinfo import available_timezones

from bot.domain.developments import Development
from bot.domain.text import fold
from bot.domain.watch import Effect, WatchKeyword
from bot.ports import Gazetteer, Query, Store
from handlers.grammar import Actor

MOST = 25  # suggestions; no surface shows more
LOOKED_AT = 50  # latest developments among which one is looked for by a part of its headline


class Hint(StrEnum):
    """What is being typed."""

    DEVELOPMENT = auto()
    DOSSIER = auto()
    MUTED = auto()  # a dossier muted in the channel
    MATTER = auto()  # countries, or a dossier
    COUNTRIES = auto()
    KEYWORD = auto()
    SOURCE = auto()
    ZONE = auto()


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """What a person sees, and what it stands for in a command."""

    label: str
    value: str


class Suggester:
    """Looks up what could be meant. Changes nothing; everything it tells may be read by everybody."""

    def __init__(self, store: Store, gazetteer: Gazetteer) -> None:
        self._store = store
        self._gazetteer = gazetteer

    async def suggest(self, actor: Actor, hint: Hint, typed: str) -> list[Suggestion]:
        """Return at most 25 suggestions for what is typed so far, the likeliest first."""
        if hint is Hint.ZONE:
            return _matching(typed, self._zones)
        if hint is Hint.COUNTRIES:
            return self._completed(typed)
        if hint is Hint.KEYWORD:
            return _matching(typed, await self._keywords(actor))
        if hint is Hint.SOURCE:
            return _matching(typed, await self._sources())
        if hint is Hint.MUTED:
            mutes = await self._store.mutes(actor.destination) if actor.destination else []
            return _matching(typed, [_same(mute.dossier_id) for mute in mutes])
        return await self._happened(hint, typed)

    async def narrows_only(self, actor: Actor, term: str) -> bool:
        """Say whether a watch keyword narrows the actor's channel and is nobody else's business."""
        same = [k for k in await self._store.keywords() if fold(k.term) == fold(term) and k.channel in ("", str(actor.destination))]
        return bool(same) and all(k.effect is Effect.ONLY and k.channel for k in same)

    async def _happened(self, hint: Hint, typed: str) -> list[Suggestion]:
        latest = await self._store.developments(Query(limit=LOOKED_AT))
        make = _development if hint is Hint.DEVELOPMENT else _dossier
        found = _matching(typed, map(make, latest))
        if typed.strip() and len(found) < MOST:
            older = await self._store.developments(Query(words=typed, limit=MOST))
            found += map(make, older)
        if hint is Hint.MATTER and typed.strip():
            found = [*self._completed(typed)[:10], *found]
        once: dict[str, Suggestion] = {}
        for suggestion in found:
            once.setdefault(suggestion.value, suggestion)
        return list(once.values())[:MOST]

    async def _keywords(self, actor: Actor) -> list[Suggestion]:
        """Those of the whole installation, and those of the channel."""
        return [_keyword(k) for k in await self._store.keywords() if k.channel in ("", str(actor.destination))]

    async def _sources(self) -> list[Suggestion]:
        changes = await self._store.source_changes()
        gone = {change.name for change in changes if change.removed}
        names = {*await self._store.source_states(), *(change.name for change in changes)} - gone
        return [_same(name) for name in sorted(names, key=str.casefold)]

    def _completed(self, typed: str) -> list[Suggestion]:
        """Return what was typed before the last name as it is, with the last name completed."""
        names = self._names
        for start in (0, *(i + 1 for i, char in enumerate(typed) if char in " ,")):
            before, last = typed[:start], fold(typed[start:])
            if start and not self._gazetteer.find(before):
                continue
            found = [name for name in names if fold(name).startswith(last)]
            if found and (last or not start):
                return [_same(before + name) for name in found[:MOST]]
        return []

    @cached_property
    def _names(self) -> list[str]:
        return sorted({self._gazetteer.name(code) for code in self._gazetteer.codes()})

    @cached_property
    def _zones(self) -> list[Suggestion]:
        return [_same(zone) for zone in sorted(available_timezones()) if "/" in zone or zone == "UTC"]


def _matching(typed: str, suggestions: Iterable[Suggestion]) -> list[Suggestion]:
    """Return those that contain what is typed, those that begin with it first."""
    wanted = fold(typed)
    found = [s for s in suggestions if wanted in fold(f"{s.label} {s.value}".replace("_", " ")) or wanted in fold(s.value)]
    return sorted(found, key=lambda s: not fold(s.label).startswith(wanted))[:MOST]


def _same(text: str) -> Suggestion:
    return Suggestion(label=text, value=text)


def _development(development: Development) -> Suggestion:
    return Suggestion(label=f"{development.headline} ({development.first_published:%d %B})", value=development.development_id)


def _dossier(development: Development) -> Suggestion:
    return Suggestion(label=f"{development.dossier_id}: {development.headline}", value=development.dossier_id)


def _keyword(keyword: WatchKeyword) -> Suggestion:
    return Suggestion(label=f"{keyword.term} ({keyword.effect})", value=keyword.term)
