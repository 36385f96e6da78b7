"""A clock that a test moves (port `Clock`)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)  # a Monday


class ManualClock:
    """Stands until it is told otherwise."""

    def __init__(self, at: datetime = START) -> None:
        self._at = at

    def now(self) -> datetime:
        return self._at

    def set(self, at: datetime) -> None:
        self._at = at

    def advance(self, **by: float) -> datetime:
        """Go on by `timedelta(**by)` and return the new instant."""
        self._at += timedelta(**by)
        return self._at
