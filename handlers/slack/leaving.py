"""The app is taken out of a workspace: its token is forgotten, and its channels are not told of anything until it is back."""

from __future__ import annotations

from typing import Any

import structlog
from slack_bolt.context.ack.async_ack import AsyncAck

from bot.domain.alerts import Surface
from bot.ports import Installations
from handlers.commands import Commands

_log = structlog.get_logger()


class Leaving:
    """Hears of it. `installations` where there are many workspaces; both events are harmless a second time, as Slack sends them.

    Bolt acknowledges events by itself, first. One that is lost between costs nothing: the token is void, and the next alert pauses its channel.
    """

    def __init__(self, *, commands: Commands, installations: Installations | None) -> None:
        self._commands = commands
        self._installations = installations

    async def uninstalled(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """https://docs.slack.dev/reference/events/app_uninstalled"""
        await ack()
        await self._left(str(body.get("team_id") or ""))

    async def revoked(self, ack: AsyncAck, body: dict[str, Any], event: dict[str, Any]) -> None:
        """Tokens of users are none of ours. https://docs.slack.dev/reference/events/tokens_revoked"""
        await ack()
        if (event.get("tokens") or {}).get("bot"):
            await self._left(str(body.get("team_id") or ""))

    async def _left(self, team: str) -> None:
        if self._installations is not None:
            await self._installations.uninstall(team)
        paused = await self._commands.removed(Surface.SLACK, team)
        _log.warning("slack_workspace_left", team=team, paused=paused)
