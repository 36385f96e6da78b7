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
Failures: `fake.fail(2, status=503)` fails the next two chat.postMessage, see Failure; `fake.gate` is asked of every request. `fake.calls` lists every call as
(method, arguments, loop time). `fake.away = 3` answers the next three calls of any method with 503; `fake.statuses["users.info"] = 404`
answers that method so until it is taken out; `fake.deaf` never answers the close of a web socket. `disconnect()`, `drop()` and `cut()` end
a web socket in the ways in which Slack and networks do; the address of one serves once.
HTTP mode: `await fake.type_http(url, "status")` signs as Slack does; `secret`, `age` and `headers` spoil it on purpose; `post_http` sends
any payload so.
Dialogs and the home tab: `fake.views` are the dialogs opened, `fake.homes` the tab of each user; `await fake.submit(view, {...})` fills one in
and gives the acknowledgement; `await fake.act("home:add", "add")` presses a button of the tab; `await fake.event({...})` tells an event;
`await fake.until(lambda: ...)` waits for what a call brings about. A trigger opens one dialog.
Many workspaces: `fake.tokens` says of which each token is, `fake.codes` what oauth.v2.access gives for a code; `fake.spoken` are the calls as
(method, token). What breaks Block Kit's limits is refused as `invalid_blocks`, and `fake.refused` says why.
Everything a test may wait for is bounded; what a test did not expect fails it rather than hang.
"""

from __future__ import annotations

import asyncio
import base64
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

from tests.fakes.gate import Gate, gated
from tests.slack.blockkit import message_problems, view_problems

Json = dict[str, Any]
PATIENCE = 5.0


@dataclass(frozen=True, kw_only=True)
class Failure:
    """How a chat.postMessage fails: an HTTP `status` (with Retry-After in seconds, and `asks` for the same in the body), Slack's word in `error`,
    or by dropping the connection.

    `received` is what a crash looks like: the message is in the channel, then the connection drops. `seconds` delays the answer.
    `body`, of content type `kind`, comes in place of JSON.
    """

    status: int = 200
    error: str | None = None
    retry_after: int | None = None
    asks: float | str | None = None
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
    client_id, client_secret = "1.2", "fake-client-secret"

    def __init__(self) -> None:
        self.messages: list[Posted] = []
        self.uploads: dict[str, bytes] = {}
        self.files: list[tuple[str, str, bytes]] = []  # channel, title, content of what was shared there
        self.answers: list[Json] = []
        self.calls: list[tuple[str, Json, float]] = []
        self.acks: list[str] = []
        self.users: dict[str, Json] = {"U1": {}, "UADMIN": {"is_admin": True}, "UOWNER": {"is_owner": True}}
        self.channel_errors: dict[str, str] = {}
        self.channels: dict[str, Json] = {}  # more fields of conversations.info, by channel
        self.scopes: list[str] | None = None  # the header that names them; None: there is none
        self.clock: str | None = None  # the Date header of auth.test
        self.missing_scopes: set[str] = set()
        self.page_size: int | None = None
        self.away = 0
        self.deaf = False
        self.statuses: dict[str, int] = {}
        self.sockets_opened = 0
        self.tokens = {self.bot_token: "T1"}
        self.codes: dict[str, Json] = {}
        self.spoken: list[tuple[str, str]] = []
        self.errors: dict[str, str] = {}
        self.views: list[Json] = []
        self.homes: dict[str, Json] = {}
        self.groups: dict[str, tuple[str, list[str]]] = {}  # id: handle, members
        self.outside: set[str] = set()  # channels that the app is not in
        self.refused: list[str] = []
        self.dropping: set[str] = set()  # methods whose connection breaks before an answer
        self.lost: int | str = 200  # how response URLs answer: a status, or "drop"
        self.gate: Gate | None = None
        self._triggers: set[str] = set()
        self._acks: dict[str, Json] = {}
        self._called = asyncio.Condition()
        self._failures: deque[Failure] = deque()
        self._sockets: list[web.WebSocketResponse] = []
        self._wires: dict[web.WebSocketResponse, asyncio.Transport] = {}
        self._tickets: set[str] = set()
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

    async def disconnect(self, reason: str = "refresh_requested", *, closes: bool = False) -> None:
        """Ask the app to come back on a new web socket, as Slack does every few hours; `closes` the old one at once, as it may.

        https://docs.slack.dev/apis/events-api/using-socket-mode#disconnect
        """
        socket = self._socket
        await socket.send_json({"type": "disconnect", "reason": reason, "debug_info": {}})
        if closes:
            await socket.close()

    async def drop(self) -> None:
        """Close the web socket without a word."""
        await self._socket.close()

    def cut(self) -> None:
        """Break the connection under the web socket: not even a close comes."""
        self._wires[self._socket].abort()

    async def type(self, text: str, user: str = "U1", channel: str = "C1", timeout: float = PATIENCE) -> Typed:  # noqa: ASYNC109  (a bound, for tests)
        """Type `/attache TEXT` and wait for the acknowledgement and the answer."""
        command = self.command(text, user, channel)
        started = time.perf_counter()
        return await self._answer(command, await self.deliver(command), started, timeout)

    async def typing(self, text: str, user: str = "U1", channel: str = "C1") -> None:
        """Type `/attache TEXT` and wait for the acknowledgement only."""
        await asyncio.wait_for(await self.deliver(self.command(text, user, channel)), PATIENCE)

    async def press(self, message: Posted, action: str, *, user: str = "U1", timeout: float = PATIENCE) -> Typed:  # noqa: ASYNC109  (a bound, for tests)
        """Press the button `action` under a message and wait for the acknowledgement and the answer. Raises StopIteration where there is none."""
        payload = self.pressed(message, action, user=user)
        started = time.perf_counter()
        ack = await self.deliver(payload, kind="interactive")
        return await self._answer(payload, ack, started, timeout)

    def pressed(self, message: Posted, action: str, *, user: str = "U1") -> Json:
        """Return the payload of a press of the button `action` under a message."""
        buttons = [x for block in message.payload["blocks"] if block["type"] == "actions" for x in block["elements"]]
        button = next(b for b in buttons if b["action_id"] == action)
        command = self.command("", user, message.channel)
        return {
            **self._interaction("block_actions", user),
            "channel": {"id": message.channel, "name": "trade"},
            "container": {"type": "message", "message_ts": message.ts, "channel_id": message.channel},
            "trigger_id": command["trigger_id"],
            "response_url": command["response_url"],
            "actions": [{"type": "button", "action_id": action, "value": button["value"], "block_id": "b", "action_ts": message.ts}],
        }

    async def act(self, action: str, value: str, *, user: str = "U1", team: str = "T1") -> None:
        """Press a button of the home tab and wait for the acknowledgement. Raises AssertionError where the tab has no such button."""
        elements = [x for block in self.homes[user]["blocks"] if block["type"] == "actions" for x in block["elements"]]
        assert (action, value) in [(x["action_id"], x["value"]) for x in elements]
        await self.deliver_action(action, value, user=user, team=team)

    async def deliver_action(self, action: str, value: str, *, user: str = "U1", team: str = "T1") -> None:
        """The same, whatever the tab shows."""
        actions = [{"type": "button", "action_id": action, "value": value, "action_ts": f"{time.time():.6f}"}]
        payload = {**self._interaction("block_actions", user, team), "view": {"type": "home"}, "actions": actions}
        await asyncio.wait_for(await self.deliver(payload, kind="interactive"), PATIENCE)

    def submitted(self, view: Json, values: Json, *, user: str = "U1", team: str = "T1") -> Json:
        """Return the payload of a filled dialog: what was there, with `values` by the names of fields."""
        filled = {b["block_id"]: {"value": _state(b["element"], values.get(b["block_id"]))} for b in view["blocks"] if b["type"] == "input"}
        return {**self._interaction("view_submission", user, team), "view": {**view, "state": {"values": filled}}}

    async def submit(self, view: Json, values: Json, *, user: str = "U1", team: str = "T1") -> Json:
        """Send a dialog with `values` filled in and return the acknowledgement's payload."""
        envelope = f"envelope-{self._next()}"
        payload = self.submitted(view, values, user=user, team=team)
        await asyncio.wait_for(await self.deliver(payload, envelope=envelope, kind="interactive"), PATIENCE)
        answer = self._acks[envelope]
        assert view_problems(answer["view"]) == [] if "view" in answer else True
        return answer

    def told(self, event: Json, *, team: str = "T1") -> Json:
        """Return the payload of an event. https://docs.slack.dev/apis/events-api#callback-field"""
        return {"type": "event_callback", "team_id": team, "api_app_id": "A1", "event_id": f"Ev{self._next()}", "event": event}

    async def event(self, event: Json, *, team: str = "T1") -> None:
        """Tell an event and wait for the acknowledgement."""
        await asyncio.wait_for(await self.deliver(self.told(event, team=team), kind="events_api"), PATIENCE)

    async def until(self, condition: Callable[[], object], timeout: float = PATIENCE) -> None:  # noqa: ASYNC109  (a bound, for tests)
        """Wait until a call has made `condition` true."""
        async with asyncio.timeout(timeout), self._called:
            await self._called.wait_for(lambda: bool(condition()))

    async def answered(self, count: int) -> None:
        """Wait until `count` answers have come to response URLs since the start."""
        await self.until(lambda: len(self.answers) >= count)

    def _interaction(self, kind: str, user: str, team: str = "T1") -> Json:
        trigger = f"trigger-{self._next()}"
        self._triggers.add(trigger)
        return {
            "type": kind,
            "user": {"id": user, "team_id": team},
            "team": {"id": team, "domain": "fake"},
            "api_app_id": "A1",
            "trigger_id": trigger,
        }

    async def _answer(self, payload: Json, ack: asyncio.Future[float], started: float, timeout: float) -> Typed:  # noqa: ASYNC109  (a bound, for tests)
        async with asyncio.timeout(timeout):
            acked = await ack
            answer, answered = await self._answered[payload["response_url"]].get()
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

    async def post_http(self, url: str, payload: Json) -> tuple[int, str]:
        """Send an interaction, an event or a command to an app in HTTP mode; return the status and the body."""
        kind = payload.get("type", "")
        body = json.dumps(payload) if kind == "event_callback" else urlencode({"payload": json.dumps(payload)} if kind else payload)
        signed = self.signed(body)
        if kind == "event_callback":
            signed["Content-Type"] = "application/json"
        async with asyncio.timeout(PATIENCE), aiohttp.ClientSession() as session, session.post(url, data=body, headers=signed) as response:
            return response.status, await response.text()

    def signed(self, body: str, *, secret: str | None = None, age: float = 0.0) -> dict[str, str]:
        """Return the headers with which Slack sends `body`."""
        timestamp = str(int(time.time() - age))
        signature = SignatureVerifier(secret or self.signing_secret).generate_signature(timestamp=timestamp, body=body)
        return {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": str(signature),
        }

    def command(self, text: str, user: str = "U1", channel: str = "C1", team: str = "T1") -> Json:
        """Return the fields of a typed command, with a response URL of its own."""
        number = self._next()
        self._triggers.add(f"trigger-{number}")
        response_url = f"http://127.0.0.1:{self._port}/response/{number}"
        self._answered[response_url] = asyncio.Queue()
        return {
            "command": "/attache",
            "text": text,
            "user_id": user,
            "user_name": user.casefold(),
            "channel_id": channel,
            "channel_name": "trade",
            "team_id": team,
            "team_domain": "fake",
            "api_app_id": "A1",
            "trigger_id": f"trigger-{number}",
            "response_url": response_url,
        }

    # --- how it answers

    def _web_app(self) -> web.Application:
        app = web.Application(middlewares=[gated(lambda: self.gate)])
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
        response = await self._called_api(request)
        async with self._called:
            self._called.notify_all()
        return response

    async def _called_api(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        arguments = await _arguments(request)
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        self.calls.append((method, arguments, asyncio.get_running_loop().time()))
        self.spoken.append((method, token))
        if self.away:
            self.away -= 1
            return web.Response(status=503)
        if method in self.dropping:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if method in self.statuses:
            return web.Response(status=self.statuses[method], text="no Slack here")
        if method == "oauth.v2.access":
            return self._access(request, arguments)
        if token not in ([self.app_token] if method == "apps.connections.open" else self.tokens):
            return _no("invalid_auth")
        if method in self.missing_scopes:
            return _no("missing_scope")
        if method in self.errors:
            return _no(self.errors[method])
        answers: dict[str, Callable[[web.Request, Json], Awaitable[web.StreamResponse]]] = {
            "auth.test": self._auth_test,
            "apps.connections.open": self._open,
            "chat.postMessage": self._post,
            "chat.update": self._update,
            "conversations.history": self._history,
            "conversations.replies": self._replies,
            "conversations.info": self._channel,
            "users.info": self._user,
            "usergroups.list": self._groups,
            "usergroups.users.list": self._members,
            "conversations.open": self._open_dm,
            "files.getUploadURLExternal": self._upload_url,
            "files.completeUploadExternal": self._complete_upload,
            "views.open": self._open_view,
            "views.publish": self._publish_view,
        }
        return await answers[method](request, arguments) if method in answers else _no("unknown_method")

    def _access(self, request: web.Request, arguments: Json) -> web.StreamResponse:
        """https://docs.slack.dev/reference/methods/oauth.v2.access: the app's credentials come by HTTP Basic."""
        credentials = base64.b64encode(f"{self.client_id}:{self.client_secret}".encode()).decode()
        if request.headers.get("Authorization") != f"Basic {credentials}":
            return _no("bad_client_secret")
        if (granted := self.codes.pop(arguments["code"], None)) is None:
            return _no("invalid_code")
        self.tokens[granted["access_token"]] = granted["team"]["id"]
        return _yes(app_id="A1", token_type="bot", **granted)

    async def _open_view(self, _: web.Request, arguments: Json) -> web.StreamResponse:
        if arguments["trigger_id"] not in self._triggers:
            return _no("expired_trigger_id")
        self._triggers.discard(arguments["trigger_id"])
        if self._refuses(view_problems(arguments["view"])) or arguments["view"]["type"] != "modal":
            return _no("invalid_arguments")
        self.views.append(arguments["view"])
        return _yes(view={"id": f"V{self._next()}", **arguments["view"]})

    async def _publish_view(self, _: web.Request, arguments: Json) -> web.StreamResponse:
        if self._refuses(view_problems(arguments["view"])) or arguments["view"]["type"] != "home":
            return _no("invalid_arguments")
        self.homes[arguments["user_id"]] = arguments["view"]
        return _yes(view=arguments["view"])

    def _refuses(self, problems: list[str]) -> bool:
        self.refused += problems
        return bool(problems)

    async def _channel(self, _: web.Request, arguments: Json) -> web.StreamResponse:
        if error := self.channel_errors.get(arguments["channel"]):
            return _no(error)
        known = {"id": arguments["channel"], "name": "trade", "is_member": arguments["channel"] not in self.outside}
        return _yes(channel=known | self.channels.get(arguments["channel"], {}))

    async def _groups(self, _: web.Request, __: Json) -> web.StreamResponse:
        return _yes(usergroups=[{"id": name, "handle": handle} for name, (handle, _) in self.groups.items()])

    async def _members(self, _: web.Request, arguments: Json) -> web.StreamResponse:
        group = self.groups.get(arguments["usergroup"])
        return _no("no_such_subteam") if group is None else _yes(users=group[1])

    async def _auth_test(self, request: web.Request, __: Json) -> web.StreamResponse:
        team = self.tokens[request.headers["Authorization"].removeprefix("Bearer ")]
        answer = _yes(url="https://fake.slack.example/", team="Fake", user="attache", team_id=team, user_id="UBOT", bot_id="B1")
        answer.headers.update({"X-OAuth-Scopes": ",".join(self.scopes)} if self.scopes is not None else {})
        if self.clock is not None:
            answer.headers["Date"] = self.clock
        return answer

    async def _open(self, _: web.Request, __: Json) -> web.StreamResponse:
        ticket = f"fake-ticket-{self._next()}"
        self._tickets.add(ticket)
        return _yes(url=f"ws://127.0.0.1:{self._port}/socket?ticket={ticket}")

    async def _post(self, request: web.Request, arguments: Json) -> web.StreamResponse:
        failure = self._failures.popleft() if self._failures else Failure()
        if error := self.channel_errors.get(arguments["channel"]):
            return _no(error)
        if self._refuses(message_problems(arguments)):
            return _no("invalid_blocks")
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
            said = {} if failure.asks is None else {"retry_after": failure.asks}
            return web.json_response({"ok": False, "error": failure.error or "unavailable", **said}, status=failure.status, headers=headers)
        return _yes(channel=posted.channel, ts=posted.ts, message=posted.payload)

    def _store(self, arguments: Json) -> Posted:
        posted = Posted(channel=arguments["channel"], ts=f"{int(time.time())}.{self._next():06d}", payload=arguments)
        self.messages.append(posted)
        return posted

    async def _update(self, _: web.Request, arguments: Json) -> web.StreamResponse:
        if self._refuses(message_problems(arguments)):
            return _no("invalid_blocks")
        for index, message in enumerate(self.messages):
            if (message.channel, message.ts) == (arguments["channel"], arguments["ts"]):
                self.messages[index] = Posted(channel=message.channel, ts=message.ts, payload={**message.payload, **arguments})
                return _yes(channel=message.channel, ts=message.ts)
        return _no("message_not_found")

    async def _history(self, _: web.Request, arguments: Json) -> web.StreamResponse:
        shown = [m for m in self.messages if m.thread_ts is None or m.payload.get("reply_broadcast")]
        found = [m for m in shown if m.channel == arguments["channel"] and float(m.ts) >= float(arguments.get("oldest", 0))]
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
        return (
            _no("user_not_found") if user is None else _yes(user={"id": arguments["user"], "deleted": False, "tz": "Asia/Kolkata", **user})
        )

    async def _respond(self, request: web.Request) -> web.StreamResponse:
        answer = await request.json()
        if self.lost != 200:
            return await self._lose(request, answer)
        if self._refuses(message_problems(answer)):
            return web.Response(status=400, text="invalid_blocks")
        self.answers.append(answer)
        async with self._called:
            self._called.notify_all()
        await self._answered[str(request.url)].put((answer, time.perf_counter()))
        return web.Response(text="ok")

    async def _lose(self, request: web.Request, answer: Json) -> web.StreamResponse:
        self.answers.append(answer)
        async with self._called:
            self._called.notify_all()
        if self.lost == "drop":
            assert request.transport is not None
            request.transport.abort()
        return web.Response(status=404 if self.lost == "drop" else int(self.lost))

    async def _serve_socket(self, request: web.Request) -> web.StreamResponse:
        if request.query["ticket"] not in self._tickets:
            return web.Response(status=408, text="the ticket was used, or is too old")
        self._tickets.discard(request.query["ticket"])
        socket = web.WebSocketResponse(autoclose=not self.deaf)
        await socket.prepare(request)
        assert isinstance(request.transport, asyncio.Transport)
        self._wires[socket] = request.transport
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
        self._acks[envelope] = dict(message.get("payload") or {})
        if not self._acked[envelope].done():
            self._acked[envelope].set_result(time.perf_counter())


def _state(element: Json, value: Any) -> Json:  # noqa: ANN401  (text, or texts where several may be ticked)
    """Return what Slack says of a field: as `value` fills it, or as it was. https://docs.slack.dev/reference/interaction-payloads/view-interactions-payload"""
    kind = element["type"]
    if kind == "checkboxes":
        had = element.get("initial_options", []) if value is None else [o for o in element["options"] if o["value"] in value]
        return {"type": kind, "selected_options": had}
    if kind == "radio_buttons":
        options = {o["value"]: o for o in element["options"]}
        return {"type": kind, "selected_option": element.get("initial_option") if value is None else options[value]}
    name, initial = {
        "timepicker": ("selected_time", "initial_time"),
        "conversations_select": ("selected_conversation", ""),
    }.get(kind, ("value", "initial_value"))
    return {"type": kind, name: (element.get(initial) if value is None else value) or None}


async def _arguments(request: web.Request) -> Json:
    if request.content_type == "application/json":
        return dict(await request.json())
    return {**request.query, **(await request.post())}


def _yes(**fields: Any) -> web.Response:  # noqa: ANN401  (the fields of a JSON answer)
    return web.json_response({"ok": True, **fields})


def _no(error: str) -> web.Response:
    return web.json_response({"ok": False, "error": error})
