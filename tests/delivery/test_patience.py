"""Who waits with whom when a platform has asked to wait."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.delivery.patience import Patience, Workspace
from bot.domain.alerts import Surface
from tests.fakes.clock import START


def of(name: str) -> Workspace:
    surface, _, team = name.partition(":")
    return Workspace(surface=Surface(surface), team=team)


@pytest.mark.parametrize(
    ("asked", "waits", "goes_on"),
    [
        ("slack:T1", ["slack:T1", "slack:"], ["slack:T2", "discord:", "discord:T1"]),
        ("slack:", ["slack:T1", "slack:T2", "slack:"], ["discord:", "discord:T1"]),
        ("discord:500", ["discord:500"], ["discord:", "discord:501", "slack:", "slack:500"]),
        ("discord:", ["discord:"], ["discord:500", "slack:"]),
    ],
)
def test_a_team_that_is_unknown_waits_with_all_on_slack(asked: str, waits: list[str], goes_on: list[str]) -> None:
    patience, until = Patience(1), START + timedelta(seconds=9)
    assert patience.hold(of(asked), 9.0, START) == until
    assert [patience.until(of(name), START) for name in waits] == [until] * len(waits)
    assert [patience.until(of(name), START) for name in goes_on] == [None] * len(goes_on)
    assert [patience.until(of(name), until) for name in waits] == [None] * len(waits)


def test_the_longest_wait_holds() -> None:
    patience = Patience(1)
    patience.hold(of("slack:T1"), 9.0, START)
    patience.hold(of("slack:T1"), 2.0, START)
    patience.hold(of("slack:"), 4.0, START)
    assert patience.until(of("slack:T1"), START) == START + timedelta(seconds=9)
    assert patience.until(of("slack:T2"), START) == START + timedelta(seconds=4)
