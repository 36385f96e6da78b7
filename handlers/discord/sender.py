"""Alerts onto Discord: one attempt at one delivery or edit, with the platform's errors translated."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Final, TypeVar

import aiohttp
import discord
import structlog

from bot.domain.alerts import Delivery, Receipt
from bot.domain.entries import digest
from bot.domain.errors import FinalDeliveryError, TemporaryDeliveryError
from bot.ports import Gazetteer
from handlers.discord.components import buttons_of, development_of, pointer_buttons
from handlers.discord.digests import digest_content, digest_embeds, footer_mark
from handlers.discord.errors import ARCHIVED_THREAD, FINAL, THREAD_EXISTS, UNKNOWN_CHANNEL, UNKNOWN_MESSAGE, RateLimits, translated
from handlers.discord.render import alert_embed, pointer_embed, thread_name

SEND_SECONDS = 20.0
NONCE_LIMIT = 25  # https://discord.com/developers/docs/resources/message#create-message
WEEK_MINUTES: Final = 10080  # the longest auto-archive duration: https://discord.com/developers/docs/resources/channel#channel-object
LOOKED_AT = 50  # messages since the first attempt, among which a second one looks for the first one's
_MOST_THREADS = 1000
_SKEW = timedelta(minutes=2)  # between our clock and Discord's
_IN_THREAD = "/"  # a message's id as it is kept: THREAD/MESSAGE, or MESSAGE alone where it is in the channel itself

T = TypeVar("T")

_log = structlog.get_logger()


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
        """See `Sender.send`; within the time bound."""
        return await self._bounded(delivery, self._post)

    async def edit(self, delivery: Delivery) -> None:
        """See `Sender.edit`; within the time bound."""
        await self._bounded(delivery, self._change)

    async def _bounded(self, delivery: Delivery, act: Callable[[discord.Client, Delivery], Awaitable[T]]) -> T:
        self._limits.check()
        if not delivery.destination.address.isdecimal():
            raise FinalDeliveryError(f"“{delivery.destination.address[:40]}” is no id of a Discord channel", "bad_channel")
        try:
            async with asyncio.timeout(self._seconds):
                return await act(await self._connected(), delivery)
        except (discord.DiscordException, aiohttp.ClientError, OSError) as error:  # TimeoutError is an OSError
            raise translated(error) from error
        except RuntimeError as error:  # aiohttp's "Session is closed": the surface is going down
            raise TemporaryDeliveryError(f"no connection to Discord ({type(error).__name__})") from error

    async def _post(self, client: discord.Client, delivery: Delivery) -> Receipt:
        if delivery.thread:
            try:
                thread = await self._thread(client, delivery, delivery.thread)
                message = await self._put(client, thread, delivery)
            except discord.HTTPException as error:
                if error.status not in FINAL:
                    raise
                # deleted, locked or not permitted: better in the channel than nowhere; the nonce is the same
                _log.warning("discord_thread_unusable", status=error.status, code=error.code, delivery=delivery.key)
                self._threads.pop(delivery.thread, None)
            else:
                await self._point(client, delivery, thread)
                return Receipt(message_id=f"{thread}{_IN_THREAD}{message}")
        return Receipt(message_id=str(await self._put(client, int(delivery.destination.address), delivery)))

    async def _put(self, client: discord.Client, channel: int, delivery: Delivery) -> int:
        return await self._once(client, channel, delivery, delivery.key[:NONCE_LIMIT], self._shown(delivery))

    async def _point(self, client: discord.Client, delivery: Delivery, thread: int) -> None:
        """Say in the channel that the matter took another step in its thread."""
        if not delivery.broadcast:
            return
        own = digest("broadcast", delivery.key, size=24)
        shown = {"embed": pointer_embed(delivery.alert, thread), "view": pointer_buttons(delivery.alert.development.development_id)}
        try:
            await self._once(client, int(delivery.destination.address), delivery, own, shown)
        except discord.HTTPException as error:
            if error.status not in FINAL:
                raise
            # the alert itself is in the thread: sending it again would not mend the channel
            _log.warning("discord_broadcast_refused", status=error.status, code=error.code, delivery=delivery.key)

    async def _once(self, client: discord.Client, channel: int, delivery: Delivery, nonce: str, shown: dict[str, Any]) -> int:
        """Post a message, or find the one that an earlier attempt left there; return its id.

        The nonce makes a second attempt give the first one's message, but only for minutes; so a later one looks first.
        """
        where = client.get_partial_messageable(channel)
        if delivery.attempts > 1 and (found := await _left_behind(client, where, delivery)) is not None:
            return found
        # discord.py adds enforce_nonce
        return (await where.send(**shown, nonce=nonce, allowed_mentions=discord.AllowedMentions.none())).id

    def _shown(self, delivery: Delivery) -> dict[str, Any]:
        if delivery.digest:
            embeds = digest_embeds(delivery.digest, self._gazetteer, delivery.key)
            return {"content": digest_content(delivery.digest, self._gazetteer), "embeds": embeds}
        development = delivery.alert.development
        return {"embeds": [alert_embed(delivery.alert, self._gazetteer)], "view": buttons_of(development.development_id)}

    async def _change(self, client: discord.Client, delivery: Delivery) -> None:
        thread, _, message = (delivery.message_id or "").rpartition(_IN_THREAD)
        try:
            await self._edit(client, int(thread or delivery.destination.address), int(message), delivery)
        except discord.NotFound as error:
            if error.code != UNKNOWN_MESSAGE and not (thread and error.code == UNKNOWN_CHANNEL):
                raise
            _log.info("discord_message_gone", message=delivery.message_id, delivery=delivery.key)

    async def _edit(self, client: discord.Client, channel: int, message: int, delivery: Delivery) -> None:
        posted = client.get_partial_messageable(channel).get_partial_message(message)
        shown = self._shown(delivery) | {"allowed_mentions": discord.AllowedMentions.none()}
        try:
            await posted.edit(**shown)
        except discord.HTTPException as error:
            if error.code != ARCHIVED_THREAD:
                raise
            await client.http.edit_channel(channel, archived=False)  # it goes back by itself; opening it pings nobody
            await posted.edit(**shown)

    async def _thread(self, client: discord.Client, delivery: Delivery, first: str) -> int:
        """Return the id of the thread of the dossier's first message, made where it is missing."""
        if _IN_THREAD in first:  # that one was in a thread itself
            return int(first.partition(_IN_THREAD)[0])
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


async def _left_behind(client: discord.Client, where: discord.PartialMessageable, delivery: Delivery) -> int | None:
    """Return the id of the message that an earlier attempt left; None where there is none, or the history may not be read."""
    since = delivery.begun - _SKEW if delivery.begun else None
    try:
        async for message in where.history(limit=LOOKED_AT, after=since):
            if client.user and message.author.id == client.user.id and _is_of(message, delivery):
                return message.id
    except discord.HTTPException as error:
        if error.status not in FINAL:
            raise
    return None


def _is_of(message: discord.Message, delivery: Delivery) -> bool:
    if delivery.digest:
        return any((embed.footer.text or "").endswith(footer_mark(delivery.key)) for embed in message.embeds)
    return development_of(message) == delivery.alert.development.development_id
