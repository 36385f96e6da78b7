"""What a person of a workspace may want to see at a glance. Actor in, Overview out: for a surface with a page of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.domain.subscriptions import Subscription
from bot.domain.watch import WatchKeyword
from bot.ports import StatusReport, Store
from handlers.grammar import Actor

Facts = Sequence[tuple[str, str]]


@dataclass(frozen=True, kw_only=True)
class Overview:
    """The subscriptions of the actor's workspace, each with what there is to say of it; the watch keywords that reach it; the store in figures."""

    subscriptions: tuple[tuple[Subscription, Facts], ...]
    keywords: tuple[WatchKeyword, ...]
    status: StatusReport


class Overseer:
    """Gathers overviews. Changes nothing; everybody may read them."""

    def __init__(self, store: Store, facts: Callable[[Subscription], Facts]) -> None:
        self._store = store
        self._facts = facts

    async def overview(self, actor: Actor) -> Overview:
        """Return what the actor may see; `actor.team` says of which workspace."""
        subscriptions, keywords, status = await asyncio.gather(self._store.subscriptions(), self._store.keywords(), self._store.status())
        own = [s for s in subscriptions if s.destination.surface is actor.surface and s.team in ("", actor.team)]
        channels = {"", *(str(s.destination) for s in own)}
        return Overview(
            subscriptions=tuple((s, self._facts(s)) for s in own),
            keywords=tuple(k for k in keywords if k.channel in channels),
            status=status,
        )
