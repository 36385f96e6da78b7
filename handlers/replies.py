"""What a use case answers, for any surface to render."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class Item:
    """One thing in a reply: a headline, linked where there is an address; chips are a word or two each; `when` is shown in the reader's zone."""

    title: str
    url: str | None = None
    when: datetime | None = None
    chips: tuple[str, ...] = ()
    body: str = ""


@dataclass(frozen=True, kw_only=True)
class Reply:
    """An answer for its author only. Plain text throughout: the surface escapes it. `facts` are pairs of a name and a value."""

    title: str
    items: tuple[Item, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    note: str = ""
    error: bool = False
