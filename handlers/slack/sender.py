"""The sender of alerts. Posts, and before a second attempt looks whether the first one arrived after all."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.alerts import Delivery, Receipt
from bot.domain.errors import DeliveryError, FinalDeliveryError, TemporaryDeliveryError
from bot.ports import Gazetteer
from handlers.slack.errors import FOREIGN, Problem, problem_of
from handlers.slack.render import alert_message, digest_message

EVENT_TYPE = "attache_delivery"  # of the metadata: https://docs.slack.dev/messaging/message-metadata
SEND_SECONDS = 20.0  # for an attempt, the look before it included; well within the outbox's lease
LOOK_LIMIT = 200  # messages a page, as https://docs.slack.dev/reference/methods/conversations.history recommends
LOOK_PAGES = 5
LOOK_ATTEMPTS = 5  # later attempts send even if the look fails: better twice than never
_NO_THREAD = frozenset({"thread_not_found", "message_not_found", "cannot_reply_to_message", "invalid_thread_ts"})
_NOT_TO_EDIT = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})  # it is gone, or closed: nothing is lost
_MENDS = {
    "channel_not_found": "there is no such channel, or the app is not in it: check SLACK_ALERT_CHANNEL",
    "not_in_channel": "invite the app to the channel: /invite @attache",
    "is_archived": "the channel is archived",
    "missing_scope": "the app lacks a scope: reinstall it from config/slack-manifest.yaml",
    **dict.fromkeys(("invalid_auth", "not_authed", "token_revoked", "token_expired"), "the bot token is not valid: see SLACK_BOT_TOKEN"),
    "account_inactive": "the app was removed from the workspace, or the workspace is gone",
}

_log = structlog.get_logger()


class SlackSender:
    """Puts alerts into Slack channels. `client` must not retry by itself: a retried chat.postMessage is a second message."""

    def __init__(self, client: AsyncWebClient, gazetteer: Gazetteer, seconds: float = SEND_SECONDS) -> None:
        self._client = client
        self._gazetteer = gazetteer
        self._seconds = seconds

    async def send(self, delivery: Delivery) -> Receipt:
        """Post the alert, once in effect: see bot.ports.Sender. The receipt's id is the message's `ts`."""
        message = self._message(delivery)
        try:
            async with asyncio.timeout(self._seconds):
                found = await self._look(delivery) if delivery.attempts > 1 else None
                return Receipt(message_id=found or await self._post(delivery, message))
        except FOREIGN as error:
            raise translated(problem_of(error)) from error

    def _message(self, delivery: Delivery) -> dict[str, Any]:
        return digest_message(delivery.digest, self._gazetteer) if delivery.digest else alert_message(delivery.alert, self._gazetteer)

    async def edit(self, delivery: Delivery) -> None:
        """Bring the message `delivery.message_id` up to date: see bot.ports.Sender. https://docs.slack.dev/reference/methods/chat.update"""
        where: dict[str, Any] = {"channel": delivery.destination.address, "ts": delivery.message_id or "", "metadata": _metadata(delivery)}
        message = {name: value for name, value in self._message(delivery).items() if name in ("text", "blocks")}
        try:
            async with asyncio.timeout(self._seconds):
                await self._client.chat_update(**where, **message)
        except FOREIGN as error:
            if (problem := problem_of(error)).code not in _NOT_TO_EDIT:
                raise translated(problem) from error

    async def _post(self, delivery: Delivery, message: dict[str, Any]) -> str:
        call = {**message, "channel": delivery.destination.address, "metadata": _metadata(delivery)}
        try:
            shown: dict[str, Any] = {"reply_broadcast": True} if delivery.broadcast else {}
            response = await self._client.chat_postMessage(**call, **shown, thread_ts=delivery.thread)
        except FOREIGN as error:
            if not _threadless(delivery, problem_of(error)):
                raise
            response = await self._client.chat_postMessage(**call)
        return str(response["ts"])

    async def _look(self, delivery: Delivery) -> str | None:
        """Return the `ts` of the message that an earlier attempt left; None where there is none, or no look is to be had."""
        try:
            return await self._search(delivery)
        except FOREIGN as error:
            problem = problem_of(error)
            if problem.passing and (problem.wait is not None or delivery.attempts <= LOOK_ATTEMPTS):
                raise
            if _threadless(delivery, problem):
                return await self._look(replace(delivery, thread=None))
            _log.warning("slack_look_failed", code=problem.code, delivery=delivery.key)
            return None

    async def _search(self, delivery: Delivery) -> str | None:
        cursor: str | None = None
        for _ in range(LOOK_PAGES):
            page = await self._page(delivery, cursor)
            for message in page.get("messages") or []:
                if _key(message) == delivery.key:
                    return str(message["ts"])
            cursor = (page.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                break
        return None

    async def _page(self, delivery: Delivery, cursor: str | None) -> Any:  # noqa: ANN401  (slack_sdk's answer, a mapping)
        where: dict[str, Any] = {"channel": delivery.destination.address, "include_all_metadata": True, "limit": LOOK_LIMIT}
        if delivery.thread is None:
            return await self._client.conversations_history(**where, cursor=cursor)
        return await self._client.conversations_replies(**where, ts=delivery.thread, cursor=cursor)


def _threadless(delivery: Delivery, problem: Problem) -> bool:
    """Say whether the thread is gone: somebody deleted its first message, and the alert goes into the channel."""
    return delivery.thread is not None and problem.code in _NO_THREAD


def _metadata(delivery: Delivery) -> dict[str, Any]:
    payload = {"key": delivery.key, "development": delivery.alert.development.development_id}
    return {"event_type": EVENT_TYPE, "event_payload": payload}


def _key(message: dict[str, Any]) -> str | None:
    metadata = message.get("metadata") or {}
    return (metadata.get("event_payload") or {}).get("key") if metadata.get("event_type") == EVENT_TYPE else None


def translated(problem: Problem) -> DeliveryError:
    """Return the delivery error that stands for a problem with Slack."""
    if problem.passing:
        return TemporaryDeliveryError(f"Slack did not take the message ({problem.code})", problem.wait)
    return FinalDeliveryError(f"Slack refuses the message: {_MENDS.get(problem.code, problem.code)}", problem.code)
