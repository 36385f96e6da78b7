"""The use cases around watch keywords. Command in, Reply out."""

from __future__ import annotations

from bot.domain.errors import UsageError
from bot.domain.watch import MAX_TERMS, term_of
from bot.ports import Clock, Library
from handlers.grammar import Actor, Command, Name, usage
from handlers.replies import Item, Reply


class WatchDesk:
    """Answers `watch …`. Who may change something is decided before it is asked."""

    def __init__(self, *, library: Library, clock: Clock) -> None:
        self._library = library
        self._clock = clock

    async def answer(self, actor: Actor, command: Command) -> Reply:
        """See `Desk.answer`."""
        action, _, words = command.words.partition(" ")
        if action.casefold() in ("", "list"):
            return await self._keywords("Watch keywords")
        if action.casefold() not in ("add", "remove") or not words:
            raise usage(Name.WATCH)
        term, now = term_of(words), self._clock.now()
        if action.casefold() == "add":
            if len(await self._library.keywords()) >= MAX_TERMS:
                raise UsageError(f"There are {MAX_TERMS} watch keywords already; remove one first.")
            added = await self._library.add_keyword(term, str(actor), now)
            return await self._keywords(f"Added “{term}”" if added else f"“{term}” was there already")
        removed = await self._library.remove_keyword(term, str(actor), now)
        if not removed:
            raise UsageError(f"There is no watch keyword “{term}”.")
        return await self._keywords(f"Removed “{term}”")

    async def _keywords(self, title: str) -> Reply:
        keywords = await self._library.keywords()
        items = tuple(Item(title=k.term, when=k.added_at, chips=(f"added by {k.added_by}",)) for k in keywords)
        return Reply(title=title, items=items, note="" if items else "No watch keywords yet. An admin adds one with: watch add TERM")
