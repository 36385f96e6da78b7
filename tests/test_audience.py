"""Who is told: subscriptions, expressions, mutes and caps, through the whole pipeline; and what more coverage changes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.app import SETTINGS, subscribe_channels
from bot.audience import Audience
from bot.delivery.outbox import Outbox
from bot.domain.alerts import Surface
from bot.domain.assessment import Facts
from bot.domain.decisions import Reason
from bot.domain.subscriptions import Cadence, Mute, Subscription
from bot.domain.topics import Stage
from bot.domain.watch import Effect, Passage
from bot.storage import tables
from tests.fakes.clock import START
from tests.fakes.sender import RecordingSender
from tests.judge.kit import language
from tests.storage.kit import DISCORD, MEETING, SLACK, development_on, new, opened, rows, subscribed
from tests.test_pipeline import SIGNED, Line, deal, told

JAPAN = told("Sudland and Japan sign tea accord")


@pytest.fixture
async def line(tmp_path: Path) -> AsyncIterator[Line]:
    async with opened(tmp_path) as store:
        line = Line(store)
        line.classifier.answers = {
            "ratif": deal(stage=Stage.RATIFIED),
            "amend": deal(stage=Stage.RATIFIED),
            "tea": deal(facts=Facts(parties=("JPN",))),
            "rice": deal(),
            "Rice": deal(),
        }
        yield line


async def planned(line: Line) -> list[tuple[str, bool]]:
    return [(row[0], row[1]) for row in await rows(line.store, tables.deliveries, "surface", "digest")]


@pytest.mark.parametrize(
    ("wants", "headlines"),
    [
        ({}, [SIGNED.title, JAPAN.title]),
        ({"topics": (MEETING,)}, []),
        ({"parties": ("JPN",)}, [JAPAN.title]),
        ({"expression": "country:JPN OR golf"}, [JAPAN.title]),
        ({"least": 0.9}, []),
        ({"paused": "is_archived"}, []),
        ({"expression": "((("}, [SIGNED.title, JAPAN.title]),
    ],
)
async def test_a_channel_gets_what_it_wants(line: Line, wants: dict[str, object], headlines: list[str]) -> None:
    await subscribed(line.store, SLACK, **wants)
    await line.read(SIGNED)
    await line.read(JAPAN)
    assert await line.alerted() == headlines


async def test_only_keywords_narrow_their_channel(line: Line) -> None:
    await subscribed(line.store)
    await line.store.add_keyword("tea", "slack:U1", START, effect=Effect.ONLY, channel="slack:C1")
    await line.store.add_keyword("golf", "slack:U1", START, effect=Effect.ONLY, channel="slack:C1")
    await line.read(SIGNED)
    await line.read(JAPAN)
    assert await planned(line) == [("discord", False), ("discord", False), ("slack", False)]
    assert await line.alerted() == [JAPAN.title]


async def test_a_muted_dossier_is_silent_in_its_channel(line: Line) -> None:
    await subscribed(line.store)
    await line.store.mute(Mute(destination=SLACK, dossier_id="trade_deal:JPN", actor="a", at=START))
    await line.read(SIGNED)
    await line.read(JAPAN)
    assert await planned(line) == [("discord", False), ("slack", False), ("discord", False)]


async def test_beyond_the_cap_it_is_the_digest(line: Line) -> None:
    await line.store.subscribe(Subscription(destination=SLACK, cap=1))
    await line.store.subscribe(Subscription(destination=DISCORD, cadence=Cadence.HOURLY))
    await line.poll(SIGNED, JAPAN)
    await line.pipeline.assess()
    assert await planned(line) == [("discord", True), ("slack", False), ("discord", True), ("slack", True)]
    line.clock.advance(hours=1)
    await line.read(told("Sudland parliament ratifies rice pact", ago=timedelta(0)))
    assert (await planned(line))[-1] == ("slack", False), "an hour later it counts anew"


async def test_a_step_in_a_dossier_is_shown_to_the_whole_channel(line: Line) -> None:
    await subscribed(line.store, SLACK)
    await line.read(SIGNED)
    await line.read(told("Sudland parliament ratifies rice pact", ago=timedelta(minutes=2)))
    await line.read(told("Farm unions greet amended duties", ago=timedelta(minutes=1)))
    sender = RecordingSender()
    await Outbox(store=line.store, senders={Surface.SLACK: sender}, clock=line.clock).drain()
    assert [(d.alert.step_changed, d.thread, d.broadcast) for d in sender.attempts] == [
        (False, None, False),
        (True, "m-1", True),
        (False, "m-1", False),
    ]


async def test_more_coverage_edits_the_alert_once(line: Line) -> None:
    await subscribed(line.store, SLACK)
    sender = RecordingSender()
    outbox = Outbox(store=line.store, senders={Surface.SLACK: sender}, clock=line.clock)
    await line.read(SIGNED)
    assert await outbox.drain() == 1
    for outlet in ("herald", "tribune"):
        assert await line.read(told(f"Rice pact signed by Norland and Sudland {outlet}"), source=outlet) == [Reason.MORE_COVERAGE]
    assert await outbox.drain() == 0
    assert sender.edits == []
    line.clock.advance(seconds=20)
    assert await outbox.drain() == 0
    (edit,) = sender.edits
    assert (edit.message_id, edit.alert.development.outlets) == ("m-1", ("wire", "herald", "tribune"))
    assert len(sender.posted) == 1


async def test_channels_of_the_settings_are_subscribed_where_they_are_not(line: Line) -> None:
    await line.store.subscribe(Subscription(destination=SLACK, cap=3, paused="left", made_by="slack:U1"))
    await subscribe_channels(line.store, [SLACK, DISCORD], START)
    made = Subscription(destination=DISCORD, made_by=SETTINGS, made_at=START)
    assert await line.store.subscription(DISCORD) == made
    await line.store.pause(DISCORD, "not_in_channel")
    await subscribe_channels(line.store, [SLACK, DISCORD], START)
    assert await line.store.subscription(DISCORD) == made, "a start is another chance"
    found = await line.store.subscription(SLACK)
    assert found is not None
    assert (found.cap, found.paused) == (3, "left")


async def test_without_a_cap_nothing_is_counted(line: Line) -> None:
    audience = Audience(subscriptions=(Subscription(destination=SLACK),), mutes=(), only={}, language=language())
    assert not audience.capped
    entry = await new(line.store, "Rice pact")
    assert list(audience.plans(development_on(entry), Passage(title=entry.title), {}, START)) == [SLACK]
