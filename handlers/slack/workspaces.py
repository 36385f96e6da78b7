"""Which token speaks for a channel: the one of the only workspace, or that of the workspace which installed the app by OAuth."""

from __future__ import annotations

import logging
from typing import Protocol

from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.alerts import Destination
from bot.domain.errors import FinalDeliveryError, SettingsError, TemporaryDeliveryError
from bot.ports import Channels, Installations

CALL_SECONDS = 15
NOT_INSTALLED = "not_installed"


def web_client(api_url: str, logger: logging.Logger, token: str | None = None) -> AsyncWebClient:
    """Return a client that never retries: the outbox does, with a look for the first attempt before it."""
    return AsyncWebClient(token=token, base_url=api_url, timeout=CALL_SECONDS, logger=logger, retry_handlers=[])


class Workspaces(Protocol):
    """Lends clients."""

    async def client_for(self, destination: Destination) -> AsyncWebClient:
        """Return a client with the token of the channel's workspace. Raises TemporaryDeliveryError or FinalDeliveryError."""
        ...


class OneWorkspace:
    """The workspace of SLACK_BOT_TOKEN."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client

    async def client_for(self, destination: Destination) -> AsyncWebClient:
        """See `Workspaces.client_for`."""
        return self._client


class ManyWorkspaces:
    """Those that installed the app; a channel is of the workspace in which it was subscribed."""

    def __init__(self, *, installations: Installations, channels: Channels, api_url: str, logger: logging.Logger) -> None:
        self._installations = installations
        self._channels = channels
        self._api_url = api_url
        self._logger = logger

    async def client_for(self, destination: Destination) -> AsyncWebClient:
        """See `Workspaces.client_for`."""
        subscription = await self._channels.subscription(destination)
        try:
            found = await self._installations.installation(subscription.team) if subscription else None
        except SettingsError as error:  # mended by whoever runs the bot, not by the channel
            raise TemporaryDeliveryError(str(error)) from error
        if found is None:
            raise FinalDeliveryError("the app is not installed in this channel's workspace any more", NOT_INSTALLED)
        return web_client(self._api_url, self._logger, found.token)
