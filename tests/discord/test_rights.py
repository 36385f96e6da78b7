"""Who may do what in which server, and what belongs to whom."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.domain.alerts import Destination, Surface
from bot.domain.subscriptions import Cadence, Subscription
from handlers.membership import REMOVED
from tests.discord.desk import desk
from tests.discord.kit import NOW
from tests.fakes.discord_server import MANAGE_GUILD, FakeDiscord

ADMINISTRATOR = 1 << 3  # https://discord.com/developers/docs/topics/permissions#permissions-bitwise-permission-flags
HERE, THERE = Destination(surface=Surface.DISCORD, address="100"), Destination(surface=Surface.DISCORD, address="200")


@pytest.fixture
async def fake() -> AsyncIterator[FakeDiscord]:
    async with FakeDiscord(others={"501": ["200"]}, roles={"81": "Desk Editors", "82": "Guests"}) as server:
        yield server


@pytest.mark.parametrize("role", ["desk editors", "81"])
async def test_a_named_role_makes_an_admin_and_no_other_does(fake: FakeDiscord, role: str) -> None:
    async with desk(fake, role=role):
        assert "Added" in (await fake.type("watch add", {"term": "steel"}, roles=["82", "81"])).text
        assert "Only admins" in (await fake.type("watch add", {"term": "wood"}, roles=["82"])).text


async def test_an_administrator_may_what_a_manager_may(fake: FakeDiscord) -> None:
    async with desk(fake):
        assert "Added" in (await fake.type("watch add", {"term": "steel"}, permissions=ADMINISTRATOR)).text


async def test_managers_of_another_server_administer_its_channels_and_nothing_else(fake: FakeDiscord) -> None:
    async with desk(fake) as it:

        async def says(words: str, options: dict[str, object] | None = None) -> str:
            return (await fake.type(words, options, channel="200", permissions=MANAGE_GUILD)).text

        assert "This channel is subscribed" in await says("subscribe", {"topics": "all"})
        assert "Muted in this channel" in await says("mute dossier", {"name": "d1", "for": "7d"})
        assert "Only admins" in await says("watch add", {"term": "steel"})
        assert "Only admins" in await says("watch undo")
        assert "Only admins" in await says("sources pause", {"name": "Wire"})
        assert "Added" in await says("watch only", {"term": "tariff"})
        assert "Removed" in await says("watch remove", {"term": "Tariff"})
        made = await it.store.subscription(THERE)
        assert made is not None
        assert (made.team, made.made_by) == ("501", "discord:42")
        assert [(m.destination, m.dossier_id) for m in await it.store.mutes()] == [(THERE, "trade_deal:ARL-BOR")]


async def test_a_keyword_of_everybody_is_not_theirs_to_remove(fake: FakeDiscord) -> None:
    async with desk(fake) as it:
        await it.store.add_keyword("steel", "discord:1", NOW)
        await fake.type("watch only", {"term": "steel"}, channel="200", permissions=MANAGE_GUILD)
        refused = await fake.type("watch remove", {"term": "steel"}, channel="200", permissions=MANAGE_GUILD)
        assert "Only admins" in refused.text
        assert len(await it.store.keywords()) == 2


async def test_without_a_home_every_servers_managers_administer_all(fake: FakeDiscord) -> None:
    async with desk(fake, home=None):
        assert "Added" in (await fake.type("watch add", {"term": "steel"}, channel="200", permissions=MANAGE_GUILD)).text


CHANGING = [
    ("watch add", {"term": "x"}), ("watch only", {"term": "x"}), ("watch mute", {"term": "x"}), ("watch remove", {"term": "x"}), ("watch undo", {}),
    ("sources check", {"name": "x"}), ("sources add", {"url": "https://a.example/"}), ("sources remove", {"name": "x"}),
    ("sources pause", {"name": "x"}), ("sources resume", {"name": "x"}), ("mute dossier", {"name": "d1"}), ("mute off", {"name": "d1"}),
    ("digest now", {}), ("unsubscribe", {}), ("subscribe", {"topics": "all"}),
]  # fmt: skip
READING = [
    ("watch list", {}),
    ("watch history", {}),
    ("watch test", {"term": "timber"}),
    ("mute list", {}),
    ("subscribe", {}),
    ("help", {"command": "why"}),
]


async def test_readers_change_nothing_and_read_everything(fake: FakeDiscord) -> None:
    async with desk(fake):
        for words, options in CHANGING:
            assert "Only admins may do that" in (await fake.type(words, options)).text, words
        for words, options in READING:
            assert "That did not work" not in (await fake.type(words, options)).text, words


async def test_readers_subscribe_nothing(fake: FakeDiscord) -> None:
    async with desk(fake) as it:
        for words in ("subscribe", "unsubscribe"):
            assert "Only admins" in (await fake.type(words, {"cap": 3} if words == "subscribe" else {})).text
        assert await it.store.subscriptions() == []


async def test_options_become_a_subscription_and_wrong_ones_are_named(fake: FakeDiscord) -> None:
    options = {"topics": "trade", "countries": "Arlandia", "cadence": "daily", "time": "07:30", "quiet": "22:00-06:00"}
    more = {"zone": "Europe/Berlin", "least": 0.5, "cap": 4, "expression": "timber NOT golf"}
    async with desk(fake) as it:
        assert "no subscription" in (await fake.type("subscribe")).text
        done = await fake.type("subscribe", {**options, **more}, permissions=MANAGE_GUILD)
        assert "This channel is subscribed" in done.text
        made = await it.store.subscription(HERE)
        assert made is not None
        assert (made.parties, made.cadence, f"{made.at:%H:%M}", made.zone, made.least, made.cap) == (
            ("ARL",), Cadence.DAILY, "07:30", "Europe/Berlin", 0.5, 4,
        )  # fmt: skip
        assert made.expression == "timber NOT golf"
        wrong = await fake.type("subscribe", {"zone": "Mars/Base", "time": "25:00"}, permissions=MANAGE_GUILD)
        assert "zone\nThere is no time zone “Mars/Base”" in wrong.text
        assert "is no time of the day" in wrong.text
        assert "at once" in (await fake.type("subscribe", {"topics": "all"}, permissions=MANAGE_GUILD)).text


async def test_being_removed_pauses_a_servers_channels_until_the_bot_is_back(fake: FakeDiscord) -> None:
    async with desk(fake) as it:
        await it.store.subscribe(Subscription(destination=HERE))  # as the settings name it: without a server
        await it.store.subscribe(Subscription(destination=THERE, team="501"))
        await it.store.subscribe(Subscription(destination=Destination(surface=Surface.SLACK, address="C1"), team="501"))

        async def until(expected: list[str | None]) -> None:
            """Events are handled in tasks of their own."""
            async with asyncio.timeout(5):
                while [s.paused for s in await it.store.subscriptions()] != expected:  # noqa: ASYNC110  (the store tells nobody)
                    await asyncio.sleep(0.01)

        await fake.leave("500", outage=True)
        await fake.leave("501")
        await until([None, REMOVED, None])
        await fake.recover("500")  # nobody had left
        await fake.leave("500")
        await until([REMOVED, REMOVED, None])
        await fake.join("501")
        await until([REMOVED, None, None])
        await fake.recover("500")  # as at a start
        await until([None, None, None])
