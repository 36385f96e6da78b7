"""What is on this machine: settings, database, model, clock; and the sources that it reads."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.app import open_judge
from bot.doctor.findings import Area, Finding
from bot.domain.entries import Entry, Source, SourceState
from bot.domain.errors import ModelError, SettingsError, SourceError, StoreError
from bot.domain.topics import Topic
from bot.ports import Reader
from bot.storage.database import alembic_config, cause_of, database_url, open_engine

READ = 5  # sources
SKEW, SIGNED = (
    timedelta(seconds=30),
    timedelta(minutes=5),
)  # Slack's requests older than this are refused: https://docs.slack.dev/authentication/verifying-requests-from-slack
SENTENCE = "Norway and Chile sign a free trade agreement in Oslo"
DATABASE, MODEL, CLOCK, SOURCES = Area("database"), Area("model"), Area("clock"), Area("sources")
_ANOTHER_FILE = (
    "name a file in a folder that this user may write, in ATTACHE_DATABASE_URL; `sqlite+aiosqlite:///attache.db` is the usual one"
)
_RESTORE = "stop the bot, put a backup of the file in its place, or move it away: a new one is made at the next start"


async def examine_database(url: str) -> tuple[Finding, ...]:
    """Open the database without making or migrating one; look whether it is whole, of today's schema, and can be written."""
    try:
        parsed = database_url(url)
        engine = open_engine(url)
    except (SettingsError, SQLAlchemyError) as error:
        return (DATABASE.fail("address", str(error), "see ATTACHE_DATABASE_URL in the README"),)
    try:
        new = _new(Path(parsed.database)) if engine.dialect.name == "sqlite" and parsed.database not in (None, "", ":memory:") else None
        return (new,) if new else await _opened(engine)
    finally:
        await engine.dispose()


def _new(file: Path) -> Finding | None:
    """What there is to say of a file that is not there yet: opening it would make it."""
    if file.exists():
        return None
    folder = file.absolute().parent
    if not folder.is_dir():
        return DATABASE.fail("file", f"there is no folder {folder}", _ANOTHER_FILE)
    if not os.access(folder, os.W_OK):
        return DATABASE.fail("file", f"{folder} cannot be written", _ANOTHER_FILE)
    return DATABASE.ok("file", f"{file} is not there yet; the first start makes it")


async def _opened(engine: AsyncEngine) -> tuple[Finding, ...]:
    try:
        async with engine.connect() as connection:
            findings = [await connection.run_sync(_schema)]
            if engine.dialect.name == "sqlite":
                findings.append(_integrity([str(row[0]) for row in await connection.execute(text("PRAGMA quick_check(3)"))]))
    except (SQLAlchemyError, StoreError, OSError) as error:
        return (
            DATABASE.fail(
                "open",
                cause_of(error),
                _RESTORE if engine.dialect.name == "sqlite" else "see that the server runs, and the name and password",
            ),
        )
    return (DATABASE.ok("open", f"{engine.dialect.name} answers"), *findings, await _written(engine))


def _schema(connection: Connection) -> Finding:
    config = alembic_config(connection)
    wanted, had = ScriptDirectory.from_config(config).get_current_head(), MigrationContext.configure(connection).get_current_revision()
    if had == wanted:
        return DATABASE.ok("schema", f"up to date ({had})")
    return DATABASE.warn(
        "schema", f"at {had or 'nothing'}, not at {wanted}", "`attache run` migrates at its start; on PostgreSQL: `attache migrate`"
    )


def _integrity(said: Sequence[str]) -> Finding:
    if said == ["ok"]:
        return DATABASE.ok("integrity", "whole")
    return DATABASE.fail("integrity", "; ".join(said), _RESTORE)


async def _written(engine: AsyncEngine) -> Finding:
    """Write and take it back."""
    try:
        async with engine.execution_options(writing=True).connect() as connection:
            await connection.execute(text("CREATE TABLE attache_doctor (number INTEGER)"))
            await connection.execute(text("INSERT INTO attache_doctor VALUES (1)"))
            await connection.rollback()
    except (SQLAlchemyError, StoreError, OSError) as error:
        return DATABASE.fail("write", cause_of(error), "let this user write the file and its folder, and see that the disk is not full")
    return DATABASE.ok("write", "can be written")


async def examine_model(name: str) -> tuple[Finding, ...]:
    """Load the model and judge one sentence."""
    began = time.perf_counter()
    try:
        async with open_judge(name) as judge:
            loaded = time.perf_counter()
            (assessment,) = await judge.classifier.assess([_sentence()])
    except (ModelError, SettingsError, OSError) as error:
        return (
            MODEL.fail(
                "load",
                str(error),
                "name a model folder in ATTACHE_MODEL, or leave it out for the shipped one; a shipped one that is broken: install anew",
            ),
        )
    took = f"loaded in {loaded - began:.1f} s, one sentence judged in {(time.perf_counter() - loaded) * 1000:.0f} ms"
    score = assessment.scores.get(Topic.TRADE_DEAL, 0.0)
    if score < 0.5:
        return (
            MODEL.warn(
                "judge", f"{took}; it does not see a trade deal in “{SENTENCE}” ({score:.2f})", "see `attache evaluate`, and train it again"
            ),
        )
    return (MODEL.ok("judge", f"{took}: trade deal {score:.2f}"),)


def _sentence() -> Entry:
    now = datetime.now(UTC)
    return Entry(entry_id=0, key="doctor", source="doctor", url="", title=SENTENCE, summary="", published=now, seen=now)


def examine_clock(dates: Mapping[str, str | None], now: datetime) -> tuple[Finding, ...]:
    """Compare this machine's clock with the Date headers of servers that answered at `now`."""
    found = {server: _moment(date) for server, date in dates.items() if date}
    skews = {server: abs(now - moment) for server, moment in found.items() if moment}
    if not skews:
        return (CLOCK.ok("skew", "nothing to compare it with: no platform answered"),)
    server, skew = max(skews.items(), key=lambda pair: pair[1])
    said = f"{skew.total_seconds():.0f} s off {server}"
    mend = "set the machine's clock by NTP (timedatectl set-ntp true)"
    if skew <= SKEW:
        return (CLOCK.ok("skew", said),)
    return (CLOCK.fail("skew", f"{said}: signed requests are refused", mend) if skew > SIGNED else CLOCK.warn("skew", said, mend),)


def _moment(date: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(date)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


async def examine_sources(sources: Sequence[Source], reader: Reader, now: datetime) -> tuple[Finding, ...]:
    """Read the first of each group, and others up to READ of them."""
    if not sources:
        return (
            SOURCES.fail("list", "it is empty", "put a line into the file that ATTACHE_SOURCES names; config/sources.yaml is an example"),
        )
    first = {source.group: source for source in reversed(sources)}.values()
    chosen = list(dict.fromkeys([*first, *sources]))[:READ]
    read = await asyncio.gather(*(_read(source, reader, now) for source in chosen))
    none = all(problem for _, problem in read)
    mend = (
        "none answers: see this machine's way to the network, its proxy and name server"
        if none
        else "see `attache sources check`, the source's address and its own web page"
    )
    return tuple(
        SOURCES.ok(source.name, said) if not problem else (SOURCES.fail if none else SOURCES.warn)(source.name, problem, mend)
        for source, (said, problem) in zip(chosen, read, strict=True)
    )


async def _read(source: Source, reader: Reader, now: datetime) -> tuple[str, str]:
    """What came, and what was wrong."""
    began = time.perf_counter()
    try:
        harvest = await reader.read(source, SourceState(name=source.name), now)
    except SourceError as error:
        return "", str(error)
    return f"{len(harvest.entries)} entries in {(time.perf_counter() - began) * 1000:.0f} ms", harvest.problem or ""
