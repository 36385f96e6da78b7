"""Deliveries over the wire: through the real discord.py to FakeDiscord, which fails on demand."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from bot.domain.errors import FinalDeliveryError, TemporaryDeliveryError
from handlers.discord.client import DiscordSurface
from tests.discord.kit import delivery, running, surface
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
