"""Full text, alike on both databases: words are told apart, folded and stemmed here, so that SQLite and PostgreSQL find the very same.

A query is words that must all occur, "phrases in quotes", and -words that must not. Nothing of a query reaches a database but letters
and digits, so it cannot say anything in the language of FTS5 or of tsquery. Nor does a database's own idea of a word come in, which goes
by its Unicode tables or its locale: FTS5's `ascii` takes every letter beyond ASCII as it is, and PostgreSQL gets words with their places.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import snowballstemmer

from bot.domain.text import fold

MAX_TERMS = 30  # of a query, and words of a phrase
MAX_STEM = 60  # characters: PostgreSQL refuses words of more than 2 KB
MAX_STEMS = 4_000  # of a text: PostgreSQL tells no places apart beyond the 16,383rd (https://www.postgresql.org/docs/current/textsearch-limitations.html)

_WORD = re.compile(r"[^\W_]+")
_TERM = re.compile(r"(?P<minus>(?<!\S)[-–−])?(?:[\"“”„＂](?P<phrase>[^\"“”„＂]*)[\"“”„＂]?|(?P<word>[^\s\"“”„＂]+))")


@dataclass(frozen=True, kw_only=True)
class Term:
    """Stems that stand side by side; `wanted`: they must, else they must not occur."""

    stems: tuple[str, ...]
    wanted: bool = True


class Words:
    """Makes stems of text, and terms of a query."""

    def __init__(self) -> None:
        self._stemmer = snowballstemmer.stemmer("english")

    def stems(self, text: str) -> list[str]:
        """Return the stems of the words of `text`, in order."""
        return [str(stem)[:MAX_STEM] for stem in self._stemmer.stemWords(_WORD.findall(fold(text))[:MAX_STEMS])]

    def terms(self, query: str) -> list[Term]:
        """Return the terms of a query, at most MAX_TERMS; words joined by a sign ("U.S.", "e-mail") are a phrase."""
        found = []
        for match in _TERM.finditer(query):
            stems = tuple(self.stems(match["phrase"] or match["word"] or "")[:MAX_TERMS])
            if stems:
                found.append(Term(stems=stems, wanted=match["minus"] is None))
        return found[:MAX_TERMS]


def fts5(terms: Sequence[Term]) -> str | None:
    """Return the terms in the language of SQLite's FTS5; None where none is wanted. https://sqlite.org/fts5.html#full_text_query_syntax"""
    said = {wanted: [f'"{" ".join(t.stems)}"' for t in terms if t.wanted is wanted] for wanted in (True, False)}
    if not said[True]:
        return None
    without = f" NOT ({' OR '.join(said[False])})" if said[False] else ""
    return f"({' AND '.join(said[True])}){without}"


def tsquery(terms: Sequence[Term]) -> str | None:
    """Return the terms as PostgreSQL's tsquery is written; None where none is wanted. https://www.postgresql.org/docs/current/datatype-textsearch.html"""
    if not any(t.wanted for t in terms):
        return None
    return " & ".join(f"{'' if t.wanted else '!'}({' <-> '.join(map(_quoted, t.stems))})" for t in terms)


def tsvector(stems: Iterable[str]) -> str:
    """Return stems with their places, as PostgreSQL's tsvector is written."""
    return " ".join(f"{_quoted(stem)}:{place}" for place, stem in enumerate(stems, 1))


def _quoted(stem: str) -> str:
    return f"'{stem}'"  # of letters and digits: nothing to escape
