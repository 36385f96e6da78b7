"""The Slack surface: signs in, listens by Socket Mode or over HTTP, and lends its sender to the outbox."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable

import structlog
from pydantic import SecretStr
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.domain.errors import SettingsError
from bot.ports import Gazetteer
from handlers.commands import Commands
from handlers.slack.errors import FOREIGN, NO_SLACK, problem_of
from handlers.slack.listener import COMMAND, Admins, Listener, Once
from handlers.slack.notices import SlackNotifier
from handlers.slack.render import ACTION
from handlers.slack.sender import SlackSender
from handlers.slack.transport import SocketHandler, WebEntrance, library_logger, serve_socket

SLACK_API = "https://slack.com/api/"
CALL_SECONDS = 15
FIRST_RETRY, LONGEST_RETRY = 1.0, 60.0

_BOT_MEND = "copy it again from Slack app > OAuth & Permissions (it starts with xoxb-)"
_APP_MEND = "make one with the scope connections:write under Slack app > Basic Information > App-Level Tokens (it starts with xapp-)"
_log = structlog.get_logger()


class SlackSurface:
    """One workspace. `run` listens; `sender` sends whether or not it runs; `ready` is set while Slack can reach the commands.

    HTTP mode where `signing_secret` and `port` are both given (port 0: any free one; `port` then says which), else Socket Mode.
    """

    def __init__(
        self,
        *,
        bot_token: SecretStr,
        app_token: SecretStr | None = None,
        signing_secret: SecretStr | None = None,
        port: int | None = None,
        commands: Commands,
        gazetteer: Gazetteer,
        api_url: str = SLACK_API,
    ) -> None:
        self.ready = asyncio.Event()
        self.port = port
        self._bot_token, self._app_token, self._signing_secret = bot_token, app_token, signing_secret
        self._api_url, self._logger, self._once = api_url, library_logger(), Once()
        self._client = self._web_client(bot_token)
        self._sender = SlackSender(self._client, gazetteer)
        self._listener = Listener(commands=commands, admins=Admins(self._client), once=self._once, client=self._client)

    @property
    def sender(self) -> SlackSender:
        """The sender for every destination of this workspace."""
        return self._sender

    def notifier(self, channel: str) -> SlackNotifier:
        """Return what posts notices into a channel of this workspace."""
        return SlackNotifier(self._client, channel)

    async def run(self) -> None:
        """Listen until cancelled, then close within two seconds; wait while Slack is away.

        Raises SettingsError, naming the variable, for a token that Slack refuses or a port that is taken.
        """
        try:
            answer = await _patiently(self._client.auth_test, "SLACK_BOT_TOKEN", _BOT_MEND)
            _log.info("slack_signed_in", team=answer.get("team"), http=self._signing_secret is not None and self.port is not None)
            await self._listen(self._bolt(answer))
        finally:
            self.ready.clear()
            await self._listener.close()

    async def _listen(self, app: AsyncApp) -> None:
        if self._signing_secret is not None and self.port is not None:
            entrance = WebEntrance(app=app, secret=self._signing_secret.get_secret_value(), once=self._once)
            await entrance.serve(self.port, self._bound)
        elif self._app_token is None:
            raise SettingsError("SLACK_APP_TOKEN", f"missing; {_APP_MEND}; or set SLACK_SIGNING_SECRET and PORT for HTTP mode")
        else:
            await self._listen_on_socket(app, self._app_token.get_secret_value())

    async def _listen_on_socket(self, app: AsyncApp, token: str) -> None:
        async def open_connection() -> AsyncSlackResponse:
            return await self._client.apps_connections_open(app_token=token)

        answer = await _patiently(open_connection, "SLACK_APP_TOKEN", _APP_MEND)
        handler = SocketHandler(app, token, logger=self._logger, once=self._once)
        await serve_socket(handler, str(answer["url"]), self.ready.set)

    def _bound(self, port: int) -> None:
        self.port = port
        self.ready.set()

    def _web_client(self, token: SecretStr | None) -> AsyncWebClient:
        """A client that never retries: the outbox does, with a look for the first attempt before it."""
        return AsyncWebClient(
            token=token.get_secret_value() if token else None,
            base_url=self._api_url,
            timeout=CALL_SECONDS,
            logger=self._logger,
            retry_handlers=[],
        )

    def _bolt(self, auth: AsyncSlackResponse) -> AsyncApp:
        """The bolt app, signed in already: bolt's own auth.test would delay the first acknowledgement."""
        identity = AuthorizeResult.from_auth_test_response(bot_token=self._bot_token.get_secret_value(), auth_test_response=auth)

        async def authorize() -> AuthorizeResult:
            return identity

        secret = self._signing_secret.get_secret_value() if self._signing_secret else ""
        app = AsyncApp(name="attache", client=self._web_client(None), authorize=authorize, signing_secret=secret, logger=self._logger)
        app.command(COMMAND)(self._listener.hear)
        app.action(re.compile(f"^{ACTION}"))(self._listener.press)
        return app


async def _patiently(call: Callable[[], Awaitable[AsyncSlackResponse]], variable: str, mend: str) -> AsyncSlackResponse:
    """Call until Slack answers. Raises SettingsError, naming `variable`, when the answer is no."""
    wait = FIRST_RETRY
    while True:
        try:
            return await call()
        except FOREIGN as error:
            problem = problem_of(error)
            if problem.code.startswith(NO_SLACK) and not problem.passing:
                raise SettingsError(
                    "SLACK_API_URL", f"there is no Slack ({problem.code}); expected an address such as {SLACK_API}"
                ) from error
            if not problem.passing:
                raise SettingsError(variable, f"Slack refuses it ({problem.code}); {mend}") from error
        _log.warning("slack_unreachable", code=problem.code, retry_in=max(wait, problem.wait or 0.0))
        await asyncio.sleep(max(wait, problem.wait or 0.0))
        wait = min(wait * 2, LONGEST_RETRY)
