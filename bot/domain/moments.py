"""Instants. Every datetime inside Attaché is aware and in UTC; a naive one is refused where it enters."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

# A date before the first public feeds, or further ahead than any time zone explains, is a mistake of the source.
EARLIEST = datetime(1995, 1, 1, tzinfo=UTC)
AHEAD = timedelta(hours=26)


def utc(moment: datetime) -> datetime:
    """Return `moment` in UTC. Raises ValueError for a naive datetime."""
    if moment.tzinfo is None:
        raise ValueError(f"naive datetime {moment!r}: a time zone is needed")
    return moment.astimezone(UTC)


def plausible(moment: datetime | None, now: datetime) -> datetime | None:
    """Return `moment` in UTC if a news entry can bear it, else None; a moment slightly ahead of `now` becomes `now`."""
    if moment is None or not EARLIEST <= moment <= now + AHEAD:
        return None
    return min(utc(moment), now)
