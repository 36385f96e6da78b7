"""Taking in what a poll listed: a few statements, however many entries, for every one of them costs a way to the database and back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.entries import Arrival, Entry, ParsedEntry, digest, identities, same_words
from bot.ports import Intaken
from bot.storage import rows, tables
from bot.storage.reading import entry_columns, entry_join

CHUNK = 500  # SQLite bounds the parameters of a statement


@dataclass(kw_only=True)
class _Held:
    """An entry of the store, or one that is being opened: its newest version, and every title that it had."""

    entry: Entry | None = None
    titles: set[str] = field(default_factory=set)

    @property
    def latest(self) -> Entry:
        assert self.entry is not None  # noqa: S101  (opened or loaded before anybody asks)
        return self.entry


@dataclass(frozen=True, kw_only=True)
class _Listed:
    """An item of the document with the entry that it is, and whether it is the one that opens it."""

    parsed: ParsedEntry
    held: _Held
    opens: bool


class Intake:
    """One poll's intake within a transaction. `fresh_from`: new entries that are older, or of unknown age, are the source's baseline."""

    def __init__(self, connection: AsyncConnection, source: str, now: datetime, fresh_from: datetime | None) -> None:
        self._db = connection
        self._source = source
        self._now = now
        self._fresh_from = fresh_from

    async def take(self, entries: Sequence[ParsedEntry]) -> list[Intaken]:
        """Store what is new, as entries not yet assessed; add a version where a known entry's title changed; leave the rest alone."""
        repeated = {guid for guid, times in Counter(e.guid for e in entries if e.guid).items() if times > 1}
        names = [identities(self._source, e, trust_guid=e.guid not in repeated) for e in entries]
        known = await self._known({name for own in names for name in own})
        had = frozenset(known)
        listed = [self._find(entry, own, known) for entry, own in zip(entries, names, strict=True)]
        await self._open([one for one in listed if one.opens])
        taken = [await self._taken(one) for one in listed]
        await self._insert(tables.identities, [{"name": n, "entry_id": held.latest.entry_id} for n, held in known.items() if n not in had])
        return taken

    def _find(self, entry: ParsedEntry, own: Sequence[str], known: dict[str, _Held]) -> _Listed:
        found = next((known[name] for name in own if name in known), None)
        held = found or _Held()
        known |= dict.fromkeys((name for name in own if name not in known), held)
        return _Listed(parsed=entry, held=held, opens=found is None)

    async def _known(self, names: set[str]) -> dict[str, _Held]:
        t, found = tables.identities, dict[str, int]()
        for some in _chunks(sorted(names)):
            result = await self._db.execute(select(t.c.name, t.c.entry_id).where(t.c.name.in_(some)))
            found |= {row.name: row.entry_id for row in result}
        held = await self._load(set(found.values()))
        return {name: held[entry_id] for name, entry_id in found.items()}

    async def _load(self, ids: set[int]) -> dict[int, _Held]:
        held = {entry_id: _Held() for entry_id in ids}
        for some in _chunks(sorted(ids)):
            versions = entry_columns().select_from(entry_join()).where(tables.versions.c.entry_id.in_(some))
            for row in await self._db.execute(versions.order_by(tables.versions.c.number)):
                one = held[row.entry_id]
                one.entry = rows.entry_of(row)
                one.titles.add(row.title)
        return held

    async def _open(self, listed: Sequence[_Listed]) -> None:
        if not listed:
            return
        e = tables.entries
        values = [self._entry_values(one.parsed) for one in listed]
        ids = (await self._db.execute(insert(e).returning(e.c.id, sort_by_parameter_order=True), values)).scalars().all()
        for one, entry_id, kept in zip(listed, ids, values, strict=True):
            self._version(one.held, one.parsed, entry_id, kept["published"], 1, baseline=kept["baseline"], url=kept["url"])
        await self._insert(tables.versions, [_version_values(one.held.latest) for one in listed])

    def _entry_values(self, parsed: ParsedEntry) -> dict[str, Any]:
        baseline = self._fresh_from is not None and (parsed.published is None or parsed.published < self._fresh_from)
        return {
            "source": self._source,
            "url": parsed.url,
            "published": parsed.published or self._now,
            "seen": self._now,
            "baseline": baseline,
            "publisher": parsed.publisher,
        }

    def _version(
        self, held: _Held, parsed: ParsedEntry, entry_id: int, published: datetime, number: int, *, baseline: bool, url: str
    ) -> None:
        before = held.entry
        held.titles.add(parsed.title)
        held.entry = Entry(
            entry_id=entry_id,
            key=parsed.key or digest(str(entry_id), str(number), parsed.url, parsed.title),
            source=before.source if before else self._source,
            url=url,
            title=parsed.title,
            summary=parsed.summary,
            published=published,
            seen=self._now,
            version=number,
            baseline=baseline,
            publisher=before.publisher if before else parsed.publisher,
        )

    async def _taken(self, one: _Listed) -> Intaken:
        """A title that goes back to what it was is no version: two feeds of one publisher may differ for ever."""
        entry, parsed = one.held.latest, one.parsed
        if one.opens:
            return Intaken(entry=entry, arrival=Arrival.NEW)
        if same_words(entry, parsed) or parsed.title in one.held.titles:
            return Intaken(entry=entry, arrival=Arrival.KNOWN)
        published = max(parsed.published or self._now, entry.published)
        self._version(one.held, parsed, entry.entry_id, published, entry.version + 1, baseline=entry.baseline, url=entry.url)
        await self._insert(tables.versions, [_version_values(one.held.latest)])
        return Intaken(entry=one.held.latest, arrival=Arrival.VERSION)

    async def _insert(self, table: Any, values: list[dict[str, Any]]) -> None:  # noqa: ANN401  (Table's own type says no more)
        if values:
            await self._db.execute(insert(table), values)


def _version_values(entry: Entry) -> dict[str, Any]:
    return {
        "entry_id": entry.entry_id,
        "number": entry.version,
        "key": entry.key,
        "title": entry.title,
        "summary": entry.summary,
        "published": entry.published,
        "seen": entry.seen,
        "waiting": True,
    }


def _chunks(values: Iterable[Any]) -> Iterator[list[Any]]:
    listed = list(values)
    for start in range(0, len(listed), CHUNK):
        yield listed[start : start + CHUNK]
