"""Dates as sources write them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.moments import AHEAD, EARLIEST
from bot.sources.dates import read_date
from tests.sources.kit import NOON, some


@pytest.mark.parametrize(
    ("text", "hour", "minute"),
    [
        ("2026-03-01T10:15:00Z", 10, 15),
        ("2026-03-01T10:15:00+05:30", 4, 45),
        ("2026-03-01 10:15:00", 10, 15),
        ("20260301T101500Z", 10, 15),
        ("Sun, 01 Mar 2026 10:15:00 GMT", 10, 15),
        ("Sun, 01 Mar 2026 10:15:00 +0530", 4, 45),
        ("Sun, 01 Mar 2026 10:15:00 IST", 4, 45),
        ("Sun, 01 Mar 2026 10:15:00 EST", 15, 15),
        ("Sun, 1 Mar 2026 10:15:00 GMT+5:30", 4, 45),
        ("Sun, 1 Mar 2026 10:15:00 -03:00", 13, 15),
        ("  Sun,  01 Mar\n2026 10:15:00   CET ", 9, 15),
        ("2026-03-01", 0, 0),
        ("1 March 2026", 0, 0),
        ("March 1st, 2026", 0, 0),
        ("Posted on: 01 MAR 2026 5:30PM by the press office", 0, 0),
        ("01-Mar-2026", 0, 0),
        ("Updated 2026-03-01 in the evening", 0, 0),
    ],
)
def test_dates_are_read(text: str, hour: int, minute: int) -> None:
    assert read_date(text, NOON) == datetime(2026, 3, 1, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["", "yesterday", "02/03/2026", "1970-01-01T00:00:00Z", "2090-01-01", "31 February 2026", "0000-00-00", "9" * 500]
)
def test_what_is_no_date_or_an_impossible_one_is_none(text: str) -> None:
    assert read_date(text, NOON) is None


def test_a_moment_slightly_ahead_is_now() -> None:
    assert read_date("2026-03-02T17:00:00Z", NOON) == NOON


@some
@given(st.one_of(st.text(max_size=120), st.from_regex(r"[0-9]{1,4}[-/ ][0-9A-Za-z]{1,3}[-/ ][0-9]{1,5}[T ][0-9:.+-]{0,20}[A-Z]{0,4}")))
def test_no_text_makes_it_fail_and_what_it_gives_is_plausible(text: str) -> None:
    moment = read_date(text, NOON)
    assert moment is None or (EARLIEST <= moment <= NOON + AHEAD and moment.tzinfo is UTC)
