"""What the work costs as the store grows: `python -m bench.growth [--database sqlite|postgresql] [SIZE …]` (default 10000 and 1000000 entries).

A store is filled with so many entries of our invention, 200 sources, three minutes between two, and a twentieth as many developments: those of
`labels/written.jsonl`, filed by the real pipeline, and their copies, moved back in time by six hours each, so that the newest week is as full at
every size. Then, with the shipped model:

- poll: a document of 50 entries, 5 of them new, is taken in;
- assess: 50 entries that are not flagged are judged and recorded;
- file: one entry that is flagged is judged, filed and recorded;
- search: a word that every twentieth development has, two words, a phrase, a word that none has, through the command.

Prints the median and the slowest twentieth of each in milliseconds, at each size, and at last the ratio of the last size's medians to the
first's.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import logging
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Table, func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.app import Judge, SystemClock, make_pipeline, open_judge, open_store
from bot.domain.alerts import Surface
from bot.domain.entries import Entry, ParsedEntry, Source, SourceState, address_identity
from bot.pipeline import Pipeline
from bot.ports import Harvest
from bot.storage import tables
from bot.storage.database import open_engine
from bot.storage.store import SqlStore
from bot.storage.words import Words, index, indexed
from bot.training.data import entries_of, read_examples
from config.settings import HERE
from handlers.commands import Commands
from handlers.desks import make_commands
from handlers.grammar import Actor
from tests.postgres import serving

SEEDS, TIMES, SOURCES, SHARE = 500, 100, 200, 20
BATCH = 5_000
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
WRITTEN = Path(__file__).parent.parent / "labels" / "written.jsonl"
SEARCHES = ("search cedar", "search cedar trade", 'search "trade agreement"', "search zyzzyva")
WEEK = Source(name="paper-0", url="https://paper-0.example/feed", interval=900)


class _Reader:
    """Lists what it is given."""

    def __init__(self) -> None:
        self.entries: tuple[ParsedEntry, ...] = ()

    async def read(self, source: Source, state: SourceState, now: datetime) -> Harvest:
        return Harvest(entries=self.entries)


class _Clock(SystemClock):
    def now(self) -> datetime:
        return NOW


def _parsed(entry: Entry, number: int) -> ParsedEntry:
    at = NOW - timedelta(minutes=number % 300)
    return ParsedEntry(
        title=entry.title, url=f"https://flagged.example/{number}", summary=entry.summary, published=at, key=f"bench-{number}"
    )


def _plain(number: int) -> ParsedEntry:
    return ParsedEntry(
        title=f"The harbour of Ostrava counts {number} boats in its summer regatta",
        summary="Sails were seen on the lake for three days, and the prize went to a family from the hills. " * 2,
        url=f"https://plain.example/{number}",
        guid=f"plain-{number}",
        published=NOW - timedelta(minutes=1),
    )


# --- filling


async def _fill_entries(connection: AsyncConnection, count: int, first: int) -> None:
    """Judged entries that are not flagged, the newest of a moment ago."""
    for start in range(0, count, BATCH):
        made = [_entry(first + n, n) for n in range(start, min(start + BATCH, count))]
        for name in ("entries", "versions", "identities", "judgements"):
            await connection.execute(insert(tables.metadata.tables[name]), [row[name] for row in made])


def _entry(number: int, age: int) -> dict[str, dict[str, Any]]:
    at, url = NOW - timedelta(minutes=3 * age), f"https://paper-{number % SOURCES}.example/news/{number}"
    seen = at + timedelta(seconds=40)
    version = {"id": number, "entry_id": number, "number": 1, "key": f"e{number:024d}", "title": f"Boats in the harbour, chapter {number}"}
    judgement = {
        "version_id": number,
        "reason": "off_topic",
        "scores": {"trade_deal": 0.01, "ministerial_meeting": 0.02},
        "development": 0.1,
    }
    none: dict[str, Any] = {"parties": [], "people": [], "place": None, "when": None}
    return {
        "entries": {"id": number, "source": f"paper-{number % SOURCES}", "url": url, "published": at, "seen": seen, "baseline": False},
        "versions": version | {"summary": "Sails were seen on the lake. " * 10, "published": at, "seen": seen, "waiting": False},
        "identities": {"name": address_identity(url), "entry_id": number},
        "judgements": judgement | {"facts": none, "moved": [], "topics": [], "model": "bench"},
    }


async def _grow(connection: AsyncConnection, wanted: int) -> None:
    """Copy the developments until there are `wanted`; keys and dossiers are copied as they are, so that candidates stay as plentiful."""
    seeds = [dict(row._mapping) for row in await connection.execute(select(tables.developments))]
    own = {t: [dict(r._mapping) for r in await connection.execute(select(t))] for t in (tables.story_keys, tables.parties)}
    number, words = max(seed["number"] for seed in seeds), Words()
    for copy in range(1, max(wanted // len(seeds), 1)):
        back, made = timedelta(hours=6 * copy), []
        for seed in seeds:
            number += 1
            moved = {name: seed[name] - back for name in ("first_published", "last_published")}
            made.append(seed | moved | {"number": number, "id": f"{seed['id'][:20]}-{copy}"})
        await connection.execute(insert(tables.developments), made)
        for table, found in own.items():
            await connection.execute(insert(table), _copied(table, found, copy, back))
        await _index(connection, words, made)


def _copied(table: Table, found: list[dict[str, Any]], copy: int, back: timedelta) -> list[dict[str, Any]]:
    dated = "last_published" in table.c
    later: Callable[[dict[str, Any]], dict[str, Any]] = lambda row: {"last_published": row["last_published"] - back} if dated else {}  # noqa: E731  (short)
    return [row | {"development_id": f"{row['development_id'][:20]}-{copy}"} | later(row) for row in found]


async def _index(connection: AsyncConnection, words: Words, made: list[dict[str, Any]]) -> None:
    """Every twentieth has the word cedar."""
    dialect = connection.dialect.name
    said = [f"{row['headline']} {'cedar' if row['number'] % 20 == 0 else ''}" for row in made]
    stems = [{"row": row["number"], "words": indexed(words.stems(text), dialect)} for row, text in zip(made, said, strict=True)]
    await connection.execute(index(dialect), stems)


async def _after(engine: AsyncEngine) -> None:
    """What a database does by itself in time."""
    async with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        await connection.execute(text("VACUUM ANALYZE" if engine.dialect.name == "postgresql" else "ANALYZE"))


async def fill(store: SqlStore, pipeline: Pipeline, reader: _Reader, seeds: list[ParsedEntry], size: int, url: str) -> int:
    """Fill an empty store; return how many developments it has."""
    for start in range(0, len(seeds), 50):
        reader.entries = tuple(seeds[start : start + 50])
        await pipeline.poll(WEEK, SourceState(name=WEEK.name))
        await pipeline.assess()
    engine = open_engine(url)
    async with engine.execution_options(writing=True).begin() as connection:
        first = int((await connection.execute(select(func.max(tables.entries.c.id)))).scalar_one()) + 1
        await _fill_entries(connection, size - len(seeds), first)
        await _grow(connection, size // SHARE)
        if engine.dialect.name == "postgresql":  # ids were given, not drawn
            for column in (tables.entries.c.id, tables.versions.c.id, tables.developments.c.number):
                highest = select(func.max(column)).scalar_subquery()
                await connection.execute(select(func.setval(func.pg_get_serial_sequence(column.table.name, column.name), highest)))
        stored = int((await connection.execute(select(func.count()).select_from(tables.developments))).scalar_one())
    await _after(engine)
    await engine.dispose()
    return stored


# --- measuring


class Work:
    """The four kinds of work, each once a call."""

    def __init__(self, pipeline: Pipeline, reader: _Reader, commands: Commands, flagged: list[ParsedEntry]) -> None:
        self._pipeline, self._reader, self._commands = pipeline, reader, commands
        self._flagged, self._numbers, self._state = iter(flagged), itertools.count(1), SourceState(name=WEEK.name, polled=NOW)
        self._searches: Iterator[str] = itertools.cycle(SEARCHES)
        self._listed = [_plain(next(self._numbers)) for _ in range(50)]

    async def poll(self) -> float:
        """A document of 50 entries, 5 of them new. What was new is judged afterwards, and not counted."""
        self._listed = [*(_plain(next(self._numbers)) for _ in range(5)), *self._listed[:45]]
        took = await self._timed(self._take(self._listed))
        await self._pipeline.assess()
        return took

    async def assess(self) -> float:
        """50 entries."""
        await self._take([_plain(next(self._numbers)) for _ in range(50)])
        return await self._timed(self._pipeline.assess())

    async def file(self) -> float:
        """One flagged entry."""
        await self._take([next(self._flagged)])
        return await self._timed(self._pipeline.assess())

    async def search(self) -> float:
        """One command."""
        actor = Actor(surface=Surface.SLACK, user="U1", channel="C1", team="T1", admin=True)
        return await self._timed(self._commands.answer_line(actor, next(self._searches)))

    async def _take(self, entries: list[ParsedEntry]) -> None:
        self._reader.entries = tuple(entries)
        await self._pipeline.poll(WEEK, self._state)

    async def _timed(self, work: Awaitable[object]) -> float:
        began = time.perf_counter()
        await work
        return (time.perf_counter() - began) * 1000


def _spread(took: list[float]) -> dict[str, float]:
    ordered = sorted(took)
    return {"median_ms": round(statistics.median(ordered), 2), "p95_ms": round(ordered[int(0.95 * (len(ordered) - 1))], 2)}


async def measure(size: int, judge: Judge, entries: list[Entry], url: str) -> dict[str, Any]:
    """Return what each kind of work costs beside `size` entries."""
    reader, clock = _Reader(), _Clock()
    seeds = [_parsed(entry, n) for n, entry in enumerate(entries[:SEEDS])]
    flagged = [replace(_parsed(e, SEEDS + n), title=f"{e.title} again") for n, e in enumerate(entries[SEEDS : SEEDS + TIMES])]
    async with open_store(url) as store:
        pipeline = make_pipeline(reader=reader, store=store, judge=judge, clock=clock)
        began = time.perf_counter()
        stored = await fill(store, pipeline, reader, seeds, size, url)
        told: dict[str, Any] = {"entries": size, "developments": stored, "filled_s": round(time.perf_counter() - began, 1)}
        commands = make_commands(
            store=store, gazetteer=judge.gazetteer, language=judge.language, clock=clock, admins=frozenset(), sources=None
        )
        work = Work(pipeline, reader, commands, flagged)
        for kind in (work.poll, work.assess, work.file, work.search):
            await kind()  # what comes first warms up
            told[kind.__name__] = _spread([await kind() for _ in range(TIMES - 1)])
    return told


@asynccontextmanager
async def database(name: str, folder: Path) -> AsyncIterator[Callable[[], Awaitable[str]]]:
    """Yield what gives the address of a new database."""
    numbers = itertools.count()
    if name == "sqlite":

        async def new_file() -> str:
            return f"sqlite+aiosqlite:///{folder}/bench-{next(numbers)}.db"

        yield new_file
        return
    with serving(folder) as server:

        async def new_database() -> str:
            own = f"bench_{next(numbers)}"
            server.do(f"CREATE DATABASE {own} TEMPLATE attache_template")
            return server.url(own)

        yield new_database


async def run(name: str, sizes: list[int], folder: Path) -> None:
    """Measure at each size, and print."""
    entries, found = entries_of([e for e in read_examples([WRITTEN]) if e.flagged]), []
    async with open_judge(str(HERE / "model")) as judge, database(name, folder) as new:
        for size in sizes:
            found.append(await measure(size, judge, entries, await new()))
            print(json.dumps({"database": name} | found[-1]), flush=True)
    kinds = ("poll", "assess", "file", "search")
    print(json.dumps({"ratio": {kind: round(found[-1][kind]["median_ms"] / found[0][kind]["median_ms"], 2) for kind in kinds}}))


def main() -> None:
    """Measure what is asked."""
    parser = argparse.ArgumentParser(description="What the work costs as the store grows; see the module's text.")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("sizes", nargs="*", type=int, metavar="SIZE", default=[10_000, 1_000_000])
    asked = parser.parse_args()
    logging.disable(logging.INFO)
    with tempfile.TemporaryDirectory(prefix="attache-growth-") as folder:
        Path(folder).chmod(0o755)  # as root PostgreSQL runs as a user of its own
        asyncio.run(run(asked.database, asked.sizes, Path(folder)))


if __name__ == "__main__":
    main()
