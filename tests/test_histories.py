"""Whatever a feed does to its items between two polls, no entry is missed and none is alerted twice (Hypothesis over histories)."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import format_datetime

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from bot.app import open_store
from bot.domain.assessment import Assessment, Facts
from bot.domain.entries import Source, SourceState
from bot.pipeline import Pipeline
from bot.ports import Filed, Harvest
from bot.sources.feeds import read_feed
from bot.sources.fetching import Document
from bot.storage import tables
from bot.storage.database import MEMORY
from bot.storage.store import SqlStore
from bot.stories.features import NAMES
from bot.stories.matcher import StoryMatcher, StoryModel
from bot.summary.extractive import ExtractiveSummarizer
from tests.fakes.classifier import FakeClassifier
from tests.fakes.clock import START, ManualClock
from tests.fakes.reader import FakeReader
from tests.judge.kit import language
from tests.storage.kit import DEAL, MEETING, subscribed

NEVER = StoryModel(idf={}, weights=dict.fromkeys(NAMES, 0.0), bias=-9.0, threshold=0.9)  # every entry is a development of its own
WIRE = Source(name="wire", url="https://wire.example/feed", interval=60)
MOST = 9

whims = st.fixed_dictionaries(
    {
        "new": st.integers(0, 2),
        "retitle": st.none() | st.integers(0, MOST),
        "case_only": st.none() | st.integers(0, MOST),
        "shift_hours": st.sampled_from([0, 0, -30, 5]),
        "same_guids": st.booleans(),
        "no_guids": st.booleans(),
        "reverse": st.booleans(),
        "dropped": st.sets(st.integers(0, MOST), max_size=4),
        "tracking": st.booleans(),
        "twice": st.none() | st.integers(0, MOST),
    }
)


@dataclass
class Feed:
    """A feed with a will of its own. `seen` are the numbers of the items that it has ever listed."""

    titles: list[str] = field(default_factory=list)
    seen: set[int] = field(default_factory=set)

    def document(self, whim: dict[str, object]) -> bytes:
        for _ in range(min(int(str(whim["new"])), MOST - len(self.titles))):
            self.titles.append(f"Norland and Land {len(self.titles)} sign rice pact")
        self._retitle(whim["retitle"], whim["case_only"])
        dropped = whim["dropped"]
        assert isinstance(dropped, set)
        numbers = [n for n in range(len(self.titles)) if n not in dropped]
        self.seen |= set(numbers)
        items = [self._item(n, whim) for n in numbers]
        items += [self._item(n, whim) for n in numbers if n == whim["twice"]]
        body = "".join(reversed(items) if whim["reverse"] else items)
        return f'<?xml version="1.0"?><rss version="2.0"><channel><title>Wire</title>{body}</channel></rss>'.encode()

    def _retitle(self, changed: object, case_only: object) -> None:
        if isinstance(changed, int) and changed < len(self.titles):
            self.titles[changed] += " at last"
        if isinstance(case_only, int) and case_only < len(self.titles):
            self.titles[case_only] = self.titles[case_only].swapcase()

    def _item(self, number: int, whim: dict[str, object]) -> str:
        date = format_datetime(START - timedelta(minutes=number) + timedelta(hours=int(str(whim["shift_hours"]))))
        guid = "" if whim["no_guids"] else f"<guid>{'all alike' if whim['same_guids'] else f'item-{number}'}</guid>"
        link = f"https://wire.example/news/{number}{'?utm_source=feed&amp;utm_medium=rss' if whim['tracking'] else ''}"
        return f"<item><title>{self.titles[number]}</title><link>{link}</link>{guid}<pubDate>{date}</pubDate></item>"


async def play(history: list[dict[str, object]]) -> None:
    feed, filed, clock = Feed(), list[Filed](), ManualClock()
    assessment = Assessment(scores={DEAL: 0.9, MEETING: 0.1}, development=0.9, facts=Facts())
    async with open_store(MEMORY) as store:
        await subscribed(store)
        reader = FakeReader()
        pipeline = Pipeline(
            reader=reader,
            store=store,
            classifier=FakeClassifier({"": assessment}),
            stories=StoryMatcher(NEVER),
            summarizer=ExtractiveSummarizer(),
            clock=clock,
            language=language(),
            report=filed.append,
        )
        state = SourceState(name=WIRE.name, polled=START - timedelta(days=1))
        for whim in history:
            now = clock.advance(minutes=10)
            listing = read_feed(Document(body=feed.document(whim), url=WIRE.url), now, 2_000)
            reader.script(WIRE.name, Harvest(entries=listing.entries))
            _, state = await pipeline.poll(WIRE, state)
            await pipeline.assess()
            await holds(store, feed, filed)


async def holds(store: SqlStore, feed: Feed, filed: list[Filed]) -> None:
    """Each item that was ever listed is one entry, and has had its one alert."""
    async with store.begin() as writing:
        entries = (await writing._db.execute(select(func.count()).select_from(tables.entries))).scalar_one()
    assert entries == len(feed.seen)
    alerts = Counter(one.entry.entry_id for one in filed if one.reason.alerts)
    assert len(alerts) == len(feed.seen)
    assert set(alerts.values()) <= {1}


@given(st.lists(whims, min_size=1, max_size=7))
@settings(max_examples=60, deadline=None)
def test_no_entry_is_missed_and_none_alerted_twice(history: list[dict[str, object]]) -> None:
    asyncio.run(play(history))
