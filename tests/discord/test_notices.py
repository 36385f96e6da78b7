"""Notices to the admins' channel in Discord."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.domain.errors import FinalDeliveryError, TemporaryDeliveryError
from handlers.discord.client import DiscordSurface
from handlers.discord.notices import MAX_NOTICE
from tests.discord.kit import running, surface
from tests.fakes.discord_server import Failure, FakeDiscord


@pytest.fixture
async def fake() -> AsyncIterator[FakeDiscord]:
    async with FakeDiscord() as server:
        yield server


@pytest.fixture
async def up(fake: FakeDiscord) -> AsyncIterator[DiscordSurface]:
    async with running(surface(fake)) as it:
        yield it


async def test_a_notice_is_escaped_and_pings_nobody(fake: FakeDiscord, up: DiscordSurface) -> None:
    await up.notifier(100).notify("Wire @everyone **cannot** be read\nWell again: A. " + "x" * 3_000)
    body = fake.posts[0].body
    assert body["allowed_mentions"] == {"parse": []}
    assert "**cannot**" not in body["content"]
    assert "\n" in body["content"]
    assert len(body["content"]) <= MAX_NOTICE


async def test_refusals_are_delivery_errors(fake: FakeDiscord, up: DiscordSurface) -> None:
    fake.fail(Failure.FORBIDDEN)
    with pytest.raises(FinalDeliveryError):
        await up.notifier(100).notify("Wire is quiet.")
    fake.fail(Failure.DROP_AFTER)
    with pytest.raises(TemporaryDeliveryError):
        await up.notifier(100).notify("Wire is quiet.")
