"""What a seq2seq model writes is shown only where its source says the same."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import ModelError
from bot.summary.drafting import SeqToSeqDrafter, load_writer, text_of
from bot.summary.extractive import ExtractiveSummarizer
from bot.summary.faithful import Gate
from tests.summary.test_extractive import telling

GATE = Gate()
SOURCE = (
    "Trade Minister Ana Roe and Commerce Secretary Bo Lind signed the rice accord in Geneva on Monday after three years of talks. "
    "The accord cuts tariffs on rice by 40% and takes effect on 1 March. Opposition parties in Norland did not attend the ceremony."
)


@pytest.mark.parametrize(
    "sentence",
    [
        "Ana Roe and Bo Lind signed the rice accord in Geneva on Monday.",
        "The accord, signed after three years of talks, cuts tariffs on rice by 40%.",
        "Tariffs on rice are cut by 40% from 1 March under the accord.",
        "Opposition parties did not attend the ceremony in Norland.",
    ],
)
def test_what_the_source_says_passes(sentence: str) -> None:
    assert GATE.passes(sentence, SOURCE)


@pytest.mark.parametrize(
    ("sentence", "invented"),
    [
        ("Ana Roe and Bo Lind signed the rice accord in Vienna on Monday.", {"vienna"}),
        ("Ana Roe and Bo Lind signed the rice accord in Geneva on Tuesday.", {"tuesday"}),
        ("The accord cuts tariffs on rice by 45% after talks.", {"45"}),
        ("The accord cuts tariffs on rice after four years of talks.", {"four"}),
        ("Norland signed the rice accord with Sudria after talks.", {"sudria"}),
        ("Ana Roe never signed the rice accord in Geneva on Monday.", {"never"}),
        ("Sudria signed the rice accord in Geneva on Monday.", {"sudria"}),
        ("The accord on rice takes effect on 1 April.", {"april"}),
    ],
)
def test_what_the_source_does_not_name_is_rejected(sentence: str, invented: set[str]) -> None:
    assert GATE.invented(sentence, SOURCE) == invented
    assert not GATE.passes(sentence, SOURCE)


def test_a_sentence_of_other_words_is_rejected() -> None:
    sentence = "The farmers celebrated their harvest with music while children danced."
    assert GATE.invented(sentence, SOURCE) == set()
    assert not GATE.passes(sentence, SOURCE)


@given(st.text(max_size=80), st.text(max_size=80))
def test_any_text_is_judged(sentence: str, source: str) -> None:
    if GATE.passes(sentence, source):
        assert GATE.invented(sentence, source) == set()


@given(st.lists(st.sampled_from(SOURCE.split()), min_size=1))
def test_words_of_the_source_are_never_invented(words: list[str]) -> None:
    assert GATE.invented(" ".join(words), SOURCE) == set()


async def draft(written: str, body: str = SOURCE, article: str = "") -> str:
    with ThreadPoolExecutor(1) as executor:
        drafter = SeqToSeqDrafter(writer=lambda _: written, executor=executor)
        return await drafter.draft(telling("Norland signs the rice accord", body, article=article))


async def test_only_faithful_whole_sentences_are_kept() -> None:
    good = "Ana Roe and Bo Lind signed the rice accord in Geneva on Monday."
    assert await draft(f"{good} They dined in Paris with 12 guests. The accord cuts tariffs on rice by") == good


async def test_what_is_too_short_to_condense_is_left_alone() -> None:
    assert await draft("Norland signs the rice accord with three parties.", body="Norland signs it.") == ""


async def test_the_model_reads_the_article_too() -> None:
    article = f"{SOURCE}\n{SOURCE}"
    assert await draft("Bo Lind signed the rice accord in Geneva on Monday.", body="", article=article)
    assert SOURCE.split(".")[0] in text_of(telling("Norland signs", "", article=article))


async def test_a_draft_takes_the_place_of_the_feeds_sentences() -> None:
    told = replace(telling("Norland signs the rice accord", SOURCE), draft="Ana Roe and Bo Lind signed the rice accord in Geneva.")
    assert [s.text for s in ExtractiveSummarizer().summarize((told,))] == ["Ana Roe and Bo Lind signed the rice accord in Geneva."]


def test_a_model_that_cannot_be_loaded_says_how_to_mend_it(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"(?s)seq2seq.*attache\[torch\]"):
        load_writer(str(tmp_path))


def test_a_real_model_writes(tmp_path: Path) -> None:
    """A tiny one with random weights: what it writes is noise, and none of it passes."""
    torch = pytest.importorskip("torch")
    from tests.summary.tiny import save_seq2seq

    torch.manual_seed(1)
    save_seq2seq(tmp_path, SOURCE)
    written = load_writer(str(tmp_path))(SOURCE)
    assert isinstance(written, str)
    assert not GATE.passes(written, SOURCE) or GATE.invented(written, SOURCE) == set()
