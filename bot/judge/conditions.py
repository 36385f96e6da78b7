"""Compiled watch expressions: a condition's parts, and how a passage is read for them.

Matching is a search for ready-made strings in a passage whose words were folded and stemmed once: linear in the passage, and nothing that an
admin types becomes a regular expression.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Protocol

import snowballstemmer

from bot.domain.text import fold
from bot.domain.topics import Topic
from bot.domain.watch import Passage

QUOTES = '"“”„＂'
TOPICS = {Topic.TRADE_DEAL: "trade", Topic.MINISTERIAL_MEETING: "meeting"}
KEPT_PASSAGES, KEPT_STEMS = 256, 50_000

_WORD = re.compile(r"\w+")
_BARE = re.compile(rf"(?![-–−])(?!(?:and|or|not)$)[^\s(){QUOTES}（）:：]+", re.IGNORECASE)


class Read:
    """A passage as conditions read it, each part when it is first asked for; every word has a space around it."""

    def __init__(self, passage: Passage, stem: Callable[[str], str]) -> None:
        self.passage = passage
        self._stem = stem

    @cached_property
    def _parts(self) -> tuple[str, str]:
        return _folded(self.passage.title), _folded(self.passage.summary)

    def may_hold(self, hint: str) -> bool:
        """Say whether the letters are there, one after the other, wherever a word begins."""
        return any(hint in part for part in self._parts)

    @cached_property
    def _listed(self) -> list[str]:
        title, summary = map(_WORD.findall, self._parts)
        return [*title, "", *summary]  # the empty word parts the two

    @cached_property
    def words(self) -> str:
        return spaced(self._listed)

    @cached_property
    def stems(self) -> str:
        return spaced(list(map(self._stem, self._listed)))

    @cached_property
    def source(self) -> str:
        return spaced(words_of(self.passage.source))

    @cached_property
    def people(self) -> tuple[str, ...]:
        return tuple(spaced(words_of(name)) for name in self.passage.people)


class Node(Protocol):
    """A part of a condition. `str` prints it so that it is read again as the same; `rank` says how tightly it binds."""

    def holds(self, read: Read) -> bool:
        """Say whether it is true of a passage."""
        ...

    @property
    def rank(self) -> int:
        """Say how tightly its outermost part binds: 0 OR, 1 AND, 2 the rest."""
        ...


@dataclass(frozen=True)
class Either:
    parts: tuple[Node, ...]
    rank: int = field(default=0, init=False)

    def holds(self, read: Read) -> bool:
        return any(part.holds(read) for part in self.parts)

    def __str__(self) -> str:
        return " OR ".join(map(str, self.parts))


@dataclass(frozen=True)
class Both:
    parts: tuple[Node, ...]
    rank: int = field(default=1, init=False)

    def holds(self, read: Read) -> bool:
        return all(part.holds(read) for part in self.parts)

    def __str__(self) -> str:
        return " AND ".join(_within(part, 1) for part in self.parts)


@dataclass(frozen=True)
class Negated:
    part: Node
    rank: int = field(default=2, init=False)

    def holds(self, read: Read) -> bool:
        return not self.part.holds(read)

    def __str__(self) -> str:
        return f"NOT {_within(self.part, 2)}"


def _within(node: Node, rank: int) -> str:
    return str(node) if node.rank >= rank else f"({node})"


@dataclass(frozen=True)
class Words:
    """Words in a row. `stems` are those that match whatever their inflection, `start` is how the one after them begins, if it is a prefix.

    `hint` is in every text that has them: looking for it first spares most texts being read word by word.
    """

    shown: str
    stems: str
    start: str = ""
    hint: str = field(init=False, compare=False, repr=False)
    rank: int = field(default=2, init=False)

    def __post_init__(self) -> None:
        hints = [self.start.strip(), *map(beginning, self.stems.split())]
        object.__setattr__(self, "hint", max(hints, key=len))

    def holds(self, read: Read) -> bool:
        if not read.may_hold(self.hint):
            return False
        if not self.start:
            return self.stems in read.stems
        if not self.stems:
            return self.start in read.words
        return self.stems in read.stems and any(self._at(read))

    def _at(self, read: Read) -> Iterator[bool]:
        """Whether the words before a word that begins as wanted are the wanted ones."""
        words, stems = read.words.split(" "), read.stems.split(" ")
        head = self.stems.split()
        wanted = self.start.strip()
        for at in range(len(head), len(words)):
            yield words[at].startswith(wanted) and stems[at - len(head) : at] == head

    def __str__(self) -> str:
        return _quoted(self.shown)


def beginning(stem: str) -> str:
    """Return how every word of a stem begins. Stems keep a word's first letters; of short ones ("die" of "dying") only the first."""
    return stem[:3] if len(stem) > 3 else stem[:1]


@dataclass(frozen=True)
class Country:
    code: str
    rank: int = field(default=2, init=False)

    def holds(self, read: Read) -> bool:
        return self.code in read.passage.parties

    def __str__(self) -> str:
        return f"country:{self.code}"


@dataclass(frozen=True)
class OnTopic:
    topic: Topic
    rank: int = field(default=2, init=False)

    def holds(self, read: Read) -> bool:
        return self.topic in read.passage.topics

    def __str__(self) -> str:
        return f"topic:{TOPICS[self.topic]}"


@dataclass(frozen=True)
class WithPerson:
    """Words of a name, in a row, as they are written: names are not inflected."""

    shown: str
    name: str
    rank: int = field(default=2, init=False)

    def holds(self, read: Read) -> bool:
        return any(self.name in person for person in read.people)

    def __str__(self) -> str:
        return f"person:{_quoted(self.shown)}"


@dataclass(frozen=True)
class FromSource:
    shown: str
    name: str
    rank: int = field(default=2, init=False)

    def holds(self, read: Read) -> bool:
        return self.name in read.source

    def __str__(self) -> str:
        return f"source:{_quoted(self.shown)}"


def _quoted(text: str) -> str:
    return text if _BARE.fullmatch(text) else f'"{text}"'


@dataclass(frozen=True)
class WatchCondition:
    """A compiled expression (port `Condition`). Two are equal when they are printed and read alike."""

    root: Node
    reading: Reading = field(compare=False, repr=False)

    @property
    def text(self) -> str:
        """See `Condition.text`."""
        return str(self.root)

    def matches(self, passage: Passage) -> bool:
        """See `Condition.matches`."""
        return self.root.holds(self.reading.read(passage))


class Reading:
    """Reads passages and words: folded, in stems. Keeps the last passages, for many keywords look at one; safe for several threads."""

    def __init__(self) -> None:
        self.read = lru_cache(KEPT_PASSAGES)(self._read)
        self._stem = lru_cache(KEPT_STEMS)(_stem)

    def _read(self, passage: Passage) -> Read:
        return Read(passage, self._stem)

    def stems(self, words: list[str]) -> list[str]:
        return list(map(self._stem, words))


def _stem(word: str) -> str:
    """A stemmer keeps the word it is at in itself, so that no two threads may share one; making one costs little."""
    return str(snowballstemmer.stemmer("english").stemWord(word))


def words_of(text: str) -> list[str]:
    """Return the words of `text`, folded."""
    return _WORD.findall(_folded(text))


def _folded(text: str) -> str:
    """As `fold`, but for the space between words, which most texts can do without."""
    return text.lower() if text.isascii() else fold(text)


def spaced(words: list[str]) -> str:
    return f" {' '.join(words)} " if words else ""
