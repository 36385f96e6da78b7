"""A telling as the stories see it: its words, names and numbers, weighted by how rare they are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

import snowballstemmer

from bot.domain.entries import digest
from bot.domain.reading import passage
from bot.domain.text import fold
from bot.domain.topics import Stage, Status, Topic
from bot.ports import Telling

BODY = 320  # characters of the summary that count: further down a story's background begins, which many stories share
KEYS = 14

_WORD = re.compile(r"[^\W\d_](?:[\w'’]*\w)?")
_NUMBER = re.compile(r"(?<![\w.])\d[\d,.]*(?:\s?(?:%|per cent|percent|billion|million|bn|mn|crore|lakh|trillion))?", re.IGNORECASE)
_NAME = re.compile(r"\b[A-ZÀ-ÖØ-Þ][\w'’]+(?:[ -][A-ZÀ-ÖØ-Þ][\w'’]+)*")
_STOP = frozenset(
    [
        "a",
        "an",
        "the",
        "of",
        "to",
        "in",
        "on",
        "at",
        "for",
        "and",
        "or",
        "but",
        "with",
        "by",
        "from",
        "as",
        "is",
        "are",
        "was",
        "were",
        "be",
        "been",
        "it",
        "its",
        "his",
        "her",
        "their",
        "this",
        "that",
        "he",
        "she",
        "they",
        "we",
        "you",
        "i",
        "after",
        "before",
        "over",
        "under",
        "into",
        "amid",
        "says",
        "said",
        "say",
        "will",
        "would",
        "could",
        "may",
        "has",
        "have",
        "had",
        "not",
        "no",
        "new",
        "more",
        "than",
        "up",
        "out",
        "about",
        "against",
        "who",
        "what",
        "how",
        "why",
        "when",
        "s",
        "t",
        "us",
        "his",
        "him",
        "them",
        "than",
        "also",
        "between",
        "during",
    ]
)


@dataclass(frozen=True, kw_only=True)
class Profile:
    """What is compared. `title` and `text` map stems to weights."""

    title: Mapping[str, float]
    text: Mapping[str, float]
    names: Mapping[str, float]
    headline_names: Mapping[str, float]
    numbers: frozenset[str]
    parties: frozenset[str]
    people: frozenset[str]
    place: str | None
    when: date | None
    topics: frozenset[Topic]
    stage: Stage | None
    status: Status | None
    outlet: str
    published: datetime
    vector: tuple[float, ...]


class Profiler:
    """Makes profiles with a table of how rare words are (inverse document frequency, natural logarithm)."""

    def __init__(self, idf: Mapping[str, float]) -> None:
        self._idf = idf
        self._unseen = max(idf.values(), default=8.0)
        self._stemmer = snowballstemmer.stemmer("english")

    def profile(self, telling: Telling) -> Profile:
        """Return the telling's profile."""
        title, body = passage(telling.entry.title, telling.entry.summary)
        assessment = telling.assessment
        text = f"{title}. {body[:BODY]}"
        return Profile(
            title=self._weighed(self.stems(title)),
            text=self._weighed(self.stems(text)),
            names=self._weighed(self._names(text)),
            headline_names=self._weighed(self._names(title)),
            numbers=frozenset(n.replace(",", "").rstrip(".").casefold() for n in _NUMBER.findall(text)),
            parties=frozenset(assessment.facts.parties),
            people=frozenset(p.name for p in assessment.facts.people),
            place=assessment.facts.place,
            when=assessment.facts.when,
            topics=frozenset(telling.topics),
            stage=assessment.stage,
            status=assessment.status,
            outlet=telling.entry.outlet,
            published=telling.entry.published,
            vector=assessment.vector,
        )

    def stems(self, text: str) -> list[str]:
        """Return the stems of the words that carry meaning."""
        words = [w for w in (m.removesuffix("'s").removesuffix("’s") for m in _WORD.findall(fold(text))) if w not in _STOP]
        return [str(s) for s in self._stemmer.stemWords(words)]

    def _names(self, text: str) -> list[str]:
        return [stem for name in _NAME.findall(text) for stem in self.stems(name)]

    def _weighed(self, stems: list[str]) -> dict[str, float]:
        return {s: self._idf.get(s, self._unseen) for s in stems}

    def keys(self, profile: Profile) -> tuple[str, ...]:
        """Return the keys under which a telling is found: its people, its pairs of parties, and the rarest words of its title and text."""
        parties = sorted(profile.parties)
        pairs = [f"p:{a}-{b}" for i, a in enumerate(parties) for b in parties[i + 1 :]] or [f"p:{a}" for a in parties]
        people = [f"n:{fold(name)}" for name in sorted(profile.people)]
        rare = sorted(profile.text, key=lambda s: (-(profile.title.get(s, 0.0) + profile.text[s]), s))
        keys = [*pairs, *people[:3], *(f"w:{s}" for s in rare[:KEYS])]
        return tuple(k if len(k) <= 64 else k[:40] + digest(k) for k in keys)
