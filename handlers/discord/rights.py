"""Who asks, and whether Discord makes them an admin of what they ask for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import discord

from bot.domain.alerts import Surface
from bot.domain.errors import UsageError
from handlers.grammar import Actor, Name, parse

# What belongs to a channel, and so to those who manage its server; all else is the whole installation's.
_OF_A_CHANNEL = frozenset({Name.SUBSCRIBE, Name.UNSUBSCRIBE, Name.MUTE, Name.DIGEST})


class Rights:
    """Makes actors of members. Managers of a server, and members with the role `role` (name or id), are admins of its channels.

    Of what is everybody's (sources, watch keywords) they are admins too, unless `home` names another server. `narrows_only` says whether
    a watch keyword is one channel's own business.
    """

    def __init__(self, *, home: int | None, role: str | None, narrows_only: Callable[[Actor, str], Awaitable[bool]]) -> None:
        self._home = home
        self._role = (role or "").strip().casefold()
        self._narrows_only = narrows_only

    def actor(self, interaction: discord.Interaction) -> Actor:
        """Return who asks, as an admin where they are one of the channel. A thread counts as its channel."""
        return Actor(
            surface=Surface.DISCORD,
            user=str(interaction.user.id),
            admin=self._manages(interaction),
            channel=str(_channel(interaction)),
            team=str(interaction.guild_id or ""),
        )

    async def actor_of(self, interaction: discord.Interaction, line: str) -> Actor:
        """Return who asks for a line of the grammar, as an admin where they are one of what the line is about."""
        actor = self.actor(interaction)
        if not actor.admin or self._home in (None, interaction.guild_id) or await self._is_of_the_channel(actor, line):
            return actor
        return Actor(surface=actor.surface, user=actor.user, channel=actor.channel, team=actor.team)

    async def _is_of_the_channel(self, actor: Actor, line: str) -> bool:
        try:
            command = parse(line)
        except UsageError:
            return False
        action, _, term = command.words.partition(" ")
        if command.name is not Name.WATCH:
            return command.name in _OF_A_CHANNEL
        return action.casefold() == "only" or (action.casefold() == "remove" and await self._narrows_only(actor, term))

    def _manages(self, interaction: discord.Interaction) -> bool:
        if interaction.guild_id is None:
            return False
        held = interaction.permissions
        return held.manage_guild or held.administrator or self._has_role(interaction.user)

    def _has_role(self, user: discord.User | discord.Member) -> bool:
        roles = user.roles if isinstance(user, discord.Member) and self._role else []
        return any(self._role in (role.name.casefold(), str(role.id)) for role in roles if not role.is_default())


def _channel(interaction: discord.Interaction) -> int | str:
    here = interaction.channel
    if isinstance(here, discord.Thread):
        return here.parent_id
    return interaction.channel_id or ""
