"""The slash command and the buttons: acknowledge, say who asks, let the use cases answer. Decides nothing of what is answered."""

from __future__ import annotations

from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.respond.async_respond import AsyncRespond
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.errors import UsageError
from handlers.commands import Commands
from handlers.grammar import Actor, Command, Name, parse
from handlers.replies import Button, Reply
from handlers.slack.answering import Answers
from handlers.slack.dialogs import Dialogs
from handlers.slack.homes import Homes
from handlers.slack.once import Once
from handlers.slack.payloads import commander, name_of, presser, typed
from handlers.slack.presence import invited
from handlers.slack.render import ACTION
from handlers.slack.rights import Rights

COMMAND = "/attache"


def understood(line: str) -> Command | None:
    """Return the command that a line stands for; None where it stands for none."""
    try:
        return parse(line)
    except UsageError:
        return None


class Listener:
    """Answers the slash command and the buttons under alerts, each in a task of its own."""

    def __init__(self, *, commands: Commands, rights: Rights, answers: Answers, once: Once, dialogs: Dialogs, homes: Homes) -> None:
        self._commands = commands
        self._rights = rights
        self._answers = answers
        self._once = once
        self._dialogs = dialogs
        self._homes = homes

    async def hear(
        self, ack: AsyncAck, respond: AsyncRespond, body: dict[str, Any], client: AsyncWebClient, request: AsyncBoltRequest
    ) -> None:
        """Acknowledge a command, then start the answer."""
        await ack()
        if self._once.new(f"command {name_of(body)}", request.headers):
            actor = commander(body)
            self._answers.answer(client, respond, actor, lambda: self._answer(client, actor, body))

    async def press(
        self, ack: AsyncAck, respond: AsyncRespond, body: dict[str, Any], client: AsyncWebClient, request: AsyncBoltRequest
    ) -> None:
        """Acknowledge a button under an alert, then start the answer. https://docs.slack.dev/reference/interaction-payloads/block_actions-payload"""
        await ack()
        if self._once.new(f"button {name_of(body)}", request.headers):
            actor = presser(body)
            self._answers.answer(client, respond, actor, lambda: self._pressed(client, actor, body))

    async def _answer(self, client: AsyncWebClient, actor: Actor, body: dict[str, Any]) -> Reply | None:
        """Return the answer; None where a dialog was opened instead."""
        line = typed(str(body.get("text") or ""))
        command = understood(line)
        subscribing = command is not None and command.name is Name.SUBSCRIBE
        if subscribing and line.casefold() == Name.SUBSCRIBE and await self._opened(client, actor, body):
            return None
        if command is None or not command.for_admins:
            return await self._commands.answer_line(actor, line)
        reply = await self._commands.answer_line(await self._rights.of_line(client, actor, line), line)
        if reply.error:
            return reply
        self._homes.changed(client, actor.team)
        return await invited(client, reply, actor.channel) if subscribing else reply

    async def _opened(self, client: AsyncWebClient, actor: Actor, body: dict[str, Any]) -> bool:
        """Open the dialog for an admin; who is none is told what the channel gets, and so is an admin for whom Slack opens none."""
        ranked = await self._rights.of(client, actor)
        return self._commands.is_admin(ranked) and await self._dialogs.subscription(client, ranked, body)

    async def _pressed(self, client: AsyncWebClient, actor: Actor, body: dict[str, Any]) -> Reply:
        pressed: dict[str, Any] = (body.get("actions") or [{}])[0]
        name = str(pressed.get("action_id") or "").removeprefix(ACTION)
        if name not in tuple(Button):
            raise ValueError(f"no button {name[:40]!r}")
        button = Button(name)
        who = await self._rights.of(client, actor) if button.for_admins else actor
        return await self._commands.press(who, button, str(pressed.get("value") or ""))
