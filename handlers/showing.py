"""How a development is shown in any reply: its words, in one place for all desks and surfaces. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from bot.domain.alerts import Alert
from bot.domain.developments import Development
from bot.domain.topics import Topic
from bot.ports import Gazetteer
from handlers.replies import Item, Reply


def item_of(development: Development, gazetteer: Gazetteer) -> Item:
    """Return a development as one thing in a reply or a digest."""
    return Item(
        title=development.headline,
        url=development.url,
        when=development.first_published,
        chips=(
            *chips(development),
            *(gazetteer.name(p) for p in development.parties),
            counted(len(development.outlets), "source"),
            development.development_id,
        ),
        body=development.text,
    )


def listing(title: str, developments: Sequence[Development], gazetteer: Gazetteer) -> Reply:
    """Return developments as a reply, in their order."""
    items = tuple(item_of(d, gazetteer) for d in developments)
    return Reply(title=title, items=items, note="" if items else "Nothing found.")


def digest_of(alerts: Sequence[Alert], gazetteer: Gazetteer) -> Reply:
    """Return the alerts of a digest as something to show, in their order; the surface fits it to its limits."""
    matters = counted(len({a.development.dossier_id for a in alerts}), "matter")
    title = f"Digest: {counted(len(alerts), 'development')} in {matters}"
    return Reply(title=title, items=tuple(item_of(a.development, gazetteer) for a in alerts))


def chips(development: Development) -> tuple[str, ...]:
    """Return the words that say what kind of news it is: each topic, then the stage or status reached."""
    return (*(topic_name(t) for t in development.topics), *([development.step.replace("_", " ")] if development.step else []))


def topic_name(topic: Topic) -> str:
    """Return a topic as readers know it."""
    return "Trade deal" if topic is Topic.TRADE_DEAL else "Ministerial meeting"


def dossier_name(dossier_id: str, gazetteer: Gazetteer) -> str:
    """Return what a dossier is about: "Trade deal, India – United States" for `trade_deal:IND-USA`."""
    topic, _, parties = dossier_id.partition(":")
    if topic not in tuple(Topic):
        return dossier_id
    return f"{topic_name(Topic(topic))}, {' – '.join(map(gazetteer.name, parties.split('-')))}"


def day_name(day: date) -> str:
    """Return a day as readers know it: "Mon 2 Mar 2026"."""
    return f"{day:%a} {day.day} {day:%b %Y}"


def counted(count: int, thing: str) -> str:
    """Return "1 source", "2 sources"."""
    return f"{count} {thing}{'s' if count != 1 else ''}"
