"""How long to leave alone what fails for everybody: growing waits, with jitter. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

FIRST, LONGEST = 1.0, 15.0  # seconds


@dataclass(frozen=True, kw_only=True)
class Hold:
    """The state of one's patience: how often in a row it failed, and until when nothing is tried."""

    failures: int = 0
    until: datetime | None = None

    def failed(self, now: datetime, jitter: float) -> Hold:
        """Return the hold after a failure, `jitter` being 0 to 1; one that failed beside others, within a hold, does not lengthen it."""
        if self.seconds(now):
            return self
        seconds = min(FIRST * 2.0**self.failures, LONGEST) * (0.5 + jitter / 2)
        return Hold(failures=min(self.failures + 1, 30), until=now + timedelta(seconds=seconds))

    def seconds(self, now: datetime) -> float:
        """Return how long nothing is to be tried from `now` on; 0 where it may be."""
        return max((self.until - now).total_seconds(), 0.0) if self.until else 0.0
