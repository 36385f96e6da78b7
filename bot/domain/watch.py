"""Watch keywords: an admin's terms that make the bot look closer. Each change is recorded with who and when."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from bot.domain.errors import UsageError
from bot.domain.text import fold, plain

MIN_TERM, MAX_TERM, MAX_TERMS = 2, 80, 200


@dataclass(frozen=True, kw_only=True)
class WatchKeyword:
    """A term with the admin who added it."""

    term: str
    added_by: str
    added_at: datetime


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
