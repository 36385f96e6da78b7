"""The store in figures, on either database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from bot.domain.alerts import Receipt
from bot.domain.entries import SourceState
from bot.domain.health import Health
from bot.domain.subscriptions import Feedback
from bot.ports import Queue
from bot.storage.database import alembic_config
from bot.storage.store import SqlStore
from tests.fakes.clock import START
from tests.storage.kit import DISCORD, SLACK, keep, new, subscribed

NOTHING = Queue(depth=0, seconds=0.0)


async def kept(store: SqlStore, *states: SourceState) -> None:
    async with store.begin() as writing:
        for state in states:
            await writing.record_poll(state)


async def test_an_empty_store(store: SqlStore) -> None:
    figures = await store.figures(START)
    assert (figures.deliveries, figures.entries, figures.sources, figures.polled) == ({}, NOTHING, {}, None)
    assert (figures.useful, figures.useless) == (0, 0)


async def test_what_waits_and_for_how_long(store: SqlStore) -> None:
    await subscribed(store)
    await keep(store, await new(store, "Rice"), alert=True)
    await keep(store, await new(store, "Tea", 2), alert=True)
    await new(store, "Steel", 3)
    later = START + timedelta(seconds=90)
    figures = await store.figures(later)
    assert figures.deliveries == {"slack": Queue(depth=2, seconds=90.0), "discord": Queue(depth=2, seconds=90.0)}
    assert figures.entries == Queue(depth=1, seconds=90.0)
    taken = await store.lease(SLACK, START, 60.0)
    assert taken is not None
    await store.sent(taken, Receipt(message_id="m-1"), START)
    assert (await store.figures(later)).deliveries["slack"].depth == 1


async def test_what_is_not_due_is_not_late(store: SqlStore) -> None:
    await subscribed(store)
    await keep(store, await new(store, "Rice"), alert=True)
    assert (await store.figures(START - timedelta(hours=8))).deliveries["slack"] == Queue(depth=1, seconds=0.0)


async def test_a_channel_on_pause_makes_no_queue(store: SqlStore) -> None:
    await subscribed(store)
    await keep(store, await new(store, "Rice"), alert=True)
    await store.pause(SLACK, "not_in_channel")
    assert set((await store.figures(START)).deliveries) == {"discord"}


async def test_sources_by_health_and_those_that_are_listed(store: SqlStore) -> None:
    ill = [SourceState(name=f"Ill {n}", health=Health.FAILING) for n in range(2)]
    await kept(store, SourceState(name="Wire", polled=START + timedelta(hours=1)), SourceState(name="Gone", polled=START), *ill)
    figures = await store.figures(START)
    assert (figures.sources, figures.polled) == ({"ok": 2, "failing": 2}, START + timedelta(hours=1))
    figures = await store.figures(START, {"Wire", "Ill 1", "Never polled"})
    assert (figures.sources, figures.polled) == ({"ok": 1, "failing": 1}, START + timedelta(hours=1))


async def said(store: SqlStore, development_id: str, when: datetime, verdicts: Sequence[bool]) -> None:
    for number, useful in enumerate(verdicts):
        await store.say(
            Feedback(development_id=development_id, destination=DISCORD, actor=f"discord:{when:%d}{number}", useful=useful, at=when)
        )


async def test_feedback_of_the_last_month(store: SqlStore) -> None:
    development = await keep(store, await new(store, "Rice"))
    await said(store, development.development_id, START - timedelta(days=31), [False])
    await said(store, development.development_id, START - timedelta(days=2), [True, True, False])
    figures = await store.figures(START)
    assert (figures.useful, figures.useless) == (2, 1)


async def revised(store: SqlStore, revision: str) -> None:
    async with store._writer.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})


async def test_the_database_answers_and_its_schema_is_ours_or_newer(store: SqlStore) -> None:
    def before(connection: Connection) -> str:
        script = ScriptDirectory.from_config(alembic_config(connection))
        return str(script.get_revision("head").down_revision)

    assert await store.answers()
    assert await store.at_head()
    async with store._engine.connect() as connection:
        earlier = await connection.run_sync(before)
    await revised(store, earlier)
    assert not await store.at_head()
    await revised(store, "9999")
    assert await store.at_head(), "a newer version has migrated already; we work on with its schema"
    async with store._writer.begin() as connection:
        await connection.execute(text("DELETE FROM alembic_version"))
    assert not await store.at_head()
