"""Watch keywords as they are kept: added, removed, taken back, remembered; and the judgements that an expression is tried on."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from alembic import command
from sqlalchemy import Connection, text

from bot.domain.assessment import Facts, Person
from bot.domain.decisions import Reason
from bot.domain.watch import Effect, WatchChange
from bot.ports import Filed
from bot.storage import keywords as module
from bot.storage.database import MEMORY, alembic_config, migrate, open_engine
from bot.storage.store import SqlStore
from tests.fakes.clock import START
from tests.storage.kit import DEAL, MEETING, assessed, new, opened

LATER = START + timedelta(hours=1)


async def terms(store: SqlStore) -> list[str]:
    return [k.term for k in await store.keywords()]


async def test_keywords_are_kept_with_who_and_when(store: SqlStore, tmp_path: Path) -> None:
    assert await store.add_keyword("Rice", "slack:U1", START)
    assert not await store.add_keyword("RÍCE", "slack:U2", LATER), "whatever its case and accents"
    assert await store.add_keyword('"tea pact"', "discord:7", LATER)
    kept = [(k.term, k.added_by, k.added_at, k.effect, k.channel) for k in await store.keywords()]
    assert kept == [("Rice", "slack:U1", START, Effect.WATCH, ""), ('"tea pact"', "discord:7", LATER, Effect.WATCH, "")]
    assert not await store.remove_keyword("wheat", "slack:U1", LATER)
    assert await store.remove_keyword("rice", "discord:7", LATER)
    assert not await store.remove_keyword("rice", "discord:7", LATER)
    async with opened(tmp_path) as restarted:
        assert await terms(restarted) == ['"tea pact"']


async def test_one_expression_may_have_several_effects(store: SqlStore) -> None:
    assert await store.add_keyword("rice", "slack:U1", START)
    assert await store.add_keyword("rice", "slack:U1", START, effect=Effect.MUTE)
    assert await store.add_keyword("rice", "slack:U1", START, effect=Effect.ONLY, channel="slack:C1")
    assert await store.add_keyword("rice", "slack:U1", START, effect=Effect.ONLY, channel="slack:C2")
    assert not await store.add_keyword("rice", "slack:U1", START, effect=Effect.ONLY, channel="slack:C2")
    assert await store.remove_keyword("rice", "slack:U1", LATER, channel="slack:C2")
    assert [(k.effect, k.channel) for k in await store.keywords()] == [(Effect.ONLY, "slack:C1")], "what narrows another channel stays"
    assert not await store.remove_keyword("rice", "slack:U1", LATER)


async def test_the_history_says_who_when_what(store: SqlStore) -> None:
    assert await store.keyword_changes(9) == []
    await store.add_keyword("Rice", "slack:U1", START)
    await store.add_keyword("tea", "discord:7", LATER, effect=Effect.ONLY, channel="discord:42")
    await store.remove_keyword("RICE", "discord:7", LATER)
    removed = WatchChange(at=LATER, actor="discord:7", action="remove", term="Rice")
    only = WatchChange(at=LATER, actor="discord:7", action="add", term="tea", effect=Effect.ONLY, channel="discord:42")
    assert await store.keyword_changes(9) == [removed, only, WatchChange(at=START, actor="slack:U1", action="add", term="Rice")]
    assert await store.keyword_changes(2) == [removed, only]


async def test_the_last_change_is_taken_back_then_the_one_before(store: SqlStore, tmp_path: Path) -> None:
    await store.add_keyword("rice", "slack:U1", START)
    await store.add_keyword("tea", "slack:U1", START, effect=Effect.MUTE)
    await store.remove_keyword("rice", "slack:U2", LATER)
    undone = await store.undo_keyword("discord:7", LATER)
    assert undone == WatchChange(at=LATER, actor="slack:U2", action="remove", term="rice", undone=True)
    assert [(k.term, k.added_by, k.added_at) for k in await store.keywords()] == [("rice", "slack:U1", START), ("tea", "slack:U1", START)]
    async with opened(tmp_path) as other:
        assert (await other.undo_keyword("discord:7", LATER) or undone).term == "tea"
    assert await terms(store) == ["rice"]
    assert (await store.undo_keyword("discord:7", LATER) or undone).action == "add"
    assert await terms(store) == []
    assert await store.undo_keyword("discord:7", LATER) is None
    changes = await store.keyword_changes(9)
    assert [(c.action, c.term, c.undone) for c in changes] == [
        ("undo", "rice", False),
        ("undo", "tea", False),
        ("undo", "rice", False),
        ("remove", "rice", True),
        ("add", "tea", True),
        ("add", "rice", True),
    ]
    assert {c.actor for c in changes[:3]} == {"discord:7"}


async def test_a_change_after_an_undo_can_be_taken_back_too(store: SqlStore) -> None:
    await store.add_keyword("rice", "slack:U1", START)
    await store.undo_keyword("slack:U1", START)
    await store.add_keyword("tea", "slack:U1", START)
    await store.undo_keyword("slack:U1", START)
    assert await terms(store) == []
    assert await store.undo_keyword("slack:U1", START) is None


async def test_two_processes_take_back_a_change_each(store: SqlStore, tmp_path: Path) -> None:
    for term in ("rice", "tea", "wheat"):
        await store.add_keyword(term, "slack:U1", START)
    async with opened(tmp_path) as other:
        undone = await asyncio.gather(store.undo_keyword("slack:U1", LATER), other.undo_keyword("discord:7", LATER))
        added = await asyncio.gather(*(s.add_keyword("salt", "slack:U1", LATER) for s in (store, other)))
    assert {change.term for change in undone if change} == {"wheat", "tea"}
    assert sorted(added) == [False, True]
    assert await terms(store) == ["rice", "salt"]


async def test_what_was_added_before_there_was_a_history_comes_back_under_the_name_of_who_brought_it_back(store: SqlStore) -> None:
    await store.add_keyword("rice", "slack:U1", START)
    async with store._writer.begin() as connection:
        await connection.execute(text("DELETE FROM watch_changes"))
    await store.remove_keyword("rice", "slack:U2", START)
    await store.undo_keyword("discord:7", LATER)
    assert [(k.added_by, k.added_at) for k in await store.keywords()] == [("discord:7", LATER)]


async def judge(store: SqlStore, title: str, number: int, reason: Reason, **more: object) -> Filed:
    entry = await new(store, title, number, publisher="The Post")
    facts = Facts(parties=("IND",), people=(Person(name="Ada Roe"),), place="Geneva", when=START.date())
    filed = Filed(
        entry=entry, assessment=assessed(facts=facts, moved=(("rice", 0.5),), **more), reason=reason, topics=(DEAL,), keyword="rice"
    )
    async with store.begin() as writing:
        await writing.record(filed)
    return filed


async def all_judged(store: SqlStore, least: float = 0.3) -> list[list[Filed]]:
    return [portion async for portion in store.judged(START, least)]


async def test_what_was_judged_comes_back_latest_first(store: SqlStore) -> None:
    assert await all_judged(store) == []
    first = await judge(store, "Rice pact near", 1, Reason.OFF_TOPIC, scores={DEAL: 0.3, MEETING: 0.1}, development=0.3)
    second = await judge(store, "Ministers meet", 2, Reason.NOT_NEW, scores={DEAL: 0.0, MEETING: 0.9}, development=0.4)
    await judge(store, "Golf", 3, Reason.OFF_TOPIC, scores={DEAL: 0.29, MEETING: 0.29}, development=0.9)
    await judge(store, "An opinion", 4, Reason.NOT_NEW, scores={DEAL: 0.9, MEETING: 0.9}, development=0.29)
    await new(store, "Not judged yet", 5)
    kept = [replace(f, assessment=replace(f.assessment, moved=(), vector=(), model="")) for f in (second, first)]
    assert await all_judged(store) == [kept]


async def test_what_was_seen_before_is_left_out(store: SqlStore) -> None:
    await judge(store, "Rice pact near", 1, Reason.NOT_NEW)
    assert await all_judged(store) != []
    assert [portion async for portion in store.judged(START + timedelta(seconds=1), 0.3)] == []


async def test_judgements_come_in_portions(store: SqlStore) -> None:
    async with store._writer.begin() as connection:
        await connection.run_sync(_many)
    found = await all_judged(store)
    assert [len(portion) for portion in found] == [module.PORTION, module.PORTION, 1]
    keys = [filed.entry.key for portion in found for filed in portion]
    assert keys == [f"k{n}" for n in range(module.PORTION * 2 + 1, 0, -1)]


def _many(connection: Connection) -> None:
    for n in range(1, module.PORTION * 2 + 2):
        values = {"n": n, "k": f"k{n}", "at": f"{START + timedelta(seconds=n):%Y-%m-%d %H:%M:%S.000000}"}
        connection.execute(
            text("INSERT INTO entries (id, source, url, published, seen, baseline) VALUES (:n, 'wire', '', :at, :at, false)"), values
        )
        connection.execute(
            text(
                "INSERT INTO versions (id, entry_id, number, key, title, summary, published, seen, waiting)"
                " VALUES (:n, :n, 1, :k, 'Rice', '', :at, :at, false)"
            ),
            values,
        )
        connection.execute(
            text(
                "INSERT INTO judgements (version_id, reason, scores, development, facts, moved, topics, model) VALUES (:n, 'not_new',"
                " '{\"trade_deal\": 0.5}', 0.4, '{\"parties\": [], \"people\": [], \"place\": null, \"when\": null}', '[]', '[]', '')"
            ),
            values,
        )


async def test_terms_of_the_time_before_expressions_become_phrases() -> None:
    engine = open_engine(MEMORY)
    await migrate(engine)
    rows = {
        "Rice": "Rice",
        "rice pact": '"rice pact"',
        "and": '"and"',
        "a (b": '"a (b"',
        'x "y': '"x y"',
        "x y": None,
        "C&A": "C&A",
        "t*": '"t"',
    }
    async with engine.connect() as connection:
        await connection.run_sync(lambda c: command.downgrade(alembic_config(c), "0005"))
        for n, term in enumerate(rows):
            values = {"term": term, "folded": term.casefold(), "at": f"2026-03-02 12:00:{n:02}.000000"}
            await connection.execute(text("INSERT INTO watch_keywords VALUES ('watch', '', :folded, :term, 'slack:U1', :at)"), values)
            change = "INSERT INTO watch_changes (at, actor, action, term) VALUES (:at, 'slack:U1', 'add', :term)"
            await connection.execute(text(change), values)
        await connection.commit()
    await migrate(engine)
    store = SqlStore(engine)
    assert await terms(store) == [term for term in rows.values() if term]
    assert await store.remove_keyword('"RICE pact"', "slack:U1", START)
    assert [c.term for c in await store.keyword_changes(20)][1:] == [t or '"x y"' for t in reversed(rows.values())]
    await engine.dispose()
