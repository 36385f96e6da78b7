"""A gateway that breaks, asks for a new connection, or ends the session: alerts go on meanwhile, commands again afterwards, nothing is lost or twice."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from structlog.testing import capture_logs

from handlers.discord.client import DiscordSurface
from tests.discord.kit import delivery, running, surface
from tests.fakes.discord_server import FakeDiscord

Break = Callable[[FakeDiscord], Awaitable[None]]

RESUMED: dict[str, Break] = {
    "closed with 4000 (unknown error)": lambda fake: fake.drop_gateway(4000),
    "closed with 4009 (session timed out)": lambda fake: fake.drop_gateway(4009),
    "closed with 1000, which a server should not": lambda fake: fake.drop_gateway(1000),
    "broken without a word (1006)": lambda fake: fake.drop_gateway(None),
    "opcode 7, reconnect": lambda fake: fake.ask_to_reconnect(),
    "opcode 9, may be resumed": lambda fake: fake.invalidate(resumable=True),
}


@pytest.fixture
async def fake() -> AsyncIterator[FakeDiscord]:
    async with FakeDiscord() as server:
        yield server


@pytest.mark.parametrize("broken", RESUMED.values(), ids=RESUMED.keys())
async def test_a_connection_that_breaks_is_resumed_and_what_was_typed_meanwhile_is_answered_once(fake: FakeDiscord, broken: Break) -> None:
    with capture_logs() as logs:
        async with running(surface(fake)) as up:
            await _through(fake, up, broken)
    said = [log["event"] for log in logs]
    assert said.index("discord_gateway_lost") < said.index("discord_resumed")


async def _through(fake: FakeDiscord, up: DiscordSurface, broken: Break) -> None:
    await fake.until_commands()
    await up.sender.send(delivery(1))
    await broken(fake)
    await up.sender.send(delivery(2))  # over REST, which has no part in it
    missed = await fake.type("status")
    assert "Entries" in missed.text
    await up.sender.send(delivery(3))
    assert "Entries" in (await fake.type("status")).text
    assert (fake.identified, fake.resumed, fake.connections) == (1, 1, 2)
    assert missed.answers == 1
    assert len(fake.messages) == len(fake.posts) == 3


async def test_a_gateway_that_is_away_for_a_while_is_found_again(fake: FakeDiscord) -> None:
    async with running(surface(fake)) as up:
        await fake.until_commands()
        fake.gateway_away = 1
        await fake.drop_gateway()
        await up.sender.send(delivery(1))
        assert "Entries" in (await fake.type("status")).text
    assert (fake.identified, fake.resumed, fake.gateway_away, len(fake.messages)) == (1, 1, 0, 1)


async def test_a_session_that_ended_is_begun_anew_while_alerts_go_on(fake: FakeDiscord) -> None:
    """discord.py lets five seconds pass before it identifies again, as Discord wants it."""
    async with running(surface(fake)) as up:
        await fake.until_commands()
        await fake.invalidate()
        await up.sender.send(delivery(1))
        assert fake.identified == 1  # it went out before there was a session again
        await fake.until(lambda: fake.identified == 2, seconds=10.0)
        assert "Entries" in (await fake.type("status")).text
        await up.sender.send(delivery(2))
    assert (fake.identified, fake.resumed) == (2, 0)
    assert len(fake.messages) == len(fake.posts) == 2


async def test_a_session_that_a_resume_finds_ended_is_begun_anew(fake: FakeDiscord) -> None:
    async with running(surface(fake)) as up:
        await fake.until_commands()
        fake.forget_session()
        await fake.drop_gateway()
        await up.sender.send(delivery(1))
        await fake.until(lambda: fake.identified == 2, seconds=10.0)
        assert "Entries" in (await fake.type("status")).text
    assert (fake.identified, fake.resumed, len(fake.messages)) == (2, 0, 1)
