"""The use cases that find developments: the latest, by words, one as a whole, and meetings that are planned. Words in, Reply out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.domain.alerts import DeliveryState
from bot.domain.developments import Development
from bot.domain.errors import UsageError
from bot.domain.topics import Topic
from bot.ports import Clock, DeliveryReport, Gazetteer, Library, Query, StoryReport
from handlers.calendar import calendar_of
from handlers.forms import TOPIC_WORDS
from handlers.grammar import USAGE, Actor, Command, Name, usage
from handlers.replies import Item, Reply
from handlers.showing import chips, counted, day_name, dossier_name, item_of, listing, topic_name

DEFAULT_COUNT, MAX_COUNT = 5, 20
SEARCH_COUNT, UPCOMING_COUNT = 10, 20


@dataclass(frozen=True, kw_only=True)
class _Asked:
    count: int
    topic: Topic | None
    country: str


class ReadingDesk:
    """Answers `latest`, `search`, `upcoming` and `story`. Changes nothing."""

    def __init__(self, *, library: Library, gazetteer: Gazetteer, clock: Clock) -> None:
        self._library = library
        self._gazetteer = gazetteer
        self._clock = clock

    async def answer(self, actor: Actor, command: Command) -> Reply:
        """See `Desk.answer`."""
        if command.name is Name.LATEST:
            return await self._latest(command.words)
        if command.name is Name.UPCOMING:
            return await self._upcoming()
        if not command.words:
            raise usage(command.name)
        return await (self._search(command.words) if command.name is Name.SEARCH else self._story(actor, command.words))

    async def _latest(self, words: str) -> Reply:
        wanted = _asked(words.split())
        parties = parties_in(wanted.country, self._gazetteer) if wanted.country else ()
        found = await self._library.developments(Query(topic=wanted.topic, parties=parties, limit=wanted.count))
        about = " · ".join([*([topic_name(wanted.topic)] if wanted.topic else []), *map(self._gazetteer.name, parties)])
        return listing(f"Latest developments{': ' if about else ''}{about}", found, self._gazetteer)

    async def _search(self, words: str) -> Reply:
        found = await self._library.developments(Query(words=words, limit=SEARCH_COUNT))
        return listing(f"Search: {words}", found, self._gazetteer)

    async def _upcoming(self) -> Reply:
        now = self._clock.now()
        found = await self._library.developments(Query(planned_from=now.date(), limit=UPCOMING_COUNT))
        if not found:
            return Reply(title="Upcoming meetings", note="No planned meeting with a date is known.")
        items = tuple(self._planned(d) for d in found)
        return Reply(title="Upcoming meetings", items=items, attachments=(calendar_of(found, self._gazetteer, now),))

    def _planned(self, development: Development) -> Item:
        """The day comes first: the list is in the order of days."""
        item, day = item_of(development, self._gazetteer), development.when
        return replace(item, chips=(*([day_name(day)] if day else []), *filter(None, (development.place,)), *item.chips))

    async def _story(self, actor: Actor, words: str) -> Reply:
        report = await self._library.story(words)
        if report is None:
            raise UsageError("There is no such development: give its id, as `latest` shows it.")
        development = report.development
        facts = (*self._facts(development), *self._place(report), *_deliveries(report.deliveries, actor))
        sources = tuple(Item(title=c.title, url=c.url or None, when=c.published, chips=(c.outlet,)) for c in development.coverage)
        return Reply(title=development.headline, facts=tuple(f for f in facts if f[1]), items=sources, note=development.text)

    def _facts(self, development: Development) -> Sequence[tuple[str, str]]:
        people = (f"{p.name} ({p.office})" if p.office else p.name for p in development.people)
        day = day_name(development.when) if development.when else ""
        return (
            ("What", ", ".join(chips(development))),
            ("Who", ", ".join(map(self._gazetteer.name, development.parties))),
            ("People", ", ".join(people)),
            ("Where and when", ", ".join(filter(None, (development.place, day)))),
        )

    def _place(self, report: StoryReport) -> Sequence[tuple[str, str]]:
        development, name = report.development, dossier_name(report.development.dossier_id, self._gazetteer)
        return (
            ("Dossier", f"{name} ({development.dossier_id}): development {development.dossier_step} of {report.of}"),
            ("Before it", _named(report.before)),
            ("After it", _named(report.after)),
        )


def parties_in(words: str, gazetteer: Gazetteer) -> tuple[str, ...]:
    """Return the codes of the countries and blocs that words name. Raises UsageError where they name none."""
    found = gazetteer.find(words)
    if not found:
        raise UsageError(f"No country or bloc is known by “{words[:60]}”. Try a name (India), a code (IND) or a bloc (EU).")
    return found


def _asked(words: Sequence[str]) -> _Asked:
    count, topic, country = DEFAULT_COUNT, None, []
    for word in words:
        if word.lstrip("-").isdecimal():
            count = int(word)
        elif word.casefold() in TOPIC_WORDS:
            topic = TOPIC_WORDS[word.casefold()]
        else:
            country.append(word)
    if not 1 <= count <= MAX_COUNT:
        raise UsageError(f"n is 1 to {MAX_COUNT}. Usage: {USAGE[Name.LATEST][0]}")
    return _Asked(count=count, topic=topic, country=" ".join(country))


def _named(development: Development | None) -> str:
    return f"{development.headline} ({development.development_id})" if development else ""


def _deliveries(reports: Sequence[DeliveryReport], actor: Actor) -> Sequence[tuple[str, str]]:
    """What became of the alert in the channel that asks; of others only how many: they may belong to other people."""
    here = [r for r in reports if r.destination == actor.destination]
    elsewhere = [r for r in reports if r.destination != actor.destination]
    sent = sum(r.state is DeliveryState.SENT for r in elsewhere)
    failed = sum(r.state is DeliveryState.FAILED for r in elsewhere)
    counts = (f"sent to {counted(sent, 'channel')}" * bool(sent), f"{failed} failed" * bool(failed))
    waiting = f"{len(elsewhere) - sent - failed} on the way" * (len(elsewhere) > sent + failed)
    return (
        ("Alert here", ", ".join(map(_delivered, here)) if reports else "none: nobody was told"),
        ("Alert elsewhere", ", ".join(filter(None, (*counts, waiting)))),
    )


def _delivered(report: DeliveryReport) -> str:
    if report.state is DeliveryState.SENT and report.at:
        return f"sent on {day_name(report.at.date())} at {report.at:%H:%M} UTC{', in a digest' if report.digest else ''}"
    if report.state is DeliveryState.FAILED:
        return f"failed: {report.problem or 'no reason is known'}"
    return "waits for the digest" if report.digest else "on its way"
