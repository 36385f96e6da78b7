"""Alerts and deliveries: the platform-neutral message about a development, and its way to one destination."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.domain.developments import Development
from bot.domain.entries import digest


class Surface(StrEnum):
    """Where people read and type."""

    SLACK = "slack"
    DISCORD = "discord"
    CONSOLE = "console"


class DeliveryState(StrEnum):
    """How far a delivery has come."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"


class Outcome(StrEnum):
    """How one attempt to deliver ended."""

    SENT = "sent"
    EDITED = "edited"
    POSTPONED = "postponed"
    REFUSED = "refused"  # for good: the channel is paused
    FAILED = "failed"  # given up


@dataclass(frozen=True, kw_only=True)
class Destination:
    """One channel of one surface. `address` is the platform's channel id."""

    surface: Surface
    address: str

    def __str__(self) -> str:
        return f"{self.surface}:{self.address}"


@dataclass(frozen=True, kw_only=True)
class Alert:
    """The message about a development. `follow_up` names the headline of the dossier's alert before this one, if there was one."""

    development: Development
    raised: datetime
    follow_up: str | None = None
    step_changed: bool = False  # a follow-up that moved the dossier to another stage or status


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One alert on its way to one destination. `thread` is the platform's id of the dossier's first message there, if any.

    `digest`, where it is not empty, are all the alerts that the one message tells of, `alert` the first among them, in the order to show
    them. `message_id` is there when the message was sent before and is to be edited. `begun` is when it was first tried.
    """

    delivery_id: int
    destination: Destination
    alert: Alert
    attempts: int
    thread: str | None = None
    digest: tuple[Alert, ...] = ()
    message_id: str | None = None
    begun: datetime | None = None

    @property
    def alerts(self) -> tuple[Alert, ...]:
        """All the alerts that the message tells of."""
        return self.digest or (self.alert,)

    @property
    def broadcast(self) -> bool:
        """The channel sees it too, not the thread alone."""
        return self.thread is not None and self.alert.step_changed

    @property
    def key(self) -> str:
        """The same for every attempt and after every restart; at most 25 characters, as Discord's nonce wants."""
        if self.digest:
            return digest("digest", str(self.destination), *sorted(a.development.development_id for a in self.digest), size=24)
        return digest("delivery", str(self.destination), self.alert.development.development_id, size=24)


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What the platform called the message."""

    message_id: str


def fingerprint(development: Development) -> int:
    """Return a number, at most 28 bits, that is another one when a message about the development would show something else than before."""
    d = development
    shown = (len(d.outlets), d.stage, d.status, d.place, d.when, tuple(p.name for p in d.people))
    return int(digest("shown", repr(shown), size=7), 16)


def in_digest_order(developments: Sequence[Development]) -> list[Development]:
    """Return developments as a digest shows them: by dossier, the one with the most important development first, each in the order of its steps."""
    weight: dict[str, float] = {}
    for d in developments:
        weight[d.dossier_id] = max(weight.get(d.dossier_id, 0.0), d.importance)
    return sorted(developments, key=lambda d: (-weight[d.dossier_id], d.dossier_id, d.dossier_step, d.development_id))
