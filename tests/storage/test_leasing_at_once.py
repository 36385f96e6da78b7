"""Workers that lease at the same instant: no delivery is in two hands, none goes twice, and each destination keeps its order."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.domain.alerts import Alert, Delivery, Destination, Receipt, Surface
from bot.storage import tables
from bot.storage.deliveries import PRESSURE
from bot.storage.store import SqlStore
from tests.fakes.clock import START
from tests.storage.kit import NOW, keep, new, opened, rows, subscribed

WORKERS, CHANNELS = 4, [Destination(surface=Surface.SLACK, address=f"C{n}") for n in range(8)]
LEASE = 60.0


@dataclass
class Hands:
    """Who has what: notes what is leased, and that nobody else has anything of the destination at the time."""

    held: dict[Destination, int] = field(default_factory=dict)
    order: dict[Destination, list[str]] = field(default_factory=lambda: defaultdict(list))

    def take(self, worker: int, delivery: Delivery) -> None:
        assert delivery.destination not in self.held, f"{delivery.destination} is in the hands of {self.held} and of {worker}"
        self.held[delivery.destination] = worker
        self.order[delivery.destination] += [alert.development.headline for alert in delivery.alerts]


@pytest.fixture
async def workers(tmp_path: Path, database: str) -> AsyncIterator[list[SqlStore]]:
    """The stores of as many processes on one database, each with connections of its own."""
    async with AsyncExitStack() as stack:
        stores = [await stack.enter_async_context(opened(tmp_path)) for _ in range(WORKERS)]
        await subscribed(stores[0], *CHANNELS)
        yield stores


async def alerts(store: SqlStore, count: int) -> list[str]:
    titles = [f"Pact {number}" for number in range(count)]
    for number, title in enumerate(titles):
        development = await keep(store, await new(store, title, number), parties=(f"P{number}",))
        async with store.begin() as writing:
            await writing.enqueue(Alert(development=development, raised=START), dict.fromkeys(CHANNELS, NOW))
    return titles


async def all_at_once(workers: list[SqlStore], destination: Destination, now: datetime) -> list[tuple[int, Delivery]]:
    """Let all workers lease from one destination at the same instant; return who got what."""
    start = asyncio.Barrier(len(workers))

    async def one(number: int) -> tuple[int, Delivery | None]:
        async with start:
            return number, await workers[number].lease(destination, now, LEASE)

    found = await asyncio.gather(*map(one, range(len(workers))))
    return [(number, delivery) for number, delivery in found if delivery is not None]


async def test_workers_that_race_for_everything_share_it_without_a_double(workers: list[SqlStore]) -> None:
    titles, hands, start = await alerts(workers[0], PRESSURE), Hands(), asyncio.Barrier(WORKERS * len(CHANNELS))

    async def work(worker: int, destination: Destination) -> None:
        async with start:
            while len(hands.order[destination]) < len(titles) or destination in hands.held:
                delivery = await workers[worker].lease(destination, START, LEASE)
                if delivery is not None:
                    hands.take(worker, delivery)
                    await asyncio.sleep(0)
                    del hands.held[destination]
                    await workers[worker].sent(delivery, Receipt(message_id=delivery.key), START)

    async with asyncio.timeout(60):
        await asyncio.gather(*(work(worker, channel) for worker in range(WORKERS) for channel in CHANNELS))
    assert dict(hands.order) == dict.fromkeys(CHANNELS, titles)
    assert set(await rows(workers[0], tables.deliveries, "state", "attempts")) == {("sent", 1)}


async def test_of_all_that_lease_at_one_instant_one_gets_it(workers: list[SqlStore]) -> None:
    titles = await alerts(workers[0], 3)
    for title in titles:
        ((winner, delivery),) = await all_at_once(workers, CHANNELS[0], START)
        assert delivery.alert.development.headline == title
        assert await all_at_once(workers, CHANNELS[0], START) == []
        await workers[winner].sent(delivery, Receipt(message_id="m"), START)
    assert await all_at_once(workers, CHANNELS[0], START) == []


async def test_a_dead_worker_s_lease_passes_to_one_of_them_and_the_dead_one_is_fenced(workers: list[SqlStore]) -> None:
    await alerts(workers[0], 2)
    ((_, lost),) = await all_at_once(workers, CHANNELS[0], START)
    later = START + timedelta(seconds=LEASE)
    ((winner, taken),) = await all_at_once(workers, CHANNELS[0], later)
    assert (taken.key, taken.attempts) == (lost.key, 2)
    await asyncio.gather(
        workers[winner].sent(taken, Receipt(message_id="taken"), later),
        *(worker.sent(lost, Receipt(message_id="lost"), later) for worker in workers),
    )
    found = await rows(workers[0], tables.deliveries, "address", "state", "message_id")
    assert [(state, message) for address, state, message in found if address == CHANNELS[0].address] == [
        ("sent", "taken"),
        ("pending", None),
    ]
