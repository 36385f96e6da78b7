"""Deliveries: in order, one in hand, fenced, and after a restart neither lost nor sent twice by the book."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from bot.domain.alerts import Alert, Destination, Receipt, Surface
from bot.storage.store import SqlStore
from tests.fakes.clock import START
from tests.storage.kit import DISCORD, NOW, SLACK, arrivals, development_on, item, keep, new, opened, outbox, subscribed, take

SECOND = timedelta(seconds=1)


async def alerts(store: SqlStore, *titles: str) -> None:
    await subscribed(store)
    for number, title in enumerate(titles, 1):
        await keep(store, await new(store, title, number), alert=True)


async def test_the_oldest_goes_first_and_alone(store: SqlStore) -> None:
    await alerts(store, "Rice pact signed", "Tea treaty ratified")
    first = await store.lease(SLACK, START, 60)
    assert first is not None
    assert (first.alert.development.headline, first.attempts, first.destination, first.thread) == ("Rice pact signed", 1, SLACK, None)
    assert [c.outlet for c in first.alert.development.coverage] == ["wire"]
    assert await store.lease(SLACK, START, 60) is None, "one is in hand"
    other = await store.lease(DISCORD, START, 60)
    assert other is not None
    assert other.alert.development.headline == "Rice pact signed"
    await store.sent(first, Receipt(message_id="m1"), START)
    second = await store.lease(SLACK, START, 60)
    assert second is not None
    assert second.alert.development.headline == "Tea treaty ratified"
    await store.sent(second, Receipt(message_id="m2"), START)
    assert await store.lease(SLACK, START, 60) is None
    assert await store.lease(Destination(surface=Surface.SLACK, address="C2"), START, 60) is None


async def test_nothing_goes_before_it_is_due(store: SqlStore) -> None:
    await alerts(store, "Rice pact signed", "Tea treaty ratified")
    assert await store.lease(SLACK, START - SECOND, 60) is None
    delivery = await store.lease(SLACK, START, 60)
    assert delivery is not None
    await store.put_back(delivery, "rate limited", START + 30 * SECOND)
    assert await store.lease(SLACK, START + 29 * SECOND, 60) is None, "the next must not overtake it"
    again = await store.lease(SLACK, START + 30 * SECOND, 60)
    assert again is not None
    assert (again.alert.development.headline, again.attempts, again.key) == ("Rice pact signed", 2, delivery.key)
    assert (await outbox(store))[0] == ("slack", "sending", 2, None, "rate limited")
    await store.sent(again, Receipt(message_id="m1"), START)
    assert (await outbox(store))[0] == ("slack", "sent", 2, "m1", None)


async def test_what_failed_for_good_makes_room(store: SqlStore) -> None:
    await alerts(store, "Rice pact signed", "Tea treaty ratified")
    delivery = await store.lease(SLACK, START, 60)
    assert delivery is not None
    await store.fail(delivery, "gone: no such channel", START)
    following = await store.lease(SLACK, START, 60)
    assert following is not None
    assert following.alert.development.headline == "Tea treaty ratified"
    assert (await outbox(store))[0] == ("slack", "failed", 1, None, "gone: no such channel")
    assert (await store.status()).failed == 1


async def test_a_lease_that_ran_out_is_taken_over_and_fenced(store: SqlStore) -> None:
    await alerts(store, "Rice pact signed")
    slow = await store.lease(SLACK, START, 60)
    assert slow is not None
    assert await store.lease(SLACK, START + 59 * SECOND, 60) is None
    quick = await store.lease(SLACK, START + 60 * SECOND, 60)
    assert quick is not None
    assert (quick.attempts, quick.key) == (2, slow.key)
    await store.fail(slow, "too late", START)
    await store.put_back(slow, "too late", START)
    await store.sent(slow, Receipt(message_id="late"), START)
    assert (await outbox(store))[0] == ("slack", "sending", 2, None, None)
    await store.sent(quick, Receipt(message_id="m1"), START)
    await store.fail(quick, "after all", START)
    assert (await outbox(store))[0] == ("slack", "sent", 2, "m1", None)


async def test_an_alert_is_written_once(store: SqlStore) -> None:
    await subscribed(store)
    entry = await new(store, "Rice pact signed")
    development = await keep(store, entry, alert=True)
    delivery = await store.lease(SLACK, START, 60)
    assert delivery is not None
    await store.sent(delivery, Receipt(message_id="m1"), START)
    third = Destination(surface=Surface.CONSOLE, address="terminal")
    async with store.begin() as writing:
        await writing.enqueue(Alert(development=development, raised=START), dict.fromkeys((SLACK, DISCORD, third), NOW))
    assert [row[:2] for row in await outbox(store)] == [("slack", "sent"), ("discord", "pending"), ("console", "pending")]


async def test_a_follow_up_goes_into_the_thread_of_the_first(store: SqlStore) -> None:
    await subscribed(store)
    first = await keep(store, await new(store, "Rice pact near", 1), alert=True)
    begun = await store.lease(SLACK, START, 60)
    assert begun is not None
    await store.sent(begun, Receipt(message_id="m1"), START)
    for number, title in enumerate(("Rice pact signed", "Rice pact ratified"), 2):
        entry = await new(store, title, number)
        development = replace(development_on(entry), dossier_step=number)
        async with store.begin() as writing:
            await writing.save(development, ())
            alert = Alert(development=development, raised=START, follow_up=first.headline, step_changed=number == 2)
            await writing.enqueue(alert, {SLACK: NOW, DISCORD: NOW})
    for message in ("m2", "m3"):
        following = await store.lease(SLACK, START, 60)
        assert following is not None
        assert (following.thread, following.alert.follow_up) == ("m1", "Rice pact near")
        assert following.broadcast is (message == "m2")
        await store.sent(following, Receipt(message_id=message), START)
    opening = await store.lease(DISCORD, START, 60)
    assert opening is not None
    await store.fail(opening, "gone", START)
    elsewhere = await store.lease(DISCORD, START, 60)
    assert elsewhere is not None
    assert elsewhere.thread is None, "the first message never came there"


async def test_a_new_matter_has_no_thread(store: SqlStore) -> None:
    await alerts(store, "Rice pact near", "Tea treaty ratified")  # one dossier, but neither follows the other
    first = await store.lease(SLACK, START, 60)
    assert first is not None
    await store.sent(first, Receipt(message_id="m1"), START)
    second = await store.lease(SLACK, START, 60)
    assert second is not None
    assert second.thread is None


async def test_a_restart_loses_nothing_and_sends_nothing_twice(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await alerts(store, "Rice pact signed", "Tea treaty ratified")
        first = await store.lease(SLACK, START, 60)
        assert first is not None
        await store.sent(first, Receipt(message_id="m1"), START)
        in_hand = await store.lease(SLACK, START, 60)
        assert in_hand is not None
    async with opened(tmp_path) as store:
        assert arrivals(await take(store, item("Rice pact signed", 1), item("Tea treaty ratified", 2))) == ["known", "known"]
        assert await store.unassessed(10) == []
        assert await store.lease(SLACK, START + 59 * SECOND, 60) is None
        again = await store.lease(SLACK, START + 60 * SECOND, 60)
        assert again is not None
        assert (again.key, again.attempts) == (in_hand.key, 2), "the same key, so that the platform can tell"
        await store.sent(again, Receipt(message_id="m2"), START)
        assert await store.lease(SLACK, START + timedelta(days=1), 60) is None
        assert (await store.status()).pending == 2, "those for the other destination"
