"""Developments as they are kept, found again as candidates, asked for by people, and explained."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.domain.assessment import Facts, Person
from bot.domain.decisions import Reason
from bot.domain.developments import Coverage, SummarySentence, development_id
from bot.domain.entries import SourceState
from bot.domain.topics import Stage, Status
from bot.ports import Filed, Match, Query
from bot.storage import tables
from bot.storage.store import SqlStore
from tests.fakes.clock import START
from tests.storage.kit import DEAL, MEETING, assessed, development_on, item, keep, new, opened, rows, take

LONG_AGO = START - timedelta(days=30)


async def test_a_development_comes_back_as_it_was_saved(store: SqlStore, tmp_path: Path) -> None:
    entry = await new(store, "Rice pact signed")
    saved = await keep(
        store,
        entry,
        topics=(DEAL, MEETING),
        stage=Stage.SIGNED,
        status=Status.HELD,
        people=(Person(name="Ada Roe", office="Rice Minister", country="IND"), Person(name="Bo Poe")),
        place="Geneva",
        when=date(2026, 3, 1),
        summary=(SummarySentence(text="They signed it.", url=entry.url),),
        importance=0.5,
        dossier_step=3,
        alerted_at=START,
    )
    covered = replace(saved, coverage=(Coverage(outlet="wire", url=entry.url, title=entry.title, published=entry.published),))
    assert await store.development(saved.development_id) == covered
    assert await store.developments(Query()) == [covered]
    async with store.begin() as writing:
        assert await writing.dossier(saved.dossier_id) == [saved], "the dossier comes without coverage"
    async with opened(tmp_path) as restarted:
        assert await restarted.development(saved.development_id) == covered
    assert await store.development("d-unknown") is None


async def test_a_development_can_be_saved_again(store: SqlStore) -> None:
    entry = await new(store, "Rice pact signed")
    saved = await keep(store, entry)
    grown = replace(saved, parties=("IND", "USA", "JPN"), last_published=START + timedelta(days=1), place="Osaka")
    async with store.begin() as writing:
        await writing.save(grown, ("w:rice", "w:pact", "w:rice"))
    assert [d.place for d in await store.developments(Query(parties=("JPN",)))] == ["Osaka"]
    assert await store.developments(Query(words="Osaka")) != []
    later = START + timedelta(days=1)
    assert await rows(store, tables.story_keys, "key", "last_published") == [("w:pact", later), ("w:rice", later)]


async def test_the_dossier_keeps_its_first_day_and_its_newest_stage(store: SqlStore) -> None:
    first, second, third = [await new(store, f"Rice pact step {n}", n, published=START - timedelta(days=9 - n)) for n in (1, 2, 3)]
    await keep(store, first, stage=Stage.NEGOTIATING)
    await keep(store, third, stage=Stage.SIGNED, dossier_step=3)
    await keep(store, second, dossier_step=2)
    found = await rows(store, tables.dossiers, "id", "topic", "stage", "opened", "updated")
    assert found == [("trade_deal:IND-USA", "trade_deal", "signed", first.published, third.published)]
    async with store.begin() as writing:
        assert [d.dossier_step for d in await writing.dossier("trade_deal:IND-USA")] == [1, 2, 3]
        assert await writing.dossier("trade_deal:nobody") == []


async def test_candidates_share_a_key_and_are_recent(store: SqlStore) -> None:
    old = await keep(store, await new(store, "Rice pact one", 1, published=START - timedelta(days=8)), ("w:rice", "p:IND-USA"))
    middle = await keep(store, await new(store, "Rice pact two", 2, published=START - timedelta(days=2)), ("w:rice",))
    recent = await keep(store, await new(store, "Rice pact three", 3), ("w:rice", "p:IND-USA"))
    await keep(store, await new(store, "Steel talks open", 4), ("w:steel",))

    async def found(keys: tuple[str, ...], days: int) -> list[str]:
        async with store.begin() as writing:
            return [c.development.development_id for c in await writing.candidates(keys, START - timedelta(days=days))]

    assert set(await found(("w:rice", "p:IND-USA"), 6)) == {middle.development_id, recent.development_id}
    assert set(await found(("w:rice",), 20)) == {old.development_id, middle.development_id, recent.development_id}
    assert await found(("p:IND-USA",), 6) == [recent.development_id]
    assert await found(("w:wheat",), 20) == []
    assert await found((), 20) == []


async def test_a_candidate_brings_what_was_told_of_it(store: SqlStore) -> None:
    first = await new(store, "Rice pact signed")
    development = await keep(store, first)
    assessment = assessed(
        facts=Facts(parties=("IND", "USA"), people=(Person(name="Ada Roe"),), place="Geneva", when=date(2026, 3, 1)),
        stage=Stage.SIGNED,
        status=Status.HELD,
        moved=(("pact", 0.5),),
    )
    for number in range(2, 12):
        entry = await new(store, f"Rice pact signed, says outlet {number}", number)
        async with store.begin() as writing:
            await writing.record(
                Filed(
                    entry=entry,
                    assessment=assessment,
                    reason=Reason.MORE_COVERAGE,
                    topics=(DEAL,),
                    development_id=development.development_id,
                )
            )
    async with store.begin() as writing:
        (candidate,) = await writing.candidates(("w:rice",), LONG_AGO)
    assert candidate.development == development
    assert [t.entry.title[-2:] for t in candidate.tellings] == ["ed", *(f" {n}" for n in range(2, 9))], "the first eight"
    assert candidate.tellings[0].entry == first
    assert candidate.tellings[1].assessment == assessment
    assert candidate.tellings[1].topics == (DEAL,)


async def test_the_development_of_an_entry(store: SqlStore) -> None:
    entry = await new(store, "Rice pact near")
    async with store.begin() as writing:
        assert await writing.development_of(entry.entry_id) is None
    development = await keep(store, entry)
    (version,) = await take(store, item("Rice pact signed"))
    async with store.begin() as writing:
        assert await writing.development_of(version.entry.entry_id) == development.development_id
        filed = Filed(
            entry=version.entry,
            assessment=assessed(),
            reason=Reason.NEW_VERSION,
            topics=(DEAL,),
            development_id=development.development_id,
        )
        await writing.record(filed)
    found = await store.development(development.development_id)
    assert found is not None
    assert [c.title for c in found.coverage] == ["Rice pact signed"], "an entry stands once, as it reads now"


async def shelf(store: SqlStore) -> None:
    rice = await new(store, "Rice pact signed in Geneva", 1, published=START - timedelta(hours=5), publisher="The Example")
    await keep(
        store,
        rice,
        parties=("IND", "USA"),
        place="Geneva",
        people=(Person(name="Zoë O'Roe"),),
        summary=(SummarySentence(text="Growers rejoiced.", url="u"),),
    )
    steel = await new(store, "Steel ministers' meeting: 50% off?", 2, published=START - timedelta(hours=3))
    await keep(store, steel, topics=(MEETING,), parties=("IND", "JPN"))
    tea = await new(store, "Tea treaty “ratified”", 3, published=START - timedelta(hours=1))
    await keep(store, tea, topics=(DEAL, MEETING), parties=("JPN",))


def headlines(found: list[object]) -> list[str]:
    return [str(getattr(d, "headline", "")).split(" ")[0] for d in found]


QUESTIONS = [
    (Query(), ["Tea", "Steel", "Rice"]),
    (Query(limit=2), ["Tea", "Steel"]),
    (Query(topic=DEAL), ["Tea", "Rice"]),
    (Query(topic=MEETING), ["Tea", "Steel"]),
    (Query(parties=("IND",)), ["Steel", "Rice"]),
    (Query(parties=("JPN", "IND")), ["Steel"]),
    (Query(parties=("IND", "FRA")), []),
    (Query(dossier="trade_deal:IND-USA"), ["Rice"]),
    (Query(words="rice"), ["Rice"]),
    (Query(words="sign pacts"), ["Rice"]),
    (Query(words="rice steel"), []),
    (Query(words="growers"), ["Rice"]),
    (Query(words="zoe o'roe"), ["Rice"]),
    (Query(words="GENEVA"), ["Rice"]),
    (Query(words="ratified tea", topic=DEAL, parties=("JPN",)), ["Tea"]),
    (Query(words="50%"), ["Steel"]),
    (Query(words='"tea"'), ["Tea"]),
    (Query(words="tea*"), ["Tea"]),
    (Query(words="te*"), []),
    (Query(words="tea OR rice"), []),
    (Query(words="NOT tea"), []),
    (Query(words="words: tea"), []),
    (Query(words="(tea"), ["Tea"]),
    (Query(words="tea -rice^2 {x}"), []),
    (Query(words="'; DROP TABLE entries; --"), []),
    (Query(words='"'), []),
    (Query(words="?!*"), []),
]


async def test_questions(store: SqlStore) -> None:
    await shelf(store)
    answers = [(query, headlines(list(await store.developments(query)))) for query, _ in QUESTIONS]
    assert answers == QUESTIONS


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(words=st.text(max_size=30) | st.text(alphabet="\"'*():^-+{}[]ANDORNEAT \x00", max_size=20))
async def test_no_words_break_the_search(store: SqlStore, words: str) -> None:
    assert await store.developments(Query(words=words)) == []


async def test_why(store: SqlStore) -> None:
    entry = await new(store, "Rice pact near")
    waiting = await store.why(entry.key)
    assert waiting is not None
    assert (waiting.entry, waiting.assessment, waiting.reason) == (entry, None, None)
    match = Match(development_id=None, probability=0.25, features=(("names", 0.5),), nearest="d9")
    development = development_on(entry)
    filed = Filed(
        entry=entry,
        assessment=assessed(moved=(("pact", 0.5),)),
        reason=Reason.NEW_DEVELOPMENT,
        topics=(DEAL,),
        keyword="rice",
        development_id=development.development_id,
        match=match,
    )
    async with store.begin() as writing:
        await writing.save(development, ())
        await writing.record(filed)
    report = await store.why(entry.key)
    assert report is not None
    assert report == await store.why(entry.url) == await store.why(development.development_id)
    assert (report.entry, report.assessment, report.reason) == (entry, filed.assessment, Reason.NEW_DEVELOPMENT)
    assert (report.keyword, report.match, report.development) == ("rice", match, development)
    assert await store.why("d-unknown") is None


async def test_why_of_an_entry_that_came_to_nothing(store: SqlStore) -> None:
    entry = await new(store, "Golf results")
    async with store.begin() as writing:
        await writing.record(Filed(entry=entry, assessment=assessed(), reason=Reason.OFF_TOPIC))
    report = await store.why(entry.url)
    assert report is not None
    assert (report.reason, report.development, report.match) == (Reason.OFF_TOPIC, None, None)
    assert report.assessment == assessed(vector=()), "a vector is kept only for what the stories compare"


async def test_a_judgement_can_be_recorded_again(store: SqlStore) -> None:
    entry = await new(store, "Rice pact signed")
    await keep(store, entry)
    await keep(store, entry)
    assert await rows(store, tables.judgements, "reason", "development_id") == [("new_development", development_id(entry.key))]


async def test_status(store: SqlStore) -> None:
    await keep(store, await new(store, "Rice pact signed"), alert=True)
    await new(store, "Steel talks open", 2)
    async with store.begin() as writing:
        await writing.record_poll(SourceState(name="wire", polled=START, newest=START, failures=2, problem="timeout: 10 s"))
        await writing.record_poll(SourceState(name="attic"))
    status = await store.status()
    assert (status.entries, status.developments, status.alerts, status.pending, status.failed) == (2, 1, 1, 2, 0)
    assert status.sources == tuple(report.state for report in await store.source_reports())
    attic, wire = await store.source_reports()
    assert (attic.name, attic.state.polled, attic.entries) == ("attic", None, 0)
    assert (wire.name, wire.state.polled, wire.state.newest, wire.state.failures) == ("wire", START, START, 2)
    assert (wire.state.problem, wire.entries) == ("timeout: 10 s", 2)
