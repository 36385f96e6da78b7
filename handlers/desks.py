"""Which desk answers which command: the one place to look when a command is added."""

from __future__ import annotations

from collections.abc import Callable

from bot.ports import Clock, Gazetteer, Store, WatchLanguage
from handlers.commands import Commands, Desk
from handlers.explaining import WhyDesk
from handlers.grammar import Name
from handlers.helping import HelpDesk
from handlers.membership import Membership
from handlers.overview import Overseer
from handlers.pressing import ButtonPad
from handlers.reading import ReadingDesk
from handlers.standing import StatusDesk
from handlers.subscribing import SubscriptionDesk
from handlers.suggesting import Suggester
from handlers.timelines import TimelineDesk
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
    timelines, explaining = TimelineDesk(library=store, gazetteer=gazetteer), WhyDesk(library=store)
    desks: dict[Name, Desk] = dict.fromkeys((Name.LATEST, Name.SEARCH, Name.UPCOMING, Name.STORY), reading)
    desks |= {Name.TIMELINE: timelines, Name.WHY: explaining, Name.STATUS: StatusDesk(store=store, clock=clock), Name.HELP: HelpDesk()}
    desks[Name.WATCH] = WatchDesk(library=store, language=language, clock=clock)
    if sources is not None:
        desks[Name.SOURCES] = sources
    subscribing = SubscriptionDesk(store=store, gazetteer=gazetteer, language=language, clock=clock, wake=wake)
    desks |= dict.fromkeys((Name.SUBSCRIBE, Name.UNSUBSCRIBE, Name.MUTE, Name.DIGEST), subscribing)
    buttons = ButtonPad(library=store, channels=store, timelines=timelines, explaining=explaining, clock=clock)
    return Commands(
        desks=desks,
        buttons=buttons,
        forms=subscribing,
        suggester=Suggester(store, gazetteer),
        membership=Membership(store),
        overseer=Overseer(store, subscribing.facts),
        language=language,
        admins=admins,
    )
