"""Who is told of an alert, and when: the channels' subscriptions, mutes and `only` keywords, read together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import structlog

from bot.domain.alerts import Destination
from bot.domain.developments import Development
from bot.domain.errors import UsageError
from bot.domain.subscriptions import Mute, Planned, Subscription, plan
from bot.domain.watch import Effect, Passage
from bot.ports import Store, WatchLanguage

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Audience:
    """The channels that want alerts, as they were when it was read. `only` are the expressions that narrow a channel, by its name."""

    subscriptions: tuple[Subscription, ...]
    mutes: tuple[Mute, ...]
    only: Mapping[str, tuple[str, ...]]
    language: WatchLanguage

    @property
    def capped(self) -> bool:
        """Some channel bounds its alerts an hour."""
        return any(s.cap is not None for s in self.subscriptions)

    def plans(
        self, development: Development, passage: Passage, told: Mapping[Destination, int], now: datetime
    ) -> dict[Destination, Planned]:
        """Return when each channel that wants it is told of a development. `passage` is what expressions are matched against."""
        found = {}
        for subscription in self.subscriptions:
            planned = plan(
                subscription,
                development,
                mutes=self.mutes,
                matches=self._matches(subscription, passage),
                told=told.get(subscription.destination, 0),
                now=now,
            )
            if isinstance(planned, Planned):
                found[subscription.destination] = planned
        return found

    def _matches(self, subscription: Subscription, passage: Passage) -> bool:
        """The subscription's own expression matches, and one of the channel's `only` keywords, where there are any."""
        only = self.only.get(str(subscription.destination), ())
        own = not subscription.expression or self._holds(subscription.expression, passage)
        return own and (not only or any(self._holds(expression, passage) for expression in only))

    def _holds(self, expression: str, passage: Passage) -> bool:
        try:
            return self.language.compile(expression).matches(passage)
        except UsageError as error:  # it was checked when it was saved, so the language has changed: rather told than lost
            _log.warning("expression_unreadable", problem=str(error))
            return True


async def read_audience(store: Store, language: WatchLanguage) -> Audience:
    """Return the channels as they are now."""
    only: dict[str, tuple[str, ...]] = {}
    for keyword in await store.keywords():
        if keyword.effect is Effect.ONLY:
            only[keyword.channel] = (*only.get(keyword.channel, ()), keyword.term)
    subscriptions, mutes = await store.subscriptions(), await store.mutes()
    return Audience(subscriptions=tuple(subscriptions), mutes=tuple(mutes), only=only, language=language)
