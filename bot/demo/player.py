"""Plays a story through the pipeline: sets the clock, polls, assesses, sends; step by step, in order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from bot.delivery.outbox import Outbox
from bot.demo.clock import VirtualClock
from bot.demo.show import Show
from bot.demo.story import Story
from bot.domain.entries import Source, SourceState
from bot.pipeline import Pipeline
from bot.ports import Filed

STEP = timedelta(hours=2)  # what is published within it is polled together
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


async def play(
    *, story: Story, sources: Sequence[Source], pipeline: Pipeline, outbox: Outbox, clock: VirtualClock, show: Show
) -> list[Filed]:
    """Play `story` from its start to its last entry and return what became of every entry, in the order of filing."""
    states = {source.name: SourceState(name=source.name) for source in sources}
    filed: list[Filed] = []
    moments = steps(story)
    with show.running(len(moments)):
        for moment in moments:
            clock.set(moment)
            await _poll(sources, states, pipeline, moment, show)
            show.judging()
            filed += await pipeline.assess()
            await outbox.drain()
            show.done()
    show.close(filed)
    return filed


async def _poll(sources: Sequence[Source], states: dict[str, SourceState], pipeline: Pipeline, moment: datetime, show: Show) -> None:
    for source in sources:
        show.polling(moment, source.name)
        _, states[source.name] = await pipeline.poll(source, states[source.name])


def steps(story: Story) -> list[datetime]:
    """Return the instants to play: the start, which finds old entries only, then each at which there is something new, rounded up."""
    return [story.start, *dict.fromkeys(_later(story))]


def _later(story: Story) -> Iterator[datetime]:
    return (rounded_up(moment) for moment in story.moments() if moment > story.start)


def rounded_up(moment: datetime) -> datetime:
    """Return the first multiple of STEP that is not before `moment`."""
    return moment + (_EPOCH - moment) % STEP
