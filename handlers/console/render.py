"""Alerts and replies for a terminal (rich). Pure: a value in, something to print out. Knows no console and decides nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from bot.domain.alerts import Alert
from bot.domain.assessment import Person
from bot.domain.developments import Coverage, Development
from bot.domain.text import cut_at_sentence
from bot.domain.topics import Topic
from bot.ports import Gazetteer
from handlers.console.words import address, line, linked, shown
from handlers.grammar import Name
from handlers.replies import Attachment, Button, Item, Reply
from handlers.showing import chips, digest_of

MAX_HEADLINE, MAX_SUMMARY, MAX_NAME, MAX_CHIP, MAX_NOTE = 300, 900, 80, 120, 2_000
MAX_PARTIES, MAX_PEOPLE, MAX_SOURCES = 8, 6, 6
WIDEST = 100  # columns of a card: longer lines are hard to read
INDENT = 4  # columns that a follow-up stands in
_OFFERED = {Button.MUTE: Name.MUTE, Button.TIMELINE: Name.TIMELINE, Button.WHY: Name.WHY}  # buttons that are commands too
_BORDERS = {Topic.TRADE_DEAL: "green", Topic.MINISTERIAL_MEETING: "blue"}


def alert_card(alert: Alert, gazetteer: Gazetteer) -> RenderableType:
    """Return the alert as a card; a follow-up stands indented under a line that names what it follows."""
    development = alert.development
    topic = development.topics[0] if development.topics else None
    card = Panel(
        Group(*_lines(development, gazetteer)),
        title=_chips(development),
        title_align="left",
        subtitle=Text(moment(development.first_published), style="dim"),
        subtitle_align="right",
        border_style=_BORDERS[topic] if topic else "white",
        box=box.ROUNDED,
        padding=(0, 1),
    )
    if alert.follow_up is None:
        return Capped(card, WIDEST)
    earlier = Text("↳ follow-up to: ", style="dim").append(shown(alert.follow_up, MAX_HEADLINE), style="italic")
    return Capped(Padding(Group(earlier, card), (0, 0, 0, INDENT)), WIDEST)


class Capped:
    """Something to print, no wider than `widest` columns."""

    def __init__(self, inner: RenderableType, widest: int) -> None:
        self._inner = inner
        self._widest = widest

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Print in the width that is there, or in the widest."""
        yield from console.render(self._inner, options.update_width(min(options.max_width, self._widest)))


class Address:
    """An address in full where links cannot be followed: in a file or a pipe. In a terminal the headline leads to it."""

    def __init__(self, url: str) -> None:
        self._text = Text(address(url) or "", style="dim", overflow="fold")

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Print the address, or nothing."""
        if self._text.plain and not options.is_terminal:
            yield self._text


def _chips(development: Development) -> Text | None:
    words = [shown(chip, MAX_CHIP) for chip in chips(development)]
    return Text(" · ".join(words), style="bold") if words else None


def _lines(development: Development, gazetteer: Gazetteer) -> Iterator[RenderableType]:
    yield linked(development.headline, development.url, MAX_HEADLINE, "bold") if development.headline else Text("(no headline)")
    about = [_parties(development, gazetteer), _people(development), _where_and_when(development)]
    yield from (text for text in about if text.plain)
    if summary := shown(development.text, MAX_SUMMARY * 2):
        yield Text(cut_at_sentence(summary, MAX_SUMMARY))
    if development.coverage:
        yield _sources(development.first_reports)
    yield Address(development.url)


def _parties(development: Development, gazetteer: Gazetteer) -> Text:
    """Flags and names; a flag is not cleaned, since those of regions are made of characters that do not show."""
    codes = development.parties[:MAX_PARTIES]
    names = [f"{gazetteer.flag(code)} {shown(gazetteer.name(code), MAX_NAME)}".strip() for code in codes]
    return Text(" – ".join(names) + _more(len(development.parties), MAX_PARTIES), style="cyan")


def _people(development: Development) -> Text:
    names = [_person(person) for person in development.people[:MAX_PEOPLE]]
    return Text(", ".join(filter(None, names)) + _more(len(development.people), MAX_PEOPLE))


def _person(person: Person) -> str:
    office = shown(person.office, MAX_NAME)
    return shown(person.name, MAX_NAME) + (f" ({office})" if office else "")


def _where_and_when(development: Development) -> Text:
    day = f"{development.when.day} {development.when:%B %Y}" if development.when else ""
    return Text(" · ".join(filter(None, [shown(development.place, MAX_NAME), day])))


def _more(count: int, limit: int) -> str:
    return f" and {count - limit} more" if count > limit else ""


def _sources(first: Sequence[Coverage]) -> Text:
    named = [linked(c.outlet, c.url, MAX_NAME) for c in first[:MAX_SOURCES]]
    text = Text(f"{len(first)} source{'' if len(first) == 1 else 's'}: ", style="dim")
    return text.append_text(Text(", ").join(named)).append(_more(len(first), MAX_SOURCES))


def moment(when: datetime) -> str:
    """Return an instant in the zone of the machine, which is the terminal's."""
    return f"{when.astimezone():%d %b %Y, %H:%M %Z}".strip()


def reply_view(reply: Reply, saved: Mapping[str, str] | None = None) -> RenderableType:
    """Return an answer: the title, the items, the facts, the note, the files, what it offers. `saved` says where files lie, by name."""
    parts: list[RenderableType] = [line(reply.title, MAX_HEADLINE, "bold red" if reply.error else "bold")]
    parts += [_item(number, item) for number, item in enumerate(reply.items, 1)]
    if reply.facts:
        parts.append(_facts(reply.facts))
    if reply.note:
        parts.append(line(reply.note, MAX_NOTE))
    parts += [_file(attachment, (saved or {}).get(attachment.name)) for attachment in reply.attachments]
    parts += [
        line(f"You may: {_OFFERED[offer.button]} {offer.development_id}", MAX_NOTE) for offer in reply.offers if offer.button in _OFFERED
    ]
    return Capped(Group(*parts), WIDEST)


def _file(attachment: Attachment, where: str | None) -> Text:
    """A file's place, or its name where it lies nowhere; its size and what it shows."""
    size = f"{max(len(attachment.content) / 1024, 0.1):.0f} KB" if len(attachment.content) >= 1024 else f"{len(attachment.content)} bytes"
    about = line(f"({size}): {attachment.description}", MAX_NOTE, "dim")
    name = shown(where or attachment.name, MAX_NOTE)
    return Text("File: ", style="cyan", overflow="fold").append(f"{name} ", style="bold").append_text(about)


def digest_view(alerts: Sequence[Alert], gazetteer: Gazetteer) -> RenderableType:
    """Return a digest: its title above the cards of its alerts, in their order."""
    title = line(digest_of(alerts, gazetteer).title, MAX_HEADLINE, "bold")
    return Group(title, *(alert_card(alert, gazetteer) for alert in alerts))


def _item(number: int, item: Item) -> RenderableType:
    about = [shown(chip, MAX_CHIP) for chip in item.chips]
    about += [moment(item.when)] if item.when else []
    title = linked(item.title, item.url, MAX_HEADLINE, "bold") if item.title else Text("(no title)")
    lines = [title, Text(" · ".join(filter(None, about)), style="dim"), line(item.body, MAX_SUMMARY)]
    row = Table.grid(padding=(0, 1))
    row.add_column(justify="right", style="dim", width=3)
    row.add_column(ratio=1)
    row.add_row(f"{number}.", Group(*(text for text in lines if text.plain), Address(item.url or "")))
    return row


def _facts(facts: Sequence[tuple[str, str]]) -> RenderableType:
    """Names beside values; each column may wrap, so that both stay readable in a narrow terminal."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="cyan", overflow="fold")
    table.add_column(overflow="fold")
    for name, value in facts:
        table.add_row(line(name, MAX_NAME), line(value, MAX_NOTE))
    return table
