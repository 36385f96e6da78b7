"""The two or three sentences, chosen from the coverage (port `Summarizer`).

Sentences are scored by how much of what all the coverage says they carry (centroid of stems, as in MEAD: Radev et al. 2004), by the
facts they name, and by standing first; then taken greedily, each for what it adds (maximal marginal relevance: Carbonell & Goldstein
1998). A sentence is taken whole, without its dateline. What is not certainly a whole sentence is not taken: a feed that cuts its
texts leaves fewer sentences, and a bare headline stands alone.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import snowballstemmer

from bot.domain.developments import SummarySentence
from bot.domain.reading import passage
from bot.domain.text import fold, plain, sentences
from bot.ports import Telling

MAX_CHARACTERS = 400
MAX_SENTENCES = 3
MAX_TELLINGS = 8
MIN_WORDS = 6
ARTICLE_LINES = 6  # paragraphs of an article: below them begins the background
REPEATS = 0.6  # share of a sentence's stems that may stand in what is taken already
WORTH = 0.25  # of the best sentence's score: what says less is left out

_WORD = re.compile(r"[a-z0-9][a-z0-9'’-]*[a-z0-9]")
_WHOLE = re.compile(r"^[\"'“‘(]?[A-ZÀ-ÖØ-Þ0-9$€£₹].*[.!?][\"'”’)]?$", re.DOTALL)
_CUT = re.compile(r"(?:\.\.|…|\b(?:Mr|Mrs|Ms|Dr|Gen|Sen|Rep|Gov|St|vs|No|[A-Z])\.)[\"'”’)]?$")
_DATELINE = re.compile(
    r"^(?:[A-Z][A-Za-zÀ-ÿ.'’]+(?:[ ,/-]+[A-Z][A-Za-zÀ-ÿ.'’]+){0,4},?\s*(?:\d{1,2}(?:\s+\w+)?\s*)?)?\((?:Reuters|AP|AFP|PTI|ANI|IANS|UNI|Bloomberg|Xinhua|Kyodo|CNN|dpa|Yonhap)\)\s*(?:[-–—:]+\s*)?"
    r"|^[A-Z][A-Z .,'’-]{3,40}(?:,?\s+[A-Z][a-z]{2,8}\.?\s+\d{1,2})?\s*[-–—:]+\s+"
    r"|^[A-Z][a-z]+(?: [A-Z][a-z]+)?,\s+\w{3,9}\s+\d{1,2}\s+\([A-Z]+\)[:\s]+"
)
_NOISE = re.compile(
    r"\b(?:continue reading|read more|read full|click here|subscribe|sign up|newsletter|podcast|follow (?:us|live|our|along)|live (?:updates|blog|coverage)"
    r"|as it happened|this (?:article|story|blog|live)|here(?:['’]s| is| are) (?:what|how|why|a look)|what (?:you need )?to know|all you need|photograph|photo:|image:"
    r"|getty|watch (?:video|live|the)|listen (?:to|now)|advertisement|cookies?|all rights reserved|file photo|updated (?:at|on)|published (?:at|on)|first appeared)\b",
    re.IGNORECASE,
)
_BYLINE = re.compile(r"^(?:By|Written by|Edited by|Reporting by)\s+[A-Z]")


@dataclass(frozen=True, kw_only=True)
class _Sentence:
    text: str
    url: str
    stems: frozenset[str]
    first: bool
    facts: int


class ExtractiveSummarizer:
    """Chooses sentences. Pure: writes no word of its own."""

    def __init__(self) -> None:
        self._stemmer = snowballstemmer.stemmer("english")

    def summarize(self, tellings: Sequence[Telling]) -> tuple[SummarySentence, ...]:
        """See `Summarizer.summarize`."""
        if not tellings:
            return ()
        read = tellings[:MAX_TELLINGS]
        found = [s for telling in read for s in self._sentences(telling)]
        headline = self._stems(passage(read[0].entry.title, "")[0])
        weights = self._weights(found, read)
        chosen = _choose(found, weights, headline)
        return tuple(SummarySentence(text=s.text, url=s.url) for s in chosen)

    def _sentences(self, telling: Telling) -> Iterator[_Sentence]:
        names = [fold(p.name.rpartition(" ")[2]) for p in telling.assessment.facts.people]
        place = telling.assessment.facts.place
        for number, raw in enumerate(_raw(telling)):
            text = whole(raw)
            if text is None:
                continue
            said = fold(text)
            facts = sum(name in said for name in names) + bool(place and fold(place) in said) + bool(re.search(r"\d", text))
            yield _Sentence(text=text, url=telling.entry.url, stems=self._stems(text), first=number == 0, facts=facts)

    def _weights(self, found: Sequence[_Sentence], tellings: Sequence[Telling]) -> Counter[str]:
        """How many tellings' titles and sentences say a stem; a title counts double, for it says what is new."""
        weights: Counter[str] = Counter()
        for sentence in found:
            weights.update(sentence.stems)
        for telling in tellings:
            stems = self._stems(passage(telling.entry.title, "")[0])
            weights.update(stems)
            weights.update(stems)
        return weights

    def _stems(self, text: str) -> frozenset[str]:
        words = [w for w in _WORD.findall(fold(text)) if len(w) > 3 or w.isdigit()]
        return frozenset(str(s) for s in self._stemmer.stemWords(words))


def _raw(telling: Telling) -> list[str]:
    """The sentences of the summary; of the article's beginning where the feed gave none."""
    body = sentences(passage(telling.entry.title, telling.entry.summary)[1])
    if body or not telling.article:
        return body
    return [s for line in telling.article.splitlines()[:ARTICLE_LINES] for s in sentences(plain(line))]


def whole(sentence: str) -> str | None:
    """Return a sentence without its dateline, or None for what is no whole sentence of the story: cut off, a byline, the page's own words."""
    text = _DATELINE.sub("", sentence).strip()
    if not _WHOLE.match(text) or _CUT.search(text) or _NOISE.search(text) or _BYLINE.match(text):
        return None
    fits = len(text) <= MAX_CHARACTERS and len(text.split()) >= MIN_WORDS and not text.rstrip("\"'”’)").endswith("?")
    return text if fits and _closed(text) else None


def _closed(text: str) -> bool:
    """Every quotation and bracket that is opened is closed: else the sentence's other half is missing."""
    return text.count("“") == text.count("”") and text.count("(") == text.count(")") and text.count('"') % 2 == 0


def _choose(found: Sequence[_Sentence], weights: Counter[str], headline: frozenset[str]) -> list[_Sentence]:
    chosen: list[_Sentence] = []
    said: frozenset[str] = frozenset()
    best = 0.0
    while len(chosen) < MAX_SENTENCES:
        room = MAX_CHARACTERS - sum(len(s.text) + 1 for s in chosen)
        fitting = [s for s in found if len(s.text) <= room and s not in chosen and not _repeats(s, said)]
        scored = [(_score(s, weights, said | headline), -i, s) for i, s in enumerate(fitting)]
        score, _, sentence = max(scored, key=lambda x: x[:2], default=(0.0, 0, None))
        if sentence is None or score < WORTH * best:
            break
        best = best or score
        chosen.append(sentence)
        said |= sentence.stems
    return chosen


def _repeats(sentence: _Sentence, said: frozenset[str]) -> bool:
    return len(sentence.stems & said) > REPEATS * len(sentence.stems)


def _score(sentence: _Sentence, weights: Counter[str], known: frozenset[str]) -> float:
    """The mean weight of a sentence's stems, less for those that are known, more for facts and for standing first."""
    if not sentence.stems:
        return 0.0
    carried: float = sum(weights[s] * (0.5 if s in known else 1.0) for s in sentence.stems) / len(sentence.stems) ** 0.7
    return carried * (1.0 + 0.1 * min(sentence.facts, 4)) * (1.3 if sentence.first else 1.0)
