"""Polls that end at the same time share a transaction: with a thousand sources it is the ways to the database that cost, not the rows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from bot.domain.errors import StoreError
from bot.ports import Poll, Taken

MOST = 32  # polls a transaction


@dataclass(frozen=True, kw_only=True)
class _Waiting:
    poll: Poll
    done: asyncio.Future[Taken] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Taker:
    """Commits polls in groups: whoever has the turn takes along all that wait (group commit). `commit` keeps all of them, or none."""

    def __init__(self, commit: Callable[[Sequence[Poll]], Awaitable[list[Taken]]]) -> None:
        self._commit = commit
        self._queue: list[_Waiting] = []
        self._turn = asyncio.Lock()

    async def take(self, poll: Poll) -> Taken:
        """Return what became of a poll once it is committed. Raises what `commit` raises for it."""
        mine = _Waiting(poll=poll)
        self._queue.append(mine)
        try:
            async with self._turn:
                if not mine.done.done():
                    await self._lead(mine)
        finally:
            if mine in self._queue:
                self._queue.remove(mine)
        return mine.done.result()

    async def _lead(self, mine: _Waiting) -> None:
        """Commit `mine` with others that wait; the others stay in the queue until they are done, should this task be cancelled."""
        group = [mine, *(one for one in self._queue if one is not mine)][:MOST]
        try:
            taken = await self._commit([one.poll for one in group])
        except StoreError as error:  # none of them is to blame, and none would fare better by itself
            for one in group:
                self._queue.remove(one)
                _fail(one, error)
            return
        except Exception as error:
            if len(group) == 1:
                mine.done.set_exception(error)
            else:  # one of them may be to blame: this one by itself; each of the others will have its own turn
                await self._alone(mine)
            return
        for one, result in zip(group, taken, strict=True):
            self._queue.remove(one)
            if not one.done.cancelled():
                one.done.set_result(result)

    async def _alone(self, mine: _Waiting) -> None:
        try:
            [taken] = await self._commit([mine.poll])
        except Exception as error:
            mine.done.set_exception(error)
        else:
            mine.done.set_result(taken)


def _fail(one: _Waiting, error: Exception) -> None:
    if not one.done.cancelled():
        one.done.set_exception(error)
        one.done.exception()  # whoever waits may be gone by now
