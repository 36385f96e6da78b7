"""Named reads that several parts of the store share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Join, Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.developments import Coverage
from bot.storage import tables


def entry_join() -> Join:
    """Entries with each of their versions."""
    return tables.entries.join(tables.versions, tables.versions.c.entry_id == tables.entries.c.id)


def entry_columns() -> Select[Any]:
    """The columns that `rows.entry_of` reads."""
    e, v = tables.entries.c, tables.versions.c
    return select(
        e.id.label("entry_id"),
        v.key,
        e.source,
        e.url,
        v.title,
        v.summary,
        v.published.label("version_published"),
        v.seen.label("version_seen"),
        v.number,
        e.baseline,
        e.publisher,
    )


async def coverage_by_development(connection: AsyncConnection, ids: Sequence[str]) -> dict[str, tuple[Coverage, ...]]:
    """Return the coverage of the developments, each entry once (its newest version), in order of arrival."""
    c, e, v = tables.coverage.c, tables.entries.c, tables.versions.c
    columns = select(c.development_id, v.entry_id, func.coalesce(func.nullif(e.publisher, ""), e.source), e.url, v.title, v.published)
    statement = columns.select_from(entry_join().join(tables.coverage, c.version_id == v.id))
    found: dict[str, dict[int, Coverage]] = {}
    for own, entry, outlet, url, title, published in await connection.execute(statement.where(c.development_id.in_(ids)).order_by(v.id)):
        found.setdefault(own, {})[entry] = Coverage(outlet=outlet, url=url, title=title, published=published)
    return {name: tuple(entries.values()) for name, entries in found.items()}
