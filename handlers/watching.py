"""The use cases around watch keywords. Command in, Reply out."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing, suppress

from bot.domain.assessment import WATCHED_THRESHOLD
from bot.domain.errors import UsageError
from bot.domain.watch import MAX_KEYWORDS, UNDO, Effect, WatchChange, WatchKeyword
from bot.ports import Clock, Library, WatchLanguage
from bot.trial import SPANS, Example, Trial
from handlers.grammar import Actor, Command, Name, usage
from handlers.replies import Item, Reply

HISTORY = 20  # changes shown
_EFFECTS = {"add": Effect.WATCH, "only": Effect.ONLY, "mute": Effect.MUTE}
_DID = {Effect.WATCH: "add would alert", Effect.ONLY: "only would spare", Effect.MUTE: "mute would spare"}
_DONE = {"add": "added", "remove": "removed", UNDO: "took back"}


class WatchDesk:
    """Answers `watch …`. Who may change something is decided before it is asked."""

    def __init__(self, *, library: Library, language: WatchLanguage, clock: Clock) -> None:
        self._library = library
        self._language = language
        self._clock = clock
        self._trying = asyncio.Lock()  # one at a time: each reads a month of judgements

    async def answer(self, actor: Actor, command: Command) -> Reply:
        """See `Desk.answer`."""
        action, _, words = command.words.partition(" ")
        action = action.casefold() or "list"
        if action in _EFFECTS and words:
            return await self._add(actor, _EFFECTS[action], words)
        if action in ("remove", "test") and words:
            return await (self._remove(actor, words) if action == "remove" else self._test(words))
        if action == "list":
            return await self._keywords("Watch keywords")
        if action == "history":
            return await self._history()
        if action == UNDO:
            return await self._undo(actor)
        raise usage(Name.WATCH)

    async def _add(self, actor: Actor, effect: Effect, words: str) -> Reply:
        term = self._language.compile(words).text
        channel = _channel(actor) if effect is Effect.ONLY else ""
        if len(await self._library.keywords()) >= MAX_KEYWORDS:
            raise UsageError(f"There are {MAX_KEYWORDS} watch keywords already; remove one first.")
        added = await self._library.add_keyword(term, str(actor), self._clock.now(), effect=effect, channel=channel)
        what = f"“{term}” ({_says(effect, channel)})"
        return await self._keywords(f"Added {what}" if added else f"{what} was there already")

    async def _remove(self, actor: Actor, words: str) -> Reply:
        channel, now = str(actor.destination or ""), self._clock.now()
        for term in self._spellings(words):
            if await self._library.remove_keyword(term, str(actor), now, channel=channel):
                return await self._keywords(f"Removed “{term}”")
        elsewhere = [k.channel for k in await self._library.keywords() if k.term in self._spellings(words)]
        if elsewhere:
            raise UsageError(f"“{words}” narrows {', '.join(elsewhere)}: remove it there.")
        raise UsageError(f"There is no watch keyword “{words}”. See `watch list`.")

    def _spellings(self, words: str) -> list[str]:
        """What the words may be kept as; one that the language does not understand any more can still be removed as it stands in the list."""
        typed = "".join(filter(str.isprintable, words))
        found = [typed, f'"{typed}"']
        with suppress(UsageError):
            found.insert(0, self._language.compile(words).text)
        return found

    async def _keywords(self, title: str) -> Reply:
        keywords = await self._library.keywords()
        items = tuple(self._item(keyword) for keyword in keywords)
        return Reply(title=title, items=items, note="" if items else "No watch keywords yet. An admin adds one with: watch add EXPR")

    def _item(self, keyword: WatchKeyword) -> Item:
        problem = ""
        try:
            self._language.compile(keyword.term)
        except UsageError as error:
            problem = f"It matches nothing. {error}"
        chips = (_says(keyword.effect, keyword.channel), f"added by {keyword.added_by}")
        return Item(title=keyword.term, when=keyword.added_at, chips=chips, body=problem)

    async def _history(self) -> Reply:
        changes = await self._library.keyword_changes(HISTORY)
        return Reply(
            title="Changes of the watch keywords",
            items=tuple(_change(change) for change in changes),
            note="" if changes else "Nothing was changed yet.",
        )

    async def _undo(self, actor: Actor) -> Reply:
        change = await self._library.undo_keyword(str(actor), self._clock.now())
        if change is None:
            raise UsageError("There is no change left to take back. See `watch history`.")
        done = f"{_DONE[change.action]} by {change.actor}"
        return await self._keywords(f"Took back: “{change.term}” ({_says(change.effect, change.channel)}), {done}")

    async def _test(self, words: str) -> Reply:
        condition = self._language.compile(words)
        async with self._trying:
            trial = Trial(condition, await self._library.keywords(), self._language, self._clock.now())
            async with aclosing(self._library.judged(trial.since, WATCHED_THRESHOLD)) as judged:
                async for portion in judged:
                    await asyncio.to_thread(trial.look, portion)
        return _outcome(condition.text, trial)


def _channel(actor: Actor) -> str:
    if actor.destination is None:
        raise UsageError("`watch only` narrows the channel in which it is said: say it in one.")
    return str(actor.destination)


def _says(effect: Effect, channel: str) -> str:
    return f"{effect} in {channel}" if channel else str(effect)


def _change(change: WatchChange) -> Item:
    chips = (f"{_DONE[change.action]} by {change.actor}", _says(change.effect, change.channel), *(("taken back",) if change.undone else ()))
    return Item(title=change.term, when=change.at, chips=chips)


def _outcome(text: str, trial: Trial) -> Reply:
    spans = " and ".join(map(str, SPANS))
    facts = [("Alerts as it was", _counts(trial.alerted))]
    facts += [(_DID[effect], _counts(trial.changed(effect))) for effect in Effect]
    examples: Sequence[Example] = [example for effect in Effect for example in trial.examples(effect)]
    items = tuple(
        Item(title=x.entry.title, url=x.entry.url or None, when=x.entry.seen, chips=(_DID[x.effect], x.entry.outlet), body=x.reason)
        for x in examples
    )
    note = (
        f"Nothing was changed. Tried on the last {spans} days. What add would alert are entries: those on one development make one alert. "
        "What only would spare concerns the channel in which it is said."
    )
    return Reply(title=f"Test of “{text}”", facts=tuple(facts), items=items, note=note)


def _counts(counts: dict[int, int]) -> str:
    return ", ".join(f"{count} in {days} days" for days, count in counts.items())
