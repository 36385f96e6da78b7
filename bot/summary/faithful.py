"""What a written sentence may not do: name what its source does not name.

Models that write summaries put in names, numbers and dates that no source has (Maynez et al. 2020; Nan et al. 2021: entity-level
precision). So each name, number and date of a sentence must stand in its source, and most of its words must come from there, too.
"""

from __future__ import annotations

import re

import snowballstemmer

from bot.domain.text import fold

COPIED = 0.6  # share of a sentence's stems of four letters or more that its source must have

_NUMBER = re.compile(r"\d[\d.,:/]*")
_WORD = re.compile(r"[^\W_]+(?:['’.-][^\W_]+)*")
_CALENDAR = re.compile(
    r"\b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b|\b(?:january|february|march|april|may|june|july|august|september|october|november|december)\b"
    r"|\b(?:today|yesterday|tomorrow|weekend)\b",
    re.IGNORECASE,
)
_COUNTED = frozenset(
    [
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "dozen",
        "dozens",
        "hundred",
        "hundreds",
        "thousand",
        "thousands",
        "million",
        "billion",
        "trillion",
        "half",
        "quarter",
        "third",
        "double",
        "doubled",
        "triple",
        "tripled",
        "first",
        "second",
    ]
)
_NEGATIONS = frozenset(
    [
        "not",
        "no",
        "never",
        "without",
        "cannot",
        "neither",
        "nor",
        "none",
        "refused",
        "refuses",
        "denied",
        "denies",
        "cancelled",
        "rejected",
        "rejects",
        "failed",
        "fails",
    ]
)


class Gate:
    """Judges sentences against the text of their source. Pure."""

    def __init__(self) -> None:
        self._stemmer = snowballstemmer.stemmer("english")

    def passes(self, sentence: str, source: str) -> bool:
        """Say whether every name, number, date and negation of `sentence` stands in `source`, and most of its words."""
        return not self.invented(sentence, source) and self._copied(sentence, source) >= COPIED

    def invented(self, sentence: str, source: str) -> set[str]:
        """Return the names, numbers, dates and negations of `sentence` that `source` does not have."""
        known = set(_words(source))
        numbers = {_bare(n) for n in _NUMBER.findall(source)}
        found = {n for n in map(_bare, _NUMBER.findall(sentence)) if n not in numbers}
        found |= {w for w in map(fold, _CALENDAR.findall(sentence)) if w not in known}
        found |= {w for w in _words(sentence) if w in _COUNTED | _NEGATIONS and w not in known}
        return found | {name for name in _names(sentence) if name not in known}

    def _copied(self, sentence: str, source: str) -> float:
        said, has = self._stems(sentence), self._stems(source)
        return len(said & has) / len(said) if said else 0.0

    def _stems(self, text: str) -> set[str]:
        return set(self._stemmer.stemWords([w for w in _words(text) if len(w) > 3]))


def _words(text: str) -> list[str]:
    """The words, folded, without a possessive; those with a hyphen whole and in parts."""
    words = [w.removesuffix("'s").removesuffix("’s") for w in _WORD.findall(fold(text))]
    return [*words, *(part for w in words if "-" in w for part in w.split("-"))]


def _names(sentence: str) -> list[str]:
    """The capitalised words, folded: all but the first, which is one only where it is not a common word of the language."""
    written = _WORD.findall(sentence)
    capital = [w for i, w in enumerate(written) if w[:1].isupper() and (i > 0 or fold(w) not in _OPENERS)]
    return [fold(w).removesuffix("'s").removesuffix("’s") for w in capital]


_OPENERS = frozenset(
    [
        "a",
        "an",
        "the",
        "it",
        "its",
        "he",
        "she",
        "they",
        "we",
        "his",
        "her",
        "their",
        "this",
        "that",
        "these",
        "those",
        "in",
        "on",
        "at",
        "by",
        "for",
        "from",
        "with",
        "after",
        "before",
        "during",
        "as",
        "both",
        "all",
        "under",
        "while",
        "when",
        "where",
        "but",
        "and",
        "also",
        "there",
        "talks",
        "ministers",
        "leaders",
        "officials",
    ]
)


def _bare(number: str) -> str:
    return number.replace(",", "").strip(".:/")
