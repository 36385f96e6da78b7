"""The gate: the shipped model on entries of our own writing. A retrained model that falls below a floor does not go in."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from bot.app import open_judge
from bot.training.data import entries_of, read_examples
from bot.training.scores import label_figures
from config.settings import HERE

# Lowered only on purpose, with the reason in the commit. These are easier than the press: see config/model/README.md for its figures.
FLOORS = {"trade_deal": 0.95, "ministerial_meeting": 0.93, "flagged": 0.95}
STAGE, STATUS = 0.75, 0.90


@pytest.fixture(scope="module")
def figures() -> dict[str, Any]:
    async def judged() -> dict[str, Any]:
        examples = read_examples([Path(__file__).parent / "gate.jsonl"])
        async with open_judge(str(HERE / "model")) as judge:
            return label_figures(examples, await judge.classifier.assess(entries_of(examples)))

    return asyncio.run(judged())


@pytest.mark.parametrize("question", FLOORS)
def test_topics_and_flags_stay_above_their_floors(figures: dict[str, Any], question: str) -> None:
    assert figures[question]["f1"] >= FLOORS[question], figures


def test_stage_and_status_stay_above_their_floors(figures: dict[str, Any]) -> None:
    assert figures["stage_accuracy"] >= STAGE, figures
    assert figures["status_accuracy"] >= STATUS, figures
