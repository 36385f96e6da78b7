"""The gazetteer and the office-holders as they ship, read once."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

from bot.domain.entries import Entry
from bot.judge.facts import FactReader
from bot.judge.people import People
from bot.judge.places import Places
from bot.judge.watching import Watching
from config.settings import HERE


@cache
def places() -> Places:
    return Places(HERE / "places.yaml")


@cache
def people() -> People:
    return People(HERE / "people.yaml")


@cache
def language() -> Watching:
    return Watching(places())


def facts() -> FactReader:
    return FactReader(places(), people())


def entry(title: str, summary: str = "", published: datetime = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)) -> Entry:
    """An entry of a Wednesday."""
    return Entry(
        entry_id=1, key="k", source="wire", url="https://example.com/a", title=title, summary=summary, published=published, seen=published
    )
