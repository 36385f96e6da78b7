"""The gateway and the commands: the real discord.py against FakeDiscord."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from discord.gateway import DiscordWebSocket
from discord.http import Route
from structlog.testing import capture_logs

from bot.domain.errors import SettingsError
from bot.domain.topics import Topic
from handlers.grammar import Name
from tests.discord.kit import NOW, Shelf, delivery, development, running, surface
from tests.fakes.discord_server import MANAGE_GUILD, TOKEN, FakeDiscord


@pytest.fixture
async def fake() -> AsyncIterator[FakeDiscord]:
    async with FakeDiscord() as server:
        yield server


async def test_it_connects_synchronises_and_closes_quickly(fake: FakeDiscord) -> None:
    before = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    async with running(surface(fake)):
        await fake.until_commands()
        began = time.monotonic()
    assert time.monotonic() - began < 1
    assert sorted(fake.commands) == ["500", "global"]
    assert fake.commands["500"] == []  # none that would show twice in the home server
    assert fake.intents == 1  # guilds, and nothing else
    assert before == (Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY)


async def test_without_a_guild_the_commands_are_global(fake: FakeDiscord) -> None:
    async with running(surface(fake, guild=None)):
        await fake.until_commands()
        assert (await fake.type("help")).text.startswith("Commands")
    assert list(fake.commands) == ["global"]


async def test_the_menu_is_what_the_readme_says(fake: FakeDiscord) -> None:
    async with running(surface(fake)):
        await fake.until_commands()
    attache, menu = fake.commands["global"]
    assert (menu["name"], menu["type"]) == ("Why did this alert?", 3)
    subs = {o["name"]: o for o in attache["options"]}
    assert set(subs) == set(Name)
    assert {o["name"] for o in subs["watch"]["options"]} == {"list", "add", "only", "mute", "remove", "test", "history", "undo"}
    assert {o["name"] for o in subs["mute"]["options"]} == {"dossier", "list", "off"}
    assert {o["name"] for o in subs["sources"]["options"]} == {"list", "check", "add", "remove", "pause", "resume"}
    count, topic, country, _ = subs["latest"]["options"]
    assert (count["min_value"], count["max_value"], count["required"]) == (1, 20, False)
    assert [c["value"] for c in topic["choices"]] == list(Topic)
    assert country["max_length"] == 150


@pytest.mark.parametrize(
    ("words", "options", "said"),
    [
        ("latest", {}, "Arlandia and Borduria sign pact on timber"),
        ("latest", {"count": 1, "topic": "trade_deal", "country": "arlandia"}, "Latest developments: Trade deal · Arlandia"),
        ("latest", {"topic": "ministerial_meeting"}, "Nothing found."),
        ("latest", {"count": 99}, r"n is 1 to 20. Usage: latest \[n\]"),
        ("latest", {"country": "Atlantis"}, "No country or bloc is known by “Atlantis”"),
        ("search", {"words": "timber <@1>"}, r"Search: timber \<\@1\>"),
        ("search", {"words": "  "}, "Usage: search WORDS"),
        ("why", {"name": "x" * 999}, "That is too long"),
        ("story", {"name": "d9"}, "There is no such development"),
        ("upcoming", {}, "No planned meeting"),
        ("subscribe", {"cadence": "daily", "time": "08:00"}, "Only admins may do that"),
        ("unsubscribe", {}, "Only admins may do that"),
        ("mute dossier", {"name": "d1", "for": "7d"}, "Only admins may do that"),
        ("digest now", {}, "Only admins may do that"),
        ("timeline", {"countries": "Arlandia Borduria"}, "Timeline: Arlandia – Borduria"),
        ("why", {"name": "e1"}, "Alerted: the first report of a new development."),
        ("why", {"name": "e2"}, "There is no such entry"),
        ("watch list", {}, "No watch keywords yet."),
        ("status", {}, "Entries\n12"),
        ("help", {}, "watch list"),
    ],
)
async def test_each_command_is_acknowledged_and_answered(fake: FakeDiscord, words: str, options: dict[str, Any], said: str) -> None:
    async with running(surface(fake)):
        await fake.until_commands()
        typed = await fake.type(words, options)
    assert said in typed.text
    assert typed.ephemeral
    assert typed.seconds < 0.3


async def test_the_acknowledgement_does_not_wait_for_the_answer(fake: FakeDiscord) -> None:
    async with running(surface(fake, Shelf(development(), seconds=0.4))):
        await fake.until_commands()
        typed = await fake.type("latest")
    assert 0 <= typed.seconds < 0.3
    assert "timber" in typed.text


async def test_only_admins_change_the_watch_keywords(fake: FakeDiscord) -> None:
    shelf = Shelf()
    async with running(surface(fake, shelf)):
        await fake.until_commands()
        assert "Only admins may do that" in (await fake.type("watch add", {"term": "steel"})).text
        assert shelf.terms == []
        assert "Added “steel”" in (await fake.type("watch add", {"term": "steel"}, permissions=MANAGE_GUILD)).text
        assert [(k.term, k.added_by, k.added_at) for k in shelf.terms] == [("steel", "discord:42", NOW)]
        assert "Only admins" in (await fake.type("watch remove", {"term": "steel"})).text
        assert "Removed “steel”" in (await fake.type("watch remove", {"term": "steel"}, user="77")).text  # named in ATTACHE_ADMINS


async def test_managers_of_another_guild_are_no_admins(fake: FakeDiscord) -> None:
    shelf = Shelf()
    async with running(surface(fake, shelf)):
        await fake.until_commands()
        typed = await fake.type("watch add", {"term": "steel"}, permissions=MANAGE_GUILD, guild="501")
    assert "Only admins" in typed.text
    assert shelf.terms == []


async def test_an_unforeseen_error_is_answered_with_an_id_that_is_in_the_log(fake: FakeDiscord) -> None:
    shelf = Shelf()
    shelf.broken = True
    async with running(surface(fake, shelf)):
        await fake.until_commands()
        with capture_logs() as logs:
            typed = await fake.type("latest")
    (entry,) = [log for log in logs if log["event"] == "command_failed"]
    assert typed.text == f"⚠️ That did not work\nSomething went wrong on the bot's side. Tell an admin this id: {entry['id']}"
    assert "the disk is on fire" in entry["trace"]
    assert "exc_info" not in entry  # a pretty renderer would print local variables with it


async def test_an_ended_session_is_begun_anew_at_the_same_server(fake: FakeDiscord) -> None:
    async with running(surface(fake)):
        await fake.until_commands()
        await fake.invalidate()
        await fake.until(lambda: fake.connections == 2)  # discord.py identifies five seconds later; leaving meanwhile must not hang
        began = time.monotonic()
    assert time.monotonic() - began < 2


async def test_a_wrong_token_names_the_variable(fake: FakeDiscord) -> None:
    with pytest.raises(SettingsError, match=r"DISCORD_BOT_TOKEN: .*copy the bot's token") as caught:
        await surface(fake, token="stale-secret").run()
    assert "stale-secret" not in str(caught.value)


async def test_a_guild_that_the_bot_is_not_in_names_the_variable(fake: FakeDiscord) -> None:
    with pytest.raises(SettingsError, match="DISCORD_GUILD"):
        await surface(fake, guild=999).run()


async def test_a_server_that_is_down_at_the_start_is_waited_for(fake: FakeDiscord) -> None:
    async with FakeDiscord() as gone:
        it = surface(gone)
    task = asyncio.create_task(it.run())
    with capture_logs() as logs:
        await asyncio.sleep(0.2)
    assert not task.done()
    assert [log["event"] for log in logs] == ["discord_disconnected"]
    assert TOKEN not in str(logs)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_alerts_and_commands_share_one_connection(fake: FakeDiscord) -> None:
    async with running(surface(fake)) as up:
        await fake.until_commands()
        typed, receipt = await asyncio.gather(fake.type("latest"), up.sender.send(delivery()))
    assert "timber" in typed.text
    assert [m["id"] for m in fake.messages] == [receipt.message_id]


async def test_the_buttons_of_an_alert_answer_whoever_presses_them_after_a_restart_too(fake: FakeDiscord) -> None:
    shelf = Shelf(development())
    async with running(surface(fake, shelf)) as before:
        await before.sender.send(delivery())
    (message,) = fake.messages
    own = development().development_id
    async with running(surface(fake, shelf)):
        await fake.until_commands()
        noted = await fake.press(message, f"attache:useful:{own}")
        assert "Noted, thank you" in noted.text
        assert (noted.ephemeral, noted.seconds < 0.3) == (True, True)
        assert "Only admins may do that" in (await fake.press(message, f"attache:mute:{own}")).text
        assert "Muted in this channel" in (await fake.press(message, f"attache:mute:{own}", permissions=MANAGE_GUILD)).text
    assert [(f.development_id, f.actor, str(f.destination), f.useful) for f in shelf.said] == [(own, "discord:42", "discord:100", True)]
    assert [(str(m.destination), m.dossier_id) for m in shelf.muted] == [("discord:100", development().dossier_id)]


async def test_after_three_times_not_relevant_the_bot_offers_to_mute(fake: FakeDiscord) -> None:
    own = development().development_id
    async with running(surface(fake)) as it:
        await fake.until_commands()
        await it.sender.send(delivery())
        answers = [await fake.press(fake.messages[0], f"attache:not_relevant:{own}", user=str(n)) for n in (1, 2, 3)]
    assert ["Mute it?" in a.text for a in answers] == [False, False, True]
    (row,) = fake.answers[-1]["components"]
    assert [c["custom_id"] for c in row["components"]] == [f"attache:mute:{own}"]


async def test_the_menu_of_a_message_says_why_it_alerted(fake: FakeDiscord) -> None:
    async with running(surface(fake)) as it:
        await fake.until_commands()
        await it.sender.send(delivery())
        assert "There is no such entry" in (await fake.ask_about(fake.messages[0], "Why did this alert?")).text
        other = fake.messages[0] | {"components": []}
        assert "no alert of one development" in (await fake.ask_about(other, "Why did this alert?")).text


async def test_an_answer_is_shared_when_asked(fake: FakeDiscord) -> None:
    async with running(surface(fake)):
        await fake.until_commands()
        assert not (await fake.type("latest", {"share": True})).ephemeral
