"""The commands that read, over a real store: latest, search, timeline, upcoming, story, why, status, help; and the buttons."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from icalendar import Calendar

from bot.domain.alerts import Alert, Destination, Receipt, Surface
from bot.domain.assessment import Person
from bot.domain.developments import Development, SummarySentence
from bot.domain.subscriptions import Mute, Planned, Subscription
from bot.domain.topics import Stage, Status
from bot.storage.store import SqlStore
from handlers.commands import Commands
from handlers.desks import make_commands
from handlers.grammar import EXAMPLES, FOR_ADMINS, Actor, Name, parse
from handlers.replies import Button, Offer, Reply
from handlers.timelines import LISTED
from tests.fakes.clock import START, ManualClock
from tests.judge.kit import language, places
from tests.storage.kit import MEETING, SLACK, keep, new, opened, subscribed

READER = Actor(surface=Surface.SLACK, user="U1", channel="C1")
OTHER = Actor(surface=Surface.DISCORD, user="7", channel="42")
ADMIN = replace(READER, user="UADMIN", admin=True)
NOWHERE = Actor(surface=Surface.SLACK, user="U1")


@dataclass
class Talk:
    """The commands over a store."""

    store: SqlStore
    clock: ManualClock

    @property
    def commands(self) -> Commands:
        return make_commands(store=self.store, gazetteer=places(), language=language(), clock=self.clock, admins=frozenset())

    async def say(self, line: str, actor: Actor = READER) -> Reply:
        return await self.commands.answer_line(actor, line)

    async def press(self, button: Button, development: Development, actor: Actor = READER) -> Reply:
        return await self.commands.press(actor, button, development.development_id)

    async def refused(self, line: str) -> str:
        reply = await self.say(line)
        assert reply.error
        return reply.note

    async def told(self, title: str, number: int, days: float = 0, *, alert: bool = False, **more: object) -> Development:
        """File a development of its own."""
        when = START + timedelta(days=days)
        entry = await new(self.store, title, number, published=when)
        values = {"first_published": when, "last_published": when, "stage": Stage.NEGOTIATING, **more}
        return await keep(self.store, entry, keys=(f"w:{number}",), alert=alert, **values)


@pytest.fixture
async def talk(tmp_path: Path, database: str) -> AsyncIterator[Talk]:
    async with opened(tmp_path) as store:
        yield Talk(store, ManualClock())


def facts(reply: Reply) -> dict[str, str]:
    assert not reply.error, reply.note
    return dict(reply.facts)


def titles(reply: Reply) -> Sequence[str]:
    assert not reply.error, reply.note
    return [item.title for item in reply.items]


async def a_story(talk: Talk) -> list[Development]:
    """A deal in three steps, a meeting of others, and a meeting that is planned."""
    first = await talk.told("India and United States propose a rice accord", 1, 0, stage=Stage.PROPOSED, dossier_step=1)
    second = await talk.told("India and United States open rice talks", 2, 20, dossier_step=2)
    third = await talk.told(
        "India and United States sign the rice accord",
        3,
        60,
        stage=Stage.SIGNED,
        dossier_step=3,
        place="Pune",
        when=date(2026, 5, 1),
        people=(Person(name="Asha Rao", office="Commerce Minister", country="IND"), Person(name="Dana Cole")),
        summary=(SummarySentence(text="The accord was signed in Pune.", url="https://example.com/story-3"),),
    )
    meeting = {"topics": (MEETING,), "stage": None, "parties": ("FRA", "JPN"), "dossier_id": "ministerial_meeting:FRA-JPN"}
    held = await talk.told("France and Japan hold harbour talks", 4, 30, status=Status.HELD, **meeting)
    return [first, second, third, held]


# latest, search


async def test_latest_takes_a_count_a_topic_and_countries_in_any_order(talk: Talk) -> None:
    await a_story(talk)
    assert len(titles(await talk.say("latest"))) == 4
    assert titles(await talk.say("latest 2")) == ["India and United States sign the rice accord", "France and Japan hold harbour talks"]
    assert titles(await talk.say("latest meetings")) == ["France and Japan hold harbour talks"]
    assert titles(await talk.say("latest united states trade 1 india")) == ["India and United States sign the rice accord"]
    assert (await talk.say("latest 3 trade india")).title == "Latest developments: Trade deal · India"
    assert (await talk.say("latest peru")).note == "Nothing found."
    assert "n is 1 to 20" in await talk.refused("latest 21")
    assert "n is 1 to 20" in await talk.refused("latest -1")
    assert "No country or bloc" in await talk.refused("latest atlantis")


async def test_search_knows_phrases_and_a_minus(talk: Talk) -> None:
    await a_story(talk)
    assert len(titles(await talk.say("search RICE"))) == 3
    assert titles(await talk.say('search "rice talks"')) == ["India and United States open rice talks"]
    assert titles(await talk.say("search rice -talks -propose")) == ["India and United States sign the rice accord"]
    assert (await talk.say("search zebra")).note == "Nothing found."
    assert await talk.refused("search") == "Usage: search WORDS"


# timeline


@pytest.mark.parametrize("words", ["india united states", "trade_deal:IND-USA", "TRADE_DEAL:usa-ind", "{id}"])
async def test_a_timeline_is_a_list_and_a_picture(talk: Talk, words: str) -> None:
    first, *_ = await a_story(talk)
    reply = await talk.say(f"timeline {words.replace('{id}', first.development_id)}")
    assert titles(reply) == [
        "India and United States propose a rice accord",
        "India and United States open rice talks",
        "India and United States sign the rice accord",
    ]
    (picture,) = reply.attachments
    assert (picture.media, picture.content[:4]) == ("image/png", b"\x89PNG")
    assert "3 developments" in picture.description
    assert "proposed on 2 March 2026, negotiating on 22 March 2026, signed on 1 May 2026" in picture.description


async def test_a_long_timeline_lists_the_newest_and_draws_all(talk: Talk) -> None:
    for n in range(LISTED + 3):
        await talk.told(f"Rice talks, round {n}", n, n, dossier_step=n + 1)
    reply = await talk.say("timeline IND USA")
    assert titles(reply)[-1] == f"Rice talks, round {LISTED + 2}"
    assert len(reply.items) == LISTED
    assert reply.note == "3 earlier developments are in the picture only."
    assert f"{LISTED + 3} developments" in reply.attachments[0].description


async def test_a_timeline_of_nothing_has_no_picture(talk: Talk) -> None:
    reply = await talk.say("timeline Peru")
    assert (reply.note, reply.attachments) == ("Nothing found.", ())
    assert (await talk.say("timeline trade_deal:CHL-PER")).title == "Timeline: Trade deal, Chile – Peru"
    assert "There is no dossier “rice:IND”" in await talk.refused("timeline rice:IND")
    assert "No country or bloc" in await talk.refused("timeline nowhere")
    assert await talk.refused("timeline") == "Usage: timeline COUNTRIES|DOSSIER|ID"


async def test_meetings_are_told_from_deals_in_the_picture_of_a_country(talk: Talk) -> None:
    await a_story(talk)
    await talk.told(
        "India and Japan plan a visit",
        9,
        3,
        topics=(MEETING,),
        stage=None,
        status=Status.PLANNED,
        parties=("IND", "JPN"),
        dossier_id="ministerial_meeting:IND-JPN",
    )
    reply = await talk.say("timeline India")
    assert len(reply.items) == 4
    assert "planned on 5 March 2026" in reply.attachments[0].description


# upcoming


async def test_upcoming_meetings_come_by_date_and_as_a_calendar(talk: Talk) -> None:
    meeting = {"topics": (MEETING,), "stage": None, "status": Status.PLANNED}
    later = await talk.told("Ministers to meet in Oslo", 1, 0, when=date(2026, 3, 20), place="Oslo", **meeting)
    sooner = await talk.told("Ministers to meet in Lima", 2, 1, when=date(2026, 3, 5), **meeting)
    await talk.told("Ministers to meet some day", 3, 1, **meeting)
    await talk.told("Ministers were to meet", 4, -9, when=date(2026, 3, 1), **meeting)
    await talk.told("Ministers met", 5, 1, when=date(2026, 3, 21), **{**meeting, "status": Status.HELD})
    reply = await talk.say("upcoming")
    assert titles(reply) == ["Ministers to meet in Lima", "Ministers to meet in Oslo"]
    assert [item.chips[:2] for item in reply.items] == [("Thu 5 Mar 2026", "Ministerial meeting"), ("Fri 20 Mar 2026", "Oslo")]
    (calendar,) = reply.attachments
    found = [(str(e["UID"]), e["DTSTART"].dt) for e in Calendar.from_ical(calendar.content).walk("VEVENT")]
    assert found == [(f"{sooner.development_id}@attache", sooner.when), (f"{later.development_id}@attache", later.when)]


async def test_a_meeting_that_was_called_off_or_is_over_is_not_upcoming(talk: Talk) -> None:
    meeting = {"topics": (MEETING,), "stage": None, "when": date(2026, 3, 20)}
    for n, (dossier, status, day) in enumerate(
        [
            ("a", Status.CANCELLED, None),
            ("b", Status.HELD, date(2026, 3, 20)),
            ("c", Status.HELD, None),
            ("d", Status.CANCELLED, date(2026, 4, 1)),
        ]
    ):
        own = {**meeting, "dossier_id": f"ministerial_meeting:{dossier}"}
        await talk.told(f"Meeting {dossier} is planned", 2 * n, 0, dossier_step=1, status=Status.PLANNED, **own)
        await talk.told(f"Meeting {dossier}, later", 2 * n + 1, 1, dossier_step=2, **{**own, "status": status, "when": day})
    assert titles(await talk.say("upcoming")) == ["Meeting c is planned", "Meeting d is planned"]


async def test_with_no_meeting_there_is_no_file(talk: Talk) -> None:
    reply = await talk.say("upcoming")
    assert (reply.note, reply.attachments) == ("No planned meeting with a date is known.", ())


# story


async def test_a_story_has_its_facts_its_sources_and_its_place(talk: Talk) -> None:
    _, second, third, _ = await a_story(talk)
    reply = await talk.say(f"story {second.development_id}")
    said = facts(reply)
    assert reply.title == second.headline
    assert said["Dossier"] == "Trade deal, India – United States (trade_deal:IND-USA): development 2 of 3"
    assert said["Before it"].startswith("India and United States propose a rice accord (d")
    assert said["After it"] == f"{third.headline} ({third.development_id})"
    assert said["Alert here"] == "none: nobody was told"
    assert [(i.title, i.chips, i.when) for i in reply.items] == [(second.headline, ("wire",), second.first_published)]
    last = await talk.say(f"story {third.development_id}")
    assert facts(last)["People"] == "Asha Rao (Commerce Minister), Dana Cole"
    assert facts(last)["Where and when"] == "Pune, Fri 1 May 2026"
    assert "After it" not in facts(last)
    assert last.note == "The accord was signed in Pune."
    assert "There is no such development" in await talk.refused("story d1")


async def test_a_story_says_who_was_told_and_of_other_channels_only_how_many(talk: Talk) -> None:
    more = [Destination(surface=Surface.SLACK, address=f"C{n}") for n in (2, 3)]
    await subscribed(talk.store, SLACK, *more)
    entry = await new(talk.store, "A pact on rice")
    development = await keep(talk.store, entry)
    plans = {d: Planned(due=START, digest=d is more[1]) for d in (SLACK, *more)}
    async with talk.store.begin() as writing:
        await writing.enqueue(Alert(development=development, raised=START), plans)

    async def here(channel: str) -> tuple[str, str]:
        said = facts(await talk.say(f"story {development.development_id}", replace(READER, channel=channel)))
        return said.get("Alert here", ""), said.get("Alert elsewhere", "")

    assert await here("C1") == ("on its way", "2 on the way")
    assert (await here("C3"))[0] == "waits for the digest"
    leased = await talk.store.lease(SLACK, START, 60)
    assert leased is not None
    await talk.store.sent(leased, Receipt(message_id="1.1"), START + timedelta(minutes=1))
    failing = await talk.store.lease(more[0], START, 60)
    assert failing is not None
    await talk.store.fail(failing, "the channel is archived", START)
    assert await here("C1") == ("sent on Mon 2 Mar 2026 at 12:01 UTC", "1 failed, 1 on the way")
    assert await here("C2") == ("failed: the channel is archived", "sent to 1 channel, 1 on the way")
    assert await here("C9") == ("", "sent to 1 channel, 1 failed, 1 on the way")


# why


@pytest.mark.parametrize("address", ["https://example.com/story-1", "https://www.example.com/story-1?utm_source=x", "https://example.com"])
async def test_why_knows_a_development_a_key_and_an_address(talk: Talk, address: str) -> None:
    entry = await new(
        talk.store, "A pact on rice", 1, url="https://example.com" if address == "https://example.com" else "https://example.com/story-1"
    )
    development = await keep(talk.store, entry)
    for name in (development.development_id, entry.key, address):
        reply = await talk.say(f"why {name}")
        assert titles(reply) == ["A pact on rice"]
        assert facts(reply)["Filed under"] == f"{development.development_id}: A pact on rice"
        assert facts(reply)["Words that weighed"] == "none"
    for name in ("d1", "https://example.com/other", "https://other.example"):
        assert "There is no such entry" in await talk.refused(f"why {name}")
    assert await talk.refused("why") == "Usage: why ID|URL"


async def test_why_says_so_when_an_entry_waits(talk: Talk) -> None:
    entry = await new(talk.store, "A pact on rice")
    assert (await talk.say(f"why {entry.key}")).note == "Not assessed yet."


# status, help


async def test_status_says_what_this_channel_gets_and_finds_useful(talk: Talk) -> None:
    one, other, *_ = await a_story(talk)
    assert facts(await talk.say("status"))["This channel"] == "no subscription"
    assert facts(await talk.say("status"))["Useful, this channel"] == "nobody has said yet"
    await talk.store.subscribe(Subscription(destination=SLACK))
    for dossier, until in (("trade_deal:A-B", None), ("trade_deal:A-C", START), ("trade_deal:A-D", START + timedelta(days=1))):
        await talk.store.mute(Mute(destination=SLACK, dossier_id=dossier, actor="slack:U1", at=START, until=until))
    await talk.press(Button.USEFUL, one)
    await talk.press(Button.USEFUL, other)
    await talk.press(Button.NOT_RELEVANT, one, replace(READER, user="U2"))
    await talk.press(Button.NOT_RELEVANT, one, OTHER)
    said = facts(await talk.say("status"))
    assert (said["Entries"], said["Developments"]) == ("4", "4")
    assert said["This channel"] == "subscribed, realtime"
    assert said["Muted dossiers here"] == "2"
    assert said["Useful, this channel"] == "2 of 3 (67%)"
    assert said["Useful, all channels"] == "2 of 4 (50%)"
    assert await talk.store.pause(SLACK, "the bot was removed")
    assert facts(await talk.say("status"))["This channel"] == "subscribed, but on pause: the bot was removed"
    assert "This channel" not in facts(await talk.say("status", NOWHERE))


async def test_help_tells_of_all_commands_and_of_one(talk: Talk) -> None:
    assert len((await talk.say("help")).facts) == len(Name)
    said = facts(await talk.say("help Watch"))
    assert said["Usage"].startswith("watch list | ")
    assert said["Who may"] == "everybody may look; add, mute, only, remove, undo: admins"
    assert facts(await talk.say("help latest"))["Who may"] == "everybody"
    assert facts(await talk.say("help unsubscribe"))["Who may"] == "admins"
    assert facts(await talk.say("help mute"))["Who may"] == "everybody may look; changing it: admins"
    assert "There is no command “nonsense”" in await talk.refused("help nonsense")


@pytest.mark.parametrize("name", list(Name))
async def test_the_examples_of_help_can_be_typed(talk: Talk, name: Name) -> None:
    assert (await talk.say(f"help {name}")).facts
    for example in EXAMPLES[name]:
        assert parse(example).name is name
        reply = await talk.say(example, ADMIN)
        assert "Usage:" not in reply.note
    if name in FOR_ADMINS:
        assert any(parse(example).for_admins for example in EXAMPLES[name])


# the buttons


async def test_the_buttons_timeline_and_why_answer_as_the_commands_do(talk: Talk) -> None:
    first, *_ = await a_story(talk)
    assert await talk.press(Button.TIMELINE, first) == await talk.say(f"timeline {first.development_id}")
    assert await talk.press(Button.WHY, first) == await talk.say(f"why {first.development_id}")


async def test_three_times_not_relevant_offer_to_mute_until_it_is_muted(talk: Talk) -> None:
    first, second, third, elsewhere = await a_story(talk)
    assert (await talk.press(Button.NOT_RELEVANT, first)).offers == ()
    assert (await talk.press(Button.NOT_RELEVANT, first)).offers == ()  # the same person of the same alert counts once
    assert (await talk.press(Button.NOT_RELEVANT, second)).offers == ()
    assert (await talk.press(Button.NOT_RELEVANT, third, OTHER)).offers == ()  # another channel
    assert (await talk.press(Button.NOT_RELEVANT, elsewhere)).offers == ()  # another dossier
    offered = await talk.press(Button.NOT_RELEVANT, third)
    assert offered.offers == (Offer(button=Button.MUTE, development_id=third.development_id),)
    assert "That is 3 times" in offered.note
    assert (await talk.press(Button.USEFUL, third)).offers == ()  # changed their mind
    assert (await talk.press(Button.NOT_RELEVANT, third)).offers
    refused = await talk.press(Button.MUTE, third)
    assert (refused.error, refused.note.startswith("Only admins")) == (True, True)
    muted = await talk.press(Button.MUTE, third, ADMIN)
    assert muted.note.endswith("To have them back: mute off trade_deal:IND-USA")
    assert [m.dossier_id for m in await talk.store.mutes(SLACK)] == ["trade_deal:IND-USA"]
    assert (await talk.press(Button.NOT_RELEVANT, second)).offers == ()
    await talk.say("mute off trade_deal:IND-USA", ADMIN)
    assert (await talk.press(Button.NOT_RELEVANT, second)).offers


@pytest.mark.parametrize("button", [Button.USEFUL, Button.NOT_RELEVANT, Button.MUTE])
async def test_what_belongs_to_a_channel_is_not_taken_outside_of_one(talk: Talk, button: Button) -> None:
    first, *_ = await a_story(talk)
    reply = await talk.press(button, first, replace(ADMIN, channel=""))
    assert (reply.error, reply.note) == (True, "That belongs to a channel: press the button there.")
    assert await talk.store.feedback() == []


async def test_a_button_under_an_alert_that_is_gone_says_so(talk: Talk) -> None:
    reply = await talk.commands.press(READER, Button.WHY, "d1")
    assert (reply.error, reply.note) == (True, "That development is not kept any more.")
