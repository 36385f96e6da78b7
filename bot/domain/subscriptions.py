"""Subscriptions: a channel that wants alerts, which ones, and when it wants to be told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from enum import StrEnum

from bot.domain.alerts import Destination
from bot.domain.topics import Topic


class Cadence(StrEnum):
    """How soon a channel is told."""

    REALTIME = "realtime"
    HOURLY = "hourly"
    DAILY = "daily"


@dataclass(frozen=True, kw_only=True)
class Quiet:
    """Hours in which nothing is posted, in the subscription's zone; `start` later than `end` means over midnight."""

    start: time
    end: time


@dataclass(frozen=True, kw_only=True)
class Subscription:
    """What one channel wants. Empty `topics` or `parties`: all; `parties`: any of them takes part; `expression`: a watch expression that must match.

    `least` is the lowest importance (0..1). `at` is the hour of a daily digest. `cap`: alerts an hour at most, the rest goes to a digest.
    `paused` says why nothing is sent: an admin's word or the platform's refusal. `team` is the Slack workspace or the Discord server.
    """

    destination: Destination
    topics: tuple[Topic, ...] = ()
    parties: tuple[str, ...] = ()
    expression: str = ""
    least: float = 0.0
    cadence: Cadence = Cadence.REALTIME
    at: time = time(8)
    quiet: Quiet | None = None
    zone: str = "UTC"
    cap: int | None = None
    team: str = ""
    paused: str | None = None
    made_by: str = ""
    made_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Planned:
    """When an alert goes to a channel: at `due`, alone or, with `digest`, gathered with the others that are due by then."""

    due: datetime
    digest: bool = False


@dataclass(frozen=True, kw_only=True)
class Mute:
    """A dossier of which a channel wants to hear no more, until `until` where it is given."""

    destination: Destination
    dossier_id: str
    actor: str
    at: datetime
    until: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Feedback:
    """What one person of a channel said of a development's alert."""

    development_id: str
    destination: Destination
    actor: str
    useful: bool
    at: datetime
