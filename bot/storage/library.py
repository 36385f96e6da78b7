"""The read side (port `Library`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Table,
    TextClause,
    and_,
    delete,
    exists,
    false,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.domain.alerts import DeliveryState
from bot.domain.decisions import Reason
from bot.domain.developments import Development
from bot.domain.entries import Kind, SourceChange, SourceState, address_identity
from bot.domain.topics import Status, Topic
from bot.ports import Delay, EntryReport, Query, SourceReport, StatusReport, StoryReport
from bot.storage import rows, tables
from bot.storage.database import Writer
from bot.storage.reading import coverage_by_development, entry_columns, entry_join
from bot.storage.words import Term, Words, matching

MEASURED = timedelta(days=7)  # delays are taken from the entries seen in the week before the latest
MOST_MEASURED = 500
EPOCH = datetime(1970, 1, 8, tzinfo=UTC)


class SqlLibrary:
    """Answers questions about the store; changes nothing but what admins say of sources."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._writer = Writer(engine)

    async def developments(self, query: Query) -> list[Development]:
        """See `Library.developments`."""
        statement = _developments(query, self._engine.dialect.name)
        async with self._engine.connect() as connection:
            found = (await connection.execute(statement)).all()
            covered = await coverage_by_development(connection, [row.id for row in found])
        return [rows.development_of(row, covered.get(row.id, ())) for row in found]

    async def development(self, development_id: str) -> Development | None:
        """See `Library.development`."""
        d = tables.developments
        async with self._engine.connect() as connection:
            row = (await connection.execute(select(d).where(d.c.id == development_id))).one_or_none()
            if row is None:
                return None
            covered = await coverage_by_development(connection, [development_id])
        return rows.development_of(row, covered.get(development_id, ()))

    async def story(self, development_id: str) -> StoryReport | None:
        """See `Library.story`."""
        development = await self.development(development_id)
        if development is None:
            return None
        d, step = tables.developments, development.dossier_step
        same = d.c.dossier_id == development.dossier_id
        async with self._engine.connect() as connection:
            count = (await connection.execute(select(func.count()).select_from(d).where(same))).scalar_one()
            beside = (await connection.execute(select(d).where(same, d.c.step.in_((step - 1, step + 1))))).all()
            sent = await connection.execute(_deliveries(development_id))
            reports = tuple(rows.delivery_report_of(row) for row in sent)
        by_step = {row.step: rows.development_of(row) for row in beside}
        return StoryReport(development=development, of=count, before=by_step.get(step - 1), after=by_step.get(step + 1), deliveries=reports)

    async def why(self, name: str) -> EntryReport | None:
        """See `Library.why`."""
        v, j = tables.versions.c, tables.judgements
        joined = entry_join().outerjoin(j, j.c.version_id == v.id)
        columns = entry_columns().add_columns(*(x for x in j.c if x.name != "version_id")).select_from(joined)
        async with self._engine.connect() as connection:
            for condition in _named(name):
                row = (await connection.execute(columns.where(condition).order_by(v.number.desc()).limit(1))).one_or_none()
                if row is not None:
                    break
            if row is None or row.reason is None:
                return None if row is None else EntryReport(entry=rows.entry_of(row), assessment=None, reason=None)
            d = tables.developments
            found = (await connection.execute(select(d).where(d.c.id == row.development_id))).one_or_none()
        return EntryReport(
            entry=rows.entry_of(row),
            assessment=rows.assessment_of(row),
            reason=Reason(row.reason),
            keyword=row.keyword,
            development=rows.development_of(found) if found else None,
            match=rows.match_of(row.match),
        )

    async def source_changes(self) -> list[SourceChange]:
        """See `Library.source_changes`."""
        t = tables.source_changes
        async with self._engine.connect() as connection:
            found = await connection.execute(select(t).order_by(t.c.at, t.c.name))
            return [SourceChange(name=r.name, url=r.url, kind=Kind(r.kind), paused=r.paused, removed=r.removed) for r in found]

    async def change_source(self, change: SourceChange, actor: str, now: datetime) -> None:
        """See `Library.change_source`."""
        t = tables.source_changes
        async with self._writer.begin() as connection:
            await connection.execute(delete(t).where(t.c.name == change.name))
            await connection.execute(insert(t).values(**asdict(change), actor=actor, at=now))

    async def revive_source(self, name: str) -> None:
        """See `Library.revive_source`."""
        t = tables.sources
        async with self._writer.begin() as connection:
            await connection.execute(update(t).where(t.c.name == name).values(retired=None, failures=0, not_before=None))

    async def source_reports(self) -> tuple[SourceReport, ...]:
        """See `Library.source_reports`."""
        async with self._engine.connect() as connection:
            return await _source_reports(connection)

    async def status(self) -> StatusReport:
        """See `Library.status`."""
        async with self._engine.connect() as connection:
            sources = await _source_states(connection)
            latest = (await connection.execute(select(func.max(tables.versions.c.seen)))).scalar_one()
            since = (latest or EPOCH) - MEASURED
            return StatusReport(
                entries=await _count(connection, tables.entries),
                developments=await _count(connection, tables.developments),
                alerts=await _count(connection, tables.alerts),
                pending=await _count(connection, tables.deliveries, tables.WAITING),
                failed=await _count(connection, tables.deliveries, tables.deliveries.c.state == DeliveryState.FAILED),
                sources=sources,
                seen_seconds=_delay(await connection.execute(_seen(since))),
                sent_seconds=_delay(await connection.execute(_sent(since))),
            )


async def _count(connection: AsyncConnection, table: Table, *conditions: ColumnElement[bool] | TextClause) -> int:
    return int((await connection.execute(select(func.count()).select_from(table).where(*conditions))).scalar_one())


async def _source_reports(connection: AsyncConnection) -> tuple[SourceReport, ...]:
    e = tables.entries.c
    counts = {row[0]: row[1] for row in await connection.execute(select(e.source, func.count()).group_by(e.source))}
    return tuple(SourceReport(state=state, entries=counts.get(state.name, 0)) for state in await _source_states(connection))


async def _source_states(connection: AsyncConnection) -> tuple[SourceState, ...]:
    s = tables.sources
    return tuple(SourceState(**row._mapping) for row in await connection.execute(select(s).order_by(s.c.name)))


def _deliveries(development_id: str) -> Select[Any]:
    d = tables.deliveries.c
    columns = select(d.surface, d.address, d.state, d.digest, d.sent, d.problem)
    return columns.where(d.development_id == development_id).order_by(d.surface, d.address)


def _named(name: str) -> Iterator[ColumnElement[bool]]:
    """What an entry may be named by, each with an index: its key, the development that it opened, its address."""
    v, e, i, c = tables.versions.c, tables.entries.c, tables.identities.c, tables.coverage.c
    yield v.key == name
    yield v.id == select(func.min(c.version_id)).where(c.development_id == name).scalar_subquery()
    if (address := address_identity(name)) is not None:
        yield e.id == select(i.entry_id).where(i.name == address).scalar_subquery()
    elif name.startswith("http"):  # rare, the address of a whole site: these are looked for one by one
        yield e.url == name


def _seen(since: datetime) -> Select[Any]:
    """Publication and first sight of the newest entries; not those of a first poll, which were there before us."""
    e, v = tables.entries.c, tables.versions.c  # by the index on when versions were seen
    fresh = (v.seen >= since, v.number == 1, e.baseline.is_(False), e.published < v.seen)
    return select(e.published, v.seen).select_from(entry_join()).where(*fresh).order_by(v.seen.desc()).limit(MOST_MEASURED)


def _sent(since: datetime) -> Select[Any]:
    """First sight of the entry that opened a development, and the sending of its alert."""
    d, c, v = tables.deliveries, tables.coverage, tables.versions
    opening = select(func.min(c.c.version_id)).where(c.c.development_id == d.c.development_id).correlate(d).scalar_subquery()
    joined = d.join(v, v.c.id == opening)
    return select(v.c.seen, d.c.sent).select_from(joined).where(d.c.sent >= since).order_by(d.c.id.desc()).limit(MOST_MEASURED)


def _delay(found: Iterable[Any]) -> Delay | None:
    seconds = sorted((row[1] - row[0]).total_seconds() for row in found)
    return Delay(median=seconds[len(seconds) // 2], p95=seconds[int(0.95 * (len(seconds) - 1))]) if seconds else None


def _developments(query: Query, dialect: str) -> Select[Any]:
    d = tables.developments
    statement = select(d).order_by(d.c.first_published.desc(), d.c.number.desc()).limit(query.limit)
    if query.topic is not None:
        statement = statement.where((d.c.trade_deal if query.topic is Topic.TRADE_DEAL else d.c.ministerial_meeting).is_(True))
    for code in query.parties:
        p = tables.parties
        statement = statement.where(d.c.id.in_(select(p.c.development_id).where(p.c.code == code)))
    if query.planned_from is not None:
        planned = (tables.PLANNED, d.c.day >= query.planned_from.isoformat())
        statement = statement.where(*planned, ~_over()).order_by(None).order_by(d.c.day, d.c.first_published)
    if query.dossier:
        statement = statement.where(d.c.dossier_id == query.dossier)
    if query.words:
        statement = statement.where(_matching(Words().terms(query.words), dialect))
    return statement


def _over() -> ColumnElement[bool]:
    """A planned meeting that was called off since, or is over: the dossier has a later development that says so of no other day."""
    d, later = tables.developments.c, tables.developments.alias().c
    same = (later.dossier_id == d.dossier_id, later.step > d.step)
    cancelled = and_(later.status == Status.CANCELLED, or_(later.day.is_(None), later.day == d.day))
    return exists().where(*same, or_(cancelled, and_(later.status == Status.HELD, later.day == d.day)))


def _matching(terms: Sequence[Term], dialect: str) -> ColumnElement[bool]:
    found = matching(terms, dialect)
    return false() if found is None else tables.developments.c.number.in_(found)
