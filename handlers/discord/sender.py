"""Alerts onto Discord: one attempt at one delivery, with the platform's errors translated."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Final

import aiohttp
import discord
import structlog

from bot.domain.alerts import Delivery, Receipt
from bot.domain.errors import DeliveryError, FinalDeliveryError, TemporaryDeliveryError
from bot.domain.text import cut
from bot.ports import Gazetteer
from handlers.discord.render import alert_embed, thread_name

SEND_SECONDS = 20.0
NONCE_LIMIT = 25  # https://discord.com/developers/docs/resources/message#create-message
WEEK_MINUTES: Final = 10080  # the longest auto-archive duration: https://discord.com/developers/docs/resources/channel#channel-object
THREAD_EXISTS = 160004  # https://discord.com/developers/docs/topics/opcodes-and-status-codes#json
_FINAL = (400, 403, 404)
_MOST_THREADS = 1000
_NEW_TOKEN_SECONDS = 60.0  # a refused token is no fault of the message: it waits for a human

_log = structlog.get_logger()


class RateLimits:
    """Stops at a 429 instead of waiting inside discord.py, so that the outbox knows how long, and remembers a limit on the whole bot.

    discord.py sleeps through a 429, and one that is cancelled while it sleeps through a global one blocks the client for good: so a
    bounded send must never be asleep in there. Only channels' requests are watched; the others are left to discord.py.
    """

    def __init__(self) -> None:
        self._until = 0.0

    def trace(self) -> aiohttp.TraceConfig:
        """Return what `discord.Client(http_trace=...)` takes."""
        config = aiohttp.TraceConfig()
        config.on_request_end.append(self._on_request_end)
        return config

    def check(self) -> None:
        """Raise TemporaryDeliveryError while a limit on the whole bot lasts."""
        left = self._until - asyncio.get_running_loop().time()
        if left > 0:
            raise TemporaryDeliveryError("Discord limits the whole bot's rate", left)

    async def _on_request_end(self, _: aiohttp.ClientSession, __: SimpleNamespace, end: aiohttp.TraceRequestEndParams) -> None:
        if end.response.status != 429 or "/channels/" not in end.url.path:
            return
        wait, everywhere = await _asked(end.response)
        if everywhere:
            self._until = asyncio.get_running_loop().time() + (wait or 0.0)
        raise TemporaryDeliveryError("Discord limits the rate (429)", wait)


async def _asked(response: aiohttp.ClientResponse) -> tuple[float | None, bool]:
    """Return the seconds that a 429 asks us to wait, and whether everywhere; https://discord.com/developers/docs/topics/rate-limits."""
    try:
        body = await response.json(content_type=None)
    except ValueError:  # Cloudflare answers in HTML
        body = None
    said = body if isinstance(body, dict) else {}
    everywhere = bool(said.get("global")) or "X-RateLimit-Global" in response.headers
    return _longest(said.get("retry_after"), response.headers.get("Retry-After")), everywhere


def _longest(*seconds: object) -> float | None:
    found = [float(s) for s in map(str, seconds) if s.replace(".", "", 1).isdigit()]
    return max(found, default=None)


class DiscordSender:
    """Posts alerts, a dossier's later ones into the thread of its first message. Does not retry and keeps no queue: the outbox does.

    `connected` returns the logged-in client, waiting for it if need be; `seconds` bounds one attempt, waiting included.
    """

    def __init__(
        self,
        *,
        connected: Callable[[], Awaitable[discord.Client]],
        gazetteer: Gazetteer,
        limits: RateLimits,
        seconds: float = SEND_SECONDS,
    ) -> None:
        self._connected = connected
        self._gazetteer = gazetteer
        self._limits = limits
        self._seconds = seconds
        self._threads: dict[str, int] = {}  # first message -> its thread, so that only the first follow-up of a run asks

    async def send(self, delivery: Delivery) -> Receipt:
        """Post the alert. Raises TemporaryDeliveryError or FinalDeliveryError within the time bound."""
        self._limits.check()
        if not delivery.destination.address.isdecimal():
            raise FinalDeliveryError(f"“{delivery.destination.address[:40]}” is no id of a Discord channel", "bad_channel")
        try:
            async with asyncio.timeout(self._seconds):
                return await self._post(await self._connected(), delivery)
        except (discord.DiscordException, aiohttp.ClientError, OSError) as error:  # TimeoutError is an OSError
            raise translated(error) from error
        except RuntimeError as error:  # aiohttp's "Session is closed": the surface is going down
            raise TemporaryDeliveryError(f"no connection to Discord ({cut(str(error), 80)})") from error

    async def _post(self, client: discord.Client, delivery: Delivery) -> Receipt:
        if delivery.thread:
            try:
                return await self._put(client, await self._thread(client, delivery, delivery.thread), delivery)
            except discord.HTTPException as error:
                if error.status not in _FINAL:
                    raise
                # deleted, locked or not permitted: better in the channel than nowhere; the nonce is the same
                _log.warning("discord_thread_unusable", status=error.status, code=error.code, delivery=delivery.key)
                self._threads.pop(delivery.thread, None)
        return await self._put(client, int(delivery.destination.address), delivery)

    async def _put(self, client: discord.Client, channel: int, delivery: Delivery) -> Receipt:
        message = await client.get_partial_messageable(channel).send(
            embed=alert_embed(delivery.alert, self._gazetteer),
            nonce=delivery.key[:NONCE_LIMIT],  # discord.py adds enforce_nonce: a second attempt gives the first one's message
            allowed_mentions=discord.AllowedMentions.none(),
        )
        return Receipt(message_id=str(message.id))

    async def _thread(self, client: discord.Client, delivery: Delivery, first: str) -> int:
        """Return the id of the thread of the dossier's first message, made where it is missing."""
        if first not in self._threads:
            if len(self._threads) >= _MOST_THREADS:
                self._threads.clear()
            self._threads[first] = await self._made(client, delivery, first)
        return self._threads[first]

    async def _made(self, client: discord.Client, delivery: Delivery, first: str) -> int:
        # by the route, not PartialMessage.create_thread: that one wants the guild in the cache
        try:
            thread = await client.http.start_thread_with_message(
                delivery.destination.address,
                first,
                name=thread_name(delivery.alert, self._gazetteer),
                auto_archive_duration=WEEK_MINUTES,
            )
        except discord.HTTPException as error:
            if error.code != THREAD_EXISTS:
                raise
            return int(first)  # a message's thread has the message's id
        return int(thread["id"])


def translated(error: Exception) -> DeliveryError:
    """Return the delivery error that stands for one of discord.py's, aiohttp's or the network's."""
    if isinstance(error, TimeoutError):
        return TemporaryDeliveryError("Discord did not answer in time")
    if not isinstance(error, discord.HTTPException):
        return TemporaryDeliveryError(f"no connection to Discord ({type(error).__name__})", getattr(error, "retry_after", None))
    if error.status == 401:
        return TemporaryDeliveryError("Discord refuses the token (401)", _NEW_TOKEN_SECONDS)
    said = cut(f"Discord answered {error.status}: {error.text}", 200, "…")
    if error.status == 429 or error.status >= 500:
        return TemporaryDeliveryError(said, _longest(error.response.headers.get("Retry-After")))
    return FinalDeliveryError(said, str(error.code or error.status))
