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
from sqlalchemy import Integer, TextClause, TextualSelect, text

from bot.domain.text import fold

# By SQLAlchemy's name of the dialect; the words as `indexed` and `matching` write them.
INDEX = {
    "sqlite": "INSERT INTO development_words (rowid, words) VALUES (:row, :words)",
    "postgresql": "INSERT INTO development_words (rowid, words) VALUES (:row, CAST(:words AS tsvector))",
}
MATCH = {
    "sqlite": "SELECT rowid FROM development_words WHERE development_words MATCH :said",
    "postgresql": "SELECT rowid FROM development_words WHERE words @@ CAST(:said AS tsquery)",
}

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


def index(dialect: str) -> TextClause:
    """Return the statement that indexes a development: `row` is its number, `words` what `indexed` gives for the same dialect."""
    return text(INDEX[dialect])


def indexed(stems: Iterable[str], dialect: str) -> str:
    """Return stems as the index of a dialect takes them."""
    return " ".join(stems) if dialect == "sqlite" else tsvector(stems)


def matching(terms: Sequence[Term], dialect: str) -> TextualSelect | None:
    """Return the query for the numbers (`rowid`) of the developments that the terms find; None where no term is wanted, which finds nothing."""
    said = fts5(terms) if dialect == "sqlite" else tsquery(terms)
    return None if said is None else text(MATCH[dialect]).bindparams(said=said).columns(rowid=Integer)


def tsvector(stems: Iterable[str]) -> str:
    """Return stems with their places, as PostgreSQL's tsvector is written."""
    return " ".join(f"{_quoted(stem)}:{place}" for place, stem in enumerate(stems, 1))


def _quoted(stem: str) -> str:
    return f"'{stem}'"  # of letters and digits: nothing to escape
