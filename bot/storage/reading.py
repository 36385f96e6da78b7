"""Named reads that several parts of the store share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Join, Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.developments import Coverage
from bot.storage import rows, tables


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
    c = tables.coverage
    joined = entry_join().join(c, c.c.version_id == tables.versions.c.id)
    statement = entry_columns().add_columns(c.c.development_id).select_from(joined)
    result = await connection.execute(statement.where(c.c.development_id.in_(ids)).order_by(tables.versions.c.id))
    found: dict[str, dict[int, Coverage]] = {}
    for row in result:
        found.setdefault(row.development_id, {})[row.entry_id] = Coverage.of(rows.entry_of(row))
    return {name: tuple(entries.values()) for name, entries in found.items()}
