"""Developments and dossiers: one new thing that happened, and the long-running matter it belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from bot.domain.assessment import Person
from bot.domain.entries import Entry, digest
from bot.domain.topics import Stage, Status, Topic

MAX_DOSSIER_PARTIES = 4


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """One entry's report of a development, as a reader may follow it."""

    outlet: str
    url: str
    title: str
    published: datetime

    @classmethod
    def of(cls, entry: Entry) -> Coverage:
        """Return an entry as coverage."""
        return cls(outlet=entry.outlet, url=entry.url, title=entry.title, published=entry.published)


@dataclass(frozen=True, kw_only=True)
class SummarySentence:
    """A sentence of a summary and the address of the entry that says it."""

    text: str
    url: str


@dataclass(frozen=True, kw_only=True)
class Development:
    """One new thing that happened in the world. `coverage` is in order of arrival; `dossier_step` counts from 1 within the dossier."""

    development_id: str
    dossier_id: str
    topics: tuple[Topic, ...]
    headline: str
    url: str
    first_published: datetime
    last_published: datetime
    stage: Stage | None = None
    status: Status | None = None
    parties: tuple[str, ...] = ()
    people: tuple[Person, ...] = ()
    place: str | None = None
    when: date | None = None
    summary: tuple[SummarySentence, ...] = ()
    coverage: tuple[Coverage, ...] = ()
    importance: float = 0.0
    dossier_step: int = 1
    alerted_at: datetime | None = None

    @property
    def outlets(self) -> tuple[str, ...]:
        """Who reported it, each once, in order of arrival."""
        return tuple(dict.fromkeys(c.outlet for c in self.coverage))

    @property
    def first_reports(self) -> tuple[Coverage, ...]:
        """The first report of each outlet, in order of arrival."""
        return tuple({c.outlet: c for c in reversed(self.coverage)}[outlet] for outlet in self.outlets)

    @property
    def text(self) -> str:
        """The summary as one text."""
        return " ".join(s.text for s in self.summary)

    @property
    def step(self) -> str | None:
        """The stage of a deal, else the status of a meeting: the one word that says how far the matter is."""
        return self.stage or self.status


def development_id(entry_key: str) -> str:
    """Return the id of the development that the entry with `entry_key` opens: stable, so that a replay gives the same ids."""
    return "d" + digest("development", entry_key, size=10)


def dossier_id(topics: Sequence[Topic], parties: Sequence[str], fallback: str) -> str:
    """Return the id of the dossier of a topic and its parties: `trade_deal:IND-USA`. Without a party the matter stands alone under `fallback`.

    A deal that ministers met over belongs to the deal's dossier: it is the longer-running matter.
    """
    topic = Topic.TRADE_DEAL if Topic.TRADE_DEAL in topics else Topic.MINISTERIAL_MEETING
    if not parties:
        return f"{topic}:{fallback}"
    return f"{topic}:{'-'.join(sorted(parties[:MAX_DOSSIER_PARTIES]))}"
