"""What Prometheus is told: counters that this process counts, gauges that are read from the store, at most every few seconds.

Made in the composition root and handed on as callbacks (`filed`, `delivered`) and as parts that wrap others (`MeasuredLine`,
`MeasuredClassifier`). Labels are bounded: groups, topics, reasons, surfaces, outcomes; never a source's name, a channel or anybody's words.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from bot.domain.alerts import Delivery, Outcome, Surface
from bot.domain.assessment import Assessment
from bot.domain.decisions import Reason
from bot.domain.entries import Entry, Source, SourceState
from bot.domain.health import Health
from bot.domain.topics import Topic
from bot.pipeline import Polled
from bot.ports import Classifier, Clock, Figures, Filed, Gauges
from bot.schedule import Line

FRESH_SECONDS = 15.0  # gauges younger than this are given again
STORE_SECONDS = 5.0  # the store has so long to give its figures
OTHER = "other"  # a group that no source should have
GROUPS = ("official", "press", "api")
CONTENT_TYPE = CONTENT_TYPE_LATEST
_OPENED = frozenset({Reason.NEW_DEVELOPMENT, Reason.FOLLOW_UP, Reason.BASELINE, Reason.STALE})
_DELAYS = (1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 86400)
_POLLS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
_MODEL = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 5)

ListNames = Callable[[], Awaitable[Collection[str]]]

_log = structlog.get_logger()


class Metrics:
    """This process in figures. Every method only counts: none waits, and none raises for what it is given."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._polls = Counter("attache_polls", "Polls of sources, by how they ended", ["group", "outcome"], registry=registry)
        self._poll_seconds = Histogram(
            "attache_poll_seconds", "What a poll took, waiting included", ["group"], buckets=_POLLS, registry=registry
        )
        self._entries = Counter("attache_entries", "Entries that sources listed", ["group", "arrival"], registry=registry)
        self._assessed = Counter("attache_assessed", "Entries judged and filed, by what became of them", ["reason"], registry=registry)
        self._flags = Counter("attache_flags", "Entries flagged for a topic", ["topic"], registry=registry)
        self._developments = Counter("attache_developments", "Developments opened", registry=registry)
        self._alerts = Counter("attache_alerts", "Alerts raised", ["reason"], registry=registry)
        self._model_seconds = Histogram(
            "attache_model_seconds", "What the classifier takes for an entry", buckets=_MODEL, registry=registry
        )
        self._deliveries = Counter(
            "attache_deliveries", "Attempts to deliver, by how they ended", ["surface", "outcome"], registry=registry
        )
        self._to_seen = self._delay("attache_publish_to_seen_seconds", "From an entry's date to the poll that brought it")
        self._to_filed = self._delay("attache_seen_to_filed_seconds", "From the poll to the filing, which raises the alert")
        self._to_sent = self._delay("attache_filed_to_sent_seconds", "From raising an alert to the platform's receipt", "surface", "kind")
        self._whole = self._delay(
            "attache_publish_to_sent_seconds", "From the first report's date to the platform's receipt", "surface", "kind"
        )
        self._known_from_the_start()

    def _delay(self, name: str, text: str, *labels: str) -> Histogram:
        return Histogram(name, text, labels, buckets=_DELAYS, registry=self.registry)

    def _known_from_the_start(self) -> None:
        """A counter that appears with its first event hides that event from `rate`."""
        for reason in Reason:
            self._assessed.labels(reason)
            if reason.alerts:
                self._alerts.labels(reason)
        for topic in Topic:
            self._flags.labels(topic)
        for surface in Surface:
            for outcome in Outcome:
                self._deliveries.labels(surface, outcome)

    def polled(self, polled: Polled, seconds: float) -> None:
        """A poll ended, well or not."""
        group = _group(polled.source)
        self._polls.labels(group, "problem" if polled.problem else "ok").inc()
        self._poll_seconds.labels(group).observe(seconds)
        new = polled.arrived - polled.retitled
        for arrival, count in (("new", new), ("version", polled.retitled), ("known", polled.listed - polled.arrived)):
            self._entries.labels(group, arrival).inc(max(count, 0))

    def lost(self, source: Source) -> None:
        """A poll ended in an error that is not its source's."""
        self._polls.labels(_group(source), "lost").inc()

    def judged(self, entries: int, seconds: float) -> None:
        """The classifier took so long for so many entries: each counts with its share."""
        for _ in range(entries):
            self._model_seconds.observe(seconds / entries)

    def filed(self, filed: Filed) -> None:
        """An entry was filed (the callback `report` of the pipeline)."""
        reason, entry = filed.reason, filed.entry
        self._assessed.labels(reason).inc()
        for topic in filed.topics:
            self._flags.labels(topic).inc()
        if reason in _OPENED and filed.development_id is not None:
            self._developments.inc()
        if reason.alerts:
            self._alerts.labels(reason).inc()
        if not entry.baseline and entry.version == 1:
            if entry.published < entry.seen:  # else its date was missing
                self._to_seen.observe((entry.seen - entry.published).total_seconds())
            self._to_filed.observe(_since(entry.seen, self._clock.now()))

    def delivered(self, delivery: Delivery, outcome: Outcome) -> None:
        """An attempt to deliver ended (the callback `report` of the outbox). A digest counts as one; its delays are those of each alert in it."""
        surface = delivery.destination.surface
        self._deliveries.labels(surface, outcome).inc()
        if outcome is Outcome.SENT:
            now, kind = self._clock.now(), "digest" if delivery.digest else "alert"
            for alert in delivery.alerts:
                self._to_sent.labels(surface, kind).observe(_since(alert.raised, now))
                self._whole.labels(surface, kind).observe(_since(alert.development.first_published, now))


class MeasuredLine:
    """A line (port `bot.schedule.Line`) whose polls are counted and timed."""

    def __init__(self, line: Line, metrics: Metrics) -> None:
        self._line = line
        self._metrics = metrics

    async def poll(self, source: Source, state: SourceState) -> tuple[Polled, SourceState]:
        """See `Line.poll`."""
        began = time.perf_counter()
        try:
            polled, after = await self._line.poll(source, state)
        except Exception:
            self._metrics.lost(source)
            raise
        self._metrics.polled(polled, time.perf_counter() - began)
        return polled, after

    async def assess(self) -> list[Filed]:
        """See `Line.assess`."""
        return await self._line.assess()


class MeasuredClassifier:
    """A classifier (port `Classifier`) that is timed."""

    def __init__(self, classifier: Classifier, metrics: Metrics) -> None:
        self._classifier = classifier
        self._metrics = metrics

    async def assess(self, entries: Sequence[Entry]) -> list[Assessment]:
        """See `Classifier.assess`."""
        began = time.perf_counter()
        found = await self._classifier.assess(entries)
        self._metrics.judged(len(entries), time.perf_counter() - began)
        return found


class StoreGauges:
    """Figures of the store as gauges. They are the same from whichever process they are scraped: take the maximum, not the sum."""

    def __init__(self, *, metrics: Metrics, gauges: Gauges, clock: Clock, names: ListNames | None = None) -> None:
        self._gauges, self._clock, self._names = gauges, clock, names
        registry = metrics.registry
        self._up = Gauge("attache_store_up", "1 when the store gave its figures at the last look", registry=registry)
        self._queue = Gauge(
            "attache_queue_depth", "Deliveries that wait, to channels that are not on pause", ["surface"], registry=registry
        )
        self._queue_age = Gauge("attache_queue_age_seconds", "How long the oldest of them has been due", ["surface"], registry=registry)
        self._waiting = Gauge("attache_waiting_entries", "Entries that wait for assessment", registry=registry)
        self._waiting_age = Gauge("attache_waiting_age_seconds", "How long the oldest of them has waited", registry=registry)
        self._sources = Gauge("attache_sources", "Sources, by their health", ["health"], registry=registry)
        self._polled = Gauge("attache_last_poll_timestamp_seconds", "When a source was last read, since 1970", registry=registry)
        self._said = Gauge("attache_feedback", "What people said of alerts in the last 30 days", ["useful"], registry=registry)
        self._precision = Gauge("attache_feedback_precision", "The share of it that says useful; NaN without any", registry=registry)
        self._looked: float | None = None
        self._turn = asyncio.Lock()

    async def refresh(self) -> None:
        """Bring the gauges up to date, unless that was done lately. A store that is away is told by `attache_store_up`; raises nothing."""
        async with self._turn:
            if self._looked is not None and time.monotonic() - self._looked < FRESH_SECONDS:
                return
            try:
                async with asyncio.timeout(STORE_SECONDS):
                    names = frozenset(await self._names()) if self._names else None
                    self._show(await self._gauges.figures(self._clock.now(), names))
            except Exception as error:
                _log.warning("figures_missing", problem=type(error).__name__)
                self._up.set(0)
            self._looked = time.monotonic()

    def _show(self, figures: Figures) -> None:
        self._up.set(1)
        for surface in Surface:
            queue = figures.deliveries.get(surface)
            self._queue.labels(surface).set(queue.depth if queue else 0)
            self._queue_age.labels(surface).set(queue.seconds if queue else 0)
        self._waiting.set(figures.entries.depth)
        self._waiting_age.set(figures.entries.seconds)
        for health in Health:
            self._sources.labels(health).set(figures.sources.get(health, 0))
        self._polled.set(figures.polled.timestamp() if figures.polled else float("nan"))
        self._show_feedback(figures.useful, figures.useless)

    def _show_feedback(self, useful: int, useless: int) -> None:
        self._said.labels("yes").set(useful)
        self._said.labels("no").set(useless)
        self._precision.set(useful / (useful + useless) if useful + useless else float("nan"))


def exposition(metrics: Metrics) -> bytes:
    """Return all figures in Prometheus' text format (CONTENT_TYPE)."""
    return generate_latest(metrics.registry)


def _group(source: Source) -> str:
    return source.group if source.group in GROUPS else OTHER


def _since(then: datetime, now: datetime) -> float:
    return max((now - then).total_seconds(), 0.0)
