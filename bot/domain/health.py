"""How a source is: its rhythm, when to ask it again, what state it is in, and what the admins are told of it. Pure.

Politeness follows the Feed Validator's and Superfeedr's advice: what the server asks for (Cache-Control, ttl, sy:update…, Retry-After) is
kept to; failures are met with exponential backoff and jitter (Brooker, "Exponential Backoff and Jitter", AWS 2015).
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from bot.domain.entries import Source, SourceState

FAILING_AFTER = 3  # polls in a row that could not be read
QUIET_TIMES = 8.0  # rhythms without a new entry
QUIET_AT_LEAST = timedelta(hours=24)  # nights and weekends are no silence
QUIET_UNKNOWN = timedelta(days=14)  # where no rhythm is known
DATED = 4  # entries with a date that a rhythm needs
RECENT = 20  # entries whose gaps make the rhythm
ASKED_TIMES = 10.0  # polls in a rhythm: an entry is then seen within a tenth of the usual gap
LONGEST_BACKOFF = 6 * 3600.0  # seconds: a source that fails is never given up for good
LONGEST_ASKED = 3600.0  # seconds between polls that a server may ask for without Retry-After
TOLD_AFTER = timedelta(hours=6)  # a state that passes sooner is no notice
NETWORK_AFTER = timedelta(minutes=15)  # …but for many sources at once
MANY = 5


class Health(StrEnum):
    """The state of a source."""

    OK = "ok"
    QUIET = "quiet"  # nothing new for far longer than usual
    FAILING = "failing"  # cannot be read
    WINDOW_PASSED = "window_passed"  # no entry was there at the last poll already: some were missed
    RETIRED = "retired"  # its publisher says that it is gone for good


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """Between how many seconds the interval of a source without one of its own moves."""

    fastest: float = 60.0
    slowest: float = 1800.0


def rhythm_of(published: Iterable[datetime | None]) -> float | None:
    """Return the usual gap in seconds between a listing's entries (median of the RECENT newest); None where too few bear a date."""
    dates = sorted((p for p in published if p is not None), reverse=True)[:RECENT]
    gaps = [(a - b).total_seconds() for a, b in pairwise(dates)]
    return max(statistics.median(gaps), 1.0) if len(dates) >= DATED else None


def read_well(state: SourceState, *, listed: int, arrived: int, rhythm: float | None, now: datetime) -> SourceState:
    """Return the state after a poll that could be read and listed so many entries, of which so many were new."""
    first = state.polled is None
    return replace(
        state,
        polled=now,
        failures=0,
        not_before=None,
        arrived=now if arrived else state.arrived or now,
        rhythm=rhythm or state.rhythm,
        window_passed=(arrived == listed >= DATED and not first) if listed else state.window_passed,
    )


def read_badly(state: SourceState, *, problem: str, retry_after: float | None, gone: bool, now: datetime) -> SourceState:
    """Return the state after a poll that could not be read. `gone`: the server said 410."""
    return replace(
        state,
        failures=state.failures + 1,
        problem=problem,
        not_before=now + timedelta(seconds=retry_after) if retry_after else None,
        retired=(state.retired or now) if gone else state.retired,
    )


def health_of(state: SourceState, now: datetime) -> Health:
    """Return the state that a source is in at `now`."""
    if state.retired is not None:
        return Health.RETIRED
    if state.failures >= FAILING_AFTER:
        return Health.FAILING
    if state.window_passed:
        return Health.WINDOW_PASSED
    return Health.QUIET if _silent(state, now) else Health.OK


def _silent(state: SourceState, now: datetime) -> bool:
    if state.arrived is None:
        return False
    usual = timedelta(seconds=QUIET_TIMES * state.rhythm) if state.rhythm else QUIET_UNKNOWN
    return now - max(filter(None, (state.arrived, state.newest))) > max(usual, QUIET_AT_LEAST)


def next_wait(source: Source, state: SourceState, bounds: Bounds, now: datetime, luck: float) -> float:
    """Return the seconds until the next poll. `luck` in 0..1 is the jitter.

    A source's own `interval` is the admin's word and is kept; without one it follows from the rhythm and from what the server asks for,
    within `bounds`. Failures double the wait; Retry-After is never undercut.
    """
    usual = _interval(source, state, bounds)
    if not state.failures:
        return usual * (0.95 + 0.1 * luck)
    grown = min(usual * 2.0 ** min(state.failures, 20), LONGEST_BACKOFF) * (0.5 + 0.5 * luck)
    asked = (state.not_before - now).total_seconds() if state.not_before else 0.0
    return max(grown, asked, min(usual, LONGEST_BACKOFF))


def _interval(source: Source, state: SourceState, bounds: Bounds) -> float:
    if source.interval is not None:
        return float(source.interval)
    wanted = state.rhythm / ASKED_TIMES if state.rhythm else 5 * bounds.fastest
    asked = min(state.asked or 0.0, LONGEST_ASKED)
    return max(min(max(wanted, bounds.fastest), bounds.slowest), asked)


@dataclass(frozen=True, kw_only=True)
class Told:
    """What to tell the admins (None: nothing), and the states as they stand once they were told."""

    text: str | None
    states: tuple[SourceState, ...] = ()


def turned(state: SourceState, now: datetime) -> SourceState:
    """Return the state with its health, and since when it is in it."""
    health = health_of(state, now)
    return state if health == state.health else replace(state, health=str(health), since=now)


def notice(states: Sequence[SourceState], now: datetime) -> Told:
    """Return one notice for all that is worth one: states that last for long, sources that are gone or well again, and the network."""
    failing = [s for s in states if s.health == Health.FAILING and s.told != Health.FAILING]
    if _many(failing, states, now):
        text = (
            f"{len(failing)} of {len(states)} sources cannot be read: is it our network? The first: {failing[0].name}, {failing[0].problem}"
        )
        return Told(text=text, states=tuple(replace(s, told=s.health) for s in failing))
    changed = [s for s in states if _worth_telling(s, now)]
    lines = [*_well(changed), *(_line(s, now) for s in changed if s.health != Health.OK)]
    return Told(text="\n".join(lines) or None, states=tuple(replace(s, told=s.health) for s in changed))


def _many(failing: Sequence[SourceState], states: Sequence[SourceState], now: datetime) -> bool:
    lasting = [s for s in failing if s.since is None or now - s.since >= NETWORK_AFTER]
    return len(lasting) >= max(MANY, len(states) / 3)


def _worth_telling(state: SourceState, now: datetime) -> bool:
    told = state.told or Health.OK
    if state.health == told:
        return False
    at_once = state.health in (Health.OK, Health.RETIRED)
    return at_once or (state.since is not None and now - state.since >= TOLD_AFTER)


def _well(changed: Sequence[SourceState]) -> list[str]:
    names = [s.name for s in changed if s.health == Health.OK]
    more = f" and {len(names) - MANY} more" if len(names) > MANY else ""
    return [f"Well again: {', '.join(names[:MANY])}{more}."] if names else []


def _line(state: SourceState, now: datetime) -> str:
    hours = f"{(now - state.since).total_seconds() / 3600:.0f} h" if state.since else "some time"
    last = f"{state.arrived:%d %B %H:%M} UTC" if state.arrived else "never"
    return {
        Health.QUIET: f"{state.name} is quiet: nothing new since {last}, far longer than usual.",
        Health.FAILING: f"{state.name} cannot be read for {hours}: {state.problem or 'no reason known'}.",
        Health.WINDOW_PASSED: f"{state.name} lists only new entries at every poll for {hours}: some are missed. Give it a shorter interval.",
        Health.RETIRED: f"{state.name} is gone for good, says its publisher (HTTP 410). It is not polled any more.",
    }[Health(state.health)]
