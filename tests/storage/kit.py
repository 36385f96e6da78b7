"""What the tests of the store share: a store on a file, and values of our own invention."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Table, select

from bot.domain.alerts import Alert, Destination, Surface
from bot.domain.assessment import Assessment
from bot.domain.decisions import Reason
from bot.domain.developments import Development, development_id, dossier_id
from bot.domain.entries import Arrival, Entry, ParsedEntry
from bot.domain.subscriptions import Planned, Subscription
from bot.domain.topics import Topic
from bot.ports import Filed, Intaken
from bot.storage import tables
from bot.storage.database import migrate, open_engine
from bot.storage.store import SqlStore
from tests.fakes.clock import START
from tests.postgres import MARK

DEAL, MEETING = Topic.TRADE_DEAL, Topic.MINISTERIAL_MEETING
SLACK = Destination(surface=Surface.SLACK, address="C1")
_TEMPLATE: list[bytes] = []
DISCORD = Destination(surface=Surface.DISCORD, address="42")
NOW = Planned(due=START)


def url_of(path: Path) -> str:
    mark = path / MARK
    return mark.read_text() if mark.exists() else f"sqlite+aiosqlite:///{path / 'attache.db'}"


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[SqlStore]:
    """A store as a process opens it at start; a new file is a copy of one that was migrated once, for speed. See the fixture `database`."""
    file = path / "attache.db"
    if not file.exists() and not (path / MARK).exists():
        file.write_bytes(await _migrated())
    engine = open_engine(url_of(path))
    try:
        yield SqlStore(engine)
    finally:
        await engine.dispose()


async def _migrated() -> bytes:
    if not _TEMPLATE:
        with TemporaryDirectory() as folder:
            engine = open_engine(url_of(Path(folder)))
            await migrate(engine)
            await engine.dispose()
            _TEMPLATE.append((Path(folder) / "attache.db").read_bytes())
    return _TEMPLATE[0]


def item(title: str, number: int = 1, **more: object) -> ParsedEntry:
    """Entry `number` of a feed."""
    values = {"url": f"https://example.com/story-{number}", "guid": f"g{number}", "published": START - timedelta(hours=1)}
    return ParsedEntry(title=title, **{**values, **more})  # type: ignore[arg-type]  # fields by name


async def take(store: SqlStore, *items: ParsedEntry, source: str = "wire", now: datetime = START, baseline: bool = False) -> list[Intaken]:
    async with store.begin() as writing:
        return await writing.intake(source, items, now, fresh_from=datetime.max.replace(tzinfo=UTC) if baseline else None)


def arrivals(taken: Sequence[Intaken]) -> list[str]:
    return [t.arrival.value for t in taken]


async def new(store: SqlStore, title: str, number: int = 1, **more: object) -> Entry:
    """Take in one new entry."""
    (taken,) = await take(store, item(title, number, **more))
    assert taken.arrival is Arrival.NEW
    return taken.entry


def assessed(**more: object) -> Assessment:
    return Assessment(**{"scores": {DEAL: 0.75, MEETING: 0.25}, "development": 0.5, "vector": (0.5, 0.5), "model": "fake", **more})  # type: ignore[arg-type]  # fields by name


def development_on(entry: Entry, **more: object) -> Development:
    own = development_id(entry.key)
    parties = more.get("parties", ("IND", "USA"))
    values = {
        "development_id": own,
        "dossier_id": dossier_id((DEAL,), parties, own),
        "topics": (DEAL,),
        "headline": entry.title,
        "url": entry.url,
        "first_published": entry.published,
        "last_published": entry.published,
        "parties": parties,
    }
    return Development(**{**values, **more})  # type: ignore[arg-type]  # fields by name


async def keep(store: SqlStore, entry: Entry, keys: Sequence[str] = ("w:rice",), alert: bool = False, **more: object) -> Development:
    """File an entry as the pipeline does: with a development of its own, and an alert if wanted."""
    development = development_on(entry, **more)
    filed = Filed(
        entry=entry,
        assessment=assessed(),
        reason=Reason.NEW_DEVELOPMENT,
        topics=development.topics,
        development_id=development.development_id,
    )
    async with store.begin() as writing:
        await writing.save(development, keys)
        if alert:
            await writing.enqueue(Alert(development=development, raised=START), {SLACK: NOW, DISCORD: NOW})
        await writing.record(filed)
    return development


async def subscribed(store: SqlStore, *more: Destination, **wants: object) -> None:
    """Let Slack's and Discord's channel, or those named, want alerts."""
    for destination in more or (SLACK, DISCORD):
        await store.subscribe(Subscription(destination=destination, **wants))  # type: ignore[arg-type]  # fields by name


async def rows(store: SqlStore, table: Table, *columns: str) -> list[tuple[Any, ...]]:
    """The rows of a table, as they lie in the file."""
    async with store._engine.connect() as connection:
        result = await connection.execute(select(*(table.c[c] for c in columns)).order_by(*table.primary_key.columns))
        return [tuple(row) for row in result]


async def outbox(store: SqlStore) -> list[tuple[Any, ...]]:
    return await rows(store, tables.deliveries, "surface", "state", "attempts", "message_id", "problem")
