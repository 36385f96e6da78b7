"""Subscriptions: a channel that wants alerts, which ones, and when it wants to be told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from bot.domain.alerts import Destination
from bot.domain.developments import Development
from bot.domain.topics import Topic

HOUR = timedelta(hours=1)
_DAYS = 3  # ahead: an hour of the day comes within them, also where the clocks jump over it


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

    def holds(self, shown: time) -> bool:
        """Say whether it is quiet when the wall clock shows `shown`; at the end itself it is not."""
        if self.start <= self.end:
            return self.start <= shown < self.end
        return shown >= self.start or shown < self.end


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


class Silence(StrEnum):
    """Why a channel is not told of an alert."""

    PAUSED = "paused"
    OTHER_TOPIC = "other_topic"
    OTHER_PARTIES = "other_parties"
    UNIMPORTANT = "unimportant"
    NOT_MATCHED = "not_matched"
    MUTED = "muted"


@dataclass(frozen=True, kw_only=True)
class Mute:
    """A dossier of which a channel wants to hear no more, until `until` where it is given."""

    destination: Destination
    dossier_id: str
    actor: str
    at: datetime
    until: datetime | None = None

    def silences(self, destination: Destination, dossier_id: str, now: datetime) -> bool:
        """Say whether the channel is not to hear of the dossier at `now`."""
        same = self.destination == destination and self.dossier_id == dossier_id
        return same and (self.until is None or now < self.until)


@dataclass(frozen=True, kw_only=True)
class Feedback:
    """What one person of a channel said of a development's alert."""

    development_id: str
    destination: Destination
    actor: str
    useful: bool
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Votes:
    """How often somebody called an alert useful, and how often not relevant."""

    useful: int = 0
    against: int = 0

    @property
    def all(self) -> int:
        """All that was said."""
        return self.useful + self.against


def plan(
    subscription: Subscription,
    development: Development,
    *,
    mutes: Iterable[Mute] = (),
    matches: bool = True,
    told: int = 0,
    now: datetime,
) -> Planned | Silence:
    """Decide when a channel is told of a development, or why it is not.

    `matches`: the subscription's expression and the channel's `only` keywords match, or there are none. `told`: how many alerts went to the
    channel by themselves within the hour before `now`.
    """
    silence = _silence(subscription, development, matches)
    if silence is not None:
        return silence
    if any(mute.silences(subscription.destination, development.dossier_id, now) for mute in mutes):
        return Silence.MUTED
    return _when(subscription, told, now)


def _silence(subscription: Subscription, development: Development, matches: bool) -> Silence | None:
    if subscription.paused is not None:
        return Silence.PAUSED
    if subscription.topics and not set(subscription.topics) & set(development.topics):
        return Silence.OTHER_TOPIC
    if subscription.parties and not set(subscription.parties) & set(development.parties):
        return Silence.OTHER_PARTIES
    if development.importance < subscription.least:
        return Silence.UNIMPORTANT
    return None if matches else Silence.NOT_MATCHED


def _when(subscription: Subscription, told: int, now: datetime) -> Planned:
    if subscription.cadence is Cadence.DAILY:
        return Planned(due=awake(subscription, next_at(subscription.at, subscription.zone, now)), digest=True)
    if subscription.cadence is Cadence.HOURLY or (subscription.cap is not None and told >= subscription.cap):
        return Planned(due=awake(subscription, next_hour(subscription.zone, now)), digest=True)
    due = awake(subscription, now)
    return Planned(due=due, digest=due != now)


def awake(subscription: Subscription, moment: datetime) -> datetime:
    """Return `moment`, or the end of the quiet hours that it falls into, in UTC."""
    quiet, zone = subscription.quiet, ZoneInfo(subscription.zone)
    if quiet is None or not in_quiet(quiet, zone, moment):
        return moment.astimezone(UTC)
    return next(end for end in _instants(quiet.end, zone, moment) if not in_quiet(quiet, zone, end))


def in_quiet(quiet: Quiet, zone: ZoneInfo, moment: datetime) -> bool:
    """Say whether the wall clock of `zone` shows a quiet hour at `moment`."""
    return quiet.holds(moment.astimezone(zone).time())


def next_hour(zone: str, now: datetime) -> datetime:
    """Return the next full hour of the wall clock of `zone`, after `now`, in UTC."""
    shown = now.astimezone(ZoneInfo(zone))
    past = timedelta(minutes=shown.minute, seconds=shown.second, microseconds=shown.microsecond)
    return now.astimezone(UTC) + HOUR - past


def next_at(at: time, zone: str, now: datetime) -> datetime:
    """Return the next instant after `now` at which the wall clock of `zone` shows `at`, in UTC; an hour that the clocks jump over comes after the jump."""
    return _instants(at, ZoneInfo(zone), now)[0]


def _instants(at: time, zone: ZoneInfo, after: datetime) -> list[datetime]:
    """The instants of the next days, in order, at which the wall clock shows `at`: twice on a day on which the clocks are set back over it."""
    first = after.astimezone(zone).date()
    days = (date.fromordinal(first.toordinal() + n) for n in range(_DAYS))
    shown = (datetime.combine(day, at, zone).replace(fold=fold) for day in days for fold in (0, 1))
    moments = {moment.astimezone(UTC) for moment in shown}
    return sorted(m for m in moments if m > after and _shows(m, at, zone))


def _shows(moment: datetime, at: time, zone: ZoneInfo) -> bool:
    """Not so for an hour in a gap, of whose two readings the one after the gap is taken."""
    return moment.astimezone(zone).time() >= at
