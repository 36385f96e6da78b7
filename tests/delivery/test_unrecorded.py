"""A message went out and the store takes no record of it: after the trouble it is found, recorded, and not sent again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.delivery.outbox import LEASE_SECONDS, Outbox
from bot.domain.alerts import Delivery, Destination, Receipt
from bot.domain.errors import StoreError
from bot.ports import Sender
from handlers.slack.sender import SlackSender
from handlers.slack.workspaces import OneWorkspace
from tests.discord.kit import running, surface
from tests.fakes.clock import ManualClock
from tests.fakes.discord_server import FakeDiscord
from tests.fakes.slack_server import FakeSlack
from tests.slack.kit import Atlas
from tests.storage.kit import DISCORD, SLACK, keep, new, opened, outbox, subscribed
from tests.trouble import Disk


@dataclass
class ThenTrouble:
    """A sender after whose first call nothing can be written."""

    sender: Sender
    disk: Disk
    first: bool = True

    async def send(self, delivery: Delivery) -> Receipt:
        receipt = await self.sender.send(delivery)
        await self._trouble()
        return receipt

    async def edit(self, delivery: Delivery) -> None:
        await self.sender.edit(delivery)
        await self._trouble()

    async def _trouble(self) -> None:
        if self.first:
            self.first = False
            await self.disk.protect()


@dataclass(frozen=True)
class Platform:
    """A local platform with the real sender to it."""

    destination: Destination
    sender: Sender
    fake: FakeSlack | FakeDiscord

    @property
    def count(self) -> int:
        """How many messages are in the channel."""
        return len(self.fake.messages)


@asynccontextmanager
async def slack() -> AsyncIterator[Platform]:
    async with FakeSlack() as fake:
        client = AsyncWebClient(token=fake.bot_token, base_url=fake.api_url, retry_handlers=[])
        yield Platform(SLACK, SlackSender(OneWorkspace(client), Atlas()), fake)


@asynccontextmanager
async def discord() -> AsyncIterator[Platform]:
    async with FakeDiscord(channels=(DISCORD.address,)) as fake, running(surface(fake)) as up:
        yield Platform(DISCORD, up.sender, fake)


@pytest.mark.parametrize("platform", [slack, discord])
async def test_a_message_that_could_not_be_recorded_is_found_and_not_sent_again(tmp_path: Path, platform: object) -> None:
    clock = ManualClock()
    with Disk() as disk:
        async with opened(tmp_path) as store, platform() as it:  # type: ignore[operator]
            await subscribed(store, it.destination)
            await keep(store, await new(store, "India and Chile sign a trade pact"), alert=True)
            box = Outbox(store=store, senders={it.destination.surface: ThenTrouble(it.sender, disk)}, clock=clock)
            with pytest.raises(StoreError):
                await box.drain()
            assert it.count == 1
            clock.advance(seconds=LEASE_SECONDS + 1)
            with pytest.raises(StoreError):  # without a lease nothing is sent
                await box.drain()
            await disk.mend()
            if isinstance(it.fake, FakeDiscord):
                it.fake.forget_nonces()  # the trouble lasted
            assert await box.drain() == 1
            ((state, attempts, message),) = [line[1:4] for line in await outbox(store) if line[0] == it.destination.surface]
    assert it.count == 1
    assert (state, attempts, bool(message)) == ("sent", 2, True)
