"""The Slack surface: signs in, listens by Socket Mode or over HTTP, and lends its sender to the outbox."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence

import structlog
from aiohttp import web
from pydantic import SecretStr
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.domain.alerts import Surface
from bot.domain.errors import SettingsError, StoreError
from bot.ports import Gazetteer
from handlers.commands import Commands
from handlers.slack import modals
from handlers.slack.answering import Answers
from handlers.slack.dialogs import Dialogs
from handlers.slack.errors import FOREIGN, NO_SLACK, problem_of
from handlers.slack.home import DO
from handlers.slack.homes import Homes
from handlers.slack.installing import Authorize, OAuth, oauth_flow
from handlers.slack.leaving import Leaving
from handlers.slack.listener import COMMAND, Listener
from handlers.slack.notices import SlackNotifier
from handlers.slack.once import Once
from handlers.slack.render import ACTION
from handlers.slack.rights import Rights
from handlers.slack.sender import SlackSender
from handlers.slack.transport import SocketHandler, WebEntrance, library_logger, serve_socket
from handlers.slack.workspaces import ManyWorkspaces, OneWorkspace, web_client

SLACK_API = "https://slack.com/api/"
NOT_HERE = "The app is not installed in this workspace, or not any more. Ask whoever runs it for the link to install it."
FIRST_RETRY, LONGEST_RETRY = 1.0, 60.0

_BOT_MEND = "copy it again from Slack app > OAuth & Permissions (it starts with xoxb-)"
_APP_MEND = "make one with the scope connections:write under Slack app > Basic Information > App-Level Tokens (it starts with xapp-)"
_log = structlog.get_logger()


class SlackSurface:
    """The workspace of `bot_token`, or with `oauth` all that install the app. `run` listens; `sender` sends whether or not it runs.

    HTTP mode where `signing_secret` and `port` are both given (port 0: any free one; `port` then says which), else Socket Mode; OAuth
    needs HTTP mode, in which `routes` are served too. `ready` is set while Slack can reach the commands. `admin_group` (handle or id) is a user group whose members are
    admins; `home` the workspace whose admins administer what is everybody's, None: every one's do.
    """

    def __init__(
        self,
        *,
        bot_token: SecretStr | None = None,
        oauth: OAuth | None = None,
        app_token: SecretStr | None = None,
        signing_secret: SecretStr | None = None,
        port: int | None = None,
        commands: Commands,
        gazetteer: Gazetteer,
        admin_group: str | None = None,
        home: str | None = None,
        api_url: str = SLACK_API,
        routes: Sequence[web.AbstractRouteDef] = (),
    ) -> None:
        self.ready = asyncio.Event()
        self._routes = routes
        self.port = port
        self._bot_token, self._oauth, self._app_token, self._signing_secret = bot_token, oauth, app_token, signing_secret
        self._api_url, self._logger, self._once = api_url, library_logger(), Once()
        self._commands, self._answers = commands, Answers()
        self._rights = Rights(narrows_only=commands.narrows_only, group=admin_group, home=home)
        self._client = web_client(api_url, self._logger, bot_token.get_secret_value() if bot_token else None)
        self._sender = SlackSender(self._workspaces(), gazetteer)

    def _workspaces(self) -> OneWorkspace | ManyWorkspaces:
        if self._oauth is None:
            return OneWorkspace(self._client)
        oauth = self._oauth
        return ManyWorkspaces(installations=oauth.installations, channels=oauth.channels, api_url=self._api_url, logger=self._logger)

    @property
    def sender(self) -> SlackSender:
        """The sender for every destination of these workspaces."""
        return self._sender

    def notifier(self, channel: str) -> SlackNotifier:
        """Return what posts notices into a channel of the workspace of the bot token."""
        return SlackNotifier(self._client, channel)

    async def run(self) -> None:
        """Listen until cancelled, then close within two seconds; wait while Slack is away.

        Raises SettingsError, naming the variable, for a token that Slack refuses or a port that is taken.
        """
        try:
            await self._listen(self._app_of_many(self._oauth) if self._oauth else await self._app_of_one())
        finally:
            self.ready.clear()
            await self._answers.close()

    async def _listen(self, app: AsyncApp) -> None:
        if self._signing_secret is not None and self.port is not None:
            secret = self._signing_secret.get_secret_value()
            entrance = WebEntrance(app=app, secret=secret, once=self._once, routes=self._routes)
            await entrance.serve(self.port, self._bound)
        elif self._oauth is not None:
            raise SettingsError("SLACK_SIGNING_SECRET", "installing by OAuth needs HTTP mode: set this and PORT")
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

    async def _app_of_one(self) -> AsyncApp:
        """Sign in, and return the bolt app: its own auth.test would delay the first acknowledgement."""
        answer = await _patiently(self._client.auth_test, "SLACK_BOT_TOKEN", _BOT_MEND)
        team = str(answer.get("team_id") or "")
        _log.info("slack_signed_in", team=answer.get("team"))
        if not await self._noted(team):
            self._answers.start(self._note(team))
        identity = AuthorizeResult.from_auth_test_response(bot_token=self._client.token, auth_test_response=answer)

        async def authorize() -> AuthorizeResult:
            return identity

        client = web_client(self._api_url, self._logger)
        return self._taught(
            AsyncApp(name="attache", client=client, authorize=authorize, signing_secret=self._secret(), logger=self._logger)
        )

    async def _noted(self, team: str) -> bool:
        """Let the workspace's subscriptions go on that its leaving paused; False while the store is in trouble."""
        try:
            resumed = await self._commands.returned(Surface.SLACK, team)
        except StoreError:
            return False
        if resumed:
            _log.info("slack_workspace_told_again", team=team, resumed=resumed)
        return True

    async def _note(self, team: str) -> None:
        while not await self._noted(team):  # noqa: ASYNC110  (the store tells nobody when it is well again)
            await asyncio.sleep(LONGEST_RETRY)

    def _app_of_many(self, oauth: OAuth) -> AsyncApp:
        """Return the bolt app that is whoever installed it."""
        client = web_client(self._api_url, self._logger)
        flow = oauth_flow(oauth, client, self._commands, self._logger, self._once)
        return self._taught(
            AsyncApp(
                name="attache",
                client=client,
                authorize=Authorize(oauth.installations),  # type: ignore[arg-type]  # bolt takes this too, and says so nowhere
                oauth_flow=flow,
                user_facing_authorize_error_message=NOT_HERE,
                signing_secret=self._secret(),
                logger=self._logger,
            )
        )

    def _secret(self) -> str:
        return self._signing_secret.get_secret_value() if self._signing_secret else ""

    def _taught(self, app: AsyncApp) -> AsyncApp:
        """Tell the app who hears what."""
        homes = Homes(commands=self._commands, rights=self._rights, answers=self._answers, once=self._once)
        dialogs = Dialogs(commands=self._commands, rights=self._rights, homes=homes)
        listener = Listener(
            commands=self._commands, rights=self._rights, answers=self._answers, once=self._once, dialogs=dialogs, homes=homes
        )
        leaving = Leaving(commands=self._commands, installations=self._oauth.installations if self._oauth else None)
        app.command(COMMAND)(listener.hear)
        app.action(re.compile(f"^{ACTION}"))(listener.press)
        app.action(re.compile(f"^{DO}"))(homes.pressed)
        app.view(modals.SUBSCRIBE)(dialogs.subscribed)
        app.view(modals.KEYWORD)(dialogs.keyword)
        app.event("app_home_opened")(homes.opened)
        app.event("app_uninstalled")(leaving.uninstalled)
        app.event("tokens_revoked")(leaving.revoked)
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
