"""What Discord refuses: rate limits, and its errors translated."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import aiohttp
import discord

from bot.domain.errors import DeliveryError, FinalDeliveryError, TemporaryDeliveryError
from bot.domain.text import cut

# https://discord.com/developers/docs/topics/opcodes-and-status-codes#json
UNKNOWN_CHANNEL, UNKNOWN_GUILD, UNKNOWN_MESSAGE, UNKNOWN_INTERACTION = 10003, 10004, 10008, 10062
ALREADY_ACKNOWLEDGED = 40060
ARCHIVED_THREAD = 50083
THREAD_EXISTS = 160004
# https://discord.com/developers/docs/topics/opcodes-and-status-codes#gateway-gateway-close-event-codes
BAD_TOKEN = 4004

FINAL = (400, 403, 404)
_NEW_TOKEN_SECONDS = 60.0  # a refused token is no fault of the message: it waits for a human


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
