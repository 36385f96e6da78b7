"""Notices to the admins' channel (port `Notifier`)."""

from __future__ import annotations

import asyncio

from slack_sdk.web.async_client import AsyncWebClient

from handlers.slack.elements import harmless, mrkdwn
from handlers.slack.errors import FOREIGN, problem_of
from handlers.slack.sender import SEND_SECONDS, translated

MAX_NOTICE = 2_900  # below 3,000 characters a text object: https://docs.slack.dev/reference/block-kit/composition-objects/text-object


class SlackNotifier:
    """Posts plain text into one channel: a `plain_text` object neither formats nor pings."""

    def __init__(self, client: AsyncWebClient, channel: str, seconds: float = SEND_SECONDS) -> None:
        self._client = client
        self._channel = channel
        self._seconds = seconds

    async def notify(self, text: str) -> None:
        """See `Notifier.notify`."""
        block = {"type": "section", "text": {"type": "plain_text", "text": harmless(text, MAX_NOTICE), "emoji": False}}
        try:
            async with asyncio.timeout(self._seconds):
                await self._client.chat_postMessage(
                    channel=self._channel, text=mrkdwn(text, MAX_NOTICE), blocks=[block], unfurl_links=False, unfurl_media=False
                )
        except FOREIGN as error:
            raise translated(problem_of(error)) from error
