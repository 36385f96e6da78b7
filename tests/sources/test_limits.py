"""The gates that keep many polls polite."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from bot.sources.limits import Gates, Limits, is_own


async def begun(host: str, count: int) -> list[float]:
    """When requests to a host began that were all wanted at once."""
    gates, loop, moments = Gates(Limits(pause=0.05, per_host=count)), asyncio.get_running_loop(), list[float]()

    async def one() -> None:
        async with gates.through(host):
            moments.append(loop.time())

    await asyncio.gather(*(one() for _ in range(count)))
    return moments


async def test_a_host_of_the_internet_has_a_pause_between_two_requests() -> None:
    moments = await begun("paper.example:443", 4)
    assert all(later - earlier >= 0.045 for earlier, later in itertools.pairwise(moments))


@pytest.mark.parametrize(
    ("host", "own"),
    [
        ("127.0.0.1:8080", True),
        ("[::1]:80", True),
        ("localhost", True),
        ("10.1.2.3", True),
        ("paper.example:8443", False),
        ("8.8.8.8", False),
    ],
)
def test_what_is_our_own(host: str, own: bool) -> None:
    assert is_own(host) is own
