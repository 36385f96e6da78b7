"""The client as commands see it: they find who answers in `interaction.client`, so that none of them keeps anything."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar, cast

import discord
from discord import app_commands

from handlers.discord.answerer import Answerer
from handlers.suggesting import Hint

# https://discord.com/developers/docs/interactions/application-commands#application-command-object-application-command-structure
DESCRIPTION_LIMIT = 100
# https://discord.com/developers/docs/interactions/application-commands#application-command-object-application-command-option-structure
Text = app_commands.Range[str, 1, 150]  # characters; together below the grammar's line
Expression = app_commands.Range[str, 1, 400]
Address = app_commands.Range[str, 1, 900]
EXPRESSION = 'Words, "a phrase", AND OR NOT, tariff*, country:IND, person:, topic:trade, source:'

Complete = Callable[[discord.Interaction, str], Coroutine[Any, Any, list[app_commands.Choice[str]]]]
T = TypeVar("T")


class Host(discord.Client):
    """A client with somebody who answers."""

    answerer: Answerer


def answerer_of(interaction: discord.Interaction) -> Answerer:
    """Return who answers an interaction."""
    return cast(Host, interaction.client).answerer


def shareable(callback: T) -> T:
    """Describe the option `share` of a command."""
    # a decorator of its own each time: discord.py writes the other descriptions of a command into the first decorator's
    return app_commands.describe(share="Let the channel see the answer")(callback)


def completes(hint: Hint) -> Complete:
    """Return what completes an option while it is typed."""

    async def complete(interaction: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
        return await answerer_of(interaction).suggest(interaction, hint, current)

    return complete
