"""The line from source to outbox, with a real store: which entry becomes an alert, which does not, and why."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

import bot.pipeline as module
from bot.delivery.outbox import Outbox
from bot.domain.alerts import Surface
from bot.domain.assessment import Assessment, Facts, Person
from bot.domain.decisions import Reason
from bot.domain.developments import Development, SummarySentence
from bot.domain.entries import ParsedEntry, Source, SourceState
from bot.domain.errors import ModelError, SourceError
from bot.domain.topics import Stage
from bot.domain.watch import Effect
from bot.pipeline import Pipeline
from bot.ports import Articles, Filed, Harvest, Query, Summarizer, Telling
from bot.storage.store import SqlStore
from bot.stories.features import NAMES
from bot.stories.matcher import StoryMatcher, StoryModel
from bot.summary.extractive import ExtractiveSummarizer
from handlers.desks import make_commands
from handlers.grammar import Actor
from tests.fakes.classifier import FakeClassifier
from tests.fakes.clock import START, ManualClock
from tests.fakes.reader import FakeReader
from tests.fakes.sender import RecordingSender
from tests.judge.kit import language, places
from tests.storage.kit import DEAL, MEETING, SLACK, opened, outbox, subscribed

# Same words and parties make a story; another stage of the deal does not.
MODEL = StoryModel(
    idf={"ministers": 1.0},
    weights=dict.fromkeys(NAMES, 0.0) | {"title words": 6.0, "parties": 2.0, "step differs": -4.0},
    bias=-6.0,
    threshold=0.5,
)
PARTIES = Facts(parties=("IND", "USA"))


def deal(score: float = 0.9, development: float = 0.9, stage: Stage = Stage.SIGNED, facts: Facts = PARTIES) -> Assessment:
    return Assessment(scores={DEAL: score, MEETING: 0.1}, development=development, stage=stage, facts=facts)


ANSWERS = {
    "ratif": deal(stage=Stage.RATIFIED),
    "opinion": deal(development=0.2),
    "hint of rice": deal(0.4, 0.4),
    "rice": deal(),
    "Rice": deal(),
}


class Line:
    """The pipeline with everything around it, and short words for what happens to it."""

    def __init__(self, store: SqlStore, summarizer: Summarizer | None = None, articles: Articles | None = None) -> None:
        self.store = store
        self.clock = ManualClock()
        self.reader = FakeReader()
        self.classifier = FakeClassifier(ANSWERS)
        self.reported: list[Filed] = []
        self.pipeline = Pipeline(
            reader=self.reader,
            store=store,
            classifier=self.classifier,
            stories=StoryMatcher(MODEL),
            summarizer=summarizer or ExtractiveSummarizer(),
            clock=self.clock,
            language=language(),
            report=self.reported.append,
            articles=articles,
        )

    async def poll(self, *entries: ParsedEntry, source: str = "wire", first: bool = False) -> int:
        """Poll once; unless it is to be the first time, the source was polled before."""
        self.reader.lists(source, *entries)
        state = (await self.store.source_states()).get(source, SourceState(name=source))
        if not first and state.polled is None:
            state = replace(state, polled=START - timedelta(days=9))
        polled, _ = await self.pipeline.poll(Source(name=source, url=f"https://{source}.example.com/feed"), state)
        return polled.arrived

    async def read(self, *entries: ParsedEntry, source: str = "wire", first: bool = False) -> list[Reason]:
        await self.poll(*entries, source=source, first=first)
        return [f.reason for f in await self.pipeline.assess()]

    async def alerted(self) -> list[str]:
        sender = RecordingSender()
        await Outbox(store=self.store, senders={Surface.SLACK: sender}, clock=self.clock).drain()
        return sender.headlines

    async def developments(self) -> Sequence[Development]:
        return await self.store.developments(Query(limit=50))


@pytest.fixture
async def line(tmp_path: Path) -> AsyncIterator[Line]:
    async with opened(tmp_path) as store:
        await subscribed(store)
        yield Line(store)


def told(title: str, name: str = "", ago: timedelta = timedelta(minutes=10), **more: str) -> ParsedEntry:
    where = (name or title).replace(" ", "-")
    return ParsedEntry(title=title, url=f"https://example.com/{where}", guid=where, published=START - ago, **more)


SIGNED = told(
    "Norland and Sudland sign rice pact", summary="Norland and Sudland signed a pact on rice in Geneva on Monday. It took them nine years."
)


async def test_a_new_development_is_alerted(line: Line) -> None:
    assert await line.poll(SIGNED) == 1
    (filed,) = await line.pipeline.assess()
    assert filed.reason is Reason.NEW_DEVELOPMENT
    assert line.reported == [filed]
    (development,) = await line.developments()
    assert (development.headline, development.dossier_id, development.dossier_step) == (SIGNED.title, "trade_deal:IND-USA", 1)
    assert (development.stage, development.alerted_at, development.outlets) == (Stage.SIGNED, START, ("wire",))
    assert development.text == "Norland and Sudland signed a pact on rice in Geneva on Monday."
    assert development.importance == pytest.approx(0.81)
    assert [row[:2] for row in await outbox(line.store)] == [("discord", "pending"), ("slack", "pending")]
    assert await line.alerted() == [SIGNED.title]
    assert await line.pipeline.assess() == []


async def test_two_outlets_one_alert(line: Line) -> None:
    second = told("Rice pact signed by Norland and Sudland", summary="The pact lowers duties on rice by half within the year.")
    assert await line.read(SIGNED) == [Reason.NEW_DEVELOPMENT]
    assert await line.read(second, source="herald") == [Reason.MORE_COVERAGE]
    assert await line.alerted() == [SIGNED.title]
    (development,) = await line.developments()
    assert development.outlets == ("wire", "herald")
    assert {s.url for s in development.summary} == {SIGNED.url, second.url}
    assert await line.store.developments(Query(words="duties")) == [development]


async def test_two_outlets_in_one_batch_one_alert(line: Line) -> None:
    await line.poll(told("Rice pact signed by Norland and Sudland"))
    await line.poll(SIGNED, source="herald")
    assert sorted(f.reason for f in await line.pipeline.assess()) == [Reason.MORE_COVERAGE, Reason.NEW_DEVELOPMENT]
    assert len(await line.alerted()) == 1


async def test_coverage_fills_what_was_missing_and_changes_nothing(line: Line) -> None:
    facts = Facts(parties=("IND", "USA"), people=(Person(name="Ada Roe"),), place="Geneva", when=START.date())
    line.classifier.answers = {
        "herald": deal(stage=Stage.SIGNED, facts=facts),
        "tribune": deal(facts=replace(facts, place="Osaka")),
        "rice": deal(),
    }
    await line.read(SIGNED)
    assert await line.read(told(SIGNED.title + " herald", ago=timedelta(minutes=5))) == [Reason.MORE_COVERAGE]
    await line.read(told(SIGNED.title + " tribune", ago=timedelta(minutes=1)))
    (development,) = await line.developments()
    assert (development.place, development.people, development.when) == ("Geneva", (Person(name="Ada Roe"),), START.date())
    assert (development.headline, development.last_published) == (SIGNED.title, START - timedelta(minutes=1))


async def test_a_follow_up_in_the_dossier(line: Line) -> None:
    await line.read(SIGNED)
    ratified = told("Sudland parliament ratifies rice pact", ago=timedelta(0))
    assert await line.read(ratified) == [Reason.FOLLOW_UP]
    sender = RecordingSender()
    await Outbox(store=line.store, senders={Surface.SLACK: sender}, clock=line.clock).drain()
    first, second = sender.attempts
    assert (first.thread, first.alert.follow_up) == (None, None)
    assert (second.thread, second.alert.follow_up) == ("m-1", SIGNED.title)
    assert [d.dossier_step for d in await line.developments()] == [2, 1]


async def test_without_parties_a_matter_stands_alone(line: Line) -> None:
    line.classifier.answers = {"rice": deal(facts=Facts()), "tea": deal(facts=Facts())}
    assert await line.read(SIGNED, told("Both chambers back tea accord")) == [Reason.NEW_DEVELOPMENT] * 2
    assert len({d.dossier_id for d in await line.developments()}) == 2


async def test_a_retitled_entry_raises_no_second_alert(line: Line) -> None:
    await line.read(SIGNED)
    again = replace(SIGNED, title="Landmark farm treaty ratified at last, with rice")
    assert await line.read(again) == [Reason.NEW_VERSION]
    assert await line.read(again) == []
    assert await line.alerted() == [SIGNED.title]
    (development,) = await line.developments()
    assert [c.title for c in development.coverage] == [again.title]


async def test_a_retitled_entry_may_become_news(line: Line) -> None:
    entry = told("Weather holds in Sudland", "live")
    assert await line.read(entry) == [Reason.OFF_TOPIC]
    assert await line.read(replace(entry, title=SIGNED.title)) == [Reason.NEW_DEVELOPMENT]


async def test_what_is_old_on_a_first_poll_is_the_baseline(line: Line) -> None:
    old = told(SIGNED.title, ago=timedelta(hours=25))
    undated = replace(told("Rice pact with Ostland ratified"), published=None)
    fresh = told("Norland votes on rice quota cuts with Westland", ago=timedelta(hours=23))
    found = dict(zip((old.title, fresh.title, undated.title), await line.read(old, undated, fresh, first=True), strict=True))
    assert found == {old.title: Reason.BASELINE, fresh.title: Reason.NEW_DEVELOPMENT, undated.title: Reason.BASELINE}
    assert await line.alerted() == [fresh.title]


async def test_old_news_stays_old_news(line: Line) -> None:
    await line.read(told(SIGNED.title, ago=timedelta(hours=30)), first=True)
    assert await line.read(told(SIGNED.title, "later", timedelta(0)), source="herald") == [Reason.MORE_COVERAGE]
    assert await line.alerted() == []


async def test_what_is_seen_late_is_stale(line: Line) -> None:
    assert await line.read(told(SIGNED.title, ago=timedelta(days=3, minutes=1))) == [Reason.STALE]
    assert await line.alerted() == []
    (development,) = await line.developments()
    assert development.alerted_at is None
    assert await line.read(told("Sudland parliament ratifies rice pact")) == [Reason.NEW_DEVELOPMENT], (
        "nothing was alerted that it could follow"
    )


async def test_a_story_ends_after_some_days(line: Line) -> None:
    await line.read(SIGNED)
    line.clock.advance(days=7)
    late = replace(told("Rice pact signed by Norland and Sudland"), published=line.clock.now())
    assert await line.read(late) == [Reason.FOLLOW_UP]


async def test_what_is_no_news(line: Line) -> None:
    entries = (told("Golf results"), told("An opinion on rice"), told("A hint of rice"))
    await line.poll(*entries)
    assert {f.entry.title: f.reason for f in await line.pipeline.assess()} == {
        "Golf results": Reason.OFF_TOPIC,
        "An opinion on rice": Reason.NOT_NEW,
        "A hint of rice": Reason.OFF_TOPIC,
    }
    assert await line.developments() == []


async def test_a_watch_keyword_lowers_the_threshold(line: Line) -> None:
    await line.store.add_keyword("SUDLAND", "slack:U1", START)
    await line.poll(told("A hint of rice"), told("A hint of rice from Sudland"), told("An opinion on rice, Sudland"))
    filed = {f.entry.title: f for f in await line.pipeline.assess()}
    assert filed["A hint of rice"].reason is Reason.OFF_TOPIC
    assert filed["A hint of rice from Sudland"].reason is Reason.NEW_DEVELOPMENT
    assert filed["A hint of rice from Sudland"].keyword == "SUDLAND"
    assert filed["An opinion on rice, Sudland"].reason is Reason.NOT_NEW
    report = await line.store.why("https://example.com/A-hint-of-rice-from-Sudland")
    assert report is not None
    assert (report.keyword, report.reason) == ("SUDLAND", Reason.NEW_DEVELOPMENT)


async def test_a_keyword_counts_in_the_summary_too(line: Line) -> None:
    await line.store.add_keyword('"harbour master"', "slack:U1", START)
    assert await line.read(told("A hint of rice", summary="The Harbour-Master said so.")) == [Reason.NEW_DEVELOPMENT]


async def test_a_muted_keyword_suppresses(line: Line) -> None:
    await line.store.add_keyword("sudland AND country:IND", "slack:U1", START, effect=Effect.MUTE)
    filed = await line.read(SIGNED, told("Norland and Westland sign rice pact"), told("A hint of rice from Sudland"))
    assert sorted(filed) == [Reason.MUTED, Reason.NEW_DEVELOPMENT, Reason.OFF_TOPIC]
    assert await line.alerted() == ["Norland and Westland sign rice pact"]
    report = await line.store.why(SIGNED.url)
    assert report is not None
    assert (report.keyword, report.reason, report.development) == ("sudland AND country:IND", Reason.MUTED, None)


async def test_a_keyword_acts_on_the_next_entry_whoever_added_it(line: Line, tmp_path: Path) -> None:
    """Also one that another process added; and it acts no more once it is taken back."""
    assert await line.read(told("A hint of rice on Monday")) == [Reason.OFF_TOPIC]
    async with opened(tmp_path) as elsewhere:
        await elsewhere.add_keyword("hint*", "discord:7", START)
        assert await line.read(told("A hint of rice on Tuesday")) == [Reason.NEW_DEVELOPMENT]
        await elsewhere.undo_keyword("discord:7", START)
        assert await line.read(told("A hint of rice on Wednesday")) == [Reason.OFF_TOPIC]


async def test_a_keyword_added_on_slack_acts_on_the_next_entry_and_is_seen_from_discord(line: Line) -> None:
    commands = make_commands(store=line.store, gazetteer=places(), language=language(), clock=line.clock, admins=frozenset({"slack:U1"}))
    assert await line.read(told("A hint of rice on Monday")) == [Reason.OFF_TOPIC]
    await commands.answer_line(Actor(surface=Surface.SLACK, user="U1"), "watch add hints AND country:India")
    assert await line.read(told("A hint of rice on Tuesday")) == [Reason.NEW_DEVELOPMENT]
    seen = await commands.answer_line(Actor(surface=Surface.DISCORD, user="7"), "watch list")
    assert [(item.title, item.chips) for item in seen.items] == [("hints AND country:IND", ("watch", "added by slack:U1"))]


async def test_only_narrows_one_channel(line: Line) -> None:
    await line.store.add_keyword("westland", "slack:U1", START, effect=Effect.ONLY, channel=str(SLACK))
    assert await line.read(SIGNED) == [Reason.NEW_DEVELOPMENT]
    assert [row[0] for row in await outbox(line.store)] == ["discord"]
    assert await line.read(told("Westland parliament ratifies rice pact", ago=timedelta(0))) == [Reason.FOLLOW_UP]
    assert sorted(row[0] for row in await outbox(line.store)) == ["discord", "discord", "slack"]


async def test_a_source_that_cannot_be_read_is_marked(line: Line) -> None:
    source, state = (
        Source(name="wire", url="https://wire.example.com"),
        SourceState(name="wire", etag="e", polled=START, newest=START, failures=1),
    )
    line.reader.script(
        "wire", SourceError("timeout", "nothing within 10 s"), Harvest(entries=(SIGNED,), etag="f", problem="1 entries without a title")
    )
    polled, marked = await line.pipeline.poll(source, state)
    assert (polled.arrived, polled.problem) == (0, "timeout: nothing within 10 s")
    assert marked == replace(state, failures=2, problem="timeout: nothing within 10 s")
    assert await line.store.source_states() == {"wire": marked}
    polled, mended = await line.pipeline.poll(source, marked)
    assert (polled.listed, polled.arrived, polled.problem) == (1, 1, "1 entries without a title")
    assert (mended.failures, mended.problem, mended.etag, mended.newest) == (0, "1 entries without a title", "f", START)
    assert line.reader.states == [state, marked]
    assert [f.reason for f in await line.pipeline.assess()] == [Reason.NEW_DEVELOPMENT]


async def test_an_error_on_the_very_first_poll_leaves_it_the_first(line: Line) -> None:
    source = Source(name="wire", url="https://wire.example.com")
    line.reader.script("wire", SourceError("dns", "no such host"), Harvest(entries=(told(SIGNED.title, ago=timedelta(days=2)),)))
    _, state = await line.pipeline.poll(source, SourceState(name="wire"))
    assert state.polled is None
    await line.pipeline.poll(source, state)
    assert [f.reason for f in await line.pipeline.assess()] == [Reason.BASELINE]


async def test_an_unchanged_source_keeps_its_newest(line: Line) -> None:
    source = Source(name="wire", url="https://wire.example.com")
    polled, state = await line.pipeline.poll(source, SourceState(name="wire", etag="e", polled=START, newest=START))
    assert (polled.listed, polled.arrived) == (0, 0)
    assert (state.etag, state.newest, state.polled) == ("e", START, START)


async def test_a_broken_model_loses_nothing(line: Line) -> None:
    line.classifier.broken = True
    await line.poll(SIGNED)
    with pytest.raises(ModelError):
        await line.pipeline.assess()
    line.classifier.broken = False
    assert [f.reason for f in await line.pipeline.assess()] == [Reason.NEW_DEVELOPMENT]


class SecondTimeBroken(ExtractiveSummarizer):
    """Fails when it is asked for the second time."""

    asked = 0

    def summarize(self, tellings: Sequence[Telling]) -> tuple[SummarySentence, ...]:
        self.asked += 1
        if self.asked == 2:
            raise OSError("the disk is full")
        return super().summarize(tellings)


async def test_a_crash_while_filing_undoes_the_batch(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        line = Line(store, SecondTimeBroken())
        await line.poll(SIGNED, told("Sudland parliament ratifies rice pact", ago=timedelta(0)))
        with pytest.raises(OSError, match="disk"):
            await line.pipeline.assess()
        assert await line.developments() == []
        assert await outbox(store) == []
        assert line.reported == []
        assert [f.reason for f in await line.pipeline.assess()] == [Reason.NEW_DEVELOPMENT, Reason.FOLLOW_UP]


class Library:
    """Articles by address; one that is None never comes."""

    def __init__(self, **texts: str | None) -> None:
        self.texts = texts
        self.asked: list[str] = []

    async def text(self, url: str, now: datetime) -> str | None:
        name = url.rpartition("/")[2]
        self.asked.append(name)
        if name in self.texts and self.texts[name] is None:
            await asyncio.Event().wait()
        return self.texts.get(name)


BARE = told("Norland and Sudland sign rice pact", "bare")


async def test_an_entry_without_a_summary_is_told_by_its_page(tmp_path: Path) -> None:
    library = Library(bare="Norland and Sudland signed a pact on rice in Geneva on Monday.\nShort line.")
    async with opened(tmp_path) as store:
        line = Line(store, articles=library)
        old = told("Westland and Ostland end a rice quarrel", "old", timedelta(days=2))
        others = (
            told("Golf results", "golf"),
            replace(SIGNED, title="Rice duties halved by Ostland"),
            replace(BARE, title="Rice treaty", url="", guid="x"),
        )
        await line.poll(BARE, old, *others, first=True)
        await line.pipeline.assess()
        assert library.asked == ["bare"], "neither for what has a summary, nor for what raises no alert, nor without an address"
        found = {d.headline: d.text for d in await line.developments()}
        assert found[BARE.title] == "Norland and Sudland signed a pact on rice in Geneva on Monday."
        second = told(
            "Rice pact signed by Norland and Sudland",
            "second",
            timedelta(0),
            summary="The pact lowers duties on rice by half within the year.",
        )
        assert await line.read(second, source="herald") == [Reason.MORE_COVERAGE]
        (development,) = await store.developments(Query(words="Geneva lowers"))
        assert [s.url for s in development.summary] == [BARE.url, second.url], "the page's text was kept"


async def test_a_page_that_does_not_come_holds_nothing_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ARTICLE_SECONDS", 0.02)
    async with opened(tmp_path) as store:
        line = Line(store, articles=Library(bare=None))
        assert await line.read(BARE, told("Sudland parliament ratifies rice pact", "missing", timedelta(0))) == [
            Reason.NEW_DEVELOPMENT,
            Reason.FOLLOW_UP,
        ]
        assert {d.text for d in await line.developments()} == {""}


async def test_a_restart_alerts_nothing_twice(line: Line, tmp_path: Path) -> None:
    await line.read(SIGNED)
    assert await line.alerted() == [SIGNED.title]
    async with opened(tmp_path) as store:
        restarted = Line(store)
        assert await restarted.read(SIGNED) == []
        assert await restarted.read(told(SIGNED.title, "elsewhere", timedelta(0)), source="herald") == [Reason.MORE_COVERAGE]
        assert await restarted.alerted() == []


async def test_a_crash_between_poll_and_assess_loses_nothing(line: Line, tmp_path: Path) -> None:
    await line.poll(SIGNED)
    async with opened(tmp_path) as store:
        restarted = Line(store)
        assert [f.reason for f in await restarted.pipeline.assess()] == [Reason.NEW_DEVELOPMENT]
        assert await restarted.alerted() == [SIGNED.title]


async def test_two_at_once_file_everything_once(line: Line) -> None:
    await line.poll(SIGNED, told("Golf results"))
    batches = await asyncio.gather(line.pipeline.assess(), line.pipeline.assess())
    assert sorted(map(len, batches)) == [0, 2]
    assert line.classifier.asked == [[SIGNED.title, "Golf results"]]


async def test_more_than_a_batch(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH", 4)
    await line.poll(*(told(f"Golf results {n}") for n in range(9)))
    assert len(await line.pipeline.assess()) == 9
    assert [len(asked) for asked in line.classifier.asked] == [4, 4, 1]


async def test_ids_are_the_same_in_every_replay(tmp_path: Path) -> None:
    ids = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        async with opened(tmp_path / name) as store:
            line = Line(store)
            await line.read(SIGNED, told("Sudland parliament ratifies rice pact"))
            ids.append([d.development_id for d in await line.developments()])
    assert ids[0] == ids[1]
