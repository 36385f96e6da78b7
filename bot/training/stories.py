"""Learning which tellings belong together, from labelled pairs."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

from bot.domain.reading import passage
from bot.ports import Telling
from bot.stories.features import NAMES, features
from bot.stories.matcher import StoryModel
from bot.stories.profile import BODY, Profiler

MAX_WORDS = 20_000
THRESHOLD = 0.75  # best on two annotated streams of the training period: fewer merges of different news for a few more duplicates
Pair = tuple[Telling, Telling, bool]


def rarity(texts: Iterable[tuple[str, str]]) -> dict[str, float]:
    """Return ln(N / document frequency) for the commonest stems of (title, summary) texts; unlisted ones count as the rarest."""
    profiler, counts, total = Profiler({}), Counter[str](), 0
    for title, summary in texts:
        head, body = passage(title, summary)
        counts.update(set(profiler.stems(f"{head}. {body[:BODY]}")))
        total += 1
    return {stem: round(math.log(total / n), 2) for stem, n in counts.most_common(MAX_WORDS) if n > 1}


def fit_stories(pairs: Sequence[Pair], idf: dict[str, float], threshold: float = THRESHOLD) -> StoryModel:
    """Fit the logistic model. A pair is (later telling, earlier telling, whether both report the same development)."""
    profiler = Profiler(idf)
    made = {id(t): profiler.profile(t) for a, b, _ in pairs for t in (a, b)}
    rows = np.array([features(made[id(a)], made[id(b)]) for a, b, _ in pairs])
    labels = np.array([same for _, _, same in pairs])
    model = LogisticRegression(C=0.3, max_iter=2000, class_weight="balanced").fit(rows, labels)
    weights = {name: round(float(w), 3) for name, w in zip(NAMES, model.coef_[0], strict=True)}
    return StoryModel(idf=idf, weights=weights, bias=round(float(model.intercept_[0]), 3), threshold=threshold)


def save_stories(model: StoryModel, path: Path) -> None:
    """Write `stories.json`."""
    kept = {"idf": dict(model.idf), "weights": dict(model.weights), "bias": model.bias, "threshold": model.threshold}
    path.write_text(json.dumps(kept, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
