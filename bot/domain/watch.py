"""Watch keywords: an admin's expressions that make the bot look closer or away. Each change is recorded with who and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.domain.assessment import Assessment
from bot.domain.entries import Entry
from bot.domain.topics import Topic

MAX_EXPRESSION = 400  # characters
MAX_KEYWORDS = 200
UNDO = "undo"  # the action of a change that took another back


class Effect(StrEnum):
    """What a watch keyword does to an entry that it matches."""

    WATCH = "watch"  # lowers the threshold
    ONLY = "only"  # narrows a channel to what it matches
    MUTE = "mute"  # suppresses


@dataclass(frozen=True, kw_only=True)
class WatchKeyword:
    """An expression with its effect and the admin who added it. `channel` ("slack:C1") is where an `only` holds; "" means everywhere.

    `term` is the expression in its canonical form (port `WatchLanguage`).
    """

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
    action: str  # add, remove, undo
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

    @classmethod
    def of(cls, entry: Entry, assessment: Assessment, topics: tuple[Topic, ...]) -> Passage:
        """Return what an expression is to read of an assessed entry, taken to be on `topics`.

        Which topics those are is for the caller to say: those that reach the threshold at hand, or those that a development was filed under.
        """
        return cls(
            title=entry.title,
            summary=entry.summary,
            source=f"{entry.source} / {entry.publisher}" if entry.publisher else entry.source,
            topics=topics,
            parties=assessment.facts.parties,
            people=tuple(person.name for person in assessment.facts.people),
        )
