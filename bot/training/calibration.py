"""Putting encoder and words together, so that a score of 0.5 is the best threshold for every topic.

Each gate's score is the logistic of a weighted sum of the encoder's and the words' logits, with weights fitted on entries that
neither was trained on (stacking: Wolpert, 1992). The sum is then shifted so that 0.5 is where F1 (of the third gate F-beta) is best: on the labelled sample, and on
the raw stream (whole streams that were held out where there are any, else the sample weighted to it), both counting the same.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from bot.judge.heads import Blend, Heads
from bot.training.data import STAGES, STATUSES, Example
from bot.training.network import GATES

_Floats = NDArray[np.float32]
MISSED = 0.004
# How much more a development missed counts than one flagged wrongly (the beta of F-beta): the stories after it merge, and forgive.
RECALL = 1.25


def calibrate(encoder: _Floats, words: _Floats, examples: Sequence[Example]) -> Heads:
    """Return the heads' blends, from logits of the encoder and of the words on held-out `examples`."""
    labels = np.array([[e.trade, e.meeting, e.flagged] for e in examples])
    counts = _counts(examples)
    betas = (1.0, 1.0, RECALL)
    gates = tuple(_gate(encoder[:, g], words[:, g], labels[:, g], counts, betas[g]) for g in range(GATES))
    first, second = GATES, GATES + len(STAGES)
    staged = np.array([-1 if e.stage is None else STAGES.index(e.stage) for e in examples])
    held = np.array([-1 if e.status is None else STATUSES.index(e.status) for e in examples])
    return Heads(
        gates=gates,
        stage_words=_share(encoder[:, first:second], words[:, first:second], staged),
        status_words=_share(encoder[:, second:], words[:, second:], held),
        skip=_skip(words[:, : GATES - 1].max(axis=1), np.array([e.on_topic for e in examples])),
    )


def _skip(words: _Floats, on_topic: NDArray[np.bool_]) -> float:
    """The words' logit below which MISSED of the entries on topic lie: those that the encoder is never asked about."""
    return float(np.quantile(words[on_topic], MISSED))


def _counts(examples: Sequence[Example]) -> tuple[_Floats, _Floats]:
    """Return how much each entry counts in the sample, and how much in the raw stream."""
    sampled = np.array([e.sampled for e in examples])
    if sampled.all() or not sampled.any():
        return np.ones(len(examples), np.float32), np.array([e.weight for e in examples], np.float32)
    return sampled.astype(np.float32), (~sampled).astype(np.float32)


def _gate(encoder: _Floats, words: _Floats, labels: NDArray[np.bool_], counts: tuple[_Floats, _Floats], beta: float) -> Blend:
    fitted = LogisticRegression(C=1.0).fit(np.stack([encoder, words], axis=1), labels)
    a, b = (max(float(x), 0.0) for x in fitted.coef_[0])
    sums = a * encoder + b * words
    return Blend(encoder=a, words=b, bias=-_best_threshold(sums, labels, counts, beta))


def _best_threshold(sums: _Floats, labels: NDArray[np.bool_], counts: tuple[_Floats, _Floats], beta: float) -> float:
    """The middle of the thresholds whose mean F-beta is within 0.3 points of the best: steadier than the best one."""
    highest = np.sort(sums)[-max(4 * int(labels.sum()), 1) :]
    tried = np.quantile(highest, np.linspace(0.0, 0.99, 300))
    scores = np.array([sum(_f(sums >= t, labels, c, beta) for c in counts) for t in tried]) / len(counts)
    good = tried[scores >= scores.max() - 0.003]
    return float(np.median(good))


def _f(said: NDArray[np.bool_], truth: NDArray[np.bool_], weights: _Floats, beta: float) -> float:
    """F-beta (van Rijsbergen, 1979); F1 for a beta of 1."""
    right = (1 + beta**2) * float(weights[said & truth].sum())
    return right / max(float(weights[said].sum()) + beta**2 * float(weights[truth].sum()), 1e-9)


def _share(encoder: _Floats, words: _Floats, wanted: NDArray[np.int64]) -> float:
    """How much of the words' logits to add to the encoder's: what classifies most held-out entries right."""
    rows = wanted >= 0
    if not rows.any():
        return 0.0
    shares = np.linspace(0.0, 1.5, 16)
    right = [float(((encoder[rows] + s * words[rows]).argmax(1) == wanted[rows]).mean()) for s in shares]
    best = max(right)
    return float(np.median([s for s, r in zip(shares, right, strict=True) if r >= best - 0.002]))
