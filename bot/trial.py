"""What an expression would have done, had it been a watch keyword: tried on what was judged before. Pure; holds a few examples, not the entries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.assessment import THRESHOLD, WATCHED_THRESHOLD
from bot.domain.decisions import Reason, alert_reason
from bot.domain.entries import Entry
from bot.domain.topics import Topic
from bot.domain.watch import Effect, Passage, WatchKeyword
from bot.keywords import compiled, flagging
from bot.ports import Condition, Filed, WatchLanguage

SPANS = (7, 30)  # days
EXAMPLES = 5
KEPT = 4 * EXAMPLES  # for some are found to be none after all
_UNFLAGGED = (Reason.OFF_TOPIC, Reason.NOT_NEW)


@dataclass(frozen=True, kw_only=True)
class Example:
    """An entry that an expression makes a difference to, and why."""

    entry: Entry
    effect: Effect
    reason: str
    development_id: str = ""


class Trial:
    """Counts, over the last days of each of SPANS, the alerts that there were and what an expression would change about them.

    `watch` would have flagged entries besides: each raises an alert unless it joins a development already known. `mute` would have spared the
    alerts on developments every report of which matches. `only` would have kept alerts from its channel.
    """

    def __init__(self, condition: Condition, keywords: Sequence[WatchKeyword], language: WatchLanguage, now: datetime) -> None:
        self._condition = condition
        muted = [keyword for keyword in keywords if keyword.effect is Effect.MUTE]  # the others change nothing about what was not flagged
        self._keywords = [*muted, WatchKeyword(term=condition.text, added_by="", added_at=now)]
        self._language = language
        self._starts = {days: now - timedelta(days=days) for days in SPANS}
        self._flagged = dict[int, datetime]()  # by entry: a re-titled one counts once
        self._muted = dict[str, datetime]()  # by development
        self._otherwise = set[str]()  # developments with a report that does not match
        self._left_out = Counter[int]()
        self._alerted = Counter[int]()
        self._examples: dict[Effect, list[Example]] = {effect: [] for effect in Effect}
        for keyword in muted:
            compiled(keyword.term, language)  # here, so that `look`, in another thread, finds them ready

    @property
    def since(self) -> datetime:
        """How far back what `look` is to be given goes."""
        return min(self._starts.values())

    @property
    def alerted(self) -> dict[int, int]:
        """How many alerts there were, by days."""
        return {days: self._alerted[days] for days in SPANS}

    def changed(self, effect: Effect) -> dict[int, int]:
        """Return how many entries or alerts the expression would change as a keyword of this effect, by days."""
        if effect is Effect.ONLY:
            return {days: self._left_out[days] for days in SPANS}
        seen = (self._flagged if effect is Effect.WATCH else self._muted).values()
        return {days: sum(moment >= start for moment in seen) for days, start in self._starts.items()}

    def examples(self, effect: Effect) -> list[Example]:
        """Return the latest of them, EXAMPLES at most."""
        return [x for x in self._examples[effect] if effect is not Effect.MUTE or x.development_id in self._muted][:EXAMPLES]

    def look(self, judged: Iterable[Filed]) -> None:
        """Take in what was judged, the latest first."""
        for filed in judged:
            if filed.reason in _UNFLAGGED:
                self._watch(filed)
            else:
                self._spare(filed)

    def _watch(self, filed: Filed) -> None:
        entry, assessment = filed.entry, filed.assessment
        if entry.entry_id in self._flagged or not self._matches(filed, assessment.topics(WATCHED_THRESHOLD)):
            return
        reason = alert_reason(known=False, baseline=entry.baseline, dossier_alerted=False, published=entry.published, now=entry.seen)
        if reason.alerts and flagging(entry, assessment, self._keywords, self._language).reason is None:
            self._flagged[entry.entry_id] = entry.seen
            self._show(filed, Effect.WATCH, _near(filed))

    def _spare(self, filed: Filed) -> None:
        own, matches = filed.development_id or "", self._matches(filed, filed.topics)
        if not matches:
            self._otherwise.add(own)
            self._muted.pop(own, None)
        if not filed.reason.alerts:
            return
        self._count(self._alerted, filed.entry)
        if not matches:
            self._count(self._left_out, filed.entry)
            self._show(filed, Effect.ONLY, f"{filed.reason.sentence}; it does not match")
        elif own not in self._otherwise:
            self._muted[own] = filed.entry.seen
            self._show(filed, Effect.MUTE, f"{filed.reason.sentence}; it matches, and so does every report of it")

    def _matches(self, filed: Filed, topics: tuple[Topic, ...]) -> bool:
        return self._condition.matches(Passage.of(filed.entry, filed.assessment, topics))

    def _count(self, counter: Counter[int], entry: Entry) -> None:
        counter.update(days for days, start in self._starts.items() if entry.seen >= start)

    def _show(self, filed: Filed, effect: Effect, reason: str) -> None:
        if len(self._examples[effect]) < KEPT:
            own = filed.development_id or ""
            self._examples[effect].append(Example(entry=filed.entry, effect=effect, reason=reason, development_id=own))


def _near(filed: Filed) -> str:
    """Why an entry was not flagged, and that it would have been."""
    best = max(filed.assessment.scores.values(), default=0.0)
    scores = f"topic {best:.2f}, new development {filed.assessment.development:.2f}"
    return f"{filed.reason.sentence}; {scores}: below {THRESHOLD}, not below {WATCHED_THRESHOLD}"
