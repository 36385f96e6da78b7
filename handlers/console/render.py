"""Alerts and replies for a terminal (rich). Pure: a value in, something to print out. Foreign words are never read as markup."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from urllib.parse import urlsplit

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from bot.domain.alerts import Alert
from bot.domain.assessment import Person
from bot.domain.developments import Coverage, Development
from bot.domain.topics import Topic
from bot.ports import Gazetteer
from handlers.commands import Item, Reply, chips

MOST_SOURCES = 6
INDENT = 4  # of a follow-up under its alert
_BORDERS = {Topic.TRADE_DEAL: "green", Topic.MINISTERIAL_MEETING: "blue"}
_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn")  # controls (escape sequences begin with one), bidi and zero width, surrogates, private


def shown(words: str) -> str:
    """Return `words` as one line that a terminal shows and does not obey."""
    kept = (c for c in words if c.isspace() or unicodedata.category(c) not in _UNSEEN)
    return " ".join("".join(kept).split())


def alert_card(alert: Alert, gazetteer: Gazetteer) -> RenderableType:
    """Return the alert as a card; a follow-up stands indented under a line that names what it follows."""
    development = alert.development
    card = Panel(
        Group(*_lines(development, gazetteer)),
        title=_linked(development.headline, development.url, "bold"),
        title_align="left",
        subtitle=Text(moment(development.first_published), style="dim"),
        subtitle_align="right",
        border_style=_BORDERS[development.topics[0]] if development.topics else "white",
        box=box.ROUNDED,
        padding=(0, 1),
    )
    if alert.follow_up is None:
        return card
    return Padding(Group(Text(f"↳ follow-up to: {shown(alert.follow_up)}", style="dim italic"), card), (0, 0, 0, INDENT))


def _lines(development: Development, gazetteer: Gazetteer) -> Iterator[Text]:
    yield _joined(Text(f" {shown(chip)} ", style="reverse") for chip in chips(development))
    if development.parties:
        yield Text(" – ".join(f"{gazetteer.flag(p)} {shown(gazetteer.name(p))}".strip() for p in development.parties))
    if about := [*(_person(p) for p in development.people), *_where_and_when(development)]:
        yield Text(" · ".join(about), style="dim")
    if development.text:
        yield Text(shown(development.text))
    yield _sources(development)


def _joined(parts: Iterable[Text]) -> Text:
    return Text(" ").join(parts)


def _person(person: Person) -> str:
    return f"{shown(person.name)}, {shown(person.office)}" if person.office else shown(person.name)


def _where_and_when(development: Development) -> list[str]:
    when = [f"{development.when.day} {development.when:%B %Y}"] if development.when else []
    return [*([shown(development.place)] if development.place else []), *when]


def _sources(development: Development) -> Text:
    first: dict[str, Coverage] = {}
    for coverage in development.coverage:
        first.setdefault(coverage.outlet, coverage)
    named = [_linked(c.outlet, c.url, "cyan") for c in list(first.values())[:MOST_SOURCES]]
    more = f" and {len(first) - MOST_SOURCES} more" if len(first) > MOST_SOURCES else ""
    line = Text(f"{len(first)} source{'' if len(first) == 1 else 's'}: ", style="dim")
    return line + Text(", ").join(named) + Text(more)


def _linked(words: str, url: str | None, style: str) -> Text:
    line = Text(shown(words), style=style)
    if url and urlsplit(url).scheme in ("http", "https") and url.isprintable() and " " not in url:
        line.stylize(f"link {url}")
    return line


def moment(when: datetime) -> str:
    """Return an instant in the terminal's own zone."""
    return f"{when.astimezone():%d %b %Y %H:%M %Z}".strip()


def reply_view(reply: Reply) -> RenderableType:
    """Return an answer: a heading, facts as a table, items as a list, the note last."""
    parts: list[RenderableType] = [Text(shown(reply.title), style="bold red" if reply.error else "bold")]
    parts += [_item(number, item) for number, item in enumerate(reply.items, 1)]
    if reply.facts:
        parts.append(_facts(reply.facts))
    if reply.note:
        parts.append(Text(shown(reply.note), style="red" if reply.error else ""))
    return Group(*parts)


def _item(number: int, item: Item) -> RenderableType:
    about = [*map(shown, item.chips), *([moment(item.when)] if item.when else [])]
    lines = [_linked(item.title, item.url, "bold"), Text(" · ".join(about), style="dim"), Text(shown(item.body))]
    table = Table.grid(padding=(0, 1))
    table.add_column(justify="right", style="dim", width=3)
    table.add_column(ratio=1)
    table.add_row(f"{number}.", Group(*(line for line in lines if line.plain)))
    return table


def _facts(facts: Sequence[tuple[str, str]]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="cyan")
    table.add_column(ratio=1)
    for name, value in facts:
        table.add_row(Text(shown(name)), Text(shown(value)))
    return table
