"""Holds: growing waits, one for all who failed at the same time."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.hold import LONGEST, Hold
from tests.fakes.clock import START


def test_a_new_hold_holds_nothing() -> None:
    assert Hold().seconds(START) == 0


def test_waits_double_up_to_a_bound() -> None:
    hold, now, waits = Hold(), START, []
    for _ in range(6):
        hold = hold.failed(now, 1.0)
        waits.append(hold.seconds(now))
        now += timedelta(seconds=waits[-1])
    assert waits == [1.0, 2.0, 4.0, 8.0, LONGEST, LONGEST]


def test_those_who_fail_beside_each_other_lengthen_nothing() -> None:
    hold = Hold().failed(START, 1.0)
    assert hold.failed(START + timedelta(seconds=0.5), 1.0) == hold


@given(st.integers(0, 200), st.floats(0, 1))
def test_a_wait_is_never_longer_than_the_bound_and_never_nothing(failures: int, jitter: float) -> None:
    seconds = Hold(failures=failures).failed(START, jitter).seconds(START)
    assert 0.5 <= seconds <= LONGEST
