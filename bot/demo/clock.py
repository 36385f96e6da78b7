"""A clock that stands still until it is set: the demo's time."""

from __future__ import annotations

from datetime import datetime

from bot.domain.moments import utc


class VirtualClock:
    """Implements `bot.ports.Clock`. Moves only when it is told to, and never back."""

    def __init__(self, moment: datetime) -> None:
        self._now = utc(moment)

    def now(self) -> datetime:
        """Return the instant that was set last."""
        return self._now

    def set(self, moment: datetime) -> None:
        """Go to `moment`. Raises ValueError when it is naive or lies before the present one."""
        if (later := utc(moment)) < self._now:
            raise ValueError(f"the clock stands at {self._now.isoformat()} and cannot go back to {later.isoformat()}")
        self._now = later
