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
        discord.messages                          # what is in the channels: message objects, oldest first
        await discord.until(lambda: len(discord.messages) == 1)
        discord.fail(Failure.RATE_LIMIT, times=2, retry_after=0.5)   # the next two message posts

It keeps what it got: `messages`, `posts` (every attempt at a message: channel, body), `threads`, `commands`, `answers`,
`connections`, `identified`, `resumed`, `intents`. It refuses what Discord refuses: a wrong token (401, close code 4004), unknown channels
(10003), embeds over the limits and empty messages (50035), a second thread on a message (160004). A nonce with enforce_nonce gives the
message posted under it before.
`drop_gateway()` breaks the connection so that the client resumes; `invalidate()` ends the session so that it identifies anew.

Channels are `channels` (default "100" and "101") of guild `guild` (default "500"); the application is `APP`.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from aiohttp import WSMsgType, web

from tests.fakes import discord_payloads as payloads
from tests.fakes.discord_payloads import Json
from tests.fakes.discord_wire import Failure, Post, Typed, answer, error, hang_up, rate_limited

__all__ = ["APP", "MANAGE_GUILD", "TOKEN", "Failure", "FakeDiscord", "Post", "Typed"]

APP, BOT = "700", "701"
TOKEN = "made-up-token"
MANAGE_GUILD = 1 << 5  # https://discord.com/developers/docs/topics/permissions#permissions-bitwise-permission-flags
PATIENCE = 5.0
_DISPATCH, _HEARTBEAT, _IDENTIFY, _RESUME, _INVALID, _HELLO, _ACK = 0, 1, 2, 6, 9, 10, 11


class FakeDiscord:
    """The server; an async context manager. See the module's docstring."""

    def __init__(
        self, *, token: str = TOKEN, guild: str = "500", channels: Sequence[str] = ("100", "101"), thread_rights: bool = True
    ) -> None:
        self._token = token
        self._guild = guild
        self._channels = {c: payloads.channel(c, guild) for c in channels}
        self._thread_rights = thread_rights
        self._ids = itertools.count(10_000)
        self._failures: deque[tuple[Failure, float]] = deque()
        self._nonces: dict[str, Json] = {}
        self._typed: dict[str, Typed] = {}
        self._sockets: set[web.WebSocketResponse] = set()
        self._events: list[Json] = []
        self._changed = asyncio.Condition()
        self._stopping = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self.api_url = ""
        self.messages: list[Json] = []
        self.posts: list[Post] = []
        self.threads: dict[str, Json] = {}
        self.commands: dict[str, list[Json]] = {}  # "global" or a guild's id -> what was synchronised
        self.answers: list[Json] = []
        self.connections = 0
        self.identified = 0
        self.resumed = 0
        self.intents: int | None = None

    async def __aenter__(self) -> Self:
        app = web.Application()
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

    async def type(
        self,
        words: str,
        options: Mapping[str, Any] | None = None,
        *,
        user: str = "42",
        permissions: int = 0,
        channel: str = "100",
        guild: str | None = None,
    ) -> Typed:
        """Type `/attache WORDS` and return what came back. Raises LookupError for an unknown command, TimeoutError for silence.

        `guild` is where the user types, by default the server's only guild; `permissions` are the user's there.
        """
        typed = await self.push(words, options, user=user, permissions=permissions, channel=channel, guild=guild)
        async with asyncio.timeout(PATIENCE):
            await typed.done.wait()
        return typed

    async def push(
        self,
        words: str,
        options: Mapping[str, Any] | None = None,
        *,
        user: str = "42",
        permissions: int = 0,
        channel: str = "100",
        guild: str | None = None,
    ) -> Typed:
        """Type a command without waiting for the answer."""
        data = self._command_data(words, options or {})
        who = payloads.user(user, f"user-{user}")
        event = payloads.interaction(self._id(), APP, guild or self._guild, self._channels[channel], who, permissions, data)
        typed = self._typed[event["token"]] = Typed(began=asyncio.get_running_loop().time())
        await self._dispatch("INTERACTION_CREATE", event)
        return typed

    async def drop_gateway(self) -> None:
        """Break every gateway connection; a good client resumes."""
        for socket in list(self._sockets):
            await socket.close(code=4000)

    async def invalidate(self) -> None:
        """End the session; a good client identifies anew."""
        for socket in list(self._sockets):
            await socket.send_str(json.dumps({"op": _INVALID, "d": False, "s": None, "t": None}))

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
            web.get(f"{base}/channels/{{channel}}", self._get_channel),
            web.post(f"{base}/channels/{{channel}}/messages", self._post_message),
            web.post(f"{base}/channels/{{channel}}/messages/{{message}}/threads", self._post_thread),
            web.post(f"{base}/interactions/{{id}}/{{token}}/callback", self._post_callback),
            web.post(f"{base}/webhooks/{{app}}/{{token}}", self._post_answer),
            web.patch(f"{base}/webhooks/{{app}}/{{token}}/messages/@original", self._post_answer),
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

    async def _put_commands(self, request: web.Request) -> web.Response:
        scope = request.match_info.get("guild", "global")
        if refused := self._refused(request):
            return refused
        if scope not in ("global", self._guild):
            return error(403, 50001, "Missing Access")
        made = [{**c, "id": self._id(), "application_id": APP, "version": "1"} for c in await request.json()]
        self.commands[scope] = made
        await self._tell()
        return answer(made)

    async def _post_message(self, request: web.Request) -> web.StreamResponse:
        if refused := self._refused(request):
            return refused
        channel, body = request.match_info["channel"], await request.json()
        self.posts.append(Post(channel=channel, body=body))
        await self._tell()
        failure, seconds = self._failures.popleft() if self._failures else (None, 0.0)
        if failure and failure is not Failure.DROP_AFTER:
            return await self._failed(request, failure, seconds)
        taken = await self._take_message(channel, body)
        return hang_up(request) if failure else taken

    async def _take_message(self, channel: str, body: Json) -> web.Response:
        if channel not in self._channels and channel not in self.threads:
            return error(404, 10003, "Unknown Channel")
        if problem := payloads.problem_with(body):
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
        if not 1 <= len(body["name"]) <= 100:
            return error(400, 50035, "Invalid Form Body: name")
        self.threads[message] = payloads.thread(message, channel, self._guild, BOT, body["name"], body["auto_archive_duration"])
        return answer(self.threads[message], status=201)

    # Interactions

    def _command_data(self, words: str, options: Mapping[str, Any]) -> Json:
        scope, command = next(((s, c) for s, made in self.commands.items() for c in made if c["name"] == "attache"), ("", {}))
        level = command.get("options", [])
        for word in words.split():
            found = next((o for o in level if o["name"] == word), None)
            if found is None:
                raise LookupError(f"/attache {words} was not synchronised")
            level = found.get("options", [])
        if unknown := set(options) - {o["name"] for o in level}:
            raise LookupError(f"/attache {words} has no option {unknown}")
        data = {"id": command["id"], "name": "attache", "type": 1, "options": payloads.options_of(words, options)}
        return data | ({"guild_id": scope} if scope != "global" else {})

    async def _post_callback(self, request: web.Request) -> web.Response:
        typed = self._typed.get(request.match_info["token"])
        if typed is None:
            return error(404, 10062, "Unknown interaction")
        if typed.acknowledgement is not None:
            return error(400, 40060, "Interaction has already been acknowledged.")
        typed.seconds = asyncio.get_running_loop().time() - typed.began
        typed.acknowledgement = await request.json()
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
        body = await request.json()
        if problem := payloads.problem_with(body):
            return error(400, 50035, f"Invalid Form Body: {problem}")
        typed.answer = payloads.message(self._id(), "100", payloads.user(BOT, "attache", bot=True), body)
        self.answers.append(typed.answer)
        typed.done.set()
        await self._tell()
        return answer(typed.answer)

    # The gateway

    async def _serve_gateway(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.connections += 1
        await self._tell()
        await socket.send_str(json.dumps({"op": _HELLO, "d": {"heartbeat_interval": 41_250}, "s": None, "t": None}))
        try:
            async for frame in socket:
                if frame.type is WSMsgType.TEXT:
                    await self._hear(socket, json.loads(frame.data))
        finally:
            self._sockets.discard(socket)
        return socket

    async def _hear(self, socket: web.WebSocketResponse, said: Json) -> None:
        if said["op"] == _HEARTBEAT:
            await socket.send_str(json.dumps({"op": _ACK, "d": None, "s": None, "t": None}))
        elif said["op"] in (_IDENTIFY, _RESUME) and said["d"]["token"] != self._token:
            await socket.close(code=4004)
        elif said["op"] == _IDENTIFY:
            await self._identify(socket, said["d"])
        elif said["op"] == _RESUME:
            await self._resume(socket, said["d"])

    async def _identify(self, socket: web.WebSocketResponse, said: Json) -> None:
        self.intents = said["intents"]
        self.identified += 1
        self._events.clear()
        self._sockets.add(socket)
        ready = {
            "v": 10,
            "user": payloads.user(BOT, "attache", bot=True),
            "guilds": [{"id": self._guild, "unavailable": True}],
            "session_id": f"session-{self.identified}",
            "resume_gateway_url": self._gateway_url,
            "application": {"id": APP, "flags": 0},
        }
        await self._dispatch("READY", ready)
        await self._dispatch("GUILD_CREATE", payloads.guild(self._guild, list(self._channels.values())))
        await self._tell()

    async def _resume(self, socket: web.WebSocketResponse, said: Json) -> None:
        if said["session_id"] != f"session-{self.identified}":
            await socket.send_str(json.dumps({"op": _INVALID, "d": False, "s": None, "t": None}))
            return
        for event in self._events[said["seq"] :]:
            await socket.send_str(json.dumps(event))
        self.resumed += 1
        self._sockets.add(socket)
        await self._dispatch("RESUMED", {})
        await self._tell()

    async def _dispatch(self, name: str, data: Json) -> None:
        """Send an event to whoever is connected; it is kept, so that a client that resumes gets what it missed."""
        event = {"op": _DISPATCH, "t": name, "s": len(self._events) + 1, "d": data}
        self._events.append(event)
        for socket in list(self._sockets):
            if not socket.closed:
                await socket.send_str(json.dumps(event))

    def _refused(self, request: web.Request) -> web.Response | None:
        return None if request.headers.get("Authorization") == f"Bot {self._token}" else error(401, 0, "401: Unauthorized")

    def _id(self) -> str:
        return str(next(self._ids))

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()
