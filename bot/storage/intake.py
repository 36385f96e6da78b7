"""Taking in what a poll listed: a few statements, however many entries, for every one of them costs a way to the database and back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.entries import Arrival, Entry, ParsedEntry, canonical, digest, identities, same_words
from bot.domain.retention import is_to_be_marked
from bot.ports import Document, Intaken
from bot.storage import rows, tables
from bot.storage.reading import entry_columns, entry_join

CHUNK = 500  # SQLite bounds the parameters of a statement
LAST = func.coalesce(tables.entries.c.listed, tables.entries.c.seen, type_=tables.entries.c.seen.type)


@dataclass(kw_only=True)
class _Held:
    """An entry of the store, or one that is being opened: its newest version, and every title that it had."""

    entry: Entry | None = None
    titles: set[str] = field(default_factory=set)
    last: datetime | None = None  # first seen, or noted as still listed; None for one that is being opened

    @property
    def latest(self) -> Entry:
        assert self.entry is not None  # noqa: S101  (opened or loaded before anybody asks)
        return self.entry


@dataclass(frozen=True, kw_only=True)
class _Listed:
    """An item of a document with the entry that it is, and whether it is the one that opens it."""

    document: Document
    parsed: ParsedEntry
    held: _Held
    opens: bool


class Intake:
    """The intake of several documents within a transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._db = connection

    async def take(self, documents: Sequence[Document]) -> list[list[Intaken]]:
        """Store what is new, as entries not yet assessed; add a version where a known entry's title changed; leave the rest alone.

        Returns what became of each document's entries. An entry that two documents list is opened by the first.
        """
        names = [_names(document) for document in documents]
        known = await self._known({name for own in names for some in own for name in some})
        had = frozenset(known)
        listed = [
            [_find(document, entry, own, known) for entry, own in zip(document.entries, some, strict=True)]
            for document, some in zip(documents, names, strict=True)
        ]
        await self._open([one for some in listed for one in some if one.opens])
        taken = [[await self._taken(one) for one in some] for some in listed]
        new = [{"name": n, "entry_id": held.latest.entry_id} for n, held in known.items() if n not in had]
        await self._insert(tables.identities, new)
        await self._mark([one for some in listed for one in some])
        return taken

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
            versions = entry_columns().add_columns(LAST.label("last")).select_from(entry_join()).where(tables.versions.c.entry_id.in_(some))
            for row in await self._db.execute(versions.order_by(tables.versions.c.number)):
                one = held[row.entry_id]
                one.entry, one.last = rows.entry_of(row), row.last
                one.titles.add(row.title)
        return held

    async def _open(self, listed: Sequence[_Listed]) -> None:
        if not listed:
            return
        e = tables.entries
        values = [_entry_values(one) for one in listed]
        ids = (await self._db.execute(insert(e).returning(e.c.id, sort_by_parameter_order=True), values)).scalars().all()
        for one, entry_id in zip(listed, ids, strict=True):
            one.held.entry = _opened(one, entry_id)
            one.held.titles.add(one.parsed.title)
        await self._insert(tables.versions, [_version_values(one.held.latest) for one in listed])

    async def _taken(self, one: _Listed) -> Intaken:
        """A title that goes back to what it was is no version: two feeds of one publisher may differ for ever."""
        entry, parsed = one.held.latest, one.parsed
        if one.opens:
            return Intaken(entry=entry, arrival=Arrival.NEW)
        if same_words(entry, parsed) or parsed.title in one.held.titles:
            return Intaken(entry=entry, arrival=Arrival.KNOWN)
        one.held.entry = newer = _newer(entry, parsed, one.document.now)
        one.held.titles.add(parsed.title)
        await self._insert(tables.versions, [_version_values(newer)])
        return Intaken(entry=newer, arrival=Arrival.VERSION)

    async def _mark(self, listed: Iterable[_Listed]) -> None:
        """Note that old entries are still listed: see `bot.domain.retention`."""
        t, old = tables.entries, dict[int, datetime]()
        for one in listed:
            if one.held.last is not None and is_to_be_marked(last=one.held.last, now=one.document.now):
                old[one.held.latest.entry_id] = one.document.now
        if old:
            marked = update(t).where(t.c.id == bindparam("own_id")).values(listed=bindparam("now"))
            await self._db.execute(marked, [{"own_id": entry_id, "now": now} for entry_id, now in sorted(old.items())])

    async def _insert(self, table: Any, values: list[dict[str, Any]]) -> None:  # noqa: ANN401  (Table's own type says no more)
        if values:
            await self._db.execute(insert(table), values)


def _names(document: Document) -> list[list[str]]:
    """Return the names under which each entry may be known."""
    repeated = {guid for guid, times in Counter(e.guid for e in document.entries if e.guid).items() if times > 1}
    return [identities(document.source, e, trust_guid=e.guid not in repeated) for e in document.entries]


def _baseline(document: Document, parsed: ParsedEntry) -> bool:
    return document.fresh_from is not None and (parsed.published is None or parsed.published < document.fresh_from)


def _find(document: Document, entry: ParsedEntry, own: Sequence[str], known: dict[str, _Held]) -> _Listed:
    found = next((known[name] for name in own if name in known and not _reused(name, entry, known[name])), None)
    held = found or _Held()
    known |= dict.fromkeys((name for name in own if name not in known), held)
    return _Listed(document=document, parsed=entry, held=held, opens=found is None)


def _reused(name: str, parsed: ParsedEntry, held: _Held) -> bool:
    """Say whether a guid stands for another entry now: address and title both differ. To file one report twice does less harm than to miss one."""
    if not name.startswith("guid:") or held.entry is None or not parsed.url or not held.entry.url:
        return False
    return canonical(parsed.url) != canonical(held.entry.url) and not same_words(held.entry, parsed)


def _opened(one: _Listed, entry_id: int) -> Entry:
    parsed, document = one.parsed, one.document
    return Entry(
        entry_id=entry_id,
        key=_key(entry_id, 1, parsed),
        source=document.source,
        url=parsed.url,
        title=parsed.title,
        summary=parsed.summary,
        published=parsed.published or document.now,
        seen=document.now,
        baseline=_baseline(document, parsed),
        publisher=parsed.publisher,
    )


def _newer(entry: Entry, parsed: ParsedEntry, now: datetime) -> Entry:
    return replace(
        entry,
        key=_key(entry.entry_id, entry.version + 1, parsed),
        title=parsed.title,
        summary=parsed.summary,
        published=max(parsed.published or now, entry.published),
        seen=now,
        version=entry.version + 1,
    )


def _key(entry_id: int, number: int, parsed: ParsedEntry) -> str:
    return parsed.key or digest(str(entry_id), str(number), parsed.url, parsed.title)


def _entry_values(one: _Listed) -> dict[str, Any]:
    parsed, document = one.parsed, one.document
    return {
        "source": document.source,
        "url": parsed.url,
        "published": parsed.published or document.now,
        "seen": document.now,
        "baseline": _baseline(document, parsed),
        "publisher": parsed.publisher,
    }


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
