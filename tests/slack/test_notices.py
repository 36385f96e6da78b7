"""Notices to the admins' channel in Slack."""

from __future__ import annotations

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.errors import FinalDeliveryError, TemporaryDeliveryError
from handlers.slack.notices import MAX_NOTICE, SlackNotifier
from tests.fakes.slack_server import FakeSlack


def notifier(fake: FakeSlack) -> SlackNotifier:
    return SlackNotifier(AsyncWebClient(token=FakeSlack.bot_token, base_url=fake.api_url, retry_handlers=[]), "C9")


async def test_a_notice_is_plain_and_pings_nobody(fake: FakeSlack) -> None:
    await notifier(fake).notify("Wire <!channel> <@U1> *cannot* be read: " + "x" * 5_000)
    (message,) = fake.messages
    (block,) = message.payload["blocks"]
    assert message.channel == "C9"
    assert block["text"]["type"] == "plain_text"
    assert len(block["text"]["text"]) <= MAX_NOTICE
    assert "<!channel>" not in message.payload["text"]
    assert "<@U1>" not in message.payload["text"]


async def test_refusals_are_delivery_errors(fake: FakeSlack) -> None:
    fake.fail(error="channel_not_found")
    with pytest.raises(FinalDeliveryError):
        await notifier(fake).notify("Wire is quiet.")
    fake.fail(status=503)
    with pytest.raises(TemporaryDeliveryError):
        await notifier(fake).notify("Wire is quiet.")
