"""FakeDiscord: a local server that speaks enough of Discord's REST API (v10) and gateway for the real discord.py.

Use it in any test::

    from tests.fakes.discord_server import FakeDiscord, Failure, MANAGE_GUILD

    async with FakeDiscord(token="made-up") as discord:
        surface = DiscordSurface(token=SecretStr("made-up"), api_url=discord.api_url, ...)
        ...                                       # start surface.run() as a task
        await discord.until_commands()            # logged in, commands there, gateway identified
        typed = await discord.type("latest", {"count": 3}, user="42")
        assert typed.seconds < 0.3                # from the push until the acknowledgement came
        assert typed.text                         # all titles, descriptions and fields of the answer
        assert typed.ephemeral
        await discord.type("watch add", {"term": "steel"}, permissions=MANAGE_GUILD)
        await discord.press(discord.messages[0], "attache:why:d1")   # a button under a message
        await discord.ask_about(discord.messages[0], "Why did this alert?")   # the context menu on a message
        await discord.complete("story", "name", "timb")              # the choices for a half-typed option
        discord.messages                          # what is in the channels: message objects, oldest first
        await discord.until(lambda: len(discord.messages) == 1)
        discord.fail(Failure.RATE_LIMIT, times=2, retry_after=0.5)   # the next two message posts

It keeps what it got: `messages`, `posts` (every attempt at a message: channel, body), `threads`, `commands`, `answers`,
`requests` (all that has a body), `connections`, `identified`, `resumed`, `intents`. It refuses what Discord refuses: a wrong token (401, close code 4004), unknown channels
(10003) and messages (10008), what `tests.discord.limits` finds (50035), a second thread on a message (160004), changes in an archived
thread (50083), a second acknowledgement (40060). A nonce with enforce_nonce gives the message posted under it before, until
`forget_nonces()`. The gateway: `drop_gateway()` breaks the connection so that the client resumes, with a close code or, given None, without
a word; `ask_to_reconnect()` asks for that; `forget_session()` makes the next try to resume fail; `invalidate()` ends the session so that the
client identifies anew, or may resume; `gateway_away = 2` refuses the next two connections. `leave()` and `join()` take the bot out of a guild
and into it; `archive()` and `delete()` do what people do.

Channels are `channels` (default "100" and "101") of guild `guild` (default "500"), and those of `others`; the application is `APP`.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self, TypedDict, Unpack

from aiohttp import WSMsgType, web

from tests.discord import limits
from tests.fakes import discord_payloads as payloads
from tests.fakes.discord_payloads import AUTOCOMPLETE, COMMAND, COMPONENT, Json
from tests.fakes.discord_wire import Failure, Post, Request, Typed, answer, error, hang_up, rate_limited, read
from tests.fakes.gate import Gate, gated

__all__ = ["APP", "MANAGE_GUILD", "TOKEN", "Failure", "FakeDiscord", "Post", "Typed"]

APP, BOT = "700", "701"
TOKEN = "made-up-token"
MANAGE_GUILD = 1 << 5  # https://discord.com/developers/docs/topics/permissions#permissions-bitwise-permission-flags
PATIENCE = 5.0
FIRST_ID = 1_893_456_000_000 - 1_420_070_400_000 << 22  # of 2030: whatever clock a test has, messages come after its first attempts
_DISPATCH, _HEARTBEAT, _IDENTIFY, _RESUME, _RECONNECT, _INVALID, _HELLO, _ACK = 0, 1, 2, 6, 7, 9, 10, 11


class Who(TypedDict, total=False):
    """Who does something, and where: by default user 42 without rights, in channel 100 of its guild. `guild` names another one."""

    user: str
    permissions: int
    roles: Sequence[str]
    channel: str
    guild: str | None


class FakeDiscord:
    """The server; an async context manager. See the module's docstring."""

    def __init__(
        self,
        *,
        token: str = TOKEN,
        guild: str = "500",
        channels: Sequence[str] = ("100", "101"),
        others: Mapping[str, Sequence[str]] | None = None,
        roles: Mapping[str, str] | None = None,
        thread_rights: bool = True,
        history_rights: bool = True,
    ) -> None:
        self._token = token
        self._guild = guild
        self._guilds = {guild: list(channels)} | {other: list(own) for other, own in (others or {}).items()}
        self._channels = {c: payloads.channel(c, g) for g, own in self._guilds.items() for c in own}
        self._roles = dict(roles or {})
        self._thread_rights = thread_rights
        self._history_rights = history_rights
        self._ids = itertools.count(FIRST_ID)
        self._failures: deque[tuple[Failure, float]] = deque()
        self._nonces: dict[str, Json] = {}
        self.gate: Gate | None = None  # asked of every request
        self._typed: dict[str, Typed] = {}
        self._sockets: dict[web.WebSocketResponse, asyncio.Transport] = {}
        self._events: list[Json] = []
        self._changed = asyncio.Condition()
        self._stopping = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self.api_url = ""
        self.messages: list[Json] = []
        self.posts: list[Post] = []
        self.requests: list[Request] = []
        self.unreadable = False  # the history of channels, for now
        self.refused_answers = 0  # so many of the next answers are refused
        self.threads: dict[str, Json] = {}
        self.commands: dict[str, list[Json]] = {}  # "global" or a guild's id -> what was synchronised
        self.answers: list[Json] = []
        self.everybody, self.rights = 0, (1 << 53) - 1 - (1 << 3)  # what @everyone's and the bot's role allow: all but Administrator
        self.scoped = 200  # the status of a look at a server's commands: 403 without the scope applications.commands
        self._session = ""
        self.gateway_away = 0
        self.connections = 0
        self.identified = 0
        self.resumed = 0
        self.intents: int | None = None

    async def __aenter__(self) -> Self:
        app = web.Application(middlewares=[gated(lambda: self.gate)])
        app.add_routes(self._routes("/api/v10"))
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self._gateway_url = f"ws://{host}:{port}/api/v10/socket"
        self.api_url = f"http://{host}:{port}/api/v10"
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stopping.set()
        for socket in list(self._sockets):
            await socket.close()
        if self._runner:
            await self._runner.cleanup()

    # What tests call

    def fail(self, failure: Failure, *, times: int = 1, retry_after: float = 0.5) -> None:
        """Let the next `times` message posts fail."""
        self._failures.extend([(failure, retry_after)] * times)

    async def until(self, holds: Callable[[], object], seconds: float = PATIENCE) -> None:
        """Wait until `holds()` after something came in. Raises TimeoutError."""
        async with asyncio.timeout(seconds), self._changed:
            await self._changed.wait_for(lambda: bool(holds()))

    async def until_commands(self) -> None:
        """Wait until the bot has synchronised its commands and identified on the gateway."""
        await self.until(lambda: self.commands and self._sockets and self.identified)

    async def type(self, words: str, options: Mapping[str, Any] | None = None, **who: Unpack[Who]) -> Typed:
        """Type `/attache WORDS` and return what came back. Raises LookupError for an unknown command, TimeoutError for silence."""
        return await self._done(await self.push(words, options, **who))

    async def push(self, words: str, options: Mapping[str, Any] | None = None, **who: Unpack[Who]) -> Typed:
        """Type a command without waiting for the answer."""
        return await self._interact(COMMAND, self._command_data(words, options or {}), **who)

    async def complete(
        self, words: str, option: str, typed: str, options: Mapping[str, Any] | None = None, **who: Unpack[Who]
    ) -> list[Json]:
        """Type a part of an option's value and return the choices that are offered."""
        data = self._command_data(words, {**(options or {}), option: typed}, focused=option)
        done = await self._done(await self._interact(AUTOCOMPLETE, data, **who))
        choices: list[Json] = (done.acknowledgement or {})["data"]["choices"]
        return choices

    async def press(self, message: Json, custom_id: str, **who: Unpack[Who]) -> Typed:
        """Press a button under a message and return what came back. Raises LookupError where there is no such button."""
        ids = [c["custom_id"] for row in message["components"] for c in row["components"]]
        if custom_id not in ids:
            raise LookupError(f"{custom_id} is not among {ids}")
        data = {"custom_id": custom_id, "component_type": 2}
        return await self._done(await self._interact(COMPONENT, data, {"message": message}, **{"channel": message["channel_id"], **who}))

    async def ask_about(self, message: Json, name: str, **who: Unpack[Who]) -> Typed:
        """Use the context menu `name` on a message."""
        scope, menu = next((s, c) for s, made in self.commands.items() for c in made if c["name"] == name)
        where = {"guild_id": scope} if scope != "global" else {}
        resolved = {"messages": {message["id"]: message}}
        data = {"id": menu["id"], "name": name, "type": 3, "target_id": message["id"], "resolved": resolved, **where}
        return await self._done(await self._interact(COMMAND, data, **{"channel": message["channel_id"], **who}))

    async def repeat(self, typed: Typed) -> None:
        """Send an interaction a second time, as it happens to bots."""
        await self._dispatch("INTERACTION_CREATE", typed.event)

    async def leave(self, guild: str, *, outage: bool = False) -> None:
        """Take the bot out of a guild, or let the guild be out of order."""
        await self._dispatch("GUILD_DELETE", {"id": guild} | ({"unavailable": True} if outage else {}))

    async def join(self, guild: str) -> None:
        """Let the bot into a guild; unlike one that is there at the start, it does not come with `unavailable`."""
        await self._dispatch("GUILD_CREATE", {k: v for k, v in self._guild_data(guild).items() if k != "unavailable"})

    async def recover(self, guild: str) -> None:
        """End a guild's outage."""
        await self._dispatch("GUILD_CREATE", self._guild_data(guild))

    def archive(self, thread: str) -> None:
        """Close a thread, as its age does."""
        self.threads[thread]["thread_metadata"]["archived"] = True

    def delete(self, message: str) -> None:
        """Delete a message."""
        self.messages = [m for m in self.messages if m["id"] != message]

    def forget_nonces(self) -> None:
        """Let some minutes pass."""
        self._nonces.clear()

    async def drop_gateway(self, code: int | None = 4000) -> None:
        """Break every gateway connection, with a close code or (None) without a word, which a client sees as 1006; a good one resumes."""
        for socket, transport in list(self._sockets.items()):
            del self._sockets[socket]
            if code is None:
                transport.abort()
            else:
                await socket.close(code=code)

    def forget_session(self) -> None:
        """Let the session's time run out: whoever resumes it hears that it is invalid."""
        self._session = ""

    async def ask_to_reconnect(self) -> None:
        """Ask for a new connection (opcode 7); a good client resumes there. https://discord.com/developers/docs/events/gateway-events#reconnect"""
        await self._send_all({"op": _RECONNECT, "d": None, "s": None, "t": None})

    async def invalidate(self, *, resumable: bool = False) -> None:
        """Say that the session is invalid; a good client identifies anew, or resumes where it may."""
        await self._send_all({"op": _INVALID, "d": resumable, "s": None, "t": None})

    async def _send_all(self, said: Json) -> None:
        """Send to every connection what is the last that it hears: events wait for those that come after it."""
        for socket in list(self._sockets):
            del self._sockets[socket]
            await socket.send_str(json.dumps(said))

    # REST

    def _routes(self, base: str) -> list[web.RouteDef]:
        return [
            web.get(f"{base}/gateway", self._get_gateway),
            web.get(f"{base}/gateway/bot", self._get_gateway_bot),
            web.get(f"{base}/socket", self._serve_gateway),
            web.get(f"{base}/users/@me", self._get_me),
            web.get(f"{base}/oauth2/applications/@me", self._get_application),
            web.put(f"{base}/applications/{{app}}/commands", self._put_commands),
            web.put(f"{base}/applications/{{app}}/guilds/{{guild}}/commands", self._put_commands),
            web.get(f"{base}/applications/{{app}}/guilds/{{guild}}/commands", self._get_commands),
            web.get(f"{base}/guilds/{{guild}}", self._get_guild),
            web.get(f"{base}/guilds/{{guild}}/members/{{user}}", self._get_member),
            web.get(f"{base}/channels/{{channel}}", self._get_channel),
            web.patch(f"{base}/channels/{{channel}}", self._patch_channel),
            web.get(f"{base}/channels/{{channel}}/messages", self._get_messages),
            web.post(f"{base}/channels/{{channel}}/messages", self._post_message),
            web.patch(f"{base}/channels/{{channel}}/messages/{{message}}", self._patch_message),
            web.post(f"{base}/channels/{{channel}}/messages/{{message}}/threads", self._post_thread),
            web.post(f"{base}/interactions/{{id}}/{{token}}/callback", self._post_callback),
            web.post(f"{base}/webhooks/{{app}}/{{token}}", self._post_answer),
            web.patch(f"{base}/webhooks/{{app}}/{{token}}/messages/@original", self._post_answer),
            web.delete(f"{base}/webhooks/{{app}}/{{token}}/messages/@original", self._delete_answer),
        ]

    async def _get_gateway(self, _: web.Request) -> web.Response:
        return answer({"url": self._gateway_url})

    async def _get_gateway_bot(self, request: web.Request) -> web.Response:
        if refused := self._refused(request):
            return refused
        limit = {"total": 1000, "remaining": 999, "reset_after": 0, "max_concurrency": 1}
        return answer({"url": self._gateway_url, "shards": 1, "session_start_limit": limit})

    async def _get_me(self, request: web.Request) -> web.Response:
        return self._refused(request) or answer(payloads.user(BOT, "attache", bot=True))

    async def _get_application(self, request: web.Request) -> web.Response:
        return self._refused(request) or answer(payloads.application(APP))

    async def _get_channel(self, request: web.Request) -> web.Response:
        found = self._channels.get(request.match_info["channel"]) or self.threads.get(request.match_info["channel"])
        return self._refused(request) or (answer(found) if found else error(404, 10003, "Unknown Channel"))

    async def _get_guild(self, request: web.Request) -> web.Response:
        guild = request.match_info["guild"]
        if refused := self._refused(request):
            return refused
        if guild not in self._guilds:
            return error(404, 10004, "Unknown Guild")
        everybody = payloads.role(guild, "@everyone") | {"permissions": str(self.everybody)}
        own = payloads.role("600", "attache") | {"permissions": str(self.rights)}
        return answer({**self._guild_data(guild), "roles": [everybody, own]})

    async def _get_member(self, request: web.Request) -> web.Response:
        if refused := self._refused(request):
            return refused
        if request.match_info["guild"] not in self._guilds or request.match_info["user"] != BOT:
            return error(404, 10007, "Unknown Member")
        return answer({"user": payloads.user(BOT, "attache", bot=True), "roles": ["600"], "joined_at": payloads.EPOCH})

    async def _get_commands(self, request: web.Request) -> web.Response:
        if refused := self._refused(request):
            return refused
        if self.scoped == 403:
            return error(403, 50001, "Missing Access")
        return answer(self.commands.get(request.match_info["guild"], [])) if self.scoped == 200 else error(self.scoped, 0, "Out of order")

    async def _put_commands(self, request: web.Request) -> web.Response:
        scope = request.match_info.get("guild", "global")
        if refused := self._refused(request):
            return refused
        if scope not in ("global", *self._guilds):
            return error(403, 50001, "Missing Access")
        said = await request.json()
        path = (
            "/applications/{application_id}/commands" if scope == "global" else "/applications/{application_id}/guilds/{guild_id}/commands"
        )
        self.requests.append(Request(method="put", path=path, body=said))
        if problem := next((found for c in said if (found := limits.problem_with_command(c))), None):
            return error(400, 50035, f"Invalid Form Body: {problem}")
        made = [{"description": "", **c, "id": self._id(), "application_id": APP, "version": "1"} for c in said]
        self.commands[scope] = made
        await self._tell()
        return answer(made)

    async def _patch_channel(self, request: web.Request) -> web.Response:
        thread, body = self.threads.get(request.match_info["channel"]), await request.json()
        if refused := self._refused(request):
            return refused
        if thread is None:
            return error(404, 10003, "Unknown Channel")
        self.requests.append(Request(method="patch", path="/channels/{channel_id}", body=body))
        thread["thread_metadata"] |= body
        return answer(thread)

    async def _get_messages(self, request: web.Request) -> web.Response:
        channel, after = request.match_info["channel"], int(request.query.get("after", 0))
        if refused := self._refused(request):
            return refused
        if self.unreadable:
            return error(503, 0, "503: Service Unavailable")
        if not self._history_rights:
            return error(403, 50013, "Missing Permissions")
        if channel not in self._channels and channel not in self.threads:
            return error(404, 10003, "Unknown Channel")
        found = [m for m in self.messages if m["channel_id"] == channel and int(m["id"]) > after][: int(request.query.get("limit", 50))]
        return answer(found[::-1])

    async def _post_message(self, request: web.Request) -> web.StreamResponse:
        if refused := self._refused(request):
            return refused
        channel, (body, _) = request.match_info["channel"], await read(request)
        self.posts.append(Post(channel=channel, body=body))
        self.requests.append(Request(method="post", path="/channels/{channel_id}/messages", body=body))
        await self._tell()
        failure, seconds = self._failures.popleft() if self._failures else (None, 0.0)
        if failure and failure is not Failure.DROP_AFTER:
            return await self._failed(request, failure, seconds)
        taken = await self._take_message(channel, body)
        return hang_up(request) if failure else taken

    async def _patch_message(self, request: web.Request) -> web.StreamResponse:
        if refused := self._refused(request):
            return refused
        channel, wanted, body = request.match_info["channel"], request.match_info["message"], await request.json()
        self.requests.append(Request(method="patch", path="/channels/{channel_id}/messages/{message_id}", body=body))
        failure, seconds = self._failures.popleft() if self._failures else (None, 0.0)
        if failure:
            return await self._failed(request, failure, seconds)
        return await self._change_message(channel, wanted, body)

    async def _change_message(self, channel: str, wanted: str, body: Json) -> web.Response:
        if channel not in self._channels and channel not in self.threads:
            return error(404, 10003, "Unknown Channel")
        if channel in self.threads and self.threads[channel]["thread_metadata"]["archived"]:
            return error(400, 50083, "Thread is archived")
        found = next((m for m in self.messages if (m["id"], m["channel_id"]) == (wanted, channel)), None)
        if found is None:
            return error(404, 10008, "Unknown Message")
        if problem := limits.problem_with(body, edit=True):
            return error(400, 50035, f"Invalid Form Body: {problem}")
        found |= {name: body[name] for name in ("content", "embeds", "components") if name in body} | {"edited_timestamp": payloads.EPOCH}
        await self._tell()
        return answer(found)

    async def _take_message(self, channel: str, body: Json) -> web.Response:
        if channel not in self._channels and channel not in self.threads:
            return error(404, 10003, "Unknown Channel")
        if problem := limits.problem_with(body):
            return error(400, 50035, f"Invalid Form Body: {problem}")
        nonce = body.get("nonce") if body.get("enforce_nonce") else None
        if nonce in self._nonces:
            return answer(self._nonces[nonce])
        message = payloads.message(self._id(), channel, payloads.user(BOT, "attache", bot=True), body)
        self.messages.append(message)
        if nonce:
            self._nonces[nonce] = message
        await self._tell()
        return answer(message)

    async def _failed(self, request: web.Request, failure: Failure, seconds: float) -> web.StreamResponse:
        if failure is Failure.HANG:
            await self._stopping.wait()
        if failure in (Failure.DROP, Failure.HANG):
            return hang_up(request)
        if failure in (Failure.RATE_LIMIT, Failure.GLOBAL_RATE_LIMIT):
            return rate_limited(seconds, everywhere=failure is Failure.GLOBAL_RATE_LIMIT)
        return {
            Failure.BANNED: web.Response(
                status=429, text="<h1>banned</h1>", content_type="text/html", headers={"Retry-After": str(seconds)}
            ),
            Failure.SERVER_ERROR: error(500, 0, "500: Internal Server Error"),
            Failure.UNAVAILABLE: error(503, 0, "503: Service Unavailable"),
            Failure.FORBIDDEN: error(403, 50013, "Missing Permissions"),
            Failure.UNAUTHORIZED: error(401, 0, "401: Unauthorized"),
        }[failure]

    async def _post_thread(self, request: web.Request) -> web.Response:
        channel, message = request.match_info["channel"], request.match_info["message"]
        body = await request.json()
        if refused := self._refused(request):
            return refused
        if not self._thread_rights:
            return error(403, 50013, "Missing Permissions")
        if not any(m["id"] == message and m["channel_id"] == channel for m in self.messages):
            return error(404, 10008, "Unknown Message")
        if message in self.threads:
            return error(400, 160004, "A thread has already been created for this message")
        if problem := limits.problem_with_thread(body):
            return error(400, 50035, f"Invalid Form Body: {problem}")
        self.requests.append(Request(method="post", path="/channels/{channel_id}/messages/{message_id}/threads", body=body))
        guild = self._channels[channel]["guild_id"]
        self.threads[message] = payloads.thread(message, channel, guild, BOT, body["name"], body["auto_archive_duration"])
        return answer(self.threads[message], status=201)

    # Interactions

    async def _interact(
        self,
        kind: int,
        data: Json,
        more: Json | None = None,
        *,
        user: str = "42",
        permissions: int = 0,
        roles: Sequence[str] = (),
        channel: str = "100",
        guild: str | None = None,
    ) -> Typed:
        who, where = payloads.user(user, f"user-{user}"), self._channels.get(channel) or self.threads[channel]
        there = guild or where["guild_id"]
        event = payloads.interaction(self._id(), APP, there, where, who, permissions, roles, kind, data) | (more or {})
        typed = self._typed[event["token"]] = Typed(began=asyncio.get_running_loop().time(), event=event)
        await self._dispatch("INTERACTION_CREATE", event)
        return typed

    async def _done(self, typed: Typed) -> Typed:
        async with asyncio.timeout(PATIENCE):
            await typed.done.wait()
        return typed

    def _command_data(self, words: str, options: Mapping[str, Any], focused: str = "") -> Json:
        scope, command = next(((s, c) for s, made in self.commands.items() for c in made if c["name"] == "attache"), ("", {}))
        level = command.get("options", [])
        for word in words.split():
            found = next((o for o in level if o["name"] == word), None)
            if found is None:
                raise LookupError(f"/attache {words} was not synchronised")
            level = found.get("options", [])
        if unknown := set(options) - {o["name"] for o in level}:
            raise LookupError(f"/attache {words} has no option {unknown}")
        data = {"id": command["id"], "name": "attache", "type": 1, "options": payloads.options_of(words, options, focused)}
        return data | ({"guild_id": scope} if scope != "global" else {})

    async def _post_callback(self, request: web.Request) -> web.Response:
        typed = self._typed.get(request.match_info["token"])
        if typed is None:
            return error(404, 10062, "Unknown interaction")
        if typed.acknowledgement is not None:
            return error(400, 40060, "Interaction has already been acknowledged.")
        said = await request.json()
        path = "/interactions/{interaction_id}/{interaction_token}/callback"
        self.requests.append(Request(method="post", path=path, body=said))
        choices = (said.get("data") or {}).get("choices")
        if choices is not None and (problem := limits.problem_with_choices(choices)):
            return error(400, 50035, f"Invalid Form Body: {problem}")
        typed.seconds = asyncio.get_running_loop().time() - typed.began
        typed.acknowledgement = said
        if choices is not None:
            typed.done.set()
        loading = {
            "id": request.match_info["id"],
            "type": 2,
            "response_message_loading": True,
            "response_message_ephemeral": typed.ephemeral,
        }
        return answer({"interaction": loading}) if request.query.get("with_response") else web.Response(status=204)

    async def _post_answer(self, request: web.Request) -> web.Response:
        typed = self._typed.get(request.match_info["token"])
        if typed is None or typed.acknowledgement is None:
            return error(404, 10015, "Unknown Webhook")
        if self.refused_answers:
            self.refused_answers -= 1
            typed.done.set()
            return error(400, 50035, "Invalid Form Body")
        body, typed.files = await read(request)
        original = "/messages/@original" if request.method == "PATCH" else ""
        path = f"/webhooks/{{webhook_id}}/{{webhook_token}}{original}"
        self.requests.append(Request(method=request.method.lower(), path=path, body=body))
        if problem := limits.problem_with(body):
            return error(400, 50035, f"Invalid Form Body: {problem}")
        typed.answers += 1
        typed.answer = payloads.message(self._id(), typed.event["channel_id"], payloads.user(BOT, "attache", bot=True), body)
        self.answers.append(typed.answer)
        typed.done.set()
        await self._tell()
        return answer(typed.answer)

    async def _delete_answer(self, request: web.Request) -> web.Response:
        typed = self._typed.get(request.match_info["token"])
        if typed is None or typed.acknowledgement is None or typed.withdrawn:
            return error(404, 10008, "Unknown Message")
        typed.withdrawn = True
        return web.Response(status=204)

    # The gateway

    async def _serve_gateway(self, request: web.Request) -> web.StreamResponse:
        if self.gateway_away:
            self.gateway_away -= 1
            return web.Response(status=503)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        assert isinstance(request.transport, asyncio.Transport)
        self.connections += 1
        await self._tell()
        await socket.send_str(json.dumps({"op": _HELLO, "d": {"heartbeat_interval": 41_250}, "s": None, "t": None}))
        try:
            async for frame in socket:
                if frame.type is WSMsgType.TEXT:
                    await self._hear(socket, request.transport, json.loads(frame.data))
        finally:
            self._sockets.pop(socket, None)
        return socket

    async def _hear(self, socket: web.WebSocketResponse, transport: asyncio.Transport, said: Json) -> None:
        if said["op"] == _HEARTBEAT:
            await socket.send_str(json.dumps({"op": _ACK, "d": None, "s": None, "t": None}))
        elif said["op"] in (_IDENTIFY, _RESUME) and said["d"]["token"] != self._token:
            await socket.close(code=4004)
        elif said["op"] == _IDENTIFY:
            self._sockets[socket] = transport
            await self._identify(said["d"])
        elif said["op"] == _RESUME:
            await self._resume(socket, transport, said["d"])

    async def _identify(self, said: Json) -> None:
        self.intents = said["intents"]
        self.identified += 1
        self._session = f"session-{self.identified}"
        self._events.clear()
        ready = {
            "v": 10,
            "user": payloads.user(BOT, "attache", bot=True),
            "guilds": [{"id": guild, "unavailable": True} for guild in self._guilds],
            "session_id": self._session,
            "resume_gateway_url": self._gateway_url,
            "application": {"id": APP, "flags": 0},
        }
        await self._dispatch("READY", ready)
        for guild in self._guilds:
            await self.recover(guild)
        await self._tell()

    async def _resume(self, socket: web.WebSocketResponse, transport: asyncio.Transport, said: Json) -> None:
        if said["session_id"] != self._session:
            await socket.send_str(json.dumps({"op": _INVALID, "d": False, "s": None, "t": None}))
            return
        for event in self._events[said["seq"] :]:
            await socket.send_str(json.dumps(event))
        self.resumed += 1
        self._sockets[socket] = transport
        await self._dispatch("RESUMED", {})
        await self._tell()

    async def _dispatch(self, name: str, data: Json) -> None:
        """Send an event to whoever is connected; it is kept, so that a client that resumes gets what it missed."""
        event = {"op": _DISPATCH, "t": name, "s": len(self._events) + 1, "d": data}
        self._events.append(event)
        for socket in list(self._sockets):
            if not socket.closed:
                await socket.send_str(json.dumps(event))

    def _guild_data(self, guild: str) -> Json:
        return payloads.guild(guild, [self._channels[c] for c in self._guilds[guild]], self._roles)

    def _refused(self, request: web.Request) -> web.Response | None:
        return None if request.headers.get("Authorization") == f"Bot {self._token}" else error(401, 0, "401: Unauthorized")

    def _id(self) -> str:
        return str(next(self._ids))

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()
