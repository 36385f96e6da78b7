"""Summaries: whole sentences of the coverage, few, and none of the page's own words."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.assessment import Assessment, Facts, Person
from bot.domain.entries import Entry
from bot.domain.text import plain, sentences
from bot.domain.topics import Topic
from bot.ports import Telling
from bot.summary.extractive import MAX_CHARACTERS, MAX_SENTENCES, MIN_WORDS, ExtractiveSummarizer, whole
from tests.fakes.clock import START

SUMMARIZER = ExtractiveSummarizer()


def telling(title: str, summary: str, number: int = 1, facts: Facts = Facts(), article: str = "") -> Telling:  # noqa: B008  (frozen)
    entry = Entry(
        entry_id=number,
        key=f"k{number}",
        source=f"outlet {number}",
        url=f"https://example.com/{number}",
        title=title,
        summary=summary,
        published=START + timedelta(minutes=number),
        seen=START,
    )
    assessment = Assessment(scores=dict.fromkeys(Topic, 0.9), development=0.9, facts=facts)
    return Telling(entry=entry, assessment=assessment, topics=(Topic.TRADE_DEAL,), article=article)


def told(*tellings: Telling) -> list[str]:
    return [s.text for s in SUMMARIZER.summarize(tellings)]


@pytest.mark.parametrize(
    ("sentence", "kept"),
    [
        ("The two ministers signed the rice pact on Monday.", None),
        ("“We signed the rice pact,” the minister said on Monday.", None),
        ("Was it not a good day for rice growers?”", ""),
        ("GENEVA: The two ministers signed the rice pact on Monday.", "The two ministers signed the rice pact on Monday."),
        ("NEW DELHI, March 2 - The two ministers signed the rice pact.", "The two ministers signed the rice pact."),
        ("GENEVA, March 2 (Reuters) - The two ministers signed the rice pact.", "The two ministers signed the rice pact."),
        ("Geneva (AFP) – The two ministers signed the rice pact.", "The two ministers signed the rice pact."),
        ("(PTI) The two ministers signed the rice pact.", "The two ministers signed the rice pact."),
        ("The two ministers signed the", ""),
        ("The two ministers signed the rice pact…", ""),
        ("The two ministers signed the rice pact with Mr.", ""),
        ("and then the ministers signed the rice pact.", ""),
        ("They signed it.", ""),
        ("By Ada Roe and Bo Poe, reporters in Geneva.", ""),
        ("Read more about the rice pact in our pages.", ""),
        ("Sign up for our letter on rice and tea.", ""),
        ("Here’s what the rice pact means for all of you.", ""),
        ("File photo of the ministers at the rice fair.", ""),
        ("The minister said “we signed the rice pact today.", ""),
        ("The minister (of rice signed the rice pact today.", ""),
        ("Will the two ministers sign the rice pact?", ""),
        ("Exclusive: The two ministers signed the rice pact.", "The two ministers signed the rice pact."),
        ("Latest updates: The two ministers signed the rice pact.", "The two ministers signed the rice pact."),
        ("Minister Ada Roe (L) and Minister Bo Poe sign the rice pact in Geneva.", ""),
        ("Ada Roe, left, and Bo Poe before the signing of the rice pact in Geneva.", ""),
        ("Minister Ada Roe speaks at the rice fair in Geneva on March 2, 2031.", ""),
        ("Minister Ada Roe spoke at the rice fair in Geneva on March 2, 2031.", None),
        ("“We signed it, and it is a fine pact for all of us.”", ""),
        ("We will bring you all the news of the rice pact.", ""),
        ("Good morning to all readers of the rice pages.", ""),
        ("Here are some pictures of the rice fair in Geneva.", ""),
        ("CNBC’s Una Moe Roe speaks about rice with growers.", ""),
        ("Minister Ada Roe discussed the rice pact with NPR’s Una Moe.", ""),
        ("Una Moe reports from the old harbour of Geneva.", ""),
        ("The pact " + "and the rice " * 40 + "grew.", ""),
    ],
)
def test_whole(sentence: str, kept: str | None) -> None:
    assert whole(sentence) == (sentence if kept is None else kept or None)


def test_the_sentence_that_says_it_comes_first() -> None:
    body = "Sunshine lay over the lake while the many guests arrived. Norland and Sudland signed a rice pact that halves duties on rice."
    assert told(telling("Norland and Sudland sign rice pact", body))[0].startswith("Norland and Sudland signed")


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (  # an article opens the first sentence
            "Growers fear for harvests as duties fall The two ministers signed the rice pact on Monday in Geneva.",
            ["The two ministers signed the rice pact on Monday in Geneva."],
        ),
        (  # so do the page's links
            "Growers fear for harvests Rice pact – latest news updates Bo Poe signed the rice pact on Monday in Geneva.",
            ["Bo Poe signed the rice pact on Monday in Geneva."],
        ),
        (  # and a subject with its verb, where the words before are said again
            "Growers fear for harvests after rice pact with low import duties Bo Poe has told growers that their harvests are safe.",
            ["Bo Poe has told growers that their harvests are safe."],
        ),
        ("Growers fear for harvests after talks about low duties Bo Poe has told the press that nobody will lose by it.", []),
        (
            "Growers to keep harvests in barns, say rice ministers in Old Geneva Bo Poe flew to Old Geneva to say that growers of rice keep all harvests.",
            [],
        ),
    ],
)
def test_a_standfirst_that_runs_into_the_first_sentence_is_left_out(body: str, kept: list[str]) -> None:
    assert told(telling("Ministers meet", body)) == kept


@pytest.mark.parametrize(
    "body",
    [
        "Minister Ada Roe of Norland told growers that Minister Bo Poe of Sudland will sign the rice pact.",
        "Minister Ada Roe said on Monday that she hoped Sudland could sign the rice pact before the winter.",
        "Sudland growers say that the rice minister will visit Norland ministers who will hear that Norland ministers say nothing.",
        "Growers in The Hague were told on Monday that the rice pact will be signed.",
        "Ministers Praise Rice Pact As Growers Gather In The Harbour Of Geneva On Monday.",
    ],
)
def test_names_within_a_sentence_do_not_part_it(body: str) -> None:
    assert told(telling("Ministers meet", body)) == [body]


def test_a_caption_is_known_by_its_credit() -> None:
    caption = "Two ministers beside sacks of rice in the harbour. Many growers came. (Una Moe/Harbour Images via Getty)"
    assert told(telling("Rice pact signed", caption)) == []
    news = "The two ministers signed the rice pact on Monday in Geneva."
    assert told(telling("Rice pact signed", f"{caption} {news}")) == [news]


def test_of_a_live_page_only_the_beginning_is_told() -> None:
    first, other = "Norland and Sudland signed the pact in the old harbour.", "Heavy rain closed four mountain roads in Westland."
    assert told(telling("Rice pact signed – live", f"{first} {other}")) == [first]
    assert told(telling("Rice pact signed", f"{first} {other}")) == [first, other]


def test_what_only_says_the_headline_again_is_left_out() -> None:
    assert told(telling("Norland, Sudland to sign rice pact soon", "Sudland and Norland sign rice pact.")) == []


def test_a_sentence_that_leans_on_another_follows_it() -> None:
    first = "Ada Roe began her journey through Sudland yesterday."
    leaning = "She and Bo Poe will sign the rice pact that halves rice duties."
    assert told(telling("Rice pact", f"{first} {leaning}")) == [first, leaning]
    assert told(telling("Rice pact", f"Ada Roe began her journey through… {leaning}")) == []
    assert told(telling("Ada Roe to sign rice pact", leaning)) == [leaning]


def test_nothing_comes_of_nothing() -> None:
    assert told() == []
    assert told(telling("Norland and Sudland sign rice pact", "")) == []
    assert told(telling("Norland and Sudland sign rice pact", "They met. Continue reading...")) == []
    assert told(telling("Norland and Sudland sign rice pact", "Norland and Sudland sign rice pact")) == []


def test_each_sentence_bears_its_address() -> None:
    first = telling("Norland and Sudland sign rice pact", "Norland and Sudland signed a rice pact in the old harbour.", 1)
    second = telling("Rice pact signed", "Growers must wait until autumn before their duties fall by half.", 2)
    found = SUMMARIZER.summarize([first, second])
    assert {s.text[:7]: s.url for s in found} == {"Norland": first.entry.url, "Growers": second.entry.url}


def test_no_sentence_comes_twice() -> None:
    same = "Norland and Sudland signed a rice pact in the old harbour."
    near = "Norland and Sudland signed the rice pact in the old harbour today."
    assert len(told(telling("Rice", same, 1), telling("Rice", same, 2), telling("Rice", near, 3))) == 1


def test_a_sentence_of_small_words_comes_once() -> None:
    assert told(telling("Rice", "He is at sea as of now.")) == ["He is at sea as of now."]


def test_no_more_than_three_sentences_are_told() -> None:
    subjects = ["Growers in Westland", "Two bakers from Sudland", "Several old sailors", "Nine mountain villages"]
    deeds = ["welcome lower duties", "sell twice their usual bread", "carry sacks every morning", "plant barley instead"]
    body = " ".join(f"{subject} {deed} now." for subject, deed in zip(subjects, deeds, strict=True))
    assert len(told(telling("Norland and Sudland sign rice pact", body))) == MAX_SENTENCES


def test_people_places_and_figures_weigh() -> None:
    facts = Facts(people=(Person(name="Ada Roe"),), place="Geneva")
    plainly = "Senior officials described harvests without further particulars yesterday."
    named = "Officials with Roe described 14 harvests without particulars inside Geneva."
    both = f"Overture music sounded across several wooden balconies. {plainly} {named}"
    assert told(telling("Harvests", both, facts=facts)).index(named) == 0


def test_an_article_stands_in_for_a_missing_summary() -> None:
    article = (
        "Norland and Sudland signed a rice pact in the old harbour.\n"
        + "Short line.\n" * 5
        + "Background that stands far below must never be told here."
    )
    assert told(telling("Rice pact", "", article=article)) == ["Norland and Sudland signed a rice pact in the old harbour."]
    own = "The feed itself has a sentence that is quite enough."
    assert told(telling("Rice pact", own, article=article)) == [own]


CLAUSES = st.lists(
    st.sampled_from(
        [
            "Norland and Sudland signed",
            "the rice pact",
            "on Monday",
            "in Geneva",
            "GENEVA -",
            "(Reuters)",
            "“it is done”",
            "Mr.",
            "Read more",
            "growers",
            "duties fell by 14 per cent",
        ]
    ),
    min_size=1,
    max_size=9,
).map(" ".join)
BODIES = st.lists(st.tuples(CLAUSES, st.sampled_from([".", "!", "?", "…", "", ".”"])).map("".join), max_size=6).map(" ".join) | st.text(
    max_size=200
)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(CLAUSES, BODIES, st.booleans()), max_size=4))
def test_every_sentence_is_the_coverages_own(texts: list[tuple[str, str, bool]]) -> None:
    tellings = [telling(title, "" if paged else body, n, article=body if paged else "") for n, (title, body, paged) in enumerate(texts)]
    found = SUMMARIZER.summarize(tellings)
    written = {t.entry.url: plain(t.entry.summary or t.article) for t in tellings}
    assert all(s.text in written[s.url] for s in found)
    assert all(len(s.text.split()) >= MIN_WORDS and s.text.rstrip("”\"')")[-1] in ".!" for s in found)
    assert len(" ".join(s.text for s in found)) <= MAX_CHARACTERS
    assert len({s.text for s in found}) == len(found) <= MAX_SENTENCES
    assert all(len(sentences(s.text)) == 1 for s in found)
    assert found == SUMMARIZER.summarize(tellings)
