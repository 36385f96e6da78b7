"""Which desk answers which command: the one place to look when a command is added."""

from __future__ import annotations

from collections.abc import Callable

from bot.ports import Clock, Gazetteer, Store, WatchLanguage
from handlers.commands import Commands, Desk
from handlers.grammar import Name
from handlers.pressing import ButtonPad
from handlers.reading import ReadingDesk
from handlers.subscribing import SubscriptionDesk
from handlers.watching import WatchDesk


def make_commands(
    *,
    store: Store,
    gazetteer: Gazetteer,
    language: WatchLanguage,
    clock: Clock,
    admins: frozenset[str],
    sources: Desk | None = None,
    wake: Callable[[], None] = lambda: None,
) -> Commands:
    """Return the use cases over a store; `sources` answers `sources …` where the bot runs; `wake` is called when something is due at once."""
    reading = ReadingDesk(library=store, gazetteer=gazetteer, clock=clock)
    names = (Name.LATEST, Name.SEARCH, Name.TIMELINE, Name.UPCOMING, Name.STORY, Name.WHY, Name.STATUS, Name.HELP)
    desks: dict[Name, Desk] = dict.fromkeys(names, reading)
    desks[Name.WATCH] = WatchDesk(library=store, language=language, clock=clock)
    if sources is not None:
        desks[Name.SOURCES] = sources
    subscribing = SubscriptionDesk(store=store, gazetteer=gazetteer, language=language, clock=clock, wake=wake)
    desks |= dict.fromkeys((Name.SUBSCRIBE, Name.UNSUBSCRIBE, Name.MUTE, Name.DIGEST), subscribing)
    buttons = ButtonPad(library=store, channels=store, reading=reading, clock=clock)
    return Commands(desks=desks, buttons=buttons, forms=subscribing, admins=admins)
