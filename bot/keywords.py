"""What the watch keywords make of an entry. Pure: keywords and a language in, a decision out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bot.domain.assessment import WATCHED_THRESHOLD, Assessment
from bot.domain.decisions import Flagging, flag
from bot.domain.entries import Entry
from bot.domain.errors import UsageError
from bot.domain.watch import Effect, Passage, WatchKeyword
from bot.ports import Condition, WatchLanguage


def flagging(entry: Entry, assessment: Assessment, keywords: Sequence[WatchKeyword], language: WatchLanguage) -> Flagging:
    """Decide whether an entry goes on to the stories.

    A `watch` keyword is asked about the topics that the lower threshold would give, a `mute` one about those that the entry is flagged for:
    so muting meetings silences no trade deal that a meeting only touches.
    """
    near = Passage.of(entry, assessment, assessment.topics(WATCHED_THRESHOLD))
    watched = _matching(Effect.WATCH, keywords, near, language)
    found = flag(assessment, watched)
    if found.reason is not None:
        return found
    return flag(assessment, watched, _matching(Effect.MUTE, keywords, Passage.of(entry, assessment, found.topics), language))


def compiled(expression: str, language: WatchLanguage) -> Condition | None:
    """Return the condition of a stored expression; None for one that the language does not understand any more.

    It was checked when it was saved, so the language has changed since. It matches nothing, as `watch list` says.
    """
    try:
        return language.compile(expression)
    except UsageError:
        return None


def _matching(effect: Effect, keywords: Iterable[WatchKeyword], passage: Passage, language: WatchLanguage) -> list[str]:
    conditions = ((k.term, compiled(k.term, language)) for k in keywords if k.effect is effect)
    return [term for term, condition in conditions if condition is not None and condition.matches(passage)]
