"""Digests, edits and holds in the outbox: what goes out together stays together, whoever leases it and however often."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.alerts import Alert, Delivery, Destination, Receipt, Surface
from bot.domain.decisions import Reason
from bot.domain.developments import Development
from bot.domain.subscriptions import Mute, Planned, Subscription
from bot.ports import Filed
from bot.storage import deliveries, tables
from bot.storage.store import SqlStore
from handlers.discord import embeds as discord
from tests.fakes.clock import START
from tests.storage.kit import DEAL, DISCORD, SLACK, assessed, development_on, keep, new, opened, rows, subscribed

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
LATER = Planned(due=START + HOUR, digest=True)
AT_ONCE = Planned(due=START)


async def told(store: SqlStore, title: str, number: int, planned: Planned = AT_ONCE, **more: object) -> Development:
    """A development with one delivery to Slack."""
    entry = await new(store, title, number)
    development = replace(await keep(store, entry, **more))
    async with store.begin() as writing:
        await writing.enqueue(Alert(development=development, raised=START), {SLACK: planned})
    return development


async def covered(store: SqlStore, development: Development, number: int, outlet: str, due: timedelta = 20 * SECOND) -> None:
    """One more entry on a development, as the pipeline files it."""
    entry = await new(store, f"{development.headline}, says {outlet} ({number})", number, publisher=outlet)
    filed = Filed(
        entry=entry,
        assessment=assessed(),
        reason=Reason.MORE_COVERAGE,
        topics=(DEAL,),
        development_id=development.development_id,
    )
    async with store.begin() as writing:
        await writing.record(filed)
        await writing.outdate(development.development_id, START + due)


async def leased(store: SqlStore, seconds: float = 0, destination: Destination = SLACK) -> Delivery:
    delivery = await store.lease(destination, START + timedelta(seconds=seconds), 60)
    assert delivery is not None
    return delivery


def shown(delivery: Delivery) -> list[str]:
    return [alert.development.headline for alert in delivery.alerts]


async def states(store: SqlStore) -> list[str]:
    return [row[0] for row in await rows(store, tables.deliveries, "state")]


@pytest.fixture
async def store(store: SqlStore) -> SqlStore:
    await subscribed(store)
    return store


@asynccontextmanager
async def again(path: Path) -> AsyncIterator[SqlStore]:
    async with opened(path) as store:
        yield store


async def test_a_digest_is_one_message_by_dossier_the_most_important_first(store: SqlStore) -> None:
    for number, (title, parties, importance, step) in enumerate(
        [
            ("Tea near", ("JPN",), 0.3, 1),
            ("Rice near", ("IND",), 0.2, 1),
            ("Tea signed", ("JPN",), 0.4, 2),
            ("Rice signed", ("IND",), 0.9, 2),
        ],
        1,
    ):
        await told(store, title, number, LATER, parties=parties, importance=importance, dossier_step=step)
    assert await store.lease(SLACK, START + HOUR - SECOND, 60) is None
    assert await store.due(START + HOUR - SECOND) == []
    digest = await leased(store, 3600)
    assert shown(digest) == ["Rice near", "Rice signed", "Tea near", "Tea signed"]
    assert (digest.alert, digest.thread, digest.attempts) == (digest.digest[0], None, 1)
    await store.sent(digest, Receipt(message_id="m1"), START + HOUR)
    found = await rows(store, tables.deliveries, "state", "message_id", "batch")
    assert found == [("sent", "m1", digest.key)] * 4
    assert await store.lease(SLACK, START + HOUR, 60) is None


async def test_a_digest_keeps_its_key_and_members_after_a_crash(store: SqlStore, tmp_path: Path) -> None:
    await told(store, "Rice pact", 1, LATER)
    await told(store, "Tea treaty", 2, LATER)
    first = await leased(store, 3600)
    async with again(tmp_path) as other:
        await told(other, "Steel accord", 3, LATER, importance=0.9)
        assert await other.lease(SLACK, START + HOUR + 59 * SECOND, 60) is None, "one is in hand"
        second = await leased(other, 3660)
        assert (second.key, shown(second), second.attempts, second.begun) == (first.key, shown(first), 2, START + HOUR)
        await store.sent(first, Receipt(message_id="late"), START)
        assert await states(other) == ["sending", "sending", "pending"], "fenced"
        await other.put_back(second, "the platform rests", START + 2 * HOUR)
        assert await other.lease(SLACK, START + 2 * HOUR - SECOND, 60) is None, "nothing overtakes it"
        third = await leased(other, 7200)
        assert (third.key, shown(third), third.attempts) == (first.key, shown(first), 3)
        await other.sent(third, Receipt(message_id="m1"), START + 2 * HOUR)
        assert shown(await leased(other, 7200)) == ["Steel accord"]


async def test_one_alert_is_no_digest(store: SqlStore) -> None:
    await told(store, "Rice pact", 1, LATER)
    only = await leased(store, 3600)
    assert (only.digest, shown(only)) == ((), ["Rice pact"])
    await store.sent(only, Receipt(message_id="m1"), START)
    assert await rows(store, tables.deliveries, "batch", "state") == [(None, "sent")]


async def test_what_does_not_fit_goes_into_the_next(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliveries, "GATHERED", 3)
    for number in range(1, 6):
        await told(store, f"Pact {number}", number, LATER, parties=(f"P{number}",), importance=number / 10)
    messages = []
    while delivery := await store.lease(SLACK, START + HOUR, 60):
        messages.append(shown(delivery))
        await store.sent(delivery, Receipt(message_id=f"m{len(messages)}"), START + HOUR)
    assert messages == [["Pact 5", "Pact 4", "Pact 3"], ["Pact 2", "Pact 1"]]


@pytest.mark.parametrize("planned", [AT_ONCE, LATER])
async def test_no_message_gathers_more_than_every_surface_shows(store: SqlStore, planned: Planned) -> None:
    for number in range(1, deliveries.GATHERED + 2):
        await told(store, f"Pact {number}", number, planned, parties=(f"P{number}",))
    delivery = await leased(store, 3600)
    assert len(shown(delivery)) == deliveries.GATHERED == discord.EMBEDS_LIMIT


async def test_under_pressure_alerts_coalesce_and_none_is_dropped(store: SqlStore) -> None:
    for number in range(1, deliveries.PRESSURE + 1):
        await told(store, f"Pact {number}", number, parties=(f"P{number}",))
    assert shown(await leased(store)) == ["Pact 1"], "so many still go one by one"
    for number in range(deliveries.PRESSURE + 1, 9):
        await told(store, f"Pact {number}", number, parties=(f"P{number}",))
    first = await leased(store, 60)
    assert (shown(first), first.attempts) == (["Pact 1"], 2), "what was begun stays alone"
    await store.sent(first, Receipt(message_id="m1"), START)
    assert sorted(shown(await leased(store, 60))) == [f"Pact {n}" for n in range(2, 9)]


async def test_a_follow_up_does_not_go_into_the_thread_of_a_digest(store: SqlStore) -> None:
    await told(store, "Rice near", 1, LATER, parties=("IND",))
    await told(store, "Tea near", 2, LATER, parties=("JPN",))
    digest = await leased(store, 3600)
    await store.sent(digest, Receipt(message_id="m1"), START)
    entry = await new(store, "Rice signed", 3)
    development = development_on(entry, parties=("IND",), dossier_step=2)
    async with store.begin() as writing:
        await writing.save(development, ())
        await writing.enqueue(Alert(development=development, raised=START, follow_up="Rice near"), {SLACK: AT_ONCE})
    assert (await leased(store, 3600)).thread is None


async def test_more_coverage_makes_one_edit(store: SqlStore) -> None:
    rice = await told(store, "Rice pact", 1)
    await covered(store, rice, 2, "The Herald")
    await store.sent(await leased(store), Receipt(message_id="m1"), START)
    assert await store.due(START + HOUR) == [], "the message says so already"
    await covered(store, rice, 3, "The Herald")
    assert await store.due(START + HOUR) == [], "no other outlet"
    await covered(store, rice, 4, "The Tribune")
    await covered(store, rice, 5, "The Mirror", due=25 * SECOND)
    assert [s.destination for s in await store.due(START + 20 * SECOND)] == [SLACK]
    assert await store.lease(SLACK, START + 19 * SECOND, 60) is None
    edit = await leased(store, 20)
    assert (edit.message_id, edit.attempts, len(edit.alert.development.outlets)) == ("m1", 1, 4)
    assert await store.lease(SLACK, START + 79 * SECOND, 60) is None
    assert await store.due(START + 79 * SECOND) == []
    await store.edited(edit)
    assert await store.due(START + HOUR) == []


async def test_coverage_during_an_attempt_is_not_forgotten(store: SqlStore) -> None:
    rice = await told(store, "Rice pact", 1)
    sending = await leased(store)
    await covered(store, rice, 2, "The Herald")
    await store.sent(sending, Receipt(message_id="m1"), START)
    edit = await leased(store, 20)
    await covered(store, rice, 3, "The Tribune", due=40 * SECOND)
    await store.edited(edit)
    assert len((await leased(store, 40)).alert.development.outlets) == 3


async def test_an_edit_waits_its_turn_and_survives_a_crash(store: SqlStore) -> None:
    rice = await told(store, "Rice pact", 1)
    await store.sent(await leased(store), Receipt(message_id="m1"), START)
    await covered(store, rice, 2, "The Herald")
    await told(store, "Tea treaty", 3, parties=("JPN",))
    assert (await leased(store, 30)).message_id is None, "what is new goes first"
    await store.sent(await leased(store, 90), Receipt(message_id="m2"), START)
    crashed = await leased(store, 90)
    assert (crashed.message_id, crashed.attempts) == ("m1", 1)
    second = await leased(store, 150)
    assert (second.message_id, second.attempts) == ("m1", 2)
    await store.edited(crashed)
    await store.put_back(second, "the platform rests", START + 200 * SECOND)
    assert await store.lease(SLACK, START + 199 * SECOND, 60) is None
    third = await leased(store, 200)
    await store.fail(third, "gone", START)
    assert (await rows(store, tables.deliveries, "state", "message_id", "problem"))[0] == ("sent", "m1", "gone")
    assert await store.due(START + HOUR) == []


async def test_a_digest_is_not_edited(store: SqlStore) -> None:
    rice = await told(store, "Rice pact", 1, LATER, parties=("IND",))
    await told(store, "Tea treaty", 2, LATER, parties=("JPN",))
    await store.sent(await leased(store, 3600), Receipt(message_id="m1"), START)
    await covered(store, rice, 3, "The Herald")
    assert await store.due(START + 2 * HOUR) == []


async def test_a_channel_on_pause_or_held_gets_nothing(store: SqlStore) -> None:
    other = Destination(surface=Surface.SLACK, address="C2")
    await store.subscribe(Subscription(destination=other, team="T2"))
    rice = await told(store, "Rice pact", 1)
    async with store.begin() as writing:
        await writing.enqueue(Alert(development=rice, raised=START), {other: AT_ONCE, DISCORD: AT_ONCE})
    assert [s.destination for s in await store.due(START)] == [DISCORD, SLACK, other]
    await store.pause(SLACK, "is_archived")
    await store.hold(other, START + 30 * SECOND)
    await store.hold(Destination(surface=Surface.SLACK, address="C9"), START + HOUR)
    assert [s.destination for s in await store.due(START)] == [DISCORD]
    assert await store.lease(SLACK, START, 60) is None
    assert await store.lease(other, START + 29 * SECOND, 60) is None
    assert shown(await leased(store, 30, other)) == ["Rice pact"]
    await store.pause(SLACK, None)
    await store.hold(SLACK, START + 40 * SECOND)
    await store.hold(SLACK, START + 50 * SECOND)
    await store.hold(SLACK, START + 45 * SECOND)  # another process, which was told less
    assert await store.lease(SLACK, START + 49 * SECOND, 60) is None
    assert shown(await leased(store, 50)) == ["Rice pact"]


async def test_a_slack_channel_of_unknown_team_waits_with_those_of_known_ones(store: SqlStore) -> None:
    other = Destination(surface=Surface.SLACK, address="C2")
    third = Destination(surface=Surface.SLACK, address="C3")
    await store.subscribe(Subscription(destination=other, team="T2"))
    await store.subscribe(Subscription(destination=third, team="T3"))
    rice = await told(store, "Rice pact", 1)
    async with store.begin() as writing:
        await writing.enqueue(Alert(development=rice, raised=START), {other: AT_ONCE, third: AT_ONCE, DISCORD: AT_ONCE})
    await store.hold(other, START + 30 * SECOND)
    assert [s.destination for s in await store.due(START)] == [DISCORD, third]
    await store.hold(SLACK, START + 60 * SECOND)
    assert [s.destination for s in await store.due(START + 30 * SECOND)] == [DISCORD]
    assert await store.lease(third, START + 59 * SECOND, 60) is None
    assert shown(await leased(store, 60, third)) == ["Rice pact"]


async def test_a_digest_can_be_had_now(store: SqlStore) -> None:
    await told(store, "Rice pact", 1, LATER)
    await told(store, "Tea treaty", 2, LATER)
    assert await store.hasten(DISCORD, START) == 0
    assert await store.hasten(SLACK, START) == 2
    assert await store.hasten(SLACK, START) == 0
    assert len(shown(await leased(store))) == 2


async def test_a_mute_reaches_what_waits(store: SqlStore) -> None:
    rice = await told(store, "Rice pact", 1, LATER, parties=("IND",))
    await told(store, "Tea treaty", 2, LATER, parties=("JPN",))
    await store.mute(Mute(destination=DISCORD, dossier_id=rice.dossier_id, actor="a", at=START))
    assert await states(store) == ["pending", "pending"]
    await store.mute(Mute(destination=SLACK, dossier_id=rice.dossier_id, actor="a", at=START))
    await store.mute(Mute(destination=SLACK, dossier_id=rice.dossier_id, actor="b", at=START))
    assert [m.actor for m in await store.mutes(SLACK)] == ["b"]
    assert await rows(store, tables.deliveries, "state", "problem") == [
        ("failed", "the dossier is muted in this channel"),
        ("pending", None),
    ]


async def test_what_a_channel_that_left_waited_for_is_given_up(store: SqlStore) -> None:
    rice = await told(store, "Rice pact", 1)
    assert await store.unsubscribe(SLACK)
    assert not await store.unsubscribe(SLACK)
    assert await states(store) == ["failed"]
    assert await store.lease(SLACK, START, 60) is None
    async with store.begin() as writing:
        await writing.enqueue(Alert(development=rice, raised=START), {})
    assert await states(store) == ["failed"]


async def test_what_was_told_within_the_hour_is_counted_for_channels_with_a_cap(store: SqlStore) -> None:
    await store.subscribe(Subscription(destination=SLACK, cap=3))
    await told(store, "Rice pact", 1)
    await told(store, "Tea treaty", 2)
    await told(store, "Steel accord", 3, LATER)
    async with store.begin() as writing:
        assert await writing.told(START - SECOND) == {SLACK: 2}
        assert await writing.told(START) == {}
    await subscribed(store)
    async with store.begin() as writing:
        assert await writing.told(START - SECOND) == {}
