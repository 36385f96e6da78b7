"""When a channel is told, or why it is not: never in quiet hours, never too early, whatever the clocks of its zone do."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.domain.alerts import Destination, Surface
from bot.domain.developments import Development
from bot.domain.subscriptions import Cadence, Mute, Planned, Quiet, Silence, Subscription, in_quiet, next_at, next_hour, plan
from bot.domain.topics import Topic
from tests.fakes.clock import START

HERE = Destination(surface=Surface.SLACK, address="C1")
ALL = Subscription(destination=HERE)
NIGHT = Quiet(start=time(22), end=time(7))
PACT = Development(
    development_id="d1",
    dossier_id="trade_deal:IND-USA",
    topics=(Topic.TRADE_DEAL,),
    headline="Rice pact signed",
    url="https://example.com/rice",
    first_published=START,
    last_published=START,
    parties=("IND", "USA"),
    importance=0.8,
)
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia", "America/Sao_Paulo")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("wants", "told"),
    [
        ({}, Planned(due=START)),
        ({"paused": "not_in_channel"}, Silence.PAUSED),
        ({"topics": (Topic.MINISTERIAL_MEETING,)}, Silence.OTHER_TOPIC),
        ({"topics": (Topic.MINISTERIAL_MEETING, Topic.TRADE_DEAL)}, Planned(due=START)),
        ({"parties": ("JPN",)}, Silence.OTHER_PARTIES),
        ({"parties": ("JPN", "USA")}, Planned(due=START)),
        ({"least": 0.81}, Silence.UNIMPORTANT),
        ({"least": 0.8}, Planned(due=START)),
        ({"cap": 3}, Planned(due=START)),
        ({"cap": 2}, Planned(due=START + timedelta(hours=1), digest=True)),
        ({"cadence": Cadence.HOURLY}, Planned(due=START + timedelta(hours=1), digest=True)),
        ({"cadence": Cadence.DAILY}, Planned(due=at("2026-03-03T08:00"), digest=True)),
        ({"cadence": Cadence.DAILY, "at": time(18), "zone": "Europe/Berlin"}, Planned(due=at("2026-03-02T17:00"), digest=True)),
        ({"quiet": Quiet(start=time(11), end=time(13))}, Planned(due=at("2026-03-02T13:00"), digest=True)),
        ({"quiet": Quiet(start=time(13), end=time(14))}, Planned(due=START)),
        ({"quiet": NIGHT, "zone": "Pacific/Auckland"}, Planned(due=at("2026-03-02T18:00"), digest=True)),
        ({"quiet": Quiet(start=time(12, 30), end=time(14)), "cadence": Cadence.HOURLY}, Planned(due=at("2026-03-02T14:00"), digest=True)),
    ],
)
def test_plans(wants: dict[str, object], told: Planned | Silence) -> None:
    assert plan(replace(ALL, **wants), PACT, told=2, now=START) == told  # type: ignore[arg-type]  # fields by name


def test_an_expression_that_does_not_match_is_silent() -> None:
    assert plan(ALL, PACT, matches=False, now=START) is Silence.NOT_MATCHED


def test_a_mute_holds_for_its_dossier_its_channel_and_its_time() -> None:
    mute = Mute(destination=HERE, dossier_id=PACT.dossier_id, actor="slack:U1", at=START)
    other = replace(mute, destination=Destination(surface=Surface.DISCORD, address="C1"))
    until = replace(mute, until=START + timedelta(days=7))
    assert plan(ALL, PACT, mutes=[other, mute], now=START) is Silence.MUTED
    assert plan(ALL, PACT, mutes=[other, replace(mute, dossier_id="trade_deal:JPN")], now=START) == Planned(due=START)
    assert plan(ALL, PACT, mutes=[until], now=START + timedelta(days=6)) is Silence.MUTED
    assert plan(ALL, PACT, mutes=[until], now=START + timedelta(days=7)) == Planned(due=START + timedelta(days=7))


moments = st.datetimes(datetime(2011, 1, 1), datetime(2031, 1, 1)).map(lambda m: m.replace(tzinfo=UTC))
hours = st.times().map(lambda t: t.replace(second=0, microsecond=0))
zones = st.sampled_from(ZONES)
quiets = st.builds(Quiet, start=hours, end=hours)
subscriptions = st.builds(
    Subscription,
    destination=st.just(HERE),
    cadence=st.sampled_from(Cadence),
    at=hours,
    quiet=st.none() | quiets,
    zone=zones,
    cap=st.none() | st.just(3),
)


@given(subscription=subscriptions, now=moments, told=st.integers(0, 5))
def test_never_in_quiet_hours_and_never_too_early(subscription: Subscription, now: datetime, told: int) -> None:
    planned = plan(subscription, PACT, told=told, now=now)
    assert isinstance(planned, Planned)
    assert now <= planned.due <= now + timedelta(days=4)
    assert planned.digest or planned.due == now
    assert subscription.quiet is None or not in_quiet(subscription.quiet, ZoneInfo(subscription.zone), planned.due)
    if not planned.digest:
        assert subscription.cadence is Cadence.REALTIME
        assert subscription.cap is None or told < subscription.cap


@given(shown=hours, zone=zones, now=moments)
def test_the_hour_of_a_day_is_the_next_one(shown: time, zone: str, now: datetime) -> None:
    due = next_at(shown, zone, now)
    assert now < due <= now + timedelta(days=2)
    wall = due.astimezone(ZoneInfo(zone))
    assert wall.time() == shown or wall.utcoffset() != (wall - timedelta(days=1)).astimezone(UTC).astimezone(ZoneInfo(zone)).utcoffset()


@given(zone=st.sampled_from(("UTC", "Europe/Berlin", "Asia/Kolkata")), now=moments)
def test_the_next_full_hour(zone: str, now: datetime) -> None:
    due = next_hour(zone, now)
    assert timedelta() < due - now <= timedelta(hours=1)
    assert (due.astimezone(ZoneInfo(zone)).minute, due.second, due.microsecond) == (0, 0, 0)


@given(quiet=quiets, shown=hours)
def test_quiet_hours_over_midnight_are_the_others_turned_round(quiet: Quiet, shown: time) -> None:
    assume(quiet.start != quiet.end)
    assert quiet.holds(shown) is not Quiet(start=quiet.end, end=quiet.start).holds(shown)
    assert quiet.holds(quiet.start)
    assert not quiet.holds(quiet.end)


@pytest.mark.parametrize(
    ("now", "shown", "due"),
    [
        ("2026-03-28T12:00", time(2, 30), "2026-03-29T01:30"),  # 02:30 is jumped over: 03:30 summer time
        ("2026-03-29T02:00", time(2, 30), "2026-03-30T00:30"),
        ("2026-10-24T12:00", time(2, 30), "2026-10-25T00:30"),  # 02:30 comes twice
        ("2026-10-25T00:30", time(2, 30), "2026-10-25T01:30"),
        ("2026-10-25T01:30", time(2, 30), "2026-10-26T01:30"),
    ],
)
def test_where_the_clocks_are_set(now: str, shown: time, due: str) -> None:
    assert next_at(shown, "Europe/Berlin", at(now)) == at(due)
