"""The story that the demo tells: its feeds and entries, read from `story.yaml`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from importlib import resources
from typing import Any

import yaml

from bot.domain.moments import utc
from bot.domain.text import fold

_NOT_SLUG = re.compile(r"[^a-z0-9]+")


class Format(StrEnum):
    """The formats in which feeds are written."""

    RSS = "rss"
    ATOM = "atom"
    JSON = "json"
    RDF = "rdf"


@dataclass(frozen=True, kw_only=True)
class StoryFeed:
    """An outlet of the story and the format of its feed. `feed_id` is a host label."""

    feed_id: str
    title: str
    format: Format

    @property
    def home(self) -> str:
        """The outlet's address; nobody is there."""
        return f"https://{self.feed_id}.example/"


@dataclass(frozen=True, kw_only=True)
class StoryEntry:
    """An entry of the story. From `retitled_at` on it bears `later_title`."""

    feed_id: str
    guid: str
    title: str
    summary: str
    published: datetime
    later_title: str | None = None
    retitled_at: datetime | None = None

    @property
    def url(self) -> str:
        """The article's address: that of its first title, for good."""
        return f"https://{self.feed_id}.example/{slug(self.title)}"

    def title_at(self, now: datetime) -> str:
        """Return the title that the entry bears at `now`."""
        return self.later_title if self.later_title and self._retitled(now) else self.title

    def changed_at(self, now: datetime) -> datetime:
        """Return when the entry was last written, as seen at `now`."""
        return self.retitled_at if self.retitled_at and self._retitled(now) else self.published

    def _retitled(self, now: datetime) -> bool:
        return self.retitled_at is not None and self.retitled_at <= now


@dataclass(frozen=True, kw_only=True)
class Story:
    """All of it. `start` is when the feeds are polled for the first time."""

    start: datetime
    feeds: tuple[StoryFeed, ...]
    entries: tuple[StoryEntry, ...]

    def of(self, feed: StoryFeed) -> tuple[StoryEntry, ...]:
        """Return the feed's entries, as written."""
        return tuple(e for e in self.entries if e.feed_id == feed.feed_id)

    def moments(self) -> tuple[datetime, ...]:
        """Return every instant at which something is published or re-titled, in order, each once."""
        found = {e.published for e in self.entries} | {e.retitled_at for e in self.entries if e.retitled_at}
        return tuple(sorted(found))


def slug(title: str) -> str:
    """Return `title` as the last part of an address: lower case, ASCII, words joined by hyphens."""
    return _NOT_SLUG.sub("-", fold(title)).strip("-")


def load() -> Story:
    """Return the story that comes with the package."""
    text = resources.files("bot.demo").joinpath("story.yaml").read_text(encoding="utf-8")
    return story_of(yaml.safe_load(text))


def story_of(kept: Mapping[str, Any]) -> Story:
    """Return the story of a mapping shaped like `story.yaml`. Raises ValueError for an entry of a feed that is not listed."""
    start = utc(kept["start"])
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
    feeds = tuple(StoryFeed(feed_id=f["id"], title=f["title"], format=Format(f["format"])) for f in kept["feeds"])
    entries = tuple(_entry(e, midnight) for e in kept["entries"])
    if strangers := {e.feed_id for e in entries} - {f.feed_id for f in feeds}:
        raise ValueError(f"entries of feeds that are not listed: {', '.join(sorted(strangers))}")
    return Story(start=start, feeds=feeds, entries=entries)


def _entry(kept: Mapping[str, Any], midnight: datetime) -> StoryEntry:
    published = midnight + timedelta(days=kept["day"], minutes=round(kept["hour"] * 60))
    return StoryEntry(
        feed_id=kept["feed"],
        guid=kept["guid"],
        title=kept["title"],
        summary=kept["summary"],
        published=published,
        later_title=kept.get("title2"),
        retitled_at=published + timedelta(hours=kept["again_at"]) if "again_at" in kept else None,
    )
