"""Installing the app in many workspaces, by OAuth (HTTP mode only): https://docs.slack.dev/authentication/installing-with-oauth

`/slack/install` sends to Slack, which asks whoever installs and sends them back to `/slack/oauth_redirect` with a code for the token.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urljoin

import structlog
from pydantic import SecretStr
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.authorization.async_authorize import AsyncAuthorize
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.error import BoltError
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_bolt.oauth.async_oauth_settings import AsyncOAuthSettings
from slack_sdk.oauth.installation_store import Installation as SlackInstallation
from slack_sdk.oauth.installation_store.async_installation_store import AsyncInstallationStore
from slack_sdk.oauth.state_store.async_state_store import AsyncOAuthStateStore
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.alerts import Surface
from bot.domain.errors import SettingsError
from bot.ports import Channels, Installation, Installations
from bot.sealing import Seal
from handlers.commands import Commands
from handlers.slack.once import Once

# What a workspace is asked for; the same as in config/slack-manifest.yaml, where each says what it is for.
SCOPES = (
    "channels:history",
    "channels:read",
    "chat:write",
    "commands",
    "files:write",
    "groups:history",
    "groups:read",
    "im:write",
    "usergroups:read",
    "users:read",
)
STATE_SECONDS = 600  # between /slack/install and Slack's answer

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class OAuth:
    """What it takes: the app's credentials (Slack app > Basic Information), where installations are kept, and the seal for the states."""

    client_id: str
    client_secret: SecretStr
    installations: Installations
    channels: Channels
    seal: Seal


class SealedStates(AsyncOAuthStateStore):
    """States that need no table: sealed with our key, good for STATE_SECONDS and once a process; bolt ties each to a cookie besides."""

    def __init__(self, seal: Seal, once: Once) -> None:
        self._seal = seal
        self._once = once

    async def async_issue(self, *args: object, **kwargs: object) -> str:
        """Return a new state; its padding is left out, which a cookie would put in quotes."""
        return self._seal.close("state").decode().rstrip("=")

    async def async_consume(self, state: str) -> bool:
        """Say whether a state is ours, young and new."""
        try:
            sealed = (state + "=" * (-len(state) % 4)).encode("ascii")
        except UnicodeEncodeError:
            return False
        return self._seal.open(sealed, STATE_SECONDS) == "state" and self._once.first(f"state {state}")


class Register(AsyncInstallationStore):
    """Keeps what bolt's flow installs. Finding and deleting is done without bolt."""

    def __init__(self, installations: Installations, commands: Commands) -> None:
        self._installations = installations
        self._commands = commands

    async def async_save(self, installation: SlackInstallation) -> None:
        """Keep an installation and let the workspace's subscriptions go on. Raises BoltError for one of a whole organization."""
        team, token = installation.team_id, installation.bot_token
        if installation.is_enterprise_install or not team or not token:
            raise BoltError("only single workspaces can install this app, with a bot token")
        made = Installation(
            team=team,
            name=installation.team_name or "",
            token=token,
            bot_user=installation.bot_user_id or "",
            scopes=tuple(installation.bot_scopes or ()),
            installed_by=f"{Surface.SLACK}:{installation.user_id}",
            installed_at=datetime.now(UTC),
        )
        await self._installations.install(made)
        resumed = await self._commands.returned(Surface.SLACK, team)
        _log.info("slack_installed", team=team, resumed=resumed)


class Authorize(AsyncAuthorize):
    """Finds the token of the workspace that a request comes from; asks Slack nothing, which would delay the acknowledgement."""

    def __init__(self, installations: Installations) -> None:
        self._installations = installations

    async def __call__(
        self,
        *,
        context: AsyncBoltContext,
        enterprise_id: str | None,
        team_id: str | None,
        user_id: str | None,
        actor_enterprise_id: str | None = None,
        actor_team_id: str | None = None,
        actor_user_id: str | None = None,
    ) -> AuthorizeResult | None:
        """Return who we are there; None where the app is not installed, or its token cannot be read."""
        try:
            found = await self._installations.installation(team_id or "")
        except SettingsError as error:
            _log.error("slack_token_unreadable", team=team_id, problem=str(error))
            return None
        if found is None:
            return None
        return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, bot_user_id=found.bot_user, bot_token=found.token)


def oauth_flow(oauth: OAuth, client: AsyncWebClient, commands: Commands, logger: logging.Logger, once: Once) -> AsyncOAuthFlow:
    """Return bolt's flow over our stores; the page on which Slack asks is beside the API that `client` calls."""
    settings = AsyncOAuthSettings(
        client_id=oauth.client_id,
        client_secret=oauth.client_secret.get_secret_value(),
        scopes=SCOPES,
        user_scopes=(),
        install_page_rendering_enabled=False,
        authorization_url=urljoin(client.base_url, "../oauth/v2/authorize"),
        installation_store=Register(oauth.installations, commands),
        state_store=SealedStates(oauth.seal, once),
        state_expiration_seconds=STATE_SECONDS,
        logger=logger,
    )
    return AsyncOAuthFlow(client=client, logger=logger, settings=settings)
