"""Which desk answers which command: the one place to look when a command is added."""

from __future__ import annotations

from bot.ports import Clock, Gazetteer, Store
from handlers.commands import Commands, Desk
from handlers.grammar import Name
from handlers.pressing import ButtonPad
from handlers.reading import ReadingDesk
from handlers.watching import WatchDesk


def make_commands(*, store: Store, gazetteer: Gazetteer, clock: Clock, admins: frozenset[str], sources: Desk | None = None) -> Commands:
    """Return the use cases over a store; `sources` answers `sources …` where the bot runs."""
    reading = ReadingDesk(library=store, gazetteer=gazetteer, clock=clock)
    names = (Name.LATEST, Name.SEARCH, Name.TIMELINE, Name.UPCOMING, Name.STORY, Name.WHY, Name.STATUS, Name.HELP)
    desks: dict[Name, Desk] = dict.fromkeys(names, reading)
    desks[Name.WATCH] = WatchDesk(library=store, clock=clock)
    if sources is not None:
        desks[Name.SOURCES] = sources
    buttons = ButtonPad(library=store, channels=store, reading=reading, clock=clock)
    return Commands(desks=desks, buttons=buttons, admins=admins)
