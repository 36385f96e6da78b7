"""The judge and the pipeline over files of entries: `attache classify` and `attache replay`."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TextIO

from bot.app import Judge, make_pipeline, open_store
from bot.domain.assessment import THRESHOLD, Assessment
from bot.domain.decisions import flag
from bot.domain.developments import Development
from bot.domain.entries import Entry, ParsedEntry, Source, SourceState, digest
from bot.domain.errors import UsageError
from bot.domain.moments import utc
from bot.domain.text import plain, split_publisher, without_tail
from bot.pipeline import Pipeline
from bot.ports import Filed, Harvest, Store
from bot.storage.database import MEMORY

CHUNK = 64
STEP = timedelta(minutes=10)  # a replay's clock moves on at most so far at once: what a poll would bring together

Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Item:
    """One line of input that could be read."""

    key: str
    source: str
    entry: ParsedEntry
    published: datetime


@dataclass(frozen=True, kw_only=True)
class Broken:
    """One line of input that could not be read, counted from 1."""

    line: int
    error: str


def read_line(number: int, line: str, now: datetime) -> Item | Broken:
    """Return the item of a JSON line with `key`, `title`, and perhaps `summary`, `published`, `source`, `url`."""
    try:
        row = json.loads(line)
        if not isinstance(row, dict):
            raise UsageError("not a JSON object")
        return _item(row, now)
    except (ValueError, UsageError, RecursionError) as error:
        return Broken(line=number, error=plain(str(error), 200) or "cannot be read")


def _item(row: Row, now: datetime) -> Item:
    for name in ("key", "title"):
        if not isinstance(row.get(name), str | int) or not str(row[name]).strip():
            raise UsageError(f"{name!r} is missing or empty")
    source, published = str(row.get("source") or "file"), _moment(row.get("published"), now)
    title, publisher = split_publisher(plain(str(row["title"]), 400))
    entry = ParsedEntry(
        title=title,
        url=str(row.get("url") or ""),
        summary=without_tail(plain(str(row.get("summary") or ""))),
        published=published,
        publisher=publisher,
        key=str(row["key"]),
    )
    return Item(key=str(row["key"]), source=source[:200], entry=entry, published=published)


def _moment(text: object, now: datetime) -> datetime:
    if text in (None, ""):
        return now
    moment = datetime.fromisoformat(str(text))
    return utc(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def read_lines(lines: Iterable[str], now: datetime) -> Iterator[Item | Broken]:
    """Yield each line that is not blank, read."""
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield read_line(number, line, now)


async def classify(lines: Iterable[str], judge: Judge, write: Callable[[Row], None]) -> bool:
    """Write one row for each line, in order; return whether every line could be read."""
    good, waiting = True, list[Item]()
    for read in read_lines(lines, datetime.now(UTC)):
        if isinstance(read, Item):
            waiting.append(read)
        if waiting and (len(waiting) == CHUNK or isinstance(read, Broken)):
            await _write_assessed(waiting, judge, write)
            waiting = []
        if isinstance(read, Broken):
            good = False
            write({"line": read.line, "error": read.error})
    if waiting:
        await _write_assessed(waiting, judge, write)
    return good


async def _write_assessed(items: Sequence[Item], judge: Judge, write: Callable[[Row], None]) -> None:
    assessments = await judge.classifier.assess([_entry(item) for item in items])
    for item, assessment in zip(items, assessments, strict=True):
        write(assessed_row(item.key, assessment))


def _entry(item: Item) -> Entry:
    parsed, moment = item.entry, item.published
    return Entry(
        entry_id=0,
        key=item.key,
        source=item.source,
        url=parsed.url,
        title=parsed.title,
        summary=parsed.summary,
        published=moment,
        seen=moment,
        version=1,
        baseline=False,
        publisher=parsed.publisher,
    )


def assessed_row(key: str, assessment: Assessment) -> Row:
    """Return what `attache classify` prints of an entry."""
    flagging = flag(assessment)
    words = ", ".join(f"{word} {share:+.2f}" for word, share in assessment.moved)
    verdict = flagging.reason.sentence.removeprefix("not alerted: ") if flagging.reason else "flagged as a new development"
    return {
        "key": key,
        "topics": {str(topic): round(score, 4) for topic, score in assessment.scores.items()},
        "threshold": THRESHOLD,
        "flagged": [str(topic) for topic in flagging.topics],
        "development": round(assessment.development, 4),
        "stage": assessment.stage,
        "status": assessment.status,
        "parties": list(assessment.facts.parties),
        "people": [person.name for person in assessment.facts.people],
        "why": f"{verdict}; words that weighed: {words or 'none'}",
    }


def read_files(paths: Sequence[Path]) -> tuple[list[Item], list[Broken]]:
    """Return the items of `.jsonl` and `.jsonl.gz` files in the order of publication, each key once, and the lines that are broken."""
    items: dict[str, Item] = {}
    broken: list[Broken] = []
    for path in paths:
        with _opened(path) as lines:
            for read in read_lines(lines, datetime.now(UTC)):
                if isinstance(read, Item):
                    items.setdefault(read.key, read)
                else:
                    broken.append(read)
    return sorted(items.values(), key=lambda i: i.published), broken


def _opened(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return io.TextIOWrapper(gzip.GzipFile(path), encoding="utf-8", errors="replace")
    return path.open(encoding="utf-8", errors="replace")


class _Tape:
    """The entries of a file as sources that are polled (port `Reader`), and their time as the clock (port `Clock`)."""

    def __init__(self) -> None:
        self.moment = datetime.min.replace(tzinfo=UTC)
        self.listed: dict[str, list[ParsedEntry]] = {}

    def now(self) -> datetime:
        return self.moment

    async def read(self, source: Source, state: SourceState, now: datetime) -> Harvest:
        return Harvest(entries=tuple(self.listed.get(source.name, ())))


@dataclass(kw_only=True)
class _Tally:
    entries: dict[str, list[str]] = field(default_factory=dict)
    alerted: dict[str, str] = field(default_factory=dict)

    def add(self, filed: Filed) -> None:
        if filed.development_id is None:
            return
        self.entries.setdefault(filed.development_id, []).append(filed.entry.key)
        if filed.reason.alerts:
            self.alerted[filed.development_id] = filed.entry.key


async def replay(items: Sequence[Item], judge: Judge, write: Callable[[Row], None], progress: Callable[[int], None]) -> None:
    """Run items through the pipeline on a fresh store in memory, their publication being the clock; write a row per development."""
    tape, tally = _Tape(), _Tally()
    async with open_store(MEMORY) as store:
        pipeline = make_pipeline(reader=tape, store=store, judge=judge, clock=tape, report=tally.add)
        await _play(items, tape, pipeline, progress)
        for name, keys in tally.entries.items():
            development = await _found(store, name)
            write(development_row(development, keys, tally.alerted.get(name)))


async def _play(items: Sequence[Item], tape: _Tape, pipeline: Pipeline, progress: Callable[[int], None]) -> None:
    states: dict[str, SourceState] = {}
    for chunk in _chunks(items):
        tape.moment, tape.listed = chunk[-1].published, {}
        for item in chunk:
            tape.listed.setdefault(item.source, []).append(item.entry)
        for name in tape.listed:
            state = states.get(name, SourceState(name=name))
            _, states[name] = await pipeline.poll(Source(name=name, url=f"file:{digest(name)}"), state)
        await pipeline.assess()
        progress(len(chunk))


def _chunks(items: Sequence[Item]) -> Iterator[list[Item]]:
    chunk: list[Item] = []
    for item in items:
        if chunk and (len(chunk) == CHUNK or item.published - chunk[0].published > STEP):
            yield chunk
            chunk = []
        chunk.append(item)
    if chunk:
        yield chunk


async def _found(store: Store, name: str) -> Development:
    development = await store.development(name)
    if development is None:
        raise UsageError(f"development {name} is gone")
    return development


def development_row(development: Development, keys: Sequence[str], alerted: str | None) -> Row:
    """Return what `attache replay` prints of a development; without a sentence to quote, the headline is the summary."""
    return {
        "development": development.development_id,
        "dossier": development.dossier_id,
        "topics": [str(t) for t in development.topics],
        "stage": development.stage,
        "status": development.status,
        "parties": list(development.parties),
        "people": [p.name for p in development.people],
        "headline": development.headline,
        "summary": development.text or development.headline,
        "entries": list(keys),
        "alerted": alerted,
        "alerted_at": development.alerted_at.isoformat() if development.alerted_at else None,
    }
