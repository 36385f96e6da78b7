"""What intake finds an item to be: nothing twice, nothing lost."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.decisions import Reason
from bot.domain.entries import SourceState
from bot.ports import Filed
from bot.storage import tables
from bot.storage.store import SqlStore
from tests.fakes.clock import START
from tests.storage.kit import arrivals, assessed, item, new, opened, rows, take


async def test_new_then_known(store: SqlStore) -> None:
    first = await take(store, item("Rice pact signed"), item("Steel talks open", 2))
    again = await take(store, item("Rice pact signed"), item("Steel talks open", 2))
    assert arrivals(first) == ["new", "new"]
    assert arrivals(again) == ["known", "known"]
    assert [t.entry for t in again] == [t.entry for t in first]
    assert [e.title for e in await store.unassessed(10)] == ["Rice pact signed", "Steel talks open"]


async def test_an_entry_is_kept_as_it_came(store: SqlStore) -> None:
    entry = await new(store, "Rice pact signed", summary="It was long awaited.", publisher="The Example")
    assert await store.unassessed(10) == [entry]
    assert (entry.source, entry.url, entry.summary, entry.outlet) == (
        "wire",
        "https://example.com/story-1",
        "It was long awaited.",
        "The Example",
    )
    assert (entry.published, entry.seen, entry.version, entry.baseline) == (START - timedelta(hours=1), START, 1, False)


async def test_a_new_title_is_a_version(store: SqlStore) -> None:
    entry = await new(store, "Rice pact near")
    later = START + timedelta(hours=2)
    (taken,) = await take(store, item("Rice pact signed"), now=later)
    assert taken.arrival == "version"
    assert (taken.entry.entry_id, taken.entry.version, taken.entry.title, taken.entry.seen) == (
        entry.entry_id,
        2,
        "Rice pact signed",
        later,
    )
    assert taken.entry.key != entry.key
    assert arrivals(await take(store, item("Rice pact signed"))) == ["known"]


async def test_case_accents_and_space_make_no_version(store: SqlStore) -> None:
    await new(store, "Rice pact signed in Orléans")
    assert arrivals(await take(store, item("RICE PACT  signed in Orleans"))) == ["known"]


async def test_a_title_that_goes_back_and_forth_is_one_version(store: SqlStore) -> None:
    await new(store, "Rice pact near")
    found = [arrivals(await take(store, item(t))) for t in ("Rice pact signed", "Rice pact near", "Rice pact signed")]
    assert found == [["version"], ["known"], ["known"]]


@pytest.mark.parametrize("moved", [START, START - timedelta(days=3), None])
async def test_a_moved_date_changes_nothing(store: SqlStore, moved: object) -> None:
    entry = await new(store, "Rice pact signed")
    (taken,) = await take(store, item("Rice pact signed", published=moved))
    assert (taken.arrival, taken.entry) == ("known", entry)


async def test_a_version_is_never_older_than_its_entry(store: SqlStore) -> None:
    entry = await new(store, "Rice pact near")
    (older,) = await take(store, item("Rice pact nearer", published=START - timedelta(days=9)))
    (undated,) = await take(store, item("Rice pact signed", published=None), now=START + timedelta(hours=1))
    assert (older.entry.published, undated.entry.published) == (entry.published, START + timedelta(hours=1))


async def test_without_a_date_it_is_as_old_as_its_first_sight(store: SqlStore) -> None:
    assert (await new(store, "Rice pact signed", published=None)).published == START


async def test_an_entry_is_known_by_any_of_its_names(store: SqlStore) -> None:
    await new(store, "Rice pact signed", summary="In the harbour.")
    words = {"summary": "In the harbour."}
    others = {"url": "https://example.com/other"}
    assert arrivals(await take(store, item("Rice pact signed", **words, guid="", url="https://m.example.com/story-1?utm_source=x"))) == [
        "known"
    ]
    assert arrivals(await take(store, item("Rice pact signed", **words, **others))) == ["known"]
    assert arrivals(await take(store, item("Rice pact signed", **words, **others, guid="g9"))) == ["known"]
    assert len(await rows(store, tables.entries, "id")) == 1


async def test_a_name_learned_late_is_remembered(store: SqlStore) -> None:
    await new(store, "Rice pact signed")
    await take(store, item("Rice pact signed", url="https://example.com/moved"))
    assert arrivals(await take(store, item("Rice pact sealed", guid="g9", url="https://example.com/moved"))) == ["version"]


async def test_one_address_in_two_sources_is_one_entry(store: SqlStore) -> None:
    await new(store, "Rice pact signed")
    assert arrivals(await take(store, item("Rice pact signed", guid="other"), source="aggregator")) == ["known"]


async def test_a_guid_counts_in_its_own_source_only(store: SqlStore) -> None:
    await new(store, "Rice pact signed")
    assert arrivals(await take(store, item("Steel talks open", 1, url="https://example.org/steel"), source="other")) == ["new"]


async def test_repeated_guids_are_no_names(store: SqlStore) -> None:
    listed = [item(f"Story number {n}", n, guid="0") for n in (1, 2, 3)]
    assert arrivals(await take(store, *listed)) == ["new"] * 3
    assert arrivals(await take(store, *listed, item("Story number 4", 4, guid="0"))) == ["known"] * 3 + ["new"]


async def test_the_same_item_twice_in_one_feed_is_one_entry(store: SqlStore) -> None:
    assert arrivals(await take(store, item("Rice pact signed"), item("Rice pact signed"))) == ["new", "known"]
    assert arrivals(await take(store, item("Steel near", 5), item("Steel signed", 6, url="https://example.com/story-5"))) == [
        "new",
        "version",
    ]


async def test_the_order_of_a_feed_says_nothing(store: SqlStore) -> None:
    listed = [item(f"Story number {n}", n, published=START - timedelta(hours=n)) for n in range(1, 6)]
    await take(store, *listed)
    assert arrivals(await take(store, *reversed(listed))) == ["known"] * 5
    assert [e.title[-1] for e in await store.unassessed(3)] == ["5", "4", "3"]


async def test_dropped_and_brought_back_is_known(store: SqlStore) -> None:
    await take(store, item("Rice pact signed"), item("Steel talks open", 2))
    await take(store, item("Steel talks open", 2))
    assert arrivals(await take(store, item("Rice pact signed"), item("Steel talks open", 2), now=START + timedelta(days=9))) == [
        "known",
        "known",
    ]


async def test_the_first_poll_stays_the_first_poll(store: SqlStore) -> None:
    (old,) = await take(store, item("Rice pact near"), baseline=True)
    (version,) = await take(store, item("Rice pact signed"))
    assert (old.entry.baseline, version.entry.baseline) == (True, True)


async def test_a_given_key_is_kept(store: SqlStore) -> None:
    assert (await new(store, "Rice pact signed", key="replayed-7")).key == "replayed-7"


async def test_a_long_feed(store: SqlStore) -> None:
    listed = [item(f"Story number {n}", n) for n in range(180)]  # names of more than 500
    assert set(arrivals(await take(store, *listed))) == {"new"}
    assert set(arrivals(await take(store, *listed))) == {"known"}
    assert await take(store) == []


async def test_an_exception_undoes_everything(store: SqlStore) -> None:
    async def half() -> None:
        async with store.begin() as writing:
            await writing.intake("wire", [item("Rice pact signed")], START, fresh_from=None)
            await writing.record_poll(SourceState(name="wire", polled=START))
            raise OSError("the disk is gone")

    with pytest.raises(OSError, match="disk"):
        await half()
    assert await store.unassessed(10) == []
    assert await store.source_states() == {}
    assert arrivals(await take(store, item("Rice pact signed"))) == ["new"]


async def test_the_state_of_a_source_is_kept(store: SqlStore, tmp_path: Path) -> None:
    first = SourceState(name="wire", etag='"1"', modified="Mon", polled=START, newest=START, failures=0)
    second = SourceState(name="wire", etag=None, modified=None, polled=START, newest=START, failures=3, problem="timeout: 10 s")
    for state in (first, second):
        async with store.begin() as writing:
            await writing.record_poll(state)
        assert await store.source_states() == {"wire": state}
    async with opened(tmp_path) as restarted:
        assert await restarted.source_states() == {"wire": second}


async def test_what_is_recorded_waits_no_more(store: SqlStore, tmp_path: Path) -> None:
    entry = await new(store, "Rice pact signed")
    await new(store, "Steel talks open", 2)
    async with store.begin() as writing:
        await writing.record(Filed(entry=entry, assessment=assessed(), reason=Reason.OFF_TOPIC))
    async with opened(tmp_path) as restarted:
        assert [e.title for e in await restarted.unassessed(10)] == ["Steel talks open"]


async def test_a_naive_instant_is_refused(store: SqlStore) -> None:
    with pytest.raises(Exception, match="naive"):
        await take(store, item("Rice pact signed", published=START.replace(tzinfo=None)))
