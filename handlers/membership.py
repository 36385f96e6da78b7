"""A workspace or server that Attaché is taken out of, or let into again."""

from __future__ import annotations

from collections.abc import Collection

from bot.domain.alerts import Surface
from bot.domain.subscriptions import Subscription
from bot.ports import Channels

REMOVED = "the bot was removed from this server"


class Membership:
    """Stops telling the channels of a server that the bot left, and goes on when it is back. Forgets nothing."""

    def __init__(self, channels: Channels) -> None:
        self._channels = channels

    async def removed(self, surface: Surface, team: str, addresses: Collection[str] = ()) -> int:
        """Pause the subscriptions of a server, known by its id or its channels' addresses; return how many went on until now."""
        own = [s for s in await self._channels.subscriptions() if s.paused is None and _is_of(s, surface, team, addresses)]
        return sum([await self._channels.pause(s.destination, REMOVED) for s in own])

    async def returned(self, surface: Surface, team: str, addresses: Collection[str] = ()) -> int:
        """Let those go on that `removed` paused; return how many."""
        own = [s for s in await self._channels.subscriptions() if s.paused == REMOVED and _is_of(s, surface, team, addresses)]
        return sum([await self._channels.pause(s.destination, None) for s in own])


def _is_of(subscription: Subscription, surface: Surface, team: str, addresses: Collection[str]) -> bool:
    to = subscription.destination
    return to.surface is surface and (subscription.team == team or to.address in addresses)
