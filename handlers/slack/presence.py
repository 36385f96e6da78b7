"""Whether the app is in a channel: else it may not post there, and somebody has to invite it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from handlers.replies import Reply
from handlers.slack.elements import is_channel
from handlers.slack.errors import FOREIGN, problem_of

LOOK_SECONDS = 1.0  # what is not known by then is found out by the first alert
INVITE = "The app is not in the channel yet. Invite it there, else nothing arrives: /invite @attache"

_log = structlog.get_logger()


async def invited(client: AsyncWebClient, reply: Reply, channel: str) -> Reply:
    """Return the reply, which says to invite the app where that is needed. https://docs.slack.dev/reference/methods/conversations.info"""
    if not is_channel(channel) or await _is_member(client, channel):
        return reply
    return replace(reply, note=f"{INVITE}. {reply.note}".strip())


async def _is_member(client: AsyncWebClient, channel: str) -> bool:
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            found = (await client.conversations_info(channel=channel)).get("channel") or {}
    except FOREIGN as error:
        code = problem_of(error).code
        _log.info("slack_channel_unknown", code=code)
        return code != "channel_not_found"  # a private one that it is not in; any other trouble proves nothing
    return found.get("is_member") is not False
