"""One transaction of the pipeline (port `Writing`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import ColumnElement, delete, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.alerts import Alert, DeliveryState, Destination
from bot.domain.developments import Development
from bot.domain.entries import Arrival, ParsedEntry, SourceState
from bot.domain.topics import Topic
from bot.ports import Candidate, Filed, Intaken, Telling
from bot.storage import rows, tables
from bot.storage.intake import Intake
from bot.storage.reading import entry_columns, entry_join

TELLINGS = 8  # per candidate: the first ones say what the development is, later ones repeat it
CANDIDATES = 60  # per telling, the most recent first


class Announcer(Protocol):
    """Told, within a transaction, of what it makes necessary; what it writes through `connection` is kept or lost with the rest."""

    async def arrived(self, connection: AsyncConnection) -> None:
        """Entries wait for assessment."""
        ...

    async def raised(self, connection: AsyncConnection) -> None:
        """The outbox has something."""
        ...


class SqlWriting:
    """Writes through one connection; whoever opened it commits. Does not decide anything."""

    def __init__(self, connection: AsyncConnection, announcer: Announcer | None = None) -> None:
        self._db = connection
        self._announcer = announcer

    async def intake(self, source: str, entries: Sequence[ParsedEntry], now: datetime, *, fresh_from: datetime | None) -> list[Intaken]:
        """See `Writing.intake`."""
        taken = await Intake(self._db, source, now, fresh_from).take(entries)
        if self._announcer is not None and any(one.arrival is not Arrival.KNOWN for one in taken):
            await self._announcer.arrived(self._db)
        return taken

    async def record_poll(self, state: SourceState) -> None:
        """See `Writing.record_poll`."""
        await self._upsert(tables.sources, tables.sources.c.name == state.name, _values(state))

    async def record_health(self, states: Sequence[SourceState]) -> None:
        """See `Writing.record_health`."""
        t = tables.sources
        for state in states:
            values = {"health": state.health, "since": state.since, "told": state.told}
            same = t.c.name == state.name
            result = await self._db.execute(update(t).where(same).values(**values))
            if result.rowcount == 0:
                await self._db.execute(insert(t).values(**asdict(state)))

    async def record(self, filed: Filed) -> None:
        """See `Writing.record`."""
        t = tables.versions
        result = await self._db.execute(update(t).where(t.c.key == filed.entry.key).values(waiting=False).returning(t.c.id))
        version_id = result.scalar_one()
        values = {"version_id": version_id, **rows.judgement_values(filed)}
        await self._upsert(tables.judgements, tables.judgements.c.version_id == version_id, values)
        if filed.development_id is not None:
            covering = {"version_id": version_id, "development_id": filed.development_id}
            await self._upsert(tables.coverage, tables.coverage.c.version_id == version_id, covering)

    async def _upsert(self, table: Any, same: ColumnElement[bool], values: dict[str, Any]) -> None:  # noqa: ANN401  (Table's own type says no more)
        result = await self._db.execute(update(table).where(same).values(values))
        if result.rowcount == 0:
            await self._db.execute(insert(table).values(values))

    async def candidates(self, keys: Sequence[str], since: datetime) -> list[Candidate]:
        """See `Writing.candidates`."""
        if not keys:
            return []
        k, d = tables.story_keys, tables.developments
        recent = (
            select(k.c.development_id, func.max(k.c.last_published).label("last"))
            .where(k.c.key.in_(keys), k.c.last_published >= since)
            .group_by(k.c.development_id)
            .order_by(func.max(k.c.last_published).desc())
            .limit(CANDIDATES)
            .subquery()
        )
        found = await self._db.execute(select(d).join(recent, recent.c.development_id == d.c.id))
        developments = [rows.development_of(row) for row in found]
        tellings = await self._tellings([x.development_id for x in developments])
        return [Candidate(development=x, tellings=tuple(tellings.get(x.development_id, ())[:TELLINGS])) for x in developments]

    async def _tellings(self, ids: Sequence[str]) -> dict[str, list[Telling]]:
        j, c = tables.judgements, tables.coverage
        joined = entry_join().join(c, c.c.version_id == tables.versions.c.id).join(j, j.c.version_id == c.c.version_id)
        columns = entry_columns().add_columns(*(x for x in j.c if x.name not in ("version_id",)))
        result = await self._db.execute(columns.select_from(joined).where(c.c.development_id.in_(ids)).order_by(c.c.version_id))
        told: dict[str, list[Telling]] = {}
        for row in result:
            telling = Telling(
                entry=rows.entry_of(row),
                assessment=rows.assessment_of(row),
                topics=tuple(Topic(t) for t in row.topics),
                article=row.article or "",
                draft=row.draft or "",
            )
            told.setdefault(row.development_id, []).append(telling)
        return told

    async def development_of(self, entry_id: int) -> str | None:
        """See `Writing.development_of`."""
        c, v = tables.coverage, tables.versions
        joined = c.join(v, v.c.id == c.c.version_id)
        result = await self._db.execute(select(c.c.development_id).select_from(joined).where(v.c.entry_id == entry_id).limit(1))
        return result.scalar_one_or_none()

    async def dossier(self, dossier_id: str) -> Sequence[Development]:
        """See `Writing.dossier`."""
        d = tables.developments
        result = await self._db.execute(select(d).where(d.c.dossier_id == dossier_id).order_by(d.c.step.desc()).limit(50))
        return [rows.development_of(row) for row in result][::-1]

    async def save(self, development: Development, keys: Sequence[str]) -> None:
        """See `Writing.save`."""
        await self._save_dossier(development)
        values = rows.development_values(development)
        d = tables.developments
        await self._upsert(d, d.c.id == development.development_id, values)
        await self._keys(development, keys)
        await self._replace(tables.parties, development, "code", development.parties)
        await self._index(development)

    async def _save_dossier(self, development: Development) -> None:
        t = tables.dossiers
        row = (await self._db.execute(select(t).where(t.c.id == development.dossier_id))).one_or_none()
        reached = development.stage or (row.stage if row else None)
        values = {
            "id": development.dossier_id,
            "topic": development.dossier_id.partition(":")[0],
            "parties": list(development.parties),
            "stage": reached,
            "opened": row.opened if row else development.first_published,
            "updated": max(row.updated, development.last_published) if row else development.last_published,
        }
        await self._upsert(t, t.c.id == development.dossier_id, values)

    async def _keys(self, development: Development, keys: Iterable[str]) -> None:
        t = tables.story_keys
        own = t.c.development_id == development.development_id
        had = set((await self._db.execute(select(t.c.key).where(own))).scalars())
        await self._db.execute(update(t).where(own).values(last_published=development.last_published))
        new = [
            {"key": k, "development_id": development.development_id, "last_published": development.last_published}
            for k in dict.fromkeys(keys)
            if k not in had
        ]
        if new:
            await self._db.execute(insert(t), new)

    async def _replace(self, table: Any, development: Development, column: str, values: Sequence[str]) -> None:  # noqa: ANN401  (Table's own type says no more)
        await self._db.execute(delete(table).where(table.c.development_id == development.development_id))
        if values:
            rows_ = [{"development_id": development.development_id, column: v} for v in dict.fromkeys(values)]
            await self._db.execute(insert(table), rows_)

    async def _index(self, development: Development) -> None:
        number = select(tables.developments.c.number).where(tables.developments.c.id == development.development_id)
        row = (await self._db.execute(number)).scalar_one()
        words = " ".join(
            (
                development.headline,
                development.text,
                development.place or "",
                *(p.name for p in development.people),
                *(c.title for c in development.coverage),
                *(c.outlet for c in development.coverage),
            )
        )
        await self._db.execute(text("DELETE FROM development_words WHERE rowid = :row"), {"row": row})
        await self._db.execute(text("INSERT INTO development_words (rowid, words) VALUES (:row, :words)"), {"row": row, "words": words})

    async def enqueue(self, alert: Alert, destinations: Sequence[Destination]) -> None:
        """See `Writing.enqueue`."""
        a, d = tables.alerts, tables.deliveries
        own = alert.development.development_id
        values = {"development_id": own, "raised": alert.raised, "follow_up": alert.follow_up}
        await self._upsert(a, a.c.development_id == own, values)
        result = await self._db.execute(select(d.c.surface, d.c.address).where(d.c.development_id == own))
        had = {(row.surface, row.address) for row in result}
        new = [
            {
                "development_id": own,
                "surface": x.surface,
                "address": x.address,
                "state": DeliveryState.PENDING,
                "attempts": 0,
                "due": alert.raised,
                "created": alert.raised,
            }
            for x in destinations
            if (x.surface, x.address) not in had
        ]
        if new:
            await self._db.execute(insert(d), new)


def _values(state: SourceState) -> dict[str, Any]:
    values = asdict(state)
    del values["told"]
    return values
