"""The context menu on messages."""

from __future__ import annotations

import discord
from discord import app_commands

from handlers.discord.host import answerer_of

WHY_THIS = "Why did this alert?"  # at most 32 characters: https://discord.com/developers/docs/interactions/application-commands


def why_menu() -> app_commands.ContextMenu:
    """Return the entry of a message's menu that explains the alert."""
    return app_commands.ContextMenu(name=WHY_THIS, callback=_why)


async def _why(interaction: discord.Interaction, message: discord.Message) -> None:
    await answerer_of(interaction).explain(interaction, message)
