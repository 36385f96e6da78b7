"""What a use case answers, for any surface to render."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Button(StrEnum):
    """The buttons under an alert, in the order in which they stand."""

    TIMELINE = "timeline"
    WHY = "why"
    USEFUL = "useful"
    NOT_RELEVANT = "not_relevant"
    MUTE = "mute"

    @property
    def label(self) -> str:
        """What the button says."""
        return _LABELS[self]

    @property
    def for_admins(self) -> bool:
        """Only admins may press it."""
        return self is Button.MUTE


_LABELS = {
    Button.TIMELINE: "Timeline",
    Button.WHY: "Why",
    Button.USEFUL: "Useful",
    Button.NOT_RELEVANT: "Not relevant",
    Button.MUTE: "Mute dossier",
}


@dataclass(frozen=True, kw_only=True)
class Item:
    """One thing in a reply: a headline, linked where there is an address; chips are a word or two each; `when` is shown in the reader's zone."""

    title: str
    url: str | None = None
    when: datetime | None = None
    chips: tuple[str, ...] = ()
    body: str = ""


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """A file that goes with a reply. `description` is what a reader who cannot see it is told."""

    name: str
    media: str
    content: bytes
    description: str


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A button under a reply, as under an alert."""

    button: Button
    development_id: str


@dataclass(frozen=True, kw_only=True)
class Reply:
    """An answer, for its author only unless `shared`. Plain text throughout: the surface escapes it. `facts` are pairs of a name and a value."""

    title: str
    items: tuple[Item, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    note: str = ""
    error: bool = False
    shared: bool = False
    attachments: tuple[Attachment, ...] = ()
    offers: tuple[Offer, ...] = ()
