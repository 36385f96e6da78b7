"""Parsing off the event loop: a few threads, each with one document."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from bot.domain.errors import SourceError
from bot.sources.faults import Fault, fault

T = TypeVar("T")


class Workers:
    """Runs plain functions in threads. A thread cannot be stopped: one that takes too long is waited for no more, but keeps its place till it ends."""

    def __init__(self, at_once: int, seconds: float) -> None:
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="parse")
        self._places = asyncio.Semaphore(at_once)
        self._long = asyncio.Semaphore(max(1, at_once - 1))
        self._seconds = seconds

    async def run(self, work: Callable[[], T], *, long: bool = False) -> T:
        """Return what `work` returns; `long` work leaves one thread to the short. Raises SourceError: its own, or "internal" for any other error of it and for one that takes too long."""
        if long:
            async with self._long:
                return await self._run(work)
        return await self._run(work)

    async def _run(self, work: Callable[[], T]) -> T:
        await self._places.acquire()
        future = asyncio.get_running_loop().run_in_executor(self._threads, work)
        future.add_done_callback(self._left)
        try:
            async with asyncio.timeout(self._seconds):
                return await asyncio.shield(future)
        except SourceError:
            raise
        except TimeoutError as error:
            raise fault(Fault.INTERNAL, f"parsing took longer than {self._seconds:g} s") from error
        except Exception as error:
            raise fault(Fault.INTERNAL, f"parsing failed: {type(error).__name__}: {error}") from error

    def _left(self, future: asyncio.Future[T]) -> None:
        self._places.release()
        if not future.cancelled():
            future.exception()  # seen, also when nobody waits any more

    def close(self) -> None:
        """Take no more work; what is under way ends by itself."""
        self._threads.shutdown(wait=False, cancel_futures=True)
