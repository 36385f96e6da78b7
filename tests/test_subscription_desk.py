"""`subscribe`, `unsubscribe`, `mute` and `digest`, by command and by form, with a real store and the real language."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import time, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.app import read_places
from bot.domain.alerts import Alert, Surface
from bot.domain.errors import FormError, NotAllowedError
from bot.domain.subscriptions import Cadence, Planned, Quiet, Subscription
from bot.domain.topics import Topic
from bot.judge.watching import Watching
from bot.storage import tables
from bot.storage.store import SqlStore
from handlers.commands import Commands
from handlers.desks import make_commands
from handlers.forms import SubscriptionForm, form_of, line_of
from handlers.grammar import Actor
from handlers.replies import Reply
from handlers.subscribing import LISTED, FormCheck, form_from
from tests.fakes.clock import START, ManualClock
from tests.storage.kit import SLACK, keep, new, opened, rows

PLACES = read_places()
LANGUAGE = Watching(PLACES)
CHECK = FormCheck(PLACES, LANGUAGE)
ADMIN = Actor(surface=Surface.SLACK, user="U1", admin=True, channel="C1", team="T1")
READER = replace(ADMIN, user="U2", admin=False)


class Desk:
    """The commands over a store, and how often the outbox was woken."""

    def __init__(self, store: SqlStore) -> None:
        self.store = store
        self.clock = ManualClock()
        self.woken = 0
        self.commands: Commands = make_commands(
            store=store, gazetteer=PLACES, language=LANGUAGE, clock=self.clock, admins=frozenset(), wake=self._wake
        )

    def _wake(self) -> None:
        self.woken += 1

    async def say(self, line: str, actor: Actor = ADMIN) -> Reply:
        return await self.commands.answer_line(actor, line)

    async def subscription(self) -> Subscription | None:
        return await self.store.subscription(SLACK)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with opened(tmp_path) as store:
        yield Desk(store)


BASE = Subscription(destination=SLACK, team="T1", made_by="slack:U1", made_at=START)


@pytest.mark.parametrize(
    ("words", "wants"),
    [
        ("all", {}),
        ("trade", {"topics": (Topic.TRADE_DEAL,)}),
        ("Trade meetings deals", {"topics": (Topic.TRADE_DEAL, Topic.MINISTERIAL_MEETING)}),
        ("india and the united states", {"parties": ("IND", "USA")}),
        ("South Korea, New Zealand; IND EU", {"parties": ("KOR", "NZL", "IND", "EU")}),
        ("hourly", {"cadence": Cadence.HOURLY}),
        ("daily", {"cadence": Cadence.DAILY}),
        ("daily 18:30", {"cadence": Cadence.DAILY, "at": time(18, 30)}),
        ("daily 7 india", {"cadence": Cadence.DAILY, "at": time(7), "parties": ("IND",)}),
        ("quiet 22:00-07:00 zone Europe/Berlin", {"quiet": Quiet(start=time(22), end=time(7)), "zone": "Europe/Berlin"}),
        ("quiet 22–7 zone europe/berlin", {"quiet": Quiet(start=time(22), end=time(7)), "zone": "Europe/Berlin"}),
        ("quiet off cap off", {}),
        ("least 0.7 cap 5", {"least": 0.7, "cap": 5}),
        ('only "tariff* AND rice" hourly', {"expression": "tariff* AND rice", "cadence": Cadence.HOURLY}),
        ("only “tariff*” cap 3", {"expression": "tariff*", "cap": 3}),
        ("only '\"rice pact\" OR tea'", {"expression": '"rice pact" OR tea'}),
        ('trade only "rice pact" AND "tea treaty"', {"expression": '"rice pact" AND "tea treaty"', "topics": (Topic.TRADE_DEAL,)}),
        ("only rice daily", {"expression": "rice daily"}),
    ],
)
async def test_what_is_typed_is_what_the_channel_gets(desk: Desk, words: str, wants: dict[str, object]) -> None:
    reply = await desk.say(f"subscribe {words}")
    assert (reply.error, reply.title) == (False, "This channel is subscribed"), reply.note
    assert await desk.subscription() == replace(BASE, **wants)  # type: ignore[arg-type]  # fields by name
    assert desk.woken == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("atlantis", "No country or bloc is known by “atlantis”"),
        ("india atlantis", "“atlantis”"),
        ("least 2", "number from 0 to 1"),
        ("least", "`least` needs a value"),
        ("cap 0", "1 to 100"),
        ("cap many", "1 to 100"),
        ("quiet 22:00", "no time of the day"),
        ("quiet 25:00-07:00", "“25:00” is no time of the day"),
        ("quiet 07:00-07:00", "different times"),
        ("zone Europe", "no time zone"),
        ("zone ../../etc/passwd", "no time zone"),
        ("daily 23:00 quiet 22:00-07:00", "23:00 is within the quiet hours"),
        ("only", "`only` needs an expression"),
        ("only (rice AND", "rice"),
    ],
)
async def test_what_makes_no_sense_is_said_and_changes_nothing(desk: Desk, words: str, says: str) -> None:
    reply = await desk.say(f"subscribe {words}")
    assert reply.error
    assert says in reply.note
    assert await desk.subscription() is None
    assert desk.woken == 0


async def test_alone_it_shows_what_the_channel_gets_to_everybody(desk: Desk) -> None:
    empty = await desk.say("subscribe", READER)
    assert empty.title == "This channel has no subscription"
    assert "subscribe [all]" in empty.note
    line = "subscribe trade IND USA daily 18:00 quiet 22:00-07:00 zone Europe/Berlin least 0.5 cap 9 only 'rice OR \"tea treaty\"'"
    assert not (await desk.say(line)).error
    await desk.store.pause(SLACK, "is_archived: the channel is archived")
    shown = await desk.say("subscribe", READER)
    assert dict(shown.facts) == {
        "On pause": "is_archived: the channel is archived",
        "Topics": "trade deals",
        "Countries": "India, United States",
        "Only what matches": 'rice OR "tea treaty"',
        "Lowest importance": "0.5",
        "When": "a digest every day at 18:00",
        "Quiet": "22:00 to 07:00, then a digest",
        "At most": "9 an hour, the rest in a digest",
        "Time zone": "Europe/Berlin",
    }
    assert shown.note.endswith(line)


@pytest.mark.parametrize("line", ["subscribe all", "unsubscribe", "unsubscribe now", "mute d1", "mute off d1", "digest now"])
async def test_changing_is_for_admins(desk: Desk, line: str) -> None:
    await desk.store.subscribe(BASE)
    reply = await desk.say(line, READER)
    assert (reply.error, "Only admins" in reply.note) == (True, True)
    assert await desk.subscription() == BASE
    with pytest.raises(NotAllowedError):
        await desk.commands.form(READER)
    assert (await desk.commands.submit(READER, SubscriptionForm())).error


async def test_it_belongs_to_a_channel(desk: Desk) -> None:
    reply = await desk.say("subscribe all", replace(ADMIN, channel=""))
    assert reply.note == "That belongs to a channel: type it there."


async def test_the_form_says_what_is_wrong_beside_each_field(desk: Desk) -> None:
    wrong = SubscriptionForm(
        topics=("golf",), parties="atlantis", only="(", least="x", cadence="weekly", at="25", quiet="1", zone="x", cap="x"
    )
    with pytest.raises(FormError) as caught:
        await desk.commands.submit(ADMIN, wrong)
    assert set(caught.value.problems) == {"topics", "parties", "only", "least", "cadence", "at", "quiet", "zone", "cap"}
    assert await desk.commands.form(ADMIN) == SubscriptionForm()
    right = SubscriptionForm(topics=("trade",), parties="India, Japan", at="09:00", quiet="22:00-07:00", cap=" 4 ")
    assert not (await desk.commands.submit(ADMIN, right)).error
    filled = await desk.commands.form(ADMIN)
    assert filled == SubscriptionForm(
        topics=("trade",), parties="IND JPN", cadence="daily", at="09:00", quiet="22:00-07:00", zone="UTC", cap="4"
    )
    assert (await desk.commands.submit(replace(ADMIN, channel=""), right)).error


hours = st.times().map(lambda t: t.replace(second=0, microsecond=0))
quiets = st.builds(Quiet, start=hours, end=hours).filter(lambda q: q.start != q.end)
wanted = st.builds(
    Subscription,
    destination=st.just(SLACK),
    topics=st.lists(st.sampled_from(Topic), unique=True).map(tuple),
    parties=st.lists(st.sampled_from(("IND", "USA", "GIN", "GNB", "PNG", "EU", "PRK", "COD")), unique=True).map(tuple),
    expression=st.sampled_from(("", "rice", "rice AND tea", '"rice pact"', '"rice pact" OR tariff*', "country:IND daily")),
    least=st.integers(0, 100).map(lambda n: n / 100),
    cadence=st.sampled_from(Cadence),
    at=hours,
    quiet=st.none() | quiets,
    zone=st.sampled_from(("UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires")),
    cap=st.none() | st.integers(1, 100),
)


@given(subscription=wanted)
def test_the_line_and_the_form_of_a_subscription_give_it_again(subscription: Subscription) -> None:
    if subscription.cadence is not Cadence.DAILY:
        subscription = replace(subscription, at=time(8))
    elif subscription.quiet is not None and subscription.quiet.holds(subscription.at):
        subscription = replace(subscription, quiet=None)
    form = form_of(subscription)
    assert CHECK.checked(form, SLACK) == subscription
    typed = " ".join(line_of(form).removeprefix("subscribe ").split())
    assert CHECK.checked(form_from(typed), SLACK) == subscription


async def test_unsubscribe(desk: Desk) -> None:
    await desk.say("subscribe all")
    assert (await desk.say("unsubscribe")).title == "Unsubscribed"
    assert await desk.subscription() is None
    assert (await desk.say("unsubscribe")).error


async def test_a_digest_now(desk: Desk) -> None:
    assert (await desk.say("digest")).error
    await desk.say("subscribe hourly")
    assert (await desk.say("digest now")).title == "Nothing waits for this channel's digest"
    development = await keep(desk.store, await new(desk.store, "Rice pact"))
    async with desk.store.begin() as writing:
        await writing.enqueue(Alert(development=development, raised=START), {SLACK: Planned(due=START + timedelta(hours=1), digest=True)})
    assert (await desk.say("digest now")).note == "With 1 alert."
    assert desk.woken == 2
    assert await rows(desk.store, tables.deliveries, "due") == [(START,)]


async def test_mutes(desk: Desk) -> None:
    rice = await keep(desk.store, await new(desk.store, "Rice pact"))
    tea = await keep(desk.store, await new(desk.store, "Tea treaty", 2), parties=("JPN",))
    assert (await desk.say("mute list", READER)).note == "None. Mute one with: mute ID"
    assert "“Rice pact”" in (await desk.say(f"mute {rice.development_id}")).note
    assert "until 09 March 2026" in (await desk.say("mute TRADE_DEAL:jpn for 7d")).note
    listed = await desk.say("mute list", READER)
    assert [i.title for i in listed.items] == [rice.dossier_id, tea.dossier_id]
    assert listed.items[1].chips == ("by slack:U1", "until 09 March 2026 12:00 UTC")
    desk.clock.advance(days=8)
    assert [i.title for i in (await desk.say("mute list")).items] == [rice.dossier_id]
    assert (await desk.say(f"mute off {rice.dossier_id.upper()}")).title == "No longer muted"
    assert (await desk.say(f"mute off {tea.development_id}")).title == "No longer muted"
    assert (await desk.say(f"mute off {tea.development_id}")).error
    for line in (
        "mute",
        "mute d1 d2",
        "mute d-unknown",
        "mute off",
        f"mute {rice.development_id} for ever",
        f"mute {rice.development_id} for 0d",
    ):
        assert (await desk.say(line)).error, line


async def test_a_long_list_of_mutes_says_how_many_are_left_out(desk: Desk) -> None:
    for number in range(LISTED + 2):
        kept = await keep(desk.store, await new(desk.store, f"Pact {number}", number), parties=(f"P{number}",))
        await desk.say(f"mute {kept.development_id}")
    assert (await desk.say("mute list")).note == "2 more are not shown."
