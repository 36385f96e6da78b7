"""One sweep over 1,000 local sources, of which 5 in 100 are dead, 5 send a byte a second, 5 are of 5 MB: `python -m bench.sources [N]`.

The server runs in a process of its own, on loopback; the schedule that `attache run` has decides when each source is due. Printed are the
whole sweep, the delay of the healthy sources (from the moment they are due until their entries are stored), and the memory of this process,
the model in it; then a second sweep, in which the healthy feeds answer 304.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import random
import resource
import socket
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from multiprocessing.connection import Connection
from typing import Any

from aiohttp import web

from bot.app import Judge, SystemClock, make_pipeline, open_judge, open_store
from bot.domain.entries import Source, SourceState
from bot.pipeline import Pipeline, Polled
from bot.ports import Filed, Harvest, Reader, Store
from bot.schedule import SPREAD, Schedule
from bot.sources.reader import SourceReader
from config.settings import HERE

HEAVY_BYTES = 5 * 1024 * 1024 - 4_096
ENTRIES = 20
HOSTS = 100
SHARES = {"dead": 0.05, "slow": 0.05, "heavy": 0.05}


def _item(name: str, number: int, filler: str) -> str:
    date = format_datetime(datetime.now(UTC) - timedelta(minutes=7 * number))
    return f"<item><title>Notice {number} of {name}</title><link>https://{name}.example/{number}</link><pubDate>{date}</pubDate><description>{filler}</description></item>"


def feed(name: str, size: int = 0) -> bytes:
    """Return an RSS document; filled up to `size` bytes."""
    filler = "An invented notice about the harbour. " * max(1, size // (ENTRIES * 38))
    items = "".join(_item(name, n, filler) for n in range(ENTRIES))
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>{name}</title>{items}</channel></rss>'.encode()


class Server:
    """Answers by path: /ok-N with an ETag, /slow-N a byte a second, /heavy-N five megabytes."""

    def __init__(self) -> None:
        self._bodies: dict[str, bytes] = {}

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer one poll."""
        name = request.match_info["name"]
        if name.startswith("slow"):
            return await self._trickle(request)
        if request.headers.get("If-None-Match") == f'"{name}"':
            return web.Response(status=304)
        if name not in self._bodies:
            self._bodies[name] = feed(name, HEAVY_BYTES if name.startswith("heavy") else 0)
        return web.Response(body=self._bodies[name], content_type="application/rss+xml", headers={"ETag": f'"{name}"'})

    async def _trickle(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        with suppress(ConnectionError):  # whoever polls gives up long before the end
            for byte in b"<rss version='2.0'><channel>" * 4:
                await response.write(bytes([byte]))
                await asyncio.sleep(1)
        return response


def serve(pipe: Connection) -> None:
    """Serve until the parent closes the pipe; send it the port."""

    async def run() -> None:
        app = web.Application()
        app.router.add_get("/{name}", Server().answer)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, host(0), 0, backlog=2_048).start()
        port = runner.addresses[0][1]
        for number in range(1, HOSTS):
            await web.TCPSite(runner, host(number), port, backlog=2_048).start()
        pipe.send(port)
        await asyncio.to_thread(pipe.poll, None)

    asyncio.run(run())


def host(number: int) -> str:
    """Return one of HOSTS addresses of this machine, so that sources are spread over hosts as they are in life."""
    return f"127.0.1.{1 + number % HOSTS}"


def listed(count: int, port: int, dead: int) -> list[Source]:
    """Return the sources, the bad ones spread among the healthy."""
    kinds = [kind for kind, share in SHARES.items() for _ in range(int(count * share))]
    random.Random(5).shuffle(kinds)  # noqa: S311  (a fixed mixture)
    every = count // max(len(kinds), 1)
    sources = []
    for n in range(count):
        kind = kinds[n // every] if n % every == 0 and n // every < len(kinds) else "ok"
        sources.append(Source(name=f"{kind}-{n}", url=f"http://{host(n)}:{dead if kind == 'dead' else port}/{kind}-{n}"))
    return sources


@dataclass(kw_only=True)
class Sweep:
    """What a sweep found: seconds from the moment that each source was due until it was done."""

    seconds: float = 0.0
    done: dict[str, float] = field(default_factory=dict)
    failed: int = 0
    unchanged: int = 0


class _Counting:
    """Counts the polls that were answered with 304."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.unchanged = 0

    async def read(self, source: Source, state: SourceState, now: datetime) -> Harvest:
        harvest = await self._reader.read(source, state, now)
        self.unchanged += harvest.unchanged
        return harvest


class _Timed:
    """The pipeline, with a note of how long after the moment when it was due each poll was done."""

    def __init__(self, pipeline: Pipeline, found: Sweep, due: Mapping[str, float], over: asyncio.Event) -> None:
        self._pipeline, self._found, self._due, self._over = pipeline, found, due, over

    async def poll(self, source: Source, state: SourceState) -> tuple[Polled, SourceState]:
        polled, after = await self._pipeline.poll(source, state)
        self._found.done.setdefault(source.name, time.perf_counter() - self._due[source.name])
        self._found.failed += polled.problem is not None
        if len(self._found.done) == len(self._due):
            self._over.set()
        return polled, after

    async def assess(self) -> list[Filed]:
        """Nothing: the sweep is measured, not the judging."""
        return []


async def sweep(sources: Sequence[Source], reader: Reader, store: Store, judge: Judge) -> Sweep:
    """Have the schedule poll all sources once."""
    counting, found, over = _Counting(reader), Sweep(), asyncio.Event()
    pipeline = make_pipeline(reader=counting, store=store, judge=judge, clock=SystemClock())
    began = time.perf_counter()
    due = {source.name: began + number * SPREAD for number, source in enumerate(sources)}

    async def listed() -> Sequence[Source]:
        return sources

    line = _Timed(pipeline, found, due, over)
    schedule = Schedule(pipeline=line, list_sources=listed, list_states=store.source_states, on_alert=lambda: None)
    running = asyncio.create_task(schedule.run())
    await over.wait()
    found.seconds, found.unchanged = time.perf_counter() - began, counting.unchanged
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return found


def figures(found: Sweep) -> dict[str, Any]:
    """Return what is printed of a sweep."""
    healthy = sorted(seconds for name, seconds in found.done.items() if name.startswith("ok"))
    return {
        "sweep_s": round(found.seconds, 1),
        "healthy_p50_s": round(healthy[len(healthy) // 2], 2),
        "healthy_p95_s": round(healthy[int(0.95 * len(healthy))], 2),
        "failed": found.failed,
        "unchanged": found.unchanged,
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


async def measure(count: int, port: int) -> None:
    """Make two sweeps and print a line for each."""
    with socket.socket() as closed, tempfile.TemporaryDirectory() as folder:
        closed.bind(("0.0.0.0", 0))  # noqa: S104  (bound and not listening: every connection is refused)
        sources = listed(count, port, closed.getsockname()[1])
        async with (
            open_judge(str(HERE / "model")) as judge,
            open_store(f"sqlite+aiosqlite:///{folder}/bench.db") as store,
            SourceReader(allow_private=True, agent="Attache bench") as reader,
        ):
            first = await sweep(sources, reader, store, judge)
            print(json.dumps({"sources": count, "sweep": 1} | figures(first)), flush=True)
            second = await sweep(sources, reader, store, judge)
            print(json.dumps({"sources": count, "sweep": 2} | figures(second)), flush=True)


def main() -> None:
    """Start the server, measure, stop it."""
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,), daemon=True)
    server.start()
    try:
        asyncio.run(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000, ours.recv()))
    finally:
        server.terminate()
        server.join()


if __name__ == "__main__":
    main()
