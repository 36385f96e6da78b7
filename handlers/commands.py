"""One grammar and one set of use cases for every surface: Command in, Reply out.

A surface verifies and acknowledges, says who asks (Actor), calls `Commands.answer` and renders the Reply. It decides nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.domain.alerts import Surface
from bot.domain.developments import Development
from bot.domain.errors import AttacheError, NotAllowedError, UsageError
from bot.domain.topics import Topic
from bot.domain.watch import MAX_TERMS, term_of
from bot.ports import Clock, Delay, EntryReport, Gazetteer, Library, Query, SourceReport
from handlers.replies import Item, Reply
from handlers.sources import SourceDesk

DEFAULT_COUNT, MAX_COUNT = 5, 20
TIMELINE_COUNT = 20
MAX_WORDS = 200
MAX_ADDRESS = 1_000  # characters of a line that may bear an address


class Name(StrEnum):
    """The commands, in the order in which help lists them."""

    LATEST = "latest"
    SEARCH = "search"
    TIMELINE = "timeline"
    WHY = "why"
    WATCH = "watch"
    SOURCES = "sources"
    STATUS = "status"
    HELP = "help"


class WatchAction(StrEnum):
    """What `watch` does."""

    LIST = "list"
    ADD = "add"
    REMOVE = "remove"


class SourcesAction(StrEnum):
    """What `sources` does."""

    LIST = "list"
    CHECK = "check"
    ADD = "add"
    REMOVE = "remove"
    PAUSE = "pause"
    RESUME = "resume"


USAGE: dict[Name, tuple[str, str]] = {
    Name.LATEST: ("latest [n] [trade|meeting] [country…]", "the newest developments"),
    Name.SEARCH: ("search WORDS", "developments that contain all the words"),
    Name.TIMELINE: ("timeline COUNTRIES", "how a matter went, step by step"),
    Name.WHY: ("why ID|URL", "why an entry did or did not become an alert"),
    Name.WATCH: ("watch list | watch add TERM | watch remove TERM", "the watch keywords; changing them is for admins"),
    Name.SOURCES: (
        "sources list | sources check NAME | sources add URL [yes] | sources remove|pause|resume NAME",
        "how the sources are; changing them is for admins",
    ),
    Name.STATUS: ("status", "what is stored, what is on its way, how the sources are"),
    Name.HELP: ("help", "this list"),
}

_TOPIC_WORDS = {
    **dict.fromkeys(("trade", "deal", "deals", "trade_deal", "trade-deal", "trade_deals"), Topic.TRADE_DEAL),
    **dict.fromkeys(
        ("meeting", "meetings", "ministerial", "minister", "ministers", "ministerial_meeting", "ministerial-meeting", "talks"),
        Topic.MINISTERIAL_MEETING,
    ),
}


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who asks. `admin` is what the platform says of them; `ATTACHE_ADMINS` is checked besides."""

    surface: Surface
    user: str
    admin: bool = False

    def __str__(self) -> str:
        return f"{self.surface}:{self.user}"


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command with its words, not yet checked against the store. `words` is the rest of the line."""

    name: Name
    words: str = ""
    count: int = DEFAULT_COUNT
    topic: Topic | None = None
    country: str = ""
    action: WatchAction | SourcesAction = WatchAction.LIST

    @property
    def for_admins(self) -> bool:
        """Only admins may run it."""
        changing = self.name in (Name.WATCH, Name.SOURCES)
        return changing and self.action not in (WatchAction.LIST, SourcesAction.LIST)


def parse(line: str) -> Command:
    """Return the command that a line of words stands for. Raises UsageError with the usage to show."""
    words = line.split()
    if not words:
        return Command(name=Name.HELP)
    head, rest = words[0].casefold(), words[1:]
    if head not in tuple(Name):
        raise UsageError(f"There is no command “{words[0][:40]}”. Try: {', '.join(Name)}.")
    name = Name(head)
    if len(line) > (longest := MAX_ADDRESS if name is Name.SOURCES else MAX_WORDS):
        raise UsageError(f"That is too long: at most {longest} characters.")
    if name is Name.LATEST:
        return _latest(rest)
    if name is Name.WATCH:
        return _watch(rest)
    if name is Name.SOURCES:
        return _sources(rest)
    if not rest and name in (Name.SEARCH, Name.TIMELINE, Name.WHY):
        raise _usage(name)
    return Command(name=name, words=" ".join(rest))


def _latest(words: Sequence[str]) -> Command:
    count, topic, country = DEFAULT_COUNT, None, []
    for word in words:
        if word.lstrip("-").isdigit():
            count = counted(int(word))
        elif word.casefold() in _TOPIC_WORDS:
            topic = _TOPIC_WORDS[word.casefold()]
        else:
            country.append(word)
    return Command(name=Name.LATEST, count=count, topic=topic, country=" ".join(country))


def counted(count: int) -> int:
    """Return `count` if it is one that may be asked for. Raises UsageError."""
    if not 1 <= count <= MAX_COUNT:
        raise UsageError(f"n is 1 to {MAX_COUNT}. Usage: {USAGE[Name.LATEST][0]}")
    return count


def _watch(words: Sequence[str]) -> Command:
    action = words[0].casefold() if words else WatchAction.LIST
    if action not in tuple(WatchAction):
        raise _usage(Name.WATCH)
    if action != WatchAction.LIST and len(words) < 2:
        raise _usage(Name.WATCH)
    return Command(name=Name.WATCH, action=WatchAction(action), words=" ".join(words[1:]))


def _sources(words: Sequence[str]) -> Command:
    action = words[0].casefold() if words else SourcesAction.LIST
    if action not in tuple(SourcesAction) or (action != SourcesAction.LIST and len(words) < 2):
        raise _usage(Name.SOURCES)
    return Command(name=Name.SOURCES, action=SourcesAction(action), words=" ".join(words[1:]))


def _usage(name: Name) -> UsageError:
    return UsageError(f"Usage: {USAGE[name][0]}")


class Commands:
    """The use cases. Checks who may, reads the library, builds the Reply; knows no platform. Does not render, does not escape."""

    def __init__(
        self, *, library: Library, gazetteer: Gazetteer, clock: Clock, admins: frozenset[str], sources: SourceDesk | None = None
    ) -> None:
        self._library = library
        self._sources_desk = sources
        self._gazetteer = gazetteer
        self._clock = clock
        self._admins = admins

    async def answer_line(self, actor: Actor, line: str) -> Reply:
        """Answer a typed line; words that make no sense are answered with the usage."""
        try:
            command = parse(line)
        except UsageError as error:
            return failure(error)
        return await self.answer(actor, command)

    async def answer(self, actor: Actor, command: Command) -> Reply:
        """Answer a command. Errors that a user can mend are answers; anything else goes up."""
        try:
            answer: Reply = await getattr(self, f"_{command.name}")(actor, command)
            return answer
        except AttacheError as error:
            return failure(error)

    async def _latest(self, _: Actor, command: Command) -> Reply:
        parties = self._parties(command.country) if command.country else ()
        query = Query(topic=command.topic, parties=parties, limit=counted(command.count))
        found = await self._library.developments(query)
        about = " · ".join([*([_topic(command.topic)] if command.topic else []), *map(self._gazetteer.name, parties)])
        return self._listing(f"Latest developments{': ' if about else ''}{about}", found)

    async def _search(self, _: Actor, command: Command) -> Reply:
        found = await self._library.developments(Query(words=command.words, limit=10))
        return self._listing(f"Search: {command.words}", found)

    async def _timeline(self, _: Actor, command: Command) -> Reply:
        parties = self._parties(command.words)
        found = await self._library.developments(Query(parties=parties, limit=TIMELINE_COUNT))
        return self._listing(f"Timeline: {' – '.join(map(self._gazetteer.name, parties))}", found[::-1])

    async def _why(self, _: Actor, command: Command) -> Reply:
        report = await self._library.why(command.words.strip())
        if report is None:
            raise UsageError("There is no such entry: give its key, its address, or the id of a development.")
        return why(report)

    async def _watch(self, actor: Actor, command: Command) -> Reply:
        if command.action is WatchAction.LIST:
            return await self._keywords("Watch keywords")
        self._only_admins(actor, "Only admins change the watch keywords. Ask one of them, or see `watch list`.")
        term, now = term_of(command.words), self._clock.now()
        if command.action is WatchAction.ADD:
            if len(await self._library.keywords()) >= MAX_TERMS:
                raise UsageError(f"There are {MAX_TERMS} watch keywords already; remove one first.")
            added = await self._library.add_keyword(term, str(actor), now)
            return await self._keywords(f"Added “{term}”" if added else f"“{term}” was there already")
        removed = await self._library.remove_keyword(term, str(actor), now)
        if not removed:
            raise UsageError(f"There is no watch keyword “{term}”.")
        return await self._keywords(f"Removed “{term}”")

    def _only_admins(self, actor: Actor, otherwise: str) -> None:
        if not (actor.admin or str(actor) in self._admins):
            raise NotAllowedError(otherwise)

    async def _sources(self, actor: Actor, command: Command) -> Reply:
        desk, action = self._sources_desk, command.action
        if desk is None:
            raise UsageError("There are no sources here: ask the bot that runs.")
        if action in (SourcesAction.LIST, WatchAction.LIST):
            return await desk.table()
        self._only_admins(actor, "Only admins check and change the sources. Ask one of them, or see `sources list`.")
        if action is SourcesAction.CHECK:
            return await desk.check(command.words)
        if action is SourcesAction.ADD:
            return await desk.add(command.words, str(actor))
        if action is SourcesAction.REMOVE:
            return await desk.remove(command.words, str(actor))
        return await desk.pause(command.words, str(actor), paused=action is SourcesAction.PAUSE)

    async def _keywords(self, title: str) -> Reply:
        keywords = await self._library.keywords()
        items = tuple(Item(title=k.term, when=k.added_at, chips=(f"added by {k.added_by}",)) for k in keywords)
        return Reply(title=title, items=items, note="" if items else "No watch keywords yet. An admin adds one with: watch add TERM")

    async def _status(self, _: Actor, __: Command) -> Reply:
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

    async def _help(self, _: Actor, __: Command) -> Reply:
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
        outlets = len(development.outlets)
        return Item(
            title=development.headline,
            url=development.url,
            when=development.first_published,
            chips=(
                *chips(development),
                *(self._gazetteer.name(p) for p in development.parties),
                f"{outlets} source{'s' if outlets != 1 else ''}",
                development.development_id,
            ),
            body=development.text,
        )


def chips(development: Development) -> tuple[str, ...]:
    """Return the words that say what kind of news it is: each topic, then the stage or status reached."""
    return (*(_topic(t) for t in development.topics), *([development.step.replace("_", " ")] if development.step else []))


def _topic(topic: Topic) -> str:
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
        facts += [(_topic(t), f"{score:.2f}") for t, score in report.assessment.scores.items()]
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


def failure(error: AttacheError) -> Reply:
    """Return what a user sees of an error that is theirs to mend."""
    return Reply(title="That did not work", note=str(error), error=True)
