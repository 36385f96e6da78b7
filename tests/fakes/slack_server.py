"""A local server that speaks Slack: Web API, Socket Mode, response URLs, and signed requests to an app in HTTP mode.

    async with FakeSlack() as fake:
        surface = SlackSurface(bot_token=SecretStr(fake.bot_token), app_token=SecretStr(fake.app_token), api_url=fake.api_url, ...)
        ...                                             # run it, then
        await fake.connected()                          # a web socket is open
        typed = await fake.type("latest 3 trade")       # the slash command, by user U1
        typed.ack_seconds, typed.answer["blocks"]       # how long until the acknowledgement; what came to the response URL
        fake.messages                                   # what chat.postMessage left, oldest first
        text_of(fake.messages[0].payload)               # all that a reader sees of it, as one text

Users: U1 is nobody special, UADMIN and UOWNER administer the workspace; change `fake.users` at will. Channels: any, but those that
`fake.channel_errors` names answer with that error. Scopes: put a method's name into `fake.missing_scopes` and it answers `missing_scope`.
Failures: `fake.fail(2, status=503)` fails the next two chat.postMessage, see Failure. `fake.calls` lists every call as
(method, arguments, loop time). `fake.away = 3` answers the next three calls of any method with 503; `fake.statuses["users.info"] = 404`
answers that method so until it is taken out; `fake.deaf` never answers the close of a web socket.
HTTP mode: `await fake.type_http(url, "status")` signs as Slack does; `secret`, `age` and `headers` spoil it on purpose.
Everything a test may wait for is bounded; what a test did not expect fails it rather than hang.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import aiohttp
from aiohttp import WSMsgType, web
from slack_sdk.signature import SignatureVerifier

Json = dict[str, Any]
PATIENCE = 5.0


@dataclass(frozen=True, kw_only=True)
class Failure:
    """How a chat.postMessage fails: an HTTP `status` (with Retry-After in seconds), Slack's word in `error`, or by dropping the connection.

    `received` is what a crash looks like: the message is in the channel, then the connection drops. `seconds` delays the answer.
    `body`, of content type `kind`, comes in place of JSON.
    """

    status: int = 200
    error: str | None = None
    retry_after: int | None = None
    drop: bool = False
    received: bool = False
    seconds: float = 0.0
    body: str | None = None
    kind: str = "text/plain"

    @property
    def stores(self) -> bool:
        """The message is in the channel all the same."""
        return self.received or (self.status == 200 and not (self.error or self.drop or self.body))


@dataclass(frozen=True, kw_only=True)
class Posted:
    """A message in a channel. `payload` is all that chat.postMessage was given."""

    channel: str
    ts: str
    payload: Json

    @property
    def thread_ts(self) -> str | None:
        """The thread it is in."""
        return self.payload.get("thread_ts")

    @property
    def text(self) -> str:
        """The text that notifications show."""
        return str(self.payload["text"])

    @property
    def metadata(self) -> Json:
        """The metadata, empty when there is none."""
        return dict(self.payload.get("metadata") or {})


@dataclass(frozen=True, kw_only=True)
class Typed:
    """What came of a command: the seconds until the acknowledgement and until the answer, and the answer; HTTP mode has a status too."""

    ack_seconds: float
    answer_seconds: float = 0.0
    answer: Json = field(default_factory=dict)
    status: int = 200

    @property
    def text(self) -> str:
        """All that the author sees of the answer."""
        return text_of(self.answer)


def text_of(payload: Json) -> str:
    """Return all that a reader sees of a message's blocks, in order, as one text."""
    return "\n".join(_texts(payload.get("blocks", [])))


def _texts(node: object) -> list[str]:
    if isinstance(node, list):
        return [t for item in node for t in _texts(item)]
    if not isinstance(node, dict):
        return []
    if isinstance(node.get("text"), str):
        return [node["text"]]
    return [t for key in ("text", "elements", "fields") for t in _texts(node.get(key))]


class FakeSlack:
    """The server. Binds a free port of the loopback address; see the module's text for its use."""

    bot_token = "xoxb-fake-bot"
    app_token = "xapp-fake-app"
    signing_secret = "fake-signing-secret"

    def __init__(self) -> None:
        self.messages: list[Posted] = []
        self.uploads: dict[str, bytes] = {}
        self.files: list[tuple[str, str, bytes]] = []  # channel, title, content of what was shared there
        self.answers: list[Json] = []
        self.calls: list[tuple[str, Json, float]] = []
        self.acks: list[str] = []
        self.users: dict[str, Json] = {"U1": {}, "UADMIN": {"is_admin": True}, "UOWNER": {"is_owner": True}}
        self.channel_errors: dict[str, str] = {}
        self.missing_scopes: set[str] = set()
        self.page_size: int | None = None
        self.away = 0
        self.deaf = False
        self.statuses: dict[str, int] = {}
        self.sockets_opened = 0
        self._failures: deque[Failure] = deque()
        self._sockets: list[web.WebSocketResponse] = []
        self._opened = asyncio.Condition()
        self._acked: dict[str, asyncio.Future[float]] = {}
        self._answered: dict[str, asyncio.Queue[tuple[Json, float]]] = {}
        self._counter = 0
        self._runner = web.AppRunner(self._web_app(), access_log=None, shutdown_timeout=0.2)
        self._port = 0

    async def __aenter__(self) -> FakeSlack:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(*(socket.close() for socket in self._sockets))
        await self._runner.cleanup()

    @property
    def api_url(self) -> str:
        """The address for SLACK_API_URL."""
        return f"http://127.0.0.1:{self._port}/api/"

    # --- what a test does

    def fail(self, times: int = 1, **how: Any) -> None:  # noqa: ANN401  (the fields of Failure)
        """Let the next `times` chat.postMessage fail, in the way of Failure."""
        self._failures.extend([Failure(**how)] * times)

    async def connected(self, count: int = 1, timeout: float = PATIENCE) -> None:  # noqa: ASYNC109  (a bound, for tests)
        """Wait until `count` web sockets have been opened since the start, and one is open."""
        async with asyncio.timeout(timeout), self._opened:
            await self._opened.wait_for(lambda: self.sockets_opened >= count and any(not s.closed for s in self._sockets))

    async def disconnect(self, reason: str = "refresh_requested") -> None:
        """Ask the app to come back on a new web socket, as Slack does every few hours."""
        await self._socket.send_json({"type": "disconnect", "reason": reason, "debug_info": {}})

    async def drop(self) -> None:
        """Close the web socket without a word."""
        await self._socket.close()

    async def type(self, text: str, user: str = "U1", channel: str = "C1", timeout: float = PATIENCE) -> Typed:  # noqa: ASYNC109  (a bound, for tests)
        """Type `/attache TEXT` and wait for the acknowledgement and the answer."""
        command = self.command(text, user, channel)
        started = time.perf_counter()
        ack = await self.deliver(command)
        async with asyncio.timeout(timeout):
            acked = await ack
            answer, answered = await self._answered[command["response_url"]].get()
        return Typed(ack_seconds=acked - started, answer_seconds=answered - started, answer=answer)

    async def press(self, message: Posted, action: str, *, user: str = "U1", timeout: float = PATIENCE) -> Typed:  # noqa: ASYNC109  (a bound, for tests)
        """Press the button `action` under a message and wait for the acknowledgement and the answer. Raises StopIteration where there is none."""
        buttons = [x for block in message.payload["blocks"] if block["type"] == "actions" for x in block["elements"]]
        button = next(b for b in buttons if b["action_id"] == action)
        command = self.command("", user, message.channel)
        payload = {
            "type": "block_actions",
            "user": {"id": user, "team_id": "T1"},
            "team": {"id": "T1", "domain": "fake"},
            "api_app_id": "A1",
            "channel": {"id": message.channel, "name": "trade"},
            "container": {"type": "message", "message_ts": message.ts, "channel_id": message.channel},
            "trigger_id": command["trigger_id"],
            "response_url": command["response_url"],
            "actions": [{"type": "button", "action_id": action, "value": button["value"], "block_id": "b", "action_ts": message.ts}],
        }
        started = time.perf_counter()
        ack = await self.deliver(payload, kind="interactive")
        async with asyncio.timeout(timeout):
            acked = await ack
            answer, answered = await self._answered[command["response_url"]].get()
        return Typed(ack_seconds=acked - started, answer_seconds=answered - started, answer=answer)

    async def deliver(
        self, command: Json, envelope: str | None = None, retry: int | None = None, kind: str = "slash_commands"
    ) -> asyncio.Future[float]:
        """Send a command over the web socket; the future gives the moment of its acknowledgement. `retry` marks a second delivery."""
        envelope = envelope or f"envelope-{self._next()}"
        message = {"type": kind, "envelope_id": envelope, "accepts_response_payload": True, "payload": command}
        if retry is not None:
            message |= {"retry_attempt": retry, "retry_reason": "timeout"}
        self._acked[envelope] = asyncio.get_running_loop().create_future()
        await self._socket.send_json(message)
        return self._acked[envelope]

    async def type_http(
        self,
        url: str,
        text: str,
        *,
        user: str = "U1",
        secret: str | None = None,
        age: float = 0.0,
        headers: dict[str, str] | None = None,
        timeout: float = PATIENCE,  # noqa: ASYNC109  (a bound, for tests)
    ) -> Typed:
        """Type the command to an app in HTTP mode at `url`, signed with `secret` (else the right one) `age` seconds ago.

        `headers` go on top.
        """
        command = self.command(text, user)
        body = urlencode(command)
        signed = self.signed(body, secret=secret, age=age) | (headers or {})
        started = time.perf_counter()
        async with asyncio.timeout(timeout), aiohttp.ClientSession() as session, session.post(url, data=body, headers=signed) as response:
            await response.read()
            acked = time.perf_counter()
            if response.status != 200:
                return Typed(ack_seconds=acked - started, status=response.status)
            answer, answered = await self._answered[command["response_url"]].get()
        return Typed(ack_seconds=acked - started, answer_seconds=answered - started, answer=answer)

    def signed(self, body: str, *, secret: str | None = None, age: float = 0.0) -> dict[str, str]:
        """Return the headers with which Slack sends `body`."""
        timestamp = str(int(time.time() - age))
        signature = SignatureVerifier(secret or self.signing_secret).generate_signature(timestamp=timestamp, body=body)
        return {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": str(signature),
        }

    def command(self, text: str, user: str = "U1", channel: str = "C1") -> Json:
        """Return the fields of a typed command, with a response URL of its own."""
        number = self._next()
        response_url = f"http://127.0.0.1:{self._port}/response/{number}"
        self._answered[response_url] = asyncio.Queue()
        return {
            "command": "/attache",
            "text": text,
            "user_id": user,
            "user_name": user.casefold(),
            "channel_id": channel,
            "channel_name": "trade",
            "team_id": "T1",
            "team_domain": "fake",
            "api_app_id": "A1",
            "trigger_id": f"trigger-{number}",
            "response_url": response_url,
        }

    # --- how it answers

    def _web_app(self) -> web.Application:
        app = web.Application()
        app.router.add_route("*", "/api/{method}", self._api)
        app.router.add_get("/socket", self._serve_socket)
        app.router.add_post("/response/{number}", self._respond)
        app.router.add_post("/upload/{name}", self._upload)
        return app

    @property
    def _socket(self) -> web.WebSocketResponse:
        return [s for s in self._sockets if not s.closed][-1]

    def _next(self) -> int:
        self._counter += 1
        return self._counter

    async def _api(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        arguments = await _arguments(request)
        self.calls.append((method, arguments, asyncio.get_running_loop().time()))
        if self.away:
            self.away -= 1
            return web.Response(status=503)
        if method in self.statuses:
            return web.Response(status=self.statuses[method], text="no Slack here")
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token != (self.app_token if method == "apps.connections.open" else self.bot_token):
            return _no("invalid_auth")
        if method in self.missing_scopes:
            return _no("missing_scope")
        answers: dict[str, Callable[[web.Request, Json], Awaitable[web.StreamResponse]]] = {
            "auth.test": self._auth_test,
            "apps.connections.open": self._open,
            "chat.postMessage": self._post,
            "chat.update": self._update,
            "conversations.history": self._history,
            "conversations.replies": self._replies,
            "users.info": self._user,
            "conversations.open": self._open_dm,
            "files.getUploadURLExternal": self._upload_url,
            "files.completeUploadExternal": self._complete_upload,
        }
        return await answers[method](request, arguments) if method in answers else _no("unknown_method")

    async def _auth_test(self, _: web.Request, __: Json) -> web.StreamResponse:
        return _yes(url="https://fake.slack.example/", team="Fake", user="attache", team_id="T1", user_id="UBOT", bot_id="B1")

    async def _open(self, _: web.Request, __: Json) -> web.StreamResponse:
        return _yes(url=f"ws://127.0.0.1:{self._port}/socket?ticket=fake-ticket-{self._next()}")

    async def _post(self, request: web.Request, arguments: Json) -> web.StreamResponse:
        failure = self._failures.popleft() if self._failures else Failure()
        if error := self.channel_errors.get(arguments["channel"]):
            return _no(error)
        posted = self._store(arguments) if failure.stores else None
        await asyncio.sleep(failure.seconds)
        if failure.drop or failure.received:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if failure.body is not None:
            return web.Response(text=failure.body, content_type=failure.kind, status=failure.status)
        if posted is None:
            headers = {} if failure.retry_after is None else {"Retry-After": str(failure.retry_after)}
            return web.json_response({"ok": False, "error": failure.error or "unavailable"}, status=failure.status, headers=headers)
        return _yes(channel=posted.channel, ts=posted.ts, message=posted.payload)

    def _store(self, arguments: Json) -> Posted:
        posted = Posted(channel=arguments["channel"], ts=f"{int(time.time())}.{self._next():06d}", payload=arguments)
        self.messages.append(posted)
        return posted

    async def _update(self, _: web.Request, arguments: Json) -> web.StreamResponse:
        for index, message in enumerate(self.messages):
            if (message.channel, message.ts) == (arguments["channel"], arguments["ts"]):
                self.messages[index] = Posted(channel=message.channel, ts=message.ts, payload={**message.payload, **arguments})
                return _yes(channel=message.channel, ts=message.ts)
        return _no("message_not_found")

    async def _history(self, _: web.Request, arguments: Json) -> web.StreamResponse:
        found = [m for m in self.messages if m.channel == arguments["channel"] and m.thread_ts is None]
        return self._page(found[::-1], arguments)

    async def _replies(self, _: web.Request, arguments: Json) -> web.StreamResponse:
        found = [m for m in self.messages if m.channel == arguments["channel"] and arguments["ts"] in (m.ts, m.thread_ts)]
        return self._page(found, arguments) if found else _no("thread_not_found")

    def _page(self, found: list[Posted], arguments: Json) -> web.StreamResponse:
        start, size = int(arguments.get("cursor") or 0), self.page_size or int(arguments.get("limit", 100))
        shown = found[start : start + size]
        with_metadata = str(arguments.get("include_all_metadata", "0")) in ("1", "true", "True")
        messages = [{"type": "message", "ts": m.ts, "text": m.text, **({"metadata": m.metadata} if with_metadata else {})} for m in shown]
        cursor = str(start + size) if start + size < len(found) else ""
        return _yes(messages=messages, has_more=bool(cursor), response_metadata={"next_cursor": cursor})

    async def _open_dm(self, _: web.Request, arguments: Json) -> web.StreamResponse:
        return _yes(channel={"id": f"D{arguments['users']}"})

    async def _upload_url(self, _: web.Request, arguments: Json) -> web.StreamResponse:
        name = f"F{self._next()}"
        return _yes(upload_url=f"http://127.0.0.1:{self._port}/upload/{name}", file_id=name)

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        self.uploads[request.match_info["name"]] = await request.read()
        return web.Response(text="OK")

    async def _complete_upload(self, _: web.Request, arguments: Json) -> web.StreamResponse:
        files = json.loads(arguments["files"]) if isinstance(arguments["files"], str) else arguments["files"]
        self.files += [(arguments["channel_id"], file["title"], self.uploads[file["id"]]) for file in files]
        return _yes(files=files)

    async def _user(self, _: web.Request, arguments: Json) -> web.StreamResponse:
        user = self.users.get(arguments["user"])
        return _no("user_not_found") if user is None else _yes(user={"id": arguments["user"], "deleted": False, **user})

    async def _respond(self, request: web.Request) -> web.StreamResponse:
        answer = await request.json()
        self.answers.append(answer)
        await self._answered[str(request.url)].put((answer, time.perf_counter()))
        return web.Response(text="ok")

    async def _serve_socket(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(autoclose=not self.deaf)
        await socket.prepare(request)
        await socket.send_json({"type": "hello", "num_connections": 1, "connection_info": {"app_id": "A1"}})
        async with self._opened:
            self._sockets.append(socket)
            self.sockets_opened += 1
            self._opened.notify_all()
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                self._take_ack(json.loads(message.data))
        if self.deaf:
            await asyncio.sleep(PATIENCE)
        return socket

    def _take_ack(self, message: Json) -> None:
        envelope = message["envelope_id"]
        self.acks.append(envelope)
        if not self._acked[envelope].done():
            self._acked[envelope].set_result(time.perf_counter())


async def _arguments(request: web.Request) -> Json:
    if request.content_type == "application/json":
        return dict(await request.json())
    return {**request.query, **(await request.post())}


def _yes(**fields: Any) -> web.Response:  # noqa: ANN401  (the fields of a JSON answer)
    return web.json_response({"ok": True, **fields})


def _no(error: str) -> web.Response:
    return web.json_response({"ok": False, "error": error})
