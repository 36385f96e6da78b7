"""Which development does a telling belong to? (port `Stories`)

A logistic model, learned on labelled pairs, says how likely two tellings report the same development. A development's likeness is the
mean of its best and of its average telling's, so that a chain of near-likenesses does not grow without end.
"""

from __future__ import annotations

import json
import math
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.domain.errors import ModelError
from bot.ports import Candidate, Match, Telling
from bot.stories.features import NAMES, apart, features
from bot.stories.profile import Profile, Profiler

REMEMBERED = 4_000  # profiles kept, so that a candidate's tellings are not read again for every new one


@dataclass(frozen=True, kw_only=True)
class StoryModel:
    """The learned decision: a weight per feature, and the likeness from which a telling belongs to a development."""

    idf: Mapping[str, float]
    weights: Mapping[str, float]
    bias: float
    threshold: float

    @classmethod
    def load(cls, path: Path) -> StoryModel:
        """Read `stories.json`. Raises ModelError."""
        try:
            kept = json.loads(path.read_text(encoding="utf-8"))
            model = cls(**kept)
        except (OSError, ValueError, TypeError) as error:
            raise ModelError(f"the story model {path.name} cannot be read: {error}") from error
        if missing := [name for name in NAMES if name not in model.weights]:
            raise ModelError(f"the story model {path.name} has no weight for {', '.join(missing)}; train it anew")
        return model


class StoryMatcher:
    """Decides between candidates. Keeps nothing but a bounded memory of profiles, which changes no answer."""

    def __init__(self, model: StoryModel) -> None:
        self._model = model
        self._weights = tuple(model.weights[name] for name in NAMES)
        self._profiler = Profiler(model.idf)
        self._profiles: OrderedDict[str, Profile] = OrderedDict()

    def keys(self, telling: Telling) -> tuple[str, ...]:
        """See `Stories.keys`."""
        return self._profiler.keys(self._profile(telling))

    def match(self, telling: Telling, candidates: Sequence[Candidate]) -> Match:
        """See `Stories.match`."""
        new = self._profile(telling)
        best: tuple[float, str, tuple[float, ...]] = (0.0, "", ())
        for candidate in candidates:
            likeness, clues = self._likeness(new, candidate)
            if likeness > best[0]:
                best = (likeness, candidate.development.development_id, clues)
        likeness, nearest, clues = best
        return Match(
            development_id=nearest if likeness >= self._model.threshold else None,
            probability=likeness,
            features=self._telling_features(clues),
            nearest=nearest or None,
        )

    def _likeness(self, new: Profile, candidate: Candidate) -> tuple[float, tuple[float, ...]]:
        had = [self._profile(t) for t in candidate.tellings]
        told = [features(new, old) for old in had]
        if not told:
            return 0.0, ()
        likely = [0.0 if apart(new, old) else self.probability(f) for old, f in zip(had, told, strict=True)]
        top = max(likely)
        return (top + sum(likely) / len(likely)) / 2, told[likely.index(top)]

    def probability(self, clues: Sequence[float]) -> float:
        """Return how likely two tellings with these features report the same development (logistic)."""
        total = self._model.bias + sum(w * f for w, f in zip(self._weights, clues, strict=True))
        return 1 / (1 + math.exp(-max(min(total, 30.0), -30.0)))

    def _telling_features(self, clues: Sequence[float]) -> tuple[tuple[str, float], ...]:
        shares = [(name, w * f) for name, w, f in zip(NAMES, self._weights, clues, strict=False)]
        return tuple(sorted((s for s in shares if abs(s[1]) >= 0.05), key=lambda s: -abs(s[1]))[:6])

    def _profile(self, telling: Telling) -> Profile:
        key = telling.entry.key
        if key not in self._profiles:
            self._profiles[key] = self._profiler.profile(telling)
            if len(self._profiles) > REMEMBERED:
                self._profiles.popitem(last=False)
        return self._profiles[key]
