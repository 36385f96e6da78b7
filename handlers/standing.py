"""The use case `status`: the store in figures, the sources that ail, and what this channel gets and thinks of it."""

from __future__ import annotations

import asyncio

from bot.domain.entries import SourceState
from bot.domain.subscriptions import Mute, Subscription, Votes
from bot.ports import Clock, Delay, StatusReport, Store
from handlers.grammar import Actor, Command
from handlers.replies import Item, Reply

LISTED = 10  # sources with a problem


class StatusDesk:
    """Answers `status`. Changes nothing; everybody may read it, and hears of other channels only in sums."""

    def __init__(self, *, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._asked: asyncio.Task[StatusReport] | None = None

    async def answer(self, actor: Actor, _: Command) -> Reply:
        """See `Desk.answer`."""
        report, everywhere, here = await asyncio.gather(self._report(), self._store.votes(), self._here(actor))
        ailing = [s for s in report.sources if s.problem]
        facts = (*_figures(report, len(ailing)), *here, ("Useful, all channels", _precision(everywhere)))
        return Reply(title="Status", facts=facts, items=tuple(map(_source, ailing[:LISTED])))

    async def _report(self) -> StatusReport:
        """The store's figures, counted once for all who ask at the same time: they are of the whole store, and cost the most of all commands."""
        if self._asked is None or self._asked.done():
            self._asked = asyncio.create_task(self._store.status())
        return await asyncio.shield(self._asked)

    async def _here(self, actor: Actor) -> tuple[tuple[str, str], ...]:
        channel = actor.destination
        if channel is None:
            return ()
        asked = (self._store.subscription(channel), self._store.mutes(channel), self._store.votes(channel))
        subscription, mutes, votes = await asyncio.gather(*asked)
        return (
            ("This channel", _subscribed(subscription)),
            ("Muted dossiers here", str(sum(self._holds(mute) for mute in mutes))),
            ("Useful, this channel", _precision(votes)),
        )

    def _holds(self, mute: Mute) -> bool:
        return mute.until is None or mute.until > self._clock.now()


def _figures(report: StatusReport, ailing: int) -> tuple[tuple[str, str], ...]:
    return (
        ("Entries", str(report.entries)),
        ("Developments", str(report.developments)),
        ("Alerts", str(report.alerts)),
        ("Deliveries waiting", str(report.pending)),
        ("Deliveries failed", str(report.failed)),
        ("Sources", f"{len(report.sources)}, of which {ailing} with a problem"),
        *((("From published to seen", _delay(report.seen_seconds)),) if report.seen_seconds else ()),
        *((("From seen to sent", _delay(report.sent_seconds)),) if report.sent_seconds else ()),
    )


def _subscribed(subscription: Subscription | None) -> str:
    if subscription is None:
        return "no subscription"
    return f"subscribed, but on pause: {subscription.paused}" if subscription.paused else f"subscribed, {subscription.cadence}"


def _precision(votes: Votes) -> str:
    if not votes.all:
        return "nobody has said yet"
    return f"{votes.useful} of {votes.all} ({votes.useful / votes.all:.0%})"


def _source(state: SourceState) -> Item:
    return Item(title=state.name, when=state.polled, chips=(f"{state.failures} failures in a row",), body=state.problem or "")


def _delay(delay: Delay) -> str:
    return f"{_seconds(delay.median)} (95 of 100 within {_seconds(delay.p95)})"


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 90 else f"{seconds / 60:.0f} min" if seconds < 5_400 else f"{seconds / 3600:.0f} h"
