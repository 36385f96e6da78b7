"""What the classifier says of an entry."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from bot.domain.topics import Stage, Status, Topic

THRESHOLD = 0.5  # scores are calibrated so that this one serves for every topic
WATCHED_THRESHOLD = 0.3  # for entries that a watch keyword matches


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody named in the text; `office` only where the text or the office-holders' file gives it."""

    name: str
    office: str | None = None
    country: str | None = None


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What the text itself names. Every field has a span in the text; nothing is inferred beyond the tables in config/."""

    parties: tuple[str, ...] = ()  # ISO 3166 alpha-3 codes and blocs (EU, ASEAN...), in order of importance
    people: tuple[Person, ...] = ()
    place: str | None = None
    when: date | None = None  # the day of a meeting, resolved against the entry's date


@dataclass(frozen=True, kw_only=True)
class Assessment:
    """Scores (0..1) and facts of one entry. `moved` are the words that weighed most, with their sign; `vector` is a unit vector."""

    scores: dict[Topic, float]
    development: float
    stage: Stage | None = None
    status: Status | None = None
    facts: Facts = field(default_factory=Facts)
    moved: tuple[tuple[str, float], ...] = ()
    vector: tuple[float, ...] = ()
    model: str = ""

    def topics(self, threshold: float = THRESHOLD) -> tuple[Topic, ...]:
        """Return the topics whose score reaches `threshold`, highest first."""
        found = [t for t, score in self.scores.items() if score >= threshold]
        return tuple(sorted(found, key=lambda t: -self.scores[t]))

    def flagged(self, threshold: float = THRESHOLD) -> tuple[Topic, ...]:
        """Return the topics on which this entry reports a new development: topic and development both reach `threshold`."""
        return self.topics(threshold) if self.development >= threshold else ()
