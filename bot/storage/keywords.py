"""The watch keywords, their changes, and the judgements that an expression is tried on (part of port `Library`)."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.domain.assessment import Assessment
from bot.domain.decisions import Reason
from bot.domain.text import fold
from bot.domain.topics import Stage, Status, Topic
from bot.domain.watch import UNDO, Effect, WatchChange, WatchKeyword
from bot.ports import Filed
from bot.storage import rows, tables
from bot.storage.database import Writer
from bot.storage.reading import entry_columns, entry_join

ADD, REMOVE = "add", "remove"
PORTION = 100  # judgements read at a time: a few milliseconds of work


class SqlKeywords:
    """Keeps watch keywords, each change with who and when. Does not know what an expression means."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._writer = Writer(engine)

    async def keywords(self) -> list[WatchKeyword]:
        """See `Library.keywords`."""
        t = tables.watch_keywords
        async with self._engine.connect() as connection:
            found = await connection.execute(select(t).order_by(t.c.added_at, t.c.folded, t.c.effect, t.c.channel))
            return [_keyword(row) for row in found]

    async def add_keyword(self, term: str, actor: str, now: datetime, *, effect: Effect = Effect.WATCH, channel: str = "") -> bool:
        """See `Library.add_keyword`."""
        keyword = WatchKeyword(term=term, added_by=actor, added_at=now, effect=effect, channel=channel)
        with suppress(IntegrityError):  # another process was quicker with the same one
            async with self._writer.begin() as connection:
                if (await connection.execute(select(tables.watch_keywords.c.term).where(_same(keyword)))).first():
                    return False
                await _insert(connection, keyword)
                await _record(connection, ADD, keyword, actor, now)
                return True
        return False

    async def remove_keyword(self, term: str, actor: str, now: datetime, *, channel: str = "") -> bool:
        """See `Library.remove_keyword`."""
        t = tables.watch_keywords
        async with self._writer.begin() as connection:
            here = (t.c.folded == fold(term), t.c.channel.in_(("", channel)))
            removed = (await connection.execute(delete(t).where(*here).returning(*t.c))).all()
            for row in removed:
                await _record(connection, REMOVE, _keyword(row), actor, now)
        return bool(removed)

    async def keyword_changes(self, limit: int) -> list[WatchChange]:
        """See `Library.keyword_changes`."""
        t = tables.watch_changes
        async with self._engine.connect() as connection:
            return [_change(row) for row in await connection.execute(select(t).order_by(t.c.id.desc()).limit(limit))]

    async def undo_keyword(self, actor: str, now: datetime) -> WatchChange | None:
        """See `Library.undo_keyword`."""
        async with self._writer.begin() as connection:
            row = await _last(connection)
            if row is None:
                return None
            await _take_back(connection, row, actor, now)
            await _record(connection, UNDO, _keyword_of(row, actor, now), actor, now)
            return replace(_change(row), undone=True)

    async def judged(self, since: datetime, least: float) -> AsyncGenerator[list[Filed], None]:
        """See `Library.judged`."""
        async with self._engine.connect() as connection:
            found = await connection.stream(_judged(since, least).execution_options(yield_per=PORTION))
            async for portion in found.partitions():
                yield [_filed(row) for row in portion]

    async def openings(self, development_ids: Collection[str]) -> dict[str, Filed]:
        """See `Library.openings`."""
        wanted, found = list(development_ids), dict[str, Filed]()
        async with self._engine.connect() as connection:
            for start in range(0, len(wanted), PORTION):
                rows_ = await connection.execute(_openings(wanted[start : start + PORTION]))
                found |= {filed.development_id: filed for filed in map(_filed, rows_) if filed.development_id}
        return found


async def _insert(connection: AsyncConnection, keyword: WatchKeyword) -> None:
    values = {
        "effect": keyword.effect,
        "channel": keyword.channel,
        "folded": fold(keyword.term),
        "term": keyword.term,
        "added_by": keyword.added_by,
        "added_at": keyword.added_at,
    }
    await connection.execute(insert(tables.watch_keywords).values(values))


async def _record(connection: AsyncConnection, action: str, keyword: WatchKeyword, actor: str, now: datetime) -> None:
    what = {"term": keyword.term, "effect": keyword.effect, "channel": keyword.channel}
    await connection.execute(insert(tables.watch_changes).values(at=now, actor=actor, action=action, **what))


async def _last(connection: AsyncConnection) -> Row[Any] | None:
    """Mark the last change that was not taken back as taken back, and return it; the next, where another process was quicker with that."""
    t = tables.watch_changes
    left = and_(t.c.undone.is_(False), t.c.action != UNDO)
    while (row := (await connection.execute(select(t).where(left).order_by(t.c.id.desc()).limit(1))).one_or_none()) is not None:
        marked = await connection.execute(update(t).where(t.c.id == row.id, t.c.undone.is_(False)).values(undone=True))
        if marked.rowcount:
            return row
    return None


async def _take_back(connection: AsyncConnection, row: Row[Any], actor: str, now: datetime) -> None:
    """Do the opposite of a change. What comes back bears the name of who had added it."""
    keyword = _keyword_of(row, actor, now)
    await connection.execute(delete(tables.watch_keywords).where(_same(keyword)))
    if row.action == REMOVE:
        t = tables.watch_changes
        same = (t.c.action == ADD, t.c.term == row.term, t.c.effect == row.effect, t.c.channel == row.channel, t.c.id < row.id)
        added = (await connection.execute(select(t.c.actor, t.c.at).where(*same).order_by(t.c.id.desc()).limit(1))).one_or_none()
        await _insert(connection, _keyword_of(row, added.actor, added.at) if added else keyword)


def _keyword_of(change: Row[Any], actor: str, now: datetime) -> WatchKeyword:
    return WatchKeyword(term=change.term, added_by=actor, added_at=now, effect=Effect(change.effect), channel=change.channel)


def _same(keyword: WatchKeyword) -> ColumnElement[bool]:
    t = tables.watch_keywords
    return and_(t.c.effect == keyword.effect, t.c.channel == keyword.channel, t.c.folded == fold(keyword.term))


def _keyword(row: Row[Any]) -> WatchKeyword:
    return WatchKeyword(term=row.term, added_by=row.added_by, added_at=row.added_at, effect=Effect(row.effect), channel=row.channel)


def _change(row: Row[Any]) -> WatchChange:
    kept = {name: getattr(row, name) for name in ("at", "actor", "action", "term", "channel", "undone")}
    return WatchChange(effect=Effect(row.effect), **kept)


def _judged(since: datetime, least: float) -> Select[Any]:
    j, v = tables.judgements, tables.versions
    wanted = (v.c.seen >= since, j.c.development >= least, or_(*(score >= least for score in _scores())))
    return _judgements().where(*wanted).order_by(v.c.seen.desc(), v.c.id.desc())


def _openings(development_ids: Sequence[str]) -> Select[Any]:
    v, c = tables.versions.c, tables.coverage.c
    first = select(func.min(c.version_id)).where(c.development_id.in_(development_ids)).group_by(c.development_id)
    return _judgements().where(v.id.in_(first))


def _judgements() -> Select[Any]:
    """The columns that `_filed` reads."""
    j, v = tables.judgements, tables.versions
    more = (j.c.reason, j.c.development, j.c.facts, j.c.topics, j.c.keyword, j.c.development_id, j.c.stage, j.c.status)
    return entry_columns().add_columns(*more, *_scores()).select_from(entry_join().join(j, j.c.version_id == v.c.id))


def _scores() -> list[ColumnElement[float]]:
    return [tables.judgements.c.scores[topic].as_float() for topic in (str(Topic.TRADE_DEAL), str(Topic.MINISTERIAL_MEETING))]


def _filed(row: Row[Any]) -> Filed:
    values: tuple[Any, ...] = tuple(row)  # by place: there are thousands of them
    *_, reason, development, facts, topics, keyword, development_id, stage, status, deal, meeting = values
    scores = {Topic.TRADE_DEAL: deal or 0.0, Topic.MINISTERIAL_MEETING: meeting or 0.0}
    return Filed(
        entry=rows.entry_of(row),
        assessment=Assessment(
            scores=scores,
            development=development,
            stage=Stage(stage) if stage else None,
            status=Status(status) if status else None,
            facts=rows.facts_of(facts),
        ),
        reason=Reason(reason),
        topics=tuple(map(Topic, topics)),
        keyword=keyword,
        development_id=development_id,
    )
