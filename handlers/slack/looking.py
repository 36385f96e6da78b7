"""The look before a second attempt: a message bears its delivery's key in its metadata, and whoever finds it there need not post again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.alerts import Delivery
from handlers.slack.errors import FOREIGN, Problem, problem_of

EVENT_TYPE = "attache_delivery"  # of the metadata: https://docs.slack.dev/messaging/message-metadata
LOOK_LIMIT = 200  # messages a page, as https://docs.slack.dev/reference/methods/conversations.history recommends
LOOK_PAGES = 5
CLOCKS_APART = timedelta(minutes=10)  # at most, Slack's and ours: nothing older than the first attempt is read
LOOK_ATTEMPTS = 5  # later attempts send even if the look fails: better twice than never
_NO_THREAD = frozenset({"thread_not_found", "message_not_found", "cannot_reply_to_message", "invalid_thread_ts"})

_log = structlog.get_logger()


def metadata_of(delivery: Delivery) -> dict[str, Any]:
    """Return the metadata that a delivery's message bears."""
    payload = {"key": delivery.key, "development": delivery.alert.development.development_id}
    return {"event_type": EVENT_TYPE, "event_payload": payload}


def threadless(delivery: Delivery, problem: Problem) -> bool:
    """Say whether the thread is gone: somebody deleted its first message, and the alert goes into the channel."""
    return delivery.thread is not None and problem.code in _NO_THREAD


async def look(client: AsyncWebClient, delivery: Delivery) -> str | None:
    """Return the `ts` of the message that an earlier attempt left; None where there is none, or no look is to be had. Raises one of FOREIGN."""
    try:
        return await _search(client, delivery)
    except FOREIGN as error:
        problem = problem_of(error)
        if problem.passing and (problem.wait is not None or delivery.attempts <= LOOK_ATTEMPTS):
            raise
        if threadless(delivery, problem):
            return await look(client, replace(delivery, thread=None))
        _log.warning("slack_look_failed", code=problem.code, delivery=delivery.key)
        return None


async def _search(client: AsyncWebClient, delivery: Delivery) -> str | None:
    cursor: str | None = None
    for _ in range(LOOK_PAGES):
        page = await _page(client, delivery, cursor)
        for message in page.get("messages") or []:
            if _key(message) == delivery.key:
                return str(message["ts"])
        cursor = (page.get("response_metadata") or {}).get("next_cursor")
        if not cursor:
            break
    return None


async def _page(client: AsyncWebClient, delivery: Delivery, cursor: str | None) -> Any:  # noqa: ANN401  (slack_sdk's answer, a mapping)
    where: dict[str, Any] = {"channel": delivery.destination.address, "include_all_metadata": True, "limit": LOOK_LIMIT}
    if delivery.begun is not None:
        where["oldest"] = f"{(delivery.begun - CLOCKS_APART).timestamp():.6f}"
    if delivery.thread is None:
        return await client.conversations_history(**where, cursor=cursor)
    return await client.conversations_replies(**where, ts=delivery.thread, cursor=cursor)


def _key(message: dict[str, Any]) -> str | None:
    metadata = message.get("metadata") or {}
    return (metadata.get("event_payload") or {}).get("key") if metadata.get("event_type") == EVENT_TYPE else None
