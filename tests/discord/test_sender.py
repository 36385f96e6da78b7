"""Deliveries over the wire: through the real discord.py to FakeDiscord, which fails on demand."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.domain.alerts import Delivery
from bot.domain.errors import FinalDeliveryError, TemporaryDeliveryError
from handlers.discord.client import DiscordSurface
from tests.discord.kit import NOW, delivery, running, surface
from tests.fakes.discord_server import TOKEN, Failure, FakeDiscord


@pytest.fixture
async def fake() -> AsyncIterator[FakeDiscord]:
    async with FakeDiscord() as server:
        yield server


@pytest.fixture
async def up(fake: FakeDiscord) -> AsyncIterator[DiscordSurface]:
    async with running(surface(fake)) as it:
        yield it


async def test_an_alert_arrives_and_can_ping_nobody(fake: FakeDiscord, up: DiscordSurface) -> None:
    receipt = await up.sender.send(delivery())
    (message,) = fake.messages
    body = fake.posts[0].body
    assert receipt.message_id == message["id"]
    assert message["channel_id"] == "100"
    assert message["embeds"][0]["title"] == "Arlandia and Borduria sign pact on timber"
    assert body["allowed_mentions"] == {"parse": []}
    assert (body["nonce"], body["enforce_nonce"]) == (delivery().key, True)


async def test_a_second_attempt_gives_the_first_ones_message(fake: FakeDiscord, up: DiscordSurface) -> None:
    fake.fail(Failure.DROP_AFTER)
    with pytest.raises(TemporaryDeliveryError, match="no connection"):
        await up.sender.send(delivery())
    receipt = await up.sender.send(delivery())
    assert [p.body["nonce"] for p in fake.posts] == [delivery().key] * 2
    assert [m["id"] for m in fake.messages] == [receipt.message_id]


async def test_follow_ups_share_the_thread_of_the_first_message(fake: FakeDiscord, up: DiscordSurface) -> None:
    first = await up.sender.send(delivery(1))
    for number in (2, 3):
        await up.sender.send(delivery(number, thread=first.message_id, follow_up="Arlandia and Borduria agree"))
    assert [m["channel_id"] for m in fake.messages] == ["100", first.message_id, first.message_id]
    assert [t["name"] for t in fake.threads.values()] == ["Arlandia – Borduria: trade deal"]
    assert "Follow-up to: Arlandia and Borduria agree" in fake.messages[1]["embeds"][0]["description"]


async def test_a_thread_made_before_a_restart_is_used(fake: FakeDiscord) -> None:
    async with running(surface(fake)) as before:
        first = await before.sender.send(delivery(1))
        await before.sender.send(delivery(2, thread=first.message_id))
    async with running(surface(fake)) as after:
        await after.sender.send(delivery(3, thread=first.message_id))
    assert [m["channel_id"] for m in fake.messages] == ["100", first.message_id, first.message_id]
    assert len(fake.threads) == 1


async def test_a_follow_up_whose_first_message_is_gone_goes_to_the_channel(fake: FakeDiscord, up: DiscordSurface) -> None:
    await up.sender.send(delivery(2, thread="123456"))
    assert [m["channel_id"] for m in fake.messages] == ["100"]


async def test_without_the_right_to_make_threads_a_follow_up_goes_to_the_channel() -> None:
    async with FakeDiscord(thread_rights=False) as fake, running(surface(fake)) as up:
        first = await up.sender.send(delivery(1))
        await up.sender.send(delivery(2, thread=first.message_id))
        assert [m["channel_id"] for m in fake.messages] == ["100", "100"]


@pytest.mark.parametrize(
    ("failure", "retry_after"),
    [(Failure.RATE_LIMIT, 7.5), (Failure.BANNED, 7.5), (Failure.UNAVAILABLE, None), (Failure.DROP, None), (Failure.UNAUTHORIZED, 60.0)],
)
async def test_what_may_pass_is_temporary(fake: FakeDiscord, up: DiscordSurface, failure: Failure, retry_after: float | None) -> None:
    fake.fail(failure, retry_after=7.5)
    with pytest.raises(TemporaryDeliveryError) as caught:
        await up.sender.send(delivery())
    assert caught.value.retry_after == retry_after
    assert TOKEN not in str(caught.value)
    assert len(fake.posts) == 1
    assert (await up.sender.send(delivery())).message_id == fake.messages[0]["id"]


async def test_no_call_is_made_while_the_whole_bot_is_limited(fake: FakeDiscord, up: DiscordSurface) -> None:
    fake.fail(Failure.GLOBAL_RATE_LIMIT, retry_after=0.2)
    for number in (1, 2):
        with pytest.raises(TemporaryDeliveryError) as caught:
            await up.sender.send(delivery(number))
        assert caught.value.retry_after == pytest.approx(0.2, abs=0.1)
    assert len(fake.posts) == 1
    await asyncio.sleep(0.25)
    await up.sender.send(delivery(1))
    assert len(fake.messages) == 1


@pytest.mark.parametrize("failure", [Failure.HANG, Failure.SERVER_ERROR])
async def test_an_attempt_is_bounded_in_time(fake: FakeDiscord, failure: Failure) -> None:
    async with running(surface(fake, seconds=0.2)) as up:
        fake.fail(failure, times=5)
        began = time.monotonic()
        with pytest.raises(TemporaryDeliveryError, match="in time"):
            await up.sender.send(delivery())
        assert time.monotonic() - began < 1


@pytest.mark.parametrize(("channel", "code"), [("999", "10003"), ("#alerts", "bad_channel")])
async def test_an_unknown_channel_is_final(up: DiscordSurface, channel: str, code: str) -> None:
    with pytest.raises(FinalDeliveryError) as caught:
        await up.sender.send(delivery(channel=channel))
    assert caught.value.code == code


async def test_a_missing_permission_is_final(fake: FakeDiscord, up: DiscordSurface) -> None:
    fake.fail(Failure.FORBIDDEN)
    with pytest.raises(FinalDeliveryError, match="403: Missing Permissions") as caught:
        await up.sender.send(delivery())
    assert caught.value.code == "50013"


async def test_a_surface_that_is_not_connected_is_temporary(fake: FakeDiscord) -> None:
    with pytest.raises(TemporaryDeliveryError, match="in time"):
        await surface(fake, seconds=0.05).sender.send(delivery())


async def test_an_edit_shows_the_alert_as_it_is_now_in_the_same_message(fake: FakeDiscord, up: DiscordSurface) -> None:
    receipt = await up.sender.send(delivery())
    changed = delivery()
    alert = replace(changed.alert, development=replace(changed.alert.development, headline="The pact is signed"))
    await up.sender.edit(replace(changed, alert=alert, message_id=receipt.message_id))
    assert [m["embeds"][0]["title"] for m in fake.messages] == ["The pact is signed"]


async def test_a_message_in_a_thread_is_edited_there_and_one_that_is_gone_is_left_alone(fake: FakeDiscord, up: DiscordSurface) -> None:
    first = await up.sender.send(delivery(1))
    follow_up = delivery(2, thread=first.message_id, follow_up="Arlandia and Borduria agree")
    receipt = await up.sender.send(follow_up)
    assert receipt.message_id == f"{first.message_id}/{fake.messages[1]['id']}"
    await up.sender.edit(replace(follow_up, message_id=receipt.message_id))
    await up.sender.edit(replace(follow_up, message_id="999"))
    await up.sender.edit(replace(follow_up, message_id="888/999"))  # the whole thread is gone
    assert [m["edited_timestamp"] is not None for m in fake.messages] == [False, True]


async def test_an_edit_pings_nobody_and_keeps_the_buttons(fake: FakeDiscord, up: DiscordSurface) -> None:
    receipt = await up.sender.send(delivery())
    await up.sender.edit(replace(delivery(), message_id=receipt.message_id))
    body = next(r.body for r in fake.requests if r.method == "patch")
    assert isinstance(body, dict)
    assert body["allowed_mentions"] == {"parse": []}
    assert body["components"] == fake.posts[0].body["components"]


async def test_an_edit_in_a_channel_that_is_gone_is_told(up: DiscordSurface) -> None:
    with pytest.raises(FinalDeliveryError) as caught:
        await up.sender.edit(replace(delivery(channel="999"), message_id="1"))
    assert caught.value.code == "10003"


async def test_a_message_in_an_archived_thread_is_edited_after_opening_it(fake: FakeDiscord, up: DiscordSurface) -> None:
    first = await up.sender.send(delivery(1))
    follow_up = delivery(2, thread=first.message_id, follow_up="Arlandia and Borduria agree")
    receipt = await up.sender.send(follow_up)
    fake.archive(first.message_id)
    await up.sender.edit(replace(follow_up, message_id=receipt.message_id))
    assert fake.messages[1]["edited_timestamp"] is not None


async def test_a_dossier_whose_first_message_is_in_a_thread_goes_on_there(fake: FakeDiscord, up: DiscordSurface) -> None:
    first = await up.sender.send(delivery(1))
    second = await up.sender.send(delivery(2, thread=first.message_id))
    third = await up.sender.send(delivery(3, thread=second.message_id))
    assert third.message_id == f"{first.message_id}/{fake.messages[2]['id']}"


def moved(first: str, attempts: int = 1) -> Delivery:
    """A follow-up that brought the dossier a step further."""
    step = delivery(2, thread=first, follow_up="Arlandia and Borduria agree")
    return replace(step, alert=replace(step.alert, step_changed=True), attempts=attempts, begun=NOW)


async def test_long_after_a_lost_answer_the_message_is_found_and_not_sent_again(fake: FakeDiscord, up: DiscordSurface) -> None:
    first = await up.sender.send(delivery(1))
    receipt = await up.sender.send(moved(first.message_id))
    fake.forget_nonces()
    again = await up.sender.send(moved(first.message_id, attempts=2))
    assert again == receipt
    assert [m["channel_id"] for m in fake.messages] == ["100", first.message_id, "100"]


async def test_a_digest_is_found_again_too(fake: FakeDiscord, up: DiscordSurface) -> None:
    gathered = replace(delivery(1), digest=(delivery(1).alert, delivery(2).alert))
    receipt = await up.sender.send(gathered)
    fake.forget_nonces()
    assert await up.sender.send(replace(gathered, attempts=2)) == receipt
    other = replace(gathered, digest=(delivery(1).alert, delivery(3).alert), attempts=2)
    assert await up.sender.send(other) != receipt


async def test_a_pointer_that_failed_for_now_is_sent_with_the_next_attempt(fake: FakeDiscord, up: DiscordSurface) -> None:
    first = await up.sender.send(delivery(1))
    await up.sender.send(delivery(3, thread=first.message_id))  # the thread is there
    step = asyncio.create_task(up.sender.send(moved(first.message_id)))
    await fake.until(lambda: len(fake.posts) == 3)
    fake.fail(Failure.UNAVAILABLE)
    with pytest.raises(TemporaryDeliveryError):
        await step
    await up.sender.send(moved(first.message_id, attempts=2))
    assert [m["channel_id"] for m in fake.messages] == ["100", first.message_id, first.message_id, "100"]


async def test_a_channel_that_takes_no_pointer_does_not_undo_the_alert(fake: FakeDiscord, up: DiscordSurface) -> None:
    first = await up.sender.send(delivery(1))
    await up.sender.send(delivery(3, thread=first.message_id))
    step = asyncio.create_task(up.sender.send(moved(first.message_id)))
    await fake.until(lambda: len(fake.posts) == 3)
    fake.fail(Failure.FORBIDDEN)
    assert (await step).message_id.startswith(f"{first.message_id}/")


async def test_without_the_right_to_read_the_nonce_alone_serves() -> None:
    async with FakeDiscord(history_rights=False) as fake, running(surface(fake)) as up:
        receipt = await up.sender.send(delivery())
        assert await up.sender.send(replace(delivery(), attempts=2)) == receipt


async def test_an_edit_that_is_refused_for_now_is_told(fake: FakeDiscord, up: DiscordSurface) -> None:
    receipt = await up.sender.send(delivery())
    fake.fail(Failure.UNAVAILABLE, times=6)
    with pytest.raises(TemporaryDeliveryError):
        await up.sender.edit(replace(delivery(), message_id=receipt.message_id))


async def test_a_step_in_a_thread_is_pointed_to_in_the_channel_once(fake: FakeDiscord, up: DiscordSurface) -> None:
    first = await up.sender.send(delivery(1))
    for _ in range(2):
        await up.sender.send(moved(first.message_id))
    assert [m["channel_id"] for m in fake.messages] == ["100", first.message_id, "100"]
    assert f"<#{first.message_id}>" in fake.messages[2]["embeds"][0]["description"]


async def test_a_digest_is_one_message(fake: FakeDiscord, up: DiscordSurface) -> None:
    one, other = delivery(1), delivery(2)
    await up.sender.send(replace(one, digest=(one.alert, other.alert)))
    (message,) = fake.messages
    assert message["content"] == "**Digest: 2 developments in 1 matter**"
    assert [e["title"] for e in message["embeds"]] == ["Arlandia – Borduria: trade deal"]
    assert message["components"] == []


async def test_a_thread_that_is_out_of_order_is_waited_for(fake: FakeDiscord, up: DiscordSurface) -> None:
    first = await up.sender.send(delivery(1))
    fake.fail(Failure.UNAVAILABLE)
    with pytest.raises(TemporaryDeliveryError):
        await up.sender.send(delivery(2, thread=first.message_id))
    assert [m["channel_id"] for m in fake.messages] == ["100"]


async def test_a_history_that_cannot_be_read_for_now_is_waited_for(fake: FakeDiscord) -> None:
    async with running(surface(fake, seconds=0.5)) as up:
        fake.unreadable = True
        with pytest.raises(TemporaryDeliveryError):
            await up.sender.send(replace(delivery(), attempts=2))
    assert fake.messages == []


async def test_threads_are_not_remembered_without_end(fake: FakeDiscord, up: DiscordSurface, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlers.discord.sender._MOST_THREADS", 1)
    one, other = await up.sender.send(delivery(1)), await up.sender.send(delivery(2))
    for number, first in ((3, one), (4, other), (5, one)):
        await up.sender.send(delivery(number, thread=first.message_id))
    assert [m["channel_id"] for m in fake.messages[2:]] == [one.message_id, other.message_id, one.message_id]


async def test_a_connection_that_is_going_down_is_temporary(up: DiscordSurface) -> None:
    assert up._client is not None
    await up._client.http.close()
    with pytest.raises(TemporaryDeliveryError, match="no connection"):
        await up.sender.send(delivery())
