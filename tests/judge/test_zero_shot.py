"""Another model by name: asked in statements, heard through the same door."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from bot.app import open_judge, read_places
from bot.domain.entries import Entry
from bot.domain.errors import ModelError
from bot.domain.topics import Stage, Status, Topic
from bot.judge.facts import FactReader
from bot.judge.people import People
from bot.judge.zero_shot import NEW, STAGES, STATUSES, TOPICS, ZeroShotClassifier
from config.settings import HERE
from tests.fakes.clock import START

TITLE = "India and Japan sign rice pact in Geneva"


def entry(title: str) -> Entry:
    return Entry(entry_id=1, key="k", source="s", url="", title=title, summary="", published=START - timedelta(hours=1), seen=START)


def scorer(answers: dict[str, float]):  # noqa: ANN201  (a Scorer)
    def score(text: str, statements: list[str], several: bool) -> dict[str, float]:
        return {s: answers.get(s, 0.1) for s in statements}

    return score


async def assess(answers: dict[str, float]):  # noqa: ANN201  (an Assessment)
    facts = FactReader(read_places(), People(HERE / "people.yaml"))
    with ThreadPoolExecutor(1) as executor:
        classifier = ZeroShotClassifier(scorer=scorer(answers), facts=facts, executor=executor, name="hub/some-model")
        (assessment,) = await classifier.assess([entry(TITLE)])
    return assessment


async def test_statements_become_scores_stage_status_and_facts() -> None:
    trade, meeting = TOPICS
    signed = next(s for s, stage in STAGES.items() if stage is Stage.SIGNED)
    held = next(s for s, status in STATUSES.items() if status is Status.HELD)
    found = await assess({trade: 0.9, meeting: 0.7, NEW: 0.8, signed: 0.6, held: 0.5})
    assert found.scores == {Topic.TRADE_DEAL: 0.9, Topic.MINISTERIAL_MEETING: 0.7}
    assert found.flagged() == (Topic.TRADE_DEAL, Topic.MINISTERIAL_MEETING)
    assert (found.stage, found.status, found.facts.parties) == (Stage.SIGNED, Status.HELD, ("IND", "JPN"))
    assert found.model == "hub/some-model"


async def test_what_is_on_neither_topic_has_no_stage_and_no_facts() -> None:
    found = await assess({NEW: 0.9})
    assert (found.stage, found.status, found.facts.parties, found.flagged()) == (None, None, (), ())


async def test_a_model_that_cannot_be_loaded_says_how_to_mend_it(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"(?s)zero-shot.*attache\[torch\]"):
        async with open_judge(str(tmp_path)):
            pass


async def test_a_real_model_answers(tmp_path: Path) -> None:
    """A tiny one with random weights: its answers mean nothing, but they come through transformers' own pipeline."""
    pytest.importorskip("torch")
    from tests.judge.tiny import save_entailment

    save_entailment(tmp_path, TITLE)
    async with open_judge(str(tmp_path)) as judge:
        first, again = await judge.classifier.assess([entry(TITLE), entry(TITLE)])
    assert first.scores == again.scores
    assert all(0 <= score <= 1 for score in (*first.scores.values(), first.development))
