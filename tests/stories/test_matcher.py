"""Stories: what two tellings have in common, under which keys they are found, and when they are one development."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.assessment import Assessment, Facts, Person
from bot.domain.developments import Development
from bot.domain.entries import Entry
from bot.domain.errors import ModelError
from bot.domain.topics import Stage, Status, Topic
from bot.ports import Candidate, Telling
from bot.stories import matcher as module
from bot.stories.features import NAMES, apart, features
from bot.stories.matcher import StoryMatcher, StoryModel
from bot.stories.profile import KEYS, Profile, Profiler
from tests.fakes.clock import START

IDF = {"minist": 1.0, "rice": 3.0, "pact": 2.0, "norland": 4.0}
PROFILER = Profiler(IDF)


def telling(title: str, summary: str = "", key: str = "", hours: float = 0, source: str = "wire", **assessed: Any) -> Telling:  # noqa: ANN401  (whatever the built thing takes)
    published = START + timedelta(hours=hours)
    entry = Entry(entry_id=1, key=key or title, source=source, url="u", title=title, summary=summary, published=published, seen=published)
    assessment = Assessment(**{"scores": dict.fromkeys(Topic, 0.9), "development": 0.9, **assessed})
    return Telling(entry=entry, assessment=assessment, topics=(Topic.TRADE_DEAL,))


def profile(*args: Any, **named: Any) -> Profile:  # noqa: ANN401  (whatever the built thing takes)
    return PROFILER.profile(telling(*args, **named))


def clues(new: Profile, old: Profile) -> dict[str, float]:
    return dict(zip(NAMES, features(new, old), strict=True))


def candidate(name: str, *tellings: Telling) -> Candidate:
    development = Development(
        development_id=name,
        dossier_id="trade_deal:x",
        topics=(Topic.TRADE_DEAL,),
        headline=name,
        url="u",
        first_published=START,
        last_published=START,
    )
    return Candidate(development=development, tellings=tellings)


def model(**weights: float) -> StoryModel:
    named = {name.replace("_", " "): weight for name, weight in weights.items()}
    return StoryModel(idf=IDF, weights=dict.fromkeys(NAMES, 0.0) | named, bias=-2.0, threshold=0.5)


def test_a_profile() -> None:
    facts = Facts(parties=("IND", "USA"), people=(Person(name="Ada Roe"),), place="Geneva", when=date(2026, 3, 2))
    found = profile(
        "Norland's ministers signed a rice pact - The Example Times",
        "The pact of 1,500 words and 14 per cent took hold.",
        facts=facts,
        stage=Stage.SIGNED,
    )
    assert found.title == {"norland": 4.0, "minist": 1.0, "sign": 4.0, "rice": 3.0, "pact": 2.0}, "unseen words are as rare as the rarest"
    assert found.text.keys() > found.title.keys() | {"word", "took", "hold"}
    assert found.numbers == {"1500", "14 per cent"}
    assert "norland" in found.names
    assert (found.parties, found.people, found.place, found.when) == ({"IND", "USA"}, {"Ada Roe"}, "Geneva", date(2026, 3, 2))
    assert (found.stage, found.outlet, found.published) == (Stage.SIGNED, "wire", START)


def test_a_telling_is_like_itself() -> None:
    facts = Facts(parties=("IND", "USA"), people=(Person(name="Ada Roe"),), place="Geneva", when=date(2026, 3, 2))
    same = profile("Norland signs 3 rice pacts", facts=facts, stage=Stage.SIGNED, vector=(0.6, 0.8))
    found = clues(same, same)
    differing = {name for name in NAMES if name.endswith(("differ", "differs"))}
    assert {name for name, value in found.items() if value == pytest.approx(1.0)} == set(NAMES) - differing
    assert {found[name] for name in differing} == {0.0}


def test_clues_that_differ() -> None:
    one = profile(
        "Rice 3",
        facts=Facts(parties=("IND",), people=(Person(name="Ada Roe"),), place="Geneva", when=date(2026, 3, 2)),
        status=Status.HELD,
        vector=(1.0, 0.0),
    )
    other = profile(
        "Steel 4",
        facts=Facts(parties=("USA",), people=(Person(name="Bo Poe"),), place="Osaka", when=date(2026, 3, 3)),
        status=Status.PLANNED,
        hours=24,
        source="herald",
        vector=(-1.0, 0.0),
    )
    found = clues(one, other)
    assert {name for name, value in found.items() if value == 1.0} == {
        "numbers differ",
        "parties differ",
        "people differ",
        "place differs",
        "day differs",
        "step differs",
        "topic",
    }
    assert found["soon after"] == pytest.approx(0.3679, abs=1e-3)
    assert {found[n] for n in ("title words", "words", "meaning", "same outlet")} == {0.0}


def test_what_is_not_said_neither_agrees_nor_differs() -> None:
    silent, speaking = profile("Rice"), profile("Steel", facts=Facts(parties=("IND",), place="Geneva"), stage=Stage.SIGNED, vector=(1.0,))
    found = clues(silent, speaking)
    assert {value for name, value in found.items() if name not in ("soon after", "topic", "same outlet")} == {0.0}


def test_vectors_of_another_model_say_nothing() -> None:
    assert clues(profile("Rice", vector=(1.0, 0.0)), profile("Rice", vector=(1.0, 0.0, 0.0)))["meaning"] == 0.0


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
def test_clues_are_numbers_from_0_to_1(title: str, other: str, summary: str) -> None:
    found = features(profile(title, summary), profile(other, summary, hours=3))
    assert len(found) == len(NAMES)
    assert all(0.0 <= value <= 1.0 + 1e-9 for value in found)


def test_keys() -> None:
    facts = Facts(parties=("USA", "IND", "JPN"), people=(Person(name="Zoë Élan"),))
    keys = StoryMatcher(model()).keys(telling("Norland ministers sign rice pact", facts=facts))
    assert keys[:4] == ("p:IND-JPN", "p:IND-USA", "p:JPN-USA", "n:zoe elan")
    assert keys[4:] == ("w:norland", "w:sign", "w:rice", "w:pact", "w:minist"), "the rarest first"
    assert "p:IND" in StoryMatcher(model()).keys(telling("Rice", facts=Facts(parties=("IND",))))


def test_keys_are_few_and_short() -> None:
    facts = Facts(parties=("A", "B", "C", "D"), people=tuple(Person(name=n * 90) for n in "abcdef"))
    keys = StoryMatcher(model()).keys(telling("word " + " ".join(f"w{chr(97 + n)}rd" for n in range(26)), "long" * 60, facts=facts))
    assert len(keys) <= 6 + 3 + KEYS
    assert all(len(key) <= 64 for key in keys)
    assert len(set(keys)) == len(keys)


def test_the_likeliest_candidate_is_taken() -> None:
    matcher = StoryMatcher(model(title_words=6.0))
    near, far = candidate("near", telling("Norland signs rice pact")), candidate("far", telling("Golf results tonight"))
    found = matcher.match(telling("Rice pact signed by Norland", key="new"), [far, near])
    assert (found.development_id, found.nearest) == ("near", "near")
    assert found.probability == pytest.approx(0.982, abs=1e-3)
    assert found.features == (("title words", pytest.approx(6.0)),)


def test_below_the_threshold_it_is_new() -> None:
    matcher = StoryMatcher(model(title_words=6.0))
    found = matcher.match(telling("Harvest weather"), [candidate("far", telling("Golf results tonight"))])
    assert (found.development_id, found.nearest, found.features) == (None, "far", ())
    assert found.probability == pytest.approx(0.119, abs=1e-3)


@pytest.mark.parametrize("candidates", [[], [candidate("empty")]])
def test_without_anything_to_compare_it_is_new(candidates: list[Candidate]) -> None:
    found = StoryMatcher(model()).match(telling("Rice"), candidates)
    assert (found.development_id, found.probability, found.nearest) == (None, 0.0, None)


def test_a_chain_of_near_likenesses_does_not_grow_for_ever() -> None:
    matcher = StoryMatcher(model(title_words=6.0))
    new = telling("Norland signs rice pact", key="new")
    alone = candidate("alone", telling("Norland signs rice pact", key="a"))
    chained = candidate(
        "chained", telling("Norland signs rice pact", key="a"), telling("Golf results", key="b"), telling("Weather", key="c")
    )
    assert matcher.match(new, [alone]).probability > matcher.match(new, [chained]).probability


def test_no_weight_overflows() -> None:
    for weight in (1e9, -1e9):
        assert 0.0 <= StoryMatcher(model(topic=weight)).probability([1.0] * len(NAMES)) <= 1.0


def test_memory_is_bounded_and_changes_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REMEMBERED", 2)
    matcher = StoryMatcher(model(title_words=6.0))
    new, old = (
        telling("Norland signs rice pact", key="n"),
        candidate("d", *(telling(f"Norland signs pact {n}", key=f"o{n}") for n in range(5))),
    )
    first = matcher.match(new, [old])
    assert matcher.match(new, [old]) == first == StoryMatcher(model(title_words=6.0)).match(new, [old])
    assert len(matcher._profiles) <= 2


def test_a_model_is_read(tmp_path: Path) -> None:
    kept = model(words=1.5)
    path = tmp_path / "stories.json"
    path.write_text(
        json.dumps({"idf": kept.idf, "weights": kept.weights, "bias": kept.bias, "threshold": kept.threshold}), encoding="utf-8"
    )
    assert StoryModel.load(path) == kept
    assert StoryMatcher(replace(kept, idf={})).keys(telling("Rice")) == ("w:rice",)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"idf": {}, "weights": {}, "bias": 0, "threshold": 1, "more": 2}'])
def test_a_broken_model_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "stories.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ModelError, match=r"stories\.json cannot be read"):
        StoryModel.load(path)
    with pytest.raises(ModelError, match=r"missing\.json cannot be read"):
        StoryModel.load(tmp_path / "missing.json")


def test_a_model_without_a_weight_is_named(tmp_path: Path) -> None:
    path = tmp_path / "stories.json"
    path.write_text('{"idf": {}, "weights": {"words": 1}, "bias": 0, "threshold": 1}', encoding="utf-8")
    with pytest.raises(ModelError, match="title words"):
        StoryModel.load(path)


def _deal(one: str, other: str, *codes: str) -> Profile:
    return profile(f"{one} and {other} sign free trade agreement", "Envoys signed it on Monday.", facts=Facts(parties=codes))


@pytest.mark.parametrize(
    ("new", "old", "told"),
    [
        (_deal("Peru", "Turkey", "PER", "TUR"), _deal("Peru", "Ukraine", "PER", "UKR"), True),
        (_deal("Peru", "Turkey", "PER", "TUR"), _deal("Turkey", "Peru", "PER", "TUR"), False),
        (_deal("Peru", "Turkey", "PER", "TUR"), _deal("Peru", "Turkey", "PER"), False),
    ],
    ids=["each names a party that the other does not", "the same two", "one only says less"],
)
def test_headlines_of_two_names_are_apart_when_one_of_the_two_differs(new: Profile, old: Profile, told: bool) -> None:
    assert (apart(new, old), apart(old, new)) == (told, told)


def test_common_names_keep_headlines_apart_by_number() -> None:
    """A country that is in every paper weighs next to nothing beside a rare name that both have."""
    common = Profiler(IDF | {"turkey": 0.1, "ukraine": 0.1, "peru": 5.0})
    new, old = (
        common.profile(telling(f"Peru and {name} sign free trade agreement", facts=Facts(parties=("PER", code))))
        for name, code in (("Turkey", "TUR"), ("Ukraine", "UKR"))
    )
    assert apart(new, old)
