"""What the tests of the terminal share: a development of our own writing and a way to see what is printed."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime
from typing import Any

from rich.console import Console, RenderableType

from bot.domain.alerts import Alert, Delivery, Destination, Surface
from bot.domain.assessment import Person
from bot.domain.developments import Coverage, Development, SummarySentence
from bot.domain.topics import Stage, Topic

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
NAMES = {"IND": ("India", "🇮🇳"), "USA": ("United States", "🇺🇸")}
URL = "https://quay.example/pact?id=7"


class Atlas:
    """A gazetteer of two places."""

    def find(self, text: str) -> tuple[str, ...]:
        return tuple(code for code, (name, _) in NAMES.items() if name in text)

    def name(self, code: str) -> str:
        return NAMES.get(code, (code, ""))[0]

    def flag(self, code: str) -> str:
        return NAMES.get(code, ("", ""))[1]


def alert(follow_up: str | None = None, **other: Any) -> Alert:  # noqa: ANN401  (whatever the built thing takes)
    values: dict[str, Any] = {
        "development_id": "d0123456789",
        "dossier_id": "trade_deal:IND-USA",
        "topics": (Topic.TRADE_DEAL,),
        "headline": "India and United States move closer to a tariff pact",
        "url": URL,
        "first_published": NOON,
        "last_published": NOON,
        "stage": Stage.NEGOTIATING,
        "parties": ("IND", "USA"),
        "people": (Person(name="Asha Rao", office="Commerce Minister", country="IND"),),
        "place": "Kuala Lumpur",
        "when": date(2026, 3, 1),
        "summary": (SummarySentence(text="The two sides met for three hours.", url=URL),),
        "coverage": tuple(Coverage(outlet=o, url=URL, title="", published=NOON) for o in ("Quay Gazette", "Mole Mail", "Quay Gazette")),
    }
    return Alert(development=Development(**(values | other)), raised=NOON, follow_up=follow_up)


def delivery(**other: Any) -> Delivery:  # noqa: ANN401  (whatever the built thing takes)
    terminal = Destination(surface=Surface.CONSOLE, address="terminal")
    return Delivery(delivery_id=1, destination=terminal, alert=alert(**other), attempts=1)


def printed(shown: RenderableType, *, terminal: bool = False, width: int = 80) -> str:
    """Return what a file, or a terminal that knows colours and links, receives."""
    out = io.StringIO()
    Console(file=out, width=width, force_terminal=terminal, color_system="standard" if terminal else None, legacy_windows=False).print(
        shown
    )
    return out.getvalue()
