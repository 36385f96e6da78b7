"""The words beside the encoder: a linear model over words and pairs of words.

It sees rare names and exact phrases that a small encoder blurs, it explains itself (each word has a weight), and it is
fast enough to send the plainly unrelated four fifths of a news stream past the encoder. Features are tf-idf with
1 + ln(tf), as in scikit-learn's TfidfVectorizer, so that training may use scikit-learn and run time only numpy.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bot.domain.reading import ngrams


@dataclass(frozen=True, kw_only=True)
class WordModel:
    """Linear weights per n-gram and head. Reads passages, returns logits; does no calibration."""

    index: dict[str, int]
    idf: NDArray[np.float32]
    weights: NDArray[np.float32]  # n-grams x heads
    bias: NDArray[np.float32]

    def logits(self, passages: list[tuple[str, str]]) -> NDArray[np.float32]:
        """Return one row of logits (one per head) for each (title, summary)."""
        out = np.empty((len(passages), len(self.bias)), np.float32)
        for row, (title, summary) in enumerate(passages):
            ids, values = self._features(title, summary)
            out[row] = values @ self.weights[ids] + self.bias
        return out

    def moved(self, title: str, summary: str, head: int, most: int = 6) -> list[tuple[str, float]]:
        """Return the n-grams that moved `head` most, with their share of its logit, strongest first."""
        ids, values = self._features(title, summary)
        shares = values * self.weights[ids, head]
        names = {i: g for g in ngrams(title, summary) if (i := self.index.get(g)) is not None}
        order = np.argsort(-np.abs(shares))[: most * 2]
        seen: dict[str, float] = {}
        for i in order:
            word = names[int(ids[i])].removeprefix("t:")
            seen[word] = seen.get(word, 0.0) + float(shares[i])
        return sorted(seen.items(), key=lambda pair: -abs(pair[1]))[:most]

    def _features(self, title: str, summary: str) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        counts = Counter(i for g in ngrams(title, summary) if (i := self.index.get(g)) is not None)
        ids = np.fromiter(counts.keys(), np.int64, len(counts))
        values = (1.0 + np.log(np.fromiter(counts.values(), np.float32, len(counts)))) * self.idf[ids]
        norm = float(np.linalg.norm(values))
        return ids, (values / norm if norm else values).astype(np.float32)

    def save(self, path: Path) -> None:
        """Write the model to one compressed `.npz` file, weights as float16."""
        grams = sorted(self.index, key=self.index.__getitem__)
        np.savez_compressed(
            path,
            grams=np.frombuffer("\n".join(grams).encode(), np.uint8),
            idf=self.idf.astype(np.float16),
            weights=self.weights.astype(np.float16),
            bias=self.bias,
        )

    @classmethod
    def load(cls, path: Path) -> WordModel:
        """Read what `save` wrote. Raises OSError or ValueError when the file is not there or not such a file."""
        with np.load(path, allow_pickle=False) as data:
            grams = data["grams"].tobytes().decode().split("\n")
            return cls(
                index={g: i for i, g in enumerate(grams)},
                idf=data["idf"].astype(np.float32),
                weights=data["weights"].astype(np.float32),
                bias=data["bias"].astype(np.float32),
            )
