"""Fitting the linear model over words that stands beside the encoder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from bot.domain.reading import ngrams
from bot.judge.words import WordModel
from bot.training.data import STAGES, STATUSES, Example

MAX_GRAMS = 40_000
_Rows = NDArray[np.bool_]


def fit_words(examples: Sequence[Example]) -> WordModel:
    """Fit one logistic regression per gate and one-against-rest per stage and status."""
    vectorizer = TfidfVectorizer(
        analyzer=lambda e: ngrams(e.title, e.body), min_df=3, max_features=MAX_GRAMS, sublinear_tf=True, dtype=np.float32
    )
    matrix = vectorizer.fit_transform(examples)
    columns: list[tuple[NDArray[np.float32], float]] = []
    for labels, known, strength in _questions(examples):
        columns.append(_column(matrix, labels, known, strength))
    index = {str(g): int(i) for g, i in vectorizer.vocabulary_.items()}
    return WordModel(
        index=index,
        idf=vectorizer.idf_.astype(np.float32),
        weights=np.stack([c[0] for c in columns], axis=1).astype(np.float32),
        bias=np.array([c[1] for c in columns], np.float32),
    )


def _questions(examples: Sequence[Example]) -> list[tuple[_Rows, _Rows, float]]:
    everyone = np.ones(len(examples), bool)
    decided = np.array([not (e.on_topic and e.new is None) for e in examples])
    staged = np.array([e.stage is not None for e in examples])
    held = np.array([e.status is not None for e in examples])
    questions: list[tuple[_Rows, _Rows, float]] = [
        (np.array([e.trade for e in examples]), everyone, 10.0),
        (np.array([e.meeting for e in examples]), everyone, 10.0),
        (np.array([e.flagged for e in examples]), decided, 10.0),
    ]
    questions += [(np.array([e.stage is s for e in examples]), staged, 5.0) for s in STAGES]
    questions += [(np.array([e.status is s for e in examples]), held, 5.0) for s in STATUSES]
    return questions


def _column(matrix: Any, labels: _Rows, known: _Rows, strength: float) -> tuple[NDArray[np.float32], float]:  # noqa: ANN401  (scipy has no types)
    rows = np.flatnonzero(known)
    wanted = labels[rows]
    if wanted.all() or not wanted.any():
        return np.zeros(matrix.shape[1], np.float32), 20.0 if wanted.any() else -20.0
    model = LogisticRegression(C=strength, class_weight="balanced", max_iter=1000).fit(matrix[rows], wanted)
    return model.coef_[0].astype(np.float32), float(model.intercept_[0])
