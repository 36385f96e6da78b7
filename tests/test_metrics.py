"""What is counted on the way from source to delivery, and that dashboard and alert rules ask for nothing else."""

from __future__ import annotations

import asyncio
import json
import math
import re
from collections.abc import AsyncIterator, Collection, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
import yaml

import bot.metrics as module
from bot.delivery.outbox import Outbox
from bot.domain.alerts import Surface
from bot.domain.decisions import Reason
from bot.domain.entries import Source, SourceState
from bot.domain.errors import FinalDeliveryError, SourceError, TemporaryDeliveryError
from bot.domain.health import Health
from bot.domain.subscriptions import Feedback
from bot.metrics import MeasuredClassifier, MeasuredLine, Metrics, StoreGauges, exposition
from bot.ports import Figures, Queue
from bot.storage.store import SqlStore
from config.settings import HERE
from tests.fakes.clock import START, ManualClock
from tests.fakes.sender import RecordingSender
from tests.storage.kit import SLACK, keep, new, opened, subscribed
from tests.test_pipeline import SIGNED, Line, told


class Desk:
    """The line with metrics around it."""

    def __init__(self, store: SqlStore) -> None:
        self.line = Line(store)
        self.metrics = Metrics(self.line.clock)
        self.line.pipeline._report = self.metrics.filed
        self.line.pipeline._classifier = MeasuredClassifier(self.line.classifier, self.metrics)
        self.measured = MeasuredLine(self.line.pipeline, self.metrics)
        self.sender = RecordingSender()
        senders = {Surface.SLACK: self.sender}
        self.outbox = Outbox(store=store, senders=senders, clock=self.line.clock, report=self.metrics.delivered, seed=1)

    async def poll(self, name: str, group: str | None, *entries: Any) -> None:  # noqa: ANN401  (entries as the feed lists them)
        self.line.reader.lists(name, *entries)
        state = SourceState(name=name, polled=START - timedelta(days=9))
        await self.measured.poll(Source(name=name, url=f"https://{name}.example.com/feed", group=group), state)

    def value(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(name, labels)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with opened(tmp_path) as store:
        await subscribed(store, SLACK)
        yield Desk(store)


async def test_polls_and_entries_by_group_and_arrival(desk: Desk) -> None:
    await desk.poll("wire", "press", SIGNED, told("An opinion on rice"))
    await desk.poll("wire", "press", SIGNED, replace(told("An opinion on rice"), title="An opinion on tea"))
    await desk.poll("ministry", "no such group", told("Harvest"))
    assert [desk.value("attache_entries_total", group="press", arrival=a) for a in ("new", "version", "known")] == [2, 1, 1]
    assert desk.value("attache_entries_total", group="other", arrival="new") == 1
    assert desk.value("attache_polls_total", group="press", outcome="ok") == 2
    assert desk.value("attache_poll_seconds_count", group="press") == 2


async def test_a_source_that_cannot_be_read_and_a_store_that_breaks(desk: Desk) -> None:
    desk.line.reader.script("wire", SourceError("timeout", "it did not answer"))
    await desk.measured.poll(Source(name="wire", url="https://a.example.com", group="official"), SourceState(name="wire"))
    assert desk.value("attache_polls_total", group="official", outcome="problem") == 1
    await desk.line.store._engine.dispose()

    class Broken:
        async def poll(self, *_: object) -> Any:  # noqa: ANN401  (it never returns)
            raise OSError("the disk is full")

        async def assess(self) -> list[Any]:
            return []

    line = MeasuredLine(Broken(), desk.metrics)
    with pytest.raises(OSError, match="full"):
        await line.poll(Source(name="wire", url="", group="api"), SourceState(name="wire"))
    assert desk.value("attache_polls_total", group="api", outcome="lost") == 1
    assert await line.assess() == []


async def test_what_became_of_entries(desk: Desk) -> None:
    await desk.poll("wire", "press", SIGNED, told("An opinion on rice"), told("Harvest"))
    await desk.poll("herald", "press", told("Rice pact signed by Norland and Sudland"))
    desk.line.clock.advance(seconds=4)
    await desk.measured.assess()
    by_reason = {r: desk.value("attache_assessed_total", reason=r) for r in Reason if desk.value("attache_assessed_total", reason=r)}
    assert by_reason == {Reason.NEW_DEVELOPMENT: 1, Reason.MORE_COVERAGE: 1, Reason.NOT_NEW: 1, Reason.OFF_TOPIC: 1}
    assert (desk.value("attache_flags_total", topic="trade_deal"), desk.value("attache_flags_total", topic="ministerial_meeting")) == (2, 0)
    assert desk.value("attache_developments_total") == 1
    assert (desk.value("attache_alerts_total", reason="new_development"), desk.value("attache_alerts_total", reason="follow_up")) == (1, 0)
    assert desk.value("attache_model_seconds_count") == 4
    assert (desk.value("attache_publish_to_seen_seconds_count"), desk.value("attache_publish_to_seen_seconds_sum")) == (4, 4 * 600)
    assert desk.value("attache_seen_to_filed_seconds_sum") == 4 * 4


async def test_an_old_story_is_a_development_without_an_alert_and_a_missing_date_is_no_delay(desk: Desk) -> None:
    await desk.poll("wire", "press", told("Rice pact", ago=timedelta(days=5)), replace(told("Harvest"), published=None))
    await desk.measured.assess()
    assert (desk.value("attache_developments_total"), desk.value("attache_alerts_total", reason="new_development")) == (1, 0)
    assert desk.value("attache_publish_to_seen_seconds_count") == 1


async def test_deliveries_by_outcome_and_their_delays(desk: Desk) -> None:
    await desk.poll("wire", "press", SIGNED)
    await desk.measured.assess()
    desk.sender.fail(TemporaryDeliveryError("later"))
    await desk.outbox.drain()
    desk.line.clock.advance(seconds=30)
    await desk.outbox.drain()
    assert desk.value("attache_deliveries_total", surface="slack", outcome="postponed") == 1
    assert desk.value("attache_deliveries_total", surface="slack", outcome="sent") == 1
    assert desk.value("attache_filed_to_sent_seconds_sum", surface="slack", kind="alert") == 30
    assert desk.value("attache_publish_to_sent_seconds_sum", surface="slack", kind="alert") == 630
    await desk.poll("herald", "press", told("Rice pact signed by Norland and Sudland"))
    await desk.measured.assess()
    desk.line.clock.advance(minutes=5)
    await desk.outbox.drain()
    assert desk.value("attache_deliveries_total", surface="slack", outcome="edited") == 1


@pytest.mark.parametrize(("code", "outcome"), [("not_in_channel", "refused"), ("msg_too_long", "failed")])
async def test_a_final_no(desk: Desk, code: str, outcome: str) -> None:
    await desk.poll("wire", "press", SIGNED)
    await desk.measured.assess()
    desk.sender.fail(FinalDeliveryError("no", code))
    await desk.outbox.drain()
    assert desk.value("attache_deliveries_total", surface="slack", outcome=outcome) == 1


async def test_the_log_ties_the_entry_to_its_delivery_and_holds_nobody_s_words(desk: Desk) -> None:
    structlog.contextvars.clear_contextvars()
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        await desk.poll("wire", "press", SIGNED)
        (filed,) = await desk.measured.assess()
        await desk.outbox.drain()
    (found,) = [line for line in lines if line["event"] == "entry_filed"]
    (sent,) = [line for line in lines if line["event"] == "delivery_sent"]
    assert found["entry"] == filed.entry.key
    assert found["development"] == sent["development"] == filed.development_id
    assert not structlog.contextvars.get_contextvars()
    for word in f"{SIGNED.title} {SIGNED.summary}".split():
        assert len(word) < 5 or word not in str(lines)


class Shelf:
    """Figures on demand (port `Gauges`)."""

    def __init__(self) -> None:
        self.asked: list[Collection[str] | None] = []
        self.broken = False

    async def figures(self, now: datetime, listed: Collection[str] | None = None) -> Figures:
        self.asked.append(listed)
        await asyncio.sleep(0)
        if self.broken:
            raise OSError("postgresql://u:hush@db is away")
        return Figures(deliveries={}, entries=Queue(depth=0, seconds=0.0), sources={}, polled=None, useful=0, useless=0)

    async def answers(self) -> bool:
        return True

    async def at_head(self) -> bool:
        return True


async def test_gauges_are_read_from_the_store(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await subscribed(store)
        development = await keep(store, await new(store, "Rice"), alert=True)
        await new(store, "Tea", 2)
        for actor, useful in (("slack:U1", True), ("slack:U2", True), ("slack:U3", False)):
            await store.say(Feedback(development_id=development.development_id, destination=SLACK, actor=actor, useful=useful, at=START))
        async with store.begin() as writing:
            await writing.record_poll(SourceState(name="wire", polled=START, health=Health.FAILING))
        clock = ManualClock(START + timedelta(seconds=40))
        metrics = Metrics(clock)
        await StoreGauges(metrics=metrics, gauges=store, clock=clock).refresh()
        value = metrics.registry.get_sample_value
        assert (value("attache_queue_depth", {"surface": "slack"}), value("attache_queue_age_seconds", {"surface": "slack"})) == (1, 40)
        assert (value("attache_queue_depth", {"surface": "console"}), value("attache_queue_age_seconds", {"surface": "console"})) == (0, 0)
        assert (value("attache_waiting_entries"), value("attache_waiting_age_seconds")) == (1, 40)
        assert (value("attache_sources", {"health": "failing"}), value("attache_sources", {"health": "ok"})) == (1, 0)
        assert value("attache_last_poll_timestamp_seconds") == START.timestamp()
        assert value("attache_feedback_precision") == pytest.approx(2 / 3)
        assert value("attache_store_up") == 1


async def test_the_store_is_asked_once_in_a_while_and_may_be_away(monkeypatch: pytest.MonkeyPatch) -> None:
    shelf, metrics = Shelf(), Metrics(ManualClock())

    async def names() -> frozenset[str]:
        return frozenset({"wire"})

    gauges = StoreGauges(metrics=metrics, gauges=shelf, clock=ManualClock(), names=names)
    await asyncio.gather(*(gauges.refresh() for _ in range(9)))
    assert shelf.asked == [{"wire"}]
    assert math.isnan(metrics.registry.get_sample_value("attache_feedback_precision") or 0)
    assert math.isnan(metrics.registry.get_sample_value("attache_last_poll_timestamp_seconds") or 0)
    monkeypatch.setattr(module, "FRESH_SECONDS", -1.0)
    shelf.broken = True
    with structlog.testing.capture_logs() as lines:
        await gauges.refresh()
    assert metrics.registry.get_sample_value("attache_store_up") == 0
    assert "hush" not in str(lines)


def series(metrics: Metrics) -> set[str]:
    """Every name that Prometheus may be asked for."""
    text = exposition(metrics).decode()
    families = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    parts = {"histogram": ("_bucket", "_sum", "_count"), "counter": ("",), "gauge": ("",)}
    return {name + part for name, kind in families.items() for part in parts[kind]}


def labels_of(metrics: Metrics) -> dict[str, set[str]]:
    """The labels of each family, by its name without a suffix."""
    return {
        collector._name: set(collector._labelnames) for collector in metrics.registry._collector_to_names if hasattr(collector, "_name")
    }


@pytest.fixture
def everything() -> Metrics:
    metrics = Metrics(ManualClock())
    StoreGauges(metrics=metrics, gauges=Shelf(), clock=ManualClock())
    return metrics


def expressions() -> Iterator[tuple[str, str]]:
    dashboard = json.loads((HERE / "grafana-dashboard.json").read_text(encoding="utf-8"))
    for panel in dashboard["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"]
    for group in yaml.safe_load((HERE / "alert-rules.yaml").read_text(encoding="utf-8"))["groups"]:
        for rule in group["rules"]:
            yield rule["alert"], rule["expr"]


def test_dashboard_and_rules_ask_for_what_there_is(everything: Metrics) -> None:
    known, asked = series(everything), set[str]()
    for title, expression in expressions():
        names = set(re.findall(r"\b(?:attache|process)_\w+", expression))
        assert names, title
        assert names <= known, title
        asked |= names
    families = {re.sub(r"_(?:bucket|sum|count|total)$", "", name) for name in asked}
    ours = {name for name in labels_of(everything) if name.startswith("attache")}
    assert ours <= families, "each metric is on the dashboard or in a rule"


def test_labels_and_their_values_in_dashboard_and_rules_are_ours(everything: Metrics) -> None:
    labels = labels_of(everything)
    values = {
        "outcome": {"sent", "edited", "postponed", "refused", "failed", "ok", "problem", "lost"},
        "health": set(Health),
        "kind": {"alert"},
        "arrival": {"new"},
    }
    for title, expression in expressions():
        for name, inside in re.findall(r"\b(attache_\w+)\{([^}]*)\}", expression):
            family = re.sub(r"_(?:bucket|sum|count|total)$", "", name)
            for label, said in re.findall(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"([^\"]*)\"", inside):
                assert label in labels[family], (title, label)
                assert set(said.split("|")) <= values[label], (title, said)
        for inside in re.findall(r"\bby \(([^)]*)\)", expression):
            wanted = {label.strip() for label in inside.split(",")} - {"le", "instance"}
            assert wanted <= set().union(*labels.values()), title


def test_rules_say_for_how_long_how_bad_and_what_to_do() -> None:
    rules = [r for g in yaml.safe_load((HERE / "alert-rules.yaml").read_text(encoding="utf-8"))["groups"] for r in g["rules"]]
    assert len({rule["alert"] for rule in rules}) == len(rules) >= 6
    for rule in rules:
        assert re.fullmatch(r"\d+[smh]", rule["for"])
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert {"summary", "description"} <= set(rule["annotations"])
        assert rule["expr"].count("(") == rule["expr"].count(")")


def test_the_dashboard_is_whole() -> None:
    dashboard = json.loads((HERE / "grafana-dashboard.json").read_text(encoding="utf-8"))
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        assert place["x"] + place["w"] <= 24, panel["title"]
        assert not cells & taken, f"{panel['title']} covers another panel"
        taken |= cells


def test_labels_are_bounded(everything: Metrics) -> None:
    allowed = {"group", "outcome", "arrival", "reason", "topic", "surface", "kind", "health", "useful"}
    assert set().union(*labels_of(everything).values()) <= allowed
    everything.polled(module.Polled(source=Source(name="x" * 100, url="", group="<b>@everyone")), 0.1)
    assert "everyone" not in exposition(everything).decode()
