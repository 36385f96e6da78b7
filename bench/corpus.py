"""A folder of feeds, each served as a source: `python -m bench.corpus FOLDER`.

Made for feedparser's own test corpus (the `tests` folder of its source distribution). For each file, what the reader gives is held beside
what feedparser itself yields of the same bytes: entries with a title, a summary, a content, an address or an id. Prints the counts, the slowest file, and
the files of which an entry was lost.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import feedparser
from aiohttp import web

from bot.domain.entries import Source, SourceState
from bot.domain.errors import SourceError
from bot.domain.text import plain
from bot.sources.reader import SourceReader

SUFFIXES = (".xml", ".rss", ".rdf", ".atom", ".json")


def expected(body: bytes) -> int:
    """Return how many entries that say anything feedparser yields; 0 where it fails itself."""
    try:
        parsed: Any = feedparser.parse(body, response_headers={"content-type": "application/xml"})
    except Exception:  # its loose parser raises what it likes; then there is nothing to lose
        return 0
    return sum(any(_words(entry, name) for name in ("title", "summary", "link", "id")) or bool(_content(entry)) for entry in parsed.entries)


def _words(entry: Any, name: str) -> bool:  # noqa: ANN401  feedparser ships no types
    value = entry.get(name)
    return isinstance(value, str) and bool(plain(value))


def _content(entry: Any) -> bool:  # noqa: ANN401  feedparser ships no types
    return any(plain(part.get("value")) for part in entry.get("content") or ())


async def read(reader: SourceReader, url: str, name: str) -> tuple[int, str | None, float]:
    """Return how many entries the reader gives, or its error, and the seconds that it took."""
    began = time.perf_counter()
    try:
        harvest = await reader.read(Source(name=name, url=url), SourceState(name=name), datetime.now(UTC))
    except SourceError as error:
        return 0, str(error), time.perf_counter() - began
    return len(harvest.entries), None, time.perf_counter() - began


async def measure(folder: Path) -> None:
    """Serve, read, compare, print."""
    files = await asyncio.to_thread(lambda: sorted(p for p in folder.rglob("*") if p.suffix in SUFFIXES))
    bodies = {str(n): await asyncio.to_thread(p.read_bytes) for n, p in enumerate(files)}

    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=bodies[request.match_info["name"]], content_type="application/xml")

    app = web.Application()
    app.router.add_get("/{name}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port, lost, errors, slowest, total = runner.addresses[0][1], [], 0, ("", 0.0), [0, 0]
    async with SourceReader(allow_private=True, agent="Attache bench") as reader:
        for n, path in enumerate(files):
            wanted = await asyncio.to_thread(expected, bodies[str(n)])
            found, error, seconds = await read(reader, f"http://127.0.0.1:{port}/{n}", path.name)
            errors += error is not None
            slowest = max(slowest, (path.name, round(seconds, 2)), key=lambda x: x[1])
            total = [total[0] + wanted, total[1] + found]
            if found < wanted:
                lost.append(f"{path.relative_to(folder)}: {found} of {wanted}{f' ({error})' if error else ''}")
    await runner.cleanup()
    print(
        json.dumps(
            {"files": len(files), "feedparser": total[0], "ours": total[1], "errors": errors, "slowest": slowest, "lost": lost}, indent=1
        )
    )


if __name__ == "__main__":
    asyncio.run(measure(Path(sys.argv[1])))
