"""The two or three sentences, chosen from the coverage (port `Summarizer`).

Sentences are scored by how much of what all the coverage says they carry (centroid of stems, as in MEAD: Radev et al. 2004), by the
facts they name, and by standing first; then taken greedily, each for what it adds (maximal marginal relevance: Carbonell & Goldstein
1998). A sentence is taken whole, without its dateline. What is not certainly a whole sentence of the news is not taken: a feed that cuts
its texts, or gives a photograph's caption, leaves fewer sentences, and a bare headline stands alone.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

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
REPEATS = 0.5  # share of a sentence's stems that may stand in what is taken already
ADDS = 0.15  # share of a sentence's stems that the headline must not have
WORTH = 0.25  # of the best sentence's score: what says less is left out
TITLED = 0.6  # share of words with a capital: a title, where capitals show nothing
MIN_STANDFIRST, MIN_OPENED, MIN_REST = 6, 3, 8  # words before the joint, before one that an article shows, and after it
ECHOES, MANY = 2, 3  # stems that a standfirst and the first sentence share; of sentences as such few have so many twice

_WORD = re.compile(r"[a-z0-9][a-z0-9'’-]*[a-z0-9]")
_INITIALS = re.compile(r"\b[A-Z]{2,3}\b")  # EU, US, WTO: short, but names
_WHOLE = re.compile(r"^[\"'“‘(]?[A-ZÀ-ÖØ-Þ0-9$€£₹].*[.!?][\"'”’)]?$", re.DOTALL)
_CUT = re.compile(r"(?:\.\.|…|\b(?:Mr|Mrs|Ms|Dr|Gen|Sen|Rep|Gov|St|vs|No|[A-Z])\.)[\"'”’)]?$")
_DATELINE = re.compile(
    r"^(?:[A-Z][A-Za-zÀ-ÿ.'’]+(?:[ ,/-]+[A-Z][A-Za-zÀ-ÿ.'’]+){0,4},?\s*(?:\d{1,2}(?:\s+\w+)?\s*)?)?\((?:Reuters|AP|AFP|PTI|ANI|IANS|UNI|Bloomberg|Xinhua|Kyodo|CNN|dpa|Yonhap)\)\s*(?:[-–—:]+\s*)?"
    r"|^[A-Z][A-Z .,'’-]{3,40}(?:,?\s+[A-Z][a-z]{2,8}\.?\s+\d{1,2})?\s*[-–—:]+\s+"
    r"|^[A-Z][a-z]+(?: [A-Z][a-z]+)?,\s+\w{3,9}\s+\d{1,2}\s+\([A-Z]+\)[:\s]+"
)
_NOISE = re.compile(
    r"\b(?:continue reading|read more|read full|click here|subscribe|sign up|newsletter|podcast|follow (?:us|live|our|along|the day)|live (?:updates|blog|coverage)"
    r"|as it happen(?:ed|s)|this (?:article|story|blog|live)|here(?:['’]s| is| are) (?:what|how|why|a look|some|more|the latest)|what (?:you need )?to know|all you need|photograph"
    r"|getty|watch (?:video|live|the)|listen (?:to|now)|advertisement|cookies?|all rights reserved|file photo|updated (?:at|on)|published (?:at|on)|first appeared"
    r"|what we(?:['’]re| are| know)|has put together|see all our|news emails)\b|\b(?:photo|image|live):|\bhas (?:more|the latest)\.",
    re.IGNORECASE,
)
_BYLINE = re.compile(r"^(?:By|Written by|Edited by|Reporting by)\s+[A-Z]")
# The page's own voice: a reporter at work, or "we" outside a quotation.
_OUTLET = r"(?:NPR|CNBC|CNN|BBC|DW|ITV|(?:NBC|ABC|CBS|Fox|Sky) News|Bloomberg|Reuters|Al Jazeera)"
_VOICE = re.compile(
    r"^(?:Good (?:morning|afternoon|evening)|We|We['’](?:re|ll|ve)|I|My|Our|You|Your)\b"
    rf"|\b{_OUTLET}['’]s? (?:[A-Z][\w.-]+ ){{2,3}}(?:reports|joins|explains|talks|speaks|spoke|discusses|looks)\b"
    rf"|\b(?:talks|speaks|spoke|discuss\w+|interview)\b.* (?:with|to) {_OUTLET}['’]s? [A-Z]"
    r"|^[A-Z]\w+ [A-Z]\w+ (?:reports|joins us)(?: (?:on|from|for|live)\b[^,]{0,40})?\.$"
)
_LABEL = re.compile(
    r"^(?:Exclusive|Breaking(?: news)?|Latest(?: (?:news|updates?))?|Updates?|Just in)\s*[:|]\s+(?=[\"'“‘A-Z0-9])", re.IGNORECASE
)
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|June?|July?|Aug|Sept?|Oct|Nov|Dec)[a-z]*\.?"
_CAPTION = re.compile(
    r"\((?:[LRC]|[LRC]-[LRC]|(?:from |second |third )*(?:left|right|cent(?:er|re)))\)|,\s(?:second from )?(?:left|right|cent(?:er|re)),\s"
    r"|\b(?:(?:are|is) seen|speaks?|attends?|shakes?|walks?|waves?|poses?|arrives?|gestures?|looks?|listens?|talks?|greets?|delivers?|holds?|meets?|stands?|sits?)\b"
    rf".*\b{_MONTH} \d{{1,2}}, \d{{4}}\.?$"
)
_CREDIT = re.compile(
    r"^\([^()]*(?:/|\bvia\b|\b(?:Photo|Image|Pool|Getty|Handout)\b)[^()]*\)(?:\s*\([^()]*\))*\.?\s*|^(?:REUTERS|AP|AFP|EPA)/\w.{2,40}$|^(?:Photo|Image|Picture)(?: by|:)\s.*$",
    re.IGNORECASE,
)
_LIVE = re.compile(r"\b(?:live|as it happened)\b", re.IGNORECASE)
# What only the sentence before explains.
_LEANS = re.compile(
    r"^[\"“‘']?(?:(?:He|She|It|They)(?:['’](?:s|d|ll|re|ve))?|His|Her|Its|Their|This|That|These|Those|Both|But|And|Yet|So|However|Instead|Meanwhile|Also|Still"
    r"|Hours (?:earlier|later|before))\b"
)
_QUOTE = re.compile(r"^[\"“‘'][^\"”]*[\"”’'][.!]?$")

# Feeds give an article's standfirst and its first sentence as one line, with no full stop between them, or with the page's own links.
_LINKS = re.compile(
    r"^.*(?:latest (?:news )?updates|at a glance(?:: what we know on day \d+ of the invasion)?|what we know on day \d+ o[fn] the invasion|explained in \d+ seconds|live blog for the latest updates|our [\w ]{2,30} coverage"
    r"|daily news podcast|daily briefing by email)\s+(?=[\"“‘']?[A-Z0-9])",
    re.IGNORECASE,
)
_CAPITAL = re.compile(r"(?<!\S)[\"'“‘(]?[A-ZÀ-ÖØ-Þ]")
_JOINT = re.compile(r"(?P<before>[\w$€£%-]+[’”]?) (?=(?P<after>[A-ZÀ-ÖØ-Þ][\w’'-]*))")
_OPENER = re.compile(r"(?:The|An?|In|On|At|It|He|She|They|Their|His|Her|There|After|With|As|For|This|When|While|Under)(?= )")
_LEADS = re.compile(  # words that a name follows within a sentence
    r"an?|the|of|in|on|at|by|for|from|to|with|and|or|but|nor|as|if|when|while|that|which|what|who|whose|whom|where|whether|how|why|far|because|than|then|into|onto|over|under|after|before|since|until"
    r"|till|between|among|amid|against|about|across|around|near|off|out|up|upon|via|per|within|without|towards?|through|during|despite|like|unlike|is|are|was|were|will"
    r"|would|be|been|being|has|have|had|could|can|may|might|must|should|do|does|did|not|his|her|its|their|our|this|these|those|some|any|all|both|each|every|no|now|also"
    r"|de|da|del|la|le|el|al|bin|von|der|di|du|said|says?|saying|told|tells?|warn(?:s|ed)|calls?|called|president|premier|(?:prime )?ministers?|chancellor|secretary|leaders?"
    r"|chief|king|queen|prince|senator|envoy|counterpart|diplomat|spokes\w+|lady|ambassador|commissioner|governor|mayor|general|former|firm|group|giant|maker"
    r"|(?:north|south|east|west)(?:ern)?|new|top|senior|fellow|many|most|more|other|several|two|three"
)
_FULL_NAME = re.compile(r"[A-ZÀ-ÖØ-Þ][\w-]+ [A-ZÀ-ÖØ-Þ][\w-]+ (?:has|have|is|are|was|were|will|would|said)\b")
_OBJECT = re.compile(r"\b(?:in|at|of|on|with|over|to|for|from|against|under|by)(?: [A-ZÀ-ÖØ-Þ][\w-]+){1,3} $")
_VERB = re.compile(r"\b(?:to|will|would|can|could|may|might|must|should|not) \w+$|\w(?:ed|ing|['’]s?)$")
_CLAUSE = re.compile(  # a subject, perhaps with an apposition, and its verb
    r"(?:[\w’'-]+ ){1,8}?(?:[\w’'-]+, (?:[\w’'-]+,? ){1,6}?)?(?:has|have|is|are|was|were|will|would|could|can|may|must|said|says)\b"
)
_ARTICLE = re.compile(r"\b(?:the|an?)\b", re.IGNORECASE)
_UNFIT = (_CUT, _NOISE, _BYLINE, _VOICE, _CAPTION, _QUOTE)
_STEMMER = snowballstemmer.stemmer("english")
STEMS_KEPT = 20_000  # the words of a sentence are asked for again and again


@dataclass(frozen=True, kw_only=True)
class _Sentence:
    text: str
    url: str
    stems: frozenset[str]
    telling: int
    position: int  # among the sentences of its telling
    facts: int

    @property
    def leans(self) -> bool:
        """Whether it is understood only after the sentence before it; the very first one comes after the headline."""
        return bool(_LEANS.match(self.text)) and (self.telling, self.position) != (0, 0)

    def follows(self, other: _Sentence) -> bool:
        """Whether `other` is the sentence before it."""
        return (self.telling, self.position) == (other.telling, other.position + 1)


class ExtractiveSummarizer:
    """Chooses sentences. Pure: writes no word of its own."""

    def summarize(self, tellings: Sequence[Telling]) -> tuple[SummarySentence, ...]:
        """See `Summarizer.summarize`."""
        if not tellings:
            return ()
        read = tellings[:MAX_TELLINGS]
        titles = [_stems(passage(t.entry.title, "")[0]) for t in read]
        found = [s for number, telling in enumerate(read) for s in _sentences(number, telling)]
        told = [s for s in found if len(s.stems - titles[0]) >= ADDS * len(s.stems)]
        chosen = _choose(told, _weights(found, titles), titles[0])
        return tuple(SummarySentence(text=s.text, url=s.url) for s in chosen)


def _sentences(number: int, telling: Telling) -> Iterator[_Sentence]:
    names = [fold(p.name.rpartition(" ")[2]) for p in telling.assessment.facts.people]
    place = telling.assessment.facts.place
    for position, raw in enumerate(_raw(telling)):
        text = whole(raw)
        if text is None:
            continue
        said = fold(text)
        facts = sum(name in said for name in names) + bool(place and fold(place) in said) + bool(re.search(r"\d", text))
        yield _Sentence(text=text, url=telling.entry.url, stems=_stems(text), telling=number, position=position, facts=facts)


def _weights(found: Sequence[_Sentence], titles: Sequence[frozenset[str]]) -> Counter[str]:
    """How many tellings' titles and sentences say a stem; a title counts double, for it says what is new."""
    weights: Counter[str] = Counter()
    for stems in (*(s.stems for s in found), *titles, *titles):
        weights.update(stems)
    return weights


def _stems(text: str) -> frozenset[str]:
    words = [w for w in _WORD.findall(fold(text)) if len(w) > 3 or any(c.isdigit() for c in w)]
    return frozenset((*map(_stem, words), *_INITIALS.findall(text)))


@lru_cache(maxsize=STEMS_KEPT)
def _stem(word: str) -> str:
    return str(_STEMMER.stemWord(word))


def _raw(telling: Telling) -> list[str]:
    """The sentences of a model's draft; else of the summary; of the article's beginning where the feed gave none."""
    if telling.draft:
        return sentences(telling.draft)
    body = sentences(passage(telling.entry.title, telling.entry.summary)[1])
    if body:
        return _of_feed(telling.entry.title, body)
    return [s for line in telling.article.splitlines()[:ARTICLE_LINES] for s in sentences(plain(line))]


def _of_feed(title: str, body: list[str]) -> list[str]:
    """Without photographs' captions, and without the standfirst; of a live page only the beginning, for the rest is other news."""
    credited = max((i for i, sentence in enumerate(body) if _CREDIT.match(sentence)), default=None)
    left = body if credited is None else [_CREDIT.sub("", body[credited]), *body[credited + 1 :]]
    parted = [_after_standfirst(s) for s in left]
    return parted[:1] if _LIVE.search(title) else parted


def _after_standfirst(sentence: str) -> str:
    """Return a sentence without the standfirst that the feed ran into it; "" where one is there but its end is not certain."""
    rest = _LINKS.sub("", sentence)
    if len(_CAPITAL.findall(rest)) > TITLED * _words(rest):
        return rest
    capitals = [m for m in _JOINT.finditer(rest) if _words(rest[m.end() :]) >= MIN_REST]
    joints = [m for m in capitals if not _LEADS.fullmatch(m["before"].casefold())]
    for joint in joints:
        if _certain(rest, joint):
            return rest[joint.end() :]
    run_in = any(_may_begin(rest, m) for m in joints) or any(_repeats_itself(rest, m) for m in capitals)
    return "" if run_in else rest


def _words(text: str) -> int:
    return len(text.split())


def _certain(text: str, joint: re.Match[str]) -> bool:
    """Say whether a new sentence certainly begins at `joint`: with an article or the like, or saying again what was said before."""
    at, before = joint.end(), _words(text[: joint.end()])
    if _OPENER.match(text, at):
        return before >= MIN_OPENED
    return before >= MIN_STANDFIRST and _may_end(text, joint) and _begins(text, at) and _echoes(text, at) >= ECHOES


def _repeats_itself(text: str, joint: re.Match[str]) -> bool:
    left = text[: joint.end()]
    return _words(left) >= MIN_STANDFIRST and _echoes(text, joint.end()) > (MANY if _ARTICLE.search(left) else ECHOES)


def _may_end(text: str, joint: re.Match[str]) -> bool:
    """Say whether a clause may end before `joint`: with a noun in small letters, not with a verb whose object the name is."""
    return joint["before"][0].islower() and not _VERB.search(text[: joint.start()] + joint["before"])


def _begins(text: str, at: int) -> bool:
    """Say whether a clause begins at a place in `text`: a few words, then its verb."""
    return bool(_CLAUSE.match(text, at))


def _may_begin(text: str, joint: re.Match[str]) -> bool:
    """Say whether a clause may begin at `joint` after a standfirst: they go without articles."""
    left = text[: joint.end()]
    ends = _may_end(text, joint) or bool(_FULL_NAME.match(text, joint.end()) and _OBJECT.search(left) and _echoes(text, joint.end()))
    return ends and _words(left) >= MIN_STANDFIRST and _begins(text, joint.end()) and not _ARTICLE.search(left)


def _echoes(text: str, at: int) -> int:
    """How many stems are said on both sides of a place in a sentence: within one sentence hardly any."""
    return len(_stems(text[:at]) & _stems(text[at:]))


def whole(sentence: str) -> str | None:
    """Return a sentence without its dateline, or None for what is no whole sentence of the story: cut off, a byline, the page's own words."""
    text = _LABEL.sub("", _DATELINE.sub("", sentence)).strip()
    if not _WHOLE.match(text) or any(p.search(text) for p in _UNFIT):
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
        fitting = [s for s in found if len(s.text) <= room and s not in chosen and not _repeats(s, said) and _stands(s, chosen)]
        scored = [(_score(s, weights, said | headline), -i, s) for i, s in enumerate(fitting)]
        score, _, sentence = max(scored, key=lambda x: x[:2], default=(0.0, 0, None))
        if sentence is None or score < WORTH * best:
            break
        best = best or score
        after = [i for i, s in enumerate(chosen, 1) if sentence.leans and sentence.follows(s)]
        chosen.insert(after[0] if after else len(chosen), sentence)
        said |= sentence.stems
    return chosen


def _stands(sentence: _Sentence, chosen: Sequence[_Sentence]) -> bool:
    """A sentence that leans on the one before it is only taken together with that."""
    return not sentence.leans or any(sentence.follows(s) for s in chosen)


def _repeats(sentence: _Sentence, said: frozenset[str]) -> bool:
    return len(sentence.stems & said) > REPEATS * len(sentence.stems)


def _score(sentence: _Sentence, weights: Counter[str], known: frozenset[str]) -> float:
    """The mean weight of a sentence's stems, less for those that are known, more for facts and for standing first."""
    if not sentence.stems:
        return 0.0
    carried: float = sum(weights[s] * (0.5 if s in known else 1.0) for s in sentence.stems) / len(sentence.stems) ** 0.7
    return carried * (1.0 + 0.1 * min(sentence.facts, 4)) * (1.3 if sentence.position == 0 else 1.0)
