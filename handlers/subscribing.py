"""The use cases around a channel's subscription: what it gets and when, muted dossiers, its digest. Command or form in, Reply out."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from bot.domain.alerts import Destination
from bot.domain.errors import FormError, UsageError
from bot.domain.subscriptions import Cadence, Mute, Quiet, Subscription
from bot.domain.topics import Topic
from bot.ports import Clock, Gazetteer, Query, Store, WatchLanguage
from handlers.forms import TOPIC_WORDS, SubscriptionForm, form_of, line_of
from handlers.grammar import USAGE, Actor, Command, Name, usage
from handlers.replies import Item, Reply

MAX_CAP = 100
MAX_MUTE = timedelta(days=366)
LISTED = 20
_NAME_WORDS = 6  # in the longest name of a country
_VALUED = ("least", "quiet", "zone", "cap")
_CADENCES = tuple(Cadence)
_EVERYTHING = frozenset({"all", "everything"})
_LINKING = frozenset({"and", "of", "the", "with"})
_HOUR = re.compile(r"(\d{1,2})(?::(\d{2}))?")
_SPAN = re.compile(r"(\d{1,3})([hdw])")
_UNITS = {"h": "hours", "d": "days", "w": "weeks"}
# An expression in quotes ends where another option or nothing follows; without quotes it goes on to the end.
_NEXT = rf"(?=\s+(?:{'|'.join((*_VALUED, *_CADENCES))})\b|\s*$)"
_QUOTED = re.compile(rf"(?:\"([^\"]*)\"|“([^“”]*)”|‘([^‘’]*)’|'(.*?)'){_NEXT}", re.IGNORECASE)
_ONLY = re.compile(r"(?:^|\s)only(?:\s+|$)", re.IGNORECASE)


class SubscriptionDesk:
    """Answers `subscribe`, `unsubscribe`, `mute` and `digest` for the channel that they are typed in. Who may is decided before it is asked.

    `wake` is called when something is due that was not before.
    """

    def __init__(
        self,
        *,
        store: Store,
        gazetteer: Gazetteer,
        language: WatchLanguage,
        clock: Clock,
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._gazetteer = gazetteer
        self._checks = FormCheck(gazetteer, language)
        self._clock = clock
        self._wake = wake

    async def answer(self, actor: Actor, command: Command) -> Reply:
        """See `Desk.answer`."""
        here = _channel(actor)
        if command.name is Name.UNSUBSCRIBE:
            return await self._unsubscribe(here)
        if command.name is Name.MUTE:
            return await self._mute(actor, here, command.words)
        if command.name is Name.DIGEST:
            return await self._digest(here, command.words)
        return await (self.submit(actor, form_from(command.words)) if command.words else self._shown(here))

    async def submit(self, actor: Actor, form: SubscriptionForm) -> Reply:
        """See `FormDesk.submit`."""
        wanted = self._checks.checked(form, _channel(actor))
        made = replace(wanted, team=actor.team, made_by=str(actor), made_at=self._clock.now())
        await self._store.subscribe(made)
        self._wake()  # what waited while the channel was on pause
        return self._reply("This channel is subscribed", made)

    async def form(self, actor: Actor) -> SubscriptionForm:
        """See `FormDesk.form`."""
        had = await self._store.subscription(_channel(actor))
        return form_of(had) if had else SubscriptionForm()

    async def _shown(self, here: Destination) -> Reply:
        had = await self._store.subscription(here)
        if had is None:
            return Reply(title="This channel has no subscription", note=f"An admin subscribes it with: {USAGE[Name.SUBSCRIBE][0]}")
        return self._reply("What this channel gets", had)

    def _reply(self, title: str, subscription: Subscription) -> Reply:
        note = f"To change it, say the whole of it again: {line_of(form_of(subscription))}"
        return Reply(title=title, facts=self.facts(subscription), note=note)

    def facts(self, s: Subscription) -> tuple[tuple[str, str], ...]:
        """Return what there is to say of a subscription, as pairs of a name and a value."""
        when = {Cadence.REALTIME: "at once", Cadence.HOURLY: "a digest every hour", Cadence.DAILY: f"a digest every day at {s.at:%H:%M}"}
        return (
            *((("On pause", s.paused),) if s.paused else ()),
            ("Topics", ", ".join(map(_topic, s.topics)) or "all"),
            ("Countries", ", ".join(map(self._gazetteer.name, s.parties)) or "all"),
            *((("Only what matches", s.expression),) if s.expression else ()),
            *((("Lowest importance", f"{s.least:g}"),) if s.least else ()),
            ("When", when[s.cadence]),
            *((("Quiet", f"{s.quiet.start:%H:%M} to {s.quiet.end:%H:%M}, then a digest"),) if s.quiet else ()),
            *((("At most", f"{s.cap} an hour, the rest in a digest"),) if s.cap else ()),
            ("Time zone", s.zone),
        )

    async def _unsubscribe(self, here: Destination) -> Reply:
        if not await self._store.unsubscribe(here):
            raise UsageError("This channel has no subscription.")
        return Reply(title="Unsubscribed", note="No more alerts in this channel; what waited for it is dropped.")

    async def _digest(self, here: Destination, words: str) -> Reply:
        if words.casefold() != "now":
            raise usage(Name.DIGEST)
        count = await self._store.hasten(here, self._clock.now())
        if not count:
            return Reply(title="Nothing waits for this channel's digest")
        self._wake()
        return Reply(title="The digest is on its way", note=f"With {count} alert{'s' if count != 1 else ''}.")

    async def _mute(self, actor: Actor, here: Destination, words: str) -> Reply:
        first, _, rest = words.partition(" ")
        if first.casefold() == "list" and not rest:
            return await self._muted(here)
        if first.casefold() == "off" and rest:
            return await self._unmute(here, rest)
        wanted, _, span = words.partition(" for ")
        if not wanted or " " in wanted:
            raise usage(Name.MUTE)
        now = self._clock.now()
        dossier, headline = await self._dossier(wanted)
        until = now + _span(span) if span else None
        await self._store.mute(Mute(destination=here, dossier_id=dossier, actor=str(actor), at=now, until=until))
        term = f" until {until:%d %B %Y %H:%M} UTC" if until else ""
        return Reply(
            title="Muted in this channel",
            note=f"No more alerts{term} on the dossier of “{headline}”. To have them back: mute off {dossier}",
        )

    async def _muted(self, here: Destination) -> Reply:
        mutes = [m for m in await self._store.mutes(here) if m.until is None or m.until > self._clock.now()]
        items = [
            Item(title=m.dossier_id, when=m.at, chips=(f"by {m.actor}", *((f"until {m.until:%d %B %Y %H:%M} UTC",) if m.until else ())))
            for m in mutes[:LISTED]
        ]
        note = f"{len(mutes) - LISTED} more are not shown." if len(mutes) > LISTED else "" if items else "None. Mute one with: mute ID"
        return Reply(title="Muted dossiers of this channel", items=tuple(items), note=note)

    async def _unmute(self, here: Destination, words: str) -> Reply:
        named = next((m.dossier_id for m in await self._store.mutes(here) if m.dossier_id.casefold() == words.casefold()), None)
        dossier = named or (await self._dossier(words))[0]
        if not await self._store.unmute(here, dossier):
            raise UsageError(f"The dossier {dossier} is not muted here: see `mute list`.")
        return Reply(title="No longer muted", note=f"Alerts on {dossier} come to this channel again.")

    async def _dossier(self, words: str) -> tuple[str, str]:
        """Return the dossier that a development's id or its own names, and its newest headline."""
        development = await self._store.development(words)
        if development is not None:
            return development.dossier_id, development.headline
        topic, _, parties = words.partition(":")
        for name in (words, f"{topic.lower()}:{parties.upper()}"):
            if found := await self._store.developments(Query(dossier=name, limit=1)):
                return name, found[0].headline
        raise UsageError(f"There is no development or dossier “{words[:60]}”: `latest` shows their ids.")


class FormCheck:
    """Looks whether the fields of a form make sense. Keeps nothing."""

    def __init__(self, gazetteer: Gazetteer, language: WatchLanguage) -> None:
        self._gazetteer = gazetteer
        self._language = language

    def checked(self, form: SubscriptionForm, destination: Destination) -> Subscription:
        """Return the subscription that a form describes. Raises FormError with all that is wrong."""
        usual = Subscription(destination=destination)
        problems: dict[str, str] = {}

        def read(name: str, reading: Callable[[str], Any], otherwise: object) -> Any:  # noqa: ANN401  (each field has a type of its own)
            text = getattr(form, name).strip()
            try:
                return reading(text) if text else otherwise
            except UsageError as error:
                problems[name] = str(error)
                return otherwise

        wanted = Subscription(
            destination=destination,
            topics=self._topics(form.topics, problems),
            parties=read("parties", self._parties, ()),
            expression=read("only", self._expression, ""),
            least=read("least", _least, usual.least),
            cadence=read("cadence", _cadence, Cadence.DAILY if form.at.strip() else usual.cadence),
            at=read("at", _hour, usual.at),
            quiet=read("quiet", _quiet, None),
            zone=read("zone", _zone, usual.zone),
            cap=read("cap", _cap, None),
        )
        if wanted.cadence is Cadence.DAILY and wanted.quiet is not None and wanted.quiet.holds(wanted.at):
            problems.setdefault("at", f"{wanted.at:%H:%M} is within the quiet hours.")
        if problems:
            raise FormError(problems)
        return wanted

    def _topics(self, words: Sequence[str], problems: dict[str, str]) -> tuple[Topic, ...]:
        unknown = [word for word in words if word.casefold() not in TOPIC_WORDS]
        if unknown:
            problems["topics"] = f"There is no topic “{unknown[0][:40]}”. Try: trade, meeting."
        return tuple(dict.fromkeys(TOPIC_WORDS[word.casefold()] for word in words if word not in unknown))

    def _expression(self, text: str) -> str:
        self._language.compile(text)
        return text

    def _parties(self, text: str) -> tuple[str, ...]:
        """Return the codes of all countries and blocs that `text` names; a word that names none is an error, not left out."""
        found: list[str] = []
        words = [word for word in re.split(r"[\s,;]+", text) if word]
        while words:
            length, codes = self._longest(words)
            if not length and words[0].casefold() not in _LINKING:
                raise UsageError(f"No country or bloc is known by “{words[0][:60]}”. Try a name (India), a code (IND) or a bloc (EU).")
            found += codes
            del words[: max(length, 1)]
        return tuple(dict.fromkeys(found))

    def _longest(self, words: Sequence[str]) -> tuple[int, tuple[str, ...]]:
        """Return how many words at the start name one country or bloc, each of them needed at its end, and which."""
        for length in range(min(len(words), _NAME_WORDS), 0, -1):
            codes = self._gazetteer.find(" ".join(words[:length]))
            if len(codes) == 1 and (length == 1 or self._gazetteer.find(" ".join(words[: length - 1])) != codes):
                return length, codes
        return 0, ()


def form_from(words: str) -> SubscriptionForm:
    """Return the form that the words behind `subscribe` fill. Raises UsageError for an option without its value."""
    rest, only = _without_only(words)
    said, given = iter(rest.split()), dict[str, str]()
    topics, parties = list[str](), list[str]()
    for word in said:
        low = word.casefold()
        if low in _VALUED:
            given[low] = next(said, "")
            if not given[low]:
                raise UsageError(f"`{low}` needs a value. {usage(Name.SUBSCRIBE)}")
        elif low in _CADENCES:
            given["cadence"] = low
        elif _HOUR.fullmatch(word) and given.get("cadence") == Cadence.DAILY:
            given["at"] = word
        elif low not in _EVERYTHING:
            (topics if low in TOPIC_WORDS else parties).append(word)
    return SubscriptionForm(topics=tuple(topics), parties=" ".join(parties), only=only, **given)


def _without_only(words: str) -> tuple[str, str]:
    """Return the words without `only …`, and the expression."""
    found = _ONLY.search(words)
    if found is None:
        return words, ""
    before, after = words[: found.start()], words[found.end() :]
    if not after:
        raise UsageError(f"`only` needs an expression. {usage(Name.SUBSCRIBE)}")
    quoted = _QUOTED.match(after)
    if quoted is None:
        return before, after
    return f"{before} {after[quoted.end() :]}", next(part for part in quoted.groups() if part is not None)


def _channel(actor: Actor) -> Destination:
    if actor.destination is None:
        raise UsageError("That belongs to a channel: type it there.")
    return actor.destination


def _topic(topic: Topic) -> str:
    return "trade deals" if topic is Topic.TRADE_DEAL else "ministerial meetings"


def _least(text: str) -> float:
    if not re.fullmatch(r"(?:0?\.\d{1,3}|[01](?:\.0{1,3})?)", text):
        raise UsageError("The lowest importance is a number from 0 to 1, such as 0.7.")
    return float(text)


def _cadence(text: str) -> Cadence:
    if text.casefold() not in _CADENCES:
        raise UsageError(f"How often is one of: {', '.join(_CADENCES)}.")
    return Cadence(text.casefold())


def _hour(text: str) -> time:
    found = _HOUR.fullmatch(text.strip())
    hour, minute = (int(found[1]), int(found[2] or 0)) if found else (24, 0)
    if hour > 23 or minute > 59:
        raise UsageError(f"“{text[:20]}” is no time of the day; write it as 08:00.")
    return time(hour, minute)


def _quiet(text: str) -> Quiet | None:
    if text.casefold() == "off":
        return None
    start, _, end = re.sub(r"\s*(?:[-–—]|to)\s*", "-", text).partition("-")
    quiet = Quiet(start=_hour(start), end=_hour(end))
    if quiet.start == quiet.end:
        raise UsageError("Quiet hours begin and end at different times, such as 22:00-07:00.")
    return quiet


def _zone(text: str) -> str:
    try:
        return ZoneInfo(text).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        found = next((zone for zone in available_timezones() if zone.casefold() == text.replace(" ", "_").casefold()), None)
    if found is None:
        raise UsageError(f"There is no time zone “{text[:40]}”; write it as Europe/Berlin or UTC.")
    return found


def _cap(text: str) -> int | None:
    if text.casefold() == "off":
        return None
    if not re.fullmatch(r"\d{1,3}", text) or not 1 <= int(text) <= MAX_CAP:
        raise UsageError(f"Alerts an hour are 1 to {MAX_CAP}.")
    return int(text)


def _span(text: str) -> timedelta:
    found = _SPAN.fullmatch(text.strip().casefold())
    span = timedelta(**{_UNITS[found[2]]: int(found[1])}) if found else timedelta()
    if not timedelta() < span <= MAX_MUTE:
        raise UsageError("A mute lasts for 12h, 7d or 2w, at most a year.")
    return span
