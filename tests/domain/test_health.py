"""A source's rhythm, state and next poll; what the admins are told, and how rarely."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.entries import Kind, Source, SourceChange, SourceState, merged
from bot.domain.health import (
    FAILING_AFTER,
    LONGEST_BACKOFF,
    Bounds,
    Health,
    health_of,
    next_wait,
    notice,
    read_badly,
    read_well,
    rhythm_of,
    turned,
)
from tests.fakes.clock import START

BOUNDS = Bounds(fastest=60, slowest=1_800)
FREE = Source(name="Wire", url="https://example.com/feed")
FIXED = replace(FREE, interval=30)
HOUR = timedelta(hours=1)


def ago(**spans: float) -> datetime:
    return START - timedelta(**spans)


def well(state: SourceState, now: datetime = START, *, listed: int = 10, arrived: int = 1, rhythm: float | None = None) -> SourceState:
    return turned(read_well(state, listed=listed, arrived=arrived, rhythm=rhythm, now=now), now)


def badly(
    state: SourceState, now: datetime = START, *, times: int = 1, retry_after: float | None = None, gone: bool = False
) -> SourceState:
    for _ in range(times):
        state = turned(read_badly(state, problem="timeout: it did not answer", retry_after=retry_after, gone=gone, now=now), now)
    return state


def test_the_rhythm_is_the_usual_gap() -> None:
    assert rhythm_of([ago(minutes=m) for m in (0, 10, 20, 30, 400)]) == 600
    assert rhythm_of([ago(minutes=1), None, ago(minutes=2)]) is None
    assert rhythm_of([START] * 5) == 1, "a feed that dates everything alike is not infinitely fast"


def test_without_an_interval_the_wait_follows_the_rhythm_within_bounds() -> None:
    state = SourceState(name="Wire", polled=START)
    assert next_wait(FREE, replace(state, rhythm=3_000), BOUNDS, START, 0.5) == pytest.approx(300)
    assert next_wait(FREE, replace(state, rhythm=10), BOUNDS, START, 0.5) == pytest.approx(60)
    assert next_wait(FREE, replace(state, rhythm=1e7), BOUNDS, START, 0.5) == pytest.approx(1_800)
    assert next_wait(FREE, state, BOUNDS, START, 0.5) == pytest.approx(300)


def test_the_server_may_ask_for_less_but_not_for_silence() -> None:
    state = SourceState(name="Wire", polled=START, rhythm=600)
    assert next_wait(FREE, replace(state, asked=900), BOUNDS, START, 0.5) == pytest.approx(900)
    assert next_wait(FREE, replace(state, asked=31_536_000), BOUNDS, START, 0.5) == pytest.approx(3_600)


def test_an_interval_of_its_own_is_kept() -> None:
    state = SourceState(name="Wire", polled=START, rhythm=90_000, asked=900)
    assert next_wait(FIXED, state, BOUNDS, START, 0.5) == pytest.approx(30)


def test_failures_double_the_wait_up_to_a_bound() -> None:
    state = SourceState(name="Wire", polled=START)
    waits = [next_wait(FIXED, badly(state, times=n), BOUNDS, START, 1.0) for n in (1, 2, 3, 12)]
    assert waits == pytest.approx([60, 120, 240, LONGEST_BACKOFF])


def test_retry_after_is_never_undercut() -> None:
    state = badly(SourceState(name="Wire", polled=START), retry_after=7_200)
    assert next_wait(FIXED, state, BOUNDS, START, 0.0) == pytest.approx(7_200)
    assert next_wait(FIXED, state, BOUNDS, START + HOUR, 0.0) == pytest.approx(3_600)
    assert well(state).not_before is None


@given(
    st.integers(0, 1_000),
    st.floats(0, 1),
    st.none() | st.floats(1, 1e9),
    st.none() | st.floats(0, 1e9),
    st.none() | st.integers(1, 86_400),
)
def test_every_wait_is_positive_and_bounded(
    failures: int, luck: float, rhythm: float | None, asked: float | None, interval: int | None
) -> None:
    state = SourceState(name="Wire", failures=failures, rhythm=rhythm, asked=asked)
    wait = next_wait(replace(FREE, interval=interval), state, BOUNDS, START, luck)
    assert 0 < wait <= max(LONGEST_BACKOFF, (interval or 0) * 1.05, 3_600 * 1.05)


def test_failing_after_some_failures_and_well_after_one_success() -> None:
    state = well(SourceState(name="Wire"))
    assert badly(state, times=FAILING_AFTER - 1).health == Health.OK
    failing = badly(state, START + HOUR, times=FAILING_AFTER)
    assert (failing.health, failing.since) == (Health.FAILING, START + HOUR)
    assert well(failing).health == Health.OK


def test_gone_is_for_good() -> None:
    state = badly(well(SourceState(name="Wire")), gone=True)
    assert state.health == Health.RETIRED
    assert badly(state, START + HOUR).retired == START


def test_quiet_is_far_longer_than_usual() -> None:
    state = well(SourceState(name="Wire"), rhythm=6 * 3_600)
    assert health_of(state, START + 47 * HOUR) is Health.OK
    assert health_of(state, START + 49 * HOUR) is Health.QUIET
    busy = well(SourceState(name="Wire"), rhythm=60)
    assert health_of(busy, START + 23 * HOUR) is Health.OK, "a night is no silence"
    unknown = well(SourceState(name="Wire"))
    assert health_of(unknown, START + timedelta(days=13)) is Health.OK
    assert health_of(unknown, START + timedelta(days=15)) is Health.QUIET
    assert health_of(SourceState(name="never polled"), START) is Health.OK


def test_the_window_passed_when_nothing_overlaps() -> None:
    first = well(SourceState(name="Wire"), listed=10, arrived=10)
    assert first.health == Health.OK, "on a first poll everything is new"
    passed = well(first, START + HOUR, listed=10, arrived=10)
    assert passed.health == Health.WINDOW_PASSED
    assert well(passed, START + HOUR, listed=0, arrived=0).health == Health.WINDOW_PASSED, "an unchanged feed says nothing new about it"
    assert well(passed, START + HOUR, listed=10, arrived=9).health == Health.OK
    assert well(first, listed=2, arrived=2).health == Health.OK, "too few to tell"


def test_a_notice_only_of_what_lasts() -> None:
    state = badly(well(SourceState(name="Wire")), times=FAILING_AFTER)
    assert notice([state], START + 5 * HOUR).text is None
    told = notice([state], START + 7 * HOUR)
    assert told.text == "Wire cannot be read for 7 h: timeout: it did not answer."
    (after,) = told.states
    assert notice([after], START + 30 * HOUR).text is None, "once"
    again = well(after, START + 31 * HOUR)
    good = notice([again], START + 31 * HOUR)
    assert good.text == "Well again: Wire."
    assert notice(good.states, START + 40 * HOUR).text is None


def test_what_was_never_told_is_not_well_again() -> None:
    state = well(badly(well(SourceState(name="Wire")), times=FAILING_AFTER))
    assert notice([state], START + 9 * HOUR).text is None


def test_gone_is_told_at_once() -> None:
    told = notice([badly(well(SourceState(name="Wire")), gone=True)], START)
    assert told.text is not None
    assert "410" in told.text


@pytest.mark.parametrize("health", [Health.QUIET, Health.WINDOW_PASSED])
def test_the_other_states_are_told_with_what_to_do(health: Health) -> None:
    state = SourceState(name="Wire", health=health, since=START, arrived=START)
    assert "Wire" in (notice([state], START + 7 * HOUR).text or "")


def test_many_at_once_are_one_notice() -> None:
    states = [badly(well(SourceState(name=f"S{n}")), times=FAILING_AFTER) for n in range(20)]
    assert notice(states, START + timedelta(minutes=5)).text is None
    told = notice(states, START + timedelta(minutes=20))
    assert told.text is not None
    assert told.text.startswith("20 of 20 sources cannot be read: is it our network?")
    assert len(told.text.splitlines()) == 1
    assert notice(told.states, START + 9 * HOUR).text is None
    back = [well(s, START + 9 * HOUR) for s in told.states]
    assert (notice(back, START + 9 * HOUR).text or "").startswith("Well again: S0, S1, S2, S3, S4 and 15 more.")


@given(st.lists(st.sampled_from(["well", "badly", "wait"]), max_size=60))
def test_a_source_is_told_at_most_once_a_change(events: list[str]) -> None:
    state, now, notices = SourceState(name="Wire"), START, 0
    for event in events:
        now += timedelta(hours=2)
        state = {"well": well, "badly": badly, "wait": turned}[event](state, now)
        told = notice([state], now)
        if told.text is not None:
            notices += 1
            (state,) = told.states
    assert notices <= 2 * sum(e == "badly" for e in events) / FAILING_AFTER + 2 * len(events) / 12 + 1


def test_the_list_as_admins_changed_it() -> None:
    listed = [
        Source(name="A", url="https://a.example/"),
        Source(name="B", url="https://b.example/"),
        Source(name="C", url="https://c.example/"),
    ]
    changes = [
        SourceChange(name="A", removed=True),
        SourceChange(name="B", paused=True),
        SourceChange(name="D", url="https://d.example/", kind=Kind.FEED),
        SourceChange(name="E", url="https://e.example/", removed=True),
    ]
    found = merged(listed, changes)
    assert [(s.name, s.paused) for s in found] == [("B", True), ("C", False), ("D", False)]
