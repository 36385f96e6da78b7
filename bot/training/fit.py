"""Fine-tuning: batches of like length, one-cycle schedule, a loss per head, the story vectors held to those of the base model."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim import swa_utils
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from bot.domain.reading import MAX_TOKENS
from bot.training.data import STAGES, STATUSES, Example
from bot.training.network import GATES, Network

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How to train. `positive_weight` multiplies the loss of the gates' positives; `story_weight` that of drifting from the base's vectors."""

    epochs: int = 3
    batch: int = 32
    rate: float = 1e-4
    positive_weight: float = 1.5
    story_weight: float = 1.0
    bodiless: float = 0.08  # share of entries read without their summary, so that a bare title works
    smoothing: float = 0.02
    averaging: float = 0.99  # decay of the running mean of the weights, a step
    seed: int = 7


@dataclass(frozen=True, kw_only=True)
class Targets:
    """What the heads should say. NaN (gates) and -1 (stage, status) mean: not labelled, no loss."""

    gates: Tensor
    stage: Tensor
    status: Tensor

    @classmethod
    def of(cls, examples: Sequence[Example]) -> Targets:
        """Build the targets of labelled examples, in order."""
        unknown = float("nan")
        gates = [[float(e.trade), float(e.meeting), unknown if e.on_topic and e.new is None else float(e.flagged)] for e in examples]
        return cls(
            gates=torch.tensor(gates),
            stage=torch.tensor([-1 if e.stage is None else STAGES.index(e.stage) for e in examples]),
            status=torch.tensor([-1 if e.status is None else STATUSES.index(e.status) for e in examples]),
        )


def fit(base: Path, examples: Sequence[Example], recipe: Recipe, say: Say = print, soft: NDArray[np.float32] | None = None) -> Network:
    """Fine-tune the encoder in folder `base` on `examples`; `soft` (probabilities of the gates) replaces the labels where given."""
    torch.manual_seed(recipe.seed)
    # the moments of words that are not seen any more decay into denormal numbers, which make every step several times slower
    torch.set_flush_denormal(True)
    rng = random.Random(recipe.seed)  # noqa: S311  (shuffling, not a secret)
    tokenizer = AutoTokenizer.from_pretrained(base)
    network, targets = Network(base), Targets.of(examples)
    if soft is not None:
        targets = Targets(gates=torch.tensor(soft), stage=targets.stage, status=targets.status)
    anchors = torch.tensor(embed(network, tokenizer, examples))
    steps = recipe.epochs * len(list(_batches(examples, recipe.batch, random.Random(0))))  # noqa: S311  (only counted)
    optimizer = torch.optim.AdamW(_groups(network), lr=recipe.rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, [recipe.rate, recipe.rate * 5], total_steps=steps, pct_start=0.1)
    # the running mean of the weights generalises a little better than the last ones (Polyak & Juditsky, 1992)
    average = swa_utils.AveragedModel(network, multi_avg_fn=swa_utils.get_ema_multi_avg_fn(recipe.averaging))
    network.train()
    for epoch in range(recipe.epochs):
        losses = []
        for rows in _batches(examples, recipe.batch, rng):
            inputs = _tokens(tokenizer, [_read(examples[i], rng, recipe.bodiless) for i in rows])
            logits, vectors = network(**inputs)
            loss = _loss(logits, targets, rows, recipe)
            loss = loss + recipe.story_weight * (1 - (vectors * anchors[rows]).sum(-1)).mean()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            average.update_parameters(network)
            losses.append(loss.item())
            if len(losses) % 50 == 0:
                say(f"epoch {epoch + 1}/{recipe.epochs}, batch {len(losses)}: loss {np.mean(losses[-50:]):.4f}")
    network.load_state_dict(average.module.state_dict())
    return network.eval()


def predict(network: Network, tokenizer: PreTrainedTokenizerBase, examples: Sequence[Example], batch: int = 32) -> NDArray[np.float32]:
    """Return the logits of every example, in order."""
    out = []
    order = sorted(range(len(examples)), key=lambda i: _length(examples[i]))
    network.eval()
    with torch.no_grad():
        for start in range(0, len(order), batch):
            rows = order[start : start + batch]
            out.append(network(**_tokens(tokenizer, [(examples[i].title, examples[i].body) for i in rows]))[0])
    logits = torch.cat(out).numpy()
    return logits[np.argsort(order)]


def embed(network: Network, tokenizer: PreTrainedTokenizerBase, examples: Sequence[Example], batch: int = 32) -> NDArray[np.float32]:
    """Return the unit story vectors of every example, in order (before training: those of the base model)."""
    order = sorted(range(len(examples)), key=lambda i: _length(examples[i]))
    network.eval()
    out = []
    with torch.no_grad():
        for start in range(0, len(order), batch):
            rows = order[start : start + batch]
            inputs = _tokens(tokenizer, [(examples[i].title, examples[i].body) for i in rows])
            out.append(network(**inputs)[1])
    return torch.cat(out).numpy()[np.argsort(order)]


def _groups(network: Network) -> list[dict[str, object]]:
    body = list(network.encoder.parameters())
    heads = [*network.heads.parameters(), *network.story.parameters()]
    return [{"params": body, "weight_decay": 0.01}, {"params": heads, "weight_decay": 0.0}]


def _length(example: Example) -> int:
    return len(example.title) + len(example.body)


def _batches(examples: Sequence[Example], size: int, rng: random.Random) -> Iterator[list[int]]:
    """Yield rows in batches of like length (less padding), the batches in random order."""
    order = sorted(range(len(examples)), key=lambda i: _length(examples[i]) + rng.uniform(-40, 40))
    batches = [order[i : i + size] for i in range(0, len(order), size)]
    rng.shuffle(batches)
    yield from batches


def _read(example: Example, rng: random.Random, bodiless: float) -> tuple[str, str]:
    return (example.title, "") if rng.random() < bodiless else (example.title, example.body)


def _tokens(tokenizer: PreTrainedTokenizerBase, passages: list[tuple[str, str]]) -> dict[str, Tensor]:
    titles, bodies = [p[0] for p in passages], [p[1] for p in passages]
    inputs = tokenizer(titles, bodies, truncation=True, max_length=MAX_TOKENS, padding=True, return_tensors="pt")
    return dict(inputs)


def _loss(logits: Tensor, targets: Targets, rows: list[int], recipe: Recipe) -> Tensor:
    gates = targets.gates[rows]
    known = ~torch.isnan(gates)
    wanted = torch.where(known, gates, 0.0).clamp(recipe.smoothing, 1 - recipe.smoothing)
    weight = 1 + (recipe.positive_weight - 1) * (wanted > 0.5)
    gate_loss = nn.functional.binary_cross_entropy_with_logits(logits[:, :GATES], wanted, weight=weight * known)
    stage, status = logits[:, GATES : GATES + len(STAGES)], logits[:, GATES + len(STAGES) :]
    return gate_loss * GATES + 0.5 * (_choice(stage, targets.stage[rows]) + _choice(status, targets.status[rows]))


def _choice(logits: Tensor, wanted: Tensor) -> Tensor:
    if not bool((wanted >= 0).any()):
        return logits.sum() * 0.0
    return nn.functional.cross_entropy(logits, wanted, ignore_index=-1, label_smoothing=0.05)
