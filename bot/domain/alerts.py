"""Alerts and deliveries: the platform-neutral message about a development, and its way to one destination."""

from __future__ import annotations

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

    `digest`, where it is not empty, are all the alerts that the one message tells of, `alert` among them, in the order to show them.
    `message_id` is there when the message was sent before and is to be edited.
    """

    delivery_id: int
    destination: Destination
    alert: Alert
    attempts: int
    thread: str | None = None
    digest: tuple[Alert, ...] = ()
    message_id: str | None = None

    @property
    def broadcast(self) -> bool:
        """The channel sees it too, not the thread alone."""
        return self.thread is not None and self.alert.step_changed

    @property
    def key(self) -> str:
        """The same for every attempt and after every restart; at most 25 characters, as Discord's nonce wants."""
        return digest("delivery", str(self.destination), self.alert.development.development_id, size=24)


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What the platform called the message."""

    message_id: str
