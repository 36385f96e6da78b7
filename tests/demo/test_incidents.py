"""What the story promises to tell: incidents with their coverage, the traps, and the noise around them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from bot.demo.story import StoryEntry, load

STORY = load()
DAY = timedelta(days=1)

# the words that all of an incident's titles or summaries hold, whatever else they say; the day; how many outlets at least
INCIDENTS = {
    "Jaishankar meets Rubio": (("Jaishankar", "Rubio", "Kuala Lumpur"), 0, 2),
    "Goyal will not rush": (("Goyal", "agreement", "United States"), 1, 2),
    "Agrawal reports progress": (("Agrawal", "trade agreement"), 2, 2),
    "the deal is signed at last": (("Goyal", "Greer", "sign"), 120, 2),
    "Sefcovic is to meet Wang": (("Sefcovic", "Wang Wentao", "next"), 1, 2),
    "Sefcovic met Wang": (("Sefcovic", "Wang Wentao", "Tuesday"), 8, 2),
    "Britain and the Gulf conclude": (("Gulf Cooperation Council", "free trade agreement"), 3, 3),
    "Britain ratifies": (("Gulf Cooperation Council", "ratif"), 12, 2),
    "Modi and Macron telephone": (("Modi", "Macron"), 4, 2),
    "Peters calls off Jakarta": (("Peters", "Jakarta", "Sugiono"), 5, 2),
    "Canada and Mercosur begin": (("Mercosur", "Sidhu"), 6, 2),
    "ASEAN ministers gather": (("ASEAN", "Manila"), 9, 2),
}


def telling(words: Sequence[str], day: int) -> list[StoryEntry]:
    """Return the entries of a day that hold all the words."""
    midnight = STORY.start.replace(hour=0)
    of_day = [e for e in STORY.entries if (e.published - midnight) // DAY == day]
    return [e for e in of_day if all(word in f"{e.title} {e.summary}" for word in words)]


@pytest.mark.parametrize("name", INCIDENTS)
def test_an_incident_is_told_by_several_outlets_in_words_of_their_own(name: str) -> None:
    words, day, outlets = INCIDENTS[name]
    told = telling(words, day)
    assert len({e.feed_id for e in told}) >= outlets
    assert len({e.title for e in told}) == len(told) == len({e.summary for e in told})


@pytest.mark.parametrize("words", [("Opinion", "trade deals"), ("Explainer", "trade agreement")])
def test_there_are_entries_on_topic_that_tell_nothing_new(words: tuple[str, ...]) -> None:
    assert any(all(word in e.title for word in words) for e in STORY.entries)


def test_some_entries_are_re_titled_later() -> None:
    changed = [e for e in STORY.entries if e.retitled_at]
    assert changed
    assert all(e.later_title and e.later_title != e.title and e.retitled_at and e.retitled_at > e.published for e in changed)


def test_most_of_it_is_noise() -> None:
    told = {e.guid for words, day, _ in INCIDENTS.values() for e in telling(words, day)}
    assert len(STORY.entries) - len(told) >= 40
