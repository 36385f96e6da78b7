"""The sender of alerts. Posts, and before a second attempt looks whether the first one arrived after all."""

from __future__ import annotations

import asyncio
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.alerts import Delivery, Receipt
from bot.domain.errors import DeliveryError, FinalDeliveryError, TemporaryDeliveryError
from bot.ports import Gazetteer
from handlers.slack.digests import digest_message
from handlers.slack.errors import FOREIGN, Problem, problem_of
from handlers.slack.looking import look, metadata_of, threadless
from handlers.slack.render import alert_message
from handlers.slack.workspaces import Workspaces

SEND_SECONDS = 20.0  # for an attempt, the look before it included; well within the outbox's lease
_NOT_TO_EDIT = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})  # it is gone, or closed: nothing is lost
_MENDS = {
    "channel_not_found": "there is no such channel, or the app is not in it: /invite @attache there, or name another channel",
    "not_in_channel": "invite the app to the channel: /invite @attache",
    "is_archived": "the channel is archived",
    "missing_scope": "the app lacks a scope: reinstall it from config/slack-manifest.yaml",
    **dict.fromkeys(
        ("invalid_auth", "not_authed", "token_revoked", "token_expired"),
        "the bot token is not valid: see SLACK_BOT_TOKEN, or install the app again",
    ),
    "account_inactive": "the app was removed from the workspace, or the workspace is gone",
}


class SlackSender:
    """Puts alerts into Slack channels. The clients must not retry by themselves: a retried chat.postMessage is a second message."""

    def __init__(self, workspaces: Workspaces, gazetteer: Gazetteer, seconds: float = SEND_SECONDS) -> None:
        self._workspaces = workspaces
        self._gazetteer = gazetteer
        self._seconds = seconds

    async def send(self, delivery: Delivery) -> Receipt:
        """Post the alert, once in effect: see bot.ports.Sender. The receipt's id is the message's `ts`."""
        message, client = self._message(delivery), await self._workspaces.client_for(delivery.destination)
        try:
            async with asyncio.timeout(self._seconds):
                found = await look(client, delivery) if delivery.attempts > 1 else None
                return Receipt(message_id=found or await _post(client, delivery, message))
        except FOREIGN as error:
            raise translated(problem_of(error)) from error

    def _message(self, delivery: Delivery) -> dict[str, Any]:
        return digest_message(delivery.digest, self._gazetteer) if delivery.digest else alert_message(delivery.alert, self._gazetteer)

    async def edit(self, delivery: Delivery) -> None:
        """Bring the message `delivery.message_id` up to date: see bot.ports.Sender. https://docs.slack.dev/reference/methods/chat.update"""
        where: dict[str, Any] = {
            "channel": delivery.destination.address,
            "ts": delivery.message_id or "",
            "metadata": metadata_of(delivery),
        }
        message = {name: value for name, value in self._message(delivery).items() if name in ("text", "blocks")}
        client = await self._workspaces.client_for(delivery.destination)
        try:
            async with asyncio.timeout(self._seconds):
                await client.chat_update(**where, **message)
        except FOREIGN as error:
            if (problem := problem_of(error)).code not in _NOT_TO_EDIT:
                raise translated(problem) from error


async def _post(client: AsyncWebClient, delivery: Delivery, message: dict[str, Any]) -> str:
    call = {**message, "channel": delivery.destination.address, "metadata": metadata_of(delivery)}
    try:
        shown: dict[str, Any] = {"reply_broadcast": True} if delivery.broadcast else {}
        response = await client.chat_postMessage(**call, **shown, thread_ts=delivery.thread)
    except FOREIGN as error:
        if not threadless(delivery, problem_of(error)):
            raise
        response = await client.chat_postMessage(**call)
    return str(response["ts"])


def translated(problem: Problem) -> DeliveryError:
    """Return the delivery error that stands for a problem with Slack."""
    if problem.passing:
        return TemporaryDeliveryError(f"Slack did not take the message ({problem.code})", problem.wait)
    return FinalDeliveryError(f"Slack refuses the message: {_MENDS.get(problem.code, problem.code)}", problem.code)
