"""A reader that plays scripted harvests (port `Reader`)."""

from __future__ import annotations

from collections import defaultdict, deque
from datetime import datetime

from bot.domain.entries import ParsedEntry, Source, SourceState
from bot.domain.errors import SourceError
from bot.ports import Harvest


class FakeReader:
    """Each source plays what was scripted for it, in order; with nothing left it is unchanged."""

    def __init__(self) -> None:
        self._script: dict[str, deque[Harvest | SourceError]] = defaultdict(deque)
        self.states: list[SourceState] = []

    def script(self, source: str, *polls: Harvest | SourceError) -> None:
        self._script[source].extend(polls)

    def lists(self, source: str, *entries: ParsedEntry) -> None:
        """Script one poll that lists these entries."""
        self.script(source, Harvest(entries=entries))

    async def read(self, source: Source, state: SourceState, now: datetime) -> Harvest:
        self.states.append(state)
        waiting = self._script[source.name]
        played = waiting.popleft() if waiting else Harvest(unchanged=True, etag=state.etag, modified=state.modified)
        if isinstance(played, SourceError):
            raise played
        return played
