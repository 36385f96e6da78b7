"""Parsing off the event loop."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator

import pytest

from bot.domain.errors import SourceError
from bot.sources.faults import Fault, fault
from bot.sources.workers import Workers


@pytest.fixture
def workers() -> Iterator[Workers]:
    made = Workers(2, 0.2)
    yield made
    made.close()


def broken() -> None:
    raise RecursionError("too deep")


def faulty() -> None:
    raise fault(Fault.EMPTY, "nothing in it")


async def test_work_is_done_in_another_thread(workers: Workers) -> None:
    assert await workers.run(threading.get_ident) != threading.get_ident()


async def test_foreign_errors_become_internal_and_our_own_stay(workers: Workers) -> None:
    with pytest.raises(SourceError, match="internal: parsing failed: RecursionError"):
        await workers.run(broken)
    with pytest.raises(SourceError, match="empty: nothing in it"):
        await workers.run(faulty)


async def test_no_more_than_the_places_work_at_once(workers: Workers) -> None:
    busy, most = 0, 0
    lock = threading.Lock()

    def work() -> None:
        nonlocal busy, most
        with lock:
            busy += 1
            most = max(most, busy)
        time.sleep(0.02)
        with lock:
            busy -= 1

    await asyncio.gather(*(workers.run(work) for _ in range(10)))
    assert most == 2


async def test_what_takes_too_long_keeps_its_place_till_it_ends(workers: Workers) -> None:
    free = threading.Event()
    slow = [asyncio.create_task(workers.run(lambda: free.wait(5))) for _ in range(2)]
    for task in slow:
        with pytest.raises(SourceError, match="took longer than"):
            await task
    waiting = asyncio.create_task(workers.run(lambda: 7))
    await asyncio.sleep(0.1)
    assert not waiting.done()
    free.set()
    assert await waiting == 7


async def test_waiting_for_a_place_can_be_given_up(workers: Workers) -> None:
    free = threading.Event()
    slow = [asyncio.create_task(workers.run(lambda: free.wait(5))) for _ in range(2)]
    waiting = asyncio.create_task(workers.run(lambda: 7))
    await asyncio.sleep(0.02)
    waiting.cancel()
    free.set()
    await asyncio.gather(*slow)
    assert await workers.run(lambda: 8) == 8
