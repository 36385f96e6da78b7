"""`watch …` over a real store: what anybody sees, what admins change, and that both surfaces see the same."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.domain.alerts import Surface
from bot.domain.assessment import Assessment
from bot.domain.decisions import Reason
from bot.domain.developments import development_id
from bot.domain.watch import MAX_KEYWORDS
from bot.ports import Filed
from bot.storage.store import SqlStore
from handlers.desks import make_commands
from handlers.grammar import Actor
from handlers.replies import Reply
from tests.fakes.clock import START, ManualClock
from tests.judge.kit import language, places
from tests.storage.kit import DEAL, MEETING, development_on, new, opened

ADMIN = Actor(surface=Surface.SLACK, user="U1", admin=True, channel="C1")
OTHER = Actor(surface=Surface.DISCORD, user="7", admin=True, channel="42")
READER = Actor(surface=Surface.DISCORD, user="8", channel="42")
TERMINAL = Actor(surface=Surface.CONSOLE, user="root", admin=True)


@dataclass
class Talk:
    """The commands over a store."""

    store: SqlStore
    clock: ManualClock

    async def say(self, line: str, actor: Actor = ADMIN) -> Reply:
        commands = make_commands(store=self.store, gazetteer=places(), language=language(), clock=self.clock, admins=frozenset())
        return await commands.answer_line(actor, line)

    async def refused(self, line: str, actor: Actor = ADMIN) -> str:
        reply = await self.say(line, actor)
        assert reply.error
        return reply.note


@pytest.fixture
async def talk(tmp_path: Path) -> AsyncIterator[Talk]:
    async with opened(tmp_path) as store:
        yield Talk(store, ManualClock())


def shown(reply: Reply) -> list[tuple[str, str]]:
    assert not reply.error, reply.note
    return [(item.title, item.chips[0]) for item in reply.items]


async def test_what_is_added_on_slack_is_seen_from_discord(talk: Talk) -> None:
    assert (await talk.say("watch", READER)).note == "No watch keywords yet. An admin adds one with: watch add EXPR"
    added = await talk.say('watch add tariff* OR "rice pact" country:India')
    assert added.title == 'Added “tariff* OR "rice pact" AND country:IND” (watch)'
    talk.clock.advance(hours=1)
    await talk.say("watch mute golf", OTHER)
    await talk.say("watch only topic:meeting", OTHER)
    listed = await talk.say("watch list", READER)
    assert shown(listed) == [
        ('tariff* OR "rice pact" AND country:IND', "watch"),
        ("golf", "mute"),
        ("topic:meeting", "only in discord:42"),
    ]
    assert listed.items[0].chips[1] == "added by slack:U1"
    assert listed.items[0].when == START


@pytest.mark.parametrize("line", ["watch add rice", "watch remove rice", "watch only rice", "watch mute rice", "watch undo"])
async def test_only_admins_change_something(talk: Talk, line: str) -> None:
    assert "admins" in await talk.refused(line, READER)
    assert await talk.store.keyword_changes(9) == []


async def test_the_same_expression_again(talk: Talk) -> None:
    await talk.say("watch add rice pact")
    assert (await talk.say("watch add RICE AND Pact")).title == "“RICE AND Pact” (watch) was there already"
    assert len((await talk.say("watch mute rice pact")).items) == 2


async def test_a_wrong_expression_is_answered_with_the_place(talk: Talk) -> None:
    for action in ("add", "mute", "only", "test"):
        note = await talk.refused(f"watch {action} rice AND (tea OR )")
        assert "rice AND (tea OR ^)" in note
        assert "expected a term" in note
    assert await talk.store.keywords() == []


@pytest.mark.parametrize("line", ["watch add", "watch remove", "watch test", "watch only", "watch mute", "watch rice"])
async def test_half_a_command_is_answered_with_the_usage(talk: Talk, line: str) -> None:
    assert (await talk.refused(line)).startswith("Usage: watch list")


async def test_there_is_an_end_to_keywords(talk: Talk) -> None:
    for n in range(MAX_KEYWORDS):
        await talk.store.add_keyword(f"rice{n}", "slack:U1", START)
    assert f"{MAX_KEYWORDS} watch keywords" in await talk.refused("watch add tea")


async def test_removing(talk: Talk) -> None:
    await talk.say('watch add "rice pact"')
    await talk.say("watch only tea")
    assert (await talk.say('watch remove "RICE pact"')).title == 'Removed “"RICE pact"”'
    assert "slack:C1: remove it there" in await talk.refused("watch remove tea", OTHER)
    assert (await talk.say("watch remove TEA")).title == "Removed “TEA”"
    assert "no watch keyword “tea”" in await talk.refused("watch remove tea")


async def test_removing_takes_a_phrase_without_its_quotes_and_what_is_not_understood(talk: Talk) -> None:
    await talk.say('watch add "rice pact"')
    await talk.say("watch remove rice pact")
    await talk.store.add_keyword("rice (", "slack:U1", START)
    (broken,) = (await talk.say("watch list")).items
    assert broken.body.startswith("It matches nothing. Not understood at ^")
    await talk.say("watch remove rice\0 (")
    assert await talk.store.keywords() == []


async def test_only_wants_a_channel(talk: Talk) -> None:
    assert "say it in one" in await talk.refused("watch only rice", TERMINAL)


async def test_the_history_and_undo(talk: Talk) -> None:
    assert (await talk.say("watch history", READER)).note == "Nothing was changed yet."
    assert "no change left" in await talk.refused("watch undo")
    await talk.say("watch add rice")
    talk.clock.advance(hours=1)
    await talk.say("watch only tea", OTHER)
    undone = await talk.say("watch undo")
    assert undone.title == "Took back: “tea” (only in discord:42), added by discord:7"
    assert shown(undone) == [("rice", "watch")]
    history = await talk.say("watch history", READER)
    assert [(i.title, i.chips) for i in history.items] == [
        ("tea", ("took back by slack:U1", "only in discord:42")),
        ("tea", ("added by discord:7", "only in discord:42", "taken back")),
        ("rice", ("added by slack:U1", "watch")),
    ]
    await talk.say("watch undo", OTHER)
    assert await talk.store.keywords() == []


async def judged(store: SqlStore, title: str, number: int, reason: Reason, deal: float = 0.9) -> None:
    entry = await new(store, title, number)
    own = development_id(entry.key) if reason.alerts else None
    assessment = Assessment(scores={DEAL: deal, MEETING: 0.0}, development=0.9)
    topics = (DEAL,) if own else ()
    async with store.begin() as writing:
        if own:
            await writing.save(development_on(entry), ())
        await writing.record(Filed(entry=entry, assessment=assessment, reason=reason, topics=topics, development_id=own))


async def test_testing_shows_what_it_would_have_done_and_changes_nothing(talk: Talk) -> None:
    await judged(talk.store, "Rice pact signed", 1, Reason.NEW_DEVELOPMENT)
    await judged(talk.store, "Tea pact signed", 2, Reason.NEW_DEVELOPMENT)
    await judged(talk.store, "Rice pact near", 3, Reason.OFF_TOPIC, deal=0.4)
    await judged(talk.store, "Rice is cheap", 4, Reason.OFF_TOPIC, deal=0.1)
    talk.clock.advance(days=8)
    reply = await talk.say("watch test rice", READER)
    assert reply.title == "Test of “rice”"
    assert dict(reply.facts) == {
        "Alerts as it was": "0 in 7 days, 2 in 30 days",
        "add would alert": "0 in 7 days, 1 in 30 days",
        "only would spare": "0 in 7 days, 1 in 30 days",
        "mute would spare": "0 in 7 days, 1 in 30 days",
    }
    assert [(i.title, i.chips[0]) for i in reply.items] == [
        ("Rice pact near", "add would alert"),
        ("Tea pact signed", "only would spare"),
        ("Rice pact signed", "mute would spare"),
    ]
    assert "topic 0.40" in reply.items[0].body
    assert reply.note.startswith("Nothing was changed.")
    assert await talk.store.keyword_changes(9) == []
    talk.clock.advance(days=30)
    later = await talk.say("watch test rice", READER)
    assert (later.items, dict(later.facts)["Alerts as it was"]) == ((), "0 in 7 days, 0 in 30 days")


async def test_why_names_the_keyword_that_decided(talk: Talk) -> None:
    entry = await new(talk.store, "Rice pact signed")
    assessment = Assessment(scores={DEAL: 0.9, MEETING: 0.0}, development=0.9)
    async with talk.store.begin() as writing:
        await writing.record(Filed(entry=entry, assessment=assessment, reason=Reason.MUTED, keyword="rice AND pact"))
    reply = await talk.say(f"why {entry.key}", READER)
    assert ("Watch keyword", "rice AND pact") in reply.facts
    assert reply.note == "Not alerted: a muted watch keyword matches."
