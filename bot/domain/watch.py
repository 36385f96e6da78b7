"""Watch keywords: an admin's terms that make the bot look closer. Each change is recorded with who and when."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.domain.errors import UsageError
from bot.domain.text import fold, plain
from bot.domain.topics import Topic

MIN_TERM, MAX_TERM, MAX_TERMS = 2, 80, 200


class Effect(StrEnum):
    """What a watch keyword does to an entry that it matches."""

    WATCH = "watch"  # lowers the threshold
    ONLY = "only"  # narrows a channel to what it matches
    MUTE = "mute"  # suppresses


@dataclass(frozen=True, kw_only=True)
class WatchKeyword:
    """An expression with its effect and the admin who added it. `channel` ("slack:C1") is where an `only` holds; "" means everywhere."""

    term: str
    added_by: str
    added_at: datetime
    effect: Effect = Effect.WATCH
    channel: str = ""


@dataclass(frozen=True, kw_only=True)
class WatchChange:
    """One change of the watch keywords: who, when, what. `undone`: taken back since."""

    at: datetime
    actor: str
    action: str  # add, remove
    term: str
    effect: Effect = Effect.WATCH
    channel: str = ""
    undone: bool = False


@dataclass(frozen=True, kw_only=True)
class Passage:
    """What a watch expression is matched against."""

    title: str
    summary: str = ""
    source: str = ""
    topics: tuple[Topic, ...] = ()
    parties: tuple[str, ...] = ()
    people: tuple[str, ...] = ()


def term_of(words: str) -> str:
    """Return the term that `words` stand for: plain, one space between words, no quotes around. Raises UsageError when it cannot serve."""
    term = plain(words).strip("\"'“”‘’ ")
    if not MIN_TERM <= len(term) <= MAX_TERM:
        raise UsageError(f"A watch keyword has {MIN_TERM} to {MAX_TERM} characters.")
    if not any(c.isalnum() for c in term):
        raise UsageError("A watch keyword needs a letter or a digit.")
    return term


def matching(terms: Iterable[str], text: str) -> list[str]:
    """Return the terms that `text` contains as whole words, whatever the case, accents and width."""
    folded = f" {_words(text)} "
    return [t for t in terms if f" {_words(t)} " in folded]


def _words(text: str) -> str:
    return " ".join(re.findall(r"\w+", fold(text)))
