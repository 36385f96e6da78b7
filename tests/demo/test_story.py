"""That the story holds together, and that the clock and the steps do what they say."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from bot.demo.clock import VirtualClock
from bot.demo.player import rounded_up, steps
from bot.demo.story import Format, load, slug, story_of
from tests.demo.kit import START, entry, small_story

STORY = load()


def test_the_story_is_of_the_promised_size() -> None:
    assert len(STORY.feeds) == 10
    assert {f.format for f in STORY.feeds} == set(Format)
    assert 70 <= len(STORY.entries) <= 80
    assert all(len(STORY.of(feed)) >= 5 for feed in STORY.feeds)


def test_every_entry_has_a_guid_and_an_address_of_its_own() -> None:
    assert not [guid for guid, count in Counter(e.guid for e in STORY.entries).items() if count > 1]
    assert not [url for url, count in Counter(e.url for e in STORY.entries).items() if count > 1]


def test_titles_and_summaries_read_like_a_newsroom_s() -> None:
    for one in STORY.entries:
        assert 6 <= len(one.title.split()) <= 14, one.title
        assert one.summary.endswith("."), one.title


def test_the_story_starts_with_old_entries_and_ends_four_months_later() -> None:
    before = [e for e in STORY.entries if e.published <= STORY.start]
    assert before
    assert all(STORY.start - e.published > timedelta(hours=24) for e in before)
    last = max(e.published for e in STORY.entries)
    assert (last.date() - STORY.start.date()).days == 120


def test_a_title_changes_when_its_time_has_come() -> None:
    one = next(e for e in small_story().entries if e.later_title)
    assert one.title_at(one.published) == one.title
    assert one.title_at(one.published + timedelta(hours=4)) == one.later_title
    assert one.changed_at(one.published + timedelta(hours=4)) == one.published + timedelta(hours=4)


def test_a_slug_is_plain_ascii() -> None:
    assert slug("Šefčovič & Wang: “talks”, day 2") == "sefcovic-wang-talks-day-2"


def test_an_entry_of_an_unknown_feed_is_refused() -> None:
    with pytest.raises(ValueError, match="not listed: nobody"):
        story_of({"start": START, "feeds": [], "entries": [entry("nobody", "n1", "A title", 0, 1)]})


def test_steps_are_the_start_and_every_moment_rounded_up() -> None:
    hours = [(step - START) / timedelta(hours=1) for step in steps(small_story())]
    assert hours == [0, 4, 8, 26]  # 08:12 and 09:30 share a step, the new title at 12:12 has the next, then tomorrow at 07:00


def test_a_full_step_is_not_rounded_up() -> None:
    assert rounded_up(START) == START
    assert rounded_up(START + timedelta(seconds=1)) == START + timedelta(hours=2)


def test_the_clock_goes_on_and_never_back() -> None:
    clock = VirtualClock(START)
    clock.set(START + timedelta(hours=2))
    assert clock.now() == START + timedelta(hours=2)
    with pytest.raises(ValueError, match="cannot go back"):
        clock.set(START)
    with pytest.raises(ValueError, match="naive"):
        clock.set((START + timedelta(days=1)).replace(tzinfo=None))
