"""The one grammar for every surface: a line of words is a command's name, its words, and `--share` where the channel may see the answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bot.domain.alerts import Destination, Surface
from bot.domain.errors import UsageError

MAX_LINE = 1_000  # characters; enough for an address or a watch expression
SHARE = "--share"


class Name(StrEnum):
    """The commands, in the order in which help lists them."""

    LATEST = "latest"
    SEARCH = "search"
    TIMELINE = "timeline"
    UPCOMING = "upcoming"
    STORY = "story"
    WHY = "why"
    WATCH = "watch"
    SOURCES = "sources"
    SUBSCRIBE = "subscribe"
    UNSUBSCRIBE = "unsubscribe"
    MUTE = "mute"
    DIGEST = "digest"
    STATUS = "status"
    HELP = "help"


# The first words after which a command changes something, so that only admins may run it; "*" stands for any but `list`, "" for none.
FOR_ADMINS: Mapping[Name, frozenset[str]] = {
    Name.WATCH: frozenset({"add", "remove", "only", "mute", "undo"}),
    Name.SOURCES: frozenset({"check", "add", "remove", "pause", "resume"}),
    Name.SUBSCRIBE: frozenset({"*"}),
    Name.UNSUBSCRIBE: frozenset({"", "*"}),
    Name.MUTE: frozenset({"*"}),
    Name.DIGEST: frozenset({"*"}),
}


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who asks, and in which channel of which workspace or server. `admin` is what the platform says; `ATTACHE_ADMINS` is checked besides."""

    surface: Surface
    user: str
    admin: bool = False
    channel: str = ""
    team: str = ""

    def __str__(self) -> str:
        return f"{self.surface}:{self.user}"

    @property
    def destination(self) -> Destination | None:
        """The channel as a place that alerts may go to; None where the surface names none."""
        return Destination(surface=self.surface, address=self.channel) if self.channel else None


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command with its words, not yet looked into. `share`: the answer is for the channel, not for its author only."""

    name: Name
    words: str = ""
    share: bool = False

    @property
    def for_admins(self) -> bool:
        """Only admins may run it."""
        changing = FOR_ADMINS.get(self.name, frozenset())
        first = self.words.split(" ", 1)[0].casefold()
        return first in changing or ("*" in changing and first not in ("", "list"))


def parse(line: str) -> Command:
    """Return the command that a line of words stands for. Raises UsageError with what to do instead."""
    words = line.split()
    if not words:
        return Command(name=Name.HELP)
    head, rest = words[0].casefold(), words[1:]
    if head not in tuple(Name):
        raise UsageError(f"There is no command “{words[0][:40]}”. Try: {', '.join(Name)}.")
    if len(line) > MAX_LINE:
        raise UsageError(f"That is too long: at most {MAX_LINE} characters.")
    shared = [word for word in rest if word != SHARE]
    return Command(name=Name(head), words=" ".join(shared), share=len(shared) < len(rest))


# What help shows: how a command is written, and what it is for.
USAGE: Mapping[Name, tuple[str, str]] = {
    Name.LATEST: ("latest [n] [trade|meeting] [country…]", "the newest developments"),
    Name.SEARCH: ("search WORDS", 'developments that contain all the words; "a phrase" as it stands, -word not at all'),
    Name.TIMELINE: ("timeline COUNTRIES|DOSSIER|ID", "how a matter went, step by step, with a picture"),
    Name.UPCOMING: ("upcoming", "planned meetings by date, and as a calendar file"),
    Name.STORY: ("story ID", "one development with all its sources, its place in the dossier, and who was told"),
    Name.WHY: ("why ID|URL", "why an entry did or did not become an alert"),
    Name.WATCH: (
        "watch list | watch add|only|mute|remove EXPR | watch test EXPR | watch history | watch undo",
        "the watch keywords: add looks closer, only narrows this channel, mute looks away, test shows what EXPR would have done; changing them is for admins",
    ),
    Name.SOURCES: (
        "sources list | sources check NAME | sources add URL [yes] | sources remove|pause|resume NAME",
        "how the sources are; changing them is for admins",
    ),
    Name.SUBSCRIBE: (
        "subscribe [all] [trade|meeting] [countries] [realtime|hourly|daily 08:00] [quiet 22:00-07:00] [zone Europe/Berlin]"
        " [least 0.7] [cap 10] [only EXPRESSION]",
        "alerts in this channel: alone, what it gets; changing it is for admins",
    ),
    Name.UNSUBSCRIBE: ("unsubscribe", "no more alerts in this channel; for admins"),
    Name.MUTE: (
        "mute ID|DOSSIER [for 7d] | mute list | mute off DOSSIER",
        "no more alerts on a dossier in this channel; changing it is for admins",
    ),
    Name.DIGEST: ("digest now", "what waits for this channel's next digest, at once; for admins"),
    Name.STATUS: ("status", "what is stored and on its way, how the sources are, what this channel gets and finds useful"),
    Name.HELP: ("help [command]", "this list, or one command with examples"),
}

# What help shows of one command: lines that can be typed as they stand.
EXAMPLES: Mapping[Name, tuple[str, ...]] = {
    Name.LATEST: ("latest", "latest 10 trade india", "latest meeting EU --share"),
    Name.SEARCH: ("search tariff steel", 'search "free trade" -dairy'),
    Name.TIMELINE: ("timeline India United States", "timeline trade_deal:IND-USA"),
    Name.UPCOMING: ("upcoming",),
    Name.STORY: ("story d0123456789",),
    Name.WHY: ("why d0123456789", "why https://example.com/news/1"),
    Name.WATCH: ('watch test (tariff* OR "trade deal") country:India', "watch add person:goyal", "watch mute golf", "watch history"),
    Name.SOURCES: ("sources list", "sources check Example Times", "sources add https://example.com/feed"),
    Name.SUBSCRIBE: ("subscribe trade India daily 08:00 zone Asia/Kolkata", "subscribe all realtime quiet 22:00-07:00 cap 10"),
    Name.UNSUBSCRIBE: ("unsubscribe",),
    Name.MUTE: ("mute d0123456789 for 7d", "mute list", "mute off trade_deal:IND-USA"),
    Name.DIGEST: ("digest now",),
    Name.STATUS: ("status",),
    Name.HELP: ("help", "help watch"),
}


def usage(name: Name) -> UsageError:
    """Return the error that shows how a command is written."""
    return UsageError(f"Usage: {USAGE[name][0]}")
