"""What filing an entry costs as the store grows: `python -m bench.stories [DEVELOPMENTS …]` (default 1000 and 100000).

A store is filled with the developments of `labels/written.jsonl` and their copies, moved back in time by six hours each, so that the newest
week is as full at every size. Then flagged entries are filed into it, one by one, and the median and the slowest hundredth are printed.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import statistics
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bot.app import Judge, SystemClock, make_pipeline, open_judge, open_store
from bot.domain.entries import Entry, ParsedEntry, Source, SourceState
from bot.ports import Harvest
from bot.storage.store import SqlStore
from bot.training.data import entries_of, read_examples
from config.settings import HERE

SEEDS, FILED = 500, 200
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
WRITTEN = Path(__file__).parent.parent / "labels" / "written.jsonl"
# `:n` tells a copy from its original; keys and dossiers are copied as they are, so that candidates stay as plentiful.
COPIES = (
    "INSERT INTO developments (id, dossier_id, step, topics, trade_deal, ministerial_meeting, headline, url, stage, status, parties, people, place, day, summary,"
    " importance, first_published, last_published, alerted_at) SELECT id || '-' || :n, dossier_id, step, topics, trade_deal, ministerial_meeting, headline, url,"
    " stage, status, parties, people, place, day, summary, importance, strftime('%Y-%m-%d %H:%M:%f000', first_published, :back), strftime('%Y-%m-%d %H:%M:%f000', last_published, :back), alerted_at"
    " FROM developments WHERE number <= :seeds",
    "INSERT INTO story_keys SELECT key, development_id || '-' || :n, strftime('%Y-%m-%d %H:%M:%f000', last_published, :back) FROM story_keys WHERE development_id NOT LIKE '%-%'",
    "INSERT INTO parties SELECT development_id || '-' || :n, code FROM parties WHERE development_id NOT LIKE '%-%'",
)


class _Reader:
    """Lists one entry at a time."""

    def __init__(self) -> None:
        self.entry: ParsedEntry | None = None

    async def read(self, source: Source, state: SourceState, now: datetime) -> Harvest:
        return Harvest(entries=(self.entry,) if self.entry else ())


class _Clock(SystemClock):
    def now(self) -> datetime:
        return NOW


def _parsed(entry: Entry, number: int) -> ParsedEntry:
    return ParsedEntry(
        title=entry.title,
        url=f"https://example.com/{number}",
        summary=entry.summary,
        published=NOW - timedelta(minutes=number % 300),
        publisher=None,
        key=f"bench-{number}",
    )


async def _file(store: SqlStore, judge: Judge, entries: list[ParsedEntry]) -> list[float]:
    reader = _Reader()
    pipeline = make_pipeline(reader=reader, store=store, judge=judge, clock=_Clock())
    source, took = Source(name="bench", url="https://example.com/feed"), []
    for entry in entries:
        reader.entry = entry
        await pipeline.poll(source, SourceState(name="bench"))
        began = time.perf_counter()
        await pipeline.assess()
        took.append((time.perf_counter() - began) * 1000)
    return took


def _grow(database: Path, seeds: int, wanted: int) -> int:
    """Copy the first `seeds` developments until there are `wanted`; return how many there are."""
    with closing(sqlite3.connect(database)) as connection:
        for n in range(1, max(wanted // seeds, 1)):
            for statement in COPIES:
                connection.execute(statement, {"n": n, "back": f"-{6 * n} hours", "seeds": seeds})
        connection.commit()
        return int(connection.execute("SELECT count(*) FROM developments").fetchone()[0])


async def measure(developments: int, judge: Judge, entries: list[Entry]) -> dict[str, Any]:
    """Return what filing costs beside `developments` stored ones, in milliseconds an entry."""
    with tempfile.TemporaryDirectory() as folder:
        async with open_store(f"sqlite+aiosqlite:///{folder}/bench.db") as store:
            await _file(store, judge, [_parsed(e, i) for i, e in enumerate(entries[:SEEDS])])
            database = Path(folder, "bench.db")
            with closing(sqlite3.connect(database)) as connection:
                seeds = int(connection.execute("SELECT max(number) FROM developments").fetchone()[0])
            stored = await asyncio.to_thread(_grow, database, seeds, developments)
            fresh = [replace(_parsed(e, SEEDS + i), title=f"{e.title} again") for i, e in enumerate(entries[SEEDS : SEEDS + FILED])]
            took = await _file(store, judge, fresh)
            size = await asyncio.to_thread(lambda: database.stat().st_size)
    ordered = sorted(took)
    return {
        "developments": stored,
        "database_mb": round(size / 1e6),
        "median_ms": round(statistics.median(ordered), 2),
        "p99_ms": round(ordered[int(0.99 * len(ordered))], 2),
    }


async def _main(sizes: list[int]) -> None:
    entries = entries_of([e for e in read_examples([WRITTEN]) if e.flagged])
    async with open_judge(str(HERE / "model")) as judge:
        for size in sizes:
            print(json.dumps(await measure(size, judge, entries)), flush=True)


if __name__ == "__main__":
    asyncio.run(_main([int(x) for x in sys.argv[1:]] or [1_000, 100_000]))
