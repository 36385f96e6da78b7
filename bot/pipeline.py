"""The line itself: source -> entry -> assessment -> development -> alert -> delivery.

`poll` brings entries in and commits them; `assess` takes what waits, judges it, files it and writes the outbox, in one
transaction. A crash between the two loses nothing: what was stored and not assessed waits for the next `assess`.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from bot.audience import Audience, read_audience
from bot.domain.alerts import Alert
from bot.domain.assessment import Assessment
from bot.domain.decisions import Flagging, Reason, alert_reason
from bot.domain.developments import Coverage, Development, development_id, dossier_id
from bot.domain.entries import FRESH, Arrival, Entry, Source, SourceState
from bot.domain.errors import SourceError
from bot.domain.health import read_badly, read_well, rhythm_of, turned
from bot.domain.subscriptions import HOUR
from bot.domain.watch import Passage
from bot.keywords import flagging
from bot.ports import (
    Articles,
    Candidate,
    Classifier,
    Clock,
    Document,
    Drafter,
    Filed,
    Harvest,
    Match,
    Poll,
    Reader,
    Store,
    Stories,
    Summarizer,
    Taken,
    Telling,
    WatchLanguage,
    Writing,
)

BATCH = 64  # entries assessed together: enough to fill the model's batches, few enough to be out within a second
ARTICLE_SECONDS = 2.0  # an alert does not wait longer for a page; without it the headline stands alone
GONE = "gone"  # the reason of a SourceError for HTTP 410
EDIT_AFTER = timedelta(seconds=20)  # so that a burst of coverage makes one edit
STORY_WINDOW = timedelta(days=6)  # a development that nobody reported on for so long gathers no more coverage

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Polled:
    """What one poll brought: how many entries the source listed, how many of them were new or re-titled, and how many of those were re-titled."""

    source: Source
    listed: int = 0
    arrived: int = 0
    retitled: int = 0
    problem: str | None = None


@dataclass(frozen=True, kw_only=True)
class _Judged:
    entry: Entry
    assessment: Assessment
    flagging: Flagging
    telling: Telling | None = None  # for the stories; of flagged entries only


class Pipeline:
    """Composes the rooms. Holds no state between calls; `assess` runs one at a time, so that stories are filed in order."""

    def __init__(
        self,
        *,
        reader: Reader,
        store: Store,
        classifier: Classifier,
        stories: Stories,
        summarizer: Summarizer,
        clock: Clock,
        language: WatchLanguage,
        articles: Articles | None = None,
        drafter: Drafter | None = None,
        report: Callable[[Filed], None] = lambda _: None,
    ) -> None:
        self._reader = reader
        self._store = store
        self._classifier = classifier
        self._stories = stories
        self._summarizer = summarizer
        self._clock = clock
        self._articles = articles
        self._drafter = drafter
        self._language = language
        self._report = report
        self._assessing = asyncio.Lock()

    async def poll(self, source: Source, state: SourceState) -> tuple[Polled, SourceState]:
        """Read a source and store what is new. A source that cannot be read is marked with the reason; nothing is raised for it."""
        now = self._clock.now()
        try:
            harvest = await self._reader.read(_moved(source, state), state, now)
        except SourceError as error:
            gone = error.reason == GONE
            failed = turned(read_badly(state, problem=str(error), retry_after=error.retry_after, gone=gone, now=now), now)
            await self._store.take(Poll(document=Document(source=source.name, now=now), after=lambda _: failed))
            return Polled(source=source, problem=str(error)), failed
        taken = await self._take(source, harvest, state, now)
        found = Counter(one.arrival for one in taken.entries)
        retitled = found[Arrival.VERSION]
        return Polled(
            source=source,
            listed=len(harvest.entries),
            arrived=found[Arrival.NEW] + retitled,
            retitled=retitled,
            problem=harvest.problem,
        ), taken.state

    async def _take(self, source: Source, harvest: Harvest, state: SourceState, now: datetime) -> Taken:
        """Commit the entries and the poll together. On a first poll what is older than a day, or of unknown age, is the baseline."""
        first = state.polled is None
        document = Document(source=source.name, entries=harvest.entries, now=now, fresh_from=now - FRESH if first else None)
        return await self._store.take(Poll(document=document, after=lambda new: turned(_read(source, harvest, state, new, now), now)))

    async def assess(self) -> list[Filed]:
        """Judge and file everything that waits, oldest publication first. Returns what became of each entry."""
        filed: list[Filed] = []
        async with self._assessing:
            while waiting := await self._store.unassessed(BATCH):
                assessments = await self._classifier.assess(waiting)
                keywords = await self._store.keywords()
                judged = [
                    _Judged(entry=e, assessment=a, flagging=flagging(e, a, keywords, self._language))
                    for e, a in zip(waiting, assessments, strict=True)
                ]
                told = await asyncio.gather(*(self._told(one) for one in judged))
                audience = await read_audience(self._store, self._language)
                async with self._store.begin() as writing:
                    await writing.lock(name for one in told if one.telling is not None for name in self._names(one.telling))
                    batch = [await self._judge(writing, one, audience) for one in told]
                for one in batch:
                    _say(one)
                    self._report(one)
                filed += batch
        return filed

    def _names(self, telling: Telling) -> tuple[str, ...]:
        """What nobody else may file under meanwhile: the keys of its stories, and its dossier."""
        own = development_id(telling.entry.key)
        return (*self._stories.keys(telling), dossier_id(telling.topics, telling.assessment.facts.parties, own))

    async def _told(self, one: _Judged) -> _Judged:
        """Add the telling of a flagged entry: with its article where the feed gave no summary, with a draft where a model writes them."""
        if one.flagging.reason is not None:
            return one
        structlog.contextvars.bind_contextvars(entry=one.entry.key)  # in a task of its own: nobody else's lines bear it
        article = await self._article(one.entry)
        telling = Telling(entry=one.entry, assessment=one.assessment, topics=one.flagging.topics, article=article)
        if self._drafter is not None:
            telling = replace(telling, draft=await self._drafter.draft(telling))
        return replace(one, telling=telling)

    async def _article(self, entry: Entry) -> str:
        """Return the article's text; "" when it is not needed or does not come in time."""
        if self._articles is None or entry.summary or not entry.url or entry.baseline:
            return ""
        try:
            async with asyncio.timeout(ARTICLE_SECONDS):
                return await self._articles.text(entry.url, self._clock.now()) or ""
        except TimeoutError:
            return ""

    async def _judge(self, writing: Writing, one: _Judged, audience: Audience) -> Filed:
        flagging = one.flagging
        if one.telling is not None:
            filed = await self._file(writing, one.telling, flagging, audience)
        else:
            reason = flagging.reason or Reason.OFF_TOPIC
            filed = Filed(entry=one.entry, assessment=one.assessment, reason=reason, keyword=flagging.keyword)
        await writing.record(filed)
        if filed.reason is Reason.MORE_COVERAGE and filed.development_id is not None:
            await writing.outdate(filed.development_id, self._clock.now() + EDIT_AFTER)
        return filed

    async def _file(self, writing: Writing, telling: Telling, flagging: Flagging, audience: Audience) -> Filed:
        entry = telling.entry
        earlier = await writing.development_of(entry.entry_id) if entry.version > 1 else None
        if earlier is not None:
            return _filed(telling, flagging, Reason.NEW_VERSION, earlier)
        keys = self._stories.keys(telling)
        candidates = await writing.candidates(keys, entry.published - STORY_WINDOW)
        match = self._stories.match(telling, candidates)
        for candidate in candidates:
            if candidate.development.development_id == match.development_id:
                await writing.save(self._extended(candidate, telling), keys)
                return _filed(telling, flagging, Reason.MORE_COVERAGE, match.development_id, match)
        return await self._open(writing, telling, flagging, match, keys, audience)

    def _extended(self, candidate: Candidate, telling: Telling) -> Development:
        """Return the development with one more entry as coverage; facts that were missing are filled in, none is overwritten."""
        had, entry, assessment = candidate.development, telling.entry, telling.assessment
        tellings = (*candidate.tellings, telling)
        return replace(
            had,
            last_published=max(had.last_published, entry.published),
            stage=had.stage or assessment.stage,
            status=had.status or assessment.status,
            people=had.people or assessment.facts.people,
            place=had.place or assessment.facts.place,
            when=had.when or assessment.facts.when,
            summary=self._summarizer.summarize(tellings),
            coverage=tuple(Coverage.of(t.entry) for t in tellings),
        )

    async def _open(
        self, writing: Writing, telling: Telling, flagging: Flagging, match: Match, keys: Sequence[str], audience: Audience
    ) -> Filed:
        now = max(self._clock.now(), telling.entry.seen)
        own = development_id(telling.entry.key)
        dossier = await writing.dossier(dossier_id(telling.topics, telling.assessment.facts.parties, own))
        before = next((d for d in reversed(dossier) if d.alerted_at), None)
        reason = alert_reason(
            known=False,
            baseline=telling.entry.baseline,
            dossier_alerted=before is not None,
            published=telling.entry.published,
            now=now,
        )
        step = dossier[-1].dossier_step + 1 if dossier else 1
        development = self._opened(telling, own, step, now if reason.alerts else None)
        await writing.save(development, keys)
        if reason.alerts:
            told = await writing.told(now - HOUR) if audience.capped else {}
            await writing.enqueue(_alert(development, dossier, before, now), audience.plans(development, _passage(telling), told, now))
        return _filed(telling, flagging, reason, own, match)

    def _opened(self, telling: Telling, own: str, step: int, alerted_at: datetime | None) -> Development:
        entry, assessment = telling.entry, telling.assessment
        facts = assessment.facts
        return Development(
            development_id=own,
            dossier_id=dossier_id(telling.topics, facts.parties, own),
            dossier_step=step,
            topics=telling.topics,
            headline=entry.title,
            url=entry.url,
            first_published=entry.published,
            last_published=entry.published,
            stage=assessment.stage,
            status=assessment.status,
            parties=facts.parties,
            people=facts.people,
            place=facts.place,
            when=facts.when,
            summary=self._summarizer.summarize((telling,)),
            coverage=(Coverage.of(entry),),
            importance=assessment.development * max(assessment.scores.values()),
            alerted_at=alerted_at,
        )


def _say(filed: Filed) -> None:
    """Tie the entry to its development in the log, once both are kept."""
    if filed.development_id is not None:
        _log.info("entry_filed", entry=filed.entry.key, development=filed.development_id, reason=filed.reason, source=filed.entry.source)


def _moved(source: Source, state: SourceState) -> Source:
    """Return the source at the address to which it has moved for good, as long as its own is still the one that it moved from."""
    return replace(source, url=state.moved) if state.moved and state.moved_from == source.url else source


def _read(source: Source, harvest: Harvest, state: SourceState, new: int, now: datetime) -> SourceState:
    """Return the state after a poll that could be read and brought so many `new` entries."""
    dates = [entry.published for entry in harvest.entries]
    newest = max(filter(None, (state.newest, *dates)), default=None)
    after = read_well(state, listed=len(dates), arrived=new, rhythm=rhythm_of(dates), now=now)
    moved, moved_from = (harvest.moved, source.url) if harvest.moved else (state.moved, state.moved_from)
    return replace(
        after,
        etag=harvest.etag,
        modified=harvest.modified,
        newest=newest,
        problem=harvest.problem,
        asked=harvest.asked or state.asked,
        moved=moved,
        moved_from=moved_from,
        listed=now if harvest.entries else state.listed,
    )


def _alert(development: Development, dossier: Sequence[Development], before: Development | None, now: datetime) -> Alert:
    """Return the alert about a development that comes after those of `dossier`, of which `before` was the last to be alerted."""
    reached = next((d.step for d in reversed(dossier) if d.step), None)
    changed = before is not None and development.step is not None and development.step != reached
    return Alert(development=development, raised=now, follow_up=before.headline if before else None, step_changed=changed)


def _passage(telling: Telling) -> Passage:
    return Passage.of(telling.entry, telling.assessment, telling.topics)


def _filed(telling: Telling, flagging: Flagging, reason: Reason, own: str | None, match: Match | None = None) -> Filed:
    return Filed(
        entry=telling.entry,
        assessment=telling.assessment,
        reason=reason,
        topics=telling.topics,
        keyword=flagging.keyword,
        development_id=own,
        match=match,
        article=telling.article,
        draft=telling.draft,
    )
