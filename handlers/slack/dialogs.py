"""The dialogs at work: opened, and answered within Slack's three seconds, with what is wrong beside the fields."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.errors import FormError, UsageError
from bot.domain.watch import Effect
from handlers.commands import Commands
from handlers.grammar import Actor, Name
from handlers.replies import Reply
from handlers.slack.answering import apology
from handlers.slack.homes import Homes, opened
from handlers.slack.inputs import problem
from handlers.slack.modals import keyword_from, line_adding, subscription_from, subscription_modal, told
from handlers.slack.payloads import presser
from handlers.slack.presence import invited
from handlers.slack.rights import Rights

SUBMIT_SECONDS = 2.5  # https://docs.slack.dev/surfaces/modals#handling_submissions (Slack waits for three)

Problems = dict[str, str]


class Dialogs:
    """Opens dialogs and hands what was filled in to the use cases, which check it and who may."""

    def __init__(self, *, commands: Commands, rights: Rights, homes: Homes) -> None:
        self._commands = commands
        self._rights = rights
        self._homes = homes

    async def subscription(self, client: AsyncWebClient, actor: Actor, body: dict[str, Any]) -> bool:
        """Open the dialog of the channel's subscription; False where Slack does not. Raises NotAllowedError."""
        form = await self._commands.form(actor)
        return await opened(client, body, subscription_modal(form, actor.channel, await self._rights.zone(client, actor)))

    async def subscribed(self, ack: AsyncAck, body: dict[str, Any], view: dict[str, Any], client: AsyncWebClient) -> None:
        """Take the filled form of a subscription."""

        async def take() -> Reply | Problems:
            channel, form = subscription_from(view)
            actor = await self._rights.of(client, replace(presser(body), channel=channel))
            try:
                reply = await self._commands.submit(actor, form)
            except FormError as error:
                return error.problems
            return reply if reply.error else await invited(client, reply, channel)

        await self._taken(ack, body, client, take)

    async def keyword(self, ack: AsyncAck, body: dict[str, Any], view: dict[str, Any], client: AsyncWebClient) -> None:
        """Take a watch keyword, new or changed."""

        async def take() -> Reply | Problems:
            term, effect, had = keyword_from(view)
            try:
                term = self._commands.canonical(term)
            except UsageError as error:
                return {"term": str(error)}
            actor = replace(presser(body), channel=had.get("channel", "").partition(":")[2])
            return await self._kept(client, actor, line_adding(term, effect), had)

        await self._taken(ack, body, client, take)

    async def _kept(self, client: AsyncWebClient, actor: Actor, line: str, had: Problems) -> Reply:
        """Add a keyword that is understood, once the one is gone that it stands in the place of."""
        if had and line == line_adding(had["term"], Effect(had["effect"])):
            return Reply(title="Nothing was changed")
        if had and (gone := await self._said(client, actor, f"{Name.WATCH} remove {had['term']}")).error:
            return gone
        return await self._said(client, actor, line)

    async def _said(self, client: AsyncWebClient, actor: Actor, line: str) -> Reply:
        return await self._commands.answer_line(await self._rights.of_line(client, actor, line), line)

    async def _taken(
        self, ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient, take: Callable[[], Awaitable[Reply | Problems]]
    ) -> None:
        """Acknowledge with the problems, or with what came of it. https://docs.slack.dev/surfaces/modals#displaying_errors"""
        try:
            async with asyncio.timeout(SUBMIT_SECONDS):
                found = await take()
        except Exception:  # whatever broke, its author hears of it, and the log knows it by the same id
            found = apology()
        if isinstance(found, Reply):
            await ack(response_action="update", view=told(found))
            self._homes.changed(client, presser(body).team)
        else:
            await ack(response_action="errors", errors={name: problem(words) for name, words in found.items()})
