"""The use cases that read: what happened, how it went, what is planned, and why. Words in, Reply out."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.domain.alerts import Alert
from bot.domain.developments import Development
from bot.domain.errors import UsageError
from bot.domain.topics import Topic
from bot.ports import Clock, Delay, EntryReport, Gazetteer, Library, Query, SourceReport
from handlers.calendar import calendar_of
from handlers.grammar import USAGE, Actor, Command, Name, usage
from handlers.pictures import picture_of
from handlers.replies import Item, Reply

DEFAULT_COUNT, MAX_COUNT = 5, 20
TIMELINE_COUNT, UPCOMING_COUNT = 60, 20
DRAWN = 2  # developments from which on a picture says more

_TOPIC_WORDS = {
    **dict.fromkeys(("trade", "deal", "deals", "trade_deal", "trade-deal", "trade_deals"), Topic.TRADE_DEAL),
    **dict.fromkeys(
        ("meeting", "meetings", "ministerial", "minister", "ministers", "ministerial_meeting", "ministerial-meeting", "talks"),
        Topic.MINISTERIAL_MEETING,
    ),
}


@dataclass(frozen=True, kw_only=True)
class _Asked:
    count: int
    topic: Topic | None
    country: str


class ReadingDesk:
    """Answers `latest`, `search`, `timeline`, `why`, `status` and `help`. Changes nothing."""

    def __init__(self, *, library: Library, gazetteer: Gazetteer, clock: Clock) -> None:
        self._library = library
        self._gazetteer = gazetteer
        self._clock = clock

    async def answer(self, _: Actor, command: Command) -> Reply:
        """See `Desk.answer`."""
        if not command.words and command.name in (Name.SEARCH, Name.TIMELINE, Name.STORY, Name.WHY):
            raise usage(command.name)
        answer: Reply = await getattr(self, f"_{command.name}")(command.words)
        return answer

    async def _latest(self, words: str) -> Reply:
        wanted = _asked(words.split())
        parties = self._parties(wanted.country) if wanted.country else ()
        found = await self._library.developments(Query(topic=wanted.topic, parties=parties, limit=wanted.count))
        about = " · ".join([*([topic_name(wanted.topic)] if wanted.topic else []), *map(self._gazetteer.name, parties)])
        return self._listing(f"Latest developments{': ' if about else ''}{about}", found)

    async def _search(self, words: str) -> Reply:
        found = await self._library.developments(Query(words=words, limit=10))
        return self._listing(f"Search: {words}", found)

    async def _timeline(self, words: str) -> Reply:
        query, title = await self._matter(words)
        found = (await self._library.developments(query))[::-1]
        reply = self._listing(f"Timeline: {title}", found)
        if len(found) < DRAWN:
            return reply
        picture = await asyncio.get_running_loop().run_in_executor(None, picture_of, title, found)
        return replace(reply, attachments=(picture,))

    async def _matter(self, words: str) -> tuple[Query, str]:
        """Return the query for a dossier, for the dossier of a development, or for what countries did together."""
        if (one := await self._library.development(words)) is not None:
            words = one.dossier_id
        if words.partition(":")[0] in tuple(Topic):
            return Query(dossier=words, limit=TIMELINE_COUNT), self._dossier(words)
        parties = self._parties(words)
        return Query(parties=parties, limit=TIMELINE_COUNT), " – ".join(map(self._gazetteer.name, parties))

    def _dossier(self, dossier_id: str) -> str:
        topic, _, parties = dossier_id.partition(":")
        return f"{topic_name(Topic(topic))}, {' – '.join(map(self._gazetteer.name, parties.split('-')))}"

    async def _upcoming(self, _: str) -> Reply:
        now = self._clock.now()
        found = await self._library.developments(Query(planned_from=now.date(), limit=UPCOMING_COUNT))
        if not found:
            return Reply(title="Upcoming meetings", note="No planned meeting with a date is known.")
        items = tuple(
            replace(self._item(d), chips=(f"{d.when:%a} {d.when.day} {d.when:%b %Y}", *self._item(d).chips)) for d in found if d.when
        )
        return Reply(title="Upcoming meetings", items=items, attachments=(calendar_of(found, self._gazetteer, now),))

    async def _story(self, words: str) -> Reply:
        development = await self._library.development(words.strip())
        if development is None:
            raise UsageError("There is no such development: give its id, as `latest` shows it.")
        people = ", ".join(f"{p.name} ({p.office})" if p.office else p.name for p in development.people)
        when = f"{development.when.day} {development.when:%B %Y}" if development.when else ""
        facts = (
            ("What", ", ".join(chips(development))),
            ("Who", ", ".join(map(self._gazetteer.name, development.parties))),
            ("People", people),
            ("Where and when", ", ".join(filter(None, (development.place, when)))),
            ("Matter", f"{development.dossier_id}, development {development.dossier_step}"),
        )
        sources = tuple(Item(title=c.title, url=c.url or None, when=c.published, chips=(c.outlet,)) for c in development.coverage)
        return Reply(
            title=development.headline, facts=tuple((name, value) for name, value in facts if value), items=sources, note=development.text
        )

    async def _why(self, words: str) -> Reply:
        report = await self._library.why(words.strip())
        if report is None:
            raise UsageError("There is no such entry: give its key, its address, or the id of a development.")
        return why(report)

    async def _status(self, _: str) -> Reply:
        report = await self._library.status()
        failing = [s for s in report.sources if s.state.problem]
        facts = (
            ("Entries", str(report.entries)),
            ("Developments", str(report.developments)),
            ("Alerts", str(report.alerts)),
            ("Deliveries waiting", str(report.pending)),
            ("Deliveries failed", str(report.failed)),
            ("Sources", f"{len(report.sources)}, of which {len(failing)} with a problem"),
            *((("From published to seen", _delay(report.seen_seconds)),) if report.seen_seconds else ()),
            *((("From seen to sent", _delay(report.sent_seconds)),) if report.sent_seconds else ()),
        )
        return Reply(title="Status", facts=facts, items=tuple(_source(s) for s in failing[:10]))

    async def _help(self, words: str) -> Reply:
        if words.casefold() in tuple(Name):
            said, meant = USAGE[Name(words.casefold())]
            return Reply(title=f"Help: {words.casefold()}", facts=(("Usage", said), ("What", meant)))
        return Reply(title="Commands", facts=tuple(USAGE[name] for name in Name))

    def _parties(self, words: str) -> tuple[str, ...]:
        found = self._gazetteer.find(words)
        if not found:
            raise UsageError(f"No country or bloc is known by “{words[:60]}”. Try a name (India), a code (IND) or a bloc (EU).")
        return found

    def _listing(self, title: str, developments: Sequence[Development]) -> Reply:
        return Reply(
            title=title,
            items=tuple(self._item(d) for d in developments),
            note="" if developments else "Nothing found.",
        )

    def _item(self, development: Development) -> Item:
        return item_of(development, self._gazetteer)


def _asked(words: Sequence[str]) -> _Asked:
    count, topic, country = DEFAULT_COUNT, None, []
    for word in words:
        if word.lstrip("-").isdigit():
            count = counted(int(word))
        elif word.casefold() in _TOPIC_WORDS:
            topic = _TOPIC_WORDS[word.casefold()]
        else:
            country.append(word)
    return _Asked(count=count, topic=topic, country=" ".join(country))


def counted(count: int) -> int:
    """Return `count` if it is one that may be asked for. Raises UsageError."""
    if not 1 <= count <= MAX_COUNT:
        raise UsageError(f"n is 1 to {MAX_COUNT}. Usage: {USAGE[Name.LATEST][0]}")
    return count


def item_of(development: Development, gazetteer: Gazetteer) -> Item:
    """Return a development as one thing in a reply or a digest."""
    outlets = len(development.outlets)
    return Item(
        title=development.headline,
        url=development.url,
        when=development.first_published,
        chips=(
            *chips(development),
            *(gazetteer.name(p) for p in development.parties),
            f"{outlets} source{'s' if outlets != 1 else ''}",
            development.development_id,
        ),
        body=development.text,
    )


def digest_of(alerts: Sequence[Alert], gazetteer: Gazetteer) -> Reply:
    """Return the alerts of a digest as something to show, in their order; the surface fits it to its limits."""
    dossiers = len({a.development.dossier_id for a in alerts})
    matters = "1 matter" if dossiers == 1 else f"{dossiers} matters"
    count = f"{len(alerts)} development{'s' if len(alerts) != 1 else ''}"
    return Reply(title=f"Digest: {count} in {matters}", items=tuple(item_of(a.development, gazetteer) for a in alerts))


def chips(development: Development) -> tuple[str, ...]:
    """Return the words that say what kind of news it is: each topic, then the stage or status reached."""
    return (*(topic_name(t) for t in development.topics), *([development.step.replace("_", " ")] if development.step else []))


def topic_name(topic: Topic) -> str:
    return "Trade deal" if topic is Topic.TRADE_DEAL else "Ministerial meeting"


def _source(source: SourceReport) -> Item:
    state = source.state
    return Item(title=source.name, when=state.polled, chips=(f"{state.failures} failures in a row",), body=state.problem or "")


def _delay(delay: Delay) -> str:
    return f"{_seconds(delay.median)} (95 of 100 within {_seconds(delay.p95)})"


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 90 else f"{seconds / 60:.0f} min" if seconds < 5_400 else f"{seconds / 3600:.0f} h"


def why(report: EntryReport) -> Reply:
    """Return the report on one entry as a reply."""
    facts: list[tuple[str, str]] = []
    if report.assessment:
        facts += [(topic_name(t), f"{score:.2f}") for t, score in report.assessment.scores.items()]
        facts.append(("New development", f"{report.assessment.development:.2f}"))
        facts.append(("Words that weighed", ", ".join(f"{w} {s:+.2f}" for w, s in report.assessment.moved) or "none"))
    if report.keyword:
        facts.append(("Watch keyword", report.keyword))
    if report.development:
        facts.append(("Filed under", f"{report.development.development_id}: {report.development.headline}"))
        facts.append(("Dossier", report.development.dossier_id))
    if report.match and report.match.features:
        facts.append(("Likeness to it", f"{report.match.probability:.2f}"))
        facts.append(("Features of the match", ", ".join(f"{n} {v:.2f}" for n, v in report.match.features)))
    reason = report.reason.sentence if report.reason else "not assessed yet"
    entry = report.entry
    return Reply(
        title="Why",
        items=(Item(title=entry.title, url=entry.url or None, when=entry.published, chips=(entry.outlet, entry.key)),),
        facts=tuple(facts),
        note=reason[:1].upper() + reason[1:] + ".",
    )
