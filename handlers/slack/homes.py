"""The home tab at work: published when it is opened, again after a change, and its buttons answered."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import structlog
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.alerts import Surface
from bot.domain.errors import AttacheError
from handlers.commands import Commands, failure
from handlers.forms import SubscriptionForm
from handlers.grammar import Actor, Command, Name
from handlers.replies import Reply
from handlers.slack import home
from handlers.slack.answering import Answers
from handlers.slack.errors import FOREIGN, problem_of
from handlers.slack.modals import keyword_modal, subscription_modal, told
from handlers.slack.once import Once, Recent
from handlers.slack.payloads import name_of, presser
from handlers.slack.rights import Rights

VIEWERS = 200  # who opened the tab lately, and sees changes without opening it again
AT_A_CHANGE = 20  # of one workspace
GLOBAL = "watch add"  # stands for what changes something for everybody

_log = structlog.get_logger()


class Homes:
    """Shows the home tab and answers its buttons. Who may is checked by the use cases; here it only decides which buttons are shown."""

    def __init__(self, *, commands: Commands, rights: Rights, answers: Answers, once: Once) -> None:
        self._commands = commands
        self._rights = rights
        self._answers = answers
        self._once = once
        self._viewers = Recent(VIEWERS)

    async def opened(self, ack: AsyncAck, event: dict[str, Any], body: dict[str, Any], client: AsyncWebClient) -> None:
        """Publish the tab to who opens it. https://docs.slack.dev/reference/events/app_home_opened"""
        await ack()
        if event.get("tab") != "home" or not self._once.first(f"event {body.get('event_id')}"):
            return
        actor = Actor(surface=Surface.SLACK, user=str(event.get("user") or ""), team=str(body.get("team_id") or ""))
        self._viewers.see(f"{actor.team}/{actor.user}")
        self._answers.start(self._publish(client, actor))

    def changed(self, client: AsyncWebClient, team: str) -> None:
        """Start to publish anew to those of a workspace who opened the tab lately."""
        viewers = [name.partition("/") for name in self._viewers]
        for user in [user for of, _, user in viewers if of == team][-AT_A_CHANGE:]:
            self._answers.start(self._publish(client, Actor(surface=Surface.SLACK, user=user, team=team)))

    async def _publish(self, client: AsyncWebClient, actor: Actor) -> None:
        """https://docs.slack.dev/reference/methods/views.publish"""
        admin, of_all = await asyncio.gather(self._rights.of(client, actor), self._rights.of_line(client, actor, GLOBAL))
        try:
            overview = await self._commands.overview(actor)
            view = home.home_view(overview, admin=self._commands.is_admin(admin), admin_of_all=self._commands.is_admin(of_all))
            await client.views_publish(user_id=actor.user, view=view)
        except FOREIGN as error:
            _log.warning("slack_home_not_published", code=problem_of(error).code)

    async def pressed(self, ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient, request: AsyncBoltRequest) -> None:
        """Answer a button of the tab: with a dialog, or with a tab that shows the change."""
        await ack()
        if not self._once.new(f"home {name_of(body)}", request.headers):
            return
        pressed: dict[str, Any] = (body.get("actions") or [{}])[0]
        does = str(pressed.get("action_id") or "").removeprefix(home.DO)
        self._answers.start(self._do(client, body, does, str(pressed.get("value") or "")))

    async def _do(self, client: AsyncWebClient, body: dict[str, Any], does: str, value: str) -> None:
        """Do what a button says; show what it makes, or the reply where there is something to say."""
        actor, view = presser(body), dict[str, Any]()
        self._viewers.see(f"{actor.team}/{actor.user}")
        work: dict[str, Callable[[], Awaitable[dict[str, Any] | Reply]]] = {
            home.SUBSCRIBE: lambda: self._subscription(client, actor, ""),
            home.EDIT: lambda: self._subscription(client, actor, value),
            home.UNSUBSCRIBE: lambda: self._unsubscribe(client, actor, value),
            home.ADD: lambda: self._keyword(actor, ""),
            home.CHANGE: lambda: self._keyword(actor, value),
            home.REMOVE: lambda: self._remove(client, actor, value),
        }

        async def done() -> Reply | None:
            try:
                found = await work[does]()
            except AttacheError as error:
                return failure(error)
            if isinstance(found, Reply):
                return found if found.error else None
            view.update(found)
            return None

        reply = await self._answers.bounded(done)
        shown = told(reply) if reply else view
        if shown:
            await opened(client, body, shown)
        else:
            self.changed(client, actor.team)

    async def _subscription(self, client: AsyncWebClient, actor: Actor, channel: str) -> dict[str, Any]:
        here = await self._rights.of(client, replace(actor, channel=channel))
        form = await self._commands.form(here) if channel else SubscriptionForm()
        return subscription_modal(form, channel, await self._rights.zone(client, actor))

    async def _unsubscribe(self, client: AsyncWebClient, actor: Actor, channel: str) -> Reply:
        here = await self._rights.of(client, replace(actor, channel=channel))
        return await self._commands.answer(here, Command(name=Name.UNSUBSCRIBE))

    async def _keyword(self, actor: Actor, name: str) -> dict[str, Any]:
        return keyword_modal(home.named(name, (await self._commands.overview(actor)).keywords) if name else None)

    async def _remove(self, client: AsyncWebClient, actor: Actor, name: str) -> Reply:
        keyword = home.named(name, (await self._commands.overview(actor)).keywords)
        if keyword is None:  # somebody was faster: the tab will show it
            return Reply(title="Removed")
        here = replace(actor, channel=keyword.channel.partition(":")[2])
        line = f"{Name.WATCH} remove {keyword.term}"
        return await self._commands.answer_line(await self._rights.of_line(client, here, line), line)


async def opened(client: AsyncWebClient, body: dict[str, Any], view: dict[str, Any]) -> bool:
    """Open a dialog for who pressed or typed something; False where Slack does not. https://docs.slack.dev/reference/methods/views.open"""
    try:
        await client.views_open(trigger_id=str(body.get("trigger_id") or ""), view=view)
    except FOREIGN as error:
        _log.warning("slack_dialog_not_opened", code=problem_of(error).code)
        return False
    return True
