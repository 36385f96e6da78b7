"""Invented news in quantity: one signed trade deal for each pair of countries, each told by one entry that the shipped model flags."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

COUNTRIES = (
    "Canada", "Chile", "India", "Japan", "Mexico", "Norway", "Peru", "Kenya", "Ghana", "Vietnam", "Thailand", "Brazil",
    "Turkey", "Morocco", "Colombia", "Ecuador", "Iceland", "Switzerland", "Jordan", "Israel", "Egypt", "Nepal", "Ukraine", "Serbia", "Panama",
)  # fmt: skip


@dataclass(frozen=True)
class News:
    """A title and a summary."""

    title: str
    summary: str


def deals(count: int) -> list[News]:
    """Return `count` developments of as many dossiers, at most 300."""
    return list(itertools.islice(_deals(), count))


def _deals() -> Iterator[News]:
    for one, other in itertools.combinations(COUNTRIES, 2):
        yield News(
            f"{one} and {other} sign free trade agreement",
            f"The trade ministers of {one} and {other} signed the free trade agreement between the two countries on Monday.",
        )
