"""Another model by name, for whoever prefers one (extra `attache[torch]`): a zero-shot model, asked what an entry is about.

Slow (a BART-large shape takes about a second an entry on two cores) and not calibrated on news; the shipped model is neither.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Any

from bot.domain.assessment import Assessment, Facts
from bot.domain.entries import Entry
from bot.domain.errors import ModelError
from bot.domain.reading import passage
from bot.domain.topics import Stage, Status, Topic
from bot.judge.facts import FactReader

WORTH_FACTS = 0.2
TEMPLATE = "This news item reports {}."
TOPICS = {
    "a trade deal or trade negotiations between governments": Topic.TRADE_DEAL,
    "a meeting, visit or call between ministers or leaders of different countries": Topic.MINISTERIAL_MEETING,
}
NEW = "something that has just happened or was just announced, rather than opinion, analysis or background"
STAGES = {
    "that a trade deal is proposed": Stage.PROPOSED,
    "that a trade deal is being negotiated": Stage.NEGOTIATING,
    "that trade talks are stalled": Stage.STALLED,
    "that a trade deal is agreed": Stage.CONCLUDED,
    "that a trade deal is signed": Stage.SIGNED,
    "that a trade deal is ratified": Stage.RATIFIED,
    "that a trade deal enters into force": Stage.IN_FORCE,
    "a dispute under a trade deal": Stage.DISPUTE,
    "that a trade deal is ended": Stage.ENDED,
}
STATUSES = {
    "that a meeting is planned": Status.PLANNED,
    "that a meeting was held": Status.HELD,
    "that a meeting was cancelled": Status.CANCELLED,
}

Scorer = Callable[[str, list[str], bool], dict[str, float]]


def load_zero_shot(name: str) -> Scorer:
    """Return a function of (text, statements, several may hold) that gives each statement's score. Raises ModelError."""
    try:
        from transformers import pipeline

        pipe: Any = pipeline("zero-shot-classification", model=name)
    except Exception as error:  # transformers, torch and the hub raise types of their own, without a common base
        raise ModelError(f"the model {name!r} cannot be loaded as a zero-shot model: {error} (is attache[torch] installed?)") from error

    def score(text: str, statements: list[str], several: bool) -> dict[str, float]:
        found = pipe(text, candidate_labels=statements, hypothesis_template=TEMPLATE, multi_label=several)
        return dict(zip(found["labels"], found["scores"], strict=True))

    return score


class ZeroShotClassifier:
    """Assesses with statements and a scorer, off the event loop (port `Classifier`). Gives no vectors: stories then match by words."""

    def __init__(self, *, scorer: Scorer, facts: FactReader, executor: Executor, name: str) -> None:
        self._score = scorer
        self._facts = facts
        self._executor = executor
        self._name = name

    async def assess(self, entries: Sequence[Entry]) -> list[Assessment]:
        """See `Classifier.assess`."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._all, list(entries))

    def _all(self, entries: Sequence[Entry]) -> list[Assessment]:
        return [self._one(entry) for entry in entries]

    def _one(self, entry: Entry) -> Assessment:
        text = ". ".join(filter(None, passage(entry.title, entry.summary)))
        said = self._score(text, [*TOPICS, NEW], True)
        scores = {topic: said[statement] for statement, topic in TOPICS.items()}
        trade, meeting = (scores[t] >= WORTH_FACTS for t in (Topic.TRADE_DEAL, Topic.MINISTERIAL_MEETING))
        stage = STAGES[self._best(text, list(STAGES))] if trade else None
        status = STATUSES[self._best(text, list(STATUSES))] if meeting else None
        facts = self._facts.read(entry, status) if trade or meeting else Facts()
        return Assessment(scores=scores, development=said[NEW], stage=stage, status=status, facts=facts, model=self._name[-64:])

    def _best(self, text: str, statements: list[str]) -> str:
        said = self._score(text, statements, False)
        return max(said, key=lambda s: said[s])
