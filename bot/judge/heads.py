"""How the encoder's and the words' logits become scores."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bot.domain.topics import Stage

_Floats = NDArray[np.float32]
_Rows = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Blend:
    """Weights of one gate: score = logistic(encoder * its logit + words * its logit + bias)."""

    encoder: float
    words: float
    bias: float

    def score(self, encoder: _Floats, words: _Floats) -> _Floats:
        """Return calibrated scores (0..1) for logits of both models."""
        total = self.encoder * encoder + self.words * words + self.bias
        return (1.0 / (1.0 + np.exp(-np.clip(total, -30, 30)))).astype(np.float32)


@dataclass(frozen=True, kw_only=True)
class Heads:
    """The blends of the gates (trade_deal, ministerial_meeting, new development), the words' share in stage and status, and `skip`:

    where the words' logit for neither topic is above it, the encoder is not asked.
    """

    gates: tuple[Blend, ...]
    stage_words: float
    status_words: float
    skip: float

    def scores(self, encoder: _Floats, words: _Floats) -> _Floats:
        """Return one column of calibrated scores per gate."""
        return np.stack([g.score(encoder[:, i], words[:, i]) for i, g in enumerate(self.gates)], axis=1)

    def steps(self, encoder: _Floats, words: _Floats) -> tuple[_Rows, _Rows]:
        """Return the index of the likeliest stage and of the likeliest status for each row."""
        first, second = len(self.gates), len(self.gates) + len(Stage)
        stage = encoder[:, first:second] + self.stage_words * words[:, first:second]
        status = encoder[:, second:] + self.status_words * words[:, second:]
        return stage.argmax(axis=1), status.argmax(axis=1)

    def save(self, path: Path) -> None:
        """Write to a JSON file."""
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Heads:
        """Read what `save` wrote. Raises OSError, ValueError, TypeError or KeyError."""
        kept = json.loads(path.read_text(encoding="utf-8"))
        return cls(**kept | {"gates": tuple(Blend(**g) for g in kept["gates"])})
