"""When sources are polled: at their pace, each for itself, as the list stands."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.domain.entries import Source, SourceState
from bot.pipeline import Polled
from bot.schedule import Schedule

PATIENCE = 10.0


class Line:
    """Counts polls and assessments; a source named slow hangs, one named broken raises."""

    def __init__(self) -> None:
        self.polls: list[str] = []
        self.assessed = 0
        self.changed = asyncio.Event()

    async def poll(self, source: Source, state: SourceState) -> tuple[Polled, SourceState]:
        self.polls.append(source.name)
        self.changed.set()
        if source.name == "slow":
            await asyncio.sleep(3600)
        if source.name == "broken":
            raise OSError("the disk is full")
        return Polled(source=source, arrived=1), replace(state, polled=datetime.now(UTC))

    async def assess(self) -> list[Any]:
        self.assessed += 1
        return []

    async def until(self, polls: int, name: str) -> None:
        async with asyncio.timeout(PATIENCE):
            while self.polls.count(name) < polls:
                self.changed.clear()
                await self.changed.wait()


def source(name: str) -> Source:
    return Source(name=name, url=f"https://example.com/{name}", interval=1)


class Desk:
    """The list of sources and the kept states, as admins change them."""

    def __init__(self, *sources: Source) -> None:
        self.sources = list(sources)
        self.states: dict[str, SourceState] = {}

    async def list(self) -> Sequence[Source]:
        return list(self.sources)

    async def kept(self) -> dict[str, SourceState]:
        return dict(self.states)


@asynccontextmanager
async def running(desk: Desk, line: Line, **more: Any) -> AsyncIterator[Schedule]:  # noqa: ANN401  (the rest of the constructor)
    made: Any = line
    schedule = Schedule(pipeline=made, list_sources=desk.list, list_states=desk.kept, on_alert=lambda: None, seed=1, **more)
    task = asyncio.create_task(schedule.run())
    try:
        yield schedule
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_each_source_is_polled_again_and_again_though_others_hang_or_break() -> None:
    line = Line()
    async with running(Desk(source("slow"), source("broken"), source("good")), line):
        await line.until(3, "good")
        await line.until(2, "broken")
    assert line.polls.count("slow") == 1
    assert line.assessed >= 3


async def test_the_list_is_taken_as_it_stands() -> None:
    line, desk = Line(), Desk(source("one"), replace(source("paused"), paused=True))
    async with running(desk, line) as schedule:
        await line.until(1, "one")
        desk.sources = [source("two"), source("paused")]
        await schedule.refresh()
        await line.until(2, "two")
        await line.until(1, "paused")
        seen = line.polls.count("one")
        await line.until(4, "two")
    assert line.polls.count("one") <= seen + 1, "a poll under way may end"


async def test_a_retired_source_rests_until_an_admin_revives_it() -> None:
    line, desk = Line(), Desk(source("gone"), source("good"))
    desk.states["gone"] = SourceState(name="gone", retired=datetime.now(UTC))
    async with running(desk, line) as schedule:
        await line.until(2, "good")
        assert "gone" not in line.polls
        desk.states["gone"] = SourceState(name="gone")
        await schedule.refresh()
        await line.until(1, "gone")


async def test_the_whole_is_looked_at_and_what_was_told_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.schedule.LOOK_SECONDS", 0.2)
    looked = asyncio.Event()
    told: list[str | None] = []

    async def look(states: Sequence[SourceState]) -> Sequence[SourceState]:
        told.extend(s.told for s in states)
        if len(told) == 1:
            raise OSError("the database is locked")
        if len(told) > 3:
            looked.set()
        return [replace(s, told="failing") for s in states]

    line = Line()
    async with running(Desk(source("good")), line, look=look), asyncio.timeout(PATIENCE):
        await looked.wait()
    assert told[0] is None
    assert told[-1] == "failing"


async def test_what_is_daily_is_done_again_and_again_though_it_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.schedule.FIRST_DAILY", timedelta(seconds=0.05))
    monkeypatch.setattr("bot.schedule.DAILY", timedelta(seconds=0.05))
    done, over = 0, asyncio.Event()

    async def daily() -> None:
        nonlocal done
        done += 1
        if done == 1:
            raise OSError("the database is locked")
        over.set()

    async with running(Desk(source("good")), Line(), daily=daily), asyncio.timeout(PATIENCE):
        await over.wait()


async def test_polls_under_way_are_waited_for_and_assessed_on_drain() -> None:
    line = Line()
    async with running(Desk(source("good")), line) as schedule:
        await line.until(1, "good")
        before = line.assessed
        await schedule.drain(1.0)
        assert line.assessed > before
        polls = len(line.polls)
        await asyncio.sleep(1.3)
        assert len(line.polls) == polls
