"""One transaction of the pipeline (port `Writing`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import ColumnElement, bindparam, delete, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.alerts import Alert, Destination
from bot.domain.developments import Development
from bot.domain.entries import Arrival, ParsedEntry, SourceState
from bot.domain.subscriptions import Planned
from bot.domain.topics import Topic
from bot.ports import Candidate, Document, Filed, Intaken, Poll, Taken, Telling
from bot.storage import deliveries, rows, tables
from bot.storage.intake import Intake
from bot.storage.reading import coverage_by_development, entry_columns, entry_join
from bot.storage.words import Words, index, indexed

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
        [taken] = await self._intake([Document(source=source, entries=entries, now=now, fresh_from=fresh_from)])
        return taken

    async def _intake(self, documents: Sequence[Document]) -> list[list[Intaken]]:
        taken = await Intake(self._db).take(documents)
        if self._announcer is not None and any(one.arrival is not Arrival.KNOWN for some in taken for one in some):
            await self._announcer.arrived(self._db)
        return taken

    async def take(self, polls: Sequence[Poll]) -> list[Taken]:
        """See `Writing.take`."""
        intaken = await self._intake([poll.document for poll in polls])
        taken = [
            Taken(entries=entries, state=poll.after(sum(one.arrival is Arrival.NEW for one in entries)))
            for poll, entries in zip(polls, intaken, strict=True)
        ]
        await self._record_polls([one.state for one in taken])
        return taken

    async def _record_polls(self, states: Sequence[SourceState]) -> None:
        t = tables.sources
        named = select(t.c.name).where(t.c.name.in_([state.name for state in states]))
        had = set((await self._db.execute(named)).scalars())
        if known := [{**_values(state), "own_name": state.name} for state in states if state.name in had]:
            await self._db.execute(update(t).where(t.c.name == bindparam("own_name")), known)
        if new := [_values(state) for state in states if state.name not in had]:
            await self._db.execute(insert(t), new)

    async def record_poll(self, state: SourceState) -> None:
        """Keep what a poll left behind; not `told`, which may have changed meanwhile."""
        await self._record_polls([state])

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

    async def lock(self, names: Iterable[str]) -> None:
        """See `Writing.lock`."""
        if self._db.dialect.name == "sqlite":  # one writer at a time: nothing else is under way
            return
        for name in sorted(set(names)):  # in one order, so that two who want the same do not wait for each other
            await self._db.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name})

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
                *dict.fromkeys(c.title for c in development.coverage),
                *dict.fromkeys(c.outlet for c in development.coverage),
            )
        )
        dialect = self._db.dialect.name
        values = {"row": row, "words": indexed(Words().stems(words), dialect)}
        await self._db.execute(text("DELETE FROM development_words WHERE rowid = :row"), values)
        await self._db.execute(index(dialect), values)

    async def told(self, since: datetime) -> dict[Destination, int]:
        """See `Writing.told`."""
        return await deliveries.told(self._db, since)

    async def enqueue(self, alert: Alert, plans: Mapping[Destination, Planned]) -> None:
        """See `Writing.enqueue`."""
        a, own = tables.alerts, alert.development.development_id
        values = {"development_id": own, "raised": alert.raised, "follow_up": alert.follow_up, "step_changed": alert.step_changed}
        await self._upsert(a, a.c.development_id == own, values)
        await deliveries.enqueue(self._db, alert, plans)
        if self._announcer is not None and plans:
            await self._announcer.raised(self._db)

    async def outdate(self, development_id: str, due: datetime) -> None:
        """See `Writing.outdate`."""
        d = tables.developments
        row = (await self._db.execute(select(d).where(d.c.id == development_id))).one()
        covered = await coverage_by_development(self._db, [development_id])
        await deliveries.outdate(self._db, rows.development_of(row, covered.get(development_id, ())), due)


def _values(state: SourceState) -> dict[str, Any]:
    values = asdict(state)
    del values["told"]
    return values
