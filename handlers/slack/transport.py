"""How Slack reaches the app: a web socket that we open (Socket Mode), or requests to our port (HTTP)."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Sequence

import structlog
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.signature import SignatureVerifier
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from bot.domain.errors import SettingsError
from bot.scrubbing import scrubbed
from bot.web import nameless
from handlers.slack.errors import FOREIGN, problem_of
from handlers.slack.once import Once

PING_SECONDS = 5.0
LOST_SECONDS = 30.0  # without a connection for so long, its address is taken for expired
CLOSE_SECONDS = 1.0
MAX_BODY = 256 * 1024  # bytes; a slash command takes about one KiB
BODY_SECONDS = 3.0  # https://docs.slack.dev/interactivity/implementing-slash-commands (Slack waits no longer)
HOST = "0.0.0.0"  # noqa: S104  (HTTP mode is reached from outside, and every request must bear Slack's signature)
PATH = "/slack/events"

_log = structlog.get_logger()


class Scrubber(logging.Filter):
    """Takes tokens and tickets out of what Slack's libraries log, and their tracebacks, which repeat them."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record; never drop it."""
        record.msg, record.args = scrubbed(record.getMessage()), ()
        record.exc_info = record.exc_text = None
        return True


def library_logger() -> logging.Logger:
    """Return the logger that Slack's libraries are given: errors only, without secrets, to wherever the root logger writes.

    Below errors they log whole requests, a user's text among them.
    """
    logger = logging.Logger("slack", logging.ERROR)
    logger.parent = logging.getLogger()
    logger.addFilter(Scrubber())
    return logger


class SocketHandler(AsyncSocketModeHandler):
    """Bolt's handler, which acknowledges an envelope that comes again and does not handle it again."""

    def __init__(self, app: AsyncApp, app_token: str, *, logger: logging.Logger, once: Once) -> None:
        super().__init__(app, app_token, logger=logger, ping_interval=PING_SECONDS)
        self._once = once

    async def handle(self, client: AsyncBaseSocketModeClient, req: SocketModeRequest) -> None:
        """Dispatch a new envelope to the app."""
        if self._once.first(f"envelope {req.envelope_id}"):
            await super().handle(client, req)  # type: ignore[arg-type]  # bolt names the subclass, and uses only this
        else:
            await client.send_socket_mode_response(SocketModeResponse(envelope_id=req.envelope_id))


async def serve_socket(handler: SocketHandler, url: str, on_ready: Callable[[], None]) -> None:
    """Listen on the web socket at `url`, and on those that follow it, until cancelled; then close within CLOSE_SECONDS."""
    client: SocketModeClient = handler.client
    client.wss_uri = url
    watch = asyncio.create_task(_watch(client), name="slack socket watch")
    try:
        await client.connect()  # type: ignore[no-untyped-call]  # slack_sdk has no type here
        on_ready()
        await watch
    finally:
        watch.cancel()
        await _close(client, watch)


async def _watch(client: SocketModeClient) -> None:
    """See that the client gets a new address, and say what becomes of its connection.

    It reconnects by itself, but to the address it has, which serves once and for a short while.
    """
    lost, session = 0.0, await client.session_id()
    while True:
        await asyncio.sleep(PING_SECONDS)
        lost = 0.0 if await client.is_connected() else lost + PING_SECONDS
        if lost:
            _log.warning("slack_socket_lost", seconds=lost)
        elif session != (session := await client.session_id()):
            _log.info("slack_socket_renewed")
        if lost >= LOST_SECONDS:
            client.wss_uri, lost = None, 0.0


async def _close(client: SocketModeClient, watch: asyncio.Task[None]) -> None:
    """Close the socket, and end and await all tasks about it even where Slack does not answer the close."""
    try:
        await asyncio.wait_for(client.close(), CLOSE_SECONDS)  # type: ignore[no-untyped-call]  # slack_sdk has no type here
    except TimeoutError:
        _log.warning("slack_socket_closed_hard")
    tasks = [t for t in (watch, client.message_processor, client.current_session_monitor, client.message_receiver) if t is not None]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await client.aiohttp_client_session.close()


class WebEntrance:
    """The web server of HTTP mode: POST /slack/events for what Slack signed lately, the way of OAuth, and `routes`; GET /healthz where they are none."""

    def __init__(self, *, app: AsyncApp, secret: str, once: Once, routes: Sequence[web.AbstractRouteDef] = ()) -> None:
        self._app = app
        self._verifier = SignatureVerifier(secret)
        self._once = once
        self._routes = routes or [web.get("/healthz", _healthz)]

    async def serve(self, port: int, on_ready: Callable[[int], None]) -> None:
        """Serve on `port` (0: any free one, told to `on_ready`) until cancelled. Raises SettingsError when the port is not to be had."""
        runner = web.AppRunner(self._web_app(), access_log=None, shutdown_timeout=CLOSE_SECONDS)
        await runner.setup()
        try:
            site = web.TCPSite(runner, HOST, port)
            await _start(site, port)
            on_ready(runner.addresses[0][1])
            await asyncio.Event().wait()
        finally:
            await runner.cleanup()

    def _web_app(self) -> web.Application:
        web_app = web.Application(client_max_size=MAX_BODY)
        web_app.router.add_post(PATH, self._events)
        web_app.router.add_routes(self._routes)
        web_app.on_response_prepare.append(nameless)
        if (flow := self._app.oauth_flow) is not None:
            web_app.router.add_get(flow.install_path, _page(flow.handle_installation))
            web_app.router.add_get(flow.redirect_uri_path, _page(flow.handle_callback))
        return web_app

    async def _events(self, request: web.Request) -> web.Response:
        try:
            body = await asyncio.wait_for(request.read(), BODY_SECONDS)
        except TimeoutError:
            return web.Response(status=408)
        if not self._genuine(request, body):
            return web.Response(status=401)
        if not self._once.first(f"signature {request.headers['X-Slack-Signature']}"):
            return web.Response()
        return await to_aiohttp_response(await self._app.async_dispatch(await to_bolt_request(request)))

    def _genuine(self, request: web.Request, body: bytes) -> bool:
        """Signature and age, before anything is parsed; bolt looks again. https://docs.slack.dev/authentication/verifying-requests-from-slack"""
        timestamp = request.headers.get("X-Slack-Request-Timestamp", "")
        if not re.fullmatch(r"[0-9]{1,12}", timestamp):
            return False
        try:
            return self._verifier.is_valid(body, timestamp, request.headers.get("X-Slack-Signature", ""))
        except (UnicodeDecodeError, TypeError):  # a body that is not text, a signature that is not ASCII
            return False


def _page(answer: Callable[[AsyncBoltRequest], Awaitable[BoltResponse]]) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Return what serves a page of OAuth; it says so where Slack is away."""

    async def handle(request: web.Request) -> web.Response:
        try:
            return await to_aiohttp_response(await answer(await to_bolt_request(request)))
        except FOREIGN as error:
            _log.warning("slack_oauth_failed", code=problem_of(error).code)
            return web.Response(status=502, text="Slack cannot be reached. Go back and try again in a minute.")

    return handle


async def _healthz(_: web.Request) -> web.Response:
    return web.json_response({"ok": True})


async def _start(site: web.TCPSite, port: int) -> None:
    try:
        await site.start()
    except OSError as error:
        raise SettingsError("PORT", f"{port} cannot be listened on ({error.strerror}); choose another, or stop what uses it") from error
