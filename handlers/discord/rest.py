"""Discord without the gateway: for a process that only posts. Logs in when the first message is due."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import discord
from discord.http import Route
from pydantic import SecretStr

from bot.ports import Gazetteer
from handlers.discord.errors import RateLimits
from handlers.discord.notices import DiscordNotifier
from handlers.discord.sender import DiscordSender


class DiscordPost:
    """A sender and notifiers over REST alone; use it by `opened`. discord.py keeps the API's address in its classes: one server a process."""

    def __init__(self, *, token: SecretStr, gazetteer: Gazetteer) -> None:
        self._token = token
        self._limits = RateLimits()
        self._client: discord.Client | None = None
        self._turn = asyncio.Lock()
        self.sender = DiscordSender(connected=self._connected, gazetteer=gazetteer, limits=self._limits)

    def notifier(self, channel: int) -> DiscordNotifier:
        """Return what posts notices into a channel."""
        return DiscordNotifier(self._connected, channel)

    async def _connected(self) -> discord.Client:
        async with self._turn:
            if self._client is None:
                client = discord.Client(
                    intents=discord.Intents.none(),
                    max_messages=None,
                    allowed_mentions=discord.AllowedMentions.none(),
                    http_trace=self._limits.trace(),
                )
                try:
                    await client.login(self._token.get_secret_value())
                except BaseException:
                    await client.close()
                    raise
                self._client = client
        return self._client

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.close()


@asynccontextmanager
async def opened(*, token: SecretStr, gazetteer: Gazetteer, api_url: str | None = None) -> AsyncIterator[DiscordPost]:
    """Yield Discord over REST at `api_url`, or at Discord's own address."""
    before, Route.BASE = Route.BASE, (api_url or Route.BASE).rstrip("/")
    post = DiscordPost(token=token, gazetteer=gazetteer)
    try:
        yield post
    finally:
        await post.close()
        Route.BASE = before
