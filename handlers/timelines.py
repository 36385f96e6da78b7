"""The use case `timeline`: how a matter went, as a list and as a picture."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import lru_cache

from bot.domain.developments import Development
from bot.domain.errors import UsageError
from bot.domain.topics import Topic
from bot.ports import Gazetteer, Library, Query
from handlers.grammar import Actor, Command, usage
from handlers.pictures import picture_of
from handlers.reading import parties_in
from handlers.replies import Attachment, Reply
from handlers.showing import counted, dossier_name, listing

DRAWN, LISTED = 60, 20  # developments in the picture; in the list below it
KEPT = 16  # pictures, for when a channel asks for the same again


class TimelineDesk:
    """Answers `timeline` for countries, a dossier, or the dossier of a development. Changes nothing. Pictures are drawn one at a time, off the loop."""

    def __init__(self, *, library: Library, gazetteer: Gazetteer) -> None:
        self._library = library
        self._gazetteer = gazetteer
        self._hand = ThreadPoolExecutor(1, thread_name_prefix="pictures")
        self._draw = lru_cache(KEPT)(picture_of)

    async def answer(self, _: Actor, command: Command) -> Reply:
        """See `Desk.answer`."""
        if not command.words:
            raise usage(command.name)
        query, title = await self._matter(command.words)
        newest = await self._library.developments(query)
        told = newest[::-1]
        reply = listing(f"Timeline: {title}", told[-LISTED:], self._gazetteer)
        if not told:
            return reply
        left = len(told) - len(reply.items)
        note = f"{counted(left, 'earlier development')} are in the picture only." if left else ""
        return replace(reply, note=note, attachments=(await self._picture(title, told),))

    async def _picture(self, title: str, told: Sequence[Development]) -> Attachment:
        names = tuple({d.dossier_id: self._short(d) for d in told}.items())
        return await asyncio.get_running_loop().run_in_executor(self._hand, self._draw, title, tuple(told), names)

    def _short(self, development: Development) -> str:
        """A dossier's name in the picture."""
        _, _, parties = development.dossier_id.partition(":")
        meetings = "" if Topic.TRADE_DEAL in development.topics else " (meetings)"
        return " – ".join(map(self._gazetteer.name, parties.split("-"))) + meetings

    async def _matter(self, words: str) -> tuple[Query, str]:
        """Return the query for a dossier, for the dossier of a development, or for what countries did together."""
        one = await self._library.development(words)
        topic, colon, parties = (one.dossier_id if one else words).partition(":")
        if colon and topic.casefold() not in tuple(Topic):
            raise UsageError(f"There is no dossier “{words[:60]}”: `latest` and `story` show them, such as trade_deal:IND-USA.")
        if colon:
            dossier = one.dossier_id if one else f"{topic.casefold()}:{'-'.join(sorted(parties.upper().split('-')))}"
            return Query(dossier=dossier, limit=DRAWN), dossier_name(dossier, self._gazetteer)
        codes = parties_in(words, self._gazetteer)
        return Query(parties=codes, limit=DRAWN), " – ".join(map(self._gazetteer.name, codes))
