"""Decisions and their reasons: the one enum that logs, alerts and `why` speak in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.assessment import THRESHOLD, WATCHED_THRESHOLD, Assessment
from bot.domain.topics import Topic

STALE = timedelta(days=3)  # an entry first seen this long after its publication is filed, not alerted


class Reason(StrEnum):
    """Why an entry did or did not become an alert."""

    NEW_DEVELOPMENT = "new_development"
    FOLLOW_UP = "follow_up"
    MORE_COVERAGE = "more_coverage"
    NEW_VERSION = "new_version"
    OFF_TOPIC = "off_topic"
    NOT_NEW = "not_new"
    MUTED = "muted"
    BASELINE = "baseline"
    STALE = "stale"

    @property
    def alerts(self) -> bool:
        """An alert is raised for this reason."""
        return self in (Reason.NEW_DEVELOPMENT, Reason.FOLLOW_UP)

    @property
    def sentence(self) -> str:
        """The reason in words, for a reader."""
        return _SENTENCES[self]


_SENTENCES = {
    Reason.NEW_DEVELOPMENT: "alerted: the first report of a new development",
    Reason.FOLLOW_UP: "alerted as a follow-up: a new development in a dossier that was alerted before",
    Reason.MORE_COVERAGE: "not alerted: more coverage of a development already known",
    Reason.NEW_VERSION: "not alerted: a new version of an entry already known",
    Reason.OFF_TOPIC: "not alerted: neither topic's score reaches the threshold",
    Reason.NOT_NEW: "not alerted: on topic, but no new development (opinion, analysis, background)",
    Reason.MUTED: "not alerted: a muted watch keyword matches",
    Reason.BASELINE: "not alerted: part of the source's first poll and older than a day",
    Reason.STALE: "not alerted: first seen more than three days after publication",
}


@dataclass(frozen=True, kw_only=True)
class Flagging:
    """Whether an entry goes on to the stories: the topics it is flagged for, or the reason why none. `keyword` is the watch keyword that decided."""

    topics: tuple[Topic, ...]
    reason: Reason | None = None
    keyword: str | None = None
    threshold: float = THRESHOLD


def flag(assessment: Assessment, watched: Sequence[str] = (), muted: Sequence[str] = ()) -> Flagging:
    """Decide whether an entry is flagged. `watched` and `muted` are the watch keywords that match it."""
    threshold = WATCHED_THRESHOLD if watched else THRESHOLD
    keyword = watched[0] if watched else None
    if not (topics := assessment.topics(threshold)):
        return Flagging(topics=(), reason=Reason.OFF_TOPIC, keyword=keyword, threshold=threshold)
    if not assessment.flagged(threshold):
        return Flagging(topics=(), reason=Reason.NOT_NEW, keyword=keyword, threshold=threshold)
    if muted:
        return Flagging(topics=(), reason=Reason.MUTED, keyword=muted[0], threshold=threshold)
    return Flagging(topics=topics, keyword=keyword, threshold=threshold)


def alert_reason(*, known: bool, baseline: bool, dossier_alerted: bool, published: datetime, now: datetime) -> Reason:
    """Decide whether a filed entry raises its development's one alert.

    `known`: the development existed before this entry; `dossier_alerted`: an earlier development of the dossier had an alert.
    A development whose first entry could not alert (baseline, stale) stays silent: later coverage of it is old news.
    """
    if known:
        return Reason.MORE_COVERAGE
    if baseline:
        return Reason.BASELINE
    if now - published > STALE:
        return Reason.STALE
    return Reason.FOLLOW_UP if dossier_alerted else Reason.NEW_DEVELOPMENT
