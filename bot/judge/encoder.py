"""The encoder at run time: an int8 ONNX graph and its tokenizer. No torch."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from bot.domain.errors import ModelError
from bot.domain.reading import MAX_TOKENS

BATCH = 16  # passages a graph run: on two cores larger ones gain nothing and take more memory
THREADS = 2


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """What the encoder says: `logits` (one row a passage, one column a head's class) and unit `vectors` for story matching."""

    logits: NDArray[np.float32]
    vectors: NDArray[np.float32]


class Encoder:
    """Runs passages through the graph in folder `path`. Loads on construction; not to be shared between threads at once."""

    def __init__(self, path: Path, threads: int = THREADS) -> None:
        graph = path / "encoder.onnx"
        if not graph.is_file():
            raise ModelError(f"there is no {graph.name} in {path}")
        os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")  # else its import complains that torch is not there
        from transformers import AutoTokenizer

        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False  # the arena keeps the largest batch's memory for good
        try:
            self._session = ort.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
            self._tokenizer = AutoTokenizer.from_pretrained(path, local_files_only=True)
        except Exception as error:  # onnxruntime and tokenizers raise types of their own, without a common base
            raise ModelError(f"the model in {path} cannot be loaded: {error}") from error

    def encode(self, passages: Sequence[tuple[str, str]]) -> Encoding:
        """Return logits and vectors for each (title, summary), in order."""
        order = sorted(range(len(passages)), key=lambda i: len(passages[i][0]) + len(passages[i][1]))
        runs = [self._run([passages[i] for i in order[start : start + BATCH]]) for start in range(0, len(order), BATCH)]
        back = np.argsort(np.array(order, dtype=np.int64))
        return Encoding(
            logits=np.concatenate([r.logits for r in runs])[back],
            vectors=np.concatenate([r.vectors for r in runs])[back],
        )

    def _run(self, passages: list[tuple[str, str]]) -> Encoding:
        tokens = self._tokenizer(
            [p[0] for p in passages],
            [p[1] for p in passages],
            truncation=True,
            max_length=MAX_TOKENS,
            padding=True,
            return_tensors="np",
        )
        names = ("input_ids", "attention_mask", "token_type_ids")
        logits, vectors = self._session.run(None, {n: tokens[n].astype(np.int64) for n in names})
        return Encoding(logits=logits, vectors=vectors)
