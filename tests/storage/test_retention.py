"""Clearing away: what goes, what stays, and that nothing that went comes back as news. On either database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

import bot.storage.retention as module
from bot.domain.decisions import Reason
from bot.domain.entries import ParsedEntry, SourceState
from bot.domain.retention import AT_MOST, WITHOUT, is_to_be_marked, may_go
from bot.ports import Document, Filed, Poll, Taken
from bot.storage import tables
from bot.storage.store import SqlStore
from tests.fakes.clock import START
from tests.storage.kit import arrivals, assessed, item, keep, rows

DAYS = 30
OLD = ("Rice", "Tea", "Steel")


async def no_pause(_: float) -> None:
    """The next step at once."""


def day(number: float) -> datetime:
    return START + timedelta(days=number)


async def poll(store: SqlStore, now: datetime, *items: ParsedEntry, source: str = "wire") -> Taken:
    """Poll a source as the pipeline does; without items it answered 304."""
    state = (await store.source_states([source])).get(source, SourceState(name=source))
    listed = now if items else state.listed
    after = SourceState(name=source, polled=now, listed=listed)
    return await store.take(Poll(document=Document(source=source, entries=items, now=now), after=lambda _: after))


async def judge(store: SqlStore, *, but: Sequence[str] = ()) -> None:
    """Find everything that waits off topic, except the titles of `but`."""
    for entry in await store.unassessed(5000):
        if entry.title not in but:
            async with store.begin() as writing:
                await writing.record(Filed(entry=entry, assessment=assessed(), reason=Reason.OFF_TOPIC))


async def forget(store: SqlStore, now: datetime, days: int = DAYS) -> int:
    return await store.forget(now, days, pause=no_pause)


async def titles(store: SqlStore) -> list[str]:
    return sorted({row[0] for row in await rows(store, tables.versions, "title")})


def listing(*names: str) -> list[ParsedEntry]:
    return [item(name, number) for number, name in enumerate(names, 1)]


async def test_what_became_nothing_goes_with_all_that_is_its_own(store: SqlStore) -> None:
    await poll(store, START, *listing(*OLD))
    await judge(store)
    await poll(store, day(31), item("Wool", 9))
    await judge(store)
    assert await forget(store, day(30)) == 0, "not before its time"
    assert await forget(store, day(31)) == 3
    assert await titles(store) == ["Wool"]
    assert len(await rows(store, tables.entries, "id")) == len(await rows(store, tables.judgements, "reason")) == 1
    assert {row[0] for row in await rows(store, tables.identities, "entry_id")} == {
        row[0] for row in await rows(store, tables.entries, "id")
    }
    assert await forget(store, day(31)) == 0


async def test_zero_days_keep_everything(store: SqlStore) -> None:
    await poll(store, START, *listing(*OLD))
    await judge(store)
    await poll(store, day(400), item("Wool", 9))
    assert await forget(store, day(500), 0) == 0
    assert await titles(store) == ["Rice", "Steel", "Tea", "Wool"]


async def test_what_a_development_is_made_of_stays(store: SqlStore) -> None:
    taken = await poll(store, START, *listing(*OLD))
    development = await keep(store, taken.entries[1].entry, alert=True)
    await judge(store)
    await poll(store, day(40), item("Wool", 9))
    assert await forget(store, day(40)) == 2
    assert await titles(store) == ["Tea", "Wool"]
    found = await store.development(development.development_id)
    assert found is not None
    assert [c.title for c in found.coverage] == ["Tea"]


async def test_an_entry_of_which_an_earlier_version_reports_a_development_stays(store: SqlStore) -> None:
    taken = await poll(store, START, item("Rice"))
    await keep(store, taken.entries[0].entry)
    await poll(store, day(1), item("Rice, once more"))
    await judge(store)
    await poll(store, day(60), item("Wool", 9))
    assert await forget(store, day(60)) == 0


async def test_what_waits_for_assessment_stays(store: SqlStore) -> None:
    await poll(store, START, *listing(*OLD))
    await judge(store, but=["Tea"])
    await poll(store, day(40), item("Wool", 9))
    assert await forget(store, day(40)) == 2
    assert await titles(store) == ["Tea", "Wool"]


async def test_what_its_source_lists_for_ever_is_never_taken_for_new(store: SqlStore) -> None:
    """An undated entry of a listing page that was forgotten would come in as news of today."""
    standing = item("Rice", published=None)
    await poll(store, START, standing, item("Tea", 2))
    await judge(store)
    for number in range(1, 100):
        again = await poll(store, day(number), standing, *([item("Tea", 2)] if number < 20 else []))
        assert set(arrivals(again.entries)) == {"known"}, number
        await forget(store, day(number))
        assert ("Tea" in await titles(store)) is (number <= 48), "marked last on day 18, it goes after 30 more"
    assert await titles(store) == ["Rice"]


async def test_a_source_that_answers_304_or_fails_keeps_what_it_had(store: SqlStore) -> None:
    await poll(store, START, *listing(*OLD))
    await judge(store)
    for number in range(1, 80):
        await poll(store, day(number))
    assert await forget(store, day(80)) == 0, "it was not changed, so it lists them still"
    again = await poll(store, day(80), *listing(*OLD))
    assert arrivals(again.entries) == ["known"] * 3
    assert await forget(store, day(80)) == 0
    assert await forget(store, day(80) + AT_MOST) == 0
    assert await forget(store, day(81) + AT_MOST) == 3, "nothing was heard of it for a year"


async def test_a_source_that_was_never_polled_since_it_can_be_known_keeps_what_it_had(store: SqlStore) -> None:
    """As after the upgrade: nobody noted yet what is listed."""
    await poll(store, START, *listing(*OLD))
    await judge(store)
    async with store._writer.begin() as connection:
        await connection.execute(tables.sources.update().values(listed=None))
    assert await forget(store, day(90)) == 0


async def test_an_old_entry_is_marked_once_a_day_and_a_young_one_never(store: SqlStore) -> None:
    await poll(store, START, item("Rice"))
    marks = set()
    for hour in range(0, 100, 5):
        await poll(store, START + timedelta(hours=hour), item("Rice"))
        marks.add((await rows(store, tables.entries, "listed"))[0][0])
    assert marks == {None, *(START + timedelta(hours=h) for h in (25, 50, 75))}


async def test_many_go_in_small_steps_with_pauses(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STEP", 10)
    await poll(store, START, *(item(f"Story {n}", n) for n in range(35)))
    await judge(store)
    await poll(store, day(40), *(item(f"Wool {n}", 100 + n) for n in range(25)))
    pauses: list[float] = []

    async def paused(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 1:
            await poll(store, day(40), item("Meanwhile", 999))  # others get their turn

    assert await store.forget(day(40), DAYS, pause=paused) == 35
    assert pauses == [module.PAUSE_SECONDS] * 4, "it stops at the first step that holds the young only"
    assert len(await titles(store)) == 26


async def test_what_was_listed_again_between_the_look_and_the_step_stays(store: SqlStore) -> None:
    await poll(store, START, *listing(*OLD))
    await judge(store)
    await poll(store, day(40), item("Wool", 9))
    ids = [row[0] for row in await rows(store, tables.entries, "id")]
    await poll(store, day(40), item("Tea", 2))
    assert await store._let_go(ids, day(10)) == 2
    assert await titles(store) == ["Tea", "Wool"]


MOMENTS = st.timedeltas(timedelta(0), timedelta(days=800)).map(lambda d: START + d)


@given(last=MOMENTS, listing=st.none() | MOMENTS, now=MOMENTS, days=st.integers(1, 500))
def test_nothing_goes_before_its_time_or_while_it_may_be_listed(last: datetime, listing: datetime | None, now: datetime, days: int) -> None:
    if may_go(last=last, listing=listing, now=now, days=days):
        assert now - last > timedelta(days=days)
        assert now - last > AT_MOST or (listing is not None and listing > last + WITHOUT)
    else:
        assert now - last <= max(AT_MOST, timedelta(days=days))


@given(last=MOMENTS, now=MOMENTS)
def test_what_is_listed_at_every_poll_is_marked_before_it_could_count_as_dropped(last: datetime, now: datetime) -> None:
    assert is_to_be_marked(last=last, now=now) or now - last < WITHOUT
