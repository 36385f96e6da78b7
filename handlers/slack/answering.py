"""Answers in the making: each in a task of its own, after the acknowledgement, bounded in time and number."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from typing import Any

import aiohttp
import structlog
from slack_bolt.context.respond.async_respond import AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from handlers.grammar import Actor
from handlers.replies import Reply
from handlers.slack.errors import FOREIGN, problem_of
from handlers.slack.files import upload
from handlers.slack.render import reply_message

ANSWER_SECONDS = 60.0
AT_ONCE = 8  # answers in the making: acknowledgements of a burst do not wait for them
GRACE_SECONDS = 0.5  # for answers under way when the surface stops

_log = structlog.get_logger()


class Answers:
    """Does work in the background, and sees that whoever asked hears of it. `close` ends what is under way."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._session: aiohttp.ClientSession | None = None

    def answer(self, client: AsyncWebClient, respond: AsyncRespond, actor: Actor, work: Callable[[], Awaitable[Reply | None]]) -> None:
        """Start the answer to `actor`: what `work` returns, or an apology with an id; nothing where it returns None."""
        self.start(self._serve(client, respond, actor, work))

    def start(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Start work that answers nobody, or by itself."""
        task = asyncio.create_task(coroutine, name="slack answer")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def bounded(self, work: Callable[[], Awaitable[Reply | None]]) -> Reply | None:
        """Return what `work` returns, in its turn and in time; whatever breaks is an apology, and the log knows it by the same id."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS), self._turns:
                return await work()
        except Exception:
            return apology()

    async def _serve(
        self, client: AsyncWebClient, respond: AsyncRespond, actor: Actor, work: Callable[[], Awaitable[Reply | None]]
    ) -> None:
        async def whole() -> Reply | None:
            reply = await work()
            return await attached(client, reply, actor) if reply else None

        reply = await self.bounded(whole)
        if reply is not None:
            await self._tell(respond, reply)

    async def _tell(self, respond: AsyncRespond, reply: Reply) -> None:
        """Answer for the author only, or for the channel. https://docs.slack.dev/interactivity/handling-user-interaction#message_responses"""
        shown = {"response_type": "in_channel" if reply.shared and not reply.error else "ephemeral", "replace_original": False}
        try:
            response = await self._webhook(respond).send_dict({**reply_message(reply), **shown})
        except FOREIGN as error:
            _log.warning("slack_answer_lost", code=problem_of(error).code)
            return
        if response.status_code >= 400:
            _log.warning("slack_answer_refused", status=response.status_code, body=str(response.body)[:100])

    def _webhook(self, respond: AsyncRespond) -> AsyncWebhookClient:
        """Return what `respond` stands for, on connections that are kept: by itself it opens one an answer."""
        if self._session is None:
            self._session = aiohttp.ClientSession()
        return AsyncWebhookClient(url=respond.response_url or "", proxy=respond.proxy, ssl=respond.ssl, session=self._session)

    async def close(self) -> None:
        """Give answers under way a moment, then cancel them."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=GRACE_SECONDS)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()
            self._session = None


def apology() -> Reply:
    """Return what a person is told of an error that is ours, which is logged under the id that they are told."""
    error_id = secrets.token_hex(4)
    _log.exception("slack_command_failed", error_id=error_id)
    note = f"Something broke on our side. Try again; if it stays, tell an admin this id, which is in the log: {error_id}"
    return Reply(title="That did not work", note=note, error=True)


async def attached(client: AsyncWebClient, reply: Reply, actor: Actor) -> Reply:
    """Send a reply's files on their way, and say in it where they are."""
    if not reply.attachments:
        return reply
    sent = await upload(client, reply.attachments, channel=actor.channel, user=actor.user, shared=reply.shared)
    names = ", ".join(a.name for a in reply.attachments)
    place = "this channel" if reply.shared else "your messages with this app"
    said = (
        f"{names}: in {place}."
        if sent
        else f"{names} could not be uploaded: is the app in this channel, with the scopes files:write and im:write?"
    )
    return replace(reply, note=f"{reply.note} {said}".strip())
