"""The arithmetic of the small models, on models small enough to reckon by hand."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from bot.domain.topics import Stage, Status
from bot.judge.heads import Blend, Heads
from bot.judge.words import WordModel

HEADS = Heads(
    gates=(Blend(encoder=1.0, words=0.0, bias=0.0), Blend(encoder=0.5, words=0.5, bias=-1.0), Blend(encoder=0.0, words=2.0, bias=0.5)),
    stage_words=0.5,
    status_words=1.0,
    skip=-2.0,
)
COLUMNS = 3 + len(Stage) + len(Status)


def logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def test_scores_blend_both_models() -> None:
    encoder, words = np.array([[1.0, 2.0, 9.0]], np.float32), np.array([[9.0, 4.0, -1.0]], np.float32)
    assert HEADS.scores(encoder, words)[0] == pytest.approx([logistic(1.0), logistic(2.0), logistic(-1.5)], abs=1e-6)


def test_scores_stay_between_0_and_1() -> None:
    scores = HEADS.scores(np.array([[1e30, -1e30, 0.0]], np.float32), np.array([[0.0, 0.0, 1e30]], np.float32))
    assert np.all((scores >= 0) & (scores <= 1))
    assert scores.dtype == np.float32


def test_steps() -> None:
    encoder, words = np.zeros((2, COLUMNS), np.float32), np.zeros((2, COLUMNS), np.float32)
    encoder[0, 3 + 4], words[0, 3 + 2] = 1.0, 1.9  # half the words' share is less
    encoder[1, 3 + 4], words[1, 3 + 2] = 1.0, 2.1
    encoder[0, 3 + len(Stage) + 1] = 1.0
    words[1, 3 + len(Stage) + 2] = 1.0
    stage, status = HEADS.steps(encoder, words)
    assert (stage.tolist(), status.tolist()) == ([4, 2], [1, 2])


def test_heads_are_kept(tmp_path: Path) -> None:
    HEADS.save(tmp_path / "heads.json")
    assert Heads.load(tmp_path / "heads.json") == HEADS


@pytest.mark.parametrize("kept", ["", "[]", "{}", '{"gates": [{"encoder": 1}]}'])
def test_broken_heads(tmp_path: Path, kept: str) -> None:
    (tmp_path / "heads.json").write_text(kept, encoding="utf-8")
    with pytest.raises((OSError, ValueError, TypeError, KeyError)):
        Heads.load(tmp_path / "heads.json")


GRAMS = ["rice", "pact", "rice pact", "t:rice", "golf"]
WORDS = WordModel(
    index={g: i for i, g in enumerate(GRAMS)},
    idf=np.array([1.0, 1.0, 2.0, 1.0, 1.0], np.float32),
    weights=np.array([[1.0, 0.0], [2.0, 0.0], [4.0, 0.0], [1.0, 1.0], [-3.0, 0.5]], np.float32),
    bias=np.array([0.5, -0.5], np.float32),
)


def test_logits() -> None:
    (row,) = WORDS.logits([("Rice pact", "")])  # rice, pact, rice pact (idf 2), t:rice: norm is sqrt(1 + 1 + 4 + 1)
    assert row.tolist() == pytest.approx([(1 + 2 + 8 + 1) / math.sqrt(7) + 0.5, 1 / math.sqrt(7) - 0.5], abs=1e-5)


def test_repeated_words_count_a_little_more() -> None:
    (row,) = WORDS.logits([("", "rice golf rice")])
    rice, golf = 1 + math.log(2), 1.0
    assert row[0] == pytest.approx((rice - 3 * golf) / math.hypot(rice, golf) + 0.5, abs=1e-5)


def test_unknown_words_leave_the_bias() -> None:
    assert WORDS.logits([("Weather", "holds"), ("", "")]).tolist() == [[0.5, -0.5], [0.5, -0.5]]
    assert WORDS.logits([]).shape == (0, 2)
    assert WORDS.moved("Weather", "holds", 0) == []


def test_moved() -> None:
    moved = WORDS.moved("Rice pact", "golf", 0)
    assert [word for word, _ in moved[:2]] == ["rice pact", "golf"]
    assert {word for word, _ in moved[2:]} == {"rice", "pact"}, "a word of the title and the same word count together"
    assert moved[1][1] < 0 < moved[0][1]
    assert sum(share for _, share in moved) == pytest.approx(float(WORDS.logits([("Rice pact", "golf")])[0, 0]) - 0.5, abs=1e-5)
    assert len(WORDS.moved("Rice pact", "golf", 0, most=1)) == 1


def test_words_are_kept(tmp_path: Path) -> None:
    WORDS.save(tmp_path / "words.npz")
    kept = WordModel.load(tmp_path / "words.npz")
    assert kept.index == WORDS.index
    assert kept.logits([("Rice pact", "golf")]).tolist() == WORDS.logits([("Rice pact", "golf")]).tolist()


def test_broken_words(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="missing"):
        WordModel.load(tmp_path / "missing.npz")
    (tmp_path / "words.npz").write_bytes(b"not a model")
    with pytest.raises(ValueError, match="pickle"):
        WordModel.load(tmp_path / "words.npz")
