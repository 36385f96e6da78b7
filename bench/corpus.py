"""A folder of feeds, each served as a source: `python -m bench.corpus FOLDER`.

Made for feedparser's own test corpus (the `tests` folder of its source distribution), whose files name the headers that they are to be
served with. For each file, what the reader gives is held beside what feedparser itself yields of the same bytes and headers: every entry,
also one that says nothing. Prints the counts, the errors by their reason ("internal" would be a crash), the slowest file, and the files of
which an entry was lost.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import feedparser
from aiohttp import web

from bot.domain.entries import Source, SourceState
from bot.domain.errors import SourceError
from bot.sources.items import UNTITLED
from bot.sources.reader import SourceReader

SUFFIXES = (".xml", ".rss", ".rdf", ".atom", ".json", ".gz", ".z")
PACKED = {".gz": "gzip", ".z": "deflate"}
HEADER = re.compile(rb"^Header:\s+(content-type|content-location):\s*(.+?)\s*$", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class File:
    """A file of the corpus, and the headers that it is served with."""

    path: Path
    body: bytes
    headers: dict[str, str]


@dataclass(kw_only=True)
class Found:
    """What was counted."""

    theirs: int = 0
    ours: int = 0
    untitled: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    slowest: tuple[float, str] = (0.0, "")


def opened(path: Path) -> File:
    """Return a file with the headers that it names, else those of a feed."""
    body = path.read_bytes()
    named = {name.decode().lower(): value.decode("utf-8", "replace") for name, value in HEADER.findall(body)}
    packed = {"content-encoding": PACKED[path.suffix]} if path.suffix in PACKED else {}
    return File(path=path, body=body, headers={"content-type": "application/xml"} | named | packed)


def expected(file: File) -> int:
    """Return how many entries feedparser yields; 0 where it fails itself."""
    try:
        parsed: Any = feedparser.parse(file.body, response_headers=dict(file.headers))
    except Exception:  # its loose parser raises what it likes; then there is nothing to lose
        return 0
    return len(parsed.entries)


async def compare(reader: SourceReader, url: str, file: File, found: Found) -> None:
    """Read one file as a source and count what came."""
    theirs, error = await asyncio.to_thread(expected, file), ""
    began, titles = time.perf_counter(), list[str]()
    try:
        harvest = await reader.read(Source(name=file.path.name, url=url), SourceState(name=file.path.name), datetime.now(UTC))
        titles = [entry.title for entry in harvest.entries]
    except SourceError as caught:
        error = str(caught)
        found.errors[caught.reason] += 1
    found.slowest = max(found.slowest, (round(time.perf_counter() - began, 2), file.path.name))
    found.theirs, found.ours = found.theirs + theirs, found.ours + len(titles)
    found.untitled += titles.count(UNTITLED)
    if len(titles) < theirs:
        found.lost.append(f"{file.path.parent.name}/{file.path.name}: {len(titles)} of {theirs} {error}".strip())


async def measure(folder: Path) -> None:
    """Serve, read, compare, print."""
    paths = await asyncio.to_thread(lambda: sorted(p for p in folder.rglob("*") if p.suffix in SUFFIXES))
    files = [await asyncio.to_thread(opened, path) for path in paths]
    found = Found()

    async def answer(request: web.Request) -> web.Response:
        file = files[int(request.match_info["number"])]
        return web.Response(body=file.body, headers=file.headers)

    app = web.Application()
    app.router.add_get("/{number}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    async with SourceReader(allow_private=True, agent="Attache bench") as reader:
        for number, file in enumerate(files):
            await compare(reader, f"http://127.0.0.1:{port}/{number}", file, found)
    await runner.cleanup()
    print(json.dumps({"files": len(files)} | vars(found), indent=1))


if __name__ == "__main__":
    asyncio.run(measure(Path(sys.argv[1])))
