"""What people do besides typing commands: buttons, menus of messages, half-typed options; and what Discord does: it repeats itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from bot.domain.alerts import Destination, Surface
from bot.domain.entries import SourceChange, SourceState
from bot.domain.subscriptions import Mute
from bot.domain.watch import Effect
from handlers.discord.context import WHY_THIS
from handlers.replies import Button
from tests.discord.desk import desk
from tests.discord.kit import NOW, Shelf, delivery, development, running, surface
from tests.fakes.discord_server import MANAGE_GUILD, FakeDiscord

HERE = Destination(surface=Surface.DISCORD, address="100")


@pytest.fixture
async def fake() -> AsyncIterator[FakeDiscord]:
    async with FakeDiscord() as server:
        yield server


async def test_every_button_answers_from_its_id_alone_after_a_restart(fake: FakeDiscord) -> None:
    async with desk(fake) as before:
        await before.surface.sender.send(delivery())
        async with desk(fake, store=before.store):
            pass
    async with desk(fake):
        for button in Button:
            pressed = await fake.press(fake.messages[0], f"attache:{button}:d1", permissions=MANAGE_GUILD)
            assert pressed.ephemeral, button
            assert pressed.text, button


async def test_a_button_in_a_thread_speaks_of_the_channel(fake: FakeDiscord) -> None:
    async with desk(fake, development(1), development(2)) as it:
        first = await it.surface.sender.send(delivery(1))
        await it.surface.sender.send(delivery(2, thread=first.message_id))
        await fake.press(fake.messages[1], "attache:mute:d2", permissions=MANAGE_GUILD)
        assert [m.destination for m in await it.store.mutes()] == [HERE]


async def test_foreign_buttons_are_left_alone(fake: FakeDiscord) -> None:
    async with desk(fake) as it:
        await it.surface.sender.send(delivery())
        row = {"type": 1, "components": [{"type": 2, "style": 1, "label": "x", "custom_id": "attache:dance:d1"}]}
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await fake.press(fake.messages[0] | {"components": [row]}, "attache:dance:d1")
    assert fake.answers == []


async def test_a_button_whose_development_is_gone_says_so(fake: FakeDiscord) -> None:
    async with desk(fake, development(2)) as it:
        await it.surface.sender.send(delivery(1))
        assert "not kept any more" in (await fake.press(fake.messages[0], "attache:useful:d1")).text


async def test_an_unforeseen_error_behind_a_button_carries_an_id(fake: FakeDiscord) -> None:
    shelf = Shelf(development())
    shelf.broken = True
    async with running(surface(fake, shelf)) as up:
        await up.sender.send(delivery())
        with capture_logs() as logs:
            pressed = await fake.press(fake.messages[0], "attache:useful:d1")
    (entry,) = [log for log in logs if log["event"] == "command_failed"]
    assert entry["id"] in pressed.text


async def test_a_message_of_somebody_else_with_the_same_buttons_is_no_alert(fake: FakeDiscord) -> None:
    async with desk(fake) as it:
        await it.surface.sender.send(delivery())
        stranger = fake.messages[0] | {"author": {**fake.messages[0]["author"], "id": "666"}}
        assert "no alert of one development" in (await fake.ask_about(stranger, WHY_THIS)).text


@pytest.mark.parametrize(("words", "options"), [("watch add", {"term": "steel"}), ("latest", {})])
async def test_an_interaction_that_comes_twice_is_handled_once(fake: FakeDiscord, words: str, options: dict[str, object]) -> None:
    async with desk(fake) as it:
        typed = await fake.type(words, options, permissions=MANAGE_GUILD)
        await fake.repeat(typed)
        await fake.type("help")  # behind it in the same order
        assert typed.answers == 1
        assert len(await it.store.keyword_changes(9)) == (1 if words == "watch add" else 0)


async def test_of_two_processes_only_the_one_that_acknowledges_runs_the_command(fake: FakeDiscord) -> None:
    async with desk(fake) as it, desk(fake, store=it.store):
        typed = await fake.type("watch add", {"term": "steel"}, permissions=MANAGE_GUILD)
        await fake.type("help")
        assert typed.answers == 1
        assert len(await it.store.keyword_changes(9)) == 1


async def test_a_shared_answer_is_for_the_channel_and_a_mistake_for_its_author(fake: FakeDiscord) -> None:
    async with desk(fake):
        shared = await fake.type("latest", {"share": True})
        assert (shared.ephemeral, shared.withdrawn) == (False, False)
        wrong = await fake.type("timeline", {"countries": "Atlantis", "share": True})
        assert (wrong.ephemeral, wrong.withdrawn) == (True, True)
        assert (await fake.type("search", {"words": "timber --share"})).ephemeral  # by the option only


async def test_a_picture_comes_as_a_file_inside_the_embed(fake: FakeDiscord) -> None:
    steps = [development(n, first_published=NOW - timedelta(days=9 * n), headline=f"Step {n}") for n in (1, 2, 3)]
    async with desk(fake, *steps):
        typed = await fake.type("timeline", {"countries": "Arlandia Borduria"})
    (name,) = typed.files
    assert typed.files[name].startswith(b"\x89PNG")
    assert (typed.answer or {})["embeds"][-1]["image"]["url"] == f"attachment://{name}"


async def test_options_are_completed_while_they_are_typed(fake: FakeDiscord) -> None:
    async with desk(fake, development(1), development(2, headline="Ministers meet <@1> in Port Amber", dossier_id="x:2")) as it:
        store = it.store
        await store.add_keyword("tariff*", "discord:1", NOW)
        await store.add_keyword("steel", "discord:1", NOW, effect=Effect.ONLY, channel="discord:101")
        await store.mute(Mute(destination=HERE, dossier_id="x:2", actor="discord:1", at=NOW))
        async with store.begin() as writing:
            await writing.record_health([SourceState(name="The Gazette"), SourceState(name="Old Wire")])
        await store.change_source(SourceChange(name="Old Wire", removed=True), "discord:1", NOW)

        async def values(words: str, option: str, typed: str) -> list[str]:
            return [c["value"] for c in await fake.complete(words, option, typed)]

        assert await values("story", "name", "port amb") == ["d2"]
        assert set(await values("why", "name", "")) == {"d1", "d2"}
        assert await values("mute dossier", "name", "meet") == ["x:2"]
        assert await values("mute off", "name", "") == ["x:2"]
        assert await values("timeline", "countries", "Arlandia bor") == ["Arlandia Borduria"]
        assert (await values("timeline", "countries", "trade"))[0] == "trade_deal:ARL-BOR"
        assert await values("latest", "country", "arl") == ["Arlandia"]
        assert await values("latest", "country", "zzz") == []
        assert await values("watch remove", "term", "") == ["tariff*"]
        assert await values("sources check", "name", "gaz") == ["The Gazette"]
        assert await values("sources check", "name", "") == ["The Gazette"]
        assert "Europe/Berlin" in await values("subscribe", "zone", "berl")
        assert len(await values("subscribe", "zone", "")) == 25
        choice, *_ = await fake.complete("story", "name", "ministers")
        assert choice["name"] == "Ministers meet <@1> in Port Amber (04 March)"  # a choice is plain text


async def test_a_store_that_fails_or_is_slow_completes_nothing(fake: FakeDiscord) -> None:
    shelf = Shelf(development())
    shelf.broken = True
    async with running(surface(fake, shelf)):
        await fake.until_commands()
        with capture_logs() as logs:
            assert await fake.complete("story", "name", "timber") == []
            shelf.broken, shelf.seconds = False, 30.0
            assert await fake.complete("story", "name", "timber") == []
    assert [log["event"] for log in logs] == ["discord_no_suggestions"] * 2


@pytest.mark.parametrize("by_button", [False, True])
async def test_an_answer_that_is_refused_once_is_followed_by_an_apology(fake: FakeDiscord, by_button: bool) -> None:
    async with desk(fake) as it:
        await it.surface.sender.send(delivery())
        fake.refused_answers = 1
        with capture_logs() as logs:
            await (fake.press(fake.messages[0], "attache:useful:d1") if by_button else fake.type("latest"))
            await fake.until(lambda: fake.answers)
    (entry,) = [log for log in logs if log["event"] == "discord_interaction_failed"]
    assert entry["id"] in str(fake.answers[-1]["embeds"])


async def test_an_apology_that_is_refused_too_is_in_the_log(fake: FakeDiscord) -> None:
    async with desk(fake):
        fake.refused_answers = 2
        with capture_logs() as logs:
            await fake.type("latest")
            async with asyncio.timeout(5):
                while "discord_answer_refused" not in [log["event"] for log in logs]:  # noqa: ASYNC110  (the log tells nobody)
                    await asyncio.sleep(0.01)
    assert fake.answers == []
