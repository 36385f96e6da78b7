"""A small story played through the real reader, store and outbox; only the judging is told the answers."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from rich.console import Console

from bot.delivery.outbox import Outbox
from bot.demo.clock import VirtualClock
from bot.demo.player import play
from bot.demo.server import serve, sources
from bot.demo.show import Figures, Show, closing, figures
from bot.domain.alerts import Destination, Surface
from bot.domain.assessment import Assessment, Facts
from bot.domain.decisions import Reason
from bot.domain.subscriptions import Subscription
from bot.domain.topics import Topic
from bot.pipeline import Pipeline
from bot.ports import Candidate, Filed, Match, Telling
from bot.sources.reader import SourceReader
from bot.storage.database import MEMORY, migrate, open_engine
from bot.storage.store import SqlStore
from bot.summary.extractive import ExtractiveSummarizer
from tests.demo.kit import AGENT, START, small_story
from tests.fakes.classifier import FakeClassifier
from tests.fakes.sender import RecordingSender
from tests.judge.kit import language

TERMINAL = Destination(surface=Surface.CONSOLE, address="terminal")
MEETING = Assessment(scores={Topic.MINISTERIAL_MEETING: 0.9}, development=0.9, facts=Facts(parties=("IND", "CHL")), model="fake")


class OneStory:
    """Stories (port `Stories`) that takes whatever it finds for the same."""

    def keys(self, telling: Telling) -> tuple[str, ...]:
        return telling.assessment.facts.parties

    def match(self, telling: Telling, candidates: Sequence[Candidate]) -> Match:
        same = [c for c in candidates if c.development.first_published.date() == telling.entry.published.date()]
        return Match(development_id=same[0].development.development_id if same else None, probability=0.9)


@asynccontextmanager
async def store_in_memory() -> AsyncIterator[SqlStore]:
    engine = open_engine(MEMORY)
    try:
        await migrate(engine)
        yield SqlStore(engine)
    finally:
        await engine.dispose()


def pipeline_of(reader: SourceReader, store: SqlStore, clock: VirtualClock) -> Pipeline:
    return Pipeline(
        reader=reader,
        store=store,
        classifier=FakeClassifier({"inisters": MEETING}),
        stories=OneStory(),
        summarizer=ExtractiveSummarizer(),
        clock=clock,
        language=language(),
    )


async def played(console: Console, sender: RecordingSender) -> list[Filed]:
    story, clock = small_story(), VirtualClock(START)
    async with store_in_memory() as store, SourceReader(agent=AGENT, allow_private=True) as reader, serve(story, clock) as base:
        pipeline = pipeline_of(reader, store, clock)
        await store.subscribe(Subscription(destination=TERMINAL))
        outbox = Outbox(store=store, senders={Surface.CONSOLE: sender}, clock=clock)
        return await play(story=story, sources=sources(story, base), pipeline=pipeline, outbox=outbox, clock=clock, show=Show(console))


async def test_a_story_is_told_once() -> None:
    out, sender = io.StringIO(), RecordingSender()
    filed = await played(Console(file=out, width=80), sender)
    assert [f.reason for f in filed] == [
        Reason.BASELINE,
        Reason.NEW_DEVELOPMENT,
        Reason.MORE_COVERAGE,
        Reason.NEW_VERSION,
        Reason.OFF_TOPIC,
    ]
    assert sender.headlines == ["Ministers of India & Chile meet in Santiago"]
    assert figures(filed) == Figures(entries=4, flagged=3, developments=2, alerts=1, follow_ups=0, spared=2)
    assert "duplicates spared" in out.getvalue()


def test_the_figures_of_nothing_are_zeros() -> None:
    assert figures([]) == Figures(entries=0, flagged=0, developments=0, alerts=0, follow_ups=0, spared=0)


def test_the_closing_table_has_the_six_rows() -> None:
    console = Console(file=(out := io.StringIO()), width=80)
    console.print(closing(Figures(entries=77, flagged=33, developments=19, alerts=16, follow_ups=5, spared=14)))
    rows = [line.strip("│ \n").split("│") for line in out.getvalue().splitlines() if line.startswith("│")]
    assert [(name.strip(), int(value)) for name, value in rows] == [
        ("entries", 77),
        ("flagged", 33),
        ("developments", 19),
        ("alerts", 16),
        ("follow-ups", 5),
        ("duplicates spared", 14),
    ]
