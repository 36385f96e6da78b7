"""Notices to the admins' channel (port `Notifier`)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import aiohttp
import discord

from bot.domain.errors import TemporaryDeliveryError
from handlers.discord.errors import translated
from handlers.discord.markdown import fitted
from handlers.discord.sender import SEND_SECONDS

MAX_NOTICE = 2_000  # characters of a message's content: https://discord.com/developers/docs/resources/message#create-message


class DiscordNotifier:
    """Posts escaped text into one channel, pinging nobody. `connected` returns the logged-in client, waiting for it if need be."""

    def __init__(self, connected: Callable[[], Awaitable[discord.Client]], channel: int, seconds: float = SEND_SECONDS) -> None:
        self._connected = connected
        self._channel = channel
        self._seconds = seconds

    async def notify(self, text: str) -> None:
        """See `Notifier.notify`."""
        try:
            async with asyncio.timeout(self._seconds):
                client = await self._connected()
                content = "\n".join(fitted(line, MAX_NOTICE) for line in text.splitlines())
                await client.get_partial_messageable(self._channel).send(
                    content=content[:MAX_NOTICE], allowed_mentions=discord.AllowedMentions.none(), suppress_embeds=True
                )
        except (discord.DiscordException, aiohttp.ClientError, OSError) as error:  # TimeoutError is an OSError
            raise translated(error) from error
        except RuntimeError as error:  # aiohttp's "Session is closed": the surface is going down
            raise TemporaryDeliveryError(f"no connection to Discord ({type(error).__name__})") from error
