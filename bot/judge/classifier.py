"""The shipped classifier (port `Classifier`): words first, the encoder for what they cannot rule out, then the facts."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bot.domain.assessment import Assessment, Facts
from bot.domain.entries import Entry
from bot.domain.errors import ModelError
from bot.domain.reading import passage
from bot.domain.topics import Stage, Status, Topic
from bot.judge.encoder import Encoder, Encoding
from bot.judge.facts import FactReader
from bot.judge.heads import Heads
from bot.judge.words import WordModel

TOPICS = (Topic.TRADE_DEAL, Topic.MINISTERIAL_MEETING)  # the first two gates; the third is "reports a new development"
GATES = len(TOPICS) + 1
STAGES, STATUSES = tuple(Stage), tuple(Status)
WORTH_FACTS = 0.2  # below both the threshold and that of watched entries; facts of the rest are never shown

_Floats = NDArray[np.float32]
_Passages = list[tuple[str, str]]


@dataclass(frozen=True, kw_only=True)
class Logits:
    """Both models' logits for some passages, a row each; `vectors` has a row of zeros where the encoder was spared."""

    encoder: _Floats
    words: _Floats
    vectors: _Floats


def is_ours(path: Path) -> bool:
    """Say whether a folder holds a model that `attache train` made."""
    return (path / "heads.json").is_file()


class Model:
    """The three files of a model folder. Deterministic; blocks; to be used from one thread at a time."""

    def __init__(self, path: Path, *, threads: int = 2) -> None:
        try:
            self.words = WordModel.load(path / "words.npz")
            self.heads = Heads.load(path / "heads.json")
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(f"the model in {path} cannot be read: {error}") from error
        self._encoder = Encoder(path, threads)
        self.name = path.name

    def logits(self, passages: _Passages) -> Logits:
        """Return the logits of both models. The encoder is spared where the words rule out either topic."""
        words = self.words.logits(passages)
        rows = np.flatnonzero(words[:, : len(TOPICS)].max(axis=1) > self.heads.skip)
        found = self._encoder.encode([passages[i] for i in rows]) if len(rows) else None
        return _spread(words, rows, found)


def _spread(words: _Floats, rows: NDArray[np.int64], found: Encoding | None) -> Logits:
    size = 1 if found is None else found.vectors.shape[1]
    encoder, vectors = words.copy(), np.zeros((len(words), size), np.float32)
    encoder[:, :GATES] = np.minimum(encoder[:, :GATES], 0.0) - 6.0  # spared: the encoder's word would have been no, too
    if found is not None:
        encoder[rows], vectors[rows] = found.logits, found.vectors
    return Logits(encoder=encoder, words=words, vectors=vectors)


class OnnxClassifier:
    """Assesses entries with a model folder, off the event loop. `executor` has one thread, and is its owner's to shut down."""

    def __init__(self, *, model: Model, facts: FactReader, executor: Executor) -> None:
        self._model = model
        self._facts = facts
        self._executor = executor

    async def assess(self, entries: Sequence[Entry]) -> list[Assessment]:
        """See `Classifier.assess`."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, self.assess_now, list(entries))

    def assess_now(self, entries: Sequence[Entry]) -> list[Assessment]:
        """The same, blocking."""
        passages = [passage(e.title, e.summary) for e in entries]
        if not passages:
            return []
        logits = self._model.logits(passages)
        gates = self._model.heads.scores(logits.encoder, logits.words)
        stages, statuses = self._model.heads.steps(logits.encoder, logits.words)
        return [
            self._assessment(entry, passages[i], gates[i], STAGES[stages[i]], STATUSES[statuses[i]], logits.vectors[i])
            for i, entry in enumerate(entries)
        ]

    def _assessment(self, entry: Entry, read: tuple[str, str], gates: _Floats, stage: Stage, status: Status, vector: _Floats) -> Assessment:
        scores = {topic: float(gates[i]) for i, topic in enumerate(TOPICS)}
        trade, meeting = (scores[t] >= WORTH_FACTS for t in TOPICS)
        facts = self._facts.read(entry, status if meeting else None) if trade or meeting else Facts()
        strongest = int(gates[: len(TOPICS)].argmax())
        return Assessment(
            scores=scores,
            development=float(gates[len(TOPICS)]),
            stage=stage if trade else None,
            status=status if meeting else None,
            facts=facts,
            moved=tuple(self._model.words.moved(*read, strongest)),
            vector=tuple(vector.tolist()) if vector.any() else (),
            model=self._model.name,
        )
