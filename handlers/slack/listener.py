"""The slash command: acknowledge, say who asks, let the use cases answer, render. Decides nothing of what is answered."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections import OrderedDict
from dataclasses import replace
from typing import Any

import structlog
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.respond.async_respond import AsyncRespond
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.alerts import Surface
from bot.domain.errors import UsageError
from handlers.commands import Commands
from handlers.grammar import Actor, parse
from handlers.replies import Button, Reply
from handlers.slack.errors import FOREIGN, problem_of
from handlers.slack.files import upload
from handlers.slack.render import ACTION, reply_message

COMMAND = "/attache"
ANSWER_SECONDS = 60.0
AT_ONCE = 8  # answers in the making: acknowledgements of a burst do not wait for them
ADMIN_SECONDS = 60.0  # how long what Slack says of a user is believed
LOOKUP_SECONDS = 5.0
GRACE_SECONDS = 0.5  # for answers under way when the surface stops
REMEMBERED = 2_000

_LINK = re.compile(r"<(?P<kind>[@#!]?)(?P<target>[^<>|]*)(?:\|(?P<label>[^<>]*))?>")
_ENTITIES = {"&lt;": "<", "&gt;": ">", "&amp;": "&"}

_log = structlog.get_logger()


def typed(words: str) -> str:
    """Return a command's text as its author typed it: Slack's links and escapes undone.

    https://docs.slack.dev/interactivity/implementing-slash-commands#creating_commands
    """
    return re.sub("|".join(_ENTITIES), lambda m: _ENTITIES[m[0]], _LINK.sub(_unlinked, words)).strip()


def _unlinked(match: re.Match[str]) -> str:
    if not match["kind"]:
        return match["target"].removeprefix("mailto:")
    mark = "#" if match["kind"] == "#" else "@"
    return mark + (match["label"] or match["target"]).lstrip("@#")


def changes_something(line: str) -> bool:
    """Say whether only admins may run `line`, so that who its author is must be looked up."""
    try:
        command = parse(line)
    except UsageError:
        return False
    return command.for_admins


class Once:
    """Remembers the last REMEMBERED names, so that what Slack delivers again is handled once."""

    def __init__(self) -> None:
        self._names: OrderedDict[str, None] = OrderedDict()

    def first(self, name: str) -> bool:
        """Say whether `name` is seen for the first time, and remember it."""
        if name in self._names:
            return False
        self._names[name] = None
        if len(self._names) > REMEMBERED:
            self._names.popitem(last=False)
        return True


class Admins:
    """Knows who administers the workspace, by users.info. Without the scope users:read nobody does: ATTACHE_ADMINS is left."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._known: dict[str, tuple[bool, float]] = {}

    async def includes(self, user: str) -> bool:
        """Say whether `user` is a workspace admin or owner; a look-up that fails says no, and is tried again the next time."""
        now = asyncio.get_running_loop().time()
        self._known = {u: known for u, known in self._known.items() if known[1] > now}
        if user not in self._known:
            try:
                self._known[user] = (await self._look_up(user), now + ADMIN_SECONDS)
            except FOREIGN as error:
                _log.warning("slack_admin_unknown", code=problem_of(error).code)
                return False
        return self._known[user][0]

    async def _look_up(self, user: str) -> bool:
        async with asyncio.timeout(LOOKUP_SECONDS):
            response = await self._client.users_info(user=user)
        found: dict[str, Any] = response.get("user") or {}
        return not found.get("deleted") and any(found.get(k) is True for k in ("is_admin", "is_owner", "is_primary_owner"))


class Listener:
    """Answers the slash command, each in a task of its own that is cancelled on close."""

    def __init__(self, *, commands: Commands, admins: Admins, once: Once, client: AsyncWebClient) -> None:
        self._commands = commands
        self._client = client
        self._admins = admins
        self._once = once
        self._tasks: set[asyncio.Task[None]] = set()
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def hear(self, ack: AsyncAck, respond: AsyncRespond, command: dict[str, Any], request: AsyncBoltRequest) -> None:
        """Acknowledge, then start the answer."""
        await ack()
        if not self._new(command, request):
            return
        task = asyncio.create_task(self._serve(respond, command), name="slack answer")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def press(self, ack: AsyncAck, respond: AsyncRespond, body: dict[str, Any], request: AsyncBoltRequest) -> None:
        """Acknowledge a button under an alert, then start the answer. https://docs.slack.dev/reference/interaction-payloads/block_actions-payload"""
        await ack()
        pressed = (body.get("actions") or [{}])[0]
        named = {"trigger_id": body.get("trigger_id"), "text": pressed.get("action_id"), "user_id": (body.get("user") or {}).get("id")}
        if not self._new(named, request):
            return
        task = asyncio.create_task(self._serve_press(respond, body, pressed), name="slack button")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve_press(self, respond: AsyncRespond, body: dict[str, Any], pressed: dict[str, Any]) -> None:
        try:
            async with asyncio.timeout(ANSWER_SECONDS), self._turns:
                channel, user = (str((body.get(name) or {}).get("id") or "") for name in ("channel", "user"))
                message = reply_message(await self._attached(await self._pressed(body, pressed), channel, user))
        except Exception:  # whatever broke, its author hears of it, and the log knows it by the same id
            message = reply_message(_broken())
        await _tell(respond, message)

    async def _attached(self, reply: Reply, channel: str, user: str) -> Reply:
        """Send a reply's files on their way, and say in it where they are."""
        if not reply.attachments:
            return reply
        sent = await upload(self._client, reply.attachments, channel=channel, user=user, shared=reply.shared)
        names = ", ".join(a.name for a in reply.attachments)
        place = "this channel" if reply.shared else "your messages with this app"
        said = f"{names}: in {place}." if sent else f"{names} could not be uploaded: the app needs the scopes files:write and im:write."
        return replace(reply, note=f"{reply.note} {said}".strip())

    async def _pressed(self, body: dict[str, Any], pressed: dict[str, Any]) -> Reply:
        name = str(pressed.get("action_id") or "").removeprefix(ACTION)
        if name not in tuple(Button):
            raise ValueError(f"no button {name[:40]!r}")
        button, user = Button(name), str((body.get("user") or {}).get("id") or "")
        actor = Actor(
            surface=Surface.SLACK,
            user=user,
            admin=button.for_admins and await self._admins.includes(user),
            channel=str((body.get("channel") or {}).get("id") or ""),
            team=str((body.get("team") or {}).get("id") or ""),
        )
        return await self._commands.press(actor, button, str(pressed.get("value") or ""))

    def _new(self, command: dict[str, Any], request: AsyncBoltRequest) -> bool:
        """A delivery marked as a retry counts only if the first one never came: https://docs.slack.dev/apis/events-api#retries"""
        name = "\x1f".join(str(command.get(k, "")) for k in ("trigger_id", "response_url", "user_id", "text"))
        first = self._once.first(f"command {name}")
        return first or not request.headers.get("x-slack-retry-num")

    async def _serve(self, respond: AsyncRespond, command: dict[str, Any]) -> None:
        shared = False
        try:
            async with asyncio.timeout(ANSWER_SECONDS), self._turns:
                reply = await self._reply(command, typed(str(command.get("text") or "")))
                channel, user = str(command.get("channel_id") or ""), str(command.get("user_id") or "")
                message, shared = reply_message(await self._attached(reply, channel, user)), reply.shared
        except Exception:  # whatever broke, its author hears of it, and the log knows it by the same id
            message = reply_message(_broken())
        await _tell(respond, message, shared=shared)

    async def _reply(self, command: dict[str, Any], line: str) -> Reply:
        user = str(command.get("user_id") or "")
        actor = Actor(
            surface=Surface.SLACK,
            user=user,
            admin=changes_something(line) and await self._admins.includes(user),
            channel=str(command.get("channel_id") or ""),
            team=str(command.get("team_id") or ""),
        )
        return await self._commands.answer_line(actor, line)

    async def close(self) -> None:
        """Give answers under way a moment, then cancel them."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=GRACE_SECONDS)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _broken() -> Reply:
    error_id = secrets.token_hex(4)
    _log.exception("slack_command_failed", error_id=error_id)
    note = f"Something broke on our side. Try again; if it stays, tell an admin this id, which is in the log: {error_id}"
    return Reply(title="That did not work", note=note, error=True)


async def _tell(respond: AsyncRespond, message: dict[str, Any], *, shared: bool = False) -> None:
    """Answer for the author only, or for the channel. https://docs.slack.dev/interactivity/handling-user-interaction#message_responses"""
    try:
        response = await respond(**message, response_type="in_channel" if shared else "ephemeral", replace_original=False)
    except FOREIGN as error:
        _log.warning("slack_answer_lost", code=problem_of(error).code)
        return
    if response.status_code >= 400:
        _log.warning("slack_answer_refused", status=response.status_code, body=str(response.body)[:100])
