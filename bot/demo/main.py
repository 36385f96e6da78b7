"""`attache demo`: the real reader, store, judge, stories and outbox on a loopback server and a clock that is set."""

from __future__ import annotations

from rich.console import Console

from bot.app import AGENT, TERMINAL, make_pipeline, open_judge, open_store, subscribe_channels
from bot.delivery.outbox import Outbox
from bot.demo.clock import VirtualClock
from bot.demo.player import play
from bot.demo.server import serve, sources
from bot.demo.show import Show
from bot.demo.story import load
from bot.domain.alerts import Surface
from bot.ports import Filed
from bot.sources.reader import SourceReader
from bot.storage.database import MEMORY
from handlers.console.sender import ConsoleSender


async def show_demo(console: Console, model: str) -> list[Filed]:
    """Play the story that comes with the package, and return what became of its entries."""
    story = load()
    clock = VirtualClock(story.start)
    async with (
        serve(story, clock) as base,
        open_store(MEMORY) as store,
        open_judge(model) as judge,
        SourceReader(allow_private=True, agent=AGENT) as reader,
    ):
        await subscribe_channels(store, [TERMINAL], clock.now())
        outbox = Outbox(store=store, senders={Surface.CONSOLE: ConsoleSender(console, judge.gazetteer)}, clock=clock)
        pipeline = make_pipeline(reader=reader, store=store, judge=judge, clock=clock)
        return await play(story=story, sources=sources(story, base), pipeline=pipeline, outbox=outbox, clock=clock, show=Show(console))
