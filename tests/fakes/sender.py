"""A sender that records, and fails on demand (port `Sender`)."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from bot.domain.alerts import Delivery, Receipt


@dataclass(frozen=True, kw_only=True)
class Failure:
    """How one attempt fails. `received`: the platform has the message all the same."""

    error: Exception
    received: bool = False


class RecordingSender:
    """A channel in memory that knows a message by its key, as the platforms do: a second attempt posts no second message."""

    def __init__(self) -> None:
        self.attempts: list[Delivery] = []
        self.posted: dict[str, Delivery] = {}
        self.edits: list[Delivery] = []
        self._failures: deque[Failure] = deque()

    def fail(self, error: Exception, *, received: bool = False, times: int = 1) -> None:
        """Let the next attempts fail with `error`, before the message is received or after."""
        self._failures.extend([Failure(error=error, received=received)] * times)

    @property
    def headlines(self) -> list[str]:
        """What a reader of the channel sees, in order."""
        return [alert.development.headline for d in self.posted.values() for alert in d.alerts]

    async def send(self, delivery: Delivery) -> Receipt:
        self.attempts.append(delivery)
        failure = self._failures.popleft() if self._failures else None
        if failure is None or failure.received:
            self.posted.setdefault(delivery.key, delivery)
        if failure is not None:
            raise failure.error
        return Receipt(message_id=f"m-{list(self.posted).index(delivery.key) + 1}")

    async def edit(self, delivery: Delivery) -> None:
        self.attempts.append(delivery)
        failure = self._failures.popleft() if self._failures else None
        if failure is None or failure.received:
            self.edits.append(delivery)
        if failure is not None:
            raise failure.error
